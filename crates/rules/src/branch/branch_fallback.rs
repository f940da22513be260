//! A build that knows no branch is tagged as if it were one.
//!
//! ## What it does
//!
//! Finds `${BRANCH_NAME:-master}` and its relatives (`-`, `:=`, `=`) with the name of a branch as the
//! fallback, where the branch variable is set by it, or where the result is the tag of an own image. A
//! variable counts as one for branches if it is the configured one or has `BRANCH` in its name.
//!
//! ## Why it matters
//!
//! CodeBuild defines no branch variable. A build that is started by hand, on a schedule or by a pipeline
//! has none, whatever branch it builds, and then pushes a feature branch as `master`.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - BRANCH_NAME=${BRANCH_NAME:-master}
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$BRANCH_NAME .
//!       - docker push $REPOSITORY_URI:$BRANCH_NAME
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - BRANCH_NAME=${BRANCH_NAME:?BRANCH_NAME is not set}
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$BRANCH_NAME .
//!       - docker push $REPOSITORY_URI:$BRANCH_NAME
//! ```
//!
//! ## Fix
//!
//! The fallback becomes an error message, so that such a build ends instead of overwriting the other
//! branch's image. The fix is unsafe, because a build that relies on the fallback no longer succeeds.
//!
//! ## When to silence it
//!
//! Where a build without a branch, started by hand or for a Git tag, is meant to be the default branch's.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Environment variables in build environments": `CODEBUILD_WEBHOOK_HEAD_REF` is
//!   set only by webhooks, and no variable holds the branch's name.

use std::collections::BTreeSet;

use tagwright_flow::expression::{Site, plain_name};
use tagwright_flow::facts::FileFacts;

use crate::context::{Context, Report};
use crate::variables::{assignment_at, is_branch, replace};
use crate::{Applicability, Category, Check, Fix, Fixable, Rule, Settings, Severity, WordEffect};

pub(crate) static RULE: Rule = Rule {
    name: "branch-fallback",
    category: Category::Branch,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("branch_fallback"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let settings = context.settings;
    let mut seen = BTreeSet::new();
    let mut looked_at = BTreeSet::new();
    // Asking the texts is much faster than looking at every tag.
    let files = context.workspace.files().iter();
    let braces: Vec<bool> = files.map(|file| file.may_hold("${")).collect();
    if !braces.contains(&true) {
        return;
    }
    for (file, site, assigned) in context.tag_sites() {
        if !braces[file.id.0 as usize] || !looked_at.insert((file.id, site.source)) {
            continue;
        }
        // What stands at the use, and the assignment that a value came through.
        let through = assigned
            .then(|| assignment_at(file, site).and_then(|a| a.value_site))
            .flatten();
        for place in [Some(site), through].into_iter().flatten() {
            fallbacks(file, place, settings, &mut seen, report);
        }
    }
    for file in context.workspace.files() {
        for assignment in file.assigned(&settings.branch_variable) {
            if let Some(site) = assignment.value_site {
                fallbacks(file, site, settings, &mut seen, report);
            }
        }
    }
}

/// Reports the fallbacks written at `site`.
fn fallbacks(
    file: &FileFacts,
    site: Site,
    settings: &Settings,
    seen: &mut BTreeSet<(u32, u32)>,
    report: &mut Report<'_>,
) {
    let Some(text) = file.get(site.source) else {
        return;
    };
    for (open, _) in text.match_indices("${") {
        let inner = &text[open + 2..];
        let name = plain_name(inner);
        let operator = inner[name.len()..].len()
            - inner[name.len()..]
                .trim_start_matches([':', '-', '='])
                .len();
        let symbol = &inner[name.len()..name.len() + operator];
        let Some(close) = inner.find('}') else { return };
        if !is_branch(name, settings) || !matches!(symbol, ":-" | "-" | ":=" | "=") {
            continue;
        }
        let operand = inner.get(name.len() + operator..close).unwrap_or("");
        let is_name = !operand.is_empty()
            && operand
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'/'));
        let whole = site.slice(open, open + close + 3);
        if !is_name || operand == "latest" || !seen.insert((file.id.0, whole.source.start)) {
            continue;
        }
        let text = format!("${{{name}:?{name} is not set}}");
        let fix = replace(file, whole, &text, WordEffect::Within).map(|change| Fix {
            message: format!("end the build where {name} is not set"),
            applicability: Applicability::Unsafe,
            changes: vec![change],
        });
        let message = format!(
            "a build that does not know its branch, started by hand or by a pipeline, is tagged as `{operand}` here"
        );
        report.add(report.draft(file.id, whole.source, message).fix(fix));
    }
}

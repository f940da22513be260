//! An empty variable makes Copilot take the next flag for the tag.
//!
//! ## What it does
//!
//! Finds `--tag $X` with the variable unquoted and alone in its word, directly before another flag, where
//! nothing in the workspace sets it.
//!
//! ## Why it matters
//!
//! If `X` is empty, the word is gone, and `--tag --upload-assets` gives the image the tag `--upload-assets`
//! while nothing is uploaded. In quotes it is an empty tag, which Copilot takes as none.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - copilot svc package --name web --env test --tag $IMAGE_TAG --upload-assets
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - copilot svc package --name web --env test --tag "$IMAGE_TAG" --upload-assets
//! ```
//!
//! ## Fix
//!
//! The variable is quoted.
//!
//! ## When to silence it
//!
//! Where the variable cannot be empty: it is checked a line before, or the shell has `set -u`.
//!
//! ## Sources
//!
//! - spf13/pflag `flag.go`: a flag with a value takes the next word, whatever it looks like.

use tagwright_flow::expression::AtomKind;

use crate::context::{Context, Report};
use crate::variables::{is_guarded, is_provided, may_be_assigned, replace};
use crate::{Applicability, Category, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity, WordEffect};

pub(crate) static RULE: Rule = Rule {
    name: "unquoted-tag",
    category: Category::ImageTag,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("unquoted_tag"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for file in context.workspace.files() {
        for call in &file.copilot {
            let Some(flag) = call.flag("tag") else {
                continue;
            };
            let [value] = flag.values.as_slice() else {
                continue;
            };
            let [atom] = value.atoms.as_slice() else {
                continue;
            };
            let AtomKind::Variable(name) = &atom.kind else {
                continue;
            };
            if !flag.unquoted
                || !flag.followed_by_flag
                || is_guarded(file, atom)
                || is_provided(context, name)
                || may_be_assigned(file, name)
                || call.loops.contains(name)
            {
                continue;
            }
            let Some(site) = flag.value_site else {
                continue;
            };
            let written = file.get(site.source).unwrap_or("");
            let message = format!(
                "nothing here sets {name}: where it is empty, Copilot takes the next flag for the tag"
            );
            let fix = if site.inside_quotes {
                Err(Refusal::new(RefusalCode::Quoted, "the command stands in quotes itself"))
            } else {
                let text = format!("\"{written}\"");
                replace(file, site, &text, WordEffect::Within).map(|change| Fix {
                    message: format!("write `{text}`"),
                    applicability: Applicability::Safe,
                    changes: vec![change],
                })
            };
            report.add(report.draft(file.id, site.source, message).fix(fix));
        }
    }
}

//! Git is asked for the branch, but CodeBuild checks out a commit.
//!
//! ## What it does
//!
//! Finds `git rev-parse --abbrev-ref HEAD`, `git branch --show-current` and `git symbolic-ref HEAD` where the
//! branch variable or the tag of your image gets its value from them. Files in which a command clones a
//! repository or checks out a branch, and values with a fallback of their own (`||`), are left alone, and so
//! are variables that other commands set, too.
//!
//! ## Why it matters
//!
//! In a build HEAD is detached: the first command prints the word `HEAD`, the second prints nothing, the third
//! fails. Every branch overwrites the same tag, or docker refuses the empty one. In a pipeline whose source
//! arrives as a ZIP file, which is the default, there is no `.git` folder at all.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - BRANCH_NAME=$(git rev-parse --abbrev-ref HEAD)
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
//!       - BRANCH_NAME=$(git rev-parse --abbrev-ref HEAD)
//!       - |
//! @DERIVATION@
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$BRANCH_NAME .
//!       - docker push $REPOSITORY_URI:$BRANCH_NAME
//! ```
//!
//! ## Fix
//!
//! The command that sets the branch variable is inserted right after the assignment to it. It ignores `HEAD`
//! and asks CodeBuild's own variables. An assignment to another variable is not fixed.
//!
//! ## When to silence it
//!
//! Where a script that the build runs checks out the branch first.
//!
//! ## Sources
//!
//! - git documentation, `git rev-parse`, `git branch`, `git symbolic-ref`: what they print on a detached HEAD.
//! - semantic-release/env-ci pull request 29: CodeBuild checks out a commit.

use std::collections::BTreeSet;

use tagwright_flow::expression::{Atom, AtomKind};
use tagwright_flow::facts::{AssignmentFact, AssignmentPlace, FileFacts};

use crate::context::{Context, Report};
use crate::branch_variable::{attaches, is_of_detached_head};
use crate::plan::define_branch_after;
use crate::shell_text::{unquoted};
use crate::variables::{assignment_at, item_text};
use crate::{Applicability, Category, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "detached-head-branch",
    category: Category::Branch,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("detached_head_branch"),
    check: Check::Workspace(check),
};

/// Without one of these nothing here is of interest.
const SIGNS: [&str; 3] = ["abbrev-ref", "show-current", "symbolic-ref"];

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let variable = &*context.settings.branch_variable;
    let files = context.workspace.files().iter();
    let may_ask = |file: &FileFacts| SIGNS.iter().any(|sign| file.may_hold(sign));
    let candidates: Vec<&FileFacts> = files
        .filter(|file| file.buildspec.is_some() && may_ask(file) && !attaches(file))
        .collect();
    if candidates.is_empty() {
        return;
    }
    let mut seen = BTreeSet::new();
    for file in &candidates {
        for assignment in file.assigned(variable) {
            if is_detached(file, assignment) && seen.insert((file.id, assignment.span.start)) {
                add(context, report, file, assignment);
            }
        }
    }
    for (file, atom) in context.tag_atoms() {
        let (Some(site), Some(text)) = (atom.site, computed(atom)) else {
            continue;
        };
        if !candidates.iter().any(|it| it.id == file.id) || !is_of_detached_head(text) {
            continue;
        }
        match assignment_at(file, site) {
            Some(assignment)
                if is_detached(file, assignment)
                    && seen.insert((file.id, assignment.span.start)) =>
            {
                add(context, report, file, assignment);
            }
            Some(_) => {}
            None if seen.insert((file.id, site.source.start)) => {
                let message =
                    "HEAD is detached in CodeBuild, so Git does not print a branch here and the tag does not identify one";
                let refusal = Refusal::new(
                    RefusalCode::UnsupportedForm,
                    "the tag has no variable of its own",
                );
                report.add(report.draft(file.id, site.source, message).fix(Err(refusal)));
            }
            None => {}
        }
    }
}

fn computed(atom: &Atom) -> Option<&str> {
    match &atom.kind {
        AtomKind::Computed(text) => Some(text),
        AtomKind::Literal(_) | AtomKind::Variable(_) => None,
    }
}

/// Whether Git is all that gives the variable a value.
pub(crate) fn is_detached(file: &FileFacts, assignment: &AssignmentFact) -> bool {
    let asks = |a: &AssignmentFact| {
        a.place == AssignmentPlace::Command
            && !a.conditional
            && is_of_detached_head(unquoted(&a.value))
    };
    let mut same = file.assigned(&assignment.name);
    // `export NAME` gives it none.
    let others = same.all(|a| asks(a) || a.value.is_empty() && a.exported);
    // A later `[ "$NAME" = HEAD ]` in the same command knows of it.
    let knows = || {
        item_text(file, assignment.node).is_some_and(|text| text.matches("HEAD").count() > 1)
    };
    asks(assignment) && others && !knows()
}

fn add(
    context: &Context<'_>,
    report: &mut Report<'_>,
    file: &FileFacts,
    assignment: &AssignmentFact,
) {
    let variable = &*context.settings.branch_variable;
    let message = format!(
        "HEAD is detached in CodeBuild, so Git does not print a branch here and {} does not identify one",
        assignment.name
    );
    let fix = if *assignment.name == *variable {
        define_branch_after(context, file, assignment.order).map(|change| Fix {
            message: format!("set {variable} from what the build knows of its branch"),
            applicability: Applicability::Safe,
            changes: vec![change],
        })
    } else {
        let message = format!(
            "what else reads {} is not certain; take the branch from {variable}, which `tagwright fix` can set",
            assignment.name
        );
        Err(Refusal::new(RefusalCode::SharedVariable, message))
    };
    report.add(report.draft(file.id, assignment.span, message).fix(fix));
}

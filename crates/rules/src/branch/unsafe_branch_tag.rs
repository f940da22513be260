//! A branch's name is used as a tag as it is.
//!
//! ## What it does
//!
//! Finds tags of own images and of `copilot … --tag` that come from `CODEBUILD_WEBHOOK_HEAD_REF`,
//! `CODEBUILD_WEBHOOK_TRIGGER`, `git rev-parse --abbrev-ref HEAD` or `git branch --show-current`, where
//! nothing on the way replaces what a tag cannot hold.
//!
//! ## Why it matters
//!
//! Branches are called `feature/login` and `renovate/node@22`. A tag holds letters, digits, `_`, `.` and
//! `-`, so docker refuses these as an invalid reference: the build works on `main` and fails on branches.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - BRANCH_NAME=${CODEBUILD_WEBHOOK_HEAD_REF#refs/heads/}
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
//!       - BRANCH_NAME=${CODEBUILD_WEBHOOK_HEAD_REF#refs/heads/}
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
//! The command that makes a tag of the branch is inserted right after the assignment, if that assigns the
//! branch variable: once, where the name comes in, and not at every use.
//!
//! ## When to silence it
//!
//! Where only branches are built whose names are tags already, because a filter of the webhook or the
//! pipeline sees to it.
//!
//! ## Sources
//!
//! - distribution/reference `regexp.go`: a tag is `[\w][\w.-]{0,127}`.
//! - git documentation, `git check-ref-format`: what a branch may be called.

use std::collections::BTreeSet;

use tagwright_flow::expression::{Atom, AtomKind, plain_name};
use tagwright_flow::facts::{AssignmentFact, FileFacts};
use tagwright_flow::kind::has;
use tagwright_flow::search::AnyOf;

use crate::branch::detached_head_branch::is_detached;
use crate::branch_variable::{attaches, is_of_detached_head};
use crate::context::{Context, Report};
use crate::derivation::Derivation;
use crate::plan::define_branch_after;
use crate::variables::{assignment_at, is_sanitised};
use crate::{Applicability, Category, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "unsafe-branch-tag",
    category: Category::Branch,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("unsafe_branch_tag"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let mut seen = BTreeSet::new();
    for (file, atom) in context.tag_atoms() {
        let Some(site) = atom.site else { continue };
        if file.buildspec.is_none()
            || !is_raw_branch(atom)
            || !seen.insert((file.id, site.source.start))
        {
            continue;
        }
        let assignment = assignment_at(file, site);
        if assignment.is_some_and(|assignment| is_sanitised(file, assignment)) {
            continue;
        }
        // Git prints no branch here at all, which is another rule's.
        let detached = match assignment {
            Some(assignment) => is_detached(file, assignment),
            None => matches!(&atom.kind, AtomKind::Computed(text) if is_of_detached_head(text)),
        };
        if detached && !attaches(file) {
            continue;
        }
        let message = match assignment {
            Some(assignment) => format!(
                "`{}` is the branch's name as it is, and becomes a tag: docker refuses `feature/x`, because a tag cannot hold a slash",
                assignment.name
            ),
            None => "this is the branch's name as it is: docker refuses `feature/x` as a tag, because a tag cannot hold a slash".to_owned(),
        };
        let fix = match assignment {
            Some(assignment) => sanitise(context, file, assignment),
            None => Err(Refusal::new(RefusalCode::UnsupportedForm, "the tag has no variable of its own that could be sanitised")),
        };
        report.add(report.draft(file.id, site.source, message).fix(fix));
    }
}

/// Whether the atom is a branch's name, slashes included.
fn is_raw_branch(atom: &Atom) -> bool {
    match &atom.kind {
        AtomKind::Literal(_) => false,
        // `#refs/heads/` leaves the branch; `##*/` leaves no slash; without an operator the slashes of
        // `refs/heads/` are there in every build, which is another rule's.
        AtomKind::Variable(name) => {
            let variable = plain_name(name);
            let operator = &name[variable.len()..];
            matches!(
                variable,
                "CODEBUILD_WEBHOOK_HEAD_REF" | "CODEBUILD_WEBHOOK_TRIGGER"
            ) && operator.starts_with('#')
                && !operator.starts_with("##*/")
        }
        AtomKind::Computed(text) => is_raw_text(text),
    }
}

fn is_raw_text(text: &str) -> bool {
    static BY_GIT: AnyOf = AnyOf::new(&[
        "rev-parse --abbrev-ref",
        "branch --show-current",
        "symbolic-ref --short",
    ]);
    let by_ref = || {
        (text.contains("CODEBUILD_WEBHOOK_HEAD_REF") && text.contains("refs"))
            || (text.contains("CODEBUILD_WEBHOOK_TRIGGER") && text.contains("branch/"))
            || rest_of_cut(text)
    };
    // Most tags are neither.
    let raw = BY_GIT.is_in(text) || has(text, "CODEBUILD_WEBHOOK") && by_ref();
    // One field of a split, the last component, a checksum: no slash is left.
    let single = || {
        text.contains("basename")
            || text.contains("awk")
            || text.contains("##*/")
            || text.contains("sum")
            || text.contains("--output-delimiter")
            || text.contains("cut") && !rest_of_cut(text)
    };
    raw && !single() && !Derivation::is_derivation(&format!("x={text}"), "x")
}

/// `cut -f 2-`: everything from a field on.
fn rest_of_cut(text: &str) -> bool {
    text.match_indices("-f").any(|(at, _)| {
        let rest = text[at + 2..].trim_start();
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        digits.len() < rest.len() && digits.starts_with('-')
    })
}

fn sanitise(
    context: &Context<'_>,
    file: &FileFacts,
    assignment: &AssignmentFact,
) -> Result<Fix, Refusal> {
    let variable = &*context.settings.branch_variable;
    if *assignment.name != *variable {
        let message = format!(
            "what else reads {} is not certain; sanitise it where it is set, as the derivation of {variable} does",
            assignment.name
        );
        return Err(Refusal::new(RefusalCode::SharedVariable, message));
    }
    let change = define_branch_after(context, file, assignment.order)?;
    Ok(Fix {
        message: format!("make a tag of {variable} right after it is set"),
        applicability: Applicability::Safe,
        changes: vec![change],
    })
}

//! A comment silences a rule that has nothing to say there.
//!
//! ## What it does
//!
//! Finds names in `# tagwright: ignore[…]` comments for which there is no finding in what the comment covers,
//! also where the rule is turned off.
//!
//! ## Why it matters
//!
//! The comment stays behind when the command it was written for is gone, and silences the next one that is
//! put in its place.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       # tagwright: ignore[removed-command] the build image still has version 1
//!       - aws ecr get-login-password --region eu-west-1 > /tmp/password
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - aws ecr get-login-password --region eu-west-1 > /tmp/password
//! ```
//!
//! ## Fix
//!
//! Takes the name away, and the comment with its last name.
//!
//! ## When to silence it
//!
//! Where the finding comes and goes, because a file beside it is generated or the configuration differs
//! between places.
//!
//! ## Sources
//!
//! - This program: "Silencing findings" in `docs/suppressions.md`.

use std::sync::Arc;

use crate::context::Report;
use crate::{Applicability, Category, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity, Unused};

pub(crate) static RULE: Rule = Rule {
    name: "unused-suppression",
    category: Category::Suppression,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("unused_suppression"),
    check: Check::Unused(check),
};

fn check(unused: &Unused<'_>, report: &mut Report<'_>) {
    let directive = unused.directive;
    let names: Vec<String> = unused
        .names
        .iter()
        .map(|index| format!("`{}`", directive.names[*index].1))
        .collect();
    let message = format!(
        "{} finds nothing here: the comment would silence the next mistake instead",
        names.join(", ")
    );
    let first = directive.names[unused.names[0]].0;
    let fix = match &unused.change {
        Some(change) => Ok(Arc::new(Fix {
            message: format!("take {} out of the comment", names.join(", ")),
            applicability: Applicability::Safe,
            changes: vec![change.clone()],
        })),
        None => Err(Refusal::new(RefusalCode::CannotEdit, "the comment cannot be rewritten here")),
    };
    report.add(report.draft(directive.file, first, message).shared_fix(fix));
}

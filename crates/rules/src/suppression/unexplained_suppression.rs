//! A comment silences a rule and does not say why.
//!
//! ## What it does
//!
//! Finds `# tagwright: ignore[…]` comments with nothing behind the brackets. Off unless it is turned on.
//!
//! ## Why it matters
//!
//! Nobody dares to take out a comment whose reason is not known, so it stays for ever.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml enable
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       # tagwright: ignore[removed-command]
//!       - $(aws ecr get-login --no-include-email)
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       # tagwright: ignore[removed-command] the build image has version 1 of the AWS CLI
//!       - $(aws ecr get-login --no-include-email)
//! ```
//!
//! ## Fix
//!
//! None: the reason is not in the file.
//!
//! ## When to silence it
//!
//! It is off unless it is asked for. Turn it off again where the history or a ticket explains enough.
//!
//! ## Sources
//!
//! - This program: "Silencing findings" in `docs/suppressions.md`.

use crate::context::{Document, Report};
use crate::{Category, Check, Fixable, Rule};

pub(crate) static RULE: Rule = Rule {
    name: "unexplained-suppression",
    category: Category::Suppression,
    default: None,
    fixable: Fixable::Never,
    docs: docs!("unexplained_suppression"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    for directive in document.directives() {
        if directive.reason.is_none() && !directive.names.is_empty() && directive.covers.is_ok() {
            let message = "the comment does not say why: put the reason behind the brackets";
            report.add(report.draft(document.facts.id, directive.span, message));
        }
    }
}

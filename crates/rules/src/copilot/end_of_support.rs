//! AWS Copilot is no longer supported.
//!
//! ## What it does
//!
//! Reports the first call of Copilot of a buildspec. Off unless configured.
//!
//! ## Why it matters
//!
//! AWS ended the support of Copilot on 2026-06-12: there are no more releases, and no more fixes of
//! security problems. Amazon ECS Express Mode and the AWS CDK are the successors that AWS names.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml enable
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - copilot env deploy --name test
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - npx cdk deploy
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! It is off unless it is asked for. If it is on, silence it for what stays on Copilot until a date that is
//! settled.
//!
//! ## Sources
//!
//! - AWS Containers Blog, "Announcing the end of support for the AWS Copilot CLI" (2026-03).

use crate::context::{Document, Report};
use crate::{Category, Check, Fixable, Rule};

pub(crate) static RULE: Rule = Rule {
    name: "end-of-support",
    category: Category::Copilot,
    default: None,
    fixable: Fixable::Never,
    docs: docs!("end_of_support"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    if let Some(call) = document.facts.copilot.first() {
        let message = "the support of AWS Copilot ended on 2026-06-12";
        report.add(report.draft(document.facts.id, call.span, message));
    }
}

//! Copilot is given a flag that its subcommand does not have.
//!
//! ## What it does
//!
//! Compares the flags of `copilot deploy`, `init`, `svc`, `job`, `env`, `task`, `pipeline` and `run local`
//! with those that the subcommand has.
//!
//! ## Why it matters
//!
//! Copilot stops with `unknown flag` before it does anything.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - copilot env deploy --name test --tag $CODEBUILD_BUILD_NUMBER
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - copilot env deploy --name test
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! For a release of Copilot after 1.33 that has the flag: the table is that of 1.33.
//!
//! ## Sources
//!
//! - aws/copilot-cli `internal/pkg/cli` (v1.33.2): the flags of each subcommand.

use crate::context::{Document, Report};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "unknown-flag",
    category: Category::Copilot,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("unknown_flag"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    for call in document.facts.copilot.iter().filter(|call| call.clean) {
        for flag in call.flags.iter().filter(|flag| !flag.known) {
            let dashes = if flag.name.chars().count() == 1 {
                "-"
            } else {
                "--"
            };
            let message = format!(
                "`copilot {}` has no flag `{dashes}{}` and stops with an error",
                call.subcommand, flag.name
            );
            report.add(report.draft(document.facts.id, flag.span, message));
        }
    }
}

//! A phase has commands and GitHub Actions steps.
//!
//! ## What it does
//!
//! Finds phases with both `commands` and `steps`.
//!
//! ## Why it matters
//!
//! A phase runs either commands or steps. CodeBuild rejects a buildspec with both in one phase.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - ./build.sh
//!     steps:
//!       - uses: actions/setup-node@v4
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     steps:
//!       - uses: actions/setup-node@v4
//!   build:
//!     commands:
//!       - ./build.sh
//! ```
//!
//! ## Fix
//!
//! None. Move one of the two into another phase.
//!
//! ## When to silence it
//!
//! No good reason if CodeBuild runs the file: a phase has the one or the other.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Use GitHub Actions syntax in a buildspec".

use crate::context::{Document, Report};
use crate::outline;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "commands-with-steps",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("commands_with_steps"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    if outline::root(document).is_none() {
        return;
    }
    let phases = document.buildspec.iter().flat_map(|spec| &spec.phases);
    for phase in phases {
        let (Some(steps), Some(_)) = (tree.entry(phase.node, "steps"), &phase.commands) else {
            continue;
        };
        let message = format!(
            "`{}` has `commands` and `steps`; CodeBuild takes one of the two in a phase",
            phase.name.as_str()
        );
        report.add(report.draft(document.facts.id, tree.node(steps.key).span, message));
    }
}

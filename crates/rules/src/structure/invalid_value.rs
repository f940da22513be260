//! A value that its key does not have.
//!
//! ## What it does
//!
//! Compares `on-failure`, `env.shell`, yes/no settings, `file-format`, the `action` of a cache and
//! `parallelism` with what the reference lists. `true` and `false` are fine for yes and no; values with
//! variables are left alone.
//!
//! ## Why it matters
//!
//! CodeBuild rejects the file or falls back to what it does without the setting; for most settings it is not
//! documented which.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     on-failure: STOP
//!     commands:
//!       - ./build.sh
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     on-failure: ABORT
//!     commands:
//!       - ./build.sh
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! For a value that is newer than this version of tagwright and that a build has been seen to accept.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference for CodeBuild".

use crate::context::{Document, Report};
use crate::outline;
use tagwright_grammar::walk::Problem;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "invalid-value",
    category: Category::Structure,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("invalid_value"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    for problem in outline::problems(document) {
        let Problem::InvalidValue { node, odd, allowed } = problem else {
            continue;
        };
        let message = format!(
            "`{}` must be {allowed}, not `{}`",
            tree.path(*node),
            outline::quoted(tree.text(*node).unwrap_or(""))
        );
        let draft = report.draft(document.facts.id, tree.node(*node).span, message);
        report.add(if *odd {
            draft.severity(Severity::Note)
        } else {
            draft
        });
    }
}

//! A variable has a name that CodeBuild keeps for itself.
//!
//! ## What it does
//!
//! Finds names that start with `CODEBUILD_` in `env.variables`, `env.parameter-store` and
//! `env.secrets-manager`.
//!
//! ## Why it matters
//!
//! The prefix is reserved for the variables that CodeBuild sets: it may overwrite the value or refuse the
//! file.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   variables:
//!     CODEBUILD_STAGE: test
//! phases:
//!   build:
//!     commands:
//!       - ./build.sh
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   variables:
//!     STAGE: test
//! phases:
//!   build:
//!     commands:
//!       - ./build.sh
//! ```
//!
//! ## Fix
//!
//! None. Another name also needs another name where it is read.
//!
//! ## When to silence it
//!
//! Where a program other than CodeBuild reads the file and the variable.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference for CodeBuild".

use crate::context::{Document, Report};
use crate::outline;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "reserved-variable",
    category: Category::Structure,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("reserved_variable"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    let Some(spec) = outline::root(document).and(document.buildspec.as_ref()) else {
        return;
    };
    let env = &spec.env;
    let entries = env
        .variables
        .iter()
        .chain(&env.parameter_store)
        .chain(&env.secrets_manager);
    for entry in entries {
        let name = tree.text(entry.key).unwrap_or("");
        if name.starts_with("CODEBUILD_") {
            let message = format!(
                "`{name}` cannot be set here: names that start with `CODEBUILD_` are CodeBuild's own"
            );
            report.add(report.draft(document.facts.id, tree.node(entry.key).span, message));
        }
    }
}

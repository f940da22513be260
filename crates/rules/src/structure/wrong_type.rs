//! A value has a shape that its key cannot have.
//!
//! ## What it does
//!
//! Finds lists and mappings where CodeBuild expects text, and text where it expects a list or a mapping. A
//! single command or file in place of a list of one is fine, and so are numbers in `variables`.
//!
//! ## Why it matters
//!
//! CodeBuild cannot read the section: the build stops with `YAML_FILE_ERROR` in the phase `DOWNLOAD_SOURCE`,
//! before any command has run.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   variables:
//!     - STAGE: test
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
//! None.
//!
//! ## When to silence it
//!
//! No good reason if CodeBuild runs the file: it cannot read it.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference for CodeBuild".

use crate::context::{Document, Report};
use crate::outline;
use tagwright_grammar::walk::{self, Problem};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "wrong-type",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("wrong_type"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    for problem in outline::problems(document) {
        let Problem::WrongType { node, expected } = problem else {
            continue;
        };
        let message = format!(
            "`{}` must be {expected}, but this is {}",
            tree.path(*node),
            walk::found(tree, *node)
        );
        report.add(report.draft(document.facts.id, tree.node(*node).span, message));
    }
}

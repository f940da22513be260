//! The buildspec has a version that does not exist.
//!
//! ## What it does
//!
//! Finds versions other than 0.1 and 0.2.
//!
//! ## Why it matters
//!
//! CodeBuild stops with "invalid buildspec `version` specified: 1.0, see documentation".
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 1.0
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
//! No good reason if CodeBuild runs the file: it refuses the version.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference for CodeBuild".

use crate::context::{Document, Report};
use crate::outline;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "invalid-version",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("invalid_version"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    let Some(node) = outline::root(document).and_then(|root| tree.get(root, "version")) else {
        return;
    };
    let Some(version) = tree.text(node).filter(|_| !tree.is_null(node)) else {
        return;
    };
    let span = tree.node(node).span;
    // `0.20` is the same number; a variable is filled in before CodeBuild reads the file.
    let number = version.trim().parse::<f64>().ok();
    let valid = number.is_some_and(|number| number == 0.1 || number == 0.2);
    if valid || version.contains('$') || !outline::is_settled(document, span) {
        return;
    }
    let version = outline::quoted(version);
    let message = format!(
        "CodeBuild will stop with \"invalid buildspec `version` specified: {version}, see \
         documentation\": write `version: 0.2`"
    );
    report.add(report.draft(document.facts.id, span, message));
}

//! The buildspec does not say its version.
//!
//! ## What it does
//!
//! Finds buildspecs without `version`.
//!
//! ## Why it matters
//!
//! The reference requires it; without it CodeBuild does not know how to read the file.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
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
//! No good reason if CodeBuild runs the file: it refuses it. For a part that is put together with others,
//! exclude the file.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference for CodeBuild".

use crate::context::{Document, Report};
use crate::outline;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "missing-version",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("missing_version"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    let Some(root) = outline::whole_root(document) else {
        return;
    };
    let entries = tree.mapping(root).map_or(&[][..], |map| &map.entries);
    let version = tree.entry(root, "version");
    // A merged mapping may bring it along.
    let merged = tree.entry(root, "<<").is_some();
    if merged || version.is_some_and(|entry| !tree.is_null(entry.value)) {
        return;
    }
    let Some(at) = version.or(entries.first().copied()) else {
        return;
    };
    let message = "the buildspec needs `version: 0.2` at its top level";
    report.add(report.draft(document.facts.id, tree.node(at.key).span, message));
}

//! A list of commands has an empty item, or there is no command at all.
//!
//! ## What it does
//!
//! Finds items of `commands` and `finally` that are only a dash, also one with a comment behind it, and
//! `commands:` with nothing below it. They are notes: builds are known to run with them.
//!
//! ## Why it matters
//!
//! Something was removed or forgotten there, or a comment took its place. Whether CodeBuild takes notice is
//! not documented; at best it runs nothing.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - ./build.sh
//!       -
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
//! None. Remove the dash, or write the command.
//!
//! ## When to silence it
//!
//! For a placeholder in a file that is still being written; CodeBuild is known to run files with a
//! `commands` that is empty.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference for CodeBuild".

use tagwright_syntax::Span;

use crate::context::{Document, Report};
use crate::outline;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "null-command",
    category: Category::Structure,
    default: Some(Severity::Note),
    fixable: Fixable::Never,
    docs: docs!("null_command"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    let is_empty = |id| {
        let node = tree.node(id);
        // What an anchor or a tag has swallowed is another rule's.
        tree.is_null(id) && node.properties.is_none() && outline::is_settled(document, node.span)
    };
    for list in outline::command_lists(document) {
        // Of a file that stops in the middle nobody knows what would follow.
        if tree.error().is_none() && is_empty(list.node) {
            let message = format!("`{}` of `{}` has no command", list.key, list.phase.as_str());
            let span = tree.node(list.key_node).span;
            report.add(report.draft(document.facts.id, span, message));
        }
        let Some(items) = tree.sequence(list.node) else {
            continue;
        };
        for (index, item) in items.items.iter().enumerate() {
            if is_empty(*item) {
                let span = items
                    .dashes
                    .get(index)
                    .map_or(tree.node(*item).span, |dash| {
                        Span::new(*dash as usize, *dash as usize + 1)
                    });
                let message = "this item of the list is empty: no command runs here";
                report.add(report.draft(document.facts.id, span, message));
            }
        }
    }
}

//! A command is a mapping, because YAML took a colon in it for the end of a key.
//!
//! ## What it does
//!
//! Finds items of `commands` and `finally` that YAML reads as a mapping: commands with a colon and a space,
//! or with a colon at the end, that are not in quotes as a whole. Quotes inside the command do not protect
//! it.
//!
//! ## Why it matters
//!
//! CodeBuild stops with `YAML_FILE_ERROR`: "Expected Commands[1] to be of string type: found subkeys instead
//! at line 6, value of the key tag on line 5 might be empty". No command has run by then.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - ./build.sh
//!       - echo "Status: built"
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
//!       - 'echo "Status: built"'
//! ```
//!
//! ## Fix
//!
//! Single quotes around the whole command, where it stands on one line and is a command as it stands, or with the
//! comment that closes its quotes. Any other can be written on a line of its own below `- |`.
//!
//! ## When to silence it
//!
//! No good reason: CodeBuild stops at it. Only for a file that it never reads as it stands.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference for CodeBuild".
//! - YAML 1.2.2, section 7.3.3 "Plain style".

use tagwright_syntax::Span;

use crate::context::{Document, Report};
use crate::script::{comment_behind, quote};
use crate::outline;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "command-is-mapping",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("command_is_mapping"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let (tree, text) = (document.tree, document.text());
    for list in outline::command_lists(document) {
        let items = tree.sequence(list.node).map_or(&[][..], |list| &list.items);
        for (index, item) in items.iter().enumerate() {
            let span = tree.node(*item).span;
            if tree.mapping(*item).is_none() || !outline::is_settled(document, span) {
                continue;
            }
            let line = outline::line(document, span.start);
            let what = if tree.mapping(*item).is_some_and(|mapping| mapping.flow) {
                "YAML reads `{` at the start as the start of a mapping"
            } else {
                "YAML takes the colon for the end of a key"
            };
            let message = format!(
                "CodeBuild will stop with \"Expected Commands[{index}] to be of string type: found \
                 subkeys instead at line {line}\": {what}; {}",
                advice(span, text)
            );
            let draft = report.draft(document.facts.id, span, message);
            let fix = quote(document, *item, span).or_else(|reason| {
                // A closing quote may be in what YAML took for a comment.
                let comment = comment_behind(document, span).ok_or(reason)?;
                quote(document, *item, span.cover(comment))
            });
            report.add(draft.fix(fix));
        }
    }
}

/// How to write the command.
fn advice(span: Span, text: &str) -> String {
    let command = span.of(text);
    if command.contains(['\n', '\r', '\'']) || command.len() > 80 {
        "write it on a line of its own below `- |`".to_owned()
    } else {
        format!("write `- '{command}'`")
    }
}

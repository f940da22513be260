//! A command stands right after its dash, without a space.
//!
//! ## What it does
//!
//! Finds `-command` where a list of commands is meant: all items written so, which YAML joins into one text,
//! and one item written so, at which the YAML reader stops.
//!
//! ## Why it matters
//!
//! A dash starts a list item only if a space follows. Without it, YAML joins the lines into one text that
//! starts with a dash, CodeBuild runs that as one command, and the shell does not find it.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       -kubectl apply -f deployment.yaml
//!       -kubectl get pods
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - kubectl apply -f deployment.yaml
//!       - kubectl get pods
//! ```
//!
//! ## Fix
//!
//! None. Write a space after each dash.
//!
//! ## When to silence it
//!
//! Where the line continues the command above and begins with an option on purpose.
//!
//! ## Sources
//!
//! - YAML 1.2.2, section 8.2.1 "Block sequences".

use tagwright_flow::FileKind;
use tagwright_syntax::Span;
use tagwright_syntax::yaml::ScalarStyle;

use crate::context::{Document, Report};
use crate::tables;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "missing-dash-space",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("missing_dash_space"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    for list in tables::command_lists(document) {
        let Some(scalar) = tree.scalar(list.node) else {
            continue;
        };
        if scalar.style == ScalarStyle::Plain && glued(&scalar.value) {
            let message = "without a space after each `-` these lines are no list: CodeBuild runs them \
                           as one command that starts with a dash";
            let span = tree.node(list.node).span;
            report.add(report.draft(document.facts.id, span, message));
        }
    }
    let template = document
        .facts
        .buildspec
        .as_ref()
        .is_some_and(|facts| facts.template.is_some());
    if let Some(error) = tree.error()
        && document.facts.kind == FileKind::Buildspec
        && !template
        && let Some(span) = glued_item(document.text(), error.offset as usize)
    {
        let message = "there is no space after the `-`, so this line is no list item";
        report.add(report.draft(document.facts.id, span, message));
    }
}

/// Whether `text` is a dash with a command right after it.
fn glued(text: &str) -> bool {
    text.strip_prefix('-')
        .and_then(|rest| rest.chars().next())
        .is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '.' | '/' | '$' | '"'))
}

/// The line at byte `offset`, or one of the two before it, if it is a glued item below a right one.
fn glued_item(text: &str, offset: usize) -> Option<Span> {
    let offset = offset.min(text.len());
    let after = text.get(offset..)?;
    let mut end = offset + after.find('\n').unwrap_or(after.len());
    for _ in 0..3 {
        let start = text.get(..end)?.rfind('\n').map_or(0, |at| at + 1);
        let line = text[start..end].trim_end();
        let item = line.trim_start_matches(' ');
        let indent = line.len() - item.len();
        let above = text[..start]
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty())
            .unwrap_or("");
        let below_an_item = above
            .split_at_checked(indent)
            .is_some_and(|(blank, item)| blank.trim().is_empty() && item.starts_with("- "));
        if glued(item) && below_an_item {
            return Some(Span::new(start + indent, start + line.len()));
        }
        end = start.checked_sub(1)?;
    }
    None
}

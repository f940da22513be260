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
//! A space behind each dash, where all lines are written so, or where the line stands below the dash of a right item;
//! at one column, and if none looks like an option (`-t`). Where the YAML reader stops at the line, the file without
//! the line must be one that it can read.
//!
//! ## When to silence it
//!
//! Where the line continues the command above and begins with an option on purpose.
//!
//! ## Sources
//!
//! - YAML 1.2.2, section 8.2.1 "Block sequences".

use tagwright_flow::FileKind;
use tagwright_flow::facts::ShellKind;
use tagwright_syntax::Span;
use tagwright_syntax::shell::{self, Status};
use tagwright_syntax::yaml::{NodeId, ScalarStyle};

use crate::context::{Document, Report};
use crate::outline;
use crate::{Applicability, Category, Change, ChangeKind, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "missing-dash-space",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("missing_dash_space"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    for list in outline::command_lists(document) {
        let Some(scalar) = tree.scalar(list.node) else {
            continue;
        };
        if scalar.style == ScalarStyle::Plain && glued(&scalar.value) {
            let message = format!(
                "without a space after each `-` this is no list: CodeBuild runs `{}` as one command, which starts \
                 with a dash",
                outline::quoted(&scalar.value)
            );
            let span = tree.node(list.node).span;
            let fix = split(document, list.node, span);
            report.add(report.draft(document.facts.id, span, message).fix(fix));
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
        let fix = space(document, span);
        report.add(report.draft(document.facts.id, span, message).fix(fix));
    }
}

/// A space behind the dash of the line at `span` and of all of its kind in the same list.
fn space(document: &Document<'_>, span: Span) -> Result<Fix, Refusal> {
    let text = document.text();
    let root = document.tree.root().ok_or_else(|| Refusal::new(RefusalCode::Unreadable, "nothing of the file could be read"))?;
    let shell = document.facts.buildspec.as_ref().map(|facts| facts.shell);
    let start = text[..span.start as usize].rfind('\n').map_or(0, |at| at + 1);
    let column = span.start as usize - start;
    let inside = |line: &&str| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        line.trim().is_empty() || indent >= column
    };
    let mut first = start;
    while let Some(end) = first.checked_sub(1) {
        let before = text[..end].rfind('\n').map_or(0, |at| at + 1);
        if !inside(&&text[before..first]) {
            break;
        }
        first = before;
    }
    let mut changes = Vec::new();
    let mut at = first;
    for line in text[first..].split_inclusive('\n') {
        let item = line.trim_start_matches(' ');
        let dash = at + line.len() - item.len();
        if dash > span.start as usize && !inside(&line) {
            break;
        }
        if dash - at == column && glued(item) {
            let command = item.strip_prefix('-').unwrap_or("").trim_end();
            let uncertain = !is_command(command)
                || shell != Some(ShellKind::Posix)
                || shell::parsed(command).status != Status::Clean;
            if uncertain || [" #", ": "].iter().any(|sign| command.contains(sign)) {
                return Err(Refusal::uncertain("a line may continue the command above it"));
            }
            let above = text[..at].lines().next_back().unwrap_or("");
            if above.trim_start().starts_with('#') {
                return Err(Refusal::uncertain("it is not certain what the comment above the line is about"));
            }
            changes.push(Change {
                file: document.facts.id,
                node: root,
                kind: ChangeKind::SpaceDash {
                    dash: Span::empty(dash).start,
                    item: command.to_owned(),
                },
            });
        }
        at += line.len();
    }
    Ok(Fix {
        message: "write a space behind each dash".to_owned(),
        applicability: Applicability::Safe,
        changes,
    })
}

/// Whether the text behind a dash is a command rather than an option.
fn is_command(text: &str) -> bool {
    let word = text.split(' ').next().unwrap_or("");
    (word.len() > 1 || word == ".") && !word.starts_with('"') && !text.ends_with(':')
}

/// The text of the list at `span` as a list, if each of its lines is surely an item.
fn split(document: &Document<'_>, node: NodeId, span: Span) -> Result<Fix, Refusal> {
    let text = document.text();
    let before = &text[..span.start as usize];
    let line = before.rfind('\n').map_or(before, |at| &before[at + 1..]);
    let indentation = line.len();
    if !line.bytes().all(|b| b == b' ') {
        return Err(Refusal::new(RefusalCode::UnsupportedForm, "the first command stands on the line of the key"));
    }
    let shell = document.facts.buildspec.as_ref().map(|facts| facts.shell);
    let mut items = Vec::new();
    for (index, line) in span.of(text).lines().enumerate() {
        let item = line.trim_start_matches(' ');
        let column = line.len() - item.len() + if index == 0 { indentation } else { 0 };
        let command = item.strip_prefix('-').unwrap_or("").trim_end();
        if column != indentation || !glued(item) || !is_command(command) {
            return Err(Refusal::uncertain("a line may continue the command above it"));
        }
        if shell != Some(ShellKind::Posix) || shell::parsed(command).status != Status::Clean {
            return Err(Refusal::uncertain("it is not certain where a command ends"));
        }
        items.push(command.to_owned());
    }
    Ok(Fix {
        message: "write a space behind each dash".to_owned(),
        applicability: Applicability::Safe,
        changes: vec![Change {
            file: document.facts.id,
            node,
            kind: ChangeKind::SplitLines { items },
        }],
    })
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

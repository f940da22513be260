//! An item is not a complete command.
//!
//! ## What it does
//!
//! Finds items of `commands` and `finally` that no shell accepts: an `if` without its `fi`, a `fi` without its `if`, an
//! open quote, `$(`, backquote or brace, a line that ends with `&&`, a here-document whose end is another item. It also
//! finds the commands from which YAML took the line breaks that they need: those in a folded scalar (`>`) and those that
//! go on over several lines without any sign.
//!
//! It reports only what both dash and bash refuse.
//!
//! ## Why it matters
//!
//! CodeBuild runs the items one by one, each as a script of its own. A shell that reads half of a command stops with a
//! syntax error, and the phase fails.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - >
//!         if [ -f package-lock.json ]; then
//!         npm ci
//!         else
//!         npm install
//!         fi
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - |
//!         if [ -f package-lock.json ]; then
//!         npm ci
//!         else
//!         npm install
//!         fi
//! ```
//!
//! ## Fix
//!
//! A folded scalar becomes a literal one (`|`) if that makes it a complete command. Nothing else is changed: which items
//! belong together, people have to say.
//!
//! ## When to silence it
//!
//! No good reason if CodeBuild runs the file: the shell refuses the command.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference for CodeBuild": CodeBuild runs each command, one at a time.
//! - YAML 1.2.2, sections 6.5 "Line Folding" and 8.1.3 "Folded Style".
//! - POSIX.1-2024, Shell Command Language, 2.10 "Shell Grammar"; each kind was tried with dash 0.5 and bash 5.2.

use tagwright_flow::facts::ShellKind;
use tagwright_syntax::edit;
use tagwright_syntax::shell::{self, Fault, Incomplete, RedirectKind, Status};
use tagwright_syntax::yaml::{self, NodeId, NodeKind, ScalarStyle};
use tagwright_syntax::{Span, buildspec};

use crate::context::{Document, Draft, Report};
use crate::script::{comment_behind, untouchable};
use crate::{Applicability, Category, Change, ChangeKind, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "incomplete-command",
    category: Category::Shell,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("incomplete_command"),
    check: Check::Document(check),
};

/// More items than these are not put together to find out which belong together.
const MAX_ITEMS: usize = 60;

/// An item of a list of commands.
struct Item<'d> {
    /// The scalar, an alias resolved.
    node: NodeId,
    /// Its decoded text.
    text: &'d str,
}

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    let facts = document.facts.buildspec.as_ref();
    if facts.is_none_or(|spec| spec.shell != ShellKind::Posix)
        || untouchable(document).is_some()
        || tree.error().is_some()
    {
        return;
    }
    let phases = document.buildspec.iter().flat_map(|spec| &spec.phases);
    for list in phases.flat_map(|phase| phase.commands.iter().chain(&phase.finally)) {
        let items = items(document, list);
        let mut at = 0;
        while let Some(item) = items.get(at) {
            let rest = &items[at..];
            let found = shell::incomplete(item.text);
            at += match found.or_else(|| folded_document(document, item)) {
                Some(found) if is_whole(document, item.node) => {
                    report_item(document, report, rest, found)
                }
                Some(_) => 1,
                None => report_document(document, report, rest),
            };
        }
    }
}

fn items<'d>(document: &'d Document<'_>, list: &buildspec::Commands) -> Vec<Item<'d>> {
    let tree = document.tree;
    let items = list.items.iter().filter_map(|(_, node)| {
        let node = tree.resolve(*node);
        let text = tree.text(node)?;
        Some(Item { node, text })
    });
    items.collect()
}

/// Whether YAML gives the shell all that stands there: other rules are about what it takes off.
fn is_whole(document: &Document<'_>, node: NodeId) -> bool {
    let own = document.tree.node(node);
    let plain = matches!(&own.kind, NodeKind::Scalar(it) if it.style == ScalarStyle::Plain);
    let glued = plain && own.span.of(document.text()).starts_with('-');
    own.properties.is_none()
        && !glued
        && !(plain && comment_behind(document, own.span).is_some())
}

/// Bytes of the file for `span` of the item's text.
fn place(document: &Document<'_>, item: &Item<'_>, span: Span) -> Span {
    document
        .tree
        .source_map(document.text(), item.node)
        .and_then(|map| map.source(span))
        .unwrap_or_else(|| document.tree.node(item.node).span)
}

/// Reports the first item, and gives the number of items that this is about.
fn report_item(
    document: &Document<'_>,
    report: &mut Report<'_>,
    items: &[Item<'_>],
    found: Incomplete,
) -> usize {
    let item = &items[0];
    let why = reason(item.text, found);
    let span = place(document, item, found.span);
    let start = |message: String| report.draft(document.facts.id, span, message);
    if let Some(joined) = joined_lines(document, item) {
        let (who, advice) = match joined {
            Joined::Folded(_) => ("`>` folds the lines", "Use `|`, which keeps the line breaks"),
            Joined::Other => (
                "YAML joins these lines",
                "Write them below a `|`, which keeps the line breaks",
            ),
        };
        let draft = start(format!(
            "{who} into one line, and the shell refuses that line: {why}. {advice}"
        ));
        let opens_document = found.span.of(item.text) == "<<";
        report.add(draft.fix(match joined {
            // Joined, it is a command, too: nothing proves that it is not meant so.
            _ if opens_document => Err(Refusal::new(
                RefusalCode::YourDecision,
                "which lines the here-document has is for people to decide",
            )),
            Joined::Folded(text) => Ok(literal(document, item.node, text)),
            Joined::Other => Err(Refusal::new(
                RefusalCode::UnsupportedForm,
                "the text is not a block",
            )),
        }));
        return 1;
    }
    let length = together(items, found);
    if length > 1 {
        let draft = start(format!(
            "CodeBuild runs each item on its own, and this one is not a complete command: {why}. Put the {length} \
             items that belong together into one item with `|`"
        ));
        report.add(last(document, draft, &items[length - 1]).fix(Err(people_decide())));
    } else {
        let draft = start(format!(
            "the shell refuses this item, which CodeBuild runs on its own: {why}"
        ));
        report.add(draft.fix(Err(Refusal::new(
            RefusalCode::YourDecision,
            "what is missing is not known",
        ))));
    }
    length
}

fn people_decide() -> Refusal {
    let message = "which items belong together is for people to decide";
    Refusal::new(RefusalCode::YourDecision, message)
}

fn last(document: &Document<'_>, draft: Draft, item: &Item<'_>) -> Draft {
    let span = document.tree.node(item.node).span;
    draft.related(document.facts.id, span, "the last of these items")
}

/// What is wrong, for people.
fn reason(text: &str, found: Incomplete) -> String {
    let what = found.span.of(text);
    let what = match what {
        "`" => "a backquote".to_owned(),
        _ => format!("`{what}`"),
    };
    match found.kind {
        Fault::Open => format!("{what} is never closed"),
        Fault::Continues => format!("no command follows {what}"),
        Fault::Stray => format!("{what} closes or continues nothing"),
        Fault::Misplaced => format!("unexpected {what}"),
    }
}

/// The number of items, from the first on, that are complete together.
fn together(items: &[Item<'_>], found: Incomplete) -> usize {
    if !matches!(found.kind, Fault::Open | Fault::Continues) {
        return 1;
    }
    let mut text = items[0].text.to_owned();
    for (index, item) in items.iter().enumerate().take(MAX_ITEMS).skip(1) {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(item.text);
        if is_complete(&text) {
            return index + 1;
        }
    }
    1
}

fn is_complete(text: &str) -> bool {
    shell::incomplete(text).is_none() && shell::parsed(text).status == Status::Clean
}

/// Lines that would be a complete command if YAML had not joined them.
enum Joined {
    /// In a folded scalar; what they read as a literal one.
    Folded(String),
    /// In another style.
    Other,
}

fn joined_lines(document: &Document<'_>, item: &Item<'_>) -> Option<Joined> {
    let (tree, text) = (document.tree, document.text());
    let own = tree.node(item.node);
    let NodeKind::Scalar(scalar) = &own.kind else {
        return None;
    };
    match scalar.style {
        ScalarStyle::Literal => None,
        ScalarStyle::Folded => {
            let edits = edit::unfold(text, tree, item.node).ok()?;
            let new = yaml::parse(&edit::apply(text, &edits)?);
            let value = new.text(item.node)?;
            is_complete(value).then(|| Joined::Folded(value.to_owned()))
        }
        style => {
            let written = own.span.of(text);
            let written = match style {
                ScalarStyle::Plain => written,
                _ => written.get(1..written.len().checked_sub(1)?)?,
            };
            // With escapes in it, it reads differently.
            let same = written
                .split_whitespace()
                .eq(item.text.split_whitespace());
            let lines: Vec<&str> = written.lines().map(str::trim_start).collect();
            (same && lines.len() > 1 && is_complete(&lines.join("\n"))).then_some(Joined::Other)
        }
    }
}

fn literal(document: &Document<'_>, node: NodeId, text: String) -> Fix {
    Fix {
        message: "write `|` instead of `>`".to_owned(),
        applicability: Applicability::Safe,
        changes: vec![Change {
            file: document.facts.id,
            node,
            kind: ChangeKind::Unfold { text },
        }],
    }
}

/// A here-document whose lines YAML has joined with the command, so that it has none.
fn folded_document(document: &Document<'_>, item: &Item<'_>) -> Option<Incomplete> {
    let text = item.text.trim_end();
    let at = text.find("<<").filter(|_| !text.contains('\n'))?;
    let folded = || is_whole(document, item.node) && joined_lines(document, item).is_some();
    (begins_document(text) && folded()).then_some(())?;
    Some(Incomplete {
        kind: Fault::Open,
        span: Span::new(at, at + 2),
    })
}

/// Reports the first item if a here-document begins in it that ends with another item, and gives the number of
/// items that this is about.
fn report_document(
    document: &Document<'_>,
    report: &mut Report<'_>,
    items: &[Item<'_>],
) -> usize {
    let Some((span, length)) = open_document(items) else {
        return 1;
    };
    let end = &items[length - 1];
    let message = format!(
        "CodeBuild runs each item on its own, so the here-document ends with this item, and the lines up to `{}` run as \
         commands. Put the {length} items that belong together into one item with `|`",
        end.text.trim()
    );
    let span = place(document, &items[0], span);
    let draft = report.draft(document.facts.id, span, message);
    report.add(last(document, draft, end).fix(Err(people_decide())));
    length
}

/// Where a here-document begins in the first item whose delimiter is a later item: bytes of the first item's text,
/// and the number of items.
fn open_document(items: &[Item<'_>]) -> Option<(Span, usize)> {
    let text = items[0].text;
    let (at, _) = text.match_indices("<<").next()?;
    let rest = text[at + 2..].trim_start_matches(['-', ' ']);
    let quoted = rest.trim_start_matches(['\'', '"', '\\']);
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let length = quoted.find(|c| !name(c)).unwrap_or(quoted.len());
    let delimiter = &quoted[..length];
    if delimiter.is_empty() || text.lines().skip(1).any(|line| line.trim() == delimiter) {
        return None;
    }
    let mut later = items.iter().enumerate().take(MAX_ITEMS).skip(1);
    let (index, _) = later.find(|(_, item)| item.text.trim() == delimiter)?;
    begins_document(text).then(|| (Span::new(at, at + 2), index + 1))
}

/// Whether a command of the text has a here-document.
fn begins_document(text: &str) -> bool {
    let script = shell::parsed(text);
    let mut redirects = script.commands.iter().flat_map(|it| &it.redirects);
    redirects.any(|redirect| redirect.kind == RedirectKind::HereDocument)
}

//! A bash array of one item is read in another one.
//!
//! ## What it does
//!
//! Finds items of `commands` that fill an array (`NAME=(…)`, `declare -A`, `mapfile`) which a later item reads with
//! `${NAME[…]}` and does not fill itself.
//!
//! ## Why it matters
//!
//! CodeBuild runs the items one by one. The working directory and variables get from one to the next, arrays do
//! not: the later item finds an empty array, and a loop over it does nothing.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   shell: bash
//! phases:
//!   build:
//!     commands:
//!       - STACKS=(network database)
//!       - for stack in "${STACKS[@]}"; do ./deploy.sh "$stack"; done
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   shell: bash
//! phases:
//!   build:
//!     commands:
//!       - |
//!         STACKS=(network database)
//!         for stack in "${STACKS[@]}"; do ./deploy.sh "$stack"; done
//! ```
//!
//! ## Fix
//!
//! None: which items belong together, people have to say.
//!
//! ## When to silence it
//!
//! Where a script that the later item sources fills the array as well.
//!
//! ## Sources
//!
//! - aws/aws-cdk issue 26694: the service team's answer.
//! - CodeBuild user guide, "Shells and commands in build environments".

use tagwright_syntax::Span;
use tagwright_syntax::shell::{Command, PartKind};

use crate::context::{Document, Report};
use crate::script::{Item, items};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "array-across-items",
    category: Category::Shell,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("array_across_items"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    // Only braces can read one.
    if !document.text().contains("[") || !document.text().contains("${") {
        return;
    }
    let all: Vec<Item<'_>> = items(document, |text| fills(text) || text.contains("${")).collect();
    for (index, item) in all.iter().enumerate() {
        if !fills(item.text) {
            continue;
        }
        for (name, span) in item.script.commands.iter().flat_map(arrays) {
            let reads = |later: &&Item<'_>| reads(later, &name);
            let Some(reader) = all[index + 1..].iter().find(reads) else {
                continue;
            };
            let own = reader.script.commands.iter().flat_map(arrays);
            if own.into_iter().any(|(own, _)| own == name) || sources(reader) {
                continue;
            }
            let message = format!(
                "the array `{name}` is gone in the next item: CodeBuild carries variables from item to item, but not \
                 arrays. Fill it and read it in one item"
            );
            let draft = report.draft(document.facts.id, item.span(document, span), message);
            let place = document.tree.node(reader.node).span;
            report.add(draft.related(document.facts.id, place, "finds it empty"));
        }
    }
}

/// Whether the text may fill an array.
fn fills(text: &str) -> bool {
    ["=(", "declare -", "typeset -", "mapfile ", "readarray ", "read -"]
        .iter()
        .any(|sign| text.contains(sign))
}

/// The arrays that a command fills, each with its place in the item.
fn arrays(command: &Command) -> Vec<(String, Span)> {
    if command.context.substitution > 0 {
        return Vec::new();
    }
    let assigned = command.assignments.iter().filter(|it| it.value.is_none());
    let mut found: Vec<(String, Span)> =
        assigned.map(|it| (it.name.to_string(), it.span)).collect();
    let program = command.program().unwrap_or_default();
    let has_option = |letters: &[char]| {
        command.words.iter().skip(1).any(|word| {
            let text = word.literal().unwrap_or_default();
            text.strip_prefix('-').is_some_and(|rest| rest.contains(letters))
        })
    };
    let named = match &*program {
        "declare" | "typeset" => has_option(&['a', 'A']),
        "mapfile" | "readarray" => true,
        "read" => has_option(&['a']),
        _ => false,
    };
    if let Some(last) = command.words.last().filter(|_| named && command.words.len() > 1) {
        let name = last.literal().unwrap_or_default();
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_name && !name.is_empty() {
            found.push((name, last.span));
        }
    }
    found
}

/// Whether the commands of the item read an element of the array, or how many it has.
fn reads(item: &Item<'_>, name: &str) -> bool {
    item.script.commands.iter().any(|command| {
        let loops = command.context.loops.iter().flat_map(|it| &it.words);
        let values = command.assignments.iter().filter_map(|it| it.value.as_ref());
        let targets = command.redirects.iter().filter_map(|it| it.target.as_ref());
        let words = command.words.iter().chain(loops).chain(values).chain(targets);
        let mut parts = words.flat_map(|word| &word.parts);
        parts.any(|part| {
            let expands = !matches!(part.kind, PartKind::Literal(_) | PartKind::Substitution);
            let inner = part.span.of(item.text).strip_prefix("${");
            expands
                && inner.is_some_and(|inner| {
                    let inner = inner.strip_prefix(['#', '!']).unwrap_or(inner);
                    let index = inner.strip_prefix(name);
                    index.is_some_and(|index| index.starts_with('['))
                })
        })
    })
}

/// Whether the item runs a file in its own shell, which may fill the array.
fn sources(item: &Item<'_>) -> bool {
    let program = |command: &Command| command.program();
    let mut programs = item.script.commands.iter().filter_map(program);
    programs.any(|program| matches!(&*program, "source" | "." | "eval"))
}

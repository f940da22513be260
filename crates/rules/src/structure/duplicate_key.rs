//! A key stands twice in one mapping, and what the first one says is lost.
//!
//! ## What it does
//!
//! Finds keys that stand more than once in the same mapping, anywhere in a buildspec. If both say the same,
//! it is a warning.
//!
//! ## Why it matters
//!
//! YAML forbids it, but CodeBuild's reader keeps the last one without a word. The usual cause is a phase
//! that is indented too far: its `commands` then replace those of the phase above it.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - ./build.sh
//!     commands:
//!       - ./copy.sh
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
//!   post_build:
//!     commands:
//!       - ./copy.sh
//! ```
//!
//! ## Fix
//!
//! None. Which of the two was meant, the file does not say.
//!
//! ## When to silence it
//!
//! No good reason: one of the two is lost. Only for a file that another reader treats differently.
//!
//! ## Sources
//!
//! - YAML 1.2.2, section 3.2.1.1 "Nodes".
//! - awslabs/aws-crt-python, `codebuild/cd/manylinux1-tee.yml`, where five commands vanish this way. That CodeBuild
//!   keeps the last one is inferred from it, since its builds ran; no documentation says so.

use std::collections::HashMap;

use tagwright_syntax::yaml::{Entry, NodeId, NodeKind, Tree};

use crate::context::{Document, Report};
use crate::outline;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "duplicate-key",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("duplicate_key"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let (tree, text) = (document.tree, document.text());
    if outline::root(document).is_none() {
        return;
    }
    for (id, node) in tree.nodes() {
        let NodeKind::Mapping(mapping) = &node.kind else {
            continue;
        };
        if mapping.entries.len() < 2 {
            continue;
        }
        if surely_distinct(tree, &mapping.entries) {
            continue;
        }
        // The entry that is kept, by key.
        let mut last: HashMap<&str, &Entry> = HashMap::new();
        for entry in mapping.entries.iter().rev() {
            // Merge keys may be repeated.
            let Some(key) = tree.text(entry.key).filter(|key| *key != "<<") else {
                continue;
            };
            let kept = *last.entry(key).or_insert(entry);
            if kept.key == entry.key {
                continue;
            }
            let key = outline::quoted(key);
            let of = |entry: &Entry| tree.node(entry.value).span.of(text);
            let same = of(entry) == of(kept);
            let lost = if same {
                "both say the same".to_owned()
            } else {
                format!("{} here will be lost", contents(tree, entry.value))
            };
            let message = format!(
                "`{key}` stands a second time{} on line {}, and CodeBuild keeps the last: {lost}",
                place(tree, id),
                outline::line(document, tree.node(kept.key).span.start),
            );
            let draft = report
                .draft(document.facts.id, tree.node(entry.key).span, message)
                .related(
                    document.facts.id,
                    tree.node(kept.key).span,
                    format!("this `{key}` replaces it"),
                );
            report.add(if same {
                draft.severity(Severity::Warning)
            } else {
                draft
            });
        }
    }
}

/// Whether the keys are few and all different; then nothing has to be counted.
fn surely_distinct(tree: &Tree, entries: &[Entry]) -> bool {
    const FEW: usize = 16;
    let key = |entry: &Entry| tree.text(entry.key);
    entries.len() <= FEW
        && entries.iter().enumerate().all(|(index, entry)| {
            key(entry).is_none_or(|name| {
                entries[..index]
                    .iter()
                    .all(|earlier| key(earlier) != Some(name))
            })
        })
}

/// In which mapping, for people.
fn place(tree: &Tree, mapping: NodeId) -> String {
    let path = tree.path(mapping).to_string();
    if path.is_empty() {
        String::new()
    } else {
        format!(" in `{path}`")
    }
}

/// What is lost, for people.
fn contents(tree: &Tree, value: NodeId) -> String {
    match (tree.sequence(value), tree.mapping(value)) {
        (Some(list), _) if list.items.len() > 1 => {
            format!("the list of {} items", list.items.len())
        }
        (Some(_), _) => "the list".to_owned(),
        (_, Some(_)) => "the mapping".to_owned(),
        _ => "the value".to_owned(),
    }
}

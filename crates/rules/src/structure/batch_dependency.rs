//! A build of a batch depends on one that does not exist, or on itself.
//!
//! ## What it does
//!
//! Checks `depend-on` in `build-graph`: each entry must be the identifier of another build, and no build may
//! wait for itself, directly or through others.
//!
//! ## Why it matters
//!
//! CodeBuild does not start a batch whose graph it cannot order.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! batch:
//!   build-graph:
//!     - identifier: image
//!     - identifier: tests
//!       depend-on:
//!         - imagess
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! batch:
//!   build-graph:
//!     - identifier: image
//!     - identifier: tests
//!       depend-on:
//!         - image
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! Where a program adds the missing build before the batch is run; otherwise there is no good reason.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Batch build buildspec reference".

use tagwright_syntax::yaml::{NodeId, Tree};

use crate::context::{Document, Report};
use crate::outline;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "batch-dependency",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("batch_dependency"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    for builds in outline::batch_lists(document) {
        // Far above CodeBuild's own limit; bounds the work.
        if builds.len() > 1000 {
            continue;
        }
        let identifiers: Vec<&str> = builds
            .iter()
            .map(|build| {
                tree.get(*build, "identifier")
                    .and_then(|id| tree.text(id))
                    .unwrap_or("")
            })
            .collect();
        // What a variable or a merged mapping brings is unknown.
        if identifiers
            .iter()
            .any(|name| name.is_empty() || name.contains('$'))
        {
            continue;
        }
        // For each build the builds it waits for, with the places that say so.
        let mut waits: Vec<Vec<(usize, NodeId)>> = Vec::new();
        for build in &builds {
            let mut known = Vec::new();
            for node in dependencies(tree, *build) {
                let Some(name) = tree.text(node).filter(|name| !name.contains('$')) else {
                    continue;
                };
                if let Some(at) = identifiers.iter().position(|other| *other == name) {
                    known.push((at, node));
                    continue;
                }
                let advice = tagwright_grammar::did_you_mean(name, identifiers.iter().copied())
                    .map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
                let message = format!("no build of the batch is called `{name}`{advice}");
                report.add(report.draft(document.facts.id, tree.node(node).span, message));
            }
            waits.push(known);
        }
        for (start, known) in waits.iter().enumerate() {
            for (next, node) in known {
                if reaches(&waits, *next, start) {
                    let message = format!(
                        "`{}` waits for `{}`, which waits for `{}`: none of them can start",
                        identifiers[start], identifiers[*next], identifiers[start]
                    );
                    report.add(report.draft(document.facts.id, tree.node(*node).span, message));
                }
            }
        }
    }
}

/// The nodes of `depend-on`.
fn dependencies(tree: &Tree, build: NodeId) -> Vec<NodeId> {
    let Some(node) = tree.get(build, "depend-on") else {
        return Vec::new();
    };
    match tree.sequence(node) {
        Some(list) => list.items.clone(),
        None => vec![node],
    }
}

/// Whether build `from` is build `to` or waits for it.
fn reaches(waits: &[Vec<(usize, NodeId)>], from: usize, to: usize) -> bool {
    let mut seen = vec![false; waits.len()];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if !std::mem::replace(&mut seen[at], true) {
            open.extend(waits[at].iter().map(|(next, _)| *next));
        }
    }
    false
}

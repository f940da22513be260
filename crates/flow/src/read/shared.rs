//! What the readers of several kinds of files need.

use tagwright_syntax::yaml::{self, NodeId, NodeKind, Tree};

use super::ReadOptions;
use crate::delivery::DeliveryFacts;
use crate::delivery::inline::Inline;
use crate::expression::{Expansion, Reason};
use crate::facts::FileFacts;
use crate::scan::{self, DataReference, Source};
use crate::tools::{Role, Tool};

/// Calls `found` for every key of every mapping below `root`, with its value.
pub(super) fn every(tree: &Tree, root: NodeId, found: &mut dyn FnMut(&str, NodeId)) {
    let mut stack = vec![root];
    while let Some(at) = stack.pop() {
        match &tree.node(at).kind {
            NodeKind::Mapping(mapping) => {
                for entry in &mapping.entries {
                    if let Some(key) = tree.text(entry.key) {
                        found(key, entry.value);
                    }
                }
                stack.extend(mapping.entries.iter().rev().map(|entry| entry.value));
            }
            NodeKind::Sequence(sequence) => stack.extend(sequence.items.iter().rev()),
            NodeKind::Scalar(_) | NodeKind::Alias { .. } => {}
        }
    }
}

pub(super) fn deploy(
    facts: &mut FileFacts,
    source: &Source<'_>,
    node: NodeId,
    tool: Tool,
    reason: Reason,
) {
    scan::data_reference(
        facts,
        &DataReference {
            node,
            role: Role::Deploy,
            tool,
            expansion: Expansion::Never(reason),
            source,
        },
    );
}

/// An image that a build runs in, unless it is one of CodeBuild's own; `reason` says why nothing expands
/// a variable there.
pub(super) fn build_image(
    facts: &mut FileFacts,
    source: &Source<'_>,
    node: NodeId,
    reason: Reason,
) {
    let managed = source
        .tree
        .text(node)
        .is_none_or(|text| text.starts_with("aws/codebuild/"));
    if !managed {
        scan::data_reference(
            facts,
            &DataReference {
                node,
                role: Role::Run,
                tool: Tool::Other,
                expansion: Expansion::Never(reason),
                source,
            },
        );
    }
}

/// Keeps what was found, if anything was.
pub(super) fn keep(facts: &mut FileFacts, found: DeliveryFacts) {
    if !found.is_empty() {
        facts.delivery = Some(Box::new(found));
    }
}

/// A buildspec that the file holds, unless something in it is computed, which could be anything. Of several the facts
/// about the file's buildspec are those of the first. `host` is what it stands in, for people.
pub(super) fn buildspec(
    facts: &mut FileFacts,
    inline: Inline,
    host: &'static str,
    options: &ReadOptions,
) {
    if !inline.unknown.is_empty() {
        return;
    }
    let tree = yaml::parse(&inline.text);
    let Some(root) = tree.root() else {
        return;
    };
    let source = Source {
        text: &inline.text,
        tree: &tree,
        // The file has no nodes: nothing is edited through this one.
        host: Some((root, inline.map)),
        template: Some(host),
    };
    let first = facts.buildspec.take();
    scan::buildspec(facts, &source, root, &options.branch_variable);
    facts.buildspec = first.or_else(|| facts.buildspec.take());
}

//! Buildspecs inside CloudFormation templates, for the rules about single files.
//!
//! A buildspec that a template holds as a `|` block is the file's own text but for the indentation, so that
//! every place in it is a place of the file. It is read a second time, as if it were a file, and what the
//! rules say of it is moved to where it stands. Fixes are not: they are made for the tree of a whole file.

use std::sync::Arc;

use tagwright_flow::facts::FileFacts;
use tagwright_flow::{FileKind, ReadOptions, read_file_with};
use tagwright_syntax::position::LineIndex;
use tagwright_syntax::yaml::{NodeId, NodeKind, ScalarStyle, Tree};
use tagwright_syntax::{SourceMap, Span};

use crate::{Category, Document, Finding, Settings};

/// The path under which the text is read; it decides that it is a buildspec.
const PATH: &str = "buildspec.yml";

/// Adds what the rules say of the buildspecs inside the file.
pub(crate) fn check(
    facts: &FileFacts,
    tree: &Tree,
    options: &ReadOptions,
    settings: &Settings,
    findings: &mut Vec<Finding>,
) {
    if facts.kind != FileKind::CloudFormation || facts.delivery.is_none() {
        return;
    }
    for node in blocks(tree) {
        let (Some(text), Some(map)) = (tree.text(node), tree.source_map(&facts.text, node)) else {
            continue;
        };
        let Some(first) = map.source(Span::empty(0)) else {
            continue;
        };
        let first_line = LineIndex::new(&facts.text)
            .position(&facts.text, first.start)
            .line;
        let inner: Arc<str> = Arc::from(text);
        let mut found = Vec::new();
        read_file_with(
            facts.id,
            &Arc::from(PATH),
            &inner,
            options,
            &mut |facts, tree, spec| {
                let mut document = Document::new(facts, tree, spec);
                document.first_line = first_line;
                crate::verdict::check_document(&document, settings, &mut found);
            },
        );
        // Comments that silence rules are looked for in the outer file, scripts in blocks included.
        found.retain(|finding| {
            crate::rule(finding.rule).is_none_or(|rule| rule.category != Category::Suppression)
        });
        findings.extend(found.into_iter().filter_map(|finding| moved(finding, &map)));
    }
}

/// The finding at its place in the outer file.
fn moved(mut finding: Finding, map: &SourceMap) -> Option<Finding> {
    finding.span = map.source(finding.span)?;
    for related in &mut finding.related {
        related.span = map.source(related.span)?;
    }
    if finding.fix.take().is_some() {
        finding.no_fix = Some(
            "the buildspec stands inside another file, where tagwright changes nothing".to_owned(),
        );
    }
    Some(finding)
}

/// The `|` blocks that are the buildspec of a project. With `!Sub` CloudFormation reads the text first.
fn blocks(tree: &Tree) -> Vec<NodeId> {
    tree.nodes()
        .filter_map(|(_, node)| match &node.kind {
            NodeKind::Mapping(mapping) => Some(mapping),
            _ => None,
        })
        .flat_map(|mapping| &mapping.entries)
        .filter(|entry| tree.text(entry.key) == Some("BuildSpec"))
        .map(|entry| entry.value)
        .filter(|value| {
            let node = tree.node(*value);
            node.tag.is_none()
                && matches!(&node.kind, NodeKind::Scalar(scalar)
                    if scalar.style == ScalarStyle::Literal && scalar.value.contains("phases"))
        })
        .collect()
}

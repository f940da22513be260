//! Buildspecs inside CloudFormation templates and configurations of Terraform, for the rules about single files.
//!
//! Such a buildspec is read a second time, as if it were a file, and what the rules say of it is moved to where it
//! stands. What is about a value that only the outer language knows is dropped. Fixes are not moved: they are made and
//! proved for the tree of a whole file.

use std::sync::Arc;

use tagwright_flow::delivery::inline::Inline;
use tagwright_flow::facts::FileFacts;
use tagwright_flow::{ReadOptions, read_file_with};
use tagwright_syntax::position::LineIndex;

use crate::context::Outer;
use crate::{Category, Document, Finding, Refusal, RefusalCode, Settings};

/// The path under which the text is read; it decides that it is a buildspec.
const PATH: &str = "buildspec.yml";

/// Adds what the rules say of the buildspecs that stand `inside` a file.
pub(crate) fn check(
    facts: &FileFacts,
    text: &str,
    inside: &[Inline],
    options: &ReadOptions,
    settings: &Settings,
    findings: &mut Vec<Finding>,
) {
    if inside.is_empty() {
        return;
    }
    let lines = LineIndex::new(text);
    for inline in inside {
        let inner_text: Arc<str> = Arc::from(&*inline.text);
        let mut found = Vec::new();
        read_file_with(
            facts.id,
            &Arc::from(PATH),
            &inner_text,
            options,
            &mut |inner, inner_tree, spec| {
                // A value that is not known may be several lines, or none.
                if !inline.unknown.is_empty() && inner_tree.error().is_some() {
                    return;
                }
                let mut document = Document::new(inner, &inner_text, inner_tree, spec);
                document.outer = Some(Outer {
                    text,
                    lines: &lines,
                    map: &inline.map,
                });
                crate::verdict::check_document(&document, settings, &mut found);
            },
        );
        // Comments that silence rules are looked for in the outer file, scripts in blocks included.
        found.retain(|finding| {
            crate::rule(finding.rule).is_none_or(|rule| rule.category != Category::Suppression)
        });
        findings.extend(
            found
                .into_iter()
                .filter_map(|finding| moved(finding, inline)),
        );
    }
}

/// The finding at its place in the outer file.
fn moved(mut finding: Finding, inline: &Inline) -> Option<Finding> {
    let unknown = &inline.unknown;
    let next = unknown.partition_point(|it| it.end <= finding.span.start);
    if unknown
        .get(next)
        .is_some_and(|it| it.overlaps(finding.span))
    {
        return None;
    }
    finding.span = inline.map.source(finding.span)?;
    for related in &mut finding.related {
        related.span = inline.map.source(related.span)?;
    }
    if finding.fix.take().is_some() {
        finding.refusal = Some(Refusal::new(
            RefusalCode::InsideAnotherFile,
            "the buildspec stands inside another file, where tagwright changes nothing",
        ));
    }
    Some(finding)
}

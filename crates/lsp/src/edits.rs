//! From a text and what shall become of it to the edits that an editor makes.

use similar::{Algorithm, DiffTag, capture_diff_slices};
use tagwright_fixer::Sources;
use tagwright_flow::FileId;
use tagwright_syntax::Span;

use gen_lsp_types as lsp;

use crate::root::Root;
use crate::server::View;

/// The edits that turn `before` into `after`: few bytes each, ascending, not overlapping, and none between the
/// two characters of a line's end.
pub(crate) fn between(before: &str, after: &str) -> Vec<(Span, String)> {
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let mut at = 0;
    let mut edits = Vec::new();
    for operation in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let removed: usize = old[operation.old_range()].iter().map(|it| it.len()).sum();
        if operation.tag() != DiffTag::Equal {
            let (from, to) = (
                old[operation.old_range()].concat(),
                new[operation.new_range()].concat(),
            );
            let (start, end) = common(&from, &to);
            edits.push((
                Span::new(at + start, at + from.len() - end),
                to[start..to.len() - end].to_owned(),
            ));
        }
        at += removed;
    }
    edits
}

/// How many bytes two texts have in common at their start and, of the rest, at their end.
fn common(from: &str, to: &str) -> (usize, usize) {
    let same = |pair: &(char, char)| pair.0 == pair.1;
    let length = |pair: (char, char)| pair.0.len_utf8();
    let start: usize = from
        .chars()
        .zip(to.chars())
        .take_while(same)
        .map(length)
        .sum();
    // A `\r` alone may belong to the line's end that follows on one side only.
    let start = start - usize::from(from[..start].ends_with('\r'));
    let (from, to) = (&from[start..], &to[start..]);
    let backwards = from.chars().rev().zip(to.chars().rev());
    let end: usize = backwards.take_while(same).map(length).sum();
    // Likewise a `\n` whose `\r` differs.
    let splits = |text: &str| {
        text[text.len() - end..].starts_with('\n') && text[..text.len() - end].ends_with('\r')
    };
    let end = end - usize::from(splits(from) || splits(to));
    (start, end)
}

/// The edit of the workspace that brings its texts from `before` to `after`; `None` if nothing changes.
pub(crate) fn of_workspace(
    view: &View<'_>,
    root: &Root,
    before: &Sources,
    after: &Sources,
) -> Option<lsp::WorkspaceEdit> {
    let changed: Vec<(FileId, Vec<lsp::TextEdit>)> = after
        .changed_from(before)
        .into_iter()
        .filter_map(|file| {
            let lines = view.lines(root, file)?;
            let edits = between(before.text(file)?, after.text(file)?)
                .into_iter()
                .map(|(span, new_text)| lsp::TextEdit {
                    range: lines.range(span),
                    new_text,
                })
                .collect();
            Some((file, edits))
        })
        .collect();
    if changed.is_empty() {
        return None;
    }
    if !view.client().versioned_edits {
        let changes = changed
            .into_iter()
            .filter_map(|(file, edits)| Some((view.uri(root, file)?.into(), edits)))
            .collect();
        return Some(lsp::WorkspaceEdit {
            changes: Some(changes),
            ..Default::default()
        });
    }
    let documents = changed
        .into_iter()
        .filter_map(|(file, edits)| {
            let edit = lsp::TextDocumentEdit {
                text_document: lsp::OptionalVersionedTextDocumentIdentifier {
                    version: view.version(root, file),
                    text_document_identifier: lsp::TextDocumentIdentifier {
                        uri: view.uri(root, file)?.into(),
                    },
                },
                edits: edits.into_iter().map(Into::into).collect(),
            };
            Some(edit.into())
        })
        .collect();
    Some(lsp::WorkspaceEdit {
        document_changes: Some(documents),
        ..Default::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(text: &str, edits: &[(Span, String)]) -> String {
        let mut text = text.to_owned();
        for (span, new) in edits.iter().rev() {
            text.replace_range(span.range(), new);
        }
        text
    }

    #[test]
    fn edits_are_small_and_give_the_new_text() {
        let cases = [
            ("", "a\n", 0),
            ("a\r\nb\r\n", "a\r\nx\r\nb\r\n", 0),
            ("push $A:latest\nb\n", "push $A:${B}\nb\n", 6),
            ("é: ü\n", "é: ö\n", 2),
            ("a\nb\nc\nd", "a\nB\nc\nD", 2),
            ("aa\n", "a\n", 1),
            ("a\r\n", "a\n", 2),
            ("a\r", "a\r\n", 1),
            ("a\n", "", 2),
        ];
        for (before, after, removed) in cases {
            let edits = between(before, after);
            assert_eq!(apply(before, &edits), after);
            let sum: usize = edits.iter().map(|(span, _)| span.len()).sum();
            assert_eq!(sum, removed, "{before:?} {after:?}: {edits:?}");
            for (span, _) in edits {
                for offset in [span.start as usize, span.end as usize] {
                    let inside =
                        before[..offset].ends_with('\r') && before[offset..].starts_with('\n');
                    assert!(!inside, "{before:?} {after:?}");
                }
            }
        }
        assert!(between("a\n", "a\n").is_empty());
    }
}

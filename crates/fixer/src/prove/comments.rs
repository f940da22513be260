//! Point 4, first half: every comment survives and still stands with what it describes.

use tagwright_syntax::Span;
use tagwright_syntax::yaml::{NodeId, NodeKind, Tree};

use super::{NodeMap, Read};
use crate::Rejection;

/// What a comment stands with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attachment {
    /// It follows this node on the same line.
    Behind(NodeId),
    /// This node is the next one below it.
    Above(NodeId),
    /// Nothing follows.
    AtEnd,
}

/// Compares the comments of both texts: the same texts in the same order, each with the same node.
pub(super) fn check(old: &Read<'_>, new: &Read<'_>, map: &NodeMap) -> Result<(), Rejection> {
    let fail = |comment: Span, what| Rejection::Comment {
        path: old.path.to_string(),
        comment: comment.of(old.text).to_string(),
        what,
    };
    let (before, after) = (old.tree.comments(), new.tree.comments());
    for (index, comment) in before.iter().enumerate() {
        match after.get(index) {
            None => return Err(fail(*comment, "is lost")),
            Some(other) if other.of(new.text) != comment.of(old.text) => {
                return Err(fail(*comment, "is lost or changed"));
            }
            Some(_) => {}
        }
    }
    if let Some(extra) = after.get(before.len()) {
        return Err(Rejection::Comment {
            path: old.path.to_string(),
            comment: extra.of(new.text).to_string(),
            what: "is new",
        });
    }
    let (old_places, new_places) = (Attachments::new(old), Attachments::new(new));
    for (comment, other) in before.iter().zip(after) {
        let kept = match (old_places.of(*comment), new_places.of(*other)) {
            (Attachment::Behind(a), Attachment::Behind(b))
            | (Attachment::Above(a), Attachment::Above(b)) => map.after(a) == Some(b),
            (Attachment::AtEnd, Attachment::AtEnd) => true,
            _ => false,
        };
        let same_line_before = own_line(old.text, *comment) == own_line(new.text, *other);
        if !kept || !same_line_before {
            return Err(fail(*comment, "would stand with something else"));
        }
    }
    Ok(())
}

/// Whether only blanks stand before the comment on its line.
fn own_line(text: &str, comment: Span) -> bool {
    let before = text.get(..comment.start as usize).unwrap_or("");
    let line = before.rsplit(['\n', '\r']).next().unwrap_or("");
    line.trim_start_matches('\u{feff}')
        .chars()
        .all(|c| c == ' ' || c == '\t')
}

/// The nodes that a comment can stand with: scalars, aliases and flow collections. (Where a block
/// collection starts and ends changes with its items; its items do not.)
struct Attachments<'a> {
    text: &'a str,
    /// By start; of nodes that start together the outermost first.
    starts: Vec<(Span, NodeId)>,
    /// By end; of nodes that end together the outermost last.
    ends: Vec<(Span, NodeId)>,
    /// Literal and folded scalars, by start: a comment may stand in their first line.
    blocks: Vec<(Span, NodeId)>,
}

impl<'a> Attachments<'a> {
    fn new(read: &'a Read<'_>) -> Self {
        let tree: &Tree = &read.tree;
        let mut starts = Vec::new();
        let mut blocks = Vec::new();
        if !tree.comments().is_empty() {
            for (id, node) in tree.nodes() {
                let stands = match &node.kind {
                    NodeKind::Scalar(scalar) => {
                        use tagwright_syntax::yaml::ScalarStyle;
                        if matches!(scalar.style, ScalarStyle::Literal | ScalarStyle::Folded) {
                            blocks.push((node.span, id));
                        }
                        // An absent value has no bytes to stand with.
                        !node.span.is_empty()
                    }
                    NodeKind::Alias { .. } => true,
                    NodeKind::Sequence(sequence) => sequence.flow,
                    NodeKind::Mapping(mapping) => mapping.flow,
                };
                if stands {
                    starts.push((node.span, id));
                }
            }
        }
        starts.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
        blocks.sort_by_key(|(span, _)| span.start);
        let mut ends = starts.clone();
        ends.sort_by_key(|(span, _)| (span.end, std::cmp::Reverse(span.start)));
        Self {
            text: read.text,
            starts,
            ends,
            blocks,
        }
    }

    fn of(&self, comment: Span) -> Attachment {
        let block = self
            .blocks
            .partition_point(|(span, _)| span.start <= comment.start);
        if let Some((span, node)) = block.checked_sub(1).and_then(|at| self.blocks.get(at))
            && span.contains(comment)
        {
            return Attachment::Behind(*node);
        }
        let before = self
            .ends
            .partition_point(|(span, _)| span.end <= comment.start);
        if let Some((span, node)) = before.checked_sub(1).and_then(|at| self.ends.get(at))
            && let between = Span::new(span.end as usize, comment.start as usize).of(self.text)
            && !between.contains(['\n', '\r'])
        {
            return Attachment::Behind(*node);
        }
        let after = self
            .starts
            .partition_point(|(span, _)| span.start < comment.end);
        match self.starts.get(after) {
            Some((_, node)) => Attachment::Above(*node),
            None => Attachment::AtEnd,
        }
    }
}

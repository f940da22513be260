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
    /// It is alone on its line.
    Alone {
        /// The nearest node that ends before it.
        above: Option<NodeId>,
        /// The nearest node that starts after it.
        below: Option<NodeId>,
        /// Whether it is indented deeper than the line below it, and so may belong to what is above.
        deeper: bool,
    },
}

impl Attachment {
    /// Whether the comment stands with the same node in the new text as here in the old one.
    fn kept(self, new: Attachment, map: &NodeMap) -> bool {
        let same = |old: Option<NodeId>, new: Option<NodeId>| match old {
            Some(old) => new.is_some() && map.after(old) == new,
            None => new.is_none(),
        };
        match (self, new) {
            (Self::Behind(old), Self::Behind(new)) => same(Some(old), Some(new)),
            (
                Self::Alone {
                    above,
                    below,
                    deeper,
                },
                Self::Alone {
                    above: new_above,
                    below: new_below,
                    deeper: new_deeper,
                },
            ) => same(below, new_below) || (deeper && new_deeper && same(above, new_above)),
            _ => false,
        }
    }
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
        let kept = old_places.of(*comment).kept(new_places.of(*other), map);
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
        let above = before.checked_sub(1).and_then(|at| self.ends.get(at));
        if let Some((span, node)) = above
            && let between = Span::new(span.end as usize, comment.start as usize).of(self.text)
            && !between.contains(['\n', '\r'])
        {
            return Attachment::Behind(*node);
        }
        let after = self
            .starts
            .partition_point(|(span, _)| span.start < comment.end);
        let below = self.starts.get(after);
        let next_indentation = below.map_or(0, |(span, _)| indentation(self.text, *span));
        Attachment::Alone {
            above: above.map(|(_, node)| *node),
            below: below.map(|(_, node)| *node),
            deeper: indentation(self.text, comment) > next_indentation,
        }
    }
}

/// Number of blanks at the start of the line that `span` starts on.
fn indentation(text: &str, span: Span) -> usize {
    let before = text.get(..span.start as usize).unwrap_or("");
    let line = before.rsplit(['\n', '\r']).next().unwrap_or("");
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

//! Point 4, first half: every comment survives and still stands with what it describes.

use std::collections::HashSet;

use tagwright_syntax::Span;
use tagwright_syntax::edit;
use tagwright_syntax::yaml::{NodeId, NodeKind, ScalarStyle, Tree};

use super::{NodeMap, Read, line_start};
use crate::Rejection;
use crate::materialise::Plan;

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
    },
}

/// Compares the comments of both texts: the same texts in the same order, each with the same node.
///
/// Comments that `plan` changes, takes away or puts in are compared with what it says, and left out of the rest.
pub(super) fn check(
    old: &Read<'_>,
    new: &Read<'_>,
    map: &NodeMap,
    plan: &Plan,
) -> Result<(), Rejection> {
    let fail = |comment: Span, what| Rejection::Comment {
        path: old.path.to_string(),
        comment: comment.of(old.text).to_string(),
        what,
    };
    let (before, after) = declared(old, new, plan)?;
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
    let going = plan
        .nodes
        .iter()
        .flat_map(|(node, todo)| removed(old, *node, &todo.removed));
    let going: Vec<Span> = going.collect();
    let (old_places, new_places) = (Attachments::new(old, &going), Attachments::new(new, &[]));
    let same = |old: Option<NodeId>, new: Option<NodeId>| match old {
        Some(old) => new.is_some() && map.after(old) == new,
        None => new.is_none(),
    };
    let same_start = |old: Option<NodeId>, new: Option<NodeId>| match old {
        Some(old) => new.is_some() && map.start_of(old) == new,
        None => new.is_none(),
    };
    for (comment, other) in before.iter().zip(&after) {
        let kept = match (old_places.of(*comment), new_places.of(*other)) {
            (Attachment::Behind(old), Attachment::Behind(new)) => same(Some(old), Some(new)),
            (
                Attachment::Alone { above, below },
                Attachment::Alone {
                    above: new_above,
                    below: new_below,
                },
            ) => {
                same_start(below, new_below)
                    || (same(above, new_above)
                        && old_places.is_loose(*comment, below)
                        && new_places.is_loose(*other, new_below))
            }
            _ => false,
        };
        if !kept || own_line(old.text, *comment) != own_line(new.text, *other) {
            return Err(fail(*comment, "would stand with something else"));
        }
    }
    Ok(())
}

/// The comments before and after without those that the plan is about, which are as it says.
fn declared(
    old: &Read<'_>,
    new: &Read<'_>,
    plan: &Plan,
) -> Result<(Vec<Span>, Vec<Span>), Rejection> {
    let fail = |comment: &str, what| Rejection::Comment {
        path: old.path.to_string(),
        comment: comment.to_string(),
        what,
    };
    // What should stand there now, by the place in the old text: an old comment, or a new text.
    let mut expected: Vec<(u32, Option<Span>, &str)> = Vec::new();
    let comments = old.tree.comments();
    let mut gone = HashSet::new();
    for (node, todo) in &plan.nodes {
        for (comment, text) in &todo.comments {
            gone.insert(*comment);
            if !text.is_empty() {
                expected.push((comment.start, None, text));
            }
        }
        // A comment that was part of a command all along is one no more.
        if let Some((span, _)) = &todo.replaced {
            let first = comments.partition_point(|comment| comment.start < span.start);
            let inside = comments[first..].iter();
            gone.extend(inside.take_while(|comment| span.contains(**comment)));
        }
        // What stands behind an item goes with it.
        for lines in removed(old, *node, &todo.removed) {
            let first = comments.partition_point(|comment| comment.start < lines.start);
            let inside = comments[first..].iter();
            gone.extend(inside.take_while(|comment| lines.contains(**comment)));
        }
        if let Some(text) = &todo.above {
            let start = old.tree.node(*node).span.start as usize;
            let line = line_start(old.text, start);
            expected.push((Span::empty(line).start, None, text));
        }
    }
    let after = new.tree.comments();
    if plan.nodes.values().all(|todo| {
        todo.comments.is_empty()
            && todo.above.is_none()
            && todo.replaced.is_none()
            && todo.removed.is_empty()
    }) {
        return Ok((comments.to_vec(), after.to_vec()));
    }
    let kept = comments.iter().filter(|comment| !gone.contains(*comment));
    expected.extend(kept.map(|comment| (comment.start, Some(*comment), "")));
    expected.sort_by_key(|(at, ..)| *at);
    if expected.len() != after.len() {
        let what = "is lost, or another one is new";
        return Err(fail(&format!("one of {} comments", comments.len()), what));
    }
    let mut pairs = (Vec::new(), Vec::new());
    for ((_, comment, text), new_comment) in expected.into_iter().zip(after) {
        match comment {
            Some(comment) => {
                pairs.0.push(comment);
                pairs.1.push(*new_comment);
            }
            None if new_comment.of(new.text) == text => {}
            None => return Err(fail(text, "is not what was declared")),
        }
    }
    Ok(pairs)
}

/// The bytes of the old text that go with the items of these indices of the list `node`.
fn removed(old: &Read<'_>, node: NodeId, indices: &[u32]) -> impl Iterator<Item = Span> {
    let edits = indices
        .iter()
        .map(move |index| edit::remove_item(old.text, &old.tree, node, *index as usize));
    edits.filter_map(|edit| edit.ok().map(|it| it.span))
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
    tree: &'a Tree,
    /// By start; of nodes that start together the outermost first.
    starts: Vec<(Span, NodeId)>,
    /// By end; of nodes that end together the outermost last.
    ends: Vec<(Span, NodeId)>,
    /// Literal and folded scalars, by start: a comment may stand in their first line.
    blocks: Vec<(Span, NodeId)>,
}

impl<'a> Attachments<'a> {
    /// Without what stands in `going`, which ends with the line behind it: comments that stay then stand with its
    /// neighbours.
    fn new(read: &'a Read<'_>, going: &[Span]) -> Self {
        let tree: &Tree = &read.tree;
        let mut starts = Vec::new();
        let mut blocks = Vec::new();
        if !tree.comments().is_empty() {
            for (id, node) in tree.nodes() {
                if going.iter().any(|span| span.contains(node.span)) {
                    continue;
                }
                let stands = match &node.kind {
                    NodeKind::Scalar(scalar) => {
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
            tree,
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
        Attachment::Alone {
            above: above.map(|(_, node)| *node),
            below: self.starts.get(after).map(|(_, node)| *node),
        }
    }

    /// Whether a comment alone on its line may belong to what is above: it is indented deeper than the
    /// line of the node below it, or an empty line stands between.
    fn is_loose(&self, comment: Span, below: Option<NodeId>) -> bool {
        let below = below.map(|node| self.tree.node(node).span);
        let next = below.map_or(0, |span| indentation(self.text, span));
        if indentation(self.text, comment) > next {
            return true;
        }
        let end = below.map_or(self.text.len(), |span| span.start as usize);
        let between = Span::new(comment.end as usize, end).of(self.text);
        // The first piece is the rest of the comment's line, the last one the start of the node's.
        let mut lines = between.lines().skip(1).peekable();
        while let Some(line) = lines.next() {
            if lines.peek().is_some() && line.trim().is_empty() {
                return true;
            }
        }
        false
    }
}

/// Number of blanks at the start of the line that `span` starts on.
fn indentation(text: &str, span: Span) -> usize {
    let before = text.get(..span.start as usize).unwrap_or("");
    let line = before.rsplit(['\n', '\r']).next().unwrap_or("");
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

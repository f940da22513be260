//! Point 4, second half: every byte outside the edits is kept, the edits stand where changes were
//! declared, and line breaks are the file's own.

use std::collections::HashSet;

use tagwright_syntax::Span;
use tagwright_syntax::edit::Edit;
use tagwright_syntax::yaml::{NodeId, NodeKind, ScalarStyle};

use super::{Read, line_start};
use crate::Rejection;
use crate::materialise::Plan;

/// Checks the edits of one file against the texts before and after.
pub(super) fn check(
    old: &Read<'_>,
    after: &str,
    plan: &Plan,
    edits: &[Edit],
) -> Result<(), Rejection> {
    let fail = |what| Rejection::Bytes {
        path: old.path.to_string(),
        what,
    };
    kept(old.text, after, edits).map_err(fail)?;
    in_place(old, plan, edits).map_err(fail)?;
    line_breaks(old.text, after).map_err(fail)
}

/// Walks through both texts side by side: outside the edits the bytes are equal, inside them the new
/// text has exactly the edit's. So undoing the edits gives the old text back.
fn kept(before: &str, after: &str, edits: &[Edit]) -> Result<(), &'static str> {
    let changed = "a byte outside the edits changed";
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let (mut at, mut rest) = (0, after);
    for edit in edits {
        let range = edit.span.range();
        let gap = before.get(at..range.start).ok_or("the edits overlap")?;
        rest = rest.strip_prefix(gap).ok_or(changed)?;
        rest = rest.strip_prefix(&*edit.text).ok_or(changed)?;
        at = range.end;
    }
    if before.get(at..) == Some(rest) {
        Ok(())
    } else {
        Err(changed)
    }
}

/// A stretch of the old text that a change accounts for.
struct Allowed {
    span: Span,
    /// Whether bytes may be replaced, or only something put between them.
    replaces: bool,
    /// How many edits the change may need.
    edits: usize,
}

/// Each edit stands where a change was declared.
fn in_place(old: &Read<'_>, plan: &Plan, edits: &[Edit]) -> Result<(), &'static str> {
    let mut allowed = Vec::new();
    for (node, todo) in &plan.nodes {
        // One map for all replacements of a script of thousands of lines.
        let map = (!todo.replacements.is_empty())
            .then(|| old.tree.source_map(old.text, *node))
            .flatten();
        for replacement in &todo.replacements {
            let place = map.as_ref().and_then(|map| map.source(replacement.range));
            allowed.extend(place.and_then(|span| of_replacement(old, *node, span)));
        }
        for (index, _) in &todo.inserts {
            allowed.extend(of_item(old, *node, *index as usize));
        }
        for index in &todo.removed {
            allowed.extend(of_removed(old, *node, *index as usize));
        }
        for (index, ..) in &todo.entries {
            allowed.extend(of_entry(old, *node, *index as usize));
        }
        for (comment, _) in &todo.comments {
            allowed.push(of_comment(old.text, *comment));
        }
        if todo.unfolded.is_some() {
            let start = old.tree.node(*node).span.start as usize;
            allowed.push(Allowed {
                span: Span::new(start, start + 1),
                replaces: true,
                edits: 1,
            });
        }
        if todo.split.is_some() {
            allowed.extend(of_lines(old, *node));
        }
        if todo.above.is_some() {
            let start = old.tree.node(*node).span.start as usize;
            let line = line_start(old.text, start);
            allowed.push(Allowed {
                span: Span::new(line, start),
                replaces: false,
                edits: 1,
            });
        }
    }
    let whole: HashSet<Span> = plan
        .nodes
        .iter()
        .filter_map(|(node, todo)| match &todo.replaced {
            Some((span, _)) => Some(*span),
            None => (!todo.replacements.is_empty()).then(|| old.tree.node(*node).span),
        })
        .filter(|span| !span.of(old.text).contains(['\n', '\r']))
        .collect();
    allowed.sort_by_key(|it| it.span.start);
    let mut allowed = allowed.into_iter().peekable();
    // The places that have started before the edit at hand and may still be meant by it.
    let mut open: Vec<Allowed> = Vec::new();
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    for edit in edits {
        while let Some(next) = allowed.next_if(|it| it.span.start <= edit.span.start) {
            open.push(next);
        }
        open.retain(|it| it.edits > 0 && it.span.end >= edit.span.start);
        // A scalar of one line may be written anew as a whole, to get quotes.
        if whole.contains(&edit.span) {
            continue;
        }
        let place = open
            .iter_mut()
            .find(|it| it.span.contains(edit.span) && (it.replaces || edit.span.is_empty()));
        match place {
            Some(place) => place.edits -= 1,
            None => return Err("an edit stands where no change was declared"),
        }
    }
    Ok(())
}

/// The bytes that a decoded range of the scalar `node` stands for; `span` is what is written of it.
fn of_replacement(old: &Read<'_>, node: NodeId, mut span: Span) -> Option<Allowed> {
    let NodeKind::Scalar(scalar) = &old.tree.node(node).kind else {
        return None;
    };
    if scalar.style == ScalarStyle::Literal {
        // Where whole lines come or go, so does their indentation.
        let blanks = |text: &str| text.len() - text.trim_matches([' ', '\t']).len();
        let before = old.text.get(..span.start as usize)?;
        let after = old.text.get(span.end as usize..)?;
        let before = before.rsplit(['\n', '\r']).next().unwrap_or("");
        if blanks(before) == before.len() {
            span = Span::new(span.start as usize - before.len(), span.end as usize);
        }
        let next = after.len() - after.trim_start_matches([' ', '\t']).len();
        span = Span::new(span.start as usize, span.end as usize + next);
    }
    Some(Allowed {
        span,
        replaces: true,
        edits: 1,
    })
}

/// The places behind the dashes with which the lines of the text `node` begin.
fn of_lines<'a>(old: &'a Read<'_>, node: NodeId) -> impl Iterator<Item = Allowed> + 'a {
    let span = old.tree.node(node).span;
    let mut at = span.start as usize;
    span.of(old.text).split('\n').map(move |line| {
        let dash = at + line.len() - line.trim_start_matches(' ').len();
        at += line.len() + 1;
        Allowed {
            span: Span::empty(dash + 1),
            replaces: false,
            edits: 1,
        }
    })
}

/// A comment with the blanks before it and, in case it goes, the line breaks around it.
fn of_comment(text: &str, comment: Span) -> Allowed {
    let before = text.get(..comment.start as usize).unwrap_or("");
    let kept = before.trim_end_matches([' ', '\t']);
    let kept = kept.strip_suffix('\n').unwrap_or(kept);
    let kept = kept.strip_suffix('\r').unwrap_or(kept);
    let after = text.get(comment.end as usize..).unwrap_or("");
    let rest = after.strip_prefix('\r').unwrap_or(after);
    let rest = rest.strip_prefix('\n').unwrap_or(rest);
    Allowed {
        span: Span::new(
            kept.len(),
            comment.end as usize + (after.len() - rest.len()),
        ),
        replaces: true,
        edits: 1,
    }
}

/// The place between the neighbours of a new item. In a flow list its comma may be an edit of its own.
fn of_item(old: &Read<'_>, node: NodeId, index: usize) -> Option<Allowed> {
    let own = old.tree.node(node);
    let NodeKind::Sequence(sequence) = &own.kind else {
        return None;
    };
    let item = |index: usize| Some(old.tree.node(*sequence.items.get(index)?).span);
    let before = index.checked_sub(1).and_then(item);
    let first = if sequence.flow { own.span.start } else { 0 };
    let start = before.map_or(first, |it| it.end);
    let last = if sequence.flow {
        own.span.end as usize
    } else {
        old.text.len()
    };
    let end = match item(index) {
        Some(next) if !sequence.flow => next.start as usize,
        _ => last,
    };
    Some(Allowed {
        span: Span::new(start as usize, end),
        replaces: false,
        edits: if sequence.flow { 2 } else { 1 },
    })
}

/// An item that goes, and what stands between it and its neighbours.
fn of_removed(old: &Read<'_>, node: NodeId, index: usize) -> Option<Allowed> {
    let own = old.tree.node(node);
    let NodeKind::Sequence(sequence) = &own.kind else {
        return None;
    };
    let item = |index: usize| Some(old.tree.node(*sequence.items.get(index)?).span);
    let start = match index.checked_sub(1) {
        Some(before) => item(before)?.end as usize,
        None if sequence.flow => own.span.start as usize,
        None => line_start(old.text, own.span.start as usize),
    };
    let end = match item(index + 1) {
        Some(next) => next.start as usize,
        None if sequence.flow => own.span.end as usize,
        None => {
            let last = item(index)?.end as usize;
            let rest = old.text.get(last..)?;
            // A block may end behind its line break.
            let line = rest.find('\n').map_or(rest.len(), |at| at + 1);
            if line_start(old.text, last) == last {
                last
            } else {
                last + line
            }
        }
    };
    Some(Allowed {
        span: Span::new(start, end),
        replaces: true,
        edits: 1,
    })
}

/// The place between the neighbours of a new entry.
fn of_entry(old: &Read<'_>, node: NodeId, index: usize) -> Option<Allowed> {
    let own = old.tree.node(node);
    let NodeKind::Mapping(mapping) = &own.kind else {
        return None;
    };
    let before = index.checked_sub(1).and_then(|it| mapping.entries.get(it));
    let start = before.map_or(own.span.start, |it| old.tree.node(it.value).span.end);
    let end = match mapping.entries.get(index) {
        Some(next) => old.tree.node(next.key).span.start as usize,
        None if mapping.flow => own.span.end as usize,
        None => old.text.len(),
    };
    Some(Allowed {
        span: Span::new(start as usize, end),
        replaces: false,
        edits: 1,
    })
}

/// Numbers of `\n`, `\r\n` and lone `\r`.
fn count_breaks(text: &str) -> [usize; 3] {
    let mut counts = [0; 3];
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' if at > 0 && bytes[at - 1] == b'\r' => counts[1] += 1,
            b'\n' => counts[0] += 1,
            b'\r' if bytes.get(at + 1) != Some(&b'\n') => counts[2] += 1,
            _ => {}
        }
    }
    counts
}

fn line_breaks(before: &str, after: &str) -> Result<(), &'static str> {
    let (old, new) = (count_breaks(before), count_breaks(after));
    // In a file without line breaks `\n` is the one to use.
    let most = old.iter().copied().max().unwrap_or(0);
    let own = |kind: usize| {
        if most == 0 {
            kind == 0
        } else {
            old[kind] == most
        }
    };
    if (0..3).any(|kind| !own(kind) && new[kind] > old[kind]) {
        return Err("a line break is not the file's own");
    }
    let ends = |text: &str| text.ends_with(['\n', '\r']);
    if ends(before) != ends(after) {
        return Err("the final line break appeared or vanished");
    }
    let mark = '\u{feff}';
    if before.starts_with(mark) != after.starts_with(mark) {
        return Err("the byte-order mark appeared or vanished");
    }
    Ok(())
}

/// How edits move the text around them.
pub(super) struct Moves<'a> {
    /// Ascending.
    edits: &'a [Edit],
    /// By how many bytes the text has grown before each edit, and behind the last.
    grown: Vec<i64>,
}

impl<'a> Moves<'a> {
    /// Of ascending `edits`.
    pub(super) fn new(edits: &'a [Edit]) -> Self {
        let mut grown = vec![0];
        let mut sum = 0;
        for edit in edits {
            sum += growth(edit);
            grown.push(sum);
        }
        Self { edits, grown }
    }

    /// Where the bytes of `span` of the old text are in the new one, with what was inserted at its two
    /// ends. An edit across an end of the span widens it to the whole edit.
    pub(super) fn moved(&self, span: Span) -> Span {
        // Edits before the span, and edits that start before its end or insert there.
        let first = self.edits.partition_point(|edit| {
            edit.span.end < span.start || (edit.span.end == span.start && !edit.span.is_empty())
        });
        let last = self.edits.partition_point(|edit| {
            edit.span.start < span.end || edit.span == Span::empty(span.end as usize)
        });
        let within = self.edits.get(first..last).unwrap_or(&[]);
        let start = within
            .first()
            .map_or(span.start, |it| it.span.start.min(span.start));
        let end = within
            .last()
            .map_or(span.end, |it| it.span.end.max(span.end));
        let at = |old: u32, grown: usize| {
            let grown = self.grown.get(grown).copied().unwrap_or(0);
            usize::try_from(i64::from(old) + grown).unwrap_or(0)
        };
        Span::new(at(start, first), at(end, last.max(first)))
    }
}

fn growth(edit: &Edit) -> i64 {
    let length = |bytes| i64::try_from(bytes).unwrap_or(0);
    length(edit.text.len()) - length(edit.span.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, end: usize, text: &str) -> Edit {
        Edit {
            span: Span::new(start, end),
            text: text.to_string(),
        }
    }

    #[test]
    fn bytes_outside_the_edits_must_be_equal() {
        let edits = [edit(2, 3, "xy"), edit(5, 5, "!")];
        assert_eq!(kept("abcdef", "abxyde!f", &edits), Ok(()));
        assert!(kept("abcdef", "abxyde!F", &edits).is_err());
        assert!(kept("abcdef", "aBxyde!f", &edits).is_err());
        assert!(kept("abcdef", "abxyde!f\n", &edits).is_err());
        assert!(kept("abcdef", "abxzde!f", &edits).is_err());
    }

    #[test]
    fn a_line_break_of_another_kind_may_not_appear() {
        assert!(line_breaks("a\r\nb\r\n", "a\r\nx\nb\r\n").is_err());
        assert!(line_breaks("a\nb\n", "a\nx\r\nb\n").is_err());
        assert!(line_breaks("a", "a\r\nb").is_err());
        assert_eq!(line_breaks("a", "a\nb"), Ok(()));
        assert_eq!(line_breaks("a\r\nb\n", "a\r\nx\r\nb\n"), Ok(()));
        assert_eq!(line_breaks("a\r\nb\r\nc\n", "a\r\nx\r\nb\r\nc\n"), Ok(()));
    }

    #[test]
    fn the_end_of_the_file_stays_as_it_is() {
        assert!(line_breaks("a\nb", "a\nb\n").is_err());
        assert!(line_breaks("a\nb\n", "a\nb").is_err());
        assert!(line_breaks("\u{feff}a\n", "a\n").is_err());
    }

    #[test]
    fn a_span_moves_with_the_text_around_it() {
        let span = Span::new(10, 16);
        let moved = |edits: &[Edit]| Moves::new(edits).moved(span);
        assert_eq!(moved(&[edit(2, 4, "")]), Span::new(8, 14));
        assert_eq!(moved(&[edit(10, 16, "xy")]), Span::new(10, 12));
        assert_eq!(moved(&[edit(16, 16, "xy")]), Span::new(10, 18));
        assert_eq!(moved(&[edit(10, 10, "xy")]), Span::new(10, 18));
        assert_eq!(moved(&[edit(8, 12, "x")]), Span::new(8, 13));
        assert_eq!(moved(&[edit(16, 18, "xyz")]), span);
        assert_eq!(moved(&[edit(8, 10, "xyz")]), Span::new(11, 17));
        assert_eq!(
            moved(&[edit(1, 1, "a"), edit(12, 13, ""), edit(20, 20, "b")]),
            Span::new(11, 16)
        );
        let place = Span::empty(10);
        assert_eq!(
            Moves::new(&[edit(10, 10, "xy")]).moved(place),
            Span::new(10, 12)
        );
        assert_eq!(Moves::new(&[edit(10, 12, "xyz")]).moved(place), place);
        assert_eq!(
            Moves::new(&[edit(8, 10, "xyz")]).moved(place),
            Span::empty(11)
        );
        assert_eq!(Moves::new(&[]).moved(place), place);
    }
}

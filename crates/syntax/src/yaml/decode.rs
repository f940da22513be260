//! A second reading of each scalar, to learn which decoded byte came from which source byte.
//!
//! The decoder follows the parser's reading of each style, and checks every piece against the parser's
//! value while it goes: at the first difference it gives up, and the scalar counts as inexact.

use memchr::{memchr2, memchr3};

use super::exact::{Block, Chomping, break_len, is_blank, is_break};
use super::{Node, NodeKind, Scalar, ScalarStyle, Tree};
use crate::{SourceMap, Span};

pub(super) fn source_map(
    text: &str,
    tree: &Tree,
    node: &Node,
    scalar: &Scalar,
) -> Option<SourceMap> {
    let column = match scalar.style {
        ScalarStyle::Literal | ScalarStyle::Folded => parent_column(text, tree, node),
        _ => None,
    };
    scalar_map(text, node.span, scalar.style, &scalar.value, column)
}

/// The column of the innermost block collection around `node`.
pub(crate) fn parent_column(text: &str, tree: &Tree, node: &Node) -> Option<usize> {
    let parent = tree.node(node.parent?);
    let block = match &parent.kind {
        NodeKind::Sequence(sequence) => !sequence.flow,
        NodeKind::Mapping(mapping) => !mapping.flow,
        NodeKind::Scalar(_) | NodeKind::Alias { .. } => false,
    };
    block.then(|| super::exact::column(text, parent.span.start as usize))
}

/// The map of a scalar of `style` at `span` whose value is `value`. `None` if these bytes read otherwise.
/// A block scalar is read from the span's start to its own end, the others to the span's end.
pub(crate) fn scalar_map(
    text: &str,
    span: Span,
    style: ScalarStyle,
    value: &str,
    parent_column: Option<usize>,
) -> Option<SourceMap> {
    let mut reader = Reader {
        text,
        value,
        at: 0,
        map: SourceMap::default(),
    };
    let source = text.get(span.range())?;
    match style {
        ScalarStyle::Plain => {
            if memchr2(b'\n', b'\r', source.as_bytes()).is_none() {
                return (source == value).then(|| SourceMap::verbatim(span));
            }
            reader.flow(span.start as usize, span.end as usize, style)?;
        }
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
            let quote = if style == ScalarStyle::SingleQuoted {
                '\''
            } else {
                '"'
            };
            source.strip_prefix(quote)?.strip_suffix(quote)?;
            reader.flow(span.start as usize + 1, span.end as usize - 1, style)?;
        }
        ScalarStyle::Literal | ScalarStyle::Folded => {
            let block = Block::read(text, span.start as usize, parent_column)?;
            reader.block(&block, style == ScalarStyle::Folded)?;
        }
    }
    reader.finish()
}

/// Builds a map and compares what it would decode to with the value, piece by piece.
struct Reader<'t> {
    text: &'t str,
    value: &'t str,
    /// Bytes of `value` accounted for.
    at: usize,
    map: SourceMap,
}

impl Reader<'_> {
    /// The source bytes themselves are the next part of the value.
    fn verbatim(&mut self, start: usize, end: usize) -> Option<()> {
        let piece = self.text.get(start..end)?;
        self.expect(piece)?;
        self.map.push(Span::new(start, end), piece.len(), true);
        Some(())
    }

    /// The source bytes stand for `decoded`.
    fn stands_for(&mut self, start: usize, end: usize, decoded: &str) -> Option<()> {
        self.expect(decoded)?;
        self.map.push(Span::new(start, end), decoded.len(), false);
        Some(())
    }

    /// A line break that is kept.
    fn line_break(&mut self, at: usize) -> Option<()> {
        if self.text.as_bytes().get(at) == Some(&b'\n') {
            self.verbatim(at, at + 1)
        } else {
            let length = break_len(self.text.as_bytes(), at);
            self.stands_for(at, at + length, "\n")
        }
    }

    fn expect(&mut self, piece: &str) -> Option<()> {
        if !self.value.get(self.at..)?.starts_with(piece) {
            return None;
        }
        self.at += piece.len();
        Some(())
    }

    fn finish(self) -> Option<SourceMap> {
        (self.at == self.value.len()).then_some(self.map)
    }

    /// A plain or quoted scalar, without its quotes.
    fn flow(&mut self, start: usize, end: usize, style: ScalarStyle) -> Option<()> {
        let bytes = &self.text.as_bytes()[..end];
        let mut at = start;
        while at < end {
            let rest = &bytes[at..];
            let special = match style {
                ScalarStyle::SingleQuoted => memchr3(b'\n', b'\r', b'\'', rest),
                ScalarStyle::DoubleQuoted => memchr3(b'\n', b'\r', b'\\', rest),
                _ => memchr2(b'\n', b'\r', rest),
            };
            let Some(special) = special.map(|length| at + length) else {
                return self.verbatim(at, end);
            };
            match bytes[special] {
                b'\'' => {
                    self.verbatim(at, special)?;
                    self.stands_for(special, special + 2, "'")?;
                    at = special + 2;
                }
                b'\\' if bytes.get(special + 1).copied().is_some_and(is_break) => {
                    self.verbatim(at, special)?;
                    at = self.fold(special, special + 1, end, true)?;
                }
                b'\\' => {
                    self.verbatim(at, special)?;
                    at = self.escape(special)?;
                }
                _ => {
                    let mut blanks = special;
                    while blanks > at && is_blank(bytes[blanks - 1]) {
                        blanks -= 1;
                    }
                    self.verbatim(at, blanks)?;
                    at = self.fold(blanks, special, end, false)?;
                }
            }
        }
        Some(())
    }

    /// Line folding in plain and quoted scalars: the first break, at `first`, becomes a space unless empty
    /// lines follow, which become one line feed each; an escaped break becomes nothing. The segments cover
    /// everything from `start` (where blanks before the break begin) to the next text, whose place is the
    /// result.
    fn fold(&mut self, start: usize, first: usize, end: usize, escaped: bool) -> Option<usize> {
        let bytes = &self.text.as_bytes()[..end];
        let mut at = first + break_len(bytes, first);
        let mut breaks: Vec<usize> = Vec::new();
        while at < end {
            if is_blank(bytes[at]) {
                at += 1;
            } else if is_break(bytes[at]) {
                at += break_len(bytes, at);
                breaks.push(at);
            } else {
                break;
            }
        }
        if let Some(last) = breaks.last_mut() {
            *last = at;
            let mut from = start;
            for to in breaks {
                self.stands_for(from, to, "\n")?;
                from = to;
            }
        } else if !escaped {
            self.stands_for(start, at, " ")?;
        }
        Some(at)
    }

    /// The escape at `start`, in a double-quoted scalar. The result is where it ends.
    fn escape(&mut self, start: usize) -> Option<usize> {
        let rest = self.text.get(start + 1..)?;
        let code = rest.chars().next()?;
        let digits = match code {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let end = start + 1 + code.len_utf8() + digits;
        let decoded = match code {
            '0' => '\0',
            'a' => '\x07',
            'b' => '\x08',
            't' | '\t' => '\t',
            'n' => '\n',
            'v' => '\x0b',
            'f' => '\x0c',
            'r' => '\r',
            'e' => '\x1b',
            ' ' | '"' | '/' | '\\' => code,
            'N' => '\u{85}',
            '_' => '\u{a0}',
            'L' => '\u{2028}',
            'P' => '\u{2029}',
            'x' | 'u' | 'U' => {
                let hex = self.text.get(start + 2..end)?;
                char::from_u32(u32::from_str_radix(hex, 16).ok()?)?
            }
            _ => return None,
        };
        self.stands_for(start, end, decoded.encode_utf8(&mut [0; 4]))?;
        Some(end)
    }

    /// The lines of a block scalar.
    fn block(&mut self, block: &Block, folded: bool) -> Option<()> {
        let bytes = self.text.as_bytes();
        // Breaks that are not settled yet: what they become depends on what follows.
        let mut content_break = None;
        let mut empty_breaks: Vec<usize> = Vec::new();
        let mut after_blank = false;
        let mut has_content = false;
        let mut at = block.body;
        while let Some(line) = block.line(bytes, at) {
            at = line.end + line.break_len;
            if line.empty {
                empty_breaks.push(line.end);
                continue;
            }
            let blank = is_blank(bytes[line.start]);
            match content_break.take() {
                Some(first) if folded && !after_blank && !blank => {
                    if empty_breaks.is_empty() {
                        self.stands_for(first, line.start, " ")?;
                    } else {
                        let mut from = first;
                        for empty in empty_breaks.drain(..) {
                            let to = empty + break_len(bytes, empty);
                            self.stands_for(from, to, "\n")?;
                            from = to;
                        }
                    }
                }
                first => {
                    for at in first.into_iter().chain(empty_breaks.drain(..)) {
                        self.line_break(at)?;
                    }
                }
            }
            has_content = true;
            after_blank = blank;
            self.verbatim(line.start, line.end)?;
            if line.break_len == 0 {
                break;
            }
            content_break = Some(line.end);
        }
        if !has_content {
            return self.empty_block(block, &empty_breaks, at);
        }
        if block.chomping == Chomping::Strip {
            return Some(());
        }
        if let Some(at) = content_break {
            self.line_break(at)?;
        }
        if block.chomping == Chomping::Keep {
            for at in empty_breaks {
                self.line_break(at)?;
            }
        }
        // At the end of the file the parser supplies the break that a last line lacks.
        let end = self.text.len();
        let at_end = bytes[at.min(end)..].iter().all(|byte| *byte == b' ');
        if at_end && super::exact::column(self.text, end) >= block.indent.max(1) {
            self.stands_for(end, end, "\n")?;
        }
        Some(())
    }

    /// A block scalar without a line of content, whose lines end at `at`.
    fn empty_block(&mut self, block: &Block, empty_breaks: &[usize], at: usize) -> Option<()> {
        if block.chomping != Chomping::Keep {
            return Some(());
        }
        let end = self.text.len();
        let blanks_only = self.text.as_bytes()[at.min(end)..]
            .iter()
            .all(|byte| *byte == b' ');
        if empty_breaks.is_empty() && blanks_only && at < end {
            return self.stands_for(end, end, "\n");
        }
        for at in empty_breaks {
            self.line_break(*at)?;
        }
        Some(())
    }
}

//! The files that need no parser: block mappings and lists of scalars that stand on one line each.
//!
//! Most buildspecs are nothing else, and reading them by hand costs a tenth of a parse. Whatever is not
//! surely of this kind (anchors, tags, brackets, block scalars, escapes, scalars of several lines, absent
//! values, other characters than those of [`allowed`]) is left to the parser with the whole file; that both
//! give the same tree is a property test.

use memchr::{memchr, memchr2, memchr2_iter};

use super::{
    Entry, Mapping, Node, NodeId, NodeKind, Scalar, ScalarStyle, Sequence, Tree, exact::is_break,
};
use crate::Span;

/// Deeper collections are the parser's: this reader calls itself for each level.
const MAX_DEPTH: usize = 24;

/// Longer keys are the parser's, which has a limit of its own.
const MAX_KEY: usize = 128;

/// A line with content.
#[derive(Clone, Copy)]
struct Line {
    /// Where the line starts.
    begin: usize,
    /// Where its content starts; the indentation is the distance.
    start: usize,
    /// Where it ends, before the line break.
    end: usize,
}

impl Line {
    fn indent(&self) -> usize {
        self.start - self.begin
    }
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    /// Where the line after the current one starts.
    next: usize,
    /// The current line; `None` at the end of the text.
    line: Option<Line>,
    /// Where the last scalar ended.
    last_end: usize,
    tree: Tree,
}

/// Reads `text` if it is of the simple kind; `None` leaves it to the parser.
pub(super) fn parse(text: &str) -> Option<Tree> {
    if u32::try_from(text.len()).is_err() || !allowed(text.as_bytes()) {
        return None;
    }
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        next: 0,
        line: None,
        last_end: 0,
        tree: Tree {
            nodes: Vec::with_capacity(text.len() / 24),
            ..Tree::default()
        },
    };
    reader.next_line();
    let first = reader.line?;
    if first.indent() != 0 {
        return None;
    }
    let root = reader.collection(first.start, None, 0)?;
    if reader.line.is_some() {
        return None;
    }
    reader.tree.documents.push(root);
    Some(reader.tree)
}

/// Whether there are only characters that mean the same to every reader: no tab, no carriage return, no
/// control character, and nothing near those beyond ASCII that break lines or mark the byte order.
fn allowed(bytes: &[u8]) -> bool {
    let simple = |byte: u8| (b' '..0x7F).contains(&byte) || byte == b'\n';
    // Folded rather than searched, so that many bytes are looked at at once.
    if bytes.iter().fold(true, |all, byte| all & simple(*byte)) {
        return true;
    }
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        0x80..=0xBF => true,
        0xC3..=0xEE | 0xF0..=0xF4 => {
            // The line and paragraph separators begin with these two.
            !bytes[at..].starts_with(&[0xE2, 0x80])
        }
        byte => simple(*byte),
    })
}

/// Whether a key of the simple kind may hold the byte.
fn in_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./".contains(&byte)
}

impl Reader<'_> {
    /// Goes to the next line with content, over empty lines and comments.
    fn next_line(&mut self) {
        loop {
            let begin = self.next;
            if begin >= self.bytes.len() {
                self.line = None;
                return;
            }
            let mut start = begin;
            while self.bytes.get(start) == Some(&b' ') {
                start += 1;
            }
            let rest = &self.bytes[start..];
            let end = start + memchr(b'\n', rest).unwrap_or(rest.len());
            self.next = end + 1;
            match self.bytes.get(start) {
                None => {}
                Some(byte) if is_break(*byte) => {}
                Some(b'#') => self.tree.comments.push(Span::new(start, end)),
                Some(_) => {
                    self.line = Some(Line { begin, start, end });
                    return;
                }
            }
        }
    }

    fn push(&mut self, at: usize, parent: Option<NodeId>, kind: NodeKind) -> NodeId {
        // There are no more nodes than bytes, whose number was checked at the start.
        let id = NodeId(u32::try_from(self.tree.nodes.len()).unwrap_or(u32::MAX));
        self.tree.nodes.push(Node {
            span: Span::empty(at),
            properties: None,
            anchor: None,
            tag: None,
            parent,
            kind,
        });
        id
    }

    /// Whether a dash with a blank behind it stands at `at`.
    fn dash(&self, at: usize) -> bool {
        self.bytes[at] == b'-' && self.bytes.get(at + 1) == Some(&b' ')
    }

    /// The length of the key at `at`, if one stands there with its colon.
    fn key(&self, at: usize, end: usize) -> Option<usize> {
        let bytes = &self.bytes[at..end];
        let length = bytes.iter().position(|byte| !in_key(*byte))?;
        let first = *bytes.first()?;
        (bytes[length] == b':'
            && (first.is_ascii_alphanumeric() || first == b'_')
            && length <= MAX_KEY
            && bytes.get(length + 1).is_none_or(|byte| *byte == b' '))
        .then_some(length)
    }

    /// The first byte that is no blank, from `at` to the end of the line; `None` if there is only a comment
    /// or nothing.
    fn content(&mut self, at: usize, line: Line) -> Option<usize> {
        let rest = &self.bytes[at..line.end];
        let start = at + rest.iter().position(|byte| *byte != b' ')?;
        if self.bytes[start] == b'#' {
            self.tree.comments.push(Span::new(start, line.end));
            return None;
        }
        Some(start)
    }

    /// The collection that starts at `at` of the current line.
    fn collection(&mut self, at: usize, parent: Option<NodeId>, depth: usize) -> Option<NodeId> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.dash(at) {
            self.sequence(at, parent, depth)
        } else {
            self.mapping(at, parent, depth)
        }
    }

    /// Whether there is another entry at `column`; `None` if the line belongs nowhere.
    fn goes_on(&self, column: usize) -> Option<bool> {
        match self.line.map(|line| line.indent()) {
            None => Some(false),
            Some(indent) if indent > column => None,
            Some(indent) => Some(indent == column),
        }
    }

    fn sequence(&mut self, start: usize, parent: Option<NodeId>, depth: usize) -> Option<NodeId> {
        let column = start - self.line?.begin;
        let id = self.push(
            start,
            parent,
            NodeKind::Sequence(Sequence {
                flow: false,
                items: Vec::new(),
                dashes: Vec::new(),
            }),
        );
        // As many as most lists have.
        let mut items = Vec::with_capacity(8);
        let mut dashes = Vec::with_capacity(8);
        let mut at = start;
        loop {
            let line = self.line?;
            dashes.push(u32::try_from(at).unwrap_or(u32::MAX));
            let item = self.content(at + 1, line)?;
            items.push(if self.key(item, line.end).is_some() {
                self.collection(item, Some(id), depth + 1)?
            } else {
                let scalar = self.scalar(item, line, id)?;
                self.next_line();
                scalar
            });
            if !self.goes_on(column)? {
                break;
            }
            at = self.line?.start;
            // A key behind a list that is no deeper than the key before it.
            if !self.dash(at) {
                break;
            }
        }
        let end = self.last_end;
        let node = &mut self.tree.nodes[id.0 as usize];
        node.span = Span::new(start, end);
        node.kind = NodeKind::Sequence(Sequence {
            flow: false,
            items,
            dashes,
        });
        Some(id)
    }

    fn mapping(&mut self, start: usize, parent: Option<NodeId>, depth: usize) -> Option<NodeId> {
        let column = start - self.line?.begin;
        let id = self.push(
            start,
            parent,
            NodeKind::Mapping(Mapping {
                flow: false,
                entries: Vec::new(),
            }),
        );
        let mut entries = Vec::new();
        let mut at = start;
        loop {
            let line = self.line?;
            let length = self.key(at, line.end)?;
            let key = self.finish(at, at + length, at..at + length, ScalarStyle::Plain, id);
            let value = match self.content(at + length + 1, line) {
                Some(value) => {
                    let scalar = self.scalar(value, line, id)?;
                    self.next_line();
                    scalar
                }
                None => {
                    self.next_line();
                    let below = self.line?;
                    let deeper = below.indent() > column;
                    // A list may stand no deeper than its key.
                    if !(deeper || below.indent() == column && self.dash(below.start)) {
                        return None;
                    }
                    self.collection(below.start, Some(id), depth + 1)?
                }
            };
            entries.push(Entry { key, value });
            if !self.goes_on(column)? {
                break;
            }
            at = self.line?.start;
        }
        let end = self.last_end;
        let node = &mut self.tree.nodes[id.0 as usize];
        node.span = Span::new(start, end);
        node.kind = NodeKind::Mapping(Mapping {
            flow: false,
            entries,
        });
        Some(id)
    }

    /// The scalar at `at`, which must be all of the line but for a comment.
    fn scalar(&mut self, at: usize, line: Line, parent: NodeId) -> Option<NodeId> {
        let rest = &self.bytes[at..line.end];
        match *rest.first()? {
            quote @ (b'"' | b'\'') => {
                let other = if quote == b'"' { b'\\' } else { quote };
                let length = memchr2(quote, other, &rest[1..])?;
                let end = at + length + 2;
                let behind = self.bytes.get(end).filter(|_| end < line.end);
                // An escape, or a quote that is written twice.
                if self.bytes[end - 1] != quote || behind.is_some_and(|byte| *byte != b' ') {
                    return None;
                }
                if self.content(end, line).is_some() {
                    return None;
                }
                let style = if quote == b'"' {
                    ScalarStyle::DoubleQuoted
                } else {
                    ScalarStyle::SingleQuoted
                };
                Some(self.finish(at, end, at + 1..end - 1, style, parent))
            }
            first
                if first.is_ascii_alphanumeric()
                    || !first.is_ascii()
                    || b"_$./(+=^;<".contains(&first) =>
            {
                let mut end = line.end;
                for found in memchr2_iter(b':', b'#', rest) {
                    let found = at + found;
                    if self.bytes[found] == b':' {
                        if found + 1 == line.end || self.bytes[found + 1] == b' ' {
                            return None;
                        }
                    } else if self.bytes[found - 1] == b' ' {
                        self.tree.comments.push(Span::new(found, line.end));
                        end = found;
                        break;
                    }
                }
                while self.bytes[end - 1] == b' ' {
                    end -= 1;
                }
                Some(self.finish(at, end, at..end, ScalarStyle::Plain, parent))
            }
            _ => None,
        }
    }

    /// Adds the scalar whose bytes are `start..end` and whose value is that at `value`.
    fn finish(
        &mut self,
        start: usize,
        end: usize,
        value: std::ops::Range<usize>,
        style: ScalarStyle,
        parent: NodeId,
    ) -> NodeId {
        let scalar = Scalar {
            style,
            value: self.text[value].into(),
        };
        let id = self.push(start, Some(parent), NodeKind::Scalar(scalar));
        self.tree.nodes[id.0 as usize].span = Span::new(start, end);
        self.last_end = end;
        id
    }
}

#[cfg(test)]
mod tests {
    use super::super::adapter;
    use super::*;

    /// Whether the text is of the simple kind; if so, both readers give the same tree.
    fn same(text: &str) -> bool {
        let Some(plain) = parse(text) else {
            return false;
        };
        let full = adapter::parse(text);
        assert_eq!(format!("{plain:?}"), format!("{full:?}"), "{text:?}");
        true
    }

    #[test]
    fn ordinary_files_are_read_without_the_parser_and_as_it_reads_them() {
        let texts = [
            "version: 0.2\nphases:\n  build:\n    commands:\n      - make # all\n      - echo \"a:b\" # x\n",
            "# é\n\nphases:\n  build:\n    commands:\n    - docker push $A:b\n    finally:\n    - 'x'\n  #end\n",
            "a:   b   \nc: \"d\"\ne:\n  - f: g\n    h: i#j\n  - k\nl: m",
            "a: http://x:80/y\nb: $X # c\n",
            "- a\n- b: c\n  d:\n  - e\n- f\n",
            "a: über\n",
        ];
        for text in texts {
            assert!(same(text), "not read: {text:?}");
        }
    }

    #[test]
    fn anything_else_is_left_to_the_parser() {
        let texts = [
            "",
            "# x\n",
            "a",
            "a:\n",
            "a: b\n  c\n",
            "a: b\n  c: d\n",
            "a: |\n  b\n",
            "a: >-\n  b\n",
            "a: &x b\n",
            "a: *x\n",
            "a: !t b\n",
            "a: [b]\n",
            "a: {b: c}\n",
            "a: b: c\n",
            "a: \"b\\n\"\n",
            "a: 'b''c'\n",
            "a: 'b\n  c'\n",
            "a: 'b'c\n",
            "a: 'b'#c\n",
            "a:\tb\n",
            "a: b\r\n",
            "---\na: b\n",
            "a: b\n---\nc: d\n",
            "a: b\n...\n",
            "a: - b\n",
            "- - a\n",
            "-\n  a\n",
            "? a\n: b\n",
            "a : b\n",
            "\"a\": b\n",
            "a: @b\n",
            "a: `b`\n",
            "a: %b\n",
            "a: -b\n",
            "a:\n    b: c\n  d: e\n",
            "a:\n  b\n",
            "  a: b\n",
            "- a\nb: c\n",
            "a: b\n- c\n",
            "\u{feff}a: b\n",
            "a: b\u{2028}\n",
            "a: b\u{85}c\n",
            "a: b\u{0}\n",
        ];
        for text in texts {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn the_fixtures_that_are_simple_read_as_the_parser_reads_them() {
        let mut folders = vec![concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures").into()];
        let mut compared = 0;
        while let Some(folder) = folders.pop() {
            let folder: std::path::PathBuf = folder;
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(text) = std::fs::read_to_string(&path) {
                    compared += usize::from(same(&text));
                }
            }
        }
        assert!(compared > 50, "only {compared} were simple");
    }

    #[test]
    fn random_lines_read_as_the_parser_reads_them() {
        const PIECES: &[&str] = &[
            "a:", "b: c", "- ", "- x", "- k: v", "d", " ", "  ", "#e", " # f", ":", "\"g\"", "'h'",
            "$i", "é", "-", "\"", "'", "...", "---", "%", ".", "=", "/", "?", "<<: y",
        ];
        const SHAPES: &[&str] = &[
            "a:",
            "b: c",
            "- x",
            "- k: v",
            "#e",
            "",
            "z: \"q\" #r",
            "- 'h'",
        ];
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = |limit: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % u64::try_from(limit).unwrap()).unwrap()
        };
        let mut compared = 0;
        for _ in 0..40_000 {
            let mut text = String::new();
            let mut indent = 0;
            for _ in 0..=next(6) {
                text.push_str(&" ".repeat(indent));
                let shape = SHAPES[next(SHAPES.len())];
                text.push_str(shape);
                if next(6) == 0 {
                    text.push_str(PIECES[next(PIECES.len())]);
                    text.push_str(PIECES[next(PIECES.len())]);
                }
                text.push('\n');
                indent = match (shape, next(8)) {
                    ("a:", 0) => indent,
                    ("a:" | "- k: v", _) => indent + 2,
                    (_, 0) => next(5),
                    _ => indent,
                };
            }
            if next(4) == 0 {
                text.pop();
            }
            compared += usize::from(same(&text));
        }
        assert!(compared > 2_000, "only {compared} were plain");
    }
}

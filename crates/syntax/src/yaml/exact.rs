//! The exact ends of nodes, which the parser's markers do not give.
//!
//! [`Cursor`] walks over what stands between nodes and notes the comments it meets; [`Block`] reads the
//! header of a `|` or `>` scalar and finds the lines that belong to it.

use memchr::{memchr, memchr2, memrchr2};

use crate::Span;

/// Whether `byte` is a space or a tab.
pub(crate) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Whether `byte` starts a line break.
pub(crate) fn is_break(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// Whether `text` has a line break.
pub(crate) fn has_break(text: &str) -> bool {
    memchr2(b'\n', b'\r', text.as_bytes()).is_some()
}

/// Bytes of the line break at `at`: 2 for `\r\n`, 0 if there is none.
pub(crate) fn break_len(bytes: &[u8], at: usize) -> usize {
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'\r'), Some(b'\n')) => 2,
        (Some(b'\n' | b'\r'), _) => 1,
        _ => 0,
    }
}

/// The first byte of the line that holds byte `at`; after a byte-order mark if the line has one.
pub(crate) fn line_start(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let start = memrchr2(b'\n', b'\r', &bytes[..at]).map_or(0, |before| before + 1);
    if bytes[start..at].starts_with(BOM) {
        start + BOM.len()
    } else {
        start
    }
}

/// The end of the line that holds byte `at`, before its line break.
pub(crate) fn line_end(text: &str, at: usize) -> usize {
    memchr2(b'\n', b'\r', &text.as_bytes()[at..]).map_or(text.len(), |length| at + length)
}

/// 0-based column of byte `at` in characters. A byte-order mark is no column.
pub(crate) fn column(text: &str, at: usize) -> usize {
    text.as_bytes()[line_start(text, at)..at]
        .iter()
        // Every byte that is not a UTF-8 continuation byte starts a character.
        .filter(|byte| **byte & 0xC0 != 0x80)
        .count()
}

/// Whether a document marker (`---` or `...`) stands at `at`, which is the start of a line.
pub(crate) fn document_marker(bytes: &[u8], at: usize) -> bool {
    let rest = &bytes[at..];
    (rest.starts_with(b"---") || rest.starts_with(b"..."))
        && rest
            .get(3)
            .is_none_or(|b| is_blank(*b) || is_break(*b) || *b == 0)
}

const BOM: &[u8] = "\u{feff}".as_bytes();

/// A place in the text outside of all nodes.
pub(crate) struct Cursor<'t> {
    bytes: &'t [u8],
    at: usize,
    last_end: usize,
    /// The comments met so far.
    pub(crate) comments: Vec<Span>,
}

impl<'t> Cursor<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            bytes: text.as_bytes(),
            at: 0,
            last_end: 0,
            comments: Vec::new(),
        }
    }

    /// The byte offset of the cursor.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Where the last token ended: the cursor may have walked on over blanks and comments.
    pub(crate) fn last_end(&self) -> usize {
        self.last_end
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Whether `indicator` stands here as an indicator, followed by a blank or the end of the line.
    pub(crate) fn indicator_here(&self, indicator: u8) -> bool {
        self.peek() == Some(indicator)
            && self
                .bytes
                .get(self.at + 1)
                .is_none_or(|b| is_blank(*b) || is_break(*b) || *b == 0)
    }

    /// Takes a token of `length` bytes.
    pub(crate) fn take(&mut self, length: usize) {
        self.move_to((self.at + length).min(self.bytes.len()));
    }

    /// Goes on behind a token that ends at `end`.
    pub(crate) fn move_to(&mut self, end: usize) {
        self.at = end.max(self.at);
        self.last_end = self.at;
    }

    /// Walks over blanks, line breaks, byte-order marks and comments.
    pub(crate) fn skip_trivia(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'#' => {
                    let rest = &self.bytes[self.at..];
                    let length = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                    self.comments.push(Span::new(self.at, self.at + length));
                    self.at += length;
                }
                0xEF if self.bytes[self.at..].starts_with(BOM) => self.at += BOM.len(),
                _ => break,
            }
        }
    }

    /// Walks over the same and commas.
    pub(crate) fn skip_commas(&mut self) {
        self.skip_trivia();
        while self.peek() == Some(b',') {
            self.at += 1;
            self.skip_trivia();
        }
    }

    /// Walks over document ends and directives, and over `---` if the next document has one.
    pub(crate) fn between_documents(&mut self, explicit: bool) {
        loop {
            self.skip_trivia();
            let line_starts = self.at == 0
                || is_break(self.bytes[self.at - 1])
                || self.bytes[..self.at].ends_with(BOM);
            match self.peek() {
                Some(b'.') if line_starts && document_marker(self.bytes, self.at) => self.take(3),
                Some(b'%') if line_starts && explicit => self.skip_directive(),
                Some(b'-') if explicit => {
                    self.take(3);
                    return;
                }
                _ => {
                    self.last_end = self.at;
                    return;
                }
            }
        }
    }

    /// Walks to the end of the line, or to the comment on it.
    fn skip_directive(&mut self) {
        while let Some(byte) = self.peek() {
            let after_blank = self.at > 0 && is_blank(self.bytes[self.at - 1]);
            if is_break(byte) || (byte == b'#' && after_blank) {
                break;
            }
            self.at += 1;
        }
    }

    /// Takes `&name` or `*name`.
    pub(crate) fn take_name(&mut self) -> Span {
        let start = self.at;
        let rest = &self.bytes[start..];
        let length = rest
            .iter()
            .enumerate()
            .position(|(index, byte)| match byte {
                b' ' | b'\t' | b'\n' | b'\r' | 0 | b',' | b'[' | b']' | b'{' | b'}' => true,
                0xEF => rest[index..].starts_with(BOM),
                _ => false,
            })
            .unwrap_or(rest.len());
        self.take(length);
        Span::new(start, self.at)
    }

    /// Takes `!`, `!name`, `!!name`, `!handle!name` or `!<uri>`.
    pub(crate) fn take_tag(&mut self) -> Span {
        if self.bytes[self.at..].starts_with(b"!<") {
            let start = self.at;
            let rest = &self.bytes[start..];
            self.take(memchr(b'>', rest).map_or(rest.len(), |at| at + 1));
            Span::new(start, self.at)
        } else {
            // A tag ends where a name would.
            self.take_name()
        }
    }
}

/// One past the closing quote of the single-quoted scalar at `start`.
pub(crate) fn single_quoted_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    while let Some(length) = bytes.get(at..).and_then(|rest| memchr(b'\'', rest)) {
        at += length + 1;
        if bytes.get(at) != Some(&b'\'') {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// One past the closing quote of the double-quoted scalar at `start`.
pub(crate) fn double_quoted_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    while let Some(length) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += length + 1;
        if bytes[at - 1] == b'"' {
            return at;
        }
        // What is escaped may be a character of several bytes, none of which is a quote.
        at += 1;
    }
    text.len()
}

/// What happens to the line breaks at the end of a block scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chomping {
    /// `-`: none.
    Strip,
    /// One.
    Clip,
    /// `+`: all.
    Keep,
}

/// A `|` or `>` scalar.
pub(crate) struct Block {
    pub(crate) chomping: Chomping,
    /// The comment behind the header.
    pub(crate) comment: Option<Span>,
    /// Columns of indentation of its content.
    pub(crate) indent: usize,
    /// Where the first line below the header starts.
    pub(crate) body: usize,
    /// The end of the scalar's span: of its last line of content without the line break; of the lines
    /// that `+` keeps, with all breaks but the last; of the header if it has no content.
    pub(crate) end: usize,
}

/// One line of a block scalar.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    /// Where its text starts, after the indentation. For an empty line, where its break stands.
    pub(crate) start: usize,
    /// The end of its text.
    pub(crate) end: usize,
    /// Bytes of its line break; 0 at the end of the file.
    pub(crate) break_len: usize,
    /// Whether it is empty (blanks up to the indentation do not count).
    pub(crate) empty: bool,
}

impl Block {
    /// Reads the block scalar whose `|` or `>` stands at `start`. `parent` is the column of the innermost
    /// block collection around it. `None` if its header is no header.
    pub(crate) fn read(text: &str, start: usize, parent: Option<usize>) -> Option<Self> {
        let bytes = text.as_bytes();
        if !matches!(bytes.get(start), Some(b'|' | b'>')) {
            return None;
        }
        let mut chomping = Chomping::Clip;
        let mut digit = None;
        let mut at = start + 1;
        loop {
            match bytes.get(at) {
                Some(b'-') => chomping = Chomping::Strip,
                Some(b'+') => chomping = Chomping::Keep,
                Some(b'1'..=b'9') => digit = Some(usize::from(bytes[at] - b'0')),
                _ => break,
            }
            at += 1;
        }
        let header_end = at;
        while bytes.get(at).copied().is_some_and(is_blank) {
            at += 1;
        }
        let line_end = line_end(text, at);
        let comment = match bytes.get(at) {
            Some(b'#') => Some(Span::new(at, line_end)),
            _ if at == line_end => None,
            _ => return None,
        };
        let body = line_end + break_len(bytes, line_end);
        let indent = match digit {
            Some(digit) => parent.map_or(digit, |column| column + digit),
            None => detect_indent(bytes, body, parent),
        };
        let mut block = Self {
            chomping,
            comment,
            indent,
            body,
            end: header_end,
        };
        let mut at = body;
        while let Some(line) = block.line(bytes, at) {
            if !line.empty || chomping == Chomping::Keep {
                block.end = line.end;
            }
            at = line.end + line.break_len;
            if line.break_len == 0 {
                break;
            }
        }
        Some(block)
    }

    /// The line that starts at `at`, if it belongs to the scalar.
    pub(crate) fn line(&self, bytes: &[u8], at: usize) -> Option<Line> {
        let limit = at.saturating_add(self.indent).min(bytes.len());
        let mut start = at;
        while start < limit && bytes[start] == b' ' {
            start += 1;
        }
        match bytes.get(start) {
            None => None,
            Some(byte) if is_break(*byte) => Some(Line {
                start,
                end: start,
                break_len: break_len(bytes, start),
                empty: true,
            }),
            Some(_) if start - at < self.indent => None,
            // Neither may stand in a scalar; between documents a byte-order mark may start a line.
            Some(0) => None,
            Some(0xEF) if bytes[start..].starts_with(BOM) => None,
            Some(_) if self.indent == 0 && document_marker(bytes, at) => None,
            Some(_) => {
                let rest = &bytes[start..];
                let end = start + memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                Some(Line {
                    start,
                    end,
                    break_len: break_len(bytes, end),
                    empty: false,
                })
            }
        }
    }
}

/// The indentation of the first line of content, but at least one column more than the parent.
fn detect_indent(bytes: &[u8], body: usize, parent: Option<usize>) -> usize {
    let mut indent = parent.map_or(0, |column| column + 1);
    let mut at = body;
    loop {
        let start = at;
        while bytes.get(at) == Some(&b' ') {
            at += 1;
        }
        indent = indent.max(at - start);
        let length = break_len(bytes, at);
        if length == 0 {
            return indent;
        }
        at += length;
    }
}

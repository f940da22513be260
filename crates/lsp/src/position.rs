//! Positions of the protocol: 0-based lines, and columns in the units that client and server agreed on.

use gen_lsp_types::{Position, PositionEncodingKind, Range};
use tagwright_syntax::{LineIndex, Span};

/// What a column counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units: what holds where nothing was agreed on.
    #[default]
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    /// The encoding of this name in the protocol.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "utf-8" => Some(Self::Utf8),
            "utf-16" => Some(Self::Utf16),
            "utf-32" => Some(Self::Utf32),
            _ => None,
        }
    }

    pub(crate) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
            Self::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    /// The units of `character`.
    fn units(self, character: char) -> usize {
        match self {
            Self::Utf8 => character.len_utf8(),
            Self::Utf16 => character.len_utf16(),
            Self::Utf32 => 1,
        }
    }
}

/// The lines of one text. A lone `\r` ends a line in the protocol as it does in YAML.
pub(crate) struct Lines<'t> {
    text: &'t str,
    index: LineIndex,
    encoding: Encoding,
    /// Bytes of a byte-order mark that the editor does not show.
    hidden: usize,
}

impl<'t> Lines<'t> {
    /// The lines of a text as the client sent it.
    pub(crate) fn new(text: &'t str, encoding: Encoding) -> Self {
        Self {
            text,
            index: LineIndex::new(text),
            encoding,
            hidden: 0,
        }
    }

    /// The lines of a text from the disk: an editor that opens it takes a byte-order mark off.
    pub(crate) fn of_disk(text: &'t str, encoding: Encoding) -> Self {
        let hidden = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
        Self {
            hidden,
            ..Self::new(text, encoding)
        }
    }

    /// The place of byte `offset` (0-based), which is moved back to the start of its character.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let offset = floor(self.text, offset);
        let line = self
            .index
            .position(self.text, u32::try_from(offset).unwrap_or(u32::MAX))
            .line;
        let start = self
            .index
            .line_start(line)
            .map_or(0, |start| start as usize);
        let start = start.max(self.hidden).min(offset);
        let before = self.text.get(start..offset).unwrap_or_default();
        let units: usize = before.chars().map(|it| self.encoding.units(it)).sum();
        Position {
            line: line.saturating_sub(1),
            character: u32::try_from(units).unwrap_or(u32::MAX),
        }
    }

    /// The range of `span`, bytes of the text.
    pub(crate) fn range(&self, span: Span) -> Range {
        Range {
            start: self.position(span.start as usize),
            end: self.position(span.end as usize),
        }
    }

    /// The byte offset of `position`. A column behind the line's end is the line's end, a line behind the
    /// text's end is the text's end, and the middle of a character is its start.
    pub(crate) fn offset(&self, position: Position) -> usize {
        let Some(start) = self.index.line_start(position.line.saturating_add(1)) else {
            return self.text.len();
        };
        let start = (start as usize).max(self.hidden).min(self.text.len());
        let end = self
            .index
            .line_start(position.line.saturating_add(2))
            .map_or(self.text.len(), |next| next as usize);
        let line = self.text.get(start..end).unwrap_or_default();
        let line = line.trim_end_matches(['\n', '\r']);
        let mut left = position.character as usize;
        for (at, character) in line.char_indices() {
            let units = self.encoding.units(character);
            if left < units {
                return start + at;
            }
            left -= units;
        }
        start + line.len()
    }

    /// The bytes of `range`; an end before the start is moved up to it.
    pub(crate) fn span(&self, range: Range) -> Span {
        Span::new(self.offset(range.start), self.offset(range.end))
    }
}

/// The start of the character that byte `offset` of `text` belongs to.
pub(crate) fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a: é😀x\r\n한: y\rz\n";

    fn columns(encoding: Encoding) -> [(u32, u32); 4] {
        let lines = Lines::new(TEXT, encoding);
        ["x", "y", "z", "\r\n"].map(|needle| {
            let position = lines.position(TEXT.find(needle).unwrap());
            (position.line, position.character)
        })
    }

    #[test]
    fn columns_count_bytes_code_units_or_characters() {
        assert_eq!(columns(Encoding::Utf8), [(0, 9), (1, 5), (2, 0), (0, 10)]);
        assert_eq!(columns(Encoding::Utf16), [(0, 6), (1, 3), (2, 0), (0, 7)]);
        assert_eq!(columns(Encoding::Utf32), [(0, 5), (1, 3), (2, 0), (0, 6)]);
    }

    #[test]
    fn every_place_comes_back_from_its_position() {
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            let lines = Lines::new(TEXT, encoding);
            for (offset, character) in TEXT.char_indices() {
                // Between `\r` and `\n` there is no place of its own.
                if character == '\n' && TEXT[..offset].ends_with('\r') {
                    continue;
                }
                let position = lines.position(offset);
                assert_eq!(lines.offset(position), offset, "{encoding:?} {position:?}");
            }
        }
    }

    #[test]
    fn places_that_are_not_there_are_moved_to_the_nearest_before() {
        let lines = Lines::new(TEXT, Encoding::Utf16);
        let at = |line, character| lines.offset(Position { line, character });
        assert_eq!(at(0, 99), TEXT.find('\r').unwrap());
        assert_eq!(at(99, 0), TEXT.len());
        assert_eq!(at(0, 5), TEXT.find('😀').unwrap());
        assert_eq!(at(u32::MAX, u32::MAX), TEXT.len());
    }

    #[test]
    fn a_byte_order_mark_on_disk_is_no_column() {
        let text = "\u{feff}a: b\n";
        let place = |lines: Lines<'_>| lines.position(text.find('b').unwrap()).character;
        assert_eq!(place(Lines::of_disk(text, Encoding::Utf16)), 3);
        assert_eq!(place(Lines::new(text, Encoding::Utf16)), 4);
        let lines = Lines::of_disk(text, Encoding::Utf16);
        assert_eq!(
            lines.offset(Position {
                line: 0,
                character: 0
            }),
            3
        );
    }
}

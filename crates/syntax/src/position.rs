//! Lines and columns, computed only where something is printed.

use std::sync::OnceLock;

/// A place for people: line and column, both 1-based, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// 1-based line.
    pub line: u32,
    /// 1-based column in characters (Unicode scalar values).
    pub column: u32,
}

/// The line starts of one text. `\n`, `\r\n` and a lone `\r` end a line, as in YAML.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
    /// How many characters start before each [`BLOCK`] bytes of the text; only for texts with long lines.
    blocks: OnceLock<Vec<u32>>,
}

/// Bytes between two counts of characters.
const BLOCK: usize = 1024;

impl LineIndex {
    /// Reads the line starts of `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        /// A line of most files is longer, in bytes.
        const SHORT: usize = 24;
        let bytes = text.as_bytes();
        let mut starts = Vec::with_capacity(bytes.len() / SHORT + 1);
        starts.push(0);
        for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
            if bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n') {
                continue;
            }
            starts.push(u32::try_from(at + 1).unwrap_or(u32::MAX));
        }
        Self {
            starts,
            blocks: OnceLock::new(),
        }
    }

    /// The place of byte `offset` (0-based) of `text`, which must be the text the index was made from.
    /// A byte-order mark at the start of the text is no column.
    #[must_use]
    pub fn position(&self, text: &str, offset: u32) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset).max(1) - 1;
        let start = self.starts[line] as usize;
        let end = (offset as usize).min(text.len());
        let before = text.as_bytes().get(start..end).unwrap_or(&[]);
        let before = if line == 0 {
            before.strip_prefix("\u{feff}".as_bytes()).unwrap_or(before)
        } else {
            before
        };
        // A line of half a megabyte with thousands of findings would be counted again for each of them.
        let characters = if before.len() > 4 * BLOCK {
            self.characters_until(text, end) - self.characters_until(text, end - before.len())
        } else {
            characters(before)
        };
        Position {
            line: u32::try_from(line + 1).unwrap_or(u32::MAX),
            column: u32::try_from(characters + 1).unwrap_or(u32::MAX),
        }
    }

    /// How many characters of the text start before byte `end`.
    fn characters_until(&self, text: &str, end: usize) -> usize {
        let bytes = text.as_bytes();
        let blocks = self.blocks.get_or_init(|| {
            let mut count = 0;
            let blocks = bytes.chunks(BLOCK).map(|block| {
                let before = count;
                count += u32::try_from(characters(block)).unwrap_or(u32::MAX);
                before
            });
            blocks.collect()
        });
        let block = (end / BLOCK).min(blocks.len().saturating_sub(1));
        let before = blocks.get(block).map_or(0, |count| *count as usize);
        before + characters(bytes.get(block * BLOCK..end).unwrap_or(&[]))
    }

    /// The byte offset where the 1-based `line` starts, if there is such a line.
    #[must_use]
    pub fn line_start(&self, line: u32) -> Option<u32> {
        self.starts.get((line as usize).checked_sub(1)?).copied()
    }

    /// The number of lines; a text that ends in a line break has an empty last line.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.starts.len()
    }
}

/// Every byte that is not a UTF-8 continuation byte starts a character.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|b| (**b as i8) >= -0x40).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_at_all_three_breaks() {
        let text = "\u{feff}a: é\r\n한글: x\rb\n";
        let index = LineIndex::new(text);
        let at =
            |needle: &str| index.position(text, u32::try_from(text.find(needle).unwrap()).unwrap());
        assert_eq!(at("a"), Position { line: 1, column: 1 });
        assert_eq!(at("é"), Position { line: 1, column: 4 });
        assert_eq!(at("x"), Position { line: 2, column: 5 });
        assert_eq!(at("b"), Position { line: 3, column: 1 });
        assert_eq!(index.lines(), 4);
    }

    #[test]
    fn columns_of_a_long_line_are_those_of_counting_it() {
        let text = format!(
            "\u{feff}한글: é\n{}\nend: {}",
            "é한x".repeat(5000),
            "ü".repeat(3000)
        );
        let index = LineIndex::new(&text);
        for line in [2, 3] {
            let start = index.line_start(line).unwrap() as usize;
            for (characters, (at, _)) in text[start..].char_indices().enumerate().step_by(97) {
                if text[start..start + at].contains('\n') {
                    break;
                }
                let offset = u32::try_from(start + at).unwrap();
                let column = u32::try_from(characters + 1).unwrap();
                assert_eq!(index.position(&text, offset), Position { line, column });
            }
        }
    }
}

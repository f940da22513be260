//! Words as text to search in, with the way back to the script's bytes.
//!
//! A word such as `'[{"imageUri":"'$REPO:latest'"}]'` is searched in its *shape*: its value, in which every
//! expansion is one [`OPAQUE`] byte. Each byte of the shape knows its place in the script.

use std::ops::Range;

use tagwright_syntax::Span;
use tagwright_syntax::shell::{Command, Part, PartKind, Quoting, Word};

/// Stands for one expansion in a shape.
pub(super) const OPAQUE: char = '\u{1}';

/// Text with the places of its bytes.
pub(super) struct Shape {
    /// The value, expansions replaced.
    pub(super) text: String,
    /// For each byte of `text` the piece it comes from, and its place in the script.
    places: Vec<Place>,
    pieces: Vec<Piece>,
    /// Where the word ends, with its quotes.
    end: u32,
}

#[derive(Clone, Copy)]
struct Place {
    piece: usize,
    start: u32,
    end: u32,
}

#[derive(Clone, Copy)]
struct Piece {
    span: Span,
    quoting: Quoting,
    /// Where the previous piece (or nothing but quotes) ends.
    after: u32,
}

/// A part of a word that may name an image.
#[derive(Clone, Debug)]
pub(super) struct Slice {
    /// 0-based index of the word; `None` in a here-document.
    pub(super) word: Option<usize>,
    /// Bytes of the script.
    pub(super) span: Span,
    /// Its shape.
    pub(super) text: String,
    /// Where that starts in the shape of the word.
    offset: usize,
}

impl Shape {
    pub(super) fn of_word(word: &Word, script: &str) -> Self {
        Self::of_parts(&word.parts, word.span, script)
    }

    /// The shape of `parts`, which with the quotes around them fill `whole`.
    pub(super) fn of_parts(parts: &[Part], whole: Span, script: &str) -> Self {
        let length = whole.len();
        let mut shape = Self {
            text: String::with_capacity(length),
            places: Vec::with_capacity(length),
            pieces: Vec::with_capacity(parts.len()),
            end: whole.end,
        };
        let mut after = whole.start;
        for part in parts {
            let piece = shape.pieces.len();
            shape.pieces.push(Piece {
                span: part.span,
                quoting: part.quoting,
                after,
            });
            after = part.span.end;
            let literal = match &part.kind {
                PartKind::Literal(value) => shape.literal(value, part.span, piece, script),
                _ => false,
            };
            if !literal {
                shape.text.push(OPAQUE);
                shape.places.push(Place {
                    piece,
                    start: part.span.start,
                    end: part.span.end,
                });
            }
        }
        shape
    }

    /// Appends a literal; `false` if its value cannot be found in its source (`$'\n'`).
    fn literal(&mut self, value: &str, span: Span, piece: usize, script: &str) -> bool {
        let source = span.of(script);
        let (bytes, length) = (self.text.len(), self.places.len());
        // Asked without the script, for its values only.
        if source.is_empty() {
            self.text.push_str(value);
            // As long as its source: then nothing in it was escaped.
            let exact = span.len() == value.len();
            self.places
                .extend((span.start..).take(value.len()).map(|at| Place {
                    piece,
                    start: if exact { at } else { span.start },
                    end: if exact { at + 1 } else { span.end },
                }));
            return true;
        }
        if source == value {
            self.text.push_str(value);
            self.places.extend((span.start..span.end).map(|at| Place {
                piece,
                start: at,
                end: at + 1,
            }));
            // A character of several bytes is in one place.
            if !value.is_ascii() {
                for (at, char) in value.char_indices() {
                    for place in &mut self.places[length + at..length + at + char.len_utf8()] {
                        place.start = span.start + u32::try_from(at).unwrap_or(0);
                        place.end = place.start + u32::try_from(char.len_utf8()).unwrap_or(0);
                    }
                }
            }
            return true;
        }
        let mut at = 0;
        for char in value.chars() {
            let start = at;
            let Some(skipped) = source
                .get(at..)
                .and_then(|rest| rest.char_indices().take(4).find(|(_, c)| *c == char))
                .map(|(offset, _)| offset)
            else {
                self.text.truncate(bytes);
                self.places.truncate(length);
                return false;
            };
            at += skipped + char.len_utf8();
            self.text.push(char);
            for _ in 0..char.len_utf8() {
                self.places.push(Place {
                    piece,
                    start: span.start + u32::try_from(start).unwrap_or(0),
                    end: span.start + u32::try_from(at).unwrap_or(0),
                });
            }
        }
        true
    }

    /// The bytes of the script under `range` of the shape. Quotes that stand around the whole of it are
    /// outside, quotes in its middle inside. `None` if the range is empty or out of bounds.
    pub(super) fn span(&self, range: Range<usize>) -> Option<Span> {
        let places = self.places.get(range.clone())?;
        let (first, last) = (places.first()?, places.last()?);
        let mut span = Span {
            start: first.start,
            end: last.end,
        };
        let (from, to) = (self.pieces[first.piece], self.pieces[last.piece]);
        let uniform = self.pieces[first.piece..=last.piece]
            .windows(2)
            .all(|pair| {
                pair[0].quoting == pair[1].quoting && pair[0].span.end == pair[1].span.start
            });
        if uniform {
            return Some(span);
        }
        // Several quotings: the quotes at its ends belong to it, or the rest would lose its partner.
        if from.quoting != Quoting::None
            && first.start == from.span.start
            && from.after < from.span.start
        {
            let width = if from.quoting == Quoting::Ansi { 2 } else { 1 };
            span.start = from.span.start - width.min(from.span.start - from.after);
        }
        if to.quoting != Quoting::None && last.end == to.span.end {
            let next = self.pieces.get(last.piece + 1);
            let closes = next.is_none_or(|next| next.span.start > to.span.end);
            // A repaired text may lack the closing quote.
            span.end = (span.end + u32::from(closes)).min(self.end);
        }
        Some(span)
    }

    /// The part of the shape under `range`.
    pub(super) fn slice(&self, range: Range<usize>, word: Option<usize>) -> Option<Slice> {
        Some(Slice {
            word,
            span: self.span(range.clone())?,
            offset: range.start,
            text: self.text.get(range)?.to_string(),
        })
    }

    /// From `start` to the end.
    pub(super) fn tail(&self, start: usize, word: Option<usize>) -> Option<Slice> {
        self.slice(start..self.text.len(), word)
    }
}

/// A simple command behind its wrappers (`sudo`, `env A=1`, `time`, …).
pub(super) struct View<'a> {
    pub(super) command: &'a Command,
    pub(super) script: &'a str,
    /// Index of the program's word.
    pub(super) start: usize,
    /// Its name without folder and `.exe`.
    pub(super) program: String,
}

impl<'a> View<'a> {
    /// `None` if there is no program, or its name is not written out.
    pub(super) fn new(command: &'a Command, script: &'a str) -> Option<Self> {
        let start = super::wrappers::unwrap(command, script)?;
        let word = command.words.get(start)?;
        let program = match word.value() {
            Some(name) => base_name(&name)?.to_owned(),
            None => base_name(&Shape::of_word(word, script).text)?.to_owned(),
        };
        Some(Self {
            command,
            script,
            start,
            program,
        })
    }

    pub(super) fn word(&self, index: usize) -> Option<&'a Word> {
        self.command.words.get(index)
    }

    pub(super) fn len(&self) -> usize {
        self.command.words.len()
    }

    /// The shape of a word; empty behind the last.
    pub(super) fn shape(&self, index: usize) -> Shape {
        match self.word(index) {
            Some(word) => Shape::of_word(word, self.script),
            None => Shape::of_parts(&[], Span::default(), self.script),
        }
    }

    /// A whole word.
    pub(super) fn whole(&self, index: usize) -> Option<Slice> {
        self.shape(index).tail(0, Some(index))
    }

    /// The part of `slice` under `range` of its text.
    pub(super) fn cut(&self, slice: &Slice, range: Range<usize>) -> Option<Slice> {
        let word = slice.word?;
        let range = slice.offset + range.start..slice.offset + range.end;
        self.shape(word).slice(range, slice.word)
    }

    /// Whether the word is exactly `text`.
    pub(super) fn is(&self, index: usize, text: &str) -> bool {
        self.word(index).is_some_and(|word| word.is(text))
    }

    /// The value of a word without expansions.
    pub(super) fn literal(&self, index: usize) -> Option<String> {
        self.word(index)?.literal()
    }
}

/// The last component of a path whose end is written out.
pub(super) fn base_name(path: &str) -> Option<&str> {
    let base = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let base = base.strip_suffix(".exe").unwrap_or(base);
    (!base.is_empty() && !base.contains(OPAQUE)).then_some(base)
}

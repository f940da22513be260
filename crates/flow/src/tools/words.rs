//! Words as text to search in, with the way back to the script's bytes.
//!
//! A word such as `'[{"imageUri":"'$REPO:latest'"}]'` is searched in its *shape*: its value, in which every
//! expansion is one [`OPAQUE`] byte. Each byte of the shape has a place in the script, which is worked out
//! when somebody asks for it: most words are only looked at.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use tagwright_syntax::shell::{Command, Part, PartKind, Quoting, Word};
use tagwright_syntax::{SmolStr, Span};

/// Stands for one expansion in a shape.
pub(super) const OPAQUE: char = '\u{1}';
const OPAQUE_TEXT: &str = "\u{1}";

/// Text with the places of its bytes.
pub(super) struct Shape<'a> {
    /// The value, expansions replaced.
    pub(super) text: Cow<'a, str>,
    parts: &'a [Part],
    /// The parts with the quotes around them, bytes of the script.
    whole: Span,
    script: &'a str,
    /// One for each part, made for the first question about a place.
    pieces: OnceCell<Vec<Piece>>,
}

/// A part in the shape.
struct Piece {
    /// Where it starts there.
    at: usize,
    /// If its source has escapes: the bytes of the script that give each byte of it.
    places: Option<Vec<Span>>,
}

/// A part of a word that may name an image.
#[derive(Clone, Debug)]
pub(super) struct Slice {
    /// 0-based index of the word; `None` in a here-document.
    pub(super) word: Option<usize>,
    /// Bytes of the script.
    pub(super) span: Span,
    /// Its shape.
    pub(super) text: SmolStr,
    /// Where that starts in the shape of the word.
    offset: usize,
}

/// What a part of a word is in the shape; a literal whose value cannot be found in its source (`$'\n'`) is
/// as opaque as an expansion.
fn shape_of<'a>(part: &'a Part, script: &str) -> &'a str {
    match &part.kind {
        PartKind::Literal(value) => {
            let source = part.span.of(script);
            // Asked without the script, for its values only.
            let plain = source.is_empty() || source == &**value;
            if plain || places_in(value, source, &mut |_, _| {}) {
                value
            } else {
                OPAQUE_TEXT
            }
        }
        _ => OPAQUE_TEXT,
    }
}

/// Shows `place` the bytes of `source` that give each character of `value`, which has fewer escapes. `false`
/// if one is not the other's source.
fn places_in(value: &str, source: &str, place: &mut dyn FnMut(char, Range<usize>)) -> bool {
    let mut at = 0;
    for char in value.chars() {
        let skipped = source
            .get(at..)
            .and_then(|rest| rest.char_indices().take(4).find(|(_, c)| *c == char));
        let Some((skipped, _)) = skipped else {
            return false;
        };
        let end = at + skipped + char.len_utf8();
        place(char, at..end);
        at = end;
    }
    true
}

impl<'a> Shape<'a> {
    pub(super) fn of_word(word: &'a Word, script: &'a str) -> Self {
        Self::of_parts(&word.parts, word.span, script)
    }

    /// The shape of `parts`, which with the quotes around them fill `whole`.
    pub(super) fn of_parts(parts: &'a [Part], whole: Span, script: &'a str) -> Self {
        let text = match parts {
            [] => Cow::Borrowed(""),
            [part] => Cow::Borrowed(shape_of(part, script)),
            _ => {
                let mut text = String::with_capacity(whole.len());
                for part in parts {
                    text.push_str(shape_of(part, script));
                }
                Cow::Owned(text)
            }
        };
        Self {
            text,
            parts,
            whole,
            script,
            pieces: OnceCell::new(),
        }
    }

    fn pieces(&self) -> &[Piece] {
        self.pieces.get_or_init(|| {
            let mut at = 0;
            let piece = |part: &Part| {
                let shape = shape_of(part, self.script);
                let source = part.span.of(self.script);
                let escaped = matches!(part.kind, PartKind::Literal(_))
                    && !source.is_empty()
                    && source != shape
                    && shape != OPAQUE_TEXT;
                let places = escaped.then(|| {
                    let start = part.span.start as usize;
                    let mut places = Vec::with_capacity(shape.len());
                    places_in(shape, source, &mut |char, range| {
                        let place = Span::new(start + range.start, start + range.end);
                        places.extend(std::iter::repeat_n(place, char.len_utf8()));
                    });
                    places
                });
                let piece = Piece { at, places };
                at += shape.len();
                piece
            };
            self.parts.iter().map(piece).collect()
        })
    }

    /// The index of the part that byte `at` of the shape comes from, and the bytes of the script that give it.
    fn place(&self, at: usize) -> Option<(usize, Span)> {
        let pieces = self.pieces();
        let index = pieces
            .partition_point(|piece| piece.at <= at)
            .checked_sub(1)?;
        let (piece, part) = (&pieces[index], &self.parts[index]);
        let inside = at - piece.at;
        if let Some(places) = &piece.places {
            return Some((index, *places.get(inside)?));
        }
        let PartKind::Literal(value) = &part.kind else {
            return Some((index, part.span));
        };
        // Asked without the script: as long as its source, then nothing in it was escaped.
        if part.span.len() != value.len() {
            return Some((index, part.span));
        }
        // A character of several bytes is in one place.
        let boundary = |at: &usize| value.is_char_boundary(*at);
        let from = (0..=inside).rev().find(boundary)?;
        let to = (inside + 1..=value.len()).find(boundary)?;
        let start = part.span.start as usize;
        Some((index, Span::new(start + from, start + to)))
    }

    /// The bytes of the script under `range` of the shape. Quotes that stand around the whole of it are
    /// outside, quotes in its middle inside. `None` if the range is empty or out of bounds.
    pub(super) fn span(&self, range: Range<usize>) -> Option<Span> {
        if range.is_empty() || range.end > self.text.len() {
            return None;
        }
        let (first, start) = self.place(range.start)?;
        let (last, end) = self.place(range.end - 1)?;
        let mut span = start.cover(end);
        let uniform = self.parts[first..=last].windows(2).all(|pair| {
            pair[0].quoting == pair[1].quoting && pair[0].span.end == pair[1].span.start
        });
        if uniform {
            return Some(span);
        }
        // Several quotings: the quotes at its ends belong to it, or the rest would lose its partner.
        let from = &self.parts[first];
        let after = match first.checked_sub(1) {
            Some(before) => self.parts[before].span.end,
            None => self.whole.start,
        };
        if from.quoting != Quoting::None && span.start == from.span.start && after < from.span.start
        {
            let width = if from.quoting == Quoting::Ansi { 2 } else { 1 };
            span.start = from.span.start - width.min(from.span.start - after);
        }
        let to = &self.parts[last];
        if to.quoting != Quoting::None && span.end == to.span.end {
            let next = self.parts.get(last + 1);
            let closes = next.is_none_or(|next| next.span.start > to.span.end);
            // A repaired text may lack the closing quote.
            span.end = (span.end + u32::from(closes)).min(self.whole.end);
        }
        Some(span)
    }

    /// The part of the shape under `range`.
    pub(super) fn slice(&self, range: Range<usize>, word: Option<usize>) -> Option<Slice> {
        Some(Slice {
            word,
            span: self.span(range.clone())?,
            offset: range.start,
            text: self.text.get(range)?.into(),
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
    pub(super) program: SmolStr,
    /// Whether a wrapper keeps this shell's exported variables from it.
    pub(super) drops: bool,
}

impl<'a> View<'a> {
    /// `None` if there is no program, or its name is not written out.
    pub(super) fn new(command: &'a Command, script: &'a str) -> Option<Self> {
        let super::wrappers::Unwrapped { at: start, drops } =
            super::wrappers::unwrap(command, script)?;
        let word = command.words.get(start)?;
        let program = match word.value() {
            Some(name) => base_name(&name)?.into(),
            None => base_name(&Shape::of_word(word, script).text)?.into(),
        };
        Some(Self {
            command,
            script,
            start,
            program,
            drops,
        })
    }

    pub(super) fn word(&self, index: usize) -> Option<&'a Word> {
        self.command.words.get(index)
    }

    pub(super) fn len(&self) -> usize {
        self.command.words.len()
    }

    /// The shape of a word; empty behind the last.
    pub(super) fn shape(&self, index: usize) -> Shape<'a> {
        match self.word(index) {
            Some(word) => Shape::of_word(word, self.script),
            None => Shape::of_parts(&[], Span::default(), self.script),
        }
    }

    /// A whole word, but for blanks that it begins with: `\` at the end of a line that YAML has joined with the next
    /// one is a blank in the word, and the image is meant without it.
    pub(super) fn whole(&self, index: usize) -> Option<Slice> {
        let shape = self.shape(index);
        let blanks = shape.text.len() - shape.text.trim_start().len();
        shape.tail(blanks, Some(index))
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

//! The lines of files that a finding shows, as a source that miette can draw.
//!
//! miette would count columns in bytes, print control bytes as they are and draw a line of a megabyte whole.
//! So it never sees a file: it sees windows of a few lines, each cut to what fits and free of characters
//! that a terminal would act on, laid end to end in one space of offsets.

use miette::{MietteError, SourceCode, SourceSpan, SpanContents};

use super::{Place, Report, acts, completes_command, escape};

/// Longer lines are cut around the place; in characters.
const LINE_LIMIT: usize = 200;
/// Characters that stay before the place in a cut line.
const BEFORE: usize = 60;
/// Of a place of more lines than this, the first lines are shown.
const LINES_LIMIT: u32 = 5;

/// A place to show.
pub(super) struct Label {
    pub(super) place: Place,
    pub(super) text: Option<String>,
    pub(super) primary: bool,
}

/// Windows of files, with the labels in them.
#[derive(Debug)]
pub(super) struct Excerpt {
    windows: Vec<Window>,
    pub(super) labels: Vec<miette::LabeledSpan>,
}

#[derive(Debug)]
struct Window {
    /// `path:line:column` of the label that it is about.
    name: String,
    text: String,
    /// The offset of its first byte.
    base: usize,
    /// 0-based.
    first_line: usize,
    lines: usize,
}

impl Excerpt {
    pub(super) fn new(report: &Report, labels: &[Label]) -> Self {
        let mut excerpt = Excerpt {
            windows: Vec::new(),
            labels: Vec::new(),
        };
        let mut files: Vec<usize> = Vec::new();
        for label in labels {
            if !files.contains(&label.place.file) {
                files.push(label.place.file);
            }
        }
        for file in files {
            let mut of_file: Vec<&Label> = labels
                .iter()
                .filter(|label| label.place.file == file)
                .collect();
            of_file.sort_by_key(|label| label.place.span);
            // Ranges of lines, 1-based, both ends included, with one line of context.
            let last_line = u32::try_from(report.files[file].index.lines()).unwrap_or(u32::MAX);
            let mut ranges: Vec<(u32, u32, Vec<&Label>)> = Vec::new();
            for label in of_file {
                let (first, last) = lines(label.place);
                let (first, last) = (first.saturating_sub(1).max(1), (last + 1).min(last_line));
                match ranges.last_mut() {
                    Some((_, end, members)) if first <= *end + 1 => {
                        *end = last.max(*end);
                        members.push(label);
                    }
                    _ => ranges.push((first, last, vec![label])),
                }
            }
            for (first, last, members) in ranges {
                excerpt.window(report, file, first, last, &members);
            }
        }
        excerpt
    }

    fn window(&mut self, report: &Report, file: usize, first: u32, last: u32, labels: &[&Label]) {
        let base = self
            .windows
            .last()
            .map_or(0, |window| window.base + window.text.len() + 1);
        let source = &report.files[file];
        let mut text = String::new();
        // Where shown characters of the file went: offset there, offset here; ascending.
        let mut map: Vec<(usize, usize)> = Vec::new();
        let mut shown = 0;
        for number in first..=last {
            let Some(start) = source.index.line_start(number) else {
                break;
            };
            let start = start as usize;
            let end = source
                .index
                .line_start(number + 1)
                .map_or(source.text.len(), |next| next as usize);
            let line = source.text.get(start..end).unwrap_or_default();
            let trimmed = line.trim_end_matches(['\n', '\r']);
            let focus = labels
                .iter()
                .filter(|label| lines(label.place).0 == number)
                .max_by_key(|label| label.primary)
                .map_or(0, |label| label.place.span.start as usize - start);
            if trimmed.is_empty()
                && number == last
                && number > first
                && focus == 0
                && !labels.iter().any(|label| lines(label.place).0 == number)
            {
                break;
            }
            let (from, to) = cut(trimmed, focus);
            if from > 0 {
                text.push_str("...");
            }
            for (inside, character) in trimmed[from..to].char_indices() {
                let at = start + from + inside;
                if at == 0 && character == '\u{feff}' {
                    continue;
                }
                map.push((at, text.len()));
                if character != '\t' && acts(character) {
                    text.extend(character.escape_default());
                } else if completes_command(trimmed, from + inside) {
                    text.extend(character.escape_unicode());
                } else {
                    text.push(character);
                }
            }
            map.push((start + to, text.len()));
            if to < trimmed.len() {
                text.push_str("...");
            }
            text.push('\n');
            shown += 1;
        }
        let here = |offset: usize| {
            let at = map.partition_point(|(there, _)| *there < offset);
            map.get(at).or(map.last()).map_or(0, |(_, here)| *here)
        };
        let mut name = String::new();
        for label in labels {
            let (line, column) = label.place.start;
            if name.is_empty() || label.primary {
                name = format!("{}:{line}:{column}", escape(report.path(label.place)));
            }
            let start = here(label.place.span.start as usize);
            let end = here(label.place.span.end as usize).max(start);
            let span = SourceSpan::from((base + start, end - start));
            let text = label.text.as_deref().map(|text| escape(text).into_owned());
            self.labels.push(if label.primary {
                miette::LabeledSpan::new_primary_with_span(text, span)
            } else {
                miette::LabeledSpan::new_with_span(text, span)
            });
        }
        self.windows.push(Window {
            name,
            text,
            base,
            first_line: (first - 1) as usize,
            lines: shown,
        });
    }
}

/// The lines of a place to show, 1-based, both ends included.
fn lines(place: Place) -> (u32, u32) {
    let (first, _) = place.start;
    let (last, column) = place.end;
    // A range that ends with a line break ends on the line that it breaks.
    let last = if last > first && column == 1 {
        last - 1
    } else {
        last
    };
    (first, last.min(first + LINES_LIMIT - 1))
}

/// The bytes of `line` to show, around the byte `focus`.
fn cut(line: &str, focus: usize) -> (usize, usize) {
    if line.len() <= LINE_LIMIT || line.chars().nth(LINE_LIMIT).is_none() {
        return (0, line.len());
    }
    let focus = (0..=focus.min(line.len()))
        .rev()
        .find(|at| line.is_char_boundary(*at))
        .unwrap_or(0);
    let from = line[..focus]
        .char_indices()
        .rev()
        .nth(BEFORE - 1)
        .map_or(0, |(at, _)| at);
    let to = line[from..]
        .char_indices()
        .nth(LINE_LIMIT)
        .map_or(line.len(), |(at, _)| from + at);
    (from, to)
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        _lines_before: usize,
        _lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset() + span.len();
        self.windows
            .iter()
            .find(|window| window.base <= span.offset() && end <= window.base + window.text.len())
            .map(|window| {
                Box::new(WindowContents {
                    window,
                    span: SourceSpan::from((window.base, window.text.len())),
                }) as Box<dyn SpanContents<'a>>
            })
            .ok_or(MietteError::OutOfBounds)
    }
}

struct WindowContents<'a> {
    window: &'a Window,
    span: SourceSpan,
}

impl<'a> SpanContents<'a> for WindowContents<'a> {
    fn data(&self) -> &'a [u8] {
        self.window.text.as_bytes()
    }

    fn span(&self) -> &SourceSpan {
        &self.span
    }

    fn name(&self) -> Option<&str> {
        Some(&self.window.name)
    }

    fn line(&self) -> usize {
        self.window.first_line
    }

    fn column(&self) -> usize {
        0
    }

    fn line_count(&self) -> usize {
        self.window.lines
    }
}

//! What may be written next, from the grammar tables.
//!
//! While a key is being written the file is seldom YAML, so that the place is found from the indentation of
//! the lines above, not from a tree.

use gen_lsp_types as lsp;
use tagwright_flow::FileId;
use tagwright_grammar::Grammar;
use tagwright_syntax::Span;

use crate::root::Root;
use crate::server::View;

/// The keys or values that may stand at byte `offset` of the file `id`.
pub(crate) fn complete(
    view: &View<'_>,
    root: &Root,
    id: FileId,
    offset: usize,
) -> Option<Vec<lsp::CompletionItem>> {
    let (_, document) = root.file(id)?;
    // JSON is written by programs, and needs other punctuation.
    if document.relative.ends_with(".json") {
        return None;
    }
    let grammar = Grammar::of(document.kind, &document.text)?;
    let place = Place::find(&document.text, offset)?;
    let lines = view.lines(root, id)?;
    let range = lines.range(place.typed);
    let path: Vec<&str> = place.path.iter().map(String::as_str).collect();
    let edit = |text: String| {
        Some(
            lsp::TextEdit {
                range,
                new_text: text,
            }
            .into(),
        )
    };
    let items: Vec<lsp::CompletionItem> = if place.is_value {
        grammar
            .values(&path)
            .into_iter()
            .enumerate()
            .map(|(index, value)| lsp::CompletionItem {
                label: value.to_owned(),
                kind: Some(lsp::CompletionItemKind::Value),
                // The table's order says something; the alphabet's does not.
                sort_text: Some(format!("{index:03}")),
                text_edit: edit(value.to_owned()),
                ..Default::default()
            })
            .collect()
    } else {
        grammar
            .keys(&path)
            .into_iter()
            .enumerate()
            .filter(|(_, key)| !place.siblings.iter().any(|it| it == key.name))
            .map(|(index, key)| lsp::CompletionItem {
                label: key.name.to_owned(),
                kind: Some(lsp::CompletionItemKind::Property),
                detail: Some(key.holds),
                documentation: (!key.docs.is_empty()).then(|| key.docs.to_owned().into()),
                sort_text: Some(format!("{index:03}")),
                text_edit: edit(match (place.has_colon, key.inline) {
                    (true, _) => key.name.to_owned(),
                    (false, true) => format!("{}: ", key.name),
                    (false, false) => format!("{}:", key.name),
                }),
                ..Default::default()
            })
            .collect()
    };
    (!items.is_empty()).then_some(items)
}

/// Where the cursor stands.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// The keys from the top of the file down to the mapping, or to the key whose value is being written.
    path: Vec<String>,
    is_value: bool,
    /// What has been typed of the word, and what of it follows the cursor; bytes of the file.
    typed: Span,
    /// A colon follows already.
    has_colon: bool,
    /// Keys of the same mapping on other lines.
    siblings: Vec<String>,
}

/// A line of block style.
struct Line<'t> {
    /// Columns (bytes) of its dashes.
    dashes: Vec<usize>,
    /// Column of what follows them.
    column: usize,
    /// What follows.
    rest: &'t str,
}

impl<'t> Line<'t> {
    fn new(line: &'t str) -> Self {
        let mut column = line.len() - line.trim_start_matches(' ').len();
        let mut dashes = Vec::new();
        while let Some(after) = line[column..].strip_prefix('-') {
            if !(after.is_empty() || after.starts_with(' ')) {
                break;
            }
            dashes.push(column);
            column = line.len() - after.trim_start_matches(' ').len();
        }
        Self {
            dashes,
            column,
            rest: line[column..].trim_end(),
        }
    }

    fn is_empty(&self) -> bool {
        self.dashes.is_empty() && (self.rest.is_empty() || self.rest.starts_with('#'))
    }

    /// The key and what stands behind its colon.
    fn entry(&self) -> Option<(&'t str, &'t str)> {
        let (key, value) = self.rest.split_once(':')?;
        let plain = key.trim_matches(['"', '\'']).trim_end();
        let is_key = !plain.is_empty()
            && !plain.contains([' ', '#', '{', '[', '"', '\'', '$'])
            && (value.is_empty() || value.starts_with(' '));
        is_key.then_some((plain, value.trim()))
    }

    /// Whether the lines below are its text.
    fn opens_block(&self) -> bool {
        let value = self.entry().map_or(self.rest, |(_, value)| value);
        value.starts_with(['|', '>'])
    }
}

impl Place {
    fn find(text: &str, offset: usize) -> Option<Self> {
        let is_break = |it: char| it == '\n' || it == '\r';
        let is_word = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.' | '/');
        let (before, after) = text.split_at_checked(offset)?;
        let start = before.rfind(is_break).map_or(0, |at| at + 1);
        let (above, current) = before.split_at(start);
        let line = Line::new(current);
        if line.rest.starts_with('#') || current.contains('\t') {
            return None;
        }
        let rest = &after[..after.find(is_break).unwrap_or(after.len())];
        let following = rest.len() - rest.trim_start_matches(is_word).len();
        let value = line.entry().filter(|(_, value)| {
            // `key:` without a blank is still the key.
            !value.is_empty() || current.ends_with(' ')
        });
        let typed = value.map_or(&current[line.column.min(current.len())..], |(_, value)| {
            value
        });
        let word = typed.trim_start_matches(['"', '\'']);
        if !word.chars().all(is_word) {
            return None;
        }
        let mut path = vec![];
        // Parents stand further to the left than this.
        let mut limit = match line.dashes.first() {
            Some(dash) => dash + 1,
            None => line.column,
        };
        let mut siblings = Vec::new();
        let mut same = line.dashes.is_empty();
        for other in above.lines().rev().map(Line::new) {
            if other.is_empty() {
                continue;
            }
            let inner = other.dashes.first().copied().unwrap_or(other.column);
            if other.opens_block() && inner < limit {
                return None;
            }
            match other.entry() {
                Some((key, _)) if other.column < limit && other.dashes.is_empty() => {
                    path.push(key.to_owned());
                    limit = other.column;
                    same = false;
                }
                // `- a:` with more below it: the key is a parent, and its own parent stands left of the dash.
                Some((key, _)) if other.column < limit => {
                    path.push(key.to_owned());
                    limit = inner + 1;
                    same = false;
                }
                entry => {
                    if same && other.column == line.column {
                        siblings.extend(entry.map(|(key, _)| key.to_owned()));
                    }
                    if inner < limit {
                        // The item that the line is in begins here.
                        limit = inner + 1;
                        same = false;
                    }
                }
            }
            if limit == 0 {
                break;
            }
        }
        for other in after.lines().skip(1).map(Line::new) {
            if other.is_empty() {
                continue;
            }
            if other.dashes.first().copied().unwrap_or(other.column) < line.column {
                break;
            }
            if other.column == line.column && other.dashes.is_empty() {
                siblings.extend(other.entry().map(|(key, _)| key.to_owned()));
            }
        }
        path.reverse();
        path.extend(value.map(|(key, _)| key.to_owned()));
        Some(Self {
            path,
            is_value: value.is_some(),
            typed: Span::new(offset - word.len(), offset + following),
            has_colon: rest[following..].trim_start().starts_with(':'),
            siblings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place at `|`: its path, `=` before it for a value, and what is typed.
    fn at(text: &str) -> Option<String> {
        let offset = text.find('|').unwrap();
        let text = text.replacen('|', "", 1);
        let place = Place::find(&text, offset)?;
        let sign = if place.is_value { "=" } else { "" };
        Some(format!(
            "{sign}{} {:?}",
            place.path.join("."),
            place.typed.of(&text)
        ))
    }

    #[test]
    fn the_place_is_found_from_the_indentation() {
        let cases = [
            ("|", " \"\""),
            ("ver|sion", " \"version\""),
            ("version: |", "=version \"\""),
            ("version: 0.|2", "=version \"0.2\""),
            ("phases:\n  |", "phases \"\""),
            ("phases:\n|", " \"\""),
            ("phases:\r\n  build:\r\n    on-f|", "phases.build \"on-f\""),
            (
                "phases:\n  build:\n    # why\n\n    on-failure: A|",
                "=phases.build.on-failure \"A\"",
            ),
            (
                "batch:\n  build-list:\n    - identifier: a\n      |",
                "batch.build-list \"\"",
            ),
            (
                "batch:\n  build-list:\n    - env:\n        |",
                "batch.build-list.env \"\"",
            ),
            (
                "batch:\n  build-list:\n    - a: b\n    - |",
                "batch.build-list \"\"",
            ),
            (
                "batch:\n  build-list:\n  - a: b\n  - i|",
                "batch.build-list \"i\"",
            ),
            (
                "phases:\n  build:\n    commands:\n      - a b\n      - c: d\n    fin|",
                "phases.build \"fin\"",
            ),
            (
                "reports:\n  unit:\n    file-format: 'JU|",
                "=reports.unit.file-format \"JU\"",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(at(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn nothing_is_offered_inside_texts_and_comments() {
        for text in [
            "a: >-\n  b\n  |",
            "x:\n  - >\n    a: b\n    |",
            "# v|",
            "a:\n\t|",
            "version: 0.2 # |",
            "commands:\n  - echo a b|",
        ] {
            let found = at(text);
            assert_eq!(found, None, "{text:?}");
        }
    }

    #[test]
    fn keys_that_are_there_are_not_offered_again() {
        let text = "phases:\n  install:\n    commands:\n      - a\n  |\n  build:\n    commands: b\nenv:\n  shell: bash\n";
        let offset = text.find('|').unwrap();
        let place = Place::find(&text.replacen('|', "", 1), offset).unwrap();
        assert_eq!(place.siblings, ["install", "build"]);
    }
}

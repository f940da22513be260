//! Buildspecs that a configuration of Terraform holds itself: here-documents, quoted texts, and what `yamlencode` or
//! `jsonencode` make of an object.

use tagwright_syntax::Span;
use tagwright_syntax::hcl::{Body, Expression, ExpressionKind, Part, PartKind};

use super::inline::Inline;

/// The buildspecs of the projects in the file, in its order. `text` is the file.
pub(crate) fn buildspecs(text: &str, file: &Body) -> Vec<Inline> {
    let projects = file
        .blocks("resource")
        .filter(|block| matches!(&*block.labels, [kind, _] if &**kind == "aws_codebuild_project"));
    projects
        .flat_map(|block| block.body.blocks("source"))
        .filter_map(|source| read(text, source.body.value("buildspec")?))
        .collect()
}

/// The buildspec that the value is; `None` if it is the path of a file, or something else.
pub(crate) fn read(text: &str, value: &Expression) -> Option<Inline> {
    let mut inline = Inline::new(value.span);
    let mut writer = Writer {
        text,
        inline: &mut inline,
    };
    match value
        .call("yamlencode")
        .or_else(|| value.call("jsonencode"))
    {
        Some([object]) => writer.encoded(object)?,
        Some(_) => return None,
        None => writer.plain(value)?,
    }
    inline.is_text().then_some(inline)
}

/// Puts the text together.
struct Writer<'a> {
    text: &'a str,
    inline: &'a mut Inline,
}

/// What a character is written as in the file.
#[derive(Clone, Copy)]
struct Written {
    character: char,
    source: Span,
    verbatim: bool,
}

impl Writer<'_> {
    /// A text as it is.
    fn plain(&mut self, value: &Expression) -> Option<()> {
        match &value.kind {
            ExpressionKind::Text(decoded) => {
                for it in aligned(self.text, inside(value.span), decoded, true)? {
                    self.put(it, None);
                }
            }
            ExpressionKind::Template(parts) => self.parts(parts, true, |_| None)?,
            ExpressionKind::Heredoc(parts) => self.parts(parts, false, |_| None)?,
            _ => return None,
        }
        Some(())
    }

    fn parts(
        &mut self,
        parts: &[Part],
        escapes: bool,
        spelled: impl Fn(char) -> Option<String>,
    ) -> Option<()> {
        for part in parts {
            match &part.kind {
                PartKind::Text(decoded) => {
                    for it in aligned(self.text, part.span, decoded, escapes)? {
                        self.put(it, spelled(it.character));
                    }
                }
                PartKind::Value(value) => {
                    self.inline.unknown(value.span.of(self.text), part.span);
                }
                PartKind::Directive(_) => return None,
            }
        }
        Some(())
    }

    /// What JSON, which is YAML, writes the value as.
    fn encoded(&mut self, value: &Expression) -> Option<()> {
        match &value.kind {
            ExpressionKind::Object(entries) => {
                self.sign("{", value.span);
                for (at, entry) in entries.iter().enumerate() {
                    let key = entry.key.as_deref()?;
                    let place = Span {
                        end: entry.value.span.start,
                        ..entry.span
                    };
                    let written = place.of(self.text);
                    let quoted = usize::from(written.starts_with('"'));
                    let start = place.start as usize + quoted;
                    let itself = written[quoted..].starts_with(key) && json_of(key) == key;
                    let length = if itself {
                        key.len()
                    } else {
                        place.len() - quoted
                    };
                    if at > 0 {
                        self.sign(", ", Span::empty(start));
                    }
                    self.sign("\"", Span::empty(start));
                    let span = Span::new(start, start + length);
                    let spelled = json_of(key);
                    self.inline.map.push(span, spelled.len(), itself);
                    self.inline.text.push_str(&spelled);
                    self.sign("\": ", Span::empty(start + length));
                    self.encoded(&entry.value)?;
                }
                self.sign("}", value.span);
            }
            ExpressionKind::List(items) => {
                self.sign("[", value.span);
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.sign(", ", Span::empty(item.span.start as usize));
                    }
                    self.encoded(item)?;
                }
                self.sign("]", value.span);
            }
            ExpressionKind::Word => {
                let word = value.span.of(self.text).to_owned();
                self.sign(&word, value.span);
            }
            ExpressionKind::Text(decoded) => {
                self.sign("\"", value.span);
                for it in aligned(self.text, inside(value.span), decoded, true)? {
                    self.put(it, json(it.character));
                }
                self.sign("\"", value.span);
            }
            ExpressionKind::Template(parts) => self.quoted(parts, true, value.span)?,
            ExpressionKind::Heredoc(parts) => self.quoted(parts, false, value.span)?,
            ExpressionKind::Call { .. } | ExpressionKind::Address(_) | ExpressionKind::Other(_) => {
                self.sign("\"", value.span);
                self.inline.unknown(value.span.of(self.text), value.span);
                self.sign("\"", value.span);
            }
        }
        Some(())
    }

    fn quoted(&mut self, parts: &[Part], escapes: bool, span: Span) -> Option<()> {
        self.sign("\"", span);
        self.parts(parts, escapes, json)?;
        self.sign("\"", span);
        Some(())
    }

    /// A character of the file, spelled in another way where the text asks for it.
    fn put(&mut self, it: Written, spelled: Option<String>) {
        let mut buffer = [0; 4];
        let (text, verbatim) = match &spelled {
            Some(text) => (&**text, false),
            None => (&*it.character.encode_utf8(&mut buffer), it.verbatim),
        };
        self.inline.map.push(it.source, text.len(), verbatim);
        self.inline.text.push_str(text);
    }

    /// Signs that the file does not have.
    fn sign(&mut self, sign: &str, place: Span) {
        self.inline.map.push(place, sign.len(), false);
        self.inline.text.push_str(sign);
    }
}

/// How JSON writes a character that cannot stand for itself.
pub(super) fn json(character: char) -> Option<String> {
    match character {
        '"' | '\\' => Some(format!("\\{character}")),
        '\n' => Some("\\n".to_owned()),
        _ if character.is_control() => Some(format!("\\u{:04x}", u32::from(character))),
        _ => None,
    }
}

/// A text as JSON writes it between quotes.
pub(super) fn json_of(text: &str) -> String {
    text.chars()
        .map(|it| json(it).unwrap_or_else(|| it.to_string()))
        .collect()
}

/// What stands between the quotes.
fn inside(span: Span) -> Span {
    Span {
        start: span.start + 1,
        end: span.end.max(span.start + 2) - 1,
    }
}

/// The characters of `decoded` with what each is written as at `span` of `text`: as itself, as an escape (if there
/// are any in this kind of text), or behind indentation that is no part of the value. `None` if the two do not fit.
fn aligned(text: &str, span: Span, decoded: &str, escapes: bool) -> Option<Vec<Written>> {
    let source = text.get(span.range())?;
    let mut at = 0;
    let mut written = Vec::with_capacity(decoded.len());
    for character in decoded.chars() {
        loop {
            let rest = source.get(at..)?;
            let next = rest.chars().next()?;
            let (length, verbatim) = if escapes && next == '\\' {
                let length = match rest[1..].chars().next()? {
                    'u' => 6,
                    'U' => 10,
                    _ => 2,
                };
                (length, false)
            } else if rest.starts_with("$${") || rest.starts_with("%%{") {
                (2, false)
            } else if next == character {
                (next.len_utf8(), true)
            } else if next.is_whitespace() {
                at += next.len_utf8();
                continue;
            } else {
                return None;
            };
            let start = span.start as usize + at;
            written.push(Written {
                character,
                source: Span::new(start, start + length),
                verbatim,
            });
            at += length;
            break;
        }
    }
    Some(written)
}

#[cfg(test)]
mod tests {
    use tagwright_syntax::hcl;

    use super::*;

    fn inline(buildspec: &str) -> (String, Option<Inline>) {
        let text = format!(
            "resource \"aws_codebuild_project\" \"web\" {{\n  source {{\n    type = \"GITHUB\"\n    buildspec = {buildspec}\n  }}\n}}\n"
        );
        let file = hcl::parse(&text).expect("a file of Terraform");
        let found = buildspecs(&text, &file).pop();
        (text, found)
    }

    #[test]
    fn every_byte_that_stands_for_itself_is_found_in_the_file() {
        let lines = [
            "version: 0.2",
            "phases:",
            "  build:",
            "    commands:",
            "      - push $R:latest",
        ];
        let plain = lines.join("\n");
        let cases = [
            format!("<<EOF\n{plain}\nEOF"),
            format!("<<-EOF\n      {}\n    EOF", lines.join("\n      ")),
            format!("\"{}\\n\"", lines.join("\\n")),
            "yamlencode({ version = 0.2, phases = { build = { commands = [\"push $R:latest\"] } } })".to_owned(),
            "jsonencode({ version = \"0.2\", \"phases\" : { build = { commands = [\"push $R:latest\", \"echo \\\"é\\\"\"] } } })".to_owned(),
        ];
        for case in cases {
            let (text, found) = inline(&case);
            let found = found.unwrap_or_else(|| panic!("{case}"));
            assert!(found.unknown.is_empty(), "{case}");
            let at = found.text.find("$R:latest").expect("the command");
            let span = found.map.source(Span::new(at, at + 9)).expect("its place");
            assert_eq!(span.of(&text), "$R:latest", "{case}");
            assert_eq!(found.map.decoded_len(), found.text.len(), "{case}");
            let tree = tagwright_syntax::yaml::parse(&found.text);
            assert!(tree.error().is_none(), "{case}: {}", found.text);
            let root = tree.root().expect("a document");
            assert!(tree.get(root, "phases").is_some(), "{case}");
        }
    }

    #[test]
    fn what_terraform_computes_is_a_variable_that_nobody_knows() {
        let (text, found) = inline(
            "<<EOF\nversion: 0.2\nphases:\n  build:\n    commands:\n      - push ${var.repo}:latest $${TAG}\nEOF",
        );
        let found = found.expect("a buildspec");
        assert!(
            found.text.contains("- push $varrepo:latest ${TAG}"),
            "{}",
            found.text
        );
        let [unknown] = found.unknown[..] else {
            panic!("one value is not known")
        };
        let place = found.map.source(unknown).expect("its place");
        assert_eq!(place.of(&text), "${var.repo}");
    }

    #[test]
    fn a_path_is_no_buildspec() {
        for value in [
            "\"ci/buildspec.yml\"",
            "file(\"x.yml\")",
            "var.spec",
            "yamlencode(local.spec)",
        ] {
            assert!(inline(value).1.is_none(), "{value}");
        }
    }
}

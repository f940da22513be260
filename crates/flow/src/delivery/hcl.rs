//! As much of Terraform's language as it takes to see blocks and the attributes in them.
//!
//! Expressions are not evaluated: they are text, from the first byte behind `=` to the end of the line on
//! which all their brackets are closed.

/// What stands between two braces, or in a file.
#[derive(Debug, Default)]
pub(super) struct Body<'a> {
    pub(super) attributes: Vec<Attribute<'a>>,
    pub(super) blocks: Vec<Block<'a>>,
}

/// `name = value`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'a> {
    pub(super) name: &'a str,
    /// The expression's text.
    pub(super) value: &'a str,
    /// Byte offset of the expression in the file.
    pub(super) start: usize,
}

/// `kind "label" { … }`.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) kind: &'a str,
    pub(super) labels: Vec<&'a str>,
    /// Byte offset in the file.
    pub(super) start: usize,
    pub(super) body: Body<'a>,
}

impl<'a> Body<'a> {
    pub(super) fn attribute(&self, name: &str) -> Option<Attribute<'a>> {
        self.attributes.iter().copied().find(|it| it.name == name)
    }

    pub(super) fn blocks<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = &'b Block<'a>> {
        self.blocks.iter().filter(move |block| block.kind == kind)
    }
}

/// Blocks in blocks deeper than this are given up.
const DEEPEST: usize = 32;

/// Reads a file; `None` if it is not understood to its end.
pub(super) fn file(text: &str) -> Option<Body<'_>> {
    let mut reader = Reader { text, at: 0 };
    let body = reader.body(0)?;
    (reader.at >= text.len()).then_some(body)
}

/// Reads `{ name = value … }`, an expression that starts at byte `start` of the file.
pub(super) fn object(text: &str, start: usize) -> Option<Body<'_>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let offset = start + (inner.as_ptr() as usize - text.as_ptr() as usize);
    let mut reader = Reader { text: inner, at: 0 };
    let mut body = reader.body(1)?;
    for attribute in &mut body.attributes {
        attribute.start += offset;
    }
    (reader.at >= inner.len() && body.blocks.is_empty()).then_some(body)
}

/// The items of `[a, b]`, an expression that starts at byte `start` of the file, each with its own start.
pub(super) fn items(text: &str, start: usize) -> Option<Vec<(&str, usize)>> {
    let inner = text.trim().strip_prefix('[')?.strip_suffix(']')?;
    let offset = start + (inner.as_ptr() as usize - text.as_ptr() as usize);
    let mut reader = Reader { text: inner, at: 0 };
    let mut items = Vec::new();
    loop {
        reader.blank(true);
        if reader.at >= inner.len() {
            return Some(items);
        }
        let from = reader.at;
        reader.expression(b",")?;
        let item = &inner[from..reader.at];
        items.push((item.trim_end(), offset + from));
        reader.blank(true);
        if reader.peek() == Some(b',') {
            reader.at += 1;
        } else if reader.at < inner.len() {
            return None;
        }
    }
}

/// The arguments of a call, from its opening parenthesis on, and the length up to the closing one, that included.
pub(super) fn arguments(text: &str) -> Option<(Vec<&str>, usize)> {
    let mut reader = Reader { text, at: 0 };
    reader.blank(false);
    if reader.peek()? != b'(' {
        return None;
    }
    let mut arguments = Vec::new();
    loop {
        reader.at += 1;
        reader.blank(true);
        let start = reader.at;
        // A closing parenthesis ends the expression before it is looked at as a bracket.
        reader.expression(b",)")?;
        let argument = text[start..reader.at].trim_end();
        if !argument.is_empty() {
            arguments.push(argument);
        }
        reader.blank(true);
        match reader.peek()? {
            b',' => {}
            b')' => return Some((arguments, reader.at + 1)),
            _ => return None,
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Passes over blanks and comments; over line breaks too, if `lines`.
    fn blank(&mut self, lines: bool) {
        loop {
            let rest = self.rest();
            if rest.starts_with('#') || rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.at += rest.find("*/").map_or(rest.len(), |end| end + 2);
            } else {
                match rest.bytes().next() {
                    Some(b' ' | b'\t' | b'\r') => self.at += 1,
                    Some(b'\n') if lines => self.at += 1,
                    _ => return,
                }
            }
        }
    }

    fn word(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        if let Some(inner) = rest.strip_prefix('"') {
            let end = inner.find('"')?;
            let name = &inner[..end];
            self.at += end + 2;
            return (!name.contains(['\\', '\n', '$'])).then_some(name);
        }
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
            .unwrap_or(rest.len());
        self.at += end;
        (end > 0).then(|| &rest[..end])
    }

    /// Reads to the closing brace, which stays, or to the end.
    fn body(&mut self, depth: usize) -> Option<Body<'a>> {
        if depth > DEEPEST {
            return None;
        }
        let mut body = Body::default();
        loop {
            self.blank(true);
            match self.peek() {
                None => return Some(body),
                Some(b'}') if depth > 0 => return Some(body),
                Some(b',') if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                Some(_) => {}
            }
            let start = self.at;
            let name = self.word()?;
            self.blank(false);
            if matches!(self.peek(), Some(b'=' | b':')) && !self.rest().starts_with("==") {
                self.at += 1;
                self.blank(true);
                let start = self.at;
                self.expression(b",\n}")?;
                body.attributes.push(Attribute {
                    name,
                    value: self.text[start..self.at].trim_end(),
                    start,
                });
                continue;
            }
            let mut labels = Vec::new();
            while self.peek()? != b'{' {
                labels.push(self.word()?);
                self.blank(false);
            }
            self.at += 1;
            let inner = self.body(depth + 1)?;
            if self.peek()? != b'}' {
                return None;
            }
            self.at += 1;
            body.blocks.push(Block {
                kind: name,
                labels,
                start,
                body: inner,
            });
        }
    }

    /// Passes over an expression, up to one of the bytes of `end` outside of brackets and strings, or a comment.
    fn expression(&mut self, end: &[u8]) -> Option<()> {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            let rest = self.rest();
            if depth == 0 && end.contains(&byte) {
                return Some(());
            }
            match byte {
                b'"' => self.string()?,
                b'(' | b'[' | b'{' => {
                    depth += 1;
                    self.at += 1;
                }
                b')' | b']' | b'}' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b'#' if depth == 0 => return Some(()),
                b'/' if depth == 0 && rest.starts_with("//") => return Some(()),
                b'#' => self.blank(false),
                b'/' if rest.starts_with("//") || rest.starts_with("/*") => self.blank(false),
                b'<' if rest.starts_with("<<") => self.here_document()?,
                _ => self.at += rest.chars().next()?.len_utf8(),
            }
        }
        (depth == 0).then_some(())
    }

    /// Passes over a quoted string with the expressions in it.
    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            let rest = self.rest();
            let byte = self.peek()?;
            match byte {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => {
                    self.at += 1;
                    self.at += self.rest().chars().next()?.len_utf8();
                }
                b'\n' => return None,
                b'$' | b'%' if rest[1..].starts_with('{') && !rest[1..].starts_with("{{") => {
                    self.at += 2;
                    let mut depth = 1;
                    while depth > 0 {
                        match self.peek()? {
                            b'"' => {
                                self.string()?;
                                continue;
                            }
                            b'{' => depth += 1,
                            b'}' => depth -= 1,
                            b'\n' => return None,
                            _ => {}
                        }
                        self.at += self.rest().chars().next()?.len_utf8();
                    }
                }
                _ => self.at += rest.chars().next()?.len_utf8(),
            }
        }
    }

    /// Passes over a here-document, up to the line break behind its last line.
    fn here_document(&mut self) -> Option<()> {
        let rest = self.rest();
        let (first, _) = rest.split_once('\n')?;
        let mark = first.trim_start_matches(['<', '-']).trim();
        if mark.is_empty() || !mark.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            self.at += 2;
            return Some(());
        }
        let mut at = first.len() + 1;
        for line in rest[at..].split_inclusive('\n') {
            if line.trim() == mark {
                self.at += at + line.trim_end_matches(['\n', '\r']).len();
                return Some(());
            }
            at += line.len();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_attributes_and_their_places_are_seen() {
        let text = "# comment\nresource \"a\" \"b\" {\n  name = \"x-${var.y[\"k\"]}\" # why\n  list = [\n    \"a,b\", # }\n    f({ k = 1 })\n  ]\n  text = <<-EOF\n    } {\n  EOF\n  inner {\n    on = true\n  }\n}\n";
        let body = file(text).unwrap();
        let [block] = &body.blocks[..] else {
            panic!("{body:?}")
        };
        assert_eq!(
            (block.kind, &block.labels[..]),
            ("resource", &["a", "b"][..])
        );
        let name = block.body.attribute("name").unwrap();
        assert_eq!(name.value, "\"x-${var.y[\"k\"]}\"");
        assert!(text[name.start..].starts_with(name.value));
        let list = block.body.attribute("list").unwrap();
        let items = items(list.value, list.start).unwrap();
        assert_eq!(items[0].0, "\"a,b\"");
        assert!(text[items[1].1..].starts_with("f({ k = 1 })"));
        assert!(block.body.attribute("text").unwrap().value.ends_with("EOF"));
        assert_eq!(block.body.blocks("inner").count(), 1);
    }

    #[test]
    fn objects_are_read_on_one_line_and_on_several() {
        for text in ["{ A = \"b\", C = d.e }", "{\n  A = \"b\"\n  C : d.e,\n}"] {
            let body = object(text, 10).unwrap();
            let values: Vec<_> = body
                .attributes
                .iter()
                .map(|it| (it.name, it.value))
                .collect();
            assert_eq!(values, [("A", "\"b\""), ("C", "d.e")], "{text}");
            assert!(text[body.attributes[1].start - 10..].starts_with("d.e"));
        }
    }

    #[test]
    fn what_is_not_closed_is_not_read() {
        for text in [
            "a {",
            "a = [",
            "a = \"x",
            "a = <<EOF\nx",
            "}",
            "a b = c",
            "a = )",
        ] {
            assert!(file(text).is_none(), "{text}");
        }
    }
}

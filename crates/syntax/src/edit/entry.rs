//! A new entry of a mapping: `key: value`, both of them text.

use super::{
    Edit, EditRefusal, Type, can_be_plain, escape_double, has_break, is_blank, is_key,
    is_one_printable_line, line_ending, offset, plain_type, quoted, refuse_unsafe,
};
use crate::Span;
use crate::yaml::exact::{break_len, column, line_end, line_start};
use crate::yaml::{Entry, Mapping, NodeId, NodeKind, ScalarStyle, Tree};

/// The edit that inserts `key: value` before the entry `index` (0-based; the number of entries appends) of the mapping
/// at `node`, in the file's own indentation, line endings and style. Both texts are decoded ones of one line.
///
/// Comments on lines of their own stay with what they describe: those directly above entry `index` stay above it, and
/// those that are indented deeper than the keys stay with the last entry.
///
/// # Errors
/// A [`EditRefusal`] where that cannot be done without touching anything else.
pub fn insert_entry(
    text: &str,
    tree: &Tree,
    node: NodeId,
    index: usize,
    key: &str,
    value: &str,
) -> Result<Edit, EditRefusal> {
    refuse_unsafe(tree, node)?;
    let own = tree.node(node);
    let NodeKind::Mapping(mapping) = &own.kind else {
        return Err(EditRefusal::Shape("this is not a mapping"));
    };
    if index > mapping.entries.len() {
        return Err(EditRefusal::Shape("the mapping has no such place"));
    }
    let merges = |entry: &Entry| {
        tree.text(entry.key)
            .is_none_or(|it| it == key || it == "<<")
    };
    if mapping.entries.iter().any(merges) {
        return Err(EditRefusal::Shape("the mapping may have this key already"));
    }
    if is_key(tree, node) {
        return Err(EditRefusal::Shape("the mapping is a key"));
    }
    if !is_one_printable_line(key) || !is_one_printable_line(value) {
        return Err(EditRefusal::Style(
            "the new entry is not one printable line",
        ));
    }
    let map = Map {
        text,
        tree,
        span: own.span,
        mapping,
    };
    if mapping.flow {
        map.insert_flow(index, key, value)
    } else if index == mapping.entries.len() {
        map.append_block(key, value)
    } else {
        map.insert_block(index, key, value)
    }
}

/// A mapping that gets a new entry.
struct Map<'a> {
    text: &'a str,
    tree: &'a Tree,
    span: Span,
    mapping: &'a Mapping,
}

impl Map<'_> {
    /// From the start of the key to the end of the value, their anchors and tags included.
    fn entry(&self, index: usize) -> Option<Span> {
        let whole = |id: NodeId| {
            let node = self.tree.node(id);
            node.properties.map_or(node.span, |it| it.cover(node.span))
        };
        let entry = self.mapping.entries.get(index)?;
        let (key, value) = (whole(entry.key), whole(entry.value));
        // The place of a value that is left out says nothing about the text.
        (!value.is_empty()).then(|| key.cover(value))
    }

    /// The comment that is alone on the line that starts at `line`: the column of its `#`.
    fn comment_line(&self, line: usize) -> Option<usize> {
        let rest = self.text.get(line..)?;
        let column = rest.bytes().take_while(|byte| is_blank(*byte)).count();
        let at = offset(line + column);
        let comments = self.tree.comments();
        comments
            .binary_search_by_key(&at, |comment| comment.start)
            .ok()
            .map(|_| column)
    }

    fn insert_block(&self, index: usize, key: &str, value: &str) -> Result<Edit, EditRefusal> {
        let next = self.tree.node(self.mapping.entries[index].key);
        let start = next.properties.map_or(next.span, |it| it.cover(next.span));
        let start = start.start as usize;
        let mut at = line_start(self.text, start);
        let indentation = &self.text[at..start];
        if !indentation.bytes().all(|byte| byte == b' ') {
            return Err(EditRefusal::Shape(
                "the key does not begin a line, so nothing can be put before it",
            ));
        }
        // Comments directly above the key describe it and stay with it.
        while at > 0 {
            let before = self.text[..at]
                .strip_suffix('\n')
                .unwrap_or(&self.text[..at]);
            let before = before.strip_suffix('\r').unwrap_or(before);
            let above = line_start(self.text, before.len());
            match self.comment_line(above) {
                Some(column) if column <= indentation.len() && above < at => at = above,
                _ => break,
            }
        }
        let entry = self.line(index, key, value);
        let line_break = line_ending(self.text, start);
        Ok(Edit {
            span: Span::empty(at),
            text: format!("{indentation}{entry}{line_break}"),
        })
    }

    fn append_block(&self, key: &str, value: &str) -> Result<Edit, EditRefusal> {
        let Some(last) = self.mapping.entries.len().checked_sub(1) else {
            return Err(EditRefusal::Shape("the mapping has no entries"));
        };
        let entry = self
            .entry(last)
            .ok_or(EditRefusal::Shape("the last key has no value"))?;
        let open = self.tree.nodes().any(|(_, node)| {
            node.span.end == entry.end
                && matches!(&node.kind, NodeKind::Scalar(scalar)
                    if matches!(scalar.style, ScalarStyle::Literal | ScalarStyle::Folded))
        });
        if open {
            return Err(EditRefusal::Shape("the last value is a block"));
        }
        let start = entry.start as usize;
        let columns = column(self.text, start);
        if self.text[line_start(self.text, start)..start].contains('\t') {
            return Err(EditRefusal::Shape("the mapping is indented with a tab"));
        }
        let line_break = line_ending(self.text, start);
        let mut at = line_end(self.text, entry.end as usize);
        // Comments indented deeper than the keys belong to the last entry.
        loop {
            let next = at + break_len(self.text.as_bytes(), at);
            match self.comment_line(next) {
                Some(column) if column > columns && next > at => at = line_end(self.text, next),
                _ => break,
            }
        }
        let indentation = " ".repeat(columns);
        let entry = self.line(last, key, value);
        Ok(Edit {
            span: Span::empty(at),
            text: format!("{line_break}{indentation}{entry}"),
        })
    }

    /// The entry as it is written in a block mapping, with the quotes of its neighbour's key.
    fn line(&self, like: usize, key: &str, value: &str) -> String {
        let style = self.mapping.entries.get(like);
        let style = style.and_then(|entry| self.style(entry.key));
        let plain = |text: &str| match can_be_plain(text, false) && plain_type(text) == Type::String
        {
            true => text.to_owned(),
            false => quoted(text).1,
        };
        let key = match style {
            Some(ScalarStyle::DoubleQuoted) => format!("\"{}\"", escape_double(key)),
            Some(ScalarStyle::SingleQuoted) => quoted(key).1,
            _ => plain(key),
        };
        format!("{key}: {}", plain(value))
    }

    fn style(&self, node: NodeId) -> Option<ScalarStyle> {
        match &self.tree.node(node).kind {
            NodeKind::Scalar(scalar) => Some(scalar.style),
            _ => None,
        }
    }

    fn insert_flow(&self, index: usize, key: &str, value: &str) -> Result<Edit, EditRefusal> {
        let count = self.mapping.entries.len();
        let insert = |at: u32, text: String| Edit {
            span: Span::empty(at as usize),
            text,
        };
        // What is written like JSON may be read by a reader of JSON.
        let json = match self.mapping.entries.first() {
            Some(entry) => self.style(entry.key) == Some(ScalarStyle::DoubleQuoted),
            None => false,
        };
        let entry = if json {
            format!("\"{}\": \"{}\"", escape_double(key), escape_double(value))
        } else {
            let plain =
                |text: &str| match can_be_plain(text, true) && plain_type(text) == Type::String {
                    true => text.to_owned(),
                    false => quoted(text).1,
                };
            format!("{}: {}", plain(key), plain(value))
        };
        if count == 0 {
            return Ok(insert(self.span.start + 1, entry));
        }
        let place = self
            .entry(index.min(count - 1))
            .ok_or(EditRefusal::Shape("a key has no value"))?;
        let start = place.start as usize;
        let before = &self.text[line_start(self.text, start)..start];
        let own_line = before.bytes().all(is_blank) && has_break(self.span.of(self.text));
        let gap = if own_line {
            format!("{}{before}", line_ending(self.text, start))
        } else {
            " ".to_owned()
        };
        Ok(if index < count {
            insert(place.start, format!("{entry},{gap}"))
        } else {
            insert(place.end, format!(",{gap}{entry}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::apply;
    use crate::yaml;

    /// Inserts `K: v` into the value of the key `m`; the result is read again.
    fn inserted(text: &str, index: usize, value: &str) -> Result<String, EditRefusal> {
        let tree = yaml::parse(text);
        let node = tree.get(tree.root().unwrap(), "m").unwrap();
        let edit = insert_entry(text, &tree, node, index, "K", value)?;
        let after = apply(text, &[edit]).unwrap();
        let new = yaml::parse(&after);
        assert!(new.error().is_none(), "{after}");
        let node = new.get(new.root().unwrap(), "m").unwrap();
        let entry = new.mapping(node).unwrap().entries[index];
        assert_eq!(new.text(entry.key), Some("K"), "{after}");
        assert_eq!(new.text(entry.value), Some(value), "{after}");
        Ok(after)
    }

    #[test]
    fn an_entry_takes_the_indentation_of_its_neighbours() {
        let cases = [
            ("m:\n  a: 1\n  b: 2\n", 2, "m:\n  a: 1\n  b: 2\n  K: v\n"),
            ("m:\n  a: 1\n  b: 2\n", 1, "m:\n  a: 1\n  K: v\n  b: 2\n"),
            ("m:\n    a: !Ref X", 1, "m:\n    a: !Ref X\n    K: v"),
            (
                "m:\r\n  a: 1\r\nn: 2\r\n",
                1,
                "m:\r\n  a: 1\r\n  K: v\r\nn: 2\r\n",
            ),
            (
                "m:\r\n  a: 1\r\n  b: 2\r\n",
                1,
                "m:\r\n  a: 1\r\n  K: v\r\n  b: 2\r\n",
            ),
            (
                "m:\n  a:\n    - x\n  b: [1,\n    2]\nn: 1\n",
                2,
                "m:\n  a:\n    - x\n  b: [1,\n    2]\n  K: v\nn: 1\n",
            ),
            ("m:\n  \"a\": 1\n", 1, "m:\n  \"a\": 1\n  \"K\": v\n"),
        ];
        for (text, index, expected) in cases {
            assert_eq!(
                inserted(text, index, "v").as_deref(),
                Ok(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn comments_stay_with_what_they_describe() {
        let cases = [
            (
                "m:\n  a: 1 # one\n  # of b\n  b: 2\n",
                1,
                "m:\n  a: 1 # one\n  K: v\n  # of b\n  b: 2\n",
            ),
            (
                "m:\r\n  a: 1\r\n  # of b\r\n  b: 2\r\n",
                1,
                "m:\r\n  a: 1\r\n  K: v\r\n  # of b\r\n  b: 2\r\n",
            ),
            (
                "m:\n  a: 1 # one\n# of n\nn: 2\n",
                1,
                "m:\n  a: 1 # one\n  K: v\n# of n\nn: 2\n",
            ),
            (
                "m:\n  a:\n    - 1\n    # more\nn: 2\n",
                1,
                "m:\n  a:\n    - 1\n    # more\n  K: v\nn: 2\n",
            ),
        ];
        for (text, index, expected) in cases {
            assert_eq!(
                inserted(text, index, "v").as_deref(),
                Ok(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn a_mapping_in_braces_takes_an_entry_in_its_own_style() {
        let cases = [
            ("m: {a: !Ref X}\n", 1, "m: {a: !Ref X, K: 'v,w'}\n"),
            ("m: {a: 1, b: 2}\n", 1, "m: {a: 1, K: 'v,w', b: 2}\n"),
            ("m: {}\n", 0, "m: {K: 'v,w'}\n"),
            (
                "{\n  \"m\": {\n    \"a\": {\"Ref\": \"X\"}\n  }\n}\n",
                1,
                "{\n  \"m\": {\n    \"a\": {\"Ref\": \"X\"},\n    \"K\": \"v,w\"\n  }\n}\n",
            ),
            (
                "{\r\n\t\"m\": {\r\n\t\t\"a\": 1\r\n\t}\r\n}",
                1,
                "{\r\n\t\"m\": {\r\n\t\t\"a\": 1,\r\n\t\t\"K\": \"v,w\"\r\n\t}\r\n}",
            ),
        ];
        for (text, index, expected) in cases {
            assert_eq!(
                inserted(text, index, "v,w").as_deref(),
                Ok(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn what_reaches_other_places_is_refused() {
        for text in [
            "n: &x\n  a: 1\nm: *x\n",
            "m: &x\n  a: 1\nn: *x\n",
            "m: !If\n  a: 1\n",
            "m:\n  K: 1\n",
            "x: &x {}\nm:\n  <<: *x\n",
            "m:\n  a: |\n    x\n",
            "m:\n  a:\n",
            "m: 1\n",
        ] {
            assert!(inserted(text, 1, "v").is_err(), "{text}");
        }
    }
}

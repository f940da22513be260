//! The second opinion: what a libyaml reader, the family that CodeBuild and Copilot run, makes of a text.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use crate::yaml::{self, SyntaxError};

/// A value as a libyaml reader sees it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, `~`, `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number, in the reader's own spelling.
    Number(String),
    /// Text.
    String(String),
    /// A list.
    Sequence(Vec<Value>),
    /// A mapping, in file order. A key that is there twice is in it twice: the readers keep the last.
    Mapping(Vec<(Value, Value)>),
    /// A value with an explicit tag that is not one of YAML's own, without its `!`.
    Tagged(String, Box<Value>),
}

/// Reads all documents of `text`; a text without any reads as one null. Aliases are expanded; merge keys (`<<`) stay what they are.
///
/// # Errors
/// The reader's own message, and the byte offset (0 where it gives none). Texts that no file of ours
/// needs (brackets nested by the hundred, aliases that multiply) are refused.
pub fn read(text: &str) -> Result<Vec<Value>, SyntaxError> {
    let refuse = |message: &str| SyntaxError {
        message: message.to_owned(),
        offset: 0,
    };
    // The reader's time grows with the square of the depth of brackets.
    if open_brackets(text) > MOST_BRACKETS && yaml::parse(text).error().is_some() {
        return Err(refuse("brackets are nested too deeply"));
    }
    // The reader has asserts of its own; a broken one must not take the run down.
    catch_unwind(AssertUnwindSafe(|| read_all(text)))
        .unwrap_or_else(|_| Err(refuse("the reader failed on this text")))
}

/// Deeper than any file of ours, and shallow enough to be read at once.
const MOST_BRACKETS: usize = 500;

/// An upper bound of how deep brackets are nested. Counts those inside scalars too.
fn open_brackets(text: &str) -> usize {
    let mut open = 0_usize;
    let mut most = 0;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => continue,
        }
        most = most.max(open);
    }
    most
}

fn read_all(text: &str) -> Result<Vec<Value>, SyntaxError> {
    // libyaml takes a byte-order mark off, but not from a text whose encoding it is told, as it is here.
    let (mark, text) = match text.strip_prefix('\u{feff}') {
        Some(rest) => ('\u{feff}'.len_utf8(), rest),
        None => (0, text),
    };
    // Without aliases a value takes at least a byte; what takes far more than that multiplies.
    let budget = Cell::new(text.len().saturating_mul(8).saturating_add(10_000));
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = Seed { budget: &budget }
            .deserialize(document)
            .map_err(|error| SyntaxError {
                message: error.to_string(),
                offset: error
                    .location()
                    .and_then(|location| u32::try_from(location.index() + mark).ok())
                    .unwrap_or(0),
            })?;
        documents.push(value);
    }
    Ok(documents)
}

/// Reads one value, and counts it.
#[derive(Clone, Copy)]
struct Seed<'b> {
    budget: &'b Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self
            .budget
            .get()
            .checked_sub(1)
            .ok_or_else(|| D::Error::custom("aliases make this text too large"))?;
        self.budget.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(serde_yaml::Number::from(value).to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut data: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = data.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut data: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = data.next_entry_seed(self, self)? {
            entries.push(entry);
        }
        Ok(Value::Mapping(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Value, A::Error> {
        let (tag, contents) = data.variant_seed(TagName)?;
        let value = contents.newtype_variant_seed(self)?;
        Ok(Value::Tagged(tag, Box::new(value)))
    }
}

struct TagName;

impl<'de> DeserializeSeed<'de> for TagName {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        String::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Value {
        Value::String(value.to_owned())
    }

    #[test]
    fn values_are_typed_as_the_reader_types_them() {
        let documents =
            read("a: 1\nb: 0.50\nc: true\nd: ~\ne: yes\nf: !T [x]\n---\n- 'q'\n").unwrap();
        let expected = vec![
            Value::Mapping(vec![
                (text("a"), Value::Number("1".to_owned())),
                (text("b"), Value::Number("0.5".to_owned())),
                (text("c"), Value::Bool(true)),
                (text("d"), Value::Null),
                (text("e"), text("yes")),
                (
                    text("f"),
                    Value::Tagged("T".to_owned(), Box::new(Value::Sequence(vec![text("x")]))),
                ),
            ]),
            Value::Sequence(vec![text("q")]),
        ];
        assert_eq!(documents, expected);
    }

    #[test]
    fn a_key_that_is_there_twice_is_kept_twice() {
        let documents = read("a: 1\na: 2\n").unwrap();
        let number = |n: &str| Value::Number(n.to_owned());
        assert_eq!(
            documents,
            [Value::Mapping(vec![
                (text("a"), number("1")),
                (text("a"), number("2"))
            ])]
        );
    }

    #[test]
    fn a_text_without_a_document_reads_as_null() {
        assert_eq!(read(""), Ok(vec![Value::Null]));
        assert_eq!(read("# only a comment\n"), Ok(vec![Value::Null]));
    }

    #[test]
    fn an_error_has_its_place() {
        let error = read("a: b\nc: [d\ne: f\n").unwrap_err();
        assert!(error.offset > 4, "{error:?}");
        assert!(!error.message.is_empty());
    }

    #[test]
    fn depth_and_alias_bombs_are_refused_quickly() {
        for depth in [200, 10_000] {
            for opener in ["[", "{a: ", "- ", "? "] {
                assert!(read(&opener.repeat(depth)).is_err(), "{opener}");
            }
        }
        assert!(read(&"[".repeat(1_000_000)).is_err());
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert!(read(&bomb).is_err());
        let list = "x, ".repeat(5_000);
        let aliases = "*a, ".repeat(5_000);
        assert!(read(&format!("a: &a [{list}]\nb: [{aliases}]\n")).is_err());
    }

    #[test]
    fn a_byte_order_mark_is_no_column() {
        assert_eq!(read("\u{feff}a: b\nc: d\n"), read("a: b\nc: d\n"));
        let (marked, plain) = (read("\u{feff}a: [").unwrap_err(), read("a: [").unwrap_err());
        assert_eq!(marked.offset, plain.offset + 3);
    }

    #[test]
    fn control_bytes_are_an_error() {
        assert!(read("a: \0b\n").is_err());
        assert!(read("a: \u{7f}b\n").is_err());
    }
}

//! Compares a buildspec or a manifest of Copilot with the table of its grammar.

use tagwright_syntax::yaml::{Entry, NodeId, NodeKind, ScalarStyle, Tree};

use crate::buildspec::BUILDSPEC;
use crate::section::{Section, Unknown, Value};

/// A difference between a file and the grammar.
#[derive(Debug)]
pub enum Problem {
    /// A key that the section does not have.
    UnknownKey {
        /// The key and its value.
        entry: Entry,
        /// Its decoded text.
        name: String,
        /// The section in which it stands.
        section: &'static Section,
    },
    /// A value of a shape that the key cannot have.
    WrongType {
        /// The value.
        node: NodeId,
        /// What it should be, for people.
        expected: String,
    },
    /// A scalar that is none of the key's values.
    InvalidValue {
        /// The scalar.
        node: NodeId,
        /// Whether it is only odd: known readers might take it.
        odd: bool,
        /// What it may be, for people.
        allowed: String,
    },
}

/// All differences between the mapping at `root` and the grammar, in the order of the file. `old`: it is
/// version 0.1, of which no complete reference exists, so that it may have keys of its own.
pub fn problems(tree: &Tree, root: NodeId, old: bool) -> Vec<Problem> {
    walk(tree, root, &BUILDSPEC, old)
}

/// All differences between the mapping at `root` and `section`, in the order of the file.
pub fn differences(tree: &Tree, root: NodeId, section: &'static Section) -> Vec<Problem> {
    walk(tree, root, section, false)
}

fn walk(tree: &Tree, root: NodeId, section: &'static Section, old: bool) -> Vec<Problem> {
    let mut walk = Walk {
        tree,
        old,
        problems: Vec::new(),
    };
    walk.section(root, section);
    walk.problems
}

struct Walk<'a> {
    tree: &'a Tree,
    old: bool,
    problems: Vec<Problem>,
}

impl Walk<'_> {
    fn section(&mut self, node: NodeId, section: &'static Section) {
        let Some(mapping) = self.tree.mapping(node) else {
            self.wrong(node, "a mapping");
            return;
        };
        for entry in &mapping.entries {
            let Some(name) = self.tree.text(entry.key) else {
                continue;
            };
            match section.key(name) {
                Some(key) => self.value(entry.value, key.value),
                // Merge keys and the places where people keep what their anchors share.
                None if matches!(name, "<<" | "")
                    || name.starts_with(['.', '$'])
                    || name.starts_with("x-") => {}
                None if section.unknown == Unknown::Allowed
                    || (self.old && section.unknown == Unknown::Ignored) => {}
                None => self.problems.push(Problem::UnknownKey {
                    entry: *entry,
                    name: name.to_owned(),
                    section,
                }),
            }
        }
    }

    fn value(&mut self, node: NodeId, value: Value) {
        if self.tree.is_null(node) {
            return;
        }
        let kind = &self.tree.node(self.tree.resolve(node)).kind;
        match (value, kind) {
            (Value::Any, _) => {}
            // What an alias stands for is unknown if its anchor is.
            (_, NodeKind::Alias { .. }) => {}
            (Value::Section(section), _) => self.section(node, section),
            (Value::OneOf(shapes), _) => match shape(shapes, kind) {
                Some(shape) => self.value(node, shape),
                None => {
                    let shapes: Vec<&str> = shapes.iter().map(|shape| called(*shape)).collect();
                    self.wrong(node, shapes.join(" or "));
                }
            },
            (Value::Names(value), NodeKind::Mapping(mapping)) => {
                for entry in &mapping.entries {
                    if self.tree.text(entry.key) != Some("<<") {
                        self.value(entry.value, *value);
                    }
                }
            }
            (Value::Names(_), _) => self.wrong(node, "a mapping of names to values"),
            (Value::List(value) | Value::ListOrOne(value), NodeKind::Sequence(list)) => {
                for item in &list.items {
                    self.value(*item, *value);
                }
            }
            (Value::ListOrOne(Value::Text), NodeKind::Mapping(_)) => self.wrong(node, "a list"),
            (Value::ListOrOne(value), _) => self.value(node, *value),
            (Value::List(_), _) => self.wrong(node, "a list"),
            (Value::Commands, NodeKind::Sequence(list)) => {
                for item in &list.items {
                    // Mappings are `command-is-mapping`'s.
                    if self.tree.sequence(*item).is_some() {
                        self.wrong(*item, "a string");
                    }
                }
            }
            (Value::Commands, NodeKind::Scalar(_)) => {}
            (Value::Commands, _) => self.wrong(node, "a list of strings"),
            (_, NodeKind::Scalar(scalar)) => {
                let plain = scalar.style == ScalarStyle::Plain;
                if let Some((odd, allowed)) = objection(value, &scalar.value, plain) {
                    self.problems
                        .push(Problem::InvalidValue { node, odd, allowed });
                }
            }
            (_, _) => self.wrong(node, "a single value"),
        }
    }

    fn wrong(&mut self, node: NodeId, expected: impl Into<String>) {
        let expected = expected.into();
        self.problems.push(Problem::WrongType { node, expected });
    }
}

/// The first of the shapes that a value of this kind can have.
fn shape(shapes: &[Value], kind: &NodeKind) -> Option<Value> {
    shapes.iter().copied().find(|value| match (value, kind) {
        (Value::Any, _) => true,
        (Value::OneOf(inner), _) => shape(inner, kind).is_some(),
        (Value::Section(_) | Value::Names(_), kind) => matches!(kind, NodeKind::Mapping(_)),
        (Value::List(_), kind) => matches!(kind, NodeKind::Sequence(_)),
        (Value::ListOrOne(_) | Value::Commands, kind) => {
            matches!(kind, NodeKind::Sequence(_) | NodeKind::Scalar(_))
        }
        (_, kind) => matches!(kind, NodeKind::Scalar(_)),
    })
}

/// The shape, for people.
fn called(value: Value) -> &'static str {
    match value {
        Value::Section(_) => "a mapping",
        Value::Names(_) => "a mapping of names to values",
        Value::List(_) => "a list",
        Value::ListOrOne(_) | Value::Commands => "text or a list",
        Value::Boolean | Value::Flag => "`true` or `false`",
        Value::Whole | Value::Count => "a whole number",
        Value::Number => "a number",
        Value::Duration => "a duration",
        _ => "text",
    }
}

/// What is wrong with the text of a scalar, which stands there `plain` or in quotes: whether it is only odd,
/// and what it may be.
fn objection(value: Value, text: &str, plain: bool) -> Option<(bool, String)> {
    // The shell, a template or CloudFormation may fill it in.
    if text.contains(['$', '{']) && (text.contains('$') || text.contains("{{")) {
        return None;
    }
    let list = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        match words.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => words.join(""),
        }
    };
    let is = |word: &&str| text.eq_ignore_ascii_case(word);
    match value {
        Value::Flag if !["yes", "no", "true", "false"].iter().any(is) => {
            let odd = ["on", "off"].iter().any(is);
            Some((odd, list(&["yes", "no"])))
        }
        Value::Words(words) if !words.iter().any(is) => Some((false, list(words))),
        Value::Shell { documented, seen } if !documented.iter().chain(seen).any(is) => {
            Some((false, list(documented)))
        }
        Value::Count if text.parse::<u32>().is_ok_and(|count| count > 0) => None,
        Value::Count => Some((false, "a whole number above 0".to_owned())),
        Value::Exactly(words) if !words.contains(&text) => Some((false, list(words))),
        Value::Boolean if !plain || !GO_BOOLEANS.iter().any(is) => {
            Some((false, list(&["true", "false"])))
        }
        Value::Whole if !plain || !is_number(text) => {
            Some((false, "a whole number without quotes".to_owned()))
        }
        Value::Number if !plain || !is_number(text) => {
            Some((false, "a number without quotes".to_owned()))
        }
        Value::Duration if !is_duration(text, plain) => Some((
            false,
            "a duration with its unit, such as `90s` or `5m`".to_owned(),
        )),
        Value::OnFailure if !is_on_failure(text) => Some((
            false,
            "`ABORT`, `CONTINUE`, `RETRY`, `RETRY-<count>`, `RETRY-<regex>` or \
             `RETRY-<count>-<regex>`"
                .to_owned(),
        )),
        _ => None,
    }
}

/// What Go's yaml.v3 reads into a boolean.
const GO_BOOLEANS: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "y", "n"];

/// Whether Go's yaml.v3 reads the plain `text` as a number.
fn is_number(text: &str) -> bool {
    let digits = text.replace('_', "");
    let digits = digits.trim_start_matches(['+', '-']);
    let based = ["0x", "0o", "0b"]
        .iter()
        .any(|base| digits.starts_with(base));
    based
        || digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && digits.parse::<f64>().is_ok()
}

/// Whether `text` is a duration as Go writes it. A number without a unit is none, except a `0` in quotes.
fn is_duration(text: &str, plain: bool) -> bool {
    let mut rest = text.trim_start_matches(['+', '-']);
    if rest == "0" {
        return !plain;
    }
    let mut parts = 0;
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        if unit.len() == rest.len() {
            return false;
        }
        let known = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];
        let Some(after) = known
            .iter()
            .filter_map(|name| unit.strip_prefix(name))
            .next()
        else {
            return false;
        };
        parts += 1;
        rest = after;
    }
    parts > 0
}

/// Whether `text` is a value of `on-failure`.
fn is_on_failure(text: &str) -> bool {
    if matches!(text, "ABORT" | "CONTINUE" | "RETRY") {
        return true;
    }
    let Some(rest) = text.strip_prefix("RETRY-") else {
        return false;
    };
    let (count, regex) = rest.split_once('-').unwrap_or((rest, "."));
    match count.parse::<u32>() {
        Ok(count) => count <= 100 && !regex.is_empty(),
        Err(_) => !rest.is_empty(),
    }
}

/// What stands at `node`, for people.
pub fn found(tree: &Tree, node: NodeId) -> &'static str {
    match &tree.node(tree.resolve(node)).kind {
        NodeKind::Sequence(_) => "a list",
        NodeKind::Mapping(_) => "a mapping",
        NodeKind::Scalar(scalar) if scalar.style == ScalarStyle::Plain => "a single value",
        NodeKind::Scalar(_) => "a string",
        NodeKind::Alias { .. } => "an alias",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_numbers_have_none() {
        for good in ["90s", "1h30m", "1.5h", "500ms", "-1s"] {
            assert!(is_duration(good, true), "{good}");
        }
        assert!(is_duration("0", false));
        for bad in ["90", "0", "90 s", "s", "", "1d", "ten"] {
            assert!(!is_duration(bad, true), "{bad}");
        }
        for good in ["1", "-1", "1_000", "0x10", "0.5"] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["", "one", "1s", "nan", "inf", "-"] {
            assert!(!is_number(bad), "{bad}");
        }
    }

    #[test]
    fn on_failure_has_six_forms() {
        for good in [
            "ABORT",
            "CONTINUE",
            "RETRY",
            "RETRY-3",
            "RETRY-.*timeout.*",
            "RETRY-100-a-b",
        ] {
            assert!(is_on_failure(good), "{good}");
        }
        for bad in ["abort", "STOP", "RETRY-", "RETRY-101", "RETRY-3-", "RETRY3"] {
            assert!(!is_on_failure(bad), "{bad}");
        }
    }
}

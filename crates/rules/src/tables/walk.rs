//! Compares a buildspec with the table of its grammar.

use tagwright_syntax::yaml::{Entry, NodeId, NodeKind, ScalarStyle, Tree};

use super::buildspec::{BUILDSPEC, Section, Unknown, Value};
use crate::Document;

/// A difference between a file and the grammar.
#[derive(Debug)]
pub(crate) enum Problem {
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
        expected: &'static str,
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

/// All differences between the mapping at `root` and the grammar, in the order of the file. Version 0.1, of
/// which no complete reference exists, may have keys of its own.
pub(crate) fn problems(document: &Document<'_>, root: NodeId) -> Vec<Problem> {
    let old = document
        .buildspec
        .as_ref()
        .is_some_and(|spec| spec.version == tagwright_syntax::buildspec::Version::V0_1);
    let mut walk = Walk {
        tree: document.tree,
        old,
        problems: Vec::new(),
    };
    walk.section(root, &BUILDSPEC);
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
                if let Some((odd, allowed)) = objection(value, &scalar.value) {
                    self.problems
                        .push(Problem::InvalidValue { node, odd, allowed });
                }
            }
            (_, _) => self.wrong(node, "a single value"),
        }
    }

    fn wrong(&mut self, node: NodeId, expected: &'static str) {
        self.problems.push(Problem::WrongType { node, expected });
    }
}

/// What is wrong with the text of a scalar: whether it is only odd, and what it may be.
fn objection(value: Value, text: &str) -> Option<(bool, String)> {
    // The shell, a template or CloudFormation may fill it in.
    if text.contains('$') || text.contains("{{") {
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
        Value::OnFailure if !is_on_failure(text) => Some((
            false,
            "`ABORT`, `CONTINUE`, `RETRY`, `RETRY-<count>`, `RETRY-<regex>` or \
             `RETRY-<count>-<regex>`"
                .to_owned(),
        )),
        _ => None,
    }
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
pub(crate) fn found(tree: &Tree, node: NodeId) -> &'static str {
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

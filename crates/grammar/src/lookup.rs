//! The grammar tables for those who help with writing: which keys and values may stand at a place.

use tagwright_syntax::FileKind;

use crate::buildspec::BUILDSPEC;
use crate::copilot::{ENVIRONMENT, PIPELINE, WORKLOAD, workload};
use crate::runtimes::{RUNTIMES, runtime};
use crate::section::{Key, Section, Value};

/// A key that may stand somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHelp {
    /// As it is written.
    pub name: &'static str,
    /// One sentence; empty where the name says all.
    pub docs: &'static str,
    /// What it may hold, for people: "yes or no", "a list of commands".
    pub holds: String,
    /// Whether the value stands behind the key; otherwise it begins on the next line.
    pub inline: bool,
}

/// The grammar of one file.
#[derive(Clone, Copy, Debug)]
pub struct Grammar {
    top: &'static Section,
}

impl Grammar {
    /// The grammar of files with this at their top.
    pub(crate) fn new(top: &'static Section) -> Self {
        Self { top }
    }

    /// The grammar of a file of this kind with this text, if there is a table of it. Another kind of file needs
    /// only its line here.
    #[must_use]
    pub fn of(kind: FileKind, text: &str) -> Option<Self> {
        let top = match kind {
            FileKind::Buildspec => &BUILDSPEC,
            FileKind::CopilotEnvironment => &ENVIRONMENT,
            FileKind::CopilotPipeline => &PIPELINE,
            // Until it says which kind of workload it is, only that can be said.
            FileKind::CopilotWorkload => workload(workload_type(text)).unwrap_or(&WORKLOAD),
            _ => return None,
        };
        Some(Self { top })
    }

    /// What may stand at the end of `path`, the keys from the top of the file; lists on the way do not count.
    fn value(self, path: &[&str]) -> Option<Value> {
        let mut at = Value::Section(self.top);
        for name in path {
            at = match item(at) {
                Value::Section(section) => section.key(name)?.value,
                Value::Names(inner) => *inner,
                _ => return None,
            };
        }
        Some(item(at))
    }
}

/// What a manifest says behind `type:`. It is read from the line, since the text may be half written.
fn workload_type(text: &str) -> &str {
    let line = text.lines().find_map(|line| line.strip_prefix("type:"));
    let value = line.unwrap_or("").split(" #").next().unwrap_or("");
    value.trim().trim_matches(['"', '\''])
}

/// What an item of a list may be, else the value itself; of several shapes the one with keys.
pub(crate) fn item(mut value: Value) -> Value {
    loop {
        value = match value {
            Value::List(inner) | Value::ListOrOne(inner) => *inner,
            Value::OneOf(shapes) => {
                let keys = |shape: &&Value| matches!(shape, Value::Section(_) | Value::Names(_));
                match shapes.iter().find(keys).or(shapes.first()) {
                    Some(shape) => *shape,
                    None => return value,
                }
            }
            _ => return value,
        };
    }
}

const RUNTIME_VERSIONS: &str = "runtime-versions";

impl Grammar {
    /// The keys that may stand below `path`, in the order of the reference.
    #[must_use]
    pub fn keys(self, path: &[&str]) -> Vec<KeyHelp> {
        match self.value(path) {
            Some(Value::Section(section)) => section.all_keys().into_iter().map(help).collect(),
            Some(Value::Names(_)) if path.last() == Some(&RUNTIME_VERSIONS) => RUNTIMES
                .iter()
                .filter(|runtime| !runtime.versions.is_empty())
                .map(|runtime| KeyHelp {
                    name: runtime.name,
                    docs: "",
                    holds: format!("{}, or `latest`", runtime.versions.join(", ")),
                    inline: true,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The key at the end of `path`.
    #[must_use]
    pub fn key(self, path: &[&str]) -> Option<KeyHelp> {
        let (name, above) = path.split_last()?;
        self.keys(above).into_iter().find(|key| key.name == *name)
    }

    /// The values that the key at the end of `path` may have, as far as they can be listed.
    #[must_use]
    pub fn values(self, path: &[&str]) -> Vec<&'static str> {
        if let [.., RUNTIME_VERSIONS, name] = path
            && self.value(path).is_some()
        {
            return runtime(name).map_or_else(Vec::new, |runtime| {
                let newest_first = runtime.versions.iter().rev().copied();
                newest_first.chain(["latest"]).collect()
            });
        }
        match self.value(path) {
            Some(Value::Version) => vec!["0.2", "0.1"],
            Some(Value::Flag) => vec!["yes", "no"],
            Some(Value::Boolean) => vec!["true", "false"],
            Some(Value::Words(words) | Value::Exactly(words)) => words.to_vec(),
            Some(Value::Shell { documented, .. }) => documented.to_vec(),
            Some(Value::OnFailure) => vec!["ABORT", "CONTINUE", "RETRY"],
            _ => Vec::new(),
        }
    }
}

pub(crate) fn help(key: &Key) -> KeyHelp {
    KeyHelp {
        name: key.name,
        docs: key.docs,
        holds: holds(key.value),
        inline: matches!(
            key.value,
            Value::Any
                | Value::Text
                | Value::Version
                | Value::Flag
                | Value::Count
                | Value::Boolean
                | Value::Whole
                | Value::Number
                | Value::Duration
                | Value::Exactly(_)
                | Value::Words(_)
                | Value::Shell { .. }
                | Value::OnFailure
        ),
    }
}

fn holds(value: Value) -> String {
    match value {
        Value::Any => "any value".to_owned(),
        Value::Text => "text".to_owned(),
        Value::Version => "0.2 or 0.1".to_owned(),
        Value::Flag => "yes or no".to_owned(),
        Value::Count => "a whole number above 0".to_owned(),
        Value::Boolean => "true or false".to_owned(),
        Value::Whole => "a whole number".to_owned(),
        Value::Number => "a number".to_owned(),
        Value::Duration => "a duration: 90s, 5m".to_owned(),
        Value::OneOf(shapes) => {
            let shapes: Vec<String> = shapes.iter().map(|shape| holds(*shape)).collect();
            shapes.join("; or: ")
        }
        Value::Words(words) | Value::Exactly(words) => words.join(", "),
        Value::Shell { documented, .. } => documented.join(", "),
        Value::OnFailure => "ABORT, CONTINUE, or RETRY with its longer forms".to_owned(),
        Value::Commands => "a list of commands".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::ListOrOne(_) => "a list, or its only item".to_owned(),
        Value::Names(_) => "names of your choice, each with a value".to_owned(),
        Value::Section(section) => {
            let names: Vec<&str> = section.all_keys().iter().map(|key| key.name).collect();
            names.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buildspec() -> Grammar {
        Grammar::of(FileKind::Buildspec, "").unwrap()
    }

    fn names(path: &[&str]) -> Vec<&'static str> {
        let keys = buildspec().keys(path).into_iter();
        keys.map(|key| key.name).collect()
    }

    #[test]
    fn keys_follow_the_way_from_the_top_through_lists_and_names() {
        assert!(names(&[]).contains(&"phases"));
        assert!(names(&["phases", "install"]).contains(&"runtime-versions"));
        assert!(names(&["batch", "build-graph"]).contains(&"depend-on"));
        assert!(names(&["reports", "unit"]).contains(&"file-format"));
        assert!(names(&["phases", "install", "runtime-versions"]).contains(&"nodejs"));
        assert_eq!(names(&["env", "variables"]), [""; 0]);
        assert_eq!(names(&["nonsense", "more"]), [""; 0]);
        assert!(Grammar::of(FileKind::Kubernetes, "").is_none());
    }

    #[test]
    fn values_are_listed_where_the_table_has_them() {
        let at = |path: &[&str]| buildspec().values(path);
        assert_eq!(at(&["version"]), ["0.2", "0.1"]);
        assert!(at(&["reports", "unit", "file-format"]).contains(&"JUNITXML"));
        assert!(at(&["phases", "install", "runtime-versions", "python"]).contains(&"3.14"));
        assert_eq!(
            at(&["phases", "install", "runtime-versions", "cobol"]),
            [""; 0]
        );
        assert_eq!(at(&["env", "variables", "X"]), [""; 0]);
        let key = buildspec().key(&["phases", "build", "on-failure"]).unwrap();
        assert!(key.inline && key.holds.contains("ABORT"));
    }
}

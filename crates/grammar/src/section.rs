//! What the tables of grammars are made of: sections, their keys, and what each value may be.

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// Anything.
    Any,
    /// One scalar. CodeBuild takes its text, so numbers and booleans are fine.
    Text,
    /// `0.1` or `0.2`.
    Version,
    /// `yes` or `no`; `true` and `false` are read as well.
    Flag,
    /// A whole number above 0.
    Count,
    /// One of these words, in any case.
    Words(&'static [&'static str]),
    /// A shell: the documented ones, and those that are seen in builds that run.
    Shell {
        /// What the reference lists.
        documented: &'static [&'static str],
        /// What works although no reference lists it.
        seen: &'static [&'static str],
    },
    /// `ABORT`, `CONTINUE`, `RETRY` and its longer forms.
    OnFailure,
    /// A list of shell commands, or one command.
    Commands,
    /// A list.
    List(&'static Value),
    /// A list, or its only item.
    ListOrOne(&'static Value),
    /// A mapping whose keys are names that the author chooses.
    Names(&'static Value),
    /// A mapping with known keys.
    Section(&'static Section),
    /// `true` or `false`, or one of the words that Go's YAML reader takes for them.
    Boolean,
    /// A whole number, 0 and negative ones included.
    Whole,
    /// A number.
    Number,
    /// A duration as Go writes it: `90s`, `1h30m`.
    Duration,
    /// Exactly one of these words.
    Exactly(&'static [&'static str]),
    /// Any of these shapes.
    OneOf(&'static [Value]),
}

/// One key of a section.
#[derive(Debug)]
pub struct Key {
    /// As it is written in the file.
    pub name: &'static str,
    /// What it may hold.
    pub value: Value,
    /// One sentence for the schema.
    pub docs: &'static str,
}

/// What CodeBuild does with a key that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// It stops with an error.
    Rejected,
    /// It takes no notice.
    Ignored,
    /// The reference does not list this section's keys completely.
    Allowed,
}

/// A mapping with known keys.
#[derive(Debug)]
pub struct Section {
    /// For people: "`env`", "the top level".
    pub name: &'static str,
    /// The known keys.
    pub keys: &'static [Key],
    /// Sections whose keys stand here as well.
    pub includes: &'static [&'static Section],
    /// What becomes of other keys.
    pub unknown: Unknown,
    /// Keys without which the section is of no use.
    pub required: &'static [&'static str],
    /// Keys that exclude each other.
    pub at_most_one: &'static [&'static str],
}

/// What most sections leave as it is here.
pub const PLAIN: Section = Section {
    name: "",
    keys: &[],
    includes: &[],
    unknown: Unknown::Ignored,
    required: &[],
    at_most_one: &[],
};

impl Section {
    /// Where the section's keys stand, for people.
    pub fn place(&self) -> String {
        let preposition = if self.name.starts_with("the top level") {
            "at"
        } else {
            "in"
        };
        format!("{preposition} {}", self.name)
    }

    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys
            .iter()
            .find(|key| key.name == name)
            .or_else(|| self.includes.iter().find_map(|section| section.key(name)))
    }

    /// All keys, those of included sections behind its own.
    pub fn all_keys(&self) -> Vec<&'static Key> {
        let included = self.includes.iter().flat_map(|section| section.all_keys());
        self.keys.iter().chain(included).collect()
    }
}

/// An entry of a table.
pub const fn key(name: &'static str, value: Value, docs: &'static str) -> Key {
    Key { name, value, docs }
}

//! What a rule says: findings, and the changes it proposes or why it proposes none, as plain data.
//!
//! Rules make it, the fixer proves and applies it, reports and editors show it. Nothing here knows a rule.

mod refusal;

use std::sync::Arc;

use tagwright_syntax::yaml::NodeId;
use tagwright_syntax::{SmolStr, Span};

pub use tagwright_syntax::FileId;

pub use refusal::{Refusal, RefusalCode, RefusalPlace};

/// How much damage a finding means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; never fails a gate unless asked.
    Note,
    /// Goes wrong under circumstances that the file does not exclude.
    Warning,
    /// Goes wrong.
    Error,
}

/// One thing that a rule has to say about one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// How much damage.
    pub severity: Severity,
    /// What will happen, for people.
    pub message: String,
    /// The file.
    pub file: FileId,
    /// The bytes of the file that the finding is about.
    pub span: Span,
    /// Other places that explain it.
    pub related: Vec<Related>,
    /// What to do about it, if that is certain. All findings of a group share one.
    pub fix: Option<Arc<Fix>>,
    /// Another answer to the same finding, if there are two: it may be made in the place of `fix`, never beside it.
    pub alternative: Option<Arc<Fix>>,
    /// Where there is no fix although the rule has one: why not.
    pub refusal: Option<Refusal>,
}

/// A place that explains a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The file.
    pub file: FileId,
    /// Bytes of that file.
    pub span: Span,
    /// What is there.
    pub message: String,
}

/// Whether a fix may be applied without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Applicability {
    /// To be shown only.
    DisplayOnly,
    /// Right if nothing outside the workspace depends on the old text: `--unsafe`.
    Unsafe,
    /// Everything that the workspace shows moves with it.
    Safe,
}

/// A set of changes that are made together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, for people: "push and deploy `${BRANCH_NAME}` instead of `latest`".
    pub message: String,
    /// Whether it may be applied without asking.
    pub applicability: Applicability,
    /// The changes, possibly in several files. Two fixes may share changes: each is made once.
    pub changes: Vec<Change>,
}

impl Fix {
    /// Whether the fix only repairs what is already in one file: it adds no command, key or list item, and changes no
    /// second file. Such a fix surprises nobody when a file is saved.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let mut files = self.changes.iter().map(|change| change.file);
        let first = files.next();
        files.all(|file| Some(file) == first) && !self.changes.iter().any(|it| it.kind.adds())
    }
}

/// One change of one file's tree: at the same time what to do and what to prove.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change {
    /// The file.
    pub file: FileId,
    /// The scalar, sequence or mapping, in the tree that the file's text gives.
    pub node: NodeId,
    /// What becomes of it.
    pub kind: ChangeKind,
}

/// What becomes of a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// The decoded range `range` of the scalar becomes `text`.
    Replace {
        /// Bytes of the scalar's decoded value.
        range: Span,
        /// The new decoded text.
        text: String,
        /// What this does to the shell words of the scalar.
        words: WordEffect,
    },
    /// A string item is inserted before the item `index` (0-based) of the sequence.
    InsertItem {
        /// 0-based index before which it goes; the length appends.
        index: u32,
        /// The item's decoded value. The command that sets the branch variable is one text for all files.
        value: SmolStr,
    },
    /// The item `index` (0-based) of the sequence goes, with its lines and the comment behind it. Another item stays.
    RemoveItem {
        /// 0-based index in the sequence as it was.
        index: u32,
    },
    /// A key with a text is inserted before the entry `index` (0-based) of the mapping, which does not have the key.
    InsertEntry {
        /// 0-based index before which it goes; the number of entries appends.
        index: u32,
        /// The decoded key; one line.
        key: SmolStr,
        /// The decoded value; one line.
        value: String,
    },
    /// In a file of Terraform, something is inserted behind an attribute, an entry of an object or an item of a list,
    /// in the same manner. The change's node says nothing.
    InsertSetting {
        /// The neighbour, from its name to the end of its value; bytes of the file.
        behind: Span,
        /// The name of the attribute or the entry, which the block or the object does not have; nothing for an item.
        name: Option<SmolStr>,
        /// The text of the expression; one line.
        value: String,
    },
    /// A YAML comment of the file becomes `text`, or goes if that is empty, with its line if it is alone
    /// there. The change's node is the file's root.
    ReplaceComment {
        /// The comment, from its `#` to the end of the line.
        comment: Span,
        /// The new comment, with its `#`; one line.
        text: String,
    },
    /// A comment is put on a line of its own above the line on which the node begins, indented like it.
    InsertComment {
        /// The comment, with its `#`; one line.
        text: String,
    },
    /// The node, an item of a list on one line, becomes the string that stands in its place: a command that YAML
    /// has taken apart is put into quotes.
    ReplaceNode {
        /// Bytes of the file: the node, with the tag or the unused anchor in front of it, and with the comment
        /// behind it if that belongs to the command.
        span: Span,
        /// What stands there, the new decoded value.
        text: String,
    },
    /// The plain text, each line of which begins with a dash, becomes a list with an item for each line: a blank
    /// is put behind each dash.
    SplitLines {
        /// The decoded values of the items, in order.
        items: Vec<String>,
    },
    /// The folded text (`>`) becomes a literal one (`|`): its lines, with the indentation and what is said of it and
    /// of the end, stay as they are.
    Unfold {
        /// The new decoded value. But for blanks and line breaks it is the old one.
        text: String,
    },
    /// In a file that cannot be read, a blank is put behind a dash, so that its line is the next item of the
    /// list above it. Without all lines of this kind, the file can be read. The change's node is the root of
    /// what could be read.
    SpaceDash {
        /// The dash, a byte of the file.
        dash: u32,
        /// The item's decoded value: the rest of the line.
        item: String,
    },
}

impl ChangeKind {
    /// Whether the change adds a command, a key or a list item beside those that are there.
    fn adds(&self) -> bool {
        match self {
            ChangeKind::InsertItem { .. }
            | ChangeKind::InsertEntry { .. }
            | ChangeKind::InsertSetting { .. } => true,
            // In a block scalar, commands are inserted as text.
            ChangeKind::Replace { range, words, .. } => {
                range.is_empty() && *words == WordEffect::Commands
            }
            _ => false,
        }
    }
}

/// What a replacement does to the shell words around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WordEffect {
    /// The scalar is no shell text.
    NotShell,
    /// Changes the inside of existing words; their number stays.
    Within,
    /// Inserts this many whole words into one command.
    Inserts(u32),
    /// Inserts whole commands.
    Commands,
    /// Takes this many whole words out of one command, or out of those that a loop runs over.
    Removes(u32),
    /// Takes whole commands away, with the `;`, `&&` or line break that joined them to their neighbours and the
    /// comments between and behind them.
    RemovesCommands,
    /// Gives one comment another text, or takes it away with the blanks and the line break beside it.
    Comment,
}

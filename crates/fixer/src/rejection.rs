//! Why a fix is not applied.

use tagwright_diagnostics::{Refusal, RefusalCode};
use tagwright_syntax::edit::EditRefusal;

/// One of the two readers that every result must satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The reader that the edits are derived from.
    Own,
    /// A libyaml reader, the family that CodeBuild and Copilot run.
    Libyaml,
}

impl std::fmt::Display for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Own => "the YAML reader",
            Self::Libyaml => "a libyaml reader",
        })
    }
}

/// Why a fix is not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The fix changes nothing.
    #[error("the fix changes nothing")]
    Empty,
    /// The fix names a file or a node that the texts do not have.
    #[error("the fix names a place that is not there{}", in_file(.path))]
    UnknownPlace {
        /// The file's path, empty if the file itself is unknown.
        path: String,
    },
    /// No edit makes the declared change and nothing else.
    #[error("{path}: {place}: {refusal}")]
    Refused {
        /// The file's path.
        path: String,
        /// The node's place in the file's tree.
        place: String,
        /// The reason.
        #[source]
        refusal: EditRefusal,
    },
    /// Two changes of the same fix cannot both be made.
    #[error("{path}: {place}: two changes of this fix exclude each other")]
    Contradiction {
        /// The file's path.
        path: String,
        /// The node's place in the file's tree.
        place: String,
    },
    /// The edits of different nodes run into each other.
    #[error("{path}: the edits run into each other")]
    Overlap {
        /// The file's path.
        path: String,
    },
    /// Point 1 of the proof: a reader does not accept the text.
    #[error("{path}: {reader} does not accept the text {}: {message}", before_or_after(.before))]
    Unreadable {
        /// The file's path.
        path: String,
        /// Which reader.
        reader: Reader,
        /// Whether it is the text before the fix.
        before: bool,
        /// The reader's own words.
        message: String,
    },
    /// Point 2: the decoded tree does not differ exactly as declared.
    #[error("{path}: {place}: {what}")]
    Tree {
        /// The file's path.
        path: String,
        /// The node's place in the file's tree.
        place: String,
        /// What differs.
        what: &'static str,
    },
    /// Point 3: the shell words do not differ exactly as declared.
    #[error("{path}: {place}: {what}")]
    Words {
        /// The file's path.
        path: String,
        /// The scalar's place in the file's tree.
        place: String,
        /// What differs.
        what: &'static str,
    },
    /// Point 4: a comment is lost, or says something about another place now.
    #[error("{path}: the comment `{comment}` {what}")]
    Comment {
        /// The file's path.
        path: String,
        /// The comment's text.
        comment: String,
        /// What became of it.
        what: &'static str,
    },
    /// Point 4: a byte changed that no change accounts for, or the line endings are not the file's own.
    #[error("{path}: {what}")]
    Bytes {
        /// The file's path.
        path: String,
        /// What differs.
        what: &'static str,
    },
    /// Point 5: the finding would still be there.
    #[error("{path}: {rule} would still be reported")]
    FindingRemains {
        /// The rule.
        rule: &'static str,
        /// The file's path.
        path: String,
    },
    /// Point 5: a finding of the same or a higher severity would appear.
    #[error("{path}: {rule} would be reported instead: {message}")]
    NewFinding {
        /// The rule.
        rule: &'static str,
        /// The file's path.
        path: String,
        /// The new finding's message.
        message: String,
    },
    /// Point 5: a second run would change the same place again.
    #[error("{path}: {rule} would change the same place again in a second run")]
    NotSettled {
        /// The rule.
        rule: &'static str,
        /// The file's path.
        path: String,
    },
    /// The run reached its limit of rounds before this fix had its turn.
    #[error("the fixes did not settle after {rounds} rounds")]
    NotConverged {
        /// The limit.
        rounds: u32,
    },
    /// So many fixes failed together that this one was not tried alone.
    #[error("too many fixes failed together, so this one was not tried alone")]
    NotTried,
}

fn in_file(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(" in {path}")
    }
}

fn before_or_after(before: &bool) -> &'static str {
    if *before { "as it is" } else { "with the fix" }
}

impl Rejection {
    /// Which of the five points of the proof failed, 1 to 5; `None` if it did not come to a proof.
    #[must_use]
    pub fn point(&self) -> Option<u8> {
        match self {
            Self::Unreadable { .. } => Some(1),
            Self::Tree { .. } => Some(2),
            Self::Words { .. } => Some(3),
            Self::Comment { .. } | Self::Bytes { .. } => Some(4),
            Self::FindingRemains { .. } | Self::NewFinding { .. } | Self::NotSettled { .. } => {
                Some(5)
            }
            Self::Empty
            | Self::UnknownPlace { .. }
            | Self::Refused { .. }
            | Self::Contradiction { .. }
            | Self::Overlap { .. }
            | Self::NotConverged { .. }
            | Self::NotTried => None,
        }
    }

    /// What kind of reason it is, for programs.
    #[must_use]
    pub fn code(&self) -> RefusalCode {
        match self {
            Self::Empty => RefusalCode::NothingToChange,
            Self::UnknownPlace { .. } => RefusalCode::Uncertain,
            Self::Refused { .. } => RefusalCode::CannotEdit,
            Self::Contradiction { .. } | Self::Overlap { .. } => RefusalCode::Conflict,
            Self::Unreadable { .. } => RefusalCode::ProofParses,
            Self::Tree { .. } => RefusalCode::ProofTree,
            Self::Words { .. } => RefusalCode::ProofWords,
            Self::Comment { .. } | Self::Bytes { .. } => RefusalCode::ProofBytes,
            Self::FindingRemains { .. } | Self::NewFinding { .. } | Self::NotSettled { .. } => {
                RefusalCode::ProofFindings
            }
            Self::NotConverged { .. } | Self::NotTried => RefusalCode::NotTried,
        }
    }
}

impl From<&Rejection> for Refusal {
    fn from(rejection: &Rejection) -> Self {
        Refusal::new(rejection.code(), rejection.to_string())
    }
}

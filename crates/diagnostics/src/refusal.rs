//! Why a rule that has a fix does not offer it at a place.

use tagwright_syntax::Span;

use crate::{FileId, Related};

/// Why there is no fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of reason, for programs and tests.
    pub code: RefusalCode,
    /// The reason, for people.
    pub message: String,
    /// What stands in the way, if that is one place.
    pub place: Option<RefusalPlace>,
}

/// The place that keeps a fix from being made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalPlace {
    /// In a file of the workspace.
    Known(Related),
    /// In a file that was not read as part of the workspace: a script, a chart.
    Elsewhere {
        /// The path as people see it, with `/` between the parts.
        path: String,
        /// 1-based.
        line: u32,
        /// 1-based, in characters (Unicode scalar values).
        column: u32,
        /// What is there.
        message: String,
    },
}

impl Refusal {
    /// A refusal without a place.
    #[must_use]
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            place: None,
        }
    }

    /// Something about the text is not certain.
    #[must_use]
    pub fn uncertain(message: impl Into<String>) -> Self {
        Self::new(RefusalCode::Uncertain, message)
    }

    /// With the place in a file of the workspace that stands in the way; `message` says what is there.
    #[must_use]
    pub fn at(mut self, file: FileId, span: Span, message: impl Into<String>) -> Self {
        self.place = Some(RefusalPlace::Known(Related {
            file,
            span,
            message: message.into(),
        }));
        self
    }

    /// With a place outside the files of the workspace; line and column are 1-based, the column in characters.
    #[must_use]
    pub fn elsewhere(
        mut self,
        path: impl Into<String>,
        (line, column): (u32, u32),
        message: impl Into<String>,
    ) -> Self {
        self.place = Some(RefusalPlace::Elsewhere {
            path: path.into(),
            line,
            column,
            message: message.into(),
        });
        self
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// Each code with its name in reports. The names are a promise to other programs: new ones may be added, and
/// old ones keep their meaning.
macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal,)*) => {
        /// What kind of reason there is against a fix.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RefusalCode {
            $($(#[$doc])* $code,)*
        }

        impl RefusalCode {
            /// All codes.
            pub const ALL: &[RefusalCode] = &[$(RefusalCode::$code,)*];

            /// The name in reports, kebab-case.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(RefusalCode::$code => $name,)*
                }
            }
        }
    };
}

codes! {
    /// Nothing expands a variable at the place.
    NotExpanded = "not-expanded",
    /// The text stands in quotes that the fix would break.
    Quoted = "quoted",
    /// Another tool's template: its language may read what a fix writes.
    Template = "template",
    /// The buildspec stands inside another file, where nothing is changed.
    InsideAnotherFile = "inside-another-file",
    /// A place that needs the old text would be left behind.
    LeftBehind = "left-behind",
    /// Nothing would set the branch where the fix needs it.
    BranchUnknown = "branch-unknown",
    /// There is no place for a command or an entry that the fix needs.
    NoPlace = "no-place",
    /// No command in the repository gives the image the name that is pushed.
    Unnamed = "unnamed",
    /// Nothing in the repository pushes the image, or not with a tag that is known where it is deployed.
    NotPushed = "not-pushed",
    /// The fix would also change a place whose finding is ignored.
    IgnoredPlace = "ignored-place",
    /// The fix would also change a file or a line that was not asked for.
    NotSelected = "not-selected",
    /// It is not certain where the text stands or what it means.
    Uncertain = "uncertain",
    /// Something else may read the variable that the fix would change.
    SharedVariable = "shared-variable",
    /// The configured strategy needs something that no edit here can give.
    Strategy = "strategy",
    /// There are several right answers, or a step outside of the repository comes first.
    YourDecision = "your-decision",
    /// The command is written in a form that the fix does not rewrite.
    UnsupportedForm = "unsupported-form",
    /// The fix of another finding covers this one.
    CoveredElsewhere = "covered-elsewhere",
    /// The file could not be read to its end.
    Unreadable = "unreadable",
    /// There is nothing that the fix could change.
    NothingToChange = "nothing-to-change",
    /// The text cannot be edited at the place without changing more than was declared.
    CannotEdit = "cannot-edit",
    /// Two changes of the fix exclude each other.
    Conflict = "conflict",
    /// Proof: a reader would not accept the text.
    ProofParses = "proof-parses",
    /// Proof: the tree would not differ as declared.
    ProofTree = "proof-tree",
    /// Proof: the shell words would not differ as declared.
    ProofWords = "proof-words",
    /// Proof: a comment or another byte would change.
    ProofBytes = "proof-bytes",
    /// Proof: the finding would stay, another would appear, or a second run would change the place again.
    ProofFindings = "proof-findings",
    /// The run ended before it was this fix's turn.
    NotTried = "not-tried",
    /// tagwright failed; please report it.
    InternalError = "internal-error",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_kebab_case() {
        let mut names: Vec<_> = RefusalCode::ALL.iter().map(|code| code.as_str()).collect();
        for name in &names {
            assert!(
                name.bytes()
                    .all(|byte| byte == b'-' || byte.is_ascii_lowercase()),
                "{name}"
            );
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RefusalCode::ALL.len());
    }
}

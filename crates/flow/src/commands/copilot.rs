//! AWS Copilot's command line: subcommands and flags.

use tagwright_syntax::Span;
use tagwright_syntax::shell::Command;

/// One call of Copilot, as its flag parser (pflag) would read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopilotInvocation {
    /// The subcommand words joined by one space: `svc deploy`, `deploy`, `task run`.
    pub subcommand: String,
    /// 0-based index of the last subcommand word among the command's words.
    pub last_subcommand_word: usize,
    /// The flags in order, unknown ones included.
    pub flags: Vec<Flag>,
}

/// One flag of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The long name, without dashes (`-n` is `name`); for an unknown flag as written, without dashes.
    pub name: String,
    /// Whether this subcommand has the flag.
    pub known: bool,
    /// 0-based index of the flag's word.
    pub word: usize,
    /// For a flag that takes a value: the index of the word that holds it (the flag's own for `--f=v`) and
    /// the value's bytes in the script, surrounding quotes excluded.
    pub value: Option<(usize, Span)>,
}

/// Reads `command` as a call of Copilot; `None` if it is none, or not with a known subcommand.
#[must_use]
pub fn copilot_invocation(command: &Command) -> Option<CopilotInvocation> {
    let _ = command;
    None
}

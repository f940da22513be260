//! Shell text to simple commands with exact spans.
//!
//! A [`Script`] is the list of simple commands of a text in the order in which they are written, each
//! with the context it runs in; compound commands appear only as that context. `adapter` is the only
//! place that knows which library parsed. `powershell` reads just enough of the other language to
//! detect, never to rewrite.
//!
//! Spans are byte ranges of the text given to [`parse`], which is the *decoded* value of a scalar;
//! [`crate::SourceMap`] leads back to the file.

mod adapter;
mod complete;
mod plain;
pub mod powershell;
mod repair;
mod words;

use std::borrow::Cow;
use std::sync::Arc;

pub use complete::{Fault, Incomplete, incomplete};

use smallvec::SmallVec;

use crate::memo::Memo;
use crate::{SmolStr, Span};

/// How well a text could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As the shell would read it.
    Clean,
    /// Only after repair (an unclosed quote, `if` without `fi`): good enough to look at, never to rewrite.
    Repaired,
    /// Not at all.
    Unreadable,
}

/// The commands of a text.
#[derive(Clone, Debug)]
pub struct Script {
    /// Every simple command, those inside substitutions, loops, functions and conditions included, in
    /// the order of their starts (a substitution's commands come before the command that uses them).
    pub commands: Vec<Command>,
    /// How well the text could be read.
    pub status: Status,
    /// Comments, each from `#` to the end of its line.
    pub comments: Vec<Span>,
}

/// One simple command: `A=1 docker push "$repo:latest" > log`.
#[derive(Clone, Debug)]
pub struct Command {
    /// From the first assignment or word to the last word, without redirections' targets.
    pub span: Span,
    /// `NAME=value` before the first word, or after `export`, `readonly`, `local`, `declare`, `typeset`.
    pub assignments: Vec<Assignment>,
    /// The words, the program first; for `export NAME=value` just `export` and its flags and bare names.
    /// Empty if the command only assigns.
    pub words: Vec<Word>,
    /// Redirections, here-documents included.
    pub redirects: Vec<Redirect>,
    /// Where the command runs.
    pub context: Context,
}

/// Where a command runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// May be skipped: in a branch of `if`, `case`, in a loop body, or after `&&` or `||`.
    pub conditional: bool,
    /// Runs only for branches that a condition names: behind `[ "$BRANCH" = main ] &&`, in such an `if`, or in
    /// the arm of such a `case`.
    pub one_branch: bool,
    /// Runs only if what stands before it failed (right of `||`).
    pub after_failure: bool,
    /// Its failure is caught: left of `||`, negated by `!`, or the condition of `if`, `while`, `until`.
    pub tolerated: bool,
    /// The loops around it, outermost first.
    pub loops: Vec<Loop>,
    /// The function whose body holds it.
    pub function: Option<SmolStr>,
    /// Runs in a subshell: assignments are lost after it (`( … )`, pipelines of two and more, `$( … )`, `&`).
    pub subshell: bool,
    /// 0-based place in its pipeline.
    pub pipe_index: u32,
    /// Number of commands in its pipeline, at least 1.
    pub pipe_length: u32,
    /// Depth of `$( … )` around it; 0 outside.
    pub substitution: u32,
    /// What it prints goes elsewhere than its script's own output does: the group, loop or condition around it is
    /// redirected to a file or stands in a pipeline (`{ echo a; echo b; } > file`).
    pub diverted: bool,
}

/// A `for` loop around a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loop {
    /// The loop's variable; `None` for `while` and `until`.
    pub variable: Option<SmolStr>,
    /// The words it runs over, as written.
    pub words: Vec<Word>,
}

/// `NAME=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The variable.
    pub name: SmolStr,
    /// From the name to the end of the value.
    pub span: Span,
    /// The value; `None` for an array.
    pub value: Option<Word>,
    /// `+=`.
    pub append: bool,
    /// By `export`, `declare -x`, …
    pub exported: bool,
}

/// One word as the shell sees it before expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// With its quotes.
    pub span: Span,
    /// Its pieces, in order. Quotes themselves are in no piece.
    pub parts: Parts,
}

/// The pieces of a word, most often one.
pub type Parts = SmallVec<[Part; 1]>;

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its bytes, without surrounding quotes.
    pub span: Span,
    /// The quotes around it.
    pub quoting: Quoting,
    /// What it is.
    pub kind: PartKind,
}

/// The quotes around a piece of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quoting {
    /// None: expands, splits into words.
    None,
    /// `'…'`: nothing expands.
    Single,
    /// `"…"`: expands, does not split.
    Double,
    /// `$'…'`: nothing expands (bash only).
    Ansi,
}

/// What a piece of a word is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// Text, after removal of quotes and backslashes.
    Literal(SmolStr),
    /// `$NAME`, `${NAME}`, `${NAME:-default}`.
    Variable(Variable),
    /// `$( … )` or backticks; its commands are also in [`Script::commands`].
    Substitution,
    /// `$(( … ))`.
    Arithmetic,
    /// Anything else that expands.
    Other,
}

/// A parameter expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The parameter's name (also `1`, `@`, `?`, …).
    pub name: SmolStr,
    /// With braces.
    pub braced: bool,
    /// What follows the name inside the braces.
    pub operator: Option<Box<Operator>>,
}

/// `:-default` and the like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// As written: `:-`, `-`, `:=`, `=`, `:?`, `?`, `:+`, `+`, `#`, `##`, `%`, `%%`, `/`, `//`, `^`, `,`, `:` …
    pub symbol: SmolStr,
    /// The operand, if it could be read as a word.
    pub operand: Option<Word>,
}

/// A redirection.
#[derive(Clone, Debug)]
pub struct Redirect {
    /// `>`, `>>`, `<`, `<<`, …
    pub kind: RedirectKind,
    /// `>>`: what the file holds stays.
    pub append: bool,
    /// The file, if it is one.
    pub target: Option<Word>,
    /// For a here-document its body (bytes of the text), and whether `$` expands in it.
    pub here_document: Option<HereDocument>,
}

impl Redirect {
    /// Whether output goes to a file that somebody may read: `> file`, but not `> /dev/null` and `>&2`.
    #[must_use]
    pub fn goes_to_file(&self) -> bool {
        let device = |target: &Word| {
            let target = target.value().unwrap_or_default();
            matches!(&*target, "/dev/null" | "/dev/stderr" | "/dev/stdout")
        };
        self.kind == RedirectKind::Output && !self.target.as_ref().is_some_and(device)
    }
}

/// What a redirection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    /// `>`, `>|`, `>>`, `&>`
    Output,
    /// `<`, `<>`
    Input,
    /// `<<`, `<<-`
    HereDocument,
    /// `<<<`
    HereString,
    /// `2>&1` and the like
    Duplicate,
}

/// The body of a here-document.
#[derive(Clone, Debug)]
pub struct HereDocument {
    /// Its bytes, without the closing delimiter.
    pub body: Span,
    /// Whether `$` expands (the delimiter is not quoted).
    pub expands: bool,
    /// The body's pieces, where it expands; else one literal.
    pub parts: Parts,
}

/// Reads `text` as POSIX sh with bash's additions.
///
/// Always returns; see [`Script::status`]. Depth and work are bounded by the parser's own limits.
#[must_use]
pub fn parse(text: &str) -> Script {
    plain::parse(text).unwrap_or_else(|| adapter::parse(text))
}

/// The same, parsed once for all who ask for one text within a while.
#[must_use]
pub fn parsed(text: &str) -> Arc<Script> {
    static PARSED: Memo<Script> = Memo::new();
    PARSED.get(text, || parse(text))
}

/// Longer texts are not read, in bytes.
pub const MAX_LENGTH: usize = adapter::MAX_LENGTH;

/// Whether `text` is too long or nested too deeply to be read: [`parse`] then gives no commands.
#[must_use]
pub fn is_beyond_limits(text: &str) -> bool {
    adapter::is_beyond_limits(text)
}

impl Word {
    /// The same as [`Word::literal`], copied only where the word has several pieces.
    #[must_use]
    pub fn value(&self) -> Option<Cow<'_, str>> {
        match self.parts.as_slice() {
            [part] => match &part.kind {
                PartKind::Literal(literal) => Some(Cow::Borrowed(literal)),
                _ => None,
            },
            _ => self.literal().map(Cow::Owned),
        }
    }

    /// The word's value, if it holds no expansion. (Globs and `~` are text here.)
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match &part.kind {
                PartKind::Literal(literal) => text.push_str(literal),
                _ => return None,
            }
        }
        Some(text)
    }

    /// Whether the word's value is `text`.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        let mut rest = text;
        for part in &self.parts {
            let PartKind::Literal(literal) = &part.kind else {
                return false;
            };
            let Some(after) = rest.strip_prefix(&**literal) else {
                return false;
            };
            rest = after;
        }
        rest.is_empty()
    }

    /// The text before the word's first expansion.
    #[must_use]
    pub fn literal_prefix(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match &part.kind {
                PartKind::Literal(literal) => text.push_str(literal),
                _ => break,
            }
        }
        text
    }

    /// The variables that the word expands, those in operands included.
    #[must_use]
    pub fn variables(&self) -> Vec<&Variable> {
        let mut found = Vec::new();
        for part in &self.parts {
            if let PartKind::Variable(variable) = &part.kind {
                found.push(variable);
                if let Some(operand) = variable.operator.as_ref().and_then(|o| o.operand.as_ref()) {
                    found.extend(operand.variables());
                }
            }
        }
        found
    }
}

impl Command {
    /// The program's name, if it is written out, without its folder: `docker`, `copilot-linux`.
    #[must_use]
    pub fn program(&self) -> Option<String> {
        let name = self.words.first()?.value()?;
        Some(match name.rsplit_once('/') {
            Some((_, base)) if !base.is_empty() => base.to_string(),
            _ => name.into_owned(),
        })
    }
}

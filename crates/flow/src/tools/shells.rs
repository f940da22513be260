//! Shells, and what starts them: the scripts in their words and here-documents.

use tagwright_syntax::shell::Command;

use super::table::{Failure, Program, tool};
use super::words::{View, base_name};
use super::{InnerScope, NestedScript, ScriptSource, Tool, scripts};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    hints: &[".sh", "./"],
    read: scripts::called,
    script: |view| shell_at(view, view.start),
    own_language: true,
    ..Program::new(&["sh", "bash", "dash", "ash", "zsh", "ksh"], Tool::Other)
};

/// What reads a file as if it stood here.
pub(super) static SOURCE: Program = Program {
    read: scripts::called,
    ..Program::new(&["source", "."], Tool::Other)
};

/// A shell on another machine.
pub(super) static SSH: Program = Program {
    script: ssh,
    own_language: true,
    ..Program::new(&["ssh"], Tool::Other)
};

/// A shell of another user.
pub(super) static SU: Program = Program {
    script: su,
    own_language: true,
    ..Program::new(&["su", "runuser"], Tool::Other)
};

/// A shell that is this one.
pub(super) static EVAL: Program = Program {
    script: |view| (view.len() == view.start + 2).then(|| Nested::word(view.start + 1)),
    own_language: true,
    failure: Failure::Ignored,
    ..Program::new(&["eval"], Tool::Other)
};

/// A script of one command, as its tool sees it.
pub(super) struct Nested {
    /// The word that holds it; `None`: the standard input.
    word: Option<usize>,
    surroundings: InnerScope,
}

impl Nested {
    fn word(word: usize) -> Self {
        Self {
            word: Some(word),
            surroundings: InnerScope::Same,
        }
    }

    const INPUT: Self = Self {
        word: None,
        surroundings: InnerScope::Same,
    };

    /// The same on another machine or in a container.
    pub(super) fn elsewhere(self) -> Self {
        Self {
            surroundings: InnerScope::Elsewhere,
            ..self
        }
    }

    fn without_environment(self, drops: bool) -> Self {
        if drops && self.surroundings == InnerScope::Same {
            return Self {
                surroundings: InnerScope::Empty,
                ..self
            };
        }
        self
    }
}

/// Whether a word may be one that a script follows, or a here-document may be one: most commands have none,
/// and are not looked at closely.
fn may_hold_script(command: &Command) -> bool {
    let document = command
        .redirects
        .iter()
        .any(|redirect| redirect.here_document.is_some());
    let names_program = |text: &str| text.contains("eval") || text.contains("ssh");
    document
        || command.words.iter().any(|word| match word.value() {
            Some(text) => names_program(&text) || text.starts_with('-') && text.contains('c'),
            // The program behind a folder in a variable.
            None => word.parts.iter().any(|part| {
                matches!(&part.kind, tagwright_syntax::shell::PartKind::Literal(text) if names_program(text))
            }),
        })
}

pub(super) fn read(command: &Command) -> Vec<NestedScript> {
    if !may_hold_script(command) {
        return Vec::new();
    }
    // Only values are looked at, no places: the script's text is not needed.
    let Some(view) = View::new(command, "") else {
        return Vec::new();
    };
    let nested = tool(&view.program).and_then(|tool| (tool.script)(&view));
    let Some(nested) = nested.map(|it| it.without_environment(view.drops)) else {
        return Vec::new();
    };
    let script = |source| NestedScript {
        source,
        surroundings: nested.surroundings,
    };
    match nested.word {
        Some(word) if word < view.len() => vec![script(ScriptSource::Word(word))],
        Some(_) => Vec::new(),
        None => (0..)
            .zip(&command.redirects)
            .filter(|(_, redirect)| redirect.here_document.is_some())
            .map(|(index, _)| script(ScriptSource::HereDocument(index)))
            .collect(),
    }
}

/// The script of `sh -c script`, or of `sh` without a file, the shell being the word at `at`.
pub(super) fn shell_at(view: &View<'_>, at: usize) -> Option<Nested> {
    let name = view.literal(at)?;
    // `ssh host 'bash -s'`
    let (name, input) = match name.split_once(' ') {
        Some((name, "-s" | "-es" | "-se" | "-e" | "-l")) => (name, true),
        Some(_) => return None,
        None => (name.as_str(), false),
    };
    if !ROW.names.contains(&base_name(name)?) {
        return None;
    }
    if input {
        return (at + 1 == view.len()).then_some(Nested::INPUT);
    }
    after_options(view, at + 1, false)
}

/// The first word behind the options, if one of them is `-c`, also in a cluster such as `-exc`; the standard
/// input, if there is no word, or `-s`. `operands`: words may stand between the options (`su user -c script`).
fn after_options(view: &View<'_>, from: usize, operands: bool) -> Option<Nested> {
    let mut at = from;
    let (mut script, mut input) = (false, false);
    while at < view.len() {
        let Some(text) = view.literal(at) else {
            return script.then(|| Nested::word(at));
        };
        if text == "-s" && !script && !operands {
            input = true;
            at += 1;
            continue;
        }
        if text == "-o" || text == "+o" || text == "-O" || text == "-s" && !script {
            at += 2;
            continue;
        }
        if text.starts_with(['-', '+']) {
            if !text.starts_with("--") || text == "--command" {
                script |= text.contains('c') && text.starts_with('-');
                input |= text.contains('s') && !operands;
                // `-euo pipefail`
                if text.ends_with('o') && text.len() > 2 && !text.starts_with("--") {
                    at += 1;
                }
            }
            at += 1;
            continue;
        }
        if script {
            return Some(Nested::word(at));
        }
        if !operands {
            // A file, or with `-s` the script's first argument.
            return input.then_some(Nested::INPUT);
        }
        at += 1;
    }
    (!script).then_some(Nested::INPUT)
}

/// `su [-] user -c script`: a login shell (`-`, `-l`) starts with an environment of its own (util-linux 2.40).
fn su(view: &View<'_>) -> Option<Nested> {
    let login = (view.start + 1..view.len())
        .any(|word| view.is(word, "-") || view.is(word, "-l") || view.is(word, "--login"));
    Some(after_options(view, view.start + 1, true)?.without_environment(login))
}

/// The only word behind the host, a shell that the words start, or the standard input.
fn ssh(view: &View<'_>) -> Option<Nested> {
    let at = remote_command(view.command, view.start + 1)?;
    let nested = if at == view.len() {
        Nested::INPUT
    } else if let Some(shell) = shell_at(view, at) {
        shell
    } else if at + 1 == view.len() {
        Nested::word(at)
    } else {
        return None;
    };
    Some(nested.elsewhere())
}

/// Options with a value of OpenSSH 10's client (2026-11).
const SSH_VALUES: &str = "BbcDEeFIiJLlmOoPpQRSWw";

/// The index of the first word of the command that `ssh` runs, its own words starting at `from`; that behind
/// the last where it runs none. Options may follow the host, too (ssh.c, `main`: "again").
pub(super) fn remote_command(command: &Command, from: usize) -> Option<usize> {
    let options = |mut at: usize| {
        while let Some(text) = command
            .words
            .get(at)
            .and_then(tagwright_syntax::shell::Word::literal)
            .filter(|text| text.starts_with('-') && text.len() > 1)
        {
            let takes_next = text.len() == 2
                && text
                    .chars()
                    .last()
                    .is_some_and(|it| SSH_VALUES.contains(it));
            at += 1 + usize::from(takes_next);
        }
        at
    };
    let host = options(from);
    (host < command.words.len()).then(|| options(host + 1).min(command.words.len()))
}

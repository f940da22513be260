//! Scripts of the repository, and programs that nothing is known about.

use tagwright_syntax::shell::{Command, Word};

use super::references::is_reference;
use super::words::View;
use super::{Form, Found, Role, Tool, docker, wrappers};

/// A command that runs a script by its path.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct ScriptCall {
    /// The 0-based index of the word that names the script; its arguments follow.
    pub(crate) word: usize,
    /// By `.` or `source`.
    pub(crate) sourced: bool,
}

/// Which word of the command names the script that it runs in the environment of this shell, if it does that.
pub(crate) fn script_call(command: &Command, script: &str) -> Option<ScriptCall> {
    let unwrapped = wrappers::unwrap(command, script)?;
    // Others than these add words, or set variables, of which nothing is known here.
    let passes = [
        "time",
        "exec",
        "command",
        "nohup",
        "sudo",
        "-E",
        "--preserve-env",
    ];
    let mut wrappers = command.words[..unwrapped.at].iter();
    if unwrapped.drops || !wrappers.all(|word| passes.iter().any(|it| word.is(it))) {
        return None;
    }
    let program = command.words.get(unwrapped.at)?;
    let mut at = unwrapped.at;
    let name = program.value();
    let sourced = matches!(name.as_deref(), Some("." | "source"));
    let name = name
        .as_deref()
        .map(|name| name.rsplit('/').next().unwrap_or(name));
    if sourced {
        at += 1;
    } else if matches!(name, Some("sh" | "bash" | "dash")) {
        at += 1;
        while let Some(option) = command.words.get(at).and_then(Word::literal) {
            let Some(letters) = option.strip_prefix(['-', '+']) else {
                break;
            };
            // A script in a word, or on standard input.
            if option.starts_with('-') && !option.starts_with("--") && letters.contains(['c', 's'])
            {
                return None;
            }
            at += if letters.ends_with('o') { 2 } else { 1 };
        }
    } else if !program.span.of(script).contains('/') {
        return None;
    }
    (at < command.words.len()).then_some(ScriptCall { word: at, sourced })
}

/// The arguments of a script, called by its path or by a shell.
pub(super) fn called(view: &View<'_>, found: &mut Found) {
    let shell = matches!(view.program.as_str(), "sh" | "bash" | "source" | ".");
    let script = if shell { view.start + 1 } else { view.start };
    let shape = view.shape(script).text;
    let own = shape.ends_with(".sh") || (!shell && shape.starts_with("./"));
    if own && !shape.starts_with('-') {
        arguments(view, script + 1, found);
    }
}

/// The arguments of a script of the repository: only what can be nothing else.
fn arguments(view: &View<'_>, from: usize, found: &mut Found) {
    for word in from..view.len() {
        let Some(slice) = view.whole(word) else {
            continue;
        };
        if slice.text == "latest" {
            found.slice(Role::Argument, Tool::Other, Form::Tag, &slice);
        } else if is_reference(&slice.text) {
            found.slice(Role::Argument, Tool::Other, Form::Reference, &slice);
        } else if slice.text.contains('=') {
            let flag = slice.text.trim_start_matches('-');
            let start = slice.text.len() - flag.len();
            if let Some(slice) = view.cut(&slice, start..start + flag.len()) {
                docker::key_value(view, &slice, Role::Argument, Tool::Other, found);
            }
        }
    }
}

//! Scripts in words.

use tagwright_syntax::shell::{Command, PartKind};

use super::words::View;
use super::{NestedScript, docker};

const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh"];

/// Options with a value of OpenSSH 10's client (2026-11).
const SSH_VALUES: &str = "BbcDEeFIiJLlmOoPpQRSWw";

/// Whether a word may be one that a script follows: most commands have none, and are not looked at closely.
fn may_hold_script(command: &Command) -> bool {
    let names_program = |text: &str| text.contains("eval") || text.contains("ssh");
    command.words.iter().any(|word| match word.value() {
        Some(text) => names_program(&text) || text.starts_with('-') && text.contains('c'),
        // The program behind a folder in a variable.
        None => word
            .parts
            .iter()
            .any(|part| matches!(&part.kind, PartKind::Literal(text) if names_program(text))),
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
    let program = view.program.as_str();
    let (word, remote) = match program {
        "eval" if view.len() == view.start + 2 => (Some(view.start + 1), false),
        "ssh" => (ssh(&view), true),
        "su" | "runuser" => (after_option(&view, view.start + 1), false),
        "docker" | "podman" | "nerdctl" => {
            let inner = docker::inner_command(&view);
            (inner.and_then(|at| shell_at(&view, at)), true)
        }
        "kubectl" | "oc" if (view.start..view.len()).any(|word| view.is(word, "exec")) => {
            let dashes = (view.start..view.len()).find(|word| view.is(*word, "--"));
            (dashes.and_then(|at| shell_at(&view, at + 1)), true)
        }
        name if SHELLS.contains(&name) => (shell_at(&view, view.start), false),
        _ => (None, false),
    };
    word.filter(|word| *word < view.len())
        .map(|word| NestedScript { word, remote })
        .into_iter()
        .collect()
}

/// The script of `sh -c script`, the shell being the word at `at`.
fn shell_at(view: &View<'_>, at: usize) -> Option<usize> {
    let name = view.literal(at)?;
    let name = super::words::base_name(&name)?;
    if !SHELLS.contains(&name) {
        return None;
    }
    after_option(view, at + 1)
}

/// The first word behind the options, if one of them is `-c`, also in a cluster such as `-exc`.
fn after_option(view: &View<'_>, from: usize) -> Option<usize> {
    let mut at = from;
    let mut script = false;
    while at < view.len() {
        let Some(text) = view.literal(at) else {
            return script.then_some(at);
        };
        if text == "-o" || text == "+o" || text == "-O" || text == "-s" && !script {
            at += 2;
            continue;
        }
        if text.starts_with(['-', '+']) {
            if !text.starts_with("--") || text == "--command" {
                script |= text.contains('c') && text.starts_with('-');
                // `-euo pipefail`
                if text.ends_with('o') && text.len() > 2 && !text.starts_with("--") {
                    at += 1;
                }
            }
            at += 1;
            continue;
        }
        if script {
            return Some(at);
        }
        // `su user -c script`
        if view.program == "su" || view.program == "runuser" {
            at += 1;
            continue;
        }
        return None;
    }
    None
}

/// The only word behind the host.
fn ssh(view: &View<'_>) -> Option<usize> {
    let mut at = view.start + 1;
    while let Some(text) = view
        .literal(at)
        .filter(|text| text.starts_with('-') && text.len() > 1)
    {
        let letter = text.chars().last()?;
        let takes_next = text.len() == 2 && SSH_VALUES.contains(letter);
        at += 1 + usize::from(takes_next);
    }
    (at + 2 == view.len()).then_some(at + 1)
}

//! Programs that run another program: `sudo`, `env`, `time`, `timeout`, …

use tagwright_syntax::shell::{Command, Word};

use super::shells;
use super::words::{OPAQUE, Shape, base_name};

/// How to get past a wrapper.
struct Wrapper {
    name: &'static str,
    /// Options that take the next word.
    values: &'static [&'static str],
    /// Words between the options and the program.
    operands: usize,
    /// `NAME=value` words may follow.
    assignments: bool,
    /// It gives the program an environment of its own, unless told otherwise.
    own_environment: bool,
    /// Options that tell it otherwise, or their starts.
    keeps: &'static [&'static str],
    /// Options by which it gives the program an environment of its own.
    drops: &'static [&'static str],
}

/// From the manual pages of sudo 1.9 (`env_reset` is its default), findutils 4.10, coreutils 9, util-linux 2.40 and bash 5.2 (2026-11).
const WRAPPERS: &[Wrapper] = &[
    Wrapper {
        values: &[
            "-u", "-g", "-h", "-p", "-C", "-r", "-t", "-U", "-D", "--user", "--group", "--host",
        ],
        assignments: true,
        own_environment: true,
        keeps: &["-E", "--preserve-env"],
        ..plain("sudo")
    },
    Wrapper {
        values: &["-u", "-C"],
        own_environment: true,
        ..plain("doas")
    },
    Wrapper {
        values: &["-u", "--unset", "-C", "--chdir"],
        assignments: true,
        drops: &["-i", "-", "--ignore-environment"],
        ..plain("env")
    },
    Wrapper {
        values: &["-s", "--signal", "-k", "--kill-after"],
        operands: 1,
        ..plain("timeout")
    },
    Wrapper {
        values: &["-n", "--adjustment"],
        ..plain("nice")
    },
    Wrapper {
        values: &["-c", "-n"],
        ..plain("ionice")
    },
    Wrapper {
        values: &["-i", "-o", "-e"],
        ..plain("stdbuf")
    },
    Wrapper {
        values: &[
            "-I",
            "-n",
            "-P",
            "-L",
            "-d",
            "-a",
            "-E",
            "-s",
            "--max-args",
            "--max-procs",
        ],
        ..plain("xargs")
    },
    plain("time"),
    plain("nohup"),
    plain("exec"),
    plain("command"),
    plain("builtin"),
    plain("retry"),
    plain("winpty"),
];

const fn plain(name: &'static str) -> Wrapper {
    Wrapper {
        name,
        values: &[],
        operands: 0,
        assignments: false,
        own_environment: false,
        keeps: &[],
        drops: &[],
    }
}

/// What is behind the wrappers.
pub(super) struct Unwrapped {
    /// The index of the word that names the program which really runs.
    pub(super) at: usize,
    /// Whether it starts with an environment of its own: variables that this shell exports are not in it.
    pub(super) drops: bool,
}

/// Looks behind the wrappers; `None` if the wrappers are all.
pub(super) fn unwrap(command: &Command, script: &str) -> Option<Unwrapped> {
    let mut at = 0;
    let mut drops = false;
    loop {
        let word = command.words.get(at)?;
        let value = word.value();
        let Some(name) = value.as_deref().and_then(base_name) else {
            return Some(Unwrapped { at, drops });
        };
        // Several words for another machine; a single one is a script.
        if name == "ssh"
            && let Some(first) = shells::remote_command(command, at + 1)
            && first + 1 < command.words.len()
            && !shells::ROW
                .names
                .iter()
                .any(|shell| command.words[first].is(shell))
        {
            at = first;
            continue;
        }
        let Some(wrapper) = WRAPPERS.iter().find(|wrapper| wrapper.name == name) else {
            return Some(Unwrapped { at, drops });
        };
        at += 1;
        let mut keeps = false;
        while let Some(word) = command.words.get(at) {
            let text = Shape::of_word(word, script).text;
            keeps |= wrapper.keeps.iter().any(|option| text.starts_with(option));
            drops |= wrapper.drops.contains(&&*text);
            if text == "--" {
                at += 1;
                break;
            }
            if wrapper.values.contains(&&*text) {
                at += 2;
            } else if (text.starts_with('-') && (text.len() > 1 || wrapper.drops.contains(&"-")))
                || (wrapper.assignments && is_assignment(word, &text))
                || (wrapper.name == "retry" && text.bytes().all(|b| b.is_ascii_digit()))
            {
                at += 1;
            } else {
                break;
            }
        }
        drops |= wrapper.own_environment && !keeps;
        at += wrapper.operands;
    }
}

fn is_assignment(word: &Word, text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !word.parts.is_empty()
            && !name.contains(OPAQUE)
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

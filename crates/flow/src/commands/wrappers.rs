//! Programs that run another program: `sudo`, `env`, `time`, `timeout`, …

use tagwright_syntax::shell::{Command, Word};

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
}

/// From the manual pages of sudo 1.9, coreutils 9, util-linux 2.40 and bash 5.2 (2026-11).
const WRAPPERS: &[Wrapper] = &[
    Wrapper {
        name: "sudo",
        values: &[
            "-u", "-g", "-h", "-p", "-C", "-r", "-t", "-U", "-D", "--user", "--group", "--host",
        ],
        operands: 0,
        assignments: true,
    },
    Wrapper {
        name: "doas",
        values: &["-u", "-C"],
        operands: 0,
        assignments: false,
    },
    Wrapper {
        name: "env",
        values: &["-u", "--unset", "-C", "--chdir"],
        operands: 0,
        assignments: true,
    },
    Wrapper {
        name: "timeout",
        values: &["-s", "--signal", "-k", "--kill-after"],
        operands: 1,
        assignments: false,
    },
    Wrapper {
        name: "nice",
        values: &["-n", "--adjustment"],
        operands: 0,
        assignments: false,
    },
    Wrapper {
        name: "ionice",
        values: &["-c", "-n"],
        operands: 0,
        assignments: false,
    },
    Wrapper {
        name: "stdbuf",
        values: &["-i", "-o", "-e"],
        operands: 0,
        assignments: false,
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
    }
}

/// The index of the word that names the program which really runs; `None` if the wrappers are all.
pub(super) fn unwrap(command: &Command, script: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let word = command.words.get(at)?;
        let value = word.value();
        let Some(name) = value.as_deref().and_then(base_name) else {
            return Some(at);
        };
        let Some(wrapper) = WRAPPERS.iter().find(|wrapper| wrapper.name == name) else {
            return Some(at);
        };
        at += 1;
        while let Some(word) = command.words.get(at) {
            let text = Shape::of_word(word, script).text;
            if text == "--" {
                at += 1;
                break;
            }
            if wrapper.values.contains(&&*text) {
                at += 2;
            } else if (text.starts_with('-') && text.len() > 1)
                || (wrapper.assignments && is_assignment(word, &text))
                || (wrapper.name == "retry" && text.bytes().all(|b| b.is_ascii_digit()))
            {
                at += 1;
            } else {
                break;
            }
        }
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

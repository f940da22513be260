//! Completions and manual pages, read by the programs that they are for.
//!
//! A program that is not installed is skipped, except in CI.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]

#[path = "support/installed.rs"]
mod installed;

use std::io::Write as _;
use std::process::{Command, Stdio};

use installed::installed;

fn tagwright(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tagwright"))
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What the program prints when it is given `text`; nothing on standard error.
fn fed(program: &str, arguments: &[&str], text: &str) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.is_empty(),
        "{program}: {said}"
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_completes_commands_options_and_values() {
    let script = tagwright(&["completions", "bash"]);
    let complete = |words: &[&str]| {
        let (last, before) = words.split_last().unwrap();
        let call = format!(
            "{script}\nCOMP_WORDS=({} '{last}'); COMP_CWORD={}; COMPREPLY=()\n_tagwright tagwright '{last}' '{}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
            before.join(" "),
            before.len(),
            before.last().unwrap(),
        );
        fed("bash", &["--norc"], &call)
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(complete(&["tagwright", "che"]), ["check"]);
    assert_eq!(complete(&["tagwright", "check", "--stag"]), ["--staged"]);
    assert_eq!(
        complete(&["tagwright", "check", "--fail-on", "n"]),
        ["note", "never"]
    );
    assert_eq!(
        complete(&["tagwright", "hook", "run", "pre"]),
        ["pre-commit"]
    );
}

#[test]
fn zsh_and_fish_complete_too_and_powershell_gets_its_script() {
    if installed("zsh") {
        let script = tagwright(&["completions", "zsh"]);
        fed("zsh", &["-f", "-n"], &script);
        let call = format!(
            "autoload -Uz compinit; compinit -u -D\n{script}\nprint ${{_comps[tagwright]}}\n"
        );
        assert_eq!(fed("zsh", &["-f"], &call), "_tagwright\n");
    }
    if installed("fish") {
        let script = tagwright(&["completions", "fish"]);
        let call = format!("{script}\ncomplete -C 'tagwright check --sta'\n");
        assert!(fed("fish", &["--no-config"], &call).starts_with("--staged\t"));
    }
    assert!(tagwright(&["completions", "powershell"]).contains("Register-ArgumentCompleter"));
    let unknown = Command::new(env!("CARGO_BIN_EXE_tagwright"))
        .args(["completions", "tcsh"])
        .output()
        .unwrap();
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn the_manual_pages_are_set_without_a_warning() {
    let main = tagwright(&["man"]);
    assert!(main.contains("tagwright\\-check(1)"));
    let pages = [
        "check",
        "fix",
        "flow",
        "explain",
        "rules",
        "hook",
        "completions",
        "man",
        "schema",
    ];
    let pages = pages.map(|name| (name, tagwright(&["man", name])));
    assert!(pages[0].1.contains("\\-\\-staged"));
    for hidden in ["docs", "chekc"] {
        let unknown = Command::new(env!("CARGO_BIN_EXE_tagwright"))
            .args(["man", hidden])
            .output()
            .unwrap();
        assert_eq!(unknown.status.code(), Some(2));
    }
    if installed("groff") {
        let text = fed("groff", &["-man", "-ww", "-Tascii", "-P-cbou"], &main);
        assert!(text.contains("Report findings"), "{text}");
        for (name, page) in &pages {
            let text = fed("groff", &["-man", "-ww", "-Tascii", "-P-cbou"], page);
            assert!(
                text.contains(&format!("tagwright-{name}")),
                "{name}: {text}"
            );
        }
    }
}

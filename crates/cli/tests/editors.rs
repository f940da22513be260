//! The save hooks of `docs/save-hook.md`, as they stand there, in the editors that they are for.
//!
//! An editor that is not installed is skipped, except in CI.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

#[path = "support/blocks.rs"]
mod blocks;
#[path = "support/installed.rs"]
mod installed;

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use blocks::block;
use installed::installed;

const FLOATING: &str = "\
version: 0.2
phases:
  build:
    commands:
      - export BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's|refs/heads/||; s|[^a-zA-Z0-9_.-]|-|g')
      - docker build -t $REGISTRY/web:latest .
      - docker push $REGISTRY/web:latest
      - printf '[{\"name\":\"web\",\"imageUri\":\"%s\"}]' \"$REGISTRY/web:latest\" > imagedefinitions.json
      - echo 한글
artifacts:
  files: imagedefinitions.json
";

/// Saves files in an editor, whose command line `arguments` makes from the hook's file and the file to save.
fn saves_what_is_right(
    program: &str,
    language: &str,
    arguments: impl Fn(&str, &str) -> Vec<String>,
) {
    if !installed(program) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let hook = home.path().join(format!("hook.{language}"));
    fs::write(&hook, block("save-hook.md", language)).unwrap();
    let path = folder.path().join("build spec's.yml");
    let save = |bytes: &[u8], with_tagwright: bool| {
        fs::write(&path, bytes).unwrap();
        let mut search = OsString::new();
        if with_tagwright {
            search.push(Path::new(env!("CARGO_BIN_EXE_tagwright")).parent().unwrap());
            search.push(":");
        }
        search.push(std::env::var_os("PATH").unwrap());
        let output = Command::new(program)
            .args(arguments(&hook.to_string_lossy(), &path.to_string_lossy()))
            .current_dir(folder.path())
            .env("PATH", search)
            .env("HOME", home.path())
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{program}: {said}");
        (fs::read(&path).unwrap(), said)
    };

    let (saved, said) = save(FLOATING.as_bytes(), true);
    let saved = String::from_utf8(saved).unwrap();
    assert!(
        saved.contains("docker push $REGISTRY/web:${BRANCH_NAME}\n")
            && saved.ends_with("      - echo 한글\nartifacts:\n  files: imagedefinitions.json\n")
            && !saved.contains("latest\n"),
        "{program}: {saved}\n{said}"
    );
    // What would add a command is not for a save.
    let undefined: Vec<&str> = FLOATING
        .lines()
        .filter(|line| !line.contains("export"))
        .collect();
    let undefined = undefined.join("\n") + "\n";
    assert_eq!(save(undefined.as_bytes(), true).0, undefined.as_bytes());
    // Once more is nothing more, and line endings are the editor's matter.
    assert_eq!(save(saved.as_bytes(), true).0, saved.as_bytes());
    let windows = saved.replace('\n', "\r\n");
    let crlf = FLOATING.replace('\n', "\r\n");
    assert_eq!(
        String::from_utf8(save(crlf.as_bytes(), true).0).unwrap(),
        windows
    );

    // What remains to be said does not get into the file.
    let remains = format!("{saved}colour: red\n");
    assert_eq!(save(remains.as_bytes(), true).0, remains.as_bytes());
    for text in [
        &b"version: 0.2\nphases:\n  build:\n    commands:\n      - @docker push x:latest\n"[..],
        b"version: 0.2\nphases: [\n",
        b"a: \xff\xfe docker push web:latest\n",
        b"a: \0 docker push web:latest\n",
        b"just: yaml\n",
    ] {
        let (saved, said) = save(text, true);
        assert_eq!(
            String::from_utf8_lossy(&saved),
            String::from_utf8_lossy(text),
            "{program}: {said}"
        );
    }
    // An error of tagwright is none of the file's.
    fs::write(folder.path().join("tagwright.toml"), "colour = \"red\"\n").unwrap();
    assert_eq!(save(FLOATING.as_bytes(), true).0, FLOATING.as_bytes());
    fs::write(
        folder.path().join("tagwright.toml"),
        "exclude = [\"*.yml\"]\n",
    )
    .unwrap();
    assert_eq!(save(FLOATING.as_bytes(), true).0, FLOATING.as_bytes());
    fs::remove_file(folder.path().join("tagwright.toml")).unwrap();
    assert_eq!(save(FLOATING.as_bytes(), false).0, FLOATING.as_bytes());
}

fn owned(arguments: &[&str]) -> Vec<String> {
    arguments
        .iter()
        .map(|argument| (*argument).to_owned())
        .collect()
}

#[test]
fn vim_saves_the_fixed_text_or_the_text_as_it_is() {
    saves_what_is_right("vim", "vim", |hook, file| {
        owned(&[
            "-N",
            "-u",
            hook,
            "-i",
            "NONE",
            "-n",
            "-es",
            "-c",
            "set encoding=utf-8",
            "-c",
            "edit",
            "-c",
            "write",
            "-c",
            "qall!",
            file,
        ])
    });
}

#[test]
fn neovim_saves_the_fixed_text_or_the_text_as_it_is() {
    saves_what_is_right("nvim", "lua", |hook, file| {
        owned(&[
            "--headless",
            "-u",
            hook,
            "-i",
            "NONE",
            "-n",
            "-c",
            "write",
            "-c",
            "qall!",
            file,
        ])
    });
}

#[test]
fn emacs_saves_the_fixed_text_or_the_text_as_it_is() {
    saves_what_is_right("emacs", "elisp", |hook, file| {
        let save = format!(
            "(progn (find-file {file:?}) (set-buffer-modified-p t) (let ((make-backup-files nil)) (save-buffer)))"
        );
        owned(&["-Q", "--batch", "-l", hook, "--eval", &save])
    });
}

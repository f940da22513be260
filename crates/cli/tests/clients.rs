//! `tagwright lsp` driven by clients that people use: Neovim's and Emacs's, without a screen.
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
use std::path::{Path, PathBuf};
use std::process::Command;

use installed::installed;

const BUILD: &str = "\
version: 0.2
phases:
  build:
    commands:
      - echo 😀 && docker build -t $REPO/app:latest .
      - echo 😀 && docker push $REPO/app:latest
";

const TAGGED: &str = "\
version: 0.2
phases:
  build:
    commands:
      - docker build -t 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.2 .
      - docker push 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.2
";

const DEPLOY: &str = "\
version: 0.2
phases:
  build:
    commands:
      - helm upgrade app ./chart --set image=123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.2
";

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(name)
}

/// Runs an editor's session in a repository with the three builds. Each line that it prints begins as `expected` says.
fn says(mut editor: Command, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let root = std::fs::canonicalize(folder.path()).unwrap();
    for (path, text) in [
        (".git/HEAD", ""),
        ("build/buildspec.yml", BUILD),
        ("tagged/buildspec.yml", TAGGED),
        ("deploy/buildspec.yml", DEPLOY),
    ] {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let program = Path::new(env!("CARGO_BIN_EXE_tagwright"));
    let mut search = OsString::from(program.parent().unwrap());
    search.push(":");
    search.push(std::env::var_os("PATH").unwrap());
    let output = editor
        .current_dir(&root)
        .env("PATH", search)
        .env("TAGWRIGHT", program)
        .env("HOME", &root)
        .env("LC_ALL", "C.UTF-8")
        .env("XDG_STATE_HOME", root.join("state"))
        .env("XDG_CACHE_HOME", root.join("cache"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    for (line, expected) in lines.iter().zip(expected.lines()) {
        assert!(line.starts_with(expected), "{line}\n{said}\n{errors}");
    }
    assert_eq!(lines.len(), expected.lines().count(), "{said}\n{errors}");
    assert!(output.status.success(), "{said}\n{errors}");
}

#[test]
fn neovim_shows_findings_applies_fixes_and_finds_the_push() {
    if !installed("nvim") {
        return;
    }
    let mut editor = Command::new("nvim");
    editor
        .args(["--headless", "--clean", "-n", "-c"])
        .arg(format!("luafile {}", script("neovim.lua").display()));
    // Columns as Neovim shows them, in bytes: the emoji has four.
    says(
        editor,
        "\
open: latest-pushed 4:47-53, latest-pushed 5:43-49
broken: invalid-yaml 1:0-1
hover: **warning** `latest-pushed`:
action: Fix latest-pushed:
fixed: - echo 😀 && docker push $REPO/app:${BRANCH_NAME}
definition: tagged/buildspec.yml 5
symbols: version phases build
ended
",
    );
}

/// With the settings that the documentation gives.
#[test]
fn emacs_shows_findings_applies_fixes_and_finds_the_push() {
    if !installed("emacs") {
        return;
    }
    let eglot = "(progn (package-initialize) (require 'eglot))";
    let found = Command::new("emacs")
        .args(["-q", "--batch", "--eval", eglot])
        .output()
        .unwrap();
    if !found.status.success() {
        assert!(
            std::env::var_os("CI").is_none(),
            "Emacs has no Eglot: {}",
            String::from_utf8_lossy(&found.stderr)
        );
        return;
    }
    let settings = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(settings.path(), blocks::block("editors.md", "elisp")).unwrap();
    let mut editor = Command::new("emacs");
    editor
        .args(["-q", "--batch", "-l"])
        .arg(settings.path())
        .arg("-l")
        .arg(script("emacs.el"));
    // Lines begin at 1, and columns count characters.
    says(
        editor,
        "\
open: latest-pushed 5:44-50, latest-pushed 6:40-46
broken: invalid-yaml 2:0-1
hover: **warning** `latest-pushed`:
actions: Fix latest-pushed: push `${BRANCH_NAME}` instead of `latest` (unsafe: something outside this workspace may depend on the old text) | Ignore latest-pushed here, with a reason
fixed: - echo 😀 && docker push $REPO/app:${BRANCH_NAME}
definition: tagged/buildspec.yml 6
ended
",
    );
}

//! `tagwright lsp` driven by a real client: Neovim without a screen.
//!
//! Runs where `nvim` is installed. Where CI says so (`CI` is set) it must be; elsewhere the test says that it
//! did not run.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::Path;
use std::process::Command;

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

#[test]
fn neovim_shows_findings_applies_fixes_and_finds_the_push() {
    if Command::new("nvim").arg("--version").output().is_err() {
        assert!(
            std::env::var_os("CI").is_none(),
            "nvim is not installed, and CI has to run this test"
        );
        eprintln!("NOT RUN: nvim is not installed");
        return;
    }
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
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/neovim/session.lua");
    let output = Command::new("nvim")
        .args(["--headless", "--clean", "-n", "-c"])
        .arg(format!("luafile {}", script.display()))
        .current_dir(&root)
        .env("TAGWRIGHT", env!("CARGO_BIN_EXE_tagwright"))
        .env("HOME", &root)
        .env("XDG_STATE_HOME", root.join("state"))
        .env("XDG_CACHE_HOME", root.join("cache"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    // Columns as Neovim shows them, in bytes: the emoji has four.
    let expected = "\
open: latest-pushed 4:47-53, latest-pushed 5:43-49
broken: invalid-yaml 1:0-1
hover: **warning** `latest-pushed`:
action: Fix latest-pushed:
fixed: - echo 😀 && docker push $REPO/app:${BRANCH_NAME}
definition: tagged/buildspec.yml 5
symbols: version phases build
ended
";
    let lines: Vec<&str> = said.lines().collect();
    for (line, expected) in lines.iter().zip(expected.lines()) {
        assert!(line.starts_with(expected), "{line}\n{said}\n{errors}");
    }
    assert_eq!(lines.len(), expected.lines().count(), "{said}\n{errors}");
    assert!(output.status.success(), "{said}\n{errors}");
}

//! The Git hooks: what they let through, what they write, and what they leave alone.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

#[path = "support/texts.rs"]
mod texts;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tagwright_rules::derivation::Derivation;

#[path = "support/repository.rs"]
mod repository;

use repository::{Repository, isolated};
use texts::BROKEN;

const BRANCH_FILE: &str = ".git/tagwright/branch.env";

/// Runs `git`, tagwright being installed, and gives whether it succeeded and what it said.
fn git(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_tagwright"));
    let mut path = program.parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let output = isolated(Command::new("git"), folder)
        .args(arguments)
        .env("PATH", path)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

fn installed() -> Repository {
    let repository = Repository::new(&[("README.md", "")]);
    let run = repository.run(&["hook", "install"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    repository
}

fn branch(repository: &Repository) -> Option<String> {
    fs::read_to_string(repository.path(BRANCH_FILE)).ok()
}

#[test]
fn a_commit_with_an_error_is_refused_and_one_without_is_made() {
    let repository = installed();
    repository.put("buildspec.yml", BROKEN);
    repository.git(&["add", "."]);
    let (made, said) = git(repository.0.path(), &["commit", "-m", "broken"]);
    assert!(!made && said.contains("error[invalid-yaml]"), "{said}");
    let (made, said) = git(
        repository.0.path(),
        &["commit", "--no-verify", "-m", "broken"],
    );
    assert!(made, "{said}");
    repository.put("other.md", "");
    repository.git(&["add", "."]);
    let (made, said) = git(
        repository.0.path(),
        &["commit", "-m", "nothing to do with it"],
    );
    assert!(made, "{said}");
    // `git commit FILE` and `git commit --all` have an index of their own; the hook is run in the top folder.
    repository.put("a/buildspec.yml", BROKEN);
    repository.git(&["add", "--intent-to-add", "a"]);
    for arguments in [
        &["commit", "-m", "x", "a/buildspec.yml"][..],
        &["commit", "-a", "-m", "x"],
    ] {
        let (made, said) = git(repository.0.path(), arguments);
        assert!(!made && said.contains("a/buildspec.yml:5:9"), "{said}");
    }
}

#[test]
fn without_tagwright_on_the_path_the_hook_finds_it_or_says_so() {
    let repository = installed();
    repository.put("buildspec.yml", BROKEN);
    repository.git(&["add", "."]);
    let hook = repository.path(".git/hooks/pre-commit");
    let run = |repository: &Repository| {
        let output = isolated(Command::new(&hook), repository.0.path())
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8([output.stdout, output.stderr].concat()).unwrap(),
        )
    };
    assert!(run(&repository).1.contains("invalid-yaml"));
    let text = fs::read_to_string(&hook).unwrap();
    fs::write(
        &hook,
        text.replace(env!("CARGO_BIN_EXE_tagwright"), "/nowhere/tagwright"),
    )
    .unwrap();
    let (code, said) = run(&repository);
    assert!(
        code == Some(1) && said.contains("is not installed"),
        "{said}"
    );
}

#[test]
fn the_branch_file_holds_what_a_build_of_the_branch_gets_under_every_shell() {
    let repository = installed();
    assert_eq!(branch(&repository).as_deref(), Some("BRANCH_NAME=main\n"));
    let long = format!("feature/{}", "0123456789-".repeat(12));
    let derivation = Derivation::new("BRANCH_NAME").text();
    for name in [
        "feature/x",
        "branch/x",
        "heads/x",
        "user@host/Ünïcode+{x",
        "release/1.2",
        "$(id)&;'\"x",
        &long,
    ] {
        let (made, said) = git(repository.0.path(), &["switch", "-q", "-c", name]);
        assert!(made && said.is_empty(), "{said}");
        let build = Command::new("dash")
            .args([
                "-c",
                &format!("{derivation}printf 'BRANCH_NAME=%s\\n' \"$BRANCH_NAME\""),
            ])
            .env_remove("BRANCH_NAME")
            .env("CODEBUILD_WEBHOOK_HEAD_REF", format!("refs/heads/{name}"))
            .output()
            .unwrap();
        let expected = String::from_utf8(build.stdout).unwrap();
        assert_eq!(branch(&repository), Some(expected.clone()), "{name}");
        for shell in ["dash", "bash"] {
            // The hook itself, and a local build that reads the file.
            fs::remove_file(repository.path(BRANCH_FILE)).unwrap();
            let status = isolated(Command::new(shell), repository.0.path())
                .args([".git/hooks/post-checkout", "0", "0", "1"])
                .status()
                .unwrap();
            assert!(status.success());
            let read = isolated(Command::new(shell), repository.0.path())
                .args(["-euc", "set -a; . \"$(git rev-parse --git-path tagwright/branch.env)\"; set +a; env | grep ^BRANCH_NAME="])
                .env_remove("BRANCH_NAME")
                .output()
                .unwrap();
            assert_eq!(
                String::from_utf8(read.stdout).unwrap(),
                expected,
                "{shell}: {name}"
            );
        }
    }
}

#[test]
fn without_a_branch_there_is_no_file_and_a_rebase_keeps_its_branch() {
    let repository = installed();
    let folder = repository.0.path();
    assert!(git(folder, &["checkout", "-q", "--detach"]).0);
    assert_eq!(branch(&repository), None);
    assert!(git(folder, &["checkout", "-q", "main"]).0);
    assert_eq!(branch(&repository).as_deref(), Some("BRANCH_NAME=main\n"));
    // A branch that no tag may be called after is said, and the checkout succeeds all the same.
    let (made, said) = git(folder, &["checkout", "-q", "-b", "latest"]);
    assert!(
        made && said.contains("Cannot determine the branch"),
        "{said}"
    );
    assert_eq!(branch(&repository), None);

    assert!(git(folder, &["checkout", "-q", "-b", "topic", "main"]).0);
    repository.put("topic.md", "");
    repository.git(&["add", "."]);
    assert!(git(folder, &["commit", "-q", "-m", "topic"]).0);
    assert!(git(folder, &["checkout", "-q", "main"]).0);
    repository.put("main.md", "");
    repository.git(&["add", "."]);
    assert!(git(folder, &["commit", "-q", "-m", "main"]).0);
    assert!(git(folder, &["checkout", "-q", "topic"]).0);
    let (made, said) = git(folder, &["rebase", "-q", "--force-rebase", "main"]);
    assert!(made, "{said}");
    assert_eq!(branch(&repository).as_deref(), Some("BRANCH_NAME=topic\n"));
    // A single file is no other branch.
    fs::remove_file(repository.path(BRANCH_FILE)).unwrap();
    assert!(git(folder, &["checkout", "-q", "main", "--", "main.md"]).0);
    assert_eq!(branch(&repository), None);
    assert_eq!(
        repository.run(&["hook", "run", "post-checkout"]).code,
        Some(0)
    );
    assert_eq!(branch(&repository).as_deref(), Some("BRANCH_NAME=topic\n"));
}

#[test]
fn every_linked_work_tree_has_a_file_of_its_own() {
    let repository = installed();
    let linked = tempfile::tempdir().unwrap();
    let folder = linked.path().join("linked tree");
    let (made, said) = git(
        repository.0.path(),
        &[
            "worktree",
            "add",
            "-q",
            "-b",
            "hot/fix",
            &folder.to_string_lossy(),
        ],
    );
    assert!(made, "{said}");
    let read = isolated(Command::new("sh"), &folder)
        .args([
            "-c",
            "cat \"$(git rev-parse --git-path tagwright/branch.env)\"",
        ])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(read.stdout).unwrap(),
        "BRANCH_NAME=hot-fix\n"
    );
    assert_eq!(branch(&repository).as_deref(), Some("BRANCH_NAME=main\n"));
}

#[test]
fn the_configured_variable_is_written() {
    let repository = Repository::new(&[(
        "tagwright.toml",
        "[branch]\nvariable = \"GIT_BRANCH_TAG\"\n",
    )]);
    assert_eq!(repository.run(&["hook", "install"]).code, Some(0));
    assert_eq!(
        branch(&repository).as_deref(),
        Some("GIT_BRANCH_TAG=main\n")
    );
}

#[test]
fn a_hook_of_somebody_else_is_neither_overwritten_nor_lost() {
    let repository = Repository::new(&[("README.md", "")]);
    let hook = repository.path(".git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\nexit 0\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let run = repository.run(&["hook", "install"]);
    assert_eq!(run.code, Some(2));
    assert!(
        run.err.contains("tagwright hook run pre-commit"),
        "{}",
        run.err
    );
    assert!(!repository.path(".git/hooks/post-checkout").exists());

    let run = repository.run(&["hook", "install", "--force"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(
        run.out.contains("pre-commit.before-tagwright"),
        "{}",
        run.out
    );
    // Again is nothing new.
    assert_eq!(repository.run(&["hook", "install"]).code, Some(0));
    assert_eq!(repository.run(&["hook", "uninstall"]).code, Some(0));
    assert_eq!(fs::read_to_string(&hook).unwrap(), "#!/bin/sh\nexit 0\n");
    assert_eq!(
        fs::metadata(&hook).unwrap().permissions().mode() & 0o777,
        0o755
    );
    assert!(!repository.path(".git/hooks/post-checkout").exists());
    assert_eq!(branch(&repository), None);
    let run = repository.run(&["hook", "uninstall"]);
    assert_eq!(run.code, Some(0));
    assert!(run.err.contains("left") && run.out.contains("no hook of tagwright"));
}

#[test]
fn the_folder_of_the_hooks_is_the_configured_one_unless_all_repositories_share_it() {
    let repository = Repository::new(&[("README.md", ""), ("sub/x", "")]);
    repository.git(&["config", "core.hooksPath", "my hooks"]);
    let run = repository::run(&repository.path("sub"), &["hook", "install"], b"");
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(repository.path("my hooks/pre-commit").exists());
    assert_eq!(repository.run(&["hook", "uninstall"]).code, Some(0));
    repository.git(&["config", "--unset", "core.hooksPath"]);

    let shared = tempfile::tempdir().unwrap();
    let global = shared.path().join("gitconfig");
    fs::write(
        &global,
        format!("[core]\nhooksPath = {}\n", shared.path().display()),
    )
    .unwrap();
    let install = |arguments: &[&str]| {
        isolated(
            Command::new(env!("CARGO_BIN_EXE_tagwright")),
            repository.0.path(),
        )
        .env("GIT_CONFIG_GLOBAL", &global)
        .args(arguments)
        .output()
        .unwrap()
    };
    let refused = install(&["hook", "install"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("run in all repositories"));
    assert!(!shared.path().join("pre-commit").exists());
    assert_eq!(
        install(&["hook", "install", "--force"]).status.code(),
        Some(0)
    );
    assert!(shared.path().join("pre-commit").exists());
}

#[test]
fn outside_a_repository_there_is_nothing_to_hook_into() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["hook", "install"][..],
        &["hook", "uninstall"],
        &["hook", "run", "pre-commit"],
        &["hook", "run", "post-checkout"],
    ] {
        let run = repository::run(folder.path(), arguments, b"");
        assert_eq!(run.code, Some(2), "{}", run.err);
    }
}

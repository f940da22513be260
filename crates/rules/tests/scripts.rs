//! Which scripts of a repository a fix edits, and why it leaves others alone.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use tagwright_flow::FileId;
use tagwright_rules::{ChangeKind, Finding, Settings, lint};

const IMAGE: &str = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/ferry";

/// A buildspec of these commands.
fn buildspec(commands: &[&str]) -> String {
    let items: String = commands
        .iter()
        .map(|it| format!("      - {it}\n"))
        .collect();
    format!("version: 0.2\nphases:\n  build:\n    commands:\n{items}")
}

fn findings(files: &[(&str, &str)]) -> Vec<Finding> {
    let texts: Vec<Arc<str>> = files.iter().map(|(_, text)| Arc::from(*text)).collect();
    let files = files.iter().zip(&texts).zip(0..);
    lint(
        files.map(|(((path, _), text), id)| (FileId(id), *path, text)),
        &Settings::default(),
    )
}

/// A script that builds, pushes and deploys `tag`, with `line` before that.
fn script(line: &str, tag: &str) -> String {
    format!(
        "#!/bin/sh\nset -e\n{line}\ndocker build -t {IMAGE}:{tag} .\ndocker push {IMAGE}:{tag}\naws lambda update-function-code --function-name f --image-uri {IMAGE}:{tag}\n"
    )
}

/// The files that the fix of what is pushed changes, or why there is none.
fn outcome(files: &[(&str, &str)]) -> String {
    let found = findings(files);
    let finding = found
        .iter()
        .find(|it| it.rule.starts_with("latest-") && (it.fix.is_some() || it.refusal.is_some()));
    let Some(finding) = finding else {
        return "nothing".to_owned();
    };
    match (&finding.fix, &finding.refusal) {
        (Some(fix), _) => {
            let mut changed: Vec<&str> = fix
                .changes
                .iter()
                .filter(|change| matches!(change.kind, ChangeKind::Replace { .. }))
                .map(|change| files[change.file.0 as usize].0)
                .collect();
            changed.dedup();
            format!("changes {}", changed.join(", "))
        }
        (None, Some(refusal)) => refusal.message.to_string(),
        (None, None) => String::new(),
    }
}

#[test]
fn a_script_that_only_the_build_runs_is_edited() {
    let spec = buildspec(&["./ci/x.sh"]);
    let text = script(":", "latest");
    assert_eq!(
        outcome(&[("buildspec.yml", &spec), ("ci/x.sh", &text)]),
        "changes ci/x.sh"
    );
}

#[test]
fn a_tag_that_a_script_is_given_changes_where_it_is_written() {
    for (command, tag) in [("./ci/x.sh latest", "$1"), ("TAG=latest ./ci/x.sh", "$TAG")] {
        let spec = buildspec(&[command]);
        let text = script(":", tag);
        assert_eq!(
            outcome(&[("buildspec.yml", &spec), ("ci/x.sh", &text)]),
            "changes buildspec.yml",
            "{command}"
        );
    }
}

#[test]
fn a_script_in_which_the_branch_is_something_else_stays() {
    let spec = buildspec(&["./ci/x.sh"]);
    for (line, reason) in [
        ("unset BRANCH_NAME", "unsets BRANCH_NAME"),
        ("BRANCH_NAME=main", "sets BRANCH_NAME itself"),
        (
            "git push origin HEAD:$BRANCH_NAME",
            "reads BRANCH_NAME for `git`",
        ),
    ] {
        let text = script(line, "latest");
        let outcome = outcome(&[("buildspec.yml", &spec), ("ci/x.sh", &text)]);
        assert!(outcome.contains(reason), "{line}: {outcome}");
    }
    let text = script(". \"$(dirname \"$0\")/lib.sh\"", "latest");
    let library = "BRANCH_NAME=$(git rev-parse --abbrev-ref HEAD)\n";
    let files = [
        ("buildspec.yml", &*spec),
        ("ci/x.sh", &text),
        ("ci/lib.sh", library),
    ];
    let outcome = outcome(&files);
    assert!(outcome.contains("ci/lib.sh sets BRANCH_NAME"), "{outcome}");
}

#[test]
fn a_script_that_others_run_too_stays() {
    let spec = buildspec(&["./ci/x.sh"]);
    let text = script(":", "latest");
    let others = [
        ("ci/y.sh", "#!/bin/sh\nsudo ./ci/x.sh\n".to_owned()),
        (
            "other.yml",
            format!("{}artifacts:\n  files: ci/x.sh\n", buildspec(&["make"])),
        ),
        ("again.yml", buildspec(&["env -i ./ci/x.sh"])),
    ];
    for (path, other) in &others {
        let outcome = outcome(&[("buildspec.yml", &spec), ("ci/x.sh", &text), (path, other)]);
        assert!(outcome.contains("uses ci/x.sh too"), "{path}: {outcome}");
    }
}

#[test]
fn what_else_reads_the_tag_that_a_script_is_given_keeps_it() {
    let spec = buildspec(&["./ci/x.sh latest"]);
    let text = script("[ \"$1\" != latest ] || touch stamp", "$1");
    let outcome = outcome(&[("buildspec.yml", &spec), ("ci/x.sh", &text)]);
    assert!(!outcome.starts_with("changes"), "{outcome}");
}

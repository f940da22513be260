//! `tagwright merge`: many runs, one report.

#![cfg(unix)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const TAGWRIGHT: &str = env!("CARGO_BIN_EXE_tagwright");

fn tagwright(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(TAGWRIGHT)
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the binary was built for this test")
}

/// A repository that is different from its neighbours: some are clean, some float, one cannot be read.
fn repository(folder: &Path, number: usize) {
    let folder = folder.join(format!("repo-{number:03}"));
    fs::create_dir_all(folder.join(".git")).expect("a temporary folder is writable");
    let tag = match number % 3 {
        0 => "$CODEBUILD_RESOLVED_SOURCE_VERSION",
        1 => "latest",
        _ => "v1",
    };
    let mut text = "version: 0.2\nphases:\n  build:\n    commands:\n".to_owned();
    for image in 0..=number % 4 {
        let name = format!("$REGISTRY/web-{image}:{tag}");
        let _ = writeln!(
            text,
            "      - docker build -t {name} .\n      - docker push {name}"
        );
    }
    if number == 7 {
        text.push_str("      - @broken\n");
    }
    fs::write(folder.join("buildspec.yml"), text).expect("a temporary folder is writable");
    if number == 8 {
        fs::write(
            folder.join("buildspec.yml"),
            b"version: 0.2\nphases: \xff\xfe\n",
        )
        .expect("a temporary folder is writable");
    }
}

fn merged(folder: &Path, format: &str, files: &[PathBuf]) -> Vec<u8> {
    let list: String = files
        .iter()
        .map(|file| format!("{}\n", file.display()))
        .collect();
    fs::write(folder.join("list"), list).expect("a temporary folder is writable");
    let output = tagwright(
        folder,
        &["merge", "--files-from", "list", "--format", format],
    );
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// The lines of 200 repositories, checked four at a time by xargs, one file for each.
fn scan(folder: &Path) -> Vec<PathBuf> {
    let repositories = folder.join("repositories");
    for number in 0..200 {
        repository(&repositories, number);
    }
    let names: String = (0..200)
        .map(|number| format!("repo-{number:03}\n"))
        .collect();
    fs::write(folder.join("names"), names).expect("a temporary folder is writable");
    let script = format!(
        "cd repositories && xargs -P 4 -I NAME sh -c '\"{TAGWRIGHT}\" check --format jsonl --fail-on never --repository NAME NAME > ../NAME.jsonl 2> ../NAME.err || true' < ../names"
    );
    let status = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder)
        .stdout(Stdio::null())
        .status()
        .expect("sh is there");
    assert!(status.success());
    (0..200)
        .map(|number| folder.join(format!("repo-{number:03}.jsonl")))
        .collect()
}

#[test]
fn two_hundred_scans_at_a_time_give_the_report_of_one() {
    let scratch = tempfile::tempdir().expect("a temporary folder is writable");
    let folder = scratch.path();
    let files = scan(folder);
    // One process after the other into one file, in the opposite order.
    let all: Vec<u8> = files
        .iter()
        .rev()
        .flat_map(|file| fs::read(file).expect("it was written"))
        .collect();
    let one = folder.join("all.jsonl");
    fs::write(&one, all).expect("a temporary folder is writable");
    let mut shuffled = files.clone();
    shuffled.rotate_left(77);
    shuffled.swap(3, 150);
    for format in ["json", "md", "html", "sarif"] {
        let expected = merged(folder, format, std::slice::from_ref(&one));
        assert!(merged(folder, format, &files) == expected, "{format}");
        assert!(merged(folder, format, &shuffled) == expected, "{format}");
    }
    let report: Value =
        serde_json::from_slice(&merged(folder, "json", &files)).expect("it is JSON");
    assert_eq!(report["summary"]["repositories"], 200);
    assert_eq!(report["summary"]["incomplete"], 0);
    assert_eq!(report["repositories"][1]["repository"], "repo-001");
    assert!(
        report["repositories"][1]["fixable"].as_u64().or(Some(0)) > Some(0)
            || report["repositories"][1]["fixable_unsafe"].as_u64() > Some(0)
    );
    // The two repositories that are broken say so, and the others are what they would be without them.
    for broken in [7, 8] {
        assert!(
            report["repositories"][broken]["errors"].as_u64() > Some(0),
            "{broken}"
        );
    }
    let schema: Value = serde_json::from_slice(&tagwright(folder, &["schema", "merged"]).stdout)
        .expect("it is JSON");
    let schema = jsonschema::validator_for(&schema).expect("the schema is one");
    assert!(schema.is_valid(&report));
    let line: Value = serde_json::from_str(
        fs::read_to_string(&files[1])
            .expect("it was written")
            .lines()
            .next()
            .expect("a line"),
    )
    .expect("it is JSON");
    assert_eq!(line["repository"], "repo-001");
    assert_eq!(line["path"], "buildspec.yml");
}

#[test]
fn a_damaged_file_costs_only_itself() {
    let scratch = tempfile::tempdir().expect("a temporary folder is writable");
    let folder = scratch.path();
    let line = |name: &str| {
        format!(
            "{{\"kind\":\"summary\",\"schema_version\":1,\"repository\":\"{name}\",\"files\":1,\"errors\":0,\"warnings\":0,\"notes\":0,\"fixable\":0,\"fixable_unsafe\":0}}\n"
        )
    };
    fs::write(folder.join("good.jsonl"), line("good")).expect("a temporary folder is writable");
    fs::write(folder.join("cut.jsonl"), "{\"kind\":\"find")
        .expect("a temporary folder is writable");
    fs::write(folder.join("empty.jsonl"), "").expect("a temporary folder is writable");
    let output = tagwright(
        folder,
        &[
            "merge",
            "good.jsonl",
            "cut.jsonl",
            "empty.jsonl",
            "absent.jsonl",
        ],
    );
    assert_eq!(output.status.code(), Some(3));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        errors.contains("cut.jsonl:1") && errors.contains("absent.jsonl"),
        "{errors}"
    );
    let report: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let complete: Vec<(&str, bool)> = report["repositories"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| {
            (
                it["repository"].as_str().unwrap_or(""),
                it["complete"] == true,
            )
        })
        .collect();
    assert_eq!(complete, [("cut", false), ("empty", false), ("good", true)]);
    assert_eq!(tagwright(folder, &["merge"]).status.code(), Some(2));
}

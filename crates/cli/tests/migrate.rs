//! `tagwright migrate`: its plan, what it writes, and that both are what `fix --unsafe` does.

#![cfg(unix)]

// Most of it is for the behaviour tests.
#[allow(dead_code)]
#[path = "support/fixture.rs"]
mod fixture;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn tagwright(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tagwright"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env_remove("COLUMNS")
        .output()
        .expect("the binary was built for this test")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A repository with the tree `before` of the fixture, in a folder of the given name.
fn repository(fixture: &str, name: &str) -> (TempDir, std::path::PathBuf) {
    let scratch = tempfile::tempdir().expect("a temporary folder is writable");
    let folder = scratch.path().join(name);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    fixture::copy_tree(&fixtures.join(fixture).join("before"), &folder);
    (scratch, folder)
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let report = folder.with_extension("json");
    let report_to = format!("json={}", report.display());
    let mut all = vec!["migrate", "--report", &report_to];
    all.extend(arguments);
    let output = tagwright(folder, &all);
    let text = fs::read_to_string(&report)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(&text).expect("the report is JSON")
}

#[test]
fn the_bundled_example_explains_itself_in_one_screen() {
    let (_scratch, folder) = repository("only-latest", "shop");
    let output = tagwright(&folder, &["migrate"]);
    assert_eq!(output.status.code(), Some(1));
    let screen = stdout(&output);
    assert!(
        screen.lines().count() <= 40,
        "{} lines",
        screen.lines().count()
    );
    insta::assert_snapshot!(screen);
}

#[test]
fn the_pull_request_says_all_of_it() {
    let (_scratch, folder) = repository("build-and-deploy-in-two-buildspecs", "split");
    let path = folder.with_extension("md");
    let report = format!("md={}", path.display());
    tagwright(&folder, &["migrate", "--report", &report]);
    let text = fs::read_to_string(&path).expect("it was written");
    insta::assert_snapshot!(text);
}

#[test]
fn nothing_is_written_unless_asked() {
    let (_scratch, folder) = repository("only-latest", "shop");
    let before = fixture::files(&folder);
    tagwright(&folder, &["migrate"]);
    assert!(fixture::differences(&fixture::files(&folder), &before).is_empty());
}

/// The plan, its patch and its execution on every fixture.
#[test]
fn the_plan_is_what_fix_does() {
    let schema: Value =
        serde_json::from_slice(&tagwright(Path::new("."), &["schema", "migration"]).stdout)
            .expect("the schema is JSON");
    let schema = jsonschema::validator_for(&schema).expect("the schema is one");
    fixture::each(|fixture| {
        let scratch = tempfile::tempdir().expect("a temporary folder is writable");
        let tree = |name: &str| {
            let folder = scratch.path().join(name);
            fixture::copy_tree(&fixture.folder.join("before"), &folder);
            folder
        };
        let (planned, fixed, patched) = (tree("planned"), tree("fixed"), tree("patched"));
        let mut problems = Vec::new();
        tagwright(&fixed, &["fix", "--unsafe", "."]);
        let expected = fixture::files(&fixed);
        let plan = json(&planned, &["--patch", "../plan.patch", "--apply"]);
        if let Err(error) = schema.validate(&plan) {
            problems.push(format!("schema: {error}"));
        }
        problems.extend(fixture::differences(&fixture::files(&planned), &expected));
        if fs::metadata(scratch.path().join("plan.patch")).is_ok_and(|patch| patch.len() > 0) {
            let apply = Command::new("git")
                .args(["apply", "../plan.patch"])
                .current_dir(&patched)
                .env("GIT_CEILING_DIRECTORIES", scratch.path())
                .output()
                .expect("git is installed");
            if !apply.status.success() {
                problems.push(String::from_utf8_lossy(&apply.stderr).into_owned());
            }
        }
        problems.extend(fixture::differences(&fixture::files(&patched), &expected));
        let again = json(&planned, &[]);
        let repository = &again["repositories"][0];
        if repository["files"]
            .as_array()
            .is_some_and(|files| !files.is_empty())
        {
            problems.push(format!("a second run would edit {}", repository["files"]));
        }
        let check = tagwright(&planned, &["check", "--format", "json"]);
        let check: Value = serde_json::from_slice(&check.stdout).expect("the report is JSON");
        let fixable = check["summary"]["fixable"].as_u64().unwrap_or(1)
            + check["summary"]["fixable_unsafe"].as_u64().unwrap_or(1);
        if fixable > 0 {
            problems.push(format!("check: {}", check["summary"]));
        }
        problems
    });
}

#[test]
fn the_exit_code_says_whether_something_is_left() {
    let (_scratch, folder) = repository("only-latest", "shop");
    assert_eq!(tagwright(&folder, &["migrate"]).status.code(), Some(1));
    assert_eq!(
        tagwright(&folder, &["migrate", "--apply"]).status.code(),
        Some(0)
    );
    let again = tagwright(&folder, &["migrate"]);
    assert_eq!(again.status.code(), Some(0));
    assert!(
        stdout(&again).contains("aws ecr batch-delete-image"),
        "{}",
        stdout(&again)
    );
    // A mention that nobody can explain: nothing moves, and the place is named.
    let (_scratch, folder) = repository("mention-of-an-unknown-program", "search");
    let refused = tagwright(&folder, &["migrate", "--apply"]);
    assert_eq!(refused.status.code(), Some(1), "{}", stdout(&refused));
    assert!(stdout(&refused).contains("do:"), "{}", stdout(&refused));
    for wrong in [
        &["migrate", "--tag", "main"][..],
        &["migrate", "--tag", "${STAGE}"],
        &["migrate", "--report", "pdf=x"],
        &["migrate", "--report", "md="],
        &["migrate", "--no-such-flag"],
    ] {
        let (_scratch, folder) = repository("only-latest", "shop");
        assert_eq!(
            tagwright(&folder, wrong).status.code(),
            Some(2),
            "{wrong:?}"
        );
    }
    let unwritable = tagwright(&folder, &["migrate", "--report", "md=no/such/folder/x.md"]);
    assert_eq!(unwritable.status.code(), Some(3));
}

#[test]
fn a_preset_or_a_template_is_the_tag() {
    for (tag, pushed) in [
        ("branch", "feature-x"),
        ("branch-commit", "feature-x-<commit>"),
        ("commit", "<commit>"),
        ("build", "<build id>"),
        ("v-${BRANCH_NAME}", "v-feature-x"),
    ] {
        let (_scratch, folder) = repository("only-latest", "shop");
        let plan = json(&folder, &["--tag", tag]);
        let build = &plan["repositories"][0]["images"][0]["builds"][1];
        assert_eq!(build["start"], "feature/x");
        assert_eq!(build["afterwards"]["pushes"][0], pushed, "{tag}");
        assert_eq!(
            build["afterwards"]["deploys"], build["afterwards"]["pushes"],
            "{tag}"
        );
        assert_eq!(build["today"]["pushes"][0], "latest");
    }
}

#[test]
fn several_repositories_are_planned_one_by_one() {
    let (scratch, folder) = repository("only-latest", "one");
    let other = scratch.path().join("two");
    fixture::copy_tree(&folder, &other);
    let plan = json(scratch.path(), &["one", "two"]);
    let names: Vec<&str> = plan["repositories"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|repository| repository["name"].as_str())
        .collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(plan["repositories"][1]["files"][0]["path"], "buildspec.yml");
    let patch = tagwright(
        scratch.path(),
        &["migrate", "one", "two", "--patch", "x.patch"],
    );
    assert_eq!(patch.status.code(), Some(2));
}

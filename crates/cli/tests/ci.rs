//! The ready parts for CI: their scripts run here as they stand in `action.yml` and `docs/ci/`.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

#[path = "support/texts.rs"]
mod texts;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_yaml::Value;
use texts::BROKEN;

const WARNED: &str = "version: 0.2\nphases:\n  build:\n    commands:\n      - make\ncolour: red\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn yaml(path: &str) -> Value {
    let text = fs::read_to_string(root().join(path)).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

/// The `PATH` with the folder of the program under test in front.
fn search_path(also: Option<&Path>) -> OsString {
    let mut path = OsString::new();
    if let Some(also) = also {
        path.push(also);
        path.push(":");
    }
    path.push(Path::new(env!("CARGO_BIN_EXE_tagwright")).parent().unwrap());
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    path
}

/// Exit code and standard output of `script`.
fn script(
    shell: &str,
    script: &str,
    folder: &Path,
    variables: &[(&str, &str)],
) -> (Option<i32>, String) {
    let output = Command::new(shell)
        .args(["-e", "-c", script])
        .current_dir(folder)
        .env("PATH", search_path(None))
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The `run:` block of a step of the action.
fn step(name: &str) -> String {
    let action = yaml("action.yml");
    let steps = action["runs"]["steps"].as_sequence().unwrap();
    let step = steps.iter().find(|step| step["name"] == name).unwrap();
    assert_eq!(step["shell"], "bash");
    // What somebody else writes reaches the script as a variable, never as its text.
    let run = step["run"].as_str().unwrap();
    assert!(!run.contains("${{"), "{run}");
    run.to_owned()
}

#[test]
fn the_action_checks_what_its_inputs_say() {
    let check = step("Check");
    let folder = folder(&[("buildspec.yml", WARNED), ("a b/buildspec.yml", BROKEN)]);
    let run = |inputs: [(&str, &str); 4]| {
        let mut variables = vec![("PROGRAM", ""), ("SUMMARY", "false")];
        variables.extend(inputs);
        script("bash", &check, folder.path(), &variables)
    };
    let (code, out) = run([
        ("PATHS", ""),
        ("ARGUMENTS", ""),
        ("FAIL_ON", ""),
        ("SARIF", ""),
    ]);
    assert_eq!(code, Some(1));
    assert!(
        out.contains("::error ") && out.contains("::warning "),
        "{out}"
    );
    let (code, out) = run([
        ("PATHS", "buildspec.yml\n"),
        ("ARGUMENTS", ""),
        ("FAIL_ON", ""),
        ("SARIF", ""),
    ]);
    assert!(code == Some(0) && !out.contains("a b"), "{out}");
    let (code, _) = run([
        ("PATHS", "buildspec.yml"),
        ("ARGUMENTS", ""),
        ("FAIL_ON", "warning"),
        ("SARIF", ""),
    ]);
    assert_eq!(code, Some(1));
    let (code, out) = run([
        ("PATHS", "a b\n$(touch evil)"),
        ("ARGUMENTS", ""),
        ("FAIL_ON", "never"),
        ("SARIF", ""),
    ]);
    assert!(
        code == Some(3) && out.contains("a b/buildspec.yml"),
        "{out}"
    );
    assert!(!folder.path().join("evil").exists());
    let (code, _) = run([
        ("PATHS", ""),
        ("ARGUMENTS", "--exclude\na b\n--config=/dev/null"),
        ("FAIL_ON", ""),
        ("SARIF", "out.sarif"),
    ]);
    assert_eq!(code, Some(0));
    let sarif = fs::read_to_string(folder.path().join("out.sarif")).unwrap();
    assert!(sarif.contains("\"2.1.0\""));
    let summary = folder.path().join("summary.md");
    let variables = [
        ("PROGRAM", ""),
        ("PATHS", "buildspec.yml"),
        ("ARGUMENTS", ""),
        ("FAIL_ON", ""),
        ("SARIF", ""),
        ("SUMMARY", "true"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    assert_eq!(script("bash", &check, folder.path(), &variables).0, Some(0));
    let summary = fs::read_to_string(summary).unwrap();
    assert!(summary.contains("| warning | `unknown-key` |"), "{summary}");
}

#[test]
fn the_action_takes_an_archive_whose_sum_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let make = "mkdir -p tagwright-1 && echo program >tagwright-1/tagwright && tar -czf a.tar.gz tagwright-1 && sha256sum a.tar.gz";
    let (code, out) = script("bash", make, folder.path(), &[]);
    assert_eq!(code, Some(0), "{out}");
    let sum = out.split(' ').next().unwrap().to_owned();
    if Command::new("curl").arg("--version").output().is_err() {
        return;
    }
    let (archive, list, temporary) = (format!("file://{}", at("a.tar.gz")), at("path"), at("t"));
    let run = |sum: &str| {
        let variables = [
            ("ACTION", "/nowhere"),
            ("TEMPORARY", &temporary),
            ("GITHUB_PATH", &list),
            ("ARCHIVE", &archive),
            ("SHA256", sum),
        ];
        script("bash", &step("Install"), folder.path(), &variables)
    };
    let (code, out) = run("0000");
    assert_eq!(code, Some(1));
    assert!(out.contains("has the SHA-256 sum"), "{out}");
    assert!(!Path::new(&at("t/tagwright/bin/tagwright")).exists());
    assert_eq!(run(&sum).0, Some(0));
    let program = fs::read_to_string(at("t/tagwright/bin/tagwright")).unwrap();
    assert_eq!(program, "program\n");
    let list = fs::read_to_string(list).unwrap();
    assert_eq!(list, format!("{temporary}/tagwright/bin\n"));
}

#[test]
fn the_action_installs_its_own_version() {
    let tools = tempfile::tempdir().unwrap();
    let cargo = tools.path().join("cargo");
    fs::write(&cargo, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").unwrap();
    let mut permissions = fs::metadata(&cargo).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(&cargo, permissions).unwrap();
    let list = tools.path().join("path");
    let output = Command::new("bash")
        .args(["-e", "-c", &step("Install")])
        .env("PATH", search_path(Some(tools.path())))
        .env("ACTION", root())
        .env("TEMPORARY", tools.path().join("runner temp"))
        .env("ARCHIVE", "")
        .env("SHA256", "")
        .env("GITHUB_PATH", &list)
        .output()
        .unwrap();
    assert!(output.status.success());
    let arguments = String::from_utf8(output.stdout).unwrap();
    let path = arguments
        .lines()
        .skip_while(|argument| *argument != "--path")
        .nth(1)
        .unwrap();
    assert!(Path::new(path).join("Cargo.toml").is_file());
    let bin = tools.path().join("runner temp/tagwright/bin");
    assert_eq!(
        fs::read_to_string(list).unwrap(),
        format!("{}\n", bin.display())
    );
}

#[test]
fn the_example_workflow_uses_inputs_that_the_action_has() {
    let action = yaml("action.yml");
    let workflow = yaml("docs/ci/github-workflow.yml");
    let steps = workflow["jobs"]["tagwright"]["steps"]
        .as_sequence()
        .unwrap();
    let uses = steps
        .iter()
        .find(|step| {
            step["uses"]
                .as_str()
                .is_some_and(|uses| uses.contains("/tagwright@"))
        })
        .unwrap();
    for (input, _) in uses["with"].as_mapping().unwrap() {
        assert!(!action["inputs"][input].is_null(), "{input:?}");
    }
}

#[test]
fn the_gitlab_job_has_keys_that_exist_and_writes_its_report() {
    let job = &yaml("docs/ci/gitlab-ci.yml")["tagwright"];
    for (key, _) in job.as_mapping().unwrap() {
        let key = key.as_str().unwrap();
        assert!(
            [
                "stage",
                "image",
                "variables",
                "before_script",
                "script",
                "artifacts",
                "rules"
            ]
            .contains(&key),
            "{key}"
        );
    }
    let report = job["artifacts"]["reports"]["codequality"].as_str().unwrap();
    let text = job["script"][0].as_str().unwrap();
    let folder = folder(&[("buildspec.yml", BROKEN)]);
    for shell in ["dash", "bash"] {
        let (code, out) = script(shell, text, folder.path(), &[]);
        assert_eq!(code, Some(1), "{out}");
        let report = folder.path().join(report);
        assert!(
            fs::read_to_string(&report)
                .unwrap()
                .contains("invalid-yaml")
        );
        fs::remove_file(report).unwrap();
        // In a merge request, Git is asked; here there is no repository to ask about.
        let (code, out) = script(
            shell,
            text,
            folder.path(),
            &[("CI_MERGE_REQUEST_DIFF_BASE_SHA", "1234567")],
        );
        assert_eq!(code, Some(2), "{out}");
    }
}

#[test]
fn the_gate_in_codebuild_is_clean_itself_and_writes_its_report() {
    let output = Command::new(env!("CARGO_BIN_EXE_tagwright"))
        .args([
            "check",
            "--fail-on",
            "note",
            "docs/ci",
            "docs/ci/buildspec-tagwright.yml",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    let buildspec = yaml("docs/ci/buildspec-tagwright.yml");
    let commands: Vec<&str> = buildspec["phases"]["build"]["commands"]
        .as_sequence()
        .unwrap()
        .iter()
        .map(|command| command.as_str().unwrap())
        .collect();
    let report = &buildspec["reports"]["tagwright"];
    let report = Path::new(report["base-directory"].as_str().unwrap())
        .join(report["files"][0].as_str().unwrap());
    for (text, expected) in [(BROKEN, 1), (WARNED, 0)] {
        let folder = folder(&[("buildspec.yml", text)]);
        let (code, out) = script("dash", &commands.join("\n"), folder.path(), &[]);
        assert_eq!(code, Some(expected), "{out}");
        assert!(
            fs::read_to_string(folder.path().join(&report))
                .unwrap()
                .contains("<testsuite")
        );
    }
}

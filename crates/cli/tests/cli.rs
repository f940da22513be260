//! Real runs of the program: exit codes, what goes to which stream, and files that no reader expects.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]

#[path = "support/folder.rs"]
mod folder;

#[path = "support/texts.rs"]
mod texts;

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use folder::{Folder, tagwright};
use serde_json::Value;
use texts::{BROKEN, FLOATING, TASK};

#[test]
fn the_help_names_commands_and_exit_codes() {
    let folder = Folder::new(&[]);
    let help = folder.run(&["--help"]);
    assert_eq!(help.code, Some(0));
    insta::assert_snapshot!("help", help.out());
    let help = folder.run(&["fix", "--help"]);
    insta::assert_snapshot!("help_fix", help.out());
    assert_eq!(folder.run(&["--version"]).code, Some(0));
}

#[test]
fn wrong_usage_is_2() {
    let folder = Folder::new(&[("buildspec.yml", "")]);
    for arguments in [
        &[][..],
        &["chekc"],
        &["check", "--format", "xml"],
        &["check", "--fail-on", "fatal"],
        &["check", "--output", "report.json"],
        &["check", "--stdin-filename", "a.yml", "b.yml"],
        &["explain"],
        &["explain", "latest-pushd"],
    ] {
        let run = folder.run(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}");
        assert!(!run.err.is_empty() && run.out.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_clean_folder_is_0_and_says_so() {
    let folder = Folder::new(&[(
        "buildspec.yml",
        "version: 0.2\nphases:\n  build:\n    commands:\n      - make\n",
    )]);
    let run = folder.run(&["check"]);
    assert_eq!(
        (run.code, run.out().as_str(), run.err.as_str()),
        (Some(0), "No findings in 1 file.\n", "")
    );
    let run = folder.run(&["check", "--format", "concise"]);
    assert_eq!((run.code, run.out().as_str()), (Some(0), ""));
}

#[test]
fn a_file_that_is_no_yaml_is_a_finding_and_the_rest_goes_on() {
    let folder = Folder::new(&[("a/buildspec.yml", BROKEN), ("b/task.yml", TASK)]);
    let run = folder.run(&["check", "--format", "json", "."]);
    assert_eq!(run.code, Some(1));
    assert_eq!(
        run.findings(),
        [
            "invalid-yaml a/buildspec.yml:5:9+52",
            "latest-third-party b/task.yml:3:12+49"
        ]
    );
    let json = run.json();
    assert_eq!(json["schema_version"], 1);
    assert_eq!(
        json["summary"],
        serde_json::json!({"files": 2, "errors": 1, "warnings": 0, "notes": 1, "fixable": 0, "fixable_unsafe": 0,
            "suppressed": 0, "baselined": 0, "excluded": 0})
    );
    assert_eq!(json["findings"][0]["fix"], Value::Null);
}

#[test]
fn the_exit_code_depends_on_the_threshold_and_not_on_the_format() {
    let folder = Folder::new(&[("task.yml", TASK)]);
    for format in ["human", "concise", "json"] {
        for (fail_on, code) in [("error", 0), ("warning", 0), ("note", 1), ("never", 0)] {
            let run = folder.run(&["check", "--format", format, "--fail-on", fail_on]);
            assert_eq!(run.code, Some(code), "{format} {fail_on}");
        }
    }
    folder.put("tagwright.toml", b"fail-on = \"note\"\n");
    assert_eq!(folder.run(&["check"]).code, Some(1));
    assert_eq!(folder.run(&["check", "--fail-on", "error"]).code, Some(0));
}

#[test]
fn bytes_that_are_no_text_are_findings_at_their_offset() {
    let folder = Folder::new(&[]);
    folder.put("latin1/buildspec.yml", b"version: 0.2\n# caf\xe9\n");
    folder.put("nul/buildspec.yml", b"version: 0.2\n# \0\n");
    folder.put("utf16/buildspec.yml", b"\xff\xfev\0");
    // Nobody says that this one is for CodeBuild.
    folder.put("other.yml", b"\xff");
    let run = folder.run(&["check", "--format", "json"]);
    assert_eq!(run.code, Some(1));
    assert_eq!(
        run.findings(),
        [
            "invalid-yaml latin1/buildspec.yml:2:6+18",
            "invalid-yaml nul/buildspec.yml:2:3+15",
            "invalid-yaml utf16/buildspec.yml:1:1+0",
        ]
    );
    // Asked for by name it matters.
    assert_eq!(folder.run(&["check", "other.yml"]).code, Some(1));
}

#[test]
fn sizes_and_depths_that_no_person_writes_end_in_order() {
    let folder = Folder::new(&[("empty/buildspec.yml", "")]);
    let head = "version: 0.2\nphases:\n  build:\n    commands:\n";
    folder.put(
        "line/buildspec.yml",
        format!("{head}      - docker push {}:latest\n", "a".repeat(1 << 20)).as_bytes(),
    );
    folder.put(
        "deep/buildspec.yml",
        format!("{head}      {}\n", "[".repeat(100_000)).as_bytes(),
    );
    folder.put(
        "dashes/buildspec.yml",
        format!("{head}{}x\n", "- ".repeat(20_000)).as_bytes(),
    );
    folder.put("large/buildspec.yml", &vec![b'#'; (16 << 20) + 1]);
    let run = folder.run(&["check"]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    let out = run.out();
    assert!(out.len() < 20_000, "{} bytes", out.len());
    assert!(out.contains("large/buildspec.yml:1:1: error[unreadable-file]"));
    assert!(!out.contains("internal-error"), "{out}");
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_3_and_the_rest_goes_on() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new(&[("buildspec.yml", BROKEN)]);
    symlink("loop.yml", folder.path("loop.yml")).unwrap();
    symlink("nowhere", folder.path("dangling.yml")).unwrap();
    let status = Command::new("mkfifo")
        .arg(folder.path("pipe.yml"))
        .status()
        .unwrap();
    assert!(status.success());
    for (path, reason) in [
        ("nowhere.yml", "No such file or directory"),
        ("dangling.yml", "No such file or directory"),
        ("loop.yml", "Too many levels of symbolic links"),
        ("pipe.yml", "not a regular file"),
    ] {
        let run = folder.run(&["check", "--format", "concise", path, "buildspec.yml"]);
        assert_eq!(run.code, Some(3), "{path}");
        assert!(
            run.err.starts_with(&format!("error: {path}: {reason}")),
            "{}",
            run.err
        );
        assert!(
            run.out()
                .starts_with("buildspec.yml:5:9: error[invalid-yaml]")
        );
        let run = folder.run(&["check", "--format", "json", path, "buildspec.yml"]);
        assert_eq!(run.code, Some(3));
        assert_eq!(run.json()["summary"]["errors"], 2);
        assert!(
            run.findings()
                .contains(&format!("unreadable-file {path}:1:1+0"))
        );
    }
    // Met on the way, not asked for: no reason to fail.
    assert_eq!(folder.run(&["check"]).code, Some(1));
}

#[cfg(unix)]
#[test]
fn a_folder_that_contains_itself_is_read_once() {
    let folder = Folder::new(&[("ci/buildspec.yml", BROKEN)]);
    std::os::unix::fs::symlink("..", folder.path("ci/up")).unwrap();
    let run = folder.run(&["check", "--format", "json"]);
    assert_eq!(run.findings().len(), 1);
}

#[test]
fn a_wrong_configuration_is_2_with_its_place() {
    let folder = Folder::new(&[
        ("buildspec.yml", BROKEN),
        ("tagwright.toml", "[rules]\ninvalid-yml = \"off\"\n"),
    ]);
    let run = folder.run(&["check"]);
    assert_eq!(run.code, Some(2));
    assert!(run.out.is_empty());
    assert!(
        run.err.ends_with(
            "tagwright.toml:2:1: unknown rule `invalid-yml`; did you mean `invalid-yaml`?\n"
        ),
        "{}",
        run.err
    );
    let run = folder.run(&["check", "--config", "nowhere.toml"]);
    assert_eq!(run.code, Some(2));
    assert!(
        run.err
            .contains("cannot read the configuration nowhere.toml")
    );
}

#[test]
fn the_configuration_turns_rules_off_and_leaves_files_out() {
    let folder = Folder::new(&[
        ("buildspec.yml", BROKEN),
        ("examples/a/buildspec.yml", BROKEN),
        (
            "ci.toml",
            "exclude = [\"examples/\"]\n[rules]\ninvalid-yaml = \"note\"\n",
        ),
    ]);
    let run = folder.run(&["check", "--config", "ci.toml", "--format", "concise"]);
    assert_eq!(run.code, Some(0));
    assert_eq!(run.out().lines().count(), 1);
    assert!(
        run.out()
            .starts_with("buildspec.yml:5:9: note[invalid-yaml]")
    );
    // Naming such a file does not bring it back: hooks name whatever is committed.
    let run = folder.run(&[
        "check",
        "--config",
        "ci.toml",
        "--fail-on",
        "note",
        "examples/a/buildspec.yml",
    ]);
    assert_eq!(run.code, Some(0));
    assert_eq!(
        run.err,
        "note: examples/a/buildspec.yml is excluded and not read\n"
    );
}

#[test]
fn the_nearest_configuration_above_a_file_counts() {
    let folder = Folder::new(&[
        ("tagwright.toml", "[rules]\ninvalid-yaml = \"off\"\n"),
        ("a/buildspec.yml", BROKEN),
        ("b/tagwright.toml", ""),
        ("b/buildspec.yml", BROKEN),
        ("c/.git/HEAD", ""),
        ("c/buildspec.yml", BROKEN),
    ]);
    let run = folder.run(&["check", "--format", "json"]);
    assert_eq!(run.findings(), ["invalid-yaml b/buildspec.yml:5:9+52"]);
    assert_eq!(folder.run(&["check", "a/buildspec.yml"]).code, Some(0));
}

#[test]
fn the_list_of_files_says_what_each_is_read_as() {
    let folder = Folder::new(&[
        ("ci/buildspec.yml", "version: 0.2\nphases: {}\n"),
        (
            "copilot/api/manifest.yml",
            "name: api\ntype: Backend Service\n",
        ),
        ("docs/openapi.yml", "openapi: 3.0.0\n"),
        ("ignored/buildspec.yml", "version: 0.2\nphases: {}\n"),
        (".gitignore", "ignored/\ncopilot/\n"),
    ]);
    let run = folder.run(&["check", "--files"]);
    assert_eq!(run.code, Some(0));
    assert_eq!(
        run.out(),
        "ci/buildspec.yml: buildspec\ncopilot/api/manifest.yml: Copilot workload manifest\n"
    );
    let run = folder.run(&["check", "--files", "--no-ignore"]);
    assert!(run.out().contains("ignored/buildspec.yml: buildspec"));
}

#[test]
fn standard_input_is_read_under_its_name() {
    let folder = Folder::new(&[("ci/buildspec.yml", "version: 0.2\nphases: {}\n")]);
    for name in ["ci/buildspec.yml", "nowhere/buildspec.yml"] {
        let run = folder.run_with(
            &["check", "--stdin-filename", name, "--format", "json"],
            BROKEN.as_bytes(),
        );
        assert_eq!(run.code, Some(1));
        assert_eq!(run.findings(), [format!("invalid-yaml {name}:5:9+52")]);
    }
}

#[test]
fn fix_gives_standard_input_back_byte_for_byte_where_it_has_nothing_to_do() {
    let folder = Folder::new(&[("bad.toml", "nonsense = 1\n"), ("buildspec.yml", FLOATING)]);
    let large = vec![b'#'; (16 << 20) + 3];
    for input in [
        b"".as_slice(),
        b"version: 0.2\r\n# caf\xe9",
        b"\xff\xfea\0",
        BROKEN.as_bytes(),
        &large,
    ] {
        let run = folder.run_with(&["fix", "--stdin-filename", "buildspec.yml"], input);
        assert!(run.out == input, "{:?}", &input[..input.len().min(40)]);
    }
    let run = folder.run_with(
        &[
            "fix",
            "--stdin-filename",
            "buildspec.yml",
            "--config",
            "bad.toml",
        ],
        FLOATING.as_bytes(),
    );
    assert_eq!(run.code, Some(2));
    assert_eq!(run.out(), FLOATING);
}

#[test]
fn fix_of_standard_input_prints_the_result_and_touches_no_file() {
    let folder = Folder::new(&[("buildspec.yml", FLOATING)]);
    let run = folder.run_with(
        &["fix", "--stdin-filename", "buildspec.yml", "--fixes", "all"],
        FLOATING.as_bytes(),
    );
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(
        run.out()
            .contains("docker push $REGISTRY/web:${BRANCH_NAME}\n"),
        "{}",
        run.out()
    );
    assert!(
        run.err
            .contains("fixed: buildspec.yml:6:35: latest-pushed:"),
        "{}",
        run.err
    );
    assert_eq!(folder.text("buildspec.yml"), FLOATING);
    // The same as in place.
    let in_place = folder.run(&["fix"]);
    assert_eq!(in_place.code, Some(0), "{}", in_place.err);
    // Whoever runs the build has to know what it needs from now on; once for each file.
    let note = "note: buildspec.yml: webhook and manual branch builds are tagged by their branch";
    assert_eq!(in_place.err.matches(note).count(), 1, "{}", in_place.err);
    assert_eq!(folder.text("buildspec.yml"), run.out());
    let again = folder.run(&["fix"]);
    assert_eq!((again.code, again.err.as_str()), (Some(0), ""));
    assert_eq!(folder.text("buildspec.yml"), run.out());
}

#[test]
fn a_save_repairs_what_is_there_and_adds_nothing() {
    let folder = Folder::new(&[("buildspec.yml", FLOATING)]);
    let save = |text: &str, more: &[&str]| {
        let arguments = [&["fix", "--stdin-filename", "buildspec.yml"], more].concat();
        folder.run_with(&arguments, text.as_bytes())
    };
    // The tag needs a definition of the branch, which is a command of many lines.
    let run = save(FLOATING, &[]);
    assert_eq!(
        (run.code, run.out().as_str()),
        (Some(1), FLOATING),
        "{}",
        run.err
    );
    assert!(
        run.err.contains("`tagwright fix --fixes all` applies it"),
        "{}",
        run.err
    );
    // A dash that lacks its space is repaired, and nothing else happens.
    let dash = FLOATING.replace("- docker push", "-docker push");
    let run = save(&dash, &[]);
    assert_eq!(run.out(), FLOATING, "{}", run.err);
    // Where the variable exists, the tag is replaced.
    let defined = FLOATING.replacen(
        "    commands:\n",
        "    commands:\n      - export BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's|refs/heads/||; s|[^a-zA-Z0-9_.-]|-|g')\n",
        1,
    );
    let run = save(&defined, &[]);
    assert_eq!(run.out(), defined.replace(":latest", ":${BRANCH_NAME}"));
    // Whoever wants everything on save says so, once or for good.
    let all = save(FLOATING, &["--fixes", "all"]);
    assert!(all.out().contains("export BRANCH_NAME\n"), "{}", all.err);
    folder.put("tagwright.toml", b"fix-on-save = \"all\"\n");
    assert_eq!(save(FLOATING, &[]).out(), all.out());
    assert_eq!(save(FLOATING, &["--isolated"]).out(), FLOATING);
    assert_eq!(save(FLOATING, &["--fixes", "local"]).out(), FLOATING);
    // The setting is about saving: an explicit fix makes all, unless it is told not to.
    folder.put("tagwright.toml", b"fix-on-save = \"local\"\n");
    assert_eq!(folder.run(&["fix", "--fixes", "local"]).code, Some(1));
    assert_eq!(folder.text("buildspec.yml"), FLOATING);
    assert_eq!(folder.run(&["fix"]).code, Some(0));
    assert_eq!(folder.text("buildspec.yml"), all.out());
}

#[test]
fn a_diff_writes_nothing_and_applies_with_patch() {
    let folder = Folder::new(&[("ci/buildspec.yml", FLOATING)]);
    let diff = folder.run(&["fix", "--diff"]);
    assert_eq!(diff.code, Some(0));
    assert!(
        diff.out()
            .starts_with("--- a/ci/buildspec.yml\n+++ b/ci/buildspec.yml\n@@ "),
        "{}",
        diff.out()
    );
    assert_eq!(folder.text("ci/buildspec.yml"), FLOATING);
    assert_eq!(folder.run(&["fix"]).code, Some(0));
    let fixed = folder.text("ci/buildspec.yml");
    assert_ne!(fixed, FLOATING);
    assert_eq!(folder.run(&["fix", "--diff"]).code, Some(0));
    folder.put("ci/buildspec.yml", FLOATING.as_bytes());
    folder.put("fix.patch", &diff.out);
    let git = Command::new("git")
        .args(["apply", "fix.patch"])
        .current_dir(folder.0.path())
        .status()
        .unwrap();
    assert!(git.success());
    assert_eq!(folder.text("ci/buildspec.yml"), fixed);
}

#[test]
fn a_fix_of_one_file_does_not_change_another() {
    let deploy = "apiVersion: apps/v1\nkind: Deployment\nspec:\n  image: 1.dkr.ecr.eu-west-1.amazonaws.com/web:latest\n";
    let push = "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t 1.dkr.ecr.eu-west-1.amazonaws.com/web:latest .\n      - docker push 1.dkr.ecr.eu-west-1.amazonaws.com/web:latest\n";
    let folder = Folder::new(&[
        (".git/HEAD", ""),
        ("buildspec.yml", push),
        ("k8s/app.yaml", deploy),
    ]);
    folder.run(&["fix", "--unsafe", "buildspec.yml"]);
    assert_eq!(folder.text("k8s/app.yaml"), deploy);
    // The deployment is an error although it alone does not show that the image is the workspace's own.
    let run = folder.run(&["check", "--format", "json", "k8s/app.yaml"]);
    assert_eq!(run.findings(), ["latest-deployed k8s/app.yaml:4:48+90"]);
}

#[test]
fn a_named_folder_is_judged_by_what_is_in_it() {
    let image = "1.dkr.ecr.eu-west-1.amazonaws.com/web:latest";
    let folder = Folder::new(&[
        (".git/HEAD", ""),
        (
            "a/k8s.yaml",
            &format!("apiVersion: v1\nkind: Pod\nspec:\n  image: {image}\n"),
        ),
        (
            "b/buildspec.yml",
            &format!(
                "version: 0.2\nphases:\n  build:\n    commands:\n      - docker push {image}\n"
            ),
        ),
    ]);
    let rules = |paths: &[&str]| {
        let mut arguments = vec!["check", "--format", "json"];
        arguments.extend(paths);
        let mut rules: Vec<String> = folder
            .run(&arguments)
            .findings()
            .iter()
            .filter(|finding| finding.contains("a/k8s.yaml"))
            .map(|finding| finding.split(' ').next().unwrap().to_owned())
            .collect();
        rules.dedup();
        rules
    };
    assert_eq!(rules(&["a"]), ["latest-third-party"]);
    assert_eq!(rules(&["a", "b"]), ["latest-deployed"]);
    assert_eq!(rules(&["a/k8s.yaml"]), ["latest-deployed"]);
    assert_eq!(rules(&[]), ["latest-deployed"]);
}

#[test]
fn the_configured_variable_is_the_tag() {
    let folder = Folder::new(&[
        ("buildspec.yml", FLOATING),
        (
            "tagwright.toml",
            "[branch]\nvariable = \"GIT_BRANCH\"\ndefined = true\n",
        ),
    ]);
    assert_eq!(folder.run(&["fix"]).code, Some(0));
    assert_eq!(
        folder.text("buildspec.yml"),
        FLOATING.replace("latest", "${GIT_BRANCH}")
    );
}

/// Whether this user may write what the permission bits say nobody may, as the superuser does.
#[cfg(unix)]
fn is_above_permissions(file: &Path) -> bool {
    fs::OpenOptions::new().append(true).open(file).is_ok()
}

#[cfg(unix)]
#[test]
fn a_read_only_file_is_3_and_keeps_its_text() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    /// A user and a group that own nothing (`nobody` on Debian and Fedora).
    const NOBODY: u32 = 65_534;
    let mode = |path: &Path, bits| fs::set_permissions(path, fs::Permissions::from_mode(bits));
    let folder = Folder::new(&[("buildspec.yml", FLOATING)]);
    let file = folder.path("buildspec.yml");
    mode(&file, 0o444).unwrap();
    let mut command = tagwright(folder.0.path(), &["fix", "--format", "json"]);
    if is_above_permissions(&file) {
        // Somebody else is asked, who may do everything in the folder. The program lies where they can reach it.
        let program = folder.path("program/tagwright");
        fs::create_dir(folder.path("program")).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_tagwright"), &program).unwrap();
        mode(folder.0.path(), 0o777).unwrap();
        command = Command::new(&program);
        command
            .args(["fix", "--format", "json", "buildspec.yml"])
            .current_dir(folder.0.path())
            .uid(NOBODY)
            .gid(NOBODY);
    }
    let output = command.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.contains("read-only"), "{error}");
    assert_eq!(folder.text("buildspec.yml"), FLOATING);
    // What is there is still reported.
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| { it["rule"] == "latest-pushed" })
    );
}

#[cfg(unix)]
#[test]
fn whom_the_system_lets_write_may_fix_and_the_permissions_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new(&[("buildspec.yml", FLOATING)]);
    let file = folder.path("buildspec.yml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    let above = is_above_permissions(&file);
    let run = folder.run(&["fix"]);
    assert_eq!(run.code, Some(if above { 0 } else { 3 }), "{}", run.err);
    assert_eq!(folder.text("buildspec.yml") == FLOATING, !above);
    let bits = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(bits & 0o777, 0o444);
}

#[test]
fn reports_go_to_files_as_well() {
    let folder = Folder::new(&[("buildspec.yml", BROKEN)]);
    let run = folder.run(&[
        "check",
        "--output",
        "json=r.json",
        "--output",
        "concise=r.txt",
        "--color",
        "always",
    ]);
    assert_eq!(run.code, Some(1));
    assert!(run.out().contains('\u{1b}'));
    let json: Value = serde_json::from_str(&folder.text("r.json")).unwrap();
    assert_eq!(json["summary"]["errors"], 1);
    assert!(
        folder
            .text("r.txt")
            .starts_with("buildspec.yml:5:9: error[invalid-yaml]")
    );
    let run = folder.run(&["check", "--output", "json=nowhere/r.json"]);
    assert_eq!(run.code, Some(3));
    assert!(run.err.contains("nowhere/r.json"));
}

#[test]
fn colours_are_for_terminals_only() {
    let folder = Folder::new(&[("buildspec.yml", BROKEN)]);
    assert!(!folder.run(&["check"]).out().contains('\u{1b}'));
    assert!(
        !folder
            .run(&["check", "--color", "never"])
            .out()
            .contains('\u{1b}')
    );
}

#[test]
fn people_see_the_line() {
    let folder = Folder::new(&[(
        "ci/task.yml",
        "# 한글\ncontainerDefinitions:\n  - name: cache\n    image: redis:latest # keep\n",
    )]);
    insta::assert_snapshot!("people_see_the_line", folder.run(&["check"]).out());
}

#[test]
fn two_runs_say_the_same() {
    let folder = Folder::new(&[]);
    for number in 0..120 {
        folder.put(
            &format!("{}/{number}/buildspec.yml", number % 7),
            BROKEN.as_bytes(),
        );
        folder.put(
            &format!("{}/{number}/task.yml", number % 5),
            TASK.as_bytes(),
        );
    }
    for format in ["human", "concise", "json"] {
        let first = folder.run(&["check", "--format", format]);
        let second = folder.run(&["check", "--format", format]);
        assert!(first.out == second.out, "{format}");
    }
    let paths: Vec<String> = folder.run(&["check", "--format", "json"]).findings();
    assert_eq!(paths.len(), 240);
}

#[test]
fn a_reader_that_goes_away_changes_nothing() {
    let folder = Folder::new(&[]);
    for number in 0..300 {
        folder.put(&format!("{number}/buildspec.yml"), BROKEN.as_bytes());
    }
    let mut child = tagwright(folder.0.path(), &["check"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut first = [0; 16];
    output.read_exact(&mut first).unwrap();
    drop(output);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_3() {
    let folder = Folder::new(&[("buildspec.yml", BROKEN)]);
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = tagwright(folder.0.path(), &["check"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write the output"));
}

#[test]
fn a_named_buildspec_that_is_not_there_is_told_in_a_repository() {
    let batch = |path: &str| {
        format!(
            "version: 0.2\nbatch:\n  build-list:\n    - identifier: one\n      buildspec: {path}\n  fast-fail: true\n"
        )
    };
    let unit = "version: 0.2\nphases:\n  build:\n    commands:\n      - make test\n";
    let found = |files: &[(&str, &str)]| {
        let run = Folder::new(files).run(&["check", "--format", "concise"]);
        run.out().matches("[missing-file]").count()
    };
    let git = (".git/HEAD", "ref: refs/heads/main\n");
    let there = ("ci/unit.yml", unit);
    for (path, count) in [
        ("ci/unit.yml", 0),
        ("./ci/unit.yml", 0),
        ("ci/unti.yml", 1),
        ("$SPEC", 0),
        ("arn:aws:s3:::bucket/unit.yml", 0),
        ("/codebuild/readonly/unit.yml", 0),
    ] {
        let batch = batch(path);
        let files = [git, there, ("buildspec.yml", &*batch)];
        assert_eq!(found(&files), count, "{path}");
    }
    let wrong = batch("ci/unti.yml");
    // Which folder is the source's root is not known, and a submodule may have the file.
    assert_eq!(found(&[there, ("buildspec.yml", &*wrong)]), 0);
    let submodules = (".gitmodules", "[submodule \"ci\"]\n");
    assert_eq!(found(&[git, submodules, ("buildspec.yml", &*wrong)]), 0);
    let manifest = |path: &str| {
        format!(
            "name: web\nversion: 1\nsource:\n  provider: GitHub\n  properties:\n    branch: main\n    repository: https://github.com/a/b\nbuild:\n  buildspec: {path}\nstages:\n  - name: test\n"
        )
    };
    for (path, count) in [("ci/unit.yml", 0), ("app/ci/unit.yml", 0), ("unit.yml", 1)] {
        let manifest = manifest(path);
        for project in ["app", "app-copilot", "copilot-app"] {
            let there = format!("{project}/ci/unit.yml");
            let pipeline = format!("{project}/copilot/pipelines/web/manifest.yml");
            let path = path.replace("app", project);
            let manifest = manifest.replace("app/", &format!("{project}/"));
            let files = [git, (&*there, unit), (&*pipeline, &*manifest)];
            assert_eq!(found(&files), count, "{path}");
        }
    }
}

#[test]
fn a_single_file_is_judged_by_the_project_beside_it() {
    let spec = "version: 0.2\nphases:\n  build:\n    commands:\n      - source ./env.sh\n";
    let project = |image: &str| {
        format!(
            "Resources:\n  Web:\n    Type: AWS::CodeBuild::Project\n    Properties:\n      Environment: {{Image: {image}}}\n      Source: {{Type: GITHUB}}\n"
        )
    };
    for (image, expected) in [
        ("aws/codebuild/standard:7.0", "warning[bashism]"),
        ("aws/codebuild/amazonlinux-x86_64-standard:5.0", ""),
    ] {
        let template = project(image);
        let folder = Folder::new(&[("buildspec.yml", spec), ("project.yml", &template)]);
        let run = folder.run(&["check", "--format", "concise", "buildspec.yml"]);
        assert!(run.out().contains(expected), "{}", run.out());
        assert_eq!(
            run.out().contains("bashism"),
            !expected.is_empty(),
            "{}",
            run.out()
        );
    }
}

#[test]
fn a_key_is_explained_from_the_tables() {
    let folder = Folder::new(&[]);
    let page = folder.run(&["explain", "cache.action"]);
    assert_eq!(page.code, Some(0));
    for part in [
        "# cache.action\n",
        "`buildspec`",
        "`restore`, `save`",
        "## Source",
    ] {
        assert!(page.out().contains(part), "{}", page.out());
    }
    let pages = folder.run(&["explain", "location"]).out();
    assert!(pages.contains("# image.location\n"), "{pages}");
    assert_eq!(folder.run(&["explain", "cache.acton"]).code, Some(2));
}

#[test]
fn every_rule_has_a_page() {
    let folder = Folder::new(&[]);
    let rules = folder.run(&["rules"]);
    assert_eq!(rules.code, Some(0));
    let mut pages = 0;
    for line in rules.out().lines().filter(|line| line.starts_with("  ")) {
        let rule = line.split_whitespace().next().unwrap();
        let page = folder.run(&["explain", rule]);
        assert_eq!(page.code, Some(0), "{rule}");
        assert!(page.out().starts_with(&format!("# {rule}\n")), "{rule}");
        pages += 1;
    }
    assert!(pages > 5);
}

#[test]
fn the_committed_schemas_are_current() {
    let folder = Folder::new(&[]);
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema");
    for name in [
        "findings",
        "lines",
        "config",
        "baseline",
        "buildspec",
        "copilot-workload",
        "copilot-environment",
        "copilot-pipeline",
    ] {
        let file = fs::read_to_string(committed.join(format!("{name}.json"))).unwrap();
        assert!(
            folder.run(&["schema", name]).out() == file,
            "docs/schema/{name}.json is not current: run `cargo run -p tagwright -- docs`"
        );
    }
}

#[test]
fn the_flow_is_shown_in_three_formats() {
    let folder = Folder::new(&[("buildspec.yml", FLOATING)]);
    let text = folder.run(&["flow"]);
    assert_eq!(text.code, Some(0));
    assert!(
        text.out().contains("${REGISTRY}/web (own, pushed here)"),
        "{}",
        text.out()
    );
    let json = folder
        .run(&["flow", "--format", "json", "buildspec.yml"])
        .json();
    let roles: Vec<&str> = json["images"][0]["uses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|place| place["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["build", "push", "record"]);
    let chart = folder.run(&["flow", "--format", "mermaid"]);
    assert!(chart.out().starts_with("flowchart LR\n"));
}

#[test]
fn a_repository_for_each_branch_is_a_strategy_that_check_and_fix_follow() {
    let folder = Folder::new(&[
        (
            "tagwright.toml",
            "[tag]\nstrategy = \"repository-per-branch\"\n",
        ),
        ("buildspec.yml", FLOATING),
        (
            "repository.yml",
            "Resources:\n  Web:\n    Type: AWS::ECR::Repository\n    Properties:\n      RepositoryName: web\n",
        ),
    ]);
    let run = folder.run(&["check", "--format", "concise", "."]);
    let out = String::from_utf8(run.out).unwrap();
    assert!(
        out.contains("repository.yml:2:3: warning[mutable-repository]"),
        "{out}"
    );
    assert_eq!(run.code, Some(1), "{out}");
    folder.run(&["fix", "--unsafe", "."]);
    assert_eq!(folder.text("buildspec.yml"), FLOATING);
}

#[test]
fn a_rule_can_be_set_for_one_run() {
    let folder = Folder::new(&[("task.yml", TASK), ("buildspec.yml", FLOATING)]);
    folder.put("tagwright.toml", b"[rules]\nlatest-pushed = \"note\"\n");
    let all = folder.run(&["check"]);
    assert_eq!(all.code, Some(1));
    let arguments = [
        "check",
        "--format",
        "json",
        "--rule",
        "latest-deployed=off",
        "--rule",
        "latest-pushed=warning",
    ];
    let run = folder.run(&arguments);
    assert_eq!(run.code, Some(0));
    let findings = run.json()["findings"].clone();
    let pushed: Vec<&Value> = findings
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["rule"] == "latest-pushed")
        .collect();
    assert!(!pushed.is_empty() && pushed.iter().all(|it| it["severity"] == "warning"));
    assert!(!run.out().contains("latest-deployed"));
    for (wrong, said) in [
        ("latest-pushd=off", "did you mean `latest-pushed`"),
        ("latest-pushed=fatal", "unknown severity"),
        ("latest-pushed", "expected RULE=SEVERITY"),
    ] {
        let run = folder.run(&["check", "--rule", wrong]);
        assert_eq!(run.code, Some(2));
        assert!(run.err.contains(said), "{}", run.err);
    }
}

#[test]
fn the_list_of_rules_is_there_for_programs_too() {
    let run = Folder::new(&[]).run(&["rules", "--format", "json"]);
    let rules = run.json();
    let rules = rules.as_array().unwrap();
    let table = Folder::new(&[]).run(&["rules"]).out();
    assert_eq!(
        rules.len(),
        table.lines().filter(|line| line.starts_with("  ")).count()
    );
    for rule in rules {
        assert!(table.contains(rule["name"].as_str().unwrap()));
        assert!(table.contains(rule["summary"].as_str().unwrap()));
    }
}

//! What to check, what to say and when to fail: the flags and settings that people know from other linters.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]

#[path = "support/folder.rs"]
mod folder;

#[path = "support/texts.rs"]
mod texts;

use folder::Folder;
use serde_json::json;
use texts::{BROKEN, CLEAN, FLOATING};

/// Errors of `image-tag`, a note of `shell` and a warning of `structure`.
fn mixed() -> String {
    FLOATING.replacen(
        "    commands:\n",
        "    commands:\n      - '[[ -n $X ]] && echo yes'\n",
        1,
    ) + "colour: red\n"
}

#[test]
fn select_and_ignore_take_rules_and_categories() {
    let folder = Folder::new(&[("buildspec.yml", &mixed())]);
    let rules = |arguments: &[&str]| {
        let arguments = [&["check", "--format", "json"], arguments].concat();
        let run = folder.run(&arguments);
        let mut rules: Vec<String> = run.json()["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["rule"].as_str().unwrap().to_owned())
            .collect();
        rules.dedup();
        rules.sort();
        rules.dedup();
        rules.join(" ")
    };
    assert_eq!(
        rules(&[]),
        "bashism latest-deployed latest-pushed unknown-key"
    );
    assert_eq!(
        rules(&["--select", "image-tag"]),
        "latest-deployed latest-pushed"
    );
    assert_eq!(
        rules(&["--select", "bashism,structure"]),
        "bashism unknown-key"
    );
    assert_eq!(rules(&["--ignore", "image-tag"]), "bashism unknown-key");
    assert_eq!(
        rules(&["--select", "image-tag,shell", "--ignore", "bashism"]),
        "latest-deployed latest-pushed"
    );
    // A rule that is off is turned on by its own name, not by that of its category.
    folder.put("tagwright.toml", b"[rules]\nbashism = \"off\"\n");
    assert_eq!(rules(&["--select", "shell"]), "");
    assert_eq!(rules(&["--select", "bashism"]), "bashism");
    let run = folder.run(&["check", "--select", "image-tags"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("did you mean `image-tag`?"), "{}", run.err);
    // A gate does not pass because a file is broken.
    folder.put("buildspec.yml", BROKEN.as_bytes());
    assert_eq!(rules(&["--select", "image-tag"]), "invalid-yaml");
    assert_eq!(rules(&["--ignore", "invalid-yaml"]), "");
}

#[test]
fn a_fix_makes_only_what_is_selected() {
    let text = mixed();
    let folder = Folder::new(&[("buildspec.yml", &text)]);
    let run = folder.run(&["fix", "--select", "bashism"]);
    assert!(!run.err.contains("latest-pushed"), "{}", run.err);
    assert!(folder.text("buildspec.yml").contains("web:latest"));
    folder.put("buildspec.yml", text.as_bytes());
    folder.run(&["fix", "--ignore", "bashism"]);
    let fixed = folder.text("buildspec.yml");
    assert!(fixed.contains("[[ -n $X ]]"), "{fixed}");
    assert!(fixed.contains("web:${BRANCH_NAME}"), "{fixed}");
}

#[test]
fn a_configuration_sets_categories_and_files() {
    let folder = Folder::new(&[
        ("new/buildspec.yml", FLOATING),
        ("old/buildspec.yml", &mixed()),
        (
            "tagwright.toml",
            "[rules]\nimage-tag = \"warning\"\n\n[per-file-ignores]\n\"old/**\" = [\"shell\", \"unknown-key\"]\n",
        ),
    ]);
    let run = folder.run(&["check", "--format", "concise"]);
    assert_eq!(run.code, Some(0), "{}", run.out());
    assert!(run.out().lines().all(|it| it.contains(" warning[latest-")));
    assert!(run.out().contains("old/buildspec.yml"));
    // The same from within the folder, and for standard input.
    let run = folder.run_with(
        &[
            "check",
            "--stdin-filename",
            "old/buildspec.yml",
            "--format",
            "concise",
        ],
        mixed().as_bytes(),
    );
    assert!(!run.out().contains("bashism"), "{}", run.out());
    for (text, place) in [
        (
            "[per-file-ignores]\n\"old/**\" = [\"shel\"]\n",
            "2:13: unknown rule `shel`",
        ),
        (
            "[per-file-ignores]\n\"[z-a]\" = [\"shell\"]\n",
            "2:2: `[z-a]`",
        ),
    ] {
        folder.put("tagwright.toml", text.as_bytes());
        let run = folder.run(&["check"]);
        assert_eq!(run.code, Some(2));
        assert!(run.err.contains(place), "{}", run.err);
    }
}

#[test]
fn what_is_off_for_a_file_is_not_moved_by_the_fix_of_another() {
    let push = FLOATING.replace("$REGISTRY", "1.dkr.ecr.eu-west-1.amazonaws.com");
    let deploy = "version: 0.2\nphases:\n  build:\n    commands:\n      - kubectl set image deployment/web web=1.dkr.ecr.eu-west-1.amazonaws.com/web:latest\n";
    let folder = Folder::new(&[("a/buildspec.yml", &push), ("b/buildspec.yml", deploy)]);
    let both = folder.run(&["fix", "--diff"]);
    assert!(both.out().contains("b/buildspec.yml"), "{}", both.out());
    folder.put(
        "tagwright.toml",
        b"[per-file-ignores]\n\"b/**\" = [\"image-tag\"]\n",
    );
    let run = folder.run(&["fix"]);
    assert_eq!(folder.text("b/buildspec.yml"), deploy);
    assert_eq!(folder.text("a/buildspec.yml"), push, "{}", run.err);
    assert!(run.out().contains("is ignored"), "{}", run.out());
}

#[test]
fn configurations_extend_others_and_may_be_hidden() {
    let folder = Folder::new(&[
        ("buildspec.yml", &mixed()),
        (
            "platform/base.toml",
            "fail-on = \"note\"\n[rules]\nimage-tag = \"off\"\n",
        ),
        (
            ".tagwright.toml",
            "extends = [\"platform/base.toml\"]\n[rules]\nbashism = \"off\"\n",
        ),
    ]);
    let run = folder.run(&["check", "--format", "concise"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.out().lines().all(|line| line.contains("unknown-key")),
        "{}",
        run.out()
    );
    let dumped = folder.run(&["check", "--dump-config"]);
    assert_eq!(dumped.code, Some(0));
    let out = dumped.out();
    assert!(out.contains("base.toml, then "), "{out}");
    assert!(out.contains("fail-on = \"note\"\n"), "{out}");
    assert!(out.contains("template = \"${BRANCH_NAME}\"\n"), "{out}");
    assert!(out.contains("latest-pushed = \"off\"\n"), "{out}");
    // What is printed is a configuration.
    folder.put("tagwright.toml", &dumped.out);
    assert_eq!(
        folder.run(&["check", "--format", "concise"]).out(),
        run.out()
    );
}

#[test]
fn init_writes_a_configuration_once() {
    let folder = Folder::new(&[("buildspec.yml", FLOATING)]);
    let before = folder.run(&["check"]).out();
    let run = folder.run(&["init"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(folder.run(&["check"]).out(), before);
    let text = folder.text("tagwright.toml");
    let again = folder.run(&["init"]);
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("exists already"), "{}", again.err);
    assert_eq!(folder.text("tagwright.toml"), text);
}

#[test]
fn quiet_leaves_the_findings_and_nothing_else() {
    let folder = Folder::new(&[("buildspec.yml", FLOATING), ("clean/buildspec.yml", CLEAN)]);
    let run = folder.run(&["check", "--quiet", "clean"]);
    assert_eq!(
        (run.code, run.out(), run.err),
        (Some(0), String::new(), String::new())
    );
    let run = folder.run(&["check", "-q"]);
    assert_eq!(run.code, Some(1));
    assert!(run.out().contains("error[latest-pushed]"));
    assert!(!run.out().contains(" in 2 files"), "{}", run.out());
    let run = folder.run(&["fix", "-q"]);
    assert_eq!(
        (run.code, run.out(), run.err),
        (Some(0), String::new(), String::new())
    );
    assert!(folder.text("buildspec.yml").contains("${BRANCH_NAME}"));
}

#[test]
fn statistics_count_the_findings_of_each_rule() {
    let folder = Folder::new(&[("buildspec.yml", &mixed())]);
    let run = folder.run(&["check", "--statistics"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.out()
            .starts_with("2  latest-pushed    error    2 fixable\n"),
        "{}",
        run.out()
    );
    assert_eq!(run.out().lines().count(), 4);
    let run = folder.run(&["check", "--statistics", "--format", "json"]);
    assert_eq!(
        run.json()[0],
        json!({"rule": "latest-pushed", "severity": "error", "findings": 2, "fixable": 2, "fixable_unsafe": 0})
    );
    let run = folder.run(&["check", "--statistics", "--format", "sarif"]);
    assert_eq!(run.code, Some(2));
}

#[test]
fn the_exit_code_is_what_was_asked_for() {
    let folder = Folder::new(&[("buildspec.yml", FLOATING), ("empty/notes.txt", "")]);
    let code = |arguments: &[&str]| folder.run(arguments).code;
    assert_eq!(code(&["check", "--exit-zero"]), Some(0));
    assert_eq!(
        code(&["check", "--exit-zero", "--fail-on", "note"]),
        Some(2)
    );
    // A path that cannot be read is no finding.
    assert_eq!(code(&["check", "--exit-zero", "nowhere"]), Some(3));
    assert_eq!(code(&["check", "empty"]), Some(0));
    let run = folder.run(&["check", "--fail-on-empty", "empty"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("no file was checked"), "{}", run.err);
    assert_eq!(
        code(&["check", "--fail-on-empty", "--exclude", "*.yml"]),
        Some(2)
    );
    assert_eq!(code(&["check", "--fail-on-empty"]), Some(1));
    assert_eq!(code(&["check", "--jobs", "1"]), Some(1));
    assert_eq!(code(&["check", "--jobs", "0"]), Some(2));
}

#[test]
fn a_dash_is_standard_input() {
    let folder = Folder::new(&[("other.yml", CLEAN)]);
    let run = folder.run_with(&["check", "--format", "concise", "-"], FLOATING.as_bytes());
    assert_eq!(run.code, Some(1));
    assert!(run.out().starts_with("buildspec.yml:5:"), "{}", run.out());
    let run = folder.run_with(
        &[
            "check",
            "--stdin-filename",
            "ci/buildspec.yml",
            "-",
            "--format",
            "concise",
        ],
        FLOATING.as_bytes(),
    );
    assert!(
        run.out().starts_with("ci/buildspec.yml:5:"),
        "{}",
        run.out()
    );
    let run = folder.run_with(&["fix", "--fixes", "all", "-"], FLOATING.as_bytes());
    assert!(run.out().contains("web:${BRANCH_NAME}"), "{}", run.err);
    let run = folder.run_with(&["check", "-", "other.yml"], FLOATING.as_bytes());
    assert_eq!(run.code, Some(2));
}

#[test]
fn a_baseline_never_makes_a_fix_look_finished() {
    let folder = Folder::new(&[("buildspec.yml", FLOATING)]);
    assert_eq!(folder.run(&["baseline", "write"]).code, Some(0));
    let run = folder.run(&["fix"]);
    assert_eq!(run.code, Some(0));
    assert!(
        run.out().contains("3 findings in the baseline"),
        "{}",
        run.out()
    );
    assert_eq!(folder.text("buildspec.yml"), FLOATING);
}

#[test]
fn a_job_summary_is_a_table_with_a_row_for_each_thing_to_do() {
    let folder = Folder::new(&[("buildspec.yml", &mixed())]);
    let out = folder.run(&["check", "--format", "markdown"]).out();
    let rows: Vec<&str> = out.lines().filter(|line| line.starts_with("| ")).collect();
    assert_eq!(rows.len(), 5, "{out}");
    assert!(
        out.contains("3 errors, 1 warning, 1 note in 1 file."),
        "{out}"
    );
    assert!(
        rows[1].starts_with("| error | `latest-pushed` | `buildspec.yml:6:39, 7:35` |"),
        "{out}"
    );
    assert!(rows[1].ends_with("| `tagwright fix` |"), "{out}");
}

#[test]
fn an_agent_gets_paragraphs_with_patches_that_apply() {
    let folder = Folder::new(&[("buildspec.yml", FLOATING)]);
    let out = folder.run(&["check", "--format", "agent", "--quiet"]).out();
    assert!(
        out.starts_with("buildspec.yml:5:39 error latest-pushed: "),
        "{out}"
    );
    assert!(out.contains("\nalso at 6:35\n"), "{out}");
    assert_eq!(out.matches("--- a/buildspec.yml").count(), 1, "{out}");
    assert!(
        out.contains("\npatch: the one of buildspec.yml:5:39\n"),
        "{out}"
    );
    let patch = &out[out.find("--- a/").unwrap()..];
    let patch = &patch[..patch.find("\n\n").unwrap() + 1];
    folder.put("fix.patch", patch.as_bytes());
    let git = std::process::Command::new("git")
        .args(["apply", "fix.patch"])
        .current_dir(folder.0.path())
        .status()
        .unwrap();
    assert!(git.success(), "{patch}");
    let by_patch = folder.text("buildspec.yml");
    // The patch names the image, too, and a fix leaves no mention behind.
    std::fs::remove_file(folder.path("fix.patch")).unwrap();
    folder.put("buildspec.yml", FLOATING.as_bytes());
    folder.run(&["fix"]);
    assert_eq!(folder.text("buildspec.yml"), by_patch);
    // What a build service would take for a command is not printed, even if the patch needs it.
    let hostile = FLOATING.replace("  build:\n", "  build: # ::set-output name=a::b\n");
    folder.put("buildspec.yml", hostile.as_bytes());
    let out = folder.run(&["check", "--format", "agent"]).out();
    assert!(out.contains("patch: see `tagwright fix --diff`"), "{out}");
    assert!(!out.contains("::set-output"), "{out}");
}

#[test]
fn people_see_one_block_for_an_image_with_all_its_places() {
    let folder = Folder::new(&[("buildspec.yml", FLOATING)]);
    let out = folder.run(&["check"]).out();
    assert!(
        out.starts_with("buildspec.yml:5:39: error[latest-pushed] also at 6:35\n"),
        "{out}"
    );
    assert_eq!(out.matches("is the only tag pushed").count(), 1, "{out}");
    assert!(
        out.contains("3 errors in 1 file. 3 fixable with `tagwright fix`."),
        "{out}"
    );
}

#[test]
fn no_name_is_broken_over_two_lines() {
    let name = format!(
        "{}/{}",
        "very-long-name-of-a-team".repeat(4),
        "and-a-service"
    );
    let text = FLOATING.replace(
        "$REGISTRY/web",
        &format!("1.dkr.ecr.eu-west-1.amazonaws.com/{name}"),
    );
    let folder = Folder::new(&[("buildspec.yml", &text)]);
    let mut command = folder::tagwright(folder.0.path(), &["check"]);
    let output = command.env("COLUMNS", "60").output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let message = out.lines().filter(|line| !line.contains(" | "));
    assert!(message.count() > 3);
    assert!(out.contains(&format!("{name}:latest`")), "{out}");
}

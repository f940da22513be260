//! The attack list: what a change to a repository must not be able to do to the run that judges it, or to the machine
//! and the log of that run.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]

#[path = "support/texts.rs"]
mod texts;

#[path = "support/repository.rs"]
mod repository;

use repository::Repository;
use serde_json::Value;
use texts::{CLEAN, FLOATING};

/// The JSON report of a run, and its exit code.
fn json(repository: &Repository, arguments: &[&str]) -> (Option<i32>, Value) {
    let run = repository.run(arguments);
    let report = serde_json::from_str(&run.out);
    (run.code, report.unwrap_or_else(|_| panic!("{}{}", run.out, run.err)))
}

/// How many errors `check` reports with these arguments, and whether its exit code says the same.
fn errors(repository: &Repository, arguments: &[&str]) -> u64 {
    let arguments = [&["check", "--format", "json"], arguments].concat();
    let (code, report) = json(repository, &arguments);
    let errors = report["summary"]["errors"].as_u64().unwrap();
    assert_eq!(code, Some(i32::from(errors > 0)), "{report}");
    errors
}

/// [`FLOATING`] with a comment at the end of each command.
fn with_comment(comment: &str) -> String {
    let commented = |line: &str| match line.trim_start().strip_prefix("- docker") {
        Some(_) => format!("{line} {comment}\n"),
        None => format!("{line}\n"),
    };
    FLOATING.lines().map(commented).collect()
}

/// The number of errors of [`FLOATING`] where nothing is in the way.
fn plain() -> u64 {
    let errors = errors(&Repository::new(&[("buildspec.yml", FLOATING)]), &[]);
    assert!(errors > 0);
    errors
}

#[test]
fn an_unknown_directive_silences_nothing() {
    for word in ["nonsense", "ignored", "disable", "ignore_block", "IGNORE", "off"] {
        let text = with_comment(&format!("# tagwright: {word}[latest-pushed] because"));
        let repository = Repository::new(&[("buildspec.yml", &text)]);
        assert_eq!(errors(&repository, &[]), plain(), "{word}");
        let run = repository.run(&["check", "--format", "concise"]);
        assert!(run.out.contains("[unknown-suppression]"), "{}", run.out);
        assert!(!run.out.contains("[unused-suppression]"), "{}", run.out);
    }
}

#[test]
fn an_isolated_run_takes_no_settings_from_the_repository() {
    let comment = with_comment("# tagwright: ignore[latest-pushed] because");
    let off = "fail-on = 'never'\n[rules]\nlatest-pushed = 'off'\n";
    let attacks: [(&str, &[(&str, &str)]); 6] = [
        ("comments", &[("buildspec.yml", &comment)]),
        ("off", &[("buildspec.yml", FLOATING), ("tagwright.toml", off)]),
        ("exclude", &[("buildspec.yml", FLOATING), ("tagwright.toml", "exclude = ['*.yml']\n")]),
        ("broken", &[("buildspec.yml", FLOATING), ("tagwright.toml", "no toml")]),
        ("nested", &[("ci/buildspec.yml", FLOATING), ("ci/tagwright.toml", off)]),
        ("baseline", &[("buildspec.yml", FLOATING), ("tagwright-baseline.json", "no json")]),
    ];
    for (name, files) in attacks {
        let repository = Repository::new(files);
        assert_eq!(errors(&repository, &["--isolated"]), plain(), "{name}");
        assert_eq!(errors(&repository, &["--isolated", files[0].0]), plain(), "{name}");
        repository.git(&["checkout", "-q", "-b", "change"]);
        repository.put(files[0].0, &format!("{}# more\n", files[0].1));
        repository.git(&["add", "."]);
        assert_eq!(errors(&repository, &["--isolated", "--staged"]), plain(), "{name}");
    }
}

#[test]
fn a_baseline_counts_in_an_isolated_run_only_if_it_is_named() {
    let repository = Repository::new(&[("buildspec.yml", FLOATING)]);
    assert_eq!(repository.run(&["baseline", "write"]).code, Some(0));
    assert_eq!(errors(&repository, &[]), 0);
    assert_eq!(errors(&repository, &["--isolated"]), plain());
    let own = ["--isolated", "--baseline", "tagwright-baseline.json"];
    assert_eq!(errors(&repository, &own), 0);
}

#[test]
fn an_isolated_run_takes_the_configuration_that_it_is_given() {
    let repository = Repository::new(&[
        ("buildspec.yml", FLOATING),
        ("tagwright.toml", "exclude = ['*.yml']\n"),
    ]);
    let platform = tempfile::tempdir().unwrap();
    let config = platform.path().join("platform.toml");
    std::fs::write(&config, "[rules]\nlatest-pushed = 'note'\n").unwrap();
    let config = config.to_string_lossy();
    let (code, report) = json(
        &repository,
        &["check", "--format", "json", "--isolated", "--config", &config],
    );
    assert_eq!(code, Some(0), "{report}");
    assert!(report["summary"]["notes"].as_u64() > Some(0), "{report}");
}

#[test]
fn ignore_files_do_not_hide_what_git_tracks() {
    for ignoring in [".gitignore", ".ignore", "ci/.gitignore", ".git/info/exclude"] {
        let repository = Repository::new(&[("ci/buildspec.yml", FLOATING)]);
        repository.put(ignoring, "*.yml\nci/\nbuildspec.yml\n");
        assert_eq!(errors(&repository, &[]), plain(), "{ignoring}");
        assert_eq!(errors(&repository, &["ci"]), plain(), "{ignoring}");
        assert_eq!(errors(&repository, &["--isolated"]), plain(), "{ignoring}");
        // What Git does not track is hidden as before.
        repository.put("ci/other/buildspec.yml", FLOATING);
        assert_eq!(errors(&repository, &[]), plain(), "{ignoring}");
    }
}

#[test]
fn folders_of_other_tools_do_not_hide_what_git_tracks_from_an_isolated_run() {
    for folder in ["vendor", "node_modules", "target", "a/cdk.out/b"] {
        let path = format!("{folder}/buildspec.yml");
        let repository = Repository::empty();
        repository.put(&path, FLOATING);
        repository.git(&["add", "--force", "."]);
        repository.commit("first");
        assert_eq!(errors(&repository, &[]), 0, "{folder}");
        assert_eq!(errors(&repository, &["--isolated"]), plain(), "{folder}");
        repository.put("vendor/loose/buildspec.yml", FLOATING);
        assert_eq!(errors(&repository, &["--isolated"]), plain(), "{folder}");
        // Without Git nothing tells what came with the change.
        std::fs::remove_dir_all(repository.path(".git")).unwrap();
        assert!(errors(&repository, &["--isolated"]) >= plain(), "{folder}");
    }
}

#[test]
fn the_summary_says_what_does_not_count() {
    let repository = Repository::new(&[
        ("a/buildspec.yml", &with_comment("# tagwright: ignore[latest-pushed] because")),
        ("b/buildspec.yml", FLOATING),
        ("c/buildspec.yml", FLOATING),
        ("tagwright.toml", "exclude = ['c']\n"),
    ]);
    assert_eq!(repository.run(&["baseline", "write", "b"]).code, Some(0));
    let (_, report) = json(&repository, &["check", "--format", "json"]);
    let summary = &report["summary"];
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert!(count("suppressed") > 0 && count("baselined") > 0, "{summary}");
    assert_eq!(count("excluded"), 1, "{summary}");
    for command in ["check", "fix"] {
        let run = repository.run(&[command]);
        for part in ["suppressed by comments", "in the baseline", "1 excluded file"] {
            assert!(run.out.contains(part), "{command}: {part}: {}", run.out);
        }
    }
}

#[cfg(unix)]
mod links {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_out_of_the_repository_is_neither_followed_nor_passed_over_in_silence() {
        let outside = tempfile::tempdir().unwrap();
        let target = outside.path().join("buildspec.yml");
        fs::write(&target, FLOATING).unwrap();
        let repository = Repository::new(&[("other/buildspec.yml", CLEAN)]);
        symlink(&target, repository.path("buildspec.yml")).unwrap();
        symlink(outside.path(), repository.path("ci")).unwrap();
        for command in ["check", "fix"] {
            let run = repository.run(&[command]);
            assert_eq!(run.code, Some(3), "{}", run.out);
            assert!(run.err.contains("leads out of the repository"), "{}", run.err);
            assert_eq!(fs::read_to_string(&target).unwrap(), FLOATING);
        }
    }

    #[test]
    fn a_link_that_a_walk_finds_is_read_and_never_written_through() {
        let repository = Repository::new(&[("specs/build.txt", FLOATING)]);
        symlink("specs/build.txt", repository.path("buildspec.yml")).unwrap();
        assert_eq!(errors(&repository, &[]), plain());
        let run = repository.run(&["fix"]);
        assert_eq!(run.code, Some(1), "{}", run.out);
        assert!(run.out.contains("symbolic link"), "{}", run.out);
        assert_eq!(repository.text("specs/build.txt"), FLOATING);
        assert!(repository.path("buildspec.yml").is_symlink());
    }

    #[test]
    fn ignore_files_that_are_no_files_are_not_read() {
        let make = |path: &std::path::Path, kind: &str| match kind {
            "pipe" => {
                let made = std::process::Command::new("mkfifo").arg(path).status();
                assert!(made.unwrap().success());
            }
            "device" => symlink("/dev/zero", path).unwrap(),
            _ => {
                let rules = path.with_file_name("rules.txt");
                fs::write(&rules, "*.yml\n").unwrap();
                symlink("rules.txt", path).unwrap();
            }
        };
        for kind in ["pipe", "device", "link"] {
            for name in [".gitignore", ".ignore", "ci/.gitignore", "ci/.ignore"] {
                let repository = Repository::empty();
                repository.put("ci/deep/buildspec.yml", FLOATING);
                make(&repository.path(name), kind);
                for arguments in [&[][..], &["ci"], &["ci/deep"], &["--isolated"]] {
                    assert_eq!(errors(&repository, arguments), plain(), "{kind} {name}");
                }
            }
        }
    }
}

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
    (
        run.code,
        report.unwrap_or_else(|_| panic!("{}{}", run.out, run.err)),
    )
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
    for word in [
        "nonsense",
        "ignored",
        "disable",
        "ignore_block",
        "IGNORE",
        "off",
    ] {
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
        (
            "off",
            &[("buildspec.yml", FLOATING), ("tagwright.toml", off)],
        ),
        (
            "exclude",
            &[
                ("buildspec.yml", FLOATING),
                ("tagwright.toml", "exclude = ['*.yml']\n"),
            ],
        ),
        (
            "broken",
            &[("buildspec.yml", FLOATING), ("tagwright.toml", "no toml")],
        ),
        (
            "nested",
            &[("ci/buildspec.yml", FLOATING), ("ci/tagwright.toml", off)],
        ),
        (
            "baseline",
            &[
                ("buildspec.yml", FLOATING),
                ("tagwright-baseline.json", "no json"),
            ],
        ),
    ];
    for (name, files) in attacks {
        let repository = Repository::new(files);
        assert_eq!(errors(&repository, &["--isolated"]), plain(), "{name}");
        assert_eq!(
            errors(&repository, &["--isolated", files[0].0]),
            plain(),
            "{name}"
        );
        repository.git(&["checkout", "-q", "-b", "change"]);
        repository.put(files[0].0, &format!("{}# more\n", files[0].1));
        repository.git(&["add", "."]);
        assert_eq!(
            errors(&repository, &["--isolated", "--staged"]),
            plain(),
            "{name}"
        );
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
    std::fs::write(
        &config,
        "[rules]\nlatest-pushed = 'note'\nlatest-deployed = 'note'\n",
    )
    .unwrap();
    let config = config.to_string_lossy();
    let (code, report) = json(
        &repository,
        &[
            "check",
            "--format",
            "json",
            "--isolated",
            "--config",
            &config,
        ],
    );
    assert_eq!(code, Some(0), "{report}");
    assert!(report["summary"]["notes"].as_u64() > Some(0), "{report}");
}

#[test]
fn ignore_files_do_not_hide_what_git_tracks() {
    for ignoring in [
        ".gitignore",
        ".ignore",
        "ci/.gitignore",
        ".git/info/exclude",
    ] {
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
        (
            "a/buildspec.yml",
            &with_comment("# tagwright: ignore[latest-pushed] because"),
        ),
        ("b/buildspec.yml", FLOATING),
        ("c/buildspec.yml", FLOATING),
        ("tagwright.toml", "exclude = ['c']\n"),
    ]);
    assert_eq!(repository.run(&["baseline", "write", "b"]).code, Some(0));
    let (_, report) = json(&repository, &["check", "--format", "json"]);
    let summary = &report["summary"];
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert!(
        count("suppressed") > 0 && count("baselined") > 0,
        "{summary}"
    );
    assert_eq!(count("excluded"), 1, "{summary}");
    for command in ["check", "fix"] {
        let run = repository.run(&[command]);
        for part in [
            "suppressed by comments",
            "in the baseline",
            "1 excluded file",
        ] {
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
            assert!(
                run.err.contains("leads out of the repository"),
                "{}",
                run.err
            );
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

/// The lines of a log that a build service would take for a command.
fn commands(log: &str) -> Vec<&str> {
    let is_command = |line: &&str| {
        let begins = line.trim_start().starts_with("::");
        begins
            || ["##[", "##vso[", "##teamcity["]
                .iter()
                .any(|sign| line.contains(sign))
    };
    log.lines().filter(is_command).collect()
}

#[cfg(unix)]
#[test]
fn no_line_of_a_log_is_a_workflow_command() {
    let tasks = "containerDefinitions:\n  - image: 'redis:latest' # ##[error]x ##vso[task.x]y\n";
    let repository = Repository::new(&[
        ("::set-output name=a::b.yml", FLOATING),
        ("::error::buildspec.yml", "version: 0.2\nphases: [\n"),
        ("##[group]taskdef.yml", tasks),
        ("##vso[task.setvariable]buildspec.yml", FLOATING),
        ("a\n::warning::buildspec.yml", FLOATING),
    ]);
    for format in [
        "human",
        "concise",
        "json",
        "jsonl",
        "sarif",
        "gitlab",
        "junit",
        "checkstyle",
    ] {
        for command in ["check", "fix"] {
            let run = repository.run(&[command, "--format", format]);
            let said = format!("{}{}", run.out, run.err);
            assert!(said.contains("set-output"), "{command} {format}: {said}");
            assert_eq!(commands(&run.out), [""; 0], "{command} {format}");
            assert_eq!(commands(&run.err), [""; 0], "{command} {format}");
            repository.git(&["checkout", "-q", "."]);
        }
    }
    let run = repository.run(&["check", "--files"]);
    assert_eq!(commands(&run.out), [""; 0]);
    let run = repository.run(&["check", "--config", "a\n::error::x.toml"]);
    assert_eq!(commands(&run.err), [""; 0], "{}", run.err);
}

#[cfg(unix)]
#[test]
fn git_runs_no_program_that_the_repository_names() {
    let repository = Repository::new(&[
        ("buildspec.yml", CLEAN),
        (".gitattributes", "*.yml diff=evil\n"),
    ]);
    let ran = repository.path("ran");
    let program = format!("touch '{}'; false", ran.display());
    for key in [
        "core.fsmonitor",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "core.pager",
    ] {
        repository.git(&["config", key, &program]);
    }
    std::fs::write(repository.path("buildspec.yml"), FLOATING).unwrap();
    for arguments in [
        &["check"][..],
        &["check", "--changed", "main"],
        &["check", "--staged"],
    ] {
        repository.run(arguments);
        assert!(!ran.exists(), "{arguments:?}");
    }
}

/// A repository whose fix changes several files.
#[cfg(unix)]
fn several() -> Repository {
    let names = ["a", "b", "c", "d", "e", "f"];
    let paths = names.map(|name| format!("{name}/buildspec.yml"));
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), FLOATING)).collect();
    Repository::new(&files)
}

/// What is wrong with the repository of [`several`] after runs of `fix`: files that are neither old nor new, files beside
/// them, and, unless some may be, files that differ.
#[cfg(unix)]
fn disorder(repository: &Repository, fixed: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut states = std::collections::BTreeSet::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        let text = repository.text(&format!("{name}/buildspec.yml"));
        if text != FLOATING && text != fixed {
            wrong.push(format!("{name}: {text}"));
        }
        states.insert(text == fixed);
        for entry in std::fs::read_dir(repository.path(name)).unwrap() {
            let entry = entry.unwrap().file_name().into_string().unwrap();
            if entry != "buildspec.yml" {
                wrong.push(format!("{name}/{entry}"));
            }
        }
    }
    if states.len() > 1 {
        wrong.push("some files are fixed and some are not".to_owned());
    }
    wrong
}

/// [`FLOATING`] after `fix`.
#[cfg(unix)]
fn fixed() -> String {
    let repository = several();
    repository.run(&["fix"]);
    let fixed = repository.text("a/buildspec.yml");
    assert_ne!(fixed, FLOATING);
    assert_eq!(disorder(&repository, &fixed), [""; 0]);
    fixed
}

/// Starts `fix`, which says nothing.
#[cfg(unix)]
fn start(repository: &Repository) -> std::process::Child {
    use std::process::{Command, Stdio};
    repository::isolated(
        Command::new(env!("CARGO_BIN_EXE_tagwright")),
        repository.0.path(),
    )
    .arg("fix")
    .stdin(Stdio::null())
    .stdout(Stdio::null())
    .stderr(Stdio::null())
    .spawn()
    .unwrap()
}

/// `pairs` times two runs of `fix` at once.
#[cfg(unix)]
fn together(pairs: u32) {
    let fixed = fixed();
    for pair in 0..pairs {
        let repository = several();
        let runs = [start(&repository), start(&repository)];
        for mut run in runs {
            let status = run.wait().unwrap();
            assert!(
                matches!(status.code(), Some(0 | 1)),
                "pair {pair}: {status}"
            );
        }
        assert_eq!(disorder(&repository, &fixed), [""; 0], "pair {pair}");
        assert_eq!(repository.text("a/buildspec.yml"), fixed, "pair {pair}");
    }
}

/// `times` times a run of `fix` that `signal` ends at another moment; how often what was left, and after the next run of
/// `fix` as well, which has to put it right.
#[cfg(unix)]
fn ended(times: u32, signal: &str) -> u32 {
    let fixed = fixed();
    let clock = std::time::Instant::now();
    start(&several()).wait().unwrap();
    let length = clock.elapsed() * 2;
    let mut disorderly = 0;
    for time in 0..times {
        let repository = several();
        let mut run = start(&repository);
        std::thread::sleep(length * time / times);
        let id = run.id().to_string();
        let killed = std::process::Command::new("kill")
            .args(["-s", signal, &id])
            .status();
        let _ = (killed, run.wait());
        disorderly += u32::from(!disorder(&repository, &fixed).is_empty());
        repository.run(&["fix"]);
        assert_eq!(disorder(&repository, &fixed), [""; 0], "{signal} {time}");
    }
    disorderly
}

#[cfg(unix)]
#[test]
fn two_runs_at_once_do_not_get_in_each_others_way() {
    together(5);
}

#[cfg(unix)]
#[test]
fn a_run_that_is_interrupted_has_written_all_or_nothing() {
    assert_eq!(ended(10, "INT") + ended(5, "TERM"), 0);
}

/// `cargo test -p tagwright --test attacks -- --ignored --nocapture` takes some minutes.
#[cfg(unix)]
#[test]
#[ignore = "takes minutes"]
#[allow(clippy::print_stdout)]
fn hundreds_of_runs_are_ended_and_started_at_once() {
    together(300);
    println!("300 pairs at once: none mixed, nothing left");
    println!("500 x SIGINT: {} disorderly", ended(500, "INT"));
    println!(
        "500 x SIGKILL: {} disorderly before the next run, none after it",
        ended(500, "KILL")
    );
}

#[test]
fn fix_records_what_it_did_at_the_places_of_the_old_text() {
    let repository = Repository::new(&[("buildspec.yml", FLOATING)]);
    let (_, checked) = json(&repository, &["check", "--format", "json"]);
    let (_, fixed) = json(&repository, &["fix", "--format", "json"]);
    let places = |list: &Value| -> Vec<(String, u64)> {
        let list = list.as_array().unwrap().iter();
        let mut places: Vec<_> = list
            .filter(|it| it.get("fix").is_none_or(|fix| !fix.is_null()))
            .map(|it| {
                let line = it["line"].as_u64().or(it["start"]["line"].as_u64());
                (it["rule"].as_str().unwrap().to_owned(), line.unwrap())
            })
            .collect();
        places.sort();
        places
    };
    assert_eq!(places(&fixed["applied"]), places(&checked["findings"]));
    assert!(!fixed["applied"].as_array().unwrap().is_empty());
}

#[test]
fn check_promises_no_fix_that_fix_would_not_make() {
    let repository = Repository::new(&[
        (
            "buildspec.yml",
            &FLOATING.replace("artifacts:\n  files: imagedefinitions.json\n", ""),
        ),
        (
            "deploy.yml",
            &FLOATING.replace("      - docker build -t $REGISTRY/web:latest .\n", ""),
        ),
    ]);
    for path in ["buildspec.yml", "deploy.yml", "."] {
        let (_, report) = json(&repository, &["check", "--format", "json", path]);
        let promised = report["summary"]["fixable"].as_u64().unwrap();
        repository.run(&["fix", "--diff", "--output", "json=out.json", path]);
        let written: Value = serde_json::from_str(&repository.text("out.json")).unwrap();
        let made = written["applied"].as_array().unwrap().len() as u64;
        assert_eq!(promised, made, "{path}");
        std::fs::remove_file(repository.path("out.json")).unwrap();
    }
}

#[test]
fn an_ignored_place_that_holds_a_fix_back_is_named() {
    let text = FLOATING.replacen(
        "web:latest\n",
        "web:latest # tagwright: ignore[latest-pushed] because\n",
        1,
    );
    let repository = Repository::new(&[("buildspec.yml", &text)]);
    let (_, report) = json(&repository, &["check", "--format", "json"]);
    let findings = report["findings"].as_array().unwrap();
    let refusal = findings
        .iter()
        .map(|finding| &finding["refusal"])
        .find(|refusal| refusal["code"] == "ignored-place")
        .unwrap_or_else(|| panic!("{report}"));
    assert_eq!(refusal["path"], "buildspec.yml");
    assert_eq!(refusal["line"], 6, "{refusal}");
}

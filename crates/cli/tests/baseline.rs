//! The baseline and the comments of `--add-ignore`, on whole folders.

#[path = "support/folder.rs"]
mod folder;

use std::fmt::Write as _;

use folder::Folder;

/// A buildspec with `count` old findings of the severity error.
fn old(count: usize) -> String {
    let mut text = "version: 0.2\nphases:\n  build:\n    commands:\n".to_owned();
    for index in 0..count {
        let _ = writeln!(
            text,
            "      - docker login -u me -p hunter2{index} r{index}.example.org"
        );
    }
    text
}

#[test]
fn a_gate_with_a_baseline_fails_with_exactly_the_new_finding() {
    let folder = Folder::new(&[(".git/HEAD", "")]);
    for file in 0..20 {
        folder.put(&format!("service-{file}/buildspec.yml"), old(10).as_bytes());
    }
    let check = ["check", "--format", "json", "--fail-on", "warning"];
    let before = folder.run(&check);
    assert_eq!(before.code, Some(1));
    let count = before.findings().len();
    assert!(count >= 200, "{count}");
    assert_eq!(
        folder
            .run(&["baseline", "write", "--reason", "before tagwright"])
            .code,
        Some(0)
    );
    assert_eq!(folder.run(&check).findings(), [""; 0]);
    assert_eq!(folder.run(&check).code, Some(0));
    assert_eq!(folder.run(&["baseline", "check"]).code, Some(0));

    // Fifty unrelated lines come before everything, another command between, and one violation at the end.
    let path = "service-7/buildspec.yml";
    let moved = "# nothing to see here\n".repeat(50)
        + &old(10).replace(
            "      - docker login -u me -p hunter25",
            "      - make\n      - docker login -u me -p hunter25",
        );
    folder.put(path, moved.as_bytes());
    assert_eq!(folder.run(&check).code, Some(0));
    let new = format!("{moved}      - docker login -u me -p hunter2new example.org\n");
    folder.put(path, new.as_bytes());
    let run = folder.run(&check);
    assert_eq!(run.code, Some(1));
    let at = new.find("hunter2new").unwrap_or(0);
    let findings = run.findings();
    assert!(!findings.is_empty());
    for finding in &findings {
        assert!(finding.contains(&format!("{path}:66:")), "{finding} {at}");
    }

    // One old line is fixed and the new one is still there: it cannot take the fixed one's place.
    let swapped = new.replace(
        "      - docker login -u me -p hunter20 r0.example.org\n",
        "",
    );
    folder.put(path, swapped.as_bytes());
    assert_eq!(folder.run(&check).findings().len(), findings.len());
    let stale = folder.run(&["baseline", "check"]);
    assert_eq!(stale.code, Some(1));
    assert!(
        stale.out().contains("service-7/buildspec.yml: "),
        "{}",
        stale.out()
    );
    let text = folder.text("tagwright-baseline.json");
    assert_eq!(folder.run(&["baseline", "prune"]).code, Some(0));
    assert!(folder.text("tagwright-baseline.json").len() < text.len());
    assert_eq!(folder.run(&["baseline", "check"]).code, Some(0));
}

#[test]
fn entries_keep_what_was_said_about_them_and_count_again_after_their_last_day() {
    let folder = Folder::new(&[(".git/HEAD", ""), ("buildspec.yml", &old(1))]);
    let write = [
        "baseline",
        "write",
        "--reason",
        "in March",
        "--expires",
        "2020-03-31",
    ];
    assert_eq!(folder.run(&write).code, Some(0));
    let text = folder.text("tagwright-baseline.json");
    assert!(
        text.contains("in March") && text.contains("2020-03-31"),
        "{text}"
    );
    assert_eq!(folder.run(&["check", "--fail-on", "warning"]).code, Some(1));
    assert!(
        folder
            .run(&["baseline", "check"])
            .out()
            .contains("counts again since 2020-03-31")
    );
    assert_eq!(
        folder.run(&["baseline", "write", "--reason", "other"]).code,
        Some(0)
    );
    assert_eq!(folder.text("tagwright-baseline.json"), text);
    let wrong = folder.run(&["baseline", "write", "--expires", "soon"]);
    assert_eq!(wrong.code, Some(2));
}

#[test]
fn what_the_baseline_knows_stays_visible_in_sarif_and_json_and_counts_without_it() {
    let folder = Folder::new(&[(".git/HEAD", ""), ("buildspec.yml", &old(1))]);
    folder.run(&["baseline", "write", "--reason", "before"]);
    let sarif = folder.run(&["check", "--format", "sarif"]).json();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["suppressions"][0]["kind"], "external");
    assert_eq!(result["suppressions"][0]["justification"], "before");
    assert!(
        result["partialFingerprints"]
            .as_object()
            .is_some_and(|it| !it.is_empty())
    );
    let all = ["check", "--no-baseline", "--fail-on", "warning"];
    assert_eq!(folder.run(&all).code, Some(1));
}

#[test]
fn a_fix_leaves_alone_what_the_baseline_knows() {
    let buildspec = "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t $REGISTRY/web:latest .\n      - docker push $REGISTRY/web:latest\n";
    let folder = Folder::new(&[(".git/HEAD", ""), ("buildspec.yml", buildspec)]);
    folder.run(&["baseline", "write"]);
    folder.run(&["fix", "--unsafe"]);
    assert_eq!(folder.text("buildspec.yml"), buildspec);
    folder.run(&["fix", "--unsafe", "--no-baseline"]);
    assert_ne!(folder.text("buildspec.yml"), buildspec);
}

#[test]
fn a_broken_baseline_stops_the_run_with_its_place() {
    let folder = Folder::new(&[
        (".git/HEAD", ""),
        ("buildspec.yml", &old(1)),
        ("tagwright-baseline.json", "{\n  \"schema_version\": 1,\n"),
    ]);
    let run = folder.run(&["check"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("tagwright-baseline.json:"), "{}", run.err);
    assert_eq!(folder.run(&["check", "--no-baseline"]).code, Some(0));
    assert_eq!(
        folder.run(&["check", "--baseline", "nowhere.json"]).code,
        Some(2)
    );
}

#[test]
fn add_ignore_silences_what_fails_and_changes_nothing_else() {
    let text = "\
version: 0.2
phases:
  build:
    commands:
      - docker login -u me -p hunter22 example.org   # log in
      - |
        cat <<EOF
        $(aws ecr get-login --no-include-email)
        EOF
        docker login -u me -p hunter22 other.example.org
";
    let folder = Folder::new(&[(".git/HEAD", ""), ("buildspec.yml", text)]);
    let gate = ["check", "--fail-on", "warning"];
    assert_eq!(folder.run(&gate).code, Some(1));
    let run = folder.run(&[
        "check",
        "--fail-on",
        "warning",
        "--add-ignore",
        "until\nmarch",
    ]);
    assert_eq!(run.code, Some(0), "{}{}", run.out(), run.err);
    let after = folder.text("buildspec.yml");
    let mut comments = 0;
    let rest: Vec<&str> = after
        .lines()
        .filter(|line| {
            let own = line.trim_start().starts_with("# tagwright: ignore[");
            comments += usize::from(own);
            assert!(!own || line.ends_with("until march"), "{line}");
            !own
        })
        .collect();
    assert_eq!(rest.join("\n") + "\n", text);
    assert_eq!(comments, 2, "{after}");
    assert_eq!(folder.run(&gate).code, Some(0));
    folder.run(&["check", "--fail-on", "warning", "--add-ignore", "again"]);
    assert_eq!(folder.text("buildspec.yml"), after);
}

//! Buildspecs inside CloudFormation templates: what the rules about single files say of them, and where.

use std::sync::Arc;

use tagwright_flow::FileId;
use tagwright_rules::{Finding, Settings};

fn lint(text: &str) -> Vec<Finding> {
    let text: Arc<str> = Arc::from(text);
    tagwright_rules::lint([(FileId(0), "template.yml", &text)], &Settings::default())
}

/// The findings as `rule [text]`.
fn shown(text: &str) -> Vec<String> {
    lint(text)
        .iter()
        .map(|it| format!("{} [{}]", it.rule, &text[it.span.range()]))
        .collect()
}

/// A template whose project has this value behind `BuildSpec:`.
fn template(buildspec: &str) -> String {
    format!(
        "Description: größer\nResources:\n  Project:\n    Type: AWS::CodeBuild::Project\n    Properties:\n      Source:\n        Type: GITHUB\n        BuildSpec: {buildspec}\n      Name: web\n"
    )
}

const BLOCK: &str = "|
          version: 0.2
          phases:
            biuld:
              commands:
                - make
            build:
              comands:
                - make
              commands:
                - make
                - echo hello: world
                - docker login -u AWS -p $PASSWORD $REGISTRY
";

#[test]
fn a_block_is_judged_like_a_file_and_its_places_are_the_outer_files() {
    let text = template(BLOCK);
    assert_eq!(
        shown(&text),
        [
            "unknown-phase [biuld]",
            "unknown-key [comands]",
            "command-is-mapping [echo hello: world]",
            "password-argument [-p $PASSWORD]",
        ]
    );
}

#[test]
fn findings_inside_another_file_have_no_fix_but_a_reason() {
    let text = template(BLOCK);
    for finding in lint(&text) {
        assert!(finding.fix.is_none(), "{finding:?}");
    }
    let mapping = lint(&text)
        .into_iter()
        .find(|it| it.rule == "command-is-mapping")
        .unwrap();
    assert!(mapping.no_fix.unwrap().contains("inside another file"));
}

#[test]
fn windows_line_endings_and_multi_byte_text_move_no_place() {
    let block = BLOCK.replace(
        "- make\n            build",
        "- echo 한국어 🎉\n            build",
    );
    let text = template(&block).replace('\n', "\r\n");
    assert!(shown(&text).contains(&"unknown-key [comands]".to_owned()));
}

#[test]
fn lines_in_messages_are_the_outer_files() {
    let block = "|\n          version: 0.2\n          phases:\n            build:\n              commands:\n                - make\n            build:\n              commands:\n                - make\n";
    let text = template(block);
    let finding = lint(&text)
        .into_iter()
        .find(|it| it.rule == "duplicate-key")
        .unwrap();
    let digits: Vec<&str> = finding
        .message
        .split(|c: char| !c.is_ascii_digit())
        .filter(|it| !it.is_empty())
        .collect();
    let lines: Vec<String> = text
        .lines()
        .zip(1..)
        .filter(|(line, _)| line.trim() == "build:")
        .map(|(_, number)| number.to_string())
        .collect();
    assert!(
        digits.iter().all(|it| lines.iter().any(|line| line == it)),
        "{} {lines:?}",
        finding.message
    );
}

#[test]
fn a_right_block_is_silent_and_substituted_or_other_text_is_not_read() {
    let right = "|\n          version: 0.2\n          phases:\n            build:\n              commands:\n                - make\n";
    assert_eq!(shown(&template(right)), [""; 0]);
    let substituted = BLOCK.replace("|\n", "!Sub |\n");
    assert_eq!(shown(&template(&substituted)), [""; 0]);
    assert_eq!(shown(&template("buildspec.yml")), [""; 0]);
}

#[test]
fn a_comment_in_the_block_silences_a_rule() {
    let silenced = BLOCK.replace(
        "              comands:",
        "              # tagwright: ignore[unknown-key] kept for later\n              comands:",
    );
    let found = shown(&template(&silenced));
    assert!(
        !found.iter().any(|it| it.starts_with("unknown-key")),
        "{found:?}"
    );
    assert!(
        found.iter().any(|it| it.starts_with("unknown-phase")),
        "{found:?}"
    );
}

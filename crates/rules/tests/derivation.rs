//! Runs the derivation in the shells that CodeBuild's images and their relatives have: dash, bash,
//! bash in POSIX mode and, where it is installed, busybox.

use std::process::{Command, Output};

use tagwright_rules::derivation::Derivation;

const SHELLS: [&[&str]; 4] = [
    &["dash"],
    &["bash"],
    &["bash", "--posix"],
    &["busybox", "sh"],
];

const COMMIT: &str = "3f786850e387550fdab836ed7e6dc881de23001b";
const COMMIT_SHA256: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const ARTIFACT: &str = "arn:aws:s3:::codepipeline-eu-west-1-1234/shop/SourceArti/AbC12dE";

const REFUSED: Option<&str> = None;

/// What happened, the variables of the build, and the value (`None`: refused).
type Situation = (
    &'static str,
    &'static [(&'static str, &'static str)],
    Option<&'static str>,
);

const HEAD: &str = "CODEBUILD_WEBHOOK_HEAD_REF";
const TRIGGER: &str = "CODEBUILD_WEBHOOK_TRIGGER";
const VERSION: &str = "CODEBUILD_SOURCE_VERSION";
const VARIABLE: &str = "BRANCH_NAME";

const SITUATIONS: &[Situation] = &[
    (
        "webhook push",
        &[
            (HEAD, "refs/heads/main"),
            (TRIGGER, "branch/main"),
            (VERSION, COMMIT),
        ],
        Some("main"),
    ),
    (
        "webhook push of a branch with a slash",
        &[
            (HEAD, "refs/heads/feature/x"),
            (TRIGGER, "branch/feature/x"),
            (VERSION, COMMIT),
        ],
        Some("feature-x"),
    ),
    (
        "several slashes",
        &[(HEAD, "refs/heads/a/b/c")],
        Some("a-b-c"),
    ),
    (
        "only the trigger",
        &[(TRIGGER, "branch/feature/x")],
        Some("feature-x"),
    ),
    (
        "pull request with its head",
        &[
            (HEAD, "refs/heads/fix/login"),
            (TRIGGER, "pr/42"),
            (VERSION, "pr/42"),
        ],
        Some("fix-login"),
    ),
    (
        "pull request by its trigger",
        &[(TRIGGER, "pr/42"), (VERSION, "pr/42")],
        Some("pr-42"),
    ),
    (
        "pull request started by hand",
        &[(VERSION, "pr/7")],
        Some("pr-7"),
    ),
    (
        "pull request head",
        &[(VERSION, "refs/pull/42/head")],
        Some("pr-42"),
    ),
    (
        "pull request merge",
        &[(VERSION, "refs/pull/42/merge^{0123abc}")],
        Some("pr-42"),
    ),
    (
        "webhook push of a tag",
        &[(HEAD, "refs/tags/v1.2.3"), (TRIGGER, "tag/v1.2.3")],
        Some("v1.2.3"),
    ),
    (
        "tag by its trigger",
        &[(TRIGGER, "tag/v1.2.3")],
        Some("v1.2.3"),
    ),
    (
        "manual build of a branch",
        &[(VERSION, "develop")],
        Some("develop"),
    ),
    (
        "manual build of a branch with a slash",
        &[(VERSION, "release/2026-11")],
        Some("release-2026-11"),
    ),
    (
        "manual build of a full reference",
        &[(VERSION, "refs/heads/develop")],
        Some("develop"),
    ),
    (
        "manual build of a pinned branch",
        &[(VERSION, "refs/heads/x^{3f786850e387}")],
        Some("x"),
    ),
    (
        "manual build of a tag",
        &[(VERSION, "refs/tags/v2")],
        Some("v2"),
    ),
    ("manual build of a commit", &[(VERSION, COMMIT)], REFUSED),
    (
        "manual build of a SHA-256 commit",
        &[(VERSION, COMMIT_SHA256)],
        REFUSED,
    ),
    (
        "manual build of a commit in capitals",
        &[(VERSION, "3F786850E387550FDAB836ED7E6DC881DE23001B")],
        REFUSED,
    ),
    ("manual build without a version", &[], REFUSED),
    (
        "all set and empty",
        &[(VARIABLE, ""), (HEAD, ""), (TRIGGER, ""), (VERSION, "")],
        REFUSED,
    ),
    (
        "short commit-like branch",
        &[(VERSION, "deadbee")],
        Some("deadbee"),
    ),
    (
        "41 hexadecimal digits",
        &[(VERSION, "3f786850e387550fdab836ed7e6dc881de23001ba")],
        Some("3f786850e387550fdab836ed7e6dc881de23001ba"),
    ),
    (
        "pipeline without the variable",
        &[(VERSION, ARTIFACT)],
        REFUSED,
    ),
    (
        "pipeline in another partition",
        &[(VERSION, "arn:aws-cn:s3:::bucket/key")],
        REFUSED,
    ),
    (
        "pipeline that passes a plain branch",
        &[(VARIABLE, "main"), (VERSION, ARTIFACT)],
        Some("main"),
    ),
    (
        "pipeline that passes a branch with a slash",
        &[(VARIABLE, "feature/x"), (VERSION, ARTIFACT)],
        Some("feature-x"),
    ),
    (
        "pipeline that passes a full reference",
        &[(VARIABLE, "refs/heads/feature/x"), (VERSION, ARTIFACT)],
        Some("feature-x"),
    ),
    (
        "pipeline variable that came out empty",
        &[(VARIABLE, ""), (VERSION, ARTIFACT)],
        REFUSED,
    ),
    (
        "the variable wins over the webhook",
        &[
            (VARIABLE, "staging"),
            (HEAD, "refs/heads/main"),
            (TRIGGER, "branch/main"),
        ],
        Some("staging"),
    ),
    (
        "a commit in the variable is passed over",
        &[(VARIABLE, COMMIT), (HEAD, "refs/heads/main")],
        Some("main"),
    ),
    (
        "an ARN in the variable is passed over",
        &[(VARIABLE, ARTIFACT), (VERSION, "main")],
        Some("main"),
    ),
    (
        "a branch named like a commit",
        &[
            (HEAD, "refs/heads/3f786850e387550fdab836ed7e6dc881de23001b"),
            (VERSION, COMMIT),
        ],
        REFUSED,
    ),
    (
        "a commit behind characters that are stripped",
        &[(
            HEAD,
            "refs/heads/\u{e9}3f786850e387550fdab836ed7e6dc881de23001b",
        )],
        REFUSED,
    ),
    ("latest", &[(HEAD, "refs/heads/latest")], REFUSED),
    ("latest after stripping", &[(VARIABLE, "-.latest")], REFUSED),
    (
        "latest does not fall back to the next",
        &[(VARIABLE, "latest"), (VERSION, "main")],
        REFUSED,
    ),
    (
        "latest as a part",
        &[(HEAD, "refs/heads/latest-fix")],
        Some("latest-fix"),
    ),
    (
        "characters that no tag has",
        &[(HEAD, "refs/heads/fix#12+a=b@c d~e")],
        Some("fix-12-a-b-c-d-e"),
    ),
    (
        "renovate",
        &[(HEAD, "refs/heads/renovate/foo@1.x")],
        Some("renovate-foo-1.x"),
    ),
    (
        "dots, dashes and underscores stay",
        &[(HEAD, "refs/heads/v1.2_rc-3")],
        Some("v1.2_rc-3"),
    ),
    (
        "capitals stay",
        &[(HEAD, "refs/heads/JIRA-77/Big")],
        Some("JIRA-77-Big"),
    ),
    (
        "leading dots and dashes",
        &[(VARIABLE, "..--.x-")],
        Some("x-"),
    ),
    ("leading underscore", &[(HEAD, "refs/heads/_x")], Some("_x")),
    (
        "unicode branch",
        &[(HEAD, "refs/heads/gr\u{f6}\u{df}e")],
        Some("gr----e"),
    ),
    (
        "unicode branch with a plain part",
        &[(HEAD, "refs/heads/\u{ae30}\u{b2a5}/login")],
        Some("login"),
    ),
    (
        "nothing but unicode",
        &[(HEAD, "refs/heads/\u{529f}\u{80fd}")],
        REFUSED,
    ),
    (
        "nothing but unicode, and a pull request",
        &[(HEAD, "refs/heads/\u{529f}\u{80fd}"), (VERSION, "pr/3")],
        Some("pr-3"),
    ),
    (
        "shell metacharacters",
        &[(HEAD, "refs/heads/$(id)`id`;\"'\\x*")],
        Some("id--id-----x-"),
    ),
    (
        "a percent sign",
        &[(HEAD, "refs/heads/100%s")],
        Some("100-s"),
    ),
    ("a dash option", &[(VARIABLE, "-n")], Some("n")),
    (
        "a branch called branch",
        &[(TRIGGER, "branch/branch/x")],
        Some("branch-x"),
    ),
    (
        "a branch called pr",
        &[(HEAD, "refs/heads/pr/5")],
        Some("pr-5"),
    ),
    (
        "a branch called heads",
        &[(HEAD, "refs/heads/refs/heads/x")],
        Some("refs-heads-x"),
    ),
    ("a trailing newline", &[(VARIABLE, "main\n")], Some("main")),
    (
        "80 characters stay whole",
        &[(
            HEAD,
            "refs/heads/a2345678901234567890123456789012345678901234567890123456789012345678901234567890",
        )],
        Some("a2345678901234567890123456789012345678901234567890123456789012345678901234567890"),
    ),
];

/// The shells that are installed. All but busybox have to be.
fn shells() -> Vec<&'static [&'static str]> {
    SHELLS
        .into_iter()
        .filter(|shell| {
            let found = Command::new(shell[0])
                .args(&shell[1..])
                .args(["-c", ":"])
                .output()
                .is_ok_and(|output| output.status.success());
            assert!(found || shell[0] == "busybox", "{shell:?} is not installed");
            found
        })
        .collect()
}

fn run(shell: &[&str], options: &[&str], variables: &[(&str, &str)], script: &str) -> Output {
    let mut command = Command::new(shell[0]);
    command
        .args(&shell[1..])
        .args(options)
        .args(["-c", script])
        .env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.envs(variables.iter().copied());
    command.output().expect("the shell was found before")
}

fn derivation() -> String {
    Derivation {
        variable: VARIABLE,
        copilot_pipeline: false,
    }
    .text()
}

fn is_valid(tag: &str) -> bool {
    let starts = tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    starts
        && tag.len() <= 80
        && tag
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs `text` twice, as two commands of one build, and gives the value that a child process sees.
/// `None` if it refused.
fn value(
    shell: &[&str],
    options: &[&str],
    variables: &[(&str, &str)],
    text: &str,
) -> Option<String> {
    let script = format!(
        "{text}first=$BRANCH_NAME\n{text}[ \"$first\" = \"$BRANCH_NAME\" ] || exit 9\nprintenv BRANCH_NAME\n"
    );
    let output = run(shell, options, variables, &script);
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        assert_eq!(stderr, "", "{shell:?} {variables:?}");
        let tag = stdout(&output).trim_end_matches('\n').to_owned();
        assert!(is_valid(&tag), "{shell:?} {variables:?}: {tag:?}");
        return Some(tag);
    }
    assert_eq!(
        output.status.code(),
        Some(1),
        "{shell:?} {variables:?}: {stderr}"
    );
    assert_eq!(stdout(&output), "", "{shell:?} {variables:?}");
    assert_eq!(
        stderr.lines().count(),
        1,
        "{shell:?} {variables:?}: {stderr}"
    );
    assert!(stderr.contains("set BRANCH_NAME"), "{stderr}");
    None
}

#[test]
fn every_situation_gives_the_same_tag_in_every_shell() {
    let text = derivation();
    for shell in shells() {
        for (name, variables, expected) in SITUATIONS {
            let actual = value(shell, &[], variables, &text);
            assert_eq!(actual.as_deref(), *expected, "{name}, {shell:?}");
        }
    }
}

#[test]
fn strict_shell_options_change_nothing() {
    let text = derivation();
    for shell in shells() {
        for (name, variables, expected) in SITUATIONS.iter().step_by(3) {
            let actual = value(shell, &["-eu"], variables, &text);
            assert_eq!(actual.as_deref(), *expected, "{name}, {shell:?} -eu");
        }
    }
}

#[test]
fn an_option_that_fails_pipelines_changes_nothing() {
    let text = derivation();
    for (name, variables, expected) in SITUATIONS.iter().step_by(5) {
        let actual = value(&["bash"], &["-euo", "pipefail"], variables, &text);
        assert_eq!(actual.as_deref(), *expected, "{name}");
    }
}

#[test]
fn long_branches_that_differ_at_the_end_stay_different() {
    let text = derivation();
    let stem = "feature/".to_owned() + &"a-rather-long-name-".repeat(10);
    let branches = [
        stem.clone() + "1",
        stem.clone() + "2",
        stem.clone() + "/",
        stem,
    ];
    for shell in shells() {
        let tags: Vec<String> = branches
            .iter()
            .map(|branch| {
                let head = format!("refs/heads/{branch}");
                value(shell, &["-eu"], &[(HEAD, &head)], &text).expect("a branch is given")
            })
            .collect();
        for (index, tag) in tags.iter().enumerate() {
            assert!(tag.starts_with("feature-a-rather-long-name-"), "{tag}");
            assert!(!tags[..index].contains(tag), "{tags:?}");
        }
    }
}

#[test]
fn a_long_branch_has_one_tag_however_the_build_was_started() {
    let text = derivation();
    let branch = "feature/".to_owned() + &"x".repeat(200);
    let starts = [
        (HEAD, format!("refs/heads/{branch}")),
        (TRIGGER, format!("branch/{branch}")),
        (VERSION, branch.clone()),
        (VARIABLE, branch),
    ];
    let tags: Vec<_> = starts
        .iter()
        .map(|(variable, given)| value(&["dash"], &[], &[(variable, given)], &text))
        .collect();
    assert!(
        tags[0].as_ref().is_some_and(|tag| tag.len() > 70),
        "{tags:?}"
    );
    assert!(tags.iter().all(|tag| *tag == tags[0]), "{tags:?}");
}

#[test]
fn a_build_id_still_fits_behind_the_longest_value() {
    let head = "refs/heads/".to_owned() + &"y".repeat(250);
    let tag = value(&["dash"], &[], &[(HEAD, &head)], &derivation()).expect("a branch is given");
    let build_id = "00000000-0000-4000-8000-000000000000";
    assert!(format!("{tag}-{build_id}").len() <= 128);
}

#[test]
fn nothing_else_of_the_shell_changes() {
    let script = format!(
        "ref=a name=b LC_ALL=POSIX\nbefore=$-:$PWD\n{}[ \"$ref$name$LC_ALL\" = abPOSIX ] || exit 2\n[ \"$before\" = \"$-:$PWD\" ] || exit 3\n",
        derivation()
    );
    for shell in shells() {
        let output = run(shell, &[], &[(HEAD, "refs/heads/main")], &script);
        assert!(output.status.success(), "{shell:?}: {output:?}");
    }
}

#[test]
fn a_refusal_stops_the_command_that_holds_it() {
    let script = format!("{}echo reached\n", derivation());
    for shell in shells() {
        let output = run(shell, &[], &[], &script);
        assert_eq!(output.status.code(), Some(1), "{shell:?}");
        assert_eq!(stdout(&output), "", "{shell:?}");
    }
}

#[test]
fn another_variable_is_derived_the_same_way() {
    let text = Derivation {
        variable: "GIT_BRANCH",
        copilot_pipeline: false,
    }
    .text();
    assert!(!text.contains("BRANCH_NAME"));
    let script = format!("{text}printenv GIT_BRANCH\n");
    let output = run(
        &["dash"],
        &[],
        &[("GIT_BRANCH", "feature/x"), (VARIABLE, "no")],
        &script,
    );
    assert_eq!(stdout(&output), "feature-x\n");
}

#[test]
fn a_copilot_pipeline_takes_the_branch_from_its_manifest() {
    if Command::new("jq").arg("--version").output().is_err() {
        eprintln!("skipped: jq is not installed");
        return;
    }
    let text = Derivation {
        variable: VARIABLE,
        copilot_pipeline: true,
    }
    .text();
    let situations: &[(&str, &str, Option<&str>)] = &[
        (
            r#"{"source":{"properties":{"branch":"release/1.2"}}}"#,
            "",
            Some("release-1.2"),
        ),
        (
            r#"{"source":{"properties":{"repository":"https://example.com/x"}}}"#,
            "",
            Some("main"),
        ),
        (
            r#"{"source":{"properties":{"branch":"main"}}}"#,
            "hotfix/9",
            Some("hotfix-9"),
        ),
        (
            r#"{"source":{"properties":{"branch":"latest"}}}"#,
            "",
            REFUSED,
        ),
        (
            "{\n  \"source\": {\n    \"properties\": {\n      \"branch\": \"dev\"\n    }\n  }\n}",
            "",
            Some("dev"),
        ),
    ];
    for shell in shells() {
        for (pipeline, given, expected) in situations {
            let variables = [
                ("manifest", *pipeline),
                (VARIABLE, *given),
                (VERSION, ARTIFACT),
            ];
            // Copilot's buildspec does not export it.
            let text = format!("pipeline=$manifest\n{text}");
            let actual = value(shell, &["-eu"], &variables, &text);
            assert_eq!(actual.as_deref(), *expected, "{pipeline}, {shell:?}");
        }
        // A webhook builds another branch than the pipeline's.
        let variables = [
            ("manifest", r#"{"source":{"properties":{"branch":"main"}}}"#),
            ("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/feature/x"),
        ];
        let text = format!("pipeline=$manifest\n{text}");
        let actual = value(shell, &["-eu"], &variables, &text);
        assert_eq!(actual.as_deref(), Some("feature-x"), "{shell:?}");
    }
}

#[test]
fn the_text_is_safe_in_a_block_scalar() {
    for copilot_pipeline in [false, true] {
        let text = Derivation {
            variable: VARIABLE,
            copilot_pipeline,
        }
        .text();
        assert!(text.starts_with("# BRANCH_NAME"));
        assert!(text.ends_with("export BRANCH_NAME\n"));
        assert!(!text.contains(['\t', '\r', '@']), "{text}");
        assert!(
            text.lines()
                .all(|line| line == line.trim_end() && !line.is_empty())
        );
        assert!(text.is_ascii());
    }
}

#[test]
fn definitions_that_make_a_tag_are_recognised() {
    let ours = derivation();
    let edited = ours
        .replace("exit 1\n  fi", "name=x\n  fi")
        .replacen('#', "# ours:", 1);
    for text in [
        ours.as_str(),
        edited.as_str(),
        "BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's/refs\\/heads\\///' | tr '/' '-')",
        "export BRANCH_NAME=$(printf %s \"$REF\" | tr -c 'A-Za-z0-9_.-' '-')",
        "BRANCH_NAME=$(echo \"$REF\" | tr -cs a-z -)",
        "BRANCH_NAME=${REF//\\//-}",
        "BRANCH_NAME=${REF//[^a-z]/-}",
        "BRANCH_NAME=$(echo $REF | sed -e 's|/|-|g')",
        "BRANCH_NAME=$(echo $REF | sed 's/[^a-zA-Z0-9]/-/g')",
        "echo start; BRANCH_NAME=$(echo $REF|tr / -)",
        "BRANCH_NAME=$REF\nBRANCH_NAME=$(echo \"$BRANCH_NAME\" | tr / _)\n",
    ] {
        assert!(Derivation::is_derivation(text, VARIABLE), "{text}");
    }
}

#[test]
fn other_commands_are_no_definition() {
    for text in [
        "",
        "BRANCH_NAME=main",
        "export BRANCH_NAME=$CODEBUILD_SOURCE_VERSION",
        "BRANCH_NAME=${CODEBUILD_WEBHOOK_HEAD_REF#refs/heads/}",
        "BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's/refs\\/heads\\///')",
        "BRANCH_NAME=${BRANCH_NAME:-master}",
        "MY_BRANCH_NAME=$(echo $REF | tr / -)",
        "BRANCH_NAMES=$(echo $REF | tr / -)",
        "# BRANCH_NAME=$(echo $REF | tr / -)",
        "echo \"$BRANCH_NAME\" | tr / -",
        "IMAGE_TAG=$(echo $BRANCH_NAME | tr / -)",
        "BRANCH_NAME=$(echo $REF | str / -)",
        "BRANCH_NAME=$(echo $REF | tr A-Z a-z)",
    ] {
        assert!(!Derivation::is_derivation(text, VARIABLE), "{text}");
    }
}

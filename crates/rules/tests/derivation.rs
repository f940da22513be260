//! Runs the derivation in the shells that CodeBuild's images and their relatives have: dash, bash,
//! bash in POSIX mode, busybox and zsh as sh. CI installs them all.

use std::process::{Command, Output};

use tagwright_rules::derivation::{Derivation, Missing, Outcome};

const SHELLS: [&[&str]; 5] = [
    &["dash"],
    &["bash"],
    &["bash", "--posix"],
    &["busybox", "sh"],
    &["zsh", "--emulate", "sh"],
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

const RESOLVED: &str = "CODEBUILD_RESOLVED_SOURCE_VERSION";

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
        Some("pr-42"),
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
        // A branch, and its checksum keeps it from looking like a commit.
        Some("3f786850e387550fdab836ed7e6dc881de23001b-1391013214"),
    ),
    ("latest", &[(HEAD, "refs/heads/latest")], REFUSED),
    (
        "latest after stripping",
        &[(VARIABLE, "-.latest")],
        Some("latest-3905413722"),
    ),
    (
        "latest falls back to the next",
        &[(VARIABLE, "latest"), (VERSION, "main")],
        Some("main"),
    ),
    (
        "latest as a part",
        &[(HEAD, "refs/heads/latest-fix")],
        Some("latest-fix"),
    ),
    (
        "characters that no tag has",
        &[(HEAD, "refs/heads/fix#12+a=b@c d~e")],
        Some("fix-12-a-b-c-d-e-2275758404"),
    ),
    (
        "renovate",
        &[(HEAD, "refs/heads/renovate/foo@1.x")],
        Some("renovate-foo-1.x-2611332112"),
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
        Some("x-4141488542"),
    ),
    ("leading underscore", &[(HEAD, "refs/heads/_x")], Some("_x")),
    (
        "unicode branch",
        &[(HEAD, "refs/heads/gr\u{f6}\u{df}e")],
        Some("gr-e-3729721467"),
    ),
    (
        "unicode branch with a plain part",
        &[(HEAD, "refs/heads/\u{ae30}\u{b2a5}/login")],
        Some("login-3409198108"),
    ),
    (
        "nothing but unicode",
        &[(HEAD, "refs/heads/\u{529f}\u{80fd}")],
        Some("3114008189"),
    ),
    (
        "nothing but unicode, and a pull request",
        &[(HEAD, "refs/heads/\u{529f}\u{80fd}"), (VERSION, "pr/3")],
        Some("3114008189"),
    ),
    (
        "shell metacharacters",
        &[(HEAD, "refs/heads/$(id)`id`;\"'\\x*")],
        Some("id-id-x-2111769074"),
    ),
    (
        "a percent sign",
        &[(HEAD, "refs/heads/100%s")],
        Some("100-s-2393615906"),
    ),
    ("a dash option", &[(VARIABLE, "-n")], Some("n-3412887628")),
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
        REFUSED,
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
    (
        "a fork's pull request whose branch is called main",
        &[
            (HEAD, "refs/heads/main"),
            (TRIGGER, "pr/42"),
            (VERSION, "pr/42"),
            (RESOLVED, COMMIT),
        ],
        Some("pr-42"),
    ),
    (
        "pipeline that knows its commit",
        &[(VERSION, ARTIFACT), (RESOLVED, COMMIT)],
        Some("commit-3f786850e387"),
    ),
    (
        "manual build of a commit that is known",
        &[(VERSION, COMMIT), (RESOLVED, COMMIT)],
        Some("commit-3f786850e387"),
    ),
    (
        "pipeline variable that was not resolved",
        &[
            (VARIABLE, "#{SourceVariables.BranchName}"),
            (VERSION, ARTIFACT),
            (RESOLVED, COMMIT),
        ],
        Some("commit-3f786850e387"),
    ),
    (
        "pipeline with an image as its source",
        &[
            (VERSION, ARTIFACT),
            (
                RESOLVED,
                "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            ),
        ],
        Some("commit-9f86d081884c"),
    ),
    (
        "HEAD in the variable is passed over",
        &[(VARIABLE, "HEAD"), (TRIGGER, "branch/main")],
        Some("main"),
    ),
    (
        "object in a bucket",
        &[(VERSION, "s3://bucket/source.zip")],
        REFUSED,
    ),
    (
        "object in a bucket without a scheme",
        &[(VERSION, "bucket/source.zip"), (RESOLVED, COMMIT)],
        Some("commit-3f786850e387"),
    ),
    (
        "a branch called latest, whose commit is known",
        &[
            (HEAD, "refs/heads/latest"),
            (TRIGGER, "branch/latest"),
            (VERSION, COMMIT),
            (RESOLVED, COMMIT),
        ],
        Some("commit-3f786850e387"),
    ),
    (
        "a branch called tag in every form",
        &[(TRIGGER, "branch/tag/x"), (HEAD, "refs/heads/tag/x")],
        Some("tag-x"),
    ),
    (
        "a branch called tag that a person gave",
        &[(VERSION, "tag/x")],
        Some("tag-x"),
    ),
    (
        "a reference of another kind",
        &[(VERSION, "refs/notes/x"), (RESOLVED, COMMIT)],
        Some("commit-3f786850e387"),
    ),
];

/// The shells that are installed; in CI, all of them.
fn shells() -> Vec<&'static [&'static str]> {
    SHELLS
        .into_iter()
        .filter(|shell| {
            let found = Command::new(shell[0])
                .args(&shell[1..])
                .args(["-c", ":"])
                .output()
                .is_ok_and(|output| output.status.success());
            let required = std::env::var_os("CI").is_some() || matches!(shell[0], "dash" | "bash");
            assert!(found || !required, "{shell:?} is not installed");
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
    Derivation::new(VARIABLE).text()
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
    assert!(stderr.contains("Set BRANCH_NAME"), "{stderr}");
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

/// What `tagwright migrate` predicts without a shell.
#[test]
fn the_predicted_outcome_is_what_the_shell_computes() {
    let long = "refs/heads/feature/".to_owned() + &"a-rather-long-name-".repeat(10);
    let long = [(HEAD, &*long)];
    let more: [&[(&str, &str)]; 3] = [
        &long,
        &[(HEAD, "refs/heads/Über.-/X_")],
        &[(VARIABLE, "A//b--")],
    ];
    let variables: Vec<_> = SITUATIONS
        .iter()
        .map(|(_, variables, _)| *variables)
        .chain(more)
        .collect();
    for missing in [Missing::Commit, Missing::Stop] {
        for repository in [false, true] {
            let derivation = Derivation {
                missing,
                repository,
                ..Derivation::new(VARIABLE)
            };
            let text = derivation.text();
            for variables in &variables {
                let script = format!("{text}printf %s \"$BRANCH_NAME\"\n");
                let output = run(&["dash"], &[], variables, &script);
                let expected = if output.status.success() {
                    Outcome::Value(stdout(&output))
                } else {
                    Outcome::Stops
                };
                let known = |name: &str| {
                    let found = variables.iter().find(|(known, _)| *known == name);
                    found.map(|(_, value)| (*value).to_owned())
                };
                let said = derivation.outcome(&known);
                assert_eq!(said, expected, "{missing:?} {repository} {variables:?}");
            }
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
    let text = Derivation::new("GIT_BRANCH").text();
    let script = format!("{text}printenv GIT_BRANCH BRANCH_NAME\n");
    let own = [("GIT_BRANCH", "feature/x"), (VARIABLE, "no")];
    let output = run(&["dash"], &[], &own, &script);
    assert_eq!(stdout(&output), "feature-x\nno\n");
    // What a pipeline passes under the usual name is taken and left as it is.
    let output = run(&["dash"], &[], &[(VARIABLE, "feature/x")], &script);
    assert_eq!(stdout(&output), "feature-x\nfeature/x\n");
}

#[test]
fn a_copilot_pipeline_takes_the_branch_from_its_manifest() {
    if Command::new("jq").arg("--version").output().is_err() {
        eprintln!("skipped: jq is not installed");
        return;
    }
    let text = Derivation {
        copilot_pipeline: true,
        ..Derivation::new(VARIABLE)
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
            copilot_pipeline,
            ..Derivation::new(VARIABLE)
        }
        .text();
        assert!(text.lines().count() <= 18, "{text}");
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
        .replace("exit 1; }", "ref=x; }")
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

#[test]
fn branches_that_differ_only_in_what_a_tag_cannot_hold_stay_different() {
    let text = derivation();
    let branches = [
        "feature-a",
        "feature!a",
        "feature@a",
        "feature/\u{6a5f}\u{80fd}",
        "feature/\u{4fee}\u{6b63}",
        "\u{6a5f}\u{80fd}",
        "\u{4fee}\u{6b63}",
        "-feature-a",
    ];
    for shell in shells() {
        let mut tags: Vec<String> = branches
            .iter()
            .map(|branch| {
                let head = format!("refs/heads/{branch}");
                value(shell, &["-eu"], &[(HEAD, &head)], &text).expect("a branch is given")
            })
            .collect();
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), branches.len(), "{shell:?}: {tags:?}");
    }
}

#[test]
fn a_build_that_has_to_know_its_branch_stops_although_it_knows_its_commit() {
    let text = Derivation {
        missing: Missing::Stop,
        ..Derivation::new(VARIABLE)
    }
    .text();
    assert!(Derivation::stops_without_branch(&text));
    assert!(!Derivation::stops_without_branch(&derivation()));
    for shell in shells() {
        let commit = [(VERSION, COMMIT), (RESOLVED, COMMIT)];
        assert_eq!(value(shell, &["-eu"], &commit, &text), None, "{shell:?}");
        let branch = [(VERSION, "main"), (RESOLVED, COMMIT)];
        let tag = value(shell, &["-eu"], &branch, &text);
        assert_eq!(tag.as_deref(), Some("main"));
    }
}

#[test]
fn part_of_a_repository_name_is_lower_case_and_ends_in_a_letter_or_digit() {
    let text = Derivation {
        repository: true,
        ..Derivation::new(VARIABLE)
    }
    .text();
    let long = "Feature/".to_owned() + &"a-".repeat(60);
    let branches = [
        "feature/x",
        "Feature/x",
        "x-",
        "x..y",
        "a/_b",
        "\u{6a5f}",
        "x",
        &long,
    ];
    for shell in shells() {
        let mut names = Vec::new();
        for branch in branches {
            let head = format!("refs/heads/{branch}");
            let name = value(shell, &["-eu"], &[(HEAD, &head)], &text).expect("a branch is given");
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            let valid = name
                .split(['.', '_', '-'])
                .all(|piece| !piece.is_empty() && piece.bytes().all(plain));
            assert!(valid, "{shell:?}: {branch}: {name}");
            names.push(name);
        }
        assert_eq!(names[0], "feature-x");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), branches.len(), "{names:?}");
    }
}

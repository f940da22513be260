//! A word in a comment, in something that is printed or in another name is no fact: each case once with the
//! words, where the rule speaks nevertheless, and once with the thing itself, where it does not.

use tagwright_fixer::Sources;
use tagwright_rules::{Finding, Settings};

const HEAD: &str = "version: 0.2\nphases:\n  build:\n    commands:\n";
const PUSH: &str = "      - docker build -t $REPO/web:$BRANCH_NAME .\n      - docker push $REPO/web:$BRANCH_NAME\n";

fn lint(files: &[(&str, &str)], settings: &Settings) -> Vec<Finding> {
    let mut sources = Sources::default();
    for (path, text) in files {
        sources.push(*path, *text);
    }
    let files = sources
        .iter()
        .map(|(id, source)| (id, &*source.path, &source.text));
    tagwright_rules::lint(files, settings)
}

fn speaks(rule: &str, files: &[(&str, &str)]) -> bool {
    let found = lint(files, &Settings::default());
    found.iter().any(|finding| finding.rule == rule)
}

#[test]
fn only_what_is_done_counts_as_setting_a_branch() {
    let cases = [
        ("      # source ./env.sh sets it\n", true),
        ("      - echo source ./env.sh\n", true),
        ("      - echo \"source ./env.sh\"\n", true),
        ("      - grep -n BRANCH_NAME README.md\n", true),
        ("      - true # eval \"$x\"\n", true),
        ("      - source ./env.sh\n", false),
        ("      - '[ -z \"$BRANCH_NAME\" ] && exit 1'\n", false),
        ("      - if [[ -n ${BRANCH_NAME} ]]; then make; fi\n", false),
    ];
    for (line, expected) in cases {
        let text = format!("{HEAD}{line}{PUSH}");
        let found = speaks("undefined-branch", &[("buildspec.yml", &text)]);
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_pipeline_provides_what_it_names_only() {
    let spec = format!("{HEAD}{PUSH}");
    let pipeline = |json: &str| {
        format!(
            "resource \"aws_codepipeline\" \"p\" {{\n  stage {{\n    name = \"Build\"\n    action {{\n      configuration = {{\n        ProjectName          = var.x\n        EnvironmentVariables = {json}\n      }}\n    }}\n  }}\n}}\n"
        )
    };
    for (json, expected) in [
        (
            "jsonencode([{ name = \"A\", value = \"name BRANCH_NAME\" }])",
            true,
        ),
        (
            "jsonencode([{ name = \"BRANCH_NAME\", value = \"x\" }])",
            false,
        ),
    ] {
        let text = pipeline(json);
        let found = speaks(
            "undefined-branch",
            &[("buildspec.yml", &spec), ("main.tf", &text)],
        );
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_variable_s_name_does_not_choose_the_rule() {
    for name in ["my_tag", "my_latest_tag"] {
        let text = format!(
            "{HEAD}      - {name}=latest\n      - docker build -t $REPO/web:${name} .\n      - docker push $REPO/web:${name}\n"
        );
        let files = [("buildspec.yml", &*text)];
        assert!(speaks("latest-default", &files), "{name}");
        assert!(!speaks("latest-pushed", &files), "{name}");
    }
    let here = format!(
        "{HEAD}      - docker build -t $latest_repo/web:latest .\n      - docker push $latest_repo/web:latest\n"
    );
    assert!(speaks("latest-pushed", &[("buildspec.yml", &here)]));
}

#[test]
fn a_masked_failure_is_unmasked_by_commands_only() {
    let cases = [
        ("          echo \"offset - 1\"\n", true),
        ("          # set -e is on\n", true),
        ("          echo set -e and trap x\n", true),
        ("          set -e\n", false),
        ("          set -euo pipefail\n", false),
        ("          set -o errexit\n", false),
        ("          trap 'exit 1' ERR\n", false),
    ];
    for program in ["docker", "podman", "nerdctl", "finch"] {
        for (line, expected) in cases {
            let text = format!(
                "{HEAD}      - |\n{line}          {program} build -t web .\n          echo \"a && b; c\"\n          echo done\n"
            );
            let found = speaks("masked-failure", &[("buildspec.yml", &text)]);
            assert_eq!(found, expected, "{text}");
        }
    }
}

#[test]
fn a_rollout_is_restarted_by_a_command_only() {
    for (line, expected) in [
        ("echo \"no rollout restart needed\"", true),
        ("true # kubectl rollout restart deployment/web", true),
        ("kubectl rollout restart deployment/web", false),
        ("oc -n x rollout restart deployment/web", false),
    ] {
        let text = format!(
            "{HEAD}      - docker build -t 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:stable .\n      - docker push 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:stable\n      - kubectl set image deployment/web web=123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:stable\n      - {line}\n"
        );
        let found = speaks("stale-tag", &[("buildspec.yml", &text)]);
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_placeholder_of_any_branch_variable_is_seen() {
    let settings = Settings {
        branch_variable: "GIT_REF_SLUG".into(),
        ..Settings::default()
    };
    let text = format!(
        "{HEAD}      - docker build -t $REPO/web:{{{{GIT_REF_SLUG}}}} .\n      - docker push $REPO/web:{{{{GIT_REF_SLUG}}}}\n"
    );
    let found = lint(&[("buildspec.yml", &text)], &settings);
    assert!(
        found.iter().any(|it| it.rule == "branch-placeholder"),
        "{text}"
    );
}

#[test]
fn a_repository_is_immutable_by_its_own_attributes() {
    let spec = format!(
        "{HEAD}      - BRANCH_NAME=$(git branch --show-current | tr / -)\n{}",
        PUSH.replace("$REPO", "123456789012.dkr.ecr.eu-west-1.amazonaws.com")
    );
    let cases = [
        (
            "  name = \"web\" # the name\n  image_tag_mutability = \"IMMUTABLE\"\n}\n",
            true,
        ),
        (
            "  name = \"web\"\n  tags = { name = \"other\" }\n  image_tag_mutability = \"IMMUTABLE\"\n}\n",
            true,
        ),
        (
            "  name = \"web\"\n  image_tag_mutability = \"IMMUTABLE\" }\n",
            true,
        ),
        (
            "  name = \"web\"\n  /* image_tag_mutability = \"IMMUTABLE\" */\n}\n",
            false,
        ),
        (
            "  name = \"web\"\n  /*\n  image_tag_mutability = \"IMMUTABLE\"\n  */\n}\n",
            false,
        ),
    ];
    for (body, expected) in cases {
        let text = format!("resource \"aws_ecr_repository\" \"web\" {{\n{body}");
        let found = speaks(
            "immutable-repository",
            &[("buildspec.yml", &spec), ("ecr.tf", &text)],
        );
        assert_eq!(found, expected, "{text}");
    }
}

//! Situations that the examples on the pages do not show: where a rule must speak, where it must be
//! silent, and why there is no fix.

use std::fmt::Write as _;

use tagwright_diagnostics::{Applicability, Finding, RefusalPlace, Severity};
use tagwright_fixer::{Options, Sources, run};
use tagwright_rules::Settings;

/// A buildspec with these commands, one per line.
fn buildspec(commands: &str) -> String {
    let mut text = "version: 0.2\nphases:\n  build:\n    commands:\n".to_owned();
    for command in commands.lines().filter(|line| !line.trim().is_empty()) {
        let _ = writeln!(text, "      - {}", command.trim());
    }
    text
}

fn workspace(files: &[(&str, &str)]) -> Sources {
    let mut sources = Sources::default();
    for (path, text) in files {
        sources.push(*path, *text);
    }
    sources
}

fn lint(sources: &Sources, settings: &Settings) -> Vec<Finding> {
    let files = sources
        .iter()
        .map(|(id, source)| (id, &*source.path, &source.text));
    tagwright_rules::lint(files, settings)
}

/// The findings of `rule` in a workspace of `commands` in one buildspec and `more` files.
fn found(rule: &str, commands: &str, more: &[(&str, &str)]) -> Vec<Finding> {
    let spec = buildspec(commands);
    let mut files = vec![("buildspec.yml", spec.as_str())];
    files.extend(more);
    let mut findings = lint(&workspace(&files), &Settings::default());
    findings.retain(|finding| finding.rule == rule);
    findings
}

#[track_caller]
fn silent(rule: &str, commands: &str) {
    silent_with(rule, commands, &[]);
}

#[track_caller]
fn silent_with(rule: &str, commands: &str, more: &[(&str, &str)]) {
    let findings = found(rule, commands, more);
    assert!(findings.is_empty(), "{commands}\n{findings:#?}");
}

#[track_caller]
fn fires(rule: &str, commands: &str) -> Vec<Finding> {
    fires_with(rule, commands, &[])
}

#[track_caller]
fn fires_with(rule: &str, commands: &str, more: &[(&str, &str)]) -> Vec<Finding> {
    let findings = found(rule, commands, more);
    assert!(!findings.is_empty(), "silent: {commands}");
    findings
}

/// The buildspec after all fixes, the commands only.
fn fixed(commands: &str, more: &[(&str, &str)]) -> String {
    let spec = buildspec(commands);
    let mut files = vec![("buildspec.yml", spec.as_str())];
    files.extend(more);
    let sources = workspace(&files);
    let options = Options {
        unsafe_fixes: true,
        ..Options::default()
    };
    let relint = |sources: &Sources| lint(sources, &Settings::default());
    let outcome = run(sources, &relint, options);
    let (_, source) = outcome.sources.iter().next().expect("there is a buildspec");
    source
        .text
        .lines()
        .skip(4)
        .map(|line| line.trim().trim_start_matches("- "))
        .collect::<Vec<_>>()
        .join("\n")
}

const PUSH: &str = "docker build -t $REG/web:$BRANCH_NAME .\ndocker push $REG/web:$BRANCH_NAME";

const BUILT: (&str, &str) = (
    "copilot/web/manifest.yml",
    "name: web\ntype: Backend Service\nimage:\n  build: Dockerfile\n",
);

mod undefined_branch {
    use super::*;

    const RULE: &str = "undefined-branch";

    #[test]
    fn fires_where_nothing_sets_it() {
        fires(RULE, PUSH);
        fires(
            RULE,
            "copilot svc deploy --name web --tag ${BRANCH_NAME} --force",
        );
        fires(
            RULE,
            &format!("TAG=$BRANCH_NAME\n{}", PUSH.replace("BRANCH_NAME", "TAG")),
        );
    }

    #[test]
    fn is_silent_where_it_may_be_set() {
        for before in [
            "BRANCH_NAME=main",
            "export BRANCH_NAME=main",
            "if [ -n \"$X\" ]; then BRANCH_NAME=$X; fi",
            "read BRANCH_NAME",
            ". ./ci/env.sh",
            "source ci/env.sh",
            "eval $(ci/env)",
            "'[ -z \"$BRANCH_NAME\" ] && exit 1'",
            "echo ${BRANCH_NAME:?}",
        ] {
            silent(RULE, &format!("{before}\n{PUSH}"));
        }
        silent(RULE, &PUSH.replace("$BRANCH_NAME", "${BRANCH_NAME:?}"));
        silent(RULE, "docker run $IMAGE:$BRANCH_NAME");
    }

    #[test]
    fn is_silent_where_a_project_or_pipeline_passes_it() {
        let project = "Resources:\n  P:\n    Type: AWS::CodeBuild::Project\n    Properties:\n      Environment:\n        EnvironmentVariables:\n          - Name: BRANCH_NAME\n            Value: main\n";
        silent_with(RULE, PUSH, &[("project.yml", project)]);
    }

    #[test]
    fn is_silent_where_the_configuration_says_so() {
        let settings = Settings {
            branch_defined: true,
            ..Settings::default()
        };
        let sources = workspace(&[("buildspec.yml", &buildspec(PUSH))]);
        let findings = lint(&sources, &settings);
        assert!(
            findings.iter().all(|finding| finding.rule != RULE),
            "{findings:#?}"
        );
    }

    #[test]
    fn speaks_of_a_manifest_only_where_a_build_runs_copilot() {
        let manifest = (
            "copilot/web/manifest.yml",
            "name: web\ntype: Backend Service\nimage:\n  location: 1.dkr.ecr.x/web:${BRANCH_NAME}\n",
        );
        silent_with(RULE, "echo hello", &[manifest]);
        let findings = fires_with(RULE, "copilot svc deploy --name web", &[manifest]);
        assert!(findings[0].fix.is_none() && findings[0].refusal.is_some());
        silent_with(
            RULE,
            "export BRANCH_NAME=x\ncopilot svc deploy --name web",
            &[manifest],
        );
    }
}

mod unsafe_branch_tag {
    use super::*;

    const RULE: &str = "unsafe-branch-tag";

    #[test]
    fn fires_on_every_way_to_a_raw_branch() {
        for value in [
            "${CODEBUILD_WEBHOOK_HEAD_REF#refs/heads/}",
            "${CODEBUILD_WEBHOOK_HEAD_REF##refs/heads/}",
            "${CODEBUILD_WEBHOOK_TRIGGER#branch/}",
            "$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's,refs/heads/,,')",
            "$(echo $CODEBUILD_WEBHOOK_TRIGGER | cut -d/ -f2-)",
        ] {
            fires(RULE, &format!("BRANCH_NAME={value}\n{PUSH}"));
            let tag = PUSH.replace("BRANCH_NAME", "TAG");
            let findings = fires(RULE, &format!("X={value}\nTAG=$X\n{tag}"));
            assert!(findings[0].fix.is_none() && findings[0].refusal.is_some());
        }
    }

    #[test]
    fn git_has_a_branch_only_where_one_is_checked_out() {
        for value in [
            "$(git rev-parse --abbrev-ref HEAD)",
            "$(git branch --show-current)",
        ] {
            let detached = format!("BRANCH_NAME={value}\n{PUSH}");
            fires("detached-head-branch", &detached);
            silent(RULE, &detached);
            let attached = format!("git checkout $REF\n{detached}");
            silent("detached-head-branch", &attached);
            fires(RULE, &attached);
        }
    }

    #[test]
    fn is_silent_where_slashes_are_replaced() {
        for value in [
            "$(echo ${CODEBUILD_WEBHOOK_HEAD_REF#refs/heads/} | tr / -)",
            "$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's/refs\\/heads\\///g' | tr \"/\" .)",
            "$(git rev-parse --abbrev-ref HEAD | sed 's/[^a-zA-Z0-9]/-/g')",
            "${CODEBUILD_WEBHOOK_HEAD_REF##*/}",
            "$(basename $CODEBUILD_WEBHOOK_HEAD_REF)",
            "$(git rev-parse --short HEAD)",
            "$(git rev-parse --abbrev-ref HEAD | md5sum | cut -c 1-8)",
        ] {
            silent(RULE, &format!("BRANCH_NAME={value}\n{PUSH}"));
        }
        silent(
            RULE,
            &format!(
                "BRANCH_NAME=$(git rev-parse --abbrev-ref HEAD)\nBRANCH_NAME=$(echo $BRANCH_NAME | tr / -)\n{PUSH}"
            ),
        );
        silent(
            RULE,
            "BRANCH_NAME=$(git rev-parse --abbrev-ref HEAD)\necho $BRANCH_NAME",
        );
    }
}

mod truncated_branch {
    use super::*;

    const RULE: &str = "truncated-branch";

    #[test]
    fn fires_on_every_spelling_of_one_field() {
        for command in [
            "echo $CODEBUILD_WEBHOOK_TRIGGER | cut -d/ -f2",
            "echo $CODEBUILD_WEBHOOK_TRIGGER | cut -d '/' -f 2",
            "echo \"$CODEBUILD_WEBHOOK_TRIGGER\" | cut -f2 -d\"/\"",
            "echo ${CODEBUILD_WEBHOOK_HEAD_REF} | cut -d'/' -f3",
            "echo $CODEBUILD_WEBHOOK_TRIGGER | awk -F/ '{print $2}'",
            "echo $CODEBUILD_WEBHOOK_HEAD_REF | awk -F '/' '{ print $3 }'",
        ] {
            let findings = fires(RULE, &format!("GIT_BRANCH=$({command})"));
            assert_eq!(findings[0].severity, Severity::Warning, "{command}");
        }
    }

    #[test]
    fn only_notes_a_variable_that_is_called_something_else() {
        let findings = fires(
            RULE,
            "env_name=$(echo $CODEBUILD_WEBHOOK_TRIGGER | cut -d '/' -f 2)\ndocker version",
        );
        assert_eq!(findings[0].severity, Severity::Note);
        assert!(findings[0].fix.is_none());
    }

    #[test]
    fn is_silent_where_the_rest_is_kept() {
        for command in [
            "echo $CODEBUILD_WEBHOOK_TRIGGER | cut -d/ -f2-",
            "echo $CODEBUILD_WEBHOOK_HEAD_REF | cut -d/ -f3-",
            "echo $CODEBUILD_WEBHOOK_HEAD_REF | cut -d/ -f2",
            "echo $CODEBUILD_WEBHOOK_HEAD_REF | cut -c 12-",
            "echo $CODEBUILD_BUILD_ID | cut -d: -f2",
            "echo $repo | cut -d/ -f2",
        ] {
            silent(RULE, &format!("BRANCH=$({command})"));
        }
    }
}

mod branch_fallback {
    use super::*;

    const RULE: &str = "branch-fallback";

    #[test]
    fn fires_where_the_fallback_ends_up_in_a_tag() {
        fires(
            RULE,
            "docker build -t $REG/web:${BRANCH_NAME:-main} .\ndocker push $REG/web:${BRANCH_NAME:-main}",
        );
        fires(
            RULE,
            "TAG=${GIT_BRANCH:-develop}\ndocker build -t $REG/web:$TAG .\ndocker push $REG/web:$TAG",
        );
        fires(
            RULE,
            "copilot job deploy --name x --tag ${BRANCH_NAME:-main}",
        );
    }

    #[test]
    fn is_silent_elsewhere() {
        silent(
            RULE,
            "git clone -b ${GIT_BRANCH:-main} https://example.com/tools",
        );
        silent(
            RULE,
            "X=${GIT_BRANCH:-main}\ngit clone -b $X https://example.com/tools",
        );
        silent(
            RULE,
            "BRANCH_NAME=${BRANCH_NAME:-$CODEBUILD_WEBHOOK_HEAD_REF}",
        );
        silent(RULE, "BRANCH_NAME=${BRANCH_NAME:-}");
        silent(
            RULE,
            &format!(
                "TAG=${{STAGE:-test}}\n{}",
                PUSH.replace("BRANCH_NAME", "TAG")
            ),
        );
    }

    #[test]
    fn becomes_an_error_message() {
        let commands = "BRANCH_NAME=\"${BRANCH_NAME:-main}\"\necho $BRANCH_NAME";
        let wanted = "BRANCH_NAME=\"${BRANCH_NAME:?BRANCH_NAME is not set}\"\necho $BRANCH_NAME";
        assert_eq!(fixed(commands, &[]), wanted);
    }
}

mod branch_placeholder {
    use super::*;

    const RULE: &str = "branch-placeholder";

    #[test]
    fn fires_on_pasted_documentation() {
        fires(RULE, "docker push $REG/web:$<BRANCH_NAME>");
        fires(RULE, "docker push \"$REG/web:<BRANCH_NAME>\"");
        fires(RULE, "docker push $REG/web:{{BRANCH_NAME}}");
    }

    #[test]
    fn is_silent_where_a_template_is_filled_in() {
        silent(RULE, "sed -i \"s/<BRANCH_NAME>/$BRANCH_NAME/\" deploy.yml");
        silent(
            RULE,
            "sed -i \"s/{{BRANCH_NAME}}/$BRANCH_NAME/\" deploy.yml",
        );
        silent(RULE, "cat < BRANCH_NAME > x");
    }

    #[test]
    fn is_filled_in_although_the_shell_reads_a_redirection() {
        let commands = "export BRANCH_NAME=${CODEBUILD_WEBHOOK_HEAD_REF##*/}
docker build -t $REG/web:$<BRANCH_NAME> .
docker push $REG/web:<BRANCH_NAME>
docker push \"$REG/web:<BRANCH_NAME>\"";
        let wanted = "export BRANCH_NAME=${CODEBUILD_WEBHOOK_HEAD_REF##*/}
docker build -t $REG/web:${BRANCH_NAME} .
docker push $REG/web:${BRANCH_NAME}
docker push \"$REG/web:${BRANCH_NAME}\"";
        assert_eq!(fixed(commands, &[]), wanted);
    }

    #[test]
    fn fires_in_a_copilot_manifest() {
        let manifest = (
            "copilot/web/manifest.yml",
            "name: web\ntype: Backend Service\nimage:\n  location: 1.dkr.ecr.x/web:<BRANCH_NAME>\n",
        );
        fires_with(RULE, "echo hello", &[manifest]);
    }
}

mod unexpanded_variable {
    use super::*;

    const RULE: &str = "unexpanded-variable";

    #[test]
    fn is_silent_where_another_program_reads_the_quotes() {
        for command in [
            "BRANCH_NAME=x sh -c 'echo ${BRANCH_NAME}'",
            "ssh host 'echo ${BRANCH_NAME}'",
            "sed 's/${BRANCH_NAME}/x/' file",
            "envsubst '${BRANCH_NAME}' < a > b",
            "jq '.x = \"${BRANCH_NAME}\"' file",
            "docker run image bash -c 'echo ${BRANCH_NAME}'",
            "echo 'plain text'",
        ] {
            silent(RULE, command);
        }
    }

    #[test]
    fn speaks_of_env_variables_as_loud_as_they_are_used() {
        let spec = |command: &str| {
            format!(
                "version: 0.2\nenv:\n  variables:\n    REPO: ${{ACCOUNT}}.dkr.ecr.x/web\nphases:\n  build:\n    commands:\n      - {command}\n"
            )
        };
        let level = |text: &str, more: &[(&str, &str)]| {
            let mut files = vec![("buildspec.yml", text)];
            files.extend(more);
            lint(&workspace(&files), &Settings::default())
                .iter()
                .find(|finding| finding.rule == RULE)
                .map(|finding| finding.severity)
        };
        assert_eq!(
            level(&spec("docker push $REPO:1"), &[]),
            Some(Severity::Error)
        );
        assert_eq!(
            level(&spec("docker push web:1"), &[]),
            Some(Severity::Warning)
        );
        assert_eq!(
            level(&spec("docker push $(echo $REPO | envsubst):1"), &[]),
            None
        );
        let terraform = "locals { spec = templatefile(\"buildspec.yml\", {}) }\n";
        assert_eq!(
            level(&spec("docker push $REPO:1"), &[("main.tf", terraform)]),
            None
        );
        let lower = spec("docker push $REPO:1").replace("ACCOUNT", "account_id");
        assert_eq!(level(&lower, &[]), None);
    }

    #[test]
    fn fires_on_what_copilot_does_not_replace() {
        let manifest = |reference: &str| {
            format!(
                "name: web\ntype: Backend Service\nimage:\n  location: 1.dkr.ecr.x/web:{reference}\n"
            )
        };
        for (reference, count) in [("${TAG:-x}", 1), ("$TAG", 1), ("${TAG}", 0), ("v1", 0)] {
            let text = manifest(reference);
            let findings = found(RULE, "echo", &[("copilot/web/manifest.yml", &text)]);
            assert_eq!(findings.len(), count, "{reference} {findings:#?}");
        }
    }

    #[test]
    fn fires_once_on_a_reference_in_single_quotes() {
        let commands = "BRANCH_NAME=x\ndocker build -t $REG/web:$BRANCH_NAME .\ndocker push $REG/web:$BRANCH_NAME\n|-\n        echo '[{\"name\":\"web\",\"imageUri\":\"1.dkr.ecr.x/web:${BRANCH_NAME}\"}]' > imagedefinitions.json";
        assert_eq!(fires(RULE, commands).len(), 1);
    }
}

mod source_version_branch {
    use super::*;

    const RULE: &str = "source-version-branch";
    const PIPELINE: (&str, &str) = (
        "main.tf",
        "resource \"aws_codepipeline\" \"main\" {\n  name = \"main\"\n}\n",
    );

    #[test]
    fn needs_a_pipeline() {
        let commands = format!("BRANCH_NAME=$CODEBUILD_SOURCE_VERSION\n{PUSH}");
        silent(RULE, &commands);
        fires_with(RULE, &commands, &[PIPELINE]);
        let direct = PUSH.replace("$BRANCH_NAME", "${CODEBUILD_SOURCE_VERSION}");
        let findings = fires_with(RULE, &direct, &[PIPELINE]);
        assert!(findings[0].fix.is_none());
    }

    #[test]
    fn is_silent_where_arns_are_thought_of() {
        let commands = format!(
            "'case $CODEBUILD_SOURCE_VERSION in arn:*) BRANCH_NAME=main ;; *) BRANCH_NAME=$CODEBUILD_SOURCE_VERSION ;; esac'\n{PUSH}"
        );
        silent_with(RULE, &commands, &[PIPELINE]);
        silent_with(RULE, "echo $CODEBUILD_SOURCE_VERSION", &[PIPELINE]);
    }
}

mod stale_tag {
    use super::*;

    const RULE: &str = "stale-tag";

    #[test]
    fn jobs_and_unknown_tags_are_silent() {
        for command in [
            "copilot job deploy --name x --tag main",
            "copilot svc deploy --name web --tag main --force",
            "copilot svc deploy --name web --tag $IMAGE_TAG",
            "copilot svc deploy --name web --tag $CODEBUILD_RESOLVED_SOURCE_VERSION",
            "copilot svc deploy --name web --tag ${BRANCH_NAME}-${CODEBUILD_BUILD_NUMBER}",
            "copilot svc deploy --name web --tag $ENV",
            "copilot svc package --name web --tag main",
            "copilot svc deploy --name web --tag latest",
        ] {
            silent_with(RULE, command, &[BUILT]);
        }
        let location = (
            "copilot/web/manifest.yml",
            "name: web\ntype: Backend Service\nimage:\n  location: x/web:1\n",
        );
        silent_with(
            RULE,
            "copilot svc deploy --name web --tag main",
            &[location],
        );
    }

    #[test]
    fn force_goes_behind_the_tag() {
        for (command, wanted) in [
            (
                "copilot svc deploy --name web --tag \"v1\" --env test",
                "copilot svc deploy --name web --tag \"v1\" --force --env test",
            ),
            (
                "copilot deploy --tag=v1 --name web",
                "copilot deploy --tag=v1 --force --name web",
            ),
            (
                "copilot svc deploy --name web --tag v1; echo done",
                "copilot svc deploy --name web --tag v1 --force; echo done",
            ),
        ] {
            assert_eq!(fixed(command, &[BUILT]), wanted);
        }
    }

    #[test]
    fn kubernetes_gets_a_tag_that_is_new_for_every_build_everywhere() {
        let commands =
            "BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's,refs/heads/,,' | tr / - | cut -c 1-80)
docker build -t $REG/web:$BRANCH_NAME .
docker push $REG/web:$BRANCH_NAME
kubectl set image deployment/web web=$REG/web:$BRANCH_NAME";
        let wanted = commands.replace(
            "web:$BRANCH_NAME",
            "web:$BRANCH_NAME-${CODEBUILD_BUILD_ID##*:}",
        );
        assert_eq!(fixed(commands, &[]), wanted);
        silent(
            RULE,
            &format!("{commands}\nkubectl rollout restart deployment/web"),
        );
        silent(RULE, "kubectl set image deployment/web web=nginx:stable");
    }

    #[test]
    fn a_shared_variable_is_changed_where_it_is_set() {
        let commands =
            "BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's,refs/heads/,,' | tr / - | cut -c 1-80)
TAG=$BRANCH_NAME
docker build -t $REG/web:$TAG .
docker push $REG/web:$TAG
helm upgrade web chart --set image.repository=$REG/web --set image.tag=$TAG";
        let wanted = commands.replace(
            "TAG=$BRANCH_NAME\n",
            "TAG=$BRANCH_NAME-${CODEBUILD_BUILD_ID##*:}\n",
        );
        assert_eq!(fixed(commands, &[]), wanted);
    }

    #[test]
    fn a_variable_that_others_read_stays() {
        let commands = "BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's,refs/heads/,,' | tr / - | cut -c 1-80)
TAG=$BRANCH_NAME
docker build -t $REG/web:$TAG .
docker push $REG/web:$TAG
aws s3 sync site s3://web/$TAG
kubectl set image deployment/web web=$REG/web:$TAG";
        let wanted = commands.replace("web:$TAG", "web:$TAG-${CODEBUILD_BUILD_ID##*:}");
        assert_eq!(fixed(commands, &[]), wanted);
    }

    #[test]
    fn nothing_is_appended_behind_a_branch_that_may_be_long() {
        for derivation in [
            "$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's,refs/heads/,,' | tr / -)",
            "$(echo $CODEBUILD_WEBHOOK_HEAD_REF | tr / - | cut -c -128)",
            "$(echo $CODEBUILD_WEBHOOK_HEAD_REF | tr / - | head -c 100)",
        ] {
            let commands = format!(
                "BRANCH_NAME={derivation}\ndocker build -t $REG/web:$BRANCH_NAME .\ndocker push $REG/web:$BRANCH_NAME\nkubectl set image deployment/web web=$REG/web:$BRANCH_NAME"
            );
            assert_eq!(fixed(&commands, &[]), commands);
        }
    }

    #[test]
    fn versions_are_left_alone() {
        for version in ["1.4.2", "v2", "2024.10", "release-3"] {
            let commands = format!(
                "VERSION={version}\ndocker build -t $REG/web:$VERSION .\ndocker push $REG/web:$VERSION\nkubectl set image deployment/web web=$REG/web:$VERSION"
            );
            fires(RULE, &commands);
            assert_eq!(fixed(&commands, &[]), commands);
        }
    }
}

mod tag_mismatch {
    use super::*;

    const RULE: &str = "tag-mismatch";
    const RECORD: &str = "printf '[{\"name\":\"web\",\"imageUri\":\"%s\"}]' $REG/web:production > imagedefinitions.json";

    fn commands(push: &str, deployed: &str) -> String {
        let record = RECORD.replace("production", deployed);
        format!(
            "docker build -t $REG/web:{push} .\ndocker push $REG/web:{push}\n|-\n        {record}"
        )
    }

    #[test]
    fn fires_where_both_are_certain() {
        fires(RULE, &commands("staging", "production"));
        fires(RULE, &commands("$CODEBUILD_BUILD_NUMBER", "production"));
        fires(RULE, &commands("staging", "$CODEBUILD_BUILD_NUMBER"));
        // A number is no commit.
        let commit = "$CODEBUILD_RESOLVED_SOURCE_VERSION";
        fires(RULE, &commands("$CODEBUILD_BUILD_NUMBER", commit));
    }

    #[test]
    fn is_silent_where_they_may_be_equal() {
        for (push, deployed) in [
            ("staging", "staging"),
            ("$IMAGE_TAG", "production"),
            ("$IMAGE_TAG", "$COMMIT"),
            ("$CODEBUILD_BUILD_NUMBER", "$IMAGE_TAG"),
            ("$CODEBUILD_BUILD_ID", "$CODEBUILD_BUILD_ARN"),
        ] {
            silent(RULE, &commands(push, deployed));
        }
        let mismatch = commands("staging", "production");
        silent(RULE, &format!("{mismatch}\n./push-more.sh"));
        silent(
            RULE,
            &format!("{mismatch}\nif [ $X ]; then docker push $REG/web:production; fi"),
        );
        silent(
            RULE,
            &format!("{mismatch}\nfor t in a b; do docker push $REG/web:$t; done"),
        );
    }
}

mod shared_tag {
    use super::*;

    const RULE: &str = "shared-tag";
    const DIFFERENT: (&str, &str) = (
        "copilot/web/manifest.yml",
        "name: web\ntype: Backend Service\nimage:\n  build: Dockerfile\nenvironments:\n  prod:\n    image:\n      build:\n        args:\n          MODE: prod\n",
    );

    fn looped(command: &str) -> String {
        format!("for env in test prod; do {command}; done")
    }

    #[test]
    fn needs_environments_that_build_in_their_own_way() {
        let command = looped("copilot svc deploy -n web -e $env --tag $TAG --force");
        fires_with(RULE, &command, &[DIFFERENT]);
        silent_with(RULE, &command, &[BUILT]);
    }

    #[test]
    fn is_silent_where_the_tag_depends_on_the_environment() {
        for command in [
            "copilot svc deploy -n web -e $env --tag $TAG-$env --force",
            "tag=$(echo ${CODEBUILD_BUILD_ID##*:}-$env | sed 's/:/-/g'); copilot svc package -n web -e $env --tag $tag --upload-assets",
            "a=x-$env; b=$(echo $a); copilot svc package -n web -e $env --tag $b --upload-assets",
            ". ./tag.sh; copilot svc package -n web -e $env --tag $tag --upload-assets",
            "copilot svc package -n web -e $env --tag $TAG",
        ] {
            silent_with(RULE, &looped(command), &[DIFFERENT]);
        }
        silent_with(
            RULE,
            "copilot svc deploy -n web -e test --tag $TAG --force",
            &[DIFFERENT],
        );
    }
}

mod immutable_repository {
    use super::*;

    const RULE: &str = "immutable-repository";

    fn repository(mode: &str) -> String {
        format!(
            "resource \"aws_ecr_repository\" \"web\" {{\n  name = \"web\"\n  image_tag_mutability = \"{mode}\"\n}}\n"
        )
    }

    #[test]
    fn fires_only_on_an_immutable_repository_of_this_name() {
        let commands = format!("BRANCH_NAME=main-$X\nBRANCH_NAME=${{GIT_BRANCH}}\n{PUSH}");
        fires_with(RULE, &commands, &[("main.tf", &repository("IMMUTABLE"))]);
        silent_with(RULE, &commands, &[("main.tf", &repository("MUTABLE"))]);
        let other = repository("IMMUTABLE").replace("\"web\"\n", "\"api\"\n");
        silent_with(RULE, &commands, &[("main.tf", &other)]);
    }

    #[test]
    fn is_silent_for_unique_tags_and_exclusions() {
        let commands = PUSH.replace("BRANCH_NAME", "CODEBUILD_BUILD_NUMBER");
        silent_with(RULE, &commands, &[("main.tf", &repository("IMMUTABLE"))]);
        let excluded = repository("IMMUTABLE_WITH_EXCLUSION").replace(
            "}\n",
            "  image_tag_mutability_exclusion_filter {\n    filter = \"main*\"\n    filter_type = \"WILDCARD\"\n  }\n}\n",
        );
        let commands = format!("BRANCH_NAME=${{GIT_BRANCH}}\n{PUSH}");
        silent_with(RULE, &commands, &[("main.tf", &excluded)]);
    }

    #[test]
    fn filters_turn_the_mode_round_for_the_tags_that_they_name() {
        let declared = |mode: &str, filter: &str| {
            repository(mode).replace(
                "}\n",
                &format!("  image_tag_mutability_exclusion_filter {{\n    filter = \"{filter}\"\n    filter_type = \"WILDCARD\"\n  }}\n}}\n"),
            )
        };
        let commands = format!("BRANCH_NAME=${{GIT_BRANCH}}\n{PUSH}");
        for (mode, filter, refused) in [
            ("IMMUTABLE_WITH_EXCLUSION", "latest", true),
            ("IMMUTABLE_WITH_EXCLUSION", "*", false),
            ("MUTABLE_WITH_EXCLUSION", "*", true),
            ("MUTABLE_WITH_EXCLUSION", "latest", false),
            ("MUTABLE_WITH_EXCLUSION", "v*", false),
        ] {
            let file = declared(mode, filter);
            if refused {
                fires_with(RULE, &commands, &[("main.tf", &file)]);
            } else {
                silent_with(RULE, &commands, &[("main.tf", &file)]);
            }
        }
    }

    #[test]
    fn a_name_may_be_put_together_of_parts() {
        let commands = format!("BRANCH_NAME=${{GIT_BRANCH}}\n{PUSH}");
        let terraform = repository("IMMUTABLE").replace("\"web\"\n", "\"${var.team}/web\"\n");
        fires_with(
            RULE,
            &commands.replace("$REG/", "$REG/shop/"),
            &[("main.tf", &terraform)],
        );
        let template = "AWSTemplateFormatVersion: \"2010-09-09\"\nResources:\n  R:\n    Type: AWS::ECR::Repository\n    Properties:\n      RepositoryName: !Sub ${Team}/web\n      ImageTagMutability: IMMUTABLE\n";
        fires_with(
            RULE,
            &commands.replace("$REG/", "$REG/shop/"),
            &[("ecr.yml", template)],
        );
    }
}

mod invalid_tag {
    use super::*;

    const RULE: &str = "invalid-tag";

    #[test]
    fn fires_on_text_that_docker_refuses() {
        for tag in ["feature/x", ".hidden", "-x", "1.0+build", &"x".repeat(129)] {
            fires(RULE, &format!("copilot job deploy --name x --tag={tag}"));
        }
        fires(RULE, &PUSH.replace("$BRANCH_NAME", "1.0+build"));
        fires(
            RULE,
            &PUSH.replace("$BRANCH_NAME", "$CODEBUILD_WEBHOOK_HEAD_REF"),
        );
        fires(
            RULE,
            &format!(
                "T=$CODEBUILD_BUILD_ID\n{}",
                PUSH.replace("BRANCH_NAME", "T")
            ),
        );
    }

    #[test]
    fn is_silent_for_what_may_be_a_tag() {
        for tag in [
            "v1.2.3",
            "_x",
            "<TAG>",
            "{{ tag }}",
            "$TAG",
            "${CODEBUILD_BUILD_ID##*:}",
            "${CODEBUILD_BUILD_ID#*:}",
        ] {
            silent(
                RULE,
                &format!(
                    "'{}'",
                    PUSH.lines().last().unwrap().replace("$BRANCH_NAME", tag)
                ),
            );
        }
        silent(
            RULE,
            &format!(
                "T=$(echo $CODEBUILD_BUILD_ID | tr : -)\n{}",
                PUSH.replace("BRANCH_NAME", "T")
            ),
        );
        silent(RULE, "docker run somebody/app:1.0+build");
        silent(
            RULE,
            "docker build -t localhost:5000/web .\ndocker push localhost:5000/web",
        );
    }

    #[test]
    fn one_variable_is_rewritten_where_it_is_assigned() {
        let commands =
            "T=$CODEBUILD_BUILD_ID\ndocker build -t $REG/web:$T .\ndocker push $REG/web:$T";
        let wanted = commands.replace("=$CODEBUILD_BUILD_ID", "=${CODEBUILD_BUILD_ID##*:}");
        assert_eq!(fixed(commands, &[]), wanted);
    }
}

mod unquoted_tag {
    use super::*;

    const RULE: &str = "unquoted-tag";

    #[test]
    fn is_silent_where_the_word_cannot_vanish() {
        for command in [
            "copilot svc package --tag \"$TAG\" --upload-assets",
            "copilot svc package --tag v-$TAG --upload-assets",
            "copilot svc package --upload-assets --tag $TAG",
            "copilot svc package --tag=$TAG --upload-assets",
            "copilot svc package --tag ${TAG:-x} --upload-assets",
            "copilot svc package --tag $CODEBUILD_BUILD_NUMBER --upload-assets",
            "TAG=1; copilot svc package --tag $TAG --upload-assets",
            "for TAG in a b; do copilot svc package --tag $TAG --upload-assets; done",
        ] {
            silent(RULE, command);
        }
        fires(RULE, "copilot svc package --tag ${TAG} --upload-assets");
    }
}

#[test]
fn a_compose_file_is_what_developers_run() {
    let files = [
        (
            "docker-compose.yml",
            "services:\n  db:\n    image: postgres\n",
        ),
        (
            "task.json",
            "{\"containerDefinitions\": [{\"name\": \"db\", \"image\": \"postgres\"}]}",
        ),
    ];
    let findings = lint(&workspace(&files), &Settings::default());
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].rule, "latest-third-party");
    assert_eq!(findings[0].file.0, 1, "the task definition");
    silent(
        "latest-third-party",
        "printf '[{\"name\":\"web\",\"imageUri\":\"<account>.dkr.ecr.eu-west-1.amazonaws.com/web:latest\"}]' > imagedefinitions.json",
    );
}

#[test]
fn a_variable_that_is_latest_by_default_is_named_once() {
    let commands = "TAG=${COMMIT:=latest}\ndocker build -t $REG/web:$TAG .\ntrivy image $REG/web:$TAG\ndocker push $REG/web:$TAG";
    assert_eq!(fires("latest-default", commands).len(), 1);
    silent("latest-argument", commands);
}

#[test]
fn a_tag_out_of_powershell_is_shown_as_it_is_written() {
    let text = "version: 0.2\nenv:\n  shell: powershell\nphases:\n  build:\n    commands:\n      - docker push \"$env:REPO:$env:TAG\"\n      - docker push \"$env:REPO:latest\"\n";
    let findings = lint(&workspace(&[("buildspec.yml", text)]), &Settings::default());
    let pushed = findings.iter().find(|it| it.rule == "latest-pushed");
    let message = &pushed.expect("latest is pushed").message;
    assert!(message.contains("beside `$env:TAG`"), "{message}");
}

#[test]
fn a_push_of_all_tags_is_no_push_of_latest() {
    let commands =
        "docker build -t $REG/web:$V -t $REG/web:$V-arm .\ndocker push --all-tags $REG/web";
    silent("implicit-latest", commands);
    silent("latest-pushed", commands);
}

#[test]
fn a_name_that_is_made_in_the_registry_needs_no_build_here() {
    let commands = "docker build -t $REG/web:$V .\ndocker push $REG/web:$V\ndocker buildx imagetools create -t $REG/web:latest $REG/web:$V";
    assert_eq!(
        fixed(commands, &[]).lines().last(),
        Some("docker buildx imagetools create -t $REG/web:${BRANCH_NAME} $REG/web:$V")
    );
}

#[test]
fn what_another_tool_builds_keeps_its_name() {
    for commands in [
        "docker compose build\ndocker push $REG/web:latest",
        "docker load -i web.tar\ndocker tag $REG/web:latest $REG/web:$STAGE\ndocker push $REG/web:latest",
        "docker build -t $REG/web:$COMMIT .\ndocker push $REG/web",
    ] {
        let rule = if commands.contains(":latest") {
            "latest-pushed"
        } else {
            "implicit-latest"
        };
        let findings = fires(rule, commands);
        let reason = &findings[0].refusal.as_ref().unwrap().message;
        assert!(
            reason.starts_with("nothing in buildspec.yml gives the image the name"),
            "{commands}: {reason}"
        );
    }
}

#[test]
fn a_fallback_that_few_builds_come_to_is_not_replaced_unasked() {
    let applicability = |assignment: &str| {
        let commands = format!(
            "{assignment}\ndocker build -t $REG/web:$TAG .\ndocker push $REG/web:$TAG\naws lambda update-function-code --function-name web --image-uri $REG/web:$TAG"
        );
        let findings = fires("latest-default", &commands);
        findings[0].fix.as_ref().map(|fix| fix.applicability)
    };
    let commit = "COMMIT=$(git rev-parse --short HEAD)\nTAG=${COMMIT:=latest}";
    assert_eq!(applicability(commit), Some(Applicability::Unsafe));
    assert_eq!(
        applicability("TAG=${TAG:-latest}"),
        Some(Applicability::Safe)
    );
    assert_eq!(applicability("TAG=latest"), Some(Applicability::Safe));
}

#[test]
fn latest_in_the_place_of_an_empty_commit_is_for_people_to_take_away() {
    let found = |assignments: &str| {
        let commands =
            format!("{assignments}\ndocker build -t $REG/web:$TAG .\ndocker push $REG/web:$TAG");
        let finding = fires("latest-default", &commands).remove(0);
        (finding.severity, finding.fix.is_some())
    };
    let commit = "TAG=$(echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c 1-8)";
    for latest in [
        "if [ -z \"$TAG\" ]; then TAG=latest; fi",
        "test -n \"$TAG\" || TAG=latest",
        "if [[ -z $TAG ]]; then export TAG=latest; fi",
    ] {
        assert_eq!(
            found(&format!("{commit}\n{latest}")),
            (Severity::Note, false),
            "{latest}"
        );
        // Where nothing sets it before, `latest` is what builds take.
        assert_eq!(found(latest).0, Severity::Warning, "{latest}");
    }
    // The condition is about something else.
    let release = format!("{commit}\nif [ -z \"$RELEASE\" ]; then TAG=latest; fi");
    assert_eq!(found(&release).0, Severity::Warning);
}

#[test]
fn what_infrastructure_deploys_keeps_the_push_where_it_is() {
    let commands = "docker build -t $REG/web:latest .\ndocker push $REG/web:latest";
    let terraform =
        |line: &str| format!("resource \"aws_ecs_task_definition\" \"web\" {{\n  {line}\n}}\n");
    let template = |line: &str| {
        format!(
            "Resources:\n  Web:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n        - {line}\n"
        )
    };
    // What the refusals name in the file.
    let shown = |path: &str, text: &str| -> Vec<String> {
        let findings = fires_with("latest-pushed", commands, &[(path, text)]);
        let places = findings
            .iter()
            .filter_map(|it| it.refusal.as_ref()?.place.as_ref());
        places
            .map(|place| match place {
                RefusalPlace::Known(place) if place.file.0 == 1 => place.span.of(text).to_owned(),
                other => panic!("{other:?}"),
            })
            .collect()
    };
    let image = "image = \"${aws_ecr_repository.web.repository_url}:latest\"";
    let written = "${aws_ecr_repository.web.repository_url}:latest";
    assert_eq!(shown("ecs.tf", &terraform(image)), [written; 2]);
    assert_eq!(shown("ecs.tf", &terraform(&format!("# {image}"))), [""; 0]);
    for other in ["latest-arm", "latest_arm", "latest.1"] {
        let image = image.replace("latest", other);
        assert_eq!(shown("ecs.tf", &terraform(&image)), [""; 0], "{other}");
    }
    // A name that is not known may be this one.
    for written in [
        "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/${Repository}:latest",
        "${Mirror}:latest",
    ] {
        let image = format!("Image: !Sub '{written}'");
        assert_eq!(shown("ecs.yml", &template(&image)), [written; 2]);
    }
}

#[test]
fn a_file_that_the_build_edits_says_nothing_of_its_image() {
    const TASK: (&str, &str) = (
        "deploy/taskdef.json",
        "{\"containerDefinitions\": [{\"name\": \"web\", \"image\": \"1.dkr.ecr.eu-west-1.amazonaws.com/web:latest\"}]}",
    );
    const POD: (&str, &str) = (
        "k8s/web.yaml",
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: web\n      image: 1.dkr.ecr.eu-west-1.amazonaws.com/web:latest\n",
    );
    let build = "docker build -t 1.dkr.ecr.eu-west-1.amazonaws.com/web:$TAG .\ndocker push 1.dkr.ecr.eu-west-1.amazonaws.com/web:$TAG";
    for (command, file) in [
        ("sed -i \"s/latest/$TAG/\" deploy/taskdef.json", TASK),
        (
            "jq \".containerDefinitions[0].image = \\\"$URI\\\"\" deploy/taskdef.json > new.json",
            TASK,
        ),
        ("python3 ci/render.py deploy/taskdef.json", TASK),
        ("sed -i \"s/latest/$TAG/\" k8s/*.yaml", POD),
        ("cd k8s && kustomize edit set image web=$URI", POD),
        (
            "yq -i \".spec.containers[0].image = \\\"$URI\\\"\" k8s/web.yaml",
            POD,
        ),
    ] {
        let commands = format!("{build}\n{command}");
        silent_with("latest-deployed", &commands, &[file]);
    }
    for (command, file) in [
        ("cat deploy/taskdef.json", TASK),
        ("jq .family deploy/taskdef.json", TASK),
        ("sed -i s/a/b/ README.md", TASK),
        ("sed -i s/a/b/ k8s/*.yml", POD),
        ("kubectl apply -f k8s/web.yaml", POD),
    ] {
        let commands = format!("{build}\n{command}");
        fires_with("latest-deployed", &commands, &[file]);
    }
    // Whether the edit is about the image cannot be seen, so what the file names does not move away from it.
    let commands = "docker build -t 1.dkr.ecr.eu-west-1.amazonaws.com/web:latest .\ndocker push 1.dkr.ecr.eu-west-1.amazonaws.com/web:latest\nsed -i \"s/__STAGE__/$STAGE/\" k8s/web.yaml";
    let findings = fires_with("latest-pushed", commands, &[POD]);
    assert!(findings.iter().all(|it| it.fix.is_none()), "{findings:#?}");
}

#[test]
fn elastic_beanstalk_deploys_what_its_file_says() {
    let commands = "docker build -t 1.dkr.ecr.eu-west-1.amazonaws.com/web:latest .\ndocker push 1.dkr.ecr.eu-west-1.amazonaws.com/web:latest";
    for text in [
        "{\"AWSEBDockerrunVersion\": \"1\", \"Image\": {\"Name\": \"1.dkr.ecr.eu-west-1.amazonaws.com/web:latest\"}}",
        "{\"AWSEBDockerrunVersion\": 2, \"containerDefinitions\": [{\"name\": \"web\", \"image\": \"1.dkr.ecr.eu-west-1.amazonaws.com/web:latest\"}]}",
    ] {
        let files = [("Dockerrun.aws.json", text)];
        let findings = fires_with("latest-deployed", commands, &files);
        assert_eq!(findings[0].span.of(text), "latest");
        let reason = &findings[0].refusal.as_ref().unwrap().message;
        assert!(
            reason.contains("Elastic Beanstalk reads the file as it is"),
            "{reason}"
        );
    }
}

//! What a build pushes, and what of it every branch overwrites.

use std::fmt::Write as _;
use std::sync::Arc;

use tagwright_flow::FileId;
use tagwright_rules::{ChangeKind, Finding, Settings, Severity, lint};

const ECR: &str = "444455556666.dkr.ecr.eu-central-1.amazonaws.com";

fn check(files: &[(&str, &str)]) -> Vec<Finding> {
    let texts: Vec<(FileId, &str, Arc<str>)> = (0..)
        .zip(files)
        .map(|(id, (path, text))| (FileId(id), *path, Arc::from(*text)))
        .collect();
    let files = texts.iter().map(|(id, path, text)| (*id, *path, text));
    lint(files, &Settings::default())
}

/// The findings of the rule for these commands, one a line, with `env` before them.
fn of(rule: &str, env: &str, commands: &str) -> Vec<(Severity, String)> {
    let mut text = format!("version: 0.2\n{env}phases:\n  build:\n    commands:\n");
    for command in commands.lines().filter(|line| !line.trim().is_empty()) {
        let _ = writeln!(text, "      - |-\n        {}", command.trim());
    }
    let all = check(&[("buildspec.yml", &text)]).into_iter();
    all.filter(|it| it.rule == rule)
        .map(|it| (it.severity, it.message))
        .collect()
}

#[track_caller]
fn severities(rule: &str, env: &str, commands: &str, expected: &[Severity]) {
    let found = of(rule, env, commands);
    let levels: Vec<Severity> = found.iter().map(|(level, _)| *level).collect();
    assert_eq!(levels, expected, "{commands}\n{found:#?}");
}

#[test]
fn a_push_of_all_tags_takes_latest_along() {
    for push in [
        "docker push -a shop.example.com/web",
        "docker image push --all-tags shop.example.com/web",
    ] {
        severities(
            "latest-pushed",
            "",
            &format!(
                "docker build -t shop.example.com/web:$CODEBUILD_BUILD_NUMBER .\ndocker tag shop.example.com/web:$CODEBUILD_BUILD_NUMBER shop.example.com/web:latest\n{push}"
            ),
            &[Severity::Warning],
        );
        severities(
            "implicit-latest",
            "",
            &format!("docker build -t shop.example.com/web .\n{push}"),
            // The build and the push.
            &[Severity::Error, Severity::Error],
        );
        severities(
            "latest-pushed",
            "",
            &format!("docker build -t shop.example.com/web:$CODEBUILD_BUILD_NUMBER .\n{push}"),
            &[],
        );
    }
}

#[test]
fn a_push_without_a_tag_pushes_no_other_tag() {
    for tool in ["docker", "podman", "nerdctl", "finch"] {
        for (tag, level) in [
            ("$CODEBUILD_RESOLVED_SOURCE_VERSION", Severity::Error),
            ("$IMAGE_TAG", Severity::Warning),
            ("1.4.0", Severity::Error),
        ] {
            severities(
                "tag-mismatch",
                "",
                &format!(
                    "{tool} build -t {ECR}/web:{tag} -t {ECR}/web .\n{tool} push {ECR}/web\nprintf '[{{\"name\":\"w\",\"imageUri\":\"%s\"}}]' {ECR}/web:{tag} > imagedefinitions.json"
                ),
                &[level],
            );
        }
    }
}

#[test]
fn a_mismatch_does_not_vanish_when_the_branch_is_pushed() {
    let commands = |pushed: &str, deployed: &str| {
        format!(
            "BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_HEAD_REF | tr / -)\ndocker build -t {ECR}/web:{pushed} .\ndocker tag {ECR}/web:{pushed} {ECR}/web:{deployed}\ndocker push {ECR}/web:{pushed}\nprintf '[{{\"name\":\"w\",\"imageUri\":\"%s\"}}]' {ECR}/web:{deployed} > imagedefinitions.json"
        )
    };
    for (pushed, deployed, expected) in [
        (
            "${BRANCH_NAME}",
            "$CODEBUILD_RESOLVED_SOURCE_VERSION",
            &[Severity::Error][..],
        ),
        ("${BRANCH_NAME}", "$IMAGE_TAG", &[Severity::Warning]),
        (
            "$CODEBUILD_BUILD_NUMBER",
            "$CODEBUILD_RESOLVED_SOURCE_VERSION",
            &[Severity::Error],
        ),
        ("${BRANCH_NAME}", "${BRANCH_NAME}", &[]),
        // A branch may be called like that.
        ("${BRANCH_NAME}", "production", &[]),
        ("$IMAGE_TAG", "$CODEBUILD_RESOLVED_SOURCE_VERSION", &[]),
    ] {
        severities("tag-mismatch", "", &commands(pushed, deployed), expected);
    }
}

#[test]
fn latest_in_a_variable_is_as_serious_as_latest() {
    let build = format!("docker build -t {ECR}/web:$TAG .\ndocker push {ECR}/web:$TAG");
    let rule = "latest-default";
    let error = &[Severity::Error];
    severities(rule, "", &format!("TAG=latest\n{build}"), error);
    severities(rule, "", &format!("export TAG='latest'\n{build}"), error);
    severities(rule, "env:\n  variables:\n    TAG: latest\n", &build, error);
    severities(
        rule,
        "",
        &format!("TAG=${{X:-latest}}\n{build}"),
        &[Severity::Warning],
    );
    let beside = format!(
        "{build}\ndocker tag {ECR}/web:$TAG {ECR}/web:$CODEBUILD_BUILD_NUMBER\ndocker push {ECR}/web:$CODEBUILD_BUILD_NUMBER"
    );
    severities(
        rule,
        "",
        &format!("TAG=latest\n{beside}"),
        &[Severity::Warning],
    );
}

#[test]
fn what_one_branch_does_is_not_said_of_every_branch() {
    let build = format!("docker build -t {ECR}/web:$TAG .\ndocker push {ECR}/web:$TAG");
    for condition in [
        "if [ \"$BRANCH\" = main ]; then TAG=latest; else TAG=$BRANCH; fi",
        "if [[ $BRANCH != main ]]; then TAG=$BRANCH; else TAG=latest; fi",
        "case \"$BRANCH\" in main) TAG=latest ;; *) TAG=$BRANCH ;; esac",
    ] {
        let found = of("latest-default", "", &format!("{condition}\n{build}"));
        let [(Severity::Note, message)] = &found[..] else {
            panic!("{condition} {found:?}")
        };
        assert!(!message.contains("every branch"), "{message}");
    }
    for condition in [
        "if [ -z \"$BRANCH\" ]; then TAG=latest; else TAG=$BRANCH; fi",
        "if [ \"$BRANCH\" = main ]; then TAG=$BRANCH; else TAG=latest; fi",
    ] {
        severities(
            "latest-default",
            "",
            &format!("{condition}\n{build}"),
            &[Severity::Warning],
        );
    }
    let pushed = of(
        "latest-pushed",
        "",
        &format!(
            "docker build -t {ECR}/web:$CODEBUILD_BUILD_NUMBER .\ndocker push {ECR}/web:$CODEBUILD_BUILD_NUMBER\ndocker tag {ECR}/web:$CODEBUILD_BUILD_NUMBER {ECR}/web:latest\n[ \"$BRANCH\" = main ] && docker push {ECR}/web:latest"
        ),
    );
    assert!(!pushed.is_empty());
    assert!(
        pushed
            .iter()
            .all(|(level, text)| *level == Severity::Note && !text.contains("every branch")),
        "{pushed:?}"
    );
}

#[test]
fn what_is_deployed_out_of_a_private_registry_is_the_repositorys_own() {
    let deploy = |image: &str| {
        format!(
            "./push.sh\naws lambda update-function-code --function-name web --image-uri {image}"
        )
    };
    for image in [
        format!("{ECR}/web:latest"),
        "$ACCOUNT.dkr.ecr.$REGION.amazonaws.com/team/web:latest".to_owned(),
        "${AWS_ACCOUNT_ID}.dkr.ecr.eu-west-1.amazonaws.com/web:latest".to_owned(),
    ] {
        severities("latest-deployed", "", &deploy(&image), &[Severity::Warning]);
        severities("latest-third-party", "", &deploy(&image), &[]);
    }
    for image in [
        format!("{ECR}/docker-hub/library/nginx:latest"),
        format!("{ECR}/ecr-public/nginx/nginx:latest"),
        "public.ecr.aws/team/web:latest".to_owned(),
    ] {
        severities("latest-deployed", "", &deploy(&image), &[]);
    }
    let base = format!("docker pull {ECR}/base:latest\ndocker run {ECR}/base:latest true");
    severities("latest-deployed", "", &base, &[]);
    severities(
        "latest-third-party",
        "",
        &base,
        &[Severity::Note, Severity::Note],
    );
}

#[test]
fn only_commands_that_expand_texts_excuse_a_variable_in_a_text() {
    let rule = "unexpanded-variable";
    let env =
        "env:\n  variables:\n    REPO: \"$AWS_ACCOUNT_ID.dkr.ecr.eu-west-1.amazonaws.com/web\"\n";
    let build = "docker build -t $REPO:v1 .\ndocker push $REPO:v1";
    severities(
        rule,
        env,
        &format!("{build}\necho retrieval done"),
        &[Severity::Error],
    );
    severities(
        rule,
        env,
        &format!("{build}\neval \"docker push $REPO\""),
        &[],
    );
    let password = "env:\n  variables:\n    PASS: \"a$Bc$DEF\"\n";
    severities(rule, password, &format!("echo $PASS\n{build}"), &[]);
    for (write, expected) in [
        (
            "echo '[{\"name\":\"w\",\"imageUri\":\"$ACCOUNT.dkr.ecr.$REGION.amazonaws.com/w:v7\"}]' > imagedefinitions.json",
            1,
        ),
        (
            "echo '[{\"name\":\"w\",\"imageUri\":\"'$ACCOUNT'.dkr.ecr.eu-west-1.amazonaws.com/w:v7\"}]' > imagedefinitions.json",
            0,
        ),
        (
            "echo '[{\"name\":\"w\",\"imageUri\":\"$ACCOUNT.dkr.ecr.eu-west-1.amazonaws.com/w:v7\"}]' | envsubst > imagedefinitions.json",
            0,
        ),
    ] {
        assert_eq!(of(rule, "", write).len(), expected, "{write}");
    }
    let spec = "version: 0.2\nphases:\n  build:\n    commands:\n      - |\n        cat > imagedefinitions.json <<'END'\n        [{\"name\":\"w\",\"imageUri\":\"$REPO:v7\"}]\n        END\n";
    let found = check(&[("buildspec.yml", spec)]);
    assert!(found.iter().any(|it| it.rule == rule), "{found:?}");
}

/// A project in Terraform that runs `buildspec.yml` with these variables, each a name and the rest of its block.
fn terraform(variables: &[(&str, &str)]) -> String {
    let mut text = String::from(
        "resource \"aws_codebuild_project\" \"web\" {\n  name = \"web\"\n  environment {\n    type = \"LINUX_CONTAINER\"\n    privileged_mode = true\n",
    );
    for (name, rest) in variables {
        let _ = writeln!(
            text,
            "    environment_variable {{\n      name = \"{name}\"\n      {rest}\n    }}"
        );
    }
    text + "  }\n  source {\n    type = \"GITHUB\"\n  }\n}\n"
}

/// The same in CloudFormation.
fn cloudformation(variables: &[(&str, &str)]) -> String {
    let mut text = String::from(
        "Resources:\n  Web:\n    Type: AWS::CodeBuild::Project\n    Properties:\n      Name: web\n      Environment:\n        Type: LINUX_CONTAINER\n        PrivilegedMode: true\n        EnvironmentVariables:\n",
    );
    for (name, rest) in variables {
        let _ = writeln!(text, "          - Name: {name}\n            {rest}");
    }
    text + "      Source:\n        Type: GITHUB\n"
}

#[test]
fn a_project_that_sets_the_tag_to_latest_is_told() {
    let push = |tag: &str| {
        format!(
            "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t {ECR}/web:{tag} .\n      - docker push {ECR}/web:{tag}\n"
        )
    };
    let deploy = format!(
        "{}      - printf '[{{\"name\":\"web\",\"imageUri\":\"%s\"}}]' {ECR}/web:$VERSION > imagedefinitions.json\nartifacts:\n  files: imagedefinitions.json\n",
        push("$VERSION")
    );
    let more = format!(
        "{}      - docker push {ECR}/web:$CODEBUILD_BUILD_NUMBER\n",
        push("$VERSION")
    );
    let set = format!(
        "version: 0.2\nenv:\n  variables:\n    VERSION: \"1\"\n{}",
        push("$VERSION").trim_start_matches("version: 0.2\n")
    );
    let latest = [("VERSION", "value = \"latest\"")];
    let error = Some(Severity::Error);
    let cases: [(&str, String, String, Option<Severity>); 8] = [
        ("main.tf", terraform(&latest), push("$VERSION"), error),
        ("main.tf", terraform(&latest), push("${VERSION}"), error),
        ("main.tf", terraform(&latest), deploy, error),
        ("main.tf", terraform(&latest), more, Some(Severity::Warning)),
        // The buildspec has a value of its own, or what the project names is where the value is kept.
        ("main.tf", terraform(&latest), set, None),
        (
            "main.tf",
            terraform(&[(
                "VERSION",
                "type = \"PARAMETER_STORE\"\n      value = \"latest\"",
            )]),
            push("$VERSION"),
            None,
        ),
        (
            "stack.yml",
            cloudformation(&[("VERSION", "Value: latest")]),
            push("$VERSION"),
            error,
        ),
        (
            "stack.yml",
            cloudformation(&[("OTHER", "Value: latest")]),
            push("$VERSION"),
            None,
        ),
    ];
    for (path, project, buildspec, expected) in cases {
        let found = check(&[("buildspec.yml", &buildspec), (path, &project)]);
        let told: Vec<&Finding> = found
            .iter()
            .filter(|it| it.rule == "latest-default" && it.file == FileId(1))
            .collect();
        let level = told.first().map(|it| it.severity);
        assert_eq!(level, expected, "{project}\n{buildspec}\n{found:#?}");
        if let [finding] = told[..] {
            let written = &project[finding.span.range()];
            assert_eq!(written.trim_matches('"'), "latest");
            assert!(finding.refusal.is_some() && finding.fix.is_none());
        }
    }
}

#[test]
fn a_tag_that_the_project_sets_to_latest_is_no_tag_to_deploy_instead() {
    let buildspec = format!(
        "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t {ECR}/web:$VERSION .\n      - docker push {ECR}/web:$VERSION\n      - docker tag {ECR}/web:$VERSION {ECR}/web:latest\n      - docker push {ECR}/web:latest\n      - printf '[{{\"name\":\"web\",\"imageUri\":\"%s\"}}]' {ECR}/web:latest > imagedefinitions.json\nartifacts:\n  files: imagedefinitions.json\n"
    );
    let offered = |value: &str| {
        let project = terraform(&[("VERSION", value)]);
        let found = check(&[("buildspec.yml", &buildspec), ("main.tf", &project)]);
        let deployed = found.into_iter().find(|it| it.rule == "latest-deployed");
        let fix = deployed.and_then(|it| it.fix);
        fix.map_or_else(String::new, |fix| fix.message.clone())
    };
    assert!(offered("value = \"7\"").contains("$VERSION"));
    assert!(!offered("value = \"latest\"").contains("$VERSION"));
}

/// The files that the fix of the push in `ci/buildspec.yml` writes into, in front of the command that applies `applied`.
fn rewrites(applied: &str, files: &[&str]) -> Vec<String> {
    let buildspec = format!(
        "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t {ECR}/web:latest .\n      - docker push {ECR}/web:latest\n      - kubectl apply -f {applied}\n"
    );
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: web\n      image: {ECR}/web:latest\n"
    );
    let mut all = vec![("ci/buildspec.yml", &*buildspec)];
    all.extend(files.iter().map(|path| (*path, &*pod)));
    let found = check(&all);
    let pushed = found.iter().find(|it| it.rule == "latest-pushed");
    let fixes = pushed.iter().flat_map(|it| &it.fix);
    let changes = fixes.flat_map(|fix| &fix.changes);
    let inserted = changes.filter_map(|change| match &change.kind {
        ChangeKind::InsertItem { value, .. } => value.strip_prefix("sed -i ")?.rsplit_once(' '),
        _ => None,
    });
    inserted.map(|(_, file)| file.to_owned()).collect()
}

#[test]
fn a_manifest_is_found_from_where_the_build_starts() {
    let named = |applied: &str, files: &[&str], path: &str| {
        let found = rewrites(applied, files);
        assert_eq!(found, [path], "{applied} {files:?}");
    };
    named("ci/web.yaml", &["ci/web.yaml"], "ci/web.yaml");
    named("ci", &["ci/web.yaml"], "ci/web.yaml");
    // The source of the project is the folder of the buildspec.
    named("web.yaml", &["ci/web.yaml"], "web.yaml");
    named("k8s/", &["ci/k8s/web.yaml"], "k8s/web.yaml");
    named(".", &["web.yaml"], "web.yaml");
    // Either of two may be meant, and one that is not applied stays.
    assert!(rewrites("web.yaml", &["ci/web.yaml", "web.yaml"]).is_empty());
    assert!(rewrites("web.yaml", &["k8s/web.yaml"]).is_empty());
}

#[test]
fn a_command_takes_the_tag_that_is_pushed_though_a_manifest_cannot() {
    let buildspec = format!(
        "version: 0.2\nphases:\n  build:\n    commands:\n      - TAG=$(date +%s)\n      - docker build -t {ECR}/web:$TAG .\n      - docker push {ECR}/web:$TAG\n      - docker tag {ECR}/web:$TAG {ECR}/web:latest\n      - docker push {ECR}/web:latest\n      - kubectl set image deployment/web web={ECR}/web:latest\n"
    );
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: web\n      image: {ECR}/web:latest\n"
    );
    let found = check(&[("buildspec.yml", &buildspec), ("k8s/web.yaml", &pod)]);
    let fixed: Vec<(u32, bool)> = found
        .iter()
        .filter(|it| it.rule == "latest-deployed")
        .map(|it| (it.file.0, it.fix.is_some()))
        .collect();
    assert_eq!(fixed, [(0, true), (1, false)], "{found:#?}");
    // The manifest still needs what is pushed.
    let mut pushes = found.iter().filter(|it| it.rule == "latest-pushed");
    assert!(pushes.all(|it| it.fix.is_none()));
}

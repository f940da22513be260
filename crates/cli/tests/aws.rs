//! `--aws DIR`: what the AWS CLI has printed about pipelines, projects, repositories and task definitions.

#![allow(clippy::unwrap_used)]

#[path = "support/folder.rs"]
mod folder;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use folder::{Folder, Run};
use serde_json::{Value, json};

const IMAGE: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/shop";

/// A buildspec that builds and pushes under `tag`.
fn buildspec(tag: &str) -> String {
    format!(
        "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t {IMAGE}:{tag} .\n      - docker push {IMAGE}:{tag}\n"
    )
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

fn project(name: &str, variables: &[(&str, &str)]) -> Value {
    let variables: Vec<Value> = variables
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value, "type": "PLAINTEXT"}))
        .collect();
    json!({
        "name": name,
        "arn": format!("arn:aws:codebuild:eu-central-1:123456789012:project/{name}"),
        "source": {"type": "CODEPIPELINE"},
        "environment": {"type": "LINUX_CONTAINER", "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "privilegedMode": true, "environmentVariables": variables},
        "serviceRole": "arn:aws:iam::123456789012:role/build",
    })
}

fn projects(projects: &[Value]) -> String {
    pretty(&json!({"projects": projects, "projectsNotFound": []}))
}

/// A pipeline of the repository that builds `project`, and deploys what it gave with `provider`.
fn pipeline(repository: &str, project: &str, passed: &str, provider: Option<&str>) -> String {
    let action = |name: &str, category: &str, provider: &str, configuration: Value| {
        json!({"name": name, "configuration": configuration, "runOrder": 1,
            "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"}})
    };
    let mut source = action(
        "Source",
        "Source",
        "CodeStarSourceConnection",
        json!({"FullRepositoryId": repository, "BranchName": "main"}),
    );
    source["namespace"] = json!("SourceVariables");
    let mut configuration = json!({"ProjectName": project});
    if !passed.is_empty() {
        configuration["EnvironmentVariables"] = json!(passed);
    }
    let mut stages = vec![
        json!({"name": "Source", "actions": [source]}),
        json!({"name": "Build", "actions": [action("Build", "Build", "CodeBuild", configuration)]}),
    ];
    if let Some(provider) = provider {
        let deploy = action("Deploy", "Deploy", provider, json!({"ServiceName": "shop"}));
        stages.push(json!({"name": "Deploy", "actions": [deploy]}));
    }
    pretty(
        &json!({"pipeline": {"name": project, "stages": stages, "version": 1},
        "metadata": {"pipelineArn": "arn:aws:codepipeline:eu-central-1:123456789012:shop"}}),
    )
}

fn task_definition(family: &str, image: &str) -> String {
    let container = json!({"name": family, "image": image, "essential": true});
    pretty(&json!({"taskDefinition": {"family": family, "containerDefinitions": [container]}}))
}

/// A repository `me/shop` in `shop`, and answers beside it in `answers`.
fn shop(buildspec: &str, answers: &[(&str, &str)]) -> Folder {
    let folder = Folder::new(&[("shop/buildspec.yml", buildspec)]);
    for (name, text) in answers {
        folder.put(&format!("answers/{name}"), text.as_bytes());
    }
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(folder.path("shop"));
        assert!(command.status().unwrap().success());
    };
    git(&["init", "--quiet"]);
    git(&["remote", "add", "origin", "git@github.com:me/shop.git"]);
    folder
}

fn run(folder: &Folder, arguments: &[&str]) -> Run {
    let output = folder::tagwright(&folder.path("shop"), arguments)
        .args(["--aws", "../answers"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Run {
        code: output.status.code(),
        out: output.stdout,
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn check(folder: &Folder) -> Vec<String> {
    run(folder, &["check", "--format", "json"]).findings()
}

/// The rules of the findings, each with its file.
fn rules(findings: &[String]) -> Vec<&str> {
    let short = |it: &str| it.find(':').unwrap_or(it.len());
    findings.iter().map(|it| &it[..short(it)]).collect()
}

#[test]
fn a_projects_variables_are_facts_and_those_of_other_repositories_are_not() {
    let all = projects(&[
        project("blog", &[("IMAGE_TAG", "latest")]),
        project("shop", &[("IMAGE_TAG", "latest")]),
    ]);
    let answers = [
        ("blog.json", &*pipeline("me/blog", "blog", "", None)),
        ("projects.json", &all),
        ("shop.json", &pipeline("me/shop", "shop", "", None)),
    ];
    let folder = shop(&buildspec("$IMAGE_TAG"), &answers);
    let found = check(&folder);
    assert_eq!(rules(&found), ["latest-default ../answers/projects.json"]);
    // The line is the one of the answer as it lies there.
    let line: usize = found[0].split(':').nth(1).unwrap().parse().unwrap();
    assert_eq!(
        all.lines().nth(line - 1).unwrap().trim(),
        "\"value\": \"latest\","
    );
    assert!(line > all.lines().count() / 2, "{found:?}");
    // Without the answers nothing is known.
    let alone = folder::tagwright(&folder.path("shop"), &["check"]);
    let output = { alone }.output().unwrap();
    assert_eq!(output.stdout, b"No findings in 1 file.\n");
}

#[test]
fn a_pipeline_that_passes_no_branch_is_told_and_refuses_what_needs_it() {
    let answers = |passed: &str| {
        [
            (
                "pipeline.json".to_owned(),
                pipeline("me/shop", "shop", passed, None),
            ),
            (
                "projects.json".to_owned(),
                projects(&[project("shop", &[])]),
            ),
        ]
    };
    let with = |tag: &str, passed: &str| {
        let answers = answers(passed);
        let pairs = answers.iter().map(|(name, text)| (&**name, &**text));
        shop(&buildspec(tag), &pairs.collect::<Vec<_>>())
    };
    let passed = "[{\"name\":\"BRANCH_NAME\",\"value\":\"#{SourceVariables.BranchName}\"}]";
    assert_eq!(
        rules(&check(&with("${BRANCH_NAME}", ""))),
        ["branch-not-passed ../answers/pipeline.json"]
    );
    assert_eq!(check(&with("${BRANCH_NAME}", passed)), [""; 0]);

    let folder = with("latest", "");
    let before = folder.text("answers/pipeline.json");
    let fix = run(&folder, &["fix", "--unsafe"]);
    assert_eq!(fix.code, Some(1));
    assert!(
        fix.out().contains("#{SourceVariables.BranchName}"),
        "{}",
        fix.out()
    );
    assert_eq!(folder.text("shop/buildspec.yml"), buildspec("latest"));
    assert_eq!(folder.text("answers/pipeline.json"), before);

    let folder = with("latest", passed);
    assert_eq!(run(&folder, &["fix", "--unsafe"]).code, Some(0));
    assert!(!folder.text("shop/buildspec.yml").contains("latest ."));
    assert_eq!(check(&folder), [""; 0]);
}

#[test]
fn what_runs_an_image_as_latest_keeps_it_from_being_moved() {
    let latest = format!("{IMAGE}:latest");
    let running = task_definition("shop", &latest);
    let other = task_definition("blog", "blog:latest");
    let answers = [("blog.json", &*other), ("shop.json", &running)];
    let folder = shop(&buildspec("latest"), &answers);
    assert_eq!(
        rules(&check(&folder)),
        [
            "latest-deployed ../answers/shop.json",
            "latest-pushed buildspec.yml",
            "latest-pushed buildspec.yml"
        ]
    );
    let fix = run(&folder, &["fix", "--unsafe"]);
    assert_eq!(fix.code, Some(1));
    assert_eq!(folder.text("shop/buildspec.yml"), buildspec("latest"));
    assert_eq!(folder.text("answers/shop.json"), running);

    // A pipeline that deploys to ECS registers one of its own each time.
    let deploying = pipeline("me/shop", "shop", "", Some("ECS"));
    let answers = [("shop.json", &*running), ("pipeline.json", &deploying)];
    let folder = shop(&buildspec("latest"), &answers);
    let found = check(&folder);
    assert!(rules(&found).iter().all(|it| it.ends_with("buildspec.yml")));
}

#[test]
fn a_repository_that_takes_no_tag_twice_decides_the_tag() {
    let repository = |mode: &str| {
        pretty(
            &json!({"repositories": [{"repositoryName": "team/shop", "imageTagMutability": mode,
            "repositoryArn": "arn:aws:ecr:eu-central-1:123456789012:repository/team/shop"}]}),
        )
    };
    for (mode, unique) in [("MUTABLE", false), ("IMMUTABLE", true)] {
        let folder = shop(
            &buildspec("latest"),
            &[("repositories.json", &repository(mode))],
        );
        let fix = run(&folder, &["fix", "--unsafe"]);
        assert_eq!(fix.code, Some(0), "{mode}");
        let text = folder.text("shop/buildspec.yml");
        assert!(text.contains("${BRANCH_NAME}"), "{text}");
        assert_eq!(
            text.contains("CODEBUILD_BUILD_NUMBER") || text.contains("BUILD_ID"),
            unique,
            "{text}"
        );
    }
}

#[test]
fn a_template_and_an_answer_tell_one_thing_once() {
    let template = |name: &str, more: &str| {
        format!(
            "Resources:\n  Build:\n    Type: AWS::CodeBuild::Project\n    Properties:\n{name}      Source: {{Type: CODEPIPELINE}}\n      Environment:\n        Type: LINUX_CONTAINER\n        Image: aws/codebuild/amazonlinux-x86_64-standard:5.0\n        PrivilegedMode: true\n{more}"
        )
    };
    let variables = "        EnvironmentVariables:\n          - {Name: IMAGE_TAG, Value: latest}\n";
    let answers = [
        ("pipeline.json", &*pipeline("me/shop", "shop", "", None)),
        (
            "projects.json",
            &projects(&[project("shop", &[("IMAGE_TAG", "latest")])]),
        ),
    ];
    // Whoever reads both as two projects does not know which of them runs the build, and says nothing.
    for (name, more, told) in [
        ("      Name: shop\n", variables, "template.yml"),
        (
            "      Name: !Sub ${AWS::StackName}-shop\n",
            variables,
            "template.yml",
        ),
        ("", variables, "template.yml"),
        (
            "      Name: shop\n",
            "        Fn::If: [A, {}, {}]\n",
            "../answers/projects.json",
        ),
    ] {
        let folder = shop(&buildspec("$IMAGE_TAG"), &answers);
        folder.put("shop/template.yml", template(name, more).as_bytes());
        assert_eq!(
            rules(&check(&folder)),
            [format!("latest-default {told}")],
            "{name}{more}"
        );
    }
}

#[test]
fn a_folder_without_answers_is_wrong_usage_and_one_about_others_is_said() {
    let folder = shop(&buildspec("1.0"), &[("notes.json", "{}")]);
    let wrong = run(&folder, &["check"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("no file in ../answers"), "{}", wrong.err);

    let blog = pipeline("me/blog", "blog", "", None);
    let folder = shop(&buildspec("1.0"), &[("pipeline.json", &blog)]);
    let silent = run(&folder, &["check"]);
    assert_eq!((silent.code, &*silent.err), (Some(0), ""));
    // Without a remote and under another name it could be any of several.
    fs::remove_dir_all(folder.path("shop/.git")).unwrap();
    let cart = pipeline("me/cart", "cart", "", None);
    folder.put("answers/cart.json", cart.as_bytes());
    let told = run(&folder, &["check"]);
    assert!(told.err.contains("me/blog, me/cart"), "{}", told.err);
}

/// The script of docs/aws.md, run with the AWS CLI against a server that stands in for AWS.
#[test]
fn the_script_of_the_guide_collects_what_is_there() {
    let mut probe = Command::new("python3");
    probe.args(["-c", "import boto3, moto.server"]);
    let there = |command: &mut Command| {
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|it| it.success())
    };
    if !there(&mut probe) || !there(Command::new("aws").arg("--version")) {
        assert!(
            std::env::var_os("CI").is_none(),
            "moto or the AWS CLI is missing"
        );
        return;
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(manifest.join("../../docs/aws.md")).unwrap();
    let script = page.split("```sh\n").nth(1).unwrap();
    let script = script.split("```").next().unwrap();
    let folder = shop(&buildspec("$IMAGE_TAG"), &[]);
    folder.put("collect.sh", script.as_bytes());
    let output = Command::new("python3")
        .arg(manifest.join("tests/infrastructure_tools/answers.py"))
        .args(["collect.sh", "answers"])
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(
        rules(&check(&folder)),
        [
            "unprivileged-docker ../answers/projects-shop-build.json",
            "latest-default ../answers/projects-shop-build.json",
            "latest-deployed ../answers/task-definition-shop.json",
        ]
    );
}

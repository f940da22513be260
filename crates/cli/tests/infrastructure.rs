//! The infrastructure that `migrate` writes for a repository per environment and branch: linted, created in a server
//! that stands in for AWS, its permissions asked of a simulator, its conditions of Java.
//!
//! A program that is not installed is skipped, except in CI.

#![allow(clippy::unwrap_used)]

#[path = "support/folder.rs"]
mod folder;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use folder::Folder;
use serde_json::{Value, json};
use tagwright::migrate::infrastructure::{
    Build, File, HEADER, Image, Impossible, Language, Service, steps, write,
};
use tagwright_flow::FileKind;
use tagwright_project::workspace::Document;
use tagwright_project::{Analysis, Config, Workspace};
use tagwright_rules::derivation::Derivation;
use tagwright_rules::environments::Home;
use tagwright_syntax::hcl;

/// One service with three environments, and branches of its own.
const CONFIGURATION: &str = r#"
[tag]
strategy = "repository-per-branch"
[environments]
main = { environment = "production", settings = { LOG_LEVEL = "warn" } }
"release/*" = { environment = "staging", settings = { LOG_LEVEL = "info" } }
qa = { environment = "qa", settings = { LOG_LEVEL = "debug" } }
"#;

const PLACES: [&str; 4] = ["production", "staging", "qa", "branches"];

fn service() -> Service {
    Service {
        name: "Web".to_owned(),
        images: vec![Image {
            name: "web".to_owned(),
            variable: "WEB_REPOSITORY".to_owned(),
            with_registry: false,
        }],
        builds: vec![Build {
            buildspec: "buildspec.yml".to_owned(),
            image: None,
            deploys: true,
        }],
        declared: BTreeSet::new(),
    }
}

/// Two images of two builds, one of them under an address that the project is told.
fn two_services() -> Service {
    let mut service = service();
    service.images.push(Image {
        name: "team/worker".to_owned(),
        variable: "WORKER_URI".to_owned(),
        with_registry: true,
    });
    service.builds.push(Build {
        buildspec: "worker/buildspec.yml".to_owned(),
        image: Some("aws/codebuild/amazonlinux-x86_64-standard:5.0".to_owned()),
        deploys: false,
    });
    service
}

fn written(service: &Service, configuration: &str, language: Language) -> Vec<File> {
    let config = Config::parse(
        configuration,
        "tagwright.toml",
        &tagwright_project::analysis::catalog(),
    )
    .unwrap();
    write(service, Analysis::new(&config).settings(), language).unwrap()
}

fn tool(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/infrastructure_tools")
        .join(name)
}

/// What the command prints; `None` if what it needs is not installed, which it has to be in CI.
fn printed(command: &mut Command, probe: &mut Command, input: &str) -> Option<String> {
    let there = probe.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !there.is_ok_and(|it| it.success()) {
        assert!(std::env::var_os("CI").is_none(), "{probe:?} fails");
        return None;
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// What is there after the templates were deployed, each into an account of its own.
fn deployed(files: &[File]) -> Option<Vec<Value>> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("python3");
    command.arg(tool("deploy.py"));
    for (at, file) in files.iter().enumerate() {
        let path = folder.path().join(format!("{at}.yml"));
        fs::write(&path, &file.text).unwrap();
        command.arg(path);
    }
    let mut probe = Command::new("python3");
    probe.args(["-c", "import boto3, cfnlint, moto.server"]);
    let text = printed(&mut command, &mut probe, "")?;
    Some(serde_json::from_str(&text).unwrap())
}

/// For each question whether it is allowed.
fn simulated(questions: &[Value]) -> Option<Vec<Value>> {
    let mut probe = Command::new("node");
    probe.args(["-e", "require('@cloud-copilot/iam-simulate')"]);
    let mut command = Command::new("node");
    command.arg(tool("simulate.cjs"));
    let text = printed(
        &mut command,
        &mut probe,
        &Value::from(questions).to_string(),
    )?;
    Some(serde_json::from_str(&text).unwrap())
}

/// An environment with an account of its own.
const ACCOUNTS: &str = r#"
[environments]
main = { environment = "production", account = "111122223333" }
"release/*" = "production"
qa = "qa"
"#;

/// One test, since starting the server takes longer than everything else.
#[test]
fn the_templates_are_right_created_and_as_strict_as_they_say() {
    let mut files = written(&service(), CONFIGURATION, Language::CloudFormation);
    files.extend(written(
        &two_services(),
        CONFIGURATION,
        Language::CloudFormation,
    ));
    files.extend(written(&service(), ACCOUNTS, Language::CloudFormation));
    let Some(found) = deployed(&files) else {
        return;
    };
    created(&found);
    reaches_its_own_and_no_other(&found[0]["roles"]);
    deletes_repositories_of_branches_only(&found[0]["roles"]);
}

fn created(found: &[Value]) {
    for stack in found {
        assert_eq!(stack["lint"], json!([]));
        assert_eq!(stack["status"], "CREATE_COMPLETE");
    }
    let expected = json!({
        "web-production": "IMMUTABLE",
        "web-staging": "IMMUTABLE",
        "web-qa": "IMMUTABLE",
    });
    assert_eq!(found[0]["repositories"], expected);
    let parameters = &found[0]["parameters"];
    assert_eq!(
        parameters["/web/production/WEB_REPOSITORY"],
        "web-production"
    );
    assert_eq!(parameters["/web/qa/LOG_LEVEL"], "debug");
    assert_eq!(parameters.as_object().unwrap().len(), 6);
    let addresses = &found[1]["parameters"];
    let registry = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
    assert_eq!(
        addresses["/web/qa/WORKER_URI"],
        format!("{registry}/team/worker-qa")
    );
    assert_eq!(
        addresses["/web/branches/WORKER_URI"],
        format!("{registry}/team/worker-branches")
    );
}

fn reaches_its_own_and_no_other(roles: &Value) {
    let arn =
        |service: &str, rest: String| format!("arn:aws:{service}:eu-central-1:123456789012:{rest}");
    let mut questions = Vec::new();
    let mut expected = Vec::new();
    for role in PLACES {
        let policies = &roles[format!("web-build-{role}")];
        let mut ask = |action: &str, resource: String, right: bool| {
            questions.push(json!({"policies": policies, "action": action, "resource": resource}));
            expected.push((role, action.to_owned(), resource, right));
        };
        for of in PLACES {
            let end = if of == "branches" { "/feature-x" } else { "" };
            let repository = arn("ecr", format!("repository/web-{of}{end}"));
            for action in [
                "ecr:PutImage",
                "ecr:InitiateLayerUpload",
                "ecr:BatchGetImage",
            ] {
                ask(action, repository.clone(), of == role);
            }
            ask(
                "ecr:CreateRepository",
                repository.clone(),
                of == role && role == "branches",
            );
            ask("ecr:DeleteRepository", repository.clone(), false);
            ask("ecr:BatchDeleteImage", repository.clone(), false);
            ask("ecr:SetRepositoryPolicy", repository, false);
            let parameter = arn("ssm", format!("parameter/web/{of}/LOG_LEVEL"));
            ask("ssm:GetParameters", parameter.clone(), of == role);
            ask("ssm:PutParameter", parameter, false);
            let log = arn(
                "logs",
                format!("log-group:/aws/codebuild/web-{of}:log-stream:1"),
            );
            ask("logs:PutLogEvents", log, of == role);
        }
        ask("ecr:GetAuthorizationToken", "*".to_owned(), true);
        ask(
            "ecr:PutImage",
            arn("ecr", "repository/web".to_owned()),
            false,
        );
        ask(
            "ecr:PutImage",
            arn("ecr", "repository/web-production-x".to_owned()),
            false,
        );
        ask(
            "ssm:GetParameters",
            arn("ssm", "parameter/other/production/KEY".to_owned()),
            false,
        );
        ask(
            "iam:PassRole",
            "arn:aws:iam::123456789012:role/web-pipeline".to_owned(),
            false,
        );
    }
    let Some(answers) = simulated(&questions) else {
        return;
    };
    assert_eq!(answers.len(), expected.len());
    for (answer, (role, action, resource, right)) in answers.iter().zip(&expected) {
        assert_eq!(answer, right, "{role}: {action} {resource}");
    }
}

fn deletes_repositories_of_branches_only(roles: &Value) {
    let policies = &roles["web-branch-cleanup"];
    let ask = |name: &str| {
        let resource = format!("arn:aws:ecr:eu-central-1:123456789012:repository/{name}");
        json!({"policies": policies, "action": "ecr:DeleteRepository", "resource": resource})
    };
    let questions = [
        "web-branches/feature-x",
        "web-production",
        "web",
        "web-branches",
    ]
    .map(ask);
    let Some(answers) = simulated(&questions) else {
        return;
    };
    assert_eq!(answers, [true, false, false, false].map(Value::from));
}

/// The conditions of the stages, by stage.
fn conditions(template: &str) -> BTreeMap<String, String> {
    let lines: Vec<&str> = template.lines().map(str::trim).collect();
    let mut found = BTreeMap::new();
    let mut stage = "";
    for line in lines {
        if let Some(name) = line.strip_prefix("- Name: ") {
            if let Some(of) = name.strip_suffix("Branch") {
                stage = of;
            }
        } else if let Some(value) = line.strip_prefix("Value: '^") {
            let value = value.trim_end_matches('\'');
            found.insert(stage.to_owned(), format!("^{value}"));
        }
    }
    found
}

#[test]
fn each_branch_comes_into_its_stage_and_no_other() {
    let files = written(&service(), CONFIGURATION, Language::CloudFormation);
    let conditions = conditions(&files[0].text);
    let stages: Vec<&String> = conditions.keys().collect();
    assert_eq!(stages, ["Branches", "Production", "Qa", "Staging"]);
    let branches = [
        ("main", "Production"),
        ("qa", "Qa"),
        ("release/1.0", "Staging"),
        ("Release-2", "Staging"),
        ("feature/x", "Branches"),
        ("main2", "Branches"),
        ("feature/main", "Branches"),
        ("QA", "Branches"),
        ("release", "Branches"),
        ("pr-12", "Branches"),
    ];
    let mut command = Command::new("java");
    command.arg(tool("Matches.java"));
    for (branch, _) in branches {
        for regex in conditions.values() {
            command.args([branch, regex]);
        }
    }
    let Some(said) = printed(&mut command, Command::new("java").arg("--version"), "") else {
        return;
    };
    let mut said = said.lines();
    for (branch, stage) in branches {
        for of in conditions.keys() {
            let right = (of == stage).to_string();
            assert_eq!(said.next(), Some(&*right), "{branch} in {of}");
        }
    }
}

#[test]
fn the_configuration_of_terraform_can_be_read() {
    for service in [service(), two_services()] {
        let files = written(&service, CONFIGURATION, Language::Terraform);
        assert_eq!(files[0].path, "infrastructure/environments/main.tf");
        let body = hcl::parse(&files[0].text).unwrap();
        let of = |kind: &str| {
            let resources = body.blocks("resource");
            resources
                .filter(|it| it.labels.first().is_some_and(|label| **label == *kind))
                .count()
        };
        let images = service.images.len();
        assert_eq!(of("aws_ecr_repository"), 3 * images);
        assert_eq!(of("aws_ecr_repository_creation_template"), images);
        assert_eq!(of("aws_codebuild_project"), 4 * service.builds.len() + 1);
        assert_eq!(of("aws_codepipeline"), 1);
        let mut command = Command::new("terraform");
        command.args(["fmt", "-no-color", "-diff", "-"]);
        // Not in CI's list: formatting is a courtesy.
        let found = Command::new("terraform")
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        if found.is_ok_and(|it| it.success()) {
            let mut probe = Command::new("terraform");
            probe.arg("--version");
            let text = printed(&mut command, &mut probe, &files[0].text).unwrap();
            assert_eq!(text, "", "terraform fmt would change it");
        }
    }
}

#[test]
fn writing_twice_is_writing_once_and_existing_repositories_are_taken_over() {
    for language in [Language::CloudFormation, Language::Terraform] {
        let once = written(&service(), CONFIGURATION, language);
        assert_eq!(once, written(&service(), CONFIGURATION, language));
        assert!(once[0].text.starts_with(HEADER));
        let mut known = service();
        known.declared.insert("web-qa".to_owned());
        let files = written(&known, CONFIGURATION, language);
        let declares = [
            "RepositoryName: web-qa\n",
            "name                 = \"web-qa\"\n",
        ];
        let count = |files: &[File]| {
            let count = |it: &&str| files[0].text.matches(*it).count();
            declares.iter().map(count).sum::<usize>()
        };
        assert_eq!((count(&once), count(&files)), (1, 0));
        assert!(
            files[0].text.contains("repository/web-qa") || files[0].text.contains("}/web-qa\"")
        );
    }
}

#[test]
fn an_account_of_its_own_is_a_stack_of_its_own() {
    let files = written(&service(), ACCOUNTS, Language::CloudFormation);
    let paths: Vec<&str> = files.iter().map(|it| &*it.path).collect();
    assert_eq!(
        paths,
        [
            "infrastructure/environments-111122223333.yml",
            "infrastructure/environments.yml"
        ]
    );
    let production = &files[0].text;
    assert!(production.contains("web-production") && !production.contains("web-qa"));
    assert!(!production.contains("RepositoryCreationTemplate"));
    for trigger in ["\"main\"", "\"release/**\"", "\"release-**\""] {
        assert!(production.contains(&format!("- {trigger}\n")), "{trigger}");
    }
    assert!(files[1].text.contains("- \"**\"\n"));
    let config = Config::parse(
        ACCOUNTS,
        "tagwright.toml",
        &tagwright_project::analysis::catalog(),
    )
    .unwrap();
    let analysis = Analysis::new(&config);
    let commands = steps(&service(), analysis.settings(), Language::CloudFormation).unwrap();
    assert!(commands[0].contains("--template-file infrastructure/environments-111122223333.yml"));
}

#[test]
fn what_cannot_be_written_says_why() {
    let config = Config::parse(
        CONFIGURATION,
        "tagwright.toml",
        &tagwright_project::analysis::catalog(),
    )
    .unwrap();
    let analysis = Analysis::new(&config);
    let language = Language::CloudFormation;
    let nothing = write(&Service::default(), analysis.settings(), language);
    assert_eq!(nothing, Err(Impossible::NoImages));
    let plain = Analysis::new(&Config::default());
    let none = write(&service(), plain.settings(), language);
    assert_eq!(none, Err(Impossible::NoEnvironments));
}

/// The commands of the buildspec that deletes repositories, with `git` and `aws` replaced.
#[test]
fn repositories_of_deleted_branches_are_deleted() {
    let files = written(&service(), CONFIGURATION, Language::CloudFormation);
    let text = &files[0].text;
    let start = text.find("        BuildSpec: |\n").unwrap() + "        BuildSpec: |\n".len();
    let end = text[start..].find("      Environment:").unwrap();
    let buildspec = &text[start..start + end];
    let tree = tagwright_syntax::yaml::parse(buildspec);
    let root = tree.root().unwrap();
    let spec = tagwright_syntax::buildspec::Buildspec::read(&tree, root).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let script = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        Command::new("chmod").arg("+x").arg(&path).status().unwrap();
    };
    script(
        "git",
        "printf '1\\trefs/heads/main\\n2\\trefs/heads/feature/x\\n3\\trefs/heads/Fix/Y\\n'",
    );
    script(
        "aws",
        "case \"$*\" in\n*describe*) printf 'web-branches/feature-x\\nweb-branches/fix-y-1\\nweb-branches/old\\n' ;;\n*) echo \"$@\" >> \"$DELETED\" ;;\nesac",
    );
    let deleted = folder.path().join("deleted");
    for shell in ["dash", "bash"] {
        let _ = fs::remove_file(&deleted);
        for (_, _, _, item) in spec.commands() {
            let command = tree.text(item).unwrap();
            let command = command.replace("/tmp/", &format!("{}/", folder.path().display()));
            let status = Command::new(shell)
                .args(["-c", &command])
                .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()))
                .env("DELETED", &deleted)
                .status()
                .unwrap();
            assert!(status.success(), "{command}");
        }
        let said = fs::read_to_string(&deleted).unwrap();
        assert_eq!(
            said,
            "ecr delete-repository --force --repository-name web-branches/fix-y-1\necr delete-repository --force --repository-name web-branches/old\n"
        );
    }
}

/// The service of the fixture, before and after its buildspec was changed.
fn read(tree: &str) -> Service {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/repository-for-each-environment")
        .join(tree);
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let config = Config::parse(
        &text("tagwright.toml"),
        "tagwright.toml",
        &tagwright_project::analysis::catalog(),
    )
    .unwrap();
    let document = Document {
        shown: "buildspec.yml".into(),
        path: None,
        relative: "buildspec.yml".into(),
        text: text("buildspec.yml").into(),
        kind: FileKind::Buildspec,
        target: true,
        held: None,
    };
    Service::of(
        &Workspace::new(vec![document], Analysis::new(&config)),
        "folder",
    )
}

#[test]
fn a_repository_is_read_the_same_before_and_after_it_was_changed() {
    let before = read("before");
    assert_eq!(before.name, "shop");
    assert_eq!(before.images[0].variable, "SHOP_REPOSITORY");
    assert_eq!(before.builds.len(), 1);
    assert!(before.builds[0].deploys);
    let after = read("after");
    assert_eq!(before.images, after.images);
    assert_eq!(before.builds, after.builds);
    assert_eq!(before.name, after.name);
}

/// The examples of docs/strategies.md, each with the table below it: branch, environment, account, repository.
fn examples(text: &str) -> Vec<(String, Vec<[String; 4]>)> {
    let mut found: Vec<(String, Vec<[String; 4]>)> = Vec::new();
    for (at, part) in text.split("\n```").enumerate() {
        if at % 2 == 1 {
            if let Some(body) = part.strip_prefix("toml") {
                let (_, body) = body.split_once('\n').unwrap();
                found.push((format!("{body}\n"), Vec::new()));
            }
            continue;
        }
        let Some((_, rows)) = found.last_mut() else {
            continue;
        };
        for line in part.lines().filter(|line| line.starts_with("| `")) {
            let cells = line.trim_matches('|').split('|');
            let cells: Vec<String> = cells.map(|it| it.trim().replace('`', "")).collect();
            rows.extend(<[String; 4]>::try_from(cells));
        }
    }
    found
}

#[test]
fn the_guide_says_what_buildspecs_and_pipelines_make_of_its_examples() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/strategies.md");
    let text = fs::read_to_string(path).unwrap();
    let examples = examples(&text);
    let rows: usize = examples.iter().map(|(_, rows)| rows.len()).sum();
    assert_eq!((examples.len(), rows), (5, 12));
    for (configuration, rows) in examples {
        let config = Config::parse(
            &configuration,
            "tagwright.toml",
            &tagwright_project::analysis::catalog(),
        )
        .unwrap();
        let analysis = Analysis::new(&config);
        let Some(environments) = analysis.settings().repositories() else {
            assert!(rows.is_empty());
            continue;
        };
        let files = written(&service(), &configuration, Language::CloudFormation);
        let read = written(&service(), &configuration, Language::Terraform);
        assert!(read.iter().all(|file| hcl::parse(&file.text).is_some()));
        for [branch, environment, account, repository] in rows {
            let mut derivation = Derivation::new("BRANCH_NAME");
            derivation.repository = true;
            let script = format!(
                "{}{}printf %s \"$WEB_REPOSITORY\"",
                derivation.text(),
                environments.definition("web", "WEB_REPOSITORY", "BRANCH_NAME")
            );
            let output = Command::new("sh")
                .args(["-c", &script])
                .env("BRANCH_NAME", &branch)
                .output();
            let said = String::from_utf8(output.unwrap().stdout).unwrap();
            assert_eq!(said, repository, "{branch}");
            let suffix = if account.is_empty() {
                String::new()
            } else {
                format!("-{account}")
            };
            let path = format!("infrastructure/environments{suffix}.yml");
            let file = files.iter().find(|file| file.path == path).unwrap();
            let folder = repository.rsplit_once('/').map_or("", |it| it.0);
            let declared = if environment.is_empty() {
                format!("      Prefix: {folder}\n")
            } else {
                format!("      RepositoryName: {repository}\n")
            };
            assert!(file.text.contains(&declared), "{branch}: {declared}");
            let home = match environments.of(&branch) {
                Home::Environment(it) => it.name.clone(),
                Home::Itself => String::new(),
            };
            assert_eq!(home, environment, "{branch}");
        }
    }
}

/// A repository like the fixture.
fn repository() -> Folder {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/repository-for-each-environment/before");
    let text = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    Folder::new(&[
        ("tagwright.toml", &text("tagwright.toml")),
        ("buildspec.yml", &text("buildspec.yml")),
    ])
}

#[test]
fn migrate_writes_buildspecs_and_infrastructure_once() {
    for (language, path) in [
        ("cloudformation", "infrastructure/environments.yml"),
        ("terraform", "infrastructure/environments/main.tf"),
    ] {
        let folder = repository();
        let plan = ["migrate", "--infrastructure", language];
        let run = folder.run(&plan);
        assert_eq!(run.code, Some(1), "{}", run.err);
        assert!(run.out().contains(path), "{}", run.out());
        assert!(!folder.path(path).exists());
        // In the repository it would be one more text that names `latest`.
        let outside = tempfile::tempdir().unwrap();
        let patch = outside.path().join("changes.patch");
        folder.run(&[&plan[..], &["--patch", patch.to_str().unwrap()]].concat());
        let run = folder.run(&[&plan[..], &["--apply"]].concat());
        assert_eq!(run.code, Some(0), "{}{}", run.out(), run.err);
        let written = [folder.text(path), folder.text("buildspec.yml")];
        assert!(written[0].starts_with(HEADER));
        let patched = repository();
        let status = Command::new("git")
            .args(["apply", "--unsafe-paths"])
            .arg(&patch)
            .current_dir(patched.0.path())
            .status();
        assert!(status.unwrap().success());
        assert_eq!(written, [patched.text(path), patched.text("buildspec.yml")]);
        let again = folder.run(&[&plan[..], &["--apply"]].concat());
        assert_eq!(again.code, Some(0), "{}", again.out());
        assert_eq!(written, [folder.text(path), folder.text("buildspec.yml")]);
        let check = folder.run(&["check"]);
        assert_eq!(check.code, Some(0), "{}", check.out());
        assert!(check.out().starts_with("No findings"), "{}", check.out());
    }
}

#[test]
fn migrate_overwrites_nothing_of_somebody_else_and_says_what_is_missing() {
    let folder = repository();
    folder.put("infrastructure/environments.yml", b"Resources: {}\n");
    let run = folder.run(&["migrate", "--infrastructure", "cloudformation", "--apply"]);
    assert_eq!(run.code, Some(3));
    assert!(
        run.err.contains("tagwright did not write it"),
        "{}",
        run.err
    );
    assert_eq!(
        folder.text("infrastructure/environments.yml"),
        "Resources: {}\n"
    );
    let plain = Folder::new(&[("buildspec.yml", &folder.text("buildspec.yml"))]);
    for (arguments, said) in [
        (
            vec!["migrate", "--infrastructure", "terraform"],
            "belongs to the strategy",
        ),
        (
            vec![
                "migrate",
                "--strategy",
                "repository-per-branch",
                "--infrastructure",
                "terraform",
            ],
            "`[environments]` in tagwright.toml is missing",
        ),
    ] {
        let run = plain.run(&arguments);
        assert_eq!(run.code, Some(3));
        assert!(run.err.contains(said), "{}", run.err);
    }
}

#[test]
fn migrate_says_which_strategy_fits() {
    let folder = repository();
    let run = folder.run(&["migrate"]);
    assert!(
        run.out()
            .contains("Strategy repository-per-branch: 3 environments"),
        "{}",
        run.out()
    );
    let run = folder.run(&["migrate", "--strategy", "branch-tag"]);
    assert!(
        run.out()
            .contains("Strategy branch-tag; repository-per-branch fits better: 3 environments"),
        "{}",
        run.out()
    );
}

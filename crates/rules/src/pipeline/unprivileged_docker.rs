//! A build uses Docker, and its project does not let it.
//!
//! ## What it does
//!
//! Follows CodeBuild projects in CloudFormation, SAM and Terraform to their buildspec. Where exactly one project
//! runs it, without privileged mode, and a command needs the Docker daemon (`docker build`, `docker push`,
//! `docker compose up`, …), it reports the project. The same for a build of a batch with
//! `privileged-mode: false`.
//!
//! It is silent where the setting is computed, where another project may run the same file, where the command
//! may be skipped, and where the daemon is elsewhere (`DOCKER_HOST`, a Docker server, a fleet).
//!
//! ## Why it matters
//!
//! The daemon runs in privileged containers only. The build ends with "Cannot connect to the Docker daemon".
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION .
//!       - docker push $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION
//! ```
//!
//! ```yaml template.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Images:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Environment:
//!         Type: LINUX_CONTAINER
//!         Image: aws/codebuild/standard:7.0
//!         EnvironmentVariables: [{Name: REPOSITORY_URI, Value: web}]
//!       Source: {Type: GITHUB}
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION .
//!       - docker push $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION
//! ```
//!
//! ```yaml template.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Images:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Environment:
//!         Type: LINUX_CONTAINER
//!         Image: aws/codebuild/standard:7.0
//!         PrivilegedMode: true
//!         EnvironmentVariables: [{Name: REPOSITORY_URI, Value: web}]
//!       Source: {Type: GITHUB}
//! ```
//!
//! ## Fix
//!
//! None: privileges are for the owner of the account to give.
//!
//! ## When to silence it
//!
//! Where the commands talk to a daemon on another machine.
//!
//! ## Sources
//!
//! - CodeBuild API, `ProjectEnvironment`, `privilegedMode`: needed to build Docker images, `false` by default.
//!   <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectEnvironment.html>
//! - CodeBuild user guide, "Troubleshooting": "Cannot connect to the Docker daemon".
//!   <https://docs.aws.amazon.com/codebuild/latest/userguide/troubleshooting.html>
//! - CodeBuild user guide, "Batch build buildspec reference": `env/privileged-mode`.
//!   <https://docs.aws.amazon.com/codebuild/latest/userguide/batch-build-buildspec.html>

use tagwright_flow::facts::FileFacts;
use tagwright_flow::habits::ItemScript;
use tagwright_syntax::Span;
use tagwright_syntax::shell::{Command, Word};

use crate::context::{Context, Report};
use crate::delivery;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "unprivileged-docker",
    category: Category::Pipeline,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("unprivileged_docker"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for (holder, project) in delivery::projects(context) {
        if project.privileged != Some(false) || project.variables.iter().any(|it| is_host(&it.name)) {
            continue;
        }
        let Some(file) = delivery::only_runs(context, holder, project) else {
            continue;
        };
        // A build of a batch may have privileges of its own.
        if !may_need_daemon(file) || file.may_hold("privileged-mode") {
            continue;
        }
        let items = delivery::commands(file, project);
        let Some((item, index, what)) = needs_daemon(&items) else {
            continue;
        };
        let message = format!(
            "the build runs `{what}`, which needs the Docker daemon, and this project has no privileged mode: the build fails with \"Cannot connect to the Docker daemon\". Set privileged mode to true"
        );
        let mut draft = report.draft(holder.id, project.span, message);
        let span = item.script.commands[index].span;
        if let Some(span) = delivery::place(file, item, span) {
            draft = draft.related(file.id, span, "needs the daemon");
        }
        report.add(draft);
    }
    for file in context.workspace.files() {
        batch(file, report);
    }
}

/// A build of the file's own batch that gives up the privileges its commands need.
fn batch(file: &FileFacts, report: &mut Report<'_>) {
    let own = file
        .buildspec
        .as_ref()
        .is_some_and(|it| !it.inline && it.template.is_none());
    if !own || !file.may_hold("privileged-mode") || !may_need_daemon(file) {
        return;
    }
    let tree = file.tree();
    let batch = tree.root().and_then(|root| tree.get(root, "batch"));
    let mut unprivileged: Vec<Span> = Vec::new();
    for strategy in ["build-list", "build-graph"] {
        let list = batch.and_then(|id| tree.sequence(tree.get(id, strategy)?));
        for build in list.map_or(&[][..], |list| &list.items) {
            let env = tree.get(*build, "env");
            let setting = env.and_then(|id| tree.get(id, "privileged-mode"));
            let refuses = setting.filter(|id| tree.text(*id) == Some("false"));
            if tree.get(*build, "buildspec").is_none() {
                unprivileged.extend(refuses.map(|id| tree.node(id).span));
            }
        }
    }
    if unprivileged.is_empty() {
        return;
    }
    let items = file.scripts();
    let Some((item, index, what)) = needs_daemon(&items) else {
        return;
    };
    let place = delivery::place(file, item, item.script.commands[index].span);
    for span in unprivileged {
        let message = format!(
            "this build has no privileged mode, and `{what}` needs the Docker daemon: it fails with \"Cannot connect to the Docker daemon\". Set `privileged-mode: true`"
        );
        let mut draft = report.draft(file.id, span, message);
        if let Some(place) = place {
            draft = draft.related(file.id, place, "needs the daemon");
        }
        report.add(draft);
    }
}

fn is_host(name: &str) -> bool {
    matches!(name, "DOCKER_HOST" | "DOCKER_CONTEXT")
}

/// A guard for reading commands again.
fn may_need_daemon(file: &FileFacts) -> bool {
    let words = ["docker", "pack ", "bootBuildImage", "build-image", "use-container"];
    words.iter().any(|word| file.may_hold(word))
        && !["DOCKER_HOST", "DOCKER_CONTEXT", "docker context"]
            .iter()
            .any(|word| file.may_hold(word))
}

/// The first command that surely runs and needs the daemon, and what it is called.
fn needs_daemon(items: &[ItemScript]) -> Option<(&ItemScript, usize, String)> {
    for item in items.iter().filter(|it| it.whole && it.is_certain()) {
        for (index, command) in item.script.commands.iter().enumerate() {
            if let Some(what) = daemon_call(command)
                && delivery::surely_runs(&item.script, &item.text, index)
            {
                return Some((item, index, what));
            }
        }
    }
    None
}

/// Subcommands of docker that do nothing without the daemon.
const CALLS: [&str; 14] = [
    "build", "push", "pull", "run", "tag", "images", "image", "ps", "exec", "save", "load", "info", "start",
    "create",
];

fn daemon_call(command: &Command) -> Option<String> {
    let words: Vec<_> = command.words.iter().map(Word::value).collect();
    let mut words = words
        .iter()
        .map(|it| it.as_deref().unwrap_or_default())
        .skip_while(|it| matches!(*it, "sudo" | "time" | "exec"));
    let program = words.next()?;
    let rest: Vec<&str> = words.collect();
    match program.rsplit('/').next()? {
        "docker" => {
            let first = *rest.first()?;
            let second = rest.get(1).copied().unwrap_or_default();
            let calls = match first {
                "compose" => matches!(second, "build" | "up" | "push" | "pull" | "run"),
                "buildx" => {
                    let elsewhere = |it: &&str| it.starts_with("--builder");
                    second == "build" && !rest.iter().any(elsewhere)
                }
                "image" => second != "--help",
                _ => CALLS.contains(&first) && !matches!(second, "--help" | "-h"),
            };
            let group = matches!(first, "compose" | "buildx" | "image");
            calls.then(|| match group {
                true => format!("docker {first} {second}"),
                false => format!("docker {first}"),
            })
        }
        "docker-compose" => {
            let call = rest.iter().find(|it| {
                matches!(**it, "build" | "up" | "push" | "pull" | "run" | "config" | "version")
            })?;
            (!matches!(*call, "config" | "version")).then(|| format!("docker-compose {call}"))
        }
        "dockerd" => Some("dockerd".to_owned()),
        "pack" => (rest.first() == Some(&"build")).then(|| "pack build".to_owned()),
        "sam" => {
            let builds = rest.first() == Some(&"build");
            let inside = rest.iter().any(|it| matches!(*it, "--use-container" | "-u"));
            (builds && inside).then(|| "sam build --use-container".to_owned())
        }
        "gradle" | "gradlew" | "mvn" | "mvnw" => {
            let goals = ["bootBuildImage", "jibDockerBuild", "spring-boot:build-image", "jib:dockerBuild"];
            rest.iter()
                .find(|it| goals.contains(it))
                .map(|goal| format!("{program} {goal}"))
        }
        _ => None,
    }
}

//! A deployment reads a file that the build's artifact does not have.
//!
//! ## What it does
//!
//! Follows the artifacts of build actions to the ECS deployments that take them, in CloudFormation and Terraform.
//! Reports a deployment to ECS where the artifact has a file of nearly the right name (`imageDefinitions.json`), or the one
//! of the other kind of deployment, and a blue/green deployment (CodeDeployToECS) whose task definition, AppSpec or
//! `imageDetail.json` is not among the files. Where a pattern of the artifact may take the file, it is silent.
//!
//! ## Why it matters
//!
//! The image is built and pushed, and the deployment fails because it does not find the file. Names are case-sensitive.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - make image
//!       - printf '[{"name":"web","imageUri":"%s"}]' "$IMAGE_URI" > imageDefinitions.json
//! artifacts:
//!   files:
//!     - imageDefinitions.json
//! ```
//!
//! ```yaml pipeline.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Project:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Source: {Type: CODEPIPELINE}
//!   Pipeline:
//!     Type: AWS::CodePipeline::Pipeline
//!     Properties:
//!       Stages:
//!         - Name: Source
//!           Actions:
//!             - Name: Source
//!               Namespace: Source
//!               ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
//!               Configuration: {FullRepositoryId: me/web, BranchName: main}
//!               OutputArtifacts: [{Name: Source}]
//!         - Name: Build
//!           Actions:
//!             - Name: Build
//!               ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: "1"}
//!               Configuration:
//!                 ProjectName: !Ref Project
//!               InputArtifacts: [{Name: Source}]
//!               OutputArtifacts: [{Name: Out}]
//!         - Name: Deploy
//!           Actions:
//!             - Name: Deploy
//!               ActionTypeId: {Category: Deploy, Owner: AWS, Provider: ECS, Version: "1"}
//!               Configuration: {ClusterName: shop, ServiceName: web}
//!               InputArtifacts: [{Name: Out}]
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - make image
//!       - printf '[{"name":"web","imageUri":"%s"}]' "$IMAGE_URI" > imagedefinitions.json
//! artifacts:
//!   files:
//!     - imagedefinitions.json
//! ```
//!
//! ```yaml pipeline.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Project:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Source: {Type: CODEPIPELINE}
//!   Pipeline:
//!     Type: AWS::CodePipeline::Pipeline
//!     Properties:
//!       Stages:
//!         - Name: Source
//!           Actions:
//!             - Name: Source
//!               Namespace: Source
//!               ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
//!               Configuration: {FullRepositoryId: me/web, BranchName: main}
//!               OutputArtifacts: [{Name: Source}]
//!         - Name: Build
//!           Actions:
//!             - Name: Build
//!               ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: "1"}
//!               Configuration:
//!                 ProjectName: !Ref Project
//!               InputArtifacts: [{Name: Source}]
//!               OutputArtifacts: [{Name: Out}]
//!         - Name: Deploy
//!           Actions:
//!             - Name: Deploy
//!               ActionTypeId: {Category: Deploy, Owner: AWS, Provider: ECS, Version: "1"}
//!               Configuration: {ClusterName: shop, ServiceName: web}
//!               InputArtifacts: [{Name: Out}]
//! ```
//!
//! ## Fix
//!
//! None: either the name changes, or the deployment's configuration.
//!
//! ## When to silence it
//!
//! Where the artifact's files are decided by something that no file here shows.
//!
//! ## Sources
//!
//! - CodePipeline user guide, "Image definitions file reference": the names, and `FileName`.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html>
//! - CodePipeline user guide, "Amazon ECS and CodeDeploy blue-green deploy action reference": `TaskDefinitionTemplatePath`
//!   is `taskdef.json`, `AppSpecTemplatePath` is `appspec.yaml` unless they say otherwise.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html>

use tagwright_flow::delivery::{Action, Value};
use tagwright_flow::facts::IMAGE_FILES;
use tagwright_syntax::Span;
use tagwright_syntax::buildspec::Buildspec;
use tagwright_syntax::yaml::Entry;

use crate::context::{Context, Report};
use crate::delivery::{self, Build};
use crate::handover::{Artifact, handed_on, may_take};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "deployment-input-missing",
    category: Category::Pipeline,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("deployment_input_missing"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for build in delivery::builds(context) {
        for action in delivery::consumers(&build) {
            let problems = match &*action.provider {
                "ECS" => rolling(&build, action).into_iter().collect(),
                "CodeDeployToECS" => blue_green(&build, action),
                _ => Vec::new(),
            };
            for Problem { span, message, section } in problems {
                report.add(report.draft(build.file.id, span, message).related(
                    build.buildspec.id,
                    section,
                    "what the build hands on",
                ));
            }
        }
    }
}

struct Problem {
    span: Span,
    message: String,
    /// Where the build's artifacts are listed.
    section: Span,
}

/// A deployment of `imagedefinitions.json`, or of the file that it names, whose build hands on another one.
fn rolling(build: &Build<'_>, action: &Action) -> Option<Problem> {
    let path = match action.setting("FileName").map(|it| &it.value) {
        None => IMAGE_FILES[0],
        Some(Value::Text(name)) => name,
        Some(_) => return None,
    };
    let [input] = &action.inputs[..] else {
        return None;
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    if let Some(section) = hands_on_nothing(build) {
        return Some(Problem {
            span: action.span,
            message: format!(
                "this deployment reads `{name}` from `{input}`, and the buildspec has no `artifacts`: the build hands on nothing"
            ),
            section,
        });
    }
    let (artifact, place, section) = handed_on(build.buildspec, &build.action.outputs, input)?;
    if may_take(&artifact, name) {
        return None;
    }
    let other = nearly(&artifact, name)?;
    Some(Problem {
        span: action.span,
        message: format!(
            "this deployment reads `{name}`, and {place} of the build has `{other}`: names are case-sensitive. Write `{name}`, or set `FileName`"
        ),
        section,
    })
}

/// Where the build's buildspec begins, if it surely lists no artifacts at all.
fn hands_on_nothing(build: &Build<'_>) -> Option<Span> {
    let file = build.buildspec;
    let facts = file.buildspec.as_ref()?;
    let batch = build.action.setting("BatchEnabled").is_some();
    if facts.inline || facts.template.is_some() || file.error.is_some() || batch {
        return None;
    }
    let tree = file.tree();
    let root = tree.root()?;
    let spec = Buildspec::read(&tree, root)?;
    // A key with another spelling is told by its own rule.
    let spelled = |entry: &Entry| tree.text(entry.key).is_some_and(|it| it.contains("rtifact"));
    let mut entries = tree.mapping(root)?.entries.iter();
    let merged = tree.get(root, "<<").is_some();
    let none = spec.artifacts.is_none() && !merged && !entries.any(spelled);
    none.then(|| {
        let first = tree.mapping(root).and_then(|map| map.entries.first());
        tree.node(first.map_or(root, |entry| entry.key)).span
    })
}

/// A file of the artifact whose name somebody must have taken for `name`.
fn nearly(artifact: &Artifact, name: &str) -> Option<String> {
    let plain = |name: &str| {
        let letters = name.chars().filter(char::is_ascii_alphanumeric);
        letters.collect::<String>().to_ascii_lowercase()
    };
    let meant = |other: &str| plain(other) == plain(name) || IMAGE_FILES.contains(&other);
    let mut names = artifact
        .files
        .iter()
        .map(|(path, _)| path.rsplit('/').next().unwrap_or(path));
    names.find(|it| meant(it)).map(str::to_owned)
}

/// The files that a blue/green deployment takes from the build and that are not in its artifact.
fn blue_green(build: &Build<'_>, action: &Action) -> Vec<Problem> {
    let inputs = [
        (
            "TaskDefinitionTemplateArtifact",
            "TaskDefinitionTemplatePath",
            "taskdef.json",
        ),
        (
            "AppSpecTemplateArtifact",
            "AppSpecTemplatePath",
            "appspec.yaml",
        ),
        ("Image1ArtifactName", "", IMAGE_FILES[1]),
    ];
    let mut found = Vec::new();
    for (artifact, path, default) in inputs {
        let Some(setting) = action.setting(artifact) else {
            continue;
        };
        let Value::Text(from) = &setting.value else {
            continue;
        };
        let name = match action.setting(path).map(|it| &it.value) {
            None => default,
            Some(Value::Text(path)) => path.rsplit('/').next().unwrap_or(path),
            Some(_) => continue,
        };
        if !build.action.outputs.contains(from) {
            continue;
        }
        let Some((artifact, place, section)) = handed_on(build.buildspec, &build.action.outputs, from)
        else {
            continue;
        };
        if !may_take(&artifact, name) {
            found.push(Problem {
                span: setting.span,
                message: format!(
                    "this deployment reads `{name}` from `{from}`, and {place} of the build does not list it"
                ),
                section,
            });
        }
    }
    found
}

//! The build names a container that no task definition has.
//!
//! ## What it does
//!
//! Where an ECS deployment takes what a build writes to `imagedefinitions.json`, the names in it are compared with the
//! containers of all task definitions of the repository: CloudFormation, Terraform, JSON. It speaks only if there is a task
//! definition, and if all of their containers have names that are written out.
//!
//! ## Why it matters
//!
//! The deployment stops: the container does not exist in the task definition of the service.
//!
//! ## Bad
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
//!   Task:
//!     Type: AWS::ECS::TaskDefinition
//!     Properties:
//!       ContainerDefinitions:
//!         - Name: storefront
//!           Image: public.ecr.aws/nginx/nginx:1.27
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
//!   Task:
//!     Type: AWS::ECS::TaskDefinition
//!     Properties:
//!       ContainerDefinitions:
//!         - Name: web
//!           Image: public.ecr.aws/nginx/nginx:1.27
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
//! None: either of the two names may be the right one.
//!
//! ## When to silence it
//!
//! Where the task definition of the service is in another repository.
//!
//! ## Sources
//!
//! - CodePipeline user guide, "Image definitions file reference": `name` is the container's name.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html>
//! - aws-samples/aws-modern-application-workshop, issue 153: "The AWS ECS container … does not exist".

use std::collections::BTreeSet;

use tagwright_flow::delivery::Value;
use tagwright_flow::facts::IMAGE_FILES;

use crate::context::{Context, Report};
use crate::delivery;
use crate::handover::{HOLE, file_name, json, writes};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "unknown-container",
    category: Category::Pipeline,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("unknown_container"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let Some(known) = containers(context) else {
        return;
    };
    let mut seen = BTreeSet::new();
    for build in delivery::builds(context) {
        let file = build.buildspec;
        for action in delivery::consumers(&build).filter(|it| &*it.provider == "ECS") {
            let name = match action.setting("FileName").map(|it| &it.value) {
                None => IMAGE_FILES[0],
                Some(Value::Text(path)) => path.rsplit('/').next().unwrap_or(path),
                Some(_) => continue,
            };
            if !file.may_hold(name) || !seen.insert((file.id, name.to_owned())) {
                continue;
            }
            for item in delivery::commands(file, build.project).iter() {
                for write in writes(&item.script, &item.text) {
                    let is_it = file_name(write.target).as_deref() == Some(name);
                    let Some(text) = write.text.filter(|_| is_it && item.is_certain()) else {
                        continue;
                    };
                    let command = item.script.commands[write.command].span;
                    let Some(span) = delivery::place(file, item, command) else {
                        continue;
                    };
                    for container in named(&text) {
                        if known.contains(&container) {
                            continue;
                        }
                        let message = format!(
                            "no task definition in this repository has a container `{container}`; there is {}. The deployment `{}` updates the container of that name",
                            known.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", "),
                            action.name
                        );
                        report.add(
                            report
                                .draft(file.id, span, message)
                                .related(build.file.id, action.span, "reads the file"),
                        );
                    }
                }
            }
        }
    }
}

/// The containers of all task definitions; `None` if there are none, or if one is not written out.
fn containers(context: &Context<'_>) -> Option<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    for file in context.workspace.files() {
        let delivery = file.delivery.as_deref();
        for name in delivery.map_or(&[][..], |it| &it.containers) {
            match name {
                Value::Text(name) => known.insert(name.to_string()),
                Value::Reference(_) | Value::Unknown => return None,
            };
        }
    }
    (!known.is_empty()).then_some(known)
}

/// The containers that the text of an `imagedefinitions.json` names.
fn named(text: &str) -> Vec<String> {
    let Ok(serde_json::Value::Array(items)) = json(text) else {
        return Vec::new();
    };
    let names = items.iter().filter_map(|it| it.get("name")?.as_str());
    names
        .filter(|it| !it.contains([HOLE, '$', '<', '{']))
        .map(str::to_owned)
        .collect()
}

//! Two pipelines of different branches deploy to one place.
//!
//! ## What it does
//!
//! Compares pipelines whose source branches are written out and differ: the ECS cluster and service of their
//! deployments (equal texts, or the same resource of one template), and the environments of Copilot pipelines
//! of one `copilot` folder. Both have to take the same repository; branches of two are two services.
//!
//! ## Why it matters
//!
//! Whichever branch is pushed last is what runs there, and the other one's pipeline still shows success.
//!
//! ## Bad
//!
//! ```yaml pipelines.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Main:
//!     Type: AWS::CodePipeline::Pipeline
//!     Properties:
//!       Stages:
//!         - Name: Source
//!           Actions:
//!             - Name: Source
//!               ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
//!               Configuration: {FullRepositoryId: me/web, BranchName: main}
//!         - Name: Deploy
//!           Actions:
//!             - Name: Deploy
//!               ActionTypeId: {Category: Deploy, Owner: AWS, Provider: ECS, Version: "1"}
//!               Configuration: {ClusterName: shop, ServiceName: web}
//!   Develop:
//!     Type: AWS::CodePipeline::Pipeline
//!     Properties:
//!       Stages:
//!         - Name: Source
//!           Actions:
//!             - Name: Source
//!               ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
//!               Configuration: {FullRepositoryId: me/web, BranchName: develop}
//!         - Name: Deploy
//!           Actions:
//!             - Name: Deploy
//!               ActionTypeId: {Category: Deploy, Owner: AWS, Provider: ECS, Version: "1"}
//!               Configuration: {ClusterName: shop, ServiceName: web}
//! ```
//!
//! ## Good
//!
//! ```yaml pipelines.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Main:
//!     Type: AWS::CodePipeline::Pipeline
//!     Properties:
//!       Stages:
//!         - Name: Source
//!           Actions:
//!             - Name: Source
//!               ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
//!               Configuration: {FullRepositoryId: me/web, BranchName: main}
//!         - Name: Deploy
//!           Actions:
//!             - Name: Deploy
//!               ActionTypeId: {Category: Deploy, Owner: AWS, Provider: ECS, Version: "1"}
//!               Configuration: {ClusterName: shop, ServiceName: web}
//!   Develop:
//!     Type: AWS::CodePipeline::Pipeline
//!     Properties:
//!       Stages:
//!         - Name: Source
//!           Actions:
//!             - Name: Source
//!               ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
//!               Configuration: {FullRepositoryId: me/web, BranchName: develop}
//!         - Name: Deploy
//!           Actions:
//!             - Name: Deploy
//!               ActionTypeId: {Category: Deploy, Owner: AWS, Provider: ECS, Version: "1"}
//!               Configuration: {ClusterName: shop-dev, ServiceName: web}
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! Where only one of the two pipelines is in use at a time, or the branches are known to hold the same.
//!
//! ## Sources
//!
//! - CodePipeline user guide, "Amazon Elastic Container Service deploy action reference".
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html>
//! - AWS Copilot documentation, "Pipelines": a stage deploys to the environment of its name.

use std::collections::BTreeSet;

use tagwright_flow::delivery::{Pipeline, Value};
use tagwright_flow::facts::FileFacts;
use tagwright_flow::{FileId, FileKind};
use tagwright_syntax::Span;
use tagwright_syntax::copilot::PipelineManifest;
use tagwright_syntax::yaml::NodeId;

use crate::context::{Context, Report};
use crate::delivery;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "duplicate-branch-target",
    category: Category::Pipeline,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("duplicate_branch_target"),
    check: Check::Workspace(check),
};

/// Something that a pipeline deploys to.
struct Target {
    /// What it is, equal where two are the same.
    key: String,
    /// For people.
    shown: String,
    /// The repository whose branch is deployed: branches of two repositories are two things.
    repository: String,
    /// The branch that is deployed.
    branch: String,
    /// What is deployed there; empty: everything, or not known.
    what: BTreeSet<String>,
    file: FileId,
    span: Span,
}

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let mut targets: Vec<Target> = delivery::pipelines(context)
        .flat_map(|(file, pipeline)| of_pipeline(file, pipeline))
        .collect();
    let manifests = || {
        context
            .workspace
            .files()
            .iter()
            .filter(|file| file.kind == FileKind::CopilotPipeline)
    };
    if manifests().count() > 1 {
        targets.extend(manifests().flat_map(of_manifest));
    }
    for (index, target) in targets.iter().enumerate() {
        let earlier = targets[..index].iter().find(|other| {
            other.key == target.key
                && other.repository == target.repository
                && other.branch != target.branch
                && (other.what.is_empty()
                    || target.what.is_empty()
                    || !other.what.is_disjoint(&target.what))
        });
        let Some(earlier) = earlier else { continue };
        let message = format!(
            "the branches `{}` and `{}` are both deployed to {}: what runs there is whichever was pushed last",
            earlier.branch, target.branch, target.shown
        );
        report.add(report.draft(target.file, target.span, message).related(
            earlier.file,
            earlier.span,
            format!("`{}` is deployed there too", earlier.branch),
        ));
    }
}

fn of_pipeline(file: &FileFacts, pipeline: &Pipeline) -> Vec<Target> {
    let mut sources = delivery::actions(pipeline).filter(|it| &*it.category == "Source");
    let (Some(source), None) = (sources.next(), sources.next()) else {
        return Vec::new();
    };
    // With triggers the source action's branch is not what is built.
    let Some(branch) = source
        .branch()
        .filter(|_| pipeline.trigger_branches.is_empty())
    else {
        return Vec::new();
    };
    let part = |value: &Value| match value {
        Value::Text(text) => Some((format!("text {text}"), text.to_string())),
        Value::Reference(name) => Some((
            format!("{} {name}", delivery::scope(file)),
            name.to_string(),
        )),
        Value::Unknown => None,
    };
    let repository = ["FullRepositoryId", "RepositoryName", "Repo"]
        .iter()
        .find_map(|key| part(&source.setting(key)?.value))
        .map_or_else(String::new, |(key, _)| key);
    delivery::actions(pipeline)
        .filter(|action| &*action.provider == "ECS")
        .filter_map(|action| {
            let (cluster, cluster_shown) = part(&action.setting("ClusterName")?.value)?;
            let (service, service_shown) = part(&action.setting("ServiceName")?.value)?;
            Some(Target {
                key: format!("{cluster}\n{service}"),
                shown: format!("the service `{service_shown}` of the cluster `{cluster_shown}`"),
                repository: repository.clone(),
                branch: branch.to_owned(),
                what: BTreeSet::new(),
                file: file.id,
                span: action.span,
            })
        })
        .collect()
}

fn of_manifest(file: &FileFacts) -> Vec<Target> {
    let tree = file.tree();
    let Some(manifest) = tree
        .root()
        .and_then(|root| PipelineManifest::read(&tree, root))
    else {
        return Vec::new();
    };
    // Without one Copilot takes `main`.
    let branch = match manifest.branch {
        Some(node) => match tree.text(node) {
            Some(text) => text.to_owned(),
            None => return Vec::new(),
        },
        None => "main".to_owned(),
    };
    let text_at = |node: NodeId, key: &str| -> Option<String> {
        tree.text(tree.get(node, key)?).map(str::to_owned)
    };
    let repository = tree
        .get(manifest.root, "source")
        .and_then(|source| tree.get(source, "properties"))
        .and_then(|properties| text_at(properties, "repository"));
    let at = file.path.find("copilot/").unwrap_or(0);
    manifest
        .stages
        .iter()
        .filter_map(|stage| {
            let node = stage.name?;
            let name = tree.text(node)?;
            // Of a form that Copilot does not know.
            let deployments = tree.get(stage.node, "deployments");
            if deployments.is_some_and(|it| tree.mapping(it).is_none() && !tree.is_null(it)) {
                return None;
            }
            Some(Target {
                key: format!("copilot {} {name}", &file.path[..at]),
                shown: format!("the environment `{name}`"),
                repository: repository.clone().unwrap_or_default(),
                branch: branch.clone(),
                what: stage
                    .deployments
                    .iter()
                    .filter_map(|entry| {
                        text_at(entry.value, "stack_name")
                            .or_else(|| tree.text(entry.key).map(str::to_owned))
                    })
                    .collect(),
                file: file.id,
                span: tree.node(node).span,
            })
        })
        .collect()
}

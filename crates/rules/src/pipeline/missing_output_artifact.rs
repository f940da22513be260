//! A build action has an output artifact that its buildspec does not make.
//!
//! ## What it does
//!
//! Compares the output artifacts of build actions, in CloudFormation and Terraform, with the `secondary-artifacts` of the
//! buildspec that they run. With more than one output each has to be a secondary artifact of exactly that name. Where
//! a name is computed, it is silent.
//!
//! ## Why it matters
//!
//! The build fails after everything was built: CodeBuild has nothing to upload for the output.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - make
//! artifacts:
//!   secondary-artifacts:
//!     webassets:
//!       files: ['dist/**/*']
//!     ApiCode:
//!       files: ['target/*.jar']
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
//!               OutputArtifacts: [{Name: WebAssets}, {Name: ApiCode}]
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - make
//! artifacts:
//!   secondary-artifacts:
//!     WebAssets:
//!       files: ['dist/**/*']
//!     ApiCode:
//!       files: ['target/*.jar']
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
//!               OutputArtifacts: [{Name: WebAssets}, {Name: ApiCode}]
//! ```
//!
//! ## Fix
//!
//! None: which of the two names is meant is not known.
//!
//! ## When to silence it
//!
//! Where another step writes the buildspec anew.
//!
//! ## Sources
//!
//! - CodePipeline user guide, "AWS CodeBuild build and test action reference", output artifacts: with several, the
//!   buildspec's secondary artifacts have their names.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html>
//! - bottlerocket-os/bottlerocket, issue 604: the same by trial.

use tagwright_syntax::buildspec::Buildspec;

use crate::context::{Context, Report};
use crate::delivery;
use crate::{Category, Check, Fixable, Rule, Severity, handover};

pub(crate) static RULE: Rule = Rule {
    name: "missing-output-artifact",
    category: Category::Pipeline,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("missing_output_artifact"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for build in delivery::builds(context) {
        let (file, outputs) = (build.buildspec, &build.action.outputs);
        let own = file
            .buildspec
            .as_ref()
            .is_some_and(|it| !it.inline && it.template.is_none());
        if outputs.len() < 2 || !build.action.outputs_whole || !own || file.error.is_some() {
            continue;
        }
        // A batch puts the artifacts of its builds together.
        if build.action.setting("BatchEnabled").is_some() {
            continue;
        }
        let tree = file.tree();
        let Some(spec) = tree.root().and_then(|root| Buildspec::read(&tree, root)) else {
            continue;
        };
        let known: Vec<String> = match &spec.artifacts {
            None => Vec::new(),
            Some(_) => match handover::artifacts(&tree, &spec) {
                Some(all) => all.into_iter().filter_map(|it| it.id).collect(),
                None => continue,
            },
        };
        let missing: Vec<String> = outputs
            .iter()
            .filter(|name| !known.iter().any(|id| **id == ***name))
            .map(|name| format!("`{name}`"))
            .collect();
        if missing.is_empty() {
            continue;
        }
        let message = format!(
            "the buildspec has no secondary artifact {}: with several output artifacts each must be one of `secondary-artifacts`, spelled the same",
            missing.join(", ")
        );
        let place = spec.artifacts.as_ref().map_or(spec.root, |it| it.node);
        report.add(
            report
                .draft(build.file.id, build.action.span, message)
                .related(file.id, tree.node(place).span, "the build's artifacts"),
        );
    }
}

//! Several branches trigger a pipeline whose executions overtake each other.
//!
//! ## What it does
//!
//! Reports pipelines in CloudFormation and Terraform with triggers for several branches, or for a pattern of branches, in
//! the execution mode SUPERSEDED, which is the default.
//!
//! ## Why it matters
//!
//! An execution that waits in front of a stage is stopped as soon as a newer one catches up with it, whichever branch that
//! belongs to: a push to `develop` drops the release of `main`.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - make package
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
//!       PipelineType: V2
//!       Triggers:
//!         - ProviderType: CodeStarSourceConnection
//!           GitConfiguration:
//!             SourceActionName: Source
//!             Push: [{Branches: {Includes: [main, develop]}}]
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
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - make package
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
//!       PipelineType: V2
//!       ExecutionMode: QUEUED
//!       Triggers:
//!         - ProviderType: CodeStarSourceConnection
//!           GitConfiguration:
//!             SourceActionName: Source
//!             Push: [{Branches: {Includes: [main, develop]}}]
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
//! ```
//!
//! ## Fix
//!
//! None: QUEUED and PARALLEL have limits and prices of their own.
//!
//! ## When to silence it
//!
//! Where only the newest of all pushes matters.
//!
//! ## Sources
//!
//! - CodePipeline user guide, "How pipeline executions work", execution modes.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html>

use tagwright_flow::delivery::Value;

use crate::context::{Context, Report};
use crate::delivery;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "superseded-executions",
    category: Category::Pipeline,
    default: Some(Severity::Note),
    fixable: Fixable::Never,
    docs: docs!("superseded_executions"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for (file, pipeline) in delivery::pipelines(context) {
        let branches = &pipeline.trigger_branches;
        let several =
            branches.len() > 1 || branches.iter().any(|it| it.pattern.contains(['*', '?', '[', '{']));
        let superseded = matches!(&pipeline.mode, Value::Text(mode) if &**mode == "SUPERSEDED");
        if !several || !superseded {
            continue;
        }
        let message = "several branches trigger this pipeline, and its execution mode is SUPERSEDED: a push to one branch drops the execution of another that waits for a stage. Set `ExecutionMode` to QUEUED or PARALLEL";
        report.add(
            report
                .draft(file.id, pipeline.span, message)
                .related(file.id, branches[0].span, "several branches"),
        );
    }
}

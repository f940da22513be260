//! A build needs the branch, and the pipeline's action does not pass it.
//!
//! ## What it does
//!
//! Follows the build actions of pipelines in CloudFormation and Terraform to their CodeBuild project and
//! its buildspec. Where that reads `${BRANCH_NAME}` (or the configured variable) and gets it from nowhere
//! else, the action has to pass it. What tells of webhooks, and the S3 ARN in `CODEBUILD_SOURCE_VERSION`,
//! count as nowhere: a pipeline's build has no webhook. Of a buildspec that is found here,
//! `undefined-branch` does not speak again.
//!
//! An error where the build cannot do without it (it is in a tag, or `missing = "stop"` made `fix` write a
//! command that ends such a build), else a warning. A build that the command tags by its commit needs nothing.
//!
//! ## Why it matters
//!
//! CodePipeline knows the branch and keeps it to itself. The source arrives without a `.git` folder, so
//! nothing in the build can find it out.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:${BRANCH_NAME} .
//!       - docker push $REPOSITORY_URI:${BRANCH_NAME}
//! ```
//!
//! ```yaml pipeline.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Project:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Source:
//!         Type: CODEPIPELINE
//!   Pipeline:
//!     Type: AWS::CodePipeline::Pipeline
//!     Properties:
//!       Stages:
//!         - Name: Source
//!           Actions:
//!             - Name: Source
//!               Namespace: SourceVariables
//!               ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
//!         - Name: Build
//!           Actions:
//!             - Name: Build
//!               ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: "1"}
//!               Configuration:
//!                 ProjectName: !Ref Project
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:${BRANCH_NAME} .
//!       - docker push $REPOSITORY_URI:${BRANCH_NAME}
//! ```
//!
//! ```yaml pipeline.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Project:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Source:
//!         Type: CODEPIPELINE
//!   Pipeline:
//!     Type: AWS::CodePipeline::Pipeline
//!     Properties:
//!       Stages:
//!         - Name: Source
//!           Actions:
//!             - Name: Source
//!               Namespace: SourceVariables
//!               ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
//!         - Name: Build
//!           Actions:
//!             - Name: Build
//!               ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: "1"}
//!               Configuration:
//!                 ProjectName: !Ref Project
//!                 EnvironmentVariables: '[{"name":"BRANCH_NAME","value":"#{SourceVariables.BranchName}","type":"PLAINTEXT"}]'
//! ```
//!
//! ## Fix
//!
//! In a pipeline with one source, the action passes the branch of that source, which gets a namespace if it has
//! none; what the action passes already stays. Unsafe where the build works without the variable. Which of several
//! sources is meant is for the owner to say. Variables that a function of CloudFormation makes, or a text or a function
//! of Terraform's other than `jsonencode([…])`, are left alone.
//!
//! ## When to silence it
//!
//! Where the variable comes from a place that no file here shows: a project that was made by hand.
//!
//! ## Sources
//!
//! - CodePipeline user guide, "AWS CodeBuild build and test action reference": `EnvironmentVariables` is a
//!   JSON text of `name`, `value` and `type`.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html>
//! - CodePipeline user guide, "Variables reference": `BranchName` of CodeCommit and of connections.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html>
//! - awsdocs/aws-codepipeline-user-guide issue 25: `CODEBUILD_SOURCE_VERSION` is an S3 ARN.

use std::collections::BTreeSet;

use tagwright_flow::FileId;
use tagwright_flow::expression::{AtomKind, plain_name};
use tagwright_flow::facts::{AssignmentPlace, FileFacts, VariableRead};
use tagwright_syntax::Span;

use crate::context::{Context, Report};
use crate::delivery::{self, Build};
use crate::derivation::Derivation;
use crate::plan::pipeline::pass_to;
use crate::shell_text::names_in;
use crate::variables::{is_guarded, may_be_assigned};
use crate::{Applicability, Category, Check, Fix, Fixable, Refusal, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "branch-not-passed",
    category: Category::Pipeline,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("branch_not_passed"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let variable = &*context.settings.branch_variable;
    for build in delivery::builds(context) {
        let Some(passed) = &build.action.passed else {
            continue;
        };
        let always = passed.iter().find(|it| *it.name == *variable);
        if let Some(always) = always {
            let several = build.pipeline.trigger_branches.len() > 1;
            if several && !always.value.is_empty() && !always.value.contains(['#', '$', '\u{fffd}'])
            {
                let message = format!(
                    "every branch that triggers this pipeline is built as `{}`: pass `{}`",
                    always.value,
                    reference(&build)
                );
                report.add(report.draft(build.file.id, build.action.span, message));
            }
            continue;
        }
        let Some((span, severity)) = needed(context, &build) else {
            continue;
        };
        let consequence = match severity {
            Severity::Error => "the build fails for want of a branch",
            _ => "it is empty in this pipeline",
        };
        let message = format!(
            "the build needs {variable}, which this action does not pass: {consequence}. Give its configuration `EnvironmentVariables: '[{{\"name\":\"{variable}\",\"value\":\"{}\"}}]'`",
            reference(&build)
        );
        report.add(
            report
                .draft(build.file.id, build.action.span, message)
                .severity(severity)
                .related(build.buildspec.id, span, "needed here")
                .fix(fix(context, &build, severity)),
        );
    }
}

/// What lets the action pass the branch. Where the build works without, what it does may change.
fn fix(context: &Context<'_>, build: &Build<'_>, severity: Severity) -> Result<Fix, Refusal> {
    Ok(Fix {
        message: format!("pass {} to the build", context.settings.branch_variable),
        applicability: match severity {
            Severity::Error => Applicability::Safe,
            _ => Applicability::Unsafe,
        },
        changes: pass_to(context, build)?,
    })
}

/// How the pipeline writes its branch.
fn reference(build: &Build<'_>) -> String {
    delivery::branch_reference(build.pipeline)
        .unwrap_or_else(|| "#{SourceVariables.BranchName}".to_owned())
}

/// The buildspecs that this rule speaks of.
pub(crate) fn spoken_of(context: &Context<'_>) -> BTreeSet<FileId> {
    let variable = &*context.settings.branch_variable;
    if context.settings.level(&RULE).is_none() {
        return BTreeSet::new();
    }
    delivery::builds(context)
        .iter()
        .filter(|build| {
            let passed = build.action.passed.as_deref();
            passed.is_some_and(|passed| !passed.iter().any(|it| *it.name == *variable))
        })
        .filter(|build| needed(context, build).is_some())
        .map(|build| build.buildspec.id)
        .collect()
}

/// Where the build needs the variable that only the action can give it, and how much.
fn needed(context: &Context<'_>, build: &Build<'_>) -> Option<(Span, Severity)> {
    let variable = &*context.settings.branch_variable;
    let (project, spec) = (build.project, build.buildspec);
    if context.settings.branch_defined
        || !project.whole
        || project.variable(variable).is_some()
        || spec.buildspec.as_ref()?.template.is_some()
    {
        return None;
    }
    if let Some(span) = derived(spec, variable) {
        return Some((span, Severity::Error));
    }
    if let Some(span) = by_webhook(spec, variable) {
        return Some((span, Severity::Warning));
    }
    if may_be_assigned(spec, variable) {
        return None;
    }
    let read = spec.reads.iter().find(|read| *read.name == *variable)?;
    if read.guarded {
        return None;
    }
    let in_tag = context.tag_atoms().any(|(file, atom)| {
        let named = matches!(&atom.kind, AtomKind::Variable(name) if plain_name(name) == variable);
        file.id == spec.id && named && !is_guarded(file, atom)
    });
    Some((
        read.span,
        if in_tag {
            Severity::Error
        } else {
            Severity::Warning
        },
    ))
}

/// Where the derivation stands that ends the build without a branch, unless it asks Copilot's manifest too.
fn derived(spec: &FileFacts, variable: &str) -> Option<Span> {
    // Older versions wrote this message, and knew no other way. The guard spares almost every file from being
    // parsed once more.
    const REFUSAL: &str = "No branch name to tag the image with";
    let asks_copilot = |it: &VariableRead| &*it.name == "pipeline" && it.guarded;
    let stops = spec.may_hold(REFUSAL) && says(spec, REFUSAL)
        || spec.may_hold(Derivation::GUARD) && spec.scripts().iter().any(|item| Derivation::stops_without_branch(&item.text));
    if !stops || spec.reads.iter().any(asks_copilot) {
        return None;
    }
    let mut found = spec.assigned(variable);
    // An entry of `env` is a value that the derivation takes.
    if found.clone().any(|a| a.place != AssignmentPlace::Command) {
        return None;
    }
    let first = found.next()?;
    let length = spec
        .get(first.span)?
        .lines()
        .next()
        .unwrap_or("")
        .len();
    let start = first.span.start as usize;
    Some(Span::new(start, start + length))
}

/// Whether a command has the text in one of its words.
fn says(spec: &FileFacts, text: &str) -> bool {
    spec.scripts().iter().any(|item| {
        let mut words = item.script.commands.iter().flat_map(|it| &it.words);
        words.any(|word| word.literal().is_some_and(|it| it.contains(text)))
    })
}

/// The assignment, if all there are take their value from a webhook only.
fn by_webhook(spec: &FileFacts, variable: &str) -> Option<Span> {
    let mut found = spec.assigned(variable);
    let first = found.clone().next()?;
    let only_webhook = found.all(|a| {
        let mut names = names_in(&a.value).peekable();
        names.peek().is_some()
            && !a.value.contains("$(git")
            && !a.value.contains(":-")
            && names.all(|name| name.starts_with("CODEBUILD_WEBHOOK_"))
    });
    let asks = |it: &VariableRead| &*it.name == "CODEBUILD_INITIATOR";
    let tested = spec.reads.iter().any(asks) || !spec.habits().tested.is_empty();
    (only_webhook && !tested).then_some(first.span)
}

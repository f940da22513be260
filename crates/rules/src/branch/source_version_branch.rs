//! In a pipeline, what is taken for the branch is an address in S3.
//!
//! ## What it does
//!
//! Finds `CODEBUILD_SOURCE_VERSION` used as a tag, or assigned to the branch variable, with nothing that looks
//! for `arn:`, where the workspace shows a pipeline (CloudFormation, Terraform or Copilot).
//!
//! ## Why it matters
//!
//! The variable is the version that was asked for. A build that is started by hand may get a branch in
//! it; CodePipeline puts the ARN of its source artifact there, `arn:aws:s3:::bucket/pipeline/SourceArti/x`,
//! and docker refuses that as a tag.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - BRANCH_NAME=$CODEBUILD_SOURCE_VERSION
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$BRANCH_NAME .
//!       - docker push $REPOSITORY_URI:$BRANCH_NAME
//! ```
//!
//! ```yaml pipeline.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Pipeline:
//!     Type: AWS::CodePipeline::Pipeline
//!     Properties:
//!       RoleArn: arn:aws:iam::123456789012:role/pipeline
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - BRANCH_NAME=$CODEBUILD_SOURCE_VERSION
//!       - |
//! @DERIVATION@
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$BRANCH_NAME .
//!       - docker push $REPOSITORY_URI:$BRANCH_NAME
//! ```
//!
//! ```yaml pipeline.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Pipeline:
//!     Type: AWS::CodePipeline::Pipeline
//!     Properties:
//!       RoleArn: arn:aws:iam::123456789012:role/pipeline
//! ```
//!
//! ## Fix
//!
//! The derivation is inserted right after the assignment to the branch variable. It drops ARNs and commits,
//! and ends the build with a message where nothing else names a branch; the pipeline then has to pass
//! `#{SourceVariables.BranchName}`.
//!
//! ## When to silence it
//!
//! Where the project is never started by a pipeline, so that the variable holds what a person or a webhook
//! gave it.
//!
//! ## Sources
//!
//! - awsdocs/aws-codepipeline-user-guide issue 25; thii/aws-codebuild-extras issue 3.

use std::collections::BTreeSet;

use tagwright_flow::FileKind;
use tagwright_flow::expression::{AtomKind, plain_name};
use tagwright_flow::facts::{AssignmentFact, FileFacts};

use crate::context::{Context, Report};
use crate::plan::define_branch_after;
use crate::variables::{assignment_at, is_sanitised, item_text};
use crate::{Applicability, Category, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "source-version-branch",
    category: Category::Branch,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("source_version_branch"),
    check: Check::Workspace(check),
};

const VERSION: &str = "CODEBUILD_SOURCE_VERSION";

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let files = context.workspace.files();
    let candidates = files.iter().any(|file| {
        file.buildspec.is_some() && file.reads.iter().any(|read| &*read.name == VERSION)
    });
    if !candidates || !files.iter().any(shows_pipeline) {
        return;
    }
    let variable = &*context.settings.branch_variable;
    let mut seen = BTreeSet::new();
    for file in files.iter().filter(|file| file.buildspec.is_some()) {
        for assignment in file.assigned(variable) {
            if is_version(&assignment.value)
                && !asks_for_arn(file, assignment)
                && seen.insert((file.id, assignment.span.start))
            {
                let message = format!(
                    "in a pipeline {VERSION} is the ARN of an artifact in S3, so {variable} holds no branch"
                );
                let fix = derive(context, file, assignment);
                report.add(report.draft(file.id, assignment.span, message).fix(fix));
            }
        }
    }
    for (file, atom) in context.tag_atoms() {
        let AtomKind::Variable(name) = &atom.kind else {
            continue;
        };
        let operator = &name[plain_name(name).len()..];
        let Some(site) = atom.site else { continue };
        let assignment = assignment_at(file, site);
        if plain_name(name) != VERSION
            || !(operator.is_empty() || operator.starts_with("#refs"))
            || assignment.is_some_and(|a| *a.name == *variable || asks_for_arn(file, a))
            || !seen.insert((file.id, site.source.start))
        {
            continue;
        }
        let message = format!(
            "in a pipeline {VERSION} is the ARN of an artifact in S3, which docker refuses as a tag"
        );
        let reason = "which part of the build should name the tag is yours to say";
        report.add(
            report
                .draft(file.id, site.source, message)
                .fix(Err(Refusal::new(RefusalCode::YourDecision, reason))),
        );
    }
}

fn shows_pipeline(file: &FileFacts) -> bool {
    let pipelines = file.delivery.as_deref().map(|it| &it.pipelines[..]);
    file.kind == FileKind::CopilotPipeline || !pipelines.unwrap_or_default().is_empty()
}

/// Whether the value is the variable itself, perhaps without a prefix.
fn is_version(value: &str) -> bool {
    let inner = crate::shell_text::unquoted(value).trim_start_matches(['$', '{']);
    let name = plain_name(inner);
    let rest = inner[name.len()..].trim_end_matches('}');
    name == VERSION && (rest.is_empty() || rest.starts_with("#refs"))
}

/// Whether the command, or a later one that sets the variable again, tells an ARN from a branch.
fn asks_for_arn(file: &FileFacts, assignment: &AssignmentFact) -> bool {
    is_sanitised(file, assignment)
        || assignment.conditional
        || item_text(file, assignment.node).is_some()
            && file.scripts().iter().any(|item| {
                item.node == assignment.node && item.whole && item.live_text().contains("arn")
            })
}

fn derive(
    context: &Context<'_>,
    file: &FileFacts,
    assignment: &AssignmentFact,
) -> Result<Fix, Refusal> {
    let variable = &*context.settings.branch_variable;
    let change = define_branch_after(context, file, assignment.order)?;
    Ok(Fix {
        message: format!("make a tag of {variable} right after it is set, or end the build"),
        applicability: Applicability::Safe,
        changes: vec![change],
    })
}

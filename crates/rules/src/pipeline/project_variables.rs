//! A variable of a build project has no name and no value.
//!
//! ## What it does
//!
//! Finds entries of `EnvironmentVariables` of `AWS::CodeBuild::Project` that are written `- NAME: value`, and mappings of
//! names to values in the place of the list.
//!
//! ## Why it matters
//!
//! CloudFormation refuses the template, since each entry has to have a `Name` and a `Value`. In the buildspec nothing is wrong.
//!
//! ## Bad
//!
//! ```yaml template.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Project:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Source: {Type: GITHUB}
//!       Environment:
//!         Type: LINUX_CONTAINER
//!         Image: aws/codebuild/standard:7.0
//!         EnvironmentVariables:
//!           - STAGE: test
//! ```
//!
//! ## Good
//!
//! ```yaml template.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Project:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Source: {Type: GITHUB}
//!       Environment:
//!         Type: LINUX_CONTAINER
//!         Image: aws/codebuild/standard:7.0
//!         EnvironmentVariables:
//!           - Name: STAGE
//!             Value: test
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! Where a step between this file and CloudFormation rewrites the template.
//!
//! ## Sources
//!
//! - CloudFormation user guide, `AWS::CodeBuild::Project EnvironmentVariable`: `Name` and `Value` are required.
//!   <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-codebuild-project-environmentvariable.html>

use crate::context::{Context, Report};
use crate::delivery;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "project-variables",
    category: Category::Pipeline,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("project_variables"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for (file, project) in delivery::projects(context) {
        for (name, span) in &project.malformed {
            let message = format!(
                "a variable of a project needs a `Name` and a `Value`: write `- Name: {name}` and `Value:` below it"
            );
            report.add(report.draft(file.id, *span, message));
        }
    }
}

//! Nothing sets a variable that an image is named with.
//!
//! ## What it does
//!
//! Finds variables in the names and tags of images that neither the buildspec, nor the project, nor the action of the
//! pipeline sets. It speaks only where all builds that run the buildspec are written out in the same repository,
//! with their variables and an image of CodeBuild's own.
//!
//! ## Why it matters
//!
//! The variable is empty in the build, so that the reference is not a valid one, as in `:42`, or names another image.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $IMAGE_URI:$CODEBUILD_BUILD_NUMBER .
//!       - docker push $IMAGE_URI:$CODEBUILD_BUILD_NUMBER
//! ```
//!
//! ```yaml pipeline.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Web:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Environment:
//!         Type: LINUX_CONTAINER
//!         Image: aws/codebuild/standard:7.0
//!         PrivilegedMode: true
//!       Source: {Type: CODEPIPELINE}
//!   Pipeline:
//!     Type: AWS::CodePipeline::Pipeline
//!     Properties:
//!       Stages:
//!         - Name: Build
//!           Actions:
//!             - Name: Build
//!               ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: "1"}
//!               Configuration:
//!                 ProjectName: !Ref Web
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   variables:
//!     IMAGE_URI: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $IMAGE_URI:$CODEBUILD_BUILD_NUMBER .
//!       - docker push $IMAGE_URI:$CODEBUILD_BUILD_NUMBER
//! ```
//!
//! ## Fix
//!
//! None: the value is not known.
//!
//! ## When to silence it
//!
//! Where somebody starts builds of the project with variables of their own.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Environment variables in build environments".
//! - CodePipeline user guide, "AWS CodeBuild build and test action reference", `EnvironmentVariables`.

use std::collections::HashMap;

use tagwright_flow::FileId;

use crate::context::{Context, Report};
use crate::delivery::{self, Build, Runs};
use tagwright_grammar::images;
use crate::variables::{is_provided, may_be_assigned, unset};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "undefined-variable",
    category: Category::Pipeline,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("undefined_variable"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let mut of_file: HashMap<FileId, Vec<Build<'_>>> = HashMap::new();
    for build in delivery::builds(context) {
        of_file.entry(build.buildspec.id).or_default().push(build);
    }
    if of_file.is_empty() {
        return;
    }
    let runs = Runs::new(context);
    for file in context.workspace.files() {
        let Some(builds) = of_file.get(&file.id) else {
            continue;
        };
        let whole = builds
            .iter()
            .all(|it| it.project.whole && it.pipeline.whole && it.action.passed.is_some());
        // A build that no pipeline starts may be given anything.
        let others = runs.at(file.id, tagwright_syntax::Span::empty(0)).count() > builds.len();
        if !whole || others {
            continue;
        }
        let mut seen: Vec<&str> = Vec::new();
        for (name, image) in unset(file) {
            let spoken = seen.contains(&name)
                || name == context.settings.branch_variable
                || name.contains("BRANCH");
            if spoken
                || is_provided(context, name)
                || may_be_assigned(file, name)
                || runs.agree(file.id, image.span, images::system).is_none()
            {
                continue;
            }
            seen.push(name);
            let message = format!(
                "nothing sets `{name}`: it is empty in this build, and `{}` names no image",
                image.written
            );
            let build = &builds[0];
            let draft = report.draft(file.id, image.span, message).related(
                build.file.id,
                build.action.span,
                format!("{} runs this buildspec and does not pass it", build.action.name),
            );
            report.add(draft);
        }
    }
}

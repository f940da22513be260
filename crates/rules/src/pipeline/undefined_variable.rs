//! Nothing sets a variable that an image or a container is named with.
//!
//! ## What it does
//!
//! Finds variables in the names and tags of images, and in the files that a build writes for a deployment, that neither the
//! buildspec, nor the project, nor the action of the pipeline sets. It speaks only where all builds that run the buildspec
//! are written out in the same repository, with their variables and an image of CodeBuild's own: started by a pipeline, or by
//! the only project, which fetches the source itself.
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
use tagwright_flow::delivery::Value;
use tagwright_flow::facts::{FileFacts, IMAGE_FILES};
use tagwright_grammar::images;
use tagwright_syntax::shell::{Command, PartKind};
use tagwright_syntax::{SmolStr, Span};

use crate::context::{Context, Report};
use crate::delivery::{self, Runs};
use crate::handover::{file_name, writes};
use crate::variables::{is_provided, is_unset, may_be_assigned, unset};
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
    let sources = started(context);
    if sources.is_empty() {
        return;
    }
    let runs = Runs::new(context);
    for file in context.workspace.files() {
        let Some(starts) = sources.get(&file.id) else {
            continue;
        };
        // Where something else may start the build, it may be given anything.
        let others = runs.at(file.id, Span::empty(0)).count() > starts.len();
        if others || !starts.iter().all(|it| it.whole) {
            continue;
        }
        let mut seen: Vec<SmolStr> = Vec::new();
        for Empty { name, span, effect } in empty(file) {
            let spoken = seen.contains(&name)
                || *name == *context.settings.branch_variable
                || name.contains("BRANCH");
            if spoken
                || is_provided(context, &name)
                || may_be_assigned(file, &name)
                || runs.agree(file.id, span, images::system).is_none()
            {
                continue;
            }
            let start = &starts[0];
            let message = format!("nothing sets `{name}`: it is empty in this build, and {effect}");
            let who = format!("{} runs this buildspec and does not set it", start.who);
            let draft = report.draft(file.id, span, message);
            report.add(draft.related(start.file, start.span, who));
            seen.push(name);
        }
    }
}

/// What starts a build.
struct Start {
    /// For people.
    who: String,
    /// Where it is described.
    file: FileId,
    span: Span,
    /// All variables that it gives to the build are written out.
    whole: bool,
}

/// What starts the builds of each buildspec: actions of pipelines, and projects that fetch the source themselves.
fn started(context: &Context<'_>) -> HashMap<FileId, Vec<Start>> {
    let mut found: HashMap<FileId, Vec<Start>> = HashMap::new();
    for build in delivery::builds(context) {
        found.entry(build.buildspec.id).or_default().push(Start {
            who: format!("the action `{}`", build.action.name),
            file: build.file.id,
            span: build.action.span,
            whole: build.project.whole && build.pipeline.whole && build.action.passed.is_some(),
        });
    }
    for (holder, project) in delivery::projects(context) {
        // Before all others are looked through for one that runs the same buildspec.
        if !matches!(&project.source, Value::Text(kind) if &**kind != "CODEPIPELINE") {
            continue;
        }
        let Some(file) = delivery::only_runs(context, holder, project) else {
            continue;
        };
        found.entry(file.id).or_default().push(Start {
            who: "this project".to_owned(),
            file: holder.id,
            span: project.span,
            whole: project.whole,
        });
    }
    found
}

/// A variable that the buildspec does not set.
struct Empty {
    name: SmolStr,
    /// Where it is used, bytes of the file.
    span: Span,
    /// What comes of it, for people.
    effect: String,
}

/// The variables in names of images, and in what is written for a deployment, that nothing in the file sets.
fn empty(file: &FileFacts) -> Vec<Empty> {
    let of_images = unset(file).map(|(name, image)| Empty {
        name: name.into(),
        span: image.span,
        effect: format!("`{}` names no image", image.written),
    });
    let mut found: Vec<Empty> = of_images.collect();
    if !IMAGE_FILES.iter().any(|name| file.may_hold(name)) {
        return found;
    }
    for item in file.scripts().iter().filter(|it| it.whole && it.is_certain()) {
        for write in writes(&item.script, &item.text) {
            let target = file_name(write.target).unwrap_or_default();
            if !IMAGE_FILES.contains(&&*target) {
                continue;
            }
            let command = &item.script.commands[write.command];
            for (name, span) in plain_variables(command) {
                let Some(span) = delivery::place(file, item, span) else {
                    continue;
                };
                if is_unset(file, &name) {
                    let effect = format!("so is its place in `{target}`");
                    found.push(Empty { name, span, effect });
                }
            }
        }
    }
    found
}

/// The variables without a default among the words of a command.
fn plain_variables(command: &Command) -> impl Iterator<Item = (SmolStr, Span)> {
    let parts = command.words.iter().flat_map(|word| &word.parts);
    parts.filter_map(|part| match &part.kind {
        PartKind::Variable(variable) if variable.operator.is_none() => {
            let name: SmolStr = (&*variable.name).into();
            let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            named.then_some((name, part.span))
        }
        _ => None,
    })
}

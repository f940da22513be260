//! A pipeline reads a variable of a namespace that no action before it declares.
//!
//! ## What it does
//!
//! Looks at `#{Name.Variable}` in the configuration of actions and in the conditions of stages. `Name` has to
//! be the `Namespace` of an action that runs earlier; `codepipeline` is built in, and `variables` holds what
//! the pipeline's own `Variables` declare. Pipelines of which a part is made by a function are left alone.
//!
//! ## Why it matters
//!
//! The console gives the source action the namespace `SourceVariables`; CloudFormation, Terraform and the API
//! give it none. Without one the variable does not exist, and CodePipeline refuses the pipeline or fails the
//! action.
//!
//! ## Bad
//!
//! ```yaml pipeline.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Pipeline:
//!     Type: AWS::CodePipeline::Pipeline
//!     Properties:
//!       Stages:
//!         - Name: Source
//!           Actions:
//!             - Name: Source
//!               ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
//!         - Name: Build
//!           Actions:
//!             - Name: Build
//!               ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: "1"}
//!               Configuration:
//!                 ProjectName: web
//!                 EnvironmentVariables: '[{"name":"BRANCH_NAME","value":"#{SourceVariables.BranchName}"}]'
//! ```
//!
//! ## Good
//!
//! ```yaml pipeline.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
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
//!                 ProjectName: web
//!                 EnvironmentVariables: '[{"name":"BRANCH_NAME","value":"#{SourceVariables.BranchName}"}]'
//! ```
//!
//! ## Fix
//!
//! The source action gets the namespace, if it is the only one and has none. Elsewhere the message says what is
//! missing.
//!
//! ## When to silence it
//!
//! Where the pipeline was changed in the console, which adds namespaces that the template does not show.
//! Better: write the namespace into the template.
//!
//! ## Sources
//!
//! - CodePipeline user guide, "Working with variables": namespaces, and which of them are created by default.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-variables.html>
//! - CloudFormation, `AWS::CodePipeline::Pipeline` `VariableDeclaration`.
//!   <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-codepipeline-pipeline-variabledeclaration.html>

use tagwright_flow::delivery::{Pipeline, Reference};

use crate::context::{Context, Report};
use crate::delivery;
use crate::plan::pipeline::{declare, of_source};
use crate::{Applicability, Category, Check, Fix, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "missing-namespace",
    category: Category::Pipeline,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("missing_namespace"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for (file, pipeline) in delivery::pipelines(context) {
        if !pipeline.whole {
            continue;
        }
        let draft = |reference: &Reference, before: (usize, u32)| {
            let what = problem(pipeline, reference, before)?;
            let message = format!(
                "`{}` is not resolved: {what}",
                file.slice(reference.span)
            );
            let draft = report.draft(file.id, reference.span, message);
            let Some(span) = source_without_namespace(pipeline, reference) else {
                return Some(draft);
            };
            let needs = format!("this action needs `Namespace: {}`", reference.namespace);
            let draft = draft.related(file.id, span, needs);
            Some(draft.fix(declare(file, pipeline, reference).map(|change| Fix {
                message: format!("declare the namespace `{}`", reference.namespace),
                applicability: Applicability::Safe,
                changes: vec![change],
            })))
        };
        let mut drafts = Vec::new();
        for (index, stage) in pipeline.stages.iter().enumerate() {
            let conditions = stage.references.iter().map(|it| (it, (index, u32::MAX)));
            let settings = stage.actions.iter().flat_map(|action| {
                let at = (index, action.run_order);
                action.references.iter().map(move |it| (it, at))
            });
            drafts.extend(
                conditions
                    .chain(settings)
                    .filter_map(|(reference, before)| draft(reference, before)),
            );
        }
        for draft in drafts {
            report.add(draft);
        }
    }
}

/// Why the reference, read by something of this stage and run order, has no value.
fn problem(pipeline: &Pipeline, reference: &Reference, before: (usize, u32)) -> Option<String> {
    match &*reference.namespace {
        "codepipeline" => return None,
        "variables" => {
            let declared = pipeline.variables.contains(&reference.name);
            return (!declared).then(|| {
                format!(
                    "the pipeline's `Variables` do not declare `{}`",
                    reference.name
                )
            });
        }
        _ => {}
    }
    let mut first: Option<(usize, u32)> = None;
    for (index, stage) in pipeline.stages.iter().enumerate() {
        for action in &stage.actions {
            if action.namespace.as_deref() == Some(&*reference.namespace) {
                let at = (index, action.run_order);
                first = Some(first.map_or(at, |known| known.min(at)));
            }
        }
    }
    match first {
        None => Some(format!(
            "no action of the pipeline has `Namespace: {}`, and without it none has variables of that name",
            reference.namespace
        )),
        Some(at) if at >= before => Some(format!(
            "the action with `Namespace: {}` has not run yet",
            reference.namespace
        )),
        Some(_) => None,
    }
}

/// The one source action, if it is the one that is meant and has no namespace.
fn source_without_namespace(
    pipeline: &Pipeline,
    reference: &Reference,
) -> Option<tagwright_syntax::Span> {
    let mut sources = delivery::actions(pipeline).filter(|it| &*it.category == "Source");
    let first = sources.next()?;
    (of_source(reference) && first.namespace.is_none() && sources.next().is_none()).then_some(first.span)
}

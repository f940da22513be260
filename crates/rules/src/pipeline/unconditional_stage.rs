//! A pipeline that several branches trigger goes on to production without asking which one it is.
//!
//! ## What it does
//!
//! Finds stages named after production (`prod`, `production`, `prd`, `live`) in pipelines whose triggers name
//! several branches or a pattern of branches, where neither an entry condition nor an approval, of this stage
//! or of one before it, can hold an execution back.
//!
//! ## Why it matters
//!
//! Every push to any of the branches is deployed to production.
//!
//! ## Bad
//!
//! ```yaml pipeline.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Pipeline:
//!     Type: AWS::CodePipeline::Pipeline
//!     Properties:
//!       PipelineType: V2
//!       ExecutionMode: QUEUED
//!       Triggers:
//!         - ProviderType: CodeStarSourceConnection
//!           GitConfiguration:
//!             SourceActionName: Source
//!             Push:
//!               - Branches:
//!                   Includes: [main, develop]
//!       Stages:
//!         - Name: Source
//!           Actions:
//!             - Name: Source
//!               Namespace: SourceVariables
//!               ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
//!         - Name: Production
//!           Actions:
//!             - Name: Deploy
//!               ActionTypeId: {Category: Deploy, Owner: AWS, Provider: ECS, Version: "1"}
//!               Configuration:
//!                 ClusterName: production
//!                 ServiceName: web
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
//!       PipelineType: V2
//!       ExecutionMode: QUEUED
//!       Triggers:
//!         - ProviderType: CodeStarSourceConnection
//!           GitConfiguration:
//!             SourceActionName: Source
//!             Push:
//!               - Branches:
//!                   Includes: [main, develop]
//!       Stages:
//!         - Name: Source
//!           Actions:
//!             - Name: Source
//!               Namespace: SourceVariables
//!               ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
//!         - Name: Production
//!           BeforeEntry:
//!             Conditions:
//!               - Result: SKIP
//!                 Rules:
//!                   - Name: OnlyMain
//!                     RuleTypeId: {Category: Rule, Owner: AWS, Provider: VariableCheck, Version: "1"}
//!                     Configuration:
//!                       Variable: "#{SourceVariables.BranchName}"
//!                       Operator: EQ
//!                       Value: main
//!           Actions:
//!             - Name: Deploy
//!               ActionTypeId: {Category: Deploy, Owner: AWS, Provider: ECS, Version: "1"}
//!               Configuration:
//!                 ClusterName: production
//!                 ServiceName: web
//! ```
//!
//! ## Fix
//!
//! None: which branch may go to production is for the owner to say.
//!
//! ## When to silence it
//!
//! Where something outside of the template stops the wrong branch: a rule of the service that is deployed,
//! an approval in another account.
//!
//! ## Sources
//!
//! - CodePipeline user guide, "Stage conditions": what a condition does.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html>
//! - CodePipeline user guide, "VariableCheck": operators.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-VariableCheck.html>
//! - CodePipeline user guide, "Add trigger with code push or pull request event types".
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-filter.html>

use tagwright_flow::delivery::{Gate, Pipeline, Stage};

use crate::context::{Context, Report};
use crate::delivery;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "unconditional-stage",
    category: Category::Pipeline,
    default: Some(Severity::Note),
    fixable: Fixable::Never,
    docs: docs!("unconditional_stage"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for (file, pipeline) in delivery::pipelines(context) {
        let several = pipeline.trigger_branches.len() > 1
            || pipeline
                .trigger_branches
                .iter()
                .any(|it| it.pattern.contains(['*', '?', '[', '{']));
        if !several || !pipeline.whole {
            continue;
        }
        let Some(stage) = unguarded(pipeline) else {
            continue;
        };
        let trigger = &pipeline.trigger_branches[0];
        let message = format!(
            "every branch that triggers this pipeline is deployed by `{}`: a `BeforeEntry` condition on the branch, or an approval, would hold the others back",
            stage.name
        );
        report.add(report.draft(file.id, stage.span, message).related(
            file.id,
            trigger.span,
            "several branches trigger it",
        ));
    }
}

/// The first stage of production that nothing holds back.
fn unguarded(pipeline: &Pipeline) -> Option<&Stage> {
    for stage in &pipeline.stages {
        let asks = stage
            .actions
            .iter()
            .any(|action| &*action.category == "Approval");
        if asks || stage.gate == Gate::Stops {
            return None;
        }
        let deploys = stage
            .actions
            .iter()
            .any(|action| matches!(&*action.category, "Deploy" | "Build" | "Invoke" | "Compute"));
        if deploys && stage.gate == Gate::Open && is_production(&stage.name) {
            return Some(stage);
        }
    }
    None
}

fn is_production(name: &str) -> bool {
    delivery::words(name).any(|word| matches!(&*word, "prod" | "production" | "prd" | "live"))
}

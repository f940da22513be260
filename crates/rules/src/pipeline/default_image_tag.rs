//! A pipeline's action publishes the image as `latest`.
//!
//! ## What it does
//!
//! Finds actions of the provider `ECRBuildAndPublish` without `ImageTags`, whose default is `latest`, and
//! those whose only tag is `latest`.
//!
//! ## Why it matters
//!
//! The tag says nothing about what is in the image, and moves with every run of the pipeline.
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
//!               Namespace: SourceVariables
//!               ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
//!         - Name: Build
//!           Actions:
//!             - Name: Image
//!               ActionTypeId: {Category: Build, Owner: AWS, Provider: ECRBuildAndPublish, Version: "1"}
//!               Configuration:
//!                 ECRRepositoryName: web
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
//!             - Name: Image
//!               ActionTypeId: {Category: Build, Owner: AWS, Provider: ECRBuildAndPublish, Version: "1"}
//!               Configuration:
//!                 ECRRepositoryName: web
//!                 ImageTags: "#{SourceVariables.CommitId}"
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! Where the image is meant to be pulled as `latest`, and nothing is deployed by it.
//!
//! ## Sources
//!
//! - CodePipeline user guide, "ECRBuildAndPublish build action reference": `ImageTags`.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECRBuildAndPublish.html>

use tagwright_flow::delivery::Value;

use crate::context::{Context, Report};
use crate::delivery;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "default-image-tag",
    category: Category::Pipeline,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("default_image_tag"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for (file, pipeline) in delivery::pipelines(context) {
        for action in delivery::actions(pipeline) {
            // Without any setting the configuration is made elsewhere.
            if &*action.provider != "ECRBuildAndPublish" || action.settings.is_empty() {
                continue;
            }
            let span = match action.setting("ImageTags") {
                None => action.span,
                Some(tags) => match &tags.value {
                    Value::Text(text) if text.split(',').all(|tag| tag.trim() == "latest") => {
                        tags.span
                    }
                    _ => continue,
                },
            };
            let tag = delivery::commit_reference(pipeline);
            let message = format!(
                "this action publishes the image as `latest`; give it a tag that says what is in it: `ImageTags: \"{tag}\"`"
            );
            report.add(report.draft(file.id, span, message));
        }
    }
}

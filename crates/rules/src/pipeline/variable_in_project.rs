//! A pipeline's variable stands where no pipeline resolves it.
//!
//! ## What it does
//!
//! Finds `#{SourceVariables.BranchName}` and the like in the environment variables of a CodeBuild project
//! (CloudFormation, Terraform), in the text of its buildspec, and in a buildspec's commands and variables.
//! In commands only the namespaces that CodePipeline itself proposes are meant, since `#{…}` is also Ruby.
//!
//! ## Why it matters
//!
//! CodePipeline resolves variables in the configuration of its actions, and nowhere else. The build gets the
//! text as it stands: docker is asked for the tag `#{SourceVariables.BranchName}` and refuses.
//!
//! ## Bad
//!
//! ```yaml project.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Project:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Source:
//!         Type: CODEPIPELINE
//!       Environment:
//!         EnvironmentVariables:
//!           - Name: BRANCH_NAME
//!             Value: "#{SourceVariables.BranchName}"
//! ```
//!
//! ## Good
//!
//! ```yaml project.yml
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
//!                 EnvironmentVariables: '[{"name":"BRANCH_NAME","value":"#{SourceVariables.BranchName}"}]'
//! ```
//!
//! ## Fix
//!
//! None: the variable moves from the project to the action, which may be in another file.
//!
//! ## When to silence it
//!
//! Where another tool replaces `#{…}` before the template is deployed.
//!
//! ## Sources
//!
//! - CodePipeline user guide, "Working with variables": variables are resolved in action configurations.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-variables.html>
//! - aws/aws-cdk issue 9851.

use tagwright_flow::delivery::{self, Reference};
use tagwright_flow::facts::FileFacts;
use tagwright_syntax::buildspec::Buildspec;
use tagwright_syntax::Span;
use tagwright_syntax::yaml::NodeId;

use crate::context::{Context, Report};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "variable-in-project",
    category: Category::Pipeline,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("variable_in_project"),
    check: Check::Workspace(check),
};

/// Namespaces that are CodePipeline's own or that its console and its documentation use.
const NAMESPACES: [&str; 5] = [
    "SourceVariables",
    "BuildVariables",
    "DeployVariables",
    "codepipeline",
    "variables",
];

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for file in context.workspace.files() {
        let projects = file.delivery.as_deref().map(|it| &it.projects[..]);
        for project in projects.unwrap_or_default() {
            for reference in &project.references {
                let message = format!(
                    "`{}` stays as it is: CodePipeline resolves variables only in the configuration of an action, not in a project. Pass it in the action's `EnvironmentVariables`",
                    file.slice(reference.span)
                );
                report.add(report.draft(file.id, reference.span, message));
            }
        }
        for reference in in_buildspec(file) {
            let message = format!(
                "`{}` stays as it is: CodePipeline resolves variables only in the configuration of an action, not in a buildspec. Pass it in the action's `EnvironmentVariables`, and read the variable here",
                file.slice(reference.span)
            );
            report.add(report.draft(file.id, reference.span, message));
        }
    }
}

/// The references in the commands and variables of a buildspec.
fn in_buildspec(file: &FileFacts) -> Vec<Reference> {
    let own = file
        .buildspec
        .as_ref()
        .is_some_and(|spec| !spec.inline && spec.template.is_none());
    if !own || !file.may_hold("#{") {
        return Vec::new();
    }
    let tree = file.tree();
    let Some(spec) = tree.root().and_then(|root| Buildspec::read(&tree, root)) else {
        return Vec::new();
    };
    let values = spec.env.variables.iter().map(|entry| entry.value);
    let mut texts: Vec<(NodeId, String)> = values
        .filter_map(|node| Some((node, tree.text(node)?.to_owned())))
        .collect();
    // Explained in a comment or printed, it is not used.
    let scripts = file.scripts();
    let items = scripts.iter().filter(|item| item.whole);
    texts.extend(items.map(|item| (item.node, item.live_text())));
    let mut found = Vec::new();
    for (node, text) in texts {
        let map = file.source_map(&tree, node);
        for mut reference in delivery::references(&text, Span::new(0, text.len())) {
            let place = map.as_ref().and_then(|map| map.source(reference.span));
            reference.span = place.unwrap_or(tree.node(node).span);
            found.push(reference);
        }
    }
    found.retain(|reference| NAMESPACES.contains(&&*reference.namespace));
    found
}

//! A pipeline action passes variables in a form that CodePipeline refuses.
//!
//! ## What it does
//!
//! Looks at `EnvironmentVariables` of CodeBuild actions in CloudFormation and Terraform, which has to be a text: the JSON
//! of a list of objects with `name`, `value` and `type`, of at most 1,000 characters. Reports a list or an object of
//! the template's own language, JSON of another shape, keys without quotes, a text that is too long, and, as a warning, a
//! commit message inside the JSON. What is computed is left alone.
//!
//! ## Why it matters
//!
//! The template is refused ("Value of property Configuration must be an object with String (or simple type) properties"),
//! or the action fails when it starts. CodePipeline puts a commit message into the text without escaping it, so a quote or a
//! second line in it breaks the JSON.
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
//!                 EnvironmentVariables:
//!                   - Name: STAGE
//!                     Value: test
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
//!                 EnvironmentVariables: '[{"name":"STAGE","value":"test"}]'
//!               InputArtifacts: [{Name: Source}]
//!               OutputArtifacts: [{Name: Out}]
//! ```
//!
//! ## Fix
//!
//! None: the list becomes JSON text in the style of the template.
//!
//! ## When to silence it
//!
//! Where a step between this file and AWS rewrites the configuration.
//!
//! ## Sources
//!
//! - CodePipeline user guide, "AWS CodeBuild build and test action reference", `EnvironmentVariables`.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html>
//! - aws-cloudformation/cloudformation-coverage-roadmap, issue 668: a list is refused.
//! - aws/aws-cdk, issues 8458 (format, and commit messages) and 12747 (1,000 characters).

use serde_json::Value;
use tagwright_flow::delivery::{UNKNOWN, VariablesForm};

use crate::context::{Context, Report};
use crate::delivery;
use crate::handover::{HOLE, NotJson, json};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "action-variables",
    category: Category::Pipeline,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("action_variables"),
    check: Check::Workspace(check),
};

/// The most characters that a value of an action's configuration may have.
/// Source: CodePipeline user guide, action reference of CodeBuild (stored copy of 2026).
const MOST: usize = 1_000;

const FORM: &str = "`[{\"name\":\"NAME\",\"value\":\"value\"}]`";

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for (file, pipeline) in delivery::pipelines(context) {
        for action in delivery::actions(pipeline).filter(|it| it.is_build()) {
            let Some(variables) = &action.variables else {
                continue;
            };
            let problem = match &variables.form {
                VariablesForm::List => Some((
                    Severity::Error,
                    format!("`EnvironmentVariables` must be a text, not a list: write the list as JSON in quotes, as in {FORM}"),
                )),
                VariablesForm::Object => Some((
                    Severity::Error,
                    format!("`EnvironmentVariables` must be a text, the JSON of a list, not an object: write {FORM}"),
                )),
                VariablesForm::Text(text) => of_text(text),
            };
            if let Some((severity, message)) = problem {
                let span = variables.span;
                report.add(report.draft(file.id, span, message).severity(severity));
            }
        }
    }
}

/// What is wrong with the text.
fn of_text(text: &str) -> Option<(Severity, String)> {
    let length = text.chars().filter(|it| *it != UNKNOWN).count();
    if length > MOST {
        let message = format!(
            "`EnvironmentVariables` has {length} characters, and a value of an action's configuration at most 1,000: move variables into the project"
        );
        return Some((Severity::Error, message));
    }
    let message = match json(&without_references(text)) {
        Ok(Value::Array(items)) => {
            let named = |item: &Value| {
                let keys = item.as_object().map(|it| it.keys());
                keys.is_some_and(|mut it| it.any(|key| key.eq_ignore_ascii_case("name")))
            };
            if items.iter().all(named) {
                return wrong_type(&items).or_else(|| commit_message(text));
            }
            format!("each entry of `EnvironmentVariables` needs a `name` and a `value`: {FORM}")
        }
        Ok(_) => format!("`EnvironmentVariables` must be a JSON list, not an object: {FORM}"),
        Err(NotJson::Unknown) => return None,
        Err(NotJson::NoQuotes | NotJson::SingleQuotes) => format!(
            "`EnvironmentVariables` is not JSON: JSON requires double quotes around keys and values, as in {FORM}"
        ),
        Err(NotJson::Other) => {
            format!("`EnvironmentVariables` is not JSON: check its quotes, commas and brackets. Write {FORM}")
        }
    };
    Some((Severity::Error, message))
}

/// The kinds of values. Source: CodePipeline user guide, action reference of CodeBuild, `EnvironmentVariables` (2026).
const TYPES: [&str; 3] = ["PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER"];

fn wrong_type(items: &[Value]) -> Option<(Severity, String)> {
    let mut types = items.iter().filter_map(|item| item.get("type")?.as_str());
    let wrong = types.find(|it| !it.contains(HOLE) && !TYPES.contains(it))?;
    let message = format!(
        "`{wrong}` is no type of a variable: `EnvironmentVariables` takes {}",
        TYPES.join(", ")
    );
    Some((Severity::Error, message))
}

fn commit_message(text: &str) -> Option<(Severity, String)> {
    text.contains(".CommitMessage}").then(|| {
        let message = "CodePipeline puts the commit message into this JSON without escaping it: a double quote or a second line in it makes the action fail. Pass the commit id, and read the message with `git log` or the API";
        (Severity::Warning, message.to_owned())
    })
}

/// The text with a hole for each `#{…}` and for each part that is not written out.
fn without_references(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("#{") {
        plain.push_str(before);
        plain.push(HOLE);
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain.replace(UNKNOWN, HOLE.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_refused_or_not() {
        let cases = [
            ("[{\"name\":\"A\",\"value\":\"#{S.B}\"}]", None),
            ("[\n  {\"name\": \"A\", \"value\": \"\u{fffd}\"}\n]\n", None),
            ("[{\"name\":\"A\",\"value\":\u{fffd}}]", None),
            ("\u{fffd}", None),
            ("[]", None),
            ("[{name: A, value: \"b\"}]", Some(Severity::Error)),
            ("[{name: A, value: b}]", Some(Severity::Error)),
            ("[{'name':'A','value':'b'}]", Some(Severity::Error)),
            ("{\"A\":\"b\"}", Some(Severity::Error)),
            ("[{\"A\":\"b\"}]", Some(Severity::Error)),
            (
                "[{\"name\":\"A\",\"value\":\"b\",\"type\":\"SECRETS_MANAGER\"}]",
                None,
            ),
            (
                "[{\"name\":\"A\",\"value\":\"b\",\"type\":\"SECRET\"}]",
                Some(Severity::Error),
            ),
            ("[{\"name\":\"A\",\"value\":\"b\"},]", Some(Severity::Error)),
            (
                "[{\"name\":\"A\",\"value\":\"#{S.CommitMessage}\"}]",
                Some(Severity::Warning),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(of_text(text).map(|it| it.0), expected, "{text}");
        }
        let long = format!("[{{\"name\":\"A\",\"value\":\"{}\"}}]", "b".repeat(1_000));
        assert_eq!(of_text(&long).map(|it| it.0), Some(Severity::Error));
    }
}

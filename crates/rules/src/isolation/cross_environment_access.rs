//! The role of one environment may push to the repository of another.
//!
//! ## What it does
//!
//! Works only with `strategy = "repository-per-branch"` in `tagwright.toml`. Compares, in CloudFormation and
//! Terraform, the environment that a role's name names (`dev-build`, `ProdBuildRole`) with the one in the name of
//! each repository that it may push to (`ecr:PutImage`, `ecr:InitiateLayerUpload`, `ecr:*`, …). Only names that are
//! written out are compared; a statement with a condition, and a wildcard, is left alone. In Terraform that is
//! `aws_iam_role_policy`, an `aws_iam_policy` attached to a role, and `inline_policy`, with the policy in
//! `jsonencode`, in a here-document or in an `aws_iam_policy_document` of the same file, if none of its statements
//! denies anything.
//!
//! ## Why it matters
//!
//! Two repositories isolate nothing if one role can write both: a build of `develop` can replace what
//! production pulls.
//!
//! ## Bad
//!
//! ```yaml roles.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Role:
//!     Type: AWS::IAM::Role
//!     Properties:
//!       RoleName: web-build-dev
//!       AssumeRolePolicyDocument:
//!         Statement:
//!           - {Effect: Allow, Principal: {Service: codebuild.amazonaws.com}, Action: "sts:AssumeRole"}
//!       Policies:
//!         - PolicyName: push
//!           PolicyDocument:
//!             Statement:
//!               - Effect: Allow
//!                 Action: ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"]
//!                 Resource:
//!                   - !Sub "arn:aws:ecr:${AWS::Region}:${AWS::AccountId}:repository/web-dev"
//!                   - !Sub "arn:aws:ecr:${AWS::Region}:${AWS::AccountId}:repository/web-prod"
//! ```
//!
//! ## Good
//!
//! ```yaml roles.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Role:
//!     Type: AWS::IAM::Role
//!     Properties:
//!       RoleName: web-build-dev
//!       AssumeRolePolicyDocument:
//!         Statement:
//!           - {Effect: Allow, Principal: {Service: codebuild.amazonaws.com}, Action: "sts:AssumeRole"}
//!       Policies:
//!         - PolicyName: push
//!           PolicyDocument:
//!             Statement:
//!               - Effect: Allow
//!                 Action: ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"]
//!                 Resource: !Sub "arn:aws:ecr:${AWS::Region}:${AWS::AccountId}:repository/web-dev"
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! For the role that promotes an image from one environment to the next, if nothing else can assume it.
//!
//! ## Sources
//!
//! - Service authorization reference, "Actions, resources, and condition keys for Amazon Elastic Container
//!   Registry".
//!   <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html>

use tagwright_flow::delivery::{Grant, Value};
use tagwright_flow::facts::FileFacts;

use crate::context::{Context, Report};
use crate::environment::environment;
use crate::settings::Strategy;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "cross-environment-access",
    category: Category::Isolation,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("cross_environment_access"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    if context.settings.strategy != Strategy::RepositoryPerBranch {
        return;
    }
    for file in context.workspace.files() {
        let grants = file.delivery.as_deref().map(|it| &it.grants[..]);
        for grant in grants.unwrap_or_default() {
            let Some(repository) = repository(file, grant) else {
                continue;
            };
            let (Some(own), Some(other)) = (environment(&grant.role), environment(repository))
            else {
                continue;
            };
            if own == other {
                continue;
            }
            let message = format!(
                "the role `{}` of {own} may push to `{repository}`, the repository of {other}",
                grant.role
            );
            report.add(report.draft(file.id, grant.span, message));
        }
    }
}

/// The repository's name; where it has none that is written out, what the template calls it.
fn repository<'a>(file: &'a FileFacts, grant: &'a Grant) -> Option<&'a str> {
    match &grant.repository {
        Value::Text(name) => Some(name),
        Value::Reference(logical) => file
            .repositories
            .iter()
            .find(|it| file.slice(it.span) == &**logical)
            .map(|it| it.name.as_deref().unwrap_or(logical)),
        Value::Unknown => None,
    }
}

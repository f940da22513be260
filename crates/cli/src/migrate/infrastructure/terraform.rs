//! The infrastructure as a configuration of Terraform, for version 6 of the AWS provider.
//!
//! Sources, all of 2026-11: the provider's documentation of the resources used here, and the same pages of AWS as for
//! the template of CloudFormation.

use std::fmt::Write as _;

use super::names::{self, pascal, snake};
use super::{
    BUILD_IMAGE, Build, DEPLOY, HEADER, KEPT, KEPT_OF_BRANCH, PUSH, Parameter, Place, Repository,
    SOURCE, Stack, Value, cleanup, fill, lifecycle,
};

/// The configuration of one account.
pub(super) fn configuration(stack: &Stack<'_>) -> String {
    let mut text = fill(
        HEAD,
        &[
            ("@HEADER@", HEADER),
            ("@TITLE@", &stack.title()),
            ("@BRANCH@", &quoted(&stack.default_branch)),
            ("@SERVICES@", &services(stack)),
        ],
    );
    for place in &stack.places {
        text.push_str(&of_place(stack, place));
    }
    text.push_str(&pipeline(stack));
    if let Some(branches) = stack.of_branches() {
        text.push_str(&of_cleanup(stack, branches));
    }
    text
}

const HEAD: &str = r#"
@HEADER@
# @TITLE@

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

variable "connection_arn" {
  description = "The connection of CodeConnections to the Git host"
  type        = string
}

variable "repository" {
  description = "The repository on the Git host, OWNER/NAME"
  type        = string
}

variable "branch" {
  description = "The branch of executions that are started manually"
  type        = string
  default     = @BRANCH@
}
@SERVICES@
data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  partition    = data.aws_partition.current.partition
  here         = "${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}"
  registry     = "${data.aws_caller_identity.current.account_id}.dkr.ecr.${data.aws_region.current.region}.${data.aws_partition.current.dns_suffix}"
  repositories = "arn:${local.partition}:ecr:${local.here}:repository"
  logs         = "arn:${local.partition}:logs:${local.here}:log-group:/aws/codebuild"
}

data "aws_iam_policy_document" "by_codebuild" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["codebuild.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}
"#;

/// A text in the quotes of Terraform, in which nothing is expanded.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::String(text.to_owned()).to_string();
    json.replace("${", "$${").replace("%{", "%%{")
}

/// The items of a list, one a line.
fn items(indent: usize, items: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut text = String::new();
    for item in items {
        let _ = writeln!(text, "{:indent$}{},", "", item.as_ref());
    }
    text
}

/// The variables that name the services of ECS to deploy to.
fn services(stack: &Stack<'_>) -> String {
    let mut text = String::new();
    for place in stack.deployed() {
        for what in ["cluster", "service"] {
            let _ = write!(
                text,
                "\nvariable \"{}_{what}\" {{\n  description = \"The ECS {what} of {}\"\n  type        = string\n}}\n",
                snake(place.name),
                place.name
            );
        }
    }
    text
}

fn of_place(stack: &Stack<'_>, place: &Place<'_>) -> String {
    let mut text = String::new();
    for repository in &place.repositories {
        if place.per_branch {
            text.push_str(&creation_template(repository));
        } else if !repository.declared {
            text.push_str(&of_repository(repository));
        }
    }
    for parameter in &place.parameters {
        text.push_str(&of_parameter(stack, place, parameter));
    }
    text.push_str(&build_role(stack, place));
    for (build, part) in stack.parts() {
        text.push_str(&project(stack, place, build, part.as_deref()));
    }
    text
}

fn of_repository(repository: &Repository) -> String {
    fill(
        r#"

resource "aws_ecr_repository" "@ID@" {
  name                 = "@NAME@"
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "@ID@" {
  repository = aws_ecr_repository.@ID@.name
  policy     = @POLICY@
}
"#,
        &[
            ("@ID@", &snake(&repository.name)),
            ("@NAME@", &repository.name),
            ("@POLICY@", &quoted(&lifecycle(KEPT))),
        ],
    )
}

/// What a repository gets that the first push of a branch creates.
fn creation_template(folder: &Repository) -> String {
    fill(
        r#"

resource "aws_ecr_repository_creation_template" "@ID@" {
  prefix               = "@NAME@"
  description          = "Repositories of branches, created by their first push"
  applied_for          = ["CREATE_ON_PUSH"]
  image_tag_mutability = "IMMUTABLE"
  lifecycle_policy     = @POLICY@
}
"#,
        &[
            ("@ID@", &snake(&folder.name)),
            ("@NAME@", &folder.name),
            ("@POLICY@", &quoted(&lifecycle(KEPT_OF_BRANCH))),
        ],
    )
}

fn of_parameter(stack: &Stack<'_>, place: &Place<'_>, parameter: &Parameter<'_>) -> String {
    let value = match &parameter.value {
        Value::Text(text) => quoted(text),
        Value::Name(name) => quoted(name),
        Value::Address(name) => format!("\"${{local.registry}}/{name}\""),
    };
    fill(
        r#"

resource "aws_ssm_parameter" "@ID@" {
  name  = "@FOLDER@/@VARIABLE@"
  type  = "String"
  value = @VALUE@
}
"#,
        &[
            ("@ID@", &parameter_id(place, parameter)),
            ("@FOLDER@", &stack.parameters(place)),
            ("@VARIABLE@", parameter.variable),
            ("@VALUE@", &value),
        ],
    )
}

fn parameter_id(place: &Place<'_>, parameter: &Parameter<'_>) -> String {
    format!("{}_{}", snake(place.name), snake(parameter.variable))
}

/// The role of the builds of an environment: its own repositories, its own parameters, its own log.
fn build_role(stack: &Stack<'_>, place: &Place<'_>) -> String {
    let end = if place.per_branch { "/*" } else { "" };
    let arn = |it: &Repository| format!("\"${{local.repositories}}/{}{end}\"", it.name);
    let create = place.per_branch.then_some("ecr:CreateRepository");
    let push = PUSH.into_iter().chain(create).map(quoted);
    let logs = stack.parts().map(|(_, part)| {
        let project = stack.project(place, part.as_deref());
        format!("\"${{local.logs}}/{project}:*\"")
    });
    let mut artifacts = String::new();
    let keys: Vec<String> = stack
        .artifacts(place)
        .map(|name| {
            format!(
                "\"${{aws_s3_bucket.artifacts.arn}}/{}\"",
                names::artifact_key(&name)
            )
        })
        .collect();
    if !keys.is_empty() {
        let _ = write!(
            artifacts,
            "\n  statement {{\n    actions = [\"s3:PutObject\"]\n    resources = [\n{}    ]\n  }}\n",
            items(6, keys)
        );
    }
    fill(
        r#"

data "aws_iam_policy_document" "build_@ID@" {
  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    actions = [
@PUSH@    ]
    resources = [
@REPOSITORIES@    ]
  }

  statement {
    actions   = ["ssm:GetParameters"]
    resources = ["arn:${local.partition}:ssm:${local.here}:parameter@FOLDER@/*"]
  }

  statement {
    actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [
@LOGS@    ]
  }

  statement {
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${aws_s3_bucket.artifacts.arn}/@SOURCE@"]
  }
@ARTIFACTS@}

resource "aws_iam_role" "build_@ID@" {
  name               = "@ROLE@"
  assume_role_policy = data.aws_iam_policy_document.by_codebuild.json
}

resource "aws_iam_role_policy" "build_@ID@" {
  name   = "build"
  role   = aws_iam_role.build_@ID@.id
  policy = data.aws_iam_policy_document.build_@ID@.json
}
"#,
        &[
            ("@ID@", &snake(place.name)),
            ("@ROLE@", &stack.build_role(place)),
            ("@PUSH@", &items(6, push)),
            (
                "@REPOSITORIES@",
                &items(6, place.repositories.iter().map(arn)),
            ),
            ("@FOLDER@", &stack.parameters(place)),
            ("@LOGS@", &items(6, logs)),
            ("@SOURCE@", &names::artifact_key(SOURCE)),
            ("@ARTIFACTS@", &artifacts),
        ],
    )
}

fn project_id(place: &Place<'_>, part: Option<&str>) -> String {
    let part = part.map_or_else(String::new, |part| format!("_{}", snake(part)));
    format!("{}{part}", snake(place.name))
}

fn project(stack: &Stack<'_>, place: &Place<'_>, build: &Build, part: Option<&str>) -> String {
    let mut variables = String::new();
    for parameter in &place.parameters {
        let _ = write!(
            variables,
            "\n    environment_variable {{\n      name  = \"{}\"\n      type  = \"PARAMETER_STORE\"\n      value = aws_ssm_parameter.{}.name\n    }}\n",
            parameter.variable,
            parameter_id(place, parameter)
        );
    }
    fill(
        r#"

resource "aws_codebuild_project" "@ID@" {
  name         = "@NAME@"
  service_role = aws_iam_role.build_@PLACE@.arn

  artifacts {
    type = "CODEPIPELINE"
  }

  source {
    type      = "CODEPIPELINE"
    buildspec = @BUILDSPEC@
  }

  environment {
    type            = "LINUX_CONTAINER"
    compute_type    = "BUILD_GENERAL1_SMALL"
    image           = @IMAGE@
    privileged_mode = true
@VARIABLES@  }
}
"#,
        &[
            ("@ID@", &project_id(place, part)),
            ("@NAME@", &stack.project(place, part)),
            ("@PLACE@", &snake(place.name)),
            ("@BUILDSPEC@", &quoted(&build.buildspec)),
            (
                "@IMAGE@",
                &quoted(build.image.as_deref().unwrap_or(BUILD_IMAGE)),
            ),
            ("@VARIABLES@", &variables),
        ],
    )
}

fn pipeline(stack: &Stack<'_>) -> String {
    let projects = stack.places.iter().flat_map(|place| {
        let id = |part: Option<String>| project_id(place, part.as_deref());
        stack
            .parts()
            .map(move |(_, part)| format!("aws_codebuild_project.{}.arn", id(part)))
    });
    let triggers = stack.triggers.iter().map(|it| quoted(it));
    let stages: String = stack.places.iter().map(|it| stage(stack, it)).collect();
    fill(
        PIPELINE,
        &[
            ("@ROLE@", &names::role(&stack.service, "pipeline")),
            (
                "@NAME@",
                &names::project(&stack.service, "environments", None),
            ),
            ("@PROJECTS@", &items(6, projects)),
            ("@DEPLOY@", &deploy_permissions(stack)),
            ("@TRIGGERS@", &items(12, triggers)),
            ("@STAGES@", &stages),
            ("@SOURCE@", SOURCE),
        ],
    )
}

const PIPELINE: &str = r#"

resource "aws_s3_bucket" "artifacts" {
}

resource "aws_s3_bucket_public_access_block" "artifacts" {
  bucket                  = aws_s3_bucket.artifacts.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = 30
    }
  }
}

data "aws_iam_policy_document" "by_codepipeline" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["codepipeline.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "pipeline" {
  statement {
    actions   = ["codeconnections:UseConnection", "codestar-connections:UseConnection"]
    resources = [var.connection_arn]
  }

  statement {
    actions = ["s3:GetBucketVersioning", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
    resources = [
      aws_s3_bucket.artifacts.arn,
      "${aws_s3_bucket.artifacts.arn}/*",
    ]
  }

  statement {
    actions = ["codebuild:StartBuild", "codebuild:BatchGetBuilds"]
    resources = [
@PROJECTS@    ]
  }
@DEPLOY@}

resource "aws_iam_role" "pipeline" {
  name               = "@ROLE@"
  assume_role_policy = data.aws_iam_policy_document.by_codepipeline.json
}

resource "aws_iam_role_policy" "pipeline" {
  name   = "pipeline"
  role   = aws_iam_role.pipeline.id
  policy = data.aws_iam_policy_document.pipeline.json
}

resource "aws_codepipeline" "pipeline" {
  name           = "@NAME@"
  pipeline_type  = "V2"
  execution_mode = "QUEUED"
  role_arn       = aws_iam_role.pipeline.arn

  artifact_store {
    type     = "S3"
    location = aws_s3_bucket.artifacts.bucket
  }

  trigger {
    provider_type = "CodeStarSourceConnection"

    git_configuration {
      source_action_name = "Source"

      push {
        branches {
          includes = [
@TRIGGERS@          ]
        }
      }
    }
  }

  stage {
    name = "Source"

    action {
      name             = "Source"
      namespace        = "SourceVariables"
      category         = "Source"
      owner            = "AWS"
      provider         = "CodeStarSourceConnection"
      version          = "1"
      output_artifacts = ["@SOURCE@"]

      configuration = {
        ConnectionArn    = var.connection_arn
        FullRepositoryId = var.repository
        BranchName       = var.branch
      }
    }
  }
@STAGES@}
"#;

fn deploy_permissions(stack: &Stack<'_>) -> String {
    if stack.deployed().next().is_none() {
        return String::new();
    }
    fill(
        r#"

  statement {
    actions = [
@DEPLOY@    ]
    resources = ["*"]
  }

  statement {
    actions   = ["iam:PassRole"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
"#,
        &[("@DEPLOY@", &items(6, DEPLOY.map(quoted)))],
    )
}

/// A stage that lets only its branches in.
fn stage(stack: &Stack<'_>, place: &Place<'_>) -> String {
    let mut actions = String::new();
    let mut deployments = String::new();
    for (build, part) in stack.parts() {
        let part = part.as_deref();
        let artifact = names::artifact(place.name, part);
        let suffix = pascal(part.unwrap_or_default());
        let values = [
            ("@SUFFIX@", &*suffix),
            ("@PROJECT@", &project_id(place, part)),
            ("@BRANCH@", stack.branch_variable),
            ("@ARTIFACT@", &artifact),
            ("@OUTPUT@", if build.deploys { OUTPUT } else { "" }),
            // As long as the longest name, like `terraform fmt` writes it.
            ("@PAD@", if build.deploys { " " } else { "" }),
            ("@SOURCE@", SOURCE),
            ("@PLACE@", &snake(place.name)),
        ];
        // The output has the artifact in it.
        let text = fill(BUILD, &values);
        actions.push_str(&text.replace("@ARTIFACT@", &artifact));
        if build.deploys && !place.per_branch {
            deployments.push_str(&fill(DEPLOYMENT, &values));
        }
    }
    fill(
        STAGE,
        &[
            ("@STAGE@", &pascal(place.name)),
            ("@CONDITION@", &quoted(&place.condition)),
            ("@ACTIONS@", &(actions + &deployments)),
        ],
    )
}

const STAGE: &str = r##"

  stage {
    name = "@STAGE@"

    before_entry {
      condition {
        result = "SKIP"

        rule {
          name = "@STAGE@Branch"

          rule_type_id {
            category = "Rule"
            owner    = "AWS"
            provider = "VariableCheck"
            version  = "1"
          }

          configuration = {
            Variable = "#{SourceVariables.BranchName}"
            Operator = "MATCHES"
            Value    = @CONDITION@
          }
        }
      }
    }
@ACTIONS@  }
"##;

const OUTPUT: &str = "      output_artifacts = [\"@ARTIFACT@\"]\n";

const BUILD: &str = r##"

    action {
      name            @PAD@= "Build@SUFFIX@"
      category        @PAD@= "Build"
      owner           @PAD@= "AWS"
      provider        @PAD@= "CodeBuild"
      version         @PAD@= "1"
      input_artifacts @PAD@= ["@SOURCE@"]
@OUTPUT@
      configuration = {
        ProjectName = aws_codebuild_project.@PROJECT@.name
        EnvironmentVariables = jsonencode([
          { name = "@BRANCH@", value = "#{SourceVariables.BranchName}", type = "PLAINTEXT" },
        ])
      }
    }
"##;

const DEPLOYMENT: &str = r#"

    action {
      name            = "Deploy@SUFFIX@"
      run_order       = 2
      category        = "Deploy"
      owner           = "AWS"
      provider        = "ECS"
      version         = "1"
      input_artifacts = ["@ARTIFACT@"]

      configuration = {
        ClusterName = var.@PLACE@_cluster
        ServiceName = var.@PLACE@_service
      }
    }
"#;

/// The build that deletes the repositories of deleted branches, once a day. It may delete nothing else.
fn of_cleanup(stack: &Stack<'_>, branches: &Place<'_>) -> String {
    let folders: Vec<&str> = branches.repositories.iter().map(|it| &*it.name).collect();
    let arns = folders
        .iter()
        .map(|it| format!("\"${{local.repositories}}/{it}/*\""));
    let buildspec = cleanup(&folders, stack.branch_variable);
    let mut lines = String::new();
    for line in buildspec.replace("${", "$${").replace("%{", "%%{").lines() {
        let _ = writeln!(lines, "      {line}");
    }
    fill(
        CLEANUP,
        &[
            ("@ROLE@", &names::role(&stack.service, "branch-cleanup")),
            (
                "@START@",
                &names::role(&stack.service, "branch-cleanup-start"),
            ),
            (
                "@NAME@",
                &names::project(&stack.service, "branch-cleanup", None),
            ),
            ("@REPOSITORIES@", &items(6, arns)),
            ("@BUILDSPEC@", &lines),
        ],
    )
}

const CLEANUP: &str = r#"

variable "source_type" {
  description = "The Git host, for the build that deletes the repositories of deleted branches: GITHUB, GITLAB or BITBUCKET"
  type        = string
  default     = "GITHUB"
}

variable "clone_url" {
  description = "The address to clone from, if it is not https://github.com/OWNER/NAME.git"
  type        = string
  default     = ""
}

data "aws_iam_policy_document" "branch_cleanup" {
  statement {
    actions   = ["ecr:DescribeRepositories"]
    resources = ["*"]
  }

  statement {
    actions = ["ecr:DeleteRepository"]
    resources = [
@REPOSITORIES@    ]
  }

  statement {
    actions = [
      "codeconnections:GetConnection",
      "codeconnections:GetConnectionToken",
      "codeconnections:UseConnection",
      "codestar-connections:GetConnection",
      "codestar-connections:GetConnectionToken",
      "codestar-connections:UseConnection",
    ]
    resources = [var.connection_arn]
  }

  statement {
    actions   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.logs}/@NAME@:*"]
  }
}

resource "aws_iam_role" "branch_cleanup" {
  name               = "@ROLE@"
  assume_role_policy = data.aws_iam_policy_document.by_codebuild.json
}

resource "aws_iam_role_policy" "branch_cleanup" {
  name   = "cleanup"
  role   = aws_iam_role.branch_cleanup.id
  policy = data.aws_iam_policy_document.branch_cleanup.json
}

resource "aws_codebuild_project" "branch_cleanup" {
  name         = "@NAME@"
  service_role = aws_iam_role.branch_cleanup.arn

  artifacts {
    type = "NO_ARTIFACTS"
  }

  source {
    type     = var.source_type
    location = var.clone_url == "" ? "https://github.com/${var.repository}.git" : var.clone_url

    auth {
      type     = "CODECONNECTIONS"
      resource = var.connection_arn
    }

    buildspec = <<-EOT
@BUILDSPEC@    EOT
  }

  environment {
    type         = "LINUX_CONTAINER"
    compute_type = "BUILD_GENERAL1_SMALL"
    image        = "aws/codebuild/standard:7.0"
  }
}

data "aws_iam_policy_document" "by_events" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "branch_cleanup_start" {
  statement {
    actions   = ["codebuild:StartBuild"]
    resources = [aws_codebuild_project.branch_cleanup.arn]
  }
}

resource "aws_iam_role" "branch_cleanup_start" {
  name               = "@START@"
  assume_role_policy = data.aws_iam_policy_document.by_events.json
}

resource "aws_iam_role_policy" "branch_cleanup_start" {
  name   = "start"
  role   = aws_iam_role.branch_cleanup_start.id
  policy = data.aws_iam_policy_document.branch_cleanup_start.json
}

resource "aws_cloudwatch_event_rule" "branch_cleanup" {
  description         = "Deletes the repositories of deleted branches"
  schedule_expression = "rate(1 day)"
}

resource "aws_cloudwatch_event_target" "branch_cleanup" {
  rule     = aws_cloudwatch_event_rule.branch_cleanup.name
  arn      = aws_codebuild_project.branch_cleanup.arn
  role_arn = aws_iam_role.branch_cleanup_start.arn
}
"#;

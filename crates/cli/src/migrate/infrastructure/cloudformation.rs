//! The infrastructure as a template of CloudFormation.
//!
//! Sources, all of 2026-11: the CloudFormation template reference for the types used here; CodePipeline user guide,
//! "VariableCheck" and "Stage conditions"; Amazon ECR API reference, `RepositoryCreationTemplate` (CREATE_ON_PUSH).

use std::fmt::Write as _;

use super::names::pascal;
use super::{
    BUILD_IMAGE, Build, DEPLOY, HEADER, KEPT, KEPT_OF_BRANCH, PUSH, Parameter, Place, Repository,
    SOURCE, Stack, Value, cleanup, fill, lifecycle, names,
};

/// The template of one account.
pub(super) fn template(stack: &Stack<'_>) -> String {
    let mut text = format!(
        "{HEADER}\nAWSTemplateFormatVersion: \"2010-09-09\"\nDescription: {}\n",
        stack.title()
    );
    text.push_str(&parameters(stack));
    text.push_str("\nResources:\n");
    for place in &stack.places {
        text.push_str(&of_place(stack, place));
    }
    text.push_str(&pipeline(stack));
    if let Some(branches) = stack.of_branches() {
        text.push_str(&of_cleanup(stack, branches));
    }
    text
}

/// Lines `- item` with `indent` blanks before them.
fn items(indent: usize, items: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut text = String::new();
    for item in items {
        let _ = writeln!(text, "{:indent$}- {}", "", item.as_ref());
    }
    text
}

/// A text in the double quotes of YAML, whose escapes are those of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

fn parameters(stack: &Stack<'_>) -> String {
    let mut text = fill(
        r#"
Parameters:
  ConnectionArn:
    Type: String
    Description: The connection of CodeConnections to the Git host
  Repository:
    Type: String
    Description: The repository on the Git host, OWNER/NAME
  Branch:
    Type: String
    Default: @BRANCH@
    Description: The branch of executions that are started manually
"#,
        &[("@BRANCH@", &quoted(&stack.default_branch))],
    );
    if stack.of_branches().is_some() {
        text.push_str(
            r"  SourceType:
    Type: String
    Default: GITHUB
    AllowedValues: [GITHUB, GITLAB, BITBUCKET]
    Description: The Git host, for the build that deletes the repositories of deleted branches
  CloneUrl:
    Type: String
    Default: ''
    Description: The address to clone from, if it is not https://github.com/OWNER/NAME.git
Conditions:
  OnGitHub: !Equals [!Ref CloneUrl, '']
",
        );
        // Conditions are a section of their own; parameters go before them.
        if let Some(at) = text.find("Conditions:\n") {
            let more = services(stack);
            text.insert_str(at, &more);
        }
    } else {
        text.push_str(&services(stack));
    }
    text
}

/// The parameters that name the services of ECS to deploy to.
fn services(stack: &Stack<'_>) -> String {
    let mut text = String::new();
    for place in stack.deployed() {
        let id = pascal(place.name);
        let _ = write!(
            text,
            "  {id}Cluster:\n    Type: String\n    Description: The ECS cluster of {name}\n  {id}Service:\n    Type: String\n    Description: The ECS service of {name}\n",
            name = place.name
        );
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
        r"
  @ID@Repository:
    Type: AWS::ECR::Repository
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      RepositoryName: @NAME@
      ImageTagMutability: IMMUTABLE
      ImageScanningConfiguration:
        ScanOnPush: true
      LifecyclePolicy:
        LifecyclePolicyText: '@POLICY@'
",
        &[
            ("@ID@", &pascal(&repository.name)),
            ("@NAME@", &repository.name),
            ("@POLICY@", &lifecycle(KEPT)),
        ],
    )
}

/// What a repository gets that the first push of a branch creates.
fn creation_template(folder: &Repository) -> String {
    fill(
        r"
  @ID@Template:
    Type: AWS::ECR::RepositoryCreationTemplate
    Properties:
      Prefix: @NAME@
      Description: Repositories of branches, created by their first push
      AppliedFor: [CREATE_ON_PUSH]
      ImageTagMutability: IMMUTABLE
      LifecyclePolicy: '@POLICY@'
",
        &[
            ("@ID@", &pascal(&folder.name)),
            ("@NAME@", &folder.name),
            ("@POLICY@", &lifecycle(KEPT_OF_BRANCH)),
        ],
    )
}

fn of_parameter(stack: &Stack<'_>, place: &Place<'_>, parameter: &Parameter<'_>) -> String {
    let value = match &parameter.value {
        Value::Text(text) => quoted(text),
        Value::Name(name) => quoted(name),
        Value::Address(name) => {
            format!(
                "!Sub \"${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/{name}\""
            )
        }
    };
    fill(
        r"
  @ID@Parameter:
    Type: AWS::SSM::Parameter
    Properties:
      Name: @FOLDER@/@VARIABLE@
      Type: String
      Value: @VALUE@
",
        &[
            (
                "@ID@",
                &format!("{}{}", pascal(place.name), pascal(parameter.variable)),
            ),
            ("@FOLDER@", &stack.parameters(place)),
            ("@VARIABLE@", parameter.variable),
            ("@VALUE@", &value),
        ],
    )
}

/// The role of the builds of an environment: its own repositories, its own parameters, its own log.
fn build_role(stack: &Stack<'_>, place: &Place<'_>) -> String {
    let arn = |it: &Repository| {
        let end = if place.per_branch { "/*" } else { "" };
        format!(
            "!Sub \"arn:${{AWS::Partition}}:ecr:${{AWS::Region}}:${{AWS::AccountId}}:repository/{}{end}\"",
            it.name
        )
    };
    let create = place.per_branch.then_some("ecr:CreateRepository");
    let logs = stack.parts().map(|(_, part)| {
        format!(
            "!Sub \"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:/aws/codebuild/{}:*\"",
            stack.project(place, part.as_deref())
        )
    });
    fill(
        r#"
  @ID@BuildRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: @ROLE@
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: codebuild.amazonaws.com}
            Action: sts:AssumeRole
            Condition: {StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}}
      Policies:
        - PolicyName: build
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Sid: Login
                Effect: Allow
                Action: ecr:GetAuthorizationToken
                Resource: "*"
              - Sid: OwnRepositories
                Effect: Allow
                Action:
@PUSH@                Resource:
@REPOSITORIES@              - Sid: OwnParameters
                Effect: Allow
                Action: ssm:GetParameters
                Resource: !Sub "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter@FOLDER@/*"
              - Sid: OwnLogs
                Effect: Allow
                Action: [logs:CreateLogGroup, logs:CreateLogStream, logs:PutLogEvents]
                Resource:
@LOGS@              - Sid: Source
                Effect: Allow
                Action: [s3:GetObject, s3:GetObjectVersion]
                Resource: !Sub "${Artifacts.Arn}/@SOURCE@"
@ARTIFACTS@"#,
        &[
            ("@ID@", &pascal(place.name)),
            ("@ROLE@", &stack.build_role(place)),
            ("@PUSH@", &items(18, PUSH.into_iter().chain(create))),
            (
                "@REPOSITORIES@",
                &items(18, place.repositories.iter().map(arn)),
            ),
            ("@FOLDER@", &stack.parameters(place)),
            ("@LOGS@", &items(18, logs)),
            ("@SOURCE@", &names::artifact_key(SOURCE)),
            ("@ARTIFACTS@", &own_artifacts(stack, place)),
        ],
    )
}

/// The permission to hand on what the builds of an environment make, if they hand on anything.
fn own_artifacts(stack: &Stack<'_>, place: &Place<'_>) -> String {
    let keys: Vec<String> = stack
        .artifacts(place)
        .map(|name| format!("!Sub \"${{Artifacts.Arn}}/{}\"", names::artifact_key(&name)))
        .collect();
    if keys.is_empty() {
        return String::new();
    }
    fill(
        r"
              - Sid: OwnArtifacts
                Effect: Allow
                Action: s3:PutObject
                Resource:
@KEYS@",
        &[("@KEYS@", &items(18, keys))],
    )
}

fn project(stack: &Stack<'_>, place: &Place<'_>, build: &Build, part: Option<&str>) -> String {
    let mut variables = String::new();
    for parameter in &place.parameters {
        let _ = write!(
            variables,
            "          - Name: {name}\n            Type: PARAMETER_STORE\n            Value: {folder}/{name}\n",
            name = parameter.variable,
            folder = stack.parameters(place)
        );
    }
    if !variables.is_empty() {
        variables.insert_str(0, "        EnvironmentVariables:\n");
    }
    fill(
        r"
  @ID@:
    Type: AWS::CodeBuild::Project
    Properties:
      Name: @NAME@
      ServiceRole: !GetAtt @PLACE@BuildRole.Arn
      Artifacts: {Type: CODEPIPELINE}
      Source:
        Type: CODEPIPELINE
        BuildSpec: @BUILDSPEC@
      Environment:
        Type: LINUX_CONTAINER
        ComputeType: BUILD_GENERAL1_SMALL
        Image: @IMAGE@
        PrivilegedMode: true
@VARIABLES@",
        &[
            ("@ID@", &project_id(place, part)),
            ("@NAME@", &stack.project(place, part)),
            ("@PLACE@", &pascal(place.name)),
            ("@BUILDSPEC@", &quoted(&build.buildspec)),
            ("@IMAGE@", build.image.as_deref().unwrap_or(BUILD_IMAGE)),
            ("@VARIABLES@", &variables),
        ],
    )
}

fn project_id(place: &Place<'_>, part: Option<&str>) -> String {
    format!(
        "{}{}Project",
        pascal(place.name),
        pascal(part.unwrap_or_default())
    )
}

fn project_arn(name: &str) -> String {
    format!(
        "!Sub \"arn:${{AWS::Partition}}:codebuild:${{AWS::Region}}:${{AWS::AccountId}}:project/{name}\""
    )
}

fn pipeline(stack: &Stack<'_>) -> String {
    let projects: Vec<String> = stack
        .places
        .iter()
        .flat_map(|place| {
            stack
                .parts()
                .map(|(_, part)| project_arn(&stack.project(place, part.as_deref())))
        })
        .collect();
    let triggers: Vec<String> = stack.triggers.iter().map(|it| quoted(it)).collect();
    let stages: String = stack.places.iter().map(|it| stage(stack, it)).collect();
    fill(
        PIPELINE,
        &[
            ("@ROLE@", &names::role(&stack.service, "pipeline")),
            (
                "@NAME@",
                &names::project(&stack.service, "environments", None),
            ),
            ("@PROJECTS@", &items(18, projects)),
            ("@DEPLOY@", &deploy_permissions(stack)),
            ("@TRIGGERS@", &items(20, triggers)),
            ("@STAGES@", &stages),
            ("@SOURCE@", SOURCE),
        ],
    )
}

const PIPELINE: &str = r#"
  Artifacts:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      PublicAccessBlockConfiguration:
        BlockPublicAcls: true
        BlockPublicPolicy: true
        IgnorePublicAcls: true
        RestrictPublicBuckets: true
      LifecycleConfiguration:
        Rules:
          - Status: Enabled
            ExpirationInDays: 30
  PipelineRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: @ROLE@
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: codepipeline.amazonaws.com}
            Action: sts:AssumeRole
      Policies:
        - PolicyName: pipeline
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Sid: Source
                Effect: Allow
                Action: [codeconnections:UseConnection, codestar-connections:UseConnection]
                Resource: !Ref ConnectionArn
              - Sid: Artifacts
                Effect: Allow
                Action: [s3:GetBucketVersioning, s3:GetObject, s3:GetObjectVersion, s3:PutObject]
                Resource:
                  - !GetAtt Artifacts.Arn
                  - !Sub "${Artifacts.Arn}/*"
              - Sid: Builds
                Effect: Allow
                Action: [codebuild:StartBuild, codebuild:BatchGetBuilds]
                Resource:
@PROJECTS@@DEPLOY@  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: @NAME@
      PipelineType: V2
      ExecutionMode: QUEUED
      RoleArn: !GetAtt PipelineRole.Arn
      ArtifactStore: {Type: S3, Location: !Ref Artifacts}
      Triggers:
        - ProviderType: CodeStarSourceConnection
          GitConfiguration:
            SourceActionName: Source
            Push:
              - Branches:
                  Includes:
@TRIGGERS@      Stages:
        - Name: Source
          Actions:
            - Name: Source
              Namespace: SourceVariables
              ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
              Configuration:
                ConnectionArn: !Ref ConnectionArn
                FullRepositoryId: !Ref Repository
                BranchName: !Ref Branch
              OutputArtifacts: [{Name: @SOURCE@}]
@STAGES@"#;

fn deploy_permissions(stack: &Stack<'_>) -> String {
    if stack.deployed().next().is_none() {
        return String::new();
    }
    fill(
        r#"
              - Sid: Deployments
                Effect: Allow
                Action:
@DEPLOY@                Resource: "*"
              - Sid: TaskRoles
                Effect: Allow
                Action: iam:PassRole
                Resource: "*"
                Condition: {StringEquals: {iam:PassedToService: ecs-tasks.amazonaws.com}}
"#,
        &[("@DEPLOY@", &items(18, DEPLOY))],
    )
}

/// A stage that lets only its branches in.
fn stage(stack: &Stack<'_>, place: &Place<'_>) -> String {
    let variables = serde_json::json!([{
        "name": stack.branch_variable,
        "value": "#{SourceVariables.BranchName}",
        "type": "PLAINTEXT",
    }]);
    let mut text = fill(
        r##"
        - Name: @STAGE@
          BeforeEntry:
            Conditions:
              - Result: SKIP
                Rules:
                  - Name: @STAGE@Branch
                    RuleTypeId: {Category: Rule, Owner: AWS, Provider: VariableCheck, Version: "1"}
                    Configuration:
                      Variable: "#{SourceVariables.BranchName}"
                      Operator: MATCHES
                      Value: '@CONDITION@'
          Actions:
"##,
        &[
            ("@STAGE@", &pascal(place.name)),
            ("@CONDITION@", &place.condition),
        ],
    );
    let mut deployments = String::new();
    for (build, part) in stack.parts() {
        let part = part.as_deref();
        let suffix = pascal(part.unwrap_or_default());
        let artifact = names::artifact(place.name, part);
        let deploys = build.deploys && !place.per_branch;
        let output = if build.deploys {
            format!("              OutputArtifacts: [{{Name: {artifact}}}]\n")
        } else {
            String::new()
        };
        text.push_str(&fill(
            r#"
            - Name: Build@SUFFIX@
              ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: "1"}
              Configuration:
                ProjectName: !Ref @PROJECT@
                EnvironmentVariables: '@PASSED@'
              InputArtifacts: [{Name: @SOURCE@}]
@OUTPUT@"#,
            &[
                ("@SUFFIX@", &suffix),
                ("@PROJECT@", &project_id(place, part)),
                ("@PASSED@", &variables.to_string()),
                ("@OUTPUT@", &output),
                ("@SOURCE@", SOURCE),
            ],
        ));
        if deploys {
            deployments.push_str(&fill(
                r#"
            - Name: Deploy@SUFFIX@
              RunOrder: 2
              ActionTypeId: {Category: Deploy, Owner: AWS, Provider: ECS, Version: "1"}
              Configuration:
                ClusterName: !Ref @PLACE@Cluster
                ServiceName: !Ref @PLACE@Service
              InputArtifacts: [{Name: @ARTIFACT@}]
"#,
                &[
                    ("@SUFFIX@", &suffix),
                    ("@PLACE@", &pascal(place.name)),
                    ("@ARTIFACT@", &artifact),
                ],
            ));
        }
    }
    text + &deployments
}

/// The build that deletes the repositories of deleted branches, once a day. It may delete nothing else.
fn of_cleanup(stack: &Stack<'_>, branches: &Place<'_>) -> String {
    let folders: Vec<&str> = branches.repositories.iter().map(|it| &*it.name).collect();
    let arns = folders.iter().map(|it| {
        format!("!Sub \"arn:${{AWS::Partition}}:ecr:${{AWS::Region}}:${{AWS::AccountId}}:repository/{it}/*\"")
    });
    let mut buildspec = String::new();
    for line in cleanup(&folders, stack.branch_variable).lines() {
        let _ = writeln!(buildspec, "          {line}");
    }
    let cleanup = names::project(&stack.service, "branch-cleanup", None);
    fill(
        CLEANUP,
        &[
            ("@ROLE@", &names::role(&stack.service, "branch-cleanup")),
            (
                "@START@",
                &names::role(&stack.service, "branch-cleanup-start"),
            ),
            ("@NAME@", &cleanup),
            ("@PROJECT@", &project_arn(&cleanup)),
            ("@REPOSITORIES@", &items(18, arns)),
            ("@BUILDSPEC@", &buildspec),
        ],
    )
}

const CLEANUP: &str = r#"
  CleanupRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: @ROLE@
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: codebuild.amazonaws.com}
            Action: sts:AssumeRole
            Condition: {StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}}
      Policies:
        - PolicyName: cleanup
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Sid: ListRepositories
                Effect: Allow
                Action: ecr:DescribeRepositories
                Resource: "*"
              - Sid: DeleteRepositoriesOfBranches
                Effect: Allow
                Action: ecr:DeleteRepository
                Resource:
@REPOSITORIES@              - Sid: Source
                Effect: Allow
                Action:
                  - codeconnections:GetConnection
                  - codeconnections:GetConnectionToken
                  - codeconnections:UseConnection
                  - codestar-connections:GetConnection
                  - codestar-connections:GetConnectionToken
                  - codestar-connections:UseConnection
                Resource: !Ref ConnectionArn
              - Sid: OwnLogs
                Effect: Allow
                Action: [logs:CreateLogGroup, logs:CreateLogStream, logs:PutLogEvents]
                Resource: !Sub "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/codebuild/@NAME@:*"
  CleanupProject:
    Type: AWS::CodeBuild::Project
    Properties:
      Name: @NAME@
      ServiceRole: !GetAtt CleanupRole.Arn
      Artifacts: {Type: NO_ARTIFACTS}
      Source:
        Type: !Ref SourceType
        Location: !If [OnGitHub, !Sub "https://github.com/${Repository}.git", !Ref CloneUrl]
        Auth: {Type: CODECONNECTIONS, Resource: !Ref ConnectionArn}
        BuildSpec: |
@BUILDSPEC@      Environment:
        Type: LINUX_CONTAINER
        ComputeType: BUILD_GENERAL1_SMALL
        Image: aws/codebuild/standard:7.0
  CleanupStartRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: @START@
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sts:AssumeRole
      Policies:
        - PolicyName: start
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: codebuild:StartBuild
                Resource: @PROJECT@
  CleanupSchedule:
    Type: AWS::Events::Rule
    Properties:
      Description: Deletes the repositories of deleted branches
      ScheduleExpression: rate(1 day)
      Targets:
        - Id: cleanup
          Arn: @PROJECT@
          RoleArn: !GetAtt CleanupStartRole.Arn
"#;

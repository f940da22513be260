//! Pipelines beside buildspecs: what the rules about them say, and where they are silent.

use std::sync::Arc;

use tagwright_diagnostics::{Finding, Severity};
use tagwright_flow::FileId;
use tagwright_rules::settings::Strategy;
use tagwright_rules::{
    Settings,
    derivation::{Derivation, Missing},
};

/// All findings of the files.
fn lint_with(files: &[(&str, &str)], settings: &Settings) -> Vec<Finding> {
    let texts: Vec<Arc<str>> = files.iter().map(|(_, text)| Arc::from(*text)).collect();
    let sources = (0..).map(FileId).zip(files.iter().zip(&texts));
    tagwright_rules::lint(
        sources.map(|(id, ((path, _), text))| (id, *path, text)),
        settings,
    )
}

/// The findings of the files as `path rule [text]`, those of `rule` only.
fn found(files: &[(&str, &str)], rule: &str) -> Vec<String> {
    lint_with(files, &Settings::default())
        .iter()
        .filter(|finding| finding.rule == rule)
        .map(|finding| {
            let (path, text) = files[finding.file.0 as usize];
            format!("{path} [{}]", &text[finding.span.range()])
        })
        .collect()
}

const NEEDS_BRANCH: &str = "version: 0.2
phases:
  build:
    commands:
      - docker build -t $REPOSITORY_URI:${BRANCH_NAME} .
      - docker push $REPOSITORY_URI:${BRANCH_NAME}
artifacts:
  files: ['**/*']
";

/// A CloudFormation template with a source (`source` are its further lines), a build of the project with
/// these properties, and the build action's further configuration.
fn template(source: &str, project: &str, configuration: &str) -> String {
    format!(
        "Resources:
  Project:
    Type: AWS::CodeBuild::Project
    Properties:
{project}
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Stages:
        - Name: Source
          Actions:
            - Name: Source
{source}
              ActionTypeId: {{Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: '1'}}
        - Name: Build
          Actions:
            - Name: Build
              Namespace: BuildVariables
              ActionTypeId: {{Category: Build, Owner: AWS, Provider: CodeBuild, Version: '1'}}
              OutputArtifacts: [{{Name: Built}}]
              Configuration:
                ProjectName: !Ref Project
{configuration}
        - Name: Deploy
          Actions:
            - Name: Deploy
              ActionTypeId: {{Category: Deploy, Owner: AWS, Provider: ECS, Version: '1'}}
              InputArtifacts: [{{Name: Built}}]
              Configuration:
                ClusterName: shop
                ServiceName: web
"
    )
}

const NAMESPACE: &str = "              Namespace: SourceVariables";
const FROM_PIPELINE: &str = "      Source: {Type: CODEPIPELINE}";
const PASSES: &str = "                EnvironmentVariables: '[{\"name\":\"BRANCH_NAME\",\"value\":\"#{SourceVariables.BranchName}\"}]'";

#[test]
fn a_branch_that_is_not_passed_is_one_error_in_the_pipeline_and_none_in_the_buildspec() {
    let pipeline = template(NAMESPACE, FROM_PIPELINE, "");
    let files = [("buildspec.yml", NEEDS_BRANCH), ("pipeline.yml", &pipeline)];
    let findings = lint_with(&files, &Settings::default());
    let rules: Vec<_> = findings.iter().map(|it| (it.rule, it.severity)).collect();
    assert_eq!(rules, [("branch-not-passed", Severity::Error)]);
    assert_eq!(findings[0].related[0].file, FileId(0));
}

#[test]
fn what_a_condition_decides_of_a_deployment_hides_no_source() {
    let whole = template(NAMESPACE, FROM_PIPELINE, "");
    let offered = |pipeline: &str| {
        let files = [("buildspec.yml", NEEDS_BRANCH), ("pipeline.yml", pipeline)];
        let found = lint_with(&files, &Settings::default());
        found
            .iter()
            .any(|it| it.rule == "branch-not-passed" && it.fix.is_some())
    };
    assert!(offered(&whole));
    let provider = whole.replace(
        "Provider: ECS",
        "Provider: !If [Blue, CodeDeployToECS, ECS]",
    );
    assert!(offered(&provider));
    let configuration = whole.replace(
        "Configuration:\n                ClusterName: shop\n                ServiceName: web",
        "Configuration: !If\n                - Blue\n                - {ApplicationName: web}\n                - {ClusterName: shop, ServiceName: web}",
    );
    assert_ne!(configuration, whole);
    assert!(offered(&configuration));
    // Another source may be among what is decided elsewhere.
    let source = whole.replace("Category: Deploy", "Category: !Ref Kind");
    assert!(!offered(&source));
    let provider = whole.replace("Provider: CodeStarSourceConnection", "Provider: !Ref Kind");
    assert!(!offered(&provider));
}

#[test]
fn without_a_pipeline_or_without_the_rule_the_buildspec_itself_is_blamed() {
    assert_eq!(
        found(&[("buildspec.yml", NEEDS_BRANCH)], "undefined-branch").len(),
        1
    );
    let pipeline = template(NAMESPACE, FROM_PIPELINE, "");
    let mut settings = Settings::default();
    settings.levels.insert("branch-not-passed".to_owned(), None);
    let files = [("buildspec.yml", NEEDS_BRANCH), ("pipeline.yml", &pipeline)];
    let findings = lint_with(&files, &settings);
    assert!(
        findings.iter().any(|it| it.rule == "undefined-branch"),
        "{findings:?}"
    );
}

#[test]
fn a_definition_that_ends_the_build_needs_the_pipeline_to_pass_the_branch() {
    for (missing, configuration, expected) in [
        (Missing::Stop, "", 1),
        (Missing::Stop, PASSES, 0),
        // It takes the commit then.
        (Missing::Commit, "", 0),
    ] {
        let derivation = Derivation {
            missing,
            ..Derivation::new("BRANCH_NAME")
        };
        let indented: String = derivation
            .text()
            .lines()
            .map(|line| format!("        {line}\n"))
            .collect();
        let spec = format!(
            "version: 0.2\nphases:\n  build:\n    commands:\n      - |\n{indented}      - docker push $REPOSITORY_URI:${{BRANCH_NAME}}\n"
        );
        let pipeline = template(NAMESPACE, FROM_PIPELINE, configuration);
        let files = [("buildspec.yml", &*spec), ("pipeline.yml", &pipeline)];
        let count = found(&files, "branch-not-passed").len();
        assert_eq!(count, expected, "{missing:?} {configuration}");
    }
}

#[test]
fn a_derivation_behind_a_value_in_env_needs_nothing() {
    let derivation = Derivation::new("BRANCH_NAME");
    let indented: String = derivation
        .text()
        .lines()
        .map(|line| format!("        {line}\n"))
        .collect();
    let spec = format!(
        "version: 0.2\nenv:\n  variables:\n    BRANCH_NAME: main\nphases:\n  build:\n    commands:\n      - |\n{indented}      - docker push $REPOSITORY_URI:${{BRANCH_NAME}}\n"
    );
    let pipeline = template(NAMESPACE, FROM_PIPELINE, "");
    let files = [("buildspec.yml", &*spec), ("pipeline.yml", &*pipeline)];
    assert_eq!(found(&files, "branch-not-passed"), [""; 0]);
}

#[test]
fn a_branch_that_comes_from_elsewhere_need_not_be_passed() {
    let by_project = "      Source: {Type: CODEPIPELINE}
      Environment:
        EnvironmentVariables: [{Name: BRANCH_NAME, Value: main}]";
    let unknown_variables = "      Source: {Type: CODEPIPELINE}
      Environment:
        EnvironmentVariables: !If [A, [], []]";
    let other_file = "      Source: {Type: CODEPIPELINE, BuildSpec: other.yml}";
    let from_s3 = "      Source: {Type: CODEPIPELINE, BuildSpec: 'arn:aws:s3:::b/buildspec.yml'}";
    for project in [by_project, unknown_variables, other_file, from_s3] {
        let pipeline = template(NAMESPACE, project, "");
        let files = [("buildspec.yml", NEEDS_BRANCH), ("pipeline.yml", &pipeline)];
        assert_eq!(found(&files, "branch-not-passed"), [""; 0], "{project}");
    }
    let unreadable = "                EnvironmentVariables: !Ref Variables";
    let pipeline = template(NAMESPACE, FROM_PIPELINE, unreadable);
    let files = [("buildspec.yml", NEEDS_BRANCH), ("pipeline.yml", &pipeline)];
    assert_eq!(found(&files, "branch-not-passed"), [""; 0]);
}

#[test]
fn a_template_of_the_cdk_is_followed_to_a_named_buildspec() {
    let cdk = |passed: &str| {
        format!(
            r##"{{"Resources": {{
  "ProjectC78D97AD": {{"Type": "AWS::CodeBuild::Project", "Properties": {{"Source": {{"Type": "CODEPIPELINE", "BuildSpec": "ci/build.yml"}}}}}},
  "Pipeline1": {{"Type": "AWS::CodePipeline::Pipeline", "Properties": {{"Stages": [
    {{"Name": "Source", "Actions": [{{"Name": "Source", "Namespace": "Source_NS", "ActionTypeId": {{"Category": "Source", "Provider": "CodeStarSourceConnection"}}}}]}},
    {{"Name": "Build", "Actions": [{{"Name": "Build", "ActionTypeId": {{"Category": "Build", "Provider": "CodeBuild"}},
      "Configuration": {{"ProjectName": {{"Ref": "ProjectC78D97AD"}}, "EnvironmentVariables": {passed}}}}}]}}]}}}}}}}}
"##
        )
    };
    let passes = r##""[{\"name\":\"BRANCH_NAME\",\"type\":\"PLAINTEXT\",\"value\":\"#{Source_NS.BranchName}\"}]""##;
    let joins = r#"{"Fn::Join": ["", ["[{\"name\":\"REPOSITORY_URI\",\"value\":\"", {"Ref": "R"}, "\"}]"]]}"#;
    for (passed, expected) in [(passes, 0), (joins, 1)] {
        let template = cdk(passed);
        let files = [
            ("ci/build.yml", NEEDS_BRANCH),
            ("cdk.out/Stack.template.json", &*template),
        ];
        let findings = found(&files, "branch-not-passed");
        assert_eq!(findings.len(), expected, "{passed}: {findings:?}");
        assert_eq!(found(&files, "missing-namespace"), [""; 0]);
    }
}

#[test]
fn terraform_that_is_written_out_is_followed_too() {
    let terraform = |passed: &str| {
        format!(
            r##"resource "aws_codebuild_project" "web" {{
  name = "web-${{var.env}}"
  source {{
    type      = "CODEPIPELINE"
    buildspec = "ci/build.yml"
  }}
}}

resource "aws_codepipeline" "web" {{
  name = "web"
  stage {{
    name = "Source"
    action {{
      name      = "Source"
      category  = "Source"
      provider  = "CodeStarSourceConnection"
      namespace = "SourceVariables"
      configuration = {{ BranchName = "main" }}
    }}
  }}
  stage {{
    name = "Build"
    action {{
      name     = "Build"
      category = "Build"
      provider = "CodeBuild"
      configuration = {{
        ProjectName = aws_codebuild_project.web.name
        {passed}
      }}
    }}
  }}
}}
"##
        )
    };
    let passes = r##"EnvironmentVariables = jsonencode([
          { name = "BRANCH_NAME", value = "#{SourceVariables.BranchName}", type = "PLAINTEXT" },
        ])"##;
    for (passed, expected) in [
        ("", 1),
        (passes, 0),
        ("EnvironmentVariables = local.all", 0),
    ] {
        let text = terraform(passed);
        let files = [("ci/build.yml", NEEDS_BRANCH), ("infra/main.tf", &*text)];
        let findings = found(&files, "branch-not-passed");
        assert_eq!(findings.len(), expected, "{passed}: {findings:?}");
    }
}

#[test]
fn a_pipelines_variable_in_commands_is_meant_only_where_it_is_used() {
    let spec = "version: 0.2
env:
  variables:
    COMMIT: '#{SourceVariables.CommitId}'
phases:
  build:
    commands:
      - export TAG=#{SourceVariables.BranchName}
      - echo \"pass '#{SourceVariables.BranchName}'\"
      - ruby -e 'puts \"#{foo.bar}\"'
      - |
        # '#{SourceVariables.BranchName}'
        make
";
    assert_eq!(
        found(&[("buildspec.yml", spec)], "variable-in-project"),
        [
            "buildspec.yml [#{SourceVariables.CommitId}]",
            "buildspec.yml [#{SourceVariables.BranchName}]",
        ]
    );
}

#[test]
fn namespaces_have_to_be_declared_before_they_are_read() {
    let reads = |what: &str| {
        let passed = format!(
            "                EnvironmentVariables: '[{{\"name\":\"X\",\"value\":\"{what}\"}}]'"
        );
        let text = template("", FROM_PIPELINE, &passed);
        found(&[("pipeline.yml", &text)], "missing-namespace")
    };
    assert_eq!(
        reads("#{SourceVariables.BranchName}"),
        ["pipeline.yml [#{SourceVariables.BranchName}]"]
    );
    assert_eq!(reads("#{BuildVariables.X}").len(), 1, "the action itself");
    assert_eq!(reads("#{variables.X}").len(), 1, "not declared");
    assert_eq!(reads("#{codepipeline.PipelineExecutionId}"), [""; 0]);
    let declared = template(NAMESPACE, FROM_PIPELINE, PASSES);
    assert_eq!(
        found(&[("pipeline.yml", &declared)], "missing-namespace"),
        [""; 0]
    );
}

#[test]
fn a_pipeline_of_which_a_part_is_computed_is_not_judged() {
    let text = template("", FROM_PIPELINE, PASSES).replace(
        "        - Name: Deploy\n",
        "        - !If [A, {}, {}]\n        - Name: Deploy\n",
    );
    assert_eq!(
        found(&[("pipeline.yml", &text)], "missing-namespace"),
        [""; 0]
    );
}

#[test]
fn an_exported_variable_may_be_set_in_many_ways() {
    let set = [
        "- export X=1",
        "- X=$(date)",
        "- read -r X < file",
        "- . ./environment.sh",
        "- eval \"$(make variables)\"",
        "- echo ${X:=1}",
        "- |\n        if true; then\n          X=1\n        fi",
        "- $X = 5",
    ];
    for command in set {
        let spec = format!(
            "version: 0.2\nenv:\n  exported-variables: [X]\nphases:\n  build:\n    commands:\n      {command}\n"
        );
        assert_eq!(
            found(&[("buildspec.yml", &spec)], "exported-never-set"),
            [""; 0],
            "{spec}"
        );
    }
    let spec = |command: &str| {
        format!(
            "version: 0.2\nenv:\n  exported-variables: [X, CODEBUILD_BUILD_ID]\nphases:\n  build:\n    commands:\n      {command}\n"
        )
    };
    let pipeline = template(NAMESPACE, FROM_PIPELINE, "");
    // What is read may come from a project, unless the project is here.
    for (command, alone) in [("- echo $X", 0), ("- echo ${X}", 0), ("- export XY=1", 1)] {
        let text = spec(command);
        let files = [("buildspec.yml", &*text), ("pipeline.yml", &*pipeline)];
        assert_eq!(
            found(&files[..1], "exported-never-set").len(),
            alone,
            "{text}"
        );
        assert_eq!(
            found(&files, "exported-never-set"),
            ["buildspec.yml [X]"],
            "{text}"
        );
    }
}

#[test]
fn what_the_next_action_reads_has_to_be_exported() {
    let spec = "version: 0.2\nenv:\n  exported-variables: [TAG]\nphases:\n  build:\n    commands:\n      - export TAG=1\n";
    for (read, expected) in [("TAG", 0), ("IMAGE_TAG", 1)] {
        let text = template(NAMESPACE, FROM_PIPELINE, "").replace(
            "ServiceName: web",
            &format!("ServiceName: 'web-#{{BuildVariables.{read}}}'"),
        );
        let files = [("buildspec.yml", spec), ("pipeline.yml", &text)];
        assert_eq!(
            found(&files, "exported-never-set").len(),
            expected,
            "{read}"
        );
    }
}

/// A buildspec that runs `command` and has these artifacts.
fn writes(command: &str, artifacts: &str) -> String {
    format!("version: 0.2\nphases:\n  build:\n    commands:\n      - {command}\n{artifacts}")
}

#[test]
fn patterns_of_artifacts_take_the_file_or_do_not() {
    let write = "printf x > imagedefinitions.json";
    let takes = [
        "'**/*'",
        "'*'",
        "'*.json'",
        "image*.json",
        "./imagedefinitions.json",
        "$FILE",
        "'**/imagedefinitions.json'",
    ];
    for pattern in takes {
        let spec = writes(write, &format!("artifacts:\n  files:\n    - {pattern}\n"));
        assert_eq!(
            found(&[("buildspec.yml", &spec)], "artifact-not-listed"),
            [""; 0],
            "{pattern}"
        );
    }
    for pattern in [
        "taskdef.json",
        "'*.yml'",
        "'infrastructure/**/*'",
        "build/*",
    ] {
        let spec = writes(write, &format!("artifacts:\n  files:\n    - {pattern}\n"));
        assert_eq!(
            found(&[("buildspec.yml", &spec)], "artifact-not-listed"),
            ["buildspec.yml [imagedefinitions.json]"],
            "{pattern}"
        );
    }
}

#[test]
fn artifacts_that_another_way_takes_are_not_missed() {
    let list = "artifacts:\n  files:\n    - app.jar\n";
    let secondary = "artifacts:\n  files:\n    - app.jar\n  secondary-artifacts:\n    image:\n      files:\n        - imagedefinitions.json\n";
    let quiet = [
        writes("printf x > imagedefinitions.json", secondary),
        writes("printf x > imagedefinitions.json", ""),
        writes(
            "printf x > out/imagedefinitions.json && cp out/imagedefinitions.json .",
            list,
        ),
        writes("cat imagedefinitions.json", list),
        writes(
            "printf x > imagedefinitions.json",
            "artifacts:\n  files:\n    - imageDetail.json\n",
        ),
        writes(
            "printf x > imagedefinitions.json",
            "artifacts:\n  base-directory: out\n  files:\n    - '**/*'\n",
        ),
    ];
    for spec in quiet {
        assert_eq!(
            found(&[("buildspec.yml", &spec)], "artifact-not-listed"),
            [""; 0],
            "{spec}"
        );
    }
}

#[test]
fn a_deployment_behind_the_build_needs_the_file_that_it_names() {
    let spec = writes("printf x > images.json", "");
    let default = template(NAMESPACE, FROM_PIPELINE, "");
    let named = default.replace(
        "ServiceName: web",
        "ServiceName: web\n                FileName: images.json",
    );
    let files = [("buildspec.yml", &*spec), ("pipeline.yml", &*named)];
    assert_eq!(
        found(&files, "artifact-not-listed"),
        ["buildspec.yml [images.json]"]
    );
    let files = [("buildspec.yml", &*spec), ("pipeline.yml", &*default)];
    assert_eq!(found(&files, "artifact-not-listed"), [""; 0]);
    // Without any artifacts the build hands on nothing.
    let commands = spec.split("artifacts:").next().unwrap_or_default();
    for (spec, expected) in [
        (commands.to_owned(), 1),
        (format!("{commands}artifacts:\n  files: ['**/*']\n"), 0),
        (
            format!("{commands}artefacts:\n  files: [a]\nArtifacts: {{}}\n"),
            0,
        ),
    ] {
        let files = [("buildspec.yml", &*spec), ("pipeline.yml", &*default)];
        let found = found(&files, "deployment-input-missing");
        assert_eq!(found.len(), expected, "{spec}");
    }
}

#[test]
fn a_list_on_one_line_or_a_base_directory_gets_no_fix() {
    for artifacts in [
        "artifacts:\n  files: [app.jar]\n",
        "artifacts:\n  files: app.jar\n",
        "artifacts:\n  base-directory: out\n  files:\n    - app.jar\n",
    ] {
        let spec = writes("printf x > imagedefinitions.json", artifacts);
        let findings = lint_with(&[("buildspec.yml", &spec)], &Settings::default());
        let finding = findings
            .iter()
            .find(|it| it.rule == "artifact-not-listed")
            .unwrap();
        assert!(
            finding.fix.is_none() && finding.refusal.is_some(),
            "{artifacts}"
        );
    }
}

#[test]
fn copilot_pipelines_of_two_branches_may_not_share_an_environment() {
    let manifest = |branch: &str, repository: &str, stage: &str| {
        format!(
            "name: p\nversion: 1\nsource:\n  provider: GitHub\n  properties:\n    branch: {branch}\n    repository: https://github.com/me/{repository}\nstages:\n  - name: {stage}\n"
        )
    };
    let cases = [
        (manifest("develop", "web", "prod"), 1),
        (manifest("develop", "web", "test"), 0),
        (manifest("main", "web", "prod"), 0),
        (manifest("develop", "api", "prod"), 0),
        (
            manifest("develop", "web", "prod\n    deployments:\n      api:"),
            0,
        ),
    ];
    let first = format!(
        "{}    deployments:\n      web:\n",
        manifest("main", "web", "prod")
    );
    for (second, expected) in cases {
        let files = [
            ("copilot/pipelines/a/manifest.yml", &*first),
            ("copilot/pipelines/b/manifest.yml", &*second),
        ];
        let findings = found(&files, "duplicate-branch-target");
        assert_eq!(findings.len(), expected, "{second}\n{findings:?}");
    }
}

#[test]
fn an_approval_or_a_condition_holds_other_branches_back() {
    let stages = |before: &str, production: &str| {
        format!(
            "Resources:
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Triggers:
        - ProviderType: CodeStarSourceConnection
          GitConfiguration:
            SourceActionName: Source
            Push: [{{Branches: {{Includes: ['release/*']}}}}]
      Stages:
{before}
        - Name: Deploy-Prod
{production}
          Actions:
            - Name: Deploy
              ActionTypeId: {{Category: Deploy, Owner: AWS, Provider: ECS, Version: '1'}}
"
        )
    };
    let approval = "        - Name: Ask
          Actions:
            - Name: Ask
              ActionTypeId: {Category: Approval, Owner: AWS, Provider: Manual, Version: '1'}";
    let ends = "        - Name: Gate
          BeforeEntry: {Conditions: [{Result: FAIL}]}
          Actions: []";
    let skips = ends.replace("FAIL", "SKIP");
    let condition = "          BeforeEntry: {Conditions: [{Result: SKIP}]}";
    let cases = [
        ("", "", 1),
        (&*skips, "", 1),
        (approval, "", 0),
        (ends, "", 0),
        ("", condition, 0),
    ];
    for (before, production, expected) in cases {
        let text = stages(before, production);
        let count = found(&[("pipeline.yml", &text)], "unconditional-stage").len();
        assert_eq!(count, expected, "{text}");
    }
}

#[test]
fn an_action_that_publishes_latest_is_named() {
    let action = |tags: &str| {
        format!(
            "Resources:
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Stages:
        - Name: Build
          Actions:
            - Name: Image
              ActionTypeId: {{Category: Build, Owner: AWS, Provider: ECRBuildAndPublish, Version: '1'}}
              Configuration:
                ECRRepositoryName: web
{tags}
"
        )
    };
    for (tags, expected) in [
        ("", 1),
        ("                ImageTags: latest", 1),
        ("                ImageTags: 'latest,v1'", 0),
        ("                ImageTags: !Ref Tag", 0),
    ] {
        let text = action(tags);
        let count = found(&[("pipeline.yml", &text)], "default-image-tag").len();
        assert_eq!(count, expected, "{tags}");
    }
}

/// The strategy that gives each branch its repository.
fn isolated() -> Settings {
    Settings {
        strategy: Strategy::RepositoryPerBranch,
        ..Settings::default()
    }
}

#[test]
fn the_examples_of_the_page_about_isolation_are_clean() {
    let page = include_str!("../../../docs/isolation.md");
    for (folder, settings) in [
        ("branch-tag", Settings::default()),
        ("repository-per-branch", isolated()),
    ] {
        let files: Vec<(&str, &str)> = page
            .split("\n```yaml ")
            .skip(1)
            .filter_map(|block| {
                let (path, rest) = block.split_once('\n')?;
                let path = path.strip_prefix(folder)?.strip_prefix('/')?;
                Some((path, &rest[..=rest.find("\n```")?]))
            })
            .collect();
        assert_eq!(files.len(), 2, "{folder}");
        let findings = lint_with(&files, &settings);
        assert!(findings.is_empty(), "{folder}: {findings:#?}");
    }
}

#[test]
fn the_rules_about_isolation_are_silent_under_the_other_strategy() {
    let files = [
        (
            "buildspec.yml",
            "version: 0.2\nphases:\n  build:\n    commands:\n      - for env in dev prod; do docker build -t $REGISTRY/web:$env . && docker push $REGISTRY/web:$env; done\n",
        ),
        (
            "repository.yml",
            "Resources:\n  R:\n    Type: AWS::ECR::Repository\n    Properties:\n      RepositoryName: web\n",
        ),
    ];
    let rules = |settings: &Settings| -> Vec<&str> {
        lint_with(&files, settings)
            .iter()
            .map(|it| it.rule)
            .filter(|rule| ["shared-repository", "mutable-repository"].contains(rule))
            .collect()
    };
    assert_eq!(rules(&Settings::default()), [""; 0]);
    assert_eq!(
        rules(&isolated()),
        ["shared-repository", "mutable-repository"]
    );
}

#[test]
fn a_repository_is_shared_only_if_something_shows_it() {
    let push = |image: &str| {
        format!(
            "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t {image} .\n      - docker push {image}\n"
        )
    };
    let cases = [
        ("$REGISTRY/web:$BRANCH_NAME", 1),
        (
            "$ACCOUNT.dkr.ecr.$AWS_REGION.amazonaws.com/web:${BRANCH_NAME}-1",
            1,
        ),
        ("$REGISTRY/web-$BRANCH_NAME:$BRANCH_NAME", 0),
        ("$REGISTRY/web-prod:$BRANCH_NAME", 0),
        ("$REGISTRY/$STAGE/web:$BRANCH_NAME", 0),
        ("$REPOSITORY_URI:$BRANCH_NAME", 0),
        ("$REGISTRY/web:$CODEBUILD_RESOLVED_SOURCE_VERSION", 0),
    ];
    for (image, expected) in cases {
        let spec = push(image);
        let findings = lint_with(&[("buildspec.yml", &spec)], &isolated());
        let count = findings
            .iter()
            .filter(|it| it.rule == "shared-repository")
            .count();
        assert_eq!(count, expected, "{image}: {findings:?}");
    }
}

#[test]
fn pipelines_of_two_branches_show_that_a_repository_is_shared() {
    let spec = "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t $REGISTRY/web:$CODEBUILD_RESOLVED_SOURCE_VERSION .\n      - docker push $REGISTRY/web:$CODEBUILD_RESOLVED_SOURCE_VERSION\n";
    let pipeline = |branch: &str| {
        let source = format!("              Configuration: {{BranchName: {branch}}}");
        template(&source, FROM_PIPELINE, "")
    };
    for (other, expected) in [("develop", 1), ("main", 0)] {
        let (first, second) = (pipeline("main"), pipeline(other));
        let files = [
            ("buildspec.yml", spec),
            ("a.yml", &*first),
            ("b.yml", &*second),
        ];
        let findings = lint_with(&files, &isolated());
        let count = findings
            .iter()
            .filter(|it| it.rule == "shared-repository")
            .count();
        assert_eq!(count, expected, "{other}: {findings:?}");
    }
}

#[test]
fn under_isolation_latest_is_rewritten_only_in_a_repository_of_its_own() {
    let spec = |image: &str| {
        format!(
            "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t {image}:latest .\n      - docker push {image}:latest\n"
        )
    };
    let shared = spec("$REGISTRY/web");
    let findings = lint_with(&[("buildspec.yml", &shared)], &isolated());
    let finding = findings
        .iter()
        .find(|it| it.rule == "latest-pushed")
        .unwrap();
    assert!(finding.fix.is_none());
    let reason = finding.refusal.as_ref().unwrap().message.as_str();
    assert!(reason.contains("web-${BRANCH_NAME}"), "{reason}");

    let own = spec("$REGISTRY/web-$BRANCH_NAME");
    let findings = lint_with(&[("buildspec.yml", &own)], &isolated());
    let finding = findings
        .iter()
        .find(|it| it.rule == "latest-pushed")
        .unwrap();
    let fix = finding.fix.as_ref().unwrap();
    assert!(
        fix.message.contains("CODEBUILD_BUILD_ID"),
        "{}",
        fix.message
    );
}

#[test]
fn under_isolation_copilot_gets_no_branch_tag() {
    let files = [
        (
            "buildspec.yml",
            "version: 0.2\nphases:\n  build:\n    commands:\n      - copilot svc deploy --name web --env test\n",
        ),
        (
            "copilot/web/manifest.yml",
            "name: web\ntype: Backend Service\nimage:\n  build: Dockerfile\n",
        ),
    ];
    for (settings, fixed) in [(Settings::default(), true), (isolated(), false)] {
        let findings = lint_with(&files, &settings);
        let finding = findings
            .iter()
            .find(|it| it.rule == "missing-tag-flag")
            .unwrap();
        assert_eq!(finding.fix.is_some(), fixed, "{finding:?}");
    }
}

#[test]
fn roles_may_push_to_their_own_environment() {
    let role = |name: &str, resource: &str| {
        format!(
            "Resources:
  ProdRepository:
    Type: AWS::ECR::Repository
    Properties:
      ImageTagMutability: IMMUTABLE
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: {name}
      Policies:
        - PolicyName: push
          PolicyDocument:
            Statement:
              Effect: Allow
              Action: ecr:*
              Resource: {resource}
"
        )
    };
    let cases = [
        ("build-dev", "!GetAtt ProdRepository.Arn", 1),
        ("build-prod", "!GetAtt ProdRepository.Arn", 0),
        ("build", "!GetAtt ProdRepository.Arn", 0),
        (
            "build-dev",
            "'arn:aws:ecr:eu-west-1:1:repository/web-staging'",
            1,
        ),
        ("build-dev", "'arn:aws:ecr:eu-west-1:1:repository/web-*'", 0),
        (
            "build-dev",
            "!Sub 'arn:aws:ecr:*:*:repository/${Name}-prod'",
            0,
        ),
        ("build-dev", "'*'", 0),
    ];
    for (name, resource, expected) in cases {
        let text = role(name, resource);
        let findings = lint_with(&[("roles.yml", &text)], &isolated());
        assert_eq!(findings.len(), expected, "{name} {resource}: {findings:?}");
    }
}

#[test]
fn a_mode_of_tags_that_a_parameter_decides_is_not_judged() {
    for (mode, expected) in [
        ("MUTABLE", 1),
        ("MUTABLE_WITH_EXCLUSION", 1),
        ("IMMUTABLE_WITH_EXCLUSION", 0),
        ("!Ref Mode", 0),
    ] {
        let text = format!(
            "Resources:\n  R:\n    Type: AWS::ECR::Repository\n    Properties:\n      ImageTagMutability: {mode}\n"
        );
        let findings = lint_with(&[("repository.yml", &text)], &isolated());
        assert_eq!(findings.len(), expected, "{mode}");
    }
    let terraform = "resource \"aws_ecr_repository\" \"web\" {\n  name = \"web-prod\"\n  image_tag_mutability = var.mode\n}\n";
    assert!(lint_with(&[("main.tf", terraform)], &isolated()).is_empty());
}

/// The places that `cross-environment-access` speaks of in a file of Terraform.
fn crossings(terraform: &str) -> Vec<String> {
    lint_with(&[("roles.tf", terraform)], &isolated())
        .iter()
        .filter(|finding| finding.rule == "cross-environment-access")
        .map(|finding| terraform[finding.span.range()].to_owned())
        .collect()
}

const DEV_ROLE: &str = "resource \"aws_iam_role\" \"build\" {\n  name = \"web-build-dev\"\n}\n";
const PROD_ARN: &str = "\"arn:aws:ecr:${var.region}:${local.account}:repository/web-prod\"";

#[test]
fn a_role_of_terraform_may_push_to_the_repositories_of_its_policies() {
    let statement = format!(
        "Effect = \"Allow\"\n      Action = [\"ecr:PutImage\", \"ecr:InitiateLayerUpload\"]\n      Resource = [{PROD_ARN}, \"arn:aws:ecr:eu-west-1:111122223333:repository/web-dev\"]"
    );
    let own = |policy: &str| {
        format!(
            "{DEV_ROLE}resource \"aws_iam_role_policy\" \"push\" {{\n  role = aws_iam_role.build.id\n  policy = {policy}\n}}\n"
        )
    };
    let encoded = format!(
        "jsonencode({{\n    Version = \"2012-10-17\"\n    Statement = [{{\n      {statement}\n    }}]\n  }})"
    );
    assert_eq!(crossings(&own(&encoded)), [PROD_ARN]);
    let one = encoded.replace("[{", "{").replace("}]", "}");
    assert_eq!(crossings(&own(&one)), [PROD_ARN]);

    let json = format!(
        "<<-EOF\n  {{\"Statement\": [{{\"Effect\": \"Allow\", \"Action\": \"ecr:*\", \"Resource\": {PROD_ARN}}}]}}\n  EOF"
    );
    assert_eq!(crossings(&own(&json)), [PROD_ARN]);

    let document = |extra: &str| {
        format!(
            "data \"aws_iam_policy_document\" \"push\" {{\n  statement {{\n    actions = [\"ecr:PutImage\"]\n    resources = [aws_ecr_repository.prod.arn]\n{extra}  }}\n}}\nresource \"aws_ecr_repository\" \"prod\" {{\n  name = \"web-prod\"\n  image_tag_mutability = \"IMMUTABLE\"\n}}\n"
        )
    };
    let through = |extra: &str| own("data.aws_iam_policy_document.push.json") + &document(extra);
    assert_eq!(crossings(&through("")), ["aws_ecr_repository.prod.arn"]);
    let attached = format!(
        "{DEV_ROLE}resource \"aws_iam_policy\" \"push\" {{\n  policy = data.aws_iam_policy_document.push.json\n}}\nresource \"aws_iam_role_policy_attachment\" \"push\" {{\n  role = aws_iam_role.build.name\n  policy_arn = aws_iam_policy.push.arn\n}}\n{}",
        document("")
    );
    assert_eq!(crossings(&attached), ["aws_ecr_repository.prod.arn"]);

    let inside = format!(
        "resource \"aws_iam_role\" \"dev\" {{\n  inline_policy {{\n    name = \"push\"\n    policy = {encoded}\n  }}\n}}\n"
    );
    assert_eq!(crossings(&inside), [PROD_ARN]);

    // What is computed, conditional or denied is left out.
    for extra in [
        "    effect = \"Deny\"\n",
        "    effect = var.effect\n",
        "    condition {\n      test = \"Bool\"\n    }\n",
        "    dynamic \"condition\" {\n      for_each = var.x\n    }\n",
    ] {
        assert_eq!(crossings(&through(extra)), [""; 0], "{extra}");
    }
    for (from, to) in [
        ("repository/web-prod", "repository/${var.name}"),
        ("repository/web-prod", "repository/*"),
        ("web-build-dev", "${var.name}"),
        (
            "ecr:PutImage\", \"ecr:InitiateLayerUpload",
            "ecr:BatchGetImage",
        ),
        ("\"Allow\"", "\"Allow\"\n      Condition = {}"),
        (
            "role = aws_iam_role.build.id",
            "count = 2\n  role = aws_iam_role.build.id",
        ),
        ("aws_iam_role.build.id", "var.role"),
        ("jsonencode(", "templatefile("),
    ] {
        let text = own(&encoded).replace(from, to);
        assert_eq!(crossings(&text), [""; 0], "{text}");
    }
}

#[test]
fn an_action_that_brings_its_own_buildspec_does_not_run_the_project_s() {
    let overridden = "                BuildspecOverride: other.yml";
    let pipeline = template(NAMESPACE, FROM_PIPELINE, overridden);
    let files = [
        ("buildspec.yml", NEEDS_BRANCH),
        ("pipeline.yml", &*pipeline),
    ];
    assert_eq!(found(&files, "branch-not-passed"), [""; 0]);
    let files = [
        (
            "buildspec.yml",
            "version: 0.2\nphases:\n  build:\n    commands:\n      - make\n",
        ),
        ("other.yml", NEEDS_BRANCH),
        ("pipeline.yml", &*pipeline),
    ];
    assert_eq!(found(&files, "branch-not-passed").len(), 1);
}

#[test]
fn tags_of_several_environments_in_one_repository_share_it() {
    let push = |tag: &str| {
        format!(
            "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t 1.dkr.ecr.eu-west-1.amazonaws.com/shop:{tag} .\n      - docker push 1.dkr.ecr.eu-west-1.amazonaws.com/shop:{tag}\n"
        )
    };
    let shared = |tags: [&str; 2]| {
        let texts = tags.map(push);
        let files = [
            ("buildspec-one.yml", texts[0].as_str()),
            ("buildspec-two.yml", texts[1].as_str()),
        ];
        lint_with(&files, &isolated())
            .iter()
            .filter(|it| it.rule == "shared-repository")
            .map(|it| it.message.clone())
            .collect::<Vec<_>>()
    };
    let messages = shared(["dev", "prod"]);
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(
        messages[0].starts_with("the builds of `dev` and `prod` push to the one repository `shop`"),
        "{messages:?}"
    );
    assert_eq!(shared(["prod", "production"]), [""; 0]);
    assert_eq!(shared(["v1", "prod"]), [""; 0]);
}

//! Telling the kinds of files apart, from path and text, without parsing.

pub use tagwright_syntax::FileKind;

use crate::delivery::code_inline;

/// Whether the text has the needle in it: faster than `contains` where most texts do not.
#[must_use]
pub fn has(text: &str, needle: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), needle.as_bytes()).is_some()
}

/// Whether some line of `text` starts with `key` and a colon (quotes around the key allowed).
fn top_level_key(text: &str, key: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, key.as_bytes()).any(|at| {
        let before = text[..at].trim_start_matches('\u{feff}');
        let before = before.strip_suffix(['"', '\'']).unwrap_or(before);
        let starts = before.is_empty() || before.ends_with(['\n', '\r']);
        let after = &text[at + key.len()..];
        let after = after.strip_prefix(['"', '\'']).unwrap_or(after);
        starts && after.trim_start_matches([' ', '\t']).starts_with(':')
    })
}

/// Whether the text says `version: 0.1` or `0.2` on a line of its own, in any quotes.
fn buildspec_version(text: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), "version").any(|at| {
        let before = text[..at].trim_start_matches('\u{feff}');
        if !(before.is_empty() || before.ends_with(['\n', '\r'])) {
            return false;
        }
        let line = text[at + "version".len()..].lines().next().unwrap_or("");
        let Some(value) = line.trim_start().strip_prefix(':') else {
            return false;
        };
        let value = value.split(" #").next().unwrap_or("").trim();
        matches!(value.trim_matches(['"', '\'']), "0.1" | "0.2")
    })
}

/// Whether the file's name is one that people give to buildspecs.
#[must_use]
pub fn is_buildspec_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    name.contains("buildspec") || name.contains("build-spec") || name.contains("build_spec")
}

/// Whether the file is a script for sh, dash or bash whose bytes are what these shells read. Where lines end in
/// `\r\n`, the last word of a command is another one than it looks like.
fn is_script(name: &str, text: &str) -> bool {
    let first = text.lines().next().unwrap_or("");
    let named = match first.strip_prefix("#!") {
        Some(interpreter) => {
            let program = |word: &str| {
                let name = word.rsplit('/').next().unwrap_or(word);
                matches!(name, "sh" | "dash" | "bash" | "ash")
            };
            let mut words = interpreter.split_whitespace();
            words
                .find(|word| !word.ends_with("/env") && !word.starts_with('-'))
                .is_some_and(program)
        }
        None => name.ends_with(".sh") || name.ends_with(".bash"),
    };
    named && !text.contains('\r') && !text.starts_with('\u{feff}')
}

/// Whether a file of this name, in lower case, may be code for the AWS CDK that describes builds. Tests of such code hold
/// buildspecs that nobody builds.
#[must_use]
pub fn is_cdk_name(name: &str) -> bool {
    const TESTS: [&str; 6] = [".test.", ".spec.", ".d.ts", "_test.", "test_", "integ."];
    const PARTS: [&str; 12] = [
        "stack",
        "pipeline",
        "build",
        "construct",
        "cicd",
        "ci-cd",
        "ci_cd",
        "deploy",
        "project",
        "infra",
        "cdk",
        "stage",
    ];
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return false;
    };
    matches!(extension, "ts" | "mts" | "js" | "mjs" | "cjs" | "py")
        && !TESTS.iter().any(|it| name.contains(it))
        && (matches!(stem, "app" | "main") || PARTS.iter().any(|it| stem.contains(it)))
}

/// Whether JSON is the list of containers of a task definition: images, with a key that only ECS has beside them.
fn is_container_list(text: &str) -> bool {
    const KEYS: [&str; 5] = [
        "\"essential\"",
        "\"memory\"",
        "\"memoryReservation\"",
        "\"portMappings\"",
        "\"logConfiguration\"",
    ];
    text.trim_start().starts_with('[')
        && has(text, "\"image\"")
        && KEYS.iter().any(|key| has(text, key))
}

/// Whether JSON is what `codepipeline get-pipeline`, `codebuild batch-get-projects`, `ecr describe-repositories` or
/// `ecr describe-repository-creation-templates` of the AWS CLI print. Source: AWS CLI Command Reference, "Output".
fn is_aws_answer(text: &str) -> bool {
    /// The first key, and one that stands in each of the things below it.
    const ANSWERS: [(&str, &str); 4] = [
        ("\"pipeline\"", "\"actionTypeId\""),
        ("\"projects\"", "\"serviceRole\""),
        ("\"repositories\"", "\"repositoryArn\""),
        ("\"repositoryCreationTemplates\"", "\"prefix\""),
    ];
    let Some(inside) = text.trim_start().strip_prefix('{') else {
        return false;
    };
    let first = inside.trim_start();
    let registry = first.starts_with("\"registryId\"");
    ANSWERS.iter().any(|(key, inner)| {
        let leads = first.starts_with(key) || registry && has(text, key);
        leads && has(text, inner)
    })
}

/// Whether the text has nothing but comments.
fn is_blank(text: &str) -> bool {
    text.lines()
        .map(|line| line.trim_start_matches('\u{feff}').trim_start())
        .all(|line| line.is_empty() || line.starts_with('#'))
}

/// What the file is. Paths use `/`.
#[must_use]
pub fn classify(path: &str, text: &str) -> FileKind {
    let name = path.rsplit('/').next().unwrap_or(path);
    let lower = name.to_ascii_lowercase();
    let extension = lower.rsplit('.').next().unwrap_or("");
    if extension == "tf" {
        return FileKind::Terraform;
    }
    if is_cdk_name(&lower) {
        return match code_inline::has_calls(text) {
            true => FileKind::Cdk,
            false => FileKind::Other,
        };
    }
    if extension == "json" {
        if lower.contains("imagedef") || lower == "imagedetail.json" {
            return FileKind::ImageDefinitions;
        }
        if lower == "dockerrun.aws.json" {
            return FileKind::Dockerrun;
        }
        if is_aws_answer(text) {
            return FileKind::AwsAnswer;
        }
        if has(text, "\"containerDefinitions\"") {
            return FileKind::TaskDefinition;
        }
        if is_container_list(text) {
            return FileKind::TaskDefinition;
        }
        if has(text, "\"AWS::") {
            return FileKind::CloudFormation;
        }
        if is_buildspec_name(path) && has(text, "\"phases\"") {
            return FileKind::Buildspec;
        }
        return FileKind::Other;
    }
    if is_script(name, text) {
        return FileKind::Script;
    }
    let yaml = matches!(extension, "yml" | "yaml");
    let template = matches!(extension, "tftpl" | "tpl" | "tmpl" | "j2" | "erb")
        && (is_buildspec_name(path) || has(text, "phases:"));
    if !yaml && !template {
        return FileKind::Other;
    }
    let in_copilot = path.starts_with("copilot/") || path.contains("/copilot/");
    if in_copilot && matches!(name, "manifest.yml" | "manifest.yaml" | "pipeline.yml") {
        if top_level_key(text, "stages") && top_level_key(text, "source") {
            return FileKind::CopilotPipeline;
        }
        if text
            .lines()
            .any(|line| line.starts_with("type:") && line.contains("Environment"))
        {
            return FileKind::CopilotEnvironment;
        }
        if top_level_key(text, "type") {
            return FileKind::CopilotWorkload;
        }
    }
    let phases = has(text, "phases");
    if phases
        && top_level_key(text, "phases")
        && (buildspec_version(text) || is_buildspec_name(path))
    {
        return FileKind::Buildspec;
    }
    // Broken or unusual, but meant as one: the lint says what is wrong with it.
    if is_buildspec_name(path)
        && (phases || buildspec_version(text))
        && !has(text, "repository_info")
    {
        return FileKind::Buildspec;
    }
    // The line `phases:` is missing.
    if is_buildspec_name(path)
        && has(text, "commands:")
        && ["install", "pre_build", "build", "post_build"]
            .iter()
            .any(|phase| top_level_key(text, phase))
    {
        return FileKind::Buildspec;
    }
    if buildspec_version(text) && (top_level_key(text, "batch") || phases) {
        return FileKind::Buildspec;
    }
    // Nothing in it yet, or all of it turned off: CodeBuild stops at such a file.
    if yaml && is_buildspec_name(path) && is_blank(text) {
        return FileKind::Buildspec;
    }
    if has(text, "AWS::") && (has(text, "Resources:") || has(text, "AWSTemplateFormatVersion")) {
        return FileKind::CloudFormation;
    }
    if has(text, "image") {
        if top_level_key(text, "apiVersion") && top_level_key(text, "kind") {
            return FileKind::Kubernetes;
        }
        if top_level_key(text, "services") {
            return FileKind::Compose;
        }
    }
    if has(text, "containerDefinitions:") {
        return FileKind::TaskDefinition;
    }
    // CodeBuild reads it by its name, whatever is in it.
    let is_default = yaml && matches!(&*lower, "buildspec.yml" | "buildspec.yaml");
    let batch = is_buildspec_name(path) && top_level_key(text, "batch") && has(text, "build-");
    let other = has(text, "repository_info") || top_level_key(text, "buildspecs");
    if (is_default || batch) && !other {
        return FileKind::Buildspec;
    }
    FileKind::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_what_they_say() {
        let cases = [
            (
                "ecs/containers.json",
                "[{\"name\": \"a\", \"image\": \"r/a:1\", \"memory\": 1}]",
                FileKind::TaskDefinition,
            ),
            (
                "web/pictures.json",
                "[{\"image\": \"a.png\"}]",
                FileKind::Other,
            ),
            (
                "buildspec.yml",
                "version: 0.2\nphases:\n",
                FileKind::Buildspec,
            ),
            (
                "ci/deploy.yaml",
                "version: 0.2\r\n\r\nphases:\r\n",
                FileKind::Buildspec,
            ),
            (
                "ci/x.yml",
                "\u{feff}version: '0.2'\nphases: {}\n",
                FileKind::Buildspec,
            ),
            (
                ".buildspec.yml",
                "build:\n  commands:\n    - make\n",
                FileKind::Buildspec,
            ),
            ("serverless.yml", "service: x\nphases: y\n", FileKind::Other),
            (
                "copilot/api/manifest.yml",
                "name: api\ntype: Backend Service\n",
                FileKind::CopilotWorkload,
            ),
            (
                "copilot/environments/test/manifest.yml",
                "name: test\ntype: Environment\n",
                FileKind::CopilotEnvironment,
            ),
            (
                "copilot/pipelines/main/manifest.yml",
                "name: p\nversion: 1\nsource:\n  provider: GitHub\nstages:\n",
                FileKind::CopilotPipeline,
            ),
            (
                "dlc/buildspec.yml",
                "account_id: 1\nrepository_info:\n  x: y\nversion: 12.8.1\n",
                FileKind::Other,
            ),
            (
                "k8s/app.yaml",
                "apiVersion: v1\nkind: Pod\nspec: {image: x}\n",
                FileKind::Kubernetes,
            ),
            (
                "docker-compose.yml",
                "services:\n  a:\n    image: x\n",
                FileKind::Compose,
            ),
            (
                "a/taskdef.json",
                "{\"containerDefinitions\": []}",
                FileKind::TaskDefinition,
            ),
            (
                "Dockerrun.aws.json",
                "{\"Image\": {\"Name\": \"x\"}}",
                FileKind::Dockerrun,
            ),
            (
                "aws/pipeline-shop.json",
                "{\n  \"pipeline\": {\"stages\": [{\"actions\": [{\"actionTypeId\": {}}]}]}}",
                FileKind::AwsAnswer,
            ),
            (
                "templates.json",
                "{\"registryId\": \"1\", \"repositoryCreationTemplates\": [{\"prefix\": \"a\"}]}",
                FileKind::AwsAnswer,
            ),
            ("projects.json", "{\"projects\": []}", FileKind::Other),
            ("package.json", "{}", FileKind::Other),
            ("main.tf", "", FileKind::Terraform),
            (
                "lib/web-stack.ts",
                "codebuild.BuildSpec.fromObject({})",
                FileKind::Cdk,
            ),
            ("lib/web-stack.ts", "new Stack()", FileKind::Other),
            (
                "lib/web-stack.test.ts",
                "codebuild.BuildSpec.fromObject({})",
                FileKind::Other,
            ),
            ("deploy.sh", "docker push x\n", FileKind::Script),
            ("deploy", "#!/bin/sh -e\n", FileKind::Script),
            ("deploy", "#!/usr/bin/env bash\n", FileKind::Script),
            ("deploy", "#!/usr/bin/env -S bash -e\n", FileKind::Script),
            ("deploy.sh", "#!/usr/bin/env zsh\n", FileKind::Other),
            ("deploy.sh", "#!/bin/sh\r\n", FileKind::Other),
            ("deploy", "docker push x\n", FileKind::Other),
        ];
        for (path, text, kind) in cases {
            assert_eq!(classify(path, text), kind, "{path}");
        }
    }
}

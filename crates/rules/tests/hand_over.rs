//! Rules about what a description gives to a build and a build to a deployment: the spellings that they know, and
//! the situations in which they have to be silent.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use tagwright_flow::FileId;
use tagwright_rules::{Settings, lint};

/// The rules that say something of `files`, each with its file and what it is about; only those of `names`.
fn found(names: &[&str], files: &[(&str, &str)]) -> Vec<String> {
    let texts: Vec<(&str, Arc<str>)> = files
        .iter()
        .map(|(path, text)| (*path, Arc::from(*text)))
        .collect();
    let numbered = texts
        .iter()
        .enumerate()
        .map(|(index, (path, text))| (FileId(u32::try_from(index).unwrap()), *path, text));
    lint(numbered, &Settings::default())
        .into_iter()
        .filter(|it| names.contains(&it.rule))
        .map(|it| format!("{} {}", it.rule, files[it.file.0 as usize].0))
        .collect()
}

fn spec(commands: &[&str], rest: &str) -> String {
    let items: String = commands
        .iter()
        .map(|it| format!("      - {it}\n"))
        .collect();
    format!("version: 0.2\nphases:\n  build:\n    commands:\n{items}{rest}")
}

fn terraform_project(environment: &str) -> String {
    format!(
        "resource \"aws_codebuild_project\" \"web\" {{\n  name = \"web\"\n  environment {{\n    type = \"LINUX_CONTAINER\"\n    image = \"aws/codebuild/standard:7.0\"\n{environment}\n  }}\n  source {{\n    type = \"CODEPIPELINE\"\n  }}\n}}\n"
    )
}

fn terraform_pipeline(source: &str, build: &str) -> String {
    format!(
        "resource \"aws_codepipeline\" \"web\" {{\n  name = \"web\"\n  stage {{\n    name = \"Source\"\n    action {{\n      name = \"Source\"\n      category = \"Source\"\n      provider = \"CodeStarSourceConnection\"\n      output_artifacts = [\"source\"]\n      configuration = {{\n        BranchName = \"main\"\n{source}\n      }}\n    }}\n  }}\n  stage {{\n    name = \"Build\"\n    action {{\n      name = \"Build\"\n      category = \"Build\"\n      provider = \"CodeBuild\"\n      input_artifacts = [\"source\"]\n      output_artifacts = [\"out\"]\n      configuration = {{\n        ProjectName = aws_codebuild_project.web.name\n{build}\n      }}\n    }}\n  }}\n}}\n"
    )
}

#[test]
fn docker_needs_privileges_where_it_surely_runs() {
    let rule = ["unprivileged-docker"];
    let cases = [
        ("docker build -t web:1 .", "", true),
        ("cd app && docker compose build", "", true),
        (
            "sudo docker push web:1",
            "    privileged_mode = false",
            true,
        ),
        ("./gradlew bootBuildImage", "", true),
        (
            "docker build -t web:1 .",
            "    privileged_mode = true",
            false,
        ),
        (
            "docker build -t web:1 .",
            "    privileged_mode = \"true\"",
            false,
        ),
        (
            "docker build -t web:1 .",
            "    privileged_mode = var.docker",
            false,
        ),
        (
            "docker build -t web:1 .",
            "    fleet {\n      fleet_arn = var.fleet\n    }",
            false,
        ),
        ("docker login -u AWS -p \"$PASSWORD\" registry", "", false),
        ("docker pull web:1 || true", "", false),
        (
            "if [ -f Dockerfile ]; then docker build -t web:1 .; fi",
            "",
            false,
        ),
        ("make image || docker build -t web:1 .", "", false),
        ("echo docker build .", "", false),
        ("docker --version", "", false),
        (
            "DOCKER_HOST=tcp://builder:2375 docker build -t web:1 .",
            "",
            false,
        ),
    ];
    for (command, environment, expected) in cases {
        let (spec, project) = (spec(&[command], ""), terraform_project(environment));
        let found = found(&rule, &[("buildspec.yml", &spec), ("main.tf", &project)]);
        assert_eq!(!found.is_empty(), expected, "{command} {environment}");
    }
    let docker = spec(&["docker build -t web:1 ."], "");
    let own = terraform_project("");
    // Another project may be the one that runs it.
    let other = terraform_project("    privileged_mode = true");
    assert!(
        found(
            &rule,
            &[("buildspec.yml", &docker), ("a.tf", &own), ("b.tf", &other)]
        )
        .is_empty()
    );
    let json = "{\"Resources\": {\"Web\": {\"Type\": \"AWS::CodeBuild::Project\", \"Properties\": {\"Environment\": {\"Type\": \"LINUX_CONTAINER\", \"Image\": \"IMAGE\"}, \"Source\": {\"Type\": \"GITHUB\"}}}}}";
    let json = |image: &str| json.replace("IMAGE", image);
    let is = |image: &str| {
        found(
            &rule,
            &[("buildspec.yml", &docker), ("template.json", &json(image))],
        )
        .len()
    };
    assert_eq!(is("aws/codebuild/standard:7.0"), 1);
    // Former images with Docker were privileged by themselves.
    assert_eq!(is("aws/codebuild/docker:18.09.0"), 0);
}

#[test]
fn git_needs_a_repository() {
    let rule = ["git-without-repository"];
    let clone = "        OutputArtifactFormat = \"CODEBUILD_CLONE_REF\"";
    let cases = [
        ("TAG=$(git rev-parse --short HEAD)", "", true),
        ("git describe --tags", "", true),
        ("echo $(git log -1 --format=%h)", "", true),
        ("git log -1 | head -1", "", true),
        ("git diff --quiet HEAD~1 -- app", "", true),
        ("git tag v1 && git push origin v1", "", true),
        ("git diff old.txt new.txt", "", false),
        ("git ls-remote https://example.com/a.git", "", false),
        ("TAG=$(git rev-parse --short HEAD)", clone, false),
        (
            "TAG=$(git rev-parse --short HEAD)",
            "        OutputArtifactFormat = var.format",
            false,
        ),
        ("TAG=$(git rev-parse HEAD || echo none)", "", false),
        ("TAG=$(git rev-parse HEAD) || TAG=none", "", false),
        ("git rev-parse HEAD || true", "", false),
        ("if git rev-parse HEAD; then make; fi", "", false),
        (
            "git clone https://example.com/a.git && cd a && git log -1",
            "",
            false,
        ),
        ("git init && git status", "", false),
        ("git config --global user.name build", "", false),
        ("git -C vendor log -1", "", false),
        ("git --version", "", false),
    ];
    let project = terraform_project("");
    for (command, source, expected) in cases {
        let (spec, pipeline) = (spec(&[command], ""), terraform_pipeline(source, ""));
        let files = [
            ("buildspec.yml", &*spec),
            ("main.tf", &project),
            ("pipeline.tf", &pipeline),
        ];
        assert_eq!(
            !found(&rule, &files).is_empty(),
            expected,
            "{command} {source}"
        );
    }
}

#[test]
fn the_variables_of_an_action_are_json_text() {
    let rule = ["action-variables", "branch-not-passed", "undefined-branch"];
    let cases = [
        ("[{ name = \"A\", value = \"b\" }]", true),
        ("{ A = \"b\" }", true),
        ("jsonencode({ A = \"b\" })", true),
        ("jsonencode([{ A = \"b\" }])", true),
        (
            "jsonencode([{ name = \"A\", value = \"#{Source.CommitMessage}\" }])",
            true,
        ),
        (
            "jsonencode([{ name = \"A\", value = \"b\", type = \"SECRET\" }])",
            true,
        ),
        (
            "jsonencode([{ name = \"A\", value = var.b, type = var.type }])",
            false,
        ),
        (
            "jsonencode([for name in var.names : { name = name }])",
            false,
        ),
        ("\"[{name: A, value: b}]\"", true),
        (
            "jsonencode([{ name = \"A\", value = \"b\", type = \"PLAINTEXT\" }])",
            false,
        ),
        ("jsonencode(local.variables)", false),
        ("var.variables", false),
        (
            "\"[{\\\"name\\\":\\\"A\\\",\\\"value\\\":\\\"${var.b}\\\"}]\"",
            false,
        ),
    ];
    let (spec, project) = (spec(&["make"], ""), terraform_project(""));
    let entry = "{ name = \"VARIABLE\", value = \"some text\", type = \"PLAINTEXT\" }";
    let long = format!("jsonencode([{}])", [entry; 17].join(", "));
    let fits = format!("jsonencode([{}])", [entry; 16].join(", "));
    for (value, expected) in cases.into_iter().chain([(&*long, true), (&*fits, false)]) {
        let build = format!("        EnvironmentVariables = {value}");
        let pipeline = terraform_pipeline("", &build);
        let files = [
            ("buildspec.yml", &*spec),
            ("main.tf", &project),
            ("pipeline.tf", &pipeline),
        ];
        assert_eq!(!found(&rule, &files).is_empty(), expected, "{value}");
    }
}

#[test]
fn artifacts_are_taken_from_where_they_are_written() {
    let rule = ["artifact-elsewhere", "artifact-not-listed"];
    let write =
        |to: &str| format!("printf '[{{\"name\":\"web\",\"imageUri\":\"%s\"}}]' \"$URI\" > {to}");
    let plain = "artifacts:\n  files: [imagedefinitions.json]\n";
    let based = "artifacts:\n  base-directory: out\n  files: [imagedefinitions.json]\n";
    let any = "artifacts:\n  files: ['**/*']\n";
    let name = "imagedefinitions.json";
    let cases: &[(&[&str], &str, &str, bool)] = &[
        (&["cd app"], name, plain, true),
        (&["cd app && make"], name, plain, true),
        (&["cd app/web", "cd .."], name, plain, true),
        (&[], name, based, true),
        (&["pushd app", "make"], name, plain, true),
        (&["pushd app", "popd", "cd web"], name, plain, true),
        (&["pushd app", "popd"], name, plain, false),
        (&["cd app"], "../imagedefinitions.json", plain, false),
        (&["cd app", "cd -"], name, plain, false),
        (&["cd app", "cd .."], name, plain, false),
        (&["cd app", "cd $CODEBUILD_SRC_DIR"], name, plain, false),
        (
            &["cd app"],
            "$CODEBUILD_SRC_DIR/imagedefinitions.json",
            plain,
            false,
        ),
        (&["cd app"], name, any, false),
        (&["cd $APP"], name, plain, false),
        (&["(cd app && make)"], name, plain, false),
        (&["if [ -d app ]; then cd app; fi"], name, plain, false),
        (&["cd out"], name, based, false),
        (&[], "out/imagedefinitions.json", based, false),
    ];
    for (before, to, artifacts, expected) in cases {
        let last = write(to);
        let commands: Vec<&str> = before.iter().copied().chain([&*last]).collect();
        let spec = spec(&commands, artifacts);
        let found = found(&rule, &[("buildspec.yml", &spec)]);
        assert_eq!(!found.is_empty(), *expected, "{spec}");
    }
    let moved = spec(
        &["cd app", &write(name), "mv imagedefinitions.json .."],
        plain,
    );
    assert!(found(&rule, &[("buildspec.yml", &moved)]).is_empty());
    for copies in [
        "cp *.json out",
        "cp -r . out",
        "mv \"$FILE\" out",
        "rsync -a ./ out/",
        "find . -name '*.json' -exec cp {} out \\;",
    ] {
        let copied = spec(&[&write(name), copies], based);
        assert!(
            found(&rule, &[("buildspec.yml", &copied)]).is_empty(),
            "{copies}"
        );
    }
    let other = spec(&["cp app.json out", &write(name)], based);
    assert!(!found(&rule, &[("buildspec.yml", &other)]).is_empty());
}

#[test]
fn a_variable_that_no_build_is_given_is_empty() {
    let rule = ["undefined-variable"];
    let project = |source: &str, environment: &str| {
        terraform_project(environment).replace("CODEPIPELINE", source)
    };
    let image = "docker push $HOST/web:$CODEBUILD_BUILD_NUMBER";
    let definitions =
        "printf '[{\"name\":\"%s\",\"imageUri\":\"%s\"}]' $CONTAINER web:1 > imagedefinitions.json";
    let given = |name: &str| {
        format!(
            "    environment_variable {{\n      name = \"{name}\"\n      value = \"web\"\n    }}"
        )
    };
    let dynamic =
        "    dynamic \"environment_variable\" {\n      for_each = var.all\n    }".to_owned();
    let none = String::new();
    let cases = [
        (image, "GITHUB", &none, true),
        (definitions, "GITHUB", &none, true),
        (image, "GITHUB", &given("HOST"), false),
        (definitions, "GITHUB", &given("CONTAINER"), false),
        (image, "GITHUB", &dynamic, false),
        // Whatever starts it may pass it.
        (image, "CODEPIPELINE", &none, false),
        (
            "HOST=$(cat host); docker push $HOST/web:1",
            "GITHUB",
            &none,
            false,
        ),
        (
            "docker push ${HOST:-a.example}/web:1",
            "GITHUB",
            &none,
            false,
        ),
        ("printf %s $CONTAINER > out.json", "GITHUB", &none, false),
        (
            "printf '%s' \"${CONTAINER:-web}\" > imagedefinitions.json",
            "GITHUB",
            &none,
            false,
        ),
    ];
    for (command, source, environment, expected) in cases {
        let (spec, project) = (spec(&[command], ""), project(source, environment));
        let files = [("buildspec.yml", &*spec), ("main.tf", &project)];
        let found = found(&rule, &files);
        assert_eq!(
            !found.is_empty(),
            expected,
            "{command} {source} {environment}"
        );
    }
    // Two projects: which of them starts the build is not known.
    let (spec, one) = (spec(&[image], ""), project("GITHUB", ""));
    let two = one.replace("\"web\"", "\"other\"");
    let files = [("buildspec.yml", &*spec), ("a.tf", &one), ("b.tf", &two)];
    assert!(found(&rule, &files).is_empty());
}

#[test]
fn variables_that_terraform_encodes_are_judged_as_the_text_that_comes_out() {
    let variable = |value: &str| format!("{{ name = \"A\", value = {value} }}");
    let cases = [
        (
            format!("[{}]", variable("\"#{Source.CommitMessage}\"")),
            true,
        ),
        (
            format!("[{}]", variable(&format!("\"{}\"", "a".repeat(1_000)))),
            true,
        ),
        ("{ A = \"b\" }".to_owned(), true),
        (format!("[{}]", variable("\"#{Source.CommitId}\"")), false),
        (
            format!("[{}, {{ (var.x) = var.y }}]", variable("\"${var.b}\\\"\"")),
            false,
        ),
        ("[var.a, true]".to_owned(), false),
        ("concat(local.a, [{ name = \"A\" }])".to_owned(), false),
    ];
    for (value, expected) in cases {
        let text = format!(
            "resource \"aws_codepipeline\" \"p\" {{\n  stage {{\n    name = \"Build\"\n    action {{\n      name = \"Build\"\n      category = \"Build\"\n      owner = \"AWS\"\n      provider = \"CodeBuild\"\n      version = \"1\"\n      configuration = {{\n        ProjectName = \"web\"\n        EnvironmentVariables = jsonencode({value})\n      }}\n    }}\n  }}\n}}\n"
        );
        let found = found(&["action-variables"], &[("main.tf", &text)]);
        assert_eq!(!found.is_empty(), expected, "{value}");
    }
}

#[test]
fn what_a_deployment_reads_is_json_of_its_shape() {
    let rule = ["invalid-image-definitions"];
    let cases = [
        ("echo '[{\"name\":\"web\"}]' > imagedefinitions.json", true),
        (
            "echo '[{\\\"name\\\":\\\"web\\\",\\\"imageUri\\\":\\\"x\\\"}]' > imagedefinitions.json",
            true,
        ),
        (
            "printf '{\"ImageURI\":\"%s\"}' $URI | tee imagedefinitions.json",
            true,
        ),
        (
            "printf '[{\"name\":\"web\",\"imageUri\":\"%s\"}]' $URI > imageDetail.json",
            true,
        ),
        (
            "printf '{\"ImageURI\":\"%s\"}' $URI > imageDetail.json",
            false,
        ),
        (
            "echo \"[{\\\"name\\\":\\\"web\\\",\\\"imageUri\\\":\\\"$URI\\\"}]\" > imagedefinitions.json",
            false,
        ),
        ("echo $DEFINITIONS > imagedefinitions.json", false),
        ("jq -n '[]' > imagedefinitions.json", false),
        (
            "jq -n --arg u $URI '{name: \"web\", imageUri: $u}' > imagedefinitions.json",
            true,
        ),
        (
            "jq -n --arg u $URI '{ImageURI: $u}' > imageDetail.json",
            false,
        ),
        (
            "jq -n --arg u $URI '{name: \"web\", imageUri: $u} | [.]' > imagedefinitions.json",
            false,
        ),
        (
            "echo '{}' > imagedefinitions.json; jq '[.]' imagedefinitions.json > x",
            false,
        ),
    ];
    for (command, expected) in cases {
        let spec = format!(
            "version: 0.2\nphases:\n  build:\n    commands:\n      - |\n        {command}\n"
        );
        let found = found(&rule, &[("buildspec.yml", &spec)]);
        assert_eq!(!found.is_empty(), expected, "{command}");
    }
}

#[test]
fn runtimes_are_compared_with_the_image_that_is_written_out() {
    let spec = |runtime: &str| {
        format!(
            "version: 0.2\nphases:\n  install:\n    runtime-versions:\n      {runtime}\n  build:\n    commands:\n      - make\n"
        )
    };
    let rule = ["runtime-not-in-image"];
    let cases = [
        ("docker: 20", "aws/codebuild/standard:7.0", true),
        (
            "docker: 20",
            "aws/codebuild/amazonlinux2-x86_64-standard:4.0",
            false,
        ),
        (
            "rust: 1.94",
            "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            true,
        ),
        (
            "rust: 1.94",
            "aws/codebuild/amazonlinux-aarch64-standard:4.0",
            false,
        ),
        (
            "nodejs: 24",
            "aws/codebuild/amazonlinux2-x86_64-standard:corretto11",
            true,
        ),
        // Another version is installed.
        ("nodejs: 16", "aws/codebuild/standard:8.0", false),
        ("rust: 1.94", "aws/codebuild/standard:9.0", false),
        (
            "docker: 20",
            "444455556666.dkr.ecr.eu-west-1.amazonaws.com/ci:1",
            false,
        ),
    ];
    for (runtime, image, expected) in cases {
        let project = format!(
            "resource \"aws_codebuild_project\" \"p\" {{\n  name = \"p\"\n  environment {{\n    image = \"{image}\"\n    type = \"LINUX_CONTAINER\"\n  }}\n  source {{\n    type = \"GITHUB\"\n    location = \"https://github.com/example/web.git\"\n  }}\n}}\n"
        );
        let found = found(
            &rule,
            &[("buildspec.yml", &spec(runtime)), ("main.tf", &project)],
        );
        assert_eq!(!found.is_empty(), expected, "{runtime} {image}");
    }
    let pipeline = "name: web\nversion: 1\nsource:\n  provider: GitHub\n  properties:\n    branch: main\nbuild:\n  buildspec: copilot/pipelines/web/buildspec.yml\nstages:\n  - name: test\n";
    let path = "copilot/pipelines/web/buildspec.yml";
    let files = [
        (path, &*spec("docker: 18")),
        ("copilot/pipelines/web/manifest.yml", pipeline),
    ];
    assert!(found(&rule, &files).is_empty());
}

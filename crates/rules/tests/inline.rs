//! Buildspecs inside CloudFormation templates: what the rules about single files say of them, and where.

use std::sync::Arc;

use tagwright_diagnostics::Finding;
use tagwright_flow::FileId;
use tagwright_rules::Settings;

fn lint(text: &str) -> Vec<Finding> {
    let text: Arc<str> = Arc::from(text);
    tagwright_rules::lint([(FileId(0), "template.yml", &text)], &Settings::default())
}

/// The findings as `rule [text]`.
fn shown(text: &str) -> Vec<String> {
    lint(text)
        .iter()
        .map(|it| format!("{} [{}]", it.rule, &text[it.span.range()]))
        .collect()
}

/// A template whose project has this value behind `BuildSpec:`.
fn template(buildspec: &str) -> String {
    format!(
        "Description: größer\nResources:\n  Project:\n    Type: AWS::CodeBuild::Project\n    Properties:\n      Source:\n        Type: GITHUB\n        BuildSpec: {buildspec}\n      Name: web\n"
    )
}

const BLOCK: &str = "|
          version: 0.2
          phases:
            biuld:
              commands:
                - make
            build:
              comands:
                - make
              commands:
                - make
                - echo hello: world
                - docker login -u AWS -p $PASSWORD $REGISTRY
";

#[test]
fn a_block_is_judged_like_a_file_and_its_places_are_the_outer_files() {
    let text = template(BLOCK);
    assert_eq!(
        shown(&text),
        [
            "unknown-phase [biuld]",
            "unknown-key [comands]",
            "command-is-mapping [echo hello: world]",
            "password-argument [-p $PASSWORD]",
        ]
    );
}

#[test]
fn findings_inside_another_file_have_no_fix_but_a_reason() {
    let text = template(BLOCK);
    for finding in lint(&text) {
        assert!(finding.fix.is_none(), "{finding:?}");
    }
    let mapping = lint(&text)
        .into_iter()
        .find(|it| it.rule == "command-is-mapping")
        .unwrap();
    assert!(
        mapping
            .refusal
            .unwrap()
            .message
            .contains("inside another file")
    );
}

#[test]
fn windows_line_endings_and_multi_byte_text_move_no_place() {
    let block = BLOCK.replace(
        "- make\n            build",
        "- echo 한국어 🎉\n            build",
    );
    let text = template(&block).replace('\n', "\r\n");
    assert!(shown(&text).contains(&"unknown-key [comands]".to_owned()));
}

#[test]
fn lines_in_messages_are_the_outer_files() {
    let block = "|\n          version: 0.2\n          phases:\n            build:\n              commands:\n                - make\n            build:\n              commands:\n                - make\n";
    let text = template(block);
    let finding = lint(&text)
        .into_iter()
        .find(|it| it.rule == "duplicate-key")
        .unwrap();
    let digits: Vec<&str> = finding
        .message
        .split(|c: char| !c.is_ascii_digit())
        .filter(|it| !it.is_empty())
        .collect();
    let lines: Vec<String> = text
        .lines()
        .zip(1..)
        .filter(|(line, _)| line.trim() == "build:")
        .map(|(_, number)| number.to_string())
        .collect();
    assert!(
        digits.iter().all(|it| lines.iter().any(|line| line == it)),
        "{} {lines:?}",
        finding.message
    );
}

#[test]
fn a_right_block_is_silent_and_substituted_or_other_text_is_not_read() {
    let right = "|\n          version: 0.2\n          phases:\n            build:\n              commands:\n                - make\n";
    assert_eq!(shown(&template(right)), [""; 0]);
    assert_eq!(shown(&template("buildspec.yml")), [""; 0]);
    assert_eq!(shown(&template("!Ref Buildspec")), [""; 0]);
    assert_eq!(shown(&template("!If [A, phases, !Ref B]")), [""; 0]);
}

const FOUND: [&str; 4] = [
    "unknown-phase [biuld]",
    "unknown-key [comands]",
    "command-is-mapping [echo hello: world]",
    "password-argument [-p $PASSWORD]",
];

#[test]
fn what_cloudformation_substitutes_is_read_around() {
    let substituted = BLOCK.replace("|\n", "!Sub |\n");
    assert_eq!(shown(&template(&substituted)), FOUND);
    // An escaped `${` stays one; a value that is not known is nobody's fault.
    let escaped = substituted
        .replace(
            "$PASSWORD $REGISTRY",
            "${!PASSWORD} ${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com",
        )
        .replace("hello: world", "hello: ${World}");
    assert_eq!(
        shown(&template(&escaped)),
        [FOUND[0], FOUND[1], "password-argument [-p ${!PASSWORD}]",]
    );
    let function = BLOCK
        .replace("\n          ", "\n              ")
        .replace("|\n", "\n          Fn::Sub: |\n");
    assert_eq!(shown(&template(&function)), FOUND);
    // What stands for several lines, perhaps, keeps everything else from being certain.
    let lines = substituted.replace(
        "            build:\n",
        "          ${More}\n            build:\n",
    );
    assert_eq!(shown(&template(&lines)), [""; 0]);
}

#[test]
fn quoted_and_joined_texts_are_read_like_blocks() {
    let quoted = "\"version: 0.2\\nphases:\\n  biuld:\\n    commands:\\n      - make\\n  build:\\n    commands: [make]\\n\"";
    assert_eq!(shown(&template(quoted)), ["unknown-phase [biuld]"]);
    let joined = "!Join [\"\\n\", [\"version: 0.2\", \"phases:\", \"  biuld:\", !Sub \"    commands: [make, '${X}']\"]]";
    assert_eq!(shown(&template(joined)), ["unknown-phase [biuld]"]);
}

#[test]
fn a_buildspec_that_the_cdk_wrote_is_found_in_its_template() {
    let template = |spec: &str| {
        format!(
            "{{\n \"Resources\": {{\n  \"Project\": {{\n   \"Type\": \"AWS::CodeBuild::Project\",\n   \"Properties\": {{\n    \"Source\": {{\n     \"BuildSpec\": {spec},\n     \"Type\": \"NO_SOURCE\"\n    }}\n   }}\n  }}\n }}\n}}\n"
        )
    };
    let plain = r#""{\n  \"version\": \"0.2\",\n  \"phases\": {\n    \"build\": {\n      \"comands\": [\n        \"make\"\n      ],\n      \"commands\": [\n        \"make\"\n      ]\n    }\n  }\n}""#;
    let joined = r#"{"Fn::Join": ["", ["{\n  \"version\": \"0.2\",\n  \"phases\": {\n    \"build\": {\n      \"comands\": [\n        \"make ", {"Ref": "Bucket"}, "\"\n      ],\n      \"commands\": [\n        \"make\"\n      ]\n    }\n  }\n}"]]}"#;
    for spec in [plain, joined] {
        let text = template(spec);
        let path = "cdk.out/Stack.template.json";
        let shared: Arc<str> = Arc::from(&*text);
        let found = tagwright_rules::lint([(FileId(0), path, &shared)], &Settings::default());
        let shown: Vec<String> = found
            .iter()
            .map(|it| format!("{} [{}]", it.rule, &text[it.span.range()]))
            .collect();
        assert_eq!(shown, [r#"unknown-key [\"comands\"]"#], "{spec}");
    }
}

#[test]
fn a_comment_in_the_block_silences_a_rule() {
    let silenced = BLOCK.replace(
        "              comands:",
        "              # tagwright: ignore[unknown-key] kept for later\n              comands:",
    );
    let found = shown(&template(&silenced));
    assert!(
        !found.iter().any(|it| it.starts_with("unknown-key")),
        "{found:?}"
    );
    assert!(
        found.iter().any(|it| it.starts_with("unknown-phase")),
        "{found:?}"
    );
}

#[test]
fn images_are_followed_where_all_of_the_text_is_written_out() {
    let spec = "|\n          version: 0.2\n          phases:\n            build:\n              commands:\n                - docker build -t $REPOSITORY_URI:latest .\n                - docker push $REPOSITORY_URI:latest\n";
    let pushes = |spec: &str| {
        let text = template(spec);
        let found = lint(&text).into_iter();
        found
            .filter(|it| it.rule == "latest-pushed")
            .map(|it| {
                let place = text[it.span.range()].to_owned();
                (
                    place,
                    it.fix.is_some(),
                    it.refusal.map(|it| it.message).unwrap_or_default(),
                )
            })
            .collect::<Vec<_>>()
    };
    let plain = pushes(spec);
    assert!(!plain.is_empty());
    for spec in [
        spec.replace("|\n", "!Sub |\n"),
        spec.replace("|\n", "!Sub |\n")
            .replace("$REPOSITORY_URI", "${!REPOSITORY_URI}"),
        format!(
            "\n          Fn::Sub: {}",
            spec.replace("\n          ", "\n              ")
        ),
    ] {
        let found = pushes(&spec);
        assert_eq!(found.len(), plain.len(), "{spec}");
        for (_, fixed, reason) in found {
            assert!(!fixed && reason.contains("template"), "{reason}");
        }
    }
    let unknown = spec
        .replace("|\n", "!Sub |\n")
        .replace("$REPOSITORY_URI", "${Repository}");
    assert_eq!(pushes(&unknown), []);
}

/// The findings in a file of Terraform as `rule [text]`.
fn of_terraform(source: &str) -> Vec<String> {
    let text = format!(
        "resource \"aws_codebuild_project\" \"web\" {{\n  name = \"größer\"\n  environment {{\n    type            = \"LINUX_CONTAINER\"\n    privileged_mode = true\n  }}\n  source {{\n    type      = \"GITHUB\"\n    buildspec = {source}\n  }}\n}}\n"
    );
    let text: Arc<str> = Arc::from(text);
    tagwright_rules::lint([(FileId(0), "main.tf", &text)], &Settings::default())
        .iter()
        .inspect(|it| assert!(it.fix.is_none(), "{it:?}"))
        .map(|it| format!("{} [{}]", it.rule, &text[it.span.range()]))
        .collect()
}

#[test]
fn a_buildspec_in_terraform_is_judged_where_it_stands() {
    let plain = "version: 0.2\nphases:\n  biuld:\n    commands:\n      - make\n  build:\n    commands:\n      - docker login -u AWS -p $PASSWORD $REGISTRY\n      - docker build -t $REPO:latest .\n      - docker push $REPO:latest\n";
    let expected = [
        "unknown-phase [biuld]",
        "password-argument [-p $PASSWORD]",
        "latest-pushed [:latest]",
        "latest-pushed [:latest]",
    ];
    let indented: String = plain
        .lines()
        .map(|line| format!("      {line}\n"))
        .collect();
    for source in [
        format!("<<EOF\n{plain}EOF"),
        format!("<<-SPEC\n{indented}    SPEC"),
        format!("\"{}\"", plain.replace('\n', "\\n")),
        "yamlencode({\n      version = 0.2\n      phases = {\n        biuld = { commands = [\"make\"] }\n        build = { commands = [\n          \"docker login -u AWS -p $PASSWORD $REGISTRY\",\n          \"docker build -t $REPO:latest .\",\n          \"docker push $REPO:latest\",\n        ] }\n      }\n    })".to_owned(),
    ] {
        let mut found = of_terraform(&source);
        found.retain(|it| !it.starts_with("registry-login"));
        let shown: Vec<String> = found
            .iter()
            .map(|it| it.replace("[latest]", "[:latest]"))
            .collect();
        assert_eq!(shown, expected, "{source}");
    }
}

#[test]
fn what_terraform_computes_is_not_judged() {
    let found = of_terraform(
        "<<EOF\nversion: 0.2\nphases:\n  build:\n    commands:\n      - docker push ${var.repository}:latest\n      - docker login -u AWS -p ${var.password} $REGISTRY\nEOF",
    );
    assert!(!found.iter().any(|it| it.contains("latest")), "{found:?}");
}

//! Mistakes that AWS's own documentation and samples have had, each told as a small buildspec of our own: what
//! is said of it must name the real cause, and nothing else. The same for the broken forms that people reported
//! most often, and for forms of the documentation that only look broken.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]

use tagwright_diagnostics::{Finding, Severity};
use tagwright_flow::FileId;
use tagwright_rules::Settings;

fn lint(text: &str) -> Vec<Finding> {
    let text = text.into();
    tagwright_rules::lint([(FileId(0), "buildspec.yml", &text)], &Settings::default())
}

/// What is said at warning level and above: rule and place.
fn found(text: &str) -> Vec<(&'static str, String)> {
    lint(text)
        .into_iter()
        .filter(|finding| finding.severity >= Severity::Warning)
        .map(|finding| (finding.rule, finding.span.of(text).to_owned()))
        .collect()
}

/// `rule` speaks at `at` and says `words`; no other rule does.
#[track_caller]
fn explained(text: &str, rule: &'static str, at: &str, words: &[&str]) {
    assert_eq!(found(text), [(rule, at.to_owned())], "{text}");
    let findings = lint(text);
    let message = &findings
        .iter()
        .find(|finding| finding.rule == rule)
        .unwrap()
        .message;
    for words in words {
        assert!(message.contains(words), "{words}: {message}");
    }
}

#[track_caller]
fn silent(text: &str) {
    assert_eq!(found(text), [], "{text}");
}

/// A buildspec whose build has this one item, as it is written behind the dash.
fn command(item: &str) -> String {
    format!("version: 0.2\nphases:\n  build:\n    commands:\n      - {item}\n")
}

/// The example of secondary artifacts: what belongs below `phases` stands beside it.
#[test]
fn phases_that_slipped_to_the_left() {
    let text = "\
version: 0.2

phases:
build:
  commands:
    - ./pack.sh
artifacts:
  files:
    - '**/*'
  secondary-artifacts:
    site:
      files:
        - public/index.html
      name: site-bundle
      discard-paths: yes
    docs:
      files:
        - manual/index.html
";
    explained(text, "misplaced-key", "build", &["`phases`"]);
    // As it is meant, with everything that the example shows.
    silent(&text.replace(
        "build:\n  commands:\n    - ./pack.sh\n",
        "  build:\n    commands:\n      - ./pack.sh\n",
    ));
}

/// The example of a buildspec in one string, once the string is written out: `phases` belongs to `env`.
#[test]
fn phases_inside_env() {
    let text = "\
version: 0.2

env:
  variables:
    JAVA_HOME: \"/opt/jdk\"
  parameter-store:
    REGISTRY_TOKEN: /web/registry-token
  phases:
    build:
      commands:
        - ./mvnw package
artifacts:
  files: target/web.jar
  discard-paths: false
";
    explained(text, "misplaced-key", "phases", &["`env`"]);
    silent(&text.replace(
        "  phases:\n    build:\n      commands:\n        - ./mvnw package\n",
        "phases:\n  build:\n    commands:\n      - ./mvnw package\n",
    ));
}

/// The same example: the phases stand beside an empty `phases`, all of them inside `env`.
#[test]
fn phases_and_what_belongs_to_them_inside_env() {
    let text = "\
version: 0.2
env:
  variables:
    JAVA_HOME: /opt/jdk
  phases:
  build:
    commands:
      - ./mvnw package
";
    assert_eq!(
        found(text),
        [
            ("misplaced-key", "phases".to_owned()),
            ("misplaced-key", "build".to_owned()),
        ]
    );
}

/// The same example: a backslash before the closing quote, so that the value never ends.
#[test]
fn a_backslash_before_the_closing_quote() {
    let text = "\
version: 0.2
env:
  variables:
    JAVA_HOME: \"/opt/jdk\\\"
  parameter-store:
    REGISTRY_TOKEN: /web/registry-token
phases:
  build:
    commands:
      - ./mvnw package
";
    let findings = lint(text);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].rule, "invalid-yaml");
}

/// The tutorial about ECS gives one file instead of a list, and so do many builds that run.
#[test]
fn one_file_instead_of_a_list() {
    silent(
        "version: 0.2\nphases:\n  build:\n    commands: ./render.sh\nartifacts:\n  files: imagedefinitions.json\n",
    );
}

/// Tabs were once in an example.
#[test]
fn indentation_by_tabs() {
    let text = "version: 0.2\nphases:\n\tbuild:\n\t\tcommands:\n\t\t\t- make\n";
    let findings = lint(text);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].rule, "invalid-yaml");
    assert!(findings[0].message.contains("tab"), "{findings:#?}");
    let before = &text[..findings[0].span.start as usize];
    assert!(before.ends_with("phases:\n\t"), "{findings:#?}");
}

/// An example had digits of its version twice; without its zero it is the same number.
#[test]
fn a_version_with_too_many_digits() {
    let text = command("make").replace("0.2", "0.2.2");
    explained(&text, "invalid-version", "0.2.2", &["0.2"]);
    silent(&command("make").replace("0.2", ".2"));
}

/// An example had parentheses where braces belong.
#[test]
fn a_variable_in_parentheses() {
    let artifact = format!(
        "{}artifacts:\n  files:\n    - out/web.zip\n  name: web-$(AWS_REGION)\n",
        command("make")
    );
    let rule = "variable-as-command";
    let words = ["a program called `AWS_REGION`", "`${AWS_REGION}`"];
    explained(&artifact, rule, "$(AWS_REGION)", &words);
    silent(&artifact.replace("$(AWS_REGION)", "${AWS_REGION}"));
    silent(&artifact.replace("$(AWS_REGION)", "$(date +%F)"));
    let item = command("aws s3 cp out s3://web-$(AWS_REGION)/ --recursive");
    explained(&item, rule, "$(AWS_REGION)", &words);
    for item in [
        "echo \"$(date)\"",
        "echo '$(AWS_REGION)'",
        "make REGION='$(AWS_REGION)'",
        "echo \"$(PATH=/opt/bin tool)\"",
        "|\n        TOOL() { date; }\n        echo \"$(TOOL)\"",
    ] {
        silent(&command(item));
    }
}

/// A sample of a workshop ended its list with a dash, and people's builds run with such items.
#[test]
fn a_dash_alone() {
    let text = "version: 0.2\nphases:\n  build:\n    commands:\n      - make\n      -\n      - make check\n";
    silent(text);
    let notes: Vec<_> = lint(text)
        .into_iter()
        .map(|finding| (finding.rule, finding.span.of(text).to_owned()))
        .collect();
    assert_eq!(notes, [("null-command", "-".to_owned())]);
}

/// A file of the same workshop is empty.
#[test]
fn an_empty_file() {
    for text in ["", "\n", "# later\n"] {
        let findings = lint(text);
        let rules: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, ["not-a-buildspec"], "{text:?}: {findings:#?}");
        let message = &findings[0].message;
        assert!(
            message.contains("wrong number of container tags"),
            "{message}"
        );
    }
}

/// The sample for Docker images: the password is an argument, and `latest` takes the place of a commit.
#[test]
fn the_docker_sample_signs_in_and_tags() {
    explained(
        &command("docker login -u AWS -p $(aws ecr get-login-password) $REGISTRY"),
        "password-argument",
        "-p $(aws ecr get-login-password)",
        &["argument"],
    );
    let text = "\
version: 0.2
phases:
  pre_build:
    commands:
      - REPOSITORY_URI=111122223333.dkr.ecr.eu-west-1.amazonaws.com/web
      - COMMIT=$(echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c 1-7)
      - IMAGE_TAG=${COMMIT:=latest}
  build:
    commands:
      - docker build -t $REPOSITORY_URI:$IMAGE_TAG .
  post_build:
    commands:
      - docker push $REPOSITORY_URI:$IMAGE_TAG
";
    let rules: Vec<&str> = found(text).into_iter().map(|(rule, _)| rule).collect();
    // Every build with a source has a commit, so its fallback is a note.
    assert_eq!(rules, [""; 0]);
}

/// The page about troubleshooting: options that end in a colon, and text with a colon inside quotes.
#[test]
fn commands_with_a_colon_and_a_space() {
    let rule = "command-is-mapping";
    let words = ["Expected Commands[0] to be of string type: found subkeys instead at line 5"];
    for item in [
        r#"echo "Scanner version: $(scan --version)""#,
        "curl -H 'Accept: text/plain' https://example.com",
        "echo built:",
        r#"make || { echo "ERROR: no"; exit 1; }"#,
    ] {
        explained(&command(item), rule, item, &words);
        silent(&command(&format!("|\n        {item}")));
    }
}

/// Commands at which YAML itself stops: what it took for something else is told.
#[test]
fn commands_at_which_yaml_stops() {
    for (item, cause) in [
        (
            "awk -F: '{ print $2 }' accounts",
            "the colon before it is the end of a key",
        ),
        ("echo one: two: three", "the colon before it"),
        (r#""$HOME/bin/tool" && make"#, "the quotes at the start"),
        ("[ -f Makefile ] && make", "`[` at the start"),
        ("*.sh", "`*` at the start"),
        ("@make", "no value may start with this sign"),
        ("`which make`", "no value may start with this sign"),
    ] {
        let text = command(item);
        let findings = lint(&text);
        assert_eq!(findings.len(), 1, "{item}: {findings:#?}");
        assert_eq!(findings[0].rule, "invalid-yaml");
        let message = &findings[0].message;
        assert!(message.contains(cause), "{item}: {message}");
        assert!(message.contains("below `- |`"), "{item}: {message}");
        silent(&command(&format!("|\n        {item}")));
    }
}

/// A phase that stands inside another one brings a second list of commands into it.
#[test]
fn a_phase_inside_a_phase_doubles_its_commands() {
    let text = "\
version: 0.2
phases:
  build:
    commands:
      - ./build.sh
    post_build:
    commands:
      - cp out/web.zip /share
";
    let all = found(text);
    let rules: Vec<&str> = all.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(rules, ["duplicate-key", "misplaced-key"], "{all:?}");
    assert_eq!(lint(text)[0].severity, Severity::Error);
}

/// Two commands whose dashes have no space behind them, after one that has.
#[test]
fn dashes_without_a_space() {
    let text = "\
version: 0.2
phases:
  post_build:
    commands:
      - kubectl config current-context
      -kubectl apply -f web.yaml
      -kubectl apply -f jobs.yaml
";
    let all = found(text);
    assert!(
        all.contains(&(
            "missing-dash-space",
            "-kubectl apply -f web.yaml".to_owned()
        )),
        "{all:?}"
    );
    assert!(
        all.iter()
            .all(|(rule, _)| ["missing-dash-space", "invalid-yaml"].contains(rule)),
        "{all:?}"
    );
}

/// The line `phases:` is missing.
#[test]
fn no_phases_around_the_phases() {
    let text =
        "version: 0.2\npre_build:\n  commands:\n    - make deps\nbuild:\n  commands:\n    - make\n";
    assert_eq!(
        found(text),
        [
            ("misplaced-key", "pre_build".to_owned()),
            ("misplaced-key", "build".to_owned()),
        ]
    );
}

/// Names that people give to phases, and what stands one level too deep.
#[test]
fn phases_that_do_not_exist() {
    let with = |name: &str| {
        format!(
            "{}  {name}:\n    commands:\n      - make\n",
            command("make")
        )
    };
    for name in ["deploy", "postbuild", "pre-build", "test", "POSTBUILD"] {
        let text = format!("Invalid buildspec phase name: {name}");
        explained(&with(name), "unknown-phase", name, &[text.as_str()]);
    }
    let text = format!("{}  artifacts:\n    files: out\n", command("make"));
    explained(&text, "misplaced-key", "artifacts", &["the top level"]);
}

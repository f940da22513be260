//! Situations of the rules about a buildspec's structure that the examples on their pages do not show:
//! above all what builds accept, where they must be silent.

use tagwright_diagnostics::{Finding, Severity};
use tagwright_fixer::{Options, Sources, run};
use tagwright_flow::FileId;
use tagwright_grammar::buildspec_schema;
use tagwright_rules::{Category, Settings, registry};

fn lint(path: &str, text: &str) -> Vec<Finding> {
    let text = text.into();
    tagwright_rules::lint([(FileId(0), path, &text)], &Settings::default())
}

/// Whether the rule is one of those that are tested here.
fn is_structure(name: &str) -> bool {
    registry()
        .iter()
        .any(|rule| rule.name == name && rule.category == Category::Structure)
}

/// The findings about structure of warning level and above: rule and place.
fn found(text: &str) -> Vec<(&'static str, String)> {
    lint("buildspec.yml", text)
        .into_iter()
        .filter(|finding| is_structure(finding.rule) && finding.severity >= Severity::Warning)
        .map(|finding| (finding.rule, finding.span.of(text).to_owned()))
        .collect()
}

/// The message of the only finding of `rule`.
#[track_caller]
fn message(rule: &str, text: &str) -> String {
    let mut findings = lint("buildspec.yml", text);
    findings.retain(|finding| finding.rule == rule);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.remove(0).message
}

#[track_caller]
fn silent(text: &str) {
    assert_eq!(found(text), [], "{text}");
}

#[track_caller]
fn fires(rule: &'static str, text: &str, at: &str) {
    assert_eq!(found(text), [(rule, at.to_owned())], "{text}");
}

/// A buildspec with this one item, as it is written behind the dash.
fn command(item: &str) -> String {
    format!(
        "version: 0.2\nphases:\n  build:\n    commands:\n      - ./first.sh\n      - {item}\n      - ./last.sh\n"
    )
}

/// A buildspec with this text, unindented, between its version and its phases.
fn with(section: &str) -> String {
    format!("version: 0.2\n{section}phases:\n  build:\n    commands:\n      - make\n")
}

#[test]
fn what_builds_accept_is_silent() {
    for text in [
        "version: 0.2\nphases:\n  build:\n    commands: make all\n",
        "version: '0.2'\nphases:\n  build:\n    commands:\n      - make\nartifacts:\n  files: out.zip\n",
        "version: 0.2\nphases:\n  install:\n    runtime-versions:\n      python: 3.10\n",
        "version: 0.2\nphases:\n  install:\n  build:\n    commands: [make, 'make install']\n",
        "version: 0.1\nenvironment_variables:\n  plaintext:\n    A: b\nphases:\n  build:\n    commands:\n      - make\nextra: 1\n",
        "version: 0.2\nbatch:\n  fast-fail: false\n  build-list:\n    - identifier: a_1\n      env:\n        compute-type: BUILD_GENERAL1_SMALL\n",
        "version: 0.2\nbatch:\n  build-fanout:\n    parallelism: 5\n    ignore-failure: false\nphases:\n  build:\n    commands:\n      - make\n",
        "version: 0.2\nphases:\n  build:\n    on-failure: RETRY-3-.*timeout.*\n    finally:\n      - make clean\n    commands:\n      - make\n",
        "version: 0.2\nphases:\n  build:\n    steps:\n      - name: x\n        uses: actions/checkout@v4\n        with:\n          depth: 1\n",
        "---\nversion: 0.2\r\nphases:\r\n  build:\r\n    commands:\r\n      - make\r\n",
        "{\"version\": \"0.2\", \"phases\": {\"build\": {\"commands\": [\"make\"]}}}\n",
    ] {
        silent(text);
    }
    for section in [
        "env:\n  variables:\n    PORT: 8080\n    DEBUG: true\n    EMPTY:\n",
        "env:\n  parameter-store:\n    KEY: /${STAGE}/key\n",
        "env:\n  git-credential-helper: yes\n  exported-variables:\n    - TAG\n",
        "env:\n  shell: /bin/bash\n",
        "artifacts:\n  files:\n    - '**/*'\n  discard-paths: true\n  type: zip\n",
        "artifacts:\n  files: a\n  secondary-artifacts:\n    one:\n      files:\n        - b\n      name: $(date +%F)\n",
        "reports:\n  arn:aws:codebuild:eu-west-1:1:report-group/x:\n    files: [r.xml]\n    file-format: JunitXml\n",
        "cache:\n  paths:\n    - /root/.m2/**/*\n  key: m2-$(codebuild-hash-files pom.xml)\n  fallback-keys:\n    - m2-\n  action: restore\n",
        "proxy:\n  upload-artifacts: no\n  logs: no\n",
        "run-as: root\nx-shared: &shared\n  A: b\nenv:\n  variables:\n    <<: *shared\n",
    ] {
        silent(&with(section));
    }
}

#[test]
fn templates_and_other_peoples_files_are_silent() {
    silent("version: 0.2\nphases:\n  builds:\n    commands:\n      - echo {{ .Name }}: y\n");
    silent("version: {{ version }}\nphases:\n  builds:\n    commands:\n      - echo {{ x }}: y\n");
    let text = "account_id: 1\nrepository_info:\n  x: y\nversion: 12.8.1\n";
    assert_eq!(lint("dlc/buildspec.yml", text), []);
}

#[test]
fn commands_that_are_mappings_are_told_with_codebuilds_words() {
    let rule = "command-is-mapping";
    for item in [
        r#"echo "Status: built""#,
        "curl -H 'Accept: text/plain' $URL",
        "echo done:",
        "{ echo one; echo two; }",
        r#"make || { echo "ERROR: no"; }"#,
    ] {
        assert!(
            found(&command(item))
                .iter()
                .all(|(name, _)| *name == rule || *name == "invalid-yaml")
        );
        assert!(!found(&command(item)).is_empty(), "{item}");
    }
    fires(rule, &command("echo a: b"), "echo a: b");
    let text = message(rule, &command("echo a: b"));
    assert!(
        text.contains("Expected Commands[1] to be of string type: found subkeys instead at line 6"),
        "{text}"
    );
    assert!(text.contains("write `- 'echo a: b'`"), "{text}");
    let text = message(rule, &command("curl -H 'Accept: text/plain' $URL"));
    assert!(text.contains("below `- |`"), "{text}");
}

/// The text after all safe fixes.
fn fixed(text: &str) -> String {
    fixed_with(text, false)
}

/// The fixes make `after` of `before`, with either kind of line break.
fn becomes(before: &str, after: &str) {
    assert_eq!(fixed(before), after);
    let crlf = |text: &str| text.replace('\n', "\r\n");
    assert_eq!(fixed(&crlf(before)), crlf(after));
}

/// The text after all fixes, those that are not safe among them if `unsafe_fixes`.
fn fixed_with(text: &str, unsafe_fixes: bool) -> String {
    let mut sources = Sources::default();
    sources.push("buildspec.yml", text);
    let relint = |sources: &Sources| {
        let files = sources
            .iter()
            .map(|(id, source)| (id, &*source.path, &source.text));
        tagwright_rules::lint(files, &Settings::default())
    };
    let options = Options {
        unsafe_fixes,
        ..Options::default()
    };
    let outcome = run(sources, &relint, options);
    outcome
        .sources
        .text(FileId(0))
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_command_that_yaml_took_apart_is_quoted_as_it_stands() {
    for (item, good) in [
        (r#"echo "a: b""#, r#"'echo "a: b"'"#),
        ("echo done:", "'echo done:'"),
        ("echo done:  # all of it", "'echo done:'  # all of it"),
        (
            "curl -H 'Accept: text/plain' $URL",
            "'curl -H ''Accept: text/plain'' $URL'",
        ),
        ("{ echo one; echo two; }", "'{ echo one; echo two; }'"),
        (
            r#"make || { echo "ERROR: é 한"; exit 1; }"#,
            r#"'make || { echo "ERROR: é 한"; exit 1; }'"#,
        ),
        (r#"printf "a: \n""#, r#"'printf "a: \n"'"#),
        // The closing quote is in what YAML took for a comment.
        (r#"echo "issue: done #12""#, r#"'echo "issue: done #12"'"#),
        (
            r#"echo "issue: done #12" # all of it"#,
            r#"'echo "issue: done #12" # all of it'"#,
        ),
    ] {
        let (before, after) = (command(item), command(good));
        assert_eq!(fixed(&before), after);
        assert_eq!(
            fixed(&before.replace('\n', "\r\n")),
            after.replace('\n', "\r\n")
        );
    }
    let two = command("echo a: b\n      - echo c: d");
    assert_eq!(fixed(&two), command("'echo a: b'\n      - 'echo c: d'"));
}

#[test]
fn what_a_quoted_command_brings_to_light_is_fixed_next() {
    let text = command(
        "docker build -t app .\n      - docker push r.io/app:latest || { echo \"E: no\"; exit 1; }",
    );
    let text = fixed(&text);
    assert!(
        text.contains("- 'docker push r.io/app:latest || { echo \"E: no\"; exit 1; }'"),
        "{text}"
    );
    let mut rules: Vec<&str> = lint("buildspec.yml", &text)
        .into_iter()
        .map(|finding| finding.rule)
        .collect();
    rules.dedup();
    assert!(rules.contains(&"latest-pushed"), "{rules:?}");
}

#[test]
fn a_command_whose_end_is_not_certain_stays() {
    for item in [
        // Nothing closes the quote.
        r#"echo "issue: done #12"#,
        "echo a: |\n          b",
        "name: x\n        run: y",
        "echo a: &b c",
        "echo a: !b c",
        "&a echo b: c",
    ] {
        assert_eq!(fixed(&command(item)), command(item));
    }
    let powershell =
        command("Write-Host a: b").replace("phases:", "env:\n  shell: powershell.exe\nphases:");
    assert_eq!(fixed(&powershell), powershell);
}

#[test]
fn commands_with_colons_that_stay_strings_are_silent() {
    for item in [
        "'echo \"Status: built\"'",
        "docker push app:1",
        "echo http://x/:y",
        "|\n        echo \"a: b\"",
        "make || { echo no; }",
    ] {
        silent(&command(item));
    }
}

#[test]
fn only_a_comment_that_completes_the_command_was_cut_off() {
    let rule = "lost-comment-tail";
    fires(
        rule,
        &command(r#"echo "issue #12 is done""#),
        r#"#12 is done""#,
    );
    fires(rule, &command("sed 's/ #.*$//' conf"), "#.*$//' conf");
    for item in [
        "make # it's the build",
        "make # \"all\"",
        "echo it # isn't",
        "echo a#b",
        "echo \"a\" # \"b",
        "'echo \"issue #12\"'",
    ] {
        silent(&command(item));
    }
}

#[test]
fn what_a_comment_took_from_a_command_is_put_back() {
    for (item, good) in [
        (
            r#"echo "issue #12 is done""#,
            r#"'echo "issue #12 is done"'"#,
        ),
        ("sed 's/ #.*$//' conf", "'sed ''s/ #.*$//'' conf'"),
        ("N=$(grep -c ' # ' conf)", "'N=$(grep -c '' # '' conf)'"),
    ] {
        let (before, after) = (command(item), command(good));
        assert_eq!(fixed(&before), after);
        assert_eq!(
            fixed(&before.replace('\n', "\r\n")),
            after.replace('\n', "\r\n")
        );
    }
    // It may be an apostrophe, and the comment one.
    let text = command("echo it's done # isn't it");
    fires("lost-comment-tail", &text, "# isn't it");
    assert_eq!(fixed(&text), text);
}

#[test]
fn a_lost_negation_is_put_back_only_where_that_is_asked_for() {
    let text = command("! grep -rq TODO src  # none left");
    assert_eq!(fixed(&text), text);
    assert_eq!(
        fixed_with(&text, true),
        command("'! grep -rq TODO src'  # none left")
    );
    for unclear in [
        "! echo \"a",
        "! &name grep -q x y",
        "! grep -q x\n          y",
    ] {
        let text = command(unclear);
        assert_eq!(fixed_with(&text, true), text);
    }
}

#[test]
fn lines_with_glued_dashes_become_a_list() {
    let list = |items: &str| format!("version: 0.2\nphases:\n  build:\n    commands:\n{items}");
    for (before, after) in [
        (
            "      -make one\n      -make two  # last\n",
            "      - make one\n      - make two  # last\n",
        ),
        (
            "      # both\n      -./one.sh\n      -$TWO x\n    finally:\n      - make end\n",
            "      # both\n      - ./one.sh\n      - $TWO x\n    finally:\n      - make end\n",
        ),
        ("      -make", "      - make"),
    ] {
        becomes(&list(before), &list(after));
    }
    for unclear in [
        // An option of the command above, a command that goes on, an open quote.
        "      -docker build\n      -t app .\n",
        "      -make one\n        two\n",
        "      -echo \"one\n      -two\"\n",
        "      -\"make\"\n",
    ] {
        let text = list(unclear);
        assert_eq!(fixed(&text), text);
    }
    let on_the_line = "version: 0.2\nphases:\n  build:\n    commands: -make\n";
    assert_eq!(fixed(on_the_line), on_the_line);
}

#[test]
fn a_glued_dash_below_a_right_item_gets_its_space_and_the_file_can_be_read() {
    let list = |items: &str| {
        format!(
            "version: 0.2\nphases:\n  build:\n    commands:\n{items}    finally:\n      - make end\n"
        )
    };
    for (before, after) in [
        (
            "      - make one\n      -make two\n      - make three\n",
            "      - make one\n      - make two\n      - make three\n",
        ),
        (
            "      # all\n      - make one\n      -make two\n      -./three.sh \"a b\"\n      # more\n      - |\n        cat <<X\n        -x\n        X\n      -make four\n",
            "      # all\n      - make one\n      - make two\n      - ./three.sh \"a b\"\n      # more\n      - |\n        cat <<X\n        -x\n        X\n      - make four\n",
        ),
    ] {
        becomes(&list(before), &list(after));
    }
    for unclear in [
        // An option of the command above, an open quote, a colon, a comment, another error.
        "      - docker build\n      -t app .\n",
        "      - make one\n      -echo \"two\n",
        "      - make one\n      -echo a: b\n",
        "      - make one\n      -make two # 2\n",
        "      - make one\n      -make two\n      - @three\n",
    ] {
        let text = list(unclear);
        assert_eq!(fixed(&text), text);
    }
}

#[test]
fn tags_and_anchors_swallow_the_first_word() {
    fires("lost-negation", &command("! grep -q x y"), "!");
    silent(&command("'! grep -q x y'"));
    silent(&command("if ! grep -q x y; then exit 1; fi"));
    fires("lost-anchor", &command("&server start"), "&server");
    fires("lost-anchor", &command("&>log make"), "&>log");
    let text = message("lost-anchor", &command("&>log make"));
    assert!(text.contains("CodeBuild stops at it"), "{text}");
    let text = message("lost-anchor", &command("&server start"));
    assert!(text.contains("CodeBuild gets only `start`"), "{text}");
    silent(
        "version: 0.2\nphases:\n  build:\n    commands:\n      - &login make login\n      - *login\n",
    );
}

#[test]
fn a_glued_dash_is_found_whether_yaml_reads_on_or_stops() {
    let rule = "missing-dash-space";
    fires(
        rule,
        "version: 0.2\nphases:\n  build:\n    commands:\n      -make one\n",
        "-make one",
    );
    let mixed = "version: 0.2\nphases:\n  build:\n    commands:\n      - make one\n      -make two\n      - make three\n";
    let all = found(mixed);
    assert!(all.contains(&(rule, "-make two".to_owned())), "{all:?}");
    // An option on a line of its own continues its command.
    silent(&command("docker build\n        -t app:1 ."));
    silent(&command("|\n        make \\\n        -j2"));
}

#[test]
fn empty_commands_are_notes_since_builds_run_with_them() {
    let notes: Vec<_> = lint("buildspec.yml", &command(""))
        .into_iter()
        .map(|finding| (finding.rule, finding.severity))
        .collect();
    assert_eq!(notes, [("null-command", Severity::Note)]);
    silent(&command(""));
    silent(&command("# later"));
    silent(
        "version: 0.2\nphases:\n  install:\n    commands:\n      # later\n  build:\n    commands:\n      - make\n",
    );
    silent(&command("''"));
}

#[test]
fn duplicates_say_what_is_lost() {
    let text = "version: 0.2\nphases:\n  build:\n    commands:\n      - a\n      - b\n    post_build:\n    commands:\n      - c\n";
    assert_eq!(
        found(text),
        [
            ("duplicate-key", "commands".to_owned()),
            ("misplaced-key", "post_build".to_owned()),
        ]
    );
    let text = message("duplicate-key", text);
    assert!(text.contains("in `phases.build` on line 8"), "{text}");
    assert!(
        text.contains("the list of 2 items here will be lost"),
        "{text}"
    );
    let same = with("env:\n  variables:\n    A: x\n    A: x\n");
    let finding = lint("buildspec.yml", &same).remove(0);
    assert_eq!(
        (finding.rule, finding.severity),
        ("duplicate-key", Severity::Warning)
    );
}

#[test]
fn keys_are_unknown_misplaced_or_no_phase() {
    fires("unknown-key", &with("enviroment: {}\n"), "enviroment");
    fires(
        "unknown-key",
        &with("environment_variables: {}\n"),
        "environment_variables",
    );
    fires("unknown-key", &with("env:\n  vars:\n    A: b\n"), "vars");
    fires(
        "misplaced-key",
        &with("parameter-store:\n  A: b\n"),
        "parameter-store",
    );
    fires(
        "misplaced-key",
        &with("build-list:\n  - identifier: one\n"),
        "build-list",
    );
    fires(
        "misplaced-key",
        &with("artifacts:\n  env: {}\n  files: a\n"),
        "env",
    );
    let phase = |text: &str| {
        format!("version: 0.2\nphases:\n  build:\n    commands:\n      - make\n{text}")
    };
    fires(
        "misplaced-key",
        &phase("  cache:\n    paths: [a]\n"),
        "cache",
    );
    fires(
        "misplaced-key",
        &phase("  finally:\n    - make\n"),
        "finally",
    );
    fires(
        "misplaced-key",
        &phase("    artifacts:\n      files: a\n"),
        "artifacts",
    );
    fires(
        "misplaced-key",
        &phase("    runtime-versions:\n      python: 3.12\n"),
        "runtime-versions",
    );
    fires(
        "misplaced-key",
        &phase("post_build:\n  commands:\n    - make\n"),
        "post_build",
    );
    fires(
        "unknown-phase",
        &phase("  deploy:\n    commands:\n      - make\n"),
        "deploy",
    );
    let text = message(
        "unknown-phase",
        &phase("  pre-build:\n    commands:\n      - make\n"),
    );
    assert!(
        text.contains("Invalid buildspec phase name: pre-build"),
        "{text}"
    );
    assert!(text.ends_with("did you mean `pre_build`?"), "{text}");
    // Nobody knows whether the case of letters counts.
    let text = phase("  POST_BUILD:\n    commands:\n      - make\n");
    let finding = lint("buildspec.yml", &text).remove(0);
    assert_eq!(
        (finding.rule, finding.severity),
        ("unknown-phase", Severity::Warning)
    );
}

#[test]
fn a_file_without_the_line_of_its_phases_is_still_meant_as_a_buildspec() {
    let text = "version: 0.2\nbuild:\n  commands:\n    - make\n";
    fires("misplaced-key", text, "build");
    let text = "build:\n  commands:\n    - make\n";
    assert_eq!(
        found(text),
        [
            ("misplaced-key", "build".to_owned()),
            ("missing-version", "build".to_owned()),
        ]
    );
    // An example of the reference itself: the phases have slipped to the left.
    fires(
        "misplaced-key",
        "version: 0.2\nphases:\nbuild:\n  commands:\n    - make\n",
        "build",
    );
}

#[test]
fn versions_are_two() {
    for version in ["0.2", "0.1", "\"0.2\"", "0.20", "$VERSION"] {
        silent(&with("").replace("0.2", version));
    }
    fires("invalid-version", &with("").replace("0.2", "1.0"), "1.0");
    fires("missing-version", &with("").replace("0.2", ""), "version");
}

#[test]
fn shapes_and_values_are_compared_with_the_table() {
    fires("wrong-type", &with("env:\n  variables:\n    - A\n"), "- A");
    fires(
        "wrong-type",
        &with("env:\n  variables:\n    A:\n      b: c\n"),
        "b: c",
    );
    fires("wrong-type", &with("artifacts:\n  - out\n"), "- out");
    fires(
        "wrong-type",
        "version: 0.2\nphases:\n  build:\n    - make\n",
        "- make",
    );
    fires("wrong-type", &command("[make, all]"), "[make, all]");
    fires("invalid-value", &with("env:\n  shell: fish\n"), "fish");
    fires(
        "invalid-value",
        &with("artifacts:\n  files: a\n  discard-paths: maybe\n"),
        "maybe",
    );
    fires(
        "invalid-value",
        &with("cache:\n  paths: [a]\n  action: upload\n"),
        "upload",
    );
    fires(
        "invalid-value",
        &with("reports:\n  r:\n    files: a\n    file-format: TAP\n"),
        "TAP",
    );
    silent(&with("artifacts:\n  files: a\n  discard-paths: on\n"));
    silent(&with("artifacts:\n  files: a\n  discard-paths: $DISCARD\n"));
}

#[test]
fn batches_need_identifiers_and_an_order() {
    let graph =
        |rest: &str| format!("version: 0.2\nbatch:\n  build-graph:\n    - identifier: one\n{rest}");
    silent(&graph("    - identifier: two\n      depend-on: [one]\n"));
    fires("batch-identifier", &graph("    - identifier: one\n"), "one");
    fires(
        "batch-identifier",
        &graph("    - buildspec: x.yml\n"),
        "buildspec: x.yml",
    );
    fires(
        "batch-dependency",
        &graph("      depend-on: [two]\n"),
        "two",
    );
    fires(
        "batch-dependency",
        &graph("      depend-on: [one]\n"),
        "one",
    );
    let circle = graph("      depend-on: [two]\n    - identifier: two\n      depend-on: [one]\n");
    assert_eq!(found(&circle).len(), 2);
}

#[test]
fn runtimes_are_compared_with_the_images() {
    let runtime = |text: &str| {
        format!("version: 0.2\nphases:\n  install:\n    runtime-versions:\n      {text}\n")
    };
    for good in [
        "python: 3.10",
        "nodejs: 99",
        "java: corretto21",
        "golang: latest",
        "php: 8.x",
        "ruby: $RUBY",
    ] {
        silent(&runtime(good));
    }
    fires("unknown-runtime", &runtime("node: 22"), "node");
    fires("unknown-runtime", &runtime("nodejs: lts"), "lts");
    // Which image a project uses stands outside the file.
    silent(&runtime("docker: 18"));
    for (old, says) in [
        (
            "docker: 18",
            "no current image of CodeBuild has `docker: 18`",
        ),
        ("java: openjdk8", "there are corretto8, corretto11"),
        ("android: 29", "no longer offered"),
    ] {
        let text = message("retired-runtime", &runtime(old));
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn a_file_that_stops_in_the_middle_is_not_blamed_for_what_it_lacks() {
    let text = "phases:\n  build:\n    commands:\n      - echo a: b\n      - @make\n";
    assert_eq!(
        found(text),
        [
            ("command-is-mapping", "echo a: b".to_owned()),
            ("invalid-yaml", "@".to_owned()),
        ]
    );
}

#[test]
fn the_schema_is_made_from_the_same_table() {
    let schema = buildspec_schema();
    for part in [
        "https://json-schema.org/draft/2020-12/schema",
        "\"git-credential-helper\"",
        "\"fallback-keys\"",
        "\"build-fanout\"",
        "\"additionalProperties\": false",
    ] {
        assert!(schema.contains(part), "{part}");
    }
    assert!(schema.ends_with("}\n"));
}

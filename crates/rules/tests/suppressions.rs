//! What a comment silences, and what not.

use tagwright_diagnostics::Finding;
use tagwright_fixer::{Options, Sources, run};
use tagwright_flow::FileId;
use tagwright_rules::{Settings, directives};
use tagwright_syntax::yaml;

fn lint(sources: &Sources) -> Vec<Finding> {
    let files = sources
        .iter()
        .map(|(id, source)| (id, &*source.path, &source.text));
    tagwright_rules::lint(files, &Settings::default())
}

/// The rules that speak in `text`, with their 1-based lines.
fn spoken(text: &str) -> Vec<(&'static str, usize)> {
    let mut sources = Sources::default();
    sources.push("buildspec.yml", text);
    lint(&sources)
        .iter()
        .map(|it| {
            (
                it.rule,
                text[..it.span.start as usize].matches('\n').count() + 1,
            )
        })
        .collect()
}

fn commands(lines: &str) -> String {
    format!("version: 0.2\nphases:\n  build:\n    commands:\n{lines}")
}

/// The text after all safe and unsafe fixes.
fn fixed(text: &str) -> String {
    let mut sources = Sources::default();
    sources.push("buildspec.yml", text);
    let options = Options {
        unsafe_fixes: true,
        ..Options::default()
    };
    let outcome = run(sources, &|sources: &Sources| lint(sources), options);
    assert!(outcome.converged);
    outcome
        .sources
        .text(FileId(0))
        .unwrap_or_default()
        .to_owned()
}

const LOGIN: &str = "$(aws ecr get-login --no-include-email)";

#[test]
fn behind_a_command_it_holds_for_that_line_only() {
    let text = commands(&format!(
        "      - {LOGIN} # tagwright: ignore[removed-command] old image\n      - {LOGIN}\n"
    ));
    assert_eq!(spoken(&text), [("removed-command", 6)]);
}

#[test]
fn above_a_command_it_holds_for_the_next_one_over_comments_and_empty_lines() {
    let text = commands(&format!(
        "      # tagwright: ignore[removed-command] old image\n\n      # log in\n      - {LOGIN}\n      - {LOGIN}\n"
    ));
    assert_eq!(spoken(&text), [("removed-command", 9)]);
}

#[test]
fn a_scalar_of_several_lines_is_covered_whole() {
    for text in [
        format!(
            "      # tagwright: ignore[removed-command]\n      - >\n        echo hello &&\n        {LOGIN}\n"
        ),
        format!(
            "      - > # tagwright: ignore[removed-command]\n        echo hello &&\n        {LOGIN}\n"
        ),
        format!(
            "      - \"echo hello &&\n        {LOGIN}\" # tagwright: ignore[removed-command]\n"
        ),
        format!(
            "      # tagwright: ignore[removed-command]\n      - echo hello &&\n        {LOGIN}\n"
        ),
    ] {
        assert_eq!(spoken(&commands(&text)), [], "{text}");
    }
}

#[test]
fn in_a_script_a_shell_comment_holds_for_its_line_or_the_next() {
    let script = format!(
        "      - |\n        set -e\n        # tagwright: ignore[removed-command] old image\n        {LOGIN}\n        {LOGIN} # tagwright: ignore[removed-command] here too\n        {LOGIN}\n"
    );
    assert_eq!(spoken(&commands(&script)), [("removed-command", 10)]);
}

#[test]
fn in_a_script_joined_lines_are_one() {
    let script = "      - |\n        set -e\n        # tagwright: ignore[password-argument] a test account\n        docker login \\\n          -u me \\\n          -p \"$PASSWORD\" example.org\n";
    assert_eq!(spoken(&commands(script)), []);
    let without = script.replace("ignore[password-argument]", "ignore[traced-secret]");
    assert!(
        spoken(&commands(&without))
            .iter()
            .any(|(rule, _)| *rule == "password-argument")
    );
}

#[test]
fn a_block_is_everything_below_the_next_key() {
    let text = format!(
        "version: 0.2\nphases:\n  # tagwright: ignore-block[removed-command]\n  pre_build:\n    commands:\n      - {LOGIN}\n      - {LOGIN}\n  build:\n    commands:\n      - {LOGIN}\n"
    );
    assert_eq!(spoken(&text), [("removed-command", 10)]);
}

#[test]
fn a_file_is_all_of_it() {
    let text = format!(
        "# tagwright: ignore-file[removed-command] old images everywhere\n{}",
        commands(&format!("      - {LOGIN}\n      - {LOGIN}\n"))
    );
    assert_eq!(spoken(&text), []);
    assert_eq!(fixed(&text), text);
}

#[test]
fn a_comment_for_the_file_below_its_first_line_holds_for_a_block_or_goes() {
    let block = format!(
        "version: 0.2\nphases:\n  # tagwright: ignore-file[removed-command] old image\n  build:\n    commands:\n      - {LOGIN}\n"
    );
    assert_eq!(
        spoken(&block),
        [("misplaced-suppression", 3), ("removed-command", 6)]
    );
    assert_eq!(fixed(&block), block.replace("ignore-file", "ignore-block"));
    let text = commands("      - make\n");
    for end in ["", "\n# the end\n"] {
        let last = format!("{text}# tagwright: ignore-file[removed-command] old image{end}");
        assert_eq!(spoken(&last), [("misplaced-suppression", 6)]);
        assert!(!fixed(&last).contains("tagwright"), "{last}");
    }
}

#[test]
fn other_rules_speak_on() {
    let text = commands(&format!(
        "      # tagwright: ignore[latest-pushed, bashism] wrong rules\n      - {LOGIN}\n"
    ));
    assert_eq!(
        spoken(&text),
        [("unused-suppression", 5), ("removed-command", 6)]
    );
}

#[test]
fn what_only_looks_like_a_comment_is_handed_to_the_shell() {
    for text in [
        format!("      - >\n        {LOGIN}\n        # tagwright: ignore[removed-command]\n"),
        format!("      - \"{LOGIN} # tagwright: ignore[removed-command]\"\n"),
    ] {
        let found = spoken(&commands(&text));
        assert!(
            found
                .iter()
                .any(|(rule, _)| *rule == "misplaced-suppression"),
            "{text}"
        );
        assert!(
            found.iter().any(|(rule, _)| *rule == "removed-command"),
            "{text}"
        );
    }
}

#[test]
fn one_ignored_place_keeps_its_whole_group_from_being_rewritten() {
    let text = "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t $REPO/app:latest .\n      # tagwright: ignore[latest-pushed] the base of all branches\n      - docker push $REPO/app:latest\n      - printf '[{\"name\":\"app\",\"imageUri\":\"%s\"}]' $REPO/app:latest > imagedefinitions.json\n";
    let found = spoken(text);
    assert!(
        found.iter().any(|(rule, _)| *rule == "latest-deployed"),
        "{found:?}"
    );
    assert!(!found.contains(&("latest-pushed", 7)), "{found:?}");
    assert_eq!(fixed(text), text);
    // Without the comment the same file is rewritten.
    let open = text.replace(
        "      # tagwright: ignore[latest-pushed] the base of all branches\n",
        "",
    );
    assert_ne!(fixed(&open), open);
}

#[test]
fn unused_names_are_taken_out_and_the_comment_with_the_last() {
    let text = commands(&format!(
        "      # tagwright: ignore[bashism, removed-command, null-command] old image\n      - {LOGIN}\n      - make # tagwright: ignore[bashism]\n      - |\n        make\n        # tagwright: ignore[bashism] why\n        make\n        ls # tagwright: ignore[bashism] why\n"
    ));
    let expected = commands(&format!(
        "      # tagwright: ignore[removed-command] old image\n      - {LOGIN}\n      - make\n      - |\n        make\n        make\n        ls\n"
    ));
    assert_eq!(fixed(&text), expected);
}

#[test]
fn a_comment_on_the_last_line_goes_without_a_trace() {
    for end in ["", "\n", "\r\n"] {
        let text = format!(
            "{}{}",
            "version: 0.2\nphases:\n  build:\n    commands:\n      - make\n# tagwright: ignore[bashism]",
            end
        );
        let after = fixed(&text);
        assert!(!after.contains("bashism"), "{after:?}");
        assert_eq!(after.ends_with('\n'), !end.is_empty());
    }
}

#[test]
fn windows_line_ends_make_no_difference() {
    let text = commands(&format!(
        "      # tagwright: ignore[removed-command] old image\n      - {LOGIN}\n      - |\n        set -e\n        {LOGIN} # tagwright: ignore[removed-command]\n"
    ))
    .replace('\n', "\r\n");
    assert_eq!(spoken(&text), []);
}

/// The text with a comment for `rule` at the finding of that name.
fn with_ignore(text: &str, rule: &'static str) -> String {
    let mut sources = Sources::default();
    sources.push("buildspec.yml", text);
    let propose = |sources: &Sources| {
        let mut findings = lint(sources);
        for finding in &mut findings {
            let text = sources.text(finding.file).unwrap_or_default();
            let tree = yaml::parse(text);
            let place = finding.span.start;
            let change = directives::add(finding.file, text, &tree, place, &[rule], "for a test");
            finding.fix = (finding.rule == rule)
                .then_some(())
                .and(change)
                .map(|change| {
                    std::sync::Arc::new(tagwright_diagnostics::Fix {
                        message: String::new(),
                        applicability: tagwright_diagnostics::Applicability::Safe,
                        changes: vec![change],
                    })
                });
        }
        findings
    };
    let outcome = run(sources, &propose, Options::default());
    assert!(outcome.not_applied.is_empty(), "{:?}", outcome.not_applied);
    assert!(!outcome.findings.iter().any(|it| it.rule == rule));
    outcome
        .sources
        .text(FileId(0))
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn an_added_comment_stands_above_the_command_and_never_inside_a_script() {
    let text = commands(&format!(
        "      - |\n        cat <<EOF\n        $({LOGIN})\n        EOF\n        {LOGIN}\n"
    ));
    let expected = commands(&format!(
        "      # tagwright: ignore[removed-command] for a test\n      - |\n        cat <<EOF\n        $({LOGIN})\n        EOF\n        {LOGIN}\n"
    ));
    assert_eq!(with_ignore(&text, "removed-command"), expected);
}

#[test]
fn an_added_name_joins_the_comment_that_is_there() {
    let text = commands(&format!(
        "      # tagwright: ignore[masked-failure] why\n      - |\n        npm test\n        {LOGIN}\n"
    ));
    let after = with_ignore(&text, "removed-command");
    assert!(
        after.contains("# tagwright: ignore[masked-failure, removed-command] why\n"),
        "{after}"
    );
}

#[test]
fn an_added_comment_for_a_whole_file_stands_at_its_top() {
    let text = "# build\nphases:\n  build:\n    commands:\n      - make\n";
    let after = with_ignore(text, "missing-version");
    assert_eq!(spoken(&after), []);
    assert!(after.starts_with("# build\n# tagwright: ignore"), "{after}");
}

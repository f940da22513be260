//! Which fixes of a run are made, in which round, and which are not.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use support::*;
use tagwright_diagnostics::{Applicability, Finding, Severity, WordEffect};
use tagwright_fixer::{Options, Outcome, Rejection, Relint, Sources, run};
use tagwright_syntax::Span;

const ALL: Options = Options {
    unsafe_fixes: true,
    max_rounds: 10,
};

fn safe(sources: &Sources, rules: &dyn Relint) -> Outcome {
    run(sources.clone(), rules, Options::default())
}

#[track_caller]
fn settled(outcome: &Outcome, rules: &dyn Relint) {
    let again = run(outcome.sources.clone(), rules, ALL);
    assert_eq!(again.applied, []);
    assert_eq!(again.sources, outcome.sources);
}

const BUILDSPEC: &str = "\
version: 0.2
phases:
  build:
    commands:
      - docker build -t $REPO:latest . # latest
      - |
        # the latest
        docker push $REPO:latest
      - \"docker push $OTHER:latest\"
";

#[test]
fn all_fixes_of_a_round_are_made_with_one_look_at_the_rules() {
    let before = sources(&[("a.yml", BUILDSPEC), ("b.yml", BUILDSPEC)]);
    let rules = Counted::new(Word::default());
    let outcome = safe(&before, &rules);
    let after = BUILDSPEC.replace(":latest", ":${BRANCH_NAME}");
    // The word in the shell comment inside the block is no word of a command: that fix is refused.
    assert_eq!(outcome.sources.text(FILE), Some(&*after));
    assert_eq!(outcome.applied.len(), 6);
    assert_eq!(outcome.not_applied.len(), 2);
    assert_eq!(outcome.not_applied[0].reason.point(), Some(3));
    assert_eq!(outcome.applied[0].position.line, 5);
    assert!(outcome.converged);
    settled(&outcome, &rules.rules);
}

#[test]
fn many_good_fixes_cost_two_looks_at_the_rules() {
    let commands: String = (0..50)
        .map(|n| format!("  - docker push a{n}:latest\n"))
        .collect();
    let before = one(&format!("commands:\n{commands}"));
    let rules = Counted::new(Word::default());
    let outcome = safe(&before, &rules);
    assert_eq!(outcome.applied.len(), 50);
    assert_eq!((outcome.rounds, rules.count.get()), (1, 2));
}

#[test]
fn one_bad_fix_does_not_block_the_others() {
    struct OneBad;
    impl Relint for OneBad {
        fn lint(&self, sources: &Sources) -> Vec<Finding> {
            let mut findings = Word::default().lint(sources);
            // This one says that it adds a word, and does not.
            for finding in findings
                .iter_mut()
                .filter(|it| text(sources)[..it.span.start as usize].ends_with("push a7:"))
            {
                let fix = Arc::make_mut(finding.fix.as_mut().unwrap());
                for change in &mut fix.changes {
                    if let tagwright_diagnostics::ChangeKind::Replace { words, .. } =
                        &mut change.kind
                    {
                        *words = WordEffect::Inserts(1);
                    }
                }
            }
            findings
        }
    }
    let commands: String = (0..20)
        .map(|n| format!("  - docker push a{n}:latest\n"))
        .collect();
    let before = one(&format!("commands:\n{commands}"));
    let rules = Counted::new(OneBad);
    let outcome = safe(&before, &rules);
    assert_eq!(outcome.applied.len(), 19);
    assert_eq!(outcome.not_applied.len(), 1);
    assert!(matches!(
        outcome.not_applied[0].reason,
        Rejection::Words { .. }
    ));
    // It already failed without asking the rules.
    assert_eq!(rules.count.get(), 2);
    let expected = commands.replace("latest", "${BRANCH_NAME}");
    let expected = expected.replace("a7:${BRANCH_NAME}", "a7:latest");
    assert_eq!(text(&outcome.sources), format!("commands:\n{expected}"));
}

#[test]
fn a_finding_that_remains_rejects_only_its_own_fix() {
    /// Takes `stable` for as bad as `latest`, so replacing the one by the other helps nobody.
    struct Both;
    impl Relint for Both {
        fn lint(&self, sources: &Sources) -> Vec<Finding> {
            let bad = Word {
                replacement: "stable",
                word: "worst",
                ..Word::default()
            };
            let still = Word {
                word: "stable",
                ..Word::default()
            };
            let mut stable = still.lint(sources);
            stable.iter_mut().for_each(|it| it.fix = None);
            let rules = [Word::default().lint(sources), bad.lint(sources), stable];
            rules.into_iter().flatten().collect()
        }
    }
    let before = one("- push a:latest\n- push b:worst\n- push c:latest\n- push d:stable\n");
    let rules = Counted::new(Both);
    let outcome = safe(&before, &rules);
    assert_eq!(
        text(&outcome.sources),
        "- push a:${BRANCH_NAME}\n- push b:worst\n- push c:${BRANCH_NAME}\n- push d:stable\n"
    );
    assert_eq!(outcome.not_applied.len(), 1);
    let reason = &outcome.not_applied[0].reason;
    assert!(
        matches!(reason, Rejection::FindingRemains { .. }),
        "{reason}"
    );
    assert!(rules.count.get() <= 6, "{}", rules.count.get());
    settled(&outcome, &rules.rules);
}

fn with_new_finding(severity: Severity) -> (Sources, Outcome) {
    let consequence = Word {
        rule: "undefined",
        severity,
        word: "${BRANCH_NAME}",
        applicability: Applicability::DisplayOnly,
        ..Word::default()
    };
    let latest = Word {
        severity: Severity::Warning,
        ..Word::default()
    };
    let before = one("- docker push a:latest\n");
    let outcome = safe(&before, &All(&[&latest, &consequence]));
    (before, outcome)
}

#[test]
fn a_new_finding_of_the_same_or_a_higher_severity_rejects_the_fix() {
    for severity in [Severity::Warning, Severity::Error] {
        let (before, outcome) = with_new_finding(severity);
        assert_eq!(outcome.sources, before);
        let reason = &outcome.not_applied[0].reason;
        assert!(matches!(
            reason,
            Rejection::NewFinding {
                rule: "undefined",
                ..
            }
        ));
        assert!(reason.to_string().contains("buildspec.yml: undefined"));
    }
}

#[test]
fn a_new_finding_of_a_lower_severity_is_the_lesser_evil() {
    let (_, outcome) = with_new_finding(Severity::Note);
    assert_eq!(text(&outcome.sources), "- docker push a:${BRANCH_NAME}\n");
    assert_eq!(outcome.findings.len(), 1);
}

#[test]
fn a_finding_that_only_moves_is_not_new() {
    let other = Word {
        rule: "other",
        word: "push",
        applicability: Applicability::DisplayOnly,
        ..Word::default()
    };
    let before = one("- docker push a:latest && docker push b:latest\n- docker push c\n");
    let outcome = safe(&before, &All(&[&Word::default(), &other]));
    assert_eq!(outcome.applied.len(), 2);
    assert_eq!(outcome.findings.len(), 3);
}

#[test]
fn unsafe_fixes_wait_to_be_asked_for_and_suggestions_are_never_made() {
    let risky = Word {
        applicability: Applicability::Unsafe,
        ..Word::default()
    };
    let shown = Word {
        word: "docker",
        replacement: "podman",
        applicability: Applicability::DisplayOnly,
        ..Word::default()
    };
    let rules = All(&[&risky, &shown]);
    let before = one("- docker push a:latest\n");
    let outcome = safe(&before, &rules);
    assert_eq!(outcome.sources, before);
    assert!(outcome.not_applied.is_empty() && outcome.converged);
    let outcome = run(before, &rules, ALL);
    assert_eq!(text(&outcome.sources), "- docker push a:${BRANCH_NAME}\n");
}

/// One finding per text of the list that stands in the file, all with one fix.
fn group(
    sources: &Sources,
    changes: &dyn Fn() -> Vec<tagwright_diagnostics::Change>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in sources.iter() {
        for (at, word) in source.text.match_indices("latest") {
            let span = Span::new(at, at + word.len());
            let mut finding = finding("group", Severity::Error, span, changes());
            finding.file = file;
            findings.push(finding);
        }
    }
    findings
}

#[test]
fn changes_that_several_fixes_share_are_made_once() {
    let before = one("- docker build -t a:latest .\n- docker push a:latest\n");
    let rules = |sources: &Sources| {
        group(sources, &|| {
            vec![
                replace(sources, "-t a:latest", "-t a:${B}", WordEffect::NotShell),
                replace(
                    sources,
                    "push a:latest",
                    "push a:${B}",
                    WordEffect::NotShell,
                ),
                insert_item(sources, 0, 0, "B=x"),
            ]
        })
    };
    let outcome = safe(&before, &rules);
    assert_eq!(
        text(&outcome.sources),
        "- B=x\n- docker build -t a:${B} .\n- docker push a:${B}\n"
    );
    assert_eq!((outcome.applied.len(), outcome.rounds), (2, 1));
}

#[test]
fn a_fix_is_made_in_all_files_or_in_none() {
    let rules = |sources: &Sources| {
        group(sources, &|| {
            let shell = WordEffect::Within;
            vec![
                replace_in(sources, FILE, "latest", "${B}", shell),
                replace_in(
                    sources,
                    tagwright_diagnostics::FileId(1),
                    "latest",
                    "${B}",
                    shell,
                ),
            ]
        })
    };
    let good = sources(&[
        ("a.yml", "- push a:latest\n"),
        ("b.yml", "- run a:latest\n"),
    ]);
    let outcome = safe(&good, &rules);
    assert_eq!(outcome.sources.changed_from(&good).len(), 2);
    // In the second file the text is shared through an anchor, so it cannot be changed at one place.
    let shared = sources(&[
        ("a.yml", "- push a:latest\n"),
        ("b.yml", "- &x run a:latest\n- *x\n"),
    ]);
    let outcome = safe(&shared, &rules);
    assert_eq!(outcome.sources, shared);
    let reason = &outcome.not_applied[0].reason;
    assert!(
        matches!(reason, Rejection::Refused { path, .. } if path == "b.yml"),
        "{reason}"
    );
}

#[test]
fn of_two_fixes_of_one_place_the_more_severe_finding_wins() {
    let minor = Word {
        rule: "minor",
        severity: Severity::Note,
        replacement: "stable",
        ..Word::default()
    };
    let before = one("- docker push a:latest\n");
    let outcome = safe(&before, &All(&[&minor, &Word::default()]));
    assert_eq!(text(&outcome.sources), "- docker push a:${BRANCH_NAME}\n");
    // The other one has nothing to do any more, which is no failure.
    assert!(outcome.not_applied.is_empty());
    assert_eq!(outcome.rounds, 1);
}

#[test]
fn a_fix_gets_its_turn_if_the_one_before_it_fails() {
    let lying = Word {
        rule: "lying",
        replacement: "a b",
        ..Word::default()
    };
    let minor = Word {
        rule: "minor",
        severity: Severity::Note,
        ..Word::default()
    };
    let before = one("- docker push a:latest\n");
    let outcome = safe(&before, &All(&[&lying, &minor]));
    assert_eq!(text(&outcome.sources), "- docker push a:${BRANCH_NAME}\n");
}

/// Adds `flag` behind `deploy` where it is missing.
fn missing_flag(rule: &'static str, flag: &'static str, count: u32) -> impl Relint {
    move |sources: &Sources| {
        if text(sources).contains(flag) {
            return Vec::new();
        }
        let change = insert_behind(
            sources,
            "deploy",
            &format!(" {flag}"),
            WordEffect::Inserts(count),
        );
        let at = text(sources).find("deploy").unwrap();
        let span = Span::new(at, at + 6);
        vec![finding(rule, Severity::Error, span, vec![change])]
    }
}

#[test]
fn two_insertions_at_one_place_are_made_one_after_the_other() {
    let tag = missing_flag("tag", "--tag \"$B\"", 2);
    let force = missing_flag("force", "--force", 1);
    let rules = All(&[&tag, &force]);
    let outcome = safe(&one("- copilot deploy -e test\n"), &rules);
    assert_eq!(
        text(&outcome.sources),
        "- copilot deploy --force --tag \"$B\" -e test\n"
    );
    assert_eq!(outcome.rounds, 2);
    settled(&outcome, &rules);
}

#[test]
fn a_run_that_does_not_settle_stops_and_says_so() {
    let flags: Vec<String> = (10..24).map(|n| format!("--flag{n}")).collect();
    let rules: Vec<_> = flags
        .into_iter()
        .map(|flag| missing_flag("flag", Box::leak(flag.into_boxed_str()), 1))
        .collect();
    let rules: Vec<&dyn Relint> = rules.iter().map(|it| it as &dyn Relint).collect();
    let outcome = safe(&one("- copilot deploy\n"), &All(&rules));
    assert_eq!(outcome.rounds, 10);
    assert!(!outcome.converged);
    assert_eq!(outcome.not_applied.len(), 4);
    assert!(matches!(
        outcome.not_applied[0].reason,
        Rejection::NotConverged { rounds: 10 }
    ));
}

#[test]
fn a_fix_that_a_second_run_would_make_again_is_rejected() {
    // Thinks that the flag is always missing, but reports it behind the first word.
    let greedy = |sources: &Sources| {
        let change = insert_item(sources, 0, 0, "B=x");
        let at = text(sources).find("deploy").unwrap();
        // Another place each time, so that the finding itself does not look the same.
        let span = Span::new(at + text(sources).matches("B=x").count(), at + 6);
        let rule = if text(sources).contains("B=x") {
            Severity::Note
        } else {
            Severity::Error
        };
        let mut found = finding("greedy", rule, span, vec![change]);
        found.file = if rule == Severity::Note {
            tagwright_diagnostics::FileId(1)
        } else {
            FILE
        };
        vec![found]
    };
    let before = sources(&[("a.yml", "- copilot deploy\n"), ("b.yml", "a: 1\n")]);
    let outcome = safe(&before, &greedy);
    assert_eq!(outcome.sources, before);
    let reason = &outcome.not_applied[0].reason;
    assert!(
        matches!(reason, Rejection::NotSettled { rule: "greedy", .. }),
        "{reason}"
    );
}

#[test]
fn an_item_for_two_fixes_goes_in_once_and_before_the_first() {
    let rules = |sources: &Sources| {
        let mut findings = Word::default().lint(sources);
        for finding in &mut findings {
            let fix = finding.fix.as_mut().unwrap();
            Arc::make_mut(fix)
                .changes
                .push(insert_item(sources, 0, 0, "# why\nBRANCH_NAME=x\n"));
        }
        findings
    };
    let before = one(
        "# top\r\ncommands:\r\n  # push it\r\n  - docker push a:latest\r\n  - docker push b:latest\r\n",
    );
    let outcome = safe(&before, &rules);
    assert_eq!(
        text(&outcome.sources),
        "# top\r\ncommands:\r\n  - |\r\n    # why\r\n    BRANCH_NAME=x\r\n  # push it\r\n  - docker push a:${BRANCH_NAME}\r\n  - docker push b:${BRANCH_NAME}\r\n"
    );
    assert_eq!(outcome.applied.len(), 2);
}

#[test]
fn a_fix_for_a_place_that_is_not_there_is_rejected() {
    let rules = |sources: &Sources| {
        let mut change = replace(sources, "latest", "x", WordEffect::Within);
        change.node.0 += 1000;
        let mut elsewhere = change.clone();
        elsewhere.file.0 += 7;
        let mut outside = replace(sources, "latest", "x", WordEffect::Within);
        if let tagwright_diagnostics::ChangeKind::Replace { range, .. } = &mut outside.kind {
            range.end += 1;
        }
        let changes = [change, elsewhere, outside];
        let span = Span::new(0, 1);
        changes
            .map(|it| finding("lost", Severity::Error, span, vec![it]))
            .to_vec()
    };
    let outcome = safe(&one("- docker push a:latest\n"), &rules);
    assert_eq!(outcome.not_applied.len(), 3);
    for not_applied in &outcome.not_applied {
        let reason = &not_applied.reason;
        assert!(matches!(reason, Rejection::UnknownPlace { .. }), "{reason}");
    }
}

#[test]
fn two_changes_of_one_fix_that_exclude_each_other_are_rejected() {
    let rules = |sources: &Sources| {
        let one = replace(sources, "a:latest", "x", WordEffect::Within);
        let other = replace(sources, "latest", "y", WordEffect::Within);
        vec![finding(
            "both",
            Severity::Error,
            Span::new(0, 1),
            vec![one, other],
        )]
    };
    let outcome = safe(&one("- docker push a:latest\n"), &rules);
    let reason = &outcome.not_applied[0].reason;
    assert!(
        matches!(reason, Rejection::Contradiction { place, .. } if place == "[0]"),
        "{reason}"
    );
}

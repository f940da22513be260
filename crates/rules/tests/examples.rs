//! What every rule has to keep: its page has its headings, its bad example fires it and nothing else, the
//! fix of the bad example is the good one, and the good one is silent.

use std::fmt::Write as _;

use tagwright_diagnostics::{Finding, Severity};
use tagwright_fixer::{Options, Sources, diff, run};
use tagwright_flow::FileId;
use tagwright_rules::settings::Strategy;
use tagwright_rules::{Category, Check, Fixable, Rule, Settings, registry};

const HEADINGS: [&str; 7] = [
    "What it does",
    "Why it matters",
    "Bad",
    "Good",
    "Fix",
    "When to silence it",
    "Sources",
];

/// One example: a workspace.
#[derive(Default)]
struct Example {
    sources: Sources,
    enable: bool,
}

/// The fenced blocks below `heading`.
fn example(rule: &Rule, heading: &str) -> Example {
    let mut example = Example::default();
    let mut inside = false;
    let mut block: Option<(String, String)> = None;
    for line in rule.page().lines() {
        if let Some((path, text)) = &mut block {
            if line.starts_with("```") {
                example.sources.push(path.as_str(), text.as_str());
                block = None;
            } else {
                text.push_str(line);
                text.push('\n');
            }
        } else if let Some(title) = line.strip_prefix("## ") {
            inside = title.trim() == heading;
        } else if let Some(info) = line.strip_prefix("```")
            && inside
        {
            let mut words = info.split_whitespace().skip(1);
            let path = words.next().unwrap_or("buildspec.yml").to_owned();
            example.enable |= words.any(|word| word == "enable");
            block = Some((path, String::new()));
        }
    }
    example
}

/// All findings of `sources`, under the strategy that `rule` is about; `enable` is turned on if it is off by
/// default.
fn lint(sources: &Sources, rule: &Rule, enable: Option<&Rule>) -> Vec<Finding> {
    let mut settings = Settings::default();
    if rule.category == Category::Isolation {
        settings.strategy = Strategy::RepositoryPerBranch;
    }
    if let Some(rule) = enable {
        let level = Some(Severity::Warning);
        settings.levels.insert(rule.name.to_owned(), level);
    }
    let files = sources
        .iter()
        .map(|(id, source)| (id, &*source.path, &source.text));
    tagwright_rules::lint(files, &settings)
}

/// The findings for people who look at a failed test.
fn shown(sources: &Sources, findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let path = sources.path(finding.file);
        let at = sources.text(finding.file).map_or("", |text| {
            text.get(finding.span.range()).unwrap_or("(no such place)")
        });
        let _ = writeln!(
            text,
            "    {path}: {:?} {}: {} [{at}]{}",
            finding.severity,
            finding.rule,
            finding.message,
            finding
                .refusal
                .as_ref()
                .map(|reason| format!(" no fix: {reason}"))
                .unwrap_or_default(),
        );
    }
    text
}

/// Runs `check` over all rules and fails with everything that any of them has to say.
fn every_rule(check: impl Fn(&'static Rule) -> Result<(), String>) {
    let failures: Vec<String> = registry()
        .iter()
        .filter_map(|rule| {
            let error = check(rule).err()?;
            Some(format!("{}:\n{error}", rule.name))
        })
        .collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_page_has_its_headings_in_order() {
    every_rule(|rule| {
        let page = rule.page();
        let found: Vec<&str> = page
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .collect();
        let summary = rule.docs.lines().next().unwrap_or("");
        if found != HEADINGS {
            return Err(format!("    headings: {found:?}"));
        }
        if !summary.ends_with('.') || summary.len() < 10 {
            return Err(format!("    the first line is no sentence: {summary:?}"));
        }
        Ok(())
    });
}

#[test]
fn every_page_says_when_and_how_to_silence_the_rule() {
    every_rule(|rule| {
        let page = rule.page();
        let (_, section) = page
            .split_once("## When to silence it")
            .ok_or("    no such section")?;
        let section = section.split("\n## ").next().unwrap_or("");
        let own = rule.docs.split_once("## When to silence it");
        let own = own.and_then(|(_, rest)| rest.split("\n## ").next());
        let long = own.is_some_and(|own| own.trim().len() > 40 && own.trim().ends_with('.'));
        let how = format!("{} = \"off\"", rule.name);
        if !long {
            Err("    it does not say when".to_owned())
        } else if !section.contains(&how) && rule.default.is_some() {
            Err(format!("    it does not say how: {section}"))
        } else {
            Ok(())
        }
    });
}

#[test]
fn names_are_kebab_case_and_name_the_page() {
    every_rule(|rule| {
        let kebab = rule
            .name
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()));
        let source = format!(
            "{}/src/{}/{}.rs",
            env!("CARGO_MANIFEST_DIR"),
            rule.category.as_str().replace('-', "_"),
            rule.name.replace('-', "_"),
        );
        if !kebab {
            return Err("    the name is not kebab-case".to_owned());
        }
        let text = std::fs::read_to_string(&source).map_err(|e| format!("    {source}: {e}"))?;
        let first = text.lines().next().unwrap_or("");
        if first.trim_start_matches("//!").trim() != rule.docs.lines().next().unwrap_or("") {
            return Err(format!("    the page is not the one of {source}"));
        }
        Ok(())
    });
    let mut names: Vec<&str> = registry().iter().map(|rule| rule.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), registry().len(), "two rules share a name");
}

#[test]
fn a_bad_example_fires_its_rule_and_no_other() {
    every_rule(|rule| {
        let bad = example(rule, "Bad");
        let findings = lint(&bad.sources, rule, bad.enable.then_some(rule));
        // Its example is tried with the program, where that runs.
        let external = matches!(rule.check, Check::External);
        let here = external || findings.iter().any(|finding| finding.rule == rule.name);
        let elsewhere = findings
            .iter()
            .any(|finding| finding.rule != rule.name && finding.severity >= Severity::Warning);
        if bad.sources.is_empty() {
            Err("    there is no bad example".to_owned())
        } else if !here {
            let others = shown(&bad.sources, &findings);
            Err(format!("    does not fire on its bad example\n{others}"))
        } else if elsewhere {
            let all = shown(&bad.sources, &findings);
            Err(format!("    another rule fires on the bad example\n{all}"))
        } else {
            Ok(())
        }
    });
}

#[test]
fn the_fix_of_a_bad_example_is_the_good_one() {
    every_rule(|rule| {
        if rule.fixable == Fixable::Never {
            return Ok(());
        }
        let bad = example(rule, "Bad");
        let good = example(rule, "Good");
        let enable = bad.enable.then_some(rule);
        let options = Options {
            unsafe_fixes: true,
            ..Options::default()
        };
        let relint = |sources: &Sources| lint(sources, rule, enable);
        let outcome = run(bad.sources.clone(), &relint, options);
        let mut error = String::new();
        let length = bad.sources.len().max(good.sources.len());
        for id in (0..length).map(|index| FileId(u32::try_from(index).unwrap())) {
            let (is, wanted) = (outcome.sources.text(id), good.sources.text(id));
            if is != wanted {
                error.push_str(&diff(
                    outcome.sources.path(id),
                    wanted.unwrap_or(""),
                    is.unwrap_or(""),
                ));
            }
        }
        if !error.is_empty() {
            error.insert_str(0, "the fixed text (+) is not the good one (-)\n");
            for not in &outcome.not_applied {
                let _ = writeln!(error, "    {}: {}", not.finding.rule, not.reason);
            }
            error.push_str(&shown(&outcome.sources, &outcome.findings));
            return Err(error);
        }
        let again = run(outcome.sources.clone(), &relint, options);
        if again.sources != outcome.sources || !again.applied.is_empty() {
            return Err("    a second run changes the text again".to_owned());
        }
        Ok(())
    });
}

#[test]
fn a_good_example_is_silent_under_every_rule() {
    every_rule(|rule| {
        let good = example(rule, "Good");
        if good.sources.is_empty() {
            return Err("    there is no good example".to_owned());
        }
        let findings = lint(&good.sources, rule, None);
        if findings.is_empty() {
            Ok(())
        } else {
            Err(shown(&good.sources, &findings))
        }
    });
}

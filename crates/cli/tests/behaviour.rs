//! What a fixed repository does: the files that `fix` writes, and the builds that they give.
//!
//! Everything here is driven by the folders of `fixtures/`; its README says what they hold and what is
//! demanded of them.

#![cfg(unix)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use support::fixture::{self, Fixture};
use support::scenario::{self, Scenario};
use support::{build, calls};

fn tagwright(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tagwright"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .output()
        .expect("the binary was built for this test")
}

/// Runs `fix` in `folder`, with the fixture's arguments. What went wrong, if it did not end with 0 or 1.
fn fix(fixture: &Fixture, folder: &Path) -> Option<String> {
    let mut arguments = vec!["fix", "."];
    arguments.extend(fixture.settings.args.iter().map(String::as_str));
    let output = tagwright(&arguments, folder);
    (!matches!(output.status.code(), Some(0 | 1))).then(|| {
        format!(
            "fix: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

#[test]
fn fix_writes_exactly_what_a_careful_person_would() {
    fixture::each(|fixture| {
        let folder = tempfile::tempdir().expect("a temporary folder is writable");
        fixture::copy_tree(&fixture.folder.join("before"), folder.path());
        if let Some(problem) = fix(fixture, folder.path()) {
            return vec![problem];
        }
        let after = fixture.folder.join("after");
        if std::env::var("TAGWRIGHT_UPDATE").is_ok_and(|value| value == "1") {
            fixture::update(&after, &fixture::files(folder.path()));
        }
        fixture::differences(&fixture::files(folder.path()), &fixture::files(&after))
    });
}

#[test]
fn a_second_run_changes_nothing() {
    fixture::each(|fixture| {
        let folder = tempfile::tempdir().expect("a temporary folder is writable");
        fixture::copy_tree(&fixture.folder.join("after"), folder.path());
        if let Some(problem) = fix(fixture, folder.path()) {
            return vec![problem];
        }
        fixture::differences(
            &fixture::files(folder.path()),
            &fixture::files(&fixture.folder.join("after")),
        )
    });
}

/// What `check` says about a folder, as its JSON report.
fn check(folder: &Path) -> Result<Vec<serde_json::Value>, String> {
    // In the project's own repository, paths would count from another root.
    let copy = tempfile::tempdir().expect("a temporary folder is writable");
    fixture::copy_tree(folder, copy.path());
    let output = tagwright(&["check", "--format", "json", "."], copy.path());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|error| {
        let stderr = String::from_utf8_lossy(&output.stderr);
        format!("check: {error}, {}\n{stderr}", output.status)
    })?;
    Ok(report["findings"].as_array().cloned().unwrap_or_default())
}

#[test]
fn the_findings_are_those_that_the_fixture_names() {
    fixture::each(|fixture| {
        let mut problems = Vec::new();
        for (tree, expected) in [
            ("before", &fixture.settings.finds),
            ("after", &fixture.settings.leaves),
        ] {
            let rules: Result<BTreeSet<String>, String> =
                check(&fixture.folder.join(tree)).map(|findings| {
                    let names = findings
                        .iter()
                        .filter_map(|finding| finding["rule"].as_str());
                    names.map(str::to_owned).collect()
                });
            match rules {
                Ok(rules) if rules == *expected => {}
                Ok(rules) => {
                    problems.push(format!("{tree}/: expected {expected:?}, found {rules:?}"))
                }
                Err(error) => problems.push(format!("{tree}/: {error}")),
            }
        }
        problems
    });
}

#[test]
fn nothing_that_could_be_fixed_is_left() {
    fixture::each(|fixture| {
        let unsafe_too = fixture
            .settings
            .args
            .iter()
            .any(|argument| argument == "--unsafe");
        let findings = match check(&fixture.folder.join("after")) {
            Ok(findings) => findings,
            Err(error) => return vec![error],
        };
        findings
            .iter()
            .filter(|finding| {
                let applicability = &finding["fix"]["applicability"];
                applicability == "safe" || (unsafe_too && applicability == "unsafe")
            })
            .map(|finding| {
                format!(
                    "left: {} {}: {}",
                    finding["path"], finding["rule"], finding["message"]
                )
            })
            .collect()
    });
}

/// The shells and scenarios in which a fixture's builds are run.
fn runs(fixture: &Fixture) -> Vec<(&'static str, &'static Scenario)> {
    let wanted = |scenario: &&Scenario| match &fixture.settings.scenarios {
        Some(names) => names.iter().any(|name| name == scenario.name),
        None => scenario.default,
    };
    if let Some(names) = &fixture.settings.scenarios {
        let known = |name: &String| scenario::ALL.iter().any(|scenario| scenario.name == name);
        assert!(
            names.iter().all(known),
            "{}: unknown scenario in {names:?}",
            fixture.name
        );
    }
    let scenarios: Vec<&Scenario> = scenario::ALL.iter().filter(wanted).collect();
    let full = std::env::var("TAGWRIGHT_BEHAVIOUR").is_ok_and(|value| value == "full");
    let in_bash = if full { scenarios.len() } else { 1 };
    let bash = scenarios
        .iter()
        .rev()
        .take(in_bash)
        .map(|scenario| ("bash", *scenario));
    scenarios
        .iter()
        .map(|scenario| ("dash", *scenario))
        .chain(bash)
        .collect()
}

#[test]
fn builds_do_the_same_as_before_under_one_tag_of_the_branch() {
    let [trees, changed, dash, bash] = [const { AtomicUsize::new(0) }; 4];
    fixture::each(|fixture| {
        if !fixture.settings.execute {
            return Vec::new();
        }
        let tree = |name| fixture::files(&fixture.folder.join(name));
        trees.fetch_add(1, Ordering::Relaxed);
        changed.fetch_add(
            usize::from(tree("before") != tree("after")),
            Ordering::Relaxed,
        );
        let mut problems = Vec::new();
        let stubs = tempfile::tempdir().expect("a temporary folder is writable");
        build::write_stubs(stubs.path(), fixture);
        let before_tree = fixture.folder.join("before");
        let names = build::buildspecs(&before_tree);
        for name in &names {
            let others: Vec<&String> = names.iter().filter(|other| *other != name).collect();
            let mut pushes = Vec::new();
            let mut deployed = Vec::new();
            for (shell, scenario) in runs(fixture) {
                let count = if shell == "dash" { &dash } else { &bash };
                count.fetch_add(2, Ordering::Relaxed);
                let run = |tree: &str, name: &str| {
                    let tree = fixture.folder.join(tree);
                    build::run(fixture, &tree, name, scenario, shell, stubs.path())
                };
                let elsewhere = |tree: &str| -> Result<calls::Pushes, String> {
                    let mut pushes = calls::Pushes::new();
                    for name in &others {
                        for (repository, tags) in calls::pushed(&run(tree, name)?)? {
                            pushes.entry(repository).or_default().extend(tags);
                        }
                    }
                    Ok(pushes)
                };
                let both = |tree: &str| Ok((run(tree, name)?, elsewhere(tree)?));
                let result = both("before").and_then(|before| Ok((before, both("after")?)));
                let verdict = result.and_then(|(before, (after, pushed_after))| {
                    let (before, pushed_before) = before;
                    if shell == "dash" && !scenario.refused {
                        pushes.push((scenario.name, calls::pushed(&after)?));
                        deployed.push((scenario.name, calls::deployed_by_tag(&after)));
                    }
                    let before = (&before, &pushed_before);
                    let (after, pushed_after) = moved_back(fixture, scenario, after, pushed_after)?;
                    compare(fixture, scenario, before, (&after, &pushed_after))
                });
                let found = verdict.unwrap_or_else(|error| vec![error]);
                problems.extend(
                    found
                        .iter()
                        .map(|problem| format!("{name}, {}, {shell}: {problem}", scenario.name)),
                );
            }
            let unnoticed = unnoticed_builds(&deployed);
            let shared = shared_tags(&pushes);
            problems.extend(
                unnoticed
                    .iter()
                    .chain(&shared)
                    .map(|problem| format!("{name}: {problem}")),
            );
        }
        problems
    });
    println!(
        "{} fixtures run, {} of them changed by `fix`: {} builds under dash, {} under bash",
        trees.into_inner(),
        changed.into_inner(),
        dash.into_inner(),
        bash.into_inner(),
    );
}

/// The build with the names that its repositories had before the fix, which moves those that the fixture names: each
/// has to be the one of its scenario.
fn moved_back(
    fixture: &Fixture,
    scenario: &Scenario,
    mut after: build::Outcome,
    mut pushes: calls::Pushes,
) -> Result<(build::Outcome, calls::Pushes), String> {
    for (old, moves) in &fixture.settings.repositories {
        let new = moves
            .get(scenario.name)
            .ok_or_else(|| format!("the fixture does not say where {old} goes"))?;
        let back = |text: &str| text.replace(&format!("{new}:"), &format!("{old}:"));
        let pushed = calls::pushed(&after)?;
        let strange = pushed
            .keys()
            .find(|it| it.starts_with(old.as_str()) && *it != new);
        if let Some(strange) = strange {
            return Err(format!("pushes to {strange}, not to {new}"));
        }
        for word in after.calls.iter_mut().flatten() {
            *word = back(word);
        }
        for text in after.json.values_mut() {
            *text = back(text);
        }
        if let Some(tags) = pushes.remove(new) {
            pushes.insert(old.clone(), tags);
        }
    }
    Ok((after, pushes))
}

/// What is wrong with the build `after`, given the build `before` of the unfixed tree; each with what the other
/// builds of its tree pushed.
fn compare(
    fixture: &Fixture,
    scenario: &Scenario,
    (before, pushed_before): (&build::Outcome, &calls::Pushes),
    (after, pushed_after): (&build::Outcome, &calls::Pushes),
) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    if !before.failed.is_empty() {
        problems.push(format!(
            "before: {:?} failed: {}",
            before.failed, before.stderr
        ));
    }
    if scenario.refused {
        if !calls::publishes(before)? {
            problems.push("before: publishes nothing, so there is nothing to refuse".to_owned());
        }
        if calls::publishes(after)? || after.failed.is_empty() {
            problems.push(format!("goes on without a branch: {:?}", after.calls));
        }
        return Ok(problems);
    }
    if !after.failed.is_empty() {
        problems.push(format!("{:?} failed: {}", after.failed, after.stderr));
    }
    if before.calls.is_empty() {
        problems.push("calls nothing".to_owned());
    }
    let (expected, actual) = (
        calls::without_tags(before, pushed_before)?,
        calls::without_tags(after, pushed_after)?,
    );
    if fixture.settings.drops_latest {
        problems.extend(calls::dropped(&expected, &actual));
        let (mut expected, actual) = (calls::pushed(before)?, calls::pushed(after)?);
        for tags in expected.values_mut() {
            tags.remove("latest");
        }
        if expected != actual || before.json != after.json {
            problems.push(format!(
                "without latest: before {expected:?} {:?}, after {actual:?} {:?}",
                before.json, after.json
            ));
        }
    } else if expected != actual {
        problems.push(format!(
            "calls differ\n  before {expected:#?}\n  after {actual:#?}"
        ));
    }
    let count = |outcome| -> Result<Vec<(String, usize)>, String> {
        Ok(calls::pushed(outcome)?
            .into_iter()
            .map(|(repository, tags)| (repository, tags.len()))
            .collect())
    };
    let (expected, actual) = (count(before)?, count(after)?);
    // An untagged Copilot push is not seen before.
    if !fixture.settings.drops_latest
        && actual
            .iter()
            .any(|entry| !expected.contains(entry) && !entry.0.starts_with("copilot/"))
    {
        problems.push(format!(
            "number of tags pushed: before {expected:?}, after {actual:?}"
        ));
    }
    problems.extend(calls::judge(
        after,
        pushed_after,
        fixture.settings.latest_stays,
    )?);
    Ok(problems)
}

/// The tags that builds of two branches both push. That a `latest` which stays is shared is known.
fn shared_tags(pushes: &[(&str, calls::Pushes)]) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, (scenario, pushed)) in pushes.iter().enumerate() {
        for (other, others) in &pushes[..index] {
            if scenario::SAME_BRANCH.contains(scenario) && scenario::SAME_BRANCH.contains(other) {
                continue;
            }
            for (repository, tags) in pushed {
                let others = others.get(repository).into_iter().flatten();
                for tag in others.filter(|tag| tags.contains(*tag) && *tag != "latest") {
                    problems.push(format!(
                        "{repository}:{tag} is written by {scenario} and by {other}"
                    ));
                }
            }
        }
    }
    problems
}

/// The images that a second build of one branch deploys under the tag of the first, by a command that
/// then sees no difference.
fn unnoticed_builds(deployed: &[(&str, BTreeSet<calls::Image>)]) -> Vec<String> {
    let of = |wanted: &str| {
        deployed
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, images)| images)
    };
    let [first, second] = scenario::SAME_BRANCH.map(of);
    first
        .into_iter()
        .flatten()
        .filter(|image| {
            image.tag != "latest" && second.is_some_and(|second| second.contains(image))
        })
        .map(|image| format!("{image:?} is deployed twice, the second time to no effect"))
        .collect()
}

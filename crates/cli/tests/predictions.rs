//! What `tagwright migrate` says a build will push and deploy, held against what the same build does under dash.
//!
//! Driven by the folders of `fixtures/`, with the stubs of the behaviour tests.

#![cfg(unix)]

// Most of it is for the behaviour tests.
#[allow(dead_code)]
mod support {
    pub(crate) mod build;
    pub(crate) mod calls;
    pub(crate) mod fixture;
    pub(crate) mod scenario;
}

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::fixture::{self, Fixture};
use support::scenario::{self, Scenario};
use support::{build, calls};
use tagwright::args::InputArgs;
use tagwright::migrate::evaluate::{self, Build, Place, Start, Tag};
use tagwright::report::Report;
use tagwright::session::Session;
use tagwright_flow::tools::Role;

/// For each buildspec of the tree, by its path, what each build is said to do.
fn predicted(
    fixture: &Fixture,
    tree: &Path,
    scenarios: &[&Scenario],
) -> BTreeMap<String, Vec<Option<Build>>> {
    let arguments = InputArgs::default();
    let mut session = Session::for_paths(&[tree.to_owned()], &arguments)
        .expect("the fixture's configuration is right");
    let mut found = BTreeMap::new();
    let mut report = Report::default();
    let each = session.each(&mut report, |part, _| {
        let workspace = &part.workspace;
        // What a script does is not predicted.
        if workspace
            .flow
            .files()
            .iter()
            .any(|file| file.script.is_some())
        {
            return;
        }
        for (facts, document) in workspace.flow.files().iter().zip(&workspace.documents) {
            if facts.buildspec.is_none() {
                continue;
            }
            let builds = scenarios.iter().map(|scenario| {
                let owned =
                    |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
                let mut variables: BTreeMap<String, String> =
                    scenario::ALWAYS.iter().map(owned).collect();
                variables.extend(fixture.settings.variables.clone());
                variables.extend(scenario.variables.iter().map(owned));
                if let Some(id) = variables.get_mut("CODEBUILD_BUILD_ID") {
                    *id = build::build_id(id, &name_of(tree, document.path.as_deref()));
                }
                let settings = workspace.analysis.settings();
                evaluate::build(facts, &document.text, &Start { variables }, settings)
            });
            found.insert(name_of(tree, document.path.as_deref()), builds.collect());
        }
    });
    assert!(each.is_ok(), "{}", fixture.name);
    found
}

fn name_of(tree: &Path, path: Option<&Path>) -> String {
    let path = path.expect("it lies on disk");
    let path = path.strip_prefix(tree).unwrap_or(path);
    path.to_string_lossy().into_owned()
}

/// Fixtures in which the stubs and the prediction do not see the same: a task definition, image definitions or a manifest that
/// `sed` fills in, a script on another machine, calls of the registry.
const UNSEEN: [&str; 7] = [
    "definitions-of-several-services",
    "definitions-that-the-build-overwrites",
    "latest-that-sed-looks-for",
    "manifest-applied-by-the-build",
    "manifest-filled-in-by-sed",
    "promoted-by-the-registry",
    "pulled-on-another-machine",
];

/// One image of a prediction: repository and tag, and whether both are certain.
struct Said {
    repository: String,
    tag: String,
    certain: bool,
    /// Not known which.
    open: bool,
}

fn said(build: &Build, roles: &[Role]) -> Vec<Said> {
    let steps = build.steps.iter().filter(|step| {
        roles.contains(&step.role) || step.repository.to_string().starts_with("copilot/")
    });
    steps
        .map(|step| {
            let (tag, open) = match &step.tag {
                Tag::Is(text) => (text.to_string(), text.as_known().is_none()),
                Tag::Implicit => ("latest".to_owned(), false),
                Tag::Hidden | Tag::Digest | Tag::All => (String::new(), true),
            };
            let known = step.repository.as_known().is_some();
            let untagged_copilot =
                step.tag == Tag::Implicit && matches!(step.place, Place::Copilot(_));
            Said {
                repository: step.repository.to_string(),
                tag,
                // The stubs read a tag of Copilot from its flag alone.
                certain: !step.conditional && known && !open && !untagged_copilot,
                open: open || !known,
            }
        })
        .collect()
}

/// What is wrong with a prediction, given what happened.
fn compare(
    what: &str,
    said: &[Said],
    actual: &calls::Pushes,
    counts: &[AtomicUsize; 2],
) -> Vec<String> {
    let mut problems = Vec::new();
    let happened: BTreeSet<(&str, &str)> = actual
        .iter()
        .flat_map(|(repository, tags)| tags.iter().map(move |tag| (&**repository, &**tag)))
        .collect();
    for (repository, tag) in &happened {
        let exactly = said
            .iter()
            .any(|it| it.repository == *repository && it.tag == *tag);
        counts[usize::from(exactly)].fetch_add(1, Ordering::Relaxed);
        if !exactly && !said.iter().any(|it| it.open) {
            problems.push(format!(
                "{what} {repository}:{tag}, which was not predicted: {:?}",
                said.iter()
                    .map(|it| (&it.repository, &it.tag))
                    .collect::<Vec<_>>()
            ));
        }
    }
    for it in said.iter().filter(|it| it.certain) {
        if !happened.contains(&(&*it.repository, &*it.tag)) {
            problems.push(format!(
                "{what}: {}:{} was predicted: {happened:?}",
                it.repository, it.tag
            ));
        }
    }
    problems
}

#[test]
fn builds_do_what_was_predicted() {
    let counts = [const { AtomicUsize::new(0) }; 2];
    fixture::each(|fixture| {
        if !fixture.settings.execute || UNSEEN.contains(&&*fixture.name) {
            return Vec::new();
        }
        let stubs = tempfile::tempdir().expect("a temporary folder is writable");
        build::write_stubs(stubs.path(), fixture);
        let scenarios: Vec<&Scenario> = scenario::ALL.iter().collect();
        let mut problems = Vec::new();
        for name in ["before", "after"] {
            let folder = tempfile::tempdir().expect("a temporary folder is writable");
            let tree = folder.path().canonicalize().expect("it was just made");
            fixture::copy_tree(&fixture.folder.join(name), &tree);
            for (spec, builds) in predicted(fixture, &tree, &scenarios) {
                for (scenario, build) in scenarios.iter().zip(builds) {
                    let Some(build) = build else { continue };
                    let place = format!("{name}/{spec}, {}", scenario.name);
                    let run = build::run(fixture, &tree, &spec, scenario, "dash", stubs.path());
                    let Ok(outcome) = run else { continue };
                    let found = verdict(&build, &outcome, &counts);
                    problems.extend(found.iter().map(|problem| format!("{place}: {problem}")));
                }
            }
        }
        problems
    });
    let [open, exact] = counts.map(AtomicUsize::into_inner);
    println!("{exact} images were predicted exactly, {open} were left open");
    assert!(
        exact > 10 * open,
        "{exact} images were predicted exactly, {open} were left open"
    );
}

fn verdict(build: &Build, outcome: &build::Outcome, counts: &[AtomicUsize; 2]) -> Vec<String> {
    if build.stops {
        return if outcome.failed.is_empty() {
            vec!["it was predicted to stop, and went on".to_owned()]
        } else {
            Vec::new()
        };
    }
    let result = calls::pushed(outcome).and_then(|pushed| Ok((pushed, calls::deployed(outcome)?)));
    let (pushed, images) = match result {
        Ok(found) => found,
        Err(error) => return vec![error],
    };
    let mut deployed = calls::Pushes::new();
    for image in images {
        let tags = deployed.entry(image.repository).or_default();
        tags.insert(image.tag);
    }
    if !outcome.failed.is_empty() {
        // `set -u` in a build that has no commit.
        if outcome.stderr.contains("parameter not set") {
            return Vec::new();
        }
        return vec![format!(
            "it failed, which was not predicted: {}",
            outcome.stderr
        )];
    }
    let mut problems = compare(
        "pushes",
        &said(build, &[Role::Push, Role::BuildPush]),
        &pushed,
        counts,
    );
    let deploys = said(build, &[Role::Deploy, Role::Record]);
    problems.extend(compare("deploys", &deploys, &deployed, counts));
    problems
}

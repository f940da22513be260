//! The builds of the fixtures on a real Docker Engine, with registries on loopback.
//!
//! Each fixture that builds and pushes is built for `main`, for `feature/x` and for `main` again, each time on a machine
//! that knows no image. What a build pushes and deploys is pulled and asked which commit it was built from.
//! `TAGWRIGHT_ENGINE=required` makes a missing engine a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::calls::Image;
use super::engine::Engine;
use super::fixture::{self, Fixture};
use super::scenario::{self, Scenario};
use super::{build, calls};

/// The builds, in order: two of one branch with one of another branch between them.
const BUILDS: [&str; 3] = ["push of main", OTHER_BRANCH, "second push of main"];
const OTHER_BRANCH: &str = "push of feature/x";

fn scenario(name: &str) -> &'static Scenario {
    scenario::ALL
        .iter()
        .find(|scenario| scenario.name == name)
        .expect("the scenario is known")
}

fn commit(scenario: &Scenario) -> &'static str {
    scenario
        .variables
        .iter()
        .find(|(name, _)| *name == "CODEBUILD_RESOLVED_SOURCE_VERSION")
        .map_or("", |(_, commit)| commit)
}

/// The images that `docker` pushes in a build of the tree, by a run with stubs alone.
fn pushed_by_docker(
    fixture: &Fixture,
    tree: &str,
    scenario: &Scenario,
) -> Result<BTreeSet<Image>, String> {
    let stubs = tempfile::tempdir().expect("a temporary folder is writable");
    build::write_stubs(stubs.path(), fixture);
    let tree = fixture.folder.join(tree);
    let mut images = BTreeSet::new();
    for name in build::buildspecs(&tree) {
        let mut outcome = build::run(fixture, &tree, &name, scenario, "dash", stubs.path())?;
        outcome
            .calls
            .retain(|call| call.first().is_some_and(|program| program == "docker"));
        outcome.json.clear();
        images.extend(pushed(&outcome)?);
    }
    Ok(images)
}

fn pushed(outcome: &build::Outcome) -> Result<Vec<Image>, String> {
    let image = |repository: &String, tag| Image {
        repository: repository.clone(),
        tag,
    };
    Ok(calls::pushed(outcome)?
        .into_iter()
        .flat_map(|(repository, tags)| tags.into_iter().map(move |tag| image(&repository, tag)))
        .collect())
}

/// A tree of a fixture on the engine.
struct Tree<'a> {
    engine: &'a Engine,
    fixture: &'a Fixture,
    name: &'a str,
    /// The repositories that it pushes to.
    own: BTreeSet<String>,
}

impl Tree<'_> {
    /// Runs the builds, in order. What is wrong with them. What `shared` holds may be written by two branches.
    fn builds(&self, shared: &BTreeSet<Image>) -> Result<Vec<String>, String> {
        let stubs = tempfile::tempdir().expect("a temporary folder is writable");
        build::write_stubs(stubs.path(), self.fixture);
        self.engine.put(self.fixture, &self.own, stubs.path());
        let mut problems = Vec::new();
        let mut others = BTreeMap::new();
        for name in BUILDS {
            if let Some(names) = &self.fixture.settings.scenarios
                && !names.iter().any(|known| known == name)
            {
                continue;
            }
            let digests = self.build(scenario(name), stubs.path(), &mut problems)?;
            if name == OTHER_BRANCH {
                others = digests;
            }
        }
        // What the other branch has, no later build may have touched.
        others.retain(|image, _| !shared.contains(image));
        for (image, digest) in &others {
            match self.engine.pull(self.fixture, image) {
                Ok((_, now)) if now == *digest => {}
                Ok((from, _)) => problems.push(format!(
                    "{image:?} of {OTHER_BRANCH} has become the image of {from}"
                )),
                Err(error) => problems.push(format!("{image:?}: {error}")),
            }
        }
        Ok(problems)
    }

    /// One build, each buildspec on a machine that knows no image. The digests of what it pushed and deployed.
    fn build(
        &self,
        scenario: &Scenario,
        stubs: &Path,
        problems: &mut Vec<String>,
    ) -> Result<BTreeMap<Image, String>, String> {
        let folder = self.fixture.folder.join(self.name);
        let mut images = BTreeSet::new();
        for name in build::buildspecs(&folder) {
            self.engine.forget(self.fixture);
            let outcome = build::run(self.fixture, &folder, &name, scenario, "dash", stubs)?;
            if !outcome.failed.is_empty() {
                problems.push(format!(
                    "{name}, {}: {:?} failed: {}",
                    scenario.name, outcome.failed, outcome.stderr
                ));
            }
            images.extend(pushed(&outcome)?);
            images.extend(calls::deployed(&outcome)?);
        }
        self.engine.forget(self.fixture);
        images.retain(|image| self.own.contains(&image.repository));
        let mut digests = BTreeMap::new();
        for image in images {
            match self.engine.pull(self.fixture, &image) {
                Ok((from, digest)) => {
                    if from != commit(scenario) {
                        problems.push(format!(
                            "{}: {image:?} is the image of {from}",
                            scenario.name
                        ));
                    }
                    digests.insert(image, digest);
                }
                Err(error) => problems.push(format!("{}: {image:?}: {error}", scenario.name)),
            }
        }
        Ok(digests)
    }
}

#[test]
fn what_a_fixed_build_pushes_and_deploys_is_its_own() {
    let engine = match Engine::start() {
        Ok(engine) => engine,
        Err(why) => {
            let required = std::env::var("TAGWRIGHT_ENGINE").is_ok_and(|value| value == "required");
            assert!(!required, "no engine: {why}");
            println!("NOT RUN, no engine: {why}");
            return;
        }
    };
    let [built, left_out, shared] = [const { AtomicUsize::new(0) }; 3];
    fixture::each(|fixture| {
        // A fixture with its own `docker` wants to know of special answers.
        if !fixture.settings.execute || fixture.settings.stubs.contains_key("docker") {
            left_out.fetch_add(1, Ordering::Relaxed);
            return Vec::new();
        }
        let images = |tree| pushed_by_docker(fixture, tree, scenario(OTHER_BRANCH));
        let (before, after) = match (images("before"), images("after")) {
            (Ok(before), Ok(after)) => (before, after),
            (Err(error), _) | (_, Err(error)) => return vec![error],
        };
        let tree = |name, images: &BTreeSet<Image>| Tree {
            engine: &engine,
            fixture,
            name,
            own: images.iter().map(|it| it.repository.clone()).collect(),
        };
        if after.is_empty() {
            left_out.fetch_add(1, Ordering::Relaxed);
            return Vec::new();
        }
        built.fetch_add(1, Ordering::Relaxed);
        // Tags that were no finding, versions for example, stay as they are.
        let stays =
            |image: &&Image| image.tag != "latest" || fixture.settings.latest_stays.is_some();
        let unmoved = before.iter().filter(stays).cloned().collect();
        let found = tree("after", &after)
            .builds(&unmoved)
            .unwrap_or_else(|error| vec![error]);
        // The trees before are the proof that these demands can fail at all.
        if fixture.settings.finds.contains("latest-deployed")
            && found.is_empty()
            && (fixture.settings.immutable || shared.load(Ordering::Relaxed) < 5)
        {
            let before = tree("before", &before).builds(&BTreeSet::new());
            let fails = before.is_ok_and(|found| !found.is_empty());
            shared.fetch_add(usize::from(fails), Ordering::Relaxed);
        }
        found
    });
    let shared = shared.into_inner();
    println!(
        "{} fixtures built, pushed and pulled for three builds each, {} without docker pushes left out; before the fix, one branch reached another's image in {shared}",
        built.into_inner(),
        left_out.into_inner(),
    );
    let some = std::env::var_os("TAGWRIGHT_FIXTURE").is_some();
    assert!(
        some || shared > 0,
        "no unfixed tree fails: the demands are none"
    );
}

//! Reads fixtures, copies their trees, and compares trees. `fixtures/README.md` says what they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;
use walkdir::WalkDir;

/// One folder of `fixtures/`.
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) settings: Settings,
}

/// `fixture.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) about: String,
    #[serde(default)]
    pub(crate) args: Vec<String>,
    pub(crate) finds: BTreeSet<String>,
    #[serde(default)]
    pub(crate) leaves: BTreeSet<String>,
    pub(crate) latest_stays: Option<LatestStays>,
    /// `latest` goes with the calls that make and push it; the other tags stay what they are.
    #[serde(default)]
    pub(crate) drops_latest: bool,
    #[serde(default = "yes")]
    pub(crate) execute: bool,
    #[serde(default)]
    pub(crate) immutable: bool,
    pub(crate) scenarios: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, String>,
    /// By repository and scenario, the repository that it is after the fix.
    #[serde(default)]
    pub(crate) repositories: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) stubs: BTreeMap<String, String>,
}

/// Where `latest` of an own image is still right, or at least not ours to change.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LatestStays {
    Pushed,
    Deployed,
}

fn yes() -> bool {
    true
}

/// All fixtures, by name. `TAGWRIGHT_FIXTURE` in the environment keeps those whose name contains it;
/// `TAGWRIGHT_FIXTURES` names another folder to read them from.
pub(crate) fn all() -> Vec<Fixture> {
    let root = match std::env::var_os("TAGWRIGHT_FIXTURES") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures"),
    };
    let only = std::env::var("TAGWRIGHT_FIXTURE").unwrap_or_default();
    let mut fixtures: Vec<Fixture> = std::fs::read_dir(&root)
        .expect("fixtures/ is part of the repository")
        .map(|entry| entry.expect("fixtures/ can be listed").path())
        .filter(|folder| folder.is_dir())
        .map(|folder| {
            let name = folder
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            let settings = std::fs::read_to_string(folder.join("fixture.toml"))
                .unwrap_or_else(|error| panic!("{name}/fixture.toml: {error}"));
            let settings: Settings = toml::from_str(&settings)
                .unwrap_or_else(|error| panic!("{name}/fixture.toml: {error}"));
            assert!(
                settings.about.ends_with('.'),
                "{name}: `about` is a sentence"
            );
            Fixture {
                name,
                folder,
                settings,
            }
        })
        .filter(|fixture| fixture.name.contains(&only))
        .collect();
    fixtures.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!fixtures.is_empty(), "no fixture is called {only}");
    fixtures
}

/// Runs `check` on every fixture, several at a time, and fails with all problems of all of them.
pub(crate) fn each(check: impl Fn(&Fixture) -> Vec<String> + Sync) {
    let fixtures = all();
    let next = AtomicUsize::new(0);
    let report = Mutex::new(BTreeMap::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(fixture) = fixtures.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let problems = check(fixture);
                    if !problems.is_empty() {
                        report
                            .lock()
                            .expect("no thread panics while it holds the lock")
                            .insert(fixture.name.clone(), problems);
                    }
                }
            });
        }
    });
    let report = report
        .into_inner()
        .expect("no thread panics while it holds the lock");
    if report.is_empty() {
        return;
    }
    let mut text = format!("{} of {} fixtures fail\n", report.len(), fixtures.len());
    for (name, problems) in &report {
        let _ = writeln!(text, "\n== {name}");
        for problem in problems {
            let _ = writeln!(text, "{}", problem.trim_end());
        }
    }
    panic!("{text}");
}

/// The files below `root`, by their path relative to it with `/` between its parts. `.git` is left out.
pub(crate) fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    WalkDir::new(root)
        .into_iter()
        .filter_entry(|entry| entry.file_name() != ".git")
        .map(|entry| entry.expect("a fixture's tree can be read"))
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path();
            let name = path
                .strip_prefix(root)
                .unwrap_or(path)
                .to_string_lossy()
                .replace('\\', "/");
            (
                name,
                std::fs::read(path).expect("a fixture's file can be read"),
            )
        })
        .collect()
}

/// Copies the tree `from` into the existing folder `to`, and makes that the root of a repository.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join(".git")).expect("a temporary folder is writable");
    for (name, bytes) in files(from) {
        let path = to.join(&name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).expect("a temporary folder is writable");
        }
        let source = from.join(&name);
        if is_executable(&source) {
            // Another process writes what is started by its path; see `build::write_stubs`.
            let copied = Command::new("cp").arg("-p").args([&source, &path]).status();
            assert!(
                copied.is_ok_and(|status| status.success()),
                "cp copies scripts"
            );
        } else {
            std::fs::write(path, bytes).expect("a temporary folder is writable");
        }
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(path).expect("a fixture's file can be read");
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &Path) -> bool {
    false
}

/// Makes the files of the tree `folder` those of `wanted`; what is right already is not touched.
pub(crate) fn update(folder: &Path, wanted: &BTreeMap<String, Vec<u8>>) {
    let there = files(folder);
    for name in there.keys().filter(|name| !wanted.contains_key(*name)) {
        std::fs::remove_file(folder.join(name)).expect("a fixture is writable");
    }
    for (name, bytes) in wanted {
        if there.get(name) == Some(bytes) {
            continue;
        }
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).expect("a fixture is writable");
        }
        std::fs::write(path, bytes).expect("a fixture is writable");
    }
}

/// What is different between two trees, for people; empty if nothing is.
pub(crate) fn differences(
    actual: &BTreeMap<String, Vec<u8>>,
    expected: &BTreeMap<String, Vec<u8>>,
) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, bytes) in expected {
        match actual.get(name) {
            None => problems.push(format!("{name} is gone")),
            Some(found) if found != bytes => problems.push(difference(name, found, bytes)),
            Some(_) => {}
        }
    }
    for name in actual.keys().filter(|name| !expected.contains_key(*name)) {
        problems.push(format!("{name} was left behind"));
    }
    problems
}

/// The lines between the common beginning and the common end of two texts, escaped where they would
/// look alike.
fn difference(name: &str, actual: &[u8], expected: &[u8]) -> String {
    let lines = |bytes: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(bytes)
            .split_inclusive('\n')
            .map(|line| match line.strip_suffix('\n') {
                Some(line) => line.replace('\r', "\\r"),
                None => format!("{line}\\ no newline"),
            })
            .collect()
    };
    let (actual, expected) = (lines(actual), lines(expected));
    let start = actual
        .iter()
        .zip(&expected)
        .take_while(|(a, b)| a == b)
        .count();
    let end = actual[start..]
        .iter()
        .rev()
        .zip(expected[start..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let mut text = format!("{name}, from line {}: expected (-), got (+)\n", start + 1);
    for line in &expected[start..expected.len() - end] {
        let _ = writeln!(text, "  - {line}");
    }
    for line in &actual[start..actual.len() - end] {
        let _ = writeln!(text, "  + {line}");
    }
    text
}

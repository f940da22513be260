//! Which files a run reads, and which workspace each of them belongs to.
//!
//! Candidates are chosen by name only; what a file really is, its text decides later. Hidden folders are
//! read (buildspecs do live in `.codebuild/`), the stores of other tools are not. A Copilot workspace is
//! read whole, because Copilot itself does not ask `.gitignore`.
//!
//! A workspace is what belongs together: a repository (the nearest folder above with `.git` or
//! `tagwright.toml`), or the part of it that is named on the command line. For a file the rest of its
//! repository can be read as context; for a folder nothing outside it is.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use ignore::{WalkBuilder, WalkState};
use tagwright_flow::kind::is_cdk_name;

use crate::config;
use crate::git::{self, GitError};
use crate::wording::{display, plain};

/// Folders that hold other people's files or build products.
const SKIPPED: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".terraform",
    ".terragrunt-cache",
    ".tox",
    ".venv",
    "__pycache__",
    "cdk.out",
    "node_modules",
    "target",
    "vendor",
];

/// Folders whose contents belong to tests and to nothing else in the workspace.
const TEST_DATA: &[&str] = &["__fixtures__", "fixtures", "test-data", "testdata"];

/// What a walk reads to know which files it passes over.
const IGNORE_FILES: [&str; 2] = [".gitignore", ".ignore"];

/// How many levels of a folder that is no workspace are read for context: what lies beside the file. More
/// would make a save in a home folder wait for the whole of it.
const UNMARKED_DEPTH: usize = 1;

/// How far a run reaches: what may hide files from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// `.gitignore` and `.ignore` hide what Git does not track; stores of other tools are left out.
    #[default]
    Usual,
    /// No ignore file hides anything.
    Ignored,
    /// Nothing in the repository hides anything that Git tracks, and no configuration in it divides it: for text that
    /// is not trusted.
    Isolated,
}

impl Reach {
    /// Whether ignore files hide files.
    fn asks_ignore_files(self) -> bool {
        self == Reach::Usual
    }
}

/// A file that will be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The path to open, as given or below a given folder.
    pub path: PathBuf,
    /// The same file, absolute, its folder without symbolic links.
    pub absolute: PathBuf,
    /// Whether the path was named on the command line.
    pub explicit: bool,
    /// Whether a walk found it as a symbolic link, through which nothing is written.
    pub link: bool,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The path, for people.
    pub path: String,
    /// Why, for people.
    pub message: String,
}

/// The files of one workspace that a run is asked to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    /// The workspace's folder, absolute.
    pub root: PathBuf,
    /// The files in the [`order`] of their absolute paths, each once.
    pub files: Vec<Candidate>,
    /// Whether these are all files that count: a folder was named. Otherwise the rest of the workspace is
    /// context.
    pub complete: bool,
}

/// What a run reads.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The workspaces, sorted by folder.
    pub workspaces: Vec<Targets>,
    /// What could not be read on the way.
    pub problems: Vec<Problem>,
}

/// The order of the files of a workspace: by the bytes of their paths. The order of [`Path`] itself takes paths
/// apart for each comparison.
#[must_use]
pub fn order(a: &Path, b: &Path) -> Ordering {
    a.as_os_str().cmp(b.as_os_str())
}

/// Finds the files of `paths`, which are files or folders. Never fails: what cannot be read is among the problems.
#[must_use]
pub fn plan(paths: &[PathBuf], reach: Reach) -> Plan {
    plan_with_list(paths, &[], reach)
}

/// The same with a `list` from elsewhere, in which a file counts only if its name says that tagwright reads it.
#[must_use]
pub fn plan_with_list(paths: &[PathBuf], list: &[PathBuf], reach: Reach) -> Plan {
    let mut found = Found::new(reach);
    let given = paths.iter().map(|path| (path, true));
    for (path, explicit) in given.chain(list.iter().map(|path| (path, false))) {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => found.folder(path),
            Ok(_) if explicit || is_candidate(&file_name(path)) => found.file(path, explicit),
            Ok(_) => {}
            Err(error) => found.problem(path, &error),
        }
    }
    found.into_plan()
}

/// The plan for one file that need not exist: standard input under the name `path`.
#[must_use]
pub fn plan_for_name(path: &Path, reach: Reach) -> Plan {
    let mut found = Found::new(reach);
    found.file(path, true);
    found.into_plan()
}

/// The plan for files that somebody else has chosen, as pairs of the path to show and the absolute path. Of
/// these, too, only those count whose name says that tagwright reads them, outside the stores of other tools unless
/// the run is isolated. They need not exist.
#[must_use]
pub fn plan_for_chosen(files: impl IntoIterator<Item = (PathBuf, PathBuf)>, reach: Reach) -> Plan {
    let mut found = Found::new(reach);
    for (path, absolute) in files {
        if !is_candidate(&file_name(&absolute)) {
            continue;
        }
        let Some(folder) = absolute.parent() else {
            continue;
        };
        let root = root_above(folder, reach);
        let below = root.and_then(|root| folder.strip_prefix(root).ok());
        if reach != Reach::Isolated && below.is_some_and(in_store) {
            continue;
        }
        let root = root.filter(|root| !is_test_data(root, folder));
        found.roots.push(root.unwrap_or(folder).to_owned());
        found.files.push(Candidate {
            path,
            absolute,
            explicit: false,
            link: false,
        });
    }
    found.into_plan()
}

/// All files of the workspace at `root`, for context. Nested workspaces are not part of it. A folder that
/// nothing marks as a workspace may be anything, a home folder too; only what lies right in it is read, and a Copilot workspace.
#[must_use]
pub fn context(root: &Path, reach: Reach) -> Plan {
    let mut found = Found {
        max_depth: root_above(root, reach).is_none().then_some(UNMARKED_DEPTH),
        ..Found::new(reach)
    };
    found.folder(root);
    let mut plan = found.into_plan();
    plan.workspaces.retain(|targets| targets.root == root);
    for targets in &mut plan.workspaces {
        targets
            .files
            .retain(|file| !is_test_data(root, &file.absolute));
    }
    plan
}

/// All files below the folder `root` (absolute) but test data and those in the stores of other tools and in other
/// repositories, links left alone. What Git tracks is among them whether an ignore file names it or not. A folder that
/// nothing marks as a workspace is read as [`context`] does, unless it is `whole`.
#[must_use]
pub fn all_files(root: &Path, reach: Reach, whole: bool) -> Vec<PathBuf> {
    let depth = (!whole && root_above(root, reach).is_none()).then_some(UNMARKED_DEPTH);
    let mut files = Vec::new();
    let mut folders = vec![(root.to_owned(), reach)];
    while let Some((folder, reach)) = folders.pop() {
        let (found, unruly) = files_below(&folder, reach, depth);
        files.extend(found);
        folders.extend(unruly.into_iter().map(|folder| (folder, Reach::Ignored)));
    }
    if reach == Reach::Usual && depth.is_none() && in_repository(root) {
        // Without Git the ignore files are all that is known.
        let tracked = git::tracked_below(root).unwrap_or_default();
        files.extend(
            tracked
                .into_iter()
                .filter(|part| !in_store(part))
                .map(|part| root.join(part)),
        );
    }
    files.retain(|path| !is_test_data(root, path));
    files.sort_unstable_by(|a, b| order(a, b));
    files.dedup();
    files
}

/// The files below `folder`, and the folders whose ignore files are no files, which are not gone into.
fn files_below(folder: &Path, reach: Reach, depth: Option<usize>) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let (aside, unruly) = mpsc::channel();
    let aside = std::sync::Mutex::new(aside);
    let mut builder = builder(folder, reach, depth);
    builder.filter_entry(move |entry| {
        let name = entry.file_name().to_string_lossy();
        let below = entry.depth() > 0 && entry.file_type().is_some_and(|kind| kind.is_dir());
        if below && (is_skipped(&name) || entry.path().join(".git").exists()) {
            return false;
        }
        if below && reach.asks_ignore_files() && is_unruly(entry.path()) {
            // A closed channel cannot be: the receiver is read after the walk.
            let _ = aside.lock().map(|to| to.send(entry.path().to_owned()));
            return false;
        }
        name != ".git"
    });
    let (sender, found) = mpsc::channel();
    builder.build_parallel().run(|| {
        let sender = sender.clone();
        Box::new(move |entry| {
            if let Ok(entry) = entry
                && entry.file_type().is_some_and(|kind| kind.is_file())
            {
                let _ = sender.send(entry.into_path());
            }
            WalkState::Continue
        })
    });
    drop(builder);
    drop(sender);
    (found.into_iter().collect(), unruly.into_iter().collect())
}

/// The name in lower case; most are already.
fn lowercase(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Whether a file of this name may be one that tagwright reads.
#[must_use]
pub fn is_candidate(name: &str) -> bool {
    let name = lowercase(name);
    let has = |part: &str| name.contains(part);
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "yml" | "yaml" | "tf" => true,
        "json" => [
            "taskdef",
            "task-def",
            "task_def",
            "imagedef",
            "imagedetail",
            "dockerrun",
            "buildspec",
            "cloudformation",
            "cfn",
            "pipeline",
            "template",
        ]
        .into_iter()
        .any(has),
        "tpl" | "tftpl" | "tmpl" | "j2" => has(".yml") || has(".yaml") || has("buildspec"),
        _ => is_cdk_name(&name),
    }
}

/// Whether a file of this name is certainly meant for CodeBuild, so that not being able to read it matters.
#[must_use]
pub fn is_certain(name: &str) -> bool {
    lowercase(name).contains("buildspec") && is_candidate(name)
}

/// What the walk has found so far.
#[derive(Default)]
struct Found {
    files: Vec<Candidate>,
    /// Folders below the given ones that start a workspace of their own.
    roots: Vec<PathBuf>,
    /// Workspaces that need no context.
    complete: Vec<PathBuf>,
    problems: Vec<Problem>,
    /// How many folders deep to walk.
    max_depth: Option<usize>,
    /// Symbolic links to files of the same repository, with those files.
    links: Vec<(PathBuf, Candidate)>,
    reach: Reach,
}

impl Found {
    fn new(reach: Reach) -> Self {
        Self {
            reach,
            ..Self::default()
        }
    }

    fn problem(&mut self, path: &Path, error: &io::Error) {
        self.problems.push(Problem {
            path: display(path),
            message: plain(error),
        });
    }

    fn file(&mut self, path: &Path, explicit: bool) {
        let absolute = absolute_file(path);
        if let Some(folder) = absolute.parent() {
            let root = root_above(folder, self.reach).filter(|root| !is_test_data(root, folder));
            self.roots.push(root.unwrap_or(folder).to_owned());
        }
        self.files.push(Candidate {
            path: path.to_owned(),
            absolute,
            explicit,
            link: !explicit && path.is_symlink(),
        });
    }

    fn folder(&mut self, path: &Path) {
        let absolute = match fs::canonicalize(path) {
            Ok(absolute) => absolute,
            Err(error) => return self.problem(path, &error),
        };
        let root = root_above(&absolute, self.reach)
            .unwrap_or(&absolute)
            .to_owned();
        // Whoever names a folder says what belongs together; only a file is judged with its neighbours.
        self.complete.push(root.clone());
        let mut copilot = Vec::new();
        let mut repositories = Vec::new();
        let below = |part: &Path| absolute.join(part.strip_prefix(path).unwrap_or(part));
        // Git answers while the folders are read.
        let passing = Passing {
            reach: self.reach,
            max_depth: self.max_depth,
            // What Git does not tell apart is all read.
            stores: self.reach != Reach::Isolated || in_repository(&absolute),
        };
        let (events, tracked) = std::thread::scope(|scope| {
            let tracked = scope.spawn(|| self.tracked(path, &absolute));
            let events = walk(path, &absolute, passing);
            (events, tracked.join())
        });
        let mut tracked = vec![tracked.unwrap_or_else(|_| Ok(Vec::new()))];
        let mut events = VecDeque::from(events);
        while let Some(event) = events.pop_front() {
            match event {
                Event::Root(folder) => {
                    let real = below(&folder);
                    self.complete.push(real.clone());
                    self.roots.push(real.clone());
                    repositories.push((folder, real));
                }
                Event::Unruly(folder) => {
                    let real = below(&folder);
                    if root_above(&real, self.reach) == Some(&real) {
                        events.push_back(Event::Root(folder.clone()));
                    }
                    let passing = Passing {
                        reach: Reach::Ignored,
                        ..passing
                    };
                    events.extend(walk(&folder, &real, passing));
                }
                Event::Copilot(folder) => copilot.push(folder),
                Event::File(file) => self.files.push(file),
                Event::Link(file) => self.link(&absolute, &below(&file), file),
                Event::Problem(problem) => self.problems.push(problem),
            }
        }
        self.roots.push(root);
        self.copilot_workspaces(path, &absolute, copilot);
        tracked.extend(
            repositories
                .iter()
                .map(|(folder, real)| self.tracked(folder, real)),
        );
        for tracked in tracked {
            match tracked {
                Ok(tracked) => self.add(tracked),
                Err(error) if self.reach == Reach::Isolated => self.problems.push(Problem {
                    path: display(path),
                    message: error.to_string(),
                }),
                // Without Git the ignore files are all that is known.
                Err(_) => {}
            }
        }
        self.add_links();
    }

    /// Reads the Copilot workspaces that were `met` below the folder `path`, and those that `.gitignore` hides, which are
    /// not met on the way.
    fn copilot_workspaces(&mut self, path: &Path, absolute: &Path, met: Vec<PathBuf>) {
        let mut folders = met;
        let starts = self.roots.iter().map(PathBuf::as_path);
        for start in starts.chain([absolute]) {
            if let Ok(part) = start.strip_prefix(absolute) {
                let folder = join(path, part).join("copilot");
                if is_copilot_workspace(&folder) {
                    folders.push(folder);
                }
            }
        }
        folders.sort();
        folders.dedup();
        for folder in folders {
            self.copilot(path, absolute, &folder);
        }
    }

    /// The candidates below the folder `path`, which is `absolute`, that its repository tracks: whether an ignore file
    /// names them or not, they are part of what is built.
    fn tracked(&self, path: &Path, absolute: &Path) -> Result<Vec<Candidate>, GitError> {
        let asked = self.reach != Reach::Ignored && self.max_depth.is_none();
        if !asked || !in_repository(absolute) {
            return Ok(Vec::new());
        }
        let wanted = |part: &PathBuf| {
            let name = file_name(part);
            is_candidate(&name)
                && !name.starts_with("._")
                && (self.reach == Reach::Isolated || !in_store(part))
        };
        let parts = git::tracked_below(absolute)?.into_iter().filter(wanted);
        let candidate = |part: PathBuf| Candidate {
            path: join(path, &part),
            absolute: absolute.join(&part),
            explicit: false,
            link: false,
        };
        Ok(parts.map(candidate).collect())
    }

    /// Adds those of the `tracked` files that the walk has not met.
    fn add(&mut self, tracked: Vec<Candidate>) {
        let met: HashSet<&Path> = self.files.iter().map(|file| &*file.absolute).collect();
        let missing: Vec<Candidate> = tracked
            .into_iter()
            .filter(|file| !met.contains(&*file.absolute))
            // A link on the way, or in the place of the file, leads somewhere else.
            .filter(|file| {
                fs::canonicalize(&file.absolute).is_ok_and(|real| real == file.absolute)
                    && file.absolute.is_file()
            })
            .collect();
        self.files.extend(missing);
    }

    /// Adds the links to files that nobody has met.
    fn add_links(&mut self) {
        let links = std::mem::take(&mut self.links);
        let met: HashSet<&Path> = self.files.iter().map(|file| &*file.absolute).collect();
        let missing: Vec<Candidate> = links
            .into_iter()
            .filter(|(real, _)| !met.contains(&**real))
            .map(|(_, link)| link)
            .collect();
        self.files.extend(missing);
    }

    /// A symbolic link below the folder `absolute`. One that leads out of its repository is not followed, and one to a
    /// file that is met anyway is not read twice.
    fn link(&mut self, folder: &Path, absolute: &Path, path: PathBuf) {
        let certain = is_certain(&file_name(&path));
        let above = absolute.parent().and_then(|it| root_above(it, self.reach));
        let repository = above.unwrap_or(folder);
        match fs::canonicalize(&path) {
            Ok(real) if !real.is_file() => {}
            Ok(real) if real.starts_with(repository) => {
                let link = Candidate {
                    absolute: absolute.to_owned(),
                    path,
                    explicit: false,
                    link: true,
                };
                self.links.push((real, link));
            }
            Ok(_) if certain => self.problems.push(Problem {
                path: display(&path),
                message: "this symbolic link leads out of the repository and is not followed"
                    .to_owned(),
            }),
            Ok(_) => {}
            Err(error) if certain => self.problem(&path, &error),
            Err(_) => {}
        }
    }

    fn copilot(&mut self, given: &Path, absolute: &Path, folder: &Path) {
        let entries = walkdir::WalkDir::new(folder)
            .into_iter()
            .filter_entry(|entry| {
                !(entry.file_type().is_dir() && is_skipped(&entry.file_name().to_string_lossy()))
            });
        for entry in entries {
            match entry {
                Ok(entry) => {
                    if entry.file_type().is_file()
                        && is_candidate(&entry.file_name().to_string_lossy())
                    {
                        let path = entry.into_path();
                        let part = path.strip_prefix(given).unwrap_or(&path);
                        self.files.push(Candidate {
                            absolute: absolute.join(part),
                            path,
                            explicit: false,
                            link: false,
                        });
                    }
                }
                Err(error) => {
                    let path = error.path().unwrap_or(folder).to_owned();
                    self.problems.push(Problem {
                        path: display(&path),
                        message: error
                            .io_error()
                            .map_or_else(|| "cannot be read".to_owned(), plain),
                    });
                }
            }
        }
    }

    fn into_plan(mut self) -> Plan {
        self.roots.sort_unstable_by(|a, b| order(a, b));
        self.roots.dedup();
        // Stable: of several ways to one file the first counts.
        self.files.sort_by(|a, b| order(&a.absolute, &b.absolute));
        self.files.dedup_by(|later, first| {
            let same = later.absolute.as_os_str() == first.absolute.as_os_str();
            first.explicit |= same && later.explicit;
            same
        });
        let mut workspaces: BTreeMap<PathBuf, Vec<Candidate>> = BTreeMap::new();
        for candidate in self.files {
            let absolute = candidate.absolute.as_path();
            let is_root = |folder: &&Path| {
                let found = self.roots.binary_search_by(|root| order(root, folder));
                found.is_ok()
            };
            let root = absolute
                .ancestors()
                .skip(1)
                .find(is_root)
                .or_else(|| absolute.parent())
                .unwrap_or(absolute);
            match workspaces.get_mut(root) {
                Some(files) => files.push(candidate),
                None => {
                    workspaces.insert(root.to_owned(), vec![candidate]);
                }
            }
        }
        self.problems.sort();
        self.problems.dedup();
        Plan {
            workspaces: workspaces
                .into_iter()
                .map(|(root, files)| Targets {
                    complete: self.complete.contains(&root),
                    root,
                    files,
                })
                .collect(),
            problems: self.problems,
        }
    }
}

enum Event {
    Root(PathBuf),
    Copilot(PathBuf),
    File(Candidate),
    Link(PathBuf),
    /// A folder whose ignore files are no files.
    Unruly(PathBuf),
    Problem(Problem),
}

/// Whether an ignore file right in `folder` is a link, a pipe or a device: none of these is read, as Git does not read
/// them, and opening a pipe may wait for ever.
fn is_unruly(folder: &Path) -> bool {
    IGNORE_FILES
        .iter()
        .any(|name| fs::symlink_metadata(folder.join(name)).is_ok_and(|found| !found.is_file()))
}

/// Whether the ignore files that a walk of `folder` (absolute, without links) would read, its own and those above, are
/// unruly. Above the repository a link is somebody's own (`~/.gitignore` kept elsewhere), and only what it leads to counts.
fn is_below_unruly(folder: &Path) -> bool {
    let mut outside = false;
    folder.ancestors().any(|folder| {
        let unruly = if outside {
            IGNORE_FILES
                .iter()
                .any(|name| fs::metadata(folder.join(name)).is_ok_and(|found| !found.is_file()))
        } else {
            is_unruly(folder)
        };
        outside |= folder.join(".git").exists();
        unruly
    })
}

fn builder(path: &Path, reach: Reach, max_depth: Option<usize>) -> WalkBuilder {
    let asks = reach.asks_ignore_files()
        && fs::canonicalize(path).is_ok_and(|real| !is_below_unruly(&real));
    let mut builder = WalkBuilder::new(path);
    builder
        .hidden(false)
        .max_depth(max_depth)
        .parents(asks)
        .ignore(asks)
        .git_ignore(asks)
        .git_global(asks)
        .git_exclude(asks)
        .require_git(false)
        .threads(
            std::thread::available_parallelism()
                .map_or(1, usize::from)
                .min(8),
        );
    builder
}

/// What a walk passes over.
#[derive(Clone, Copy)]
struct Passing {
    reach: Reach,
    max_depth: Option<usize>,
    /// Whether the stores of other tools are passed over.
    stores: bool,
}

/// Walks the folder `path`, which is `absolute`.
fn walk(path: &Path, absolute: &Path, passing: Passing) -> Vec<Event> {
    let Passing {
        reach,
        max_depth,
        stores,
    } = passing;
    let (sender, events) = mpsc::channel();
    let mut builder = builder(path, reach, max_depth);
    let aside = std::sync::Mutex::new(sender.clone());
    // A closed channel cannot be: the receiver is read after the walk.
    let tell = move |event| {
        let _ = aside.lock().map(|sender| sender.send(event));
    };
    builder.filter_entry(move |entry| {
        let name = entry.file_name().to_string_lossy();
        let is_root = name == ".git" || (reach != Reach::Isolated && config::is_file_name(&name));
        if is_root
            && entry.depth() > 1
            && let Some(folder) = entry.path().parent()
        {
            tell(Event::Root(folder.to_owned()));
        }
        let is = |what: fn(&fs::FileType) -> bool| entry.file_type().as_ref().is_some_and(what);
        let below = entry.depth() > 0;
        // macOS keeps attributes of `name` in `._name` where the file system has none.
        let shadow = below && name.starts_with("._") && is(fs::FileType::is_file);
        let folder = below && is(fs::FileType::is_dir);
        if name == ".git" || shadow || (folder && stores && is_skipped(&name)) {
            return false;
        }
        if folder && reach.asks_ignore_files() && is_unruly(entry.path()) {
            tell(Event::Unruly(entry.path().to_owned()));
            return false;
        }
        true
    });
    let event = |entry| match entry {
        Ok(entry) => classify(entry, path, absolute),
        Err(error) => (
            Some(Event::Problem(walk_problem(&error))),
            WalkState::Continue,
        ),
    };
    if max_depth == Some(UNMARKED_DEPTH) {
        // One folder without those below it is read sooner than threads are started. Nothing is ever skipped
        // on this way: what a folder holds is not looked at.
        for entry in builder.build() {
            if let Some(event) = event(entry).0 {
                let _ = sender.send(event);
            }
        }
    } else {
        builder.build_parallel().run(|| {
            let sender = sender.clone();
            Box::new(move |entry| {
                let (event, state) = event(entry);
                if let Some(event) = event {
                    let _ = sender.send(event);
                }
                state
            })
        });
    }
    drop(builder);
    drop(sender);
    events.into_iter().collect()
}

fn classify(entry: ignore::DirEntry, path: &Path, absolute: &Path) -> (Option<Event>, WalkState) {
    let Some(kind) = entry.file_type() else {
        return (None, WalkState::Continue);
    };
    if kind.is_dir() {
        if entry.file_name() == "copilot" && is_copilot_workspace(entry.path()) {
            return (Some(Event::Copilot(entry.into_path())), WalkState::Skip);
        }
        return (None, WalkState::Continue);
    }
    if !is_candidate(&entry.file_name().to_string_lossy()) {
        return (None, WalkState::Continue);
    }
    let event = if kind.is_symlink() {
        Some(Event::Link(entry.into_path()))
    } else if kind.is_file() {
        let found = entry.into_path();
        Some(Event::File(Candidate {
            absolute: absolute.join(found.strip_prefix(path).unwrap_or(&found)),
            path: found,
            explicit: false,
            link: false,
        }))
    } else {
        None
    };
    (event, WalkState::Continue)
}

/// Whether `folder` is what Copilot calls its workspace: it has the summary file, or manifests below.
fn is_copilot_workspace(folder: &Path) -> bool {
    folder.join(".workspace").is_file()
        || fs::read_dir(folder).is_ok_and(|entries| {
            entries
                .flatten()
                .any(|entry| entry.path().join("manifest.yml").is_file())
        })
}

fn is_skipped(name: &str) -> bool {
    SKIPPED.contains(&name)
}

/// Whether the path leads through a store of another tool.
fn in_store(path: &Path) -> bool {
    path.components()
        .any(|part| is_skipped(&part.as_os_str().to_string_lossy()))
}

/// Whether `folder` (absolute) is in a Git repository, as far as the folders above it tell.
fn in_repository(folder: &Path) -> bool {
    folder
        .ancestors()
        .any(|folder| folder.join(".git").exists())
}

/// The nearest folder at or above `folder` (absolute) that starts a workspace.
fn root_above(folder: &Path, reach: Reach) -> Option<&Path> {
    folder.ancestors().find(|folder| {
        folder.join(".git").exists()
            || (reach != Reach::Isolated && config::in_folder(folder).is_some())
    })
}

/// Whether the way from `root` down to `path` leads through a folder of test data.
fn is_test_data(root: &Path, path: &Path) -> bool {
    path.strip_prefix(root).is_ok_and(|part| {
        part.components()
            .any(|component| TEST_DATA.contains(&&*component.as_os_str().to_string_lossy()))
    })
}

/// The absolute path of a file that need not exist, its folder without symbolic links.
#[must_use]
pub fn absolute_file(path: &Path) -> PathBuf {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}

fn join(path: &Path, part: &Path) -> PathBuf {
    if part.as_os_str().is_empty() {
        path.to_owned()
    } else {
        path.join(part)
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn walk_problem(error: &ignore::Error) -> Problem {
    let mut path = None;
    let mut inner = error;
    loop {
        match inner {
            ignore::Error::WithPath { path: at, err } => {
                path = Some(at.as_path());
                inner = err;
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
                inner = err;
            }
            _ => break,
        }
    }
    Problem {
        path: display(path.unwrap_or(Path::new("."))),
        message: inner.io_error().map_or_else(|| inner.to_string(), plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, files: &[&str]) {
        for file in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
    }

    /// The workspaces of a plan with paths relative to `root`.
    fn shape(plan: &Plan, root: &Path) -> Vec<(String, bool, Vec<String>)> {
        let root = fs::canonicalize(root).unwrap();
        let below = |path: &Path| display(path.strip_prefix(&root).unwrap());
        plan.workspaces
            .iter()
            .map(|targets| {
                (
                    below(&targets.root),
                    targets.complete,
                    targets
                        .files
                        .iter()
                        .map(|file| below(&file.absolute))
                        .collect(),
                )
            })
            .collect()
    }

    fn owned(files: &[&str]) -> Vec<String> {
        files.iter().map(|file| (*file).to_owned()).collect()
    }

    #[test]
    fn a_folder_gives_candidates_by_name_and_leaves_out_stores_and_ignored_files() {
        let folder = tempfile::tempdir().unwrap();
        write(
            folder.path(),
            &[
                "buildspec.yml",
                ".codebuild/build.yaml",
                "deploy/taskdef.json",
                "eb/Dockerrun.aws.json",
                "package.json",
                "README.md",
                "infra/buildspec.yml.tpl",
                "infra/main.tf",
                "node_modules/x/buildspec.yml",
                "._buildspec.yml",
                "infra/.terraform/buildspec.yml",
                "out/buildspec.yml",
            ],
        );
        fs::write(folder.path().join(".gitignore"), "out/\n").unwrap();
        let expected = owned(&[
            ".codebuild/build.yaml",
            "buildspec.yml",
            "deploy/taskdef.json",
            "eb/Dockerrun.aws.json",
            "infra/buildspec.yml.tpl",
            "infra/main.tf",
        ]);
        let plan_of = |reach| shape(&plan(&[folder.path().to_owned()], reach), folder.path());
        assert_eq!(
            plan_of(Reach::Usual),
            [(".".to_owned(), true, expected.clone())]
        );
        assert_eq!(plan_of(Reach::Ignored)[0].2.len(), expected.len() + 1);
    }

    #[test]
    fn a_copilot_workspace_is_read_although_git_ignores_it() {
        let folder = tempfile::tempdir().unwrap();
        write(
            folder.path(),
            &[
                "copilot/.workspace",
                "copilot/api/manifest.yml",
                "copilot/api/overrides/cfn.patches.yml",
            ],
        );
        fs::write(folder.path().join(".gitignore"), "copilot/\n").unwrap();
        assert_eq!(
            shape(
                &plan(&[folder.path().to_owned()], Reach::Usual),
                folder.path()
            )[0]
            .2,
            owned(&[
                "copilot/api/manifest.yml",
                "copilot/api/overrides/cfn.patches.yml"
            ])
        );
    }

    #[test]
    fn every_repository_below_a_folder_is_a_workspace_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        write(
            folder.path(),
            &[
                "a/.git/HEAD",
                "a/buildspec.yml",
                "b/tagwright.toml",
                "b/ci/buildspec.yml",
                "c/buildspec.yml",
            ],
        );
        assert_eq!(
            shape(
                &plan(&[folder.path().to_owned()], Reach::Usual),
                folder.path()
            ),
            [
                (".".to_owned(), true, owned(&["c/buildspec.yml"])),
                ("a".to_owned(), true, owned(&["a/buildspec.yml"])),
                ("b".to_owned(), true, owned(&["b/ci/buildspec.yml"])),
            ]
        );
    }

    #[test]
    fn a_file_belongs_to_the_repository_above_it_and_is_read_although_ignored() {
        let folder = tempfile::tempdir().unwrap();
        write(
            folder.path(),
            &[".git/HEAD", "ci/buildspec.yml", "ci/other.yml"],
        );
        fs::write(folder.path().join(".gitignore"), "ci/\n").unwrap();
        let file = folder.path().join("ci/buildspec.yml");
        let plan = plan(&[file.clone(), file], Reach::Usual);
        assert_eq!(
            shape(&plan, folder.path()),
            [(".".to_owned(), false, owned(&["ci/buildspec.yml"]))]
        );
        assert!(plan.workspaces[0].files[0].explicit);
    }

    #[test]
    fn test_data_is_no_context_and_has_none() {
        let folder = tempfile::tempdir().unwrap();
        write(
            folder.path(),
            &[
                ".git/HEAD",
                "buildspec.yml",
                "k8s/app.yaml",
                "fixtures/a/buildspec.yml",
                "fixtures/b/buildspec.yml",
            ],
        );
        let root = fs::canonicalize(folder.path()).unwrap();
        assert_eq!(
            shape(&context(&root, Reach::Usual), &root)[0].2,
            owned(&["buildspec.yml", "k8s/app.yaml"])
        );
        let file = root.join("fixtures/a/buildspec.yml");
        assert_eq!(
            plan(&[file], Reach::Usual).workspaces[0].root,
            root.join("fixtures/a")
        );
        let part = root.join("fixtures/a");
        assert_eq!(
            shape(&plan(&[part], Reach::Usual), &root),
            [(".".to_owned(), true, owned(&["fixtures/a/buildspec.yml"]))]
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_in_circles_and_broken_buildspecs_are_reported() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        write(folder.path(), &["ci/buildspec.yml"]);
        write(outside.path(), &["shared.yml"]);
        symlink(folder.path(), folder.path().join("ci/loop")).unwrap();
        symlink(
            "buildspec-loop.yml",
            folder.path().join("buildspec-loop.yml"),
        )
        .unwrap();
        symlink("nowhere.yml", folder.path().join("unrelated.yml")).unwrap();
        symlink("ci/buildspec.yml", folder.path().join("buildspec.yml")).unwrap();
        symlink(
            outside.path().join("shared.yml"),
            folder.path().join("shared.yml"),
        )
        .unwrap();
        let plan = plan(&[folder.path().to_owned()], Reach::Usual);
        assert_eq!(
            shape(&plan, folder.path())[0].2,
            owned(&["ci/buildspec.yml"])
        );
        assert_eq!(plan.problems.len(), 1);
        assert!(plan.problems[0].path.ends_with("buildspec-loop.yml"));
    }

    #[test]
    fn a_path_that_does_not_exist_is_a_problem_and_the_rest_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &["buildspec.yml"]);
        let plan = plan(
            &[
                folder.path().join("nowhere"),
                folder.path().join("buildspec.yml"),
            ],
            Reach::Usual,
        );
        assert_eq!(plan.problems[0].message, "No such file or directory");
        assert_eq!(plan.workspaces.len(), 1);
    }
}

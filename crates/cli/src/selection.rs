//! What a run is asked to look at: paths, a list of paths, standard input, what is staged in Git, or what has
//! changed since a branch.
//!
//! A selection is a plan of files, plus what Git knows and the disk does not: the staged text of a file, and
//! which lines are new. Session and fixer only ask it; nothing else here knows Git.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::gitignore::Gitignore;
use tagwright_diagnostics::{Applicability, Finding, Refusal, RefusalCode};
use tagwright_fixer::{Relint, Sources};
use tagwright_flow::FileId;
use tagwright_project::Workspace;
use tagwright_project::config::{self, Scope};
use tagwright_project::discovery::{self, Candidate, Plan, Reach};
use tagwright_project::git::{GitError, Indexed, Lines, Repository};
use tagwright_project::source::{self, Source};
use tagwright_project::wording;
use tagwright_project::workspace::INTERNAL_ERROR;

use crate::args::TargetArgs;
use crate::ending::Stop;

/// Findings of these rules say that a file could not be judged at all, so that they count wherever they stand.
const WHOLE_FILE: [&str; 3] = ["invalid-yaml", "unreadable-file", INTERNAL_ERROR];

/// What Git adds to a plan; nothing by default.
#[derive(Default)]
pub(crate) struct Selection {
    /// Texts that are not those on disk, by absolute path.
    overlays: HashMap<PathBuf, Source>,
    /// The files that count as context: all on disk, or those in the index.
    index: Option<Index>,
    /// Findings count on these lines only, by path as planned.
    changes: Option<HashMap<PathBuf, Lines>>,
}

struct Index {
    top: PathBuf,
    tracked: HashSet<PathBuf>,
    reach: Reach,
}

impl From<GitError> for Stop {
    fn from(error: GitError) -> Self {
        if error.is_usage() {
            Stop::Usage(error.to_string())
        } else {
            Stop::Failed(error.to_string())
        }
    }
}

/// The plan for the paths of `args`: given, listed in a file, or chosen by Git. For `write`, files are staged
/// only if the work tree has their staged text.
pub(crate) fn plan(
    args: &TargetArgs,
    write: bool,
    input: &mut dyn Read,
) -> Result<(Plan, Selection), Stop> {
    if args.staged {
        return staged(&args.paths, write, args.input.reach());
    }
    if let Some(base) = &args.changed {
        return changed(base, &args.paths, args.input.reach());
    }
    let reach = args.input.reach();
    let plan = match &args.files_from {
        Some(file) => discovery::plan_with_list(&args.paths, &listed(file, input)?, reach),
        None if args.paths.is_empty() => discovery::plan(&[PathBuf::from(".")], reach),
        None => discovery::plan(&args.paths, reach),
    };
    Ok((plan, Selection::default()))
}

fn staged(paths: &[PathBuf], write: bool, reach: Reach) -> Result<(Plan, Selection), Stop> {
    let repository = Repository::open()?;
    let below = Below::new(&repository, paths)?;
    let mut staged: BTreeMap<PathBuf, Indexed> = BTreeMap::new();
    for file in repository.staged()? {
        if below.holds(&file.path) {
            staged.insert(repository.top().join(&file.path), file);
        }
    }
    let chosen = staged.iter().map(|(absolute, file)| {
        let shown = below.here.join(&file.path);
        (shown, absolute.clone())
    });
    let mut plan = discovery::plan_for_chosen(chosen, reach);
    // As named: the path from here may start with `..`.
    tidy(&mut plan, repository.top());
    let targets: HashSet<&Path> = candidates(&plan)
        .map(|file| file.absolute.as_path())
        .collect();
    if targets.is_empty() {
        return Ok((plan, Selection::default()));
    }
    let unstaged: Vec<Indexed> = repository
        .unstaged()?
        .into_iter()
        .filter(|file| {
            file.path
                .file_name()
                .is_some_and(|name| discovery::is_candidate(&name.to_string_lossy()))
        })
        .collect();
    if write {
        let changed: Vec<String> = unstaged
            .iter()
            .filter(|file| targets.contains(repository.top().join(&file.path).as_path()))
            .map(|file| wording::display(&below.here.join(&file.path)))
            .collect();
        if !changed.is_empty() {
            return Err(Stop::Usage(format!(
                "nothing was changed: the work tree has other text than what is staged of {}; `git add` or `git stash --keep-index` first, or look with `fix --staged --diff`",
                changed.join(", ")
            )));
        }
    }
    let mut needed: Vec<&Indexed> = unstaged.iter().collect();
    if !write {
        needed.extend(
            staged
                .iter()
                .filter(|(absolute, _)| targets.contains(absolute.as_path()))
                .map(|(_, file)| file),
        );
    }
    let overlays = needed
        .iter()
        .map(|file| repository.top().join(&file.path))
        .zip(
            repository
                .contents(&needed)?
                .into_iter()
                .map(source::decode),
        )
        .collect();
    let index = Index {
        tracked: repository.tracked()?,
        top: repository.top().to_owned(),
        reach,
    };
    let selection = Selection {
        overlays,
        index: Some(index),
        changes: None,
    };
    Ok((plan, selection))
}

fn changed(base: &str, paths: &[PathBuf], reach: Reach) -> Result<(Plan, Selection), Stop> {
    let repository = Repository::open()?;
    let below = Below::new(&repository, paths)?;
    let mut changes: HashMap<PathBuf, Lines> = repository
        .changes(base)?
        .into_iter()
        .filter(|(path, _)| below.holds(path))
        .map(|(path, lines)| (repository.top().join(path), lines))
        // A link leads to a file that is judged where it lies.
        .filter(|(path, _)| std::fs::symlink_metadata(path).is_ok_and(|file| file.is_file()))
        .collect();
    let chosen = changes.keys().map(|absolute| {
        let path = absolute.strip_prefix(repository.top()).unwrap_or(absolute);
        (below.here.join(path), absolute.clone())
    });
    let mut plan = discovery::plan_for_chosen(chosen, reach);
    tidy(&mut plan, repository.top());
    let changes = candidates(&plan)
        .filter_map(|file| Some((file.path.clone(), changes.remove(&file.absolute)?)))
        .collect();
    let selection = Selection {
        changes: Some(changes),
        ..Selection::default()
    };
    Ok((plan, selection))
}

fn candidates(plan: &Plan) -> impl Iterator<Item = &Candidate> {
    plan.workspaces
        .iter()
        .flat_map(|workspace| &workspace.files)
}

/// Makes the paths of a plan as short as they can be, seen from the current folder.
fn tidy(plan: &mut Plan, top: &Path) {
    let Ok(here) = std::env::current_dir() else {
        return;
    };
    let here = std::fs::canonicalize(&here).unwrap_or(here);
    for file in plan
        .workspaces
        .iter_mut()
        .flat_map(|workspace| &mut workspace.files)
    {
        if !here.starts_with(top) {
            file.path.clone_from(&file.absolute);
        } else if let Ok(below) = file.absolute.strip_prefix(&here) {
            file.path = below.to_owned();
        }
    }
}

/// The part of a work tree that was asked for.
struct Below {
    /// The way from the current folder to the work tree's.
    here: PathBuf,
    /// Paths relative to the work tree's folder; everything if there is none.
    paths: Vec<PathBuf>,
}

impl Below {
    fn new(repository: &Repository, paths: &[PathBuf]) -> Result<Self, Stop> {
        let here = std::env::current_dir()
            .and_then(std::fs::canonicalize)
            .ok()
            .and_then(|here| {
                let depth = here
                    .strip_prefix(repository.top())
                    .ok()?
                    .components()
                    .count();
                Some((0..depth).map(|_| "..").collect::<PathBuf>())
            })
            .unwrap_or_else(|| repository.top().to_owned());
        let paths = paths
            .iter()
            .map(|path| {
                let absolute = std::fs::canonicalize(path)
                    .or_else(|_| std::path::absolute(path))
                    .unwrap_or_else(|_| path.clone());
                absolute
                    .strip_prefix(repository.top())
                    .map(Path::to_owned)
                    .map_err(|_| {
                        Stop::Usage(format!(
                            "{} is not in the work tree {}",
                            wording::display(path),
                            wording::display(repository.top())
                        ))
                    })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { here, paths })
    }

    fn holds(&self, path: &Path) -> bool {
        self.paths.is_empty() || self.paths.iter().any(|part| path.starts_with(part))
    }
}

/// The paths in `file`, or in standard input for `-`: separated by NUL if there is any, else one a line.
fn listed(file: &Path, input: &mut dyn Read) -> Result<Vec<PathBuf>, Stop> {
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        input.read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(file).map(|read| bytes = read)
    };
    read.map_err(|error| {
        Stop::Failed(format!(
            "cannot read the list of files {}: {}",
            wording::display(file),
            wording::plain(&error)
        ))
    })?;
    let by_nul = bytes.contains(&0);
    bytes
        .split(|byte| *byte == if by_nul { 0 } else { b'\n' })
        .map(|path| match path.strip_suffix(b"\r") {
            Some(path) if !by_nul => path,
            _ => path,
        })
        .filter(|path| !path.is_empty())
        .map(from_bytes)
        .collect()
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)]
fn from_bytes(path: &[u8]) -> Result<PathBuf, Stop> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(PathBuf::from(std::ffi::OsStr::from_bytes(path)))
}

#[cfg(not(unix))]
fn from_bytes(path: &[u8]) -> Result<PathBuf, Stop> {
    std::str::from_utf8(path).map(PathBuf::from).map_err(|_| {
        Stop::Usage(format!(
            "the list of files has a path that is not UTF-8: {}",
            String::from_utf8_lossy(path)
        ))
    })
}

impl Selection {
    /// The text of `file` where it is not what lies on disk.
    pub(crate) fn overlay(&self, file: &Candidate) -> Option<&Source> {
        self.overlays.get(&file.absolute)
    }

    /// Brings `files`, found on disk below `root`, to what counts as context.
    pub(crate) fn context(&self, root: &Path, files: &mut Vec<Candidate>) {
        let Some(index) = &self.index else {
            return;
        };
        files.retain(|file| {
            file.absolute
                .strip_prefix(&index.top)
                .is_ok_and(|path| index.tracked.contains(path))
        });
        let gone = self
            .overlays
            .keys()
            .filter(|path| path.starts_with(root) && std::fs::symlink_metadata(path).is_err());
        let gone = gone.map(|path| (path.clone(), path.clone()));
        let plan = discovery::plan_for_chosen(gone, index.reach);
        let found = plan
            .workspaces
            .into_iter()
            .filter(|workspace| workspace.root == root);
        files.extend(found.flat_map(|workspace| workspace.files));
    }

    /// Which findings of `workspace` count; `None` if all do.
    pub(crate) fn touched(&self, workspace: &Workspace) -> Option<Touched> {
        let changes = self.changes.as_ref()?;
        let files = workspace
            .documents
            .iter()
            .enumerate()
            .filter_map(|(index, document)| {
                let lines = changes.get(document.path.as_ref()?)?.clone();
                let id = FileId(u32::try_from(index).ok()?);
                Some((id, (Arc::clone(&document.text), lines)))
            })
            .collect();
        Some(Touched {
            files,
            places: Mutex::default(),
        })
    }
}

/// Which files of one workspace are left out: the configuration's patterns and those of `--exclude`.
pub(crate) struct Exclusion {
    matchers: Vec<(PathBuf, Gitignore)>,
}

impl Exclusion {
    /// `configured` patterns are relative to `folder` (absolute), `given` ones to the current folder.
    pub(crate) fn new(
        folder: &Path,
        configured: &[String],
        given: &[String],
    ) -> Result<Self, Stop> {
        let mut matchers = Vec::new();
        if !configured.is_empty() {
            let matcher = config::exclusion(folder, configured).map_err(Stop::Usage)?;
            matchers.push((folder.to_owned(), matcher));
        }
        if !given.is_empty() {
            let here = std::env::current_dir()
                .and_then(std::fs::canonicalize)
                .map_err(|error| {
                    Stop::Failed(format!(
                        "cannot tell the current folder: {}",
                        wording::plain(&error)
                    ))
                })?;
            let matcher = config::exclusion(&here, given).map_err(Stop::Usage)?;
            matchers.push((here, matcher));
        }
        Ok(Self { matchers })
    }

    pub(crate) fn covers(&self, file: &Candidate) -> bool {
        self.matchers.iter().any(|(folder, matcher)| {
            file.absolute.starts_with(folder)
                && matcher
                    .matched_path_or_any_parents(&file.absolute, false)
                    .is_ignore()
        })
    }
}

/// The lines on which findings count, also after a fix has moved them.
pub(crate) struct Touched {
    /// The text in which the lines were counted, and the lines.
    files: HashMap<FileId, (Arc<str>, Lines)>,
    /// Where these lines are in the text that was asked about last.
    places: Mutex<HashMap<FileId, (Arc<str>, Places)>>,
}

/// Byte ranges in order, each a line with its break.
type Places = Arc<Vec<Range<usize>>>;

impl Touched {
    /// Whether `finding`, which is about `text`, counts: its own place touches a line that has changed, or a
    /// fix has changed the line since.
    pub(crate) fn counts(&self, finding: &Finding, text: &Arc<str>) -> bool {
        let Some((original, lines)) = self.files.get(&finding.file) else {
            return false;
        };
        let Lines::Some(ranges) = lines else {
            return true;
        };
        if WHOLE_FILE.contains(&finding.rule) {
            return true;
        }
        let places = self.places(finding.file, original, ranges, text);
        let start = finding.span.start as usize;
        // A place without extent is the character that follows it.
        let end = (finding.span.end as usize).max(start + 1);
        let next = places.partition_point(|place| place.end <= start);
        places.get(next).is_some_and(|place| place.start < end)
    }

    fn places(
        &self,
        file: FileId,
        original: &Arc<str>,
        ranges: &[RangeInclusive<u32>],
        text: &Arc<str>,
    ) -> Places {
        // Whoever panicked while holding the lock left a map that is as good as before.
        let mut known = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, places)) = known.get(&file)
            && Arc::ptr_eq(of, text)
        {
            return Arc::clone(places);
        }
        let same = original == text;
        let old: HashMap<u32, u32> = if same {
            HashMap::new()
        } else {
            tagwright_fixer::unchanged_lines(original, text)
                .into_iter()
                .map(|(old, new)| (new, old))
                .collect()
        };
        let touched = |line: u32| {
            let line = if same { Some(&line) } else { old.get(&line) };
            line.is_none_or(|line| ranges.iter().any(|range| range.contains(line)))
        };
        let mut places = Vec::new();
        let mut start = 0;
        for (line, content) in (1..).zip(text.split_inclusive('\n')) {
            // The end of a last line without a break belongs to it.
            let end = start + content.len() + usize::from(!content.ends_with('\n'));
            if touched(line) {
                places.push(start..end);
            }
            start = end;
        }
        let places = Arc::new(places);
        known.insert(file, (Arc::clone(text), Arc::clone(&places)));
        places
    }
}

/// A workspace in which only those fixes are offered that are wanted and whose findings count.
pub(crate) struct Offered<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) touched: Option<&'a Touched>,
    /// Which fixes are wanted.
    pub(crate) scope: Scope,
}

impl Offered<'_> {
    /// `findings`, which are about the texts in `sources`, without the fixes that are not offered.
    pub(crate) fn withhold(&self, mut findings: Vec<Finding>, sources: &Sources) -> Vec<Finding> {
        if self.scope == Scope::Local {
            keep_local(&mut findings);
        }
        let Some(touched) = self.touched else {
            return findings;
        };
        for finding in &mut findings {
            let counts = sources
                .get(finding.file)
                .is_some_and(|source| touched.counts(finding, &source.text));
            if !counts {
                finding.fix = None;
            }
        }
        findings
    }
}

/// Takes away the fixes that are more than a repair within one file.
fn keep_local(findings: &mut [Finding]) {
    for finding in findings {
        if let Some(fix) = finding.fix.take_if(|fix| !fix.is_local()) {
            let flag = match fix.applicability {
                Applicability::Unsafe => " --unsafe",
                Applicability::Safe | Applicability::DisplayOnly => "",
            };
            finding.refusal = Some(Refusal::new(
                RefusalCode::NotSelected,
                format!(
                    "not a local repair, because it adds a command or a key or changes another file; `tagwright fix{flag} --fixes all` applies it"
                ),
            ));
        }
    }
}

impl Relint for Offered<'_> {
    fn lint(&self, sources: &Sources) -> Vec<Finding> {
        self.withhold(self.workspace.lint(sources), sources)
    }
}

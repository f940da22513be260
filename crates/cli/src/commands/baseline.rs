//! `tagwright baseline`: the findings that were there before, written down, checked and pruned.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tagwright_project::baseline::{self, Baseline, FILE_NAME, Located};
use tagwright_project::config;
use tagwright_project::discovery::{Plan, Problem};
use tagwright_project::identity::{Identity, identities};
use tagwright_project::shellcheck;
use tagwright_project::wording;

use crate::args::{BaselineArgs, BaselineCommand, BaselineCommandArgs, BaselineTarget};
use crate::deliver::{count, ending, problems};
use crate::ending::{Exit, Stop, Streams};
use crate::report::{Report, escape};
use crate::session::Session;

impl BaselineArgs {
    /// For each workspace of the plan its baseline, empty where there is none; no list if none is wanted. An `isolated` run
    /// takes only the one that is given.
    ///
    /// # Errors
    /// [`Stop::Usage`] for a file that is no baseline.
    pub fn locate(&self, plan: &Plan, isolated: bool) -> Result<Vec<Located>, Stop> {
        if self.no_baseline || (isolated && self.baseline.is_none()) {
            return Ok(Vec::new());
        }
        let roots = plan.workspaces.iter().map(|targets| &*targets.root);
        roots
            .map(|root| locate(self.baseline.as_deref(), root, true))
            .collect()
    }
}

/// The baseline for the workspace at `root`: the file `given`, else the nearest one, else an empty one beside the
/// configuration. A file that is `needed` and given has to exist.
fn locate(given: Option<&Path>, root: &Path, needed: bool) -> Result<Located, Stop> {
    let found = baseline::find(root);
    let path = match (given, &found) {
        (Some(given), _) => given.to_owned(),
        (None, Some(found)) => found.clone(),
        (None, None) => {
            let beside = config::find(root);
            let folder = beside.as_deref().and_then(Path::parent).unwrap_or(root);
            folder.join(FILE_NAME)
        }
    };
    let baseline = if (given.is_some() && needed) || path.is_file() {
        Baseline::load(&path)?
    } else {
        Baseline::default()
    };
    // Where the file will lie: its folder exists, it need not.
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).unwrap_or_default();
    let below = root.strip_prefix(&folder).ok();
    let prefix = below.map_or_else(String::new, |below| match wording::display(below) {
        here if here == "." => String::new(),
        below => format!("{below}/"),
    });
    Ok(Located {
        path,
        prefix,
        baseline,
    })
}

/// Says which entries of a baseline are of no use any more.
fn tell(stale: &baseline::Stale, streams: &mut Streams<'_>) -> std::io::Result<()> {
    for (entry, gone) in &stale.gone {
        writeln!(
            streams.output,
            "{}: {} at {}: {} gone; `tagwright baseline prune` takes it out",
            escape(&entry.path),
            escape(&entry.rule),
            escape(&entry.place),
            count(*gone, "finding"),
        )?;
    }
    for entry in &stale.expired {
        writeln!(
            streams.output,
            "{}: {} at {}: counts again since {}",
            escape(&entry.path),
            escape(&entry.rule),
            escape(&entry.place),
            entry.expires.as_deref().unwrap_or(""),
        )?;
    }
    Ok(())
}

pub(crate) fn run(args: &BaselineCommandArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let target = match &args.command {
        BaselineCommand::Write { target, .. }
        | BaselineCommand::Prune { target }
        | BaselineCommand::Check { target } => target,
    };
    let mut report = Report::default();
    let found = found(target, &mut report)?;
    problems(&mut report, streams)?;
    if !report.problems().is_empty() {
        // A baseline of half the files would let the other half fail later.
        return Ok(Exit::Unreadable);
    }
    // Several workspaces may share one file.
    let mut files: BTreeMap<PathBuf, Baseline> = BTreeMap::new();
    let mut exit = ending(&report);
    let today = baseline::today();
    for (located, identities) in found {
        let current = files
            .entry(located.path.clone())
            .or_insert(located.baseline);
        let prefix = &*located.prefix;
        // Nobody has looked for these.
        let aside = if target.shellcheck {
            Vec::new()
        } else {
            current.take_rule(shellcheck::RULE)
        };
        match &args.command {
            BaselineCommand::Write {
                reason, expires, ..
            } => {
                *current =
                    current.renewed(&identities, prefix, reason.as_deref(), expires.as_deref());
            }
            BaselineCommand::Prune { .. } => *current = current.pruned(&identities, prefix),
            BaselineCommand::Check { .. } => {
                let stale = current.stale(&identities, prefix, &today);
                tell(&stale, streams)?;
                if stale != baseline::Stale::default() {
                    exit = Exit::Findings;
                }
            }
        }
        current.add(aside);
    }
    if matches!(args.command, BaselineCommand::Check { .. }) {
        return Ok(exit);
    }
    for (path, baseline) in &files {
        let text = baseline
            .to_text()
            .map_err(|error| Stop::Usage(error.to_string()))?;
        let shown = escape(&wording::display(path)).into_owned();
        if fs::read_to_string(path).is_ok_and(|old| old == text) {
            writeln!(streams.errors, "{shown}: nothing to change")?;
            continue;
        }
        let entries = baseline.entries.iter().map(|entry| entry.count).sum();
        match replace(path, &text) {
            Ok(()) => writeln!(streams.errors, "{shown}: {}", count(entries, "finding"))?,
            Err(error) => {
                report.push_problem(Problem {
                    path: wording::display(path),
                    message: wording::plain(&error),
                });
            }
        }
    }
    problems(&mut report, streams)?;
    Ok(if report.problems().is_empty() {
        Exit::Clean
    } else {
        Exit::Unreadable
    })
}

/// For each workspace its baseline and what there is to find in it, comments that silence something heeded.
fn found(
    target: &BaselineTarget,
    report: &mut Report,
) -> Result<Vec<(Located, Vec<Identity>)>, Stop> {
    let mut session = Session::for_paths(&target.paths, &target.input)?;
    if target.shellcheck {
        session.ask_shellcheck()?;
    }
    let mut all = Vec::new();
    let mut roots = session.roots().into_iter();
    session.each(report, |mut part, _| {
        let root = roots.next().unwrap_or_default();
        let checked = part.workspace.check();
        let findings = checked.findings.iter().filter(|finding| {
            let document = part.workspace.document(finding.file);
            document.is_some_and(|document| document.target)
        });
        all.push((root, identities(&part.workspace.documents, findings)));
    })?;
    all.into_iter()
        .map(|(root, identities)| {
            Ok((
                locate(target.baseline.as_deref(), &root, false)?,
                identities,
            ))
        })
        .collect()
}

/// Puts `text` in the place of the file in one step.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // A link stays a link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    fs::write(&new, text)?;
    fs::rename(&new, &path).inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })
}

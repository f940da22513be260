//! `tagwright fix`: what `check` finds, put right as far as that proves itself, and what remains.
//!
//! The report of what remains goes where `check` puts it, unless standard output holds something else: the
//! diff, or the text of standard input. What was done is said on standard error.

use std::collections::BTreeMap;

use tagwright_fixer::{NewText, Outcome, Sources, WriteError, Written, diff, write};
use tagwright_flow::FileId;
use tagwright_project::Workspace;
use tagwright_project::config::Scope;
use tagwright_project::discovery::Problem;
use tagwright_project::wording;
use tagwright_project::workspace::Checked;
use tagwright_rules::derivation::{Derivation, Missing};

use crate::args::{FixArgs, Format};
use crate::deliver::{Channel, deliver, ending, list, settle};
use crate::ending::{Exit, Stop, Streams};
use crate::planner::{self, Planned};
use crate::progress::Progress;
use crate::report::{AppliedFix, Report, count, escape};
use crate::session::{Part, Session};
use crate::signals;

/// What a run says beside the report.
#[derive(Default)]
struct Account {
    /// Lines for standard error.
    lines: Vec<String>,
    /// The unified diffs.
    diff: String,
    /// The text of standard input, if it changed.
    text: Option<String>,
    fixed: usize,
    files: usize,
    /// The files that were given the definition of the branch, by the variable and what becomes of other builds.
    branches: BTreeMap<(String, &'static str), Vec<String>>,
}

pub(crate) fn fix(args: &FixArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let progress = Progress::start();
    let opened = Session::open(&args.target, !args.diff, streams.input);
    let from_stdin = args.target.stdin_name().is_some();
    if !args.diff && !from_stdin {
        signals::watch();
    }
    let mut session = match opened {
        Ok(session) => session,
        Err(stop) => {
            // An editor replaces its text by what comes back: on an error that has to be the old text.
            if from_stdin && !args.diff {
                std::io::copy(streams.input, streams.output)?;
            }
            return Err(stop);
        }
    };
    drop(progress);
    if let Some(template) = &args.tag
        && let Err(stop) = session.set_template(template)
    {
        if from_stdin && !args.diff {
            streams.output.write_all(&session.stdin_bytes)?;
        }
        return Err(stop);
    }
    if let Some(alias) = args.alias {
        session.set_alias(alias.into());
    }
    session.announce(streams)?;
    if let Some(listed) = list(&mut session, &args.target, streams)? {
        return Ok(listed);
    }
    let progress = Progress::start();
    let mut report = Report::default();
    report.with_fingerprints = args.target.formats().any(Format::shows_fingerprints);
    let mut account = Account::default();
    session.each(&mut report, |part, report| {
        fix_workspace(part, args, report, &mut account);
    })?;
    drop(progress);

    let channel = if args.diff || from_stdin {
        Channel::Errors
    } else {
        Channel::Output
    };
    let exit = ending(&report);
    let written = (|| {
        if args.diff {
            streams.output.write_all(account.diff.as_bytes())?;
        } else if from_stdin {
            match &account.text {
                Some(text) => streams.output.write_all(text.as_bytes())?,
                None => streams.output.write_all(&session.stdin_bytes)?,
            }
        }
        streams.output.flush()?;
        account.tell(args, streams)?;
        match deliver(&mut report, &args.target, streams, channel)? {
            Exit::Unreadable => Ok(Exit::Unreadable),
            _ => Ok(exit),
        }
    })();
    settle(exit, written)
}

fn fix_workspace(mut part: Part, args: &FixArgs, report: &mut Report, account: &mut Account) {
    let default = match args.target.stdin_name() {
        Some(_) => part.fix_on_save,
        None => Scope::All,
    };
    let scope = args.fixes.map_or(default, Scope::from);
    let planned = planner::plan(&mut part, scope, args.r#unsafe);
    let changed = planned.changed();
    let Planned {
        checked, outcome, ..
    } = planned;
    let counted = checked.suppressed.iter();
    let counted = counted.filter(|it| part.counts(&it.finding));
    let hidden: Vec<_> = counted.map(|it| it.kind).collect();
    let outcome = match outcome {
        None => return part.report(checked, report),
        Some(Ok(outcome)) => outcome,
        Some(Err(message)) => {
            account.lines.push(format!(
                "error: nothing was changed because of an internal error; please report it: {}",
                escape(&message)
            ));
            return part.report(checked, report);
        }
    };
    let workspace = &mut part.workspace;
    if !args.diff {
        match write_files(workspace, &outcome.sources, &changed) {
            Ok(written) => account.lines.extend(written.unlinked.iter().map(|path| {
                format!(
                    "warning: {} had other hard links, which still have the old text",
                    escape(&wording::display(path))
                )
            })),
            Err(error) => {
                report.push_problem(problem(&error));
                return part.report(checked, report);
            }
        }
    }
    account.note(
        workspace,
        report,
        &outcome,
        if args.diff { "would fix" } else { "fixed" },
    );
    account.show(workspace, &outcome.sources, &changed, args.diff);
    workspace.show(&outcome.sources);
    // What is silenced does not change, but its places do: it is counted here, and shown by `check`.
    for kind in hidden {
        report.count_suppressed(kind);
    }
    let left = Checked {
        findings: planner::remaining(outcome),
        ..Checked::default()
    };
    part.report(left, report);
}

/// Writes the texts of `changed` that belong to files on disk.
///
/// # Errors
/// [`WriteError`]; then nothing is written.
pub(crate) fn write_files(
    workspace: &Workspace,
    sources: &Sources,
    changed: &[FileId],
) -> Result<Written, WriteError> {
    let texts: Vec<NewText<'_>> = changed
        .iter()
        .filter_map(|file| {
            let document = workspace.document(*file)?;
            Some(NewText {
                path: document.path.as_deref()?,
                before: &document.text,
                after: sources.text(*file)?,
            })
        })
        .collect();
    write(&texts)
}

impl Account {
    /// Says on standard error what was done.
    fn tell(&self, args: &FixArgs, streams: &mut Streams<'_>) -> std::io::Result<()> {
        if args.target.quiet {
            return Ok(());
        }
        for line in self.lines.iter().chain(&self.branch_notes()) {
            writeln!(streams.errors, "{line}")?;
        }
        let done = if args.diff { "would fix" } else { "fixed" };
        if self.fixed > 0 {
            writeln!(
                streams.errors,
                "{done} {} in {}; remaining findings:",
                count(self.fixed, "finding"),
                count(self.files, "file")
            )?;
        }
        if args.target.staged && !args.diff && self.files > 0 {
            writeln!(
                streams.errors,
                "only the work tree was changed: look at it, then `git add` to stage it"
            )?;
        }
        Ok(())
    }

    /// The changed files: as differences, or, for standard input, as its new text.
    fn show(&mut self, workspace: &Workspace, sources: &Sources, changed: &[FileId], diffs: bool) {
        for file in changed {
            let (Some(document), Some(after)) = (workspace.document(*file), sources.text(*file))
            else {
                continue;
            };
            self.files += 1;
            self.tell_of_branch(workspace, &document.shown, &document.text, after);
            if diffs {
                let path = document.shown.trim_start_matches('/');
                self.diff.push_str(&diff(path, &document.text, after));
            } else if document.path.is_none() {
                self.text = Some(after.to_owned());
            }
        }
    }

    /// A build that was given the definition of the branch takes its commit where there is no branch, or ends,
    /// and only its pipeline can say one.
    fn tell_of_branch(&mut self, workspace: &Workspace, shown: &str, before: &str, after: &str) {
        if Derivation::is_new_in(after, before) {
            let settings = workspace.analysis.settings();
            let otherwise = match settings.derivation(false).missing {
                Missing::Commit => "Other builds are tagged by their commit",
                Missing::Stop => "Other builds now fail",
            };
            let kind = (settings.branch_variable.clone(), otherwise);
            let files = self.branches.entry(kind).or_default();
            files.push(escape(shown).into_owned());
        }
    }

    /// What [`Account::tell_of_branch`] has collected, once for all files.
    fn branch_notes(&self) -> Vec<String> {
        let note = |((variable, otherwise), files): (&(String, &str), &Vec<String>)| {
            format!(
                "note: {}: webhook and manual branch builds are tagged by their branch. {otherwise}; in CodePipeline, pass {variable} as '#{{SourceVariables.BranchName}}'",
                files.join(", ")
            )
        };
        self.branches.iter().map(note).collect()
    }

    fn note(&mut self, workspace: &Workspace, report: &mut Report, outcome: &Outcome, done: &str) {
        self.fixed += outcome.applied.len();
        for applied in &outcome.applied {
            let finding = &applied.finding;
            let Some(document) = workspace.document(finding.file) else {
                continue;
            };
            let what = finding.fix.as_ref().map_or("", |fix| &fix.message);
            self.lines.push(format!(
                "{done}: {}:{}:{}: {}: {}",
                escape(&document.shown),
                applied.position.line,
                applied.position.column,
                finding.rule,
                escape(what),
            ));
            report.applied.push(AppliedFix {
                rule: finding.rule,
                path: std::sync::Arc::clone(&document.shown),
                line: applied.position.line,
                column: applied.position.column,
                message: what.to_owned(),
            });
        }
        for failed in &outcome.not_applied {
            let Some(document) = workspace.document(failed.finding.file) else {
                continue;
            };
            let reason = failed.reason.to_string();
            // Most reasons begin with their file; where it is this one, once is enough.
            let own = reason.strip_prefix(&*document.shown);
            let own = own.and_then(|rest| rest.strip_prefix(": "));
            self.lines.push(format!(
                "not fixed: {}: {}: {}",
                escape(&document.shown),
                failed.finding.rule,
                escape(own.unwrap_or(&reason)),
            ));
        }
    }
}

pub(crate) fn problem(error: &WriteError) -> Problem {
    let path = match error {
        WriteError::ReadOnly(path)
        | WriteError::NotAFile(path)
        | WriteError::Changed(path)
        | WriteError::SameFile(path, _)
        | WriteError::Io { path, .. }
        | WriteError::NotRestored { path, .. } => path,
    };
    Problem {
        path: wording::display(path),
        message: error.to_string(),
    }
}

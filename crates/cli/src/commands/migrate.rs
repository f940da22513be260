//! `tagwright migrate`: the plan of moving images from `latest` to the branch, and its execution.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use tagwright_project::config::Strategy;
use tagwright_project::discovery::Problem;
use tagwright_project::{Workspace, git, wording};

use super::fix::{problem, write_files};
use crate::args::{InfrastructureLanguage, MigrateArgs, PlanReport, PlanStrategy};
use crate::deliver::{problems, settle};
use crate::ending::{Exit, Stop, Streams};
use crate::migrate::infrastructure::{Language, place};
use crate::migrate::plan::{Plan, Repository, SCHEMA_VERSION};
use crate::migrate::{self, Gathered, report as reports};
use crate::progress::Progress;
use crate::report::Report;
use crate::session::Session;
use crate::signals;

pub(crate) fn migrate(args: &MigrateArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let progress = Progress::start();
    if args.apply {
        signals::watch();
    }
    let mut session = Session::for_paths(&args.paths, &args.input)?;
    if let Some(template) = &args.tag {
        session.set_template(template)?;
    }
    if let Some(alias) = args.alias {
        session.set_alias(alias.into());
    }
    if let Some(strategy) = args.strategy {
        session.set_strategy(match strategy {
            PlanStrategy::BranchTag => Strategy::BranchTag,
            PlanStrategy::RepositoryPerBranch => Strategy::RepositoryPerBranch,
        });
    }
    let roots = session.roots();
    if args.patch.is_some() && roots.len() > 1 {
        return Err(Stop::Usage(format!(
            "--patch takes one repository, and these are {}: run `tagwright migrate` for each",
            roots.len()
        )));
    }
    let mut report = Report::default();
    let mut plan = Plan {
        schema_version: SCHEMA_VERSION,
        applied: args.apply,
        repositories: Vec::new(),
    };
    let mut roots = roots.iter();
    session.each(&mut report, |mut part, report| {
        let root = roots.next().map_or(Path::new(""), |root| root);
        // A campaign clones into folders whose names say nothing.
        let name = git::name(root).unwrap_or_else(|| {
            let folder = root.file_name();
            folder.map_or_else(|| "repository".into(), |it| it.to_string_lossy().into())
        });
        let Gathered {
            mut repository,
            planned,
            changed,
        } = migrate::gather(&mut part, name, super::hook::installed(root));
        infrastructure(args, &part.workspace, root, &mut repository, report);
        match &planned.outcome {
            Some(Err(message)) => report.push_problem(Problem {
                path: repository.name.clone(),
                message: format!(
                    "nothing was planned because of an internal error; please report it: {message}"
                ),
            }),
            Some(Ok(outcome)) if args.apply => {
                if let Err(error) = write_files(&part.workspace, &outcome.sources, &changed) {
                    report.push_problem(problem(&error));
                }
            }
            _ => {}
        }
        plan.repositories.push(repository);
    })?;
    drop(progress);
    session.announce(streams)?;
    write_reports(args, &plan, &mut report);
    problems(&mut report, streams)?;
    let exit = if !report.problems().is_empty() {
        Exit::Unreadable
    } else if plan.is_open() {
        Exit::Findings
    } else {
        Exit::Clean
    };
    let style = streams.style;
    let written = reports::write_terminal(&plan, style, &next(args, &plan), streams.output);
    settle(exit, written.map(|()| exit).map_err(Stop::from))
}

/// Adds the infrastructure to the plan of a repository, and writes it if the edits are written.
fn infrastructure(
    args: &MigrateArgs,
    workspace: &Workspace,
    root: &Path,
    repository: &mut Repository,
    report: &mut Report,
) {
    let language = match args.infrastructure {
        None => return,
        Some(InfrastructureLanguage::CloudFormation) => Language::CloudFormation,
        Some(InfrastructureLanguage::Terraform) => Language::Terraform,
    };
    let placed = match place(workspace, root, &repository.name, language) {
        Ok(placed) => placed,
        Err(message) => {
            report.push_problem(Problem {
                path: repository.name.clone(),
                message,
            });
            return;
        }
    };
    if args.apply
        && let Err((path, error)) = placed.write()
    {
        report.push_problem(unwritten(&path, &error));
    }
    repository.files.extend(placed.changes);
    repository.steps.splice(0..0, placed.steps);
}

/// Writes the reports and the patch that are asked for.
fn write_reports(args: &MigrateArgs, plan: &Plan, report: &mut Report) {
    for PlanReport { format, path } in &args.report {
        let written = (|| {
            let mut file = BufWriter::with_capacity(1 << 16, File::create(path)?);
            reports::write(plan, *format, &mut file)?;
            file.flush()
        })();
        if let Err(error) = written {
            report.push_problem(unwritten(path, &error));
        }
    }
    if let Some(path) = &args.patch {
        let files = plan
            .repositories
            .iter()
            .flat_map(|repository| &repository.files);
        let diffs: String = files.map(|file| file.diff.as_str()).collect();
        if let Err(error) = fs::write(path, diffs) {
            report.push_problem(unwritten(path, &error));
        }
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Problem {
    Problem {
        path: wording::display(path),
        message: wording::plain(error),
    }
}

/// What to do now.
fn next(args: &MigrateArgs, plan: &Plan) -> Vec<String> {
    let edits = plan
        .repositories
        .iter()
        .any(|repository| !repository.files.is_empty());
    let steps = plan
        .repositories
        .iter()
        .any(|repository| !repository.steps.is_empty());
    let mut lines = Vec::new();
    if edits && args.apply {
        lines.push("The edits were written. Look at them with `git diff`.".to_owned());
    } else if edits {
        lines.push("Nothing was written. `--apply` makes the edits, `--patch FILE` writes them as a patch.".to_owned());
    }
    if (edits || steps) && args.report.is_empty() {
        lines.push(
            "`--report md=FILE` (or html=, json=) has the whole diff and all commands to copy."
                .to_owned(),
        );
    }
    lines
}

//! From a report to its streams and files, and to the ending that it means.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tagwright_project::discovery;
use tagwright_project::wording;

use crate::args::{Format, TargetArgs};
use crate::ending::{Exit, Stop, Streams};
use crate::progress::Progress;
use crate::report::{self, Report, Style};
use crate::session::Session;

/// Where a report goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Output,
    /// Standard output holds something else.
    Errors,
}

/// Writes the report to its stream and to all `--output` files; problems of the run to standard error.
pub(crate) fn deliver(
    report: &mut Report,
    args: &TargetArgs,
    streams: &mut Streams<'_>,
    channel: Channel,
) -> Result<Exit, Stop> {
    let format = args.standard_output().map_err(Stop::Usage)?;
    report.sort();
    for output in &args.output {
        let Some(path) = &output.path else {
            continue;
        };
        if let Err(error) = write_file(report, output.format, path) {
            report.push_problem(discovery::Problem {
                path: wording::display(path),
                message: wording::plain(&error),
            });
        }
    }
    problems(report, streams)?;
    let style = streams.style;
    match channel {
        Channel::Output => report.write(format, style, streams.output)?,
        Channel::Errors => report.write(format, style, streams.errors)?,
    }
    Ok(ending(report))
}

fn write_file(report: &Report, format: Format, path: &Path) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 16, File::create(path)?);
    report.write(format, Style::PLAIN, &mut file)?;
    file.flush()
}

pub(crate) fn problems(report: &mut Report, streams: &mut Streams<'_>) -> io::Result<()> {
    report.sort();
    for problem in report.problems() {
        writeln!(
            streams.errors,
            "error: {}: {}",
            report::escape(&problem.path),
            report::escape(&problem.message)
        )?;
    }
    Ok(())
}

/// The ending that a report means.
pub(crate) fn ending(report: &Report) -> Exit {
    if !report.problems().is_empty() {
        Exit::Unreadable
    } else if report.failed {
        Exit::Findings
    } else {
        Exit::Clean
    }
}

/// The ending `exit`, unless writing failed; a reader who went away changes nothing.
pub(crate) fn settle(exit: Exit, written: Result<Exit, Stop>) -> Result<Exit, Stop> {
    match written {
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(exit),
        other => other,
    }
}

pub(crate) fn list_files(session: &mut Session, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let mut report = Report::default();
    let progress = Progress::start();
    let list = session.list(&mut report)?;
    drop(progress);
    for (path, kind) in list {
        writeln!(streams.output, "{}: {kind}", report::escape(&path))?;
    }
    problems(&mut report, streams)?;
    Ok(ending(&report))
}

pub(crate) fn count(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

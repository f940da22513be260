//! The commands of tagwright: arguments, discovery of files, configuration, reports.
//!
//! Here ends what the other crates must not know: the terminal, the arguments and the environment. Which files
//! there are is for `tagwright-project` to say; what is wrong with them is found in `tagwright-rules`, and
//! put right in `tagwright-fixer`.

use std::any::Any;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::panic;
use std::path::Path;

use tagwright_lsp::Ending;
use tagwright_project::parallel::STACK;
use tagwright_project::{analysis, config, discovery};

pub mod args;
mod baseline;
mod docs;
mod fix;
mod flow;
mod hook;
mod ignore;
mod progress;
pub mod report;
mod rules;
mod selection;
pub mod session;
mod shell;

use args::{CheckArgs, Cli, Color, Command, Format, TargetArgs};
use progress::Progress;
use report::{Report, Style};
use session::Session;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing to say.
    Clean,
    /// Findings at or above the threshold.
    Findings,
    /// Wrong usage or configuration.
    Usage,
    /// Something could not be read or written.
    Unreadable,
}

/// What a run is connected to.
pub struct Streams<'a> {
    /// Standard input.
    pub input: &'a mut (dyn Read + Send),
    /// Standard output.
    pub output: &'a mut (dyn Write + Send),
    /// Standard error.
    pub errors: &'a mut (dyn Write + Send),
    /// How reports for people are drawn on standard output.
    pub style: Style,
}

/// Why a command stopped early.
#[derive(Debug)]
pub enum Stop {
    /// Wrong usage or configuration, with the message.
    Usage(String),
    /// A stream could not be written.
    Output(io::Error),
    /// Something that the run cannot do without failed, with the message.
    Failed(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Output(error)
    }
}

impl From<config::ConfigError> for Stop {
    fn from(error: config::ConfigError) -> Self {
        Stop::Usage(error.to_string())
    }
}

/// Runs the command line of this process.
#[must_use]
pub fn run_process() -> Exit {
    // A panic in one file becomes a finding for that file; nothing else may be printed about it.
    panic::set_hook(Box::new(analysis::remember_panic));
    let stdout = io::stdout();
    let terminal = stdout.is_terminal();
    let environment = Environment {
        terminal,
        no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        width: std::env::var("COLUMNS")
            .ok()
            .and_then(|columns| columns.parse().ok())
            .filter(|columns| (40..=400).contains(columns)),
    };
    let mut output = BufWriter::with_capacity(1 << 16, stdout);
    run(
        std::env::args_os(),
        environment,
        &mut io::stdin(),
        &mut output,
        &mut io::stderr(),
    )
}

/// What the environment says about reports.
#[derive(Clone, Copy, Debug, Default)]
pub struct Environment {
    /// Standard output is a terminal.
    pub terminal: bool,
    /// `NO_COLOR` is set.
    pub no_color: bool,
    /// Columns, if known.
    pub width: Option<usize>,
}

/// Runs the command line `arguments` (the program's name first).
#[must_use]
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: Environment,
    input: &mut (dyn Read + Send),
    output: &mut (dyn Write + Send),
    errors: &mut (dyn Write + Send),
) -> Exit {
    let cli = match Cli::read(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` arrive here too, and go to standard output.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Clean
            };
        }
    };
    let style = Style {
        color: match cli.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => environment.terminal && !environment.no_color,
        },
        unicode: environment.terminal,
        width: environment.width.unwrap_or(Style::PLAIN.width),
    };
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, move || {
                let mut streams = Streams {
                    input,
                    output,
                    errors,
                    style,
                };
                let exit = finish(execute(&cli, &mut streams), &mut streams);
                match streams.output.flush() {
                    Err(error) => finish(Err(error.into()), &mut streams).max_of(exit),
                    Ok(()) => exit,
                }
            });
        match worker.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(exit)) => exit,
            Ok(Err(panic)) => internal_error(panic.as_ref()),
            Err(_) => Exit::Unreadable,
        }
    })
}

impl Exit {
    /// The graver of two endings, if one of them is a failure to write; else `other`.
    fn max_of(self, other: Exit) -> Exit {
        if self == Exit::Unreadable {
            self
        } else {
            other
        }
    }
}

#[allow(clippy::print_stderr)]
fn internal_error(panic: &(dyn Any + Send)) -> Exit {
    // The streams went down with the worker.
    let _ = writeln!(
        io::stderr(),
        "tagwright: internal error: {}",
        analysis::panic_message(panic)
    );
    Exit::Unreadable
}

/// Turns a command's result into the ending, and says why it stopped.
fn finish(result: Result<Exit, Stop>, streams: &mut Streams<'_>) -> Exit {
    match result {
        Ok(exit) => exit,
        Err(Stop::Usage(message)) => {
            let _ = writeln!(streams.errors, "error: {message}");
            Exit::Usage
        }
        Err(Stop::Failed(message)) => {
            let _ = writeln!(streams.errors, "error: {}", report::escape(&message));
            Exit::Unreadable
        }
        // Whoever reads the report has seen enough.
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Clean,
        Err(Stop::Output(error)) => {
            let _ = writeln!(
                streams.errors,
                "error: cannot write the output: {}",
                discovery::plain(&error)
            );
            Exit::Unreadable
        }
    }
}

fn execute(cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    match &cli.command {
        Command::Check(args) => check(args, streams),
        Command::Baseline(args) => baseline::run(args, streams),
        Command::Fix(args) => fix::fix(args, streams),
        Command::Flow(args) => flow::flow(args, streams),
        Command::Explain { name } => rules::explain(name, streams),
        Command::Hook { command } => hook::hook(command, streams),
        Command::Completions { shell } => shell::completions(*shell, streams),
        Command::Man { of } => shell::man(of.as_deref(), streams),
        Command::Rules { format } => rules::list(*format, streams),
        Command::Lsp { .. } => lsp(streams),
        Command::Schema { of } => docs::schema(*of, streams),
        Command::Docs { check, root } => docs::docs(root, *check, streams),
    }
}

fn check(args: &CheckArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let progress = Progress::start();
    let mut session = Session::open(&args.target, false, streams.input)?;
    if args.shellcheck {
        session.ask_shellcheck()?;
    }
    drop(progress);
    session.announce(streams)?;
    if args.target.files {
        return list_files(&mut session, streams);
    }
    let progress = Progress::start();
    let mut report = Report::default();
    report.without_fixes = !args.target.formats().any(Format::shows_fixes);
    report.with_fingerprints = args.target.formats().any(Format::shows_fingerprints);
    match &args.add_ignore {
        Some(reason) => ignore::add(&mut session, reason, &mut report, streams)?,
        None => session.check(&mut report)?,
    }
    drop(progress);
    let exit = ending(&report);
    // The ending is settled before anything is written: it does not depend on who reads it.
    settle(
        exit,
        deliver(&mut report, &args.target, streams, Channel::Output),
    )
}

/// The language server talks over the process's own streams, in threads of its own.
fn lsp(streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    match tagwright_lsp::serve_stdio() {
        Ending::Orderly => Ok(Exit::Clean),
        // The protocol asks for 1 here.
        Ending::Abrupt => Ok(Exit::Findings),
        Ending::Broken(message) => {
            writeln!(streams.errors, "error: {}", report::escape(&message))?;
            Ok(Exit::Unreadable)
        }
    }
}

fn list_files(session: &mut Session, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
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

/// Where a report goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Output,
    /// Standard output holds something else.
    Errors,
}

/// Writes the report to its stream and to all `--output` files; problems of the run to standard error.
fn deliver(
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
                path: discovery::display(path),
                message: discovery::plain(&error),
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

fn count(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn problems(report: &mut Report, streams: &mut Streams<'_>) -> io::Result<()> {
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
fn ending(report: &Report) -> Exit {
    if !report.problems().is_empty() {
        Exit::Unreadable
    } else if report.failed {
        Exit::Findings
    } else {
        Exit::Clean
    }
}

/// The ending `exit`, unless writing failed; a reader who went away changes nothing.
fn settle(exit: Exit, written: Result<Exit, Stop>) -> Result<Exit, Stop> {
    match written {
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(exit),
        other => other,
    }
}

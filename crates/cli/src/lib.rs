//! The commands of tagwright: arguments, discovery of files, configuration, reports.
//!
//! Here ends what the other crates must not know: the terminal, the arguments and the environment. Which files
//! there are is for `tagwright-project` to say; what is wrong with them is found in `tagwright-rules`, and
//! put right in `tagwright-fixer`.

pub mod args;
mod commands;
mod deliver;
pub mod ending;
pub mod migrate;
mod pages;
mod planner;
mod progress;
pub mod report;
mod selection;
pub mod session;
mod severity;
mod signals;

use std::any::Any;
use std::ffi::OsString;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::panic;

use tagwright_project::parallel::STACK;
use tagwright_project::{analysis, wording};

use args::{Cli, Color};
use report::Style;

pub use ending::{Exit, Stop, Streams};

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
                let exit = finish(commands::execute(&cli, &mut streams), &mut streams);
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
            let lines: Vec<_> = message.lines().map(report::escape).collect();
            let _ = writeln!(streams.errors, "error: {}", lines.join("\n"));
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
                wording::plain(&error)
            );
            Exit::Unreadable
        }
    }
}

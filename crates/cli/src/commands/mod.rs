//! The commands, each in a file of its own.

mod baseline;
mod check;
mod docs;
mod fix;
mod flow;
mod hook;
mod ignore;
mod lsp;
mod migrate;
mod rules;
mod schema;
mod shell;

use crate::args::{Cli, Command};
use crate::ending::{Exit, Stop, Streams};

/// Runs the command that `cli` asks for.
pub(crate) fn execute(cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    match &cli.command {
        Command::Check(args) => check::check(args, streams),
        Command::Baseline(args) => baseline::run(args, streams),
        Command::Fix(args) => fix::fix(args, streams),
        Command::Migrate(args) => migrate::migrate(args, streams),
        Command::Flow(args) => flow::flow(args, streams),
        Command::Explain { name } => rules::explain(name, streams),
        Command::Hook { command } => hook::hook(command, streams),
        Command::Completions { shell } => shell::completions(*shell, streams),
        Command::Man { of } => shell::man(of.as_deref(), streams),
        Command::Rules { format } => rules::list(*format, streams),
        Command::Lsp { .. } => lsp::lsp(streams),
        Command::Schema { of } => schema::schema(*of, streams),
        Command::Docs { check, root } => docs::docs(root, *check, streams),
    }
}

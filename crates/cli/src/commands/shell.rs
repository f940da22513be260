//! What a shell wants to know of the command line: completions and manual pages, both made from the arguments.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::ending::{Exit, Stop, Streams};

pub(crate) fn completions(shell: Shell, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    // Made in memory: the generators panic when they cannot write.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tagwright", &mut text);
    streams.output.write_all(&text)?;
    Ok(Exit::Clean)
}

pub(crate) fn man(of: Option<&str>, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let command = match of {
        None => command,
        Some(name) => command
            .get_subcommands()
            .find(|command| command.get_name() == name && !command.is_hide_set())
            .cloned()
            .ok_or_else(|| {
                Stop::Usage(format!(
                    "there is no command `{name}`; `tagwright --help` lists them"
                ))
            })?,
    };
    clap_mangen::Man::new(command).render(streams.output)?;
    Ok(Exit::Clean)
}

//! How a run ends, what it is connected to, and why it stops early.

use std::io::{self, Read, Write};

use tagwright_project::config;

use crate::report::Style;

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

impl Exit {
    /// The graver of two endings, if one of them is a failure to write; else `other`.
    pub(crate) fn max_of(self, other: Exit) -> Exit {
        if self == Exit::Unreadable {
            self
        } else {
            other
        }
    }
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

//! What the tools see in a text of commands, found out once for each text: it depends on nothing else.

use std::sync::Arc;

use tagwright_syntax::memo::Memo;
use tagwright_syntax::shell::{self, Command, Script};

use super::{Effects, ImageArgument, NestedScript, ScriptCall};

/// The commands of a text and what the tools see in each.
pub(crate) struct Reading {
    pub(crate) script: Arc<Script>,
    /// For each command what it does, if it does anything.
    commands: Vec<Option<Box<Seen>>>,
}

/// What the tools see in one command.
#[derive(Default, PartialEq)]
pub(crate) struct Seen {
    pub(crate) arguments: Vec<ImageArgument>,
    pub(crate) effects: Effects,
    pub(crate) nested: Vec<NestedScript>,
    pub(crate) call: Option<ScriptCall>,
}

/// The text of a POSIX shell, read.
pub(crate) fn read(text: &str) -> Arc<Reading> {
    static READ: Memo<Reading> = Memo::new();
    READ.get(text, || Reading::of(text, shell::parsed(text)))
}

impl Reading {
    /// What the tools see in `script`, the commands of `text`.
    pub(crate) fn of(text: &str, script: Arc<Script>) -> Self {
        let seen = |command: &Command| {
            let seen = Seen {
                arguments: super::image_arguments(command, text),
                effects: super::effects(command, text),
                nested: super::nested_scripts(command),
                call: super::script_call(command, text),
            };
            (seen != Seen::default()).then(|| Box::new(seen))
        };
        Self {
            commands: script.commands.iter().map(seen).collect(),
            script,
        }
    }

    /// The commands, each with what is seen in it.
    pub(crate) fn commands(&self) -> impl Iterator<Item = (&Command, Option<&Seen>)> {
        let seen = self.commands.iter().map(|it| it.as_deref());
        self.script.commands.iter().zip(seen)
    }
}

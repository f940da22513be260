//! What one command sets is gone in the next.
//!
//! ## What it does
//!
//! Finds, in buildspecs of version 0.1, commands that only change the folder, and commands that only set a
//! variable which a later command reads.
//!
//! ## Why it matters
//!
//! In version 0.1 every command runs in a shell of its own. The next command starts in the source folder
//! again, and the variable is empty there.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.1
//! phases:
//!   build:
//!     commands:
//!       - cd web
//!       - npm run build
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.1
//! phases:
//!   build:
//!     commands:
//!       - cd web && npm run build
//! ```
//!
//! ## Fix
//!
//! None: either the commands become one, or the file becomes version 0.2.
//!
//! ## When to silence it
//!
//! Where the command that follows does not need the folder or the variable, although it names the same
//! word.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference", "Buildspec versions".

use tagwright_syntax::buildspec::Version;
use tagwright_syntax::shell::{Command, Word};

use crate::context::{Document, Report};
use crate::script::{Item, items};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "lost-state",
    category: Category::Shell,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("lost_state"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let old = document
        .buildspec
        .as_ref()
        .is_some_and(|spec| spec.version == Version::V0_1);
    if !old {
        return;
    }
    let all: Vec<Item<'_>> = items(document, |_| true).collect();
    for (index, item) in all.iter().enumerate() {
        let [command] = item.script.commands.as_slice() else {
            continue;
        };
        let later = &all[index + 1..];
        let span = item.span(document, command.span);
        if command.words.first().is_some_and(|word| word.is("cd")) {
            let Some(next) = later.iter().find(|next| next.phase.name == item.phase.name) else {
                continue;
            };
            let message = "the next command does not run in this folder: in version 0.1 every command has a shell of its own";
            report.add(report.draft(document.facts.id, span, message).related(
                document.facts.id,
                document.tree.node(next.node).span,
                "runs in the source folder",
            ));
        } else if sets_only(command) {
            let lost = command.assignments.iter().find_map(|assignment| {
                let reader = later
                    .iter()
                    .take_while(|item| !sets(item, &assignment.name))
                    .find(|item| reads(item, &assignment.name))?;
                Some((&assignment.name, reader))
            });
            let Some((name, reader)) = lost.filter(|(name, _)| !is_given(document, name)) else {
                continue;
            };
            let message = format!(
                "`{name}` is gone in the next command: in version 0.1 every command has a shell of its own"
            );
            report.add(report.draft(document.facts.id, span, message).related(
                document.facts.id,
                document.tree.node(reader.node).span,
                "reads it",
            ));
        }
    }
}

fn sets_only(command: &Command) -> bool {
    !command.assignments.is_empty()
        && command
            .words
            .first()
            .is_none_or(|word| word.is("export") && command.words.len() == 1)
}

fn sets(item: &Item<'_>, name: &str) -> bool {
    let mut assignments = item.script.commands.iter().flat_map(|c| &c.assignments);
    assignments.any(|assignment| &*assignment.name == name)
}

fn reads(item: &Item<'_>, name: &str) -> bool {
    item.script.commands.iter().any(|command| {
        let values = command.assignments.iter().filter_map(|a| a.value.as_ref());
        let mut words = command.words.iter().chain(values);
        words.any(|word: &Word| word.variables().iter().any(|v| &*v.name == name))
    })
}

/// Whether the variable has a value of its own in `env`.
fn is_given(document: &Document<'_>, name: &str) -> bool {
    let Some(spec) = &document.buildspec else {
        return false;
    };
    let stores = [&spec.env.variables, &spec.env.parameter_store];
    stores
        .into_iter()
        .flatten()
        .any(|entry| document.tree.text(entry.key) == Some(name))
}

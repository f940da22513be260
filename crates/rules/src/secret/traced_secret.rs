//! A command prints the environment, or every command, while secrets are loaded.
//!
//! ## What it does
//!
//! Finds `env`, `printenv`, `export -p` and `set` without more, and `set -x`, in buildspecs with
//! `env.secrets-manager`, if their output is not sent elsewhere.
//!
//! ## Why it matters
//!
//! CodeBuild masks a secret in the log only where it stands exactly as it is. Encoded, quoted or cut up by
//! a command it is printed, and the log is kept.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   secrets-manager:
//!     HUB_TOKEN: hub:token
//! phases:
//!   build:
//!     commands:
//!       - printenv
//!       - make release
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   secrets-manager:
//!     HUB_TOKEN: hub:token
//! phases:
//!   build:
//!     commands:
//!       - make release
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! Where the variables that are printed are no secrets, or are taken out of the output in the same line.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference": how values of `env/secrets-manager` are masked.

use tagwright_syntax::shell::{Command, RedirectKind};

use crate::context::{Document, Report};
use crate::script::{items, word_is};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "traced-secret",
    category: Category::Secret,
    default: Some(Severity::Note),
    fixable: Fixable::Never,
    docs: docs!("traced_secret"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let loaded = document
        .buildspec
        .as_ref()
        .is_some_and(|spec| !spec.env.secrets_manager.is_empty());
    if !loaded {
        return;
    }
    let may_matter = |text: &str| {
        ["env", "set", "export -p"]
            .iter()
            .any(|it| text.contains(it))
    };
    for item in items(document, may_matter) {
        for command in &item.script.commands {
            let message = match printed(command) {
                Some(Printed::Environment) => {
                    "this prints all variables, the secrets among them, which are masked only where they stand exactly as they are"
                }
                Some(Printed::Commands) => {
                    "from here on every command is printed with its values, the secrets among them, which are masked only where they stand exactly as they are"
                }
                None => continue,
            };
            report.add(report.draft(
                document.facts.id,
                item.span(document, command.span),
                message,
            ));
        }
    }
}

enum Printed {
    Environment,
    Commands,
}

fn printed(command: &Command) -> Option<Printed> {
    let alone = command.words.len() == 1 && command.assignments.is_empty();
    let to_the_log = command.context.pipe_length == 1
        && command.context.substitution == 0
        && !command
            .redirects
            .iter()
            .any(|redirect| redirect.kind == RedirectKind::Output);
    match command.program()?.as_str() {
        "env" | "printenv" | "set" if alone && to_the_log => Some(Printed::Environment),
        "export" if word_is(command, 1, "-p") && to_the_log => Some(Printed::Environment),
        "set" => {
            let traces = command.words[1..].iter().any(|word| {
                let text = word.literal().unwrap_or_default();
                text == "xtrace"
                    || text.starts_with('-') && !text.starts_with("--") && text.contains('x')
            });
            let off = command.words[1..].iter().any(|word| word.is("+o"));
            (traces && !off).then_some(Printed::Commands)
        }
        _ => None,
    }
}

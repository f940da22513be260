//! A command of several lines goes on after one of them has failed.
//!
//! ## What it does
//!
//! Finds commands of several lines in which a build, a push, a deployment or a test stands before the last
//! line, and nothing ends the command if it fails: no `set -e`, no `&&` or `||`, no look at `$?`.
//!
//! ## Why it matters
//!
//! CodeBuild looks at the status of the last line only. An image whose tests fail is pushed, a deployment
//! that fails leaves the build green.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - |
//!         npm test
//!         echo done
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - |
//!         set -e
//!         npm test
//!         echo done
//! ```
//!
//! ## Fix
//!
//! None: after `set -e` a line that was allowed to fail would end the build.
//!
//! ## When to silence it
//!
//! Where the item may fail in its middle: cleaning up, a report, a cache. For all items at once, begin them
//! with `set -e` instead.
//!
//! ## Sources
//!
//! - aws/aws-sdk-java-v2 pull requests 6524 and 6541: `set -e` in every command of several lines.
//! - POSIX shell command language, section 2.8.2 "Exit Status for Commands".

use tagwright_flow::tools::{failure_matters, may_fail_the_build};
use tagwright_syntax::Span;
use tagwright_syntax::shell::{Command, Script, Status, Word};

use crate::context::{Document, Report};
use crate::script::items;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "masked-failure",
    category: Category::Shell,
    default: Some(Severity::Note),
    fixable: Fixable::Never,
    docs: docs!("masked_failure"),
    check: Check::Document(check),
};

/// How many commands behind one are looked at: the next line is enough, and a text of very many commands
/// must not take very long.
const NEAR: usize = 64;

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let may_matter = |text: &str| {
        memchr::memchr(b'\n', text.as_bytes()).is_some()
            && text.trim_end().contains('\n')
            && may_fail_the_build(text)
    };
    for item in items(document, may_matter) {
        if item.script.status != Status::Clean {
            continue;
        }
        let commands = &item.script.commands;
        let bones = bones(item.text, &item.script);
        if bones.contains("$?") || commands.iter().any(looks_at_failures) {
            continue;
        }
        let masked = commands.iter().enumerate().find(|(index, command)| {
            matters(command, &bones)
                && commands[index + 1..]
                    .iter()
                    .take(NEAR)
                    .any(|later| starts_a_line(later, command, &bones))
        });
        let Some((_, command)) = masked else {
            continue;
        };
        let message =
            "if this fails, the command goes on, and only the status of its last line counts";
        report.add(report.draft(
            document.facts.id,
            item.span(document, command.span),
            message,
        ));
    }
}

/// The text with blanks in the place of commands, comments and here-documents: what is left are the signs and
/// words that join commands.
fn bones(text: &str, script: &Script) -> String {
    let mut bones = text.to_owned();
    let mut blank = |span: Span| {
        if let Some(part) = bones.get(span.range()) {
            let blanks = " ".repeat(part.len());
            bones.replace_range(span.range(), &blanks);
        }
    };
    script.comments.iter().for_each(|it| blank(*it));
    for command in &script.commands {
        blank(command.span);
        for redirect in &command.redirects {
            redirect.target.iter().for_each(|it| blank(it.span));
            redirect.here_document.iter().for_each(|it| blank(it.body));
        }
    }
    bones
}

/// Whether the command ends the script at a failure, or looks at the status of another one.
fn looks_at_failures(command: &Command) -> bool {
    let values = command.assignments.iter().filter_map(|it| it.value.as_ref());
    let mut words = command.words.iter().chain(values);
    if words.any(|word| word.variables().iter().any(|it| it.name == "?")) {
        return true;
    }
    let ends = |word: &Word| {
        let text = word.literal().unwrap_or_default();
        text == "errexit" || text.starts_with('-') && !text.starts_with("--") && text.contains('e')
    };
    match command.program().as_deref() {
        Some("trap") => true,
        Some("set") => command.words.iter().any(ends),
        _ => false,
    }
}

/// Whether the command's failure should end the build, and nothing looks at it.
fn matters(command: &Command, text: &str) -> bool {
    let context = &command.context;
    let before = text.get(..command.span.start as usize).unwrap_or("");
    if context.conditional && !starts_anew(before)
        || context.tolerated
        || context.substitution > 0
        || context.subshell
        || context.function.is_some()
    {
        return false;
    }
    failure_matters(command)
}

/// Whether a command that follows `before` runs whatever became of the one before it: it is the first in a
/// branch or a loop, or stands on a line of its own.
fn starts_anew(before: &str) -> bool {
    let line = before.trim_end_matches([' ', '\t']);
    let bare = line.trim_end();
    let continued = ["&&", "||", "\\", "|", "!"]
        .iter()
        .any(|sign| bare.ends_with(sign));
    let opened = ["then", "else", "do", "{"]
        .iter()
        .any(|word| line.ends_with(word));
    !continued && (opened || line.ends_with(['\n', ';']))
}

/// Whether `later` runs whatever became of `earlier`: it starts anew, and not in another branch.
fn starts_a_line(later: &Command, earlier: &Command, text: &str) -> bool {
    let between = text
        .get(earlier.span.end as usize..later.span.start as usize)
        .unwrap_or("");
    let another_branch = between.contains(";;")
        || between
            .split_whitespace()
            .any(|word| matches!(word, "else" | "elif"));
    later.context.substitution == 0
        && later.context.function.is_none()
        && !later.context.after_failure
        && between.contains(['\n', ';'])
        && !between.contains("&&")
        && !between.contains("||")
        && !another_branch
}

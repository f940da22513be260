//! A command is too long, or nested too deeply, to be read.
//!
//! ## What it does
//!
//! Finds commands of more than 512 KB, and those whose brackets nest deeper than 48 levels, in quotes or not
//! (or that say `time` or `coproc` more than 200 times). tagwright does not read these; nothing else that it
//! says is about them.
//!
//! ## Why it matters
//!
//! An image that such a command pushes or deploys is not seen: no finding about it does not mean that all is
//! well, and a rewrite of the other places of the image may leave it behind.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - echo "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - ./print.sh
//! ```
//!
//! ## Fix
//!
//! None. Put the text into a file of its own and the command into a script.
//!
//! ## When to silence it
//!
//! When the command is data that was made by a program, and names no image.
//!
//! ## Sources
//!
//! - tagwright's own limits: docs/limits.md.

use tagwright_syntax::Span;
use tagwright_syntax::shell::{self, MAX_LENGTH};

use crate::context::{Document, Report};
use crate::script::items;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "unread-command",
    category: Category::Shell,
    default: Some(Severity::Note),
    fixable: Fixable::Never,
    docs: docs!("unread_command"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    /// Brackets that nest too deeply and are closed again fill more, in bytes.
    const SHORT: usize = 96;
    for item in items(document, |text| {
        text.len() > SHORT && shell::is_beyond_limits(text)
    }) {
        let why = if item.text.len() > MAX_LENGTH {
            format!("it is longer than {} KB", MAX_LENGTH / 1024)
        } else {
            "it is nested too deeply".to_owned()
        };
        let message = format!("tagwright does not read this command, because {why}: what it does with images is not seen");
        let start = item.span(document, Span::empty(0));
        report.add(report.draft(document.facts.id, start, message));
    }
}

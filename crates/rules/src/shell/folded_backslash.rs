//! A backslash at the end of a line escapes a space, because YAML joins the lines.
//!
//! ## What it does
//!
//! Finds a `\` at the end of a line in a command that YAML folds into one line: a command that goes on over several lines
//! without any sign, or stands below `>`.
//!
//! ## Why it matters
//!
//! Folding turns the line break into a space. The shell never sees the end of the line; it sees `\` and a space, which is a
//! space in a word. `docker push \` with the image on the next line pushes an image whose name begins with a space, and
//! Docker refuses it; behind a `|` the shell looks for a program whose name begins with one.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build --build-arg COMMIT=$CODEBUILD_RESOLVED_SOURCE_VERSION \
//!         --file web/Dockerfile web
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build --build-arg COMMIT=$CODEBUILD_RESOLVED_SOURCE_VERSION --file web/Dockerfile web
//! ```
//!
//! ## Fix
//!
//! None: take the backslash away, or write the command below `|`, which keeps the line breaks.
//!
//! ## When to silence it
//!
//! Where a word is really to begin with a space.
//!
//! ## Sources
//!
//! - YAML 1.2.2, sections 6.5 "Line Folding", 7.3.3 "Plain Style" and 8.1.3 "Folded Style".
//! - POSIX.1-2024, Shell Command Language, 2.2.1 "Escape Character (Backslash)".

use tagwright_syntax::Span;

use crate::context::{Document, Report};
use crate::script::{Item, items};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "folded-backslash",
    category: Category::Shell,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("folded_backslash"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    for item in items(document, |text| text.contains("\\ ")) {
        let found = escaped(document, &item);
        let Some(first) = found.first() else {
            continue;
        };
        let places: Vec<Span> = found.iter().map(|at| Span::new(*at, at + 1)).collect();
        let span = item.span(document, Span::new(*first, first + 1));
        let message = "YAML joins these lines, so this `\\` escapes a space, which becomes part of the next word. Remove the `\\`";
        let mut draft = report.draft(document.facts.id, span, message);
        for place in &places[1..] {
            draft = draft.related(document.facts.id, item.span(document, *place), "and this one");
        }
        report.add(draft);
    }
}

/// The offsets of the backslashes in the item's text that stand before a folded line break and begin a word.
fn escaped(document: &Document<'_>, item: &Item<'_>) -> Vec<usize> {
    let folded = |at: usize| {
        let space = item.span(document, Span::new(at + 1, at + 2));
        item.text[at..].starts_with("\\ ") && space.of(document.text()).contains('\n')
    };
    let commands = item.script.commands.iter().filter(|command| {
        // What is only printed harms nobody.
        !command
            .program()
            .is_some_and(|name| matches!(&*name, "echo" | "printf"))
    });
    let words = commands.flat_map(|command| &command.words);
    let mut found: Vec<usize> = words
        .map(|word| word.span.start as usize)
        .filter(|at| folded(*at))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

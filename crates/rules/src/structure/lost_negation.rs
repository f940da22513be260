//! The `!` at the start of a command is a YAML tag, so nothing is negated.
//!
//! ## What it does
//!
//! Finds commands that start with `!` and are not in quotes.
//!
//! ## Why it matters
//!
//! For YAML a `!` at the start of a value is a tag. CodeBuild gets the command without it and runs the
//! opposite of what is written: a check that should stop the build lets it through, and the other way round.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - ! grep -r TODO src
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - '! grep -r TODO src'
//! ```
//!
//! ## Fix
//!
//! The whole command is put into single quotes, as it stands. Unsafe: the command then does what it says, which
//! is the opposite of what the builds did so far.
//!
//! ## When to silence it
//!
//! No good reason: a negation that does nothing is not wanted. Leave the `!` out if the command is right
//! without it.
//!
//! ## Sources
//!
//! - YAML 1.2.2, section 6.9.1 "Node tags".

use crate::context::{Document, Report};
use crate::script::quote;
use crate::outline;
use crate::{Applicability, Category, Check, Fix, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "lost-negation",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("lost_negation"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let (tree, text) = (document.tree, document.text());
    for item in outline::commands(document) {
        let node = tree.node(item);
        let Some(tag) = node.properties.filter(|_| node.tag.as_deref() == Some("!")) else {
            continue;
        };
        if !outline::is_settled(document, node.span) {
            continue;
        }
        let message = format!(
            "YAML reads `!` as a tag: CodeBuild runs `{}` without the negation; put the whole command \
             in single quotes",
            outline::quoted(node.span.of(text))
        );
        let fix = quote(document, item, tag.cover(node.span)).map(|fix| Fix {
            // A build that passed may stop.
            applicability: Applicability::Unsafe,
            ..fix
        });
        report.add(report.draft(document.facts.id, tag, message).fix(fix));
    }
}

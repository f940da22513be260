//! A comment that should silence a rule stands where it covers nothing.
//!
//! ## What it does
//!
//! Finds `# tagwright: ignore…` where it is no comment but part of a command, `ignore-file` below the first
//! line of the content, `ignore-file` and `ignore-block` behind something or in a script, and comments below
//! which nothing follows.
//!
//! ## Why it matters
//!
//! The finding is still reported. In a folded (`>`) or plain command the text is handed to the shell, which
//! drops everything behind it.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - | # tagwright: ignore-block[masked-failure] the tests may fail
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
//!       - | # tagwright: ignore[masked-failure] the tests may fail
//!         npm test
//!         echo done
//! ```
//!
//! ## Fix
//!
//! Writes `ignore` where only that can stand, `ignore-block` for an `ignore-file` that comes too late, and takes away a
//! comment that nothing follows.
//!
//! ## When to silence it
//!
//! No good reason: the comment does nothing where it stands.
//!
//! ## Sources
//!
//! - This program: "Silencing findings" in `docs/suppressions.md`.

use tagwright_syntax::Span;

use crate::context::{Document, Report};
use crate::directives::{Misplaced, next_line};
use crate::{Applicability, Category, Check, Fix, Fixable, Refusal, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "misplaced-suppression",
    category: Category::Suppression,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("misplaced_suppression"),
    check: Check::Document(check),
};

/// Whether there is content below a comment.
fn follows(text: &str, comment: Span) -> bool {
    next_line(text, comment.end as usize, text.len()).is_some()
}

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    for directive in document.directives() {
        let Err(misplaced) = directive.covers else {
            continue;
        };
        let word = &directive.word;
        if !word.starts_with("ignore") {
            continue;
        }
        let (message, instead) = match misplaced {
            Misplaced::NotAComment => (
                "this is no comment: it is part of the value, and silences nothing".to_owned(),
                None,
            ),
            Misplaced::NothingBelow => (
                "nothing follows that this comment could hold for".to_owned(),
                Some(""),
            ),
            Misplaced::BelowContent => (
                "`ignore-file` holds only above the first line of the content".to_owned(),
                Some(if follows(document.text(), directive.span) {
                    "ignore-block"
                } else {
                    ""
                }),
            ),
            Misplaced::NotAlone => (
                format!("`{word}` holds only as a YAML comment that is alone on its line"),
                Some("ignore"),
            ),
        };
        let names: Vec<&str> = directive.names.iter().map(|(_, name)| &**name).collect();
        let fix = instead
            .and_then(|word| {
                let text = match word {
                    "" => String::new(),
                    word => directive.with(word, &names),
                };
                let change = directive.rewrite(document.tree, document.text(), &text)?;
                Some(Fix {
                    message: match word {
                        "" => "take the comment away".to_owned(),
                        word => format!("write `{word}`"),
                    },
                    applicability: Applicability::Safe,
                    changes: vec![change],
                })
            })
            .ok_or_else(|| Refusal::uncertain("where it belongs is not certain"));
        report.add(
            report
                .draft(document.facts.id, directive.span, message)
                .fix(fix),
        );
    }
}

//! The end of a command is a YAML comment.
//!
//! ## What it does
//!
//! Finds commands without YAML quotes in which a space and `#` stand inside shell quotes, a substitution or
//! braces. An ordinary comment after a command is fine.
//!
//! ## Why it matters
//!
//! For YAML a space and `#` start a comment, whatever quotes the shell would see around them. CodeBuild gets
//! the command only up to there, with a quote that is never closed, and the shell fails with a syntax error
//! or waits for more.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - ./notify.sh "Built issue #12"
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - './notify.sh "Built issue #12"'
//! ```
//!
//! ## Fix
//!
//! The whole command is put into single quotes, with what YAML took for a comment. Where the open quote is an
//! apostrophe in a word (`echo it's done # isn't it`) there is no fix, because the comment may be one.
//!
//! ## When to silence it
//!
//! Where the comment is a comment, and the quote in it only looks as if it closed the command's.
//!
//! ## Sources
//!
//! - YAML 1.2.2, section 6.6 "Comments".

use tagwright_flow::facts::ShellKind;
use tagwright_syntax::shell::{self, Status};
use tagwright_syntax::yaml::ScalarStyle;

use crate::context::{Document, Report};
use crate::script::{comment_behind, quote};
use crate::outline;
use crate::{Category, Check, Fixable, Refusal, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "lost-comment-tail",
    category: Category::Structure,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("lost_comment_tail"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let (tree, text) = (document.tree, document.text());
    let shell = document.facts.buildspec.as_ref().map(|facts| facts.shell);
    if shell != Some(ShellKind::Posix) {
        return;
    }
    for item in outline::commands(document) {
        let Some(scalar) = tree.scalar(item) else {
            continue;
        };
        let span = tree.node(item).span;
        let Some(comment) = comment_behind(document, span) else {
            continue;
        };
        let gap = &text[span.end as usize..comment.start as usize];
        // Something must be open before the comment, and closed in it.
        let opens = scalar.value.contains(['\'', '"', '`', '(', '{']);
        let closes = comment.of(text).contains(['\'', '"', '`', ')', '}']);
        if scalar.style != ScalarStyle::Plain || !opens || !closes {
            continue;
        }
        // A tail that completes the command belongs to it; any other is a comment.
        let whole = format!("{}{gap}{}", scalar.value, comment.of(text));
        let cut = shell::parsed(&scalar.value).status != Status::Clean
            && shell::parsed(&whole).status == Status::Clean;
        if !cut {
            continue;
        }
        let message = format!(
            "YAML reads `{}` as a comment: CodeBuild gets only `{}`; put the whole command in single \
             quotes or below `- |`",
            outline::quoted(comment.of(text)),
            outline::quoted(&scalar.value)
        );
        let fix = if in_a_word(&scalar.value) {
            Err(Refusal::uncertain("an apostrophe in a word may be what looks like an open quote"))
        } else {
            quote(document, item, span.cover(comment))
        };
        report.add(report.draft(document.facts.id, comment, message).fix(fix));
    }
}

/// Whether an apostrophe stands between two letters.
fn in_a_word(command: &str) -> bool {
    command.match_indices('\'').any(|(at, _)| {
        let letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
        letter(command[..at].chars().next_back()) && letter(command[at + 1..].chars().next())
    })
}

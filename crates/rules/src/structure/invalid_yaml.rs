//! The file is not YAML that CodeBuild or Copilot can read.
//!
//! ## What it does
//!
//! Reports where a buildspec or a Copilot manifest stops being YAML. What stands before the place is still
//! linted. A file that only one of the two YAML readers accepts, tagwright's own or libyaml, is a warning, and
//! a template that another tool fills in first a note.
//!
//! ## Why it matters
//!
//! CodeBuild stops with `YAML_FILE_ERROR` in the phase `DOWNLOAD_SOURCE`, after the machine has been
//! provisioned; no command has run by then.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - @echo starting
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - echo starting
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! No good reason if CodeBuild or Copilot reads the file: the build stops. A template that is filled in first and
//! is not known as one can be excluded.
//!
//! ## Sources
//!
//! - YAML 1.2.2; libyaml, which CodeBuild's and Copilot's readers follow.

use tagwright_flow::FileKind;
use tagwright_flow::facts::FileFacts;
use tagwright_syntax::Span;

use crate::context::{Context, Report};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "invalid-yaml",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("invalid_yaml"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for file in context.workspace.files() {
        let read = matches!(
            file.kind,
            FileKind::Buildspec
                | FileKind::CopilotWorkload
                | FileKind::CopilotEnvironment
                | FileKind::CopilotPipeline
        );
        let template = file.buildspec.as_ref().and_then(|spec| spec.template);
        let Some(error) = file.error.as_ref().filter(|_| read) else {
            continue;
        };
        let at = (error.offset as usize).min(file.length());
        let span = Span::new(
            at,
            rest(file, at)
                .chars()
                .next()
                .map_or(at, |c| at + c.len_utf8()),
        );
        // Only asked where the first reader has given up: the answer decides how bad it is.
        let accepted = file.is_accepted_by_libyaml();
        if let Some(template) = template.filter(|_| !accepted) {
            let message = format!(
                "{template}, which is no YAML before it is filled in: what stands from here on is not read"
            );
            report.add(
                report
                    .draft(file.id, span, message)
                    .severity(Severity::Note),
            );
            continue;
        }
        let draft = report.draft(
            file.id,
            span,
            format!(
                "not valid YAML from here on: {}{}",
                in_words(&error.message),
                in_command(file, at).unwrap_or_default()
            ),
        );
        report.add(if accepted {
            draft.severity(Severity::Warning)
        } else {
            draft
        });
    }
}

/// What stands from byte `at` on.
fn rest(file: &FileFacts, at: usize) -> &str {
    file.slice(Span::new(at, file.length()))
}

/// The reader's message, with libyaml's words where its own say little.
fn in_words(message: &str) -> &str {
    match message {
        "simple key expect ':'" | "simple key expected" => {
            "a line that is neither a key nor part of the value before it (could not find expected ':')"
        }
        other => other,
    }
}

/// What YAML took for something else, where it stopped at byte `at` in the middle of a command.
fn in_command(file: &FileFacts, at: usize) -> Option<String> {
    if file.kind != FileKind::Buildspec {
        return None;
    }
    // There is no tree of it: the line itself is all there is.
    let before = file.slice(Span::new(0, at));
    let line = before.rsplit(['\n', '\r']).next()?;
    let item = line.trim_start().strip_prefix("- ")?;
    let item = item.trim_start();
    // The command's first character may be what stopped it.
    let first = item.chars().chain(rest(file, at).chars()).next()?;
    let cause = match first {
        '"' | '\'' => "the quotes at the start end the value where they close",
        '[' => "`[` at the start is the start of a list",
        '{' => "`{` at the start is the start of a mapping",
        '*' => "`*` at the start is the start of an alias",
        '>' | '|' => "this sign at the start is the start of a block",
        '@' | '`' | '%' => "no value may start with this sign",
        _ if item.contains(": ") => "the colon before it is the end of a key",
        _ => return None,
    };
    Some(format!(
        ". For YAML, {cause}: write the command on a line of its own below `- |`"
    ))
}

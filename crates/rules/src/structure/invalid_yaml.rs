//! The file is not YAML that CodeBuild or Copilot can read.
//!
//! ## What it does
//!
//! Reports where a buildspec or a Copilot manifest stops being YAML. What stands before the place is still
//! linted. A file that only one of the two YAML readers accepts, tagwright's own or libyaml, is a warning.
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
//! ## Sources
//!
//! - YAML 1.2.2; libyaml, which CodeBuild's and Copilot's readers follow.

use tagwright_flow::FileKind;
use tagwright_syntax::{Span, libyaml};

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
        let template = file
            .buildspec
            .as_ref()
            .is_some_and(|spec| spec.template.is_some());
        let Some(error) = file.error.as_ref().filter(|_| read) else {
            continue;
        };
        let at = (error.offset as usize).min(file.text.len());
        let span = Span::new(
            at,
            file.text[at..]
                .chars()
                .next()
                .map_or(at, |c| at + c.len_utf8()),
        );
        let draft = report.draft(
            file.id,
            span,
            format!("not valid YAML from here on: {}", error.message),
        );
        // Only asked where the first reader has given up: the answer decides how bad it is.
        let accepted = libyaml::read(&file.text).is_ok();
        report.add(if accepted || template {
            draft.severity(Severity::Warning)
        } else {
            draft
        });
    }
}

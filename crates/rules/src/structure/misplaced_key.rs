//! A key stands where CodeBuild does not look for it.
//!
//! ## What it does
//!
//! Finds keys that exist, but belong elsewhere: `artifacts` below `phases`, a phase at the top level or
//! inside another phase, `parameter-store` beside `env` instead of below it. Nearly always the line is
//! indented too far, or not far enough.
//!
//! ## Why it matters
//!
//! Below `phases`, CodeBuild stops with "Invalid buildspec phase name: artifacts. Expecting:
//! build,install,post_build,pre_build". Elsewhere it takes no notice: the phase does not run, the artifact
//! is not uploaded, the variable is not set.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - ./build.sh
//!   artifacts:
//!     files:
//!       - out/app.zip
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - ./build.sh
//! artifacts:
//!   files:
//!     - out/app.zip
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! Where another tool reads the key at this place; CodeBuild does not.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference for CodeBuild".

use crate::context::{Document, Report};
use crate::outline;
use tagwright_grammar::buildspec;
use tagwright_grammar::Unknown;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "misplaced-key",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("misplaced_key"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    for (entry, name, section) in outline::unknown_keys(document) {
        let Some(home) = buildspec::home(name, section) else {
            continue;
        };
        let belongs = match home.name {
            "the top level" => "belongs at the top level".to_owned(),
            "a phase" => "belongs into a phase".to_owned(),
            home => format!("belongs below {home}"),
        };
        let shown = outline::quoted(name);
        let rejected = section.unknown == Unknown::Rejected;
        let message = if rejected {
            format!(
                "CodeBuild will stop with \"Invalid buildspec phase name: {shown}. Expecting: \
                 build,install,post_build,pre_build\": `{shown}` {belongs}"
            )
        } else {
            format!(
                "`{shown}` {belongs}; {} CodeBuild takes no notice of it",
                section.place()
            )
        };
        let draft = report.draft(
            document.facts.id,
            document.tree.node(entry.key).span,
            message,
        );
        // Without these, something that the build is for does not happen.
        let vital = matches!(home.name, "`phases`" | "a phase")
            || matches!(name, "phases" | "artifacts");
        report.add(if rejected || vital {
            draft
        } else {
            draft.severity(Severity::Warning)
        });
    }
}

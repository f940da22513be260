//! A key that buildspecs do not have.
//!
//! ## What it does
//!
//! Finds keys that the reference does not list where they stand, and says which one was probably meant.
//! Files of version 0.1 may have other keys.
//!
//! ## Why it matters
//!
//! CodeBuild takes no notice of a key that it does not know: what stands below it has no effect, and no
//! message says so.
//!
//! ## Bad
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
//!   basedirectory: out
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
//!   base-directory: out
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! For a key that another tool reads from the same file, and for one that is newer than this version of
//! tagwright. A key that begins with `x-` needs no comment.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference for CodeBuild". That other keys are ignored is inferred from
//!   files in use that have some; no documentation says so.

use crate::context::{Document, Report};
use crate::outline;
use tagwright_grammar::buildspec;
use tagwright_grammar::Unknown;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "unknown-key",
    category: Category::Structure,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("unknown_key"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    for (entry, name, section) in outline::unknown_keys(document) {
        if section.unknown == Unknown::Rejected || buildspec::home(name, section).is_some() {
            continue;
        }
        let known = section.keys.iter().map(|key| key.name);
        let meant = match name {
            // The names of version 0.1.
            "environment_variables" => Some("env"),
            "plaintext" => Some("variables"),
            // It has a message of its own.
            _ if std::ptr::eq(section, &raw const buildspec::BATCH_STATIC_ENV)
                && buildspec::BATCH_ENV.key(name).is_some() =>
            {
                let message = format!(
                    "`{name}` has no effect in {}; it belongs below `batch.build-matrix.dynamic.env`",
                    section.name
                );
                let span = document.tree.node(entry.key).span;
                report.add(report.draft(document.facts.id, span, message));
                continue;
            }
            _ => tagwright_grammar::did_you_mean(name, known),
        };
        let advice = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
        let shown = outline::quoted(name);
        let message = format!(
            "CodeBuild knows no `{shown}` {}, and takes no notice of it{advice}",
            section.place()
        );
        let span = document.tree.node(entry.key).span;
        report.add(report.draft(document.facts.id, span, message));
    }
}

//! A phase that does not exist.
//!
//! ## What it does
//!
//! Finds keys below `phases` other than `install`, `pre_build`, `build` and `post_build`.
//!
//! ## Why it matters
//!
//! There are four phases, and no others can be added. CodeBuild stops with "Invalid buildspec phase name:
//! postbuild. Expecting: build,install,post_build,pre_build". A name that differs only in case is a warning: the
//! reference writes all names in lower case, and whether CodeBuild takes `Build` is not documented.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - ./build.sh
//!   postbuild:
//!     commands:
//!       - ./copy.sh
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
//!   post_build:
//!     commands:
//!       - ./copy.sh
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! No good reason if CodeBuild runs the file: it refuses the name. For another tool's file of the same
//! form, exclude the file.
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
    name: "unknown-phase",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("unknown_phase"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    for (entry, name, section) in outline::unknown_keys(document) {
        if section.unknown != Unknown::Rejected || buildspec::home(name, section).is_some() {
            continue;
        }
        let known = section.keys.iter().map(|key| key.name);
        let advice = match name {
            "deploy" | "deployment" | "release" | "publish" => {
                "; what deploys belongs into `post_build`".to_owned()
            }
            "test" | "tests" => "; tests belong into `build`".to_owned(),
            _ => tagwright_grammar::did_you_mean(name, known)
                .map_or_else(String::new, |meant| format!("; did you mean `{meant}`?")),
        };
        let span = document.tree.node(entry.key).span;
        if let Some(meant) = section
            .keys
            .iter()
            .find(|key| key.name.eq_ignore_ascii_case(name))
        {
            let message = format!(
                "the reference writes this phase `{}`; whether CodeBuild takes `{name}` for it is not documented",
                meant.name
            );
            let draft = report.draft(document.facts.id, span, message);
            report.add(draft.severity(Severity::Warning));
            continue;
        }
        let shown = outline::quoted(name);
        let message = format!(
            "CodeBuild will stop with \"Invalid buildspec phase name: {shown}. Expecting: \
             build,install,post_build,pre_build\"{advice}"
        );
        report.add(report.draft(document.facts.id, span, message));
    }
}

//! A runtime that CodeBuild does not have.
//!
//! ## What it does
//!
//! Compares the names below `runtime-versions` with those of the managed images, as of April 2026, and finds
//! versions that are no version numbers.
//!
//! ## Why it matters
//!
//! CodeBuild stops with "Unknown runtime named 'node'. This build image has the following runtimes: dotnet,
//! golang, java, nodejs, php, python, ruby".
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   install:
//!     runtime-versions:
//!       node: 22
//!   build:
//!     commands:
//!       - npm run build
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   install:
//!     runtime-versions:
//!       nodejs: 22
//!   build:
//!     commands:
//!       - npm run build
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! For an image of your own whose runtimes have other names, and for a runtime that is newer than this
//! version of tagwright.
//!
//! ## Sources
//!
//! - aws/aws-codebuild-docker-images, `runtimes.yml` of the images, as of April 2026.

use crate::context::{Document, Report};
use crate::outline;
use tagwright_grammar::runtimes::{self, Offer};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "unknown-runtime",
    category: Category::Structure,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("unknown_runtime"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    for (key, name, value) in outline::runtime_versions(document) {
        let Some(runtime) = runtimes::runtime(name) else {
            if name.contains('$') || name.starts_with("openjdk") {
                continue;
            }
            let meant = match name {
                "node" => Some("nodejs"),
                "go" => Some("golang"),
                "corretto" | "jdk" => Some("java"),
                _ => tagwright_grammar::did_you_mean(name, runtimes::RUNTIMES.iter().map(|r| r.name)),
            };
            let advice =
                meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
            let message =
                format!("CodeBuild will stop with \"Unknown runtime named '{name}'\"{advice}");
            report.add(report.draft(document.facts.id, tree.node(key).span, message));
            continue;
        };
        let version = tree.text(value).unwrap_or("");
        if runtime.offer(version) == Offer::Unknown && !version.is_empty() {
            let message = format!(
                "CodeBuild will stop with \"Unknown runtime version named '{version}' of {name}\"; \
                 there are {}",
                runtime.versions.join(", ")
            );
            report.add(report.draft(document.facts.id, tree.node(value).span, message));
        }
    }
}

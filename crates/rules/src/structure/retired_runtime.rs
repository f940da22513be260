//! A runtime version that no current image of CodeBuild has.
//!
//! ## What it does
//!
//! Compares the versions below `runtime-versions` with those of the managed images, as of April 2026.
//! Versions newer than that are not objected to.
//!
//! ## Why it matters
//!
//! The build works only on an image that AWS no longer maintains. On a current one CodeBuild stops with
//! "Unknown runtime version named '12' of nodejs. This build image has the following versions: 18"; on an
//! image of your own the setting has no effect at all. Which image a project uses stands outside the file, so
//! this is a note.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   install:
//!     runtime-versions:
//!       nodejs: 12
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
//! None. Another version may need changes of the code.
//!
//! ## When to silence it
//!
//! Where the project uses an old image on purpose, or an image of its own that has the version.
//!
//! ## Sources
//!
//! - aws/aws-codebuild-docker-images, `runtimes.yml` of the images, as of April 2026.

use crate::context::{Document, Report};
use crate::outline;
use tagwright_grammar::runtimes::{self, Offer};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "retired-runtime",
    category: Category::Structure,
    default: Some(Severity::Note),
    fixable: Fixable::Never,
    docs: docs!("retired_runtime"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    for (_, name, value) in outline::runtime_versions(document) {
        let Some(runtime) = runtimes::runtime(name) else {
            continue;
        };
        let version = tree.text(value).unwrap_or("");
        let offer = runtime.offer(version);
        if offer == Offer::Custom {
            let message = format!(
                "no current image of CodeBuild has `{name}: {version}` (as of {}): CodeBuild downloads and installs it in every \
                 build, and gets no security fixes for it",
                runtimes::AS_OF
            );
            report.add(report.draft(document.facts.id, tree.node(value).span, message));
        }
        if offer != Offer::Retired {
            continue;
        }
        let offered = if runtime.versions.is_empty() {
            "the runtime is no longer offered".to_owned()
        } else if name == "docker" {
            "most images have Docker without it: remove the line".to_owned()
        } else {
            format!("there are {}", runtime.versions.join(", "))
        };
        let message = format!(
            "no current image of CodeBuild has `{name}: {version}` (as of {}); {offered}",
            runtimes::AS_OF
        );
        report.add(report.draft(document.facts.id, tree.node(value).span, message));
    }
}

//! A build of a batch has no identifier, a wrong one, or one that is taken.
//!
//! ## What it does
//!
//! Checks `identifier` in `build-list` and `build-graph`: it must be there, be made of letters, digits and
//! `_`, and be unique in its list.
//!
//! ## Why it matters
//!
//! CodeBuild names the builds of a batch by their identifiers and does not start a batch in which one is
//! wrong.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! batch:
//!   build-list:
//!     - identifier: linux-amd64
//!       buildspec: ci/amd64.yml
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! batch:
//!   build-list:
//!     - identifier: linux_amd64
//!       buildspec: ci/amd64.yml
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! No good reason if the batch is run: CodeBuild refuses the identifier.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Batch build buildspec reference".
//! - aws/eks-anywhere-build-tooling, pull request 589, about dashes.

use std::collections::HashMap;

use tagwright_syntax::Span;

use crate::context::{Document, Report};
use crate::outline;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "batch-identifier",
    category: Category::Structure,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("batch_identifier"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    for builds in outline::batch_lists(document) {
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for build in builds {
            let Some(node) = tree
                .get(build, "identifier")
                .filter(|id| !tree.is_null(*id))
            else {
                let merged = tree.entry(build, "<<").is_some();
                if tree.mapping(build).is_some() && !merged {
                    let message = "this build of the batch needs an `identifier`";
                    report.add(report.draft(document.facts.id, tree.node(build).span, message));
                }
                continue;
            };
            let Some(name) = tree.text(node).filter(|name| !name.contains('$')) else {
                continue;
            };
            let span = tree.node(node).span;
            let draft = |message: String| report.draft(document.facts.id, span, message);
            let draft = if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                draft(format!(
                    "the identifier `{name}` may have only letters, digits and `_`"
                ))
            } else if let Some(first) = seen.get(name) {
                draft(format!(
                    "another build of the batch is already called `{name}`"
                ))
                .related(document.facts.id, *first, "this one")
            } else {
                seen.insert(name, span);
                continue;
            };
            report.add(draft);
        }
    }
}

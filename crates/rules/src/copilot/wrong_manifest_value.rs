//! A value in a manifest of Copilot has a shape or a word that its key cannot have.
//!
//! ## What it does
//!
//! Finds mappings, lists and text where Copilot 1.33 reads something else, numbers and `true` in quotes,
//! durations without a unit, and words that are none of the key's. A value with `${…}` is left alone. The
//! main `image` is the business of `image-form`.
//!
//! ## Why it matters
//!
//! Copilot cannot read the manifest, or refuses the value: `svc deploy` and `svc package` stop with an
//! error before anything is built.
//!
//! ## Bad
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   location: nginx:1.27
//! cpu: "256"
//! ```
//!
//! ## Good
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   location: nginx:1.27
//! cpu: 256
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! No good reason if Copilot reads the manifest: it refuses it. For a template that is filled in first,
//! exclude the file.
//!
//! ## Sources
//!
//! - aws/copilot-cli `internal/pkg/manifest` (v1.33): the structures, how they are read, and `validate.go`.
//! - go-yaml v3 `decode.go`: quoted scalars are text; a duration needs its unit.

use crate::context::{Document, Report};
use crate::outline;
use tagwright_grammar::walk::{self, Problem};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "wrong-manifest-value",
    category: Category::Copilot,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("wrong_manifest_value"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    for problem in outline::manifest_problems(document) {
        let (node, message) = match problem {
            Problem::WrongType { node, expected } => {
                let is = walk::found(tree, *node);
                (node, format!("must be {expected}, but this is {is}"))
            }
            Problem::InvalidValue { node, allowed, .. } => {
                (node, format!("must be {allowed}: Copilot refuses the manifest"))
            }
            Problem::UnknownKey { .. } => continue,
        };
        let path = tree.path(*node).to_string();
        // `image-form` says it with the reason.
        if path == "image" || path.starts_with("environments.") && path.ends_with(".image") {
            continue;
        }
        let span = tree.node(*node).span;
        report.add(report.draft(document.facts.id, span, format!("`{path}` {message}")));
    }
}

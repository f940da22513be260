//! A key that the manifests of Copilot do not have.
//!
//! ## What it does
//!
//! Compares the manifests of services, jobs, environments and pipelines with the keys that Copilot 1.33 reads
//! for their type, and says which one was probably meant. Sections of `environments` are looked at as well.
//!
//! ## Why it matters
//!
//! Copilot takes no notice of a key that it does not know: the deployment goes through without the setting,
//! and no message says so.
//!
//! ## Bad
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   location: nginx:1.27
//!   port: 80
//! variable:
//!   STAGE: test
//! ```
//!
//! ## Good
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   location: nginx:1.27
//!   port: 80
//! variables:
//!   STAGE: test
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! For a key that an extension of your own reads from the manifest, and for one of a release after 1.33.
//!
//! ## Sources
//!
//! - aws/copilot-cli `internal/pkg/manifest` (v1.33): the structures and their YAML tags, read by yaml.v3
//!   without its strict mode.

use crate::context::{Document, Report};
use crate::outline;
use tagwright_grammar::walk::Problem;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "unknown-manifest-key",
    category: Category::Copilot,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("unknown_manifest_key"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    for problem in outline::manifest_problems(document) {
        let Problem::UnknownKey {
            entry,
            name,
            section,
        } = problem
        else {
            continue;
        };
        let known = section.all_keys().into_iter().map(|key| key.name);
        let advice = tagwright_grammar::did_you_mean(name, known)
            .map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
        let message = format!(
            "Copilot knows no `{}` {}, and takes no notice of it{advice}",
            outline::quoted(name),
            section.place()
        );
        let span = document.tree.node(entry.key).span;
        report.add(report.draft(document.facts.id, span, message));
    }
}

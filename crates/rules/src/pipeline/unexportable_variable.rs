//! A variable is listed for export that CodeBuild does not export.
//!
//! ## What it does
//!
//! Finds names in `env.exported-variables` whose values come from `env.secrets-manager` or `env.parameter-store`, and
//! names that start with `AWS_`.
//!
//! ## Why it matters
//!
//! CodeBuild does not export secrets, parameters and its own `AWS_` variables. An action of the pipeline that reads
//! `#{Namespace.NAME}` does not get the value.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   parameter-store:
//!     DB_HOST: /shop/db/host
//!   exported-variables:
//!     - DB_HOST
//! phases:
//!   build:
//!     commands:
//!       - make package
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   parameter-store:
//!     DB_HOST: /shop/db/host
//! phases:
//!   build:
//!     commands:
//!       - make package
//! ```
//!
//! ## Fix
//!
//! None. The action that needs the value can read the secret or the parameter itself; a Region can be exported under
//! another name.
//!
//! ## When to silence it
//!
//! Where a command gives the variable another value before the build ends and the export is seen to work.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference for CodeBuild", `env/exported-variables`.

use tagwright_syntax::yaml::Entry;

use crate::context::{Document, Report};
use crate::{Category, Check, Fixable, Rule, Severity, outline};

pub(crate) static RULE: Rule = Rule {
    name: "unexportable-variable",
    category: Category::Pipeline,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("unexportable_variable"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    let spec = document.buildspec.as_ref();
    let Some(spec) = spec.filter(|_| outline::root(document).is_some()) else {
        return;
    };
    for node in &spec.env.exported_variables {
        let Some(name) = tree.text(*node) else {
            continue;
        };
        let is_in = |entries: &[Entry]| {
            let mut entries = entries.iter();
            entries.find(|entry| tree.text(entry.key) == Some(name)).copied()
        };
        let store = is_in(&spec.env.secrets_manager)
            .map(|entry| (entry, "a secret"))
            .or_else(|| is_in(&spec.env.parameter_store).map(|entry| (entry, "a parameter")));
        let span = tree.node(*node).span;
        let draft = match store {
            Some((entry, what)) => {
                let message = format!(
                    "`{name}` is {what}, and CodeBuild does not export it: later actions get no value"
                );
                let place = tree.node(entry.key).span;
                let draft = report.draft(document.facts.id, span, message);
                draft.related(document.facts.id, place, "its value comes from here")
            }
            None if name.starts_with("AWS_") => {
                let message = format!(
                    "CodeBuild does not export variables that start with `AWS_`: later actions get no value for `{name}`. \
                     Copy it to a variable with another name"
                );
                report.draft(document.facts.id, span, message)
            }
            None => continue,
        };
        report.add(draft);
    }
}

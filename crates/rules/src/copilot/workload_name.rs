//! A Copilot manifest has another name than its folder.
//!
//! ## What it does
//!
//! Compares `name` in `copilot/<folder>/manifest.yml` and `copilot/environments/<folder>/manifest.yml` with
//! the folder.
//!
//! ## Why it matters
//!
//! Copilot looks a manifest up by its folder and stops at "name of the manifest and directory do not match".
//!
//! ## Bad
//!
//! ```yaml copilot/web/manifest.yml
//! name: frontend
//! type: Backend Service
//! image:
//!   build: Dockerfile
//! ```
//!
//! ## Good
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   build: Dockerfile
//! ```
//!
//! ## Fix
//!
//! None: whether the folder or the name is right depends on what has been deployed.
//!
//! ## When to silence it
//!
//! No good reason if Copilot finds the workload by its folder; where the manifest is copied to another
//! folder first, exclude the file.
//!
//! ## Sources
//!
//! - aws/copilot-cli `internal/pkg/workspace/workspace.go` (v1.33), `manifestNameMatchWithDir`.

use tagwright_flow::FileKind;

use crate::context::{Document, Report};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "workload-name",
    category: Category::Copilot,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("workload_name"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let folders = match document.facts.kind {
        FileKind::CopilotWorkload => 1,
        FileKind::CopilotEnvironment => 2,
        _ => return,
    };
    let mut path = document.facts.path.rsplit('/');
    let (Some("manifest.yml"), Some(folder)) = (path.next(), path.next()) else {
        return;
    };
    let inside = if folders == 1 {
        path.next() == Some("copilot")
    } else {
        path.next() == Some("environments") && path.next() == Some("copilot")
    };
    let Some(entry) = document
        .tree
        .root()
        .and_then(|root| document.tree.entry(root, "name"))
    else {
        return;
    };
    let name = document.tree.text(entry.value).unwrap_or("");
    if !inside || name.is_empty() || name == folder || name.contains(['$', '{', '<', '%']) {
        return;
    }
    let span = document.tree.node(document.tree.resolve(entry.value)).span;
    let message =
        format!("the manifest is called `{name}` but lies in `{folder}`: Copilot refuses it");
    report.add(report.draft(document.facts.id, span, message));
}

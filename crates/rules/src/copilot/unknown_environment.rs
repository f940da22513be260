//! A Copilot manifest names an environment that the workspace does not have.
//!
//! ## What it does
//!
//! Compares the sections of `environments` in the manifests of services and jobs, and the stages of
//! pipelines, with the folders in `copilot/environments`, if there are any.
//!
//! ## Why it matters
//!
//! A section for an environment that does not exist is never applied, and a stage for one stops the
//! pipeline. An environment that was made before Copilot 1.20 may have no manifest; hence a note.
//!
//! ## Bad
//!
//! ```yaml copilot/environments/staging/manifest.yml
//! name: staging
//! type: Environment
//! ```
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   build: Dockerfile
//! environments:
//!   stagign:
//!     count: 2
//! ```
//!
//! ## Good
//!
//! ```yaml copilot/environments/staging/manifest.yml
//! name: staging
//! type: Environment
//! ```
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   build: Dockerfile
//! environments:
//!   staging:
//!     count: 2
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! Where the environment was made without a manifest, as Copilot before 1.20 did it, and is in no file of
//! the repository.
//!
//! ## Sources
//!
//! - aws/copilot-cli `internal/pkg/workspace/workspace.go` (v1.33): the folders of a workspace.

use std::collections::{BTreeMap, BTreeSet};

use tagwright_flow::FileKind;
use tagwright_syntax::copilot::PipelineManifest;
use tagwright_syntax::yaml::NodeId;

use crate::context::{Context, Report};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "unknown-environment",
    category: Category::Copilot,
    default: Some(Severity::Note),
    fixable: Fixable::Never,
    docs: docs!("unknown_environment"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in context.workspace.files() {
        if file.kind == FileKind::CopilotEnvironment
            && let Some((root, rest)) = split(&file.path)
            && let Some(name) = rest
                .strip_prefix("environments/")
                .and_then(|rest| rest.split('/').next())
        {
            known.entry(root).or_default().insert(name);
        }
    }
    if known.is_empty() {
        return;
    }
    for file in context.workspace.files() {
        let Some(known) = split(&file.path).and_then(|(root, _)| known.get(root)) else {
            continue;
        };
        let workload = file.kind == FileKind::CopilotWorkload
            && file.may_hold("environments");
        if !workload && file.kind != FileKind::CopilotPipeline {
            continue;
        }
        let tree = file.tree();
        let Some(root) = tree.root() else { continue };
        let names: Vec<NodeId> = if workload {
            tree.get(root, "environments")
                .and_then(|node| tree.mapping(node))
                .map_or_else(Vec::new, |sections| {
                    sections.entries.iter().map(|entry| entry.key).collect()
                })
        } else {
            PipelineManifest::read(&tree, root).map_or_else(Vec::new, |pipeline| {
                pipeline
                    .stages
                    .iter()
                    .filter_map(|stage| stage.name)
                    .collect()
            })
        };
        for node in names {
            let Some(name) = tree.text(node).filter(|name| !known.contains(name)) else {
                continue;
            };
            let all: Vec<&str> = known.iter().copied().collect();
            let message = format!(
                "there is no environment `{name}` in `copilot/environments`, which has {}",
                all.join(", ")
            );
            report.add(report.draft(file.id, tree.node(node).span, message));
        }
    }
}

/// The path of the `copilot` folder, and what follows it.
fn split(path: &str) -> Option<(&str, &str)> {
    if let Some(rest) = path.strip_prefix("copilot/") {
        return Some(("", rest));
    }
    let at = path.find("/copilot/")?;
    Some((&path[..at], &path[at + "/copilot/".len()..]))
}

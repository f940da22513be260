//! Manifests of Copilot's services and jobs.

use tagwright_syntax::copilot::{Images, WorkloadKind, WorkloadManifest};
use tagwright_syntax::yaml::NodeId;

use crate::expression::Expansion;
use crate::facts::{FileFacts, WorkloadFacts};
use crate::scan::{self, DataReference, Source};
use crate::tools::{Role, Tool};

pub(super) fn workload(facts: &mut FileFacts, source: &Source<'_>, root: NodeId) {
    let Some(manifest) = WorkloadManifest::read(source.tree, root) else {
        return;
    };
    let folder = facts.path.rsplit('/').nth(1).unwrap_or_default().to_owned();
    let name = manifest
        .name
        .and_then(|id| source.tree.text(id))
        .map_or(folder, str::to_owned);
    facts.workload = Some(WorkloadFacts {
        kind: manifest.kind,
        name: name.as_str().into(),
        builds: manifest.builds() && manifest.kind != WorkloadKind::StaticSite,
        builds_per_environment: manifest.builds_per_environment(),
        builds_only_sidecars: manifest.builds_only_sidecars(),
    });
    images(facts, source, &manifest.images);
    for (_, section) in &manifest.environments {
        images(facts, source, section);
    }
}

fn images(facts: &mut FileFacts, source: &Source<'_>, images: &Images) {
    let mut add = |node: NodeId, role: Role| {
        scan::data_reference(
            facts,
            &DataReference {
                node,
                role,
                tool: Tool::Copilot,
                expansion: Expansion::CopilotManifest,
                source,
            },
        );
    };
    for node in images.location.iter().chain(&images.plain) {
        add(*node, Role::Deploy);
    }
    for (_, node) in &images.sidecars {
        add(*node, Role::Deploy);
    }
    for node in &images.cache_from {
        add(*node, Role::Cache);
    }
    if let Some(node) = images.logging {
        add(node, Role::Deploy);
    }
}

//! Compose files: what is built and run on developers' machines.

use tagwright_syntax::yaml::NodeId;

use crate::expression::{Expansion, Reason};
use crate::facts::FileFacts;
use crate::scan::{self, DataReference, Source};
use crate::tools::{Role, Tool};

pub(super) fn compose(facts: &mut FileFacts, source: &Source<'_>, root: NodeId) {
    let Some(services) = source
        .tree
        .get(root, "services")
        .and_then(|id| source.tree.mapping(id))
    else {
        return;
    };
    for service in &services.entries {
        let Some(image) = source.tree.get(service.value, "image") else {
            continue;
        };
        let role = if source.tree.get(service.value, "build").is_some() {
            Role::Build
        } else {
            Role::Run
        };
        scan::data_reference(
            facts,
            &DataReference {
                node: image,
                role,
                tool: Tool::Other,
                expansion: Expansion::Never(Reason::Compose),
                source,
            },
        );
    }
}

//! Kubernetes manifests.

use tagwright_syntax::yaml::NodeId;

use super::shared::{deploy, every};
use crate::expression::Reason;
use crate::facts::FileFacts;
use crate::scan::Source;
use crate::tools::Tool;

pub(super) fn kubernetes(facts: &mut FileFacts, source: &Source<'_>, root: NodeId) {
    every(source.tree, root, &mut |key, value| {
        if key == "image" {
            deploy(facts, source, value, Tool::Kubectl, Reason::Kubernetes);
        }
    });
}

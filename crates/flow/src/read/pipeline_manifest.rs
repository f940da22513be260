//! Manifests of Copilot's pipelines.

use tagwright_syntax::copilot::PipelineManifest;
use tagwright_syntax::yaml::NodeId;

use super::shared::{build_image, keep};
use crate::delivery;
use crate::expression::Reason;
use crate::facts::FileFacts;
use crate::scan::Source;

pub(super) fn pipeline(facts: &mut FileFacts, source: &Source<'_>, root: NodeId) {
    let Some(manifest) = PipelineManifest::read(source.tree, root) else {
        return;
    };
    facts.pipeline_stages = manifest
        .stages
        .iter()
        .filter_map(|stage| source.tree.text(stage.name?).map(Into::into))
        .collect();
    if let Some(image) = manifest.build_image {
        build_image(facts, source, image, Reason::PipelineManifest);
    }
    keep(
        facts,
        delivery::copilot::read(source.tree, &manifest, &facts.path),
    );
}

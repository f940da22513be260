//! Files that hold nothing but images to run: ECS task definitions, the image definitions of CodePipeline,
//! `Dockerrun.aws.json`.

use tagwright_syntax::yaml::NodeId;

use super::shared::{deploy, every, keep};
use crate::delivery::{DeliveryFacts, cloudformation};
use crate::expression::Reason;
use crate::facts::FileFacts;
use crate::scan::Source;
use crate::tools::Tool;

pub(super) fn task_definition(facts: &mut FileFacts, source: &Source<'_>, root: NodeId) {
    every(source.tree, root, &mut |key, value| {
        if key == "image" {
            deploy(facts, source, value, Tool::AwsEcs, Reason::TaskDefinition);
        }
    });
    let mut found = DeliveryFacts::default();
    let keys = ["containerDefinitions", "name"];
    cloudformation::containers(&mut found, source.tree, root, keys);
    keep(facts, found);
}

pub(super) fn image_definitions(facts: &mut FileFacts, source: &Source<'_>, root: NodeId) {
    every(source.tree, root, &mut |key, value| {
        if matches!(key, "imageUri" | "ImageURI") {
            deploy(
                facts,
                source,
                value,
                Tool::ImageDefinitions,
                Reason::ImageDefinitions,
            );
        }
    });
}

/// Version 1 has one image, versions 2 and 3 containers.
pub(super) fn dockerrun(facts: &mut FileFacts, source: &Source<'_>, root: NodeId) {
    let one = source.tree.get(root, "Image");
    if let Some(name) = one.and_then(|image| source.tree.get(image, "Name")) {
        deploy(facts, source, name, Tool::Other, Reason::Dockerrun);
    }
    every(source.tree, root, &mut |key, value| {
        if key == "image" {
            deploy(facts, source, value, Tool::Other, Reason::Dockerrun);
        }
    });
}

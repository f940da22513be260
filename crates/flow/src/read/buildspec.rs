//! The batch of a buildspec: the builds that it describes and the images that they run in. Its commands are
//! read in `scan`, as the shell text of every other kind of file is.

use tagwright_syntax::yaml::NodeId;

use super::shared::{build_image, every, keep};
use crate::delivery;
use crate::expression::Reason;
use crate::facts::FileFacts;
use crate::scan::Source;

/// The build images of a batch: CodeBuild pulls them to run the build in.
pub(super) fn batch(facts: &mut FileFacts, source: &Source<'_>, root: NodeId) {
    let Some(batch) = source.tree.get(root, "batch") else {
        return;
    };
    keep(facts, delivery::batch::read(source.tree, batch));
    every(source.tree, batch, &mut |key, value| {
        if key != "image" {
            return;
        }
        let values = match source.tree.sequence(value) {
            Some(list) => list.items.clone(),
            None => vec![value],
        };
        for node in values {
            build_image(facts, source, node, Reason::Batch);
        }
    });
}

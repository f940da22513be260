//! A fix leaves no old name behind: before an image's `latest` moves, the whole repository is searched for places
//! that would go on naming it.

use std::collections::{BTreeSet, HashSet};

use tagwright_flow::facts::TagValue;
use tagwright_flow::mentions::Mention;
use tagwright_flow::{FileId, UseId};

use crate::context::{Context, Place, pushes};

/// Whether the `places`, all of which move, are all places of their images.
///
/// # Errors
/// A place that would be left behind, and why it does not move.
pub(crate) fn check(
    context: &Context<'_>,
    places: &[(Place<'_>, &TagValue)],
) -> Result<(), String> {
    let moved: HashSet<UseId> = places.iter().map(|(place, _)| place.id).collect();
    let pushed = places.iter().filter(|(place, _)| pushes(place.image.role));
    let flows: BTreeSet<usize> = pushed
        .filter_map(|(place, _)| context.mentions().flow_of(place.id))
        .collect();
    for index in flows {
        let flow = &context.workspace.flows()[index];
        let stays = flow.uses.iter().any(|id| {
            let image = context.workspace.image_use(*id);
            pushes(image.role) && image.may_be_latest() && !moved.contains(id)
        });
        // What is still pushed can still be read.
        if stays {
            continue;
        }
        let files: BTreeSet<FileId> = flow.uses.iter().map(|id| id.file).collect();
        let files: Vec<FileId> = files.into_iter().collect();
        let left = context.mentions().left_behind(
            context.workspace,
            &flow.name,
            Some(index),
            &files,
            &moved,
        );
        if let Some(mention) = left {
            return Err(reason(&mention));
        }
    }
    Ok(())
}

fn reason(mention: &Mention) -> String {
    let place = format!("{}:{}", mention.path, mention.position.line);
    if mention.redeploys {
        return format!(
            "{place} (`{}`) deploys what an existing definition names, and nothing would push that tag any more",
            mention.written
        );
    }
    format!(
        "{place} still names `{}`, and nothing would push that tag any more",
        mention.written
    )
}

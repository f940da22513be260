//! A fix leaves no old name behind: before an image's `latest` moves, the whole repository is searched for places
//! that would go on naming it.

use std::collections::BTreeSet;

use tagwright_flow::FileId;
use tagwright_flow::facts::TagValue;
use tagwright_flow::mentions::{Mention, Moved};

use super::handed_over;
use crate::context::{Context, Place, pushes};
use crate::{Refusal, RefusalCode};

/// Whether the `places`, all of which move, are all places of their images.
///
/// # Errors
/// A place that would be left behind, and why it does not move.
pub(super) fn check<'a>(
    context: &Context<'a>,
    places: &[(Place<'a>, &TagValue)],
) -> Result<(), Refusal> {
    let written = places
        .iter()
        .flat_map(|(place, tag)| handed_over::origins(context, place, tag));
    let moved = Moved {
        uses: places.iter().map(|(place, _)| place.id).collect(),
        written: written.collect(),
    };
    let pushed = places.iter().filter(|(place, _)| pushes(place.image.role));
    let flows: BTreeSet<usize> = pushed
        .filter_map(|(place, _)| context.mentions().flow_of(place.id))
        .collect();
    for index in flows {
        let flow = &context.workspace.flows()[index];
        let stays = flow.uses.iter().any(|id| {
            let image = context.workspace.image_use(*id);
            pushes(image.role) && image.is_latest() && !moved.uses.contains(id)
        });
        // What is still pushed can still be read. What is pushed as `latest` only where a variable is empty is not: a
        // build knows its commit.
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
            return Err(refusal(&mention));
        }
    }
    Ok(())
}

fn refusal(mention: &Mention) -> Refusal {
    let Mention {
        path,
        position,
        written,
        ..
    } = mention;
    let place = format!("{path}:{}", position.line);
    let message = if mention.redeploys {
        format!(
            "{place} (`{written}`) deploys what an existing definition names, and nothing would push that tag any more"
        )
    } else {
        format!("{place} still names `{written}`, and nothing would push that tag any more")
    };
    let refusal = Refusal::new(RefusalCode::LeftBehind, message);
    let what = format!("`{written}`");
    match mention.file {
        Some(file) => refusal.at(file, mention.span, what),
        None => refusal.elsewhere(&**path, (position.line, position.column), what),
    }
}

//! Files that a build hands to what deploys them as they are: manifests that it applies, task definitions that it
//! registers, image definitions among its artifacts. No shell expands anything in them, so the tag is put in by a
//! command in front of the one that hands the file on.

use tagwright_flow::FileKind;
use tagwright_flow::facts::{FileFacts, ImageFiles, Order, TagValue};

use super::definition::{Insertion, at_the_end, before};
use super::joined::Tagged;
use crate::context::{Context, Place};
use crate::delivery::folder;
use crate::handover::lists;
use crate::rewritten;

/// A command that writes the tag into a file, and where it goes.
pub(super) struct Rewrite<'a> {
    /// The buildspec.
    pub(super) file: &'a FileFacts,
    /// Where in it.
    pub(super) place: Insertion<'a>,
    /// When it runs.
    pub(super) order: Order,
    /// The command.
    pub(super) command: String,
}

/// The command that puts `tag` in the place of `value`, if one buildspec of those that move hands the file on, and
/// the reference is the only text of its kind in it.
pub(super) fn rewrite<'a>(
    context: &Context<'a>,
    places: &[Tagged<'a>],
    place: &Place<'a>,
    value: &TagValue,
    tag: &str,
) -> Option<Rewrite<'a>> {
    let data = place.file;
    let reference = &*place.image.written;
    let repository = reference.strip_suffix(":latest")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
    if !rewritten::is_data(data)
        || !value.kind.is_literal_latest()
        || !repository.chars().all(plain)
    {
        return None;
    }
    // Nothing but places of this image may have the text in it.
    let own = data
        .uses
        .iter()
        .filter(|image| image.written == reference)
        .count();
    if data.occurrences(reference) != own {
        return None;
    }
    let mut specs: Vec<&FileFacts> = places
        .iter()
        .map(|(place, _)| place.file)
        .filter(|file| file.buildspec.is_some())
        .collect();
    specs.dedup_by_key(|file| file.id);
    let mut found = specs.into_iter().filter_map(|file| {
        let (place, order) = hand_over(context, file, data)?;
        Some((file, place, order))
    });
    let (file, at, order) = found.next()?;
    // Whoever else hands it on would deploy the old text.
    let others = context.workspace.files().iter();
    let alone = others
        .filter(|other| hands_on(context, other, data).is_some())
        .count()
        <= 1;
    if found.next().is_some() || !alone || file.habits().moves {
        return None;
    }
    let pattern = reference.replace('.', "\\.");
    Some(Rewrite {
        file,
        place: at,
        order,
        command: format!(
            "sed -i \"s|{pattern}|{repository}:{tag}|\" {}",
            from_build(context, file, &data.path)
        ),
    })
}

/// The path as the commands of `file` write it. A build starts in the folder of its buildspec where its source is
/// that folder; then nothing in the repository is called by the path from its root.
fn from_build<'p>(context: &Context<'_>, file: &FileFacts, path: &'p str) -> &'p str {
    let below = path.strip_prefix(folder(&file.path)).unwrap_or(path);
    let has = |path: &str| file.handed_on.iter().any(|it| holds(&it.path, path));
    let mut files = context.workspace.files().iter();
    if !has(path) && has(below) && !files.any(|it| *it.path == *below) {
        below
    } else {
        path
    }
}

/// Whether the path that a command is given is this file's, or that of a folder around it.
fn holds(given: &str, path: &str) -> bool {
    let rest = path.strip_prefix(given.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        || given == "." && !path.contains('/')
}

/// Where in `file` the command belongs that writes into `data` before it is handed on.
fn hand_over<'a>(
    context: &Context<'_>,
    file: &'a FileFacts,
    data: &FileFacts,
) -> Option<(Insertion<'a>, Order)> {
    if data.kind == FileKind::ImageDefinitions {
        let spec = file.buildspec.as_ref()?;
        let at_root = spec.image_files == ImageFiles::Listed && !data.path.contains('/');
        let end = spec.lists.iter().map(|list| list.items.1).max()?;
        let last = Order {
            item: end.checked_sub(1)?,
            command: 0,
        };
        let listed = at_root || lists(file, &data.path);
        return listed.then(|| (at_the_end(file), last));
    }
    let order = hands_on(context, file, data)?;
    Some((before(file, order), order))
}

/// When the first command of `file` hands `data` on.
fn hands_on(context: &Context<'_>, file: &FileFacts, data: &FileFacts) -> Option<Order> {
    let path = from_build(context, file, &data.path);
    let handed = file.handed_on.iter().filter(|it| holds(&it.path, path));
    handed.map(|it| it.order).min()
}

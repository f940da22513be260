//! Files that a build hands to what deploys them as they are: manifests that it applies, task definitions that it
//! registers, image definitions among its artifacts. No shell expands anything in them, so the tag is put in by a
//! command in front of the one that hands the file on.

use tagwright_flow::FileKind;
use tagwright_flow::facts::{FileFacts, ImageFiles, Order, TagValue};

use super::definition::{Insertion, at_the_end, before};
use super::joined::Tagged;
use crate::context::{Context, Place};
use crate::delivery::folder;
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
    context: &Context<'a>,
    file: &'a FileFacts,
    data: &FileFacts,
) -> Option<(Insertion<'a>, Order)> {
    if let Some(order) = hands_on(context, file, data).or_else(|| by_a_script(context, file, data))
    {
        return Some((before(file, order), order));
    }
    let spec = file.buildspec.as_ref()?;
    let end = spec.lists.iter().map(|list| list.items.1).max()?;
    let last = Order {
        item: end.checked_sub(1)?,
        command: 0,
    };
    is_artifact(file, data).then(|| (at_the_end(file), last))
}

/// When `file` runs the only script that hands `data` on, if nobody else runs that.
fn by_a_script(context: &Context<'_>, file: &FileFacts, data: &FileFacts) -> Option<Order> {
    let scripts = context.workspace.files().iter();
    let mut scripts =
        scripts.filter(|it| it.script.is_some() && hands_on(context, it, data).is_some());
    let script = scripts.next().filter(|_| scripts.next().is_none())?;
    let [(build, order)] = context.workspace.builds_of(script.id) else {
        return None;
    };
    let mut runs = context.workspace.runs_of(script.id);
    let at_the_root = runs.all(|(_, run)| run.directory.as_deref() == Some(""));
    let alone = *build == file.id && context.other_caller(script.id).is_none();
    (alone && at_the_root && !script.habits().moves).then_some(*order)
}

/// Whether CodePipeline reads `data` from the artifact of `file` as it is in the repository: no command names it.
fn is_artifact(file: &FileFacts, data: &FileFacts) -> bool {
    let Some(spec) = &file.buildspec else {
        return false;
    };
    let listed = match data.kind {
        FileKind::ImageDefinitions => spec.artifacts.iter().any(|it| takes(it, &data.path)),
        FileKind::TaskDefinition => spec.artifacts.iter().any(|it| **it == *data.path),
        _ => false,
    };
    let name = data.path.rsplit('/').next().unwrap_or(&data.path);
    let scripts = file.scripts();
    let untouched = !scripts.iter().any(|item| item.text.contains(name));
    listed
        && (untouched
            || spec.image_files == ImageFiles::Listed && data.kind == FileKind::ImageDefinitions)
}

/// Whether the pattern of an artifact is the file at `path`, or all files of a folder at whose top it stands.
fn takes(pattern: &str, path: &str) -> bool {
    let folder = ["**/*", "**", "*"]
        .iter()
        .find_map(|all| pattern.strip_suffix(all));
    match folder {
        Some(folder) => path
            .strip_prefix(folder)
            .is_some_and(|rest| !rest.contains('/')),
        None => pattern == path,
    }
}

/// When the first command of `file` hands `data` on.
fn hands_on(context: &Context<'_>, file: &FileFacts, data: &FileFacts) -> Option<Order> {
    let path = from_build(context, file, &data.path);
    let handed = file.handed_on.iter().filter(|it| holds(&it.path, path));
    handed.map(|it| it.order).min()
}

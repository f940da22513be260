//! Where what stands under the cursor comes from: the push of an image, the assignment of a variable.

use gen_lsp_types::Location;
use tagwright_flow::facts::{ImageUse, TagKind};
use tagwright_flow::tools::Role;
use tagwright_flow::workspace::writes;
use tagwright_flow::{FileId, UseId};
use tagwright_syntax::Span;

use crate::diagnostics::location;
use crate::hover::{flow_of, image_at};
use crate::position::floor;
use crate::root::Root;
use crate::server::View;

/// The places that make what stands at byte `offset` of the file `id`.
pub(crate) fn definition(
    view: &View<'_>,
    root: &Root,
    id: FileId,
    offset: usize,
) -> Option<Vec<Location>> {
    let places = assignments(view, root, id, offset)
        .filter(|places| !places.is_empty())
        .or_else(|| origins(view, root, id, offset))?;
    (!places.is_empty()).then_some(places)
}

/// Of a pushed image where it is built, of any other where it is pushed; with the same tag, if there is such a
/// place.
fn origins(view: &View<'_>, root: &Root, id: FileId, offset: usize) -> Option<Vec<Location>> {
    let (place, image) = image_at(root, id, offset)?;
    let flow = flow_of(root, place)?;
    let wanted = |role: Role| {
        if writes(image.role) {
            matches!(role, Role::Build | Role::BuildPush)
        } else {
            matches!(role, Role::Push | Role::BuildPush)
        }
    };
    let image_use = |place: &UseId| root.workspace.flow.image_use(*place);
    let mut places: Vec<UseId> = flow.uses.clone();
    places.retain(|other| *other != place && wanted(image_use(other).role));
    if places.iter().any(|other| same_tag(image_use(other), image)) {
        places.retain(|other| same_tag(image_use(other), image));
    }
    let places = places.iter();
    Some(
        places
            .filter_map(|other| location(view, root, other.file, image_use(other).span))
            .collect(),
    )
}

/// Whether the two may have one tag.
fn same_tag(one: &ImageUse, other: &ImageUse) -> bool {
    let keys = |image: &ImageUse| -> Vec<String> {
        image
            .tags
            .iter()
            .filter_map(|tag| match &tag.kind {
                TagKind::Implicit => Some("latest".to_owned()),
                TagKind::Literal(text) => Some(text.to_string()),
                TagKind::Variable(expression) => Some(expression.key()),
                TagKind::Digest | TagKind::Hidden | TagKind::All => None,
            })
            .collect()
    };
    let of_other = keys(other);
    keys(one).iter().any(|key| of_other.contains(key))
}

/// Where the file assigns the variable that is read at `offset`.
fn assignments(view: &View<'_>, root: &Root, id: FileId, offset: usize) -> Option<Vec<Location>> {
    let facts = root.workspace.flow.files().get(id.0 as usize)?;
    let name = variable_at(facts.slice(Span::new(0, facts.length())), offset)?;
    Some(
        facts
            .assignments
            .iter()
            .filter(|assignment| &*assignment.name == name)
            .filter_map(|assignment| location(view, root, id, assignment.span))
            .collect(),
    )
}

/// The name of the shell variable that `$NAME` or `${NAME…}` at byte `offset` reads.
fn variable_at(text: &str, offset: usize) -> Option<&str> {
    let is_part = |it: char| it == '_' || it.is_ascii_alphanumeric();
    let offset = floor(text, offset);
    let (before, after) = text.split_at(offset);
    // The cursor may stand on the `$` or the brace too.
    let opening = after
        .strip_prefix("${")
        .or_else(|| after.strip_prefix('$'))
        .or_else(|| after.strip_prefix('{').filter(|_| before.ends_with('$')));
    let start = match opening {
        Some(rest) => text.len() - rest.len(),
        None => before.trim_end_matches(is_part).len(),
    };
    let (before, name) = text.split_at(start);
    if !(before.ends_with('$') || before.ends_with("${")) {
        return None;
    }
    let name = &name[..name.find(|it| !is_part(it)).unwrap_or(name.len())];
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_found_from_every_place_in_it() {
        let text = "push ${TAG:-x}:$B é";
        let at = |offset| variable_at(text, offset);
        for offset in 5..=10 {
            assert_eq!(at(offset), Some("TAG"), "{offset}");
        }
        assert_eq!(at(15), Some("B"));
        assert_eq!(at(17), Some("B"));
        assert_eq!(at(0), None);
        assert_eq!(at(12), None);
        assert_eq!(at(19), None);
        assert_eq!(at(99), None);
    }
}

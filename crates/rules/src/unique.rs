//! A tag that several builds share, made new for every build, everywhere at once.
//!
//! The tag gets the build's id behind it, or the commit if another build deploys it: where it is written or, if all
//! places read one variable that nothing else reads, where that is set. Versions that people raise stay.

use tagwright_flow::Flow;
use tagwright_flow::expression::Site;
use tagwright_flow::facts::{AssignmentPlace, FileFacts, ImageUse, TagKind, TagValue};
use tagwright_flow::tools::Role;

use crate::context::{Context, pushes};
use crate::environment;
use crate::plan::tag_choice::{self, Part, Used};
use crate::settings::Strategy;
use crate::shared_variables::Sharing;
use crate::shell_text::whole_variable;
use crate::variables::{Constancy, behind, constancy, replace, tag_site};
use crate::{Applicability, Change, Fix, Refusal, RefusalCode, WordEffect};

/// One place whose tag has to move with the others.
type Tagged<'a> = (&'a FileFacts, &'a ImageUse, &'a TagValue);

/// A tag's canonical spelling: equal for tags that are surely the same text.
pub(crate) fn key(tag: &TagValue) -> Option<String> {
    match &tag.kind {
        TagKind::Literal(text) => Some(text.to_string()),
        TagKind::Variable(expression) => Some(expression.key()),
        TagKind::Implicit | TagKind::Digest | TagKind::Hidden | TagKind::All => None,
    }
}

/// Every finding of a group carries the whole group's fix, up to this many of them: the text of a fix grows
/// with the group, too.
const COPIES: usize = 200;

/// The fix of a group for its next finding, of which `made` have one already.
pub(crate) fn copy(fix: &Result<Fix, Refusal>, made: &mut usize) -> Result<Fix, Refusal> {
    *made += 1;
    if *made <= COPIES {
        fix.clone()
    } else {
        fix.as_ref().map_err(Clone::clone).and_then(|_| {
            Err(Refusal::new(
                RefusalCode::CoveredElsewhere,
                "the fix of the first such place covers this one, too",
            ))
        })
    }
}

/// Makes the tag with this `key` new for every build, in all places of the flow and in `bare`, a place that
/// names the tag without a repository.
pub(crate) fn make_unique<'a>(
    context: &Context<'a>,
    flow: &'a Flow,
    wanted: &str,
    bare: Option<(&'a FileFacts, &'a ImageUse)>,
) -> Result<Fix, Refusal> {
    let places: Vec<Tagged<'a>> = context
        .places(flow)
        .map(|place| (place.file, place.image))
        .chain(bare)
        .flat_map(|(file, image)| image.tags.iter().map(move |tag| (file, image, tag)))
        .filter(|(_, _, tag)| key(tag).as_deref() == Some(wanted))
        .collect();
    may_change(&places)?;
    let settings = context.settings;
    let used: Vec<Used<'a>> = places
        .iter()
        .map(|(file, image, _)| (*file, *image))
        .collect();
    let constant = places
        .iter()
        .any(|(_, image, tag)| constancy(tag, settings, &image.loops) == Constancy::Constant);
    if constant && settings.strategy == Strategy::RepositoryPerBranch {
        for (_, image, _) in &places {
            environment::own_repository(settings, &image.repository)?;
        }
    }
    let pattern = places.first().map(|(_, _, tag)| tag_choice::pattern(tag));
    let suffix = match tag_choice::part(context, &used, &pattern.unwrap_or_default())? {
        // Whoever asks wants the tag to change.
        Part::None => Part::Build,
        part => part,
    };
    for (file, _, tag) in &places {
        // As it is written, it names the variable that holds the branch.
        let written = if tag.written.contains('$') {
            &*tag.written
        } else {
            wanted
        };
        tag_choice::fits_in(context, file, &format!("{written}{}", suffix.text()))?;
    }
    let mut changes = match shared_assignment(context, &places, suffix.text()) {
        Some(change) => vec![change],
        None => places
            .iter()
            .map(|(file, image, tag)| {
                let site = tag_site(image.site, tag)
                    .ok_or_else(|| Refusal::uncertain("the place of the tag is not certain"))?;
                replace(file, end(file, site), suffix.text(), WordEffect::Within)
            })
            .collect::<Result<Vec<_>, Refusal>>()?,
    };
    let message = format!("append `{}`, {}", suffix.text(), suffix.described());
    // Several uses may have their tag from one place.
    changes.sort();
    changes.dedup();
    if changes.is_empty() {
        return Err(Refusal::uncertain("the place of the tag is not certain"));
    }
    let beside = context.places(flow).any(|place| {
        pushes(place.image.role)
            && place
                .image
                .tags
                .iter()
                .any(|tag| key(tag).as_deref() != Some(wanted))
    });
    Ok(Fix {
        message,
        // Whoever takes a tag that somebody has chosen may be outside.
        applicability: if beside || constant {
            Applicability::Unsafe
        } else {
            Applicability::Safe
        },
        changes,
    })
}

/// Whether the tag can be another one at all of the `places`.
///
/// # Errors
/// One of them needs the tag as it is, or it is not certain what it is.
fn may_change(places: &[Tagged<'_>]) -> Result<(), Refusal> {
    for (file, image, _) in places {
        if image.tags.len() > 1 {
            let message = format!("the tag has more than one possible value in {}", file.path);
            return Err(Refusal::uncertain(message).at(file.id, image.span, "the tag"));
        }
        let cache = image.role == Role::Cache || image.role == Role::Pull;
        if cache {
            let message = "the same tag is pulled, so it has to stay known";
            return Err(
                Refusal::new(RefusalCode::LeftBehind, message).at(file.id, image.span, "the pull")
            );
        }
    }
    if let Some((_, _, tag)) = places.iter().find(|(_, _, tag)| is_version(tag)) {
        let message = format!(
            "`{}` is a version, which people raise: raise it for each release, or append a part that is new for every build",
            tag.written
        );
        return Err(Refusal::new(RefusalCode::YourDecision, message));
    }
    Ok(())
}

/// The end of a tag, inside a closing quote that belongs to it.
fn end(file: &FileFacts, site: Site) -> Site {
    let text = file.get(site.source).unwrap_or("");
    let quotes = text.len() - text.trim_end_matches('"').len();
    behind(site.slice(0, text.len() - quotes))
}

/// Where all places read one variable that one command of the file sets from the branch: the change of
/// that command. The branch variable itself stays what it is called.
fn shared_assignment<'a>(
    context: &Context<'a>,
    places: &[Tagged<'a>],
    suffix: &str,
) -> Option<Change> {
    let (file, _, first) = places.first()?;
    let name = whole_variable(&first.written)?;
    let same = places
        .iter()
        .all(|(other, _, tag)| other.id == file.id && whole_variable(&tag.written) == Some(name));
    if !same || name == context.settings.branch_variable {
        return None;
    }
    let mut assigned = file.assigned(name);
    let assignment = assigned.next()?;
    let simple = assigned.next().is_none()
        && assignment.place == AssignmentPlace::Command
        && !assignment.value.contains("$(")
        && !assignment.value.contains('`');
    let site = assignment.value_site.filter(|_| simple)?;
    moves_alone(context, file, name, places).then_some(())?;
    replace(file, behind(site), suffix, WordEffect::Within).ok()
}

/// Whether everything that reads the variable is one of `places`.
fn moves_alone<'a>(
    context: &Context<'a>,
    file: &'a FileFacts,
    name: &str,
    places: &[Tagged<'_>],
) -> bool {
    let own = places.iter().filter(|(other, ..)| other.id == file.id);
    let moved: Vec<&ImageUse> = own.map(|(_, image, _)| *image).collect();
    matches!(
        context.reads(file).sharing(context.workspace, name, &moved),
        Ok(Sharing::Own)
    )
}

/// Whether the tag is a version that somebody wrote down: `1.4.2`, `v2`, `2024.10`, `release-3`.
pub(crate) fn is_version(tag: &TagValue) -> bool {
    let TagKind::Literal(text) = &tag.kind else {
        return false;
    };
    let lower = text.to_ascii_lowercase();
    let number = ["version", "release", "ver", "rel", "v", "r"]
        .iter()
        .find_map(|word| lower.strip_prefix(word))
        .unwrap_or(&lower)
        .trim_start_matches(['-', '_', '.']);
    number.starts_with(|first: char| first.is_ascii_digit())
}

//! A tag that several builds share, made new for every build, everywhere at once.
//!
//! Branch tags get the build's id behind them, where they are written or, if all places read one
//! variable, where that is set; constant tags are replaced by the configured tag with the id behind it.

use std::collections::BTreeMap;

use tagwright_flow::expression::{Expansion, Site, plain_name};
use tagwright_flow::facts::{AssignmentPlace, FileFacts, ImageUse, Order, TagKind, TagValue};
use tagwright_flow::tools::Role;
use tagwright_flow::{FileId, Flow};

use crate::context::{Context, pushes};
use crate::environment;
use crate::plan::define_branch;
use crate::settings::Strategy;
use crate::variables::{Constancy, behind, constancy, replace, tag_site};
use crate::{Applicability, Change, Fix, Refusal, RefusalCode, WordEffect};

/// What makes a branch tag a build's own. CodeBuild's build id is always set, and what stands before its
/// colon is the project's name.
pub(crate) const SUFFIX: &str = "-${CODEBUILD_BUILD_ID##*:}";

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
    for (file, image, _) in &places {
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
    let settings = context.settings;
    let constant = places
        .iter()
        .all(|(_, image, tag)| constancy(tag, settings, &image.loops) == Constancy::Constant);
    let mut changes: Vec<Change> = Vec::new();
    let message;
    if constant {
        if settings.strategy == Strategy::RepositoryPerBranch {
            for (_, image, _) in &places {
                environment::own_repository(settings, &image.repository)?;
            }
        }
        let unique = settings.unique_tag();
        let mut first: BTreeMap<FileId, (Order, bool)> = BTreeMap::new();
        for (file, image, tag) in &places {
            let site = tag
                .site
                .ok_or_else(|| Refusal::uncertain("the place of the tag is not certain"))?;
            let change = replace(file, site, &unique, WordEffect::Within)?;
            let inner = site.expansion == Expansion::InnerShell;
            let entry = first.entry(file.id).or_insert((image.order, inner));
            *entry = (entry.0.min(order_of(file, image, site)), entry.1 | inner);
            changes.push(change);
        }
        for (id, (order, inner)) in first {
            let file = context.workspace.file(id);
            changes.extend(define_branch(context, file, order, inner)?.change);
        }
        message = format!("use `{unique}`, which is new for every build");
    } else {
        changes = match shared_assignment(context, &places) {
            Some(change) => vec![change],
            None => places
                .iter()
                .map(|(file, image, tag)| {
                    let site = tag_site(image.site, tag)
                        .ok_or_else(|| Refusal::uncertain("the place of the tag is not certain"))?;
                    replace(file, end(file, site), SUFFIX, WordEffect::Within)
                })
                .collect::<Result<Vec<_>, Refusal>>()?,
        };
        message = format!("append `{SUFFIX}`, which is new for every build");
    }
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
        applicability: if beside {
            Applicability::Unsafe
        } else {
            Applicability::Safe
        },
        changes,
    })
}

/// The end of a tag, inside a closing quote that belongs to it.
fn end(file: &FileFacts, site: Site) -> Site {
    let text = file.get(site.source).unwrap_or("");
    let quotes = text.len() - text.trim_end_matches('"').len();
    behind(site.slice(0, text.len() - quotes))
}

/// The time at which the text at `site` is evaluated.
fn order_of(file: &FileFacts, image: &ImageUse, site: Site) -> Order {
    let assigned = file.assigned_at(site.source);
    assigned.map_or(image.order, |order| order.min(image.order))
}

/// Where all places read one variable that one command of the file sets from the branch: the change of
/// that command. The branch variable itself stays what it is called.
fn shared_assignment(context: &Context<'_>, places: &[Tagged<'_>]) -> Option<Change> {
    let (file, _, first) = places.first()?;
    let name = plain_variable(&first.written)?;
    let same = places
        .iter()
        .all(|(other, _, tag)| other.id == file.id && plain_variable(&tag.written) == Some(name));
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
    replace(file, behind(site), SUFFIX, WordEffect::Within).ok()
}

/// The name in `$NAME` or `${NAME}`.
fn plain_variable(written: &str) -> Option<&str> {
    let name = written.trim_matches('"').strip_prefix('$')?;
    let name = name
        .strip_prefix('{')
        .map_or(Some(name), |inner| inner.strip_suffix('}'))?;
    (!name.is_empty() && plain_name(name) == name).then_some(name)
}

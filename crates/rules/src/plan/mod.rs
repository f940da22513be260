//! How `latest` is replaced in the flow of one image: all places together, or none.
//!
//! Two questions are answered per flow. Which tag: where the flow already pushes a tag of its own per
//! build, what is deployed takes that one; everything else takes the branch tag, with a part that is new
//! for every build where something in the flow only acts on a changed text. And whether: every place must
//! be one where the shell expands what is written, and every buildspec must have the branch variable.
//!
//! [`ImagePlan`] is the face of this folder; rules that insert commands of their own take [`define_branch`] and
//! [`define_branch_after`] from it. Nothing here knows which rule asks.

mod alias;
mod branch_tag;
mod definition;
mod existing;
mod handed_on;
mod handed_over;
mod joined;
mod left_behind;
pub(crate) mod pipeline;
mod removal;
mod repository;
mod stop;
pub(crate) mod tag_choice;
mod tag_edits;

use std::collections::HashMap;
use std::sync::Arc;

use tagwright_flow::expression::Origin;
use tagwright_flow::facts::{AssignmentPlace, FileFacts, TagKind, TagValue};
use tagwright_flow::{FileId, Flow};
use tagwright_syntax::Span;

use self::alias::drop_alias;
use self::branch_tag::branch_tag;
use self::existing::take_existing;
use self::joined::Tagged;
use crate::context::{Context, Place, deploys};
use crate::rewritten::is_data;
use crate::settings::Alias;
use crate::{Applicability, Fix, Refusal, RefusalCode};

pub(crate) use self::branch_tag::define_branch_for_command;
use self::branch_tag::describe;
pub(crate) use self::branch_tag::needs_new_text;
pub(crate) use self::definition::{define_branch, define_branch_after};
pub(crate) use self::joined::Index;

/// The fixes of one flow.
#[derive(Clone, Debug)]
pub(crate) struct ImagePlan {
    /// For what commands deploy.
    deploys: Result<Arc<Fix>, Refusal>,
    /// For what files of data deploy.
    data: Result<Arc<Fix>, Refusal>,
    /// For everything else.
    pub(crate) pushes: Result<Arc<Fix>, Refusal>,
    /// The other answer for everything else, if `latest` is an alias and can be moved or dropped.
    pub(crate) second: Option<Arc<Fix>>,
    /// For `latest` that is only one of the values of a variable, by file and place: it can change alone,
    /// since everything that takes the variable takes the new value.
    defaults: HashMap<(FileId, Span), Result<Arc<Fix>, Refusal>>,
}

impl ImagePlan {
    /// The fix for a variable that is `latest` by default, at one of the places that take it.
    pub(crate) fn of_default(&self, place: Place<'_>, tag: &TagValue) -> Result<Arc<Fix>, Refusal> {
        let own = tag
            .site
            .and_then(|site| self.defaults.get(&(place.file.id, site.source)));
        match own {
            Some(fix) => fix.clone(),
            None if deploys(place.image.role) => self.of_deployment(place),
            None => self.pushes.clone(),
        }
    }

    /// The fix for a place that deploys.
    pub(crate) fn of_deployment(&self, place: Place<'_>) -> Result<Arc<Fix>, Refusal> {
        if is_data(place.file) {
            self.data.clone()
        } else {
            self.deploys.clone()
        }
    }
}

impl ImagePlan {
    pub(crate) fn make<'a>(context: &Context<'a>, flow: &'a Flow) -> Self {
        // Also what a build edits: whether the edit is about the image is not certain.
        let places: Vec<Place<'a>> = flow
            .uses
            .iter()
            .filter(|id| !context.is_without_effect(id.file))
            .map(|id| context.place(*id))
            .collect();
        let all = |wanted: &dyn Fn(&Place<'_>, &TagValue) -> bool| -> Vec<Tagged<'a>> {
            places
                .iter()
                .flat_map(|place| place.image.tags.iter().map(|tag| (*place, tag)))
                .filter(|(place, tag)| wanted(place, tag))
                .collect()
        };
        let latest = all(&|place, tag| tag.kind.is_latest() && place.image.is_latest());
        let default = all(&|place, tag| tag.kind.is_latest() && !place.image.is_latest());
        let pushed: Vec<_> = context
            .pushed(flow)
            .flat_map(|place| place.image.tags.iter().map(move |tag| (place, tag)))
            .collect();
        let defaults = defaults(context, &default, latest.len());
        let pushes_latest = pushed
            .iter()
            .any(|(place, tag)| tag.kind.is_latest() && place.image.is_latest());
        let beside = pushed.iter().any(|(_, tag)| {
            matches!(&tag.kind, TagKind::Variable(_))
                || matches!(&tag.kind, TagKind::Literal(text) if &**text != "latest")
        });
        let (readers, rest): (Vec<_>, Vec<_>) = latest
            .iter()
            .copied()
            .partition(|(place, _)| deploys(place.image.role));
        if !readers.is_empty()
            && let Some(fix) = take_existing(context, &readers, &rest, &pushed)
        {
            let pushes = match context.settings.alias {
                Alias::Move => branch_tag(context, &rest).map(Arc::new),
                Alias::Drop => Err(Refusal::new(
                    RefusalCode::CoveredElsewhere,
                    "the alias can go once nothing deploys it",
                )),
            };
            let deploys = Ok(Arc::new(fix));
            return Self {
                data: deploys.clone(),
                deploys,
                pushes,
                second: None,
                defaults,
            };
        }
        let alias = drop_alias(context, &latest, &pushed, &places);
        let fix = if let Some(refusal) = unpushed(&places, beside) {
            Err(refusal)
        } else if pushes_latest {
            branch_tag(context, &latest)
        } else {
            let reason = if beside { NOT_SET } else { NOT_PUSHED };
            Err(Refusal::new(RefusalCode::NotPushed, reason))
        };
        let fix = fix.map(Arc::new);
        let own = fix
            .is_err()
            .then(|| without_data(context, &readers, &rest, &pushed))
            .flatten();
        let (pushes, second) = match (alias, context.settings.alias) {
            (Some(drop), Alias::Drop) => (drop.map(Arc::new), fix.clone().ok()),
            (Some(drop), Alias::Move) => (fix.clone(), drop.ok().map(Arc::new)),
            (None, _) => (fix.clone(), None),
        };
        Self {
            deploys: own.map_or_else(|| fix.clone(), |own| Ok(Arc::new(own))),
            data: fix,
            pushes,
            second,
            defaults,
        }
    }
}

const NOT_SET: &str = "the tags that this repository pushes for the image are not known to be set where it is deployed";
const NOT_PUSHED: &str = "nothing in this repository pushes the image, so its tag has to change where it is pushed first";

/// What a file of data names stays, and goes on being pushed; what commands deploy needs not wait for it.
fn without_data<'a>(
    context: &Context<'a>,
    readers: &[Tagged<'a>],
    rest: &[Tagged<'_>],
    pushed: &[Tagged<'_>],
) -> Option<Fix> {
    let all = readers.iter().copied();
    let commands: Vec<_> = all.filter(|(place, _)| !is_data(place.file)).collect();
    let some = !commands.is_empty() && commands.len() < readers.len();
    some.then(|| take_existing(context, &commands, rest, pushed))
        .flatten()
}

/// Why nothing can move while another tag is deployed that nothing pushes: it may be `latest` when the build
/// runs, and whether the image that is deployed is the one that is pushed cannot be told any more afterwards.
fn unpushed(places: &[Place<'_>], beside: bool) -> Option<Refusal> {
    if beside {
        return None;
    }
    let mut deployed = places.iter().filter(|place| deploys(place.image.role));
    let place = deployed.find(|place| {
        let tags = &place.image.tags;
        tags.iter()
            .all(|tag| matches!(tag.kind, TagKind::Variable(_)) && !tag.written.is_empty())
    })?;
    let tag = place.image.tags.first()?;
    let written = tag.written.trim_matches('"');
    let message = format!("`{written}` is deployed too, and nothing here pushes it");
    let refusal = Refusal::new(RefusalCode::NotPushed, message);
    Some(refusal.at(
        place.file.id,
        place.image.span,
        format!("`{written}` is deployed here"),
    ))
}

/// One fix for each place at which a variable gets `latest` as one of its values. A fallback that is
/// written out at every use (`repo:${X:-latest}`) is one place for all of them, or they would come apart.
/// `latest`: how many places of the image are `latest` whatever their variables hold.
fn defaults<'a>(
    context: &Context<'a>,
    places: &[Tagged<'a>],
    latest: usize,
) -> HashMap<(FileId, Span), Result<Arc<Fix>, Refusal>> {
    /// Fixes of one image, times the places that each may have to change.
    const MOST_CHANGES: usize = 1_000_000;
    /// `None`: written out at its uses.
    type Key = Option<(FileId, Span)>;
    #[derive(Default)]
    struct Group<'a> {
        places: Vec<Tagged<'a>>,
        spans: Vec<(FileId, Span)>,
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known: HashMap<Key, usize> = HashMap::new();
    for (place, tag) in places {
        let Some(site) = tag.site else { continue };
        let at_use = place.image.span.contains(site.source);
        let key = (!at_use).then_some((place.file.id, site.source));
        let at = *known.entry(key).or_insert_with(|| {
            groups.push(Group::default());
            groups.len() - 1
        });
        groups[at].places.push((*place, tag));
        groups[at].spans.push((place.file.id, site.source));
    }
    let mut fixes = HashMap::new();
    // Each fix may have to change all other places of the image with it.
    let too_many = groups.len().saturating_mul(latest) > MOST_CHANGES;
    for Group { places, spans } in groups {
        let seldom = places.iter().all(|(place, tag)| is_seldom(place.file, tag));
        let fix = if let Some(fix) = stop::without_source(&places) {
            fix
        } else if too_many {
            Err(Refusal::new(
                RefusalCode::UnsupportedForm,
                "too many variables and places name this image",
            ))
        } else {
            branch_tag(context, &places)
        };
        let fix = fix.map(|fix| {
            if fix.message == stop::MESSAGE {
                return Arc::new(fix);
            }
            Arc::new(Fix {
                message: "take the branch tag instead of `latest`".to_owned(),
                // The command that finds the branch ends a build that has none, and most such builds
                // never come to the fallback.
                applicability: if seldom {
                    Applicability::Unsafe
                } else {
                    fix.applicability
                },
                ..fix
            })
        });
        for span in spans {
            // The first group that has a place says how it changes.
            fixes.entry(span).or_insert_with(|| fix.clone());
        }
    }
    fixes
}

/// Whether the tag is only the fallback of a variable that a command of the file sets.
fn is_seldom(file: &FileFacts, tag: &TagValue) -> bool {
    let Origin::Fallback(name) = &tag.origin else {
        return false;
    };
    // `TAG=${TAG:-latest}` sets it to the fallback and to what comes from outside.
    let itself = |span: Span| tag.site.is_some_and(|site| span.contains(site.source));
    file.assigned(name)
        .any(|a| a.place == AssignmentPlace::Command && !itself(a.span))
}

//! Which places move together: those that share variables, those that `aws ecr` names, and whether a set of
//! places is whole.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tagwright_flow::expression::Origin;
use tagwright_flow::facts::TagValue;
use tagwright_flow::tools::{Role, Tool};
use tagwright_flow::{FileId, UseId};
use tagwright_syntax::{SmolStr, Span};

use super::handed_over;
use super::tag_edits::is_part;
use crate::context::{Context, Place, deploys, pushes};
use crate::{Refusal, RefusalCode};

/// A place, and the index of one of the tags that it may have.
type TagId = (UseId, usize);

/// A flow, and tags of places in it.
type OfFlow = (usize, Vec<TagId>);

fn tagged<'a>(context: &Context<'a>, (id, tag): TagId) -> Tagged<'a> {
    let place = context.place(id);
    (place, &place.image.tags[tag])
}

/// A place and one of the tags that it may have.
pub(super) type Tagged<'a> = (Place<'a>, &'a TagValue);

/// What plans ask of all images of the workspace, found out once.
pub(crate) struct Index {
    /// By where the value of a variable is written: the flows that have `latest` from there, and for each the
    /// places with the indices of their tags.
    through: HashMap<(FileId, Span), Vec<OfFlow>>,
    /// By flow: the places that are `latest` whatever their variables hold, and whether they stand alone.
    latest: HashMap<usize, (Vec<TagId>, bool)>,
    /// The calls of `aws ecr`, by the repository's name.
    registry_calls: HashMap<SmolStr, Vec<UseId>>,
    /// The files that declare image repositories.
    pub(super) declaring: Vec<FileId>,
    /// The places of images that are not this workspace's own.
    foreign: HashSet<UseId>,
    /// By place, the flows that have parts of `latest`: the images of a manifest list.
    with_parts: HashMap<UseId, usize>,
}

impl Index {
    pub(crate) fn new(context: &Context<'_>) -> Self {
        let mut index = Self {
            through: HashMap::new(),
            latest: HashMap::new(),
            registry_calls: HashMap::new(),
            declaring: Vec::new(),
            foreign: HashSet::new(),
            with_parts: HashMap::new(),
        };
        let files = context.workspace.files().iter();
        let declaring = files.filter(|file| !file.repositories.is_empty());
        index.declaring = declaring.map(|file| file.id).collect();
        for (at, flow) in context.workspace.flows().iter().enumerate() {
            let mut of_flow = Vec::new();
            let (mut shared, mut parts) = (false, false);
            for place in context.places(flow) {
                for (number, tag) in place.image.tags.iter().enumerate() {
                    if !tag.kind.is_latest() {
                        continue;
                    }
                    if place.image.is_latest() {
                        of_flow.push((place.id, number));
                    }
                    for origin in through_variables(context, &(place, tag)) {
                        shared = true;
                        let flows = index.through.entry(origin).or_default();
                        match flows.last_mut() {
                            Some((last, places)) if *last == at => places.push((place.id, number)),
                            _ => flows.push((at, vec![(place.id, number)])),
                        }
                        if !flow.own {
                            index.foreign.insert(place.id);
                        }
                    }
                }
                parts |= flow.own && place.image.tags.iter().any(is_part);
                if place.image.tool == Tool::AwsEcr {
                    let name = place.image.repository.key().into();
                    index.registry_calls.entry(name).or_default().push(place.id);
                }
            }
            if shared {
                let tagged: Vec<_> = of_flow.iter().map(|id| tagged(context, *id)).collect();
                let alone = stands_alone(&tagged);
                index.latest.insert(at, (of_flow, alone));
            }
            if parts {
                let places = flow.uses.iter().map(|id| (*id, at));
                index.with_parts.extend(places);
            }
        }
        index
    }
}

/// Where the value is written that the tag has through a variable, in each file that runs the script if it is one.
fn through_variables<'a>(context: &Context<'a>, (place, tag): &Tagged<'a>) -> Vec<(FileId, Span)> {
    match tag.site.filter(|_| tag.origin != Origin::Written) {
        Some(site) => vec![(place.file.id, site.source)],
        None => handed_over::origins(context, place, tag),
    }
}

/// Places in the order in which they were found, each tag once.
pub(super) struct Collected<'a> {
    all: Vec<Tagged<'a>>,
    known: HashSet<(UseId, *const TagValue)>,
}

impl<'a> Collected<'a> {
    fn new(places: &[Tagged<'a>]) -> Self {
        Self {
            all: places.to_vec(),
            known: places.iter().map(Self::key).collect(),
        }
    }

    fn key((place, tag): &Tagged<'a>) -> (UseId, *const TagValue) {
        (place.id, std::ptr::from_ref(*tag))
    }

    fn has(&self, it: &Tagged<'a>) -> bool {
        self.known.contains(&Self::key(it))
    }

    fn add(&mut self, it: Tagged<'a>) {
        if self.known.insert(Self::key(&it)) {
            self.all.push(it);
        }
    }
}

/// `places`, and every other place whose tag comes out of the same variables: it changes with them. What is
/// `latest` in its own flow changes too where the two need each other, or a name would be used that nothing
/// builds.
pub(super) fn with_shared_variables<'a>(
    context: &Context<'a>,
    places: &[Tagged<'a>],
) -> Collected<'a> {
    let mut collected = Collected::new(places);
    let mut followed = HashSet::new();
    // The flows that are collected whole, so that nothing of them is left to be asked about.
    let mut whole = HashSet::new();
    let index = context.index();
    let mut at = 0;
    let mut origins = Vec::new();
    loop {
        let Some(origin) = origins.pop() else {
            let Some(entry) = collected.all.get(at) else {
                break;
            };
            at += 1;
            let new = through_variables(context, entry).into_iter();
            origins.extend(new.filter(|it| followed.insert(*it)));
            continue;
        };
        for (flow, through) in index.through.get(&origin).into_iter().flatten() {
            let through: Vec<_> = through.iter().map(|id| tagged(context, *id)).collect();
            for it in &through {
                collected.add(*it);
            }
            if whole.contains(flow) {
                continue;
            }
            let (latest, alone) = &index.latest[flow];
            let rest = || {
                let latest = latest.iter().map(|id| tagged(context, *id));
                latest.filter(|it| !through_variables(context, it).contains(&origin))
            };
            if rest().all(|it| collected.has(&it)) {
                whole.insert(*flow);
                continue;
            }
            // Mostly none of these is `latest` whatever its variable holds, and the rest is all that is.
            let apart = stands_alone(&through)
                && if through.iter().any(|(place, _)| place.image.is_latest()) {
                    stands_alone(&rest().collect::<Vec<_>>())
                } else {
                    *alone
                };
            if !apart {
                for it in rest() {
                    collected.add(it);
                }
                whole.insert(*flow);
            }
        }
    }
    collected
}

/// Without the places of images that are not this workspace's own: they keep their tag.
pub(super) fn without_foreign<'a>(
    context: &Context<'a>,
    mut places: Collected<'a>,
) -> Collected<'a> {
    let foreign = &context.index().foreign;
    places.all.retain(|(place, _)| !foreign.contains(&place.id));
    places
}

/// With the parts of `latest`, `latest-amd64` and the like: a list that moves without them would be made of the
/// images of another branch.
pub(super) fn with_parts<'a>(context: &Context<'a>, mut places: Collected<'a>) -> Collected<'a> {
    let with_parts = &context.index().with_parts;
    let flows: BTreeSet<usize> = places
        .all
        .iter()
        .filter_map(|(place, _)| with_parts.get(&place.id).copied())
        .collect();
    for flow in flows {
        for place in context.places(&context.workspace.flows()[flow]) {
            for tag in place.image.tags.iter().filter(|tag| is_part(tag)) {
                places.add((place, tag));
            }
        }
    }
    places
}

/// `places`, and where `aws ecr` is told to take `latest` of one of their repositories, which it knows by the
/// name behind the registry.
///
/// # Errors
/// Another file does so: what it means to take, and for which branch, is not to be seen.
pub(super) fn with_registry_calls<'a>(
    context: &Context<'a>,
    mut places: Collected<'a>,
) -> Result<Vec<Tagged<'a>>, Refusal> {
    let mut names: BTreeMap<&str, BTreeSet<FileId>> = BTreeMap::new();
    for (place, _) in &places.all {
        if let Some((registry, name)) = place.image.repository.key().split_once(".amazonaws.com/")
            && registry.contains(".dkr.ecr.")
        {
            names.entry(name).or_default().insert(place.file.id);
        }
    }
    for (name, files) in names {
        let calls = context.index().registry_calls.get(name);
        for id in calls.into_iter().flatten() {
            let place = context.place(*id);
            let here = files.contains(&place.file.id);
            for tag in place.image.tags.iter().filter(|tag| tag.kind.is_latest()) {
                if here {
                    places.add((place, tag));
                } else if !place.image.repository.has_unknown() {
                    // A name out of variables is the same only where the variables are.
                    let message = format!(
                        "`aws ecr` takes `latest` of the image in {}, and for which branch is not certain",
                        place.file.path
                    );
                    return Err(Refusal::new(RefusalCode::LeftBehind, message).at(
                        place.file.id,
                        place.image.span,
                        "`latest` is taken here",
                    ));
                }
            }
        }
    }
    Ok(places.all)
}

/// Whether what `places` push or rename is also named by one of them on the machine that does it, and what
/// they deploy is pushed by one of them.
fn stands_alone(places: &[Tagged<'_>]) -> bool {
    let pushed = places.iter().any(|(place, _)| pushes(place.image.role));
    let deployed = places.iter().any(|(place, _)| deploys(place.image.role));
    (pushed || !deployed) && unnamed(places).is_none()
}

/// The first of `places` that takes an image from the build machine which none of them gives that name there:
/// a script, another tool or another spelling of the same repository does.
pub(super) fn unnamed<'a>(places: &[Tagged<'a>]) -> Option<Place<'a>> {
    let takes = |place: &Place<'_>| {
        place.image.tool == Tool::Docker && matches!(place.image.role, Role::Push | Role::TagSource)
    };
    let gives = |place: &Place<'_>| {
        matches!(
            place.image.role,
            Role::Build | Role::BuildPush | Role::TagDestination | Role::Pull | Role::Cache
        )
    };
    let name = |place: Place<'a>| (place.file.machine(), place.image.repository.key());
    let given: HashSet<_> = places
        .iter()
        .filter(|(place, _)| gives(place))
        .map(|(place, _)| name(*place))
        .collect();
    let mut taken = places.iter().map(|(place, _)| *place).filter(takes);
    taken.find(|place| !given.contains(&name(*place)))
}

//! How `latest` is replaced in the flow of one image: all places together, or none.
//!
//! Two questions are answered per flow. Which tag: where the flow already pushes a tag of its own per
//! build, what is deployed takes that one; everything else takes the branch tag, with a part that is new
//! for every build where something in the flow only acts on a changed text. And whether: every place must
//! be one where the shell expands what is written, and every buildspec must have the branch variable.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use tagwright_flow::commands::{Role, Tool};
use tagwright_flow::expression::{Expansion, Origin, Site, plain_name};
use tagwright_flow::facts::{AssignmentPlace, CommandList, FileFacts, Order, TagKind, TagValue};
use tagwright_flow::{FileId, Flow, UseId};
use tagwright_syntax::buildspec::{PhaseName, Version};
use tagwright_syntax::yaml::ScalarStyle;
use tagwright_syntax::{SmolStr, Span};

use crate::context::{Context, Place, deploys, pushes};
use crate::environment;
use crate::settings::Strategy;
use crate::{Applicability, Change, ChangeKind, Fix, Settings, WordEffect};

/// The fixes of one flow.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// For what is deployed.
    pub(crate) deploys: Result<Arc<Fix>, String>,
    /// For everything else.
    pub(crate) pushes: Result<Arc<Fix>, String>,
    /// For `latest` that is only one of the values of a variable, by file and place: it can change alone,
    /// since everything that takes the variable takes the new value.
    defaults: HashMap<(FileId, Span), Result<Arc<Fix>, String>>,
}

impl Plan {
    /// The fix for a variable that is `latest` by default, at one of the places that take it.
    pub(crate) fn of_default(&self, place: Place<'_>, tag: &TagValue) -> Result<Arc<Fix>, String> {
        let own = tag
            .site
            .and_then(|site| self.defaults.get(&(place.file.id, site.source)));
        match own {
            Some(fix) => fix.clone(),
            None if deploys(place.image.role) => self.deploys.clone(),
            None => self.pushes.clone(),
        }
    }
}

impl Plan {
    pub(crate) fn make(context: &Context<'_>, flow: &Flow) -> Self {
        // Also what a build edits: whether the edit is about the image is not certain.
        let places: Vec<Place<'_>> = flow.uses.iter().map(|id| context.place(*id)).collect();
        let all = |wanted: &dyn Fn(&Place<'_>, &TagValue) -> bool| -> Vec<(Place<'_>, &TagValue)> {
            places
                .iter()
                .flat_map(|place| place.image.tags.iter().map(|tag| (*place, tag)))
                .filter(|(place, tag)| wanted(place, tag))
                .collect()
        };
        let latest = all(&|place, tag| tag.kind.is_latest() && place.image.is_latest());
        let default = all(&|place, tag| tag.kind.is_latest() && !place.image.is_latest());
        let pushed = all(&|place, _| pushes(place.image.role));
        let defaults = defaults(context, &default, latest.len());
        let pushes_latest = latest.iter().any(|(place, _)| pushes(place.image.role));
        let beside = pushed.iter().any(|(_, tag)| {
            matches!(&tag.kind, TagKind::Variable(_))
                || matches!(&tag.kind, TagKind::Literal(text) if &**text != "latest")
        });
        let (readers, rest): (Vec<_>, Vec<_>) = latest
            .iter()
            .copied()
            .partition(|(place, _)| deploys(place.image.role));
        if !readers.is_empty()
            && let Some(fix) = take_existing(context.settings, &readers, &rest, &pushed)
        {
            return Self {
                deploys: Ok(Arc::new(fix)),
                pushes: branch_tag(context, &rest, true).map(Arc::new),
                defaults,
            };
        }
        let fix = if pushes_latest {
            branch_tag(context, &latest, beside)
        } else if beside {
            Err("the tags that this repository pushes for the image are not known to be set where it is deployed".to_owned())
        } else {
            Err("nothing in this repository pushes the image, so its tag has to change where it is pushed first".to_owned())
        };
        let fix = fix.map(Arc::new);
        Self {
            deploys: fix.clone(),
            pushes: fix,
            defaults,
        }
    }
}

/// One fix for each place at which a variable gets `latest` as one of its values. A fallback that is
/// written out at every use (`repo:${X:-latest}`) is one place for all of them, or they would come apart.
/// `latest`: how many places of the image are `latest` whatever their variables hold.
fn defaults(
    context: &Context<'_>,
    places: &[(Place<'_>, &TagValue)],
    latest: usize,
) -> HashMap<(FileId, Span), Result<Arc<Fix>, String>> {
    /// Fixes of one image, times the places that each may have to change.
    const MOST_CHANGES: usize = 1_000_000;
    /// `None`: written out at its uses.
    type Key = Option<(FileId, Span)>;
    #[derive(Default)]
    struct Group<'a> {
        places: Vec<(Place<'a>, &'a TagValue)>,
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
        let fix = if too_many {
            Err("too many variables and places name this image".to_owned())
        } else {
            branch_tag(context, &places, false)
        };
        let fix = fix.map(|fix| {
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

/// Deploy the tag that the flow already pushes beside `latest`, if there is one for every reader.
fn take_existing(
    settings: &Settings,
    readers: &[(Place<'_>, &TagValue)],
    rest: &[(Place<'_>, &TagValue)],
    pushed: &[(Place<'_>, &TagValue)],
) -> Option<Fix> {
    let mut changes = Vec::new();
    let mut name = String::new();
    for (place, tag) in readers {
        let site = tag.site?;
        // A text that is also pushed would change the push.
        let shared = rest.iter().any(|(other, value)| {
            other.file.id == place.file.id
                && value
                    .site
                    .is_some_and(|other| other.range == site.range && other.node == site.node)
        });
        if shared || matches!(tag.origin, Origin::EnvVariables(_)) {
            return None;
        }
        let existing = pushed
            .iter()
            .filter(|(other, _)| other.file.id == place.file.id)
            .filter_map(|(other, value)| Some((other, reusable(value)?)))
            .filter(|(other, _)| !other.image.conditional || place.image.conditional)
            .find(|(_, text)| {
                is_set(place.file, text, place.image.order)
                    && (site.expansion != Expansion::InnerShell || is_exported(place.file, text))
            })
            .map(|(_, text)| text)?;
        let text = braced(&existing, place.file, site);
        changes.push(Change {
            file: place.file.id,
            node: site.node,
            kind: ChangeKind::Replace {
                range: site.range,
                text: written_at(settings, site, &text, tag.kind == TagKind::Implicit).ok()?,
                words: word_effect(site),
            },
        });
        name = text;
    }
    Some(Fix {
        message: format!("deploy `{name}`, the tag that this build pushes, instead of `latest`"),
        applicability: Applicability::Safe,
        changes,
    })
}

/// The tag as it is written at a push, if it can be written again elsewhere: one variable, no operator.
fn reusable(tag: &TagValue) -> Option<String> {
    let TagKind::Variable(_) = &tag.kind else {
        return None;
    };
    let written = &*tag.written;
    let name = written.strip_prefix('$')?;
    let name = name
        .strip_prefix('{')
        .map_or(Some(name), |inner| inner.strip_suffix('}'))?;
    (!name.is_empty() && plain_name(name) == name).then(|| written.to_owned())
}

/// Whether the variable of `text` has its value before `order`, or from outside the file.
fn is_set(file: &FileFacts, text: &str, order: Order) -> bool {
    let name = plain_name(text.trim_start_matches(['$', '{']));
    let mut assigned = file.assigned(name).peekable();
    if assigned.peek().is_none() {
        return true;
    }
    assigned.any(|a| a.order <= order && !a.subshell)
}

/// Whether an inner shell sees the variable of `text`.
fn is_exported(file: &FileFacts, text: &str) -> bool {
    let name = plain_name(text.trim_start_matches(['$', '{']));
    let mut assigned = file.assigned(name).peekable();
    assigned.peek().is_none()
        || assigned.any(|a| {
            a.exported
                || matches!(
                    a.place,
                    AssignmentPlace::EnvVariables | AssignmentPlace::Store
                )
        })
}

/// With braces where the text behind the place would otherwise become part of the name.
fn braced(text: &str, file: &FileFacts, site: Site) -> String {
    if text.starts_with("${") {
        return text.to_owned();
    }
    let next = file
        .text
        .get(site.source.end as usize..)
        .and_then(|rest| rest.chars().next());
    let joins = next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '_');
    if joins {
        format!("${{{}}}", &text[1..])
    } else {
        text.to_owned()
    }
}

fn word_effect(site: Site) -> WordEffect {
    match site.expansion {
        Expansion::CopilotManifest => WordEffect::NotShell,
        _ => WordEffect::Within,
    }
}

/// What has to be written at `site` so that `tag` is expanded there.
fn written_at(
    settings: &Settings,
    site: Site,
    tag: &str,
    implicit: bool,
) -> Result<String, String> {
    let colon = if implicit { ":" } else { "" };
    match site.expansion {
        Expansion::Shell | Expansion::InnerShell => Ok(format!("{colon}{tag}")),
        Expansion::SingleQuoted if site.inside_quotes => {
            Err("it stands in quotes inside a nested script".to_owned())
        }
        // Close the quotes around it, so that the shell sees it.
        Expansion::SingleQuoted => Ok(format!("{colon}'\"{tag}\"'")),
        Expansion::CopilotManifest => {
            if tag == settings.branch_reference() {
                Ok(format!("{colon}{tag}"))
            } else {
                Err("Copilot replaces only plain `${NAME}` in a manifest".to_owned())
            }
        }
        Expansion::Never(reason) => Err(reason.as_str().to_owned()),
    }
}

/// Whether the tool acts only if the text of the reference changes, so that a tag which stays the same
/// from build to build deploys nothing.
pub(crate) fn needs_new_text(tool: Tool) -> bool {
    matches!(
        tool,
        Tool::Kubectl
            | Tool::Helm
            | Tool::Kustomize
            | Tool::CloudFormation
            | Tool::Terraform
            | Tool::AwsAppRunner
    )
}

/// A place, and the index of one of the tags that it may have.
type TagId = (UseId, usize);

fn tagged<'a>(context: &Context<'a>, (id, tag): TagId) -> Tagged<'a> {
    let place = context.place(id);
    (place, &place.image.tags[tag])
}

/// A place and one of the tags that it may have.
type Tagged<'a> = (Place<'a>, &'a TagValue);

/// What plans ask of all images of the workspace, found out once.
pub(crate) struct Index {
    /// By where the value of a variable is written: the flows that have `latest` from there, and for each the
    /// places with the indices of their tags.
    through: HashMap<(FileId, Span), Vec<(usize, Vec<TagId>)>>,
    /// By flow: the places that are `latest` whatever their variables hold, and whether they stand alone.
    latest: HashMap<usize, (Vec<TagId>, bool)>,
    /// The calls of `aws ecr`, by the repository's name.
    registry_calls: HashMap<SmolStr, Vec<UseId>>,
}

impl Index {
    pub(crate) fn new(context: &Context<'_>) -> Self {
        let mut index = Self {
            through: HashMap::new(),
            latest: HashMap::new(),
            registry_calls: HashMap::new(),
        };
        for (at, flow) in context.workspace.flows().iter().enumerate() {
            let mut of_flow = Vec::new();
            let mut shared = false;
            for place in context.places(flow) {
                for (number, tag) in place.image.tags.iter().enumerate() {
                    if !tag.kind.is_latest() {
                        continue;
                    }
                    if place.image.is_latest() {
                        of_flow.push((place.id, number));
                    }
                    let Some(origin) = through_variable(&(place, tag)) else {
                        continue;
                    };
                    shared = true;
                    let flows = index.through.entry(origin).or_default();
                    match flows.last_mut() {
                        Some((last, places)) if *last == at => places.push((place.id, number)),
                        _ => flows.push((at, vec![(place.id, number)])),
                    }
                }
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
        }
        index
    }
}

/// Where the value is written that the tag has through a variable.
fn through_variable((place, tag): &Tagged<'_>) -> Option<(FileId, Span)> {
    let site = tag.site.filter(|_| tag.origin != Origin::Written)?;
    Some((place.file.id, site.source))
}

/// Places in the order in which they were found, each tag once.
struct Collected<'a> {
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
fn with_shared_variables<'a>(context: &Context<'a>, places: &[Tagged<'a>]) -> Collected<'a> {
    let mut collected = Collected::new(places);
    let mut followed = HashSet::new();
    // The flows that are collected whole, so that nothing of them is left to be asked about.
    let mut whole = HashSet::new();
    let index = context.index();
    let mut at = 0;
    while let Some(entry) = collected.all.get(at) {
        at += 1;
        let Some(origin) = through_variable(entry).filter(|it| followed.insert(*it)) else {
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
                latest.filter(|it| through_variable(it) != Some(origin))
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

/// `places`, and where `aws ecr` is told to take `latest` of one of their repositories, which it knows by the
/// name behind the registry.
///
/// # Errors
/// Another file does so: what it means to take, and for which branch, is not to be seen.
fn with_registry_calls<'a>(
    context: &Context<'a>,
    mut places: Collected<'a>,
) -> Result<Vec<Tagged<'a>>, String> {
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
                    return Err(format!(
                        "`aws ecr` takes `latest` of the image in {}, and for which branch is not certain",
                        place.file.path
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
fn unnamed<'a>(places: &[Tagged<'a>]) -> Option<Place<'a>> {
    let takes = |place: &Place<'_>| {
        place.image.tool == Tool::Docker && matches!(place.image.role, Role::Push | Role::TagSource)
    };
    let gives = |place: &Place<'_>| {
        matches!(
            place.image.role,
            Role::Build | Role::BuildPush | Role::TagDestination | Role::Pull | Role::Cache
        )
    };
    let name = |place: Place<'a>| (place.file.id, place.image.repository.key());
    let given: HashSet<_> = places
        .iter()
        .filter(|(place, _)| gives(place))
        .map(|(place, _)| name(*place))
        .collect();
    let mut taken = places.iter().map(|(place, _)| *place).filter(takes);
    taken.find(|place| !given.contains(&name(*place)))
}

/// Replace `latest` by the branch tag at all `places`.
fn branch_tag(
    context: &Context<'_>,
    places: &[(Place<'_>, &TagValue)],
    beside: bool,
) -> Result<Fix, String> {
    let settings = context.settings;
    let places = with_shared_variables(context, places);
    let places = &with_registry_calls(context, places)?[..];
    if let Some(place) = unnamed(places) {
        return Err(format!(
            "nothing in {} gives the image the name that {} takes, as far as the text tells",
            place.file.path,
            describe(place.image.role)
        ));
    }
    let mut unique = places
        .iter()
        .any(|(place, _)| deploys(place.image.role) && needs_new_text(place.image.tool));
    if settings.strategy == Strategy::RepositoryPerBranch {
        let images = places
            .iter()
            .filter(|(place, _)| place.image.role != Role::Argument);
        for (place, _) in images {
            environment::own_repository(settings, &place.image.repository)?;
        }
        // The repository says which branch it is; its tags are never pushed twice.
        unique = true;
    }
    let tag = if unique {
        settings.unique_tag()
    } else {
        settings.tag_template.clone()
    };
    let mut changes = Vec::new();
    let mut first_use: BTreeMap<FileId, Order> = BTreeMap::new();
    let mut literal: BTreeMap<FileId, Vec<&str>> = BTreeMap::new();
    let mut inner = false;
    for (place, value) in places {
        // `docker rmi own:latest` and the like would miss the image; a bare `TAG=latest` may mean anything.
        if place.image.role == Role::Argument && place.image.repository.key().is_empty() {
            continue;
        }
        let shown = || format!("{} in {}", describe(place.image.role), place.file.path);
        if let Origin::EnvVariables(name) = &value.origin {
            let names = literal.entry(place.file.id).or_default();
            if !names.contains(&&**name) {
                names.push(name);
            }
        } else {
            let site = value
                .site
                .ok_or_else(|| format!("the place of the tag ({}) is not certain", shown()))?;
            let text = written_at(settings, site, &tag, value.kind == TagKind::Implicit).map_err(
                |reason| {
                    format!(
                        "not everywhere the variable would be expanded: {} ({})",
                        reason,
                        shown()
                    )
                },
            )?;
            inner |= site.expansion == Expansion::InnerShell;
            changes.push(Change {
                file: place.file.id,
                node: site.node,
                kind: ChangeKind::Replace {
                    range: site.range,
                    text,
                    words: word_effect(site),
                },
            });
        }
        let order = first_use.entry(place.file.id).or_insert(place.image.order);
        *order = (*order).min(first_order(place, value));
    }
    if changes.is_empty() && literal.is_empty() {
        return Err("there is nothing to rewrite".to_owned());
    }
    for (file, order) in first_use {
        let facts = context.workspace.file(file);
        let names = literal.get(&file).map_or(&[][..], Vec::as_slice);
        if facts.buildspec.is_none() {
            if facts.kind == tagwright_flow::FileKind::CopilotWorkload {
                // Copilot reads the exported environment of whoever runs it.
                copilot_runs_defined(context)?;
            }
            continue;
        }
        let definition = define_branch(context, facts, order, inner)?;
        changes.extend(definition.change);
        for name in names {
            let value = format!("{name}=\"{tag}\"");
            changes.push(definition.place.insert(file, value)?);
        }
    }
    changes.dedup();
    let read = places.iter().any(|(place, _)| deploys(place.image.role));
    let message = if read {
        format!("build, push and deploy `{tag}` instead of `latest`")
    } else {
        format!("push `{tag}` instead of `latest`")
    };
    let applicability = if beside || !read {
        Applicability::Unsafe
    } else {
        Applicability::Safe
    };
    Ok(Fix {
        message,
        applicability,
        changes,
    })
}

/// The time at which the place's text is evaluated: for an assigned value, of the assignment.
fn first_order(place: &Place<'_>, value: &TagValue) -> Order {
    let assigned = value
        .site
        .and_then(|site| place.file.assigned_at(site.source));
    assigned.unwrap_or(place.image.order)
}

fn describe(role: Role) -> &'static str {
    match role {
        Role::Build | Role::BuildPush => "the build",
        Role::TagSource | Role::TagDestination => "docker tag",
        Role::Push => "the push",
        Role::Record => "what is recorded for the deployment",
        Role::Deploy => "the deployment",
        Role::Pull => "a pull",
        Role::Run => "a run",
        Role::Cache => "a cache source",
        Role::Argument => "an argument",
    }
}

/// A manifest's `${BRANCH_NAME}` needs the variable exported wherever Copilot reads the manifest.
fn copilot_runs_defined(context: &Context<'_>) -> Result<(), String> {
    let defined = context.settings.branch_defined
        || context
            .workspace
            .files()
            .iter()
            .any(|file| !file.copilot.is_empty() && file.buildspec.is_some());
    if defined {
        Ok(())
    } else {
        Err("no buildspec here runs Copilot, so nothing would define the variable that the manifest reads".to_owned())
    }
}

/// Where a command can be inserted.
#[derive(Clone, Copy)]
pub(crate) enum Insertion<'a> {
    /// Before this 0-based index of the list.
    Item(&'a CommandList, u32),
    /// At the start of the `|` block that stands in place of a list.
    Start(&'a CommandList),
    /// Nowhere; the reason.
    Nowhere(&'static str),
}

impl Insertion<'_> {
    pub(crate) fn insert(&self, file: FileId, value: impl Into<SmolStr>) -> Result<Change, String> {
        let value = value.into();
        match self {
            Insertion::Item(list, index) => Ok(Change {
                file,
                node: list.node,
                kind: ChangeKind::InsertItem {
                    index: *index,
                    value,
                },
            }),
            Insertion::Start(list) => {
                let mut value = String::from(value);
                if !value.ends_with('\n') {
                    value.push('\n');
                }
                Ok(Change {
                    file,
                    node: list.node,
                    kind: ChangeKind::Replace {
                        range: Span::empty(0),
                        text: value,
                        words: WordEffect::Commands,
                    },
                })
            }
            Insertion::Nowhere(reason) => Err((*reason).to_owned()),
        }
    }
}

/// How the branch variable gets its value in a file.
pub(crate) struct Definition<'a> {
    /// The command to insert, if the file has none.
    pub(crate) change: Option<Change>,
    /// Where further commands go that use it.
    pub(crate) place: Insertion<'a>,
}

/// Makes sure that the branch variable is defined in the buildspec before `order`; `inner` if a nested
/// shell reads it, so that it has to be exported.
pub(crate) fn define_branch<'a>(
    context: &Context<'_>,
    file: &'a FileFacts,
    order: Order,
    inner: bool,
) -> Result<Definition<'a>, String> {
    let settings = context.settings;
    let variable = &*settings.branch_variable;
    let spec = file
        .buildspec
        .as_ref()
        .ok_or_else(|| format!("{} has no commands that could set {variable}", file.path))?;
    if spec.version == Version::V0_1 {
        return Err("in version 0.1 every command runs in a shell of its own, so a variable set by one does not reach the next".to_owned());
    }
    if let Some(template) = spec.template {
        return Err(format!(
            "{} is {template}, whose own language may read `${{…}}`",
            file.path
        ));
    }
    if file.error.is_some() {
        return Err(format!("{} cannot be read to its end", file.path));
    }
    let start = insertion(file, order);
    if settings.branch_defined {
        return Ok(Definition {
            change: None,
            place: start,
        });
    }
    let mut defined = file
        .assigned(variable)
        .filter(|a| !a.subshell && a.order <= order)
        .filter(|a| a.place != AssignmentPlace::Loop)
        .peekable();
    if defined.peek().is_some() {
        let exported = file.assigned(variable).any(|a| a.exported);
        if inner && !exported {
            return Err(format!(
                "{variable} is set but not exported, so a nested shell would not see it"
            ));
        }
        let last = defined.map(|a| a.order).max().unwrap_or(order);
        return Ok(Definition {
            change: None,
            place: if last.item == 0 {
                start
            } else {
                after(file, last)
            },
        });
    }
    let place = match spec.copilot_pipeline {
        Some(at) if at < order => after(file, at),
        _ => start,
    };
    let derivation = context.derivation(spec.copilot_pipeline.is_some_and(|at| at < order));
    Ok(Definition {
        change: Some(place.insert(file.id, derivation)?),
        place,
    })
}

/// The top of the earliest list that runs before `order`.
fn insertion(file: &FileFacts, order: Order) -> Insertion<'_> {
    let Some(spec) = &file.buildspec else {
        return Insertion::Nowhere("the file has no commands");
    };
    if spec.inline {
        return Insertion::Nowhere(
            "the buildspec stands inside another file, where tagwright inserts nothing",
        );
    }
    let holds = |list: &&CommandList| list.items.0 <= order.item && order.item < list.items.1;
    let used = spec.lists.iter().find(holds);
    let in_install = used.is_some_and(|list| list.phase == PhaseName::Install);
    let pre_build = spec
        .lists
        .iter()
        .find(|list| !in_install && list.phase == PhaseName::PreBuild && !list.finally);
    for list in pre_build.into_iter().chain(used) {
        if list.is_list && !list.flow {
            return Insertion::Item(list, 0);
        }
        if !list.is_list && list.style == Some(ScalarStyle::Literal) {
            return Insertion::Start(list);
        }
    }
    Insertion::Nowhere(
        "the commands are not written as a list with dashes, so there is no place for the command that sets the variable",
    )
}

/// Right after the item that runs at `order`.
pub(crate) fn after(file: &FileFacts, order: Order) -> Insertion<'_> {
    let Some(spec) = &file.buildspec else {
        return Insertion::Nowhere("the file has no commands");
    };
    if spec.inline {
        return Insertion::Nowhere(
            "the buildspec stands inside another file, where tagwright inserts nothing",
        );
    }
    let list = spec
        .lists
        .iter()
        .find(|list| list.items.0 <= order.item && order.item < list.items.1);
    match list {
        Some(list) if list.is_list && !list.flow => {
            Insertion::Item(list, list.index(order.item) + 1)
        }
        _ => Insertion::Nowhere("the commands are not written as a list with dashes"),
    }
}

//! The images of a workspace: who builds, pushes, records and deploys them, and what builds will do.

use std::collections::BTreeSet;

use tagwright_flow::Flow;
use tagwright_flow::facts::{ImageUse, TagKind, TagValue};
use tagwright_flow::tools::Role;
use tagwright_project::Workspace;
use tagwright_syntax::{LineIndex, Span};

use super::plan::{Action, Effect, Place};
use super::predict::{Builds, Edited, FILLED_IN, WAYS};

/// One image of a workspace.
pub(super) struct Pictured {
    /// The repository as the texts name it; `copilot/NAME` for a workload of Copilot.
    pub(super) name: String,
    pub(super) places: Vec<Place>,
    /// For each of [`WAYS`].
    pub(super) effects: Vec<Effect>,
}

/// All images of a workspace that are its own.
pub(super) struct Picture {
    pub(super) images: Vec<Pictured>,
    /// The buildspecs, by path, whose builds run the inserted definition of the branch.
    pub(super) derives: Vec<String>,
}

impl Picture {
    pub(super) fn of(workspace: &Workspace) -> Self {
        let builds: Vec<Builds> = WAYS.iter().map(|way| Builds::of(workspace, way)).collect();
        let edited = Edited::of(workspace);
        let lines: Vec<LineIndex> = workspace
            .documents
            .iter()
            .map(|document| LineIndex::new(&document.text))
            .collect();
        let own = workspace.flow.flows().iter().filter(|image| image.own);
        let mut images: Vec<Pictured> = own
            .map(|image| Pictured {
                name: image.name.to_string(),
                places: places(workspace, image, &lines, &edited),
                effects: builds
                    .iter()
                    .map(|builds| builds.effect(workspace, image, &edited))
                    .collect(),
            })
            .filter(|image| !image.places.is_empty())
            .collect();
        images.extend(workloads(workspace, &builds, &lines));
        let derives = workspace.documents.iter().enumerate().filter(|(file, _)| {
            let mut builds = builds.iter();
            builds.any(|builds| builds.derives(*file))
        });
        Self {
            images,
            derives: derives
                .map(|(_, document)| document.relative.to_string())
                .collect(),
        }
    }
}

fn places(
    workspace: &Workspace,
    image: &Flow,
    lines: &[LineIndex],
    edited: &Edited<'_>,
) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for id in &image.uses {
        let place = workspace.flow.image_use(*id);
        let actions: &[Action] = match place.role {
            Role::Build => &[Action::Build],
            Role::BuildPush => &[Action::Build, Action::Push],
            Role::Push => &[Action::Push],
            Role::Record => &[Action::Record],
            Role::Deploy => &[Action::Deploy],
            Role::TagSource
            | Role::TagDestination
            | Role::Pull
            | Role::Run
            | Role::Cache
            | Role::Argument => &[],
        };
        for action in actions {
            let tool = place.tool.name();
            let facts = workspace.flow.file(id.file);
            let filled_in = facts.buildspec.is_none() && edited.holds(&facts.path);
            let tags = if filled_in {
                vec![FILLED_IN.to_owned()]
            } else {
                tags(place)
            };
            places.extend(located(
                workspace, lines, id.file.0, place.span, *action, tool, tags,
            ));
        }
    }
    places
}

fn located(
    workspace: &Workspace,
    lines: &[LineIndex],
    file: u32,
    span: Span,
    action: Action,
    tool: &str,
    tags: Vec<String>,
) -> Option<Place> {
    let document = workspace.documents.get(file as usize)?;
    let line = lines
        .get(file as usize)?
        .position(&document.text, span.start)
        .line;
    Some(Place {
        action,
        tool: tool.to_owned(),
        path: document.relative.to_string(),
        line,
        tags,
    })
}

fn tags(place: &ImageUse) -> Vec<String> {
    let shown = |tag: &TagValue| match &tag.kind {
        TagKind::Implicit => "latest".to_owned(),
        TagKind::Literal(text) => text.to_string(),
        TagKind::Variable(_) => tag.written.to_string(),
        TagKind::Digest => "(digest)".to_owned(),
        TagKind::Hidden => "(in a variable)".to_owned(),
        TagKind::All => "(all tags)".to_owned(),
    };
    let tags: BTreeSet<String> = place.tags.iter().map(shown).collect();
    tags.into_iter().collect()
}

/// The workloads that calls of Copilot build and deploy: their images have no name in the texts.
fn workloads(workspace: &Workspace, builds: &[Builds], lines: &[LineIndex]) -> Vec<Pictured> {
    let mut names: Vec<String> = Vec::new();
    for name in builds.iter().flat_map(Builds::workloads) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
        .into_iter()
        .map(|name| {
            let calls: BTreeSet<_> = builds
                .iter()
                .flat_map(|builds| builds.calls(&name))
                .collect();
            let files: BTreeSet<usize> = calls.iter().map(|(file, _)| *file).collect();
            let places = calls.iter().filter_map(|(file, index)| {
                let facts = workspace.flow.files().get(*file)?;
                let call = facts.copilot.get(*index)?;
                let tag = call.flag("tag").and_then(|flag| flag.value.as_ref());
                let tag =
                    tag.map_or_else(|| "(no --tag)".to_owned(), |tag| tag.written.to_string());
                let file = u32::try_from(*file).ok()?;
                located(
                    workspace,
                    lines,
                    file,
                    call.span,
                    Action::Deploy,
                    "copilot",
                    vec![tag],
                )
            });
            Pictured {
                places: places.collect(),
                effects: builds
                    .iter()
                    .map(|builds| builds.effect_of_copilot(&name, &files))
                    .collect(),
                name,
            }
        })
        .collect()
}

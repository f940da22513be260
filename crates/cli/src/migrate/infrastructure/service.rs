//! What is known of the service whose images move: read from the flow, before or after its buildspecs were changed.

use std::collections::{BTreeMap, BTreeSet};

use tagwright_flow::FileKind;
use tagwright_flow::delivery::{BuildspecOf, Run, Value};
use tagwright_flow::expression::{Piece, Repository, plain_name};
use tagwright_flow::facts::FileFacts;
use tagwright_flow::tools::Role;
use tagwright_project::Workspace;
use tagwright_project::workspace::Document;
use tagwright_rules::environments::{Definition, image_name, repository_name, variable};
use tagwright_syntax::buildspec::Buildspec;
use tagwright_syntax::yaml;

use super::{Build, HEADER, Image, Service};

impl Service {
    /// The service of a workspace; `folder` is the name of its folder, for one whose images have no name.
    #[must_use]
    pub fn of(workspace: &Workspace, folder: &str) -> Self {
        let mut images: BTreeMap<String, Image> = BTreeMap::new();
        let mut builds = Vec::new();
        for file in workspace.flow.files() {
            let pushed = images_of(workspace, file, folder);
            if file.buildspec.as_ref().is_none_or(|spec| spec.inline) || pushed.is_empty() {
                continue;
            }
            images.extend(pushed.into_iter().map(|image| (image.name.clone(), image)));
            builds.extend(workspace.document(file.id).map(|document| Build {
                buildspec: document.relative.to_string(),
                image: build_image(workspace, &document.relative),
                deploys: hands_on_definitions(document),
            }));
        }
        let images: Vec<Image> = images.into_values().collect();
        Self {
            name: name(&images, folder),
            images,
            builds,
            declared: declared(workspace),
        }
    }
}

/// The name of all that is made for the images: the one image's, or the folder that they share, or the first one's.
fn name(images: &[Image], folder: &str) -> String {
    let mut named = images
        .iter()
        .filter(|it| !it.with_registry)
        .map(|it| &*it.name);
    let Some(first) = named.next() else {
        return folder.to_owned();
    };
    let rest: Vec<&str> = named.collect();
    if let Some((shared, _)) = first.rsplit_once('/')
        && !rest.is_empty()
        && rest.iter().all(|it| it.starts_with(&format!("{shared}/")))
    {
        return shared.to_owned();
    }
    first.rsplit('/').next().unwrap_or(first).to_owned()
}

/// The images that a file's commands push to Amazon ECR.
fn images_of(workspace: &Workspace, file: &FileFacts, folder: &str) -> Vec<Image> {
    let settings = workspace.analysis.settings();
    let mut images = Vec::new();
    // A file that was changed already says what it was about.
    if let Some(environments) = &settings.environments {
        for item in file.scripts().iter() {
            images.extend(
                Definition::read(&item.text, environments).map(|it| match it.image {
                    Some(name) => Image {
                        name,
                        variable: it.variable,
                        with_registry: false,
                    },
                    None => Image {
                        name: repository_name(folder),
                        variable: it.variable,
                        with_registry: true,
                    },
                }),
            );
        }
    }
    if !images.is_empty() {
        return images;
    }
    for image in &file.uses {
        if !matches!(image.role, Role::Push | Role::BuildPush) {
            continue;
        }
        let found = match whole_variable(&image.repository) {
            Some(name) => Some(Image {
                name: repository_name(folder),
                variable: name.to_owned(),
                with_registry: true,
            }),
            None => image_name(&image.repository)
                .filter(|_| is_ecr(&image.repository))
                .map(repository_name)
                .map(|name| Image {
                    variable: variable(&name),
                    name,
                    with_registry: false,
                }),
        };
        images.extend(found.filter(|it| !images.contains(it)));
    }
    images
}

/// The variable that is all of the repository.
fn whole_variable(repository: &Repository) -> Option<&str> {
    let mut pieces = repository.pieces();
    match (pieces.next(), pieces.next()) {
        (Some(Piece::Variable(name)), None) if plain_name(name) == name => Some(name),
        _ => None,
    }
}

/// Whether the registry is one of ECR, or not written out.
fn is_ecr(repository: &Repository) -> bool {
    let registry = repository.key().split('/').next().unwrap_or_default();
    registry.contains(['$', '`']) || registry.contains(".dkr.ecr") || registry.contains(".dkr-ecr")
}

/// The image that a project of the repository runs the buildspec in: of a project of the user's, if there is one.
fn build_image(workspace: &Workspace, buildspec: &str) -> Option<String> {
    let is_it = |run: &&Run| match &run.buildspec {
        BuildspecOf::Default => buildspec == "buildspec.yml",
        BuildspecOf::File(path) => **path == *buildspec,
        _ => false,
    };
    let mut files: Vec<&FileFacts> = workspace.flow.files().iter().collect();
    files.sort_by_key(|file| is_written_here(workspace, file));
    let runs = files
        .into_iter()
        .filter_map(|file| file.delivery.as_deref());
    runs.flat_map(|it| &it.runs)
        .filter(is_it)
        .find_map(|run| match &run.image {
            Value::Text(image) => Some(image.to_string()),
            _ => None,
        })
}

/// Whether the buildspec hands on the file that ECS deploys from.
fn hands_on_definitions(document: &Document) -> bool {
    let tree = yaml::parse(&document.text);
    let spec = tree.root().and_then(|root| Buildspec::read(&tree, root));
    let artifacts = spec.and_then(|spec| spec.artifacts);
    artifacts.is_some_and(|it| {
        let mut files = it.files.iter().filter_map(|node| tree.text(*node));
        files.any(|name| name == "imagedefinitions.json")
    })
}

/// The repositories that files other than those written here declare.
fn declared(workspace: &Workspace) -> BTreeSet<String> {
    let files = workspace.flow.files().iter();
    let others = files.filter(|file| {
        matches!(file.kind, FileKind::CloudFormation | FileKind::Terraform)
            && !is_written_here(workspace, file)
    });
    let names = others.flat_map(|file| &file.repositories);
    names
        .filter_map(|it| it.name.as_deref())
        .map(str::to_owned)
        .collect()
}

fn is_written_here(workspace: &Workspace, file: &FileFacts) -> bool {
    let document = workspace.document(file.id);
    document.is_some_and(|it| it.text.starts_with(HEADER))
}

//! One file to its facts, whatever kind of file it is.

use std::sync::Arc;

use tagwright_syntax::Span;
use tagwright_syntax::buildspec::Buildspec;
use tagwright_syntax::copilot::{Images, PipelineManifest, WorkloadKind, WorkloadManifest};
use tagwright_syntax::yaml::{self, NodeId, NodeKind, Tree};

use crate::FileId;
use crate::commands::{Role, Tool};
use crate::delivery::{self, DeliveryFacts};
use crate::expression::{Expansion, Reason};
use crate::facts::{FileFacts, RepositoryDeclaration, WorkloadFacts};
use crate::kind::{FileKind, classify, has};
use crate::scan::{self, DataReference, Source};

/// What reading needs to know beforehand.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// The name of the branch variable, `BRANCH_NAME` unless configured.
    pub branch_variable: String,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            branch_variable: "BRANCH_NAME".to_owned(),
        }
    }
}

/// Reads one file. Pure, so files can be read side by side. `path` is shown as it is and decides, with
/// the text, what the file is read as.
#[must_use]
pub fn read_file(id: FileId, path: &Arc<str>, text: &Arc<str>, options: &ReadOptions) -> FileFacts {
    read_file_with(id, path, text, options, &mut |_, _, _| {})
}

/// The same; `visit` is shown the file's facts and its tree before the tree is dropped, and is given the typed
/// view of the first document if that is a buildspec. It is not called for files that are not YAML.
pub fn read_file_with(
    id: FileId,
    path: &Arc<str>,
    text: &Arc<str>,
    options: &ReadOptions,
    visit: &mut dyn FnMut(&FileFacts, &Tree, Option<Buildspec>),
) -> FileFacts {
    let kind = classify(path, text);
    let mut facts = scan::empty(id, path, text, kind);
    match kind {
        FileKind::Other => {}
        FileKind::Terraform => {
            terraform(&mut facts, text);
            let delivers = has(text, "aws_codepipeline") || has(text, "aws_codebuild_project");
            let mut found = DeliveryFacts::default();
            if delivers || has(text, "aws_iam_role") && has(text, "ecr:") {
                found = delivery::terraform::read(text);
            }
            if delivery::templates::may_hold(text) {
                found.templates = delivery::templates::read(text);
            }
            keep(&mut facts, found);
        }
        _ => {
            let tree = yaml::parse(text);
            facts.error = tree.error().cloned();
            let source = Source {
                text,
                tree: &tree,
                host: None,
                template: None,
            };
            let mut spec = None;
            for root in tree.documents() {
                let read = document(&mut facts, &source, *root, kind, options);
                if Some(*root) == tree.root() {
                    spec = read;
                }
            }
            visit(&facts, &tree, spec);
            // Facts are kept for the whole run; what growing them left over is not.
            for image in &mut facts.uses {
                image.tags.shrink_to_fit();
            }
            facts.uses.shrink_to_fit();
            facts.assignments.shrink_to_fit();
            facts.reads.shrink_to_fit();
        }
    }
    facts
}

fn document(
    facts: &mut FileFacts,
    source: &Source<'_>,
    root: NodeId,
    kind: FileKind,
    options: &ReadOptions,
) -> Option<Buildspec> {
    match kind {
        FileKind::Buildspec => {
            let first = facts.buildspec.is_none();
            let spec = first
                .then(|| scan::buildspec(facts, source, root, &options.branch_variable))
                .flatten();
            batch(facts, source, root);
            return spec;
        }
        FileKind::CopilotWorkload => workload(facts, source, root),
        FileKind::CopilotPipeline => pipeline(facts, source, root),
        FileKind::CopilotEnvironment | FileKind::Other | FileKind::Terraform => {}
        FileKind::TaskDefinition => {
            every(source.tree, root, &mut |key, value| {
                if key == "image" {
                    deploy(facts, source, value, Tool::AwsEcs, Reason::TaskDefinition);
                }
            });
        }
        FileKind::ImageDefinitions => {
            every(source.tree, root, &mut |key, value| {
                if matches!(key, "imageUri" | "ImageURI") {
                    deploy(
                        facts,
                        source,
                        value,
                        Tool::ImageDefinitions,
                        Reason::ImageDefinitions,
                    );
                }
            });
        }
        FileKind::Dockerrun => {
            // Version 1 has one image, versions 2 and 3 containers.
            let one = source.tree.get(root, "Image");
            if let Some(name) = one.and_then(|image| source.tree.get(image, "Name")) {
                deploy(facts, source, name, Tool::Other, Reason::Dockerrun);
            }
            every(source.tree, root, &mut |key, value| {
                if key == "image" {
                    deploy(facts, source, value, Tool::Other, Reason::Dockerrun);
                }
            });
        }
        FileKind::Kubernetes => {
            every(source.tree, root, &mut |key, value| {
                if key == "image" {
                    deploy(facts, source, value, Tool::Kubectl, Reason::Kubernetes);
                }
            });
        }
        FileKind::Compose => compose(facts, source, root),
        FileKind::CloudFormation => cloudformation(facts, source, root, options),
    }
    None
}

/// Calls `found` for every key of every mapping below `root`, with its value.
fn every(tree: &Tree, root: NodeId, found: &mut dyn FnMut(&str, NodeId)) {
    let mut stack = vec![root];
    while let Some(at) = stack.pop() {
        match &tree.node(at).kind {
            NodeKind::Mapping(mapping) => {
                for entry in &mapping.entries {
                    if let Some(key) = tree.text(entry.key) {
                        found(key, entry.value);
                    }
                }
                stack.extend(mapping.entries.iter().rev().map(|entry| entry.value));
            }
            NodeKind::Sequence(sequence) => stack.extend(sequence.items.iter().rev()),
            NodeKind::Scalar(_) | NodeKind::Alias { .. } => {}
        }
    }
}

fn deploy(facts: &mut FileFacts, source: &Source<'_>, node: NodeId, tool: Tool, reason: Reason) {
    scan::data_reference(
        facts,
        &DataReference {
            node,
            role: Role::Deploy,
            tool,
            expansion: Expansion::Never(reason),
            source,
        },
    );
}

/// The build images of a batch: CodeBuild pulls them to run the build in.
fn batch(facts: &mut FileFacts, source: &Source<'_>, root: NodeId) {
    let Some(batch) = source.tree.get(root, "batch") else {
        return;
    };
    keep(facts, delivery::batch::read(source.tree, batch));
    every(source.tree, batch, &mut |key, value| {
        if key != "image" {
            return;
        }
        let values = match source.tree.sequence(value) {
            Some(list) => list.items.clone(),
            None => vec![value],
        };
        for node in values {
            build_image(facts, source, node, Reason::Batch);
        }
    });
}

/// An image that a build runs in, unless it is one of CodeBuild's own; `reason` says why nothing expands
/// a variable there.
fn build_image(facts: &mut FileFacts, source: &Source<'_>, node: NodeId, reason: Reason) {
    let managed = source
        .tree
        .text(node)
        .is_none_or(|text| text.starts_with("aws/codebuild/"));
    if !managed {
        scan::data_reference(
            facts,
            &DataReference {
                node,
                role: Role::Run,
                tool: Tool::Other,
                expansion: Expansion::Never(reason),
                source,
            },
        );
    }
}

fn workload(facts: &mut FileFacts, source: &Source<'_>, root: NodeId) {
    let Some(manifest) = WorkloadManifest::read(source.tree, root) else {
        return;
    };
    let folder = facts.path.rsplit('/').nth(1).unwrap_or_default().to_owned();
    let name = manifest
        .name
        .and_then(|id| source.tree.text(id))
        .map_or(folder, str::to_owned);
    facts.workload = Some(WorkloadFacts {
        kind: manifest.kind,
        name: name.as_str().into(),
        builds: manifest.builds() && manifest.kind != WorkloadKind::StaticSite,
        builds_per_environment: manifest.builds_per_environment(),
        builds_only_sidecars: manifest.builds_only_sidecars(),
    });
    images(facts, source, &manifest.images);
    for (_, section) in &manifest.environments {
        images(facts, source, section);
    }
}

fn images(facts: &mut FileFacts, source: &Source<'_>, images: &Images) {
    let mut add = |node: NodeId, role: Role| {
        scan::data_reference(
            facts,
            &DataReference {
                node,
                role,
                tool: Tool::Copilot,
                expansion: Expansion::CopilotManifest,
                source,
            },
        );
    };
    for node in images.location.iter().chain(&images.plain) {
        add(*node, Role::Deploy);
    }
    for (_, node) in &images.sidecars {
        add(*node, Role::Deploy);
    }
    for node in &images.cache_from {
        add(*node, Role::Cache);
    }
    if let Some(node) = images.logging {
        add(node, Role::Deploy);
    }
}

fn pipeline(facts: &mut FileFacts, source: &Source<'_>, root: NodeId) {
    let Some(manifest) = PipelineManifest::read(source.tree, root) else {
        return;
    };
    facts.pipeline_stages = manifest
        .stages
        .iter()
        .filter_map(|stage| source.tree.text(stage.name?).map(Into::into))
        .collect();
    if let Some(image) = manifest.build_image {
        build_image(facts, source, image, Reason::PipelineManifest);
    }
    keep(
        facts,
        delivery::copilot::read(source.tree, &manifest, &facts.path),
    );
}

fn compose(facts: &mut FileFacts, source: &Source<'_>, root: NodeId) {
    let Some(services) = source
        .tree
        .get(root, "services")
        .and_then(|id| source.tree.mapping(id))
    else {
        return;
    };
    for service in &services.entries {
        let Some(image) = source.tree.get(service.value, "image") else {
            continue;
        };
        let role = if source.tree.get(service.value, "build").is_some() {
            Role::Build
        } else {
            Role::Run
        };
        scan::data_reference(
            facts,
            &DataReference {
                node: image,
                role,
                tool: Tool::Other,
                expansion: Expansion::Never(Reason::Compose),
                source,
            },
        );
    }
}

fn cloudformation(facts: &mut FileFacts, source: &Source<'_>, root: NodeId, options: &ReadOptions) {
    let tree = source.tree;
    let Some(resources) = tree.get(root, "Resources").and_then(|id| tree.mapping(id)) else {
        return;
    };
    let mut found = DeliveryFacts::default();
    for resource in &resources.entries {
        let Some(kind) = tree
            .get(resource.value, "Type")
            .and_then(|id| tree.text(id))
        else {
            continue;
        };
        let Some(properties) = tree.get(resource.value, "Properties") else {
            continue;
        };
        match kind {
            "AWS::ECR::Repository" => {
                let setting = tree.get(properties, "ImageTagMutability");
                let mode = setting.and_then(|id| tree.text(id)).unwrap_or("MUTABLE");
                let mut exclusions = Vec::new();
                if let Some(filters) = tree.get(properties, "ImageTagMutabilityExclusionFilters") {
                    every(tree, filters, &mut |key, value| {
                        if key.ends_with("Value")
                            && let Some(text) = tree.text(value)
                        {
                            exclusions.push(text.into());
                        }
                    });
                }
                facts.repositories.push(RepositoryDeclaration {
                    name: tree
                        .get(properties, "RepositoryName")
                        .and_then(|id| plain_text(tree, id)),
                    immutable: mode.starts_with("IMMUTABLE"),
                    certain: setting.is_none_or(|id| plain_text(tree, id).is_some()),
                    exclusions,
                    span: tree.node(resource.key).span,
                });
            }
            "AWS::CodeBuild::Project" => {
                if let Some(variables) = tree
                    .get(properties, "Environment")
                    .and_then(|id| tree.get(id, "EnvironmentVariables"))
                    .and_then(|id| tree.sequence(id))
                {
                    for item in &variables.items {
                        if let Some(name) = tree.get(*item, "Name").and_then(|id| tree.text(id)) {
                            facts.provided_variables.push(name.into());
                        }
                    }
                }
                let before = facts.buildspec.is_some();
                if let Some(inline) = tree
                    .get(properties, "Source")
                    .and_then(|id| tree.get(id, "BuildSpec"))
                {
                    inline_buildspec(facts, source, inline, options);
                }
                let here = !before && facts.buildspec.is_some();
                delivery::cloudformation::project(&mut found, source, *resource, properties, here);
            }
            "AWS::IAM::Role" | "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => {
                delivery::cloudformation::grants(&mut found, source, *resource, properties);
            }
            "AWS::CodePipeline::Pipeline" => {
                delivery::cloudformation::pipeline(&mut found, source, *resource, properties);
                every(tree, properties, &mut |key, value| {
                    if key == "EnvironmentVariables" {
                        let text = tree
                            .text(value)
                            .unwrap_or_else(|| tree.node(value).span.of(source.text));
                        facts.provided_variables.extend(json_names(text));
                    }
                });
            }
            "AWS::ECS::TaskDefinition" => {
                every(tree, properties, &mut |key, value| {
                    if key == "Image" && plain_text(tree, value).is_some() {
                        deploy(
                            facts,
                            source,
                            value,
                            Tool::CloudFormation,
                            Reason::CloudFormation,
                        );
                    }
                });
            }
            _ => {}
        }
    }
    keep(facts, found);
}

/// Keeps what was found, if anything was.
fn keep(facts: &mut FileFacts, found: DeliveryFacts) {
    if !found.is_empty() {
        facts.delivery = Some(Box::new(found));
    }
}

/// A scalar's text unless it is written with an intrinsic function.
fn plain_text(tree: &Tree, id: NodeId) -> Option<Box<str>> {
    tree.node(id).tag.is_none().then_some(())?;
    tree.text(id).map(Into::into)
}

/// `"name":"X"` in the JSON text of a pipeline action's `EnvironmentVariables`.
fn json_names(text: &str) -> Vec<Box<str>> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("name") {
        rest = &rest[at + 4..];
        let value = rest.trim_start_matches(['"', '\\', '\'', ' ', ':', '=', '\n']);
        let name = &value[..crate::expression::plain_name(value).len()];
        if !name.is_empty() && name != "value" {
            names.push(name.into());
        }
    }
    names
}

fn inline_buildspec(
    facts: &mut FileFacts,
    source: &Source<'_>,
    node: NodeId,
    options: &ReadOptions,
) {
    let tree = source.tree;
    if facts.buildspec.is_some() {
        return;
    }
    let written_out = tree
        .node(node)
        .tag
        .is_none()
        .then(|| tree.text(node))
        .flatten();
    let (text, map, template) = match written_out {
        Some(text) => match tree.source_map(source.text, node) {
            Some(map) => (text.to_owned(), map, None),
            None => return,
        },
        // What is put together of texts alone is known too; what only CloudFormation knows could be anything.
        None => match delivery::inline::Inline::read(source.text, tree, node) {
            Some(inline) if inline.unknown.is_empty() => (
                inline.text,
                inline.map,
                Some("a text of CloudFormation's functions"),
            ),
            _ => return,
        },
    };
    if !text.contains("phases") {
        return;
    }
    let inner = yaml::parse(&text);
    let inner_source = Source {
        text: &text,
        tree: &inner,
        host: Some((node, map)),
        template,
    };
    if let Some(root) = inner.root() {
        scan::buildspec(facts, &inner_source, root, &options.branch_variable);
    }
}

/// What Terraform says of image repositories and project variables. Read line by line: it is context,
/// never something to rewrite.
fn terraform(facts: &mut FileFacts, text: &str) {
    let mut offset = 0;
    let mut block: Option<(&str, usize)> = None;
    let mut name: Option<Box<str>> = None;
    let mut immutable = false;
    let mut certain = true;
    let mut exclusions = Vec::new();
    let mut in_variable = false;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if line.starts_with("resource ") {
            let kind = trimmed.split('"').nth(1).unwrap_or("");
            block = Some((kind, offset));
            name = None;
            immutable = false;
            certain = true;
            exclusions.clear();
        }
        if let Some((kind, start)) = block {
            let value = trimmed
                .split_once('=')
                .map(|(key, value)| (key.trim(), value.trim().trim_matches('"')));
            match (kind, value) {
                ("aws_ecr_repository", Some(("name", value))) if !value.contains(['$', '.']) => {
                    name = Some(value.into());
                }
                ("aws_ecr_repository", Some(("image_tag_mutability", value))) => {
                    immutable = value.starts_with("IMMUTABLE");
                    certain = immutable || value.starts_with("MUTABLE");
                }
                ("aws_ecr_repository", Some(("filter", value))) => exclusions.push(value.into()),
                ("aws_codebuild_project", Some(("name", value))) if in_variable => {
                    facts.provided_variables.push(value.into());
                }
                ("aws_codepipeline", _) if trimmed.contains("name") => {
                    facts.provided_variables.extend(json_names(trimmed));
                }
                _ => {}
            }
            if trimmed.starts_with("environment_variable") {
                in_variable = true;
            } else if trimmed == "}" {
                in_variable = false;
            }
            if line.starts_with('}') {
                if kind == "aws_ecr_repository" {
                    facts.repositories.push(RepositoryDeclaration {
                        name: name.take(),
                        immutable,
                        certain,
                        exclusions: std::mem::take(&mut exclusions),
                        span: Span::new(start, start + first_line(&text[start..])),
                    });
                }
                block = None;
            }
        }
        offset += line.len();
    }
}

fn first_line(text: &str) -> usize {
    text.find(['\n', '\r']).unwrap_or(text.len())
}

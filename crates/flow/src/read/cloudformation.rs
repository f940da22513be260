//! CloudFormation templates: repositories, projects with buildspecs inside, pipelines, task definitions.

use tagwright_syntax::yaml::{self, Entry, NodeId, Tree};

use super::ReadOptions;
use super::shared::{deploy, every, keep};
use crate::delivery::{self, DeliveryFacts};
use crate::expression::Reason;
use crate::facts::{FileFacts, RepositoryDeclaration};
use crate::scan::{self, Source};
use crate::tools::Tool;

pub(super) fn cloudformation(
    facts: &mut FileFacts,
    source: &Source<'_>,
    root: NodeId,
    options: &ReadOptions,
) {
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
            "AWS::ECR::Repository" => repository(facts, source, *resource, properties),
            "AWS::CodeBuild::Project" => {
                let here = project(facts, source, properties, options);
                delivery::cloudformation::project(&mut found, source, *resource, properties, here);
            }
            "AWS::IAM::Role" | "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => {
                delivery::cloudformation::grants(&mut found, source, *resource, properties);
            }
            "AWS::CodePipeline::Pipeline" => {
                delivery::cloudformation::pipeline(&mut found, source, *resource, properties);
                passed_variables(facts, source, properties);
            }
            "AWS::ECS::TaskDefinition" => {
                task_definition(facts, source, properties);
                let keys = ["ContainerDefinitions", "Name"];
                delivery::cloudformation::containers(&mut found, tree, properties, keys);
            }
            _ => {}
        }
    }
    keep(facts, found);
}

pub(super) fn repository(
    facts: &mut FileFacts,
    source: &Source<'_>,
    resource: Entry,
    properties: NodeId,
) {
    let tree = source.tree;
    let setting = tree.get(properties, "ImageTagMutability");
    let mode = setting.and_then(|id| tree.text(id)).unwrap_or("MUTABLE");
    let mut exclusions = Vec::new();
    let mut exclusions_open = false;
    if let Some(filters) = tree.get(properties, "ImageTagMutabilityExclusionFilters") {
        every(tree, filters, &mut |key, value| {
            if key.ends_with("Value") {
                match plain_text(tree, value) {
                    Some(text) => exclusions.push(text),
                    None => exclusions_open = true,
                }
            }
        });
        exclusions_open |= tree.sequence(filters).is_none();
    }
    let name = tree.get(properties, "RepositoryName");
    facts.repositories.push(RepositoryDeclaration {
        name: name.and_then(|id| plain_text(tree, id)),
        pattern: name
            .and_then(|id| delivery::inline::Inline::read(source.text, tree, id))
            .map_or_else(|| "*".into(), |inline| inline.pattern()),
        immutable: mode.starts_with("IMMUTABLE"),
        certain: setting.is_none_or(|id| plain_text(tree, id).is_some()),
        exclusions,
        exclusions_open,
        expires_untagged: tree
            .get(properties, "LifecyclePolicy")
            .and_then(|id| tree.get(id, "LifecyclePolicyText"))
            .filter(|id| delivery::cloudformation::expires_untagged(tree, *id))
            .map(|id| tree.node(id).span),
        span: tree.node(resource.key).span,
    });
}

/// What a build project sets and holds; whether its buildspec is the one that the file's facts are about.
pub(super) fn project(
    facts: &mut FileFacts,
    source: &Source<'_>,
    properties: NodeId,
    options: &ReadOptions,
) -> bool {
    let tree = source.tree;
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
    !before && facts.buildspec.is_some()
}

/// The names of the variables that a pipeline's actions pass to their builds.
pub(super) fn passed_variables(facts: &mut FileFacts, source: &Source<'_>, properties: NodeId) {
    let tree = source.tree;
    every(tree, properties, &mut |key, value| {
        if key == "EnvironmentVariables" {
            let names = delivery::cloudformation::names_passed(tree, value);
            facts.provided_variables.extend(names);
        }
    });
}

fn task_definition(facts: &mut FileFacts, source: &Source<'_>, properties: NodeId) {
    let tree = source.tree;
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

/// A scalar's text unless it is written with an intrinsic function.
fn plain_text(tree: &Tree, id: NodeId) -> Option<Box<str>> {
    tree.node(id).tag.is_none().then_some(())?;
    tree.text(id).map(Into::into)
}

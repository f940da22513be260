//! What the AWS CLI prints: `codepipeline get-pipeline`, `codebuild batch-get-projects`, `ecr describe-repositories` and
//! `ecr describe-repository-creation-templates`.
//!
//! The names are those of CloudFormation but for their first letter, so the answers are read by its reader. Nothing in
//! them can be edited: what AWS runs is changed where it is described, or by a call of AWS.
//!
//! Source: AWS CLI Command Reference, "Output" of these commands (2026-11).

use tagwright_syntax::yaml::{self, Entry, NodeId, Tree};
use tagwright_syntax::{SmolStr, Span};

use super::shared::keep;
use super::{ReadOptions, cloudformation};
use crate::delivery::{self, DeliveryFacts, Pipeline, Slot};
use crate::facts::{FileFacts, RepositoryDeclaration};
use crate::scan::Source;

/// Which repositories the pipelines and projects of an answer are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The pipelines.
    pub pipelines: Vec<PipelineOutline>,
    /// The build projects.
    pub projects: Vec<ProjectOutline>,
}

/// A pipeline of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineOutline {
    /// Its name.
    pub name: Box<str>,
    /// The repositories of its sources, `owner/name` or `name`.
    pub repositories: Vec<Box<str>>,
    /// The names of the projects that it builds.
    pub projects: Vec<Box<str>>,
    /// Whether an action of it deploys a service of ECS, for which it registers a task definition of its own.
    pub deploys_to_ecs: bool,
}

/// A build project of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectOutline {
    /// Its name.
    pub name: Box<str>,
    /// The address of its repository; `None` where a pipeline brings the source.
    pub location: Option<Box<str>>,
    /// All of it, bytes of the answer.
    pub span: Span,
}

/// What the text of an answer is about.
#[must_use]
pub fn outline(text: &str) -> Outline {
    let tree = yaml::parse(text).with_keys(as_in_templates);
    let Some(root) = tree.root() else {
        return Outline::default();
    };
    Outline {
        pipelines: pipeline_of(&tree, root)
            .and_then(|id| pipeline_outline(&tree, id))
            .into_iter()
            .collect(),
        projects: items(&tree, root, "Projects")
            .iter()
            .filter_map(|id| project_outline(&tree, *id))
            .collect(),
    }
}

fn pipeline_outline(tree: &Tree, pipeline: NodeId) -> Option<PipelineOutline> {
    let mut outline = PipelineOutline {
        name: text(tree, pipeline, "Name")?.into(),
        repositories: Vec::new(),
        projects: Vec::new(),
        deploys_to_ecs: false,
    };
    let stages = items(tree, pipeline, "Stages").iter();
    for action in stages.flat_map(|stage| items(tree, *stage, "Actions")) {
        let kind = tree.get(*action, "ActionTypeId");
        let of_kind = |key| kind.and_then(|id| text(tree, id, key)).unwrap_or_default();
        let Some(configuration) = tree.get(*action, "Configuration") else {
            continue;
        };
        let setting = |key| text(tree, configuration, key);
        if of_kind("Category") == "Source" {
            let name = setting("FullRepositoryId")
                .or_else(|| setting("RepositoryName"))
                .map(Into::into);
            let of_github = || Some(format!("{}/{}", setting("Owner")?, setting("Repo")?).into());
            outline.repositories.extend(name.or_else(of_github));
        }
        outline
            .projects
            .extend(setting("ProjectName").map(Into::into));
        outline.deploys_to_ecs |= matches!(of_kind("Provider"), "ECS" | "CodeDeployToECS");
    }
    Some(outline)
}

fn project_outline(tree: &Tree, project: NodeId) -> Option<ProjectOutline> {
    let source = tree.get(project, "Source");
    let source = source.filter(|id| text(tree, *id, "Type") != Some("CODEPIPELINE"));
    let location = source.and_then(|id| text(tree, id, "Location"));
    Some(ProjectOutline {
        name: text(tree, project, "Name")?.into(),
        location: location.map(Into::into),
        span: tree.node(project).span,
    })
}

/// Reads an answer.
pub(super) fn answer(
    facts: &mut FileFacts,
    source: &Source<'_>,
    root: NodeId,
    options: &ReadOptions,
) {
    let tree = source.tree.clone().with_keys(as_in_templates);
    let source = Source {
        text: source.text,
        tree: &tree,
        host: None,
        template: None,
    };
    let mut found = DeliveryFacts::default();
    if let Some(pipeline) = pipeline_of(&tree, root)
        && let Some(entry) = named(&tree, pipeline, "Name")
    {
        delivery::cloudformation::pipeline(&mut found, &source, entry, pipeline);
        cloudformation::passed_variables(facts, &source, pipeline);
        found.pipelines.iter_mut().for_each(forget_slots);
    }
    for project in items(&tree, root, "Projects") {
        if let Some(entry) = named(&tree, *project, "Name") {
            let here = cloudformation::project(facts, &source, *project, options);
            delivery::cloudformation::project(&mut found, &source, entry, *project, here);
        }
    }
    for repository in items(&tree, root, "Repositories") {
        if let Some(entry) = named(&tree, *repository, "RepositoryName") {
            cloudformation::repository(facts, &source, entry, *repository);
        }
    }
    for template in items(&tree, root, "RepositoryCreationTemplates") {
        creation_template(facts, &source, *template);
    }
    keep(facts, found);
}

/// The repositories that ECR creates on the first push to a name below the template's prefix.
fn creation_template(facts: &mut FileFacts, source: &Source<'_>, template: NodeId) {
    let Some(entry) = named(source.tree, template, "Prefix") else {
        return;
    };
    let applied = items(source.tree, template, "AppliedFor").iter();
    let mut reasons = applied.filter_map(|id| source.tree.text(*id));
    if !reasons.any(|reason| reason == "CREATE_ON_PUSH") {
        return;
    }
    let before = facts.repositories.len();
    cloudformation::repository(facts, source, entry, template);
    let prefix = source.tree.text(entry.key).unwrap_or_default();
    for declaration in &mut facts.repositories[before..] {
        *declaration = RepositoryDeclaration {
            name: None,
            pattern: match prefix {
                "ROOT" => "*".into(),
                prefix => format!("{prefix}/*").into(),
            },
            ..declaration.clone()
        };
    }
}

fn forget_slots(pipeline: &mut Pipeline) {
    for action in pipeline.stages.iter_mut().flat_map(|it| &mut it.actions) {
        action.namespace_slot = Slot::Unknown;
        action.variables_slot = Slot::Unknown;
    }
}

/// The pipeline, which the CLI prints beside its metadata.
fn pipeline_of(tree: &Tree, root: NodeId) -> Option<NodeId> {
    tree.get(root, "Pipeline")
}

/// The thing with the text of `key`, its name, in the place of the key that it would have in a template.
fn named(tree: &Tree, id: NodeId, key: &str) -> Option<Entry> {
    let name = tree.get(id, key)?;
    tree.text(name)?;
    Some(Entry {
        key: name,
        value: id,
    })
}

fn items<'t>(tree: &'t Tree, id: NodeId, key: &str) -> &'t [NodeId] {
    let list = tree.get(id, key).and_then(|id| tree.sequence(id));
    list.map_or(&[], |list| &list.items)
}

fn text<'t>(tree: &'t Tree, id: NodeId, key: &str) -> Option<&'t str> {
    tree.get(id, key).and_then(|id| tree.text(id))
}

/// What CloudFormation calls a key of the CLI.
fn as_in_templates(key: &str) -> Option<SmolStr> {
    match key {
        "buildspec" => return Some("BuildSpec".into()),
        "filter" => return Some("ImageTagMutabilityExclusionFilterValue".into()),
        _ => {}
    }
    let first = key.chars().next().filter(char::is_ascii_lowercase)?;
    let mut name = String::with_capacity(key.len());
    name.push(first.to_ascii_uppercase());
    name.push_str(&key[1..]);
    Some(name.into())
}

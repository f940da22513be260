//! The way from a branch to a deployment, as CloudFormation and Terraform describe it: pipelines, build
//! projects, and who may push where.
//!
//! Only what is written out is read. What a parameter, a module or a function decides stays unknown, and
//! where a whole list does, the description says so: what is absent from it is then not known to be absent.

pub(crate) mod batch;
pub(crate) mod cloudformation;
pub(crate) mod code_inline;
pub(crate) mod copilot;
pub mod inline;
pub(crate) mod terraform;
mod terraform_iam;
pub(crate) mod terraform_inline;

use tagwright_syntax::yaml::{self, NodeId, Tree};
use tagwright_syntax::{Span, hcl};

use crate::FileKind;

/// What one file says of deliveries.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFacts {
    /// Its pipelines.
    pub pipelines: Vec<Pipeline>,
    /// Its build projects.
    pub projects: Vec<Project>,
    /// What its roles may push to, one entry for each repository that is named.
    pub grants: Vec<Grant>,
    /// The builds that it describes, each with the image that it runs in.
    pub runs: Vec<Run>,
    /// The files of its own repository that it names.
    pub named: Vec<NamedFile>,
    /// The names of the containers in its task definitions; [`Value::Unknown`] for what is not written out.
    pub containers: Vec<Value>,
}

impl DeliveryFacts {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pipelines.is_empty()
            && self.projects.is_empty()
            && self.grants.is_empty()
            && self.runs.is_empty()
            && self.named.is_empty()
            && self.containers.is_empty()
    }
}

/// A pipeline of CodePipeline.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Its name, or what the file calls it.
    pub name: Box<str>,
    /// What the file calls it, bytes of the file.
    pub span: Span,
    /// Its stages, in order.
    pub stages: Vec<Stage>,
    /// The names of its pipeline-level variables.
    pub variables: Vec<Box<str>>,
    /// The patterns of the branches that its triggers listen to.
    pub trigger_branches: Vec<Trigger>,
    /// What happens to several executions at a time: `SUPERSEDED` unless it says otherwise.
    pub mode: Value,
    /// Stages, actions and variables are all written out.
    pub whole: bool,
    /// The same, but for the configurations of the actions.
    pub listed: bool,
}

/// A branch that a trigger of a pipeline names.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// The branch, or a pattern of branches.
    pub pattern: Box<str>,
    /// Bytes of the file.
    pub span: Span,
}

/// A stage of a pipeline.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its name; empty if it is not written out.
    pub name: Box<str>,
    /// The name's bytes in the file, or those of the stage's start.
    pub span: Span,
    /// What happens to an execution that the stage's entry condition does not admit.
    pub gate: Gate,
    /// Its actions, in the order of the file.
    pub actions: Vec<Action>,
    /// The variables that its conditions read.
    pub references: Vec<Reference>,
}

/// What a stage's entry condition does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// There is none.
    Open,
    /// The stage is skipped; the next one is not.
    Skips,
    /// The execution ends, or it is not known what happens.
    Stops,
}

/// An action of a stage.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its name.
    pub name: Box<str>,
    /// The name's bytes in the file, or those of the action's start.
    pub span: Span,
    /// `Source`, `Build`, `Deploy`, `Approval`, …; empty if it is not written out.
    pub category: Box<str>,
    /// `CodeBuild`, `ECS`, …; empty if it is not written out.
    pub provider: Box<str>,
    /// The namespace of its output variables; `None` if it has none.
    pub namespace: Option<Box<str>>,
    /// 1 unless it says otherwise.
    pub run_order: u32,
    /// Its configuration.
    pub settings: Vec<Setting>,
    /// All of its configuration is written out.
    pub settings_whole: bool,
    /// The variables of the pipeline that its configuration reads.
    pub references: Vec<Reference>,
    /// What it passes to a build; `None` if that cannot be read.
    pub passed: Option<Vec<Passed>>,
    /// What its configuration has as `EnvironmentVariables`.
    pub variables: Option<Variables>,
    /// The artifacts that it takes.
    pub inputs: Vec<Box<str>>,
    /// The artifacts that it gives.
    pub outputs: Vec<Box<str>>,
    /// Where a namespace can be written, if the action has none.
    pub namespace_slot: Slot,
    /// Where the variables that it passes to a build are written, or can be.
    pub variables_slot: Slot,
    /// The names of all artifacts that it gives are written out.
    pub outputs_whole: bool,
}

/// Where something of an action is written, or can be, for whoever edits the file.
#[derive(Clone, Debug)]
pub enum Slot {
    /// Nowhere that is certain.
    Unknown,
    /// A mapping of YAML, or of JSON, takes a new key before this entry.
    Entry {
        /// The mapping.
        mapping: NodeId,
        /// 0-based; the number of entries is behind the last.
        index: u32,
    },
    /// A setting of Terraform can be put behind this one, from its name to the end of its value; bytes of the file.
    Behind(Span),
    /// A list of objects in Terraform takes another one behind this; both are bytes of the file.
    ItemBehind {
        /// The last item.
        item: Span,
        /// The list.
        list: Span,
    },
    /// It is this text of YAML, without any function around it.
    Text {
        /// The scalar.
        node: NodeId,
        /// The scalar's decoded value.
        value: Box<str>,
    },
}

/// The `EnvironmentVariables` of an action's configuration.
#[derive(Clone, Debug)]
pub struct Variables {
    /// Its bytes in the file.
    pub span: Span,
    /// What it is.
    pub form: VariablesForm,
}

/// The shape of an action's `EnvironmentVariables`; CodePipeline takes a text only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariablesForm {
    /// A text, with [`UNKNOWN`] in the place of each part that is not written out.
    Text(Box<str>),
    /// A list of the description's own language.
    List,
    /// An object of the description's own language.
    Object,
}

impl Project {
    /// Its variable of this name.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&EnvironmentVariable> {
        self.variables.iter().find(|it| &*it.name == name)
    }
}

impl Action {
    /// The value of a key of the configuration.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| &*setting.key == key)
    }

    /// Whether it runs a build of CodeBuild.
    #[must_use]
    pub fn is_build(&self) -> bool {
        &*self.provider == "CodeBuild"
    }

    /// The branch that it takes its source from, if that is written out.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        if &*self.category != "Source" {
            return None;
        }
        let setting = self
            .setting("BranchName")
            .or_else(|| self.setting("Branch"))?;
        match &setting.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A key of an action's configuration.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The key.
    pub key: Box<str>,
    /// Its value.
    pub value: Value,
    /// The value's bytes in the file.
    pub span: Span,
}

/// A value, as far as it is written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Text(Box<str>),
    /// Another thing that the same description names, in a form that is equal where both mean the same: a
    /// parameter, a resource, a text with references in it.
    Reference(Box<str>),
    /// Something else.
    Unknown,
}

/// A variable that an action passes to its build.
#[derive(Clone, Debug)]
pub struct Passed {
    /// The variable.
    pub name: Box<str>,
    /// Its value; empty if that is not text.
    pub value: Box<str>,
}

/// `#{Namespace.Name}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What stands before the dot.
    pub namespace: Box<str>,
    /// What stands behind it.
    pub name: Box<str>,
    /// From `#` to `}`, bytes of the file.
    pub span: Span,
}

/// A project of CodeBuild.
#[derive(Clone, Debug)]
pub struct Project {
    /// What other parts of the description call it.
    pub address: Value,
    /// Its name.
    pub name: Value,
    /// What the file calls it, bytes of the file.
    pub span: Span,
    /// Its environment variables.
    pub variables: Vec<EnvironmentVariable>,
    /// The names of all of its variables are written out.
    pub whole: bool,
    /// Whether its builds may run a Docker daemon: `privilegedMode`. `None` if it is not written out, or if its
    /// builds have a daemon elsewhere.
    pub privileged: Option<bool>,
    /// Variables that are not written as a name and a value, but as an entry of their own: what is taken for the
    /// name, and its bytes in the file.
    pub malformed: Vec<(Box<str>, Span)>,
    /// The type of its source, `CODEPIPELINE` or `GITHUB`.
    pub source: Value,
    /// Where its commands are written, if the description itself holds them: bytes of the file.
    pub text: Option<Span>,
    /// Places in its variables and in its buildspec that would have to be resolved by a pipeline.
    pub references: Vec<Reference>,
    /// Where its commands are.
    pub buildspec: BuildspecOf,
}

/// A variable that a project gives to its builds.
#[derive(Clone, Debug)]
pub struct EnvironmentVariable {
    /// Its name.
    pub name: Box<str>,
    /// Its value; [`Value::Unknown`] if it is the name of something that holds the value (`PARAMETER_STORE`,
    /// `SECRETS_MANAGER`).
    pub value: Value,
    /// The value's bytes in the file, or those of the variable if it has none.
    pub span: Span,
}

/// Whether a variable of this type holds its value itself; that is what one without a type does.
fn is_plain(kind: Option<&str>) -> bool {
    kind.is_none_or(|kind| kind == "PLAINTEXT")
}

/// Where a project's commands are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildspecOf {
    /// In `buildspec.yml` at the root of the source.
    Default,
    /// In the file of this path, relative to the root of the source.
    File(Box<str>),
    /// In the description itself, and they are what the file's other facts are about.
    Here,
    /// Somewhere else.
    Unknown,
}

/// A build and the image that it runs in: of a project, of a batch, of a pipeline of Copilot.
#[derive(Clone, Debug)]
pub struct Run {
    /// Whose build it is, for people: "the project `Web`".
    pub of: Box<str>,
    /// The image.
    pub image: Value,
    /// Where the image is written, or else what the image is not written for; bytes of the file.
    pub span: Span,
    /// Where the build's commands are.
    pub buildspec: BuildspecOf,
    /// Where they are written, if the description itself holds them: bytes of the file.
    pub text: Option<Span>,
}

/// A file that another file of the same repository names.
#[derive(Clone, Debug)]
pub struct NamedFile {
    /// Its path, relative to the root of the source.
    pub path: Box<str>,
    /// The path's bytes in the file that names it.
    pub span: Span,
}

/// The image that Copilot's pipelines build in unless their manifest names another.
/// Source: aws/copilot-cli v1.33, `internal/pkg/deploy/pipeline.go`. Earlier releases took earlier ones of the
/// same family.
pub const COPILOT_BUILD_IMAGE: &str = "aws/codebuild/amazonlinux2-x86_64-standard:5.0";

/// The start of CodeBuild's former images with Docker, whose builds are privileged whatever the project says.
/// Source: CodeBuild user guide of 2018, "Create a build project", Privileged: for images "not provided by CodeBuild
/// with Docker support".
const DOCKER_IMAGES: &str = "aws/codebuild/docker:";

/// A role may push to a repository.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The role, as the file calls it.
    pub role: Box<str>,
    /// The repository: its name, or the resource that declares it.
    pub repository: Value,
    /// Where the permission names the repository, bytes of the file.
    pub span: Span,
}

/// The buildspecs that a file of this kind holds itself, in its order.
#[must_use]
pub fn buildspecs_inside(kind: FileKind, text: &str) -> Vec<inline::Inline> {
    match kind {
        FileKind::Terraform => hcl::parse(text)
            .map(|file| terraform_inline::buildspecs(text, &file))
            .unwrap_or_default(),
        FileKind::Cdk => code_inline::buildspecs(text),
        _ => inline::in_template(text, &yaml::parse(text)),
    }
}

/// Whether the text of a project's buildspec is the path of a file.
#[must_use]
pub fn is_path(text: &str) -> bool {
    !text.is_empty()
        && !text.contains(['\n', '{', ' '])
        && !text.starts_with("arn:")
        && !text.starts_with("s3:")
}

/// Whether the configurations of all actions are written out.
fn are_whole(stages: &[Stage]) -> bool {
    let mut actions = stages.iter().flat_map(|stage| &stage.actions);
    actions.all(|action| action.settings_whole)
}

/// The items of a list, or the one value in its place.
fn one_or_more(tree: &Tree, id: NodeId) -> Vec<NodeId> {
    tree.sequence(id)
        .map_or_else(|| vec![id], |list| list.items.clone())
}

/// The places in `span` of `text` that read a variable of a pipeline.
#[must_use]
pub fn references(text: &str, span: Span) -> Vec<Reference> {
    let Some(part) = text.get(span.range()) else {
        return Vec::new();
    };
    let base = span.start as usize;
    memchr::memmem::find_iter(part.as_bytes(), "#{")
        .filter_map(|at| {
            let inner = &part[at + 2..];
            let end = inner.find('}')?;
            let (namespace, name) = inner[..end].split_once('.')?;
            let is_name = |name: &str| {
                !name.is_empty()
                    && name
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'@'))
            };
            (is_name(namespace) && is_name(name)).then(|| Reference {
                namespace: namespace.into(),
                name: name.into(),
                span: Span::new(base + at, base + at + 2 + end + 1),
            })
        })
        .collect()
}

/// Whether a permission of this name lets its holder push.
fn pushes(action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    if matches!(&*action, "*" | "ecr:*") {
        return true;
    }
    ["ecr:put", "ecr:initiate", "ecr:upload"]
        .iter()
        .any(|start| action.starts_with(start))
        && !action.starts_with("ecr:putlifecycle")
        && !action.starts_with("ecr:putregistry")
        && !action.starts_with("ecr:putreplication")
        && !action.starts_with("ecr:putimagescanning")
        && !action.starts_with("ecr:putimagetagmutability")
}

/// The repository that an ARN names, if it names one.
fn repository_of_arn(arn: &str) -> Option<&str> {
    let (_, name) = arn.split_once(":repository/")?;
    (!name.is_empty() && !name.contains(['*', '?', '$', UNKNOWN])).then_some(name)
}

/// Stands in a joined text for a part that is not text.
pub const UNKNOWN: char = '\u{fffd}';

/// Whether a reference stands in a comment or in something that is printed: explained, not used. Asked of
/// texts that may be scripts with values of CloudFormation's in them.
fn is_only_told(text: &str, reference: &Reference) -> bool {
    let at = reference.span.start as usize;
    let before = text.get(..at).unwrap_or("");
    let line = before
        .rfind(['\n', '\r'])
        .map_or(before, |start| &before[start + 1..]);
    let line = line.rsplit("\\n").next().unwrap_or(line);
    line.trim_start().starts_with('#')
        || line.contains(" # ")
        || line.contains("echo")
        || line.contains("printf")
}

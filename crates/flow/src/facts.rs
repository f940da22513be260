//! What one file contributes to the flow, as plain data.
//!
//! Facts outlive the tree that they were read from, so that a workspace of ten thousand files fits into
//! memory: they name nodes by id, which reading the same text again gives again.

use std::sync::{Arc, OnceLock};

use tagwright_syntax::buildspec::{PhaseName, Version};
use tagwright_syntax::copilot::WorkloadKind;
use tagwright_syntax::yaml::{NodeId, ScalarStyle, SyntaxError};
use tagwright_syntax::{SmolStr, Span};

use crate::FileId;
use crate::delivery::DeliveryFacts;
use crate::expression::{Expression, Origin, Repository, Site};
use crate::habits::Habits;
use crate::kind::FileKind;
use crate::lookup::Lookup;
use crate::recent::Recent;
use crate::templates::Template;
use crate::tools::{ComposeCall, Role, Tool};

/// When a command runs, within one file: commands compare in the order in which they run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order {
    /// 0-based index of the command item in the file, over all phases.
    pub item: u32,
    /// 0-based index of the simple command in the item.
    pub command: u32,
}

/// Everything that one file contributes.
#[derive(Clone, Debug)]
pub struct FileFacts {
    /// The file.
    pub id: FileId,
    /// Its path as shown, relative to the workspace, with `/`.
    pub path: Arc<str>,
    /// Its text. Nobody else searches it: a word in a comment is no fact. Others get what stands at a span
    /// ([`FileFacts::slice`]), the tree, or the commands.
    pub(crate) text: Arc<str>,
    /// What it was read as.
    pub kind: FileKind,
    /// Why it could not be read to its end, if it could not.
    pub error: Option<SyntaxError>,
    /// Places that name an image, in the order in which they run.
    pub uses: Vec<ImageUse>,
    /// Assignments to variables, in the order in which they run.
    pub assignments: Vec<AssignmentFact>,
    /// Variables that commands read, each once, with the first place that reads it.
    pub reads: Vec<VariableRead>,
    /// Calls of AWS Copilot.
    pub copilot: Vec<CopilotUse>,
    /// The buildspec's own facts.
    pub buildspec: Option<BuildspecFacts>,
    /// A Copilot workload manifest's own facts.
    pub workload: Option<WorkloadFacts>,
    /// A Copilot pipeline manifest's stages: environment names.
    pub pipeline_stages: Vec<Box<str>>,
    /// Image repositories that the file declares (CloudFormation, Terraform).
    pub repositories: Vec<RepositoryDeclaration>,
    /// Variables that a CodeBuild project or a pipeline action in the file passes to builds.
    pub provided_variables: Vec<Box<str>>,
    /// The files that a Terraform configuration has filled in before anybody reads them.
    pub rendered: Vec<Template>,
    /// Pipelines, build projects and permissions that the file describes; boxed, since most files have none.
    pub delivery: Option<Box<DeliveryFacts>>,
    /// Commands that deploy again whatever the existing definition names, in the order in which they run.
    pub redeploys: Vec<Redeploy>,
    /// Calls of Compose that build, push, pull or run the images of its files, in the order in which they run.
    pub compose: Vec<ComposeUse>,
    /// Files and folders that its commands hand to what deploys them.
    pub handed_on: Vec<HandedOn>,
    /// Files that its commands edit by `sed`.
    pub edited: Vec<EditedFile>,
    /// Scripts, make targets and the like that commands of the file run.
    pub scripts: Vec<SmolStr>,
    /// Those of them that are surely files of the repository, each time that they are run.
    pub runs: Vec<ScriptRun>,
    /// A script's own facts.
    pub script: Option<Box<ScriptFacts>>,
    /// Places where pasted documentation or quoting keeps a variable from being one.
    pub oddities: Vec<Oddity>,
    /// Tables of the assignments, made when they are asked.
    pub(crate) lookup: Lookup<Order>,
    /// What has been made of it lately.
    pub(crate) recent: Recent,
    /// What its commands do beside that, once somebody has asked.
    pub(crate) habits: OnceLock<Habits>,
}

/// A command that runs a script of the repository, in the build's shell or in a child of it.
#[derive(Clone, Debug)]
pub struct ScriptRun {
    /// The script's path, relative to the folder in which the build starts, without `./`.
    pub path: SmolStr,
    /// When.
    pub order: Order,
    /// The word that names the script, bytes of the file.
    pub span: Span,
    /// By `.` or `source`: it is read by the same shell.
    pub sourced: bool,
    /// May be skipped.
    pub conditional: bool,
    /// Runs only for branches that a condition names.
    pub one_branch: bool,
    /// Runs only after a failure.
    pub after_failure: bool,
    /// The folder in which it runs, like `path`; `None` if that is not certain.
    pub directory: Option<SmolStr>,
    /// What the script finds set, its arguments as `1`, `2`, … among it, with places of this file.
    pub environment: Vec<(SmolStr, Vec<Expression>)>,
    /// The script's arguments, bytes of the file.
    pub arguments: Vec<Span>,
}

/// What is known of a script beside what its commands say.
#[derive(Clone, Debug, Default)]
pub struct ScriptFacts {
    /// The name of the branch variable.
    pub(crate) branch: SmolStr,
    /// Who runs it: the file and the 0-based index among its [`FileFacts::runs`]. Where nobody does, the script says
    /// nothing.
    pub callers: Vec<(FileId, usize)>,
    /// The buildspecs in whose builds it runs, through other scripts or not, each with the first time.
    pub builds: Vec<(FileId, Order)>,
}

/// A command that deploys again whatever the existing definition names: `kubectl rollout restart`,
/// `aws ecs update-service --force-new-deployment`. It names no image, but needs the tag that the definition
/// names.
#[derive(Clone, Debug)]
pub struct Redeploy {
    /// Who does it.
    pub tool: Tool,
    /// When.
    pub order: Order,
    /// The command, bytes of the file.
    pub span: Span,
}

/// A file or folder that a command hands to what deploys it: `kubectl apply -f`, `aws ecs register-task-definition
/// --cli-input-json file://…`.
#[derive(Clone, Debug)]
pub struct HandedOn {
    /// The path as written, without `./` and `file://`.
    pub path: SmolStr,
    /// When.
    pub order: Order,
}

/// A file that `sed` edits, or reads to write it elsewhere.
#[derive(Clone, Debug)]
pub struct EditedFile {
    /// The path as written, without `./`.
    pub path: SmolStr,
    /// The command, bytes of the file that holds it.
    pub span: Span,
}

/// A call of Compose; the images stand in its files.
#[derive(Clone, Debug)]
pub struct ComposeUse {
    /// What it does, with which files and services.
    pub call: ComposeCall,
    /// When.
    pub order: Order,
    /// The command, bytes of the file.
    pub span: Span,
}

/// A place that names an image.
#[derive(Clone, Debug)]
pub struct ImageUse {
    /// What happens to the image there.
    pub role: Role,
    /// Who does it.
    pub tool: Tool,
    /// When.
    pub order: Order,
    /// The whole reference as written (for a bare tag: the tag), bytes of the file.
    pub span: Span,
    /// The same, if it can be edited.
    pub site: Option<Site>,
    /// The reference as written.
    pub written: SmolStr,
    /// The repository, resolved; empty where a bare tag does not say.
    pub repository: Repository,
    /// What the tag may be; never empty.
    pub tags: Vec<TagValue>,
    /// The command may be skipped.
    pub conditional: bool,
    /// It runs only for branches that a condition names.
    pub one_branch: bool,
    /// The command's failure is caught.
    pub tolerated: bool,
    /// Runs only after a failure.
    pub after_failure: bool,
    /// The variables of the loops around it.
    pub loops: Vec<SmolStr>,
}

/// One value that a tag may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagValue {
    /// What it is.
    pub kind: TagKind,
    /// Where the tag is written; for [`TagKind::Implicit`] the empty site where `:tag` would go.
    pub site: Option<Site>,
    /// How it came to the use.
    pub origin: Origin,
    /// The tag as written at the use, for showing and for reuse (`$IMAGE_TAG`).
    pub written: SmolStr,
}

/// What a tag is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagKind {
    /// None is written, and the text is fully known: the tool takes `latest`.
    Implicit,
    /// Text.
    Literal(SmolStr),
    /// Depends on variables.
    Variable(Expression),
    /// The reference has a digest.
    Digest,
    /// The tag, if any, is hidden in a variable.
    Hidden,
    /// Every tag that the image has there (`docker push --all-tags`).
    All,
}

impl TagKind {
    /// Whether the tag is `latest`, written or not.
    #[must_use]
    pub fn is_latest(&self) -> bool {
        match self {
            TagKind::Implicit => true,
            _ => self.is_literal_latest(),
        }
    }

    /// Whether the tag is the text `latest`.
    #[must_use]
    pub fn is_literal_latest(&self) -> bool {
        matches!(self, TagKind::Literal(text) if &**text == "latest")
    }
}

/// Where a tag that is `latest` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatestAt {
    /// At the use itself.
    Written,
    /// In an assignment to a variable, of the tag or of the whole reference.
    Assigned,
    /// In the fallback of a variable.
    Fallback,
    /// In `env.variables`, the same.
    Environment,
}

impl TagValue {
    /// Where the tag is written, if it is the text `latest`.
    #[must_use]
    pub fn latest_at(&self) -> Option<LatestAt> {
        if !self.kind.is_literal_latest() {
            return None;
        }
        // The rest of the reference may have come through a variable.
        let here = self.written.trim_matches(['"', '\'']) == "latest";
        Some(match self.origin {
            Origin::Fallback(_) => LatestAt::Fallback,
            Origin::Written => LatestAt::Written,
            Origin::Assigned(_) | Origin::EnvVariables(_) | Origin::Given(_) if here => {
                LatestAt::Written
            }
            Origin::Assigned(_) | Origin::Given(_) => LatestAt::Assigned,
            Origin::EnvVariables(_) => LatestAt::Environment,
        })
    }
}

/// `NAME=value` in a command, or an entry of `env`.
#[derive(Clone, Debug)]
pub struct AssignmentFact {
    /// The variable.
    pub name: SmolStr,
    /// When; entries of `env` come before all commands.
    pub order: Order,
    /// The whole assignment, bytes of the file.
    pub span: Span,
    /// The scalar that holds it.
    pub node: NodeId,
    /// The value as written, without quotes around it; empty for an array.
    pub value: SmolStr,
    /// The value's bytes, decoded range in the scalar, if certain.
    pub value_site: Option<Site>,
    /// Where it was assigned.
    pub place: AssignmentPlace,
    /// May be skipped.
    pub conditional: bool,
    /// Made only for branches that a condition names.
    pub one_branch: bool,
    /// Lost at the end of a subshell.
    pub subshell: bool,
    /// Exported to child processes.
    pub exported: bool,
}

/// Where a variable gets a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignmentPlace {
    /// A command.
    Command,
    /// `env.variables`: literal text.
    EnvVariables,
    /// `env.parameter-store` or `env.secrets-manager`.
    Store,
    /// A `for` loop or `read`.
    Loop,
}

/// A variable that commands read.
#[derive(Clone, Debug)]
pub struct VariableRead {
    /// The variable.
    pub name: SmolStr,
    /// The first read's time.
    pub order: Order,
    /// The first read's bytes in the file.
    pub span: Span,
    /// Whether it has a fallback or an error message of its own (`:-`, `:=`, `:?`, `-`, `=`, `?`, `:+`, `+`).
    pub guarded: bool,
}

/// A call of AWS Copilot.
#[derive(Clone, Debug)]
pub struct CopilotUse {
    /// `svc deploy`, `deploy`, `task run`, …
    pub subcommand: SmolStr,
    /// When.
    pub order: Order,
    /// From the program to the last subcommand word, bytes of the file.
    pub span: Span,
    /// The empty place right after the last subcommand word.
    pub after_subcommand: Option<Site>,
    /// The flags given, by long name, in order.
    pub flags: Vec<CopilotFlag>,
    /// The loops around it: variable names.
    pub loops: Vec<SmolStr>,
    /// Whether a loop around it runs over environments.
    pub over_environments: bool,
    /// The scalar's shell text could be read without repair.
    pub clean: bool,
}

/// A flag of a Copilot call.
#[derive(Clone, Debug)]
pub struct CopilotFlag {
    /// The long name, without dashes.
    pub name: SmolStr,
    /// Whether the subcommand has this flag.
    pub known: bool,
    /// The flag's own word, bytes of the file.
    pub span: Span,
    /// The value's values, for a flag that takes one; the tag's for `--tag`.
    pub value: Option<TagValue>,
    /// All alternatives of the value, resolved.
    pub values: Vec<Expression>,
    /// The value's place, without its quotes.
    pub value_site: Option<Site>,
    /// The value is an unquoted expansion in a word of its own: if it is empty, the next word is swallowed.
    pub unquoted: bool,
    /// The next word after the value starts with a dash.
    pub followed_by_flag: bool,
}

impl CopilotUse {
    /// The last flag of this long name.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<&CopilotFlag> {
        self.flags.iter().rev().find(|flag| &*flag.name == name)
    }
}

/// A buildspec's own facts.
#[derive(Clone, Debug)]
pub struct BuildspecFacts {
    /// Its version.
    pub version: Version,
    /// The language of its commands.
    pub shell: ShellKind,
    /// Its command lists, in the order in which they run.
    pub lists: Vec<CommandList>,
    /// The time of the first command that assigns `pipeline` the Copilot pipeline manifest as JSON.
    pub copilot_pipeline: Option<Order>,
    /// The text is a template of another tool, which would read `${…}` itself; its name.
    pub template: Option<&'static str>,
    /// The scalar that holds the buildspec, if it stands inside another file.
    pub inline: bool,
    /// Whether it hands on the files that tell a deployment which image to take.
    pub image_files: ImageFiles,
    /// The folders below the root of the source whose files become the root of an artifact.
    pub artifact_folders: Vec<SmolStr>,
    /// The files and patterns of its first artifact, as far as they are written out, relative to the root of the source.
    pub artifacts: Vec<SmolStr>,
}

/// The files that tell a deployment of ECS which image to take.
pub const IMAGE_FILES: [&str; 2] = ["imagedefinitions.json", "imageDetail.json"];

/// What is known of the [`IMAGE_FILES`] in a buildspec without looking at its tree again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImageFiles {
    /// It names none.
    #[default]
    None,
    /// Each that it names is among its artifacts under that very name, and commands name no other file whose
    /// name only ends like it.
    Listed,
    /// It names one, and lists no artifacts.
    NoArtifacts,
    /// Anything else.
    Unsure,
}

/// The language of a buildspec's commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShellKind {
    /// sh, dash, bash.
    Posix,
    /// PowerShell.
    PowerShell,
    /// cmd.exe.
    Cmd,
}

/// One list of commands.
#[derive(Clone, Debug)]
pub struct CommandList {
    /// The phase.
    pub phase: PhaseName,
    /// `finally` rather than `commands`.
    pub finally: bool,
    /// The sequence, or the scalar in its place.
    pub node: NodeId,
    /// Whether it is a list.
    pub is_list: bool,
    /// Whether it is a flow list.
    pub flow: bool,
    /// For a scalar in place of a list: its style.
    pub style: Option<ScalarStyle>,
    /// [`Order::item`] of the first item, and of the one after the last.
    pub items: (u32, u32),
    /// For each entry of the list that is no command item, being empty or of another shape: how many command
    /// items stand before it. Ascending.
    pub others: Vec<u32>,
}

impl CommandList {
    /// The 0-based index in the list of the command item that is `item` in [`Order::item`].
    #[must_use]
    pub fn index(&self, item: u32) -> u32 {
        let command = item.saturating_sub(self.items.0);
        let others = self.others.partition_point(|before| *before <= command);
        command.saturating_add(u32::try_from(others).unwrap_or(u32::MAX))
    }
}

/// A Copilot workload manifest's own facts.
#[derive(Clone, Debug)]
pub struct WorkloadFacts {
    /// The kind.
    pub kind: WorkloadKind,
    /// `name`, or the folder's name.
    pub name: Box<str>,
    /// Copilot builds the main image.
    pub builds: bool,
    /// Some environment builds it in its own way.
    pub builds_per_environment: bool,
    /// The main image is somebody else's, and a sidecar beside it is built, in some environment.
    pub builds_only_sidecars: bool,
}

/// A declared image repository.
#[derive(Clone, Debug)]
pub struct RepositoryDeclaration {
    /// The name, if all of it is text.
    pub name: Option<Box<str>>,
    /// The name, with `*` for each part that is not text; `*` alone if it has none.
    pub pattern: Box<str>,
    /// Tags cannot be overwritten.
    pub immutable: bool,
    /// Whether they can is written out, or left to the default.
    pub certain: bool,
    /// Patterns of tags that the mode does not hold for.
    pub exclusions: Vec<Box<str>>,
    /// Whether there may be other exclusions, because some of them are not text.
    pub exclusions_open: bool,
    /// Where a lifecycle policy expires untagged images by their age, bytes of the file.
    pub expires_untagged: Option<Span>,
    /// The declaration's bytes in the file.
    pub span: Span,
}

/// A place where text that looks like a variable is none.
#[derive(Clone, Debug)]
pub struct Oddity {
    /// What it is.
    pub kind: OddityKind,
    /// Bytes of the file.
    pub span: Span,
    /// The same, if it can be edited.
    pub site: Option<Site>,
    /// When.
    pub order: Order,
    /// The variable's name.
    pub name: SmolStr,
}

/// What keeps a variable from being one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddityKind {
    /// `$<NAME>`, `<NAME>`, `{{NAME}}`: pasted documentation.
    Placeholder,
    /// `$NAME` or `${NAME}` in a reference to an image, in single quotes or in a here-document whose delimiter is
    /// quoted.
    Quoted,
    /// `${NAME}` where nothing expands it; the reason, to be read after "because".
    Unexpanded(&'static str),
}

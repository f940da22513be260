//! The command lines that carry image references, as tables.
//!
//! [`image_arguments`] looks at one simple command and says which bytes of its words name an image, and
//! in which role. It resolves nothing: variables stay variables.

mod aws;
mod bazel;
mod buildah;
mod builders;
mod compose;
mod copilot;
mod crane;
mod docker;
mod gradle;
mod helm;
mod http;
mod jq;
mod json;
mod kaniko;
mod kubectl;
mod kustomize;
mod languages;
mod make;
mod node;
mod options;
mod orchestrators;
mod print;
mod pulumi;
mod reading;
mod references;
mod scanner;
mod scripts;
mod sed;
mod shells;
mod skopeo;
mod stacks;
mod table;
mod terraform;
#[cfg(test)]
mod tests;
mod words;
mod wrappers;

use tagwright_syntax::shell::{Command, Part, Word};
use tagwright_syntax::{SmolStr, Span};

pub use copilot::{
    CopilotFlag, CopilotInvocation, FlagValue, copilot_flag_names, copilot_invocation,
};

pub(crate) use table::{COMMAND_TRIGGERS, FILE_TRIGGERS, hands_on_scripts};
pub use table::{
    Edits, Failure, Program, TOOLS, failure_matters, is_container_tool, may_fail_the_build,
    registry_login, tool,
};

pub use compose::{ComposeAction, ComposeCall};
pub(crate) use reading::{Reading, Seen, read as reading};
pub(crate) use scripts::ScriptCall;
use scripts::script_call;
use words::{Slice, View};

/// What a place does with an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Names a built image (`docker build -t`), pushed only if something pushes it later.
    Build,
    /// Builds and pushes in one step (`buildx build --push -t`, kaniko `--destination`).
    BuildPush,
    /// Source of a new name (`docker tag SRC …`).
    TagSource,
    /// The new name (`docker tag … DST`).
    TagDestination,
    /// Pushed.
    Push,
    /// Written to a file that a deployment reads (imagedefinitions.json, `sed` into a manifest).
    Record,
    /// Deployed.
    Deploy,
    /// Pulled.
    Pull,
    /// Run in the build.
    Run,
    /// A cache hint (`--cache-from`), also a tolerated pull that feeds one.
    Cache,
    /// Looked at or passed on, to unknown effect (`trivy image`, `--build-arg`, `make TAG=`).
    Argument,
}

impl Role {
    /// Whether the image goes to a registry there.
    #[must_use]
    pub fn pushes(self) -> bool {
        matches!(self, Role::Push | Role::BuildPush)
    }

    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Build => "build",
            Role::BuildPush => "build-push",
            Role::TagSource => "tag-source",
            Role::TagDestination => "tag-destination",
            Role::Push => "push",
            Role::Record => "record",
            Role::Deploy => "deploy",
            Role::Pull => "pull",
            Role::Run => "run",
            Role::Cache => "cache",
            Role::Argument => "argument",
        }
    }
}

/// The program or file format that names the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// docker, podman, nerdctl, finch.
    Docker,
    /// buildah.
    Buildah,
    /// kaniko's executor.
    Kaniko,
    /// crane, gcrane.
    Crane,
    /// skopeo.
    Skopeo,
    /// `aws ecr`.
    AwsEcr,
    /// `aws ecs`.
    AwsEcs,
    /// `aws lambda`.
    AwsLambda,
    /// `aws apprunner`.
    AwsAppRunner,
    /// `aws cloudformation`, `sam`, `cdk` parameters.
    CloudFormation,
    /// kubectl.
    Kubectl,
    /// helm.
    Helm,
    /// kustomize.
    Kustomize,
    /// terraform `-var`.
    Terraform,
    /// AWS Copilot.
    Copilot,
    /// `sed` on a file.
    Sed,
    /// imagedefinitions.json, imageDetail.json, written by the command.
    ImageDefinitions,
    /// A script or make target that gets it as an argument.
    Other,
}

impl Tool {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Tool::Docker => "docker",
            Tool::Buildah => "buildah",
            Tool::Kaniko => "kaniko",
            Tool::Crane => "crane",
            Tool::Skopeo => "skopeo",
            Tool::AwsEcr => "aws ecr",
            Tool::AwsEcs => "aws ecs",
            Tool::AwsLambda => "aws lambda",
            Tool::AwsAppRunner => "aws apprunner",
            Tool::CloudFormation => "cloudformation",
            Tool::Kubectl => "kubernetes",
            Tool::Helm => "helm",
            Tool::Kustomize => "kustomize",
            Tool::Terraform => "terraform",
            Tool::Copilot => "copilot",
            Tool::Sed => "sed",
            Tool::ImageDefinitions => "image definitions",
            Tool::Other => "other",
        }
    }
}

/// What the bytes hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// A whole reference: `registry/repository:tag`.
    Reference,
    /// A bare tag (`--tag x`, `imageTag=x`, `image.tag=x`).
    Tag,
    /// A repository with all tags that it has there (`docker push --all-tags`).
    Repository,
}

/// One image in one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageArgument {
    /// What the command does with it.
    pub role: Role,
    /// Who does it.
    pub tool: Tool,
    /// Reference or bare tag.
    pub form: Form,
    /// 0-based index of the word, or `None` for text in a here-document, in an assigned value or
    /// among the words of a loop.
    pub word: Option<usize>,
    /// The bytes of the reference or tag, in the script's text; quotes that surround the whole of it are
    /// outside, quotes in its middle inside.
    pub span: Span,
    /// For a bare tag the bytes of the repository it belongs to, if the command names one.
    pub repository: Option<Span>,
}

/// The programs that take Docker's commands and flags: of Docker, Podman, containerd and AWS (Finch).
pub const CONTAINER_CLIENTS: [&str; 4] = ["docker", "podman", "nerdctl", "finch"];

/// The images that `command` names. `script` is the text whose bytes the command's spans count.
#[must_use]
pub fn image_arguments(command: &Command, script: &str) -> Vec<ImageArgument> {
    let mut found = Found::default();
    if let Some(view) = View::new(command, script) {
        read(&view, &mut found);
    }
    print::assigned(command, script, &mut found);
    found
        .0
        .sort_by_key(|argument| (argument.word.is_none(), argument.span));
    found.0.dedup();
    found.0
}

fn read(view: &View<'_>, found: &mut Found) {
    match tool(&view.program) {
        Some(tool) => (tool.read)(view, found),
        None => scripts::called(view, found),
    }
}

/// What has been found in one command.
#[derive(Default)]
struct Found(Vec<ImageArgument>);

impl Found {
    /// A reference or tag.
    fn slice(&mut self, role: Role, tool: Tool, form: Form, slice: &Slice) {
        // `xargs -I{}` puts a word there that is not known.
        if slice.text.is_empty() || slice.text.contains("{}") {
            return;
        }
        self.0.push(ImageArgument {
            role,
            tool,
            form,
            word: slice.word,
            span: slice.span,
            repository: None,
        });
    }

    /// A whole word that is a reference.
    fn whole(&mut self, role: Role, tool: Tool, view: &View<'_>, word: usize) {
        if let Some(slice) = view.whole(word) {
            self.slice(role, tool, Form::Reference, &slice);
        }
    }

    /// A range of a slice.
    fn part(
        &mut self,
        view: &View<'_>,
        slice: &Slice,
        range: std::ops::Range<usize>,
        role: Role,
        tool: Tool,
        form: Form,
    ) {
        if let Some(slice) = view.cut(slice, range) {
            self.slice(role, tool, form, &slice);
        }
    }

    /// A bare tag, and the repository it belongs to.
    fn tag(&mut self, role: Role, tool: Tool, slice: Option<&Slice>, repository: Option<Span>) {
        let Some(slice) = slice.filter(|slice| !slice.text.is_empty()) else {
            return;
        };
        self.0.push(ImageArgument {
            role,
            tool,
            form: Form::Tag,
            word: slice.word,
            span: slice.span,
            repository,
        });
    }
}

/// A script inside a command: `sh -c '…'`, `ssh host "…"`, `eval "…"`, `sh <<EOF`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NestedScript {
    /// What holds it.
    pub source: ScriptSource,
    /// What of this shell it sees.
    pub surroundings: InnerScope,
}

impl NestedScript {
    /// The pieces of its text in `command`.
    #[must_use]
    pub fn parts<'c>(&self, command: &'c Command) -> Option<&'c [Part]> {
        match self.source {
            ScriptSource::Word(word) => Some(&command.words.get(word)?.parts),
            ScriptSource::HereDocument(index) => {
                let redirect = command.redirects.get(index)?;
                Some(&redirect.here_document.as_ref()?.parts)
            }
        }
    }
}

/// What holds a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptSource {
    /// The word at this 0-based index.
    Word(usize),
    /// The here-document of the redirection at this 0-based index.
    HereDocument(usize),
}

/// What an inner script sees of the shell that starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InnerScope {
    /// The variables that this shell exports.
    Same,
    /// An environment of its own (`sudo`, `env -i`, `su -`), without this shell's variables.
    Empty,
    /// Another machine or a container.
    Elsewhere,
}

/// The scripts that `command` runs from its own words and here-documents.
#[must_use]
pub fn nested_scripts(command: &Command) -> Vec<NestedScript> {
    shells::read(command)
}

/// The 0-based index of the word that names the program which the command runs, past `sudo`, `env` and the
/// like; `None` if there is none.
pub(crate) fn program(command: &Command, script: &str) -> Option<usize> {
    wrappers::unwrap(command, script).map(|it| it.at)
}

/// What a command does to images without naming them.
#[derive(Default, PartialEq)]
pub(crate) struct Effects {
    /// What it does with the images of a Compose file.
    pub(crate) compose: Option<ComposeCall>,
    /// The tool that deploys again whatever the existing definition names.
    pub(crate) redeploys: Option<Tool>,
    /// It registers a definition (`aws ecs register-task-definition`) that later commands deploy.
    pub(crate) registers: bool,
    /// The files with the definitions that it registers, as written, without `file://`.
    pub(crate) registered: Vec<SmolStr>,
    /// The files that it edits in place (`sed -i`), as written.
    pub(crate) edited: Vec<SmolStr>,
    /// The files and folders that it hands to Kubernetes, as written.
    pub(crate) applied: Vec<SmolStr>,
}

/// What `command` does to images without naming them.
fn effects(command: &Command, script: &str) -> Effects {
    let Some(view) = View::new(command, script) else {
        return Effects::default();
    };
    let Some(tool) = tool(&view.program) else {
        return Effects::default();
    };
    let kubernetes = tool.family == Tool::Kubectl;
    let sed = sed::ROW.names.contains(&view.program.as_str());
    Effects {
        compose: compose::call(&view),
        redeploys: (tool.redeploys)(&view).then_some(tool.family),
        registers: aws::registers(&view),
        registered: aws::registered(&view),
        edited: if sed { sed::files(&view) } else { Vec::new() },
        applied: if kubernetes {
            kubectl::applied(&view)
        } else {
            Vec::new()
        },
    }
}

/// Whether `word` is a reference with the tag `latest`.
pub(crate) fn names_latest(word: &Word, script: &str) -> bool {
    let text = words::Shape::of_word(word, script).text;
    text.ends_with(":latest") && references::is_reference(&text)
}

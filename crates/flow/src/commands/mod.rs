//! The command lines that carry image references, as tables.
//!
//! [`image_arguments`] looks at one simple command and says which bytes of its words name an image, and
//! in which role. It resolves nothing: variables stay variables.

mod aws;
mod copilot;
mod docker;
mod json;
mod kubernetes;
mod nested;
mod options;
mod other;
mod references;
mod registry_tools;
#[cfg(test)]
mod tests;
mod text;
mod words;
mod wrappers;

use tagwright_syntax::Span;
use tagwright_syntax::shell::Command;

pub use copilot::{
    CopilotFlag, CopilotInvocation, FlagValue, copilot_flag_names, copilot_invocation,
};

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
    /// docker, podman, nerdctl.
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
    /// 0-based index of the word, or `None` for text in a here-document.
    pub word: Option<usize>,
    /// The bytes of the reference or tag, in the script's text; quotes that surround the whole of it are
    /// outside, quotes in its middle inside.
    pub span: Span,
    /// For a bare tag the bytes of the repository it belongs to, if the command names one.
    pub repository: Option<Span>,
}

/// The images that `command` names. `script` is the text whose bytes the command's spans count.
#[must_use]
pub fn image_arguments(command: &Command, script: &str) -> Vec<ImageArgument> {
    let mut found = Found::default();
    if let Some(view) = View::new(command, script) {
        read(&view, &mut found);
    }
    found
        .0
        .sort_by_key(|argument| (argument.word.is_none(), argument.span));
    found.0.dedup();
    found.0
}

fn read(view: &View<'_>, found: &mut Found) {
    match view.program.as_str() {
        "docker" | "podman" | "nerdctl" | "finch" => docker::read(view, found),
        "buildah" => registry_tools::buildah(view, found),
        "executor" | "kaniko" => registry_tools::kaniko(view, found),
        "crane" | "gcrane" => registry_tools::crane(view, found),
        "regctl" => registry_tools::regctl(view, found),
        "skopeo" => registry_tools::skopeo(view, found),
        "trivy" | "grype" | "syft" | "cosign" | "dockle" | "snyk" | "dive" => {
            registry_tools::scanner(view, found);
        }
        "aws" => aws::read(view, found),
        "sam" => aws::sam(view, found),
        "cdk" => aws::cdk(view, view.start + 1, found),
        "kubectl" | "oc" => {
            kubernetes::kubectl(view, found);
            text::documents(view, found);
        }
        "helm" => kubernetes::helm(view, found),
        "kustomize" => kubernetes::kustomize(view, found),
        "sed" | "gsed" => text::sed(view, found),
        "printf" | "echo" | "cat" | "tee" => text::print(view, found),
        "jq" | "yq" => text::jq(view, found),
        name if copilot::is_program(name) => copilot::read(view, found),
        _ => other::read(view, found),
    }
}

/// What has been found in one command.
#[derive(Default)]
struct Found(Vec<ImageArgument>);

impl Found {
    /// A reference or tag.
    fn slice(&mut self, role: Role, tool: Tool, form: Form, slice: &Slice) {
        if slice.text.is_empty() {
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

/// The 0-based index of the word that names the program which the command runs, past `sudo`, `env` and the
/// like; `None` if there is none.
#[must_use]
pub fn program(command: &Command, script: &str) -> Option<usize> {
    wrappers::unwrap(command, script)
}

/// A script inside a word: `sh -c '…'`, `ssh host "…"`, `eval "…"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NestedScript {
    /// 0-based index of the word that holds it.
    pub word: usize,
    /// Runs on another machine or in a container, where this shell's variables do not exist.
    pub remote: bool,
}

/// The scripts that `command` runs from its own words.
#[must_use]
pub fn nested_scripts(command: &Command) -> Vec<NestedScript> {
    nested::read(command)
}

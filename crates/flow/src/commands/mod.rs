//! The command lines that carry image references, as tables.
//!
//! [`image_arguments`] looks at one simple command and says which bytes of its words name an image, and
//! in which role. It resolves nothing: variables stay variables.

pub mod copilot;

use tagwright_syntax::Span;
use tagwright_syntax::shell::Command;

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

/// What the bytes hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// A whole reference: `registry/repository:tag`.
    Reference,
    /// A bare tag (`--tag x`, `imageTag=x`, `image.tag=x`).
    Tag,
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
    let _ = (command, script);
    Vec::new()
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
    let _ = command;
    Vec::new()
}

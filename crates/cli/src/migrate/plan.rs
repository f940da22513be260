//! The plan of a migration, as data: what the reports are made of, and what the JSON report is.
//!
//! The shape is a promise to other programs: `docs/schema/migration.json` is made from these structs, and a change that
//! is not an addition needs a new `schema_version`.

use schemars::JsonSchema;
use serde::Serialize;

/// The version of the shapes below.
pub const SCHEMA_VERSION: u32 = 1;

/// The plan of one run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "tagwright migration")]
pub struct Plan {
    /// The version of this format.
    #[schemars(range(min = 1, max = 1))]
    pub schema_version: u32,
    /// Whether the edits were written.
    pub applied: bool,
    /// The repositories, in the order of their folders.
    pub repositories: Vec<Repository>,
}

/// The plan for one repository.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Repository {
    /// Its name: that of its folder.
    pub name: String,
    /// The tag that the edits write, as shell text.
    pub tag: String,
    /// Its own images, in the order of their first place.
    pub images: Vec<Image>,
    /// The files that the edits change, by path.
    pub files: Vec<FileChange>,
    /// The findings that the edits settle, in the order in which they are settled.
    pub settled: Vec<Settled>,
    /// The findings that are left, by path and place.
    pub left: Vec<Left>,
    /// What is left for people, outside of this repository.
    pub steps: Vec<Step>,
}

/// One image of the repository.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Image {
    /// The image's repository as the texts name it, variables included.
    pub name: String,
    /// Its name in the registry, if that is text.
    pub repository: Option<String>,
    /// Whether the edits change a tag of it.
    pub moves: bool,
    /// Whether `latest` of it is pushed, recorded or deployed now.
    pub floats: bool,
    /// The places that build, push, record or deploy it now, in the order in which they run within a file.
    pub today: Vec<Place>,
    /// The same after the edits.
    pub afterwards: Vec<Place>,
    /// What builds push and deploy, for each way to start them.
    pub builds: Vec<Prediction>,
}

/// A place that names an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Place {
    /// What happens there.
    pub action: Action,
    /// The program or the kind of file.
    pub tool: String,
    /// The file.
    pub path: String,
    /// 1-based.
    #[schemars(range(min = 1))]
    pub line: u32,
    /// The tags as written; `latest` where none is.
    pub tags: Vec<String>,
}

/// What happens to an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Built.
    Build,
    /// Pushed.
    Push,
    /// Recorded for a deployment.
    Record,
    /// Deployed.
    Deploy,
}

impl Action {
    /// The verb, for people.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Action::Build => "builds",
            Action::Push => "pushes",
            Action::Record => "records",
            Action::Deploy => "deploys",
        }
    }
}

/// What builds that start in one way do with an image.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Prediction {
    /// What starts the builds: `main`, `feature/x`, `pr-7` or `pipeline-without-branch`.
    pub start: &'static str,
    /// The same, for people.
    pub title: &'static str,
    /// What they do now.
    pub today: Effect,
    /// What they will do.
    pub afterwards: Effect,
}

/// What builds do with an image. Tags may hold variables and commands that only the build knows, and `<build id>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Effect {
    /// The tags that are pushed. Several: all of them, or one of them if a condition decides.
    pub pushes: Vec<String>,
    /// The tags that are deployed or recorded for a deployment.
    pub deploys: Vec<String>,
    /// A build ends before it is through, since it cannot determine its branch.
    pub stops: bool,
}

/// A changed file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FileChange {
    /// The file, relative to the repository.
    pub path: String,
    /// The lines that are added.
    pub added: usize,
    /// The lines that are removed.
    pub removed: usize,
    /// A unified diff, as `git apply` takes it.
    pub diff: String,
}

/// A finding that an edit settles.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Settled {
    /// The rule.
    pub rule: &'static str,
    /// The file.
    pub path: String,
    /// 1-based, in the text of its round.
    #[schemars(range(min = 1))]
    pub line: u32,
    /// What the edit does.
    pub edit: String,
    /// `safe`, or `unsafe` if the edit is right only if nothing outside the repository reads the old tag.
    pub applicability: &'static str,
}

/// A finding that is left.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Left {
    /// The rule.
    pub rule: &'static str,
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// The file.
    pub path: String,
    /// 1-based.
    #[schemars(range(min = 1))]
    pub line: u32,
    /// What will happen.
    pub message: String,
    /// Why no edit settles it; `None` if the rule has none.
    pub refusal: Option<Refused>,
}

/// Why there is no edit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Refused {
    /// What kind of reason, kebab-case; the codes of `tagwright check --format json`.
    pub code: &'static str,
    /// The reason.
    pub reason: String,
    /// The file with the place that stands in the way, if it is one place.
    pub path: Option<String>,
    /// The line of that place, 1-based.
    #[schemars(range(min = 1))]
    pub line: Option<u32>,
    /// The smallest change by which it would not be refused.
    pub change: String,
}

/// Something for people to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// What kind of step, kebab-case. Kinds keep their meaning; new ones may be added.
    pub kind: &'static str,
    /// What to do.
    pub title: String,
    /// Why, and when it is not needed.
    pub why: String,
    /// The language of the text to copy: `sh`, `yaml`.
    pub language: &'static str,
    /// The text to copy.
    pub text: String,
}

impl Plan {
    /// Whether a repository needs an edit that was not written, or has a finding that nothing here settles.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let open = |repository: &Repository| {
            !self.applied && !repository.files.is_empty() || !repository.left.is_empty()
        };
        self.repositories.iter().any(open)
    }
}

impl Image {
    /// The last part of the image's name, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        let name = self.repository.as_deref().unwrap_or(&self.name);
        // A slash inside of `$( … )` does not part the name.
        if name.contains("$(") {
            return name;
        }
        name.rsplit('/')
            .next()
            .filter(|last| !last.is_empty())
            .unwrap_or(name)
    }
}

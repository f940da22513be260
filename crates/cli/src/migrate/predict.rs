//! What each way to start a build will push and deploy, image by image.

use std::collections::{BTreeMap, BTreeSet};

use tagwright_flow::facts::{FileFacts, TagKind};
use tagwright_flow::tools::Role;
use tagwright_flow::{Flow, UseId};
use tagwright_project::Workspace;
use tagwright_rules::Settings;

use super::evaluate::{self, Build, Start, Step, Tag};
use super::plan::Effect;

/// A way to start a build.
pub(super) struct Way {
    /// For programs.
    pub(super) name: &'static str,
    /// For people.
    pub(super) title: &'static str,
    branch: Option<&'static str>,
    variables: &'static [(&'static str, &'static str)],
}

/// The commit of all predicted builds.
pub(super) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The ways that a plan shows.
pub(super) const WAYS: [Way; 4] = [
    Way {
        name: "main",
        title: "push to main",
        branch: Some("main"),
        variables: &[
            ("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/main"),
            ("CODEBUILD_WEBHOOK_TRIGGER", "branch/main"),
            ("CODEBUILD_WEBHOOK_EVENT", "PUSH"),
            ("CODEBUILD_SOURCE_VERSION", COMMIT),
        ],
    },
    Way {
        name: "feature/x",
        title: "push to feature/x",
        branch: Some("feature/x"),
        variables: &[
            ("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/feature/x"),
            ("CODEBUILD_WEBHOOK_TRIGGER", "branch/feature/x"),
            ("CODEBUILD_WEBHOOK_EVENT", "PUSH"),
            ("CODEBUILD_SOURCE_VERSION", COMMIT),
        ],
    },
    Way {
        name: "pr-7",
        title: "pull request 7",
        branch: Some("pr-7"),
        // The branch of a fork may have any name.
        variables: &[
            ("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/main"),
            ("CODEBUILD_WEBHOOK_BASE_REF", "refs/heads/main"),
            ("CODEBUILD_WEBHOOK_TRIGGER", "pr/7"),
            ("CODEBUILD_WEBHOOK_EVENT", "PULL_REQUEST_CREATED"),
            ("CODEBUILD_SOURCE_VERSION", "pr/7"),
        ],
    },
    Way {
        name: "pipeline-without-branch",
        title: "pipeline that passes no branch",
        branch: None,
        variables: &[
            ("CODEBUILD_INITIATOR", "codepipeline/pipeline"),
            (
                "CODEBUILD_SOURCE_VERSION",
                "arn:aws:s3:::codepipeline-artifacts/pipeline/SourceArti/AbC12dE",
            ),
        ],
    },
];

/// The tag in a file that a command edits before it is read.
pub(super) const FILLED_IN: &str = "(filled in by a command)";

/// Stands for the number of a build.
const NUMBER: &str = "7077707";

/// The id of the build of the file with this index: CodeBuild gives each build one of its own.
fn build_id(file: usize) -> String {
    format!("00000000-0000-4000-8000-{file:012}")
}

/// The builds of a workspace that start in one way.
pub(super) struct Builds {
    /// For each file its build; `None` for files without commands that could be followed.
    builds: Vec<Option<Build>>,
}

impl Builds {
    /// Follows the commands of all buildspecs.
    pub(super) fn of(workspace: &Workspace, way: &Way) -> Self {
        let settings = workspace.analysis.settings();
        let files = workspace.flow.files().iter().zip(&workspace.documents);
        let builds = files.enumerate().map(|(index, (facts, document))| {
            facts.buildspec.as_ref()?;
            evaluate::build(
                facts,
                &document.text,
                &start(way, index, settings),
                settings,
            )
        });
        Self {
            builds: builds.collect(),
        }
    }

    /// What the builds do with the image.
    pub(super) fn effect(
        &self,
        workspace: &Workspace,
        image: &Flow,
        followed: &Edited<'_>,
    ) -> Effect {
        let mut effect = Found::default();
        let mut by_file: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for UseId { file, index } in &image.uses {
            by_file
                .entry(file.0 as usize)
                .or_default()
                .insert(*index as usize);
        }
        for (file, uses) in by_file {
            let facts = &workspace.flow.files()[file];
            match self.builds.get(file).and_then(Option::as_ref) {
                Some(build) => {
                    let steps = build.steps.iter().filter(|step| match step.place {
                        evaluate::Place::Use(index) => uses.contains(&index),
                        evaluate::Place::Copilot(_) => false,
                    });
                    effect.add_build(build, steps);
                }
                None => {
                    for index in uses {
                        effect.add_written(facts, index, followed);
                    }
                }
            }
        }
        effect.finish(self.several())
    }

    /// What the builds of these files do with the image of the workload that calls of Copilot name so.
    pub(super) fn effect_of_copilot(&self, name: &str, files: &BTreeSet<usize>) -> Effect {
        let mut effect = Found::default();
        let builds = files
            .iter()
            .filter_map(|file| self.builds.get(*file)?.as_ref());
        for build in builds {
            let steps = build.steps.iter().filter(|step| {
                matches!(step.place, evaluate::Place::Copilot(_))
                    && step.repository.to_string() == name
            });
            effect.add_build(build, steps);
        }
        effect.finish(self.several())
    }

    /// Whether the inserted definition of the branch ran in a build of the file with this index.
    pub(super) fn derives(&self, file: usize) -> bool {
        let build = self.builds.get(file).and_then(Option::as_ref);
        build.is_some_and(|build| build.derives)
    }

    /// The names of the images that calls of Copilot deploy, each once.
    pub(super) fn workloads(&self) -> Vec<String> {
        let mut names = Vec::new();
        for step in self.builds.iter().flatten().flat_map(|build| &build.steps) {
            if matches!(step.place, evaluate::Place::Copilot(_)) {
                let name = step.repository.to_string();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// The calls of Copilot that deploy the workload, as indices of the file and of the call in it.
    pub(super) fn calls(&self, name: &str) -> BTreeSet<(usize, usize)> {
        let builds = (0..).zip(&self.builds);
        let builds = builds.filter_map(|(file, build)| Some((file, build.as_ref()?)));
        let steps =
            builds.flat_map(|(file, build)| build.steps.iter().map(move |step| (file, step)));
        steps
            .filter(|(_, step)| step.repository.to_string() == name)
            .filter_map(|(file, step)| match step.place {
                evaluate::Place::Copilot(call) => Some((file, call)),
                evaluate::Place::Use(_) => None,
            })
            .collect()
    }

    /// Whether several files have builds, whose ids then differ.
    fn several(&self) -> bool {
        self.builds.iter().flatten().count() > 1
    }
}

fn start(way: &Way, file: usize, settings: &Settings) -> Start {
    let id = format!("project:{}", build_id(file));
    let mut variables: BTreeMap<String, String> = [
        ("CODEBUILD_BUILD_ID", &*id),
        ("CODEBUILD_BUILD_NUMBER", NUMBER),
        ("CODEBUILD_BUILD_SUCCEEDING", "1"),
        ("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT),
    ]
    .into_iter()
    .chain(way.variables.iter().copied())
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    if settings.branch_defined
        && let Some(branch) = way.branch
    {
        variables.insert(settings.branch_variable.clone(), branch.replace('/', "-"));
    }
    Start { variables }
}

/// The files that commands edit before something reads them, relative to the repository.
pub(super) struct Edited<'a>(BTreeSet<&'a str>);

impl<'a> Edited<'a> {
    pub(super) fn of(workspace: &'a Workspace) -> Self {
        let files = workspace.flow.files().iter();
        Self(
            files
                .flat_map(|file| &file.edited)
                .map(|edited| &*edited.path)
                .collect(),
        )
    }

    /// Whether a command may edit the file of this path: one names it, or ends its name.
    pub(super) fn holds(&self, path: &str) -> bool {
        let named = |edited: &&str| {
            path == *edited
                || path
                    .strip_suffix(*edited)
                    .is_some_and(|before| before.ends_with('/'))
        };
        self.0.iter().any(named)
    }
}

/// The tags of an image, while they are collected.
#[derive(Default)]
struct Found {
    pushes: BTreeSet<String>,
    deploys: BTreeSet<String>,
    stops: bool,
}

impl Found {
    fn add_build<'s>(&mut self, build: &Build, steps: impl Iterator<Item = &'s Step>) {
        for step in steps {
            let tag = match &step.tag {
                Tag::Is(tag) => tag.to_string(),
                Tag::Implicit if matches!(step.place, evaluate::Place::Copilot(_)) => {
                    "(no --tag)".to_owned()
                }
                Tag::Implicit => "latest".to_owned(),
                Tag::Hidden => format!("(in {})", step.repository),
                Tag::Digest => "(by digest)".to_owned(),
                Tag::All => "(all tags)".to_owned(),
            };
            let copilot = matches!(step.place, evaluate::Place::Copilot(_));
            self.add(step.role, copilot, tag);
        }
        self.stops |= build.stops;
    }

    /// A place in a file that is read as it is.
    fn add_written(&mut self, facts: &FileFacts, index: usize, edited: &Edited<'_>) {
        let image = &facts.uses[index];
        for value in &image.tags {
            let tag = if edited.holds(&facts.path) {
                FILLED_IN.to_owned()
            } else {
                match &value.kind {
                    TagKind::Implicit => "latest".to_owned(),
                    TagKind::Literal(text) => text.to_string(),
                    _ => value.written.to_string(),
                }
            };
            self.add(image.role, false, tag);
        }
    }

    fn add(&mut self, role: Role, copilot: bool, tag: String) {
        if matches!(role, Role::Push | Role::BuildPush) || copilot {
            self.pushes.insert(tag.clone());
        }
        if matches!(role, Role::Deploy | Role::Record) {
            self.deploys.insert(tag);
        }
    }

    fn finish(mut self, several: bool) -> Effect {
        // The command that fills the file in has its own place, which says with what.
        if self.deploys.len() > 1 {
            self.deploys.remove(FILLED_IN);
        }
        let plain = |tags: BTreeSet<String>| {
            let tags = tags.iter().map(|tag| for_people(tag, several));
            tags.collect::<BTreeSet<_>>().into_iter().collect()
        };
        Effect {
            pushes: plain(self.pushes),
            deploys: plain(self.deploys),
            stops: self.stops,
        }
    }
}

/// The tag with words for what differs from build to build.
fn for_people(tag: &str, several: bool) -> String {
    let mut shown = tag
        .replace(COMMIT, "<commit>")
        .replace(NUMBER, "<build number>");
    let start = build_id(0);
    let stem = &start[..start.len() - 12];
    while let Some(at) = shown.find(stem) {
        let end = at + start.len();
        let Some(file) = shown
            .get(at + stem.len()..end)
            .and_then(|it| it.parse::<usize>().ok())
        else {
            break;
        };
        let name = if several {
            format!("<build id {}>", file + 1)
        } else {
            "<build id>".to_owned()
        };
        shown.replace_range(at..end, &name);
    }
    shown
}

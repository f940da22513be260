//! What is left for people, as commands and snippets to copy: what no edit of this repository can do.

use tagwright_project::Workspace;

use super::plan::{Image, Repository, Step};

/// What the steps depend on beside the plan.
pub(super) struct Surroundings<'a> {
    /// The repository after the edits.
    pub(super) workspace: &'a Workspace,
    /// The buildspecs that determine the branch by the inserted command.
    pub(super) derives: &'a [String],
    /// The Git hooks of tagwright are installed.
    pub(super) hooks: bool,
}

/// The steps, in the order in which they are made.
pub(super) fn steps(plan: &Repository, around: &Surroundings<'_>) -> Vec<Step> {
    let variable = &around.workspace.analysis.settings().branch_variable;
    let moved = plan
        .images
        .iter()
        .filter(|image| differs_by_branch(image, variable));
    let moved: Vec<&Image> = moved.collect();
    let in_ecr: Vec<Target> = moved.iter().filter_map(|image| Target::of(image)).collect();
    let mut steps = Vec::new();
    steps.extend(pass_branch(around));
    let again: Vec<Target> = moved
        .iter()
        .filter(|image| pushes_again(image, variable) && !is_declared(image, around))
        .filter_map(|image| Target::of(image))
        .collect();
    steps.extend(mutable(&again));
    steps.extend(lifecycle(&again));
    steps.extend(delete_latest(&in_ecr));
    if !moved.is_empty() && !around.hooks {
        steps.push(Step {
            kind: "hooks",
            title: "Give local builds the same tag".to_owned(),
            why: "The hook writes the branch, as an image tag, to `.git/tagwright/branch.env` with every checkout. Each clone needs it once.".to_owned(),
            language: "sh",
            text: "tagwright hook install".to_owned(),
        });
    }
    steps
}

/// Whether two branches push different tags: predicted ones, or, from a script, one that names the branch variable.
fn differs_by_branch(image: &Image, variable: &str) -> bool {
    let pushes = |name: &str| {
        let build = image.builds.iter().find(|build| build.start == name);
        build.map_or(&[][..], |build| &build.afterwards.pushes)
    };
    let main = pushes("main");
    !main.is_empty() && main != pushes("feature/x") || main.iter().any(|tag| tag.contains(variable))
}

/// Whether two builds of one branch push the same tag.
fn pushes_again(image: &Image, variable: &str) -> bool {
    let build = image.builds.iter().find(|build| build.start == "main");
    let plain = [
        format!("${{{variable}}}"),
        format!("${variable}"),
        "main".to_owned(),
    ];
    build.is_some_and(|build| {
        build
            .afterwards
            .pushes
            .iter()
            .any(|tag| plain.contains(tag))
    })
}

fn is_declared(image: &Image, around: &Surroundings<'_>) -> bool {
    let files = around.workspace.flow.files().iter();
    let mut names = files
        .flat_map(|file| &file.repositories)
        .map(|it| it.name.as_deref());
    names.any(|name| name.is_some() && name == image.repository.as_deref())
}

fn pass_branch(around: &Surroundings<'_>) -> Option<Step> {
    let described = around.workspace.flow.files().iter().any(|file| {
        let delivery = file.delivery.as_deref();
        delivery.is_some_and(|delivery| !delivery.pipelines.is_empty())
    });
    if described || around.derives.is_empty() {
        return None;
    }
    let settings = around.workspace.analysis.settings();
    let variable = &settings.branch_variable;
    Some(Step {
        kind: "pass-branch",
        title: format!("In CodePipeline, pass {variable} to the build"),
        why: format!(
            "Only if a pipeline starts {}. CodePipeline does not tell a build its branch; without this, {}. Webhook and manual builds need nothing.",
            around.derives.join(", "),
            match settings.branch_missing {
                tagwright_rules::derivation::Missing::Commit => "images are tagged by their commit",
                tagwright_rules::derivation::Missing::Stop => "the build fails",
            }
        ),
        language: "yaml",
        text: format!(
            "# Source action:\nNamespace: SourceVariables\n# Build action, below Configuration:\nEnvironmentVariables: '[{{\"name\":\"{variable}\",\"value\":\"#{{SourceVariables.BranchName}}\",\"type\":\"PLAINTEXT\"}}]'"
        ),
    })
}

fn mutable(images: &[Target]) -> Option<Step> {
    Some(Step {
        kind: "mutable-repository",
        title: "Let the repository overwrite tags".to_owned(),
        why: "Every build of a branch pushes the branch's tag again. Not needed where the first command prints MUTABLE.".to_owned(),
        language: "sh",
        text: commands(images, |image| {
            format!(
                "aws ecr describe-repositories {} --query 'repositories[].imageTagMutability' --output text\naws ecr put-image-tag-mutability {} --image-tag-mutability MUTABLE",
                image.option("--repository-names"),
                image.option("--repository-name"),
            )
        })?,
    })
}

/// Untagged images by number, not by age: the image that runs may be untagged for long.
const POLICY: &str = r#"{"rules":[{"rulePriority":1,"description":"images that lost their tag","selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":50},"action":{"type":"expire"}}]}"#;

fn lifecycle(images: &[Target]) -> Option<Step> {
    Some(Step {
        kind: "lifecycle-policy",
        title: "Let the repository delete images that lost their tag".to_owned(),
        why: "Each push to a branch leaves the image before it without a tag. The second command replaces the policy that the first one prints; where there is one, add the rule to it.".to_owned(),
        language: "sh",
        text: commands(images, |image| {
            let option = image.option("--repository-name");
            format!(
                "aws ecr get-lifecycle-policy {option}\naws ecr put-lifecycle-policy {option} --lifecycle-policy-text '{POLICY}'"
            )
        })?,
    })
}

fn delete_latest(images: &[Target]) -> Option<Step> {
    Some(Step {
        kind: "delete-latest",
        title: "Delete the last `latest`".to_owned(),
        why: "Once each environment runs an image of its branch, and nothing outside this repository reads `latest`: what still does fails now, instead of running an old image.".to_owned(),
        language: "sh",
        text: commands(images, |image| {
            format!(
                "aws ecr batch-delete-image {} --image-ids imageTag=latest",
                image.option("--repository-name")
            )
        })?,
    })
}

/// The commands for all images; `None` if there is none.
fn commands(images: &[Target], command: impl Fn(&Target) -> String) -> Option<String> {
    if images.is_empty() {
        return None;
    }
    let lines = images.iter().map(|image| match &image.note {
        Some(note) => format!("{note}\n{}", command(image)),
        None => command(image),
    });
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// A repository of ECR in a command.
struct Target {
    name: String,
    region: Option<String>,
    /// A line before the commands, if the name is not known here.
    note: Option<String>,
}

impl Target {
    /// `None` for images in another registry.
    fn of(image: &Image) -> Option<Self> {
        if image.name.starts_with("copilot/") {
            return None;
        }
        let host = image.name.split('/').next().unwrap_or_default();
        if !host.contains(".dkr.ecr.") && !host.contains('$') {
            return None;
        }
        let region = host
            .split(".dkr.ecr.")
            .nth(1)
            .and_then(|rest| rest.split('.').next());
        let region = region
            .filter(|region| !region.contains('$'))
            .map(str::to_owned);
        Some(match &image.repository {
            Some(name) => Self {
                name: name.clone(),
                region,
                note: None,
            },
            None => Self {
                name: "\"$repository\"".to_owned(),
                region,
                note: Some(format!(
                    "repository=NAME   # the repository of ECR that {} names",
                    image.name
                )),
            },
        })
    }

    fn option(&self, option: &str) -> String {
        match &self.region {
            Some(region) => format!("--region {region} {option} {}", self.name),
            None => format!("{option} {}", self.name),
        }
    }
}

/// The repository's name in its registry, if it is text: what follows the registry's host.
pub(super) fn registry_name(name: &str) -> Option<String> {
    let (host, rest) = name.split_once('/')?;
    let is_host = host.contains(['.', ':', '$']) || host == "localhost";
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-/".contains(&byte);
    (is_host && !rest.is_empty() && rest.bytes().all(allowed)).then(|| rest.to_owned())
}

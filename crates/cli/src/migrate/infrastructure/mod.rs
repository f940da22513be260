//! The infrastructure of the strategy that gives each environment and each branch a repository of its own: what
//! there has to be ([`plan`]), and how CloudFormation and Terraform say it.
//!
//! Everything here is a function of the configuration and of what the flow has found, so that writing twice gives
//! the same text twice. An account is a stack of its own, with a pipeline of its own: nothing crosses its border.

mod cloudformation;
mod names;
mod place;
mod service;
mod terraform;

pub(crate) use place::place;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use tagwright_rules::Settings;
use tagwright_rules::derivation::{Derivation, Missing};
use tagwright_rules::environments::{BRANCHES, Environment, Environments, Pattern, Target};

/// The language that the infrastructure is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// A template of CloudFormation.
    CloudFormation,
    /// A configuration of Terraform.
    Terraform,
}

/// What is known of the service whose images move.
#[derive(Clone, Debug, Default)]
pub struct Service {
    /// Its name, in any spelling.
    pub name: String,
    /// Its images.
    pub images: Vec<Image>,
    /// The builds that push them.
    pub builds: Vec<Build>,
    /// Names of repositories that other files of the repository declare: they are used, not declared again.
    pub declared: BTreeSet<String>,
}

/// An image that the service pushes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The name of its repository so far, without the registry.
    pub name: String,
    /// The variable of the builds that says where it is pushed to.
    pub variable: String,
    /// Whether the variable holds the registry, too.
    pub with_registry: bool,
}

/// A buildspec that pushes images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// Its path.
    pub buildspec: String,
    /// The image that it runs in, if a project of the repository says so.
    pub image: Option<String>,
    /// Whether it hands on `imagedefinitions.json`, which ECS deploys from.
    pub deploys: bool,
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path below the repository's root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Why no infrastructure can be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// The configuration has no `[environments]`.
    #[error(
        "`[environments]` in tagwright.toml is missing: it says which branch belongs to which environment"
    )]
    NoEnvironments,
    /// Nothing is pushed.
    #[error("no build of this repository pushes an image to Amazon ECR under a name that is known")]
    NoImages,
    /// Repositories would be shared.
    #[error("{0}: change `repository` in `[environments]`")]
    Clash(String),
}

/// The first line of every file that is written here; a file that begins differently is somebody's own.
pub const HEADER: &str = "# Written by `tagwright migrate` from [environments] in tagwright.toml; change it there, and run it again.";

/// What one account gets.
#[derive(Debug)]
struct Stack<'a> {
    service: String,
    account: Option<&'a str>,
    places: Vec<Place<'a>>,
    builds: &'a [Build],
    branch_variable: &'a str,
    /// The branches that start its pipeline, as its trigger writes them.
    triggers: Vec<String>,
    /// The branch of an execution that is started by hand.
    default_branch: String,
}

/// An environment, or the branches that have none.
#[derive(Debug)]
struct Place<'a> {
    /// Its name in names of resources.
    name: &'a str,
    /// The regular expression for its branches.
    condition: String,
    /// The repositories of its images; of branches, what stands before the branch.
    repositories: Vec<Repository>,
    /// The parameters: variables with their values.
    parameters: Vec<Parameter<'a>>,
    /// Whether each of its branches has repositories of its own.
    per_branch: bool,
}

/// A repository for one image.
#[derive(Debug)]
struct Repository {
    /// Its name, or that of the folder in which branches have theirs.
    name: String,
    /// Whether another file of the repository declares it.
    declared: bool,
}

/// A parameter in Parameter Store, and the variable that it is in builds.
#[derive(Debug)]
struct Parameter<'a> {
    variable: &'a str,
    value: Value<'a>,
}

/// What a parameter holds.
#[derive(Debug)]
enum Value<'a> {
    /// Text.
    Text(&'a str),
    /// The address of the repository of this name in the account's registry.
    Address(String),
    /// The name of a repository.
    Name(String),
}

impl Stack<'_> {
    fn title(&self) -> String {
        let account = self
            .account
            .map_or_else(String::new, |it| format!(" in account {it}"));
        format!(
            "Repositories, roles, settings and pipeline of {}{account}",
            self.service
        )
    }

    /// What tells its files from those of other accounts.
    fn suffix(&self) -> String {
        self.account.map_or_else(String::new, |it| format!("-{it}"))
    }

    fn parameters(&self, place: &Place<'_>) -> String {
        names::parameters(&self.service, place.name)
    }

    fn build_role(&self, place: &Place<'_>) -> String {
        names::role(&self.service, &format!("build-{}", place.name))
    }

    /// The builds with what tells them apart, if there are several.
    fn parts(&self) -> impl Iterator<Item = (&Build, Option<String>)> {
        let several = self.builds.len() > 1;
        let part = move |it: &Build| several.then(|| names::part(&it.buildspec));
        self.builds.iter().map(move |it| (it, part(it)))
    }

    fn project(&self, place: &Place<'_>, part: Option<&str>) -> String {
        names::project(&self.service, place.name, part)
    }

    /// The environments into which something is deployed.
    fn deployed(&self) -> impl Iterator<Item = &Place<'_>> {
        let deploys = self.builds.iter().any(|it| it.deploys);
        self.places
            .iter()
            .filter(move |it| deploys && !it.per_branch)
    }

    /// The artifacts that the builds of an environment hand on.
    fn artifacts<'s>(&'s self, place: &'s Place<'_>) -> impl Iterator<Item = String> + 's {
        let handing = self.parts().filter(|(build, _)| build.deploys);
        handing.map(|(_, part)| names::artifact(place.name, part.as_deref()))
    }

    fn of_branches(&self) -> Option<&Place<'_>> {
        self.places.iter().find(|it| it.per_branch)
    }
}

/// Writes the infrastructure of `service`.
///
/// # Errors
/// [`Impossible`].
pub fn write(
    service: &Service,
    settings: &Settings,
    language: Language,
) -> Result<Vec<File>, Impossible> {
    let stacks = plan(service, settings)?;
    let file = |stack: &Stack<'_>| match language {
        Language::CloudFormation => File {
            path: format!("infrastructure/environments{}.yml", stack.suffix()),
            text: cloudformation::template(stack),
        },
        Language::Terraform => File {
            path: format!("infrastructure/environments{}/main.tf", stack.suffix()),
            text: terraform::configuration(stack),
        },
    };
    Ok(stacks.iter().map(file).collect())
}

/// What has to be done with the files of [`write`], as commands to copy.
///
/// # Errors
/// [`Impossible`].
pub fn steps(
    service: &Service,
    settings: &Settings,
    language: Language,
) -> Result<Vec<String>, Impossible> {
    let stacks = plan(service, settings)?;
    let files = write(service, settings, language)?;
    let step = |(stack, file): (&Stack<'_>, &File)| match language {
        Language::CloudFormation => format!(
            "aws cloudformation deploy --template-file {} --stack-name {}-environments --capabilities CAPABILITY_NAMED_IAM --parameter-overrides ConnectionArn=ARN Repository=OWNER/NAME",
            file.path, stack.service
        ),
        Language::Terraform => {
            let folder = file.path.trim_end_matches("/main.tf");
            format!(
                "terraform -chdir={folder} init && terraform -chdir={folder} apply -var connection_arn=ARN -var repository=OWNER/NAME"
            )
        }
    };
    Ok(stacks.iter().zip(&files).map(step).collect())
}

fn plan<'a>(service: &'a Service, settings: &'a Settings) -> Result<Vec<Stack<'a>>, Impossible> {
    let environments = settings
        .environments
        .as_ref()
        .ok_or(Impossible::NoEnvironments)?;
    if service.images.is_empty() || service.builds.is_empty() {
        return Err(Impossible::NoImages);
    }
    for image in &service.images {
        if let Some(clash) = environments.clash(&image.name) {
            return Err(Impossible::Clash(clash));
        }
    }
    let default_branch = default_branch(environments);
    let mut stacks: Vec<Stack<'_>> = Vec::new();
    let mut add = |target: &'a Target, place: Place<'a>, branches: &[Pattern]| {
        let account = target.account.as_deref();
        let at = stacks
            .iter()
            .position(|it| it.account == account)
            .unwrap_or_else(|| {
                stacks.push(Stack {
                    service: names::service(&service.name),
                    account,
                    places: Vec::new(),
                    builds: &service.builds,
                    branch_variable: &settings.branch_variable,
                    triggers: Vec::new(),
                    default_branch: default_branch.clone(),
                });
                stacks.len() - 1
            });
        let stack = &mut stacks[at];
        stack.triggers.extend(triggers(branches, place.per_branch));
        stack.places.push(place);
    };
    for environment in &environments.named {
        let place = of_environment(service, environments, environment);
        add(&environment.target, place, &environment.branches);
    }
    add(
        &environments.others,
        of_branches(service, environments),
        &[],
    );
    for stack in &mut stacks {
        // CodePipeline takes 8 patterns at most (CodePipeline user guide, "Filter triggers", 2026-11); the conditions
        // of the stages decide anyway.
        if stack.triggers.len() > 8 || stack.triggers.iter().any(|it| it == "**") {
            stack.triggers = vec!["**".to_owned()];
        }
    }
    Ok(stacks)
}

/// The patterns of a trigger. A slash and a dash are the same in the name of a repository, not in a trigger.
fn triggers(branches: &[Pattern], per_branch: bool) -> BTreeSet<String> {
    if per_branch {
        return BTreeSet::from(["**".to_owned()]);
    }
    let spellings = branches.iter().flat_map(|it| {
        let glob = it.glob();
        [glob.replace('/', "-"), glob]
    });
    spellings.collect()
}

/// The branch that stands for the environment that most call production, else the first that is named.
fn default_branch(environments: &Environments) -> String {
    let mut branches = environments
        .patterns()
        .filter_map(|(pattern, _)| match pattern {
            Pattern::Branch(name) => Some(name.clone()),
            Pattern::Prefix(_) => None,
        });
    let all: Vec<String> = branches.by_ref().collect();
    let known = ["main", "master", "trunk"];
    let found = known.iter().find(|it| all.iter().any(|name| name == *it));
    found.map_or_else(
        || all.first().cloned().unwrap_or_else(|| "main".to_owned()),
        |it| (*it).to_owned(),
    )
}

fn of_environment<'a>(
    service: &'a Service,
    environments: &Environments,
    it: &'a Environment,
) -> Place<'a> {
    let repositories = service.images.iter().map(|image| {
        let name = it.repository(&image.name);
        let declared = service.declared.contains(&name);
        Repository { name, declared }
    });
    let places = service.images.iter().map(|image| {
        let name = it.repository(&image.name);
        let value = if image.with_registry {
            Value::Address(name)
        } else {
            Value::Name(name)
        };
        Parameter {
            variable: &image.variable,
            value,
        }
    });
    Place {
        name: &it.name,
        condition: environments.regex(Some(it)),
        repositories: repositories.collect(),
        parameters: places.chain(settings_of(&it.target)).collect(),
        per_branch: false,
    }
}

fn of_branches<'a>(service: &'a Service, environments: &'a Environments) -> Place<'a> {
    let repositories = service.images.iter().map(|image| Repository {
        name: environments.branches_of(&image.name),
        declared: false,
    });
    // The buildspec works out a name from the branch; an address it has to be told.
    let addresses = service.images.iter().filter(|image| image.with_registry);
    let addresses = addresses.map(|image| Parameter {
        variable: &image.variable,
        value: Value::Address(environments.branches_of(&image.name)),
    });
    Place {
        name: BRANCHES,
        condition: environments.regex(None),
        repositories: repositories.collect(),
        parameters: addresses.chain(settings_of(&environments.others)).collect(),
        per_branch: true,
    }
}

fn settings_of(target: &Target) -> impl Iterator<Item = Parameter<'_>> {
    target.settings.iter().map(|(variable, value)| Parameter {
        variable,
        value: Value::Text(value),
    })
}

/// A lifecycle policy that keeps the newest `count` images, whatever they are tagged with.
fn lifecycle(count: u32) -> String {
    format!(
        "{{\"rules\":[{{\"rulePriority\":1,\"description\":\"Keep {count} images\",\"selection\":{{\"tagStatus\":\"any\",\"countType\":\"imageCountMoreThan\",\"countNumber\":{count}}},\"action\":{{\"type\":\"expire\"}}}}]}}"
    )
}

/// Images that are kept: of an environment, to roll back to; of a branch.
const KEPT: u32 = 100;
const KEPT_OF_BRANCH: u32 = 10;

/// What a build may do to its repositories: push, and pull what it has pushed (Amazon ECR user guide, "IAM
/// permissions for pushing an image", 2026-11).
const PUSH: [&str; 7] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
];

/// What the pipeline may do to deploy to ECS (CodePipeline user guide, "Amazon ECS", service role, 2026-11).
const DEPLOY: [&str; 7] = [
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeTasks",
    "ecs:ListTasks",
    "ecs:RegisterTaskDefinition",
    "ecs:TagResource",
    "ecs:UpdateService",
];

/// The artifact that holds the source; no environment's is called so.
const SOURCE: &str = "source_code";

/// The image of the builds, where the repository names none.
const BUILD_IMAGE: &str = "aws/codebuild/standard:7.0";

/// The buildspec that deletes the repositories of branches that are gone. A Git host tells CodeBuild nothing of a
/// deleted branch, so the branches are asked for, once a day.
fn cleanup(folders: &[&str], branch_variable: &str) -> String {
    let derivation = Derivation {
        variable: branch_variable,
        copilot_pipeline: false,
        missing: Missing::Stop,
        repository: true,
    };
    let mut text = String::from(
        "version: 0.2\nenv:\n  git-credential-helper: yes\nphases:\n  build:\n    commands:\n",
    );
    // Before the branches, so that the repository of a branch that is pushed meanwhile is not in the list.
    for (at, folder) in folders.iter().enumerate() {
        let _ = writeln!(
            text,
            "      - aws ecr describe-repositories --query \"repositories[?starts_with(repositoryName, '{folder}/')].[repositoryName]\" --output text > /tmp/repositories{at}"
        );
    }
    text.push_str(
        "      - git ls-remote --heads origin > /tmp/heads && test -s /tmp/heads\n      - |\n        : > /tmp/kept\n        while read -r commit ref; do\n          (\n",
    );
    let _ = writeln!(text, "            {branch_variable}=\"$ref\"");
    for line in derivation.text().lines() {
        let _ = writeln!(text, "            {line}");
    }
    let _ = write!(
        text,
        "            echo \"${branch_variable}\" >> /tmp/kept\n          ) || exit 1\n        done < /tmp/heads\n"
    );
    for (at, folder) in folders.iter().enumerate() {
        let _ = write!(
            text,
            "      - |\n        while read -r repository; do\n          grep -qxF \"${{repository#{folder}/}}\" /tmp/kept ||\n            aws ecr delete-repository --force --repository-name \"$repository\" || exit 1\n        done < /tmp/repositories{at}\n"
        );
    }
    text
}

/// `template` with each `@KEY@` replaced.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = template.strip_prefix('\n').unwrap_or(template).to_owned();
    for (key, value) in values {
        text = text.replace(key, value);
    }
    text
}

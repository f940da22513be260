//! A variable that ends up as the tag of an own image may be `latest`.
//!
//! ## What it does
//!
//! Finds `X=latest`, `${X:-latest}`, `${X:=latest}` and an `env.variables` value `latest`, where X becomes
//! the tag of an image that is pushed or deployed, and nothing sets it first. The same for a variable that the only
//! build project of the buildspec, in CloudFormation or Terraform, sets to `latest`.
//!
//! ## Why it matters
//!
//! The fallback is taken just when something went wrong, and then all such builds overwrite the same tag. A
//! variable that is always `latest` is no better than the word: it is an error where no other tag is pushed,
//! otherwise a warning, as a fallback is. A value that only a condition on the branch gives is a note, and so is the
//! fallback of a variable that every build with a source sets, from the commit or from the id of the build.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - IMAGE_TAG=${IMAGE_TAG:-latest}
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$IMAGE_TAG .
//!       - docker push $REPOSITORY_URI:$IMAGE_TAG
//!       - printf '[{"name":"web","imageUri":"%s"}]' $REPOSITORY_URI:$IMAGE_TAG > imagedefinitions.json
//! artifacts:
//!   files: imagedefinitions.json
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - |
//! @DERIVATION@
//!       - IMAGE_TAG=${IMAGE_TAG:-${BRANCH_NAME}}
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$IMAGE_TAG .
//!       - docker push $REPOSITORY_URI:$IMAGE_TAG
//!       - printf '[{"name":"web","imageUri":"%s"}]' $REPOSITORY_URI:$IMAGE_TAG > imagedefinitions.json
//! artifacts:
//!   files: imagedefinitions.json
//! ```
//!
//! ## Fix
//!
//! The fallback becomes the branch tag. Where a command of the file sets the variable, that is done only with
//! `--unsafe`: few builds ever come to the fallback, but the definition of the branch ends every one that
//! knows none. Behind a variable that holds the commit, the build's id or its number, the fallback becomes an error,
//! `${COMMIT:?no commit to tag the image with}`, also with `--unsafe` only: a build without a commit can seldom tell its
//! branch, and stops instead of overwriting `latest`. Nothing else is rewritten. `env.variables` is literal text in
//! which nothing is expanded, so there a command that sets the variable is inserted instead.
//!
//! ## When to silence it
//!
//! Where every build is known to set the variable, and the fallback only serves people who run the commands
//! by hand.
//!
//! ## Sources
//!
//! - CodePipeline tutorial for Amazon ECS: `IMAGE_TAG=${COMMIT_HASH:=latest}`.
//! - awsdocs/aws-codebuild-user-guide issue 55: `env.variables` does not expand.

use std::collections::BTreeSet;

use tagwright_flow::Flow;
use tagwright_flow::delivery::Value;
use tagwright_flow::expression::Origin;
use tagwright_flow::facts::{AssignmentFact, FileFacts, LatestAt, TagKind, TagValue};
use tagwright_flow::tools::Role;
use tagwright_syntax::SmolStr;

use crate::context::{Context, Place, Report, deploys};
use crate::delivery;
use crate::shell_text::whole_variable;
use crate::source_known;
use crate::{Category, Check, Fixable, Refusal, RefusalCode, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "latest-default",
    category: Category::ImageTag,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("latest_default"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    of_projects(context, report);
    let mut seen = BTreeSet::new();
    for (index, flow) in context.own_flows() {
        let only = flow.pushed && context.other_pushed_tags(flow).next().is_none();
        for place in context.places(flow) {
            let deploys = deploys(place.image.role);
            let writes = matches!(
                place.image.role,
                Role::Build | Role::BuildPush | Role::TagDestination | Role::Push
            );
            if !(deploys || flow.pushed && writes) {
                continue;
            }
            for tag in &place.image.tags {
                if matches!(tag.latest_at(), None | Some(LatestAt::Written)) {
                    continue;
                }
                let Some((name, what)) = named(&tag.origin) else {
                    continue;
                };
                let sign = if is_argument(name) { "$" } else { "" };
                let name = format!("{sign}{name}");
                let span = tag.site.map_or(place.image.span, |site| site.source);
                if !seen.insert((place.file.id, span)) {
                    continue;
                }
                let shown = flow.shown();
                let some = is_of_one_branch(place, tag);
                let fallback = matches!(tag.origin, Origin::Fallback(_));
                let stands_in = stands_in(place, tag, &name);
                let (severity, message) = if some {
                    (
                        Severity::Note,
                        format!("`{name}` {what} `latest` for some branches only; it is the tag of `{shown}`, and each of their builds overwrites it"),
                    )
                } else if stands_in
                    || fallback && source_known::is_set(place.file, &name, place.image.order)
                {
                    (
                        Severity::Note,
                        format!("`{name}` {what} `latest` and is the tag of `{shown}`: every build with a source sets it, so only a build that has none takes `latest`"),
                    )
                } else if place.image.is_latest() && !fallback {
                    (
                        if only { Severity::Error } else { Severity::Warning },
                        format!("`{name}` {what} `latest` and is the tag of `{shown}`, so every branch overwrites the same tag"),
                    )
                } else {
                    (
                        Severity::Warning,
                        format!("`{name}` {what} `latest` and is the tag of `{shown}`: all builds that take this value overwrite the same tag"),
                    )
                };
                let fix = if some {
                    Err(Refusal::new(
                        RefusalCode::YourDecision,
                        "only builds of the branches that a condition names take this value",
                    ))
                } else if stands_in {
                    Err(Refusal::new(
                        RefusalCode::YourDecision,
                        format!("every build with a source has set `{name}` before: take this away, or end the build here"),
                    ))
                } else {
                    context.plan(index).of_default(place, tag)
                };
                report.add(
                    report
                        .draft(place.file.id, span, message)
                        .severity(severity)
                        .related(place.file.id, place.image.span, "used as the tag here")
                        .shared_fix(fix),
                );
            }
        }
    }
}

/// The variable that holds the value, and how it gets it; `None` where the value is written in the reference itself.
fn named(origin: &Origin) -> Option<(&SmolStr, &'static str)> {
    Some(match origin {
        Origin::Written => return None,
        Origin::Assigned(name) if is_argument(name) => (name, "is passed to the function as"),
        Origin::Assigned(name) => (name, "is set to"),
        Origin::Fallback(name) => (name, "falls back to"),
        Origin::EnvVariables(name) => (name, "is set in env.variables to"),
        Origin::Given(name) => (name, "is passed to the script as"),
    })
}

/// What the only project that runs a buildspec gives to it.
fn of_projects(context: &Context<'_>, report: &mut Report<'_>) {
    let latest = Value::Text("latest".into());
    for (holder, project) in delivery::projects(context) {
        for variable in project.variables.iter().filter(|it| it.value == latest) {
            let name = &*variable.name;
            let Some((flow, place)) = reader(context, holder, name) else {
                continue;
            };
            let mut others = context.other_pushed_tags(flow);
            let only = flow.pushed && others.all(|(_, tag)| is_variable(tag, name));
            let shown = flow.shown();
            let message = format!("the project sets `{name}` to `latest`, and it is the tag of `{shown}`, so every branch overwrites the same tag");
            let refusal = Refusal::new(
                RefusalCode::YourDecision,
                format!("the project gives this value to its builds: take it away there, and let a command of {} set {name}", place.file.path),
            );
            report.add(
                report
                    .draft(holder.id, variable.span, message)
                    .severity(if only { Severity::Error } else { Severity::Warning })
                    .related(place.file.id, place.image.span, "used as the tag here")
                    .fix(Err(refusal)),
            );
        }
    }
}

/// The first image that is pushed or deployed with the variable, which the project in `holder` gives, as its tag.
fn reader<'a>(
    context: &Context<'a>,
    holder: &FileFacts,
    name: &str,
) -> Option<(&'a Flow, Place<'a>)> {
    context.own_flows().find_map(|(_, flow)| {
        let mut places = context.places(flow);
        let place = places.find(|place| {
            let counts = deploys(place.image.role) || flow.pushed && place.image.role.pushes();
            counts
                && place.image.tags.iter().any(|tag| is_variable(tag, name))
                && delivery::given(context, place.file, name)
                    .is_some_and(|(file, _, it)| file.id == holder.id && it.name.as_ref() == name)
        })?;
        Some((flow, place))
    })
}

/// Whether a tag is this variable and nothing else.
fn is_variable(tag: &TagValue, name: &str) -> bool {
    matches!(tag.kind, TagKind::Variable(_)) && whole_variable(&tag.written) == Some(name)
}

/// Whether the variable is an argument of a script or function.
fn is_argument(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the value is assigned where the variable is empty, although every build with a source has set it before:
/// `if [ -z "$TAG" ]; then TAG=latest; fi`.
fn stands_in(place: Place<'_>, tag: &TagValue, name: &str) -> bool {
    if !matches!(tag.origin, Origin::Assigned(_)) {
        return false;
    }
    assignment(place, tag).is_some_and(|it| {
        it.conditional
            && place.file.habits().tested.contains(name)
            && source_known::is_set(place.file, name, it.order)
    })
}

/// Whether the value is assigned, or used, only for branches that a condition names.
fn is_of_one_branch(place: Place<'_>, tag: &TagValue) -> bool {
    place.image.one_branch || assignment(place, tag).is_some_and(|it| it.one_branch)
}

/// The assignment that the value stands in.
fn assignment<'a>(place: Place<'a>, tag: &TagValue) -> Option<&'a AssignmentFact> {
    place.file.assignment_around(tag.site?.source)
}

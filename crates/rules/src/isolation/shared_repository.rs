//! Several branches or environments push to one repository, although each is to have its own.
//!
//! ## What it does
//!
//! Works only with `strategy = "repository-per-branch"` in `tagwright.toml`. Finds pushes to a repository whose
//! name is written out (behind a registry) and names no branch and no environment, where one of these shows
//! that several of them push there: the tag holds the branch; a loop over environments or branches stands
//! around the push; pipelines of several branches, or one that several branches trigger, run the build; or
//! one push takes the tag `dev` and another `prod`.
//! A repository that comes out of a variable is not judged.
//!
//! ## Why it matters
//!
//! A tag is a label that anyone who may push can move. In a shared repository a build of a feature branch has
//! the permissions to replace what production pulls, and one lifecycle policy expires the images of all.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - BRANCH_NAME=$(echo ${CODEBUILD_WEBHOOK_HEAD_REF#refs/heads/} | tr / -)
//!       - docker build -t $REGISTRY/web:$BRANCH_NAME-$CODEBUILD_RESOLVED_SOURCE_VERSION .
//!       - docker push $REGISTRY/web:$BRANCH_NAME-$CODEBUILD_RESOLVED_SOURCE_VERSION
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - BRANCH_NAME=$(echo ${CODEBUILD_WEBHOOK_HEAD_REF#refs/heads/} | tr / -)
//!       - docker build -t $REGISTRY/web-$BRANCH_NAME:$CODEBUILD_RESOLVED_SOURCE_VERSION .
//!       - docker push $REGISTRY/web-$BRANCH_NAME:$CODEBUILD_RESOLVED_SOURCE_VERSION
//! ```
//!
//! ## Fix
//!
//! None: a repository has to exist before anything is pushed to it, and what reads the old one has to follow.
//!
//! ## When to silence it
//!
//! For an image that all branches share on purpose: a base image, a tool of the build.
//!
//! ## Sources
//!
//! - Amazon ECR user guide, "Private repository policies in Amazon ECR": permissions are for repositories, not
//!   tags.
//!   <https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html>

use std::collections::BTreeMap;

use tagwright_flow::expression::{AtomKind, plain_name};
use tagwright_flow::facts::{TagKind, TagValue};
use tagwright_flow::{FileId, Flow, delivery::Pipeline};

use crate::context::{Context, Place, Report, pushes};
use crate::delivery::{self, Build};
use crate::environment::{environment, holds_environment, is_of_one, written_name};
use crate::settings::Strategy;
use crate::shell_text::{names_in};
use crate::variables::{Constancy, constancy, expression, is_branch};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "shared-repository",
    category: Category::Isolation,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("shared_repository"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    if context.settings.strategy != Strategy::RepositoryPerBranch {
        return;
    }
    let builds = delivery::builds(context);
    for (_, flow) in context.own_flows() {
        let builds_of_environments = builds_of(context, flow);
        for place in context.places(flow) {
            let repository = &place.image.repository;
            if !pushes(place.image.role)
                || place.file.buildspec.is_none()
                || is_of_one(repository, context.settings)
            {
                continue;
            }
            let Some(name) = written_name(repository) else {
                continue;
            };
            let of_one = || literals(place).any(|tag| environment(tag).is_some());
            let who = several(context, place, &builds)
                .or_else(|| builds_of_environments.clone().filter(|_| of_one()));
            let Some(who) = who else {
                continue;
            };
            let message = format!(
                "{who} push to the one repository `{name}`: each needs its own, as in `{name}-{}`",
                context.settings.branch_reference()
            );
            report.add(report.draft(place.file.id, place.image.span, message));
        }
    }
}

/// Who shares the repository, if that is certain.
fn several(context: &Context<'_>, place: Place<'_>, builds: &[Build<'_>]) -> Option<String> {
    let settings = context.settings;
    if place.image.tags.iter().any(|tag| {
        constancy(tag, settings, &place.image.loops) == Constancy::Branch
            || holds_branch(context, tag)
    }) {
        return Some("all branches".to_owned());
    }
    let looped = place
        .image
        .loops
        .iter()
        .find(|name| holds_environment(name, settings));
    if let Some(looped) = looped {
        return Some(format!("all values of `${looped}`"));
    }
    let mut branches: BTreeMap<String, FileId> = BTreeMap::new();
    for build in builds.iter().filter(|it| it.buildspec.id == place.file.id) {
        for branch in branches_of(build.pipeline) {
            branches.entry(branch).or_insert(build.file.id);
        }
    }
    (branches.len() > 1).then(|| {
        let names: Vec<String> = branches.keys().map(|name| format!("`{name}`")).collect();
        format!("the pipelines of {}", names.join(" and "))
    })
}

/// Who shares the repository of `flow`, where one push takes the tag of one environment and another that of another.
fn builds_of<'a>(context: &Context<'a>, flow: &'a Flow) -> Option<String> {
    let mut found: BTreeMap<&str, &str> = BTreeMap::new();
    for place in context.places(flow).filter(|it| pushes(it.image.role)) {
        for tag in literals(place) {
            if let Some(environment) = environment(tag) {
                found.entry(environment).or_insert(tag);
            }
        }
    }
    let tags: Vec<String> = found.values().map(|tag| format!("`{tag}`")).collect();
    (tags.len() > 1).then(|| format!("the builds of {}", tags.join(" and ")))
}

fn literals<'a>(place: Place<'a>) -> impl Iterator<Item = &'a str> {
    place.image.tags.iter().filter_map(|tag| match &tag.kind {
        TagKind::Literal(text) => Some(&**text),
        _ => None,
    })
}

fn holds_branch(context: &Context<'_>, tag: &TagValue) -> bool {
    expression(tag).is_some_and(|tag| {
        tag.atoms.iter().any(|atom| match &atom.kind {
            AtomKind::Literal(_) => false,
            AtomKind::Variable(name) => is_branch(plain_name(name), context.settings),
            AtomKind::Computed(text) => {
                names_in(text).any(|name| is_branch(name, context.settings))
                    || text.contains("CODEBUILD_WEBHOOK_HEAD_REF")
            }
        })
    })
}

/// The branches that a pipeline builds, as far as they are written out.
fn branches_of(pipeline: &Pipeline) -> Vec<String> {
    if !pipeline.trigger_branches.is_empty() {
        return pipeline
            .trigger_branches
            .iter()
            .map(|it| it.pattern.to_string())
            .collect();
    }
    delivery::actions(pipeline)
        .filter_map(|action| action.branch().map(str::to_owned))
        .collect()
}

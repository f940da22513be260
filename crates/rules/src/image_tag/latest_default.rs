//! A variable that ends up as the tag of an own image may be `latest`.
//!
//! ## What it does
//!
//! Finds `X=latest`, `${X:-latest}`, `${X:=latest}` and an `env.variables` value `latest`, where X becomes
//! the tag of an image that is pushed or deployed, and nothing sets it first.
//!
//! ## Why it matters
//!
//! The fallback is taken just when something went wrong, and then every branch writes the same tag.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - COMMIT_HASH=$(echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c 1-7)
//!       - IMAGE_TAG=${COMMIT_HASH:=latest}
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
//!       - COMMIT_HASH=$(echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c 1-7)
//!       - IMAGE_TAG=${COMMIT_HASH:=${BRANCH_NAME}}
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
//! knows none. `env.variables` is literal text in which nothing is expanded, so there a command that sets the
//! variable is inserted instead.
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

use tagwright_flow::facts::LatestAt;
use tagwright_flow::tools::Role;
use tagwright_flow::expression::Origin;

use crate::context::{Context, Report, deploys};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "latest-default",
    category: Category::ImageTag,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("latest_default"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let mut seen = BTreeSet::new();
    for (index, flow) in context.own_flows() {
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
                let (name, what) = match &tag.origin {
                    Origin::Written => continue,
                    Origin::Assigned(name) => (name, "is set to"),
                    Origin::Fallback(name) => (name, "falls back to"),
                    Origin::EnvVariables(name) => (name, "is set in env.variables to"),
                };
                let span = tag.site.map_or(place.image.span, |site| site.source);
                if !seen.insert((place.file.id, span)) {
                    continue;
                }
                let fix = context.plan(index).of_default(place, tag);
                let message = format!(
                    "`{name}` {what} `latest` and is the tag of `{}`: then every branch writes the same tag",
                    flow.shown()
                );
                report.add(
                    report
                        .draft(place.file.id, span, message)
                        .related(place.file.id, place.image.span, "used as the tag here")
                        .shared_fix(fix),
                );
            }
        }
    }
}

//! `latest` of an own image is deployed.
//!
//! ## What it does
//!
//! Finds places that deploy `latest` of an image that this repository builds: imagedefinitions.json and
//! imageDetail.json texts, task definitions, `aws ecs`, `aws lambda`, `aws apprunner`, `kubectl set image`,
//! `helm --set`, Kubernetes manifests and Copilot's `image.location`.
//!
//! ## Why it matters
//!
//! `latest` is not a version: it is the name that a tool takes when none is given. Whoever pushed last
//! decides what it is, from whatever branch. A deployment of `latest` to production runs what the build of
//! a feature branch has just pushed.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:latest .
//!       - docker tag $REPOSITORY_URI:latest $REPOSITORY_URI:$IMAGE_TAG
//!   post_build:
//!     commands:
//!       - docker push $REPOSITORY_URI:$IMAGE_TAG
//!       - printf '[{"name":"web","imageUri":"%s"}]' $REPOSITORY_URI:latest > imagedefinitions.json
//! artifacts:
//!   files: imagedefinitions.json
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:latest .
//!       - docker tag $REPOSITORY_URI:latest $REPOSITORY_URI:$IMAGE_TAG
//!   post_build:
//!     commands:
//!       - docker push $REPOSITORY_URI:$IMAGE_TAG
//!       - printf '[{"name":"web","imageUri":"%s"}]' $REPOSITORY_URI:$IMAGE_TAG > imagedefinitions.json
//! artifacts:
//!   files: imagedefinitions.json
//! ```
//!
//! ## Fix
//!
//! Where the same flow already pushes a tag of its own (`$IMAGE_TAG`), that tag is deployed. Otherwise
//! build, push and deployment are rewritten together to the branch tag, and the command that sets the
//! branch variable is inserted. The fix is safe, because everything that reads the tag moves with it.
//!
//! ## When to silence it
//!
//! Where `latest` is what is meant to run: a demonstration, or a tool that nobody has to roll back. For a
//! service that several branches build there is no good reason.
//!
//! ## Sources
//!
//! - Amazon ECS best practices, "Tag every image uniquely; use `latest` only for testing".
//! - distribution/reference `normalize.go`: the default tag is `latest`.

use tagwright_flow::facts::LatestAt;

use crate::context::{Context, Report, deploys};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "latest-deployed",
    category: Category::ImageTag,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("latest_deployed"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for (index, flow) in context.own_flows() {
        for place in context.places(flow).filter(|p| deploys(p.image.role)) {
            for tag in &place.image.tags {
                // A variable that is `latest` is reported where it gets its value.
                if tag.latest_at() != Some(LatestAt::Written) {
                    continue;
                }
                let span = tag.site.map_or(place.image.span, |site| site.source);
                let some = context.is_of_one_branch(index);
                let whose = if some { "" } else { ", from whatever branch" };
                let message = format!(
                    "`{}:latest` is deployed: that is whatever was pushed last{whose}",
                    flow.shown()
                );
                let severity = if flow.adopted || some {
                    Severity::Warning
                } else {
                    Severity::Error
                };
                let draft = report.draft(place.file.id, span, message).severity(severity);
                report.add(draft.shared_fix(context.plan(index).of_deployment(place)));
            }
        }
    }
}

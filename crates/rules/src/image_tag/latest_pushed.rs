//! `latest` of an own image is pushed.
//!
//! ## What it does
//!
//! Finds `latest` on its way to the registry: `docker push own:latest`, the destination of `docker tag`,
//! `-t own:latest` of a build whose result is pushed, `buildx build --push`, kaniko, buildah, crane and
//! skopeo destinations. It is an error where `latest` is the only tag that is pushed, a warning where
//! another tag is pushed beside it. A name that never leaves the build machine is not reported.
//!
//! ## Why it matters
//!
//! Every branch that runs this build overwrites the same tag. What qa pushed a minute ago is gone when
//! production's build ends, and the other way round.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - aws ecr get-login-password | docker login --username AWS --password-stdin $REGISTRY
//!   build:
//!     commands:
//!       - docker build -t $REGISTRY/web:latest .
//!       - docker push $REGISTRY/web:latest
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
//!       - aws ecr get-login-password | docker login --username AWS --password-stdin $REGISTRY
//!   build:
//!     commands:
//!       - docker build -t $REGISTRY/web:${BRANCH_NAME} .
//!       - docker push $REGISTRY/web:${BRANCH_NAME}
//! ```
//!
//! ## Fix
//!
//! All places of the image are rewritten together to the branch tag. Where nothing in the workspace reads
//! the tag, or another tag is pushed beside it, the fix is unsafe: somebody outside may read `latest`. Where
//! Terraform or CloudFormation beside the buildspec deploys `latest` of a repository that it does not write
//! out, the finding shows the place.
//!
//! Where `latest` is an alias, pushed beside a tag of its own that is deployed or recorded, and nothing in the
//! repository reads it, there is a second answer: drop it. The commands that make, push and announce it go, and a
//! build that names the image only `latest` takes the other tag. That needs no branch. It is unsafe for the same
//! reason as moving it. `tagwright fix --unsafe --alias drop` and `alias = "drop"` below `[tag]` choose it; editors
//! offer both. It changes nothing where the other tag is set only after the build, where another command would run
//! under other conditions, or where a list would be left without commands.
//!
//! ## When to silence it
//!
//! For a base image, a cache or a release channel that others pull as `latest` on purpose, beside a tag
//! that says which build it is.
//!
//! ## Sources
//!
//! - CodeBuild user guide, Docker sample: pushes one tag, by default `latest`.
//! - aws-samples and the pipeline tutorial for Amazon ECS push `latest` beside the commit.

use tagwright_flow::facts::{LatestAt, TagKind, TagValue};

use crate::context::{Context, Report};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "latest-pushed",
    category: Category::ImageTag,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("latest_pushed"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for (index, flow) in context.own_flows().filter(|(_, flow)| flow.pushed) {
        let other = context.other_pushed_tags(flow).next();
        let some = context.is_of_one_branch(index);
        for place in context
            .places(flow)
            .filter(|p| context.is_published(index, *p))
        {
            for tag in &place.image.tags {
                // A variable that is `latest` is reported where it gets its value.
                if tag.latest_at() != Some(LatestAt::Written) {
                    continue;
                }
                let span = tag.site.map_or(place.image.span, |site| site.source);
                let mut draft = match &other {
                    _ if some => report
                        .draft(
                            place.file.id,
                            span,
                            format!(
                                "`{}:latest` is pushed for some branches only; each of their builds overwrites it",
                                flow.shown()
                            ),
                        )
                        .severity(Severity::Note),
                    None => report.draft(
                        place.file.id,
                        span,
                        format!(
                            "`{}:latest` is the only tag pushed for this image: every branch that runs this build overwrites it",
                            flow.shown()
                        ),
                    ),
                    Some((_, tag)) => report
                        .draft(
                            place.file.id,
                            span,
                            format!(
                                "`{}:latest` is pushed beside `{}`: it is whatever was built last, from whatever branch",
                                flow.shown(), shown(tag)
                            ),
                        )
                        .severity(Severity::Warning),
                };
                if let Some((other, _)) = &other {
                    draft = draft.related(
                        other.file.id,
                        other.image.span,
                        "the other tag is pushed here",
                    );
                }
                let plan = context.plan(index);
                let draft = draft.shared_fix(plan.pushes.clone());
                report.add(draft.alternative(plan.second.clone()));
            }
        }
    }
}

/// A tag as it is written, or as it is resolved where the whole reference is a variable.
fn shown(tag: &TagValue) -> String {
    match &tag.kind {
        TagKind::Variable(expression) if tag.written.is_empty() => expression.key(),
        TagKind::Literal(text) if tag.written.is_empty() => text.to_string(),
        _ => tag.written.to_string(),
    }
}

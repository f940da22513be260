//! A lifecycle policy deletes the images that a branch tag leaves behind.
//!
//! ## What it does
//!
//! Reports repositories of ECR in CloudFormation and Terraform whose lifecycle policy expires untagged images by their age,
//! if a build of this repository pushes a branch tag there.
//!
//! ## Why it matters
//!
//! A push of a branch's tag takes the tag from the image before, which is untagged from then on, and soon deleted. Tasks that
//! were started from it cannot be started again, and there is nothing to go back to.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:${BRANCH_NAME:?} .
//!       - docker push 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:${BRANCH_NAME:?}
//! ```
//!
//! ```yaml template.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Repository:
//!     Type: AWS::ECR::Repository
//!     Properties:
//!       RepositoryName: web
//!       LifecyclePolicy:
//!         LifecyclePolicyText: |
//!           {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}, "action": {"type": "expire"}}]}
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:${BRANCH_NAME:?} .
//!       - docker push 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:${BRANCH_NAME:?}
//! ```
//!
//! ```yaml template.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Repository:
//!     Type: AWS::ECR::Repository
//!     Properties:
//!       RepositoryName: web
//!       LifecyclePolicy:
//!         LifecyclePolicyText: |
//!           {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 50}, "action": {"type": "expire"}}]}
//! ```
//!
//! ## Fix
//!
//! None: how long an image is needed is for its owner to say. A second tag for each build keeps it from being untagged.
//!
//! ## When to silence it
//!
//! Where everything that runs is deployed anew with each push.
//!
//! ## Sources
//!
//! - ECR user guide, "Lifecycle policies": `tagStatus`, `countType`.
//!   <https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html>

use crate::context::{Context, Report, pushes};
use crate::environment::written_name;
use crate::variables::{Constancy, constancy};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "untagged-images-expire",
    category: Category::Pipeline,
    default: Some(Severity::Note),
    fixable: Fixable::Never,
    docs: docs!("untagged_images_expire"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for file in context.workspace.files() {
        for declaration in &file.repositories {
            let (Some(policy), Some(name)) = (declaration.expires_untagged, &declaration.name)
            else {
                continue;
            };
            if declaration.immutable {
                continue;
            }
            let is_it = |pushed: &str| {
                pushed == &**name || pushed.strip_suffix(&**name).is_some_and(|it| it.ends_with('/'))
            };
            let mut pushed = context
                .own_flows()
                .flat_map(|(_, flow)| context.places(flow))
                .filter(|place| pushes(place.image.role))
                .filter(|place| written_name(&place.image.repository).is_some_and(|it| is_it(&it)));
            let moved = pushed.find(|place| {
                let of = |tag| constancy(tag, context.settings, &place.image.loops);
                place.image.tags.iter().any(|tag| of(tag) == Constancy::Branch)
            });
            let Some(moved) = moved else { continue };
            let message = format!(
                "this policy deletes untagged images of `{name}`, and each push of a branch tag leaves the image before untagged: what still runs it cannot pull it again"
            );
            report.add(report.draft(file.id, policy, message).related(
                moved.file.id,
                moved.image.span,
                "moves the branch tag",
            ));
        }
    }
}

//! `latest` is passed on as an argument whose effect is not known.
//!
//! ## What it does
//!
//! Notes `make TAG=latest`, `--build-arg IMAGE_TAG=latest`, `terraform -var image_tag=latest`,
//! `aws ecr describe-images --image-ids imageTag=latest` and the like.
//!
//! ## Why it matters
//!
//! Whether a tag moves there cannot be seen from this file, so it is only a note: look where the argument
//! goes, and pass the branch tag if it names an image of yours.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - make image TAG=latest
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - make image TAG=$CODEBUILD_RESOLVED_SOURCE_VERSION
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! Where the argument names an image of somebody else, or the tool that takes it does something else with
//! the word.
//!
//! ## Sources
//!
//! - Seen in real buildspecs; the effect is the callee's.

use std::collections::BTreeSet;

use tagwright_flow::UseId;
use tagwright_flow::tools::Role;
use tagwright_flow::expression::Origin;

use crate::context::{Context, Report};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "latest-argument",
    category: Category::ImageTag,
    default: Some(Severity::Note),
    fixable: Fixable::Never,
    docs: docs!("latest_argument"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let own: BTreeSet<UseId> = context
        .own_flows()
        .flat_map(|(_, flow)| context.places(flow))
        .filter(|place| place.image.role == Role::Argument)
        .map(|place| place.id)
        .collect();
    for file in context.workspace.files() {
        for (index, image) in (0..).zip(&file.uses) {
            if image.role != Role::Argument {
                continue;
            }
            let id = UseId {
                file: file.id,
                index,
            };
            for tag in &image.tags {
                // `latest-default` speaks of a variable of an own image.
                let elsewhere = tag.origin != Origin::Written && own.contains(&id);
                if tag.kind.is_literal_latest() && !elsewhere {
                    let span = tag.site.map_or(image.span, |site| site.source);
                    report.add(report.draft(
                        file.id,
                        span,
                        "`latest` is passed on here; whether an image of yours gets that tag depends on what reads it",
                    ));
                }
            }
        }
    }
}

//! `latest` of an own image serves as a cache.
//!
//! ## What it does
//!
//! Finds `docker pull own:latest || true` and `--cache-from own:latest`. Off by default: as a cache hint
//! `latest` is legitimate, a stale layer is only slower.
//!
//! ## Why it matters
//!
//! Turn it on to see from which branch a build takes its layers.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml enable
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker pull $REPOSITORY_URI:latest || true
//!       - docker build --cache-from $REPOSITORY_URI:latest -t $REPOSITORY_URI:$IMAGE_TAG .
//!       - docker push $REPOSITORY_URI:$IMAGE_TAG
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker pull $REPOSITORY_URI:cache-main || true
//!       - docker build --cache-from $REPOSITORY_URI:cache-main -t $REPOSITORY_URI:$IMAGE_TAG .
//!       - docker push $REPOSITORY_URI:$IMAGE_TAG
//! ```
//!
//! ## Fix
//!
//! None of its own. Where the image's other places are rewritten, the cache follows them.
//!
//! ## When to silence it
//!
//! It is off unless it is asked for: a cache may move without harm. If it is on, silence it where `latest`
//! is the only tag whose layers are there.
//!
//! ## Sources
//!
//! - docker build reference, `--cache-from`.

use tagwright_flow::tools::Role;

use crate::context::{Context, Report};
use crate::{Category, Check, Fixable, Rule};

pub(crate) static RULE: Rule = Rule {
    name: "latest-cache",
    category: Category::ImageTag,
    default: None,
    fixable: Fixable::Never,
    docs: docs!("latest_cache"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for (_, flow) in context.own_flows() {
        for place in context.places(flow) {
            let cache = place.image.role == Role::Cache
                || place.image.role == Role::Pull && place.image.tolerated;
            if cache && place.image.may_be_latest() {
                let message = format!(
                    "`{}:latest` is the cache of this build: its layers come from whatever branch pushed last",
                    flow.shown()
                );
                report.add(report.draft(place.file.id, place.image.span, message));
            }
        }
    }
}

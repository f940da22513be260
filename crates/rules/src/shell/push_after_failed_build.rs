//! The phase `post_build` deploys although `build` has failed.
//!
//! ## What it does
//!
//! Finds pushes and deployments in `post_build` where `build` makes the image, nothing in the file asks for
//! `CODEBUILD_BUILD_SUCCEEDING`, and `build` has no `on-failure: ABORT`. Off unless configured: most
//! buildspecs are written this way, and where the image was never built the push fails, too.
//!
//! ## Why it matters
//!
//! CodeBuild runs `post_build` after a failed `build`. An image that was built before a test failed is
//! pushed, and a deployment takes whatever is in the registry.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml enable
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t me/web:$CODEBUILD_BUILD_NUMBER .
//!       - npm test
//!   post_build:
//!     commands:
//!       - docker push me/web:$CODEBUILD_BUILD_NUMBER
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     on-failure: ABORT
//!     commands:
//!       - docker build -t me/web:$CODEBUILD_BUILD_NUMBER .
//!       - npm test
//!   post_build:
//!     commands:
//!       - docker push me/web:$CODEBUILD_BUILD_NUMBER
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! Where `build` makes nothing that is pushed, or the image is wanted although the tests after it failed.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build phase transitions", and "Environment variables in build environments":
//!   `CODEBUILD_BUILD_SUCCEEDING`.
//! - aws/aws-codebuild-docker-images issue 385.

use tagwright_flow::tools::Role;
use tagwright_flow::facts::CommandList;
use tagwright_syntax::Span;
use tagwright_syntax::buildspec::PhaseName;

use crate::context::{Document, Report, pushes};
use crate::{Category, Check, Fixable, Rule};

pub(crate) static RULE: Rule = Rule {
    name: "push-after-failed-build",
    category: Category::Shell,
    default: None,
    fixable: Fixable::Never,
    docs: docs!("push_after_failed_build"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let (Some(facts), Some(spec)) = (&document.facts.buildspec, &document.buildspec) else {
        return;
    };
    let aborts = spec.phases.iter().any(|phase| {
        phase.name == PhaseName::Build
            && phase
                .on_failure
                .and_then(|node| document.tree.text(node))
                .is_some_and(|value| value != "CONTINUE")
    });
    if aborts || document.text().contains("CODEBUILD_BUILD_SUCCEEDING") {
        return;
    }
    let inside = |phase: PhaseName, item: u32| {
        let of = |list: &&CommandList| list.phase == phase && !list.finally;
        facts
            .lists
            .iter()
            .filter(of)
            .any(|list| (list.items.0..list.items.1).contains(&item))
    };
    let uses = &document.facts.uses;
    let built = uses
        .iter()
        .any(|image| image.role == Role::Build && inside(PhaseName::Build, image.order.item));
    let pushed = uses
        .iter()
        .filter(|image| pushes(image.role) || image.role == Role::Deploy)
        .map(|image| (image.order, image.span));
    let deployed = document
        .facts
        .copilot
        .iter()
        .filter(|call| call.subcommand.ends_with("deploy"))
        .map(|call| (call.order, call.span));
    let first: Option<(_, Span)> = pushed
        .chain(deployed)
        .filter(|(order, _)| inside(PhaseName::PostBuild, order.item))
        .min();
    if let Some((_, span)) = first.filter(|_| built) {
        let message =
            "`post_build` runs although `build` has failed, and nothing keeps it from getting here";
        report.add(report.draft(document.facts.id, span, message));
    }
}

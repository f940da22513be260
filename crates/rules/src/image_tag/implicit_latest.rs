//! An own image is pushed or deployed without any tag.
//!
//! ## What it does
//!
//! Finds references without tag and digest whose text is fully known: docker takes `latest` for them. A
//! reference that is hidden in a variable (`docker push $IMAGE`) is looked up in the file's assignments;
//! where that does not say, nothing is reported.
//!
//! ## Why it matters
//!
//! It is `latest`, only harder to see: every branch overwrites the same tag. It is an error where no other tag
//! is pushed or the image is deployed, otherwise a warning.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t registry.example.com/shop/web .
//!       - docker push registry.example.com/shop/web
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - |
//! @DERIVATION@
//!       - docker build -t registry.example.com/shop/web:${BRANCH_NAME} .
//!       - docker push registry.example.com/shop/web:${BRANCH_NAME}
//! ```
//!
//! ## Fix
//!
//! As for `latest-pushed` and `latest-deployed`: all places of the image together.
//!
//! ## When to silence it
//!
//! For the same images as `latest-pushed`; write `:latest` out first, so that the next reader sees that it
//! is meant.
//!
//! ## Sources
//!
//! - distribution/reference `normalize.go`: the default tag is `latest`.

use tagwright_flow::facts::TagKind;

use crate::context::{Context, Report, deploys};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "implicit-latest",
    category: Category::ImageTag,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("implicit_latest"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for (index, flow) in context.own_flows() {
        for place in context.places(flow) {
            let deploys = deploys(place.image.role);
            if !(deploys || flow.pushed && context.is_published(index, place)) {
                continue;
            }
            let Some(_) = place
                .image
                .tags
                .iter()
                .find(|tag| tag.kind == TagKind::Implicit)
            else {
                continue;
            };
            let plan = context.plan(index);
            let (verb, fix) = if deploys {
                ("deployed", plan.of_deployment(place))
            } else {
                ("pushed", plan.pushes.clone())
            };
            let some = context.is_of_one_branch(index);
            let whose = if some { "" } else { ", from whatever branch" };
            let message = format!(
                "`{}` is {verb} without a tag, which means `latest`: whatever was built last{whose}",
                flow.shown()
            );
            let beside = || context.other_pushed_tags(flow).next().is_some();
            let severity = if some && !deploys {
                Severity::Note
            } else if flow.adopted || some || !deploys && beside() {
                Severity::Warning
            } else {
                Severity::Error
            };
            report.add(
                report
                    .draft(place.file.id, place.image.span, message)
                    .severity(severity)
                    .shared_fix(fix)
                    .alternative(plan.second.clone().filter(|_| !deploys)),
            );
        }
    }
}

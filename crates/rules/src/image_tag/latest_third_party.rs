//! Somebody else's image is used as `latest` or without a tag.
//!
//! ## What it does
//!
//! Notes images that this repository neither builds nor pushes, pulled, run or deployed as `latest`:
//! `docker pull`, `docker run`, sidecars and task definitions, the build images of a batch and of a Copilot
//! pipeline. Compose files are left alone: they are what developers run.
//!
//! ## Why it matters
//!
//! A build that worked yesterday can fail today although nobody changed anything. A branch tag would be
//! wrong here, since nobody pushes one: pin a version, or better a digest.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker run --rm public.ecr.aws/hashicorp/terraform:latest validate
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker run --rm public.ecr.aws/hashicorp/terraform:1.9 validate
//! ```
//!
//! ## Fix
//!
//! None: which version is right is yours to say.
//!
//! ## When to silence it
//!
//! For tools that only the build itself uses and that may change under it: a linter, a scanner with a
//! database of today.
//!
//! ## Sources
//!
//! - Kubernetes documentation, "Images": `latest` makes it hard to know what runs, and to go back.

use tagwright_flow::FileKind;
use tagwright_flow::tools::Role;
use tagwright_flow::facts::TagKind;

use crate::context::{Context, Report};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "latest-third-party",
    category: Category::ImageTag,
    default: Some(Severity::Note),
    fixable: Fixable::Never,
    docs: docs!("latest_third_party"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for flow in context.workspace.flows().iter().filter(|flow| !flow.own) {
        for place in context.places(flow) {
            let used = matches!(
                place.image.role,
                Role::Pull | Role::Run | Role::Deploy | Role::Record
            );
            // `<account>.dkr.ecr…` is a page of documentation before somebody fills it in.
            let placeholder = place.image.written.contains(['<', '>']);
            if !used || placeholder || place.file.kind == FileKind::Compose {
                continue;
            }
            for tag in place.image.tags.iter().filter(|tag| tag.kind.is_latest()) {
                let how = if tag.kind == TagKind::Implicit {
                    "without a tag, which means `latest`"
                } else {
                    "as `latest`"
                };
                let message = format!(
                    "`{}` is used {how}; nothing in this repository is known to push it, so pin a version or a digest",
                    flow.shown()
                );
                report.add(report.draft(place.file.id, place.image.span, message));
            }
        }
    }
}

//! A repository of one branch or environment lets its tags be moved.
//!
//! ## What it does
//!
//! Works only with `strategy = "repository-per-branch"` in `tagwright.toml`. Finds repositories in
//! CloudFormation and Terraform whose tags are mutable, which is the default. `IMMUTABLE` and
//! `IMMUTABLE_WITH_EXCLUSION` are right; a mode that a parameter decides is not judged.
//!
//! ## Why it matters
//!
//! The repository says which branch an image is of, so its tags are free to say which build it is. That holds
//! only if a tag cannot be pushed again with something else in it.
//!
//! ## Bad
//!
//! ```yaml repository.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Repository:
//!     Type: AWS::ECR::Repository
//!     Properties:
//!       RepositoryName: web-production
//! ```
//!
//! ## Good
//!
//! ```yaml repository.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Repository:
//!     Type: AWS::ECR::Repository
//!     Properties:
//!       RepositoryName: web-production
//!       ImageTagMutability: IMMUTABLE
//! ```
//!
//! ## Fix
//!
//! None: builds that push a tag twice would fail from then on.
//!
//! ## When to silence it
//!
//! Where a branch's tag is meant to move inside its own repository, and nothing is ever rolled back to an
//! older build of it.
//!
//! ## Sources
//!
//! - Amazon ECR user guide, "Preventing image tags from being overwritten in Amazon ECR".
//!   <https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html>

use crate::context::{Context, Report};
use crate::settings::Strategy;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "mutable-repository",
    category: Category::Isolation,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("mutable_repository"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    if context.settings.strategy != Strategy::RepositoryPerBranch {
        return;
    }
    for file in context.workspace.files() {
        for repository in &file.repositories {
            if repository.immutable || !repository.certain {
                continue;
            }
            let name = repository.name.as_deref().map_or_else(
                || "this repository".to_owned(),
                |name| format!("`{name}`"),
            );
            let message = format!(
                "the tags of {name} can be moved: a tag that a build has deployed may mean another image later. Declare it IMMUTABLE"
            );
            report.add(report.draft(file.id, repository.span, message));
        }
    }
}

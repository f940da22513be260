//! A branch tag is pushed to a repository that refuses to overwrite tags.
//!
//! ## What it does
//!
//! Finds tags made of the branch alone that are pushed to a repository which refuses to overwrite them, as
//! CloudFormation or Terraform in this workspace declares it: `IMMUTABLE`, `IMMUTABLE_WITH_EXCLUSION` unless a
//! filter is about the tag, and `MUTABLE_WITH_EXCLUSION` if one is. A filter of exactly `latest` frees no branch;
//! where a filter such as `feature-*` frees some branches only, the rule is silent.
//!
//! ## Why it matters
//!
//! The first build of a branch succeeds. The second one fails in its last step: "The image tag 'main'
//! already exists in the repository and cannot be overwritten because the repository is immutable."
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   variables:
//!     BRANCH_NAME: main
//! phases:
//!   build:
//!     commands:
//!       - BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's,refs/heads/,,' | tr / - | cut -c 1-80)
//!       - docker build -t $REGISTRY/web:$BRANCH_NAME .
//!       - docker push $REGISTRY/web:$BRANCH_NAME
//! ```
//!
//! ```yaml repository.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Repository:
//!     Type: AWS::ECR::Repository
//!     Properties:
//!       RepositoryName: web
//!       ImageTagMutability: IMMUTABLE
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   variables:
//!     BRANCH_NAME: main
//! phases:
//!   build:
//!     commands:
//!       - BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's,refs/heads/,,' | tr / - | cut -c 1-80)
//!       - docker build -t $REGISTRY/web:$BRANCH_NAME-${CODEBUILD_BUILD_ID##*:} .
//!       - docker push $REGISTRY/web:$BRANCH_NAME-${CODEBUILD_BUILD_ID##*:}
//! ```
//!
//! ```yaml repository.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Repository:
//!     Type: AWS::ECR::Repository
//!     Properties:
//!       RepositoryName: web
//!       ImageTagMutability: IMMUTABLE
//! ```
//!
//! ## Fix
//!
//! The tag gets the build's id behind it, in all places of the image at once. There is no fix where another build
//! deploys the image, or where the whole might exceed the 128 characters of a tag.
//!
//! ## When to silence it
//!
//! Where every branch is built once only, or the mutability that the template declares is overruled
//! elsewhere.
//!
//! ## Sources
//!
//! - Amazon ECR API, `PutImageTagMutability` and `ImageTagAlreadyExistsException`.
//! - aws/containers-roadmap issues 862 and 2380: even the same image is refused.

use tagwright_flow::facts::{FileFacts, RepositoryDeclaration};

use crate::context::{Context, Report, pushes};
use crate::plan::tag_choice::{Overwriting, declarations, is_named, overwriting, pattern};
use crate::unique::{key, make_unique};
use crate::variables::{Constancy, constancy};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "immutable-repository",
    category: Category::ImageTag,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("immutable_repository"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let mut files = context.workspace.files().iter();
    if files.all(|file| file.repositories.is_empty()) {
        return;
    }
    for (_, flow) in context.own_flows().filter(|(_, flow)| flow.pushed) {
        let Some((file, declaration)) = named(context, &flow.name) else {
            continue;
        };
        let found = context
            .places(flow)
            .filter(|place| pushes(place.image.role))
            .flat_map(|place| place.image.tags.iter().map(move |tag| (place, tag)))
            .find(|(place, tag)| {
                constancy(tag, context.settings, &place.image.loops) == Constancy::Branch
                    && overwriting(declaration, &pattern(tag)) == Overwriting::Refused
            });
        let Some((place, tag)) = found else { continue };
        let fix = match key(tag) {
            Some(key) => make_unique(context, flow, &key, None),
            None => continue,
        };
        let message = format!(
            "`{}` is immutable for this tag, so the second build of a branch cannot push it again",
            flow.shown()
        );
        report.add(
            report
                .draft(place.file.id, place.image.span, message)
                .related(file.id, declaration.span, "declared immutable here")
                .fix(fix),
        );
    }
}

/// The only declaration of the repository.
fn named<'a>(
    context: &Context<'a>,
    name: &str,
) -> Option<(&'a FileFacts, &'a RepositoryDeclaration)> {
    match declarations(context, name)[..] {
        [(file, declaration)] if is_named(declaration, name) => Some((file, declaration)),
        _ => None,
    }
}

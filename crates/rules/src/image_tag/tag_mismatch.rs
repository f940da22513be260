//! The tag that is deployed is never pushed.
//!
//! ## What it does
//!
//! Compares, within one buildspec, the tags that are pushed of an own image with the one that is written to
//! imagedefinitions.json or deployed. It speaks only where all of them are certain: text, or a variable of
//! CodeBuild's that cannot be that text; no loops, no conditions, no other scripts.
//!
//! ## Why it matters
//!
//! The deployment asks for an image that is not there, and its tasks fail to start; or it is there from an
//! earlier build, and the old image runs on.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION .
//!       - docker push $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION
//!       - printf '[{"name":"web","imageUri":"%s"}]' $REPOSITORY_URI:production > imagedefinitions.json
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
//!       - docker build -t $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION .
//!       - docker push $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION
//!       - printf '[{"name":"web","imageUri":"%s"}]' $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION > imagedefinitions.json
//! artifacts:
//!   files: imagedefinitions.json
//! ```
//!
//! ## Fix
//!
//! Where exactly one tag is pushed, and it is a variable, that is deployed.
//!
//! ## When to silence it
//!
//! Where another pipeline pushes the tag that is deployed here, and that pipeline is in no file of this
//! repository.
//!
//! ## Sources
//!
//! - CodePipeline user guide, "Image definitions file reference".

use std::collections::BTreeSet;

use tagwright_flow::FileId;
use tagwright_flow::tools::{Role, Tool};
use tagwright_flow::expression::{AtomKind, Origin};
use tagwright_flow::facts::{FileFacts, ImageUse, TagKind, TagValue};

use crate::context::{Context, Report, deploys, pushes};
use crate::unique::key;
use crate::variables::{replace, tag_site};
use crate::{Applicability, Category, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity, WordEffect};

pub(crate) static RULE: Rule = Rule {
    name: "tag-mismatch",
    category: Category::ImageTag,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("tag_mismatch"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for (_, flow) in context.own_flows().filter(|(_, flow)| flow.pushed) {
        let places: Vec<_> = context.places(flow).collect();
        let pushing: BTreeSet<FileId> = places
            .iter()
            .filter(|place| pushes(place.image.role))
            .map(|place| place.file.id)
            .collect();
        let Some(pushed) = pushed_tags(places.iter().map(|place| place.image)) else {
            continue;
        };
        for deployed in places.iter().filter(|place| deploys(place.image.role)) {
            let file = deployed.file;
            let elsewhere = pushing.iter().any(|id| *id != file.id);
            if file.buildspec.is_none() || !file.scripts.is_empty() || elsewhere {
                continue;
            }
            let Some((tag, what)) = certain(deployed.image) else {
                continue;
            };
            let differs = pushed.iter().all(|(other, kind)| {
                key(other) != key(tag)
                    && match (what, kind) {
                        (Known::Text, Known::Text) => true,
                        (Known::Text, Known::Build) | (Known::Build, Known::Text) => true,
                        (Known::Build, Known::Build) => false,
                    }
            });
            if pushed.is_empty() || !differs || key(tag).as_deref() == Some("latest") {
                continue;
            }
            let list = pushed
                .iter()
                .map(|(tag, _)| format!("`{}`", tag.written))
                .collect::<Vec<_>>()
                .join(", ");
            let message = format!(
                "`{}` is deployed, but this build pushes only {list} of `{}`",
                tag.written, flow.shown()
            );
            let fix = take(file, deployed.image, tag, &pushed);
            report.add(report.draft(file.id, deployed.image.span, message).fix(fix));
        }
    }
}

/// What is certain of a tag.
#[derive(Clone, Copy)]
enum Known {
    /// It is this text.
    Text,
    /// It is something that belongs to the build: a commit, a build number. Never a text that somebody
    /// wrote down, although perhaps equal to another such thing.
    Build,
}

fn certain(image: &ImageUse) -> Option<(&TagValue, Known)> {
    let [tag] = image.tags.as_slice() else {
        return None;
    };
    if image.conditional || image.after_failure || image.tolerated || !image.loops.is_empty() {
        return None;
    }
    let known = match &tag.kind {
        TagKind::Literal(text) if text.is_empty() || text.contains(['$', '<', '{', '%']) => None,
        // A value of env.variables can be overridden when the build is started.
        TagKind::Literal(_) if matches!(tag.origin, Origin::EnvVariables(_)) => None,
        TagKind::Literal(_) => Some(Known::Text),
        TagKind::Variable(expression) => expression
            .atoms
            .iter()
            .any(|atom| match &atom.kind {
                AtomKind::Literal(_) => false,
                AtomKind::Variable(name) => {
                    name.starts_with("CODEBUILD_RESOLVED") || name.starts_with("CODEBUILD_BUILD")
                }
                AtomKind::Computed(text) => is_of_the_build(text),
            })
            .then_some(Known::Build),
        TagKind::Implicit | TagKind::Digest | TagKind::Hidden | TagKind::All => None,
    }?;
    Some((tag, known))
}

/// Whether computed text surely holds something of the build's own.
fn is_of_the_build(text: &str) -> bool {
    [
        "CODEBUILD_RESOLVED_SOURCE_VERSION",
        "CODEBUILD_BUILD_",
        "git rev-parse --short",
        "git rev-parse HEAD",
        "date +",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}

/// The tags that the file pushes of the image; `None` if one of them is not certain.
fn pushed_tags<'a>(
    images: impl Iterator<Item = &'a ImageUse>,
) -> Option<Vec<(&'a TagValue, Known)>> {
    let mut tags: Vec<(&TagValue, Known)> = Vec::new();
    let mut seen = BTreeSet::new();
    for image in images {
        let retags = matches!(
            image.tool,
            Tool::Crane | Tool::Skopeo | Tool::AwsEcr | Tool::Buildah
        ) && image.role != Role::Pull;
        if retags {
            return None;
        }
        if pushes(image.role) {
            let (tag, known) = certain(image)?;
            if seen.insert(key(tag)) {
                tags.push((tag, known));
            }
        }
    }
    Some(tags)
}

/// Deploy the one variable that is pushed.
fn take(
    file: &FileFacts,
    image: &ImageUse,
    tag: &TagValue,
    pushed: &[(&TagValue, Known)],
) -> Result<Fix, Refusal> {
    let [(candidate, Known::Build)] = pushed else {
        return Err(Refusal::new(RefusalCode::YourDecision, "which of the pushed tags should be deployed is yours to say"));
    };
    if tag.origin != Origin::Written {
        return Err(Refusal::new(RefusalCode::SharedVariable, "what else reads the variable is not certain"));
    }
    let site = tag_site(image.site, tag).ok_or_else(|| Refusal::uncertain("the place of the tag is not certain"))?;
    let written = candidate.written.trim_matches('"');
    let next = file.character_at(site.source.end);
    let joins = next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '_');
    if joins && !written.ends_with('}') {
        return Err(Refusal::new(RefusalCode::UnsupportedForm, "the text behind the tag would become part of the variable's name"));
    }
    let change = replace(file, site, written, WordEffect::Within)?;
    Ok(Fix {
        message: format!("deploy `{written}`, the tag that this build pushes"),
        applicability: Applicability::Safe,
        changes: vec![change],
    })
}

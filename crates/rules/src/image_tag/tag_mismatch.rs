//! The tag that is deployed is never pushed.
//!
//! ## What it does
//!
//! Compares, within one buildspec, the tags that are pushed of an own image with the one that is written to
//! imagedefinitions.json or deployed. It speaks only where all of them are certain: text, a push without a tag
//! (which pushes `latest` and nothing else since Docker 20.10), or variables that hold different things, such as
//! a commit and a branch; no loops, no conditions, no other scripts. A variable of unknown value is a warning
//! where a build or `docker tag` gives the image that tag, and only other tags are pushed.
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
//! - Docker Engine 20.10 release notes: `docker push` without a tag pushes `latest`, no longer all tags.

use std::collections::BTreeSet;

use tagwright_flow::FileId;
use tagwright_flow::tools::{Role, Tool};
use tagwright_flow::expression::{AtomKind, Origin};
use tagwright_flow::facts::{FileFacts, ImageUse, TagKind, TagValue};

use crate::context::{Context, Place, Report, deploys, names, pushes};
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
    let branch = &*context.settings.branch_variable;
    for (_, flow) in context.own_flows().filter(|(_, flow)| flow.pushed) {
        let places: Vec<_> = context.places(flow).collect();
        let pushing: BTreeSet<FileId> = places
            .iter()
            .filter(|place| pushes(place.image.role))
            .map(|place| place.file.id)
            .collect();
        let Some(pushed) = pushed_tags(places.iter().map(|place| place.image), branch) else {
            continue;
        };
        for deployed in places.iter().filter(|place| deploys(place.image.role)) {
            let file = deployed.file;
            let elsewhere = pushing.iter().any(|id| *id != file.id);
            if file.buildspec.is_none() || !file.scripts.is_empty() || elsewhere {
                continue;
            }
            let tag = match certain(deployed.image, branch) {
                Some((tag, what)) => differs(tag, what, &pushed).then_some((tag, Severity::Error)),
                None => built_only(*deployed, &places, &pushed).map(|tag| (tag, Severity::Warning)),
            };
            let Some((tag, severity)) = tag else {
                continue;
            };
            let message = message(tag, &pushed, &flow.shown());
            let fix = take(file, deployed.image, tag, &pushed);
            report.add(
                report
                    .draft(file.id, deployed.image.span, message)
                    .severity(severity)
                    .fix(fix),
            );
        }
    }
}

fn message(tag: &TagValue, pushed: &[(&TagValue, Known)], image: &str) -> String {
    if let [(only, _)] = pushed
        && only.kind == TagKind::Implicit
    {
        return format!(
            "`{}` is deployed, but never pushed: `push` without a tag pushes only `latest` of `{image}`",
            tag.written
        );
    }
    let list = pushed
        .iter()
        .map(|(tag, _)| match tag.kind {
            TagKind::Implicit => "`latest`".to_owned(),
            _ => format!("`{}`", tag.written),
        })
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "`{}` is deployed, but never pushed: this build pushes only {list} of `{image}`",
        tag.written
    )
}

/// Whether `tag` is surely none of those that are pushed.
fn differs(tag: &TagValue, what: Known, pushed: &[(&TagValue, Known)]) -> bool {
    let same = |other: &TagValue| text_of(other).is_some() && text_of(other) == text_of(tag);
    !pushed.is_empty()
        && text_of(tag).as_deref() != Some(LATEST)
        && pushed.iter().all(|(other, kind)| {
            let apart = match (what, *kind) {
                (Known::Text, Known::Text) => true,
                // A branch may have any name, but for the one that no tag of a branch may have.
                (Known::Of(of), Known::Text) => {
                    of.is_of_one_build() || text_of(other).as_deref() == Some(LATEST)
                }
                (Known::Text, Known::Of(of)) => of.is_of_one_build(),
                (Known::Of(a), Known::Of(b)) => {
                    a != b && !a.contains(Content::OTHER) && !b.contains(Content::OTHER)
                }
            };
            apart && !same(other)
        })
}

const LATEST: &str = "latest";

/// [`key`], with the tag that is taken where none is written.
fn text_of(tag: &TagValue) -> Option<String> {
    match tag.kind {
        TagKind::Implicit => Some(LATEST.to_owned()),
        _ => key(tag),
    }
}

/// The tag of a deployment whose value is not known, if a build or `docker tag` of the same file gives the image
/// that tag and all that is pushed are texts or the branch: it is then at least not pushed under that name.
fn built_only<'a>(
    deployed: Place<'a>,
    places: &[Place<'a>],
    pushed: &[(&TagValue, Known)],
) -> Option<&'a TagValue> {
    let [tag] = deployed.image.tags.as_slice() else {
        return None;
    };
    let image = deployed.image;
    let plain = !image.conditional && image.loops.is_empty() && !image.after_failure;
    let wanted = key(tag)?;
    let named = places.iter().any(|place| {
        place.file.id == deployed.file.id
            && names(place.image.role)
            && !place.image.conditional
            && place.image.tags.iter().any(|it| key(it).as_ref() == Some(&wanted))
    });
    let others = pushed.iter().all(|(other, known)| {
        let plain = match known {
            Known::Text => true,
            Known::Of(of) => *of == Content::BRANCH,
        };
        plain && text_of(other).as_ref() != Some(&wanted)
    });
    let variable = matches!(tag.kind, TagKind::Variable(_)) && tag.written.contains('$');
    (plain && variable && named && !pushed.is_empty() && others).then_some(tag)
}

/// What is certain of a tag.
#[derive(Clone, Copy)]
enum Known {
    /// It is this text.
    Text,
    /// It holds these things, and perhaps text.
    Of(Content),
}

/// What the variables of a tag hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Content(u8);

impl Content {
    const NONE: Self = Self(0);
    const COMMIT: Self = Self(1);
    const BUILD: Self = Self(2);
    const NUMBER: Self = Self(4);
    const TIME: Self = Self(8);
    const BRANCH: Self = Self(16);
    const OTHER: Self = Self(32);

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn contains(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it belongs to the build: a commit, a build number. Never a text that somebody wrote down.
    fn is_of_one_build(self) -> bool {
        self.contains(Self(Self::COMMIT.0 | Self::BUILD.0 | Self::NUMBER.0 | Self::TIME.0))
    }

    /// What the variable holds, or what a computed text is made of.
    fn of(atom: &AtomKind, branch: &str) -> Self {
        let signs: [(&str, Self); 9] = [
            ("CODEBUILD_RESOLVED", Self::COMMIT),
            ("git rev-parse --short", Self::COMMIT),
            ("git rev-parse HEAD", Self::COMMIT),
            ("CODEBUILD_BUILD_NUMBER", Self::NUMBER),
            ("CODEBUILD_BUILD_", Self::BUILD),
            ("CODEBUILD_START_TIME", Self::TIME),
            ("date +", Self::TIME),
            ("CODEBUILD_WEBHOOK_HEAD_REF", Self::BRANCH),
            (branch, Self::BRANCH),
        ];
        let first = |holds: &dyn Fn(&str) -> bool| {
            signs.iter().find(|(sign, _)| holds(sign)).map(|(_, of)| *of)
        };
        match atom {
            AtomKind::Literal(_) => Some(Self::NONE),
            AtomKind::Variable(name) => first(&|sign| name.starts_with(sign)),
            AtomKind::Computed(text) => first(&|sign| text.contains(sign)),
        }
        .unwrap_or(Self::OTHER)
    }
}

fn certain<'a>(image: &'a ImageUse, branch: &str) -> Option<(&'a TagValue, Known)> {
    if image.conditional || image.after_failure || image.tolerated || !image.loops.is_empty() {
        return None;
    }
    // The branch variable has several values, of which all are branches.
    let first = image.tags.first()?;
    let name = first.written.trim_matches(['"', '$', '{', '}']);
    if name == branch && matches!(first.kind, TagKind::Variable(_)) {
        return Some((first, Known::Of(Content::BRANCH)));
    }
    let [tag] = image.tags.as_slice() else {
        return None;
    };
    let known = match &tag.kind {
        TagKind::Literal(text) if text.is_empty() || text.contains(['$', '<', '{', '%']) => None,
        // A value of env.variables can be overridden when the build is started.
        TagKind::Literal(_) if matches!(tag.origin, Origin::EnvVariables(_)) => None,
        TagKind::Literal(_) => Some(Known::Text),
        TagKind::Implicit if pushes(image.role) && image.tool == Tool::Docker => Some(Known::Text),
        TagKind::Variable(expression) => {
            let of = expression
                .atoms
                .iter()
                .map(|atom| Content::of(&atom.kind, branch))
                .fold(Content::NONE, Content::and);
            let known = of.is_of_one_build() || of == Content::BRANCH;
            known.then_some(Known::Of(of))
        }
        TagKind::Implicit | TagKind::Digest | TagKind::Hidden | TagKind::All => None,
    }?;
    Some((tag, known))
}

/// The tags that the file pushes of the image; `None` if one of them is not certain.
fn pushed_tags<'a>(
    images: impl Iterator<Item = &'a ImageUse>,
    branch: &str,
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
            let (tag, known) = certain(image, branch)?;
            if seen.insert(text_of(tag)) {
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
    let [(candidate, Known::Of(of))] = pushed else {
        return Err(Refusal::new(
            RefusalCode::YourDecision,
            "which of the pushed tags should be deployed is yours to say",
        ));
    };
    // A tag of another kind may be the one that is meant, and its push forgotten.
    if !matches!(tag.kind, TagKind::Literal(_)) || !of.is_of_one_build() {
        return Err(Refusal::new(
            RefusalCode::YourDecision,
            "whether this tag or another one should be pushed is yours to say",
        ));
    }
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

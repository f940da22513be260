//! The tag holds what a tag cannot hold.
//!
//! ## What it does
//!
//! Finds tags of own images and of `copilot … --tag` that docker refuses: text outside
//! `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`, `$CODEBUILD_BUILD_ID` (`project:id`), `$CODEBUILD_BUILD_ARN`, and
//! `$CODEBUILD_WEBHOOK_HEAD_REF` and `$CODEBUILD_WEBHOOK_TRIGGER` as they are (`refs/heads/main`, `branch/main`).
//!
//! ## Why it matters
//!
//! docker answers "invalid reference format" and the build ends. Copilot checks nothing and passes the tag
//! on to docker.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$CODEBUILD_BUILD_ID .
//!       - docker push $REPOSITORY_URI:$CODEBUILD_BUILD_ID
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:${CODEBUILD_BUILD_ID##*:} .
//!       - docker push $REPOSITORY_URI:${CODEBUILD_BUILD_ID##*:}
//! ```
//!
//! ## Fix
//!
//! The build's id without the project, or the branch variable in place of a ref, in all places of the file
//! at once. Text is yours to change.
//!
//! ## When to silence it
//!
//! No registry takes such a tag. Silence it only where the text is replaced before the command runs.
//!
//! ## Sources
//!
//! - distribution/reference `regexp.go`: a tag is `[\w][\w.-]{0,127}`.
//! - CodeBuild user guide, "Environment variables in build environments".

use std::collections::{BTreeMap, BTreeSet};

use tagwright_flow::expression::{Atom, AtomKind, Expansion, Site};
use tagwright_flow::facts::{FileFacts, Order, TagKind};
use tagwright_syntax::Span;

use crate::context::{Context, Report};
use crate::plan::define_branch;
use crate::unique::copy;
use crate::settings::Strategy;
use crate::variables::{assignment_at, is_sanitised, replace};
use crate::{Applicability, Category, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity, WordEffect};

pub(crate) static RULE: Rule = Rule {
    name: "invalid-tag",
    category: Category::ImageTag,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("invalid_tag"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let mut seen = BTreeSet::new();
    let mut fixes = BTreeMap::new();
    for (file, atom) in context.tag_atoms() {
        let Some((name, value)) = invalid_variable(atom) else {
            continue;
        };
        let Some(site) = atom.site else { continue };
        let through = assignment_at(file, site);
        if through.is_some_and(|assignment| is_sanitised(file, assignment))
            || !seen.insert((file.id, site.source.start))
        {
            continue;
        }
        let message = format!(
            "`{name}` is `{value}`: docker refuses it as a tag, which holds only letters, digits, `_`, `.` and `-`"
        );
        let (fix, made) = fixes
            .entry((file.id, name))
            .or_insert_with(|| (rewrite(context, file, name), 0));
        let fix = copy(fix, made);
        report.add(report.draft(file.id, site.source, message).fix(fix));
    }
    for (file, text, span) in literals(context) {
        if is_invalid(&text) && seen.insert((file.id, span.start)) {
            let message = format!(
                "`{text}` is no tag: docker takes up to 128 letters, digits, `_`, `.` and `-`, the first one no `.` or `-`"
            );
            let reason = "what the tag should be is yours to say";
            let fix = Err(Refusal::new(RefusalCode::YourDecision, reason));
            report.add(report.draft(file.id, span, message).fix(fix));
        }
    }
}

/// A variable of CodeBuild's that is no tag, and what it looks like.
fn invalid_variable(atom: &Atom) -> Option<(&'static str, &'static str)> {
    let AtomKind::Variable(name) = &atom.kind else {
        return None;
    };
    // With an operator the name would be longer.
    Some(match &**name {
        "CODEBUILD_BUILD_ID" => ("CODEBUILD_BUILD_ID", "project:id"),
        "CODEBUILD_BUILD_ARN" => ("CODEBUILD_BUILD_ARN", "arn:aws:codebuild:…"),
        "CODEBUILD_WEBHOOK_HEAD_REF" => ("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/…"),
        "CODEBUILD_WEBHOOK_TRIGGER" => ("CODEBUILD_WEBHOOK_TRIGGER", "branch/…"),
        _ => return None,
    })
}

/// Rewrites every place of the file where the variable is or becomes a tag.
fn rewrite(context: &Context<'_>, file: &FileFacts, name: &str) -> Result<Fix, Refusal> {
    let branch = name.starts_with("CODEBUILD_WEBHOOK");
    let tag = match name {
        "CODEBUILD_BUILD_ID" => "${CODEBUILD_BUILD_ID##*:}".to_owned(),
        _ if branch => context.settings.branch_reference(),
        _ => return Err(Refusal::new(RefusalCode::YourDecision, "which part of it should be the tag is yours to say")),
    };
    if branch && context.settings.strategy == Strategy::RepositoryPerBranch {
        return Err(Refusal::new(RefusalCode::Strategy, "with the strategy repository-per-branch the branch belongs into the repository's name"));
    }
    let mut changes = Vec::new();
    let mut places = BTreeSet::new();
    let mut inner = false;
    for (other, atom) in context.tag_atoms() {
        if other.id != file.id || invalid_variable(atom).is_none_or(|(found, _)| found != name) {
            continue;
        }
        let site: Site = atom.site.ok_or_else(|| Refusal::uncertain("one of its places is not certain"))?;
        if branch && assignment_at(file, site).is_some() {
            // The derivation would have to stand before an assignment whose other readers want the ref.
            return Err(Refusal::new(RefusalCode::SharedVariable, "what else reads the variable it is assigned to is not certain"));
        }
        inner |= site.expansion == Expansion::InnerShell;
        if places.insert(site.source) {
            changes.push(replace(file, site, &tag, WordEffect::Within)?);
        }
    }
    if branch {
        let order = file
            .reads
            .iter()
            .find(|read| &*read.name == name)
            .map_or(Order::default(), |read| read.order);
        changes.extend(define_branch(context, file, order, inner)?.change);
    }
    Ok(Fix {
        message: format!("tag with `{tag}`"),
        applicability: Applicability::Safe,
        changes,
    })
}

/// Tags that are text only, with their places.
fn literals<'a>(context: &Context<'a>) -> impl Iterator<Item = (&'a FileFacts, String, Span)> {
    let images = context.tagged_images().flat_map(|(file, image)| {
        image.tags.iter().filter_map(move |tag| match &tag.kind {
            TagKind::Literal(text) => {
                let span = tag.site.map_or(image.span, |site| site.source);
                Some((file, text.to_string(), span))
            }
            _ => None,
        })
    });
    let flags = context
        .workspace
        .files()
        .iter()
        .flat_map(|file| file.copilot.iter().map(move |call| (file, call)))
        .filter_map(|(file, call)| Some((file, call.flag("tag")?)))
        .flat_map(|(file, flag)| {
            let span = flag.value_site.map_or(flag.span, |site| site.source);
            flag.values
                .iter()
                .filter_map(move |value| Some((file, value.as_literal()?, span)))
        });
    images.chain(flags)
}

/// Whether docker refuses the tag. Text with anything that a template, a placeholder or a pattern is made
/// of is not judged.
fn is_invalid(text: &str) -> bool {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_.-/+@~ ".contains(&b));
    let valid = text.len() <= 128
        && !text.starts_with(['.', '-'])
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    plain && !valid && !text.is_empty()
}

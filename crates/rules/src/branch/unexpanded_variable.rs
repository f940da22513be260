//! What looks like a variable stays text, because nothing expands it there.
//!
//! ## What it does
//!
//! Finds `${…}` in the values of `env.variables`, the branch variable inside the shell's single quotes, any
//! variable in a reference that stands in single quotes or in a here-document with a quoted delimiter,
//! `$NAME` and `${NAME:-x}` in the image fields of Copilot manifests, and `${…}` in a Copilot pipeline
//! manifest. Scripts for another program (`sh -c '…'`, `awk`, `jq`, `envsubst`) and templates are left alone.
//! A value of `env.variables` that no command reads is a warning only.
//!
//! ## Why it matters
//!
//! The text arrives as it is: a repository is called `${ACCOUNT}…`, a tag `${BRANCH_NAME}`, and docker or
//! the deployment refuses it, in the last step of the build.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's,refs/heads/,,' | tr / -)
//!   build:
//!     commands:
//!       - echo '{"branch":"${BRANCH_NAME}"}' > build.json
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's,refs/heads/,,' | tr / -)
//!   build:
//!     commands:
//!       - echo '{"branch":"'"${BRANCH_NAME}"'"}' > build.json
//! ```
//!
//! ## Fix
//!
//! Single quotes are closed around the variable. Elsewhere there is no fix: a value of `env.variables` has
//! to move into a command, and Copilot replaces plain `${NAME}` only.
//!
//! ## When to silence it
//!
//! Where the literal text is wanted: another program expands it later, as `envsubst` or a template engine
//! does.
//!
//! ## Sources
//!
//! - POSIX shell command language, section 2.2.2 "Single-Quotes".
//! - awsdocs/aws-codebuild-user-guide issue 55: `env.variables` does not expand.
//! - aws/copilot-cli `internal/pkg/manifest/interpolate.go` (v1.33); issue 4531 for pipeline manifests.

use std::collections::BTreeSet;

use tagwright_flow::FileKind;
use tagwright_flow::tools::{Role, Tool};
use tagwright_flow::expression::{Expansion, Reason, Site, plain_name};
use tagwright_flow::facts::{AssignmentPlace, FileFacts, ImageUse, Oddity, OddityKind, TagKind};
use tagwright_syntax::Span;

use crate::context::{Context, Report};
use crate::{Applicability, Category, Change, ChangeKind, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity, WordEffect, refusal};

pub(crate) static RULE: Rule = Rule {
    name: "unexpanded-variable",
    category: Category::Branch,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("unexpanded_variable"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let rendered: Vec<&FileFacts> = context
        .workspace
        .files()
        .iter()
        .filter(|file| !file.rendered.is_empty())
        .collect();
    for file in context.workspace.files() {
        let mut seen = BTreeSet::new();
        let quoted = |image: &ImageUse| {
            image.site.is_some_and(|site| is_quoted(site.expansion)) && image.written.contains('$')
        };
        let candidates = !file.oddities.is_empty() || file.uses.iter().any(quoted);
        if candidates && !expanded_later(&rendered, file) {
            for oddity in &file.oddities {
                if let OddityKind::Unexpanded(reason) = oddity.kind
                    && seen.insert(oddity.span)
                {
                    written_down(file, oddity, reason, report);
                }
            }
            for image in &file.uses {
                quoted_reference(file, image, &mut seen, report);
            }
        }
        match file.kind {
            FileKind::CopilotWorkload => {
                for image in &file.uses {
                    manifest(file, image, report);
                }
            }
            FileKind::CopilotPipeline => {
                for image in file.uses.iter().filter(|u| u.written.contains("${")) {
                    let message = format!(
                        "`{}` is taken as it is: Copilot expands nothing in a pipeline manifest",
                        image.written
                    );
                    let reason = "only fixed text is possible in a pipeline manifest";
                    report.add(
                        report
                            .draft(file.id, image.span, message)
                            .fix(Err(Refusal::new(RefusalCode::NotExpanded, reason))),
                    );
                }
            }
            _ => {}
        }
    }
}

/// Whether somebody else may expand the file's text: `eval` and `envsubst` in its commands, or a template
/// language before CodeBuild sees it.
fn expanded_later(rendered: &[&FileFacts], file: &FileFacts) -> bool {
    let Some(spec) = &file.buildspec else {
        return false;
    };
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    spec.template.is_some()
        || rendered
            .iter()
            .any(|other| other.rendered.iter().any(|it| **it == *name))
        || file.habits().expands
        // The escaped sign of a template.
        || file.may_hold("$${") && file.live_texts().iter().any(|it| it.contains("$${"))
}

fn written_down(file: &FileFacts, oddity: &Oddity, reason: &'static str, report: &mut Report<'_>) {
    let written = file.get(oddity.span).unwrap_or("");
    let entry = file
        .assignments
        .iter()
        .find(|a| a.place == AssignmentPlace::EnvVariables && a.span.contains(oddity.span));
    // Names in lower case are another tool's: a template's parameters.
    if oddity.name.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return;
    }
    let message = format!("`{written}` stays as it is, because {reason}");
    let mut draft = report.draft(file.id, oddity.span, message);
    if let Some(entry) = entry {
        let read = file.reads.iter().find(|read| read.name == entry.name);
        match read {
            Some(read) => {
                let text = format!("{} is read here", entry.name);
                draft = draft.related(file.id, read.span, text);
            }
            None => draft = draft.severity(Severity::Warning),
        }
    }
    let fix = match oddity.site {
        Some(site) => close_quotes(file, site),
        None => Err(Refusal::uncertain("its place is not certain")),
    };
    report.add(draft.fix(fix));
}

/// Whether quotes keep the shell from expanding what stands there.
fn is_quoted(expansion: Expansion) -> bool {
    matches!(
        expansion,
        Expansion::SingleQuoted | Expansion::Never(Reason::QuotedDocument)
    )
}

/// A reference whose text, as it arrives, holds a dollar sign.
fn quoted_reference(
    file: &FileFacts,
    image: &ImageUse,
    seen: &mut BTreeSet<Span>,
    report: &mut Report<'_>,
) {
    let written = &*image.written;
    let reaches = matches!(image.role, Role::Record | Role::Deploy | Role::Push);
    let Some(site) = image.site else { return };
    let quoted = is_quoted(site.expansion);
    let literal = image
        .tags
        .iter()
        .any(|tag| matches!(&tag.kind, TagKind::Literal(text) if text.contains('$')));
    if !reaches || !quoted || !literal || image.tool == Tool::Sed || file.buildspec.is_none() {
        return;
    }
    let Some(at) = written.rfind("${") else {
        return;
    };
    let Some(length) = written[at..].find('}') else {
        return;
    };
    let span = site.slice(at, at + length + 1);
    if plain_name(&written[at + 2..]).len() + 2 != length || !seen.insert(span.source) {
        return;
    }
    let message = format!(
        "`{}` stays as it is, because the shell expands nothing in {}",
        &written[at..=at + length],
        if site.expansion == Expansion::SingleQuoted {
            "single quotes"
        } else {
            "a here-document whose delimiter is quoted"
        }
    );
    let fix = close_quotes(file, span);
    report.add(report.draft(file.id, span.source, message).fix(fix));
}

fn close_quotes(file: &FileFacts, site: Site) -> Result<Fix, Refusal> {
    let written = file
        .get(site.source)
        .ok_or_else(|| Refusal::uncertain("its place is not certain"))?;
    match site.expansion {
        Expansion::SingleQuoted if !site.inside_quotes => Ok(Fix {
            message: "close the single quotes around the variable".to_owned(),
            applicability: Applicability::Safe,
            changes: vec![Change {
                file: file.id,
                node: site.node,
                kind: ChangeKind::Replace {
                    range: site.range,
                    text: format!("'\"{written}\"'"),
                    words: WordEffect::Within,
                },
            }],
        }),
        Expansion::Never(reason) if reason.as_str().contains("env.variables") => {
            Err(Refusal::new(RefusalCode::YourDecision, "the value has to be set by a command, which is yours to place"))
        }
        Expansion::Never(reason) => Err(refusal::not_expanded(reason)),
        _ => Err(Refusal::uncertain("the quotes around it are not certain")),
    }
}

/// `$NAME` and `${NAME:-x}` in an image field of a workload manifest.
fn manifest(file: &FileFacts, image: &ImageUse, report: &mut Report<'_>) {
    let written = &*image.written;
    for (at, _) in written.match_indices('$') {
        let rest = &written[at + 1..];
        let inner = rest.strip_prefix('{');
        let name = plain_name(inner.unwrap_or(rest));
        let escaped = written[..at].ends_with('\\');
        let plain = inner.is_some_and(|inner| inner[name.len()..].starts_with('}'));
        if name.is_empty() || plain || escaped {
            continue;
        }
        let message = format!(
            "`{written}` is taken as it is from `${}` on: Copilot replaces only plain `${{{name}}}` in a manifest",
            if inner.is_some() { "{" } else { name }
        );
        let reason = "what the build should export for it is yours to say";
        report.add(
            report
                .draft(file.id, image.span, message)
                .fix(Err(Refusal::new(RefusalCode::YourDecision, reason))),
        );
        return;
    }
}

//! What looks like a variable stays text, because nothing expands it there.
//!
//! ## What it does
//!
//! Finds `${…}`, and `$NAME` of a known variable, in the values of `env.variables`, the branch variable inside the shell's single quotes, any
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
use tagwright_flow::facts::{AssignmentPlace, FileFacts, ImageUse, Oddity, OddityKind};
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
    for file in context.workspace.files() {
        let mut seen = BTreeSet::new();
        let candidates = !file.oddities.is_empty();
        if candidates && !expanded_later(context, file) {
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
fn expanded_later(context: &Context<'_>, file: &FileFacts) -> bool {
    let Some(spec) = &file.buildspec else {
        return false;
    };
    spec.template.is_some()
        || file.habits().expands
        // The escaped sign of a template.
        || file.may_hold("$${") && file.live_texts().iter().any(|it| it.contains("$${"))
        || context.template_calls(file.id).next().is_some()
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
    // Without braces it may be part of a password.
    let known = || {
        ["AWS_", "CODEBUILD_"].iter().any(|start| oddity.name.starts_with(start))
            || file.assigned(&oddity.name).next().is_some()
    };
    if !written.starts_with("${") && !known() {
        return;
    }
    let message = format!("`{written}` is not expanded: {reason}");
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

/// A reference whose text, as it arrives, holds a dollar sign: one finding, whose fix sees to all its variables.
fn quoted_reference(
    file: &FileFacts,
    image: &ImageUse,
    seen: &mut BTreeSet<Span>,
    report: &mut Report<'_>,
) {
    let looked_at = matches!(
        image.role,
        Role::Argument | Role::Cache | Role::Pull | Role::Run
    );
    if looked_at || image.tool == Tool::Sed {
        return;
    }
    let quoted = file.oddities.iter().filter(|oddity| {
        oddity.kind == OddityKind::Quoted
            && oddity.order == image.order
            && image.span.contains(oddity.span)
    });
    let fresh: Vec<&Oddity> = quoted.filter(|oddity| seen.insert(oddity.span)).collect();
    let Some(first) = fresh.first() else {
        return;
    };
    let written = file.slice(first.span);
    let in_document = first.site.is_some_and(|site| {
        site.expansion == Expansion::Never(Reason::QuotedDocument)
    });
    let message = format!(
        "`{written}` is not expanded: the shell expands nothing in {}",
        if in_document {
            "a here-document whose delimiter is quoted"
        } else {
            "single quotes"
        }
    );
    let close = |oddity: &&Oddity| match oddity.site {
        Some(site) => close_quotes(file, site),
        None => Err(Refusal::uncertain(
            "the place of the variable in the file is not certain",
        )),
    };
    let fixes: Result<Vec<Fix>, Refusal> = fresh.iter().map(close).collect();
    let fix = fixes.map(|fixes| Fix {
        message: match fixes.len() {
            1 => "close the single quotes around the variable",
            _ => "close the single quotes around the variables",
        }
        .to_owned(),
        applicability: Applicability::Safe,
        changes: fixes.into_iter().flat_map(|fix| fix.changes).collect(),
    });
    report.add(report.draft(file.id, first.span, message).fix(fix));
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

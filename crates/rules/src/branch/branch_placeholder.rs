//! A placeholder out of documentation stands where the branch should be.
//!
//! ## What it does
//!
//! Finds `$<BRANCH_NAME>`, `<BRANCH_NAME>` and `{{BRANCH_NAME}}` in commands and in the image fields of
//! Copilot manifests. Files that are templates of another tool, and commands such as `sed` that fill a
//! template in, are left alone.
//!
//! ## Why it matters
//!
//! Nothing fills it in. The shell reads `<` as "take the input from this file" and fails because there is
//! no such file; in quotes the placeholder becomes part of the tag, which docker refuses.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - echo "Building {{BRANCH_NAME}}"
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
//!       - echo "Building ${BRANCH_NAME}"
//! ```
//!
//! ## Fix
//!
//! `${BRANCH_NAME}`, and the command that sets it where the file has none.
//!
//! ## When to silence it
//!
//! Where a program replaces the placeholder before CodeBuild or Copilot reads the file.
//!
//! ## Sources
//!
//! - POSIX shell command language, section 2.7 "Redirection".

use tagwright_flow::FileKind;
use tagwright_flow::expression::{Expansion, Site};
use tagwright_flow::facts::{FileFacts, Oddity, OddityKind};

use tagwright_syntax::Span;
use tagwright_syntax::shell::{self, Status};

use crate::context::{Context, Report};
use crate::plan::define_branch;
use crate::variables::{item_text, replace};
use crate::{Applicability, Category, Change, ChangeKind, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity, WordEffect, refusal};

pub(crate) static RULE: Rule = Rule {
    name: "branch-placeholder",
    category: Category::Branch,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("branch_placeholder"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for file in context.workspace.files() {
        for oddity in &file.oddities {
            let template = file
                .buildspec
                .as_ref()
                .is_some_and(|spec| spec.template.is_some());
            if oddity.kind != OddityKind::Placeholder || template {
                continue;
            }
            let written = file.get(oddity.span).unwrap_or("");
            let message = format!(
                "`{written}` is a placeholder that nothing fills in: write `${{{}}}`",
                oddity.name
            );
            let fix = fill_in(context, file, oddity);
            report.add(report.draft(file.id, oddity.span, message).fix(fix));
        }
        if file.kind == FileKind::CopilotWorkload {
            manifest(context, file, report);
        }
    }
}

fn fill_in(context: &Context<'_>, file: &FileFacts, oddity: &Oddity) -> Result<Fix, Refusal> {
    let site = oddity.site.ok_or_else(|| Refusal::uncertain("its place is not certain"))?;
    let reference = context.settings.branch_reference();
    let inner = site.expansion == Expansion::InnerShell;
    let definition = define_branch(context, file, oddity.order, inner)?;
    let mut changes = vec![match whole_item(file, site, &reference) {
        None => replace(file, site, &reference, WordEffect::Within)?,
        Some(change) => change?,
    }];
    changes.extend(definition.change);
    Ok(Fix {
        message: format!("write `{reference}`"),
        applicability: Applicability::Safe,
        changes,
    })
}

/// An unquoted `<NAME>` is a redirection to the shell, or not even that, and no part of a word until it is
/// filled in. Then the item is written anew, all of its placeholders at once; `None` where that is not
/// necessary.
fn whole_item(file: &FileFacts, site: Site, reference: &str) -> Option<Result<Change, Refusal>> {
    let text = item_text(file, site.node)?;
    let mut ranges: Vec<Span> = file
        .oddities
        .iter()
        .filter(|oddity| oddity.kind == OddityKind::Placeholder)
        .filter_map(|oddity| oddity.site)
        .filter(|other| other.node == site.node)
        .map(|other| other.range)
        .collect();
    ranges.sort();
    let script = shell::parsed(&text);
    let redirects = script.commands.iter().any(|command| {
        command
            .redirects
            .iter()
            .filter_map(|redirect| redirect.target.as_ref())
            .any(|target| ranges.iter().any(|range| range.overlaps(target.span)))
    });
    if script.status == Status::Clean && !redirects {
        return None;
    }
    match site.expansion {
        Expansion::Shell => {}
        // That is what the placeholder does to the command.
        Expansion::Never(reason) if reason.as_str().contains("repair") => {}
        Expansion::Never(reason) => return Some(Err(refusal::not_expanded(reason))),
        _ => return Some(Err(Refusal::new(RefusalCode::Quoted, "it stands in quotes"))),
    }
    let mut filled = text.to_string();
    for range in ranges.iter().rev() {
        if filled.get(range.range()).is_none() {
            return Some(Err(Refusal::uncertain("its place is not certain")));
        }
        filled.replace_range(range.range(), reference);
    }
    if shell::parsed(&filled).status != Status::Clean {
        return Some(Err(Refusal::uncertain("the command cannot be read as shell")));
    }
    Some(Ok(Change {
        file: file.id,
        node: site.node,
        kind: ChangeKind::Replace {
            range: Span::new(0, text.len()),
            text: filled,
            words: WordEffect::Commands,
        },
    }))
}

/// Copilot reads `<NAME>` and `{{NAME}}` in an image field as they are.
fn manifest(context: &Context<'_>, file: &FileFacts, report: &mut Report<'_>) {
    let name = &*context.settings.branch_variable;
    let forms = [
        format!("$<{name}>"),
        format!("<{name}>"),
        format!("{{{{{name}}}}}"),
    ];
    for image in &file.uses {
        let Some(form) = forms
            .iter()
            .find(|form| image.written.contains(form.as_str()))
        else {
            continue;
        };
        let message = format!(
            "`{form}` is a placeholder that nothing fills in: Copilot replaces only `${{{name}}}`, from the exported environment"
        );
        let reason = "the build that runs Copilot has to export the variable, too";
        let fix = Err(Refusal::new(RefusalCode::BranchUnknown, reason));
        report.add(report.draft(file.id, image.span, message).fix(fix));
    }
}

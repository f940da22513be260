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
//! ## Sources
//!
//! - POSIX shell command language, section 2.7 "Redirection".

use tagwright_flow::FileKind;
use tagwright_flow::expression::Expansion;
use tagwright_flow::facts::{FileFacts, Oddity, OddityKind};

use crate::context::{Context, Report};
use crate::plan::define_branch;
use crate::variables::replace;
use crate::{Applicability, Category, Fix, Fixable, Rule, Severity, WordEffect};

pub(crate) static RULE: Rule = Rule {
    name: "branch-placeholder",
    category: Category::Branch,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("branch_placeholder"),
    check,
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
            let written = file.text.get(oddity.span.range()).unwrap_or("");
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

fn fill_in(context: &Context<'_>, file: &FileFacts, oddity: &Oddity) -> Result<Fix, String> {
    let site = oddity.site.ok_or("its place is not certain")?;
    let reference = context.settings.branch_reference();
    let inner = site.expansion == Expansion::InnerShell;
    let definition = define_branch(context.settings, file, oddity.order, inner)?;
    // An unquoted `<NAME>` is a redirection to the shell, and no word until it is replaced.
    let mut changes = vec![replace(file, site, &reference, WordEffect::Within)?];
    changes.extend(definition.change);
    Ok(Fix {
        message: format!("write `{reference}`"),
        applicability: Applicability::Safe,
        changes,
    })
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
        let fix = Err(reason.to_owned());
        report.add(report.draft(file.id, image.span, message).fix(fix));
    }
}

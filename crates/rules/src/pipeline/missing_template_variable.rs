//! A file that Terraform reads as a template uses a variable that Terraform does not pass to it.
//!
//! ## What it does
//!
//! Finds `${NAME}` in a file that `templatefile`, `templatestring` or the data source `template_file` reads, where
//! the map that is passed has no such key. It speaks only where the path and the keys of the map are written out.
//!
//! ## Why it matters
//!
//! Terraform expands the file before CodeBuild sees it, comments included. It does not know the variables of the
//! shell: `terraform plan` stops with "vars map does not contain key".
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - echo "build ${CODEBUILD_BUILD_NUMBER} in ${region}"
//! ```
//!
//! ```hcl build.tf
//! resource "aws_codebuild_project" "web" {
//!   source {
//!     type      = "CODEPIPELINE"
//!     buildspec = templatefile("${path.module}/buildspec.yml", { region = var.region })
//!   }
//! }
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - echo "build $CODEBUILD_BUILD_NUMBER in ${region}"
//! ```
//!
//! ```hcl build.tf
//! resource "aws_codebuild_project" "web" {
//!   source {
//!     type      = "CODEPIPELINE"
//!     buildspec = templatefile("${path.module}/buildspec.yml", { region = var.region })
//!   }
//! }
//! ```
//!
//! ## Fix
//!
//! None: write `$NAME` or `$${NAME}` for a variable of the shell, or add the key to the map.
//!
//! ## When to silence it
//!
//! Where a value that Terraform gets in another way has the key.
//!
//! ## Sources
//!
//! - Terraform language documentation, functions `templatefile` and `templatestring`, and "Strings and Templates".

use std::collections::BTreeSet;

use tagwright_flow::expression::plain_name;
use tagwright_syntax::Span;

use crate::context::{Context, Report};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "missing-template-variable",
    category: Category::Pipeline,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("missing_template_variable"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for id in context.templates().keys() {
        let file = context.workspace.file(*id);
        // A loop of the template has variables of its own.
        if file.text.contains("%{") {
            continue;
        }
        let mut seen = BTreeSet::new();
        for call in context.template_calls(*id) {
            if !call.template.is_certain() {
                continue;
            }
            let Some(known) = &call.template.variables else {
                continue;
            };
            for (name, span) in names(&file.text) {
                if known.iter().any(|it| **it == *name) || !seen.insert(name) {
                    continue;
                }
                let message = format!(
                    "`{}` does not pass `{name}` to this template, so `terraform plan` fails; write `${name}` or `$${{{name}}}` for a shell variable",
                    call.file.path
                );
                report.add(report.draft(*id, span, message).related(
                    call.file.id,
                    call.template.span,
                    "the template is read here",
                ));
            }
        }
    }
}

/// The names of the plain expressions `${NAME}` in a template, also where the shell's operators follow the name,
/// which Terraform does not know.
fn names(text: &str) -> impl Iterator<Item = (&str, Span)> {
    text.match_indices("${").filter_map(|(at, _)| {
        if text[..at].ends_with('$') {
            return None;
        }
        let inner = &text[at + 2..];
        let inner = inner.strip_prefix('~').unwrap_or(inner).trim_start();
        let name = plain_name(inner);
        let rest = inner[name.len()..].trim_start_matches([' ', '~']);
        let ends = rest.starts_with(['}', ':', '#', '%', '.', '[']) || rest.starts_with("//");
        let length = text[at..].find('}')? + 1;
        (!name.is_empty() && ends).then(|| (name, Span::new(at, at + length)))
    })
}

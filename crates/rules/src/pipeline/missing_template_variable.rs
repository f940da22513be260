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
        let given = context.template_calls(*id).filter_map(|call| {
            let certain = call.template.expanded && call.template.is_certain();
            let known = call.template.variables.as_ref().filter(|_| certain)?;
            Some((call, known))
        });
        let mut given = given.peekable();
        if given.peek().is_none() {
            continue;
        }
        // A loop of the template has variables of its own.
        let Some(names) = context.workspace.file(*id).placeholders() else {
            continue;
        };
        let mut seen = BTreeSet::new();
        for (call, known) in given {
            for (name, span) in &names {
                if known.iter().any(|it| **it == **name) || !seen.insert(name) {
                    continue;
                }
                let message = format!(
                    "`{}` does not pass `{name}` to this template, so `terraform plan` fails; write `${name}` or `$${{{name}}}` for a shell variable",
                    call.file.path
                );
                report.add(report.draft(*id, *span, message).related(
                    call.file.id,
                    call.template.span,
                    "the template is read here",
                ));
            }
        }
    }
}

//! A Copilot manifest uses a variable that the build sets but does not export.
//!
//! ## What it does
//!
//! Looks for `${NAME}` in the manifests of services, jobs and environments where the buildspec that runs
//! Copilot assigns `NAME` before, and nothing exports it.
//!
//! ## Why it matters
//!
//! A variable that is not exported stays in the shell. Copilot does not see it and stops at `environment
//! variable "NAME" is not defined`.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - RELEASE_ID=$CODEBUILD_BUILD_NUMBER
//!       - copilot svc deploy --name web --env test --force --tag "test-$CODEBUILD_BUILD_NUMBER"
//! ```
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   build: Dockerfile
//! variables:
//!   RELEASE: ${RELEASE_ID}
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - RELEASE_ID=$CODEBUILD_BUILD_NUMBER
//!       - export RELEASE_ID
//!       - copilot svc deploy --name web --env test --force --tag "test-$CODEBUILD_BUILD_NUMBER"
//! ```
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   build: Dockerfile
//! variables:
//!   RELEASE: ${RELEASE_ID}
//! ```
//!
//! ## Fix
//!
//! `export NAME` as a command of its own behind the assignment, so that a failure of the latter still ends
//! the build; none if the assignment and Copilot share one command.
//!
//! ## When to silence it
//!
//! Where a script that is sourced before exports the variable, or `set -a` is on.
//!
//! ## Sources
//!
//! - aws/copilot-cli `internal/pkg/manifest/interpolate.go` (v1.33): `os.LookupEnv`.

use tagwright_flow::facts::{AssignmentFact, AssignmentPlace, FileFacts, ShellKind};
use tagwright_syntax::buildspec::Version;

use crate::context::{Context, Report};
use crate::copilot::undefined_manifest_variable::{manifests, variables};
use crate::variables::is_provided;
use crate::{Applicability, Category, Change, ChangeKind, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "unexported-variable",
    category: Category::Copilot,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("unexported_variable"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for (manifest, runner) in manifests(context) {
        for (name, place) in variables(manifest) {
            let call = &runner.copilot[0];
            let assignment = runner.assignments.iter().rev().find(|assignment| {
                *assignment.name == *name
                    && assignment.place == AssignmentPlace::Command
                    && assignment.order < call.order
            });
            let Some(assignment) = assignment else {
                continue;
            };
            if is_provided(context, &name) || is_exported(context, &name) {
                continue;
            }
            let message = format!(
                "`{name}` is not exported, so Copilot does not see it and stops where the manifest uses it"
            );
            let fix = export(runner, assignment, call.order.item);
            report.add(
                report
                    .draft(runner.id, assignment.span, message)
                    .related(manifest.id, place, "used here")
                    .fix(fix),
            );
        }
    }
}

/// Whether some buildspec exports the variable, or may: by a file that it reads, by `set -a`, or by setting
/// it for one command only.
fn is_exported(context: &Context<'_>, name: &str) -> bool {
    context.workspace.files().iter().any(|file| {
        let Some(spec) = &file.buildspec else {
            return false;
        };
        let habits = file.habits();
        habits.sets_unknown
            || habits.exports_all
            || habits.exported.contains(name)
            || habits.prefixed.contains(name)
            || spec.shell != ShellKind::Posix
            || file
                .assignments
                .iter()
                .any(|assignment| *assignment.name == *name && assignment.exported)
    })
}

/// `export NAME` behind the item of the assignment, which must come before that of the call.
fn export(runner: &FileFacts, assignment: &AssignmentFact, call: u32) -> Result<Fix, Refusal> {
    let spec = runner.buildspec.as_ref().ok_or_else(|| Refusal::new(RefusalCode::NoPlace, "it is no buildspec"))?;
    if let Some(template) = spec.template {
        return Err(Refusal::new(RefusalCode::Template, template));
    }
    if spec.inline || spec.version != Version::V0_2 {
        return Err(Refusal::new(
            RefusalCode::NoPlace,
            "a command can only be added to a buildspec of version 0.2 in a file of its own",
        ));
    }
    let item = assignment.order.item;
    if item == call {
        return Err(Refusal::new(RefusalCode::UnsupportedForm, "it is set in the command that runs Copilot"));
    }
    let list = spec
        .lists
        .iter()
        .find(|list| (list.items.0..list.items.1).contains(&item))
        .filter(|list| list.is_list)
        .ok_or_else(|| Refusal::new(RefusalCode::NoPlace, "the commands are not a list"))?;
    let index = list.index(item) + 1;
    Ok(Fix {
        message: format!("export `{}`", assignment.name),
        applicability: Applicability::Safe,
        changes: vec![Change {
            file: runner.id,
            node: list.node,
            kind: ChangeKind::InsertItem {
                index,
                value: format!("export {}", assignment.name).into(),
            },
        }],
    })
}

//! `env.variables` names one branch for all builds.
//!
//! ## What it does
//!
//! Finds the branch variable in `env.variables` of a buildspec that builds or deploys your images, with the
//! name of a branch as its value, where no command of the file and no project or pipeline of the workspace
//! sets it. Placeholders that name no branch (`""`) are left alone, and so is a variable that commands read for
//! other purposes, such as `git clone -b`.
//!
//! ## Why it matters
//!
//! The value holds for every build that does not override it, whatever branch it builds. As a tag it is a
//! constant: a build of `feature/x` overwrites the image of `main`.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   variables:
//!     BRANCH_NAME: main
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$BRANCH_NAME .
//!       - docker push $REPOSITORY_URI:$BRANCH_NAME
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
//!       - docker build -t $REPOSITORY_URI:$BRANCH_NAME .
//!       - docker push $REPOSITORY_URI:$BRANCH_NAME
//! ```
//!
//! ## Fix
//!
//! None: whether the constant is a default for builds that are started by hand is for the owner to say. As long
//! as it is there, no fix builds on the variable.
//!
//! ## When to silence it
//!
//! Where whoever starts a build always passes the variable.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference", `env/variables`, and "Environment variables in build
//!   environments": the order of precedence is the start of the build, the project, the buildspec.

use std::collections::HashSet;

use tagwright_flow::FileId;
use tagwright_flow::facts::AssignmentPlace;

use crate::context::{Context, Report};
use crate::branch_variable::constant_in_env;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "constant-branch",
    category: Category::Branch,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("constant_branch"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let variable = &*context.settings.branch_variable;
    if context.settings.branch_defined {
        return;
    }
    let own = context.own_flows().flat_map(|(_, flow)| &flow.uses);
    let own: HashSet<FileId> = own.map(|id| id.file).collect();
    for file in context.workspace.files() {
        if file.buildspec.is_none() || !own.contains(&file.id) && file.copilot.is_empty() {
            continue;
        }
        let Some(entry) = constant_in_env(context.workspace, file, variable) else {
            continue;
        };
        let set = file
            .assignments
            .iter()
            .any(|a| *a.name == *variable && a.place == AssignmentPlace::Command);
        // Literal text is never expanded there, which is another rule's.
        if set
            || entry.place != AssignmentPlace::EnvVariables
            || entry.value.contains('$')
            || context.may_redefine(file, variable, 0).is_err()
        {
            continue;
        }
        let message = format!(
            "{variable} is `{}` in every build that does not override it, so every branch overwrites the same tag",
            entry.value
        );
        report.add(report.draft(file.id, entry.span, message));
    }
}

//! A tag uses the branch variable, and nothing sets it.
//!
//! ## What it does
//!
//! Finds `${BRANCH_NAME}` (or the configured variable) in the tag of an own image, on `copilot … --tag` and
//! in the image fields of Copilot manifests, where no command and no `env` entry of the file, no CodeBuild
//! project, no pipeline and no configuration of the workspace sets it. Uses with a fallback or an error
//! message of their own (`${BRANCH_NAME:?}`) are left alone, and where a pipeline of the workspace runs the
//! build, `branch-not-passed` speaks instead.
//!
//! ## Why it matters
//!
//! Neither CodeBuild nor CodePipeline nor a Copilot pipeline defines such a variable. It expands to
//! nothing: docker refuses `repository:` as an invalid reference, and `--tag ${BRANCH_NAME} --force` takes
//! `--force` for the tag.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:${BRANCH_NAME} .
//!       - docker push $REPOSITORY_URI:${BRANCH_NAME}
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
//!       - docker build -t $REPOSITORY_URI:${BRANCH_NAME} .
//!       - docker push $REPOSITORY_URI:${BRANCH_NAME}
//! ```
//!
//! ## Fix
//!
//! The command that sets the variable is inserted before its first use. It takes the branch from what
//! CodeBuild and Copilot's pipeline know, makes a tag of it, and ends the build where there is none.
//!
//! ## When to silence it
//!
//! Where the build project or whoever starts the build sets the variable. Better: `defined = true` below
//! `[branch]` in `tagwright.toml`, which says so for all files.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Environment variables in build environments".
//! - aws/copilot-cli `internal/pkg/template/templates/cicd/pipeline_cfn.yml` (v1.33): a pipeline's build
//!   gets `AWS_ACCOUNT_ID` and `PARTITION` only.

use tagwright_flow::FileKind;
use tagwright_flow::expression::{AtomKind, Expansion, plain_name};
use tagwright_flow::facts::FileFacts;

use crate::context::{Context, Report};
use crate::pipeline::branch_not_passed;
use crate::plan::define_branch;
use crate::variables::{expression, is_guarded, is_provided, may_be_assigned};
use crate::{Applicability, Category, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "undefined-branch",
    category: Category::Branch,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("undefined_branch"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let variable = &*context.settings.branch_variable;
    if is_provided(context, variable) {
        return;
    }
    // Where a pipeline runs the build, there is nothing that a command could take the branch from.
    let mut seen = branch_not_passed::spoken_of(context);
    for (file, atom) in context.tag_atoms() {
        let AtomKind::Variable(name) = &atom.kind else {
            continue;
        };
        let Some(site) = atom.site else { continue };
        if plain_name(name) != variable
            || file.buildspec.is_none()
            || is_guarded(file, atom)
            || !seen.insert(file.id)
            || may_be_assigned(file, variable)
            || file
                .reads
                .iter()
                .any(|read| &*read.name == variable && read.guarded)
        {
            continue;
        }
        let message = format!(
            "nothing sets {variable}, and CodeBuild does not define it: the tag is empty here, which docker refuses"
        );
        let inner = site.expansion == Expansion::InnerShell;
        let fix = define(context, file, inner);
        report.add(report.draft(file.id, site.source, message).fix(fix));
    }
    manifests(context, report);
}

fn define(context: &Context<'_>, file: &FileFacts, inner: bool) -> Result<Fix, Refusal> {
    let variable = &context.settings.branch_variable;
    let first = file
        .reads
        .iter()
        .find(|read| *read.name == **variable)
        .ok_or_else(|| Refusal::uncertain("the first use is not certain"))?;
    let definition = define_branch(context, file, first.order, inner)?;
    let change = definition.change.ok_or_else(|| Refusal::new(RefusalCode::NothingToChange, "the file sets it already"))?;
    Ok(Fix {
        message: format!("set {variable} from what the build knows of its branch"),
        applicability: Applicability::Safe,
        changes: vec![change],
    })
}

/// A manifest's variable has to be in the environment of the build that runs Copilot. Where no build here
/// runs it, who does is not known.
fn manifests(context: &Context<'_>, report: &mut Report<'_>) {
    let variable = &*context.settings.branch_variable;
    let mut builds = context
        .workspace
        .files()
        .iter()
        .filter(|file| file.buildspec.is_some() && !file.copilot.is_empty())
        .peekable();
    if builds.peek().is_none() || builds.any(|file| may_be_assigned(file, variable)) {
        return;
    }
    for file in context.workspace.files() {
        if file.kind != FileKind::CopilotWorkload {
            continue;
        }
        for image in &file.uses {
            let used = image
                .tags
                .iter()
                .filter_map(expression)
                .flat_map(|tag| &tag.atoms)
                .find(|atom| matches!(&atom.kind, AtomKind::Variable(name) if &**name == variable));
            let Some(atom) = used else { continue };
            let span = atom.site.map_or(image.span, |site| site.source);
            let message = format!(
                "no build that runs Copilot here exports {variable}: Copilot stops at a manifest with a variable that is not defined"
            );
            let reason = "which of the builds deploys this workload is not certain";
            report.add(
                report
                    .draft(file.id, span, message)
                    .fix(Err(Refusal::uncertain(reason))),
            );
        }
    }
}

//! Copilot builds and deploys an image without being told its tag.
//!
//! ## What it does
//!
//! Finds `copilot deploy`, `svc deploy`, `job deploy`, `svc package --upload-assets`,
//! `job package --upload-assets`, `init --deploy` and `task run` without `--tag`, where the manifest says
//! that Copilot builds the image from a Dockerfile. A workload whose `image.location` is given ignores the
//! flag, a static site has no image, and `--diff` deploys nothing: these are silent.
//!
//! ## Why it matters
//!
//! What happens without the flag depends on the state of the checkout. In a clean Git tree the tag is
//! `git describe`, shared by all environments built from one commit; otherwise the image has a digest and no
//! name that a person can read, and `copilot task run` runs `latest`.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - copilot svc deploy --name web --env test
//! ```
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   build: Dockerfile
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
//!       - copilot svc deploy --tag "${BRANCH_NAME}" --force --name web --env test
//! ```
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   build: Dockerfile
//! ```
//!
//! ## Fix
//!
//! `--tag` is inserted with the branch tag. A second deployment of the same branch would change nothing
//! for CloudFormation and be skipped, so `--force` goes with it where the subcommand has it, and
//! `package`, which has none, gets a tag that is new for every build. In a loop over environments the
//! environment becomes part of the tag.
//!
//! ## When to silence it
//!
//! Where one environment is deployed from one clone with a `.git` folder, and the tag that Copilot makes
//! from the commit is the one that is wanted.
//!
//! ## Sources
//!
//! - aws/copilot-cli v1.33: `internal/pkg/cli/git.go`, `internal/pkg/cli/deploy/workload.go`,
//!   `internal/pkg/cli/task_run.go`; issues 2540, 2927, 5028.

use tagwright_flow::expression::{Expansion, Site};
use tagwright_flow::facts::{CopilotUse, FileFacts, WorkloadFacts};

use tagwright_grammar::copilot::UPLOADS_ASSETS;
use crate::script::pinned_releases;
use crate::context::{Context, Report};
use crate::environment;
use crate::plan::define_branch_for_command;
use crate::{Applicability, Category, Change, ChangeKind, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity, WordEffect, refusal};

pub(crate) static RULE: Rule = Rule {
    name: "missing-tag-flag",
    category: Category::ImageTag,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("missing_tag_flag"),
    check: Check::Workspace(check),
};

/// Subcommands that push an image under `--tag`.
/// Source: aws/copilot-cli `internal/pkg/cli` at v1.33.
fn takes_tag(call: &CopilotUse) -> bool {
    match &*call.subcommand {
        "deploy" | "svc deploy" | "job deploy" => call.flag("diff").is_none(),
        "svc package" | "job package" => {
            call.flag("upload-assets").is_some() && call.flag("diff").is_none()
        }
        "init" => call.flag("deploy").is_some() && call.flag("image").is_none(),
        "task run" => call.flag("image").is_none() && call.flag("generate-cmd").is_none(),
        _ => false,
    }
}

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let workloads = context.workloads();
    for file in context.workspace.files() {
        for call in file.copilot.iter().filter(|call| takes_tag(call)) {
            let given = call.flag("tag").is_some_and(|flag| {
                flag.values
                    .iter()
                    .all(|value| value.as_literal().is_none_or(|text| !text.is_empty()))
            });
            if given {
                continue;
            }
            let run = &*call.subcommand == "task run";
            let deployed = deployed_workloads(call, &workloads);
            if !run && !deployed.iter().any(|workload| workload.builds) {
                continue;
            }
            let own_builds = deployed
                .iter()
                .any(|workload| workload.builds_per_environment);
            let message = if run {
                "`copilot task run` without `--tag` runs `latest`, which a build of another branch may replace before the task starts".to_owned()
            } else if own_builds && call.over_environments {
                format!(
                    "`copilot {}` without `--tag` gives the images of all environments one tag, although the manifest builds them differently: the last one wins",
                    call.subcommand
                )
            } else if old_release(file) && call.subcommand.ends_with("package") {
                format!(
                    "before Copilot 1.16 `copilot {}` without `--tag` deploys `latest`",
                    call.subcommand
                )
            } else {
                format!(
                    "`copilot {}` without `--tag`: the image is tagged from the state of the Git checkout, or not at all, so the tag does not identify the branch",
                    call.subcommand
                )
            };
            let fix = insert_tag(context, file, call);
            report.add(report.draft(file.id, call.span, message).fix(fix));
        }
    }
}

/// The workloads that the call deploys, as far as the manifests tell: the one it names, else all of the
/// subcommand's kind.
pub(crate) fn deployed_workloads<'a>(
    call: &CopilotUse,
    workloads: &[&'a WorkloadFacts],
) -> Vec<&'a WorkloadFacts> {
    let name = call
        .flag("name")
        .and_then(|flag| flag.values.first())
        .and_then(tagwright_flow::expression::Expression::as_literal);
    let jobs = call.subcommand.starts_with("job");
    let services = call.subcommand.starts_with("svc");
    workloads
        .iter()
        .copied()
        .filter(|workload| match &name {
            Some(name) => workload.name.as_ref() == name.split('/').next().unwrap_or(name),
            None => !(jobs && !workload.kind.is_job() || services && workload.kind.is_job()),
        })
        .collect()
}

/// A Copilot release before 1.16 in the address that the file downloads it from.
fn old_release(file: &FileFacts) -> bool {
    pinned_releases(file)
        .iter()
        .any(|(_, release)| *release < UPLOADS_ASSETS)
}

/// The tag for a call: new for every build where the same text would deploy nothing.
pub(crate) fn tag_for(context: &Context<'_>, call: &CopilotUse) -> String {
    let settings = context.settings;
    let mut tag = if call.subcommand.ends_with("package") {
        settings.unique_tag()
    } else {
        settings.tag_template.clone()
    };
    if call.over_environments
        && let Some(name) = call
            .loops
            .iter()
            .find(|name| name.to_ascii_lowercase().contains("env"))
    {
        tag.push_str(&format!("-${{{name}}}"));
    }
    tag
}

fn insert_tag(context: &Context<'_>, file: &FileFacts, call: &CopilotUse) -> Result<Fix, Refusal> {
    let settings = context.settings;
    environment::copilot_tag(settings)?;
    if call.flag("tag").is_some() {
        return Err(Refusal::new(RefusalCode::UnsupportedForm, "the command already has a `--tag`, with an empty value"));
    }
    let site: Site = call
        .after_subcommand
        .ok_or_else(|| Refusal::uncertain("the place behind the subcommand is not certain"))?;
    let inner = match site.expansion {
        Expansion::Shell => false,
        Expansion::InnerShell => true,
        Expansion::Never(reason) => return Err(refusal::not_expanded(reason)),
        Expansion::SingleQuoted | Expansion::CopilotManifest => {
            return Err(Refusal::new(RefusalCode::Quoted, "the command stands in quotes"));
        }
    };
    let tag = tag_for(context, call);
    // A sanitised tag holds nothing that splits; quotes are for the reader, and for a variable that a
    // later edit leaves empty.
    let mut text = if site.inside_quotes {
        format!(" --tag {tag}")
    } else {
        format!(" --tag \"{tag}\"")
    };
    let mut words = 2;
    let forces = matches!(&*call.subcommand, "deploy" | "svc deploy");
    if forces && call.flag("force").is_none() && settings.is_branch_only() {
        text.push_str(" --force");
        words += 1;
    }
    let definition = define_branch_for_command(context, file, call.order, inner, &tag)?;
    let mut changes = vec![Change {
        file: file.id,
        node: site.node,
        kind: ChangeKind::Replace {
            range: site.range,
            text: text.clone(),
            words: WordEffect::Inserts(words),
        },
    }];
    changes.extend(definition);
    Ok(Fix {
        message: format!("add `{}`", text.trim_start()),
        applicability: Applicability::Safe,
        changes,
    })
}

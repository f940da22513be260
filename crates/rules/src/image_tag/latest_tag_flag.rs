//! Copilot is told to deploy `latest`.
//!
//! ## What it does
//!
//! Finds `--tag latest` on `copilot deploy`, `svc deploy`, `svc package`, `job deploy`, `job package`,
//! `init` and `task run`.
//!
//! ## Why it matters
//!
//! It is the one way to get `latest` into the task definition of a current Copilot. The repository is
//! shared by all environments, so a job or a new deployment starts whatever was pushed last.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - copilot job deploy --name report --env test --tag latest
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
//!       - copilot job deploy --name report --env test --tag ${BRANCH_NAME}
//! ```
//!
//! ## Fix
//!
//! The value becomes the branch tag, for `package` one that is new for every build.
//!
//! ## When to silence it
//!
//! There is hardly a reason: Copilot pushes `latest` without being asked. For a throw-away environment it
//! does no harm.
//!
//! ## Sources
//!
//! - aws/copilot-cli `internal/pkg/cli/deploy/workload.go` (v1.33): the tag is used as given.


use tagwright_flow::expression::Site;
use tagwright_flow::facts::LatestAt;
use crate::context::{Context, Report};
use crate::image_tag::missing_tag_flag::tag_for;
use crate::environment;
use crate::plan::define_branch_for_command;
use crate::{Applicability, Category, Change, ChangeKind, Check, Fix, Fixable, Refusal, Rule, Severity, WordEffect, refusal};

pub(crate) static RULE: Rule = Rule {
    name: "latest-tag-flag",
    category: Category::ImageTag,
    default: Some(Severity::Error),
    fixable: Fixable::Sometimes,
    docs: docs!("latest_tag_flag"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for file in context.workspace.files() {
        for call in &file.copilot {
            let Some(flag) = call.flag("tag") else {
                continue;
            };
            let latest = flag.value.as_ref().is_some_and(|value| {
                // A fallback counts where it is written at the flag itself.
                let here = |whole: Site| value.site.is_some_and(|it| whole.source.contains(it.source));
                match value.latest_at() {
                    Some(LatestAt::Written) => true,
                    Some(LatestAt::Fallback) => flag.value_site.is_some_and(here),
                    _ => false,
                }
            });
            if !latest {
                continue;
            }
            let span = flag.value_site.map_or(flag.span, |site| site.source);
            let fix = (|| {
                environment::copilot_tag(context.settings)?;
                let site = flag
                    .value_site
                    .ok_or_else(|| Refusal::uncertain("the place of the value is not certain"))?;
                let tag = tag_for(context, call);
                let definition = define_branch_for_command(
                    context,
                    file,
                    call.order,
                    site.expansion == tagwright_flow::expression::Expansion::InnerShell,
                    &tag,
                )?;
                if let tagwright_flow::expression::Expansion::Never(reason) = site.expansion {
                    return Err(refusal::not_expanded(reason));
                }
                let mut changes = vec![Change {
                    file: file.id,
                    node: site.node,
                    kind: ChangeKind::Replace {
                        range: site.range,
                        text: tag.clone(),
                        words: WordEffect::Within,
                    },
                }];
                changes.extend(definition);
                Ok(Fix {
                    message: format!("deploy `{tag}` instead of `latest`"),
                    applicability: Applicability::Safe,
                    changes,
                })
            })();
            let message = format!(
                "`copilot {} --tag latest` deploys whatever was pushed last, from whatever branch or environment",
                call.subcommand
            );
            report.add(report.draft(file.id, span, message).fix(fix));
        }
    }
}

//! Several environments share one tag, although their images differ.
//!
//! ## What it does
//!
//! Finds `copilot deploy`, `svc deploy`, `svc package` and their job forms in a loop over environments with a
//! `--tag` that does not depend on the environment, where a manifest of the workspace builds the image in
//! another way for some environment.
//!
//! ## Why it matters
//!
//! A service has one repository for all of its environments. The last build of the loop overwrites the tag,
//! and the next task that starts in production runs the image that was built for another environment.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - for env in test prod; do copilot svc deploy --name web --env $env --tag $IMAGE_TAG; done
//! ```
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   build: Dockerfile
//! environments:
//!   prod:
//!     image:
//!       build:
//!         args:
//!           MODE: production
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - for env in test prod; do copilot svc deploy --name web --env $env --tag $IMAGE_TAG-${env}; done
//! ```
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   build: Dockerfile
//! environments:
//!   prod:
//!     image:
//!       build:
//!         args:
//!           MODE: production
//! ```
//!
//! ## Fix
//!
//! The environment is appended to the tag.
//!
//! ## When to silence it
//!
//! Where the image is the same for all environments: no build argument, no stage of the Dockerfile and no
//! file in it differs.
//!
//! ## Sources
//!
//! - aws/copilot-cli issues 2540, 2927 and 5028.

use std::collections::HashSet;

use tagwright_flow::expression::{AtomKind, Expression, plain_name};
use tagwright_flow::facts::FileFacts;
use tagwright_syntax::SmolStr;

use crate::context::{Context, Report};
use crate::image_tag::missing_tag_flag::deployed_workloads;
use crate::shell_text::{names_in};
use crate::variables::{behind, may_be_assigned, replace};
use crate::{Applicability, Category, Check, Fix, Fixable, Refusal, Rule, Severity, WordEffect};

pub(crate) static RULE: Rule = Rule {
    name: "shared-tag",
    category: Category::ImageTag,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("shared_tag"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let workloads = context.workloads();
    for file in context.workspace.files() {
        for call in file.copilot.iter().filter(|call| call.over_environments) {
            let tags_images = match &*call.subcommand {
                "deploy" | "svc deploy" | "job deploy" => true,
                "svc package" | "job package" => call.flag("upload-assets").is_some(),
                _ => false,
            };
            let own_builds = deployed_workloads(call, &workloads)
                .iter()
                .any(|workload| workload.builds_per_environment);
            let Some(flag) = call.flag("tag") else {
                continue;
            };
            let Some(environment) = call
                .loops
                .iter()
                .find(|name| name.to_ascii_lowercase().contains("env"))
            else {
                continue;
            };
            let shared = !flag.values.is_empty()
                && !flag.values.iter().any(|value| {
                    value.as_literal().is_some_and(|text| text.is_empty())
                        || depends_on(file, value, &call.loops)
                });
            if !tags_images || !own_builds || !shared {
                continue;
            }
            let span = flag.value_site.map_or(flag.span, |site| site.source);
            let message = format!(
                "all environments of the loop get one tag, although the manifest builds their images differently: the last one wins, unless the tag holds `${environment}`"
            );
            let fix = match flag.value_site {
                Some(site) => {
                    let text = format!("-${{{environment}}}");
                    replace(file, behind(site), &text, WordEffect::Within).map(|change| Fix {
                        message: format!("append `{text}`"),
                        applicability: Applicability::Safe,
                        changes: vec![change],
                    })
                }
                None => Err(Refusal::uncertain("the place of the tag is not certain")),
            };
            report.add(report.draft(file.id, span, message).fix(fix));
        }
    }
}

/// Whether the value may depend on a variable of the loops, directly or through assignments of the file.
fn depends_on(file: &FileFacts, value: &Expression, loops: &[SmolStr]) -> bool {
    let mut names: Vec<&str> = Vec::new();
    let mut known: HashSet<&str> = HashSet::new();
    for atom in &value.atoms {
        match &atom.kind {
            AtomKind::Literal(_) => {}
            AtomKind::Variable(name) => names.push(plain_name(name)),
            AtomKind::Computed(text) => names.extend(names_in(text)),
        }
    }
    let mut at = 0;
    while let Some(name) = names.get(at).copied() {
        at += 1;
        if loops.iter().any(|looped| **looped == *name) {
            return true;
        }
        // A sourced script may set it from anything.
        let assigned = file.assigned(name).next().is_some();
        if !assigned && may_be_assigned(file, name) {
            return true;
        }
        for assignment in file.assigned(name) {
            for next in names_in(&assignment.value) {
                if known.insert(next) {
                    names.push(next);
                }
            }
        }
    }
    false
}

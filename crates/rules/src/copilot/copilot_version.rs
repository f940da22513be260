//! The release of Copilot that a build downloads loses the image of a workload of this workspace.
//!
//! ## What it does
//!
//! Finds a release from 1.27.0 to 1.32.0 in the address that a buildspec downloads Copilot from, where a
//! manifest of the workspace has `image.location` for the main container and a sidecar that Copilot builds.
//!
//! ## Why it matters
//!
//! As soon as such a release has pushed the sidecar, it forgets the main container's location and deploys
//! the image `:latest`, without a repository: ECS cannot pull it. Release 1.32.1 put that right.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   install:
//!     commands:
//!       - wget -q https://ecs-cli-v2-release.s3.amazonaws.com/copilot-linux-v1.31.0 -O copilot-linux
//!       - chmod +x ./copilot-linux
//!   build:
//!     commands:
//!       - ./copilot-linux svc deploy --name web --env test --tag "build-$CODEBUILD_BUILD_NUMBER"
//! ```
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   location: nginx:1.27
//! sidecars:
//!   logs:
//!     image:
//!       build: logs/Dockerfile
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   install:
//!     commands:
//!       - wget -q https://ecs-cli-v2-release.s3.amazonaws.com/copilot-linux-v1.34.1 -O copilot-linux
//!       - chmod +x ./copilot-linux
//!   build:
//!     commands:
//!       - ./copilot-linux svc deploy --name web --env test --tag "build-$CODEBUILD_BUILD_NUMBER"
//! ```
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   location: nginx:1.27
//! sidecars:
//!   logs:
//!     image:
//!       build: logs/Dockerfile
//! ```
//!
//! ## Fix
//!
//! None. Releases from 1.32.1 on are right; what else changed between the two is for people to read.
//!
//! ## When to silence it
//!
//! Where the build never deploys the workload that has such a manifest.
//!
//! ## Sources
//!
//! - aws/copilot-cli pull requests 4547 (in 1.27.0) and 5555 (in 1.32.1), issue 5501.

use crate::context::{Context, Report};
use tagwright_grammar::copilot::LOSES_LOCATION;
use crate::script::pinned_releases;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "copilot-version",
    category: Category::Copilot,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("copilot_version"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let workloads = context.workloads();
    let Some(workload) = workloads.iter().find(|it| it.builds_only_sidecars) else {
        return;
    };
    let files = context.workspace.files();
    for file in files.iter().filter(|file| !file.copilot.is_empty()) {
        for (span, release) in pinned_releases(file) {
            if !LOSES_LOCATION.contains(&release) {
                continue;
            }
            let message = format!(
                "Copilot {} loses `image.location` of `{}`, because a sidecar beside it is built, and deploys \
                 the image `:latest` without a repository; 1.32.1 and later do not",
                file.slice(span),
                workload.name
            );
            report.add(report.draft(file.id, span, message));
        }
    }
}

//! A runtime that the build's image does not have.
//!
//! ## What it does
//!
//! Compares the names below `runtime-versions` with those of the image, where the project or the pipeline that runs the
//! buildspec is in the same repository and names an image of CodeBuild's own. Versions are left alone: images install
//! those that they do not have.
//!
//! ## Why it matters
//!
//! CodeBuild stops with "Unknown runtime named 'docker'. This build image has the following runtimes: dotnet, golang,
//! java, nodejs, php, python, ruby". `docker` was a runtime of early images and is one on ARM; `rust` came with Ubuntu 8.0,
//! Amazon Linux 6.0 and ARM 3.0.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   install:
//!     runtime-versions:
//!       rust: 1.93
//!   build:
//!     commands:
//!       - cargo build --release
//! ```
//!
//! ```yaml project.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Web:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Environment:
//!         Type: LINUX_CONTAINER
//!         Image: aws/codebuild/standard:7.0
//!       Source:
//!         Type: GITHUB
//!         Location: https://github.com/example/web.git
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   install:
//!     runtime-versions:
//!       rust: 1.93
//!   build:
//!     commands:
//!       - cargo build --release
//! ```
//!
//! ```yaml project.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Web:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Environment:
//!         Type: LINUX_CONTAINER
//!         Image: aws/codebuild/standard:8.0
//!       Source:
//!         Type: GITHUB
//!         Location: https://github.com/example/web.git
//! ```
//!
//! ## Fix
//!
//! None: the line goes, or the image changes.
//!
//! ## When to silence it
//!
//! Where every build is started with another image than the one that the project names, and for a runtime that the image
//! has got since the table was read.
//!
//! ## Sources
//!
//! - aws/aws-codebuild-docker-images, `runtimes.yml` of the images, as of April 2026.

use tagwright_flow::FileKind;
use tagwright_grammar::{images, runtimes};

use crate::context::{Context, Document, Report};
use crate::delivery::Runs;
use crate::outline;
use crate::{Category, Check, Finding, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "runtime-not-in-image",
    category: Category::Structure,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("runtime_not_in_image"),
    check: Check::Weighed(check, weigh),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    for (key, name, _) in outline::runtime_versions(document) {
        if runtimes::runtime(name).is_some() {
            let span = document.tree.node(key).span;
            report.add(report.draft(document.facts.id, span, name.to_owned()));
        }
    }
}

/// Keeps what no image has that runs the buildspec. The message so far is the name of the runtime.
fn weigh(context: &Context<'_>, findings: Vec<Finding>) -> Vec<Finding> {
    let runs = Runs::new(context);
    let weighed = findings.into_iter().filter_map(|mut finding| {
        let (file, span) = (finding.file, finding.span);
        // Which image a pipeline of Copilot has is not written, but due to the release that made it.
        let mut holders = runs.at(file, span).map(|(holder, _)| holder.kind);
        if holders.any(|it| it == FileKind::CopilotPipeline) {
            return None;
        }
        let offered = runs.agree(file, span, images::runtimes)?;
        let name = finding.message.clone();
        if offered.contains(&&*name) {
            return None;
        }
        let advice = match &*name {
            "docker" => "The image has Docker without it: remove the line",
            _ => "Take an image that has it",
        };
        finding.message = format!(
            "CodeBuild will stop with \"Unknown runtime named '{name}'\": the build's image has {} (as of {}). {advice}",
            offered.join(", "),
            images::AS_OF
        );
        finding.related.extend(runs.told(file, span, "runs it in this image"));
        Some(finding)
    });
    weighed.collect()
}

//! `timeout -t` is an option of busybox only.
//!
//! ## What it does
//!
//! Finds `timeout -t SECONDS`. Where the image is not one of CodeBuild's own, it says nothing; where the image is not
//! known, a note.
//!
//! ## Why it matters
//!
//! GNU `timeout`, which is in all managed images, has no `-t` and stops with status 125. The command behind it does not
//! run, and the phase fails.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   install:
//!     commands:
//!       - timeout -t 15 sh -c "until docker info; do sleep 1; done"
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
//!         PrivilegedMode: true
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
//!     commands:
//!       - timeout 15 sh -c "until docker info; do sleep 1; done"
//! ```
//!
//! ## Fix
//!
//! None. Remove the `-t`.
//!
//! ## When to silence it
//!
//! Where the image is Alpine with an old busybox.
//!
//! ## Sources
//!
//! - GNU coreutils manual, "timeout: Run a command with a time limit"; tried with coreutils 9.1.
//! - CodeBuild API reference, "ProjectEnvironment", `privilegedMode`: with `-t` for Alpine only.

use crate::context::{Context, Document, Report};
use crate::delivery::Runs;
use crate::script::{items, word_is};
use tagwright_grammar::images;
use crate::{Category, Check, Finding, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "busybox-timeout",
    category: Category::Shell,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("busybox_timeout"),
    check: Check::Weighed(check, weigh),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let text = document.text();
    // Alpine's package manager: then so is the image.
    if !text.contains("timeout -t") || text.contains("apk ") {
        return;
    }
    for item in items(document, |text| text.contains("timeout -t")) {
        for command in &item.script.commands {
            if command.program().is_none_or(|name| name != "timeout")
                || !word_is(command, 1, "-t")
                || command.context.tolerated
            {
                continue;
            }
            let span = command.words[0].span.cover(command.words[1].span);
            let message = "`timeout` of the managed images has no option `-t`: it stops with status 125, and the command \
                           does not run. Remove the `-t`";
            report.add(report.draft(document.facts.id, item.span(document, span), message));
        }
    }
}

/// Drops what runs in other images, and lowers what runs nowhere that is known.
fn weigh(context: &Context<'_>, findings: Vec<Finding>) -> Vec<Finding> {
    let runs = Runs::new(context);
    let weighed = findings.into_iter().filter_map(|mut finding| {
        let (file, span) = (finding.file, finding.span);
        if runs.at(file, span).next().is_none() {
            finding.severity = Severity::Note;
        } else {
            runs.agree(file, span, |image| images::system(image).map(|_| ()))?;
        }
        Some(finding)
    });
    weighed.collect()
}

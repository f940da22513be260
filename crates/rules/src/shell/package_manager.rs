//! The package manager of another system is called.
//!
//! ## What it does
//!
//! Finds `apt-get` and `apt` in builds whose image is Amazon Linux, `yum`, `dnf` and `amazon-linux-extras` in
//! those whose image is Ubuntu, and `apk` in both. It needs the project or the pipeline that runs the buildspec in the
//! same repository, with an image of CodeBuild's own. A command that runs only under a condition is left alone.
//!
//! ## Why it matters
//!
//! There is no such program: the command ends with status 127, and the phase fails.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   install:
//!     commands:
//!       - apt-get update
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
//!         Image: aws/codebuild/amazonlinux-x86_64-standard:5.0
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
//!       - dnf makecache
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
//!         Image: aws/codebuild/amazonlinux-x86_64-standard:5.0
//!       Source:
//!         Type: GITHUB
//!         Location: https://github.com/example/web.git
//! ```
//!
//! ## Fix
//!
//! None: packages have other names in the other system.
//!
//! ## When to silence it
//!
//! Where every build is started with another image than the one that the project names.
//!
//! ## Sources
//!
//! - The Dockerfiles in aws/aws-codebuild-docker-images, read in April 2026.

use crate::context::{Context, Document, Report};
use crate::delivery::Runs;
use crate::script::items;
use tagwright_grammar::images::{self, System};
use crate::{Category, Check, Finding, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "package-manager",
    category: Category::Shell,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("package_manager"),
    check: Check::Weighed(check, weigh),
};

/// Each with the systems that have it, and what those of the other one are called.
const MANAGERS: [(&str, &[System]); 6] = [
    ("apt-get", &[System::Ubuntu]),
    ("apt", &[System::Ubuntu]),
    ("yum", &[System::AmazonLinux]),
    ("dnf", &[System::AmazonLinux]),
    ("amazon-linux-extras", &[System::AmazonLinux]),
    ("apk", &[]),
];

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let may_matter = |text: &str| {
        ["apt", "yum ", "dnf ", "apk ", "amazon-linux-extras "]
            .iter()
            .any(|name| text.contains(name))
    };
    if !may_matter(document.text()) {
        return;
    }
    for item in items(document, may_matter) {
        for command in &item.script.commands {
            let sudo = usize::from(command.program().is_some_and(|name| name == "sudo"));
            let Some(word) = command.words.get(sudo).filter(|_| command.words.len() > sudo + 1) else {
                continue;
            };
            let context = &command.context;
            let certain = !context.conditional && !context.tolerated && context.function.is_none();
            if !certain || !MANAGERS.iter().any(|(name, _)| word.is(name)) {
                continue;
            }
            let message = "this package manager is not in the image";
            report.add(report.draft(document.facts.id, item.span(document, word.span), message));
        }
    }
}

/// Keeps the first call of each package manager that the image does not have.
fn weigh(context: &Context<'_>, findings: Vec<Finding>) -> Vec<Finding> {
    let runs = Runs::new(context);
    let mut seen = Vec::new();
    let weighed = findings.into_iter().filter_map(|mut finding| {
        let (file, span) = (finding.file, finding.span);
        let name = context.workspace.file(file).slice(span);
        let (_, systems) = MANAGERS.iter().find(|(known, _)| *known == name)?;
        let system = runs.agree(file, span, images::system)?;
        if systems.contains(&system) || seen.contains(&(file, name)) {
            return None;
        }
        seen.push((file, name));
        let (called, own) = match system {
            System::Ubuntu => ("Ubuntu", "`apt-get`"),
            System::AmazonLinux => ("Amazon Linux", "`dnf` or `yum`"),
        };
        finding.message = format!(
            "the build runs in {called}, which has no `{name}`: the command ends with status 127. Use {own}"
        );
        finding.related.extend(runs.told(file, span, "runs it in this image"));
        Some(finding)
    });
    weighed.collect()
}

//! A command that current build images no longer have.
//!
//! ## What it does
//!
//! Finds `aws ecr get-login`. A file that installs the old AWS CLI itself (`pip install awscli`), that has
//! `get-login-password` beside it, or that the workspace shows to run in one of the old images of CodeBuild that
//! have version 1 of the AWS CLI, is left alone.
//!
//! ## Why it matters
//!
//! Version 2 of the AWS CLI, which the current build images of CodeBuild have, ends with an error at it. Docker is
//! not logged in, and the first pull or push after it fails. An image of one's own may still have version 1,
//! which the file does not tell, so this is a warning.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - $(aws ecr get-login --no-include-email --region eu-west-1)
//!   build:
//!     commands:
//!       - docker build -t 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:$CODEBUILD_BUILD_NUMBER .
//!       - docker push 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:$CODEBUILD_BUILD_NUMBER
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - aws ecr get-login-password --region eu-west-1 | docker login --username AWS --password-stdin 111122223333.dkr.ecr.eu-west-1.amazonaws.com
//!   build:
//!     commands:
//!       - docker build -t 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:$CODEBUILD_BUILD_NUMBER .
//!       - docker push 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:$CODEBUILD_BUILD_NUMBER
//! ```
//!
//! ## Fix
//!
//! `aws ecr get-login-password | docker login`, if the output of the old command is run as it is and the
//! file names exactly one registry to log in to.
//!
//! ## When to silence it
//!
//! Where the build's own image has version 1 of the AWS CLI.
//!
//! ## Sources
//!
//! - AWS CLI user guide, "Breaking changes between the AWS CLI version 1 and version 2": `ecr get-login`.
//! - The Dockerfiles in aws/aws-codebuild-docker-images, read in April 2026: which images install which version.

use std::collections::BTreeSet;

use tagwright_flow::tools::Role;
use tagwright_flow::expression::Piece;
use tagwright_flow::facts::{AssignmentPlace, ImageUse};
use tagwright_syntax::shell::{Command, PartKind, Quoting, Status, Word};

use crate::context::{Context, Document, Report};
use crate::delivery::Runs;
use crate::script::{Item, items, untouchable, word_is};
use tagwright_grammar::images::{self, AwsCli};
use crate::{Applicability, Category, Check, Finding, Fix, Fixable, Refusal, RefusalCode, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "removed-command",
    category: Category::Shell,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("removed_command"),
    check: Check::Weighed(check, weigh),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let text = document.text();
    if !text.contains("get-login") || installs_old_cli(text) || text.contains("get-login-password")
    {
        return;
    }
    for item in items(document, |text| text.contains("get-login")) {
        for command in &item.script.commands {
            let Some(login) = old_login(command) else {
                continue;
            };
            let span = command.words[0].span.cover(command.words[login].span);
            let fix = modern(document, &item, command, login).map(|(span, text)| Fix {
                message: "log in with `aws ecr get-login-password`".to_owned(),
                applicability: Applicability::Safe,
                changes: vec![item.rewrite(document, span, text)],
            });
            let message = "version 2 of the AWS CLI has no `ecr get-login`: the command fails, and docker is not logged in";
            report.add(
                report
                    .draft(document.facts.id, item.span(document, span), message)
                    .fix(fix),
            );
        }
    }
}

/// Drops what runs in images that have the old CLI.
fn weigh(context: &Context<'_>, mut findings: Vec<Finding>) -> Vec<Finding> {
    let runs = Runs::new(context);
    findings.retain(|it| runs.agree(it.file, it.span, images::aws_cli) != Some(AwsCli::One));
    findings
}

/// `pip install awscli` gives version 1; `awscli-exe-…` and `awscliv2.zip` are version 2.
fn installs_old_cli(text: &str) -> bool {
    text.match_indices("awscli").any(|(at, name)| {
        let rest = &text[at + name.len()..];
        !["-exe", "v2", ".amazonaws.com"]
            .iter()
            .any(|modern| rest.starts_with(modern))
    })
}

/// The 0-based index of the word `get-login` in `aws … ecr get-login`.
fn old_login(command: &Command) -> Option<usize> {
    let aws = command.program().is_some_and(|name| name == "aws");
    let ecr = command.words.iter().position(|word| word.is("ecr"))?;
    (aws && word_is(command, ecr + 1, "get-login")).then_some(ecr + 1)
}

/// The commands to write instead of the one that runs the output of `login`, and where.
fn modern(
    document: &Document<'_>,
    item: &Item<'_>,
    command: &Command,
    login: usize,
) -> Result<(tagwright_syntax::Span, String), Refusal> {
    if let Some(reason) = untouchable(document) {
        return Err(reason);
    }
    if item.script.status != Status::Clean {
        return Err(Refusal::uncertain("the command could only be read after a repair"));
    }
    let runs_output = |outer: &&Command| {
        let substitution = |word: &Word| {
            matches!(word.parts.as_slice(), [part] if part.kind == PartKind::Substitution
                && matches!(part.quoting, Quoting::None | Quoting::Double)
                && part.span.contains(command.span))
        };
        let word = match outer.words.as_slice() {
            [only]
                if only
                    .parts
                    .first()
                    .is_some_and(|part| part.quoting == Quoting::None) =>
            {
                only
            }
            [eval, only] if eval.is("eval") => only,
            _ => return false,
        };
        substitution(word) && outer.assignments.is_empty()
    };
    let outer = item
        .script
        .commands
        .iter()
        .find(runs_output)
        .ok_or_else(|| Refusal::new(RefusalCode::UnsupportedForm, "the output of the command is not simply run"))?;
    let alone = command.context.pipe_length == 1
        && command.context.substitution == outer.context.substitution + 1
        && command.redirects.is_empty()
        && outer.redirects.is_empty()
        && outer.context.pipe_length == 1;
    if !alone {
        return Err(Refusal::new(RefusalCode::UnsupportedForm, "the output of the command is changed before it is run"));
    }
    let mut options = String::new();
    let mut words = command.words[1..login - 1]
        .iter()
        .chain(&command.words[login + 1..]);
    while let Some(word) = words.next() {
        let written = word.span.of(item.text);
        if word.is("--no-include-email") || word.is("--include-email") {
            continue;
        }
        let attached = ["--region=", "--profile="]
            .iter()
            .any(|option| written.starts_with(option));
        if !attached && !word.is("--region") && !word.is("--profile") {
            return Err(Refusal::new(RefusalCode::UnsupportedForm, "`get-login-password` does not take all of its options"));
        }
        options.push(' ');
        options.push_str(written);
        if !attached {
            let value = words.next().ok_or_else(|| Refusal::new(RefusalCode::UnsupportedForm, "an option lacks its value"))?;
            options.push(' ');
            options.push_str(value.span.of(item.text));
        }
    }
    let registry = registry(document)?;
    let text = format!(
        "aws ecr get-login-password{options} | docker login --username AWS --password-stdin {registry}"
    );
    Ok((outer.span, text))
}

/// The one ECR registry whose images the file names.
fn registry(document: &Document<'_>) -> Result<String, Refusal> {
    let mut found = BTreeSet::new();
    for image in &document.facts.uses {
        let reaches = matches!(
            image.role,
            Role::Push | Role::BuildPush | Role::TagDestination | Role::Pull
        );
        if !reaches {
            continue;
        }
        match host(document, image) {
            Some(host) => {
                found.insert(host);
            }
            None if image.role.pushes() => {
                return Err(Refusal::uncertain("the registry is not known from the file"));
            }
            None => {}
        }
    }
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(host), None) => Ok(host),
        (Some(_), Some(_)) => Err(Refusal::uncertain("the file names several registries")),
        (None, _) => Err(Refusal::uncertain("the registry is not known from the file")),
    }
}

/// The registry of the image, if it is one of ECR and every variable in it is set before all commands.
fn host(document: &Document<'_>, image: &ImageUse) -> Option<String> {
    let mut host = String::new();
    for piece in image.repository.pieces() {
        match piece {
            Piece::Text(text) => match text.split_once('/') {
                Some((registry, _)) => {
                    host.push_str(registry);
                    let ecr = host.contains(".dkr.ecr.") && host.contains(".amazonaws.com");
                    return ecr.then_some(host);
                }
                None => host.push_str(text),
            },
            Piece::Variable(name) => {
                let by_command = document
                    .facts
                    .assigned(name)
                    .any(|assignment| assignment.place != AssignmentPlace::EnvVariables);
                if by_command || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                    return None;
                }
                host.push_str("${");
                host.push_str(name);
                host.push('}');
            }
            Piece::Computed(_) => return None,
        }
    }
    None
}

//! A build runs git, and its pipeline brings the source without a repository.
//!
//! ## What it does
//!
//! Follows the build actions of pipelines in CloudFormation and Terraform to their source action and to their
//! buildspec. Where the source comes as a ZIP file (no `OutputArtifactFormat`, or `CODE_ZIP`) and a command needs
//! a repository (`git rev-parse`, `git log`, `git describe`, …), it reports the source action.
//!
//! An error where the command's failure ends the build; a warning where a pipe or another command hides it. It is
//! silent about commands with a fallback, and where the build makes a repository of its own (`git clone`,
//! `git init`) or goes to another folder.
//!
//! ## Why it matters
//!
//! CodePipeline keeps `.git` to itself: `fatal: not a git repository`, exit code 128, or a tag that is empty.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - VERSION=$(git describe --always)
//!       - make package VERSION="$VERSION"
//! ```
//!
//! ```yaml pipeline.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Project:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Source: {Type: CODEPIPELINE}
//!   Pipeline:
//!     Type: AWS::CodePipeline::Pipeline
//!     Properties:
//!       Stages:
//!         - Name: Source
//!           Actions:
//!             - Name: Source
//!               ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
//!               Configuration: {FullRepositoryId: me/web, BranchName: main}
//!               OutputArtifacts: [{Name: Source}]
//!         - Name: Build
//!           Actions:
//!             - Name: Build
//!               ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: "1"}
//!               Configuration: {ProjectName: !Ref Project}
//!               InputArtifacts: [{Name: Source}]
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - VERSION=$(git describe --always)
//!       - make package VERSION="$VERSION"
//! ```
//!
//! ```yaml pipeline.yml
//! AWSTemplateFormatVersion: "2010-09-09"
//! Resources:
//!   Project:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Source: {Type: CODEPIPELINE}
//!   Pipeline:
//!     Type: AWS::CodePipeline::Pipeline
//!     Properties:
//!       Stages:
//!         - Name: Source
//!           Actions:
//!             - Name: Source
//!               ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
//!               Configuration: {FullRepositoryId: me/web, BranchName: main, OutputArtifactFormat: CODEBUILD_CLONE_REF}
//!               OutputArtifacts: [{Name: Source}]
//!         - Name: Build
//!           Actions:
//!             - Name: Build
//!               ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: "1"}
//!               Configuration: {ProjectName: !Ref Project}
//!               InputArtifacts: [{Name: Source}]
//! ```
//!
//! ## Fix
//!
//! None: a full clone needs a permission of the build's role, too. For the commit alone
//! `CODEBUILD_RESOLVED_SOURCE_VERSION` does.
//!
//! ## When to silence it
//!
//! Where the commands are known to work on a repository that something else has made.
//!
//! ## Sources
//!
//! - CodePipeline user guide, action references of CodeStarSourceConnection and CodeCommit:
//!   `OutputArtifactFormat`, by default `CODE_ZIP`, without Git metadata.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html>

use tagwright_flow::delivery::{Action, Value};
use tagwright_flow::habits::ItemScript;
use tagwright_syntax::shell::{Command, Word};

use crate::context::{Context, Report};
use crate::delivery::{self, Build};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "git-without-repository",
    category: Category::Pipeline,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("git_without_repository"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    for build in delivery::builds(context) {
        let Some(source) = zip_source(&build) else {
            continue;
        };
        let file = build.buildspec;
        if !file.may_hold("git ") || file.may_hold("GIT_DIR") {
            continue;
        }
        let items = delivery::commands(file, build.project);
        let Some((item, index, severity)) = needs_repository(&items) else {
            continue;
        };
        let command = &item.script.commands[index];
        let word = command.words.get(1).and_then(Word::literal);
        let what = word.unwrap_or_default();
        let message = format!(
            "this action hands over a ZIP file without `.git`, and the build runs `git {what}`, which fails there. Set `OutputArtifactFormat: CODEBUILD_CLONE_REF`, or take the commit from `CODEBUILD_RESOLVED_SOURCE_VERSION`"
        );
        let mut draft = report
            .draft(build.file.id, source.span, message)
            .severity(severity);
        if let Some(span) = delivery::place(file, item, command.span) {
            draft = draft.related(file.id, span, "needs a repository");
        }
        report.add(draft);
    }
}

/// The action that the build's source comes from, if that surely is a ZIP file.
fn zip_source<'a>(build: &Build<'a>) -> Option<&'a Action> {
    if !build.pipeline.whole {
        return None;
    }
    let primary = match build.action.setting("PrimarySource").map(|it| &it.value) {
        None => build.action.inputs.first()?,
        Some(Value::Text(name) | Value::Reference(name)) => name,
        Some(Value::Unknown) => return None,
    };
    let source = delivery::actions(build.pipeline).find(|it| it.outputs.contains(primary))?;
    let git = matches!(
        &*source.provider,
        "CodeStarSourceConnection" | "CodeCommit" | "GitHub"
    );
    let format = source.setting("OutputArtifactFormat").map(|it| &it.value);
    let zip = match format {
        None => true,
        Some(Value::Text(format)) => &**format == "CODE_ZIP",
        Some(_) => false,
    };
    (git && zip && &*source.category == "Source").then_some(source)
}

/// The first command that surely needs a repository, and how bad that is; `None` where the build makes one.
fn needs_repository(items: &[ItemScript]) -> Option<(&ItemScript, usize, Severity)> {
    let mut found = None;
    for item in items {
        if !item.is_certain() {
            return found;
        }
        for (index, command) in item.script.commands.iter().enumerate() {
            match git_call(command) {
                Git::None => {}
                Git::Elsewhere => return found,
                Git::Needs if found.is_none() && item.whole => {
                    if is_caught(item, index) {
                        continue;
                    }
                    found = severity(item, index).map(|it| (item, index, it));
                }
                Git::Needs => {}
            }
        }
    }
    found
}

/// What a command has to do with repositories.
enum Git {
    /// Nothing.
    None,
    /// It makes one, or goes where one may be.
    Elsewhere,
    /// It needs the one of the source.
    Needs,
}

/// Subcommands that fail outside of a repository, whatever their arguments are.
const NEEDS: [&str; 36] = [
    "rev-parse", "log", "describe", "show", "status", "branch", "rev-list", "symbolic-ref", "ls-files",
    "name-rev", "shortlog", "fetch", "pull", "checkout", "merge-base", "submodule", "tag", "remote", "add", "commit",
    "push", "reset", "stash", "merge", "rebase", "switch", "restore", "cherry-pick", "diff-index", "diff-tree",
    "for-each-ref", "show-ref", "ls-tree", "cat-file", "blame", "rm",
];

/// What only a repository has, in an argument of `git diff`: without one, it compares two files.
const REVISIONS: [&str; 5] = ["HEAD", "..", "origin/", "--cached", "--staged"];

fn git_call(command: &Command) -> Git {
    let Some(program) = command.program() else {
        return Git::None;
    };
    let word = |index: usize| command.words.get(index).and_then(Word::literal);
    match &*program {
        "cd" | "pushd" | "eval" | "source" | "." => return Git::Elsewhere,
        "git" => {}
        _ => return Git::None,
    }
    match word(1).as_deref() {
        Some("clone" | "init" | "worktree") => Git::Elsewhere,
        Some(call) if NEEDS.contains(&call) => {
            let help = |it: &Word| it.is("--help") || it.is("--git-dir") || it.is("--parseopt");
            match command.words.iter().any(help) {
                true => Git::None,
                false => Git::Needs,
            }
        }
        Some("diff") => {
            let words = command.words.iter().skip(2).filter_map(Word::literal);
            let mut named = words.filter(|word| REVISIONS.iter().any(|it| word.contains(it)));
            named.next().map_or(Git::None, |_| Git::Needs)
        }
        // `git -C folder`, `git --git-dir=…`.
        Some(option) if option.starts_with('-') && option != "--version" => Git::Elsewhere,
        _ => Git::None,
    }
}

/// Whether something answers the failure of the command.
fn is_caught(item: &ItemScript, index: usize) -> bool {
    let command = &item.script.commands[index];
    let own = &command.context;
    let around = item.script.commands.iter().filter(|it| {
        own.substitution > 0
            && it.context.substitution < own.substitution
            && it.span.contains(command.span)
    });
    own.tolerated || around.into_iter().any(|it| it.context.tolerated)
}

/// An error where the failure ends the build, a warning where it is hidden and the output missing; `None` where
/// the command may not run.
fn severity(item: &ItemScript, index: usize) -> Option<Severity> {
    let command = &item.script.commands[index];
    let own = &command.context;
    if own.substitution == 0 {
        if !delivery::surely_runs(&item.script, &item.text, index) {
            return None;
        }
        return Some(match own.pipe_length {
            0 | 1 => Severity::Error,
            _ => Severity::Warning,
        });
    }
    let outer = item.script.commands.iter().position(|it| {
        it.context.substitution == 0 && it.span.contains(command.span)
    })?;
    if own.conditional || own.after_failure || !delivery::surely_runs(&item.script, &item.text, outer) {
        return None;
    }
    let assigns = item.script.commands[outer].words.is_empty();
    Some(match assigns && own.pipe_length <= 1 && own.substitution == 1 {
        true => Severity::Error,
        false => Severity::Warning,
    })
}

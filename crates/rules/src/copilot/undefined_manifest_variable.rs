//! A Copilot manifest uses a variable that the build does not have.
//!
//! ## What it does
//!
//! Looks for `${NAME}` in the manifests of services, jobs and environments, if a buildspec of the workspace
//! runs Copilot on them and no buildspec, build project or pipeline of the workspace mentions the name.
//! Copilot's own two variables and `\${NAME}` are left alone.
//!
//! ## Why it matters
//!
//! Copilot fills in every `${NAME}` of the file, the sections of other environments included, and stops at
//! the first that is not in its environment: `environment variable "NAME" is not defined`.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - copilot svc deploy --name web --env test --force --tag "test-$CODEBUILD_BUILD_NUMBER"
//! ```
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   build: Dockerfile
//! variables:
//!   RELEASE: ${RELEASE_ID}
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - export RELEASE_ID=$CODEBUILD_BUILD_NUMBER
//!       - copilot svc deploy --name web --env test --force --tag "test-$CODEBUILD_BUILD_NUMBER"
//! ```
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   build: Dockerfile
//! variables:
//!   RELEASE: ${RELEASE_ID}
//! ```
//!
//! ## Fix
//!
//! None: what the variable should hold is not known.
//!
//! ## When to silence it
//!
//! Where the shell that runs Copilot has the variable from elsewhere: the project, the pipeline, a file
//! that is sourced.
//!
//! ## Sources
//!
//! - aws/copilot-cli `internal/pkg/manifest/interpolate.go` (v1.33).

use std::collections::{BTreeSet, HashSet};

use tagwright_flow::FileKind;
use tagwright_flow::expression::plain_name;
use tagwright_flow::facts::FileFacts;
use tagwright_syntax::Span;
use tagwright_syntax::yaml::{NodeId, NodeKind, Tree};

use crate::context::{Context, Report};
use crate::variables::{is_provided, may_be_assigned};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "undefined-manifest-variable",
    category: Category::Copilot,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("undefined_manifest_variable"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let mut mentioned: Option<HashSet<String>> = None;
    for (manifest, runner) in manifests(context) {
        for (name, span) in variables(manifest) {
            if is_provided(context, &name) || may_be_assigned(runner, &name) {
                continue;
            }
            let mentioned = mentioned.get_or_insert_with(|| {
                let specs = context.workspace.files().iter();
                specs
                    .filter(|file| file.buildspec.is_some())
                    .flat_map(|file| {
                        let texts = file.live_texts();
                        texts.iter().flat_map(|text| names_not_read(text)).collect::<Vec<_>>()
                    })
                    .collect()
            });
            if mentioned.contains(&*name) {
                continue;
            }
            let message = format!(
                "nothing in the workspace sets `{name}` for Copilot, which stops at a variable that is not defined"
            );
            let call = &runner.copilot[0];
            report.add(report.draft(manifest.id, span, message).related(
                runner.id,
                call.span,
                "Copilot is run here",
            ));
        }
    }
}

/// The manifests with a variable, each with a buildspec that runs Copilot on manifests of its kind.
pub(crate) fn manifests<'a>(
    context: &Context<'a>,
) -> impl Iterator<Item = (&'a FileFacts, &'a FileFacts)> {
    let files = context.workspace.files();
    let runners: Vec<&FileFacts> = files
        .iter()
        .filter(|file| file.buildspec.is_some() && !file.copilot.is_empty())
        .collect();
    let runner = move |manifest: &FileFacts| {
        let environments = manifest.kind == FileKind::CopilotEnvironment;
        runners.iter().copied().find(|file| {
            let reads = file.copilot.iter().any(|call| {
                let subcommand = &*call.subcommand;
                subcommand.starts_with("env ") == environments
                    && (subcommand.ends_with("deploy") || subcommand.ends_with("package"))
            });
            reads && may_run_in(file, &manifest.path, runners.len())
        })
    };
    files
        .iter()
        .filter(|file| {
            matches!(
                file.kind,
                FileKind::CopilotWorkload | FileKind::CopilotEnvironment
            ) && file.may_hold("${")
        })
        .filter_map(move |file| Some((file, runner(file)?)))
}

/// Copilot's own variables, and those that every process or every build of a Copilot pipeline has.
fn is_own(name: &str) -> bool {
    matches!(
        name,
        "COPILOT_APPLICATION_NAME"
            | "COPILOT_ENVIRONMENT_NAME"
            | "PARTITION"
            | "HOME"
            | "PATH"
            | "USER"
            | "PWD"
            | "HOSTNAME"
    )
}

/// Whether the buildspec may run Copilot in the folder that holds the manifest's `copilot` folder: it lies
/// in there, or it names it.
fn may_run_in(buildspec: &FileFacts, manifest: &str, runners: usize) -> bool {
    let Some(at) = manifest.find("/copilot/") else {
        return true;
    };
    let root = &manifest[..at];
    let name = root.rsplit('/').next().unwrap_or(root);
    // In a very large workspace not every buildspec is searched for every manifest.
    buildspec.path.starts_with(&manifest[..=at]) || runners < 64 && names(buildspec, name)
}

/// Whether a command or a value of the buildspec has the word.
fn names(buildspec: &FileFacts, word: &str) -> bool {
    buildspec.may_hold(word) && buildspec.live_texts().iter().any(|it| it.contains(word))
}

/// The variables that Copilot fills in, each with its first place; bytes of the file.
pub(crate) fn variables(manifest: &FileFacts) -> Vec<(String, Span)> {
    let tree = manifest.tree();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    each_value(&tree, &mut |node, text| {
        for (at, _) in text.match_indices("${") {
            let name = plain_name(&text[at + 2..]);
            let closes = text[at + 2 + name.len()..].starts_with('}');
            let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if !closes
                || !starts
                || is_own(name)
                || text[..at].ends_with('\\')
                || !seen.insert(name.to_owned())
            {
                continue;
            }
            let range = Span::new(at, at + name.len() + 3);
            let span = manifest.source_map(&tree, node)
                .and_then(|map| map.source(range))
                .unwrap_or(tree.node(node).span);
            found.push((name.to_owned(), span));
        }
    });
    found
}

/// Calls `found` for every text in a value or an item of the first document that Copilot would fill in.
pub(crate) fn each_value(tree: &Tree, found: &mut dyn FnMut(NodeId, &str)) {
    let mut stack: Vec<NodeId> = tree.root().into_iter().collect();
    while let Some(at) = stack.pop() {
        let node = tree.node(at);
        match &node.kind {
            NodeKind::Scalar(scalar) if node.tag.is_none() => found(at, &scalar.value),
            NodeKind::Scalar(_) | NodeKind::Alias { .. } => {}
            NodeKind::Sequence(sequence) => stack.extend(sequence.items.iter().rev()),
            NodeKind::Mapping(mapping) => {
                stack.extend(mapping.entries.iter().rev().map(|entry| entry.value));
            }
        }
    }
}

/// The names in the text that are not just read as `$NAME` or `${NAME…`.
fn names_not_read(text: &str) -> Vec<String> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut names = Vec::new();
    let mut at = 0;
    for word in text.split(|c| !part(c)) {
        if !word.is_empty() && !text[..at].ends_with(['$', '{']) {
            names.push(word.to_owned());
        }
        at += word.len();
        at += text[at..].chars().next().map_or(0, char::len_utf8);
    }
    names
}

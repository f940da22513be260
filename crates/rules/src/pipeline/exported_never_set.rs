//! A build exports a variable that nothing in it sets.
//!
//! ## What it does
//!
//! Finds names in `env.exported-variables` that neither a command nor the `env` section nor a CodeBuild
//! project or a pipeline of the workspace sets. A name that the commands only read is taken to come from a
//! project outside, unless the workspace shows which project runs the build; one that they mention in any
//! other way counts as set, and a build that sources scripts is left alone.
//!
//! Also finds `#{Namespace.Name}` in a pipeline where the buildspec behind that namespace does not export
//! the name.
//!
//! ## Why it matters
//!
//! CodeBuild exports an empty value, or none, and the next action is configured with it.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   exported-variables:
//!     - IMAGE_TAG
//! phases:
//!   build:
//!     commands:
//!       - docker build -t $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION .
//!       - docker push $REPOSITORY_URI:$CODEBUILD_RESOLVED_SOURCE_VERSION
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   exported-variables:
//!     - IMAGE_TAG
//! phases:
//!   build:
//!     commands:
//!       - export IMAGE_TAG=$CODEBUILD_RESOLVED_SOURCE_VERSION
//!       - docker build -t $REPOSITORY_URI:$IMAGE_TAG .
//!       - docker push $REPOSITORY_URI:$IMAGE_TAG
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! Where a script that the build calls with `.` sets the variable, or a later action can do without it.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference", `env/exported-variables`.
//!   <https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html>
//! - CodePipeline user guide, "Working with variables": a CodeBuild action's variables are those that its
//!   build exports.
//!   <https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-variables.html>

use std::cell::Cell;
use std::sync::Arc;
use std::collections::{BTreeSet, HashMap};

use tagwright_flow::FileKind;
use tagwright_flow::facts::FileFacts;
use tagwright_syntax::Span;
use tagwright_syntax::buildspec::Buildspec;

use crate::context::{Context, Report};
use crate::delivery::{self, Build};
use crate::variables::{is_provided, may_be_assigned};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "exported-never-set",
    category: Category::Pipeline,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("exported_never_set"),
    check: Check::Workspace(check),
};

fn check(context: &Context<'_>, report: &mut Report<'_>) {
    let builds = delivery::builds(context);
    let mut unknown_callers = HashMap::new();
    for file in context.workspace.files() {
        if file.kind != FileKind::Buildspec || !file.may_hold("exported-variables") {
            continue;
        }
        let mut words = None;
        for (name, span) in exported(file).unwrap_or_default() {
            if is_provided(context, &name)
                || may_be_assigned(file, &name)
            {
                continue;
            }
            let words = words.get_or_insert_with(|| Words::new(file.live_texts()));
            let outside = match words.mention(&name) {
                Mention::Never => false,
                Mention::Read => *unknown_callers.entry(file.id).or_insert_with(|| {
                    let mut known = builds
                        .iter()
                        .filter(|it| it.buildspec.id == file.id)
                        .peekable();
                    known.peek().is_none()
                        || known.any(|it| !it.project.whole || it.action.passed.is_none())
                }),
                Mention::Otherwise => true,
            };
            if outside {
                continue;
            }
            let message = format!(
                "no command sets `{name}`, so whatever reads it from this build gets nothing"
            );
            report.add(report.draft(file.id, span, message));
        }
    }
    consumers(&builds, report);
}

/// What the buildspec exports; `None` if that cannot be read.
fn exported(file: &FileFacts) -> Option<Vec<(String, Span)>> {
    let own = file.buildspec.as_ref()?;
    if own.template.is_some() || own.inline || file.error.is_some() {
        return None;
    }
    let tree = file.tree();
    let spec = Buildspec::read(&tree, tree.root()?)?;
    spec.env
        .exported_variables
        .iter()
        .map(|node| Some((tree.text(*node)?.to_owned(), tree.node(*node).span)))
        .collect()
}

/// How a buildspec mentions a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mention {
    /// Not at all.
    Never,
    /// Its value is read.
    Read,
    /// Something else is done with it.
    Otherwise,
}

/// How texts mention which words.
struct Words {
    texts: Arc<Vec<String>>,
    known: HashMap<String, Mention>,
    /// How often all texts were searched.
    searches: Cell<u32>,
}

impl Words {
    fn new(texts: Arc<Vec<String>>) -> Self {
        let mut known: HashMap<String, Mention> = HashMap::new();
        for text in texts.iter() {
            let mut at = 0;
            // Each piece ends in the one character that is no part of a word.
            for piece in text.split_inclusive(|c: char| !is_word(c)) {
                let word = piece.trim_end_matches(|c: char| !is_word(c));
                // A text that is nothing but the name is the list that exports it.
                if !word.is_empty() && word != text {
                    let found = mention_at(text, at, word);
                    match known.get_mut(word) {
                        Some(mention) => *mention = found.max(*mention),
                        None => {
                            known.insert(word.to_owned(), found);
                        }
                    }
                }
                at += piece.len();
            }
        }
        Self {
            texts,
            known,
            searches: Cell::new(0),
        }
    }

    /// How the texts mention the name.
    fn mention(&self, name: &str) -> Mention {
        /// No shell has a variable of such a name; the texts are searched for a few of them.
        const SEARCHES: u32 = 64;
        if name.is_empty() || self.searches.get() == SEARCHES {
            return Mention::Otherwise;
        }
        if name.chars().all(is_word) {
            return self.known.get(name).copied().unwrap_or(Mention::Never);
        }
        self.searches.set(self.searches.get() + 1);
        let others = self.texts.iter().filter(|text| *text != name);
        others
            .map(|text| mention_in(text, name))
            .max()
            .unwrap_or(Mention::Never)
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn mention_in(text: &str, name: &str) -> Mention {
    text.match_indices(name)
        .filter(|(at, _)| {
            let after = &text[at + name.len()..];
            !text[..*at].ends_with(is_word) && !after.starts_with(is_word)
        })
        .map(|(at, _)| mention_at(text, at, name))
        .max()
        .unwrap_or(Mention::Never)
}

/// How the text mentions the name at this byte.
fn mention_at(text: &str, at: usize, name: &str) -> Mention {
    let before = &text[..at];
    let after = &text[at + name.len()..];
    let read = before.ends_with('$') || before.ends_with("${") || before.ends_with("$env:");
    // PowerShell, and `${NAME:=value}`.
    let assigned = after.trim_start().starts_with('=') || after.starts_with(":=");
    if read && !assigned {
        Mention::Read
    } else {
        Mention::Otherwise
    }
}

/// `#{BuildVariables.X}` where the build does not export X.
fn consumers(builds: &[Build<'_>], report: &mut Report<'_>) {
    for build in builds {
        let Some(namespace) = build.action.namespace.as_deref() else {
            continue;
        };
        let shared = delivery::actions(build.pipeline)
            .filter(|it| it.namespace.as_deref() == Some(namespace))
            .count();
        let batch = build.action.setting("BatchEnabled").is_some();
        let Some(names) = exported(build.buildspec).filter(|_| shared == 1 && !batch) else {
            continue;
        };
        let names: BTreeSet<String> = names.into_iter().map(|(name, _)| name).collect();
        let of_stages = build.pipeline.stages.iter().flat_map(|it| &it.references);
        let of_actions = delivery::actions(build.pipeline).flat_map(|it| &it.references);
        for reference in of_stages.chain(of_actions) {
            if *reference.namespace != *namespace || names.contains(&*reference.name) {
                continue;
            }
            let message = format!(
                "the build of `{}` does not export `{}`: add it to `env.exported-variables` in {}",
                build.action.name, reference.name, build.buildspec.path
            );
            report.add(
                report
                    .draft(build.file.id, reference.span, message)
                    .related(build.file.id, build.action.span, "the action that is meant"),
            );
        }
    }
}

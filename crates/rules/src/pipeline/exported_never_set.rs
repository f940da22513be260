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
use std::collections::{BTreeSet, HashMap};

use tagwright_flow::FileKind;
use tagwright_flow::expression::plain_name;
use tagwright_flow::facts::FileFacts;
use tagwright_flow::kind::has;
use tagwright_syntax::Span;
use tagwright_syntax::buildspec::Buildspec;
use tagwright_syntax::yaml;

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
        if file.kind != FileKind::Buildspec || !has(&file.text, "exported-variables") {
            continue;
        }
        let mut words = None;
        for (name, span) in exported(file).unwrap_or_default() {
            if is_provided(context, &name)
                || may_be_assigned(file, &name)
            {
                continue;
            }
            let words = words.get_or_insert_with(|| Words::new(&file.text));
            let outside = match words.mention(&name, span) {
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
    let tree = yaml::parse(&file.text);
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

/// Where a text has which words.
struct Words<'a> {
    text: &'a str,
    /// The offset of each place.
    places: HashMap<&'a str, Vec<usize>>,
    /// How often the whole text was searched.
    searches: Cell<u32>,
}

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Self {
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut at = 0;
        // Each piece ends in the one character that is no part of a word.
        for piece in text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
            let word = plain_name(piece);
            if !word.is_empty() {
                places.entry(word).or_default().push(at);
            }
            at += piece.len();
        }
        Self {
            text,
            places,
            searches: Cell::new(0),
        }
    }

    /// Where the name stands, not as a part of another word.
    fn search(&self, name: &str) -> Vec<usize> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        memchr::memmem::find_iter(self.text.as_bytes(), name)
            .filter(|at| {
                let before = self.text[..*at].ends_with(is_word);
                !before && !self.text[at + name.len()..].starts_with(is_word)
            })
            .collect()
    }

    /// How the text mentions the name, but for the place at `own`.
    fn mention(&self, name: &str, own: Span) -> Mention {
        /// No shell has a variable of such a name; the text is searched for a few of them.
        const SEARCHES: u32 = 64;
        let found;
        let places = if !name.is_empty() && plain_name(name) == name {
            self.places.get(name).map_or(&[][..], Vec::as_slice)
        } else if name.is_empty() || self.searches.get() == SEARCHES {
            return Mention::Otherwise;
        } else {
            self.searches.set(self.searches.get() + 1);
            found = self.search(name);
            &found
        };
        places
            .iter()
            .filter(|at| !own.range().contains(at))
            .map(|at| {
                let before = &self.text[..*at];
                let after = &self.text[at + name.len()..];
                let read =
                    before.ends_with('$') || before.ends_with("${") || before.ends_with("$env:");
                // PowerShell, and `${NAME:=value}`.
                let assigned = after.trim_start().starts_with('=') || after.starts_with(":=");
                if read && !assigned {
                    Mention::Read
                } else {
                    Mention::Otherwise
                }
            })
            .max()
            .unwrap_or(Mention::Never)
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

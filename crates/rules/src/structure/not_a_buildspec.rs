//! The file is named like a buildspec, but has nothing to run.
//!
//! ## What it does
//!
//! Finds files that are read as buildspecs by their names and have neither `phases` nor `batch` with
//! anything below them. For a file that a project in the same repository names, and for `buildspec.yml` at the root if
//! it has only keys of a buildspec, this is a warning, else a note. A file without any key of a buildspec, which belongs
//! to another tool, is left alone.
//!
//! ## Why it matters
//!
//! If a project names this file, CodeBuild runs nothing or stops with "wrong number of container tags,
//! expected 1". If it is something else, tagwright need not read it.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   variables:
//!     STAGE: test
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   variables:
//!     STAGE: test
//! phases:
//!   build:
//!     commands:
//!       - ./build.sh
//! ```
//!
//! ## Fix
//!
//! None. Write the phases, or exclude the file in `tagwright.toml`.
//!
//! ## When to silence it
//!
//! For a file that only has the name: exclude it in `tagwright.toml` instead, so that nothing else is said
//! of it.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference for CodeBuild".

use tagwright_flow::FileKind;
use tagwright_flow::delivery::BuildspecOf;
use tagwright_flow::facts::FileFacts;
use tagwright_grammar::buildspec;
use tagwright_syntax::Span;
use tagwright_syntax::buildspec::PhaseName;
use tagwright_syntax::yaml::{Entry, Tree};

use crate::context::{Context, Document, Report};
use crate::{Category, Check, Finding, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "not-a-buildspec",
    category: Category::Structure,
    default: Some(Severity::Note),
    fixable: Fixable::Never,
    docs: docs!("not_a_buildspec"),
    check: Check::Weighed(check, weigh),
};

/// Raises what a build surely reads: the default file, and files that a project names. A file that is no buildspec
/// at all and that nothing names is left alone.
fn weigh(context: &Context<'_>, findings: Vec<Finding>) -> Vec<Finding> {
    let named = |path: &str| {
        let files = context.workspace.files().iter();
        let mut projects = files.filter_map(|file| file.delivery.as_deref()).flat_map(|it| &it.projects);
        projects.any(|project| matches!(&project.buildspec, BuildspecOf::File(file) if **file == *path))
    };
    let weighed = findings.into_iter().filter_map(|mut finding| {
        let file = context.workspace.file(finding.file);
        let default = &*file.path == "buildspec.yml";
        let meant = meaning(file);
        if named(&file.path) || default && meant == Meaning::Buildspec {
            finding.severity = finding.severity.max(Severity::Warning);
        } else if meant == Meaning::Other {
            return None;
        } else {
            finding.severity = Severity::Note;
        }
        Some(finding)
    });
    weighed.collect()
}

/// What a file without anything to run is meant to be, by its keys.
#[derive(PartialEq, Eq)]
enum Meaning {
    /// It has nothing that a buildspec has not, or the buildspec is below another key.
    Buildspec,
    /// It has keys of a buildspec and others.
    Unclear,
    /// It has no key of a buildspec: other tools name files so, too.
    Other,
}

fn meaning(file: &FileFacts) -> Meaning {
    let tree = file.tree();
    let Some(root) = tree.root().filter(|root| !tree.is_null(*root)) else {
        return Meaning::Buildspec;
    };
    let entries = tree.mapping(root).map_or(&[][..], |map| &map.entries);
    let known = |entry: &Entry| {
        let key = tree.text(entry.key);
        key.is_some_and(|name| buildspec::BUILDSPEC.key(name).is_some())
    };
    let count = entries.iter().filter(|entry| known(entry)).count();
    if wrapper(&tree).is_some() || count > 0 && count == entries.len() {
        Meaning::Buildspec
    } else if count > 0 {
        Meaning::Unclear
    } else {
        Meaning::Other
    }
}

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    let template = document
        .facts
        .buildspec
        .as_ref()
        .is_some_and(|facts| facts.template.is_some());
    if document.facts.kind != FileKind::Buildspec || template || tree.error().is_some() {
        return;
    }
    let has = |root, key: &str| tree.get(root, key).is_some_and(|node| !tree.is_null(node));
    if let Some(root) = tree.root()
        && (has(root, "phases") || has(root, "batch") || has(root, "<<"))
    {
        return;
    }
    // Anything more would say a second time what a key in the wrong place says already.
    let phase = |name: &str| tree.root().is_some_and(|root| has(root, name));
    let misplaced = tree.root().is_some_and(|root| {
        let known = |entry: &&Entry| {
            let key = tree.text(entry.key);
            key.is_some_and(|name| buildspec::BUILDSPEC.key(name).is_some())
        };
        let entries = tree.mapping(root).map_or(&[][..], |map| &map.entries);
        let mut below = entries.iter().filter(known).flat_map(|entry| {
            let mut nodes = tree.inside(entry.value);
            nodes.push(entry.value);
            nodes
        });
        below.any(|node| tree.get(node, "phases").is_some())
    });
    if misplaced || PhaseName::ALL.iter().any(|name| phase(name.as_str())) {
        return;
    }
    let span = tree.root().map_or(Span::empty(0), |root| {
        let entries = tree.mapping(root).map_or(&[][..], |map| &map.entries);
        tree.node(entries.first().map_or(root, |entry| entry.key))
            .span
    });
    if tree.root().is_none_or(|root| tree.is_null(root)) {
        let message = "the file is empty: CodeBuild stops with \"wrong number of container tags, expected 1\"";
        let draft = report.draft(document.facts.id, Span::empty(0), message);
        report.add(draft.severity(Severity::Warning));
        return;
    }
    let message = match wrapper(tree) {
        Some(key) => format!(
            "there is nothing to run here: `version` and `phases` have to be at the top level, not below `{key}`"
        ),
        None => "there is nothing to run here: neither `phases` nor `batch` has anything below it".to_owned(),
    };
    report.add(report.draft(document.facts.id, span, message));
}

/// The only key of the file, if the buildspec is below it.
fn wrapper(tree: &Tree) -> Option<&str> {
    let [entry] = tree.mapping(tree.root()?)?.entries.as_slice() else {
        return None;
    };
    let text = tree.text(entry.value).is_some_and(|text| text.contains("phases:"));
    (text || tree.get(entry.value, "phases").is_some()).then(|| tree.text(entry.key))?
}

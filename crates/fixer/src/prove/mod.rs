//! The proof that a text differs from another exactly as declared, and nowhere else.
//!
//! Five points, each a module or function of its own: the text is readable, the tree differs as
//! declared, the shell words differ as declared, comments and bytes are kept, the finding is gone. The
//! first four look at one file at a time (`prove_file`); the last needs the rules ([`prove`]).

mod bytes;
mod comments;
mod dashes;
mod findings;
mod hcl;
mod tree;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use tagwright_diagnostics::{Applicability, Change, FileId, Finding};
use tagwright_flow::kind::classify;
use tagwright_syntax::yaml::{self, NodeId, Tree};
use tagwright_syntax::{edit, libyaml};

use crate::materialise::{Materialiser, Plan, by_file, changes_of};
use crate::{FileEdits, Reader, Rejection, Relint, Sources};

pub(crate) use findings::Blame;

/// One side of a comparison: a text that both readers have read.
#[derive(Debug)]
struct Read<'a> {
    path: &'a str,
    text: &'a str,
    tree: Tree,
    values: Vec<libyaml::Value>,
}

/// How the nodes of one file before and after correspond.
#[derive(Debug, Default)]
pub(crate) struct NodeMap {
    /// For each node before, by number: the node after.
    after: Vec<Option<NodeId>>,
    /// Items that were inserted: the sequence before, the value, the item after.
    inserted: Vec<(NodeId, String, NodeId)>,
    /// Texts that became lists: the text before, the first item after. The last one is what it is mapped to.
    split: Vec<(NodeId, NodeId)>,
}

impl NodeMap {
    fn after(&self, before: NodeId) -> Option<NodeId> {
        self.after.get(before.0 as usize).copied().flatten()
    }

    /// The node after that begins where `before` began.
    fn start_of(&self, before: NodeId) -> Option<NodeId> {
        let split = self.split.iter().find(|(text, _)| *text == before);
        split.map_or_else(|| self.after(before), |(_, first)| Some(*first))
    }
}

/// A file whose first four points are proven.
#[derive(Debug)]
pub(crate) struct ProvenFile {
    pub(crate) text: Arc<str>,
    pub(crate) edits: Vec<edit::Edit>,
    plan: Plan,
    map: NodeMap,
}

/// Shows that `after` is `before` with `edits` made, and that these edits do what `changes` declare and
/// nothing else: points 1 to 4, for all files that one of the three names.
///
/// # Errors
/// The first point that fails.
pub fn prove_edits(
    before: &Sources,
    after: &Sources,
    edits: &[FileEdits],
    changes: &[Change],
) -> Result<(), Rejection> {
    let mut materialiser = Materialiser::new(before);
    let by_file = by_file(changes);
    for file in after.changed_from(before) {
        if !by_file.contains_key(&file) {
            return Err(Rejection::Bytes {
                path: after.path(file).to_string(),
                what: "the file changed although no change of it was declared",
            });
        }
    }
    for (file, changes) in by_file {
        let edits = edits
            .iter()
            .filter(|it| it.file == file)
            .flat_map(|it| it.edits.iter().cloned())
            .collect();
        let plan = materialiser.plan(file, &changes)?;
        let text = after.text(file).unwrap_or_default().into();
        prove_file(before, file, plan, edits, text)?;
    }
    Ok(())
}

/// Points 1 to 4 for one file.
pub(crate) fn prove_file(
    before: &Sources,
    file: FileId,
    plan: Plan,
    edits: Vec<edit::Edit>,
    text: Arc<str>,
) -> Result<ProvenFile, Rejection> {
    let path = before.path(file);
    let old = before.text(file).unwrap_or_default();
    let map = if !plan.settings.is_empty() {
        hcl::check(path, old, &text, &plan.settings, &edits)?;
        NodeMap::default()
    } else if plan.dashes.is_empty() {
        prove_text(path, old, &text, &plan, &edits)?
    } else {
        dashes::check(path, old, &text, &plan, &edits)?;
        // What stood in a file that nobody could read has no place to be moved from.
        NodeMap::default()
    };
    Ok(ProvenFile {
        text,
        edits,
        plan,
        map,
    })
}

/// The same for two texts.
fn prove_text(
    path: &str,
    before: &str,
    after: &str,
    plan: &Plan,
    edits: &[edit::Edit],
) -> Result<NodeMap, Rejection> {
    let old = read(path, before, true)?;
    let new = read(path, after, false)?;
    let map = tree::compare(&old, &new, plan)?;
    if !old.tree.is_whole() {
        tree::compare_values(&old, &new, plan)?;
    }
    words::check_file(&old, plan)?;
    comments::check(&old, &new, &map, plan)?;
    bytes::check(&old, new.text, plan, edits)?;
    Ok(map)
}

/// Point 1: both readers accept the text.
fn read<'a>(path: &'a str, text: &'a str, before: bool) -> Result<Read<'a>, Rejection> {
    let unreadable = |reader, message: &str| Rejection::Unreadable {
        path: path.to_string(),
        reader,
        before,
        message: message.to_string(),
    };
    let tree = yaml::parse_as(classify(path, text), text);
    if let Some(error) = tree.error() {
        return Err(unreadable(Reader::Own, &error.message));
    }
    if tree.is_whole() {
        // What the words of the shell are is compared by them.
        return Ok(Read {
            path,
            text,
            tree,
            values: Vec::new(),
        });
    }
    let values =
        libyaml::read(text).map_err(|error| unreadable(Reader::Libyaml, &error.message))?;
    Ok(Read {
        path,
        text,
        tree,
        values,
    })
}

/// Where the line of the byte `at` starts.
fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or("");
    before.rfind(['\n', '\r']).map_or(0, |at| at + 1)
}

/// What a set of fixes leads to.
#[derive(Debug)]
pub struct Proven {
    /// The texts with the fixes.
    pub sources: Sources,
    /// The findings that are left.
    pub findings: Vec<Finding>,
}

/// Applies the fixes of `findings[index]` for each index in `chosen` together and proves all five points.
/// `findings` are all findings of `sources`; of the fixes that a second run could make, those from
/// `least` on count.
///
/// # Errors
/// The first point that fails.
pub fn prove(
    sources: &Sources,
    findings: &[Finding],
    chosen: &[usize],
    least: Applicability,
    relint: &dyn Relint,
) -> Result<Proven, Rejection> {
    let fixes = chosen
        .iter()
        .filter_map(|index| findings.get(*index)?.fix.as_ref());
    let changes = changes_of(fixes);
    let mut materialiser = Materialiser::new(sources);
    let mut files = BTreeMap::new();
    for (file, changes) in by_file(changes) {
        files.insert(
            file,
            Arc::new(derive(&mut materialiser, sources, file, &changes)?),
        );
    }
    if files.is_empty() {
        return Err(Rejection::Empty);
    }
    settle(sources, findings, chosen, least, &files, relint).map_err(|(rejection, _)| rejection)
}

/// Derives, applies and proves (points 1 to 4) changes that all belong to `file`.
pub(crate) fn derive(
    materialiser: &mut Materialiser<'_>,
    sources: &Sources,
    file: FileId,
    changes: &[Change],
) -> Result<ProvenFile, Rejection> {
    let (plan, edits) = materialiser.file(file, changes)?;
    let text = edit::apply(sources.text(file).unwrap_or_default(), &edits).ok_or_else(|| {
        Rejection::Overlap {
            path: sources.path(file).to_string(),
        }
    })?;
    prove_file(sources, file, plan, edits, text.into())
}

/// Point 5 for files whose other points are proven. On failure also says whose fault it may be.
pub(crate) fn settle(
    sources: &Sources,
    findings: &[Finding],
    chosen: &[usize],
    least: Applicability,
    files: &BTreeMap<FileId, Arc<ProvenFile>>,
    relint: &dyn Relint,
) -> Result<Proven, (Rejection, Blame)> {
    let mut after = sources.clone();
    for (file, proven) in files {
        after.set_text(*file, Arc::clone(&proven.text));
    }
    let left = relint.lint(&after);
    findings::check(&findings::Comparison {
        sources,
        before: findings,
        after: &left,
        chosen,
        least,
        files,
    })?;
    Ok(Proven {
        sources: after,
        findings: left,
    })
}

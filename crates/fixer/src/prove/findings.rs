//! Point 5: the findings are gone, nothing as bad has come in their place, and a second run would leave
//! the changed places alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tagwright_diagnostics::{Applicability, Change, ChangeKind, FileId, Finding, Fix};
use tagwright_syntax::Span;
use tagwright_syntax::yaml::NodeId;

use super::{ProvenFile, bytes};
use crate::{Rejection, Sources};

/// The chosen fixes that may be at fault, as indices into the findings before.
#[derive(Debug)]
pub(crate) struct Blame(pub(crate) Vec<usize>);

/// What is compared.
pub(super) struct Comparison<'a> {
    pub(super) sources: &'a Sources,
    pub(super) before: &'a [Finding],
    pub(super) after: &'a [Finding],
    /// Indices into `before` of the findings whose fixes were made.
    pub(super) chosen: &'a [usize],
    /// Fixes from this applicability on would be made by a second run.
    pub(super) least: Applicability,
    pub(super) files: &'a BTreeMap<FileId, Arc<ProvenFile>>,
}

/// All that is wrong: the first reason, and everybody who may be at fault for anything.
#[derive(Default)]
struct Failures {
    first: Option<Rejection>,
    blame: Vec<usize>,
}

impl Failures {
    fn add(&mut self, reason: Rejection, blame: &[usize]) {
        self.first.get_or_insert(reason);
        self.blame.extend(blame);
    }
}

pub(super) fn check(it: &Comparison<'_>) -> Result<(), (Rejection, Blame)> {
    let mut failures = Failures::default();
    gone(it, &mut failures);
    settled(it, &mut failures);
    match failures.first {
        Some(reason) => Err((reason, Blame(failures.blame))),
        None => Ok(()),
    }
}

/// An old finding: its place in the new text and what is known of it.
struct Old {
    index: usize,
    span: Span,
    fixed: bool,
    matched: bool,
}

/// Matches the findings after with those before, by rule and place. What matches a fixed one has
/// remained; what matches none is new.
fn gone(it: &Comparison<'_>, failures: &mut Failures) {
    let mut old: HashMap<(FileId, &str), Vec<Old>> = HashMap::new();
    let mut fixed = vec![false; it.before.len()];
    for index in it.chosen {
        fixed[*index] = true;
    }
    let moves: HashMap<FileId, bytes::Moves<'_>> = it
        .files
        .iter()
        .map(|(file, proven)| (*file, bytes::Moves::new(&proven.edits)))
        .collect();
    for (index, finding) in it.before.iter().enumerate() {
        let moves = moves.get(&finding.file);
        let of_rule = old.entry((finding.file, finding.rule)).or_default();
        of_rule.push(Old {
            index,
            span: moves.map_or(finding.span, |it| it.moved(finding.span)),
            fixed: fixed[index],
            matched: false,
        });
    }
    // The surest matches first, so that none is taken by a less sure one.
    let mut rest: Vec<&Finding> = it.after.iter().collect();
    for sure in [true, false] {
        rest.retain(|finding| {
            let Some(old) = old.get_mut(&(finding.file, finding.rule)) else {
                return true;
            };
            let same = old.iter_mut().find(|old| {
                let same = if sure {
                    old.span == finding.span && it.before[old.index].message == finding.message
                } else {
                    meet(old.span, finding.span)
                };
                same && !old.fixed && !old.matched
            });
            match same {
                Some(old) => {
                    old.matched = true;
                    false
                }
                None => true,
            }
        });
    }
    for finding in rest {
        let path = || it.sources.path(finding.file).to_string();
        if let Some(old) = old.get_mut(&(finding.file, finding.rule)) {
            if let Some(old) = old
                .iter()
                .find(|it| it.fixed && meet(it.span, finding.span))
            {
                let rejection = Rejection::FindingRemains {
                    rule: finding.rule,
                    path: path(),
                };
                failures.add(rejection, &[old.index]);
                continue;
            }
            // Another old one of the same rule is gone: it has moved rather than vanished.
            if let Some(old) = old.iter_mut().find(|it| !it.fixed && !it.matched) {
                old.matched = true;
                continue;
            }
        }
        let blame = blame(it, finding);
        if !blame.is_empty() {
            let rejection = Rejection::NewFinding {
                rule: finding.rule,
                path: path(),
                message: finding.message.clone(),
            };
            failures.add(rejection, &blame);
        }
    }
}

fn meet(a: Span, b: Span) -> bool {
    let touch = a.start <= b.end && b.start <= a.end;
    a.overlaps(b) || (touch && (a.is_empty() || b.is_empty()))
}

/// The chosen fixes that a new finding speaks against: those of the same or a lower severity that touch
/// its file, or if none touches it, any.
fn blame(it: &Comparison<'_>, new: &Finding) -> Vec<usize> {
    let touching = |index: &usize| {
        let fix = it.before[*index].fix.as_ref();
        fix.is_some_and(|fix| fix.changes.iter().any(|change| change.file == new.file))
    };
    let mut suspects: Vec<usize> = it.chosen.iter().copied().filter(touching).collect();
    if suspects.is_empty() {
        suspects = it.chosen.to_vec();
    }
    suspects.retain(|index| it.before[*index].severity <= new.severity);
    // A command that YAML is made to read as it stands brings to light what is wrong in it, no more.
    let reads = |change: &Change| {
        matches!(
            change.kind,
            ChangeKind::ReplaceNode { .. }
                | ChangeKind::SplitLines { .. }
                | ChangeKind::Unfold { .. }
                | ChangeKind::SpaceDash { .. }
        )
    };
    suspects.retain(|index| {
        let fix = it.before[*index].fix.as_ref();
        fix.is_none_or(|fix| !fix.changes.iter().all(reads))
    });
    suspects
}

/// A change that was made: where it is in the new tree, and who asked for it.
struct Made {
    /// For a replacement the range of the new decoded value; for an inserted item nothing.
    range: Option<Span>,
    text: String,
    /// For each fix that asks for it, the findings that have that fix.
    asked_by: Vec<Arc<[usize]>>,
}

fn settled(it: &Comparison<'_>, failures: &mut Failures) {
    let mut made: HashMap<(FileId, NodeId), Vec<Made>> = HashMap::new();
    let mut of_fix: HashMap<*const Fix, (&Fix, Vec<usize>)> = HashMap::new();
    for index in it.chosen {
        if let Some(fix) = &it.before[*index].fix {
            let (_, own) = of_fix.entry(Arc::as_ptr(fix)).or_insert((fix, Vec::new()));
            own.push(*index);
        }
    }
    let mut askers: HashMap<&Change, Vec<Arc<[usize]>>> = HashMap::new();
    for (fix, own) in of_fix.into_values() {
        let own: Arc<[usize]> = own.into();
        for change in &fix.changes {
            askers.entry(change).or_default().push(Arc::clone(&own));
        }
    }
    for (change, asked_by) in askers {
        let Some(file) = it.files.get(&change.file) else {
            continue;
        };
        let Some(node) = file.map.after(change.node) else {
            continue;
        };
        let Some((range, text)) = left(file, change) else {
            continue;
        };
        let inserted = file.map.inserted.iter().filter(|(list, inserted, _)| {
            range.is_none() && *list == change.node && inserted == text
        });
        for (_, _, item) in inserted {
            made.entry((change.file, *item)).or_default().push(Made {
                range: Some(Span::new(0, text.len())),
                text: text.to_owned(),
                asked_by: asked_by.clone(),
            });
        }
        made.entry((change.file, node)).or_default().push(Made {
            range,
            text: text.to_owned(),
            asked_by,
        });
    }
    for finding in it.after {
        let Some(fix) = finding.fix.as_ref() else {
            continue;
        };
        if fix.applicability < it.least {
            continue;
        }
        for change in &fix.changes {
            let made = made.get(&(change.file, change.node)).into_iter().flatten();
            for made in made.filter(|made| again(made, change)) {
                let mut blame: Vec<usize> = made
                    .asked_by
                    .iter()
                    .flat_map(|it| it.iter().copied())
                    .collect();
                blame.retain(|index| it.before[*index].rule == finding.rule);
                blame.sort_unstable();
                if !blame.is_empty() {
                    let rejection = Rejection::NotSettled {
                        rule: finding.rule,
                        path: it.sources.path(change.file).to_string(),
                    };
                    failures.add(rejection, &blame);
                }
            }
        }
    }
}

/// What a change leaves in the node: the range of the new decoded value, if it is one of a text, and what stands
/// there. `None` if no later change could be the same.
fn left<'c>(file: &ProvenFile, change: &'c Change) -> Option<(Option<Span>, &'c str)> {
    Some(match &change.kind {
        ChangeKind::Replace { range, text, .. } => {
            let range = new_range(file, change.node, *range, text);
            (Some(range), text.as_str())
        }
        ChangeKind::InsertItem { value, .. } => (None, value.as_str()),
        // The mapping has the key now, whatever its value.
        ChangeKind::InsertEntry { key, .. } => (None, key.as_str()),
        ChangeKind::ReplaceNode { text, .. } => (Some(Span::new(0, text.len())), text.as_str()),
        // The comment is not part of any node; that it says what it should is proven with the text. Lines
        // that are a list are never split again, and a literal text is never unfolded.
        ChangeKind::ReplaceComment { .. }
        | ChangeKind::InsertComment { .. }
        | ChangeKind::SplitLines { .. }
        | ChangeKind::Unfold { .. }
        | ChangeKind::InsertSetting { .. }
        | ChangeKind::SpaceDash { .. } => return None,
    })
}

/// Whether `change` would change again what was made at the same node.
fn again(made: &Made, change: &Change) -> bool {
    match (&change.kind, made.range) {
        (ChangeKind::Replace { range, text, .. }, Some(old)) => {
            range.overlaps(old) || (meet(*range, old) && *text == made.text)
        }
        (ChangeKind::InsertItem { value, .. }, None) => *value == made.text,
        (ChangeKind::InsertEntry { key, .. }, None) => *key == made.text,
        _ => false,
    }
}

/// Where the replacement of `range` by `text` stands in the new value of `node`.
fn new_range(file: &ProvenFile, node: NodeId, range: Span, text: &str) -> Span {
    let mut shift = 0_i64;
    for other in file
        .plan
        .nodes
        .get(&node)
        .iter()
        .flat_map(|it| &it.replacements)
    {
        if other.range == range && other.text == text {
            break;
        }
        let grown = i64::try_from(other.text.len()).unwrap_or(0);
        shift += grown - i64::try_from(other.range.len()).unwrap_or(0);
    }
    let start = usize::try_from(i64::from(range.start) + shift).unwrap_or(0);
    Span::new(start, start + text.len())
}

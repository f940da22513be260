//! Point 5: the findings are gone, nothing as bad has come in their place, and a second run would leave
//! the changed places alone.

use std::collections::{BTreeMap, HashMap, HashSet};
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

/// The old findings of each file and rule.
type OldFindings = HashMap<(FileId, &'static str), Vec<Old>>;

/// Matches the findings after with those before, by rule and place. What matches a fixed one has
/// remained; what matches none is new.
fn gone(it: &Comparison<'_>, failures: &mut Failures) {
    let mut old = OldFindings::new();
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
    for finding in unmatched(it, &mut old) {
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

/// The findings after that match none of `old` but those that were fixed.
fn unmatched<'a>(it: &Comparison<'a>, old: &mut OldFindings) -> Vec<&'a Finding> {
    // The surest matches first, so that none is taken by a less sure one.
    let mut rest: Vec<&Finding> = it.after.iter().collect();
    let mut at_place: HashMap<(FileId, &str, Span), Vec<usize>> = HashMap::new();
    for ((file, rule), old) in &*old {
        for (index, old) in old.iter().enumerate().filter(|(_, old)| !old.fixed) {
            let place = at_place.entry((*file, rule, old.span)).or_default();
            place.push(index);
        }
    }
    rest.retain(|finding| {
        let key = (finding.file, finding.rule);
        let place = at_place.get(&(finding.file, finding.rule, finding.span));
        let (Some(old), Some(place)) = (old.get_mut(&key), place) else {
            return true;
        };
        let same = place.iter().copied().find(|index| {
            let old = &old[*index];
            it.before[old.index].message == finding.message && !old.matched
        });
        if let Some(index) = same {
            old[index].matched = true;
        }
        same.is_none()
    });
    rest.retain(|finding| {
        let old = old.get_mut(&(finding.file, finding.rule));
        let mut old = old.into_iter().flatten();
        let same = old.find(|it| !it.fixed && !it.matched && meet(it.span, finding.span));
        let unmatched = same.is_none();
        if let Some(old) = same {
            old.matched = true;
        }
        unmatched
    });
    rest
}

/// What the fixes have made, by node of the new tree, each list by place.
fn made<'a>(it: &Comparison<'a>) -> HashMap<(FileId, NodeId), Vec<Made>> {
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
    let mut new_ranges: HashMap<(FileId, NodeId), NewRanges<'_>> = HashMap::new();
    for (change, asked_by) in askers {
        let Some(file) = it.files.get(&change.file) else {
            continue;
        };
        let Some(node) = file.map.after(change.node) else {
            continue;
        };
        let Some((range, text)) = left(change) else {
            continue;
        };
        let range = match &change.kind {
            ChangeKind::Replace { range, text, .. } => {
                let ranges = new_ranges
                    .entry((change.file, change.node))
                    .or_insert_with(|| ranges_after(file, change.node));
                let new = ranges.get(&(*range, text.as_str())).copied();
                Some(new.unwrap_or(*range))
            }
            _ => range,
        };
        let inserted = range.is_none().then_some(&file.map.inserted);
        let own = |(list, it, _): &&(NodeId, String, NodeId)| *list == change.node && it == text;
        for (_, _, item) in inserted.into_iter().flatten().filter(own) {
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
    for made in made.values_mut() {
        made.sort_by_key(|made| made.range.map(|range| (range.start, range.end)));
    }
    made
}

fn settled(it: &Comparison<'_>, failures: &mut Failures) {
    let made = made(it);
    let mut seen = HashSet::new();
    for finding in it.after {
        let Some(fix) = finding.fix.as_ref() else {
            continue;
        };
        // The findings of one image share a fix.
        if fix.applicability < it.least || !seen.insert((Arc::as_ptr(fix), finding.rule)) {
            continue;
        }
        for change in &fix.changes {
            let made = made.get(&(change.file, change.node));
            let made = made.map_or(&[][..], |made| near(made, change));
            for made in made.iter().filter(|made| again(made, change)) {
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

/// What a change leaves in the node: the range of the decoded value, if it is one of a text (for a replacement the old
/// one), and what stands there. `None` if no later change could be the same.
fn left(change: &Change) -> Option<(Option<Span>, &str)> {
    Some(match &change.kind {
        ChangeKind::Replace { range, text, .. } => (Some(*range), text.as_str()),
        ChangeKind::InsertItem { value, .. } => (None, value.as_str()),
        // The mapping has the key now, whatever its value.
        ChangeKind::InsertEntry { key, .. } => (None, key.as_str()),
        ChangeKind::ReplaceNode { text, .. } => (Some(Span::new(0, text.len())), text.as_str()),
        // The comment is not part of any node; that it says what it should is proven with the text. Lines
        // that are a list are never split again, and a literal text is never unfolded.
        ChangeKind::ReplaceComment { .. }
        | ChangeKind::InsertComment { .. }
        | ChangeKind::RemoveItem { .. }
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

/// Those of `made`, which is sorted by place, that `change` may touch: what was inserted, and the replacements, which
/// are apart, that reach its range.
fn near<'m>(made: &'m [Made], change: &Change) -> &'m [Made] {
    let ChangeKind::Replace { range, .. } = &change.kind else {
        return made;
    };
    let first = made.partition_point(|it| it.range.is_none_or(|it| it.end < range.start));
    let last = made.partition_point(|it| it.range.is_none_or(|it| it.start <= range.end));
    made.get(first..last).unwrap_or(&[])
}

/// By the old range of a replacement and its text: where it stands in the new value.
type NewRanges<'a> = HashMap<(Span, &'a str), Span>;

/// Where each replacement of the node stands in the new value.
fn ranges_after(file: &ProvenFile, node: NodeId) -> NewRanges<'_> {
    let mut shift = 0_i64;
    let mut ranges = HashMap::new();
    let todo = file.plan.nodes.get(&node);
    for other in todo.into_iter().flat_map(|it| &it.replacements) {
        let start = usize::try_from(i64::from(other.range.start) + shift).unwrap_or(0);
        let new = Span::new(start, start + other.text.len());
        ranges
            .entry((other.range, other.text.as_str()))
            .or_insert(new);
        let grown = i64::try_from(other.text.len()).unwrap_or(0);
        shift += grown - i64::try_from(other.range.len()).unwrap_or(0);
    }
    ranges
}

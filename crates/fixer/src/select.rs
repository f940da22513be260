//! Which fixes can be made together.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use tagwright_diagnostics::{Applicability, Change, ChangeKind, FileId, Finding, Fix};
use tagwright_syntax::yaml::NodeId;

use crate::materialise::{overlap, same_place};

/// What to do with the fixes of one round.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Indices of the findings whose fixes go together, the most severe first.
    pub(crate) chosen: Vec<usize>,
    /// Those that get in the way of a chosen one and wait for the next round.
    pub(crate) waiting: Vec<usize>,
}

/// Chooses fixes of `findings` from the applicability `least` on, without those in `rejected`. Where two
/// fixes get in each other's way, the one of the more severe finding goes first, then the earlier one.
/// Changes that several fixes have in common do not get in the way.
pub(crate) fn select(
    findings: &[Finding],
    least: Applicability,
    rejected: &HashSet<usize>,
) -> Selection {
    let mut candidates: Vec<usize> = (0..findings.len())
        .filter(|index| !rejected.contains(index) && is_candidate(&findings[*index], least))
        .collect();
    candidates.sort_by_key(|index| std::cmp::Reverse(findings[*index].severity));

    let mut selection = Selection::default();
    let mut taken: HashMap<(FileId, NodeId), Taken<'_>> = HashMap::new();
    let mut known: HashSet<&Change> = HashSet::new();
    // The findings of one image have one fix, and what is said of it holds for all of them.
    let mut judged: HashMap<*const Fix, bool> = HashMap::new();
    for index in candidates {
        let shared = findings[index].fix.as_ref().map(Arc::as_ptr);
        if let Some(clashes) = shared.and_then(|fix| judged.get(&fix)) {
            let list = if *clashes {
                &mut selection.waiting
            } else {
                &mut selection.chosen
            };
            list.push(index);
            continue;
        }
        let changes = findings[index].fix.iter().flat_map(|fix| &fix.changes);
        let clashes = changes.clone().any(|change| {
            let others = taken.get(&(change.file, change.node));
            let others = others.into_iter().flat_map(|taken| taken.near(change));
            let mut others = others.filter(|other| *other != change);
            // Two different insertions at one place: the second rule should see the first one's text.
            others.any(|other| overlap(other, change) || same_place(other, change))
        });
        judged.extend(shared.map(|fix| (fix, clashes)));
        if clashes {
            selection.waiting.push(index);
            continue;
        }
        for change in changes {
            if known.insert(change) {
                let of_node = taken.entry((change.file, change.node)).or_default();
                of_node.add(change);
            }
        }
        selection.chosen.push(index);
    }
    selection
}

/// The chosen changes of one node.
#[derive(Default)]
struct Taken<'a> {
    /// Replacements by where they start and end. Those that are chosen are apart.
    replacements: BTreeMap<(u32, u32), Vec<&'a Change>>,
    others: Vec<&'a Change>,
}

impl<'a> Taken<'a> {
    fn add(&mut self, change: &'a Change) {
        match &change.kind {
            ChangeKind::Replace { range, .. } => {
                let same = self.replacements.entry((range.start, range.end));
                same.or_default().push(change);
            }
            _ => self.others.push(change),
        }
    }

    /// Those that may get in the way of `change`: all but the replacements that surely do not touch it.
    fn near(&self, change: &Change) -> impl Iterator<Item = &'a Change> {
        let (start, end) = match &change.kind {
            ChangeKind::Replace { range, .. } => (range.start, range.end),
            _ => (0, u32::MAX),
        };
        self.replacements
            .range(..=(end, u32::MAX))
            .rev()
            .take_while(move |((_, other), _)| *other >= start)
            .flat_map(|(_, changes)| changes)
            .chain(&self.others)
            .copied()
    }
}

/// Whether the finding has a fix that may be made.
pub(crate) fn is_candidate(finding: &Finding, least: Applicability) -> bool {
    let least = least.max(Applicability::Unsafe);
    let fix = finding.fix.as_ref();
    fix.is_some_and(|fix| fix.applicability >= least && !fix.changes.is_empty())
}

//! The fixpoint: choose, apply, prove, ask the rules again, until nothing is left to do.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use tagwright_diagnostics::{Applicability, Change, FileId, Finding};
use tagwright_syntax::{LineIndex, Position};

use crate::materialise::{Materialiser, by_file, changes_of};
use crate::prove::{self, Proven, ProvenFile};
use crate::select::{is_candidate, select};
use crate::{Rejection, Relint, Sources, unchanged_lines};

/// How often the rules may be asked in one run to find out which fixes of a failed set are at fault.
/// Beyond that the fixes of the set are reported as not tried alone.
const TRIALS: u32 = 128;

/// How many bytes of text may be made of one file in one round to find out which of its fixes are at fault, and how many
/// texts in any case. Beyond that the fixes of the set are reported as not tried alone: half a megabyte in which half
/// of thousands of fixes fail would take minutes.
const TEXT_TRIALS: usize = 2 * 1024 * 1024;
const FEWEST_TEXTS: usize = 4;

/// How many bytes of such texts, and how many texts, are kept in case a set of fixes is tried again.
const BYTES_KEPT: usize = 2 * 1024 * 1024;
const TEXTS_KEPT: usize = 64;

/// What a run may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Also apply fixes that are right only if nothing outside the workspace depends on the old text.
    pub unsafe_fixes: bool,
    /// After this many rounds a run stops even if there is more to do.
    pub max_rounds: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            unsafe_fixes: false,
            max_rounds: 10,
        }
    }
}

/// What a run has done, in memory.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The texts as they should be now; see [`Sources::changed_from`].
    pub sources: Sources,
    /// The fixes that were made, in the order in which they were.
    pub applied: Vec<Applied>,
    /// The fixes that could have been made by their applicability, but failed.
    pub not_applied: Vec<NotApplied>,
    /// The findings that are left, with places in the new texts.
    pub findings: Vec<Finding>,
    /// Rounds in which something changed.
    pub rounds: u32,
    /// Whether the run ended because nothing was left to do. If not, it reached its limit of rounds;
    /// what it did until then is proven all the same.
    pub converged: bool,
}

/// A fix that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The finding that is gone, with places in the text of its round.
    pub finding: Finding,
    /// The round, from 1. In round 1 the places are those of the original text.
    pub round: u32,
    /// Where the finding started in the original text, as near as that can be said: what an earlier round inserted is
    /// at the line before it.
    pub position: Position,
}

/// A fix that was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotApplied {
    /// The finding, which is still there; places in the new text.
    pub finding: Finding,
    /// Why not.
    pub reason: Rejection,
}

/// Applies what can be applied to `sources`: asks `relint` for findings, makes the fixes that get along
/// and prove themselves, and starts again with the new texts until nothing changes any more.
#[must_use]
pub fn run(sources: Sources, relint: &dyn Relint, options: Options) -> Outcome {
    let findings = relint.lint(&sources);
    run_from(sources, findings, relint, options)
}

/// [`run`] for a caller that already has the findings of `sources`.
#[must_use]
pub fn run_from(
    sources: Sources,
    findings: Vec<Finding>,
    relint: &dyn Relint,
    options: Options,
) -> Outcome {
    let least = if options.unsafe_fixes {
        Applicability::Unsafe
    } else {
        Applicability::Safe
    };
    let original = sources.clone();
    let mut outcome = Outcome {
        sources,
        applied: Vec::new(),
        not_applied: Vec::new(),
        findings,
        rounds: 0,
        converged: false,
    };
    let mut trials = TRIALS;
    loop {
        if outcome.rounds >= options.max_rounds {
            let left = outcome.findings.iter().filter(|it| is_candidate(it, least));
            let rounds = options.max_rounds;
            outcome.not_applied = left
                .map(|finding| NotApplied {
                    finding: finding.clone(),
                    reason: Rejection::NotConverged { rounds },
                })
                .collect();
            outcome.converged = outcome.not_applied.is_empty();
            return outcome;
        }
        let mut round = Round {
            sources: &outcome.sources,
            findings: &outcome.findings,
            least,
            relint,
            trials,
            materialiser: Materialiser::new(&outcome.sources),
            derived: HashMap::new(),
            rejected: BTreeMap::new(),
            accepted: Vec::new(),
            proven: None,
        };
        round.play();
        trials = round.trials;
        let Round {
            rejected,
            accepted,
            proven,
            ..
        } = round;
        let Some(proven) = proven else {
            outcome.not_applied = rejected
                .into_iter()
                .map(|(index, reason)| NotApplied {
                    finding: outcome.findings[index].clone(),
                    reason,
                })
                .collect();
            outcome.converged = true;
            return outcome;
        };
        outcome.rounds += 1;
        let mut lines: HashMap<FileId, LineIndex> = HashMap::new();
        for index in accepted {
            let finding = outcome.findings[index].clone();
            let text = outcome.sources.text(finding.file).unwrap_or_default();
            let lines = lines
                .entry(finding.file)
                .or_insert_with(|| LineIndex::new(text));
            let position = lines.position(text, finding.span.start);
            let before = original.text(finding.file).unwrap_or_default();
            outcome.applied.push(Applied {
                position: originally(before, text, position),
                round: outcome.rounds,
                finding,
            });
        }
        outcome.sources = proven.sources;
        outcome.findings = proven.findings;
    }
}

/// The place in the text `before` that has become `position` of `text`.
fn originally(before: &str, text: &str, position: Position) -> Position {
    if before == text {
        return position;
    }
    let lines = unchanged_lines(before, text).into_iter();
    let above = lines.take_while(|(_, new)| *new <= position.line).last();
    match above {
        Some((old, new)) if new == position.line => Position {
            line: old,
            ..position
        },
        // The lines between two that stay correspond one by one where there are as many.
        Some((old, new)) => Position {
            line: old + (position.line - new),
            column: 1,
        },
        None => Position { line: 1, column: 1 },
    }
}

/// One round: everything refers to the texts at its start.
struct Round<'a> {
    sources: &'a Sources,
    findings: &'a [Finding],
    least: Applicability,
    relint: &'a dyn Relint,
    /// How often the rules may still be asked.
    trials: u32,
    materialiser: Materialiser<'a>,
    /// What each set of changes of one file led to, so that trying subsets repeats little work.
    derived: HashMap<FileId, Derived>,
    rejected: BTreeMap<usize, Rejection>,
    accepted: Vec<usize>,
    proven: Option<Proven>,
}

type Files = BTreeMap<FileId, Arc<ProvenFile>>;

/// A proven text, or why there is none.
type Derivation = Result<Arc<ProvenFile>, Rejection>;

/// What sets of changes of one file led to.
#[derive(Default)]
struct Derived {
    /// The last ones.
    kept: VecDeque<(Vec<Change>, Derivation)>,
    /// How many there were.
    texts: usize,
}

impl Round<'_> {
    /// Accepts as many fixes as possible. A fix that waited for one that was then rejected gets its turn.
    fn play(&mut self) {
        while self.accepted.is_empty() {
            let rejected: HashSet<usize> = self.rejected.keys().copied().collect();
            let chosen = select(self.findings, self.least, &rejected).chosen;
            if chosen.is_empty() {
                return;
            }
            let chosen = self.sound(chosen);
            self.settle(chosen);
        }
    }

    fn touches(&self, index: usize, file: FileId) -> bool {
        let fix = self.findings[index].fix.as_ref();
        fix.is_some_and(|fix| fix.changes.iter().any(|change| change.file == file))
    }

    fn by_file(&self, chosen: &[usize]) -> BTreeMap<FileId, Vec<Change>> {
        let fixes = chosen
            .iter()
            .filter_map(|index| self.findings[*index].fix.as_ref());
        by_file(changes_of(fixes))
    }

    fn derive(&mut self, file: FileId, changes: Vec<Change>) -> Result<Arc<ProvenFile>, Rejection> {
        let derived = self.derived.entry(file).or_default();
        if let Some((_, known)) = derived.kept.iter().find(|(it, _)| *it == changes) {
            return known.clone();
        }
        let result = prove::derive(&mut self.materialiser, self.sources, file, &changes);
        let result = result.map(Arc::new);
        let bytes = self.sources.text(file).map_or(0, str::len);
        let most = (BYTES_KEPT / bytes.max(1)).clamp(2, TEXTS_KEPT);
        derived.texts += 1;
        derived.kept.truncate(most - 1);
        derived.kept.push_front((changes, result.clone()));
        result
    }

    /// Whether no more sets of fixes of the file may be tried in this round.
    fn is_exhausted(&self, file: FileId) -> bool {
        let texts = self.derived.get(&file).map_or(0, |derived| derived.texts);
        let bytes = self.sources.text(file).map_or(0, str::len);
        texts >= FEWEST_TEXTS && texts.saturating_mul(bytes) >= TEXT_TRIALS
    }

    /// Points 1 to 4 for the chosen fixes together; on failure the file.
    fn derive_all(&mut self, chosen: &[usize]) -> Result<Files, (FileId, Rejection)> {
        let mut files = Files::new();
        for (file, changes) in self.by_file(chosen) {
            let proven = self.derive(file, changes).map_err(|it| (file, it))?;
            files.insert(file, proven);
        }
        Ok(files)
    }

    /// Those of `chosen` for which points 1 to 4 hold together. The others are rejected.
    fn sound(&mut self, mut chosen: Vec<usize>) -> Vec<usize> {
        while let Err((file, reason)) = self.derive_all(&chosen) {
            let touching: Vec<usize> = chosen
                .iter()
                .copied()
                .filter(|index| self.touches(*index, file))
                .collect();
            let mut good = Vec::new();
            self.sound_in_file(file, &mut good, &touching, Some(reason));
            let rejected = &self.rejected;
            chosen.retain(|index| !rejected.contains_key(index));
        }
        chosen
    }

    /// Adds to `good` what of `more` can join it in `file`, halving what fails. `known` is the result
    /// for all of `more`, if that is known already.
    fn sound_in_file(
        &mut self,
        file: FileId,
        good: &mut Vec<usize>,
        more: &[usize],
        known: Option<Rejection>,
    ) {
        if known.is_none() && self.is_exhausted(file) {
            let untried = more.iter().map(|index| (*index, Rejection::NotTried));
            self.rejected.extend(untried);
            return;
        }
        let failure = known.or_else(|| {
            let together: Vec<usize> = good.iter().chain(more).copied().collect();
            let changes = self.by_file(&together).remove(&file).unwrap_or_default();
            self.derive(file, changes).err()
        });
        match (failure, more) {
            (None, _) => good.extend(more),
            (Some(_), []) => {}
            (Some(reason), [index]) => {
                self.rejected.insert(*index, reason);
            }
            (Some(_), _) => {
                let (first, second) = more.split_at(more.len() / 2);
                self.sound_in_file(file, good, first, None);
                self.sound_in_file(file, good, second, None);
            }
        }
    }

    /// Point 5: accepts those of `chosen` that settle together; the others are rejected.
    fn settle(&mut self, chosen: Vec<usize>) {
        let mut suspects: BTreeSet<usize> = BTreeSet::new();
        let mut known = None;
        // First without those that the failure speaks against: usually the second try succeeds.
        let mut rest = chosen.clone();
        while !rest.is_empty() {
            if self.trials == 0 {
                suspects.extend(&rest);
                break;
            }
            match self.attempt(&rest) {
                Ok(proven) => {
                    self.proven = Some(proven);
                    self.accepted = rest;
                    break;
                }
                Err((reason, blame)) => {
                    let before = rest.len();
                    suspects.extend(&blame);
                    rest.retain(|index| !blame.contains(index));
                    if rest.len() == before {
                        suspects.extend(&rest);
                        rest.clear();
                    }
                    known = (suspects.len() == chosen.len() && before == chosen.len())
                        .then_some(reason);
                }
            }
        }
        // Then they get a chance of their own, in the order of the selection.
        let again: Vec<usize> = chosen
            .into_iter()
            .filter(|index| suspects.contains(index))
            .collect();
        if !again.is_empty() {
            self.settle_more(&again, known);
        }
    }

    /// Accepts what of `more` settles together with what is accepted, halving what fails. `known` is the
    /// result for all of `more`, if that is known already.
    fn settle_more(&mut self, more: &[usize], known: Option<Rejection>) {
        if self.trials == 0 && known.is_none() {
            for index in more {
                self.rejected.insert(*index, Rejection::NotTried);
            }
            return;
        }
        let failure = match known {
            Some(reason) => reason,
            None => {
                let together: Vec<usize> = self.accepted.iter().chain(more).copied().collect();
                match self.attempt(&together) {
                    Ok(proven) => {
                        self.proven = Some(proven);
                        self.accepted = together;
                        return;
                    }
                    Err((reason, _)) => reason,
                }
            }
        };
        if let [index] = more {
            self.rejected.insert(*index, failure);
            return;
        }
        let (first, second) = more.split_at(more.len() / 2);
        for half in [first, second] {
            if !half.is_empty() {
                self.settle_more(half, None);
            }
        }
    }

    fn attempt(&mut self, chosen: &[usize]) -> Result<Proven, (Rejection, Vec<usize>)> {
        let files = self
            .derive_all(chosen)
            .map_err(|(_, reason)| (reason, chosen.to_vec()))?;
        self.trials = self.trials.saturating_sub(1);
        prove::settle(
            self.sources,
            self.findings,
            chosen,
            self.least,
            &files,
            self.relint,
        )
        .map_err(|(reason, blame)| (reason, blame.0))
    }
}

//! What rules ask of the assignments of one file, looked up instead of searched for: a file of twenty thousand
//! assignments is asked about each of its images.
//!
//! The tables are made when they are first asked for, and most files are never asked. They hold for facts that do
//! not change any more, as those of a file that has been read.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, OnceLock, PoisonError};

use tagwright_syntax::yaml::NodeId;
use tagwright_syntax::{SmolStr, Span};

/// The tables of one file, whose commands run in the order `O`. A copy of the facts makes its own.
pub(crate) struct Lookup<O>(OnceLock<Box<Tables<O>>>);

impl<O> Default for Lookup<O> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<O> Clone for Lookup<O> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<O> std::fmt::Debug for Lookup<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lookup")
    }
}

/// What is asked of an assignment.
pub(crate) struct Entry<'a, O> {
    pub(crate) name: &'a SmolStr,
    /// Bytes of the file.
    pub(crate) span: Span,
    pub(crate) order: O,
    /// Whether a command does it.
    pub(crate) by_command: bool,
}

pub(crate) struct Tables<O> {
    /// Indices among the assignments, ascending.
    pub(crate) by_name: HashMap<SmolStr, Vec<u32>>,
    pub(crate) all: Nested<O>,
    pub(crate) by_commands: Nested<O>,
    /// What somebody has asked of a scalar and a variable.
    pub(crate) answers: Remembered<(NodeId, SmolStr), bool>,
    /// What somebody has asked of the assignments to a variable.
    pub(crate) last: Remembered<SmolStr, Option<O>>,
}

impl<O: Copy + Ord> Lookup<O> {
    /// The tables, made of the assignments of the file when they are first asked for.
    pub(crate) fn tables<'a>(&self, entries: impl Iterator<Item = Entry<'a, O>>) -> &Tables<O> {
        self.0.get_or_init(|| Box::new(Tables::new(entries)))
    }
}

impl<O: Copy + Ord> Tables<O> {
    fn new<'a>(entries: impl Iterator<Item = Entry<'a, O>>) -> Self {
        let mut by_name: HashMap<SmolStr, Vec<u32>> = HashMap::new();
        let mut all = Vec::new();
        let mut by_commands = Vec::new();
        for (index, entry) in (0..).zip(entries) {
            by_name.entry(entry.name.clone()).or_default().push(index);
            let enclosed = (entry.span, index, entry.order);
            all.push(enclosed);
            if entry.by_command {
                by_commands.push(enclosed);
            }
        }
        Self {
            by_name,
            all: Nested::new(all),
            by_commands: Nested::new(by_commands),
            answers: Remembered::default(),
            last: Remembered::default(),
        }
    }
}

/// Spans of which each two are apart or one in the other, as those of assignments are.
pub(crate) struct Nested<O> {
    /// By start, the longer first.
    spans: Vec<Enclosed<O>>,
}

pub(crate) struct Enclosed<O> {
    span: Span,
    /// The index of the first assignment there, and when the earliest of them runs: an alias is read many times.
    pub(crate) first: u32,
    pub(crate) order: O,
    /// The span around it.
    parent: Option<u32>,
}

impl<O: Copy + Ord> Nested<O> {
    /// Of the spans of assignments with their indices and when they run.
    fn new(mut sorted: Vec<(Span, u32, O)>) -> Self {
        sorted.sort_by_key(|(span, index, _)| (span.start, std::cmp::Reverse(span.end), *index));
        let mut spans: Vec<Enclosed<O>> = Vec::with_capacity(sorted.len());
        let mut parent: Option<u32> = None;
        for (span, first, order) in sorted {
            if let Some(last) = spans.last_mut().filter(|last| last.span == span) {
                last.order = last.order.min(order);
                continue;
            }
            while let Some(around) = parent.filter(|it| !spans[*it as usize].span.contains(span)) {
                parent = spans[around as usize].parent;
            }
            spans.push(Enclosed {
                span,
                first,
                order,
                parent,
            });
            parent = u32::try_from(spans.len() - 1).ok();
        }
        Self { spans }
    }

    /// Those around `span`, the shortest first.
    pub(crate) fn around(&self, span: Span) -> impl Iterator<Item = &Enclosed<O>> {
        let after = self.spans.partition_point(|it| it.span.start <= span.start);
        let nearest = after.checked_sub(1).and_then(|at| self.spans.get(at));
        std::iter::successors(nearest, |it| {
            it.parent.and_then(|at| self.spans.get(at as usize))
        })
        .filter(move |it| it.span.contains(span))
    }
}

/// Answers to a question that is always the same.
pub(crate) struct Remembered<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Copy> Remembered<K, V> {
    /// The answer for `key`, which `ask` finds out the first time.
    pub(crate) fn get(&self, key: K, ask: impl FnOnce() -> V) -> V {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = lock().get(&key).copied();
        answer.unwrap_or_else(|| {
            let answer = ask();
            lock().insert(key, answer);
            answer
        })
    }
}

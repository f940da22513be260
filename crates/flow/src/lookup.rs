//! What rules ask of the assignments of one file, looked up instead of searched for: a file of twenty thousand
//! assignments is asked about each of its images.
//!
//! The tables are made when they are first asked for, and most files are never asked. They hold for facts that do
//! not change any more, as those of a file that has been read.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, OnceLock, PoisonError};

use tagwright_syntax::yaml::{self, NodeId, Tree};
use tagwright_syntax::{SmolStr, Span};

use crate::facts::{AssignmentFact, AssignmentPlace, FileFacts, Order};

/// The tables of one file. A copy of the facts makes its own.
#[derive(Default)]
pub struct Lookup(OnceLock<Box<Tables>>);

impl Clone for Lookup {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for Lookup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lookup")
    }
}

#[derive(Default)]
struct Tables {
    /// Indices among the assignments, ascending.
    by_name: HashMap<SmolStr, Vec<u32>>,
    all: Nested,
    by_commands: Nested,
    tree: OnceLock<Tree>,
    answers: Mutex<HashMap<(NodeId, SmolStr), bool>>,
    last: Mutex<HashMap<SmolStr, Option<Order>>>,
}

/// Spans of which each two are apart or one in the other, as those of assignments are.
#[derive(Default)]
struct Nested {
    /// By start, the longer first.
    spans: Vec<Enclosed>,
}

struct Enclosed {
    span: Span,
    /// The first assignment there, and when the earliest of them runs: an alias is read many times.
    first: u32,
    order: Order,
    /// The span around it.
    parent: Option<u32>,
}

impl Nested {
    fn new<'a>(assignments: impl Iterator<Item = (u32, &'a AssignmentFact)>) -> Self {
        let mut sorted: Vec<(u32, &AssignmentFact)> = assignments.collect();
        sorted.sort_by_key(|(index, a)| (a.span.start, std::cmp::Reverse(a.span.end), *index));
        let mut spans: Vec<Enclosed> = Vec::with_capacity(sorted.len());
        let mut parent: Option<u32> = None;
        for (first, assignment) in sorted {
            let (span, order) = (assignment.span, assignment.order);
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
    fn around(&self, span: Span) -> impl Iterator<Item = &Enclosed> {
        let after = self.spans.partition_point(|it| it.span.start <= span.start);
        let nearest = after.checked_sub(1).and_then(|at| self.spans.get(at));
        std::iter::successors(nearest, |it| {
            it.parent.and_then(|at| self.spans.get(at as usize))
        })
        .filter(move |it| it.span.contains(span))
    }
}

impl FileFacts {
    fn tables(&self) -> &Tables {
        self.lookup.0.get_or_init(|| {
            let mut tables = Tables::default();
            for (index, assignment) in (0..).zip(&self.assignments) {
                let of_name = tables.by_name.entry(assignment.name.clone());
                of_name.or_default().push(index);
            }
            let numbered = || (0..).zip(&self.assignments);
            tables.all = Nested::new(numbered());
            let by_commands = numbered().filter(|(_, a)| a.place == AssignmentPlace::Command);
            tables.by_commands = Nested::new(by_commands);
            Box::new(tables)
        })
    }

    /// The assignments to the variable `name`, in the order in which they run.
    pub fn assigned(&self, name: &str) -> impl Iterator<Item = &AssignmentFact> + Clone {
        let indices = self.tables().by_name.get(name);
        indices
            .into_iter()
            .flatten()
            .filter_map(|index| self.assignments.get(*index as usize))
    }

    /// The shortest assignment that holds `span`, bytes of the file.
    #[must_use]
    pub fn assignment_around(&self, span: Span) -> Option<&AssignmentFact> {
        let found = self.tables().all.around(span).next()?;
        self.assignments.get(found.first as usize)
    }

    /// When the first of the commands runs that assign a value in which `span` stands, bytes of the file.
    #[must_use]
    pub fn assigned_at(&self, span: Span) -> Option<Order> {
        let around = self.tables().by_commands.around(span);
        around.map(|it| it.order).min()
    }

    /// The decoded text of the scalar `node`, of the tree that reading the file gives.
    #[must_use]
    pub fn scalar(&self, node: NodeId) -> Option<&str> {
        let tree = self.tables().tree.get_or_init(|| yaml::parse(&self.text));
        tree.text(node)
    }

    /// When the last of the assignments to `name` runs of which `ask` is true; asked once for each name, so `ask`
    /// must always be the same question.
    pub fn last_assigned(
        &self,
        name: &SmolStr,
        ask: impl Fn(&AssignmentFact) -> bool,
    ) -> Option<Order> {
        remembered(&self.tables().last, name.clone(), || {
            let matching = self.assigned(name).filter(|it| ask(it));
            matching.map(|it| it.order).max()
        })
    }

    /// What `ask` says of the scalar `node` and the variable `name`; asked once for both, so `ask` must always
    /// be the same question.
    pub fn answer(&self, node: NodeId, name: &SmolStr, ask: impl FnOnce() -> bool) -> bool {
        remembered(&self.tables().answers, (node, name.clone()), ask)
    }
}

fn remembered<K: Eq + Hash, V: Copy>(
    known: &Mutex<HashMap<K, V>>,
    key: K,
    ask: impl FnOnce() -> V,
) -> V {
    let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
    let answer = lock().get(&key).copied();
    answer.unwrap_or_else(|| {
        let answer = ask();
        lock().insert(key, answer);
        answer
    })
}

//! What rules ask of the assignments of one file.

use std::ops::Deref;
use std::sync::Arc;

use tagwright_syntax::yaml::{NodeId, Tree};
use tagwright_syntax::{SmolStr, Span};

use crate::facts::{AssignmentFact, AssignmentPlace, FileFacts, Order};
use crate::lookup::{Entry, Tables};

/// So many assignments are searched sooner than tables of them are made.
const FEW: usize = 32;

/// The decoded text of a scalar, together with the tree that holds it.
pub struct ScalarText {
    tree: Arc<Tree>,
    node: NodeId,
}

impl Deref for ScalarText {
    type Target = str;

    fn deref(&self) -> &str {
        self.tree.text(self.node).unwrap_or_default()
    }
}

impl FileFacts {
    fn has_few(&self) -> bool {
        self.assignments.len() <= FEW
    }

    /// The tables; where there are few assignments, those of the answers alone.
    fn tables(&self) -> &Tables<Order> {
        let assignments = self.assignments.iter().filter(|_| !self.has_few());
        self.lookup.tables(assignments.map(|it| Entry {
            name: &it.name,
            span: it.span,
            order: it.order,
            by_command: it.place == AssignmentPlace::Command,
        }))
    }

    /// The assignments to the variable `name`, in the order in which they run.
    pub fn assigned(&self, name: &str) -> impl Iterator<Item = &AssignmentFact> + Clone {
        let few = self.has_few();
        let searched = few.then(|| self.assignments.iter().filter(move |it| *it.name == *name));
        let indices = (!few).then(|| self.tables().by_name.get(name)).flatten();
        let known = indices.into_iter().flatten();
        let known = known.filter_map(|index| self.assignments.get(*index as usize));
        searched.into_iter().flatten().chain(known)
    }

    /// The shortest assignment that holds `span`, bytes of the file.
    #[must_use]
    pub fn assignment_around(&self, span: Span) -> Option<&AssignmentFact> {
        if self.has_few() {
            let around = self.assignments.iter().filter(|it| it.span.contains(span));
            return around.min_by_key(|it| it.span.len());
        }
        let found = self.tables().all.around(span).next()?;
        self.assignments.get(found.first as usize)
    }

    /// When the first of the commands runs that assign a value in which `span` stands, bytes of the file.
    #[must_use]
    pub fn assigned_at(&self, span: Span) -> Option<Order> {
        if self.has_few() {
            let by_command = self.assignments.iter();
            let by_command = by_command.filter(|it| it.place == AssignmentPlace::Command);
            let around = by_command.filter(|it| it.span.contains(span));
            return around.map(|it| it.order).min();
        }
        let around = self.tables().by_commands.around(span);
        around.map(|it| it.order).min()
    }

    /// The decoded text of the scalar `node`, of the tree that reading the file gives.
    #[must_use]
    pub fn scalar(&self, node: NodeId) -> Option<ScalarText> {
        let tree = self.tree();
        tree.text(node)?;
        Some(ScalarText { tree, node })
    }

    /// When the last of the assignments to `name` runs of which `ask` is true; asked once for each name, so `ask`
    /// must always be the same question.
    pub fn last_assigned(
        &self,
        name: &SmolStr,
        ask: impl Fn(&AssignmentFact) -> bool,
    ) -> Option<Order> {
        self.tables().last.get(name.clone(), || {
            let matching = self.assigned(name).filter(|it| ask(it));
            matching.map(|it| it.order).max()
        })
    }

    /// What `ask` says of the scalar `node` and the variable `name`; asked once for both, so `ask` must always
    /// be the same question.
    pub fn answer(&self, node: NodeId, name: &SmolStr, ask: impl FnOnce() -> bool) -> bool {
        self.tables().answers.get((node, name.clone()), ask)
    }
}

//! What rules ask of the assignments of one file.

use tagwright_syntax::yaml::{self, NodeId};
use tagwright_syntax::{SmolStr, Span};

use crate::facts::{AssignmentFact, AssignmentPlace, FileFacts, Order};
use crate::lookup::{Entry, Tables};

impl FileFacts {
    fn tables(&self) -> &Tables<Order> {
        self.lookup.tables(self.assignments.iter().map(|it| Entry {
            name: &it.name,
            span: it.span,
            order: it.order,
            by_command: it.place == AssignmentPlace::Command,
        }))
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
        let tree = self
            .tables()
            .tree
            .get_or_init(|| yaml::parse_as(self.kind, &self.text));
        tree.text(node)
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

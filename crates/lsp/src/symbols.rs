//! The outline of a document: its keys, and the commands below them.

use gen_lsp_types::{DocumentSymbol, SymbolKind};
use tagwright_flow::FileId;
use tagwright_syntax::Span;
use tagwright_syntax::yaml::{self, NodeId, NodeKind, Tree};

use crate::position::Lines;
use crate::root::Root;
use crate::server::View;

/// Keys below this many others say nothing that the outline needs.
const DEPTH: usize = 4;

/// The symbols of the file `id`.
pub(crate) fn symbols(view: &View<'_>, root: &Root, id: FileId) -> Option<Vec<DocumentSymbol>> {
    let (_, document) = root.file(id)?;
    let outline = Outline {
        tree: &yaml::parse_as(document.kind, &document.text),
        lines: view.lines(root, id)?,
    };
    let roots = outline.tree.documents().iter();
    Some(roots.flat_map(|node| outline.below(*node, DEPTH)).collect())
}

struct Outline<'a> {
    tree: &'a Tree,
    lines: Lines<'a>,
}

impl Outline<'_> {
    fn below(&self, node: NodeId, depth: usize) -> Vec<DocumentSymbol> {
        // An alias stands for what has its symbols elsewhere.
        let NodeKind::Mapping(mapping) = &self.tree.node(node).kind else {
            return Vec::new();
        };
        mapping
            .entries
            .iter()
            .map(|entry| {
                let key = self.tree.node(entry.key).span;
                let value = self.tree.node(entry.value);
                let name = self.tree.text(entry.key).unwrap_or("?");
                let (kind, children) = match &value.kind {
                    _ if depth == 0 => (SymbolKind::Key, Vec::new()),
                    NodeKind::Mapping(_) => {
                        (SymbolKind::Module, self.below(entry.value, depth - 1))
                    }
                    NodeKind::Sequence(list) if matches!(name, "commands" | "finally") => {
                        (SymbolKind::Array, self.commands(&list.items))
                    }
                    NodeKind::Sequence(_) => (SymbolKind::Array, Vec::new()),
                    NodeKind::Scalar(_) | NodeKind::Alias { .. } => (SymbolKind::Key, Vec::new()),
                };
                self.symbol(name, kind, key.cover(value.span), key, children)
            })
            .collect()
    }

    fn commands(&self, items: &[NodeId]) -> Vec<DocumentSymbol> {
        let command = |item: &NodeId| {
            let span = self.tree.node(*item).span;
            let text = self.tree.text(*item)?;
            Some(self.symbol(text, SymbolKind::Function, span, span, Vec::new()))
        };
        items.iter().filter_map(command).collect()
    }

    fn symbol(
        &self,
        text: &str,
        kind: SymbolKind,
        whole: Span,
        name: Span,
        children: Vec<DocumentSymbol>,
    ) -> DocumentSymbol {
        #[allow(deprecated)] // The field has to have a value.
        DocumentSymbol {
            name: short(text),
            detail: None,
            kind,
            tags: None,
            deprecated: None,
            range: self.lines.range(whole),
            selection_range: self.lines.range(name),
            children: (!children.is_empty()).then_some(children),
        }
    }
}

/// The first line with something in it, not longer than an outline is wide. A symbol must have a name.
fn short(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut lines = text.lines().map(str::trim);
    let line = lines.find(|line| !line.is_empty()).unwrap_or("(empty)");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

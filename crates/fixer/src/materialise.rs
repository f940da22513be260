//! From declared changes to byte edits.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use tagwright_diagnostics::{Change, ChangeKind, FileId, Fix, WordEffect};
use tagwright_flow::kind::classify;
use tagwright_syntax::Span;
use tagwright_syntax::edit::{self, Edit, Replacement};
use tagwright_syntax::hcl;
use tagwright_syntax::yaml::{self, NodeId, NodeKind, Tree};

use crate::{Rejection, Sources};

/// The edits of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdits {
    /// The file.
    pub file: FileId,
    /// Edits of its text, ascending and not overlapping.
    pub edits: Vec<Edit>,
}

/// The edits that make the changes of `fix`, by file. The result is not proven.
///
/// # Errors
/// A [`Rejection`] where a change cannot be made.
pub fn materialise(fix: &Fix, sources: &Sources) -> Result<Vec<FileEdits>, Rejection> {
    Materialiser::new(sources).fix(fix)
}

/// [`materialise`] for many fixes of the same texts: reads each file once.
#[derive(Debug)]
pub struct Materialiser<'a> {
    sources: &'a Sources,
    trees: HashMap<FileId, Rc<SizedTree>>,
}

/// A tree and the number of its nodes, to recognise ids that are not its own.
#[derive(Debug)]
pub(crate) struct SizedTree {
    pub(crate) tree: Tree,
    nodes: usize,
}

/// What becomes of the nodes of one file.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) nodes: BTreeMap<NodeId, NodePlan>,
    /// Dashes that get a blank, ascending, and the items that their lines become. Then there is nothing else.
    pub(crate) dashes: Vec<(u32, String)>,
    /// What a file of Terraform gets, ascending. Then there is nothing else.
    pub(crate) settings: Vec<Setting>,
}

/// A new attribute, entry of an object or item of a list in a file of Terraform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Setting {
    /// Its neighbour, bytes of the file.
    pub(crate) behind: Span,
    /// Its name; an item has none.
    pub(crate) name: Option<Box<str>>,
    /// The text of its value.
    pub(crate) value: String,
}

/// What becomes of one node.
#[derive(Debug, Default)]
pub(crate) struct NodePlan {
    /// Ascending by place; insertions at one place in the order in which they were declared.
    pub(crate) replacements: Vec<Replacement>,
    /// For each replacement what it does to the shell words.
    pub(crate) effects: Vec<WordEffect>,
    /// Index and value, ascending by index; several at one index in the order in which they were declared.
    pub(crate) inserts: Vec<(u32, String)>,
    /// The indices of the items that go, ascending.
    pub(crate) removed: Vec<u32>,
    /// Index, key and value of new entries, ascending by index.
    pub(crate) entries: Vec<(u32, String, String)>,
    /// The bytes of the file that become a string of their own text, in the place of the whole node.
    pub(crate) replaced: Option<(Span, String)>,
    /// The items that the lines of the node become.
    pub(crate) split: Option<Vec<String>>,
    /// What the folded text reads as a literal one.
    pub(crate) unfolded: Option<String>,
    /// Comments of the file and what becomes of them, ascending; only at the file's root.
    pub(crate) comments: Vec<(Span, String)>,
    /// The comment that is put above the line on which the node begins.
    pub(crate) above: Option<String>,
}

impl<'a> Materialiser<'a> {
    /// Starts without having read anything.
    #[must_use]
    pub fn new(sources: &'a Sources) -> Self {
        Self {
            sources,
            trees: HashMap::new(),
        }
    }

    /// The edits that make the changes of `fix`, by file. The result is not proven.
    ///
    /// # Errors
    /// A [`Rejection`] where a change cannot be made.
    pub fn fix(&mut self, fix: &Fix) -> Result<Vec<FileEdits>, Rejection> {
        if fix.changes.is_empty() {
            return Err(Rejection::Empty);
        }
        by_file(&fix.changes)
            .into_iter()
            .map(|(file, changes)| {
                let (_, edits) = self.file(file, &changes)?;
                Ok(FileEdits { file, edits })
            })
            .collect()
    }

    pub(crate) fn tree(&mut self, file: FileId) -> Result<Rc<SizedTree>, Rejection> {
        if let Some(tree) = self.trees.get(&file) {
            return Ok(Rc::clone(tree));
        }
        let unknown = || Rejection::UnknownPlace {
            path: String::new(),
        };
        let text = self.sources.text(file).ok_or_else(unknown)?;
        let tree = yaml::parse_as(classify(self.sources.path(file), text), text);
        let nodes = tree.nodes().count();
        let tree = Rc::new(SizedTree { tree, nodes });
        self.trees.insert(file, Rc::clone(&tree));
        Ok(tree)
    }

    /// The plan and the edits for changes that all belong to `file`.
    pub(crate) fn file(
        &mut self,
        file: FileId,
        changes: &[Change],
    ) -> Result<(Plan, Vec<Edit>), Rejection> {
        let sized = self.tree(file)?;
        let tree = &sized.tree;
        let path = self.sources.path(file);
        let text = self.sources.text(file).unwrap_or_default();
        let plan = self.plan(file, changes)?;
        let refused = |node: NodeId, refusal| Rejection::Refused {
            path: path.to_string(),
            place: tree.path(node).to_string(),
            refusal,
        };

        if !plan.settings.is_empty() {
            let edits = settings(path, text, &plan.settings)?;
            return Ok((plan, edits));
        }
        let spaces = plan.dashes.iter().map(|(dash, _)| Edit {
            span: Span::empty(*dash as usize + 1),
            text: " ".to_owned(),
        });
        let mut edits: Vec<Edit> = spaces.collect();
        for (node, todo) in &plan.nodes {
            if let Some((span, value)) = &todo.replaced {
                edits.extend(
                    edit::replace_node(text, tree, *node, *span, value)
                        .map_err(|refusal| refused(*node, refusal))?,
                );
            }
            if let Some(items) = &todo.split {
                edits.extend(
                    edit::split_lines(text, tree, *node, items)
                        .map_err(|refusal| refused(*node, refusal))?,
                );
            }
            if todo.unfolded.is_some() {
                edits.extend(
                    edit::unfold(text, tree, *node).map_err(|refusal| refused(*node, refusal))?,
                );
            }
            if !todo.replacements.is_empty() {
                edits.extend(
                    edit::replace_in_scalar(text, tree, *node, &todo.replacements)
                        .map_err(|refusal| refused(*node, refusal))?,
                );
            }
        }
        // After the replacements: an item appended at the end of a file without a final line break
        // stands at the same place as text appended to the last item, and must come second.
        for (node, todo) in &plan.nodes {
            for (index, value) in &todo.inserts {
                edits.extend(
                    edit::insert_item(text, tree, *node, *index as usize, value)
                        .map_err(|refusal| refused(*node, refusal))?,
                );
            }
            for index in &todo.removed {
                edits.push(
                    edit::remove_item(text, tree, *node, *index as usize)
                        .map_err(|refusal| refused(*node, refusal))?,
                );
            }
            for (index, key, value) in &todo.entries {
                edits.push(
                    edit::insert_entry(text, tree, *node, *index as usize, key, value)
                        .map_err(|refusal| refused(*node, refusal))?,
                );
            }
        }
        for (node, todo) in &plan.nodes {
            for (comment, new) in &todo.comments {
                edits.push(edit::replace_comment(text, *comment, new));
            }
            if let Some(comment) = &todo.above {
                edits.push(edit::insert_comment(text, tree, *node, comment));
            }
        }
        Ok((plan, in_order(path, edits)?))
    }

    /// What becomes of which node, for changes that all belong to `file`.
    pub(crate) fn plan(&mut self, file: FileId, changes: &[Change]) -> Result<Plan, Rejection> {
        let sized = self.tree(file)?;
        let path = self.sources.path(file);
        let mut plan = Plan::default();
        let mut of_node: BTreeMap<NodeId, Vec<&Change>> = BTreeMap::new();
        let mut seen = HashSet::new();
        for change in changes {
            if let ChangeKind::InsertSetting {
                behind,
                name,
                value,
            } = &change.kind
            {
                plan.settings.push(Setting {
                    behind: *behind,
                    name: name.as_deref().map(Into::into),
                    value: value.clone(),
                });
                continue;
            }
            let known = (change.node.0 as usize) < sized.nodes;
            let fits = known
                && match (&change.kind, &sized.tree.node(change.node).kind) {
                    (ChangeKind::Replace { range, .. }, NodeKind::Scalar(scalar)) => {
                        scalar.value.get(range.range()).is_some()
                    }
                    (ChangeKind::InsertItem { index, .. }, NodeKind::Sequence(sequence)) => {
                        *index as usize <= sequence.items.len()
                    }
                    (ChangeKind::RemoveItem { index }, NodeKind::Sequence(sequence)) => {
                        (*index as usize) < sequence.items.len()
                    }
                    (ChangeKind::InsertEntry { index, .. }, NodeKind::Mapping(mapping)) => {
                        *index as usize <= mapping.entries.len()
                    }
                    (
                        ChangeKind::ReplaceNode { .. },
                        NodeKind::Mapping(_) | NodeKind::Scalar(_),
                    )
                    | (
                        ChangeKind::SplitLines { .. } | ChangeKind::Unfold { .. },
                        NodeKind::Scalar(_),
                    )
                    | (ChangeKind::InsertComment { .. }, _) => true,
                    (ChangeKind::ReplaceComment { comment, .. }, _) => {
                        sized.tree.comments().contains(comment)
                    }
                    (ChangeKind::SpaceDash { .. }, _) => sized.tree.error().is_some(),
                    // An alias is left to the primitive edit, whose refusal says why.
                    (_, NodeKind::Alias { .. }) => true,
                    _ => false,
                };
            if !fits {
                return Err(Rejection::UnknownPlace {
                    path: path.to_string(),
                });
            }
            if let ChangeKind::SpaceDash { dash, item } = &change.kind {
                plan.dashes.push((*dash, item.clone()));
                continue;
            }
            if seen.insert(change) {
                of_node.entry(change.node).or_default().push(change);
            }
        }
        if let Some((node, _)) = of_node.iter().find(|(_, all)| contradict(all)) {
            return Err(Rejection::Contradiction {
                path: path.to_string(),
                place: sized.tree.path(*node).to_string(),
            });
        }
        plan.settings.sort();
        plan.settings.dedup();
        if !plan.settings.is_empty() {
            let twice = plan
                .settings
                .windows(2)
                .any(|it| it[0].behind == it[1].behind);
            if twice || !of_node.is_empty() || !plan.dashes.is_empty() {
                return Err(Rejection::Contradiction {
                    path: path.to_string(),
                    place: "top level".to_string(),
                });
            }
            return Ok(plan);
        }
        plan.dashes.sort();
        plan.dashes.dedup();
        if !plan.dashes.is_empty() {
            if !of_node.is_empty() {
                return Err(Rejection::Contradiction {
                    path: path.to_string(),
                    place: "top level".to_string(),
                });
            }
            return Ok(plan);
        }
        for (node, changes) in of_node {
            let todo = plan.nodes.entry(node).or_default();
            let mut replacements = Vec::new();
            for change in changes {
                match &change.kind {
                    ChangeKind::Replace { range, text, words } => {
                        let replacement = Replacement {
                            range: *range,
                            text: text.clone(),
                        };
                        replacements.push((replacement, *words));
                    }
                    ChangeKind::InsertItem { index, value } => {
                        todo.inserts.push((*index, value.to_string()));
                    }
                    ChangeKind::RemoveItem { index } => todo.removed.push(*index),
                    ChangeKind::InsertEntry { index, key, value } => {
                        todo.entries.push((*index, key.to_string(), value.clone()));
                    }
                    ChangeKind::ReplaceNode { span, text } => {
                        todo.replaced = Some((*span, text.clone()));
                    }
                    ChangeKind::SplitLines { items } => todo.split = Some(items.clone()),
                    ChangeKind::Unfold { text } => todo.unfolded = Some(text.clone()),
                    ChangeKind::ReplaceComment { comment, text } => {
                        todo.comments.push((*comment, text.clone()));
                    }
                    ChangeKind::InsertComment { text } => todo.above = Some(text.clone()),
                    ChangeKind::SpaceDash { .. } | ChangeKind::InsertSetting { .. } => {}
                }
            }
            todo.comments.sort();
            replacements.sort_by_key(|(it, _)| (it.range.start, it.range.end));
            todo.inserts.sort_by_key(|(index, _)| *index);
            todo.removed.sort_unstable();
            todo.entries.sort_by_key(|(index, ..)| *index);
            (todo.replacements, todo.effects) = replacements.into_iter().unzip();
        }
        Ok(plan)
    }
}

/// The edits by place.
///
/// # Errors
/// [`Rejection::Overlap`] if two of them change the same bytes of the file `path`.
fn in_order(path: &str, mut edits: Vec<Edit>) -> Result<Vec<Edit>, Rejection> {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    if edits
        .windows(2)
        .any(|pair| pair[1].span.start < pair[0].span.end)
    {
        return Err(Rejection::Overlap {
            path: path.to_owned(),
        });
    }
    Ok(edits)
}

/// The edits that insert `settings` into a file of Terraform, ascending.
fn settings(path: &str, text: &str, settings: &[Setting]) -> Result<Vec<Edit>, Rejection> {
    let edits = settings.iter().map(|it| {
        let edit = hcl::insert_behind(text, it.behind, it.name.as_deref(), &it.value);
        edit.map_err(|refusal| Rejection::Refused {
            path: path.to_string(),
            place: it.name.as_deref().unwrap_or("list").to_owned(),
            refusal,
        })
    });
    in_order(path, edits.collect::<Result<Vec<Edit>, _>>()?)
}

/// The changes of each file, without repetitions, in their order.
pub(crate) fn by_file<'c>(
    changes: impl IntoIterator<Item = &'c Change>,
) -> BTreeMap<FileId, Vec<Change>> {
    let mut files: BTreeMap<FileId, Vec<Change>> = BTreeMap::new();
    let mut seen = HashSet::new();
    for change in changes {
        if seen.insert(change) {
            files.entry(change.file).or_default().push(change.clone());
        }
    }
    files
}

/// The changes of the fixes; those of one that many findings share come once.
pub(crate) fn changes_of<'f>(
    fixes: impl IntoIterator<Item = &'f Arc<Fix>>,
) -> impl Iterator<Item = &'f Change> {
    let mut seen = HashSet::new();
    fixes
        .into_iter()
        .filter(move |fix| seen.insert(Arc::as_ptr(fix)))
        .flat_map(|fix| &fix.changes)
}

/// Whether two different changes of one node cannot both be made, whoever asks for them.
pub(crate) fn overlap(one: &Change, other: &Change) -> bool {
    match (&one.kind, &other.kind) {
        (ChangeKind::Replace { range: a, .. }, ChangeKind::Replace { range: b, .. }) => {
            // Two insertions at one place do not overlap, an insertion inside a replaced range does.
            (a.start < b.end && b.start < a.end) || (a == b && !a.is_empty())
        }
        (
            ChangeKind::ReplaceComment { comment: a, .. },
            ChangeKind::ReplaceComment { comment: b, .. },
        ) => a == b,
        (ChangeKind::InsertEntry { key: a, .. }, ChangeKind::InsertEntry { key: b, .. }) => a == b,
        (
            ChangeKind::InsertSetting { behind: a, .. },
            ChangeKind::InsertSetting { behind: b, .. },
        ) => a == b,
        (ChangeKind::InsertComment { .. }, ChangeKind::InsertComment { .. })
        | (
            ChangeKind::ReplaceNode { .. }
            | ChangeKind::SplitLines { .. }
            | ChangeKind::Unfold { .. },
            _,
        )
        | (
            _,
            ChangeKind::ReplaceNode { .. }
            | ChangeKind::SplitLines { .. }
            | ChangeKind::Unfold { .. },
        ) => true,
        _ => false,
    }
}

/// Whether any two of these different changes of one node [`overlap`], without asking each pair: a script may have
/// thousands.
fn contradict(changes: &[&Change]) -> bool {
    let mut above = 0;
    let mut alone = false;
    let mut comments = HashSet::new();
    let mut ranges = Vec::new();
    for change in changes {
        match &change.kind {
            ChangeKind::InsertComment { .. } => above += 1,
            ChangeKind::ReplaceComment { comment, .. } if !comments.insert(*comment) => {
                return true;
            }
            ChangeKind::Replace { range, .. } => ranges.push((range.start, range.end)),
            ChangeKind::ReplaceNode { .. } | ChangeKind::SplitLines { .. } => alone = true,
            _ => {}
        }
    }
    ranges.sort_unstable();
    let mut furthest = 0;
    let overlapping = ranges.iter().any(|(start, end)| {
        let inside = *start < furthest;
        furthest = furthest.max(*end);
        inside
    });
    overlapping || above > 1 || alone && changes.len() > 1
}

/// Whether two different changes of one node stand at one place, so that their order would matter.
pub(crate) fn same_place(one: &Change, other: &Change) -> bool {
    match (&one.kind, &other.kind) {
        (ChangeKind::Replace { range: a, .. }, ChangeKind::Replace { range: b, .. }) => a == b,
        (ChangeKind::InsertItem { index: a, .. }, ChangeKind::InsertItem { index: b, .. }) => {
            a == b
        }
        (ChangeKind::InsertEntry { index: a, .. }, ChangeKind::InsertEntry { index: b, .. }) => {
            a == b
        }
        _ => false,
    }
}

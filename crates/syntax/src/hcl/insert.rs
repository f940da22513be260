//! New attributes, entries of objects and items of lists, as edits of the text.

use super::{Body, Expression, ExpressionKind};
use crate::Span;
use crate::edit::{Edit, EditRefusal};

/// What stands beside the place of something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    /// An attribute of a block.
    Attribute,
    /// An entry of an object.
    Entry,
    /// An item of a list.
    Item,
}

/// The edit that inserts something behind the attribute, the entry of an object or the item of a list that is the
/// bytes `neighbour` of `text`, in the same manner: `name = value`, or in a list `value` alone. `value` is the
/// text of an expression on one line. Comments stay on their lines.
///
/// # Errors
/// A [`EditRefusal`] where that cannot be done without touching anything else.
pub fn insert_behind(
    text: &str,
    neighbour: Span,
    name: Option<&str>,
    value: &str,
) -> Result<Edit, EditRefusal> {
    let body = super::parse(text).ok_or(EditRefusal::Shape("the file cannot be read"))?;
    let beside = find(&body, neighbour);
    let beside = beside.ok_or(EditRefusal::Shape("there is no such setting"))?;
    let (start, end) = (neighbour.start as usize, neighbour.end as usize);
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[end..].find('\n').map_or(text.len(), |at| end + at);
    let (line_end, line_break) = match text[..line_end].strip_suffix('\r') {
        Some(before) => (before.len(), "\r\n"),
        None => (line_end, "\n"),
    };
    let indentation = &text[line..start];
    let own_line = indentation.bytes().all(|byte| matches!(byte, b' ' | b'\t'));
    let rest = text[end..line_end].trim_start_matches([' ', '\t']);
    let (comma, tail) = match rest.strip_prefix(',') {
        Some(tail) => (true, tail.trim_start_matches([' ', '\t'])),
        None => (false, rest),
    };
    let ends_line = tail.is_empty() || tail.starts_with('#') || tail.starts_with("//");
    let entry = match (beside, name) {
        (Beside::Item, None) => value.to_owned(),
        (Beside::Attribute | Beside::Entry, Some(name)) => {
            let width = equals_column(neighbour.of(text)).unwrap_or(0);
            format!("{name:width$} = {value}", width = width.saturating_sub(1))
        }
        _ => return Err(EditRefusal::Shape("this is another kind of setting")),
    };
    let edit = |at: usize, text: String| Edit {
        span: Span::empty(at),
        text,
    };
    let new_line = |end: &str| format!("{line_break}{indentation}{entry}{end}");
    match beside {
        // A comma would begin another attribute in no version of the language.
        Beside::Attribute if own_line && ends_line && !comma => Ok(edit(line_end, new_line(""))),
        Beside::Attribute => Err(EditRefusal::Shape("the attribute is not alone on its line")),
        Beside::Entry if own_line && ends_line => {
            Ok(edit(line_end, new_line(if comma { "," } else { "" })))
        }
        Beside::Item if own_line && ends_line && comma => Ok(edit(line_end, new_line(","))),
        Beside::Item if own_line && tail.is_empty() => Ok(edit(end, format!(",{}", new_line("")))),
        Beside::Item if own_line && ends_line => Err(EditRefusal::Shape(
            "a comment stands where the list needs a comma",
        )),
        Beside::Entry | Beside::Item => {
            let entry = match name {
                Some(name) => format!("{name} = {value}"),
                None => entry,
            };
            Ok(edit(end, format!(", {entry}")))
        }
    }
}

/// The column of the equals sign of `name = value`, counted from the name.
fn equals_column(setting: &str) -> Option<usize> {
    let name = setting.find([' ', '\t', '='])?;
    let sign = setting[name..].find('=')?;
    let blank = setting[name..name + sign].bytes().all(|byte| byte == b' ');
    blank.then_some(name + sign)
}

/// What the bytes `wanted` are.
fn find(body: &Body, wanted: Span) -> Option<Beside> {
    for attribute in &body.attributes {
        if attribute.name_span.cover(attribute.value.span) == wanted {
            return Some(Beside::Attribute);
        }
        if attribute.value.span.contains(wanted) {
            return within(&attribute.value, wanted);
        }
    }
    let block = body.blocks.iter().find(|it| it.span.contains(wanted))?;
    find(&block.body, wanted)
}

fn within(value: &Expression, wanted: Span) -> Option<Beside> {
    let is = |span: Span| span == wanted;
    match &value.kind {
        ExpressionKind::Object(entries) if entries.iter().any(|it| is(it.span)) => {
            Some(Beside::Entry)
        }
        ExpressionKind::List(items) if items.iter().any(|it| is(it.span)) => Some(Beside::Item),
        _ => {
            let children = value.children();
            let inner = children.iter().find(|it| it.span.contains(wanted))?;
            within(inner, wanted)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::apply;
    use crate::hcl;

    #[track_caller]
    fn behind(text: &str, neighbour: &str, name: Option<&str>) -> Result<String, EditRefusal> {
        let at = text.find(neighbour).unwrap();
        let span = Span::new(at, at + neighbour.len());
        let edit = insert_behind(text, span, name, "1")?;
        let after = apply(text, &[edit]).unwrap();
        assert!(hcl::parse(&after).is_some(), "{after}");
        Ok(after)
    }

    #[test]
    fn a_setting_is_written_like_its_neighbour() {
        let k = Some("k");
        let cases = [
            (
                "a {\n  b    = 2 # c\n  d = 3\n}\n",
                "b    = 2",
                k,
                "a {\n  b    = 2 # c\n  k    = 1\n  d = 3\n}\n",
            ),
            (
                "a {\r\n\tb = 2\r\n}\r\n",
                "b = 2",
                k,
                "a {\r\n\tb = 2\r\n\tk = 1\r\n}\r\n",
            ),
            (
                "a = {\n  b = c.d\n}\n",
                "b = c.d",
                k,
                "a = {\n  b = c.d\n  k = 1\n}\n",
            ),
            (
                "a = {\n  b = 2, // c\n}\n",
                "b = 2",
                k,
                "a = {\n  b = 2, // c\n  k = 1,\n}\n",
            ),
            ("a = { b = 2 }\n", "b = 2", k, "a = { b = 2, k = 1 }\n"),
            (
                "a = f([{ b = 2 }])\n",
                "{ b = 2 }",
                None,
                "a = f([{ b = 2 }, 1])\n",
            ),
            (
                "a = f([\n  { b = 2 },\n])\n",
                "{ b = 2 }",
                None,
                "a = f([\n  { b = 2 },\n  1,\n])\n",
            ),
            (
                "a = f([\n  { b = 2 }\n])\n",
                "{ b = 2 }",
                None,
                "a = f([\n  { b = 2 },\n  1\n])\n",
            ),
        ];
        for (text, neighbour, name, expected) in cases {
            let after = behind(text, neighbour, name);
            assert_eq!(after.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_surely_a_place_is_refused() {
        assert!(behind("a { b = 2 }\n", "b = 2", Some("k")).is_err());
        assert!(behind("a {\n  b = 2 /* c\n */\n}\n", "b = 2", Some("k")).is_err());
        assert!(behind("a = [\n  2 # c\n]\n", "2", None).is_err());
        assert!(behind("a {\n  b = 2\n}\n", "b = 2", None).is_err());
        assert!(behind("a {\n  b = 2\n}\n", "= 2", Some("k")).is_err());
    }
}

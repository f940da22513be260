//! Points 1 to 4 for a file of Terraform: without what was inserted, it is the old one, each value with its kind, its
//! text and its place; and what was inserted stands behind the declared neighbour and is the declared text.

use tagwright_syntax::Span;
use tagwright_syntax::edit::{self, Edit};
use tagwright_syntax::hcl::{self, Body, Expression, ExpressionKind, PartKind};

use crate::Rejection;
use crate::materialise::Setting;

/// Checks the settings that `edits`, in ascending order, insert.
pub(super) fn check(
    path: &str,
    before: &str,
    after: &str,
    settings: &[Setting],
    edits: &[Edit],
) -> Result<(), Rejection> {
    let fail = |what| Rejection::Bytes {
        path: path.to_string(),
        what,
    };
    if edits.iter().any(|edit| !edit.span.is_empty())
        || edit::apply(before, edits).as_deref() != Some(after)
    {
        return Err(fail("a byte outside the edits changed"));
    }
    if !edits
        .iter()
        .all(|edit| settings.iter().any(|it| is_text_of(it, &edit.text)))
    {
        return Err(fail("more than the declared settings was inserted"));
    }
    let breaks = |text: &str| (text.matches('\n').count(), text.matches("\r\n").count());
    let ((old, old_pairs), (new, new_pairs)) = (breaks(before), breaks(after));
    if (old == old_pairs) != (new == new_pairs) && old > 0 || old_pairs == 0 && new_pairs > 0 {
        return Err(fail("a line break is not the file's own"));
    }
    let read = |text, which| {
        hcl::parse(text).ok_or_else(|| Rejection::Unreadable {
            path: path.to_string(),
            reader: crate::Reader::Own,
            before: which,
            message: "it is not understood to its end".to_owned(),
        })
    };
    let (old, mut new) = (read(before, true)?, read(after, false)?);
    let mut without = Without {
        text: after,
        inserted: places(edits),
        found: Vec::new(),
    };
    without.body(&mut new);
    if new != old {
        return Err(fail("more than the declared settings changed"));
    }
    let mut found = without.found;
    let mut expected = settings.to_vec();
    found.sort();
    expected.sort();
    if found != expected {
        return Err(fail("the new settings do not read as declared"));
    }
    Ok(())
}

/// Whether `text` is the setting, and but for blanks, line breaks and commas around it nothing else: no comment.
fn is_text_of(setting: &Setting, text: &str) -> bool {
    let blank = [' ', '\t', '\r', '\n', ','];
    let text = text.trim_matches(blank);
    let value = match &setting.name {
        Some(name) => text
            .strip_prefix(&**name)
            .and_then(|rest| rest.trim_start_matches(' ').strip_prefix("= ")),
        None => Some(text),
    };
    value == Some(setting.value.as_str())
}

/// Where the edits' texts are in the new text.
fn places(edits: &[Edit]) -> Vec<Span> {
    let mut grown = 0;
    edits
        .iter()
        .map(|edit| {
            let start = edit.span.start as usize + grown;
            grown += edit.text.len();
            Span::new(start, start + edit.text.len())
        })
        .collect()
}

/// Takes out of a tree what was inserted, and gives the rest its old places.
struct Without<'a> {
    text: &'a str,
    /// Bytes of the new text, ascending.
    inserted: Vec<Span>,
    /// What was taken out.
    found: Vec<Setting>,
}

impl Without<'_> {
    fn is_new(&self, span: Span) -> bool {
        self.inserted.iter().any(|it| it.contains(span))
    }

    fn back(&self, span: &mut Span) {
        let back = |at: u32| {
            let before = self.inserted.iter().filter(|it| it.start < at);
            let grown: usize = before
                .map(|it| it.len().min((at - it.start) as usize))
                .sum();
            at as usize - grown
        };
        *span = Span::new(back(span.start), back(span.end));
    }

    /// Takes the new ones out of `all`.
    fn take<T>(
        &mut self,
        all: &mut Vec<T>,
        span: impl Fn(&T) -> Span,
        setting: impl Fn(&T) -> (Option<Box<str>>, Span),
    ) {
        let mut neighbour = Span::empty(0);
        let mut kept = Vec::with_capacity(all.len());
        for it in all.drain(..) {
            let own = span(&it);
            if self.is_new(own) {
                let (name, value) = setting(&it);
                let mut behind = neighbour;
                self.back(&mut behind);
                self.found.push(Setting {
                    behind,
                    name,
                    value: value.of(self.text).to_owned(),
                });
            } else {
                neighbour = own;
                kept.push(it);
            }
        }
        *all = kept;
    }

    fn body(&mut self, body: &mut Body) {
        self.take(
            &mut body.attributes,
            |it| it.name_span.cover(it.value.span),
            |it| (Some(it.name.clone()), it.value.span),
        );
        for attribute in &mut body.attributes {
            self.back(&mut attribute.name_span);
            self.expression(&mut attribute.value);
        }
        for block in &mut body.blocks {
            self.back(&mut block.header);
            self.back(&mut block.span);
            self.body(&mut block.body);
        }
    }

    fn expression(&mut self, expression: &mut Expression) {
        self.back(&mut expression.span);
        match &mut expression.kind {
            ExpressionKind::Text(_) | ExpressionKind::Word | ExpressionKind::Address(_) => {}
            ExpressionKind::Template(parts) | ExpressionKind::Heredoc(parts) => {
                for part in parts {
                    self.back(&mut part.span);
                    match &mut part.kind {
                        PartKind::Text(_) => {}
                        PartKind::Value(value) => self.expression(value),
                        PartKind::Directive(values) => {
                            values.iter_mut().for_each(|it| self.expression(it))
                        }
                    }
                }
            }
            ExpressionKind::List(items) => {
                self.take(items, |it| it.span, |it| (None, it.span));
                items.iter_mut().for_each(|it| self.expression(it));
            }
            ExpressionKind::Other(values)
            | ExpressionKind::Call {
                arguments: values, ..
            } => {
                values.iter_mut().for_each(|it| self.expression(it));
            }
            ExpressionKind::Object(entries) => {
                self.take(entries, |it| it.span, |it| (it.key.clone(), it.value.span));
                for entry in entries {
                    self.back(&mut entry.span);
                    self.expression(&mut entry.value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "a {\n  b = \"é\" # c\n  d = f([{ e = 1 }])\n}\n";

    /// Whether putting `text` behind the first `at` is shown to be `name = value` behind `neighbour`.
    fn proven(at: &str, text: &str, neighbour: &str, name: Option<&str>, value: &str) -> bool {
        let place = |it: &str| BEFORE.find(it).unwrap();
        let edit = Edit {
            span: Span::empty(place(at) + at.len()),
            text: text.to_owned(),
        };
        let setting = Setting {
            behind: Span::new(place(neighbour), place(neighbour) + neighbour.len()),
            name: name.map(Into::into),
            value: value.to_owned(),
        };
        let after = edit::apply(BEFORE, std::slice::from_ref(&edit)).unwrap();
        check("main.tf", BEFORE, &after, &[setting], &[edit]).is_ok()
    }

    #[test]
    fn a_setting_is_proven_where_it_stands() {
        let (b, k) = ("b = \"é\"", Some("k"));
        assert!(proven("# c", "\n  k = \"v\"", b, k, "\"v\""));
        assert!(proven(
            "{ e = 1 }",
            ", { g = 2 }",
            "{ e = 1 }",
            None,
            "{ g = 2 }"
        ));
        assert!(proven("e = 1", ", k = 2", "e = 1", k, "2"));
    }

    #[test]
    fn anything_else_is_no_proof() {
        let (b, k) = ("b = \"é\"", Some("k"));
        for text in [
            "\n  k = \"w\"",
            "\n  l = \"v\"",
            "\r\n  k = \"v\"",
            "\n  k = \"v\" # d",
            "\n  k = \"v\"\n  l = 1",
            " k = \"v\"",
        ] {
            assert!(!proven("# c", text, b, k, "\"v\""), "{text}");
        }
        assert!(!proven("}])", "\n  k = 1", b, k, "1"));
        assert!(!proven("e = 1", ", k = 2", b, k, "2"));
    }
}

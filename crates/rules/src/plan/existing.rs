//! Which tag: the one that the flow already pushes beside `latest`, where there is one for every reader.

use tagwright_flow::delivery::Value;
use tagwright_flow::expression::{Expansion, Origin, Site, plain_name};
use tagwright_flow::facts::{AssignmentPlace, FileFacts, Order, TagKind, TagValue};

use super::joined::Tagged;
use super::tag_edits::{Variables, variable_of, write};
use crate::context::Context;
use crate::delivery;
use crate::shared_variables::Sharing;
use crate::shell_text::whole_variable;
use crate::{Applicability, Fix};

/// Deploy the tag that the flow already pushes beside `latest`, if there is one for every reader.
pub(super) fn take_existing<'a>(
    context: &Context<'a>,
    readers: &[Tagged<'a>],
    rest: &[Tagged<'_>],
    pushed: &[Tagged<'_>],
) -> Option<Fix> {
    let mut changes = Vec::new();
    let mut name = String::new();
    let mut variables = Variables::default();
    for (place, tag) in readers {
        let site = tag.site?;
        // A text that is also pushed would change the push.
        let shared = rest.iter().any(|(other, value)| {
            other.file.id == place.file.id
                && value
                    .site
                    .is_some_and(|other| other.range == site.range && other.node == site.node)
        });
        if shared || matches!(tag.origin, Origin::EnvVariables(_)) {
            return None;
        }
        if let Some(variable) = variable_of(place, tag) {
            let sharing = variables.sharing(context, readers, place.file, variable);
            if !matches!(sharing, Ok(Sharing::Own)) {
                return None;
            }
        }
        let existing = pushed
            .iter()
            .filter(|(other, _)| other.file.id == place.file.id)
            .filter_map(|(other, value)| Some((other, reusable(value)?)))
            .filter(|(other, _)| !other.image.conditional || place.image.conditional)
            .find(|(_, text)| {
                is_set(context, place.file, text, place.image.order)
                    && (site.expansion != Expansion::InnerShell || is_exported(place.file, text))
            })
            .map(|(_, text)| text)?;
        let text = braced(&existing, place.file, site);
        let implicit = tag.kind == TagKind::Implicit;
        changes.push(write(place.file, site, &text, implicit).ok()?);
        name = text;
    }
    Some(Fix {
        message: format!("deploy `{name}`, the tag that this build pushes, instead of `latest`"),
        applicability: Applicability::Safe,
        changes,
    })
}

/// The tag as it is written at a push, if it can be written again elsewhere: one variable, no operator.
fn reusable(tag: &TagValue) -> Option<String> {
    let TagKind::Variable(_) = &tag.kind else {
        return None;
    };
    let written = &*tag.written;
    let name = whole_variable(written).filter(|_| !written.contains('"'))?;
    // An argument is another one outside of the function that it is given to.
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    named.then(|| written.to_owned())
}

/// Whether the variable of `text` has its value before `order`, or one other than `latest` from outside the file.
fn is_set(context: &Context<'_>, file: &FileFacts, text: &str, order: Order) -> bool {
    let name = plain_name(text.trim_start_matches(['$', '{']));
    let mut assigned = file.assigned(name).peekable();
    if assigned.peek().is_none() {
        let given = delivery::given(context, file, name);
        return given.is_none_or(|(_, _, it)| it.value != Value::Text("latest".into()));
    }
    assigned.any(|a| a.order <= order && !a.subshell)
}

/// Whether an inner shell sees the variable of `text`.
fn is_exported(file: &FileFacts, text: &str) -> bool {
    let name = plain_name(text.trim_start_matches(['$', '{']));
    let mut assigned = file.assigned(name).peekable();
    assigned.peek().is_none()
        || assigned.any(|a| {
            a.exported
                || matches!(
                    a.place,
                    AssignmentPlace::EnvVariables | AssignmentPlace::Store
                )
        })
}

/// With braces where the text behind the place would otherwise become part of the name.
pub(super) fn braced(text: &str, file: &FileFacts, site: Site) -> String {
    if text.starts_with("${") {
        return text.to_owned();
    }
    let next = file.character_at(site.source.end);
    let joins = next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '_');
    if joins {
        format!("${{{}}}", &text[1..])
    } else {
        text.to_owned()
    }
}

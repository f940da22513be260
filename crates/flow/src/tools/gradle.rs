//! Gradle and Maven: `-Dname=value`, and jib.

use super::references::by_key;
use super::table::{Failure, Program};
use super::words::View;
use super::{Form, Found, Role, Tool};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    read,
    failure: Failure::Always,
    ..Program::new(&["gradle", "gradlew", "mvn", "mvnw"], Tool::Other)
};

/// `-Dname=value`, `-Pname=value`: jib's own names, and what speaks of an image otherwise.
fn read(view: &View<'_>, found: &mut Found) {
    let builds = (view.start..view.len()).any(|word| {
        let text = view.shape(word).text;
        text.starts_with("jib") || text.contains(":jib") || text.ends_with("jib:build")
    });
    for word in view.start + 1..view.len() {
        let shape = view.shape(word);
        let Some(rest) = shape
            .text
            .strip_prefix("-D")
            .or_else(|| shape.text.strip_prefix("-P"))
        else {
            continue;
        };
        let Some((key, _)) = rest.split_once('=') else {
            continue;
        };
        let Some(slice) = shape.tail(key.len() + 3, Some(word)) else {
            continue;
        };
        let role = if builds {
            Role::BuildPush
        } else {
            Role::Argument
        };
        match key {
            "jib.to.image" | "image" => found.slice(role, Tool::Other, Form::Reference, &slice),
            "jib.to.tags" => found.slice(role, Tool::Other, Form::Tag, &slice),
            "jib.from.image" => {}
            _ => {
                if let Some(form) = by_key(key, &slice) {
                    found.slice(Role::Argument, Tool::Other, form, &slice);
                }
            }
        }
    }
}

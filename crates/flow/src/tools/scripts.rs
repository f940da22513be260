//! Scripts of the repository, and programs that nothing is known about.

use super::references::is_reference;
use super::words::View;
use super::{Form, Found, Role, Tool, docker};

/// The arguments of a script, called by its path or by a shell.
pub(super) fn called(view: &View<'_>, found: &mut Found) {
    let shell = matches!(view.program.as_str(), "sh" | "bash" | "source" | ".");
    let script = if shell { view.start + 1 } else { view.start };
    let shape = view.shape(script).text;
    let own = shape.ends_with(".sh") || (!shell && shape.starts_with("./"));
    if own && !shape.starts_with('-') {
        arguments(view, script + 1, found);
    }
}

/// The arguments of a script of the repository: only what can be nothing else.
fn arguments(view: &View<'_>, from: usize, found: &mut Found) {
    for word in from..view.len() {
        let Some(slice) = view.whole(word) else {
            continue;
        };
        if slice.text == "latest" {
            found.slice(Role::Argument, Tool::Other, Form::Tag, &slice);
        } else if is_reference(&slice.text) {
            found.slice(Role::Argument, Tool::Other, Form::Reference, &slice);
        } else if slice.text.contains('=') {
            let flag = slice.text.trim_start_matches('-');
            let start = slice.text.len() - flag.len();
            if let Some(slice) = view.cut(&slice, start..start + flag.len()) {
                docker::key_value(view, &slice, Role::Argument, Tool::Other, found);
            }
        }
    }
}

//! kustomize.

use super::options::{Arguments, Options};
use super::table::Program;
use super::words::View;
use super::{Form, Found, Role, Tool};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    triggers: &["kustomize"],
    read,
    ..Program::new(&["kustomize"], Tool::Kustomize)
};

/// Options with a value of kustomize 5.8 (2026-11).
const KUSTOMIZE: Options = Options::new(&["--stack-trace"]);

fn read(view: &View<'_>, found: &mut Found) {
    let words = Arguments::read(view, view.start + 1, &KUSTOMIZE).positionals();
    let [edit, set, image, images @ ..] = words.as_slice() else {
        return;
    };
    if !(view.is(*edit, "edit") && view.is(*set, "set") && view.is(*image, "image")) {
        return;
    }
    for word in images {
        let shape = view.shape(*word);
        let start = shape.text.find('=').map_or(0, |at| at + 1);
        if let Some(tag) = shape.text[start..].strip_prefix("*:") {
            let repository = shape.span(0..start.saturating_sub(1));
            let slice = shape.tail(shape.text.len() - tag.len(), Some(*word));
            found.tag(Role::Record, Tool::Kustomize, slice.as_ref(), repository);
        } else if let Some(slice) = shape.tail(start, Some(*word)) {
            found.slice(Role::Record, Tool::Kustomize, Form::Reference, &slice);
        }
    }
}

//! make and its like: `NAME=value` words.

use super::table::{Failure, Program};
use super::words::View;
use super::{Found, Role, Tool, docker};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    hints: &["make"],
    read,
    own_language: true,
    failure: Failure::Always,
    ..Program::new(&["make"], Tool::Other)
};

/// Those whose failure is rarely that of a build.
pub(super) static RUNNERS: Program = Program {
    read,
    own_language: true,
    ..Program::new(&["gmake", "just", "task"], Tool::Other)
};

/// `NAME=value` words.
fn read(view: &View<'_>, found: &mut Found) {
    for word in view.start + 1..view.len() {
        if let Some(slice) = view.whole(word)
            && !slice.text.starts_with('-')
        {
            docker::key_value(view, &slice, Role::Argument, Tool::Other, found);
        }
    }
}

//! Bazel.

use super::options::{Arguments, Options};
use super::table::Program;
use super::words::View;
use super::{Found, Role, Tool, docker};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    read,
    ..Program::new(&["bazel", "bazelisk"], Tool::Other)
};

fn read(view: &View<'_>, found: &mut Found) {
    let options = Options::new(&["--define"]);
    for define in Arguments::read(view, view.start + 1, &options).values(&["--define"]) {
        docker::key_value(view, define, Role::Argument, Tool::Other, found);
    }
}

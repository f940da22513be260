//! buildah.

use super::options::{Arguments, Options};
use super::table::Program;
use super::words::View;
use super::{Found, Role, Tool, docker, skopeo};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    triggers: &["buildah"],
    read,
    login: &["login"],
    ..Program::new(&["buildah"], Tool::Buildah)
};

/// Options with a value of buildah 1.41 outside `build` (2026-11).
const BUILDAH: Options = Options::new(&[
    "--authfile",
    "--cert-dir",
    "--creds",
    "--digestfile",
    "-f",
    "--format",
    "--sign-by",
    "--storage-driver",
    "--root",
    "--runroot",
    "--isolation",
    "--name",
    "--log-level",
]);

fn read(view: &View<'_>, found: &mut Found) {
    let Some((name, at)) = skopeo::subcommand(view, &BUILDAH) else {
        return;
    };
    match name.as_str() {
        "bud" | "build" | "build-using-dockerfile" => docker::build(view, at, Tool::Buildah, found),
        "push" => docker::push(view, at, Tool::Buildah, &BUILDAH, found),
        "manifest" => {}
        "tag" => {
            let words = Arguments::read(view, at, &BUILDAH).positionals();
            for (index, word) in words.into_iter().enumerate() {
                let role = if index == 0 {
                    Role::TagSource
                } else {
                    Role::TagDestination
                };
                found.whole(role, Tool::Buildah, view, word);
            }
        }
        "commit" => {
            if let [_, image, ..] = Arguments::read(view, at, &BUILDAH).positionals().as_slice() {
                skopeo::transport(view, *image, Role::Build, Tool::Buildah, found);
            }
        }
        "pull" => {
            for word in Arguments::read(view, at, &BUILDAH).positionals() {
                skopeo::transport(view, word, Role::Pull, Tool::Buildah, found);
            }
        }
        _ => {}
    }
}

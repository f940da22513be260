//! What builds images without a Dockerfile: pack, ko.

use super::options::{Arguments, Options};
use super::table::Program;
use super::words::View;
use super::{Form, Found, Role, Tool};

/// Buildpacks.
pub(super) static PACK: Program = Program {
    read: pack,
    ..Program::new(&["pack"], Tool::Other)
};

/// ko.
pub(super) static KO: Program = Program {
    read: ko,
    ..Program::new(&["ko"], Tool::Other)
};

/// pack 0.39 and ko 0.18 (2026-11).
const BUILDERS: Options = Options::new(&[
    "-B",
    "--builder",
    "-t",
    "--tag",
    "--tags",
    "-e",
    "--env",
    "-p",
    "--path",
    "-b",
    "--buildpack",
    "--cache-image",
    "--descriptor",
    "--network",
    "--platform",
    "--run-image",
    "--env-file",
    "--volume",
    "--tag-only",
]);

fn pack(view: &View<'_>, found: &mut Found) {
    if !view.is(view.start + 1, "build") {
        return;
    }
    let arguments = Arguments::read(view, view.start + 2, &BUILDERS);
    let role = if arguments.has(&["--publish"]) {
        Role::BuildPush
    } else {
        Role::Build
    };
    if let [image, ..] = arguments.positionals().as_slice() {
        found.whole(role, Tool::Other, view, *image);
    }
    for tag in arguments.values(&["-t", "--tag"]) {
        found.slice(role, Tool::Other, Form::Reference, tag);
    }
}

fn ko(view: &View<'_>, found: &mut Found) {
    for tag in Arguments::read(view, view.start + 1, &BUILDERS).values(&["-t", "--tags"]) {
        found.slice(Role::BuildPush, Tool::Other, Form::Tag, tag);
    }
}

//! crane, and regctl, which copy and retag in the registry.

use super::options::{Arguments, Options};
use super::table::Program;
use super::words::View;
use super::{Found, Role, Tool, skopeo};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    triggers: &["crane"],
    read,
    login: &["auth", "login"],
    ..Program::new(&["crane", "gcrane"], Tool::Crane)
};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static REGCTL: Program = Program {
    triggers: &["regctl"],
    read: regctl,
    ..Program::new(&["regctl"], Tool::Other)
};

/// The row of [`TOOLS`](super::TOOLS). What it pushes are artifacts, which no deployment runs: only its login is known.
pub(super) static ORAS: Program = Program {
    login: &["login"],
    ..Program::new(&["oras"], Tool::Other)
};

/// Options with a value of crane 0.20 and regctl 0.9 (2026-11).
const CRANE: Options = Options::new(&[
    "--platform",
    "-p",
    "-j",
    "--jobs",
    "-t",
    "--tag",
    "-b",
    "--base",
    "-f",
    "--append",
    "-o",
    "--output",
    "--label",
    "-l",
    "-a",
    "--annotation",
    "--repo",
    "--new_base",
    "--old_base",
    "--set-label",
    "--env",
    "-e",
]);

fn read(view: &View<'_>, found: &mut Found) {
    let tool = Tool::Crane;
    let Some((name, at)) = skopeo::subcommand(view, &CRANE) else {
        return;
    };
    let words = Arguments::read(view, at, &CRANE).positionals();
    match (name.as_str(), words.as_slice()) {
        ("tag", [image, tag]) => {
            found.whole(Role::TagSource, tool, view, *image);
            let repository = view.whole(*image).map(|slice| slice.span);
            found.tag(Role::Push, tool, view.whole(*tag).as_ref(), repository);
        }
        ("copy" | "cp", [source, destination]) => {
            found.whole(Role::TagSource, tool, view, *source);
            found.whole(Role::Push, tool, view, *destination);
        }
        ("push", [_, destination]) => found.whole(Role::Push, tool, view, *destination),
        ("pull", [images @ .., _]) => images
            .iter()
            .for_each(|image| found.whole(Role::Pull, tool, view, *image)),
        ("digest" | "manifest" | "config" | "validate" | "delete" | "export", [image, ..]) => {
            found.whole(Role::Argument, tool, view, *image);
        }
        _ => {}
    }
}

fn regctl(view: &View<'_>, found: &mut Found) {
    let first = view.start + 1;
    if !(view.is(first, "image") || view.is(first, "index")) {
        return;
    }
    if !(view.is(first + 1, "copy") || view.is(first + 1, "cp")) {
        return;
    }
    if let [source, destination] = Arguments::read(view, first + 2, &CRANE)
        .positionals()
        .as_slice()
    {
        found.whole(Role::TagSource, Tool::Other, view, *source);
        found.whole(Role::Push, Tool::Other, view, *destination);
    }
}

//! kaniko's executor, and Warmer's siblings by its command line.

use super::options::{Arguments, Options};
use super::table::Program;
use super::words::View;
use super::{Form, Found, Role, Tool, docker};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    triggers: &["kaniko", "executor"],
    read,
    ..Program::new(&["executor", "kaniko"], Tool::Kaniko)
};

/// Options with a value of kaniko's executor 1.24 (2025-05, its last release).
const KANIKO: Options = Options::new(&[
    "--build-arg",
    "--cache-dir",
    "--cache-repo",
    "--cache-ttl",
    "-c",
    "--context",
    "--context-sub-path",
    "--custom-platform",
    "-d",
    "--destination",
    "--digest-file",
    "-f",
    "--dockerfile",
    "--image-fs-extract-retry",
    "--image-name-with-digest-file",
    "--image-name-tag-with-digest-file",
    "--ignore-path",
    "--kaniko-dir",
    "--label",
    "--log-format",
    "--oci-layout-path",
    "--push-retry",
    "--registry-certificate",
    "--registry-mirror",
    "--snapshot-mode",
    "--tar-path",
    "--tarPath",
    "--target",
    "-v",
    "--verbosity",
]);

fn read(view: &View<'_>, found: &mut Found) {
    let arguments = Arguments::read(view, view.start + 1, &KANIKO);
    let role = if arguments.has(&["--no-push", "--no-push-cache"]) {
        Role::Build
    } else {
        Role::BuildPush
    };
    for destination in arguments.values(&["-d", "--destination"]) {
        found.slice(role, Tool::Kaniko, Form::Reference, destination);
    }
    for cache in arguments.values(&["--cache-repo"]) {
        found.slice(Role::Cache, Tool::Kaniko, Form::Reference, cache);
    }
    for argument in arguments.values(&["--build-arg"]) {
        docker::key_value(view, argument, Role::Argument, Tool::Kaniko, found);
    }
}

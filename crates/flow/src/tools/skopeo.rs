//! skopeo.

use super::options::{Arguments, Options};
use super::table::Program;
use super::words::View;
use super::{Form, Found, Role, Tool};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    triggers: &["skopeo"],
    read,
    login: &["login"],
    ..Program::new(&["skopeo"], Tool::Skopeo)
};

/// Options with a value of skopeo 1.20 (2026-11).
const SKOPEO: Options = Options::new(&[
    "--additional-tag",
    "--authfile",
    "--command-timeout",
    "--creds",
    "--dest-authfile",
    "--dest-cert-dir",
    "--dest-compress-format",
    "--dest-creds",
    "--dest-registry-token",
    "--dest-tls-verify",
    "--digestfile",
    "--encryption-key",
    "-f",
    "--format",
    "--image-parallel-copies",
    "--multi-arch",
    "--override-arch",
    "--override-os",
    "--override-variant",
    "--policy",
    "--registries.d",
    "--retry-times",
    "--sign-by",
    "--sign-by-sigstore",
    "--src-authfile",
    "--src-cert-dir",
    "--src-creds",
    "--src-registry-token",
    "--src-tls-verify",
    "--tmpdir",
    "--tls-verify",
    "--username",
    "--password",
]);

fn read(view: &View<'_>, found: &mut Found) {
    let tool = Tool::Skopeo;
    let Some((name, at)) = subcommand(view, &SKOPEO) else {
        return;
    };
    let arguments = Arguments::read(view, at, &SKOPEO);
    match (name.as_str(), arguments.positionals().as_slice()) {
        ("copy", [source, destination]) => {
            transport(view, *source, Role::TagSource, tool, found);
            transport(view, *destination, Role::Push, tool, found);
            for tag in arguments.values(&["--additional-tag"]) {
                found.slice(Role::Push, tool, Form::Reference, tag);
            }
        }
        ("inspect" | "delete" | "list-tags", [image, ..]) => {
            transport(view, *image, Role::Argument, tool, found)
        }
        _ => {}
    }
}

/// A word that may start with `docker://`; other transports (`oci:`, `dir:`, …) are no registry.
pub(super) fn transport(view: &View<'_>, word: usize, role: Role, tool: Tool, found: &mut Found) {
    let shape = view.shape(word);
    let start = match shape.text.strip_prefix("docker://") {
        Some(_) => "docker://".len(),
        None if [
            "oci:",
            "dir:",
            "oci-archive:",
            "docker-archive:",
            "docker-daemon:",
            "containers-storage:",
        ]
        .iter()
        .any(|transport| shape.text.starts_with(transport)) =>
        {
            return;
        }
        None => 0,
    };
    if let Some(slice) = shape.tail(start, Some(word)) {
        found.slice(role, tool, Form::Reference, &slice);
    }
}

/// The first word that is no option, and the index after it.
pub(super) fn subcommand(view: &View<'_>, options: &Options) -> Option<(String, usize)> {
    let first = *Arguments::read_some(view, view.start + 1, options, 1)
        .positionals()
        .first()?;
    Some((view.literal(first)?, first + 1))
}

//! Tools that build or copy without a daemon: buildah, kaniko, crane, skopeo, regctl; and those that look at
//! images: trivy, grype, syft, cosign.

use super::options::{Arguments, Options};
use super::references::may_be_reference;
use super::words::{OPAQUE, View};
use super::{Form, Found, Role, Tool, docker};

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

/// Options with a value of trivy 0.68, grype 0.100, syft 1.38, cosign 3, docker-slim (2026-11).
const SCANNERS: Options = Options::new(&[
    "--severity",
    "-s",
    "--format",
    "-f",
    "--output",
    "-o",
    "--exit-code",
    "--ignorefile",
    "--template",
    "-t",
    "--timeout",
    "--scanners",
    "--security-checks",
    "--vuln-type",
    "--pkg-types",
    "--cache-dir",
    "--db-repository",
    "--java-db-repository",
    "--input",
    "--ignore-policy",
    "--skip-dirs",
    "--skip-files",
    "--server",
    "--platform",
    "--image-src",
    "--token",
    "--config",
    "-c",
    "--fail-on",
    "--file",
    "--scope",
    "--key",
    "-a",
    "--annotations",
    "--type",
    "--predicate",
    "--certificate-identity",
    "--certificate-oidc-issuer",
    "--certificate-identity-regexp",
    "--certificate-oidc-issuer-regexp",
    "--policy",
]);

pub(super) fn buildah(view: &View<'_>, found: &mut Found) {
    let Some((name, at)) = subcommand(view, &BUILDAH) else {
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
                transport(view, *image, Role::Build, Tool::Buildah, found);
            }
        }
        "pull" => {
            for word in Arguments::read(view, at, &BUILDAH).positionals() {
                transport(view, word, Role::Pull, Tool::Buildah, found);
            }
        }
        _ => {}
    }
}

pub(super) fn kaniko(view: &View<'_>, found: &mut Found) {
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

pub(super) fn crane(view: &View<'_>, found: &mut Found) {
    let tool = Tool::Crane;
    let Some((name, at)) = subcommand(view, &CRANE) else {
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

pub(super) fn regctl(view: &View<'_>, found: &mut Found) {
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

pub(super) fn skopeo(view: &View<'_>, found: &mut Found) {
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

/// trivy, grype, syft, cosign, dockle: the last word is the image.
pub(super) fn scanner(view: &View<'_>, found: &mut Found) {
    let at = view.start + 1;
    let at = match view.program.as_str() {
        "trivy" | "snyk" => {
            let Some((name, at)) = subcommand(view, &SCANNERS) else {
                return;
            };
            match name.as_str() {
                "image" | "i" => at,
                "container" => at + 1,
                _ => return,
            }
        }
        "cosign" => {
            if !["sign", "verify", "attest", "attach", "verify-attestation"]
                .iter()
                .any(|word| view.is(at, word))
            {
                return;
            }
            at + 1
        }
        _ => at,
    };
    let Some(last) = Arguments::read(view, at, &SCANNERS).positionals().pop() else {
        return;
    };
    let text = view.shape(last).text;
    if may_be_reference(&text) && text.contains([':', '/', OPAQUE]) {
        found.whole(Role::Argument, Tool::Other, view, last);
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
fn subcommand(view: &View<'_>, options: &Options) -> Option<(String, usize)> {
    let first = *Arguments::read_some(view, view.start + 1, options, 1)
        .positionals()
        .first()?;
    Some((view.literal(first)?, first + 1))
}

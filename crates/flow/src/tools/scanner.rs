//! Tools that look at images or sign them: trivy, grype, syft, cosign.

use super::options::{Arguments, Options};
use super::references::may_be_reference;
use super::table::Program;
use super::words::{OPAQUE, View};
use super::{Found, Role, Tool, skopeo};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static TRIVY: Program = Program {
    read: scanner,
    scans: true,
    ..Program::new(&["trivy", "snyk"], Tool::Other)
};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static LAST_WORD: Program = Program {
    read: scanner,
    scans: true,
    ..Program::new(&["grype", "syft", "dockle", "dive"], Tool::Other)
};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static COSIGN: Program = Program {
    read: scanner,
    scans: true,
    ..Program::new(&["cosign", "notation"], Tool::Other)
};

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

/// trivy, grype, syft, cosign, dockle: the last word is the image.
fn scanner(view: &View<'_>, found: &mut Found) {
    let at = view.start + 1;
    let at = match view.program.as_str() {
        "trivy" | "snyk" => {
            let Some((name, at)) = skopeo::subcommand(view, &SCANNERS) else {
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

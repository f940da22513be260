//! docker, and what takes its command line: podman, nerdctl, finch; Compose.

use super::options::{Arguments, Options};
use super::references::{by_key, is_reference};
use super::shells::{self, Nested};
use super::table::{Failure, Program, tool};
use super::words::{Slice, View, base_name};
use super::{Form, Found, Role, Tool, json};
use tagwright_syntax::SmolStr;

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    triggers: &["docker", "podman", "nerdctl", "finch"],
    read,
    script,
    redeploys,
    failure: Failure::Of(&["build", "buildx", "push", "compose"]),
    containers: true,
    login: &["login"],
    ..Program::new(&["docker", "podman", "nerdctl", "finch"], Tool::Docker)
};

/// Options with a value before the subcommand: docker CLI 28, podman 5, nerdctl 2 (2026-11).
const GLOBAL: Options = Options::new(&[
    "-H",
    "--host",
    "-c",
    "--context",
    "--config",
    "-l",
    "--log-level",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
    "--root",
    "--runroot",
    "--storage-driver",
    "--url",
    "--connection",
    "--identity",
    "-n",
    "--namespace",
    "-a",
    "--address",
    "--builder",
]);

/// Options with a value of `build`: docker CLI 28, buildx 0.29, podman 5 (2026-11).
pub(super) const BUILD: Options = Options::new(&[
    "--add-host",
    "--allow",
    "--annotation",
    "--arch",
    "--attest",
    "--authfile",
    "--build-arg",
    "--build-context",
    "--builder",
    "--cache-from",
    "--cache-to",
    "--cache-ttl",
    "--call",
    "--cgroup-parent",
    "--cpu-period",
    "--cpu-quota",
    "--cpu-shares",
    "-c",
    "--cpuset-cpus",
    "--cpuset-mems",
    "--creds",
    "--cert-dir",
    "-f",
    "--file",
    "--format",
    "--from",
    "--iidfile",
    "--isolation",
    "--jobs",
    "--label",
    "--logfile",
    "--manifest",
    "-m",
    "--memory",
    "--memory-swap",
    "--metadata-file",
    "--network",
    "--no-cache-filter",
    "--os",
    "-o",
    "--output",
    "--platform",
    "--progress",
    "--provenance",
    "--runtime",
    "--sbom",
    "--secret",
    "--security-opt",
    "--shm-size",
    "--sign-by",
    "--ssh",
    "-t",
    "--tag",
    "--target",
    "--ulimit",
    "--userns",
    "--variant",
    "-v",
    "--volume",
]);

/// Options with a value of `run` and `create`: docker CLI 28, podman 5 (2026-11).
const RUN: Options = Options::new(&[
    "--add-host",
    "--annotation",
    "-a",
    "--attach",
    "--authfile",
    "--blkio-weight",
    "--blkio-weight-device",
    "--cap-add",
    "--cap-drop",
    "--cgroup-parent",
    "--cgroupns",
    "--cidfile",
    "--conmon-pidfile",
    "--cpu-count",
    "--cpu-percent",
    "--cpu-period",
    "--cpu-quota",
    "--cpu-rt-period",
    "--cpu-rt-runtime",
    "-c",
    "--cpu-shares",
    "--cpus",
    "--cpuset-cpus",
    "--cpuset-mems",
    "--detach-keys",
    "--device",
    "--device-cgroup-rule",
    "--device-read-bps",
    "--device-read-iops",
    "--device-write-bps",
    "--device-write-iops",
    "--dns",
    "--dns-opt",
    "--dns-option",
    "--dns-search",
    "--domainname",
    "--entrypoint",
    "-e",
    "--env",
    "--env-file",
    "--expose",
    "--gpus",
    "--group-add",
    "--health-cmd",
    "--health-interval",
    "--health-retries",
    "--health-start-interval",
    "--health-start-period",
    "--health-timeout",
    "-h",
    "--hostname",
    "--io-maxbandwidth",
    "--io-maxiops",
    "--ip",
    "--ip6",
    "--ipc",
    "--isolation",
    "--kernel-memory",
    "-l",
    "--label",
    "--label-file",
    "--link",
    "--link-local-ip",
    "--log-driver",
    "--log-opt",
    "--mac-address",
    "-m",
    "--memory",
    "--memory-reservation",
    "--memory-swap",
    "--memory-swappiness",
    "--mount",
    "--name",
    "--net",
    "--net-alias",
    "--network",
    "--network-alias",
    "--oom-score-adj",
    "--pid",
    "--pids-limit",
    "--platform",
    "--pod",
    "-p",
    "--publish",
    "--pull",
    "--restart",
    "--runtime",
    "--secret",
    "--security-opt",
    "--shm-size",
    "--stop-signal",
    "--stop-timeout",
    "--storage-opt",
    "--sysctl",
    "--tmpfs",
    "--ulimit",
    "-u",
    "--user",
    "--userns",
    "--uts",
    "-v",
    "--volume",
    "--volume-driver",
    "--volumes-from",
    "-w",
    "--workdir",
]);

/// Options with a value of `push` and `pull`.
const TRANSFER: Options = Options::new(&[
    "--platform",
    "--authfile",
    "--creds",
    "--cert-dir",
    "--format",
    "--sign-by",
]);

/// Options with a value of the subcommands that only look at an image.
const LOOK: Options = Options::new(&[
    "-o",
    "--output",
    "-f",
    "--format",
    "--type",
    "--filter",
    "--platform",
    "-i",
    "--input",
    "--file",
    "--severity",
]);

/// Options with a value of `manifest` and `imagetools`.
const MANIFEST: Options = Options::new(&[
    "-t",
    "--tag",
    "--annotation",
    "--builder",
    "-f",
    "--file",
    "--progress",
    "--arch",
    "--os",
    "--os-features",
    "--variant",
    "--os-version",
    "--metadata-file",
    "--format",
]);

fn read(view: &View<'_>, found: &mut Found) {
    let Some((path, at)) = subcommand(view) else {
        return;
    };
    let path: Vec<&str> = path.iter().map(SmolStr::as_str).collect();
    match path.as_slice() {
        ["build"] | ["image" | "buildx" | "builder", "build" | "b"] => {
            build(view, at, Tool::Docker, found)
        }
        ["tag"] | ["image", "tag"] => {
            let words = Arguments::read(view, at, &LOOK).positionals();
            if let [source, destinations @ ..] = words.as_slice() {
                found.whole(Role::TagSource, Tool::Docker, view, *source);
                for destination in destinations {
                    found.whole(Role::TagDestination, Tool::Docker, view, *destination);
                }
            }
        }
        ["push"] | ["image", "push"] => push(view, at, Tool::Docker, &TRANSFER, found),
        ["pull"] | ["image", "pull"] => {
            let role = if is_shrugged_off(view) {
                Role::Cache
            } else {
                Role::Pull
            };
            for word in Arguments::read(view, at, &TRANSFER).positionals() {
                found.whole(role, Tool::Docker, view, word);
            }
        }
        ["run" | "create"] | ["container", "run" | "create"] => {
            if let [image] = Arguments::read_some(view, at, &RUN, 1)
                .positionals()
                .as_slice()
            {
                found.whole(Role::Run, Tool::Docker, view, *image);
                inside(view, at, *image, found);
            }
        }
        ["commit" | "import"] | ["container", "commit"] | ["image", "import"] => {
            let options = Options::new(&[
                "-a",
                "--author",
                "-c",
                "--change",
                "-m",
                "--message",
                "--platform",
            ]);
            if let [_, name, ..] = Arguments::read(view, at, &options).positionals().as_slice() {
                found.whole(Role::Build, Tool::Docker, view, *name);
            }
        }
        ["manifest", "create"] => {
            let words = Arguments::read(view, at, &MANIFEST).positionals();
            if let [list, members @ ..] = words.as_slice() {
                found.whole(Role::TagDestination, Tool::Docker, view, *list);
                for member in members {
                    found.whole(Role::TagSource, Tool::Docker, view, *member);
                }
            }
        }
        ["manifest", "push"] => push(view, at, Tool::Docker, &MANIFEST, found),
        ["buildx", "imagetools", "create"] => {
            let arguments = Arguments::read(view, at, &MANIFEST);
            for tag in arguments.values(&["-t", "--tag"]) {
                // Made in the registry, out of what is there.
                found.slice(Role::BuildPush, Tool::Docker, Form::Reference, tag);
            }
            for word in arguments.positionals() {
                found.whole(Role::TagSource, Tool::Docker, view, word);
            }
        }
        ["save" | "rmi" | "scan" | "history"]
        | ["image", "save" | "rm" | "remove" | "history" | "inspect"]
        | ["buildx", "imagetools", "inspect"]
        | ["trust", "sign" | "inspect"]
        | ["scout", ..] => {
            for word in Arguments::read(view, at, &LOOK).positionals() {
                if super::references::may_be_reference(&view.shape(word).text) {
                    found.whole(Role::Argument, Tool::Docker, view, word);
                }
            }
        }
        ["manifest", "inspect" | "annotate" | "rm"] => {
            for word in Arguments::read(view, at, &MANIFEST).positionals() {
                found.whole(Role::Argument, Tool::Docker, view, word);
            }
        }
        // Without a tag it lists all of them, which is not `latest`.
        ["images"] | ["image", "ls" | "list"] => {
            for word in Arguments::read(view, at, &LOOK).positionals() {
                let text = &view.shape(word).text;
                let tagged = text
                    .rsplit('/')
                    .next()
                    .is_some_and(|last| last.contains(':'));
                if tagged && super::references::may_be_reference(text) {
                    found.whole(Role::Argument, Tool::Docker, view, word);
                }
            }
        }
        // Containers, networks and volumes can be inspected too.
        ["inspect"] => {
            for word in Arguments::read(view, at, &LOOK).positionals() {
                if is_reference(&view.shape(word).text) {
                    found.whole(Role::Argument, Tool::Docker, view, word);
                }
            }
        }
        _ => {}
    }
}

/// The subcommand's words and the index after them.
fn subcommand(view: &View<'_>) -> Option<(Vec<SmolStr>, usize)> {
    let groups: &[&str] = &[
        "image",
        "buildx",
        "builder",
        "container",
        "manifest",
        "trust",
        "scout",
        "compose",
    ];
    let first = Arguments::first_positional(view, view.start + 1, &GLOBAL)?;
    let mut path = vec![SmolStr::from(view.word(first)?.value()?)];
    let mut at = first + 1;
    while path.len() < 3
        && (groups.contains(&path[path.len() - 1].as_str())
            || path.last().is_some_and(|p| p == "imagetools"))
    {
        let Some(next) = Arguments::first_positional(view, at, &GLOBAL) else {
            break;
        };
        path.push(view.word(next)?.value()?.into());
        at = next + 1;
    }
    Some((path, at))
}

/// The images that the command in the container names, where it is a tool of the table: the image's own
/// program (`docker run aquasec/trivy image REF`), or the first word behind the image.
fn inside(view: &View<'_>, options: usize, image: usize, found: &mut Found) {
    let arguments = Arguments::read_some(view, options, &RUN, 1);
    let entrypoint = arguments.values(&["--entrypoint"]).last();
    let shape = view.shape(image);
    let named = match entrypoint {
        Some(program) => program.text.as_str(),
        None => {
            let path = shape.text.split('@').next().unwrap_or("");
            let last = path.rsplit('/').next().unwrap_or("");
            last.split(':').next().unwrap_or("")
        }
    };
    // The names of the images of the AWS CLI and of docker's own plug-ins differ from their programs.
    let named = named.strip_suffix("-cli").unwrap_or(named);
    let own = base_name(named)
        .and_then(tool)
        .filter(|it| it.is_about_images());
    let (start, program) = match own {
        Some(_) => (image, base_name(named).unwrap_or("").into()),
        None => {
            let Some(word) = view.literal(image + 1) else {
                return;
            };
            let Some(name) =
                base_name(&word).filter(|it| tool(it).is_some_and(|it| it.is_about_images()))
            else {
                return;
            };
            (image + 1, name.into())
        }
    };
    super::read(
        &View {
            command: view.command,
            script: view.script,
            start,
            program,
            drops: view.drops,
        },
        found,
    );
}

/// `service update --force` (docker CLI 28) starts the tasks again with the image that the service names.
fn redeploys(view: &View<'_>) -> bool {
    let at = view.start + 1;
    let given = |option: &str| {
        (at..view.len()).any(|word| {
            let text = view.shape(word).text;
            text.strip_prefix(option)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
    };
    view.is(at, "service") && view.is(at + 1, "update") && given("--force") && !given("--image")
}

/// `run image sh -c script`, `exec container sh -c script`.
fn script(view: &View<'_>) -> Option<Nested> {
    shells::shell_at(view, inner_command(view)?).map(Nested::elsewhere)
}

/// The image that `run`, and the container that `exec` names: the inner command follows it.
fn inner_command(view: &View<'_>) -> Option<usize> {
    let (path, at) = subcommand(view)?;
    let name = path.last()?;
    if matches!(name.as_str(), "run" | "create" | "exec") && path[0] != "compose" {
        let first = *Arguments::read_some(view, at, &RUN, 1)
            .positionals()
            .first()?;
        return Some(first + 1);
    }
    None
}

pub(super) fn build(view: &View<'_>, at: usize, tool: Tool, found: &mut Found) {
    let arguments = Arguments::read(view, at, &BUILD);
    let exported =
        |output: &Slice| output.text.contains("type=registry") || output.text.contains("push=true");
    let pushes = arguments.has(&["--push"]) || arguments.values(&["-o", "--output"]).any(exported);
    let role = if pushes { Role::BuildPush } else { Role::Build };
    for tag in arguments.values(&["-t", "--tag", "--manifest"]) {
        found.slice(role, tool, Form::Reference, tag);
    }
    for output in arguments.values(&["-o", "--output"]) {
        for (_, name) in json::shorthand(&output.text, &["name"]) {
            let role = if exported(output) {
                Role::BuildPush
            } else {
                Role::Build
            };
            found.part(view, output, name, role, tool, Form::Reference);
        }
    }
    for cache in arguments.values(&["--cache-from", "--cache-to"]) {
        if cache.text.contains("type=") {
            if cache.text.contains("type=registry") {
                for (_, reference) in json::shorthand(&cache.text, &["ref"]) {
                    found.part(view, cache, reference, Role::Cache, tool, Form::Reference);
                }
            }
            continue;
        }
        let mut start = 0;
        for piece in cache.text.split(',') {
            found.part(
                view,
                cache,
                start..start + piece.len(),
                Role::Cache,
                tool,
                Form::Reference,
            );
            start += piece.len() + 1;
        }
    }
    for argument in arguments.values(&["--build-arg"]) {
        key_value(view, argument, Role::Argument, tool, found);
    }
    for context in arguments.values(&["--build-context"]) {
        if let Some((name, reference)) = context.text.split_once("=docker-image://") {
            let start = name.len() + "=docker-image://".len();
            found.part(
                view,
                context,
                start..start + reference.len(),
                Role::Argument,
                tool,
                Form::Reference,
            );
        }
    }
}

/// `KEY=value`, if key or value speak of an image.
pub(super) fn key_value(
    view: &View<'_>,
    argument: &Slice,
    role: Role,
    tool: Tool,
    found: &mut Found,
) {
    let Some((key, value)) = argument.text.split_once('=') else {
        return;
    };
    let start = key.len() + 1;
    let range = start..start + value.len();
    let Some(value) = view.cut(argument, range) else {
        return;
    };
    if let Some(form) = by_key(key, &value) {
        found.slice(role, tool, form, &value);
    } else if is_reference(&value.text) {
        found.slice(role, tool, Form::Reference, &value);
    }
}

/// `push REF`, `push REF docker://DESTINATION`.
pub(super) fn push(view: &View<'_>, at: usize, tool: Tool, options: &Options, found: &mut Found) {
    let arguments = Arguments::read(view, at, options);
    match arguments.positionals().as_slice() {
        [image] if tool == Tool::Docker && arguments.has(&["-a", "--all-tags"]) => {
            if let Some(slice) = view.whole(*image) {
                found.slice(Role::Push, tool, Form::Repository, &slice);
            }
        }
        [image] => found.whole(Role::Push, tool, view, *image),
        [source, destination, ..] => {
            found.whole(Role::TagSource, tool, view, *source);
            super::skopeo::transport(view, *destination, Role::Push, tool, found);
        }
        [] => {}
    }
}

/// `docker pull X || true`: the failure is expected, so the image is only a cache. `|| exit 1` is not that.
fn is_shrugged_off(view: &View<'_>) -> bool {
    if !view.command.context.tolerated {
        return false;
    }
    let after = view
        .script
        .get(view.command.span.end as usize..)
        .unwrap_or("");
    let line = after.split('\n').next().unwrap_or("");
    match line.split_once("||") {
        Some((_, handler)) => {
            let handler = handler.trim_start_matches([' ', '\t', '(', '{']);
            !["exit", "return", "false", "kill"]
                .iter()
                .any(|word| handler.starts_with(word))
        }
        None => false,
    }
}

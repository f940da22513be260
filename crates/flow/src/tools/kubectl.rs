//! kubectl, and what brings its own kubectl.

use tagwright_syntax::SmolStr;

use super::options::{Arguments, Options};
use super::shells::{self, Nested};
use super::table::{Failure, Program};
use super::words::View;
use super::{Form, Found, Role, Tool, json, print};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    triggers: &["kubectl"],
    read,
    redeploys,
    script,
    failure: Failure::Of(&["apply", "set", "rollout"]),
    ..Program::new(&["kubectl", "oc", "kubecolor"], Tool::Kubectl)
};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static DISTRIBUTIONS: Program = Program {
    read,
    redeploys,
    script,
    ..Program::new(&["k3s", "microk8s", "minikube"], Tool::Kubectl)
};

/// Options with a value of kubectl 1.35 (2026-11), as far as they stand near images.
const KUBECTL: Options = Options::new(&[
    "-n",
    "--namespace",
    "--context",
    "--kubeconfig",
    "--cluster",
    "--user",
    "-s",
    "--server",
    "-l",
    "--selector",
    "-f",
    "--filename",
    "-o",
    "--output",
    "--type",
    "-p",
    "--patch",
    "--patch-file",
    "--image",
    "--env",
    "--port",
    "--labels",
    "--overrides",
    "--restart",
    "--replicas",
    "-c",
    "--container",
    "--token",
    "--as",
    "--request-timeout",
    "--field-manager",
    "-r",
    "--schedule",
    "--from",
    "-k",
    "--kustomize",
    "--target",
    "--timeout",
    "--image-pull-policy",
    "--serviceaccount",
]);

/// The index of the first word behind `kubectl`.
fn start(view: &View<'_>) -> Option<usize> {
    if !DISTRIBUTIONS.names.contains(&view.program.as_str()) {
        return Some(view.start + 1);
    }
    let own = (view.start + 1..view.len()).find(|word| view.is(*word, "kubectl"))?;
    // `minikube kubectl -- get pods`
    Some(own + 1 + usize::from(view.is(own + 1, "--")))
}

/// The words that are no options, and their texts; those of a plug-in (`argo rollouts`) are left out.
fn words(view: &View<'_>, arguments: &Arguments) -> (Vec<usize>, Vec<String>) {
    let words = arguments.positionals();
    let name = |word: &usize| view.literal(*word).unwrap_or_default();
    let plugin = words.len() > 2 && name(&words[0]) == "argo" && name(&words[1]) == "rollouts";
    let words = words[if plugin { 2 } else { 0 }..].to_vec();
    let names = words.iter().take(3).map(name).collect();
    (words, names)
}

fn read(view: &View<'_>, found: &mut Found) {
    let Some(start) = start(view) else {
        return;
    };
    print::documents(view, found);
    let arguments = Arguments::read(view, start, &KUBECTL);
    let (words, names) = words(view, &arguments);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match names.as_slice() {
        ["set", "image", ..] => {
            for word in words.into_iter().skip(2) {
                let shape = view.shape(word);
                let Some((container, _)) = shape.text.split_once('=') else {
                    continue;
                };
                if let Some(slice) = shape.tail(container.len() + 1, Some(word)) {
                    found.slice(Role::Deploy, Tool::Kubectl, Form::Reference, &slice);
                }
            }
        }
        ["run", ..]
        | ["create", "deployment" | "deploy" | "job" | "cronjob", ..]
        | ["debug", ..] => {
            for image in arguments.values(&["--image"]) {
                found.slice(Role::Deploy, Tool::Kubectl, Form::Reference, image);
            }
        }
        ["patch", ..] => {
            for patch in arguments.values(&["-p", "--patch"]) {
                for (_, range) in json::values(&patch.text, &["image"]) {
                    found.part(
                        view,
                        patch,
                        range,
                        Role::Deploy,
                        Tool::Kubectl,
                        Form::Reference,
                    );
                }
            }
        }
        _ => {}
    }
}

/// The files and folders that `apply`, `replace` and `create` are given, as written.
pub(super) fn applied(view: &View<'_>) -> Vec<SmolStr> {
    let Some(start) = start(view) else {
        return Vec::new();
    };
    let arguments = Arguments::read(view, start, &KUBECTL);
    let (_, names) = words(view, &arguments);
    if !matches!(
        names.first().map(String::as_str),
        Some("apply" | "replace" | "create")
    ) {
        return Vec::new();
    }
    let files = arguments.values(&["-f", "--filename", "-k", "--kustomize"]);
    files
        .flat_map(|file| file.span.of(view.script).split(','))
        .map(SmolStr::from)
        .collect()
}

/// `rollout restart` (kubectl 1.35, oc 4.20), `argo rollouts restart`, `oc rollout latest` start the pods again
/// with the image that the object names.
fn redeploys(view: &View<'_>) -> bool {
    let Some(start) = start(view) else {
        return false;
    };
    let (_, names) = words(view, &Arguments::read(view, start, &KUBECTL));
    match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["rollout", "restart" | "latest", ..] => true,
        ["restart", ..] => (start..view.len()).any(|word| view.is(word, "rollouts")),
        _ => false,
    }
}

/// `exec pod -- sh -c script`.
fn script(view: &View<'_>) -> Option<Nested> {
    (view.start..view.len()).find(|word| view.is(*word, "exec"))?;
    let dashes = (view.start..view.len()).find(|word| view.is(*word, "--"))?;
    shells::shell_at(view, dashes + 1).map(Nested::elsewhere)
}

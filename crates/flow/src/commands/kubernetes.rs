//! kubectl, helm, kustomize.

use super::options::{Arguments, Options};
use super::references::may_be_reference;
use super::words::{OPAQUE, Slice, View};
use super::{Form, Found, Role, Tool, json};

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

/// Options with a value of kustomize 5.8 (2026-11).
const KUSTOMIZE: Options = Options::new(&["--stack-trace"]);

pub(super) fn kubectl(view: &View<'_>, found: &mut Found) {
    let arguments = Arguments::read(view, view.start + 1, &KUBECTL);
    let words = arguments.positionals();
    let names: Vec<String> = words
        .iter()
        .take(3)
        .map(|word| view.literal(*word).unwrap_or_default())
        .collect();
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

pub(super) fn helm(view: &View<'_>, found: &mut Found) {
    let at = view.start + 1;
    let deploys = (at..view.len())
        .take_while(|word| *word < at + 8)
        .any(|word| {
            ["upgrade", "install", "template"]
                .iter()
                .any(|name| view.is(word, name))
        });
    if !deploys {
        return;
    }
    let options = Options::new(&[
        "--set",
        "--set-string",
        "-f",
        "--values",
        "-n",
        "--namespace",
        "--version",
    ]);
    let arguments = Arguments::read(view, at, &options);
    let mut repository = None;
    let mut tags: Vec<Slice> = Vec::new();
    for set in arguments.values(&["--set", "--set-string"]) {
        for (key, range) in settings(&set.text) {
            let Some(value) = view.cut(set, range) else {
                continue;
            };
            match setting(key) {
                Some(Setting::Tag) => tags.push(value),
                Some(Setting::Repository) => repository = Some(value.span),
                Some(Setting::Image)
                    if may_be_reference(&value.text) && value.text.contains([':', '/', OPAQUE]) =>
                {
                    found.slice(Role::Deploy, Tool::Helm, Form::Reference, &value);
                }
                Some(Setting::Image) | None => {}
            }
        }
    }
    for tag in tags {
        found.tag(Role::Deploy, Tool::Helm, Some(&tag), repository);
    }
}

enum Setting {
    Tag,
    Repository,
    Image,
}

/// What a chart's value with this path means, by the conventions of charts.
fn setting(key: &str) -> Option<Setting> {
    let key = key.to_ascii_lowercase();
    let (parent, last) = key.rsplit_once('.').unwrap_or(("", &key));
    let last = last.replace(['_', '-'], "");
    match last.as_str() {
        "tag" if parent.is_empty() || parent.contains("image") => Some(Setting::Tag),
        "repository" if parent.contains("image") => Some(Setting::Repository),
        last if last.ends_with("imagetag") => Some(Setting::Tag),
        last if last.ends_with("imagerepository") => Some(Setting::Repository),
        last if last.ends_with("image") || last.ends_with("imageuri") => Some(Setting::Image),
        _ => None,
    }
}

/// `a=1,b=2`: each key with the range of its value. A comma behind a backslash belongs to the value.
fn settings(text: &str) -> Vec<(&str, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let mut end = start;
        while end < text.len() && text.as_bytes()[end] != b',' {
            end += if text.as_bytes()[end] == b'\\' { 2 } else { 1 };
        }
        let end = end.min(text.len());
        if let Some((key, value)) = text.get(start..end).and_then(|piece| piece.split_once('='))
            && !value.is_empty()
        {
            found.push((key, end - value.len()..end));
        }
        start = end + 1;
    }
    found
}

pub(super) fn kustomize(view: &View<'_>, found: &mut Found) {
    let words = Arguments::read(view, view.start + 1, &KUSTOMIZE).positionals();
    let [edit, set, image, images @ ..] = words.as_slice() else {
        return;
    };
    if !(view.is(*edit, "edit") && view.is(*set, "set") && view.is(*image, "image")) {
        return;
    }
    for word in images {
        let shape = view.shape(*word);
        let start = shape.text.find('=').map_or(0, |at| at + 1);
        if let Some(tag) = shape.text[start..].strip_prefix("*:") {
            let repository = shape.span(0..start.saturating_sub(1));
            let slice = shape.tail(shape.text.len() - tag.len(), Some(*word));
            found.tag(Role::Record, Tool::Kustomize, slice.as_ref(), repository);
        } else if let Some(slice) = shape.tail(start, Some(*word)) {
            found.slice(Role::Record, Tool::Kustomize, Form::Reference, &slice);
        }
    }
}

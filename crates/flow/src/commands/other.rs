//! Whatever else gets a tag as an argument: Terraform, make, Gradle, Maven, Pulumi, scripts.

use super::options::{Arguments, Options};
use super::references::{by_key, is_reference};
use super::words::View;
use super::{Form, Found, Role, Tool, aws, docker, text};

/// Terraform 1.14 and OpenTofu 1.11 (2026-11).
const TERRAFORM: Options = Options {
    values: &["-var", "--var"],
    single_dash: true,
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

pub(super) fn read(view: &View<'_>, found: &mut Found) {
    let at = view.start + 1;
    match view.program.as_str() {
        "terraform" | "tofu" | "terragrunt" => {
            let deploys = (at..view.len()).any(|word| {
                ["apply", "plan", "run-all"]
                    .iter()
                    .any(|name| view.is(word, name))
            });
            if !deploys {
                return;
            }
            let arguments = Arguments::read(view, at, &TERRAFORM);
            for value in arguments.values(&["-var", "--var"]) {
                docker::key_value(view, value, Role::Deploy, Tool::Terraform, found);
            }
        }
        "make" | "gmake" | "just" | "task" => assignments(view, found),
        "npx" | "yarn" | "pnpm" | "npm" => {
            let cdk = (at..view.len()).find(|word| {
                view.literal(*word).is_some_and(|word| {
                    word == "cdk"
                        || word == "aws-cdk"
                        || word.starts_with("cdk@")
                        || word.starts_with("aws-cdk@")
                })
            });
            if let Some(word) = cdk {
                aws::cdk(view, word + 1, found);
            }
        }
        "gradle" | "gradlew" | "mvn" | "mvnw" => properties(view, found),
        "pulumi" => {
            if let [config, set, key, value] = Arguments::read(view, at, &BUILDERS)
                .positionals()
                .as_slice()
                && view.is(*config, "config")
                && view.is(*set, "set")
                && let (Some(key), Some(value)) = (view.literal(*key), view.whole(*value))
                && let Some(form) = by_key(&key, &value)
            {
                found.slice(Role::Record, Tool::Other, form, &value);
            }
        }
        "pack" if view.is(at, "build") => {
            let arguments = Arguments::read(view, at + 1, &BUILDERS);
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
        "ko" => {
            for tag in Arguments::read(view, at, &BUILDERS).values(&["-t", "--tags"]) {
                found.slice(Role::BuildPush, Tool::Other, Form::Tag, tag);
            }
        }
        "bazel" | "bazelisk" => {
            for define in
                Arguments::read(view, at, &Options::new(&["--define"])).values(&["--define"])
            {
                docker::key_value(view, define, Role::Argument, Tool::Other, found);
            }
        }
        "Set-Content" | "Out-File" | "Add-Content" => text::print(view, found),
        name => {
            let shell = matches!(name, "sh" | "bash" | "source" | ".");
            let script = if shell { at } else { view.start };
            let shape = view.shape(script).text;
            let own = shape.ends_with(".sh") || (!shell && shape.starts_with("./"));
            if own && !shape.starts_with('-') {
                arguments(view, script + 1, found);
            }
        }
    }
}

/// `NAME=value` words.
fn assignments(view: &View<'_>, found: &mut Found) {
    for word in view.start + 1..view.len() {
        if let Some(slice) = view.whole(word)
            && !slice.text.starts_with('-')
        {
            docker::key_value(view, &slice, Role::Argument, Tool::Other, found);
        }
    }
}

/// `-Dname=value`, `-Pname=value`: jib's own names, and what speaks of an image otherwise.
fn properties(view: &View<'_>, found: &mut Found) {
    let builds = (view.start..view.len()).any(|word| {
        let text = view.shape(word).text;
        text.starts_with("jib") || text.contains(":jib") || text.ends_with("jib:build")
    });
    for word in view.start + 1..view.len() {
        let shape = view.shape(word);
        let Some(rest) = shape
            .text
            .strip_prefix("-D")
            .or_else(|| shape.text.strip_prefix("-P"))
        else {
            continue;
        };
        let Some((key, _)) = rest.split_once('=') else {
            continue;
        };
        let Some(slice) = shape.tail(key.len() + 3, Some(word)) else {
            continue;
        };
        let role = if builds {
            Role::BuildPush
        } else {
            Role::Argument
        };
        match key {
            "jib.to.image" | "image" => found.slice(role, Tool::Other, Form::Reference, &slice),
            "jib.to.tags" => found.slice(role, Tool::Other, Form::Tag, &slice),
            "jib.from.image" => {}
            _ => {
                if let Some(form) = by_key(key, &slice) {
                    found.slice(Role::Argument, Tool::Other, form, &slice);
                }
            }
        }
    }
}

/// The arguments of a script of the repository: only what can be nothing else.
fn arguments(view: &View<'_>, from: usize, found: &mut Found) {
    for word in from..view.len() {
        let Some(slice) = view.whole(word) else {
            continue;
        };
        if slice.text == "latest" {
            found.slice(Role::Argument, Tool::Other, Form::Tag, &slice);
        } else if is_reference(&slice.text) {
            found.slice(Role::Argument, Tool::Other, Form::Reference, &slice);
        } else if slice.text.contains('=') {
            let flag = slice.text.trim_start_matches('-');
            let start = slice.text.len() - flag.len();
            if let Some(slice) = view.cut(&slice, start..start + flag.len()) {
                docker::key_value(view, &slice, Role::Argument, Tool::Other, found);
            }
        }
    }
}

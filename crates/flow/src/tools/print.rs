//! Commands that write text which somebody deploys: printf, echo, cat, tee; and JSON that waits in a variable.

use tagwright_syntax::shell::{Command, RedirectKind};

use super::docker::key_value;
use super::options::{Arguments, Options};
use super::references::{is_placeholder, is_reference, may_be_reference};
use super::table::{Edits, Program, tool};
use super::words::{OPAQUE, Shape, View};
use super::{Form, Found, Role, Tool, json};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    read: print,
    ..Program::new(&["printf", "echo", "cat", "tee"], Tool::ImageDefinitions)
};

/// PowerShell's.
pub(super) static POWERSHELL: Program = Program {
    read: print,
    ..Program::new(
        &["Set-Content", "Out-File", "Add-Content"],
        Tool::ImageDefinitions,
    )
};

/// What fills in variables on the way.
pub(super) static ENVSUBST: Program = Program {
    read: documents,
    own_language: true,
    edits: Edits::Anything,
    ..Program::new(&["envsubst"], Tool::Other)
};

/// Keys of imagedefinitions.json, imageDetail.json and task definitions.
const KEYS: &[&str] = &["imageUri", "ImageURI", "ImageUri", "image"];

/// Where the output of a command goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    /// imagedefinitions.json, imageDetail.json, a task definition, …
    Json,
    /// A Kubernetes or Compose file.
    Yaml,
    /// kubectl's standard input.
    Kubectl,
    /// Another file.
    Text,
}

fn by_name(name: &str) -> Option<Target> {
    let name = name.trim_matches(['"', '\'']).to_ascii_lowercase();
    if name.ends_with(".json") {
        Some(Target::Json)
    } else if name.ends_with(".yaml") || name.ends_with(".yml") {
        Some(Target::Yaml)
    } else {
        None
    }
}

/// The file that the command's output ends up in: by redirection, as an argument of `tee`, or by what the
/// pipeline ends in.
fn target(view: &View<'_>) -> Option<Target> {
    for redirect in &view.command.redirects {
        if let (RedirectKind::Output, Some(word)) = (redirect.kind, &redirect.target) {
            let name = Shape::of_word(word, view.script).text;
            if name.starts_with("/dev/") {
                continue;
            }
            // A name that is only a variable: the keys must tell.
            let variable = name.ends_with(OPAQUE).then_some(Target::Json);
            return by_name(&name).or(variable).or(Some(Target::Text));
        }
    }
    if view.program == "tee" {
        return (view.start + 1..view.len()).find_map(|word| by_name(&view.shape(word).text));
    }
    // `… | tee imagedefinitions.json`, `… | jq . > x.json`: the rest of the line.
    let context = &view.command.context;
    let after = view.script.get(view.command.span.end as usize..)?;
    let line = after.split(['\n', ';']).next().unwrap_or("");
    let pipe = without_document(line.trim_start_matches([' ', '\t', '"', '\'']));
    if pipe.starts_with('|') && !pipe.starts_with("||") {
        let end = pipe.find("&&").unwrap_or(pipe.len());
        let applied = context.pipe_index + 1 < context.pipe_length
            && pipe[..end].split('|').any(|stage| {
                let program = stage.split_whitespace().find(|word| *word != "sudo");
                program
                    .and_then(super::words::base_name)
                    .and_then(tool)
                    .is_some_and(|tool| tool.family == Tool::Kubectl)
            });
        if applied {
            return Some(Target::Kubectl);
        }
        return pipe[..end]
            .split([' ', '\t', '>', '|'])
            .rev()
            .find_map(by_name);
    }
    None
}

/// `line` behind the operator and the delimiter of a here-document, if it starts with one.
fn without_document(line: &str) -> &str {
    let Some(rest) = line.strip_prefix("<<") else {
        return line;
    };
    let rest = rest.strip_prefix('-').unwrap_or(rest).trim_start();
    let end = rest.find([' ', '\t', '|']).unwrap_or(rest.len());
    rest[end..].trim_start()
}

/// Whether the command's output is what kubectl applies.
pub(super) fn is_applied(view: &View<'_>) -> bool {
    target(view) == Some(Target::Kubectl)
}

/// The tool that a key of [`KEYS`] belongs to.
fn tool_of(key: usize) -> Tool {
    if KEYS[key] == "image" {
        Tool::AwsEcs
    } else {
        Tool::ImageDefinitions
    }
}

/// printf, echo, cat, tee.
fn print(view: &View<'_>, found: &mut Found) {
    documents(view, found);
    let Some(target) = target(view) else {
        return;
    };
    match view.program.as_str() {
        "tee" | "cat" => {}
        _ if target == Target::Text => {
            for word in view.start + 1..view.len() {
                written(view, word, found);
            }
        }
        "printf" => printf(view, found),
        _ => {
            for word in view.start + 1..view.len() {
                let shape = view.shape(word);
                match target {
                    Target::Json => json_values(&shape, Some(word), found),
                    Target::Kubectl => {
                        yaml_values(&shape, Some(word), Role::Deploy, Tool::Kubectl, found);
                    }
                    _ => yaml_values(&shape, Some(word), Role::Record, Tool::Other, found),
                }
            }
        }
    }
}

/// A word that goes to a file of any kind: a whole reference, or one behind a name (`IMAGE=…`). What reads
/// the file is not known.
fn written(view: &View<'_>, word: usize, found: &mut Found) {
    let shape = view.shape(word);
    let text = shape.text.trim_end();
    let end = text.strip_suffix("\\n").unwrap_or(text).len();
    let start = if text.starts_with("export ") {
        "export ".len()
    } else {
        0
    };
    let Some(slice) = shape.slice(start..end.max(start), Some(word)) else {
        return;
    };
    if slice.text.contains(char::is_whitespace) || slice.text.starts_with("arn:") {
        return;
    }
    if slice.text.contains('=') {
        key_value(view, &slice, Role::Argument, Tool::Other, found);
    } else if is_reference(&slice.text) {
        found.slice(Role::Argument, Tool::Other, Form::Reference, &slice);
    }
}

/// JSON in a variable, which a later command writes or hands on: `IMAGES="[{\"imageUri\":\"$REPO:latest\"}]"`.
pub(super) fn assigned(command: &Command, script: &str, found: &mut Found) {
    for assignment in &command.assignments {
        if let Some(word) = &assignment.value
            && KEYS.iter().any(|key| word.span.of(script).contains(key))
        {
            json_values(&Shape::of_word(word, script), None, found);
        }
    }
}

/// References under [`KEYS`] in `shape`.
fn json_values(shape: &Shape, word: Option<usize>, found: &mut Found) {
    for (key, range) in json::values(&shape.text, KEYS) {
        if let Some(slice) = shape.slice(range, word)
            && may_be_reference(&slice.text)
            && !is_placeholder(&slice.text)
        {
            found.slice(Role::Record, tool_of(key), Form::Reference, &slice);
        }
    }
}

/// References under `image:` in YAML, in lines of their own and in `{…}`; in JSON, which is YAML too.
fn yaml_values(shape: &Shape<'_>, word: Option<usize>, role: Role, tool: Tool, found: &mut Found) {
    let text = &*shape.text;
    for (at, key) in text.match_indices("image") {
        let before = &text[..at];
        let line = before.rsplit('\n').next().unwrap_or("");
        let begins = line
            .trim_start_matches([' ', '\t', '-', '"', '\''])
            .is_empty()
            || before
                .trim_end_matches([' ', '"', '\''])
                .ends_with(['{', ',']);
        let rest = text[at + key.len()..].trim_start_matches(['"', '\'']);
        let Some(rest) = rest
            .strip_prefix(':')
            .filter(|_| begins && !line.contains('#'))
        else {
            continue;
        };
        let rest = rest.trim_start_matches([' ', '\t']);
        let start = text.len() - rest.len();
        let value = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest[1..].split(quote).next().unwrap_or(""),
            _ => rest.split(['\n', ' ', '}', ',', '\t']).next().unwrap_or(""),
        };
        let start = start + usize::from(rest.starts_with(['"', '\'']));
        if let Some(slice) = shape.slice(start..start + value.len(), word)
            && may_be_reference(value)
            && !is_placeholder(value)
        {
            found.slice(role, tool, Form::Reference, &slice);
        }
    }
}

/// Here-documents and here-strings that hold JSON for a deployment, or a manifest for kubectl.
pub(super) fn documents(view: &View<'_>, found: &mut Found) {
    let mut redirects = view.command.redirects.iter();
    if redirects.all(|redirect| redirect.here_document.is_none()) {
        return;
    }
    let target = match tool(&view.program) {
        Some(program) if program.family == Tool::Kubectl => Some(Target::Kubectl),
        _ => target(view),
    };
    for redirect in &view.command.redirects {
        let Some(document) = &redirect.here_document else {
            continue;
        };
        let shape = Shape::of_parts(&document.parts, document.body, view.script);
        match target {
            Some(Target::Kubectl) => {
                yaml_values(&shape, None, Role::Deploy, Tool::Kubectl, found);
            }
            Some(Target::Json) => json_values(&shape, None, found),
            Some(Target::Yaml) => {
                yaml_values(&shape, None, Role::Record, reader(&shape.text), found);
            }
            Some(Target::Text) | None => {}
        }
    }
}

/// The tool that a manifest is for.
fn reader(text: &str) -> Tool {
    let object = text
        .lines()
        .any(|line| line.trim_start().starts_with("apiVersion:"));
    if object { Tool::Kubectl } else { Tool::Other }
}

/// `printf FORMAT ARGUMENTS…`: the image is in the format, in an argument, or in both.
fn printf(view: &View<'_>, found: &mut Found) {
    let arguments = Arguments::read(view, view.start + 1, &Options::new(&["-v"]));
    let words = arguments.positionals();
    let [format, words @ ..] = words.as_slice() else {
        return;
    };
    let shape = view.shape(*format);
    let values = json::values(&shape.text, KEYS);
    // A format without any `%` leaves its arguments out; one that names the image again is to go with it.
    if let Some((key, _)) = values.first()
        && conversions(&shape.text) == 0
    {
        for word in words {
            if is_reference(&view.shape(*word).text) {
                found.whole(Role::Record, tool_of(*key), view, *word);
            }
        }
    }
    for (key, range) in values {
        let tool = tool_of(key);
        let text = &shape.text[range.clone()];
        let before = conversions(&shape.text[..range.start]);
        let word = |index: usize| words.get(before + index).and_then(|word| view.whole(*word));
        match conversions(text) {
            0 => {
                if let Some(slice) = shape.slice(range, Some(*format)) {
                    found.slice(Role::Record, tool, Form::Reference, &slice);
                }
            }
            1 if text == "%s" => {
                if let Some(slice) = word(0) {
                    found.slice(Role::Record, tool, Form::Reference, &slice);
                }
            }
            // `%s:latest`, `repository:%s`
            1 => {
                let Some((name, tag)) = text.rsplit_once(':') else {
                    continue;
                };
                let colon = range.start + name.len();
                if tag == "%s" {
                    found.tag(
                        Role::Record,
                        tool,
                        word(0).as_ref(),
                        shape.span(range.start..colon),
                    );
                } else if name == "%s" {
                    let tag = shape.slice(colon + 1..range.end, Some(*format));
                    found.tag(
                        Role::Record,
                        tool,
                        tag.as_ref(),
                        word(0).map(|slice| slice.span),
                    );
                }
            }
            _ => {
                if text == "%s:%s" {
                    found.tag(
                        Role::Record,
                        tool,
                        word(1).as_ref(),
                        word(0).map(|slice| slice.span),
                    );
                }
            }
        }
    }
}

/// Number of conversions (`%s`) in a format.
fn conversions(format: &str) -> usize {
    let mut count = 0;
    let mut rest = format;
    while let Some((_, after)) = rest.split_once('%') {
        rest = after.strip_prefix('%').unwrap_or_else(|| {
            count += 1;
            after
        });
    }
    count
}

//! Commands that write text which somebody deploys: printf, echo, cat, tee, jq, sed.

use std::ops::Range;

use tagwright_syntax::Span;
use tagwright_syntax::shell::RedirectKind;

use super::options::{Arguments, Options};
use super::references::{is_placeholder, is_reference, is_tag, key_words, may_be_reference};
use super::words::{OPAQUE, Shape, Slice, View};
use super::{Form, Found, Role, Tool, json};

/// Keys of imagedefinitions.json, imageDetail.json and task definitions.
const KEYS: &[&str] = &["imageUri", "ImageURI", "ImageUri", "image"];

/// Where the output of a command goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    /// imagedefinitions.json, imageDetail.json, a task definition, …
    Json,
    /// A Kubernetes or Compose file.
    Yaml,
}

/// The file that the command's output ends up in: by redirection, as an argument of `tee`, or by what the
/// pipeline ends in.
fn target(view: &View<'_>) -> Option<Target> {
    let by_name = |name: &str| {
        let name = name.trim_matches(['"', '\'']).to_ascii_lowercase();
        if name.ends_with(".json") {
            Some(Target::Json)
        } else if name.ends_with(".yaml") || name.ends_with(".yml") {
            Some(Target::Yaml)
        } else {
            None
        }
    };
    for redirect in &view.command.redirects {
        if let (RedirectKind::Output, Some(word)) = (redirect.kind, &redirect.target) {
            let name = Shape::of_word(word, view.script).text;
            // A name that is only a variable: the keys must tell.
            if let Some(target) =
                by_name(&name).or_else(|| name.ends_with(OPAQUE).then_some(Target::Json))
            {
                return Some(target);
            }
        }
    }
    if view.program == "tee" {
        return (view.start + 1..view.len()).find_map(|word| by_name(&view.shape(word).text));
    }
    // `… | tee imagedefinitions.json`, `… | jq . > x.json`: the rest of the line.
    let after = view.script.get(view.command.span.end as usize..)?;
    let line = after.split(['\n', ';']).next().unwrap_or("");
    let pipe = line.trim_start_matches([' ', '\t', '"', '\'']);
    if pipe.starts_with('|') && !pipe.starts_with("||") {
        let end = pipe.find("&&").unwrap_or(pipe.len());
        return pipe[..end]
            .split([' ', '\t', '>', '|'])
            .rev()
            .find_map(by_name);
    }
    None
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
pub(super) fn print(view: &View<'_>, found: &mut Found) {
    documents(view, found);
    let Some(target) = target(view) else {
        return;
    };
    match view.program.as_str() {
        "printf" => printf(view, found),
        "tee" | "cat" => {}
        _ => {
            for word in view.start + 1..view.len() {
                let shape = view.shape(word);
                if target == Target::Json {
                    json_values(&shape, Some(word), found);
                } else {
                    yaml_values(&shape, Some(word), Role::Record, Tool::Other, found);
                }
            }
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

/// References under `image:` in YAML.
fn yaml_values(shape: &Shape, word: Option<usize>, role: Role, tool: Tool, found: &mut Found) {
    let mut start = 0;
    for line in shape.text.split('\n') {
        let content = line.trim_start_matches([' ', '-']);
        if let Some(value) = content.strip_prefix("image:") {
            let value = value
                .split(" #")
                .next()
                .unwrap_or("")
                .trim()
                .trim_matches(['"', '\'']);
            let at = value.as_ptr() as usize - shape.text.as_ptr() as usize;
            if let Some(slice) = shape.slice(at..at + value.len(), word)
                && may_be_reference(value)
                && !is_placeholder(value)
            {
                found.slice(role, tool, Form::Reference, &slice);
            }
        }
        start += line.len() + 1;
    }
    debug_assert!(start > shape.text.len());
}

/// Here-documents and here-strings that hold JSON for a deployment, or a manifest for kubectl.
pub(super) fn documents(view: &View<'_>, found: &mut Found) {
    let mut redirects = view.command.redirects.iter();
    if redirects.all(|redirect| redirect.here_document.is_none()) {
        return;
    }
    let kubectl = matches!(view.program.as_str(), "kubectl" | "oc");
    let target = target(view);
    for redirect in &view.command.redirects {
        let Some(document) = &redirect.here_document else {
            continue;
        };
        let shape = Shape::of_parts(&document.parts, document.body, view.script);
        match target {
            _ if kubectl => yaml_values(&shape, None, Role::Deploy, Tool::Kubectl, found),
            Some(Target::Json) => json_values(&shape, None, found),
            Some(Target::Yaml) => yaml_values(&shape, None, Role::Record, Tool::Other, found),
            None => {}
        }
    }
}

/// `printf FORMAT ARGUMENTS…`: the image is in the format, in an argument, or in both.
fn printf(view: &View<'_>, found: &mut Found) {
    let arguments = Arguments::read(view, view.start + 1, &Options::new(&["-v"]));
    let words = arguments.positionals();
    let [format, words @ ..] = words.as_slice() else {
        return;
    };
    let shape = view.shape(*format);
    for (key, range) in json::values(&shape.text, KEYS) {
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

/// jq and yq: `--arg uri REF` used under an image's key, or the reference in the filter.
pub(super) fn jq(view: &View<'_>, found: &mut Found) {
    let mut filter = None;
    let mut variables: Vec<(String, usize)> = Vec::new();
    let mut at = view.start + 1;
    while at < view.len() {
        let shape = view.shape(at);
        match &*shape.text {
            "--arg" | "--argjson" => {
                variables.extend(view.literal(at + 1).map(|name| (name, at + 2)));
                at += 3;
            }
            "--slurpfile" | "--rawfile" | "--argfile" => at += 3,
            "--indent" | "--tab" | "-L" | "-I" | "--input-format" | "--output-format" => at += 2,
            text if text.starts_with('-') && text.len() > 1 => at += 1,
            "e" | "eval" if view.program == "yq" => at += 1,
            _ => {
                filter.get_or_insert(at);
                at += 1;
            }
        }
    }
    let Some(filter) = filter else {
        return;
    };
    let shape = view.shape(filter);
    let text = &*shape.text;
    for (name, word) in variables {
        let used = format!("${name}");
        let key = text.match_indices(&used).find_map(|(start, _)| {
            let ends = text[start + used.len()..]
                .starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            if ends {
                None
            } else {
                key_before(&text[..start])
            }
        });
        if let (Some(key), Some(slice)) = (key, view.whole(word)) {
            by_filter_key(&key, &slice, view, found);
        }
    }
    // `"value"` behind a key, by `:` or `=`.
    let mut from = 0;
    while let Some(open) = text[from..].find('"').map(|at| from + at) {
        let Some(close) = text[open + 1..].find('"').map(|at| open + 1 + at) else {
            break;
        };
        if let Some(key) = key_before(&text[..open])
            && let Some(slice) = shape.slice(open + 1..close, Some(filter))
        {
            by_filter_key(&key, &slice, view, found);
        }
        from = close + 1;
    }
}

/// The key that is given a value where `text` ends: `imageUri:`, `"imageUri" :`, `.image =`, `.image |=`.
fn key_before(text: &str) -> Option<String> {
    let text = text.trim_end();
    let text = text.strip_suffix([':', '='])?;
    if text.ends_with(['=', '!', '<', '>', '+']) {
        return None;
    }
    let text = text
        .strip_suffix('|')
        .unwrap_or(text)
        .trim_end()
        .trim_end_matches(['"', ']']);
    let key = text
        .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .next()
        .unwrap_or("");
    (!key.is_empty()).then(|| key.to_string())
}

fn by_filter_key(key: &str, slice: &Slice, view: &View<'_>, found: &mut Found) {
    if !may_be_reference(&slice.text) {
        return;
    }
    let image = !is_placeholder(&slice.text);
    let tool = if view.program == "yq" {
        Tool::Other
    } else if key == "image" {
        Tool::AwsEcs
    } else {
        Tool::ImageDefinitions
    };
    match key {
        "imageUri" | "ImageURI" | "ImageUri" | "image" | "Image" if image => {
            found.slice(Role::Record, tool, Form::Reference, slice);
        }
        "tag" | "imageTag" | "image_tag" => {
            found.slice(Role::Record, Tool::Other, Form::Tag, slice)
        }
        _ => {}
    }
}

/// sed's replacements. What it looks for is a pattern, never an image that anybody pulls.
pub(super) fn sed(view: &View<'_>, found: &mut Found) {
    let mut scripts = Vec::new();
    let mut positional = None;
    let mut at = view.start + 1;
    while at < view.len() {
        let shape = view.shape(at);
        let text = &*shape.text;
        let start = match text {
            "-e" | "--expression" => {
                scripts.push((at + 1, 0));
                at += 2;
                continue;
            }
            "-f" | "--file" | "-l" | "--line-length" => {
                positional.get_or_insert(at);
                at += 2;
                continue;
            }
            "--" => {
                at += 1;
                continue;
            }
            _ => match text.strip_prefix("--expression=") {
                Some(rest) => text.len() - rest.len(),
                // `-e's/a/b/'`, `-ne 's/a/b/'`, `-i.bak`, `-ie` (which is a suffix).
                None if text.starts_with('-') && text.len() > 1 && !text.starts_with("--") => {
                    let letters = text[1..]
                        .find(['i', 'e', 's', 'l', 'f'])
                        .map(|offset| offset + 1);
                    match letters {
                        Some(offset) if text[offset..].starts_with('e') => {
                            if offset + 1 == text.len() {
                                scripts.push((at + 1, 0));
                                at += 2;
                            } else {
                                scripts.push((at, offset + 1));
                                at += 1;
                            }
                            continue;
                        }
                        _ => {
                            // BSD's `-i ''`.
                            let empty = text == "-i" && view.is(at + 1, "");
                            at += 1 + usize::from(empty);
                            continue;
                        }
                    }
                }
                None if text.starts_with("--") => {
                    at += 1;
                    continue;
                }
                None => {
                    positional.get_or_insert(at);
                    at += 1;
                    continue;
                }
            },
        };
        scripts.push((at, start));
        at += 1;
    }
    if scripts.is_empty() {
        scripts.extend(positional.map(|word| (word, 0)));
    }
    for (word, start) in scripts {
        let shape = view.shape(word);
        for (pattern, replacement) in substitutions(&shape.text, start) {
            replaced(view, &shape, pattern, replacement, word, found);
        }
    }
}

/// Pattern and replacement of every `s` command in `text` from `start` on.
fn substitutions(text: &str, start: usize) -> Vec<(Range<usize>, Range<usize>)> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    let mut at = start;
    // The end of a part that `delimiter` closes.
    let part = |from: usize, delimiter: u8| {
        let mut at = from;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\\' => at += 2,
                b if b == delimiter => return Some(at),
                _ => at += 1,
            }
        }
        None
    };
    'commands: while at < bytes.len() {
        // Addresses: line numbers, `$`, `/re/`, ranges of them.
        loop {
            match bytes.get(at) {
                Some(
                    b' '
                    | b'\t'
                    | b'\n'
                    | b';'
                    | b'{'
                    | b'}'
                    | b'0'..=b'9'
                    | b'$'
                    | b','
                    | b'!'
                    | b'~'
                    | b'+',
                ) => {
                    at += 1;
                }
                Some(b'/') => match part(at + 1, b'/') {
                    Some(end) => at = end + 1,
                    None => break 'commands,
                },
                _ => break,
            }
        }
        if bytes.get(at) != Some(&b's') {
            // Another command: the next one may follow.
            match bytes[at.min(bytes.len())..]
                .iter()
                .position(|b| matches!(b, b';' | b'\n'))
            {
                Some(offset) => at += offset + 1,
                None => break,
            }
            continue;
        }
        let Some(&delimiter) = bytes
            .get(at + 1)
            .filter(|b| b.is_ascii() && !b.is_ascii_alphanumeric())
        else {
            break;
        };
        let Some(middle) = part(at + 2, delimiter) else {
            break;
        };
        let Some(end) = part(middle + 1, delimiter) else {
            break;
        };
        found.push((at + 2..middle, middle + 1..end));
        at = end + 1;
        while bytes.get(at).is_some_and(|b| b.is_ascii_alphanumeric()) {
            at += 1;
        }
    }
    found
}

/// One replacement: the reference or tag in it, if pattern and text speak of an image.
fn replaced(
    view: &View<'_>,
    shape: &Shape,
    pattern: Range<usize>,
    replacement: Range<usize>,
    word: usize,
    found: &mut Found,
) {
    let source = |range: Range<usize>| {
        shape
            .span(range)
            .map_or("", |span: Span| span.of(view.script))
    };
    let words = {
        let mut words = key_words(source(pattern.clone()));
        words.extend(key_words(source(replacement.clone())));
        words
    };
    let speaks = |topics: &[&str]| {
        words
            .iter()
            .any(|word| topics.iter().any(|topic| word.contains(topic)))
    };
    let text = &shape.text[replacement.clone()];
    // The last word of the replacement, without the YAML or JSON around it.
    let token_start = text
        .rfind([' ', '\t', '"', '\'', '=', '('])
        .map_or(0, |at| at + 1);
    let (mut start, mut token) = (token_start, &text[token_start..]);
    if token.is_empty() {
        // `image: "REF"`: the closing quote is last.
        let inner = text.trim_end_matches(['"', '\'', ' ']);
        let from = inner
            .rfind([' ', '\t', '"', '\'', '='])
            .map_or(0, |at| at + 1);
        (start, token) = (from, &inner[from..]);
    }
    if token.contains("://") {
        return;
    }
    // `image:REF` without a blank.
    if let Some(rest) = token
        .strip_prefix("image:")
        .filter(|rest| rest.contains([':', OPAQUE]))
    {
        start += token.len() - rest.len();
        token = rest;
    }
    // Delimiters escaped inside (`myrepo\/app`) and back-references (`\1`) stay part of the text.
    let plain = token.replace("\\/", "/").replace("\\.", ".");
    let range = replacement.start + start..replacement.start + start + token.len();
    let mut emit = |form: Form, range: Range<usize>| {
        if let Some(slice) = shape.slice(range, Some(word)) {
            found.slice(Role::Record, Tool::Sed, form, &slice);
        }
    };
    // `s/:latest/:$TAG/`, `s/\(image: .*\):.*/\1:$TAG/`
    let reference = plain.strip_prefix("\\1").unwrap_or(&plain);
    if let Some(tag) = reference.strip_prefix(':') {
        if is_tag(tag) && speaks(&["image", "latest", "tag", "docker", "repo", "ecr"]) {
            emit(Form::Tag, range.end - tag.len()..range.end);
        }
        return;
    }
    if plain.contains('\\') || plain.contains('&') || plain.is_empty() {
        return;
    }
    let topics = &[
        "image",
        "repo",
        "ecr",
        "tag",
        "registry",
        "latest",
        "docker",
        "container",
    ];
    let last = plain.rsplit('/').next().unwrap_or(&plain);
    if let Some((_, tag)) = last.rsplit_once(':') {
        if is_tag(tag) && (is_reference(&plain) && speaks(topics) || speaks(&["image"])) {
            emit(Form::Reference, range);
        }
        return;
    }
    let before = text[..start]
        .trim_end()
        .trim_end_matches(['"', '\''])
        .trim_end();
    if before.ends_with("tag:") || before.ends_with("Tag:") {
        if is_tag(&plain) {
            emit(Form::Tag, range);
        }
        return;
    }
    let pattern_words = key_words(source(pattern));
    let has = |words: &[String], name: &str| {
        words
            .iter()
            .any(|word| word == name || word == &format!("image{name}"))
    };
    if start == 0 && has(&pattern_words, "tag") && is_tag(&plain) {
        emit(Form::Tag, range);
        return;
    }
    // A lone variable: by its name, or by the placeholder's.
    if plain.chars().eq([OPAQUE]) {
        let name = key_words(source(range.clone()));
        let of_image = |words: &[String]| {
            words.iter().any(|word| word.starts_with("image"))
                && !words.iter().any(|word| word == "tag")
        };
        let only_name = |words: &[String]| {
            words
                .iter()
                .any(|word| matches!(word.as_str(), "repo" | "repository" | "version"))
        };
        if has(&name, "tag") && start == 0 {
            emit(Form::Tag, range);
        } else if (of_image(&name) || of_image(&pattern_words)) && !only_name(&name) {
            emit(Form::Reference, range);
        }
    }
}

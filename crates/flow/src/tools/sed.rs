//! sed: what it puts in is an image; what it looks for is a pattern, never an image that anybody pulls.

use std::ops::Range;

use tagwright_syntax::{SmolStr, Span};

use super::references::{is_reference, is_tag, key_words};
use super::table::{Edits, Program};
use super::words::{OPAQUE, Shape, View};
use super::{Form, Found, Role, Tool, print};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    read,
    own_language: true,
    edits: Edits::Anything,
    ..Program::new(&["sed", "gsed"], Tool::Sed)
};

/// sed's replacements. What it looks for is a pattern, never an image that anybody pulls.
fn read(view: &View<'_>, found: &mut Found) {
    let tool = if print::is_applied(view) {
        Tool::Kubectl
    } else {
        Tool::Sed
    };
    for (word, start) in words(view).0 {
        let shape = view.shape(word);
        for (pattern, replacement) in substitutions(&shape.text, start) {
            replaced(view, &shape, pattern, replacement, word, tool, found);
        }
    }
}

/// The files that are edited, as written.
pub(super) fn files(view: &View<'_>) -> Vec<SmolStr> {
    let files = words(view).1.into_iter();
    files
        .filter_map(|word| {
            Some(
                view.word(word)?
                    .span
                    .of(view.script)
                    .trim_matches(['"', '\''])
                    .into(),
            )
        })
        .collect()
}

/// The words that hold scripts, each with where its script starts; and the words that name files.
fn words(view: &View<'_>) -> (Vec<(usize, usize)>, Vec<usize>) {
    let mut scripts = Vec::new();
    let mut positionals = Vec::new();
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
                positionals.push(at);
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
                    positionals.push(at);
                    at += 1;
                    continue;
                }
            },
        };
        scripts.push((at, start));
        at += 1;
    }
    if scripts.is_empty() {
        let script = (!positionals.is_empty()).then(|| positionals.remove(0));
        scripts.extend(script.map(|word| (word, 0)));
    }
    (scripts, positionals)
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
    tool: Tool,
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
            found.slice(Role::Record, tool, form, &slice);
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

//! What text can be an image reference or a tag, as far as its shape tells.

use super::Form;
use super::words::{OPAQUE, Slice};

/// Whether `text` could not be read as anything but a reference with a tag: it has a registry or a variable
/// in front and a tag behind, or ends in `:latest`.
pub(super) fn is_reference(text: &str) -> bool {
    if text.contains("://")
        || text.contains(char::is_whitespace)
        || text.starts_with(['/', '.', ':', '-', '@'])
    {
        return false;
    }
    let (path, last) = text.rsplit_once('/').unwrap_or(("", text));
    let Some((name, tag)) = last.rsplit_once(':') else {
        return text.contains(".dkr.ecr.");
    };
    if name.is_empty() || !is_tag(tag) {
        return false;
    }
    let host = path.split('/').next().unwrap_or("");
    tag == "latest"
        || host.contains(['.', OPAQUE])
        || (path.is_empty() && name.contains(OPAQUE) && !tag.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether `text` has the form of a tag, expansions included.
pub(super) fn is_tag(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(['.', '-'])
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | OPAQUE))
}

/// Whether the text can be a reference at all (not an option, a path, a URL, an archive, …).
pub(super) fn may_be_reference(text: &str) -> bool {
    !text.is_empty()
        && !text.contains("://")
        && !text.contains([' ', '\t', '\n', '"', '\'', ',', '=', '*', '(', '{', '\\'])
        && !text.starts_with(['-', '/', '.', ':', '@'])
}

/// Whether `text`, a value in JSON or YAML, is filled in by somebody else later (`__IMAGE__`, `<IMAGE1_NAME>`):
/// no repository has capital letters.
pub(super) fn is_placeholder(text: &str) -> bool {
    let (path, last) = text.rsplit_once('/').unwrap_or(("", text));
    let name = last.split(':').next().unwrap_or(last);
    let name = if path.is_empty() {
        name
    } else {
        &text[..path.len() + 1 + name.len()]
    };
    !name.contains([OPAQUE, '$'])
        && name.contains(|c: char| c.is_ascii_uppercase() || matches!(c, '<' | '>'))
}

/// What a `key=value` argument carries, if anything: judged by the words of the key
/// (`ImageTag`, `docker_image`, `TAG`), since the value is often only a variable.
pub(super) fn by_key(key: &str, value: &Slice) -> Option<Form> {
    let text = value.text.as_str();
    if !may_be_reference(text) || matches!(text, "true" | "false" | "yes" | "no") {
        return None;
    }
    let words = key_words(key);
    let has = |word: &str| words.iter().any(|w| w == word);
    let qualified = text.contains([':', '/']);
    if has("tag") || has("imagetag") || has("dockertag") {
        return Some(if qualified {
            Form::Reference
        } else {
            Form::Tag
        });
    }
    if !has("image") && !has("imageuri") && !has("dockerimage") {
        return None;
    }
    let last = words.last().map_or("", String::as_str);
    if matches!(last, "version" | "tagversion") {
        return Some(if qualified {
            Form::Reference
        } else {
            Form::Tag
        });
    }
    let whole = matches!(
        last,
        "image" | "uri" | "url" | "imageuri" | "dockerimage" | "ref" | "reference" | "identifier"
    );
    let part = words.iter().any(|w| {
        matches!(
            w.as_str(),
            "repo" | "repository" | "registry" | "name" | "size" | "id" | "count" | "policy"
        )
    });
    let tagged = text
        .rsplit('/')
        .next()
        .is_some_and(|last| last.contains(':'));
    if tagged || (whole && (qualified || text.contains(OPAQUE)) && !part) {
        Some(Form::Reference)
    } else {
        None
    }
}

/// The words of a key, lower-cased: `ImageTag` → image, tag; `IMAGE_TAG` → image, tag; `Stage` → stage.
pub(super) fn key_words(key: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut previous = '_';
    for char in key.chars() {
        if char.is_ascii_alphanumeric() {
            let starts = !previous.is_ascii_alphanumeric()
                || (char.is_ascii_uppercase() && previous.is_ascii_lowercase());
            if starts {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.push(char.to_ascii_lowercase());
            }
        }
        previous = char;
    }
    words
}

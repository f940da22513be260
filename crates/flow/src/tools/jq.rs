//! jq and yq.

use super::references::{is_placeholder, may_be_reference};
use super::table::{Edits, Program};
use super::words::{Slice, View};
use super::{Form, Found, Role, Tool};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static JQ: Program = Program {
    read: jq,
    own_language: true,
    edits: Edits::Values,
    ..Program::new(&["jq"], Tool::ImageDefinitions)
};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static YQ: Program = Program {
    read: jq,
    own_language: true,
    edits: Edits::Values,
    ..Program::new(&["yq"], Tool::Other)
};

/// jq and yq: `--arg uri REF` used under an image's key, or the reference in the filter.
fn jq(view: &View<'_>, found: &mut Found) {
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
    // The bare word is a tag, whatever the key is called.
    let image = !is_placeholder(&slice.text) && slice.text != "latest";
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

//! helm.

use super::options::{Arguments, Options};
use super::references::may_be_reference;
use super::table::{Failure, Program};
use super::words::{OPAQUE, Slice, View};
use super::{Form, Found, Role, Tool};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    triggers: &["helm"],
    read,
    login: &["registry", "login"],
    failure: Failure::Of(&["upgrade", "install"]),
    ..Program::new(&["helm"], Tool::Helm)
};

fn read(view: &View<'_>, found: &mut Found) {
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

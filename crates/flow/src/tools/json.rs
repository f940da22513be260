//! Values of keys in JSON (and its look-alikes) that a word or a here-document holds.

use std::ops::Range;

/// The values of `"key": "value"` for every key in `keys`, as ranges of `text`, without quotes. Quotes may be
/// escaped (`\"`), as in JSON inside a JSON string.
pub(super) fn values(text: &str, keys: &[&str]) -> Vec<(usize, Range<usize>)> {
    let mut found = Vec::new();
    for (which, key) in keys.iter().enumerate() {
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find(key)) {
            let start = from + at;
            let end = start + key.len();
            from = end;
            if !text[..start].ends_with('"') {
                continue;
            }
            let Some(rest) = text[end..]
                .strip_prefix('\\')
                .unwrap_or(&text[end..])
                .strip_prefix('"')
            else {
                continue;
            };
            let Some(rest) = rest.trim_start().strip_prefix(':') else {
                continue;
            };
            let rest = rest.trim_start();
            let Some(value) = rest.strip_prefix('\\').unwrap_or(rest).strip_prefix('"') else {
                continue;
            };
            let from_value = text.len() - value.len();
            let Some(length) = value.find('"') else {
                continue;
            };
            let length = value[..length].trim_end_matches('\\').len();
            found.push((which, from_value..from_value + length));
        }
    }
    found.sort_by_key(|(_, range)| range.start);
    found
}

/// The values of `key=value` in the shorthand of the AWS CLI (`name=x,image=y`), for every key in `keys`.
pub(super) fn shorthand(text: &str, keys: &[&str]) -> Vec<(usize, Range<usize>)> {
    let mut found = Vec::new();
    for (which, key) in keys.iter().enumerate() {
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find(key)) {
            let start = from + at;
            let end = start + key.len();
            from = end;
            let begins = start == 0 || text[..start].ends_with([',', '{', '[', ' ', '=']);
            if !begins || !text[end..].starts_with('=') {
                continue;
            }
            let value = &text[end + 1..];
            let length = value
                .find([',', '}', ']', ' ', '\n', '"'])
                .unwrap_or(value.len());
            if length > 0 {
                found.push((which, end + 1..end + 1 + length));
            }
        }
    }
    found.sort_by_key(|(_, range)| range.start);
    found
}

/// The strings of `text` in double quotes, plain or escaped (`\"`), as ranges without quotes; keys among them.
pub(super) fn strings(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut quotes = text.match_indices('"');
    while let (Some((open, _)), Some((close, _))) = (quotes.next(), quotes.next()) {
        let inner = text[open + 1..close].trim_end_matches('\\');
        found.push(open + 1..open + 1 + inner.len());
    }
    found
}

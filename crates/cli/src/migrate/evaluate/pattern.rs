//! The shell's patterns, and the changes that `${name…}` makes of a text with them.

/// What the shell makes of `text` in `${name…}`; `operation` is all that follows the name: `##*:`, `//\//-`, `:0:7`.
/// `None` where that is not known.
pub(super) fn expand(text: &str, operation: &str) -> Option<String> {
    // What a variable or a command gives as a pattern is not looked into.
    if operation.contains(['$', '`']) {
        return None;
    }
    if let Some(rest) = operation.strip_prefix('/') {
        let (all, rest) = match rest.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (pattern, replacement) = split_unescaped(rest);
        return Some(replace(
            text,
            &pattern_of(pattern)?,
            &unquoted(replacement),
            all,
        ));
    }
    let remove = |longest: bool, pattern: &str, at_end: bool| {
        Some(without(text, &pattern_of(pattern)?, at_end, longest))
    };
    if let Some(pattern) = operation.strip_prefix("##") {
        return remove(true, pattern, false);
    }
    if let Some(pattern) = operation.strip_prefix('#') {
        return remove(false, pattern, false);
    }
    if let Some(pattern) = operation.strip_prefix("%%") {
        return remove(true, pattern, true);
    }
    if let Some(pattern) = operation.strip_prefix('%') {
        return remove(false, pattern, true);
    }
    match operation {
        ",," => return Some(text.to_lowercase()),
        "^^" => return Some(text.to_uppercase()),
        _ => {}
    }
    let range = operation.strip_prefix(':')?;
    let (start, length) = range.split_once(':').unwrap_or((range, ""));
    let start: usize = start.trim().parse().ok()?;
    let rest = text.chars().skip(start);
    if length.is_empty() {
        return Some(rest.collect());
    }
    Some(rest.take(length.trim().parse().ok()?).collect())
}

/// What stands before the first slash that has no backslash before it, and what behind.
fn split_unescaped(text: &str) -> (&str, &str) {
    let mut escaped = false;
    let at = text.find(|c: char| {
        let splits = c == '/' && !escaped;
        escaped = c == '\\' && !escaped;
        splits
    });
    at.map_or((text, ""), |at| (&text[..at], &text[at + 1..]))
}

fn unquoted(text: &str) -> String {
    text.trim_matches(['"', '\'']).replace('\\', "")
}

/// A piece of a pattern.
#[derive(Debug)]
enum Glob {
    Exactly(char),
    Any,
    Many,
    /// One of these, or none of them.
    Set(Vec<(char, char)>, bool),
}

impl Glob {
    fn takes(&self, character: char) -> bool {
        match self {
            Glob::Exactly(only) => *only == character,
            Glob::Any | Glob::Many => true,
            Glob::Set(ranges, negated) => {
                let inside = |(from, to): &(char, char)| (*from..=*to).contains(&character);
                ranges.iter().any(inside) != *negated
            }
        }
    }
}

/// The pattern; `None` for one with character classes, which nobody needs for tags.
fn pattern_of(text: &str) -> Option<Vec<Glob>> {
    let mut globs = Vec::new();
    let mut rest = text.chars().peekable();
    let mut quote = None;
    while let Some(next) = rest.next() {
        match (quote, next) {
            (Some(open), _) if next == open => quote = None,
            (Some(_), _) => globs.push(Glob::Exactly(next)),
            (None, '"' | '\'') => quote = Some(next),
            (None, '\\') => globs.push(Glob::Exactly(rest.next()?)),
            (None, '*') => globs.push(Glob::Many),
            (None, '?') => globs.push(Glob::Any),
            (None, '[') => globs.push(set(&mut rest)?),
            (None, _) => globs.push(Glob::Exactly(next)),
        }
    }
    Some(globs)
}

fn set(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Glob> {
    let negated = rest.next_if(|c| matches!(c, '!' | '^')).is_some();
    let mut ranges = Vec::new();
    loop {
        let next = rest.next()?;
        if next == ']' && !ranges.is_empty() {
            return Some(Glob::Set(ranges, negated));
        }
        if next == '[' {
            return None;
        }
        let from = if next == '\\' { rest.next()? } else { next };
        if rest.next_if_eq(&'-').is_none() {
            ranges.push((from, from));
            continue;
        }
        match rest.next_if(|c| *c != ']') {
            Some(to) => ranges.push((from, to)),
            None => ranges.extend([(from, from), ('-', '-')]),
        }
    }
}

/// Whether the pattern takes all of `text`.
fn matches(pattern: &[Glob], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [Glob::Many, rest @ ..] => (0..=text.len()).any(|at| matches(rest, &text[at..])),
        [first, rest @ ..] => match text {
            [character, others @ ..] => first.takes(*character) && matches(rest, others),
            [] => false,
        },
    }
}

/// Longer texts are no tags, and matching them takes long.
const LONGEST: usize = 1000;

fn without(text: &str, pattern: &[Glob], at_end: bool, longest: bool) -> String {
    let text: Vec<char> = text.chars().take(LONGEST).collect();
    let fits = |cut: &usize| {
        let part = if at_end {
            &text[text.len() - cut..]
        } else {
            &text[..*cut]
        };
        matches(pattern, part)
    };
    let cut = if longest {
        (0..=text.len()).rev().find(fits)
    } else {
        (0..=text.len()).find(fits)
    };
    let cut = cut.unwrap_or(0);
    let left = if at_end {
        &text[..text.len() - cut]
    } else {
        &text[cut..]
    };
    left.iter().collect()
}

fn replace(text: &str, pattern: &[Glob], replacement: &str, all: bool) -> String {
    let text: Vec<char> = text.chars().take(LONGEST).collect();
    let mut replaced = String::new();
    let mut at = 0;
    let mut done = false;
    while at < text.len() {
        let end = (at + 1..=text.len())
            .rev()
            .find(|end| !done && matches(pattern, &text[at..*end]));
        match end {
            Some(end) => {
                replaced.push_str(replacement);
                at = end;
                done = !all;
            }
            None => {
                replaced.push(text[at]);
                at += 1;
            }
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_do_what_the_shell_does() {
        for (text, operation, expected) in [
            ("shop:0a1b", "##*:", "0a1b"),
            ("a:b:c", "#*:", "b:c"),
            ("a/b/c", "%/*", "a/b"),
            ("a/b/c", "%%/*", "a"),
            ("refs/heads/x", "#refs/heads/", "x"),
            ("feature/x/y", "//\\//-", "feature-x-y"),
            ("feature/x/y", "/\\//-", "feature-x/y"),
            ("a+b c", "//[^a-zA-Z0-9]/-", "a-b-c"),
            ("a_b", "//_/", "ab"),
            ("0123456789", ":0:7", "0123456"),
            ("0123456789", ":7", "789"),
            ("Main", ",,", "main"),
            ("abc", "%x", "abc"),
        ] {
            assert_eq!(
                expand(text, operation).as_deref(),
                Some(expected),
                "{text} {operation}"
            );
        }
        assert_eq!(expand("a", "#$X"), None);
        assert_eq!(expand("a", "@Q"), None);
    }
}

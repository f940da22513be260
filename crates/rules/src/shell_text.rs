//! Questions about a piece of shell text, asked of the text alone.

use tagwright_flow::expression::plain_name;

/// A value without the quotes around the whole of it.
pub(crate) fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if value.len() >= 2
            && let Some(inner) = value.strip_prefix(quote)
            && let Some(inner) = inner.strip_suffix(quote)
        {
            return inner;
        }
    }
    value
}

/// The variable, if the text is `$NAME` or `${NAME}` and nothing else, double quotes around it allowed.
pub(crate) fn whole_variable(text: &str) -> Option<&str> {
    let name = text.trim_matches('"').strip_prefix('$')?;
    let name = name
        .strip_prefix('{')
        .map_or(Some(name), |inner| inner.strip_suffix('}'))?;
    (!name.is_empty() && plain_name(name) == name).then_some(name)
}

/// The variables that shell text reads: `$NAME` and `${NAME…}`.
pub(crate) fn names_in(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('$').filter_map(move |(at, _)| {
        let rest = text[at + 1..].trim_start_matches(['{', '#', '!']);
        let name = plain_name(rest);
        let starts = name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        starts.then_some(name)
    })
}

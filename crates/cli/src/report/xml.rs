//! Text in XML 1.0.

use super::{acts, completes_command};

/// `text` as the value of an attribute in double quotes, or as the content of an element.
///
/// XML forbids most control characters even as references, so they are written as `\u{…}`, as are characters
/// that turn the reading direction. Line breaks and tabs become references, which survive the normalisation
/// of attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        match character {
            '#' if completes_command(text, at) => escaped.push_str("&#35;"),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' => escaped.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => escaped.extend(character.escape_unicode()),
            _ if acts(character) => escaped.extend(character.escape_default()),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped_and_forbidden_characters_are_named() {
        assert_eq!(
            escape("<a href=\"x\">'&'</a>\r\n\t"),
            "&lt;a href=&quot;x&quot;&gt;'&amp;'&lt;/a&gt;&#13;&#10;&#9;"
        );
        assert_eq!(
            escape("\u{0}\u{1b}[0m\u{b}\u{fffe}"),
            "\\u{0}\\u{1b}[0m\\u{b}\\u{fffe}"
        );
        assert_eq!(escape("한글 \u{1f600}"), "한글 \u{1f600}");
    }
}

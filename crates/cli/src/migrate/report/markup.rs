//! Text inside of HTML and SVG.

use super::shared::join;

/// Text for an element or an attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Not allowed in HTML, and characters that turn the reading direction would hide what is there.
            '\n' | '\t' => escaped.push(character),
            other
                if other.is_control()
                    || matches!(other, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                escaped.extend(other.escape_default());
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// The tags of several builds, for a description.
pub(super) fn list(tags: &[String]) -> String {
    match join(tags).as_str() {
        "-" => "nothing".to_owned(),
        tags => tags.to_owned(),
    }
}

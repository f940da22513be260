//! The start of a page, and text inside of HTML and SVG.

use std::io::{self, Write};

use super::shared::join;

const STYLE: &str = include_str!("style.css");

/// Everything before the header of a page.
pub(crate) fn begin(title: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#plan\">Skip to the plan</a>",
        escape(title)
    )
}

/// Text for an element or an attribute.
pub(crate) fn escape(text: &str) -> String {
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

/// Text in which backticks stand around code.
pub(crate) fn text(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let shown = parts.iter().enumerate().map(|(index, part)| {
        if index % 2 == 1 {
            format!("<code>{}</code>", escape(part))
        } else {
            escape(part)
        }
    });
    shown.collect()
}

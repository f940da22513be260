//! Workflow commands of GitHub Actions: printed by a step, they become annotations of the run and of the
//! changed files.
//!
//! GitHub keeps ten annotations of each kind for a step, so the gravest come first.

use std::fmt::Write as _;
use std::io;

use tagwright_diagnostics::Severity;

use super::{Report, acts};

pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let mut entries = report.entries();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.severity));
    for entry in entries {
        let command = match entry.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        write!(out, "::{command} file={}", property(entry.path))?;
        // A file that could not be read has no lines.
        if entry.finding.is_some() {
            let ((line, column), (end_line, end_column)) = (entry.start, entry.end);
            write!(out, ",line={line},endLine={end_line}")?;
            // The runner drops an annotation that has columns and more than one line.
            if line == end_line {
                write!(out, ",col={column},endColumn={end_column}")?;
            }
        }
        let title = property(&format!("tagwright: {}", entry.rule));
        writeln!(out, ",title={title}::{}", data(entry.message))?;
    }
    Ok(())
}

/// Text after `::`.
fn data(text: &str) -> String {
    encode(text, "%")
}

/// The value of a property.
fn property(text: &str) -> String {
    encode(text, "%:,")
}

/// `text` without line breaks, which would end the command, and with the bytes of `reserved` written as `%XX`.
fn encode(text: &str, reserved: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\r' | '\n') || reserved.contains(character) {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{:02X}", u32::from(character));
        } else if acts(character) {
            encoded.extend(character.escape_default());
        } else {
            encoded.push(character);
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_or_a_property_is_encoded() {
        assert_eq!(
            data("50% a:b,c\r\n::error::x"),
            "50%25 a:b,c%0D%0A::error::x"
        );
        assert_eq!(property("a,b:c%0A.yml"), "a%2Cb%3Ac%250A.yml");
        assert_eq!(data("\u{1b}[31m"), "\\u{1b}[31m");
    }
}

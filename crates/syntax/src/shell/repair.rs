//! Texts that no shell would accept, read all the same.
//!
//! Buildspecs hold `if` without `fi` (the rest of it is the next list item), lists cut in the middle of a
//! quote, and plain mistakes. A copy is mended, without moving a byte of what was there, until the parser
//! takes it; what is found in it is good enough to look at.

use super::PartKind;
use super::adapter::{Reading, move_command, read};
use crate::Span;

/// Longer texts are not mended: every attempt is a parse.
const MAX_LENGTH: usize = 16 * 1024;

/// What may be missing at the end, the likeliest first.
const ENDINGS: &[&str] = &[
    "\n:;fi",
    "\"",
    "'",
    ")",
    "\n:;done",
    "\n:;}",
    "\nesac",
    "`",
    "}",
    ")\"",
    "\")",
    "\"\n:;fi",
    "\"\n:;done",
    "')",
    "\n:;fi\n:;fi",
    "\n:;fi\n:;done",
    "\n:;done\n:;fi",
    "\n:;fi\n:;}",
    "\n:;done\n:;}",
    "\n:;then :;fi",
    "\n:;do :;done",
    "}\"",
    "))",
    " :",
];

/// Words that continue a compound command whose start lies in another text.
const CONTINUATIONS: &[&str] = &[
    "then", "else", "elif", "fi", "do", "done", "esac", "}", ";;", "&&", "||", ")",
];

/// Reads a mended copy of `text`; `reading` is what the parser made of the text itself.
pub(super) fn reread(text: &str, reading: Reading) -> Reading {
    if text.len() > MAX_LENGTH {
        return reading;
    }
    let mut copy = text.to_string();
    blank_continuations(&mut copy);
    let length = copy.len();
    for ending in std::iter::once(&"").chain(ENDINGS) {
        if ending.is_empty() && copy == text {
            continue;
        }
        copy.truncate(length);
        copy.push_str(ending);
        let mended = read(&copy);
        if mended.clean && !mended.commands.is_empty() {
            return clip(mended, text);
        }
    }
    copy.truncate(length);
    if blank_terminators(&mut copy) {
        let mended = read(&copy);
        if mended.clean && !mended.commands.is_empty() {
            return mended;
        }
    }
    reading
}

/// Overwrites trailing `fi`, `done`, … with blanks; whether there was one.
fn blank_terminators(copy: &mut String) -> bool {
    let mut found = false;
    loop {
        let end = copy.trim_end_matches([' ', '\t', '\n', ';']).len();
        let start = copy[..end]
            .rfind([' ', '\t', '\n', ';'])
            .map_or(0, |at| at + 1);
        if !matches!(&copy[start..end], "fi" | "done" | "esac" | "}" | ")") {
            return found;
        }
        copy.replace_range(start..end, &" ".repeat(end - start));
        found = true;
    }
}

/// Overwrites leading `fi`, `else`, … with blanks.
fn blank_continuations(copy: &mut String) {
    loop {
        let trimmed = copy.trim_start_matches([' ', '\t', '\n', ';']);
        let start = copy.len() - trimmed.len();
        let found = CONTINUATIONS.iter().find(|word| {
            trimmed.strip_prefix(**word).is_some_and(|rest| {
                !rest.starts_with(|c: char| c.is_alphanumeric() || "_-./=".contains(c))
            })
        });
        let Some(word) = found else {
            copy.replace_range(..start, &" ".repeat(start));
            return;
        };
        let end = start + word.len();
        copy.replace_range(..end, &" ".repeat(end));
    }
}

/// Drops what was added: commands that start behind the text, and ends beyond it.
fn clip(mut reading: Reading, text: &str) -> Reading {
    let length = text.len();
    let limit = u32::try_from(length).unwrap_or(u32::MAX);
    reading
        .commands
        .retain(|command| command.span.start < limit);
    let place = |span: &mut Span| {
        span.start = span.start.min(limit);
        span.end = span.end.min(limit);
    };
    for command in &mut reading.commands {
        // The `:` of an ending can hang on to the last line.
        command.words.retain(|word| word.span.start < limit);
        command
            .assignments
            .retain(|assignment| assignment.span.start < limit);
        for word in &mut command.words {
            word.parts.retain(|part| part.span.start < limit);
            for part in &mut word.parts {
                if let PartKind::Literal(value) = &mut part.kind
                    && part.span.end > limit
                {
                    *value = text.get(part.span.start as usize..).unwrap_or("").into();
                }
            }
        }
        move_command(command, 0, &place);
    }
    reading.comments.retain(|comment| comment.start < limit);
    reading.comments.iter_mut().for_each(place);
    reading
}

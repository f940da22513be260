//! Just enough PowerShell to see commands and their words; never to rewrite.
//!
//! Buildspecs of Windows projects hold it. Commands end at line ends, `;`, `|`, `&&` and `||`; blocks,
//! expressions and operators are not understood, their words appear as they stand.

use super::{
    Assignment, Command, Context, Part, PartKind, Parts, Quoting, Redirect, RedirectKind, Script,
    Status, Variable, Word,
};
use crate::Span;

/// Longer texts are not read.
const MAX_LENGTH: usize = 512 * 1024;

/// Verbs of cmdlets that buildspecs use; `docker-compose` and the like have none of them.
const VERBS: &[&str] = &[
    "Add",
    "Clear",
    "Compress",
    "Convert",
    "ConvertFrom",
    "ConvertTo",
    "Copy",
    "Expand",
    "Export",
    "ForEach",
    "Format",
    "Get",
    "Import",
    "Install",
    "Invoke",
    "Join",
    "Move",
    "New",
    "Out",
    "Push",
    "Remove",
    "Rename",
    "Select",
    "Set",
    "Split",
    "Start",
    "Stop",
    "Test",
    "Where",
    "Write",
];

/// Whether `text`, a whole file, may hold a command that [`looks_like`] PowerShell: most hold nothing of the
/// kind, and their commands need not be looked at one by one.
#[must_use]
pub fn may_hold(text: &str) -> bool {
    let bytes = text.as_bytes();
    let noun = |at: usize| bytes.get(at + 1).is_some_and(u8::is_ascii_uppercase);
    names_environment(bytes) || memchr::memchr_iter(b'-', bytes).any(noun)
}

/// Whether there is `$env:` or `${env:`.
fn names_environment(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'$', bytes).any(|at| {
        let rest = &bytes[at + 1..];
        let rest = rest.strip_prefix(b"{").unwrap_or(rest);
        rest.get(..4)
            .is_some_and(|name| name.eq_ignore_ascii_case(b"env:"))
    })
}

/// Whether `text` can only be PowerShell (`$env:`, a cmdlet, …).
#[must_use]
pub fn looks_like(text: &str) -> bool {
    let bytes = text.as_bytes();
    if names_environment(bytes) {
        return true;
    }
    // `Verb-Noun` where a command starts, with both words in capitals.
    let mut hyphens = memchr::memchr_iter(b'-', bytes);
    hyphens.any(|at| {
        if !bytes.get(at + 1).is_some_and(u8::is_ascii_uppercase) {
            return false;
        }
        let start = bytes[..at]
            .iter()
            .rposition(|b| !b.is_ascii_alphabetic())
            .map_or(0, |p| p + 1);
        let before = text
            .get(..start)
            .unwrap_or("")
            .trim_end_matches([' ', '\t']);
        VERBS
            .iter()
            .any(|verb| bytes[start..at] == *verb.as_bytes())
            && (before.is_empty() || before.ends_with(['\n', ';', '|', '(', '{', '=']))
    })
}

/// Reads `text` as PowerShell. The status is never [`Status::Clean`].
#[must_use]
pub fn parse(text: &str) -> Script {
    let mut script = Script {
        commands: Vec::new(),
        status: Status::Repaired,
        comments: Vec::new(),
    };
    if text.len() > MAX_LENGTH {
        script.status = Status::Unreadable;
        return script;
    }
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
    };
    let mut command = empty();
    let mut conditional = false;
    while let Some(byte) = reader.peek(0) {
        match byte {
            b' ' | b'\t' | b'\r' => reader.at += 1,
            b'`' if reader.peek(1) == Some(b'\n') => reader.at += 2,
            b'`' if reader.peek(1) == Some(b'\r') && reader.peek(2) == Some(b'\n') => {
                reader.at += 3
            }
            b'#' => {
                let start = reader.at;
                reader.at =
                    memchr::memchr(b'\n', &reader.bytes[start..]).map_or(text.len(), |n| start + n);
                script.comments.push(Span::new(start, reader.at));
            }
            b'\n' | b';' | b'|' | b'&' => {
                let double = matches!(byte, b'|' | b'&') && reader.peek(1) == Some(byte);
                reader.at += 1 + usize::from(double);
                // A lone `&` calls what follows.
                if byte == b'&' && !double {
                    continue;
                }
                finish(
                    &mut script,
                    std::mem::replace(&mut command, empty()),
                    text,
                    conditional,
                );
                conditional = double;
            }
            b'>' => {
                let start = reader.at;
                while matches!(reader.peek(0), Some(b'>' | b' ' | b'\t')) {
                    reader.at += 1;
                }
                if reader.at == start + 1 && reader.peek(0) == Some(b'&') {
                    reader.at += 2;
                    continue;
                }
                let append = text[start..reader.at].starts_with(">>");
                let target = reader.word();
                command.redirects.push(Redirect {
                    kind: RedirectKind::Output,
                    append,
                    target: (!target.span.is_empty()).then_some(target),
                    here_document: None,
                });
            }
            _ => {
                let word = reader.word();
                if word.span.is_empty() {
                    reader.at += 1;
                } else {
                    command.words.push(word);
                }
            }
        }
    }
    finish(&mut script, command, text, conditional);
    script
}

fn empty() -> Command {
    Command {
        span: Span::default(),
        assignments: Vec::new(),
        words: Vec::new(),
        redirects: Vec::new(),
        context: Context {
            pipe_length: 1,
            ..Context::default()
        },
    }
}

fn finish(script: &mut Script, mut command: Command, text: &str, conditional: bool) {
    let Some(span) = command
        .words
        .iter()
        .map(|word| word.span)
        .reduce(Span::cover)
    else {
        return;
    };
    command.span = span;
    command.context.conditional = conditional;
    // `$env:NAME = value`, `$name = value`.
    if let [target, equals, ..] = command.words.as_slice()
        && equals.is("=")
        && let [
            Part {
                kind: PartKind::Variable(variable),
                span: name,
                ..
            },
        ] = target.parts.as_slice()
    {
        let exported = name.of(text).to_ascii_lowercase().contains("env:");
        let value = match &command.words[2..] {
            [value] => Some(value.clone()),
            _ => None,
        };
        command.assignments.push(Assignment {
            name: variable.name.clone(),
            span,
            value,
            append: false,
            exported,
        });
        command.words.clear();
    }
    script.commands.push(command);
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn word(&mut self) -> Word {
        let start = self.at;
        let mut parts = Parts::new();
        while let Some(byte) = self.peek(0) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'|' | b'&' | b'>' => break,
                b'\'' => {
                    let from = self.at + 1;
                    let mut end = from;
                    // A quote is doubled to stand for itself.
                    while let Some(&byte) = self.bytes.get(end) {
                        if byte == b'\'' {
                            if self.bytes.get(end + 1) != Some(&b'\'') {
                                break;
                            }
                            end += 1;
                        }
                        end += 1;
                    }
                    let end = end.min(self.bytes.len());
                    let value = self.text.get(from..end).unwrap_or("").replace("''", "'");
                    push(
                        &mut parts,
                        from,
                        end,
                        Quoting::Single,
                        PartKind::Literal(value.into()),
                    );
                    self.at = (end + 1).min(self.bytes.len());
                }
                b'"' => {
                    self.at += 1;
                    let from = self.at;
                    self.pieces(Quoting::Double, &mut parts);
                    if self.at == from {
                        push(
                            &mut parts,
                            from,
                            from,
                            Quoting::Double,
                            PartKind::Literal("".into()),
                        );
                    }
                    self.at = (self.at + 1).min(self.bytes.len());
                }
                _ => {
                    let from = self.at;
                    self.pieces(Quoting::None, &mut parts);
                    if self.at == from {
                        break;
                    }
                }
            }
        }
        Word {
            span: Span::new(start, self.at),
            parts,
        }
    }

    /// Literals and expansions up to the end of the quoted text or of the word.
    fn pieces(&mut self, quoting: Quoting, parts: &mut Parts) {
        let mut start = self.at;
        let mut value = String::new();
        while let Some(byte) = self.peek(0) {
            let ends = match quoting {
                Quoting::Double => byte == b'"',
                _ => matches!(
                    byte,
                    b' ' | b'\t' | b'\r' | b'\n' | b';' | b'|' | b'&' | b'>' | b'"' | b'\''
                ),
            };
            if ends {
                break;
            }
            match byte {
                b'`' => {
                    self.at += 1;
                    let Some(next) = self
                        .text
                        .get(self.at..)
                        .and_then(|rest| rest.chars().next())
                    else {
                        break;
                    };
                    match next {
                        'n' => value.push('\n'),
                        't' => value.push('\t'),
                        '\n' => {}
                        other => value.push(other),
                    }
                    self.at += next.len_utf8();
                }
                b'$' => {
                    let from = self.at;
                    let Some((end, kind)) = self.expansion() else {
                        value.push('$');
                        self.at += 1;
                        continue;
                    };
                    if from > start {
                        let value = std::mem::take(&mut value).into();
                        push(parts, start, from, quoting, PartKind::Literal(value));
                    }
                    push(parts, from, end, quoting, kind);
                    self.at = end;
                    start = end;
                }
                _ => {
                    let length = self
                        .text
                        .get(self.at..)
                        .and_then(|rest| rest.chars().next())
                        .map_or(1, char::len_utf8);
                    value.push_str(self.text.get(self.at..self.at + length).unwrap_or(""));
                    self.at += length;
                }
            }
        }
        if self.at > start {
            push(
                parts,
                start,
                self.at,
                quoting,
                PartKind::Literal(value.into()),
            );
        }
    }

    /// The end and kind of what starts with the `$` here.
    fn expansion(&self) -> Option<(usize, PartKind)> {
        let from = self.at + 1;
        match self.bytes.get(from)? {
            b'(' => {
                let mut depth = 0usize;
                for (offset, byte) in self.bytes[from..].iter().enumerate() {
                    match byte {
                        b'(' => depth += 1,
                        b')' => {
                            depth -= 1;
                            if depth == 0 {
                                return Some((from + offset + 1, PartKind::Substitution));
                            }
                        }
                        _ => {}
                    }
                }
                None
            }
            b'{' => {
                let length = memchr::memchr(b'}', &self.bytes[from..])?;
                let name = self.text.get(from + 1..from + length)?;
                Some((from + length + 1, variable(without_env(name), true)))
            }
            _ => {
                let rest = self.text.get(from..)?;
                let name = without_env(rest);
                let scope = rest.len() - name.len();
                let length = name
                    .bytes()
                    .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
                    .count();
                let name = &name[..length];
                (length > 0).then(|| (from + scope + length, variable(name, false)))
            }
        }
    }
}

fn push(parts: &mut Parts, start: usize, end: usize, quoting: Quoting, kind: PartKind) {
    parts.push(Part {
        span: Span::new(start, end),
        quoting,
        kind,
    });
}

/// `name` without the drive `env:`.
fn without_env(name: &str) -> &str {
    match name.split_at_checked(4) {
        Some((drive, rest)) if drive.eq_ignore_ascii_case("env:") => rest,
        _ => name,
    }
}

fn variable(name: &str, braced: bool) -> PartKind {
    PartKind::Variable(Variable {
        name: name.into(),
        braced,
        operator: None,
    })
}

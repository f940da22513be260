//! The commands that need no parser: words of ordinary characters and plain variables.
//!
//! Most commands of a buildspec are `docker push $REPO:$TAG` or `TAG=$COMMIT`: nothing quoted, nothing
//! nested, no operator. Reading those by hand costs a tenth of a parse. Everything that is not surely of
//! this kind is left to the parser; that both agree is a property test.

use super::{
    Assignment, Command, Context, Part, PartKind, Quoting, Script, Status, Variable, Word,
};
use crate::Span;

/// First words that do not name an ordinary program: the shell's grammar begins with them, or they
/// declare variables.
const SPECIAL: &[&str] = &[
    "if",
    "then",
    "elif",
    "else",
    "fi",
    "for",
    "while",
    "until",
    "do",
    "done",
    "case",
    "esac",
    "in",
    "function",
    "select",
    "time",
    "coproc",
    "export",
    "readonly",
    "local",
    "declare",
    "typeset",
    "break",
    "continue",
    "return",
    "exit",
    "repeat",
    "foreach",
    "always",
    "nocorrect",
    "noglob",
    "end",
    "let",
    "eval",
    "alias",
    "unset",
];

/// Longer texts are the parser's, which has a limit of its own.
const MAX_LENGTH: usize = 4096;

/// Whether the byte stands for itself anywhere in an unquoted word.
fn ordinary(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./:@%,+".contains(&byte)
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Reads `text` if it is one command of plain words; `None` leaves it to the parser.
pub(super) fn parse(text: &str) -> Option<Script> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let bytes = text.as_bytes();
    let end = bytes.len() - usize::from(bytes.last() == Some(&b'\n'));
    let mut words = Vec::new();
    let mut assignments = Vec::new();
    let mut at = 0;
    while at < end {
        if bytes[at] == b' ' {
            at += 1;
            continue;
        }
        let start = at;
        let equals = words
            .is_empty()
            .then(|| assignment_name(&bytes[at..end]))
            .flatten();
        if let Some(length) = equals {
            at += length + 1;
        }
        let value = at;
        let parts = word(text, &mut at, end)?;
        match equals {
            Some(length) => assignments.push(Assignment {
                name: text[start..start + length].into(),
                span: Span::new(start, at),
                // An empty value is rare; what the parser makes of it is its own affair.
                value: (value < at).then_some(Word {
                    span: Span::new(value, at),
                    parts,
                }),
                append: false,
                exported: false,
            }),
            // `A+=1`, `A[1]=x`, `1=x`: something with an equals sign where a program should stand.
            None if words.is_empty() && bytes[start..at].contains(&b'=') => return None,
            None => words.push(Word {
                span: Span::new(start, at),
                parts,
            }),
        }
        if assignments.last().is_some_and(|last| last.value.is_none()) {
            return None;
        }
    }
    let first = words.first().map(|word| word.span.of(text));
    if first.is_some_and(|first| SPECIAL.contains(&first)) {
        return None;
    }
    let starts = assignments
        .first()
        .map(|a: &Assignment| a.span)
        .or_else(|| words.first().map(|w: &Word| w.span))?;
    let ends = words
        .last()
        .map(|w| w.span)
        .or_else(|| assignments.last().map(|a| a.span))?;
    Some(Script {
        commands: vec![Command {
            span: starts.cover(ends),
            assignments,
            words,
            redirects: Vec::new(),
            context: Context {
                pipe_length: 1,
                ..Context::default()
            },
        }],
        status: Status::Clean,
        comments: Vec::new(),
    })
}

/// The length of the name in `NAME=`.
fn assignment_name(bytes: &[u8]) -> Option<usize> {
    let length = bytes.iter().position(|byte| !in_name(*byte))?;
    (length > 0 && !bytes[0].is_ascii_digit() && bytes[length] == b'=').then_some(length)
}

/// The pieces of the word at `at`, which is moved behind it.
fn word(text: &str, at: &mut usize, end: usize) -> Option<Vec<Part>> {
    let bytes = text.as_bytes();
    let mut parts = Vec::new();
    while *at < end && bytes[*at] != b' ' {
        let start = *at;
        let kind = if bytes[start] == b'$' {
            let braced = bytes.get(start + 1) == Some(&b'{');
            let name = start + 1 + usize::from(braced);
            let mut stop = name;
            while stop < end && in_name(bytes[stop]) {
                stop += 1;
            }
            if stop == name || bytes[name].is_ascii_digit() {
                return None;
            }
            *at = stop;
            if braced {
                if stop >= end || bytes[stop] != b'}' {
                    return None;
                }
                *at += 1;
            } else if bytes.get(stop) == Some(&b'[') {
                return None;
            }
            PartKind::Variable(Box::new(Variable {
                name: text[name..stop].into(),
                braced,
                operator: None,
            }))
        } else {
            // `=` is ordinary behind the first character of a word.
            while *at < end && (ordinary(bytes[*at]) || bytes[*at] == b'=' && *at > start) {
                *at += 1;
            }
            if *at == start {
                return None;
            }
            PartKind::Literal(text[start..*at].into())
        };
        parts.push(Part {
            span: Span::new(start, *at),
            quoting: Quoting::None,
            kind,
        });
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parser's reading, to compare with.
    fn both(text: &str) -> Option<(String, String)> {
        let plain = parse(text)?;
        let full = super::super::adapter::parse(text);
        Some((format!("{plain:?}"), format!("{full:?}")))
    }

    #[test]
    fn ordinary_commands_are_read_without_the_parser_and_as_it_reads_them() {
        let texts = [
            "docker push $REPO:$TAG",
            "docker build -t ${REPO}/web:latest --build-arg A=1 .",
            "IMAGE_TAG=$COMMIT_HASH",
            "A=1 B=$X-y make TAG=latest",
            "cd ..\n",
            "  npm  ci ",
            "docker tag app:latest $A.dkr.ecr.$R.amazonaws.com/app:latest",
        ];
        for text in texts {
            let (plain, full) = both(text).unwrap_or_else(|| panic!("not read: {text}"));
            assert_eq!(plain, full, "{text}");
        }
    }

    #[test]
    fn anything_else_is_left_to_the_parser() {
        let texts = [
            "",
            " ",
            "#x",
            "a # b",
            "a;b",
            "a|b",
            "a&b",
            "a>b",
            "a 'b'",
            "a \"b\"",
            "a `b`",
            "$(a)",
            "${a:-b}",
            "a\\b",
            "a*",
            "a?",
            "a[1]",
            "~/x",
            "!a",
            "{ a",
            "A=",
            "A+=1",
            "a$",
            "a$1",
            "$@",
            "é",
            "a\nb",
            "a\tb",
            "if x",
            "for x in y",
            "export A=1",
            "exit 1",
            "=x",
            "$a[1]",
            "${a",
            "time x",
            "a{b,c}",
        ];
        for text in texts {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn random_commands_of_plain_words_read_as_the_parser_reads_them() {
        const PIECES: &[&str] = &[
            "docker", " ", "  ", "push", "$REPO", "${REPO}", ":", "latest", "/", ".", "-t",
            "--tag", "=", "A=", "_x1=", "1", "@", "%", ",", "+", "$A", "${_b}", "time", "if",
            "x=y", "\n",
        ];
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = |limit: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % u64::try_from(limit).unwrap()).unwrap()
        };
        let mut compared = 0;
        for _ in 0..4_000 {
            let text: String = (0..=next(9)).map(|_| PIECES[next(PIECES.len())]).collect();
            if let Some((plain, full)) = both(&text) {
                assert_eq!(plain, full, "{text:?}");
                compared += 1;
            }
        }
        assert!(compared > 1_000, "only {compared} were plain");
    }
}

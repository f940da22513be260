//! The commands that need no parser: words of ordinary characters, plain variables and simple quotes.
//!
//! Most commands of a buildspec are `docker push $REPO:$TAG`, `TAG=$(echo $COMMIT | cut -c 1-7)` or
//! `printf '…' $REPO:$TAG > imagedefinitions.json`: one line without escapes, globs or compound commands.
//! Reading those by hand costs a tenth of a parse. Everything that is not surely of this kind is left to the
//! parser; that both agree is a property test.

use super::{
    Assignment, Command, Context, Part, PartKind, Parts, Quoting, Redirect, RedirectKind, Script,
    Status, Variable, Word,
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

/// Texts with more brackets in quotes are the parser's, which counts them, too.
const MAX_BRACKETS: u32 = 40;

/// Deeper substitutions are the parser's.
const MAX_DEPTH: u32 = 3;

/// Whether the byte stands for itself anywhere in an unquoted word.
fn ordinary(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./:@%,+".contains(&byte)
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Reads `text` if it is plain commands; `None` leaves it to the parser.
pub(super) fn parse(text: &str) -> Option<Script> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let bytes = text.as_bytes();
    let mut reader = Reader {
        text,
        bytes: &bytes[..bytes.len() - usize::from(bytes.last() == Some(&b'\n'))],
        at: 0,
        brackets: 0,
        commands: Vec::new(),
    };
    let context = Context {
        pipe_length: 1,
        ..Context::default()
    };
    reader.list(context, 0)?;
    Some(Script {
        commands: reader.commands,
        status: Status::Clean,
        comments: Vec::new(),
    })
}

/// The length of the name in `NAME=`.
fn assignment_name(bytes: &[u8]) -> Option<usize> {
    let length = bytes.iter().position(|byte| !in_name(*byte))?;
    (length > 0 && !bytes[0].is_ascii_digit() && bytes[length] == b'=').then_some(length)
}

struct Reader<'t> {
    text: &'t str,
    /// The text without the line break at its end.
    bytes: &'t [u8],
    at: usize,
    /// Opening brackets met in quotes.
    brackets: u32,
    commands: Vec<Command>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// Pipelines joined by `&&`, up to the end or, inside a substitution, to its `)`.
    fn list(&mut self, mut context: Context, depth: u32) -> Option<()> {
        loop {
            self.pipeline(&context, depth)?;
            match self.peek() {
                None => return (depth == 0).then_some(()),
                Some(b')') => return (depth > 0).then_some(()),
                Some(b'&') if self.bytes[self.at..].starts_with(b"&& ") => {
                    self.at += 3;
                    context.conditional = true;
                }
                Some(_) => return None,
            }
        }
    }

    fn pipeline(&mut self, context: &Context, depth: u32) -> Option<()> {
        let first = self.command(context, depth)?;
        let mut last = first;
        let mut length = 1;
        while self.bytes[self.at..].starts_with(b"| ") {
            self.at += 2;
            let piped = Context {
                subshell: true,
                pipe_index: length,
                ..context.clone()
            };
            last = self.command(&piped, depth)?;
            length += 1;
        }
        if length > 1 {
            // The commands of substitutions between them are in no pipeline of this depth.
            for command in &mut self.commands[first..=last] {
                if command.context.substitution == context.substitution {
                    command.context.subshell = true;
                    command.context.pipe_length = length;
                }
            }
        }
        Some(())
    }

    /// One simple command, added behind those of its substitutions; its index.
    fn command(&mut self, context: &Context, depth: u32) -> Option<usize> {
        // As many as most commands have.
        let mut words: Vec<Word> = Vec::with_capacity(6);
        let mut assignments: Vec<Assignment> = Vec::new();
        let mut redirects = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some(b'|' | b')' | b'&') => break,
                // Without a command it is the parser's affair, as are file descriptors.
                Some(b'>') if !words.is_empty() => {
                    redirects.push(self.redirect()?);
                    continue;
                }
                Some(_) => {}
            }
            let start = self.at;
            let rest = &self.bytes[start..];
            let equals = words.is_empty().then(|| assignment_name(rest)).flatten();
            if let Some(length) = equals {
                self.at += length + 1;
            }
            let value = self.at;
            let parts = self.word(Some((context, depth)))?;
            let span = Span::new(start, self.at);
            match equals {
                // An empty value is rare; what the parser makes of it is its own affair.
                Some(_) if parts.is_empty() => return None,
                Some(length) => assignments.push(Assignment {
                    name: self.text[start..start + length].into(),
                    span,
                    value: Some(Word {
                        span: Span::new(value, self.at),
                        parts,
                    }),
                    append: false,
                    exported: false,
                }),
                None if words.is_empty() => {
                    // `A+=1`, `A[1]=x`, `1=x`: something with an equals sign where a program should stand.
                    let odd = self.bytes[start..self.at].contains(&b'=')
                        || parts.iter().any(|part| part.quoting != Quoting::None)
                        || SPECIAL.contains(&span.of(self.text));
                    if odd {
                        return None;
                    }
                    words.push(Word { span, parts });
                }
                None => words.push(Word { span, parts }),
            }
        }
        let starts = assignments
            .first()
            .map(|a| a.span)
            .or_else(|| words.first().map(|w| w.span))?;
        let ends = words
            .last()
            .map(|w| w.span)
            .or_else(|| assignments.last().map(|a| a.span))?;
        self.commands.push(Command {
            span: starts.cover(ends),
            assignments,
            words,
            redirects,
            context: context.clone(),
        });
        Some(self.commands.len() - 1)
    }

    /// `> word` or `>> word`.
    fn redirect(&mut self) -> Option<Redirect> {
        if self.bytes[self.at - 1] != b' ' {
            return None;
        }
        self.at += 1;
        let append = self.peek() == Some(b'>');
        if append {
            self.at += 1;
        }
        self.skip_blanks();
        let start = self.at;
        // Without substitutions, whose commands would come in another order.
        let parts = self.word(None)?;
        (!parts.is_empty()).then(|| Redirect {
            kind: RedirectKind::Output,
            append,
            target: Some(Word {
                span: Span::new(start, self.at),
                parts,
            }),
            here_document: None,
        })
    }

    /// The pieces of the word that starts here. Substitutions run in this context, at this depth; without
    /// one there must be none.
    fn word(&mut self, nested: Option<(&Context, u32)>) -> Option<Parts> {
        let mut parts = Parts::new();
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'|' | b')' => break,
                b'$' => {
                    let part = self.expansion(Quoting::None, nested)?;
                    parts.push(part);
                }
                b'\'' => {
                    let start = self.at + 1;
                    let length = memchr::memchr(b'\'', &self.bytes[start..])?;
                    let inner = &self.bytes[start..start + length];
                    if length == 0 || !inner.iter().all(|byte| (b' '..0x7F).contains(byte)) {
                        return None;
                    }
                    self.count_brackets(start, start + length)?;
                    self.at = start + length + 1;
                    parts.push(self.literal(start, start + length, Quoting::Single));
                }
                b'"' => {
                    self.at += 1;
                    self.double(nested, &mut parts)?;
                }
                _ => {
                    let start = self.at;
                    // `=` is ordinary behind the first character of a word.
                    while self
                        .peek()
                        .is_some_and(|byte| ordinary(byte) || byte == b'=' && self.at > start)
                    {
                        self.at += 1;
                    }
                    if self.at == start {
                        return None;
                    }
                    parts.push(self.literal(start, self.at, Quoting::None));
                }
            }
        }
        Some(parts)
    }

    fn literal(&self, start: usize, end: usize, quoting: Quoting) -> Part {
        Part {
            span: Span::new(start, end),
            quoting,
            kind: PartKind::Literal(self.text[start..end].into()),
        }
    }

    /// The inside of double quotes, and the quote behind it.
    fn double(&mut self, nested: Option<(&Context, u32)>, parts: &mut Parts) -> Option<()> {
        let first = self.at;
        loop {
            let start = self.at;
            let rest = &self.bytes[start..];
            let length = rest
                .iter()
                .position(|byte| !(b' '..0x7F).contains(byte) || b"\"$\\`".contains(byte))?;
            self.at += length;
            if length > 0 {
                self.count_brackets(start, self.at)?;
                parts.push(self.literal(start, self.at, Quoting::Double));
            }
            match self.bytes[self.at] {
                b'"' if self.at == first => return None,
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'$' => {
                    let part = self.expansion(Quoting::Double, nested)?;
                    parts.push(part);
                }
                _ => return None,
            }
        }
    }

    /// `$NAME`, `${NAME}` or `$( … )`.
    fn expansion(&mut self, quoting: Quoting, nested: Option<(&Context, u32)>) -> Option<Part> {
        let start = self.at;
        let kind = if self.bytes.get(start + 1) == Some(&b'(') {
            let (context, depth) = nested.filter(|(_, depth)| *depth < MAX_DEPTH)?;
            self.at += 2;
            let inner = Context {
                subshell: true,
                substitution: context.substitution + 1,
                pipe_index: 0,
                pipe_length: 1,
                ..context.clone()
            };
            self.list(inner, depth + 1)?;
            self.at += 1;
            PartKind::Substitution
        } else {
            let braced = self.bytes.get(start + 1) == Some(&b'{');
            let name = start + 1 + usize::from(braced);
            let rest = self.bytes.get(name..)?;
            let length = rest
                .iter()
                .position(|byte| !in_name(*byte))
                .unwrap_or(rest.len());
            if length == 0 || rest[0].is_ascii_digit() {
                return None;
            }
            let behind = rest.get(length);
            if braced && behind != Some(&b'}') || !braced && behind == Some(&b'[') {
                return None;
            }
            self.at = name + length + usize::from(braced);
            PartKind::Variable(Variable {
                name: self.text[name..name + length].into(),
                braced,
                operator: None,
            })
        };
        Some(Part {
            span: Span::new(start, self.at),
            quoting,
            kind,
        })
    }

    fn count_brackets(&mut self, start: usize, end: usize) -> Option<()> {
        let opening = |byte: &&u8| matches!(byte, b'(' | b'{' | b'[');
        let count = self.bytes[start..end].iter().filter(opening).count();
        self.brackets += u32::try_from(count).ok()?;
        (self.brackets <= MAX_BRACKETS).then_some(())
    }
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
            "COMMIT=$(echo $VERSION | cut -c 1-7)",
            "printf '[{\"name\":\"web\",\"imageUri\":\"%s\"}]' $REPO:$TAG > imagedefinitions.json",
            "cd web && npm run \"build $X\" && echo \"$(date)\" >> log",
            "A=$(b $(c | d) | e) f 'g h'\"i\"j | k",
            "login --password \"$(aws get --x=y)\" 'it is [ok]'",
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
            "a||b",
            "a |& b",
            "a && ",
            "a &",
            "a | b &",
            "a || b",
            "a & b",
            "a)",
            "a $(b",
            "a&b",
            "a>b",
            "a 2>&1",
            "a > $(b)",
            "> a",
            "a >| b",
            "a > ",
            "a ''",
            "a \"\"",
            "a 'b",
            "a \"b",
            "a \"\\$b\"",
            "a \"$ b\"",
            "a $'b'",
            "a $\"b\"",
            "'a' b",
            "a $((1))",
            "a $(( 1 ))",
            "a $()",
            "a `b`",
            "a \"`b`\"",
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
            "x=y", "\n", "'", "'b c'", "\"", "\"d $E\"", "$(", ")", " | ", " > ", " >> ", " && ",
            "|", ">", "&", "{", "(", "[", "#", "$(f g)", "export",
        ];
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = |limit: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % u64::try_from(limit).unwrap()).unwrap()
        };
        let mut compared = 0;
        for _ in 0..20_000 {
            let text: String = (0..=next(14)).map(|_| PIECES[next(PIECES.len())]).collect();
            if let Some((plain, full)) = both(&text) {
                assert_eq!(plain, full, "{text:?}");
                compared += 1;
            }
        }
        assert!(compared > 1_000, "only {compared} were plain");
    }
}

//! A word's source text to its parts.
//!
//! The parser says where a word begins and ends; what lies between is read here, because only a reader
//! that walks over the source byte by byte can vouch for every piece's place. The parser's own pieces
//! are decoded first and placed afterwards, and are off by one after an escape. A word that does not
//! end where the parser says it ends is reported as a fault, never guessed at.

use super::{Operator, Part, PartKind, Parts, Quoting, Variable, Word};
use crate::Span;

/// Nesting of operands and quotes inside one word beyond which a piece is left as [`PartKind::Other`].
const MAX_DEPTH: u32 = 16;

/// A command substitution that was met in a word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nested {
    /// The commands, without `$(` and `)` or the backticks.
    pub(super) body: Span,
    /// Written with backticks: a backslash before `` ` ``, `$` and `\` is not the command's.
    pub(super) backtick: bool,
    /// The backticks stand in double quotes, where `\"` loses its backslash too.
    pub(super) quoted: bool,
}

/// How the bytes of a range are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// A word of a command: an unquoted blank or operator inside it is a fault.
    Word,
    /// As a word, but blanks and operators are text (operands, `[[ … ]]`, arrays).
    Loose,
    /// Between double quotes.
    Double,
    /// An operand inside double quotes: quotes are dropped, single quotes are text.
    DoubleOperand,
    /// A here-document; with `<<-` leading tabs are dropped.
    HereDocument {
        /// `<<-`
        strip_tabs: bool,
    },
}

/// Reads words out of one text.
pub(super) struct Splitter<'t> {
    text: &'t str,
    /// Where the commands end: before the `)` or backtick behind them.
    limit: usize,
    /// Substitutions met so far, in the order of the text.
    pub(super) nested: Vec<Nested>,
    /// Something did not read as the parser had said.
    pub(super) fault: bool,
}

/// A literal that is being collected.
struct Literal {
    /// Where it starts in the source.
    start: usize,
    /// Its value up to `run`, once it differs from the source.
    value: Option<String>,
    /// Start of the bytes that are not yet in `value`.
    run: usize,
}

impl Literal {
    fn new(at: usize) -> Self {
        Self {
            start: at,
            value: None,
            run: at,
        }
    }

    /// Leaves out the bytes `from..to` and goes on after them with `instead`.
    fn replace(&mut self, text: &str, from: usize, to: usize, instead: &str) {
        let value = self.value.get_or_insert_default();
        value.push_str(text.get(self.run..from).unwrap_or(""));
        value.push_str(instead);
        self.run = to;
    }

    fn finish(self, text: &str, end: usize, quoting: Quoting, out: &mut Parts) {
        if end <= self.start {
            return;
        }
        let rest = text.get(self.run..end).unwrap_or("");
        let value = match self.value {
            None => rest.into(),
            Some(mut value) => {
                value.push_str(rest);
                // Only line continuations: nothing is left of it.
                if value.is_empty() {
                    return;
                }
                value.into()
            }
        };
        out.push(Part {
            span: Span::new(self.start, end),
            quoting,
            kind: PartKind::Literal(value),
        });
    }
}

impl<'t> Splitter<'t> {
    /// Reads words of `text` that stand before `limit`.
    pub(super) fn new(text: &'t str, limit: usize) -> Self {
        Self {
            text,
            limit,
            nested: Vec::new(),
            fault: false,
        }
    }

    /// Reads the word at `start..end`.
    pub(super) fn word(&mut self, start: usize, end: usize, style: Style) -> Word {
        // The parser counts a line continuation that ends a word into it.
        let (mut start, mut end) = (start, end);
        let bytes = self.text.as_bytes();
        while end >= start + 2
            && bytes.get(end - 2..end) == Some(b"\\\n")
            && backslashes_before(bytes, end - 1, start) % 2 == 1
        {
            end -= 2;
        }
        while start + 2 <= end && bytes.get(start..start + 2) == Some(b"\\\n") {
            start += 2;
        }
        let span = Span::new(start, end);
        let faults = std::mem::replace(&mut self.fault, false);
        let nested = self.nested.len();
        let mut parts = Parts::new();
        self.split(start, end, style, Quoting::None, 0, &mut parts);
        if style == Style::Word && end < self.limit {
            // Behind line continuations the word goes on, if no blank follows.
            let mut after = end;
            while bytes.get(after..after + 2) == Some(b"\\\n") {
                after += 2;
            }
            self.fault |= bytes.get(after).is_some_and(|&b| !ends_word(b));
            // The byte behind the word is escaped.
            self.fault |= backslashes_before(bytes, end, start) % 2 == 1;
        }
        if self.fault {
            self.nested.truncate(nested);
            parts.clear();
            parts.push(Part {
                span,
                quoting: Quoting::None,
                kind: PartKind::Other,
            });
        }
        self.fault |= faults;
        Word { span, parts }
    }

    /// Reads `start..end` into `out`. `quoting` is what stands around the range.
    pub(super) fn split(
        &mut self,
        start: usize,
        end: usize,
        style: Style,
        quoting: Quoting,
        depth: u32,
        out: &mut Parts,
    ) {
        let text = self.text;
        let Some(bytes) = text.as_bytes().get(..end) else {
            self.fault = true;
            return;
        };
        let unquoted = matches!(style, Style::Word | Style::Loose);
        let mut literal = Literal::new(start);
        let mut at = start;
        while at < end {
            let step = match bytes[at] {
                b'\\' => {
                    let Some(&next) = bytes.get(at + 1) else {
                        at += 1;
                        continue;
                    };
                    let escapes = match style {
                        Style::Word | Style::Loose => true,
                        Style::Double | Style::DoubleOperand => {
                            matches!(next, b'$' | b'`' | b'"' | b'\\' | b'\n')
                                || (style == Style::DoubleOperand && next == b'}')
                        }
                        Style::HereDocument { .. } => matches!(next, b'$' | b'`' | b'\\' | b'\n'),
                    };
                    if !escapes {
                        at += 1;
                        continue;
                    }
                    let after = if next == b'\n' { at + 2 } else { at + 1 };
                    literal.replace(text, at, after, "");
                    at += 1 + char_len(next);
                    continue;
                }
                b'\n' if matches!(style, Style::HereDocument { strip_tabs: true }) => {
                    let tabs = bytes[at + 1..].iter().take_while(|&&b| b == b'\t').count();
                    if tabs > 0 {
                        literal.replace(text, at + 1, at + 1 + tabs, "");
                    }
                    at += 1 + tabs;
                    continue;
                }
                b'\'' if unquoted => {
                    self.flush(&mut literal, at, quoting, out);
                    match memchr::memchr(b'\'', &bytes[at + 1..]) {
                        Some(length) => {
                            push_literal(text, at + 1, at + 1 + length, Quoting::Single, out);
                            at + length + 2
                        }
                        None => {
                            self.fault = true;
                            return;
                        }
                    }
                }
                b'"' if unquoted => {
                    self.flush(&mut literal, at, quoting, out);
                    let Some(close) = closing(bytes, at + 1, Frame::Double) else {
                        self.fault = true;
                        return;
                    };
                    self.double(at + 1, close, depth, out);
                    close + 1
                }
                b'"' if style == Style::DoubleOperand => {
                    self.flush(&mut literal, at, quoting, out);
                    at + 1
                }
                b'$' => {
                    let Some(next) =
                        self.expansion(bytes, at, &mut literal, style, quoting, depth, out)
                    else {
                        at += 1;
                        continue;
                    };
                    next
                }
                b'`' => {
                    let Some(close) = closing(bytes, at + 1, Frame::Tick) else {
                        self.fault = true;
                        return;
                    };
                    self.flush(&mut literal, at, quoting, out);
                    self.nested.push(Nested {
                        body: Span::new(at + 1, close),
                        backtick: true,
                        quoted: matches!(style, Style::Double | Style::DoubleOperand),
                    });
                    out.push(Part {
                        span: Span::new(at, close + 1),
                        quoting,
                        kind: PartKind::Substitution,
                    });
                    close + 1
                }
                b'<' | b'>' if unquoted && bytes.get(at + 1) == Some(&b'(') => {
                    let Some(close) = closing(bytes, at + 2, Frame::PAREN) else {
                        self.fault = true;
                        return;
                    };
                    self.flush(&mut literal, at, quoting, out);
                    self.nested.push(Nested {
                        body: Span::new(at + 2, close),
                        backtick: false,
                        quoted: false,
                    });
                    out.push(Part {
                        span: Span::new(at, close + 1),
                        quoting,
                        kind: PartKind::Other,
                    });
                    close + 1
                }
                b'(' if style == Style::Word => {
                    // Only bash's extended globs hold parentheses: `!(a|b)`.
                    let glob =
                        at > start && matches!(bytes[at - 1], b'?' | b'*' | b'+' | b'@' | b'!');
                    match closing(bytes, at + 1, Frame::PAREN).filter(|_| glob) {
                        Some(close) => {
                            at = close + 1;
                        }
                        None => {
                            self.fault = true;
                            at += 1;
                        }
                    }
                    continue;
                }
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b')'
                    if style == Style::Word =>
                {
                    self.fault = true;
                    at += 1;
                    continue;
                }
                _ => {
                    at += 1;
                    continue;
                }
            };
            at = step;
            literal = Literal::new(at);
        }
        literal.finish(text, end, quoting, out);
    }

    fn flush(&self, literal: &mut Literal, at: usize, quoting: Quoting, out: &mut Parts) {
        std::mem::replace(literal, Literal::new(at)).finish(self.text, at, quoting, out);
    }

    /// The inside of `"…"`.
    fn double(&mut self, start: usize, end: usize, depth: u32, out: &mut Parts) {
        if start == end {
            push_literal(self.text, start, end, Quoting::Double, out);
        } else {
            self.split(start, end, Style::Double, Quoting::Double, depth, out);
        }
    }

    /// Reads what starts with the `$` at `at`; the offset after it, or `None` if the `$` is text.
    #[allow(clippy::too_many_arguments)] // One state of one loop; a struct would only rename it.
    fn expansion(
        &mut self,
        bytes: &[u8],
        at: usize,
        literal: &mut Literal,
        style: Style,
        quoting: Quoting,
        depth: u32,
        out: &mut Parts,
    ) -> Option<usize> {
        let unquoted = matches!(style, Style::Word | Style::Loose);
        let next = *bytes.get(at + 1)?;
        let (end, kind) = match next {
            b'\'' if unquoted => {
                let close = closing_ansi(bytes, at + 2)?;
                self.flush(literal, at, quoting, out);
                let value = decode_ansi(self.text.get(at + 2..close).unwrap_or(""));
                out.push(Part {
                    span: Span::new(at + 2, close),
                    quoting: Quoting::Ansi,
                    kind: PartKind::Literal(value.into()),
                });
                return Some(close + 1);
            }
            b'"' if unquoted => {
                // `$"…"` is a translated string: to us a double-quoted one.
                let Some(close) = closing(bytes, at + 2, Frame::Double) else {
                    self.fault = true;
                    return Some(bytes.len());
                };
                self.flush(literal, at, quoting, out);
                self.double(at + 2, close, depth, out);
                return Some(close + 1);
            }
            b'(' => {
                let double = bytes.get(at + 2) == Some(&b'(');
                let frame = Frame::Paren {
                    cases: 0,
                    arithmetic: double,
                };
                let Some(close) = closing(bytes, at + 2, frame) else {
                    self.fault = true;
                    return Some(bytes.len());
                };
                let inner = if double {
                    closing(bytes, at + 3, frame)
                } else {
                    None
                };
                if inner.is_some_and(|inner| inner + 1 == close) {
                    self.flush(literal, at, quoting, out);
                    self.arithmetic(at + 3, close - 1, depth);
                    (close + 1, PartKind::Arithmetic)
                } else {
                    self.flush(literal, at, quoting, out);
                    self.nested.push(Nested {
                        body: Span::new(at + 2, close),
                        backtick: false,
                        quoted: false,
                    });
                    (close + 1, PartKind::Substitution)
                }
            }
            b'[' if unquoted || style == Style::Double => {
                // The old arithmetic `$[ … ]`.
                let length = memchr::memchr(b']', &bytes[at + 2..])?;
                self.flush(literal, at, quoting, out);
                self.arithmetic(at + 2, at + 2 + length, depth);
                (at + 2 + length + 1, PartKind::Arithmetic)
            }
            b'{' => {
                let quoted = !unquoted;
                let Some(close) = closing(bytes, at + 2, Frame::Brace { quoted }) else {
                    self.fault = true;
                    return Some(bytes.len());
                };
                self.flush(literal, at, quoting, out);
                let kind = self.braced(bytes, at + 2, close, quoted, depth);
                (close + 1, kind)
            }
            _ => {
                let length = name_length(&bytes[at + 1..]);
                if length == 0 {
                    // A continuation would glue the name on.
                    self.fault |= next == b'\\' && bytes.get(at + 2) == Some(&b'\n');
                    return None;
                }
                self.flush(literal, at, quoting, out);
                let name = self.text.get(at + 1..at + 1 + length)?;
                let variable = Variable {
                    name: name.into(),
                    braced: false,
                    operator: None,
                };
                (at + 1 + length, PartKind::Variable(variable))
            }
        };
        out.push(Part {
            span: Span::new(at, end),
            quoting,
            kind,
        });
        Some(end)
    }

    /// Collects the substitutions of an arithmetic expression.
    pub(super) fn arithmetic(&mut self, start: usize, end: usize, depth: u32) {
        if depth < MAX_DEPTH {
            let mut unused = Parts::new();
            self.split(
                start,
                end,
                Style::Double,
                Quoting::Double,
                depth + 1,
                &mut unused,
            );
        }
    }

    /// The inside of `${…}`.
    fn braced(
        &mut self,
        bytes: &[u8],
        start: usize,
        end: usize,
        quoted: bool,
        depth: u32,
    ) -> PartKind {
        let inside = &bytes[start..end];
        let length = match inside.first() {
            // `${#}` and `${!}` are parameters, `${#name}` and `${!name}` operations of another kind.
            Some(b'#' | b'!') if inside.len() > 1 => 0,
            Some(b'0'..=b'9') => inside.iter().take_while(|b| b.is_ascii_digit()).count(),
            _ => name_length(inside),
        };
        let name = self.text.get(start..start + length).unwrap_or("");
        if name.is_empty() || depth >= MAX_DEPTH {
            self.arithmetic(start, end, depth);
            return PartKind::Other;
        }
        let rest = &inside[length..];
        let operator = if rest.is_empty() {
            None
        } else {
            let symbol_length = symbol_length(rest);
            let from = start + length + symbol_length;
            let symbol = self.text.get(start + length..from).unwrap_or("");
            let operand = match symbol {
                "" | "[" | "@" => {
                    self.arithmetic(from, end, depth);
                    None
                }
                _ => {
                    let defaulting = matches!(
                        symbol.trim_start_matches(':').as_bytes(),
                        [b'-' | b'=' | b'?' | b'+']
                    );
                    let style = match (quoted, defaulting) {
                        (true, true) => Style::DoubleOperand,
                        (true, false) if !inside.contains(&b'\'') => Style::DoubleOperand,
                        _ => Style::Loose,
                    };
                    let quoting = if quoted {
                        Quoting::Double
                    } else {
                        Quoting::None
                    };
                    let mut parts = Parts::new();
                    self.split(from, end, style, quoting, depth + 1, &mut parts);
                    Some(Word {
                        span: Span::new(from, end),
                        parts,
                    })
                }
            };
            Some(Operator {
                symbol: symbol.into(),
                operand,
            })
        };
        PartKind::Variable(Variable {
            name: name.into(),
            braced: true,
            operator: operator.map(Box::new),
        })
    }
}

fn push_literal(text: &str, start: usize, end: usize, quoting: Quoting, out: &mut Parts) {
    out.push(Part {
        span: Span::new(start, end),
        quoting,
        kind: PartKind::Literal(text.get(start..end).unwrap_or("").into()),
    });
}

/// Bytes of the character that starts with `first`.
fn char_len(first: u8) -> usize {
    match first {
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    }
}

fn backslashes_before(bytes: &[u8], at: usize, start: usize) -> usize {
    bytes[start..at]
        .iter()
        .rev()
        .take_while(|&&b| b == b'\\')
        .count()
}

fn ends_word(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')'
    )
}

/// Length of the parameter name that `bytes` starts with; 0 if there is none.
fn name_length(bytes: &[u8]) -> usize {
    match bytes.first() {
        Some(b) if b.is_ascii_alphabetic() || *b == b'_' => bytes
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
            .count(),
        Some(b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => 1,
        _ => 0,
    }
}

/// Length of the operator that follows the name inside `${…}`.
fn symbol_length(rest: &[u8]) -> usize {
    match rest {
        [b':', b'-' | b'=' | b'?' | b'+', ..]
        | [b'#', b'#', ..]
        | [b'%', b'%', ..]
        | [b'^', b'^', ..]
        | [b',', b',', ..]
        | [b'/', b'/' | b'#' | b'%', ..] => 2,
        [
            b':' | b'-' | b'=' | b'?' | b'+' | b'#' | b'%' | b'/' | b'^' | b',' | b'@' | b'[',
            ..,
        ] => 1,
        _ => 0,
    }
}

/// An open bracket or quote.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frame {
    /// `( … )`, `$( … )`; `cases` counts open `case`, whose patterns end in `)`.
    Paren {
        cases: u32,
        /// `(( … ))`: `#` and `<<` mean something else.
        arithmetic: bool,
    },
    /// `${ … }`, `quoted` if inside double quotes.
    Brace { quoted: bool },
    /// `" … "`
    Double,
    /// `` ` … ` ``
    Tick,
}

impl Frame {
    pub(super) const PAREN: Self = Self::Paren {
        cases: 0,
        arithmetic: false,
    };
}

/// The offset of the byte that closes `frame`, whose inside starts at `from`.
pub(super) fn closing(bytes: &[u8], from: usize, frame: Frame) -> Option<usize> {
    let mut stack = vec![frame];
    let mut documents: Vec<(Vec<u8>, bool)> = Vec::new();
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        let top = stack.len() - 1;
        let next = bytes.get(at + 1).copied();
        // What every frame but backticks knows.
        match (stack[top], byte, next) {
            (_, b'\\', _) => {
                at += 2;
                continue;
            }
            (Frame::Tick, b'`', _)
            | (Frame::Double, b'"', _)
            | (Frame::Brace { .. }, b'}', _)
            | (Frame::Paren { cases: 0, .. }, b')', _) => {
                if top == 0 {
                    return Some(at);
                }
                stack.pop();
                at += 1;
                continue;
            }
            (Frame::Tick, ..) => {
                at += 1;
                continue;
            }
            (_, b'$', Some(b'(')) => {
                stack.push(Frame::Paren {
                    cases: 0,
                    arithmetic: bytes.get(at + 2) == Some(&b'('),
                });
                at += 2;
                continue;
            }
            (outer, b'$', Some(b'{')) => {
                let quoted = matches!(outer, Frame::Double | Frame::Brace { quoted: true });
                stack.push(Frame::Brace { quoted });
                at += 2;
                continue;
            }
            (_, b'`', _) => {
                stack.push(Frame::Tick);
                at += 1;
                continue;
            }
            (_, b'"', _) => {
                stack.push(Frame::Double);
                at += 1;
                continue;
            }
            (Frame::Paren { .. } | Frame::Brace { quoted: false }, b'$', Some(b'\'')) => {
                at = closing_ansi(bytes, at + 2)? + 1;
                continue;
            }
            (Frame::Paren { .. } | Frame::Brace { quoted: false }, b'\'', _) => {
                at += 2 + memchr::memchr(b'\'', &bytes[at + 1..])?;
                continue;
            }
            _ => {}
        }
        let Frame::Paren { cases, arithmetic } = stack[top] else {
            at += 1;
            continue;
        };
        match byte {
            b'(' => stack.push(Frame::Paren {
                cases: 0,
                arithmetic: arithmetic || next == Some(b'('),
            }),
            b'#' if !arithmetic && starts_word(bytes, at, from) => {
                at += memchr::memchr(b'\n', &bytes[at..])?;
                continue;
            }
            b'<' if !arithmetic && next == Some(b'<') => {
                if bytes.get(at + 2) == Some(&b'<') {
                    at += 3;
                    continue;
                }
                let (delimiter, strip_tabs, after) = here_document_delimiter(bytes, at + 2);
                if !delimiter.is_empty() {
                    documents.push((delimiter, strip_tabs));
                }
                at = after;
                continue;
            }
            b'\n' if !documents.is_empty() => {
                at += 1;
                for (delimiter, strip_tabs) in documents.drain(..) {
                    at = after_here_document(bytes, at, &delimiter, strip_tabs);
                }
                continue;
            }
            b'c' | b'e' if !arithmetic && starts_word(bytes, at, from) => {
                let rest = &bytes[at..];
                let ends = |b: Option<&u8>| b.is_none_or(|&b| ends_word(b));
                if rest.starts_with(b"case")
                    && ends(rest.get(4))
                    && command_position(bytes, at, from)
                {
                    stack[top] = Frame::Paren {
                        cases: cases + 1,
                        arithmetic,
                    };
                } else if rest.starts_with(b"esac") && ends(rest.get(4)) {
                    stack[top] = Frame::Paren {
                        cases: cases.saturating_sub(1),
                        arithmetic,
                    };
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn starts_word(bytes: &[u8], at: usize, from: usize) -> bool {
    at == from
        || matches!(
            bytes[at - 1],
            b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')'
        )
}

/// Whether a command can start at `at`: for telling `case x in` from `echo case`.
fn command_position(bytes: &[u8], at: usize, from: usize) -> bool {
    let before = bytes[from..at].trim_ascii_end();
    before.last().is_none_or(|b| b";&|({)".contains(b))
        || bytes[from + before.len()..at].contains(&b'\n')
        || [&b"then"[..], b"do", b"else", b"in"]
            .iter()
            .any(|k| before.ends_with(k))
}

/// The closing quote of `$'…'`.
fn closing_ansi(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'\'' => return Some(at),
            _ => at += 1,
        }
    }
}

/// The delimiter after `<<`, without quotes; whether tabs are stripped; the offset after it.
fn here_document_delimiter(bytes: &[u8], from: usize) -> (Vec<u8>, bool, usize) {
    let mut at = from;
    let strip_tabs = bytes.get(at) == Some(&b'-');
    at += usize::from(strip_tabs);
    while matches!(bytes.get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    let mut delimiter = Vec::new();
    let mut quote = None;
    while let Some(&byte) = bytes.get(at) {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'\\') => {}
            (None, _) if ends_word(byte) => break,
            _ => delimiter.push(byte),
        }
        at += 1;
    }
    (delimiter, strip_tabs, at)
}

/// The offset after the line that is `delimiter`.
fn after_here_document(bytes: &[u8], from: usize, delimiter: &[u8], strip_tabs: bool) -> usize {
    let mut at = from;
    while at < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
        let mut line = &bytes[at..end];
        if strip_tabs {
            let tabs = line.iter().take_while(|&&b| b == b'\t').count();
            line = &line[tabs..];
        }
        if line == delimiter {
            return end;
        }
        at = end + 1;
    }
    bytes.len()
}

/// The value of `$'…'`.
fn decode_ansi(source: &str) -> String {
    let mut value = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, after)) = rest.split_once('\\') {
        value.push_str(before);
        let Some(letter) = after.chars().next() else {
            value.push('\\');
            return value;
        };
        let mut used = letter.len_utf8();
        let mut number = |digits: &str, radix: u32, max: usize| {
            let length = digits
                .bytes()
                .take(max)
                .take_while(|b| char::from(*b).is_digit(radix))
                .count();
            used += length;
            u32::from_str_radix(&digits[..length], radix)
                .ok()
                .and_then(char::from_u32)
        };
        let decoded = match letter {
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            'a' => Some('\x07'),
            'b' => Some('\x08'),
            'e' | 'E' => Some('\x1b'),
            'f' => Some('\x0c'),
            'v' => Some('\x0b'),
            '\\' | '\'' | '"' | '?' => Some(letter),
            'x' => number(&after[1..], 16, 2),
            'u' => number(&after[1..], 16, 4),
            'U' => number(&after[1..], 16, 8),
            '0'..='7' => {
                let decoded = number(after, 8, 3);
                used -= 1;
                decoded
            }
            _ => None,
        };
        match decoded {
            Some(char) => value.push(char),
            None => {
                value.push('\\');
                value.push_str(&after[..used]);
            }
        }
        rest = &after[used..];
    }
    value.push_str(rest);
    value
}

//! Whether a text is a whole number of complete commands, or the place where every shell gives up.
//!
//! The parser behind [`super::parse`] recovers from errors and knows more than one dialect; that it had to recover
//! does not prove that a shell refuses the text. This reader follows only what opens and what closes: quotes,
//! substitutions, compound commands. It speaks where both dash and bash refuse, and is silent about
//! everything else, whatever it may be.

use super::MAX_LENGTH;
use crate::Span;
use crate::memo::Memo;

/// Why no shell takes a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incomplete {
    /// What is missing or too much.
    pub kind: Fault,
    /// What opens, or what comes where it cannot be; bytes of the text.
    pub span: Span,
}

/// What is missing or too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A quote, `$(`, `${`, `(`, a backquote or the first word of a compound command is never closed.
    Open,
    /// The text ends behind `&&`, `||` or `|`.
    Continues,
    /// What belongs into the middle or to the end of a compound command, without its start: `fi`, `else`, `)`.
    Stray,
    /// What follows the end of a compound command without a separator, or a separator without a command.
    Misplaced,
}

/// The first place where both dash and bash refuse `text`; `None` if they take it, or if that is not certain.
#[must_use]
pub fn incomplete(text: &str) -> Option<Incomplete> {
    static KNOWN: Memo<Option<Incomplete>> = Memo::new();
    if text.len() > MAX_LENGTH || !may_be(text) {
        return None;
    }
    *KNOWN.get(text, || find(text))
}

fn find(text: &str) -> Option<Incomplete> {
    let mut reader = Reader {
        bytes: text.as_bytes(),
        at: 0,
        depth: 0,
        documents: Vec::new(),
    };
    match reader.list(None) {
        Ok(()) | Err(Stop::Unsure) => None,
        Err(Stop::Refused(found)) => Some(found),
    }
}

/// Whether anything in the text opens, closes or continues. Most commands have nothing of the kind.
fn may_be(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac",
    ];
    let marks = |byte: u8| b"'\"`(){}|&;".contains(&byte);
    text.bytes().any(marks)
        || text
            .split_ascii_whitespace()
            .any(|word| WORDS.contains(&word))
}

/// Deeper nesting is not read, so that recursion stays safe.
const MAX_DEPTH: u32 = 40;

enum Stop {
    Refused(Incomplete),
    Unsure,
}

type Read<T> = Result<T, Stop>;

/// A compound command that is open.
#[derive(Clone, Copy)]
struct Level {
    state: State,
    start: usize,
    length: usize,
}

/// Where in a compound command the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Behind `if` or `elif`: waits for `then`.
    Condition,
    /// Behind `then`: waits for `elif`, `else` or `fi`.
    Then,
    /// Behind `else`: waits for `fi`.
    Else,
    /// Behind `while`, `until` or the head of `for`: waits for `do`.
    Head,
    /// Behind `do`: waits for `done`.
    Body,
    /// In a branch of `case`: waits for `;;` or `esac`.
    Branch,
    /// Behind `{`.
    Brace,
}

/// What the next token follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// Nothing, a line break or a separator: a command may begin, and need not.
    Separator,
    /// A word such as `then` or `{`, or `!`: a command has to begin.
    Opening,
    /// `&&`, `||`, `|`: a command has to begin, on a later line if need be. Bytes of the text.
    Operator(usize, usize),
    /// The end of a compound command.
    Compound,
    /// A word of a simple command.
    Word,
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
    depth: u32,
    /// Here-documents whose bodies begin on the next line: the delimiter, and whether tabs are taken off.
    documents: Vec<(Vec<u8>, bool)>,
}

fn refused<T>(kind: Fault, start: usize, end: usize) -> Read<T> {
    Err(Stop::Refused(Incomplete {
        kind,
        span: Span::new(start, end),
    }))
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn starts_with(&self, text: &str) -> bool {
        self.bytes[self.at..].starts_with(text.as_bytes())
    }

    /// Reads commands up to the end of the text, or past the `)` that closes what began at `open`.
    fn list(&mut self, open: Option<(usize, usize)>) -> Read<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Stop::Unsure);
        }
        let mut levels: Vec<Level> = Vec::new();
        let mut after = After::Separator;
        loop {
            self.blanks();
            let start = self.at;
            let Some(byte) = self.peek() else {
                return self.end(open, &levels, after);
            };
            match byte {
                b'\n' => {
                    self.at += 1;
                    self.bodies(open.is_some())?;
                    if matches!(after, After::Compound | After::Word) {
                        after = After::Separator;
                    }
                }
                b';' | b'&' | b'|' => after = self.operator(&mut levels, after)?,
                b'<' | b'>' => {
                    self.redirection()?;
                    if after != After::Compound {
                        after = After::Word;
                    }
                }
                b')' => {
                    let Some(level) = levels.last() else {
                        if open.is_none() {
                            return refused(Fault::Stray, start, start + 1);
                        }
                        if let After::Operator(start, end) = after {
                            return refused(Fault::Continues, start, end);
                        }
                        self.at += 1;
                        self.depth -= 1;
                        return Ok(());
                    };
                    let (from, to) = (level.start, level.start + level.length);
                    return match open {
                        Some(_) => refused(Fault::Open, from, to),
                        None => refused(Fault::Stray, start, start + 1),
                    };
                }
                b'(' if after == After::Word => return Err(Stop::Unsure),
                b'(' if after == After::Compound => {
                    return refused(Fault::Misplaced, start, start + 1);
                }
                b'(' => {
                    if !(self.starts_with("((") && self.arithmetic(2)?) {
                        self.at = start + 1;
                        self.list(Some((start, start + 1)))?;
                    }
                    after = After::Compound;
                }
                // The number of a redirection.
                b'0'..=b'9' if self.is_descriptor() => {}
                _ => after = self.token(&mut levels, after)?,
            }
        }
    }

    /// Skips digits that stand right before `<` or `>`.
    fn is_descriptor(&mut self) -> bool {
        let rest = &self.bytes[self.at..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let found = matches!(rest.get(digits), Some(b'<' | b'>'));
        if found {
            self.at += digits;
        }
        found
    }

    /// The text is at its end.
    fn end(&self, open: Option<(usize, usize)>, levels: &[Level], after: After) -> Read<()> {
        if let Some(level) = levels.last() {
            return refused(Fault::Open, level.start, level.start + level.length);
        }
        if let Some((start, end)) = open {
            return refused(Fault::Open, start, end);
        }
        match after {
            After::Operator(start, end) => refused(Fault::Continues, start, end),
            After::Opening => Err(Stop::Unsure),
            _ => Ok(()),
        }
    }

    /// Blanks, continued lines and a comment.
    fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\\') if self.starts_with("\\\n") => self.at += 2,
                Some(b'#') => {
                    let rest = &self.bytes[self.at..];
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    /// `;`, `&`, `|` and what is made of them.
    fn operator(&mut self, levels: &mut [Level], after: After) -> Read<After> {
        let start = self.at;
        let long = [";;&", ";;", ";&", "&&", "||", "|&", "&>"]
            .into_iter()
            .find(|text| self.starts_with(text));
        if long == Some("&>") {
            self.at += 1;
            self.redirection()?;
            return Ok(if after == After::Compound {
                after
            } else {
                After::Word
            });
        }
        self.at += long.map_or(1, str::len);
        let end = self.at;
        if let Some(";;" | ";;&" | ";&") = long {
            return match levels.last().map(|level| level.state) {
                Some(State::Branch) if !matches!(after, After::Operator(..)) => {
                    self.pattern(levels)?;
                    Ok(After::Separator)
                }
                // `;;` where `;` was meant, or a branch whose start is missing.
                _ if long == Some(";;") => refused(Fault::Misplaced, start, end),
                _ => Err(Stop::Unsure),
            };
        }
        if matches!(
            after,
            After::Separator | After::Opening | After::Operator(..)
        ) {
            return refused(Fault::Misplaced, start, end);
        }
        Ok(match long {
            Some(_) => After::Operator(start, end),
            None if self.bytes[start] == b'|' => After::Operator(start, end),
            None => After::Separator,
        })
    }

    /// A word; in the place of a command it may be one of the shell's own.
    fn token(&mut self, levels: &mut Vec<Level>, after: After) -> Read<After> {
        let start = self.at;
        self.word()?;
        let word = &self.bytes[start..self.at];
        let end = self.at;
        if after == After::Word {
            return Ok(After::Word);
        }
        let top = levels.last().map(|level| level.state);
        let empty = matches!(after, After::Opening | After::Operator(..));
        let next = match word {
            b"then" => (State::Condition, State::Then),
            b"do" => (State::Head, State::Body),
            b"else" => (State::Then, State::Else),
            b"elif" => (State::Then, State::Condition),
            b"fi" | b"done" | b"}" | b"esac" => {
                let fits = matches!(
                    (word, top),
                    (b"fi", Some(State::Then | State::Else))
                        | (b"done", Some(State::Body))
                        | (b"}", Some(State::Brace))
                        | (b"esac", Some(State::Branch))
                );
                // Only `case` may have an empty last branch.
                return if !fits || empty && word != b"esac" {
                    refused(Fault::Stray, start, end)
                } else {
                    levels.pop();
                    Ok(After::Compound)
                };
            }
            _ if after == After::Compound => return refused(Fault::Misplaced, start, end),
            _ => return self.command(levels, start),
        };
        let Some(level) = levels.last_mut().filter(|level| level.state == next.0) else {
            return refused(Fault::Stray, start, end);
        };
        if empty {
            return refused(Fault::Stray, start, end);
        }
        level.state = next.1;
        Ok(After::Opening)
    }

    /// The word from `start`, which begins a command, has been read.
    fn command(&mut self, levels: &mut Vec<Level>, start: usize) -> Read<After> {
        let length = self.at - start;
        let mut open = |state| {
            levels.push(Level {
                state,
                start,
                length,
            });
            Ok(After::Opening)
        };
        match &self.bytes[start..self.at] {
            b"if" => open(State::Condition),
            b"while" | b"until" => open(State::Head),
            b"{" => open(State::Brace),
            b"!" => {
                self.blanks();
                match self.peek() {
                    // bash negates nothing at all, too.
                    None | Some(b';' | b'&' | b'|' | b'\n' | b')') => Err(Stop::Unsure),
                    _ => Ok(After::Opening),
                }
            }
            b"time" | b"coproc" | b"select" | b"function" => Err(Stop::Unsure),
            b"for" => {
                open(State::Head)?;
                self.for_head()
            }
            b"case" => {
                open(State::Branch)?;
                self.blanks();
                self.word()?;
                self.gap();
                if !self.keyword("in")? {
                    return Err(Stop::Unsure);
                }
                self.pattern(levels)?;
                Ok(After::Separator)
            }
            b"[[" => self.test(),
            word => {
                // An array, or a function's name.
                if self.peek() == Some(b'(') {
                    if word.ends_with(b"=") {
                        return self.array();
                    }
                    if !self.starts_with("()") {
                        return Err(Stop::Unsure);
                    }
                    self.at += 2;
                    self.gap();
                    return Ok(After::Opening);
                }
                Ok(After::Word)
            }
        }
    }

    /// The name and the words behind `for`.
    fn for_head(&mut self) -> Read<After> {
        self.blanks();
        if self.starts_with("((") {
            return if self.arithmetic(2)? {
                self.blanks();
                Ok(match self.peek() {
                    Some(b';' | b'\n') => After::Compound,
                    _ => After::Separator,
                })
            } else {
                Err(Stop::Unsure)
            };
        }
        self.word()?;
        self.blanks();
        if self.keyword("in")? {
            return Ok(After::Word);
        }
        Ok(match self.peek() {
            Some(b';' | b'\n') => After::Compound,
            _ => After::Separator,
        })
    }

    /// Takes the word `text`, if it is next.
    fn keyword(&mut self, text: &str) -> Read<bool> {
        let start = self.at;
        self.word()?;
        let found = self.bytes[start..self.at] == *text.as_bytes();
        if !found {
            self.at = start;
        }
        Ok(found)
    }

    /// Blanks and line breaks.
    fn gap(&mut self) {
        loop {
            self.blanks();
            if self.peek() != Some(b'\n') {
                return;
            }
            self.at += 1;
        }
    }

    /// The pattern of a branch of `case`, up to its `)`; or `esac`, which is left to be read.
    fn pattern(&mut self, levels: &[Level]) -> Read<()> {
        self.gap();
        let start = self.at;
        if self.keyword("esac")? {
            self.at = start;
            return Ok(());
        }
        if self.peek() == Some(b'(') {
            self.at += 1;
        }
        loop {
            self.blanks();
            match self.peek() {
                Some(b')') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'|') => self.at += 1,
                Some(b'\n' | b'(' | b';' | b'&' | b'<' | b'>') => return Err(Stop::Unsure),
                Some(_) => self.word()?,
                None => {
                    let Some(level) = levels.last() else {
                        return Err(Stop::Unsure);
                    };
                    return refused(Fault::Open, level.start, level.start + level.length);
                }
            }
        }
    }

    /// `[[ … ]]`.
    fn test(&mut self) -> Read<After> {
        loop {
            while let Some(b' ' | b'\t') = self.peek() {
                self.at += 1;
            }
            match self.peek() {
                // To dash it is a command like any other.
                None => return Err(Stop::Unsure),
                Some(b'\n' | b'(' | b')' | b'<' | b'>' | b'|' | b'&') => self.at += 1,
                Some(b';' | b'#') => return Err(Stop::Unsure),
                Some(_) => {
                    let from = self.at;
                    self.word()?;
                    if self.bytes[from..self.at] == *b"]]" {
                        return Ok(After::Word);
                    }
                }
            }
        }
    }

    /// The elements of an array, from the `(`.
    fn array(&mut self) -> Read<After> {
        let open = self.at;
        self.at += 1;
        loop {
            self.gap();
            match self.peek() {
                None => return refused(Fault::Open, open, open + 1),
                Some(b')') => {
                    self.at += 1;
                    // Another command would need a separator, another assignment none.
                    return self.behind_array();
                }
                Some(b'(' | b';' | b'&' | b'|' | b'<' | b'>') => return Err(Stop::Unsure),
                Some(_) => self.word()?,
            }
        }
    }

    fn behind_array(&mut self) -> Read<After> {
        self.blanks();
        match self.peek() {
            None | Some(b'\n' | b';' | b'&' | b'|' | b')') => Ok(After::Word),
            Some(_) => Err(Stop::Unsure),
        }
    }

    /// `>`, `<` and their kind with what they are about; a here-document is noted.
    fn redirection(&mut self) -> Read<()> {
        let start = self.at;
        for text in ["<<<", "<<-", "<<", "<(", ">(", ">>", ">&", "<&", ">|", "<>"] {
            if !self.starts_with(text) {
                continue;
            }
            self.at += text.len();
            match text {
                "<(" | ">(" => return self.list(Some((start, self.at))),
                "<<" | "<<-" => {
                    self.blanks();
                    let from = self.at;
                    self.word()?;
                    let word = &self.bytes[from..self.at];
                    if word.is_empty() || word.contains(&b'$') || word.contains(&b'`') {
                        return Err(Stop::Unsure);
                    }
                    let plain = |byte: &&u8| !b"'\"\\".contains(byte);
                    let delimiter = word.iter().filter(plain).copied().collect();
                    self.documents.push((delimiter, text == "<<-"));
                    return Ok(());
                }
                _ => {}
            }
            return self.target();
        }
        self.at += 1;
        self.target()
    }

    fn target(&mut self) -> Read<()> {
        self.blanks();
        if self.starts_with("<(") || self.starts_with(">(") {
            let start = self.at;
            self.at += 2;
            return self.list(Some((start, start + 2)));
        }
        let start = self.at;
        self.word()?;
        if self.at == start {
            return Err(Stop::Unsure);
        }
        Ok(())
    }

    /// The bodies of the here-documents that were begun on the line before.
    fn bodies(&mut self, inside: bool) -> Read<()> {
        for (delimiter, tabs) in std::mem::take(&mut self.documents) {
            loop {
                if self.at >= self.bytes.len() {
                    // Shells take the end of the text for the end of the document, and differ inside `$(`.
                    return if inside { Err(Stop::Unsure) } else { Ok(()) };
                }
                let rest = &self.bytes[self.at..];
                let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                let mut line = &rest[..end];
                self.at = (self.at + end + 1).min(self.bytes.len());
                while let (true, Some((b'\t', after))) = (tabs, line.split_first()) {
                    line = after;
                }
                if line == delimiter.as_slice() {
                    break;
                }
                // A shell that looks for `)` may find one behind the delimiter.
                if inside && line.starts_with(&delimiter) {
                    return Err(Stop::Unsure);
                }
            }
        }
        Ok(())
    }

    /// A word with all that is quoted or substituted in it; empty in front of an operator.
    fn word(&mut self) -> Read<()> {
        while let Some(byte) = self.peek() {
            let start = self.at;
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => {
                    return Ok(());
                }
                b'\\' => self.at = (self.at + 2).min(self.bytes.len()),
                b'\'' => self.single(start)?,
                b'"' => self.double(start)?,
                b'`' => self.backquote(start)?,
                b'$' => self.dollar(false)?,
                _ => self.at += 1,
            }
        }
        Ok(())
    }

    fn single(&mut self, start: usize) -> Read<()> {
        self.at = start + 1;
        match memchr::memchr(b'\'', &self.bytes[self.at..]) {
            Some(length) => {
                self.at += length + 1;
                Ok(())
            }
            None => refused(Fault::Open, start, start + 1),
        }
    }

    fn double(&mut self, start: usize) -> Read<()> {
        self.at = start + 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.at = (self.at + 2).min(self.bytes.len()),
                b'`' => self.backquote(self.at)?,
                b'$' => self.dollar(true)?,
                _ => self.at += 1,
            }
        }
        refused(Fault::Open, start, start + 1)
    }

    fn backquote(&mut self, start: usize) -> Read<()> {
        self.at = start + 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'`' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.at = (self.at + 2).min(self.bytes.len()),
                _ => self.at += 1,
            }
        }
        refused(Fault::Open, start, start + 1)
    }

    /// What begins with `$`.
    fn dollar(&mut self, quoted: bool) -> Read<()> {
        let start = self.at;
        let next = self.bytes.get(start + 1);
        match next {
            Some(b'(') => {
                if self.starts_with("$((") && self.arithmetic(3)? {
                    return Ok(());
                }
                self.at = start + 2;
                // What was begun outside ends outside.
                let outer = std::mem::take(&mut self.documents);
                self.list(Some((start, start + 2)))?;
                self.documents = outer;
                Ok(())
            }
            Some(b'{') => self.braces(start, quoted),
            Some(b'\'') if !quoted => {
                self.at = start + 2;
                while let Some(byte) = self.peek() {
                    self.at = (self.at + if byte == b'\\' { 2 } else { 1 }).min(self.bytes.len());
                    if byte == b'\'' {
                        return Ok(());
                    }
                }
                // dash takes no notice of the backslashes.
                Err(Stop::Unsure)
            }
            // `$[…]` is arithmetic in one shell only.
            Some(b'[') => Err(Stop::Unsure),
            _ => {
                self.at += 1;
                Ok(())
            }
        }
    }

    /// `${…}`, from its `$` at `start`.
    fn braces(&mut self, start: usize, quoted: bool) -> Read<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Stop::Unsure);
        }
        self.at = start + 2;
        while let Some(byte) = self.peek() {
            let at = self.at;
            match byte {
                b'}' => {
                    self.at += 1;
                    self.depth -= 1;
                    return Ok(());
                }
                b'\\' => self.at = (self.at + 2).min(self.bytes.len()),
                // Whether it quotes depends on the operator and on the shell.
                b'\'' if quoted => return Err(Stop::Unsure),
                // In a pattern a lone quote may stand for itself.
                b'\'' => self.single(at).map_err(|_| Stop::Unsure)?,
                b'"' => self.double(at).map_err(|_| Stop::Unsure)?,
                b'`' => self.backquote(at).map_err(|_| Stop::Unsure)?,
                b'$' => self.dollar(quoted)?,
                _ => self.at += 1,
            }
        }
        refused(Fault::Open, start, start + 2)
    }

    /// Reads `((…))` whose opening has `length` bytes. `false`, and nothing read, if it does not end with `))`.
    fn arithmetic(&mut self, length: usize) -> Read<bool> {
        let start = self.at;
        self.at += length;
        let mut depth = 2u32;
        while let Some(byte) = self.peek() {
            match byte {
                b'(' => depth += 1,
                b')' if depth == 2 => {
                    if self.starts_with("))") {
                        self.at += 2;
                        return Ok(true);
                    }
                    self.at = start;
                    return Ok(false);
                }
                b')' => depth -= 1,
                b'"' | b'\'' | b'`' => return Err(Stop::Unsure),
                b'\\' => self.at += 1,
                _ => {}
            }
            self.at += 1;
        }
        self.at = start;
        Ok(false)
    }
}

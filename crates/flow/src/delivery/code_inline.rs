//! Buildspecs that CDK code holds as literals: the object behind `BuildSpec.fromObject(` in TypeScript and JavaScript, the
//! dictionary behind `BuildSpec.from_object(` in Python.
//!
//! A literal is an object, a list, a text, a number, a boolean or nothing, with comments and trailing commas; texts may be
//! joined with `+`, or in Python by standing side by side. Every other expression is a value that nobody knows, and so is an
//! object with other members than plain keys (`...shared`, `[key]`, `**shared`), which could hold anything.

use tagwright_syntax::Span;

use super::inline::Inline;
use super::terraform_inline::json;

/// What makes a buildspec out of an object, with the signs before the object.
/// Source: AWS CDK v2 API reference, class `BuildSpec` of `aws-codebuild` (stored copy of 2026).
const CALLS: [&str; 4] = [
    "BuildSpec.fromObject(",
    "BuildSpec.fromObjectToYaml(",
    "BuildSpec.from_object(",
    "BuildSpec.from_object_to_yaml(",
];

/// Objects and lists in each other, and expressions in texts in expressions, are followed this far.
const DEEPEST: usize = 64;
/// So many buildspecs of one file are read.
const MOST: usize = 64;
/// So many steps through expressions are made in one file: what opens and never closes is looked through again from every
/// level that it is in.
const STEPS: usize = 1_000_000;

/// Whether the text calls one of the functions that make a buildspec out of an object.
pub(crate) fn has_calls(text: &str) -> bool {
    CALLS.iter().any(|call| has(text, call))
}

/// Whether the text has the call in it.
fn has(text: &str, call: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), call.as_bytes()).is_some()
}

/// The buildspecs in the file, in its order. `text` is the file.
pub(crate) fn buildspecs(text: &str) -> Vec<Inline> {
    let python = CALLS[2..].iter().any(|call| has(text, call));
    let mut starts: Vec<usize> = CALLS
        .iter()
        .flat_map(|call| {
            let found = memchr::memmem::find_iter(text.as_bytes(), call);
            found.map(move |at| (at, at + call.len()))
        })
        .take(MOST)
        .filter(|(at, _)| !is_comment(text, *at, python))
        .map(|(_, after)| after)
        .collect();
    starts.sort_unstable();
    let mut steps = STEPS;
    starts
        .into_iter()
        .take(MOST)
        .filter_map(|start| read(text, start, python, &mut steps))
        .collect()
}

/// Whether the place is in a comment: behind the sign of one on its line, or in a block that a line starts.
fn is_comment(text: &str, at: usize, python: bool) -> bool {
    let before = &text[..at];
    let line = &before[before.rfind('\n').map_or(0, |it| it + 1)..];
    if python {
        return line.contains('#');
    }
    if line.contains("//") || line.trim_start().starts_with('*') {
        return true;
    }
    let opened = before.rmatch_indices("/*").map(|(it, _)| it).find(|it| {
        let line = before[..*it].rfind('\n').map_or(0, |it| it + 1);
        before[line..*it].trim().is_empty()
    });
    opened.is_some_and(|it| !before[it..].contains("*/"))
}

/// The buildspec that the argument at `start` is; `steps` are those that are left.
fn read(text: &str, start: usize, python: bool, steps: &mut usize) -> Option<Inline> {
    let mut reader = Reader {
        text,
        at: start,
        python,
        nested: 0,
        steps,
        inline: Inline::new(Span::empty(start)),
    };
    reader.blank();
    let opened = reader.at;
    reader.object(0)?;
    reader.inline.span = Span::new(opened, reader.at);
    reader.inline.is_text().then_some(reader.inline)
}

/// A character of a text, and what it is written as in the file.
struct Written {
    character: char,
    source: Span,
}

/// A piece of a text in the file.
enum Piece {
    Character(Written),
    /// An expression in a text: `${…}` or, in Python, `{…}`. With its sign.
    Value(Span),
}

/// Reads the file from `at` on, and writes what it reads as JSON, which is YAML.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    python: bool,
    /// How many expressions in texts it is in.
    nested: usize,
    /// How many steps through expressions are left.
    steps: &'a mut usize,
    inline: Inline,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Goes past blanks and comments.
    fn blank(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            let length = if !self.python && trimmed.starts_with("/*") {
                trimmed.find("*/").map_or(trimmed.len(), |it| it + 2)
            } else if trimmed.starts_with(if self.python { "#" } else { "//" }) {
                trimmed.find('\n').unwrap_or(trimmed.len())
            } else {
                return;
            };
            self.at += length;
        }
    }

    /// Goes past the sign if it comes next.
    fn skip(&mut self, sign: char) -> bool {
        self.blank();
        let is_next = self.next() == Some(sign);
        if is_next {
            self.at += sign.len_utf8();
        }
        is_next
    }

    /// An object, of whose members at the top one without a version is given it: the CDK writes it where a buildspec is
    /// merged with others.
    fn object(&mut self, depth: usize) -> Option<()> {
        let start = self.at;
        if !self.skip('{') || depth > DEEPEST {
            return None;
        }
        self.sign("{", Span::new(start, self.at));
        let mut first = true;
        let mut version = depth > 0;
        loop {
            if self.skip('}') {
                break;
            }
            if !first {
                self.sign(", ", Span::empty(self.at));
            }
            first = false;
            version |= &*self.key()? == "version";
            if !self.skip(':') {
                return None;
            }
            self.sign(": ", Span::empty(self.at));
            self.value(depth)?;
            if !self.skip(',') {
                if self.skip('}') {
                    break;
                }
                return None;
            }
        }
        if !version {
            let comma = if first { "" } else { ", " };
            self.sign(
                &format!("{comma}\"version\": 0.2"),
                Span::empty(self.at - 1),
            );
        }
        self.sign("}", Span::new(self.at - 1, self.at));
        Some(())
    }

    /// A key that is written out: a word, a number, or a text of one part.
    fn key(&mut self) -> Option<String> {
        self.blank();
        let start = self.at;
        let pieces = match self.one_text() {
            Some(pieces) => pieces,
            None => {
                let word = |it: char| it.is_alphanumeric() || matches!(it, '_' | '$' | '.');
                let rest = self.rest();
                let length = rest.find(|it| !word(it)).unwrap_or(rest.len());
                let named = rest[..length].chars().next()?;
                // In Python a word is a variable.
                if self.python && !named.is_ascii_digit() {
                    return None;
                }
                self.at += length;
                let characters = rest[..length].char_indices();
                let piece = |(at, character): (usize, char)| {
                    let source = Span::new(start + at, start + at + character.len_utf8());
                    Piece::Character(Written { character, source })
                };
                characters.map(piece).collect()
            }
        };
        self.sign("\"", Span::empty(start));
        let mut key = String::new();
        for piece in pieces {
            match piece {
                Piece::Character(it) => {
                    key.push(it.character);
                    self.put(&it);
                }
                Piece::Value(_) => return None,
            }
        }
        self.sign("\"", Span::empty(self.at));
        Some(key)
    }

    /// Any expression. What is no literal up to the next comma or end of the object or list is a value that nobody knows.
    fn value(&mut self, depth: usize) -> Option<()> {
        self.blank();
        let start = self.at;
        let (written, unknown) = (self.inline.text.len(), self.inline.unknown.len());
        let is_literal = match self.next()? {
            '{' => self.object(depth + 1).is_some(),
            '[' => self.list(depth + 1).is_some(),
            _ => self.words(start) || self.texts(start),
        };
        if is_literal {
            self.asserted();
            if self.ends() {
                return Some(());
            }
        }
        self.at = start;
        self.inline.text.truncate(written);
        self.inline.map.truncate(written);
        self.inline.unknown.truncate(unknown);
        self.expression()?;
        let end = start + self.text[start..self.at].trim_end().len();
        let span = Span::new(start, end);
        self.sign("\"", Span::empty(start));
        self.inline.unknown(span.of(self.text), span);
        self.sign("\"", Span::empty(end));
        Some(())
    }

    fn list(&mut self, depth: usize) -> Option<()> {
        let start = self.at;
        if !self.skip('[') || depth > DEEPEST {
            return None;
        }
        self.sign("[", Span::new(start, self.at));
        let mut first = true;
        while !self.skip(']') {
            if !first {
                self.sign(", ", Span::empty(self.at));
            }
            first = false;
            self.value(depth)?;
            if !self.skip(',') {
                if self.skip(']') {
                    break;
                }
                return None;
            }
        }
        self.sign("]", Span::new(self.at - 1, self.at));
        Some(())
    }

    /// A number, a boolean or nothing.
    fn words(&mut self, start: usize) -> bool {
        let rest = self.rest();
        let word = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '-');
        let length = rest.find(|it| !word(it)).unwrap_or(rest.len());
        let word = &rest[..length];
        let spelled = match word {
            "true" | "false" | "null" => word,
            "True" => "true",
            "False" => "false",
            "None" => "null",
            _ if word.starts_with(|it: char| it.is_ascii_digit())
                && word.bytes().all(|it| it.is_ascii_digit() || it == b'.') =>
            {
                word
            }
            _ => return false,
        };
        self.at += length;
        self.sign(spelled, Span::new(start, self.at));
        true
    }

    /// Texts that are joined.
    fn texts(&mut self, start: usize) -> bool {
        let Some(mut pieces) = self.one_text() else {
            return false;
        };
        loop {
            let end = self.at;
            self.blank();
            let joined = self.skip('+');
            self.blank();
            let more = (joined || self.python).then(|| self.one_text()).flatten();
            match more {
                Some(more) => pieces.extend(more),
                None => {
                    // What is joined with something else is not a text alone.
                    self.at = if joined { start } else { end };
                    break;
                }
            }
        }
        if self.at == start {
            return false;
        }
        self.sign("\"", Span::empty(start));
        for piece in pieces {
            match piece {
                Piece::Character(it) => self.put(&it),
                Piece::Value(span) => self.inline.unknown(span.of(self.text), span),
            }
        }
        self.sign("\"", Span::empty(self.at));
        true
    }

    /// One text with its quotes; `None`, and nothing read, if there is none.
    fn one_text(&mut self) -> Option<Vec<Piece>> {
        let start = self.at;
        let found = self.quoted();
        if found.is_none() {
            self.at = start;
        }
        found
    }

    fn quoted(&mut self) -> Option<Vec<Piece>> {
        let (mut raw, mut formatted) = (false, false);
        if self.python {
            let rest = self.rest();
            let length = rest.find(['"', '\'']).filter(|it| *it <= 2)?;
            for prefix in rest[..length].chars() {
                match prefix {
                    'r' | 'R' => raw = true,
                    'f' | 'F' => formatted = true,
                    'u' | 'U' => {}
                    _ => return None,
                }
            }
            self.at += length;
        }
        let quote = self.next()?;
        if !matches!(quote, '"' | '\'') && (self.python || quote != '`') {
            return None;
        }
        let single = &self.rest()[..1];
        let triple = single.repeat(3);
        let end = match self.python && self.rest().starts_with(&triple) {
            true => &*triple,
            false => single,
        };
        let lines = end.len() == 3 || quote == '`';
        self.at += end.len();
        let mut pieces = Vec::new();
        loop {
            let rest = self.rest();
            if rest.starts_with(end) {
                self.at += end.len();
                return Some(pieces);
            }
            let next = rest.chars().next()?;
            let start = self.at;
            if next == '\n' && !lines {
                return None;
            }
            if next == '\\' && !raw {
                let character = self.escape()?;
                let source = Span::new(start, self.at);
                pieces.extend(
                    character.map(|character| Piece::Character(Written { character, source })),
                );
                continue;
            }
            let doubled = formatted && (rest.starts_with("{{") || rest.starts_with("}}"));
            let opens = (quote == '`' && rest.starts_with("${")) || (formatted && next == '{');
            if opens && !doubled {
                self.at += if next == '$' { 2 } else { 1 };
                self.nested += 1;
                (self.nested < DEEPEST).then_some(())?;
                self.expression()?;
                self.nested -= 1;
                self.skip('}').then_some(())?;
                pieces.push(Piece::Value(Span::new(start, self.at)));
                continue;
            }
            self.at += if doubled { 2 } else { next.len_utf8() };
            let source = Span::new(start, self.at);
            pieces.push(Piece::Character(Written {
                character: next,
                source,
            }));
        }
    }

    /// The character of an escape; nothing for a line break that is taken away.
    fn escape(&mut self) -> Option<Option<char>> {
        let rest = &self.rest()[1..];
        let next = rest.chars().next()?;
        let (character, length) = match next {
            'n' => ('\n', 1),
            't' => ('\t', 1),
            'r' => ('\r', 1),
            '\n' => {
                self.at += 2;
                return Some(None);
            }
            'x' => (hex(rest.get(1..3)?)?, 3),
            'u' => (hex(rest.get(1..5)?)?, 5),
            '\\' | '\'' | '"' => (next, 1),
            // Octal numbers, and what only one of the languages has.
            '0'..='9' | 'U' | 'N' | 'a' | 'b' | 'f' | 'v' | '\r' => return None,
            // Python keeps the backslash.
            _ if self.python => {
                self.at += 1;
                return Some(Some('\\'));
            }
            _ => (next, next.len_utf8()),
        };
        self.at += 1 + length;
        Some(Some(character))
    }

    /// Goes past `as const`, `as any` and the like.
    fn asserted(&mut self) {
        let end = self.at;
        self.blank();
        let Some(rest) = self.rest().strip_prefix("as ").filter(|_| !self.python) else {
            self.at = end;
            return;
        };
        let length = rest
            .find(|it: char| !it.is_ascii_alphanumeric())
            .unwrap_or(0);
        self.at += 3 + length;
    }

    /// Whether the value is at its end here.
    fn ends(&mut self) -> bool {
        let at = self.at;
        self.blank();
        let ends = matches!(self.next(), Some(',' | ']' | '}'));
        self.at = at;
        ends
    }

    /// Goes past an expression: to the next comma or closing bracket that is not inside of brackets or a text.
    fn expression(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            *self.steps = self.steps.checked_sub(1)?;
            self.blank();
            if self.one_text().is_some() {
                continue;
            }
            let next = self.next()?;
            match next {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth == 0 => return Some(()),
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 0 => return Some(()),
                // A text that could not be read, or maybe a regular expression.
                '"' | '\'' | '`' => return None,
                '/' if !self.python => return None,
                _ => {}
            }
            self.at += next.len_utf8();
        }
    }

    /// A character as JSON writes it.
    fn put(&mut self, it: &Written) {
        let mut buffer = [0; 4];
        let spelled = json(it.character);
        let itself = it.character.encode_utf8(&mut buffer);
        let verbatim = spelled.is_none() && it.source.of(self.text) == &*itself;
        let text = spelled.as_deref().unwrap_or(itself);
        self.inline.map.push(it.source, text.len(), verbatim);
        self.inline.text.push_str(text);
    }

    /// Signs that the file does not have.
    fn sign(&mut self, sign: &str, place: Span) {
        self.inline.map.push(place, sign.len(), false);
        self.inline.text.push_str(sign);
    }
}

fn hex(digits: &str) -> Option<char> {
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}

/// The words in capitals outside of the buildspecs in `inside`, the names of variables that the code may give to its builds.
pub(crate) fn names(text: &str, inside: &[Inline]) -> Vec<Box<str>> {
    let is_part = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let mut found: Vec<Box<str>> = Vec::new();
    let mut at = 0;
    for part in text.split(|it| !is_part(it)) {
        let start = u32::try_from(at).unwrap_or(u32::MAX);
        at += part.len();
        at += text[at..].chars().next().map_or(0, char::len_utf8);
        let capital = part.starts_with(|it: char| it.is_ascii_uppercase() || it == '_');
        let is_name =
            capital && part.len() > 1 && !part.contains(|it: char| it.is_ascii_lowercase());
        let own = |it: &Inline| it.span.start <= start && start < it.span.end;
        if is_name && !inside.iter().any(own) {
            found.push(part.into());
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Inline {
        let mut found = buildspecs(text);
        assert_eq!(found.len(), 1, "{text}");
        found.remove(0)
    }

    #[test]
    fn every_byte_that_stands_for_itself_is_found_in_the_file() {
        let cases = [
            "BuildSpec.fromObject({ version: '0.2', phases: { build: { commands: ['push $R:latest'] } } })",
            "BuildSpec.fromObjectToYaml({\n  version: 0.2, // new\n  \"phases\": {build: {commands: [\n    /* é */ `echo \\`é\\``,\n    \"push $R:latest\",\n  ] as const,},},\n})",
            "BuildSpec.fromObject({ phases: { build: { commands: ['cd x && ' + 'push $R:latest'] } } })",
            "BuildSpec.from_object({'version': '0.2', 'phases': {'build': {'commands': [  # here\n  'a' \"b\\n\",\n  'push $R:latest',\n]}}})",
            "BuildSpec.from_object({\"phases\": {\"build\": {\"commands\": [\"\"\"set -e\npush $R:latest\"\"\", r'\\d', True]}}})",
        ];
        for case in cases {
            let found = only(case);
            assert!(found.unknown.is_empty(), "{}", found.text);
            let at = found.text.find("$R:latest").expect("the command");
            let span = found.map.source(Span::new(at, at + 9)).expect("its place");
            assert_eq!(span.of(case), "$R:latest", "{case}");
            assert_eq!(found.map.decoded_len(), found.text.len(), "{case}");
            let tree = tagwright_syntax::yaml::parse(&found.text);
            assert!(tree.error().is_none(), "{case}: {}", found.text);
            let root = tree.root().expect("a document");
            assert!(tree.get(root, "version").is_some(), "{case}");
            assert!(tree.get(root, "phases").is_some(), "{case}");
        }
    }

    #[test]
    fn what_never_closes_is_looked_through_within_a_bound() {
        let text = "BuildSpec.fromObject({a: ".repeat(MOST) + &"{a: ".repeat(20_000);
        let start = std::time::Instant::now();
        assert!(buildspecs(&text).is_empty());
        // Without the bound it takes a hundred times as long.
        assert!(start.elapsed() < std::time::Duration::from_secs(20));
    }

    #[test]
    fn what_is_computed_is_a_value_that_nobody_knows() {
        let cases = [
            (
                "`push ${repo.uri}:latest`",
                "\"push $repouri:latest\"",
                "${repo.uri}",
            ),
            (
                "'push ' + repo + ':latest'",
                "\"$pushrepolatest\"",
                "'push ' + repo + ':latest'",
            ),
            (
                "...(a ? [b, 'c'] : [])",
                "\"$abc\"",
                "...(a ? [b, 'c'] : [])",
            ),
            ("{ ...a }", "\"$a\"", "{ ...a }"),
            ("['a'].concat(b)", "\"$aconcatb\"", "['a'].concat(b)"),
            ("dedent`a`", "\"$dedenta\"", "dedent`a`"),
        ];
        for (value, written, unknown) in cases {
            let text = format!(
                "BuildSpec.fromObject({{ phases: {{ build: {{ commands: ['x', {value}, 'y'] }} }} }})"
            );
            let found = only(&text);
            let list = format!("[\"x\", {written}, \"y\"]");
            assert!(found.text.contains(&list), "{}", found.text);
            let [span] = found.unknown[..] else {
                panic!("one value is not known: {value}")
            };
            let place = found.map.source(span).expect("its place");
            assert_eq!(place.of(&text), unknown);
        }
        let text = "BuildSpec.from_object({'phases': {'build': {'commands': [f'push {repo[\"a\"]}:{{x}}']}}})";
        let found = only(text);
        assert!(found.text.contains("\"push $repoa:{x}\""), "{}", found.text);
    }

    #[test]
    fn what_is_no_literal_says_nothing() {
        let cases = [
            "// BuildSpec.fromObject({ phases: {} })",
            "/*\n BuildSpec.fromObject({ phases: {} })\n*/",
            "BuildSpec.fromObject({ ...base, phases: {} })",
            "BuildSpec.fromObject({ phases })",
            "BuildSpec.fromObject(spec)",
            "BuildSpec.fromObject({ phases: {",
            "BuildSpec.fromObject({ phases: 'a",
            "BuildSpec.fromObject({ phases: /'/ })",
            "# BuildSpec.from_object({'phases': {}})",
            "BuildSpec.from_object({KEY: {}, 'phases': {}})",
        ];
        for case in cases {
            assert!(buildspecs(case).is_empty(), "{case}");
        }
        for deep in [
            "BuildSpec.fromObject({a:".repeat(9_999),
            format!("BuildSpec.fromObject({{a:{}", "`${".repeat(9_999)),
        ] {
            assert!(buildspecs(&deep).is_empty());
        }
    }

    #[test]
    fn names_of_variables_are_those_around() {
        let text = "const X = { environmentVariables: { TAG_A: { value: 'b' } } }; BuildSpec.fromObject({ phases: { build: { commands: ['$TAG_B'] } } })";
        let found = names(text, &buildspecs(text));
        assert_eq!(found, ["TAG_A"].map(Box::from));
    }
}

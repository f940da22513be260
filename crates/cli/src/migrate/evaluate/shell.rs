//! The variables of a build while its commands run, as far as they are known.

use std::collections::BTreeMap;

use tagwright_rules::Settings;
use tagwright_rules::derivation::{Derivation, Missing, Outcome};
use tagwright_syntax::Span;
use tagwright_syntax::shell::{
    Command, Part, PartKind, Quoting, RedirectKind, Script, Variable, Word, parse,
};

use super::start::Start;
use super::value::{Text, Values};
use super::{pattern, programs};

/// A loop of more words than this is run for its first ones only.
const MOST_ROUNDS: usize = 64;

/// How deep substitutions may be nested.
const DEEPEST: u32 = 8;

/// Who wants to know what the variables hold at places of an item.
pub(super) trait Visitor {
    /// The places, bytes of the item's text.
    fn offsets(&self) -> Vec<usize>;
    /// The command with the place of this index is about to run.
    fn visit(&mut self, index: usize, at: &At<'_>, shell: &mut Shell<'_>);
}

/// A command that is about to run.
pub(super) struct At<'t> {
    pub(super) command: &'t Command,
    /// The text that holds it.
    pub(super) text: &'t str,
    /// The text's first byte in its item.
    pub(super) base: usize,
    /// It may be skipped.
    pub(super) conditional: bool,
}

/// The shell of a build.
#[derive(Clone)]
pub(super) struct Shell<'a> {
    start: &'a Start,
    settings: &'a Settings,
    variables: BTreeMap<String, Values>,
    depth: u32,
    /// The build has ended.
    pub(super) stopped: bool,
    /// The inserted definition of the branch has run.
    pub(super) derives: bool,
}

impl<'a> Shell<'a> {
    pub(super) fn new(start: &'a Start, settings: &'a Settings) -> Self {
        let given = start.variables.iter();
        let variables = given.map(|(name, value)| (name.clone(), Values::one(Text::known(value))));
        Self {
            start,
            settings,
            variables: variables.collect(),
            depth: 0,
            stopped: false,
            derives: false,
        }
    }

    /// Sets a variable of `env`, which gives way to one that is given from outside.
    pub(super) fn provide(&mut self, name: &str, value: Values) {
        if !self.start.variables.contains_key(name) {
            self.variables.insert(name.to_owned(), value);
        }
    }

    /// Runs one item of a list of commands.
    pub(super) fn item(&mut self, text: &str, visitor: &mut dyn Visitor) {
        let Some((at, length, derivation)) = self.derivation_in(text) else {
            return self.script(text, 0, visitor);
        };
        self.script(&text[..at], 0, visitor);
        self.derives = true;
        let variables = &self.variables;
        let known = |name: &str| {
            let value = variables.get(name)?.as_known()?;
            Some(value.to_owned())
        };
        let value = match derivation.outcome(&known) {
            Outcome::Value(value) => Text::known(value),
            Outcome::Manifest => Text::unknown("the branch of the pipeline"),
            Outcome::Stops => {
                self.stopped = true;
                return;
            }
        };
        let name = derivation.variable.to_owned();
        self.variables.insert(name, Values::one(value));
        let end = at + length;
        self.script(&text[end..], end, visitor);
    }

    /// The definition of the branch that fixes insert, if the text holds it: where, how long, and which.
    fn derivation_in(&self, text: &str) -> Option<(usize, usize, Derivation<'a>)> {
        for copilot_pipeline in [false, true] {
            for missing in [Missing::Commit, Missing::Stop] {
                for repository in [false, true] {
                    let derivation = Derivation {
                        missing,
                        repository,
                        ..self.settings.derivation(copilot_pipeline)
                    };
                    let definition = derivation.text();
                    if let Some(at) = text.find(definition.trim_end()) {
                        return Some((at, definition.trim_end().len(), derivation));
                    }
                }
            }
        }
        None
    }

    /// Runs a text that begins at byte `base` of its item.
    fn script(&mut self, text: &str, base: usize, visitor: &mut dyn Visitor) {
        if text.trim().is_empty() {
            return;
        }
        let script = parse(text);
        let mut places: Vec<Vec<usize>> = vec![Vec::new(); script.commands.len()];
        for (index, offset) in visitor.offsets().into_iter().enumerate() {
            let inside = offset
                .checked_sub(base)
                .filter(|offset| *offset <= text.len());
            if let Some(command) = inside.and_then(|offset| command_at(&script, offset)) {
                places[command].push(index);
            }
        }
        let run = Run {
            text,
            base,
            commands: &script.commands,
            places: &places,
        };
        self.commands(&run, 0..script.commands.len(), 0, visitor);
    }

    /// Runs the commands of `range`, all of them in the same `depth` loops.
    fn commands(
        &mut self,
        run: &Run<'_>,
        range: std::ops::Range<usize>,
        depth: usize,
        visitor: &mut dyn Visitor,
    ) {
        let mut at = range.start;
        while at < range.end && !self.stopped {
            let Some(this) = run.commands[at].context.loops.get(depth) else {
                self.command(run, at, visitor);
                at += 1;
                continue;
            };
            let same = |command: &Command| command.context.loops.get(depth) == Some(this);
            let length = run.commands[at..range.end]
                .iter()
                .take_while(|it| same(it))
                .count();
            let body = at..at + length;
            match &this.variable {
                Some(name) => {
                    let words = this
                        .words
                        .iter()
                        .flat_map(|word| self.fields(word, run.text));
                    let words: Vec<Values> = words.take(MOST_ROUNDS).collect();
                    for word in words {
                        self.variables.insert(name.to_string(), word);
                        self.commands(run, body.clone(), depth + 1, visitor);
                    }
                }
                None => self.commands(run, body, depth + 1, visitor),
            }
            at += length;
        }
    }

    /// The words that an unquoted word is split into.
    fn fields(&self, word: &Word, text: &str) -> Vec<Values> {
        let value = self.clone().word(word, text);
        let unquoted = word.parts.iter().all(|part| part.quoting == Quoting::None);
        match value.as_known() {
            Some(known) if unquoted => {
                let words = known.split_whitespace();
                words.map(|word| Values::one(Text::known(word))).collect()
            }
            _ => vec![value],
        }
    }

    fn command(&mut self, run: &Run<'_>, at: usize, visitor: &mut dyn Visitor) {
        let command = &run.commands[at];
        let decided = self.decided(run, at);
        if decided == Some(false) {
            return;
        }
        let conditional = command.context.conditional && decided.is_none();
        let here = At {
            command,
            text: run.text,
            base: run.base,
            conditional,
        };
        for index in &run.places[at] {
            visitor.visit(*index, &here, self);
        }
        let context = &command.context;
        let lost = context.substitution > 0 || context.subshell || context.function.is_some();
        if lost {
            return;
        }
        let program = command.program();
        match program.as_deref() {
            Some("exit") if !conditional => self.stopped = true,
            Some("unset") => {
                for name in command.words[1..].iter().filter_map(Word::value) {
                    self.variables
                        .insert(name.into_owned(), Values::one(Text::default()));
                }
            }
            Some("read") => {
                for name in command.words[1..].iter().filter_map(Word::value) {
                    let unknown = Text::unknown(format!("${{{name}}}"));
                    self.variables
                        .insert(name.into_owned(), Values::one(unknown));
                }
            }
            None | Some("export" | "readonly" | "local" | "declare" | "typeset") => {
                self.assignments(command, run.text, conditional);
            }
            // Those before a program hold for it alone. Its words may set a variable, though: `${X:=…}`.
            Some(_) => {
                for word in &command.words[1..] {
                    let _ = self.word(word, run.text);
                }
            }
        }
    }

    fn assignments(&mut self, command: &Command, text: &str, conditional: bool) {
        for assignment in &command.assignments {
            let written = format!("${{{}}}", assignment.name);
            let mut value = match &assignment.value {
                Some(word) => self.word(word, text),
                None => Values::one(Text::unknown(&*written)),
            };
            let before = self.value_of(&assignment.name);
            if assignment.append {
                value = before.then(&value, &written);
            }
            if conditional && before.as_known() != Some("") {
                value = before.or(&value, &written);
            }
            self.variables.insert(assignment.name.to_string(), value);
        }
    }

    /// Whether the command runs, where a test right before it says so: `[ -z "$X" ] && X=…`.
    fn decided(&mut self, run: &Run<'_>, at: usize) -> Option<bool> {
        let command = &run.commands[at];
        let before = (0..at).rev().find(|index| {
            run.commands[*index].context.substitution == command.context.substitution
        })?;
        let test = &run.commands[before];
        if test.context.conditional {
            return None;
        }
        let between = run
            .text
            .get(test.span.end as usize..command.span.start as usize)?;
        let wanted = match between.trim() {
            "&&" => true,
            "||" => false,
            _ => return None,
        };
        Some(self.test(test, run.text)? == wanted)
    }

    /// Whether the test holds.
    fn test(&mut self, command: &Command, text: &str) -> Option<bool> {
        let program = command.program()?;
        let words = match &*program {
            "test" => &command.words[1..],
            "[" => command.words.get(1..command.words.len().checked_sub(1)?)?,
            _ => return None,
        };
        let mut value = |word: &Word| self.word(word, text).as_known().map(str::to_owned);
        match words {
            [operator, word] if operator.is("-n") => Some(!value(word)?.is_empty()),
            [operator, word] if operator.is("-z") => Some(value(word)?.is_empty()),
            [first, operator, second] if operator.is("=") || operator.is("==") => {
                Some(value(first)? == value(second)?)
            }
            [first, operator, second] if operator.is("!=") => Some(value(first)? != value(second)?),
            _ => None,
        }
    }

    /// What the variable may hold.
    fn value_of(&self, name: &str) -> Values {
        if let Some(values) = self.variables.get(name) {
            return values.clone();
        }
        let by_start = name.starts_with("CODEBUILD_") || name == self.settings.branch_variable;
        Values::one(
            if by_start && !self.settings.branch_defined || name == "BRANCH_NAME" {
                Text::default()
            } else {
                Text::unknown(format!("${{{name}}}"))
            },
        )
    }

    /// What the word may stand for; `text` is the script that holds it.
    pub(super) fn word(&mut self, word: &Word, text: &str) -> Values {
        let written = word.span.of(text);
        let mut value = Values::one(Text::default());
        for part in &word.parts {
            let part = self.part(part, text);
            value = value.then(&part, written);
        }
        value
    }

    /// What the bytes `span` of the text at `at` stand for, if words of the command cover them.
    pub(super) fn range(&mut self, at: &At<'_>, span: Span) -> Option<Values> {
        let command = at.command;
        let loops = command.context.loops.iter().flat_map(|it| &it.words);
        let values = command
            .assignments
            .iter()
            .filter_map(|it| it.value.as_ref());
        let targets = command.redirects.iter().filter_map(|it| it.target.as_ref());
        let words = command
            .words
            .iter()
            .chain(loops)
            .chain(values)
            .chain(targets);
        let documents = command
            .redirects
            .iter()
            .filter_map(|it| it.here_document.as_ref());
        let mut rows = words
            .map(|word| (word.span, &word.parts))
            .chain(documents.map(|document| (document.body, &document.parts)));
        let (_, parts) = rows.find(|(whole, _)| whole.contains(span))?;
        let written = at.text.get(span.range())?;
        let mut value = Values::one(Text::default());
        for part in parts {
            let inside = part.span.start.max(span.start)..part.span.end.min(span.end);
            if inside.is_empty() {
                continue;
            }
            let piece = match &part.kind {
                PartKind::Literal(literal) if inside != (part.span.start..part.span.end) => {
                    // Where a backslash was taken out, the bytes do not tell which characters they are.
                    if literal.len() != part.span.len() {
                        return None;
                    }
                    let first = part.span.start;
                    let slice = (inside.start - first) as usize..(inside.end - first) as usize;
                    Values::one(Text::known(literal.get(slice)?))
                }
                _ => self.part(part, at.text),
            };
            value = value.then(&piece, written);
        }
        Some(value)
    }

    fn part(&mut self, part: &Part, text: &str) -> Values {
        let written = part.span.of(text);
        match &part.kind {
            PartKind::Literal(literal) => Values::one(Text::known(literal.as_str())),
            PartKind::Variable(variable) => self.variable(variable, written, text),
            PartKind::Substitution => self.substitution(written),
            PartKind::Arithmetic | PartKind::Other => Values::one(Text::unknown(written)),
        }
    }

    fn variable(&mut self, variable: &Variable, written: &str, text: &str) -> Values {
        let value = self.value_of(&variable.name);
        let Some(operator) = &variable.operator else {
            return value;
        };
        let is_set = self.variables.contains_key(&*variable.name);
        let operand = |shell: &mut Self| match &operator.operand {
            Some(word) => shell.word(word, text),
            None => Values::one(Text::default()),
        };
        match &*operator.symbol {
            "-" if is_set => value,
            "=" if is_set => value,
            ":-" | "-" | ":=" | "=" => {
                let fallback = operand(self);
                let chosen = value.iter().flat_map(|text| match text.as_known() {
                    Some("") => fallback.iter().cloned().collect(),
                    Some(_) => vec![text.clone()],
                    None => std::iter::once(text)
                        .chain(fallback.iter())
                        .cloned()
                        .collect(),
                });
                let chosen = Values::of(chosen.collect::<Vec<_>>(), written);
                if operator.symbol.ends_with('=') {
                    self.variables
                        .insert(variable.name.to_string(), chosen.clone());
                }
                chosen
            }
            ":?" | "?" => {
                if value.as_known() == Some("") {
                    self.stopped = true;
                }
                value
            }
            ":+" | "+" => {
                let instead = operand(self);
                match value.as_known() {
                    Some("") => value,
                    Some(_) => instead,
                    None => instead.or(&Values::one(Text::default()), written),
                }
            }
            _ => {
                let inner = written
                    .strip_prefix("${")
                    .and_then(|it| it.strip_suffix('}'));
                let operation = inner.and_then(|it| it.strip_prefix(&*variable.name));
                match operation {
                    Some(operation) => value.map(written, |text| pattern::expand(text, operation)),
                    None => Values::one(Text::unknown(written)),
                }
            }
        }
    }

    /// What `$( … )` or a text in backticks gives.
    fn substitution(&mut self, written: &str) -> Values {
        let unknown = Values::one(Text::unknown(written));
        let inner = written
            .strip_prefix("$(")
            .and_then(|it| it.strip_suffix(')'));
        let inner = match inner {
            Some(inner) => inner.to_owned(),
            None => written.trim_matches('`').replace("\\`", "`"),
        };
        if self.depth >= DEEPEST {
            return unknown;
        }
        let mut subshell = self.clone();
        subshell.depth += 1;
        subshell.pipeline(&inner, written).unwrap_or(unknown)
    }

    /// What a single pipeline prints, without the line breaks at its end.
    fn pipeline(&mut self, text: &str, written: &str) -> Option<Values> {
        let script = parse(text);
        let top = script
            .commands
            .iter()
            .filter(|it| it.context.substitution == 0);
        let top: Vec<&Command> = top.collect();
        let one = (0..).zip(&top).all(|(index, command)| {
            let context = &command.context;
            context.pipe_index == index
                && context.pipe_length as usize == top.len()
                && !context.conditional
                && context.loops.is_empty()
        });
        if !one {
            return None;
        }
        let mut output = Values::one(Text::default());
        for command in top {
            output = self.stage(command, text, &output, written)?;
        }
        let trimmed = output.iter().map(|text| text.without_final_breaks());
        Some(Values::of(trimmed.collect::<Vec<_>>(), written))
    }

    fn stage(
        &mut self,
        command: &Command,
        text: &str,
        input: &Values,
        written: &str,
    ) -> Option<Values> {
        let program = command.program()?;
        let mut input = input.clone();
        for redirect in &command.redirects {
            match (redirect.kind, &redirect.target) {
                (RedirectKind::HereString, Some(word)) => {
                    let line_break = Values::one(Text::known("\n"));
                    input = self.word(word, text).then(&line_break, written);
                }
                (RedirectKind::Duplicate, _) => {}
                // Where only errors go, the output stays.
                (RedirectKind::Output, Some(word)) if word.is("/dev/null") => {}
                _ => return None,
            }
        }
        let arguments = command.words[1..].iter();
        let arguments: Vec<Values> = arguments.map(|word| self.word(word, text)).collect();
        if program == "echo" {
            return Some(echo(&arguments, written));
        }
        if let ("printf", [format, value]) = (&*program, arguments.as_slice())
            && let Some(format @ ("%s" | "%s\\n")) = format.as_known()
        {
            let end = Values::one(Text::known(if format == "%s" { "" } else { "\n" }));
            return Some(value.then(&end, written));
        }
        let known: Option<Vec<String>> = arguments
            .iter()
            .map(|argument| argument.as_known().map(str::to_owned))
            .collect();
        let known = known?;
        Some(input.map(written, |input| programs::run(&program, &known, input)))
    }
}

/// What `echo` prints.
fn echo(arguments: &[Values], written: &str) -> Values {
    let is =
        |argument: Option<&Values>, flag: &str| argument.and_then(Values::as_known) == Some(flag);
    let no_break = is(arguments.first(), "-n");
    let skipped = usize::from(no_break || is(arguments.first(), "-e"));
    let mut output = Values::one(Text::default());
    for (index, argument) in arguments[skipped..].iter().enumerate() {
        if index > 0 {
            output = output.then(&Values::one(Text::known(" ")), written);
        }
        output = output.then(argument, written);
    }
    let end = if no_break { "" } else { "\n" };
    output.then(&Values::one(Text::known(end)), written)
}

/// A text that is run.
struct Run<'t> {
    text: &'t str,
    /// Its first byte in its item.
    base: usize,
    commands: &'t [Command],
    /// For each command the places in it.
    places: &'t [Vec<usize>],
}

/// The 0-based index of the command that holds the byte `offset`.
fn command_at(script: &Script, offset: usize) -> Option<usize> {
    let holds = |command: &Command| {
        let documents = command
            .redirects
            .iter()
            .filter_map(|it| it.here_document.as_ref());
        let targets = command.redirects.iter().filter_map(|it| it.target.as_ref());
        std::iter::once(command.span)
            .chain(documents.map(|document| document.body))
            .chain(targets.map(|word| word.span))
            .any(|span| (span.start as usize..=span.end as usize).contains(&offset))
    };
    let inside = script.commands.iter().rposition(holds);
    inside.or_else(|| {
        let starts = |command: &Command| command.span.start as usize <= offset;
        script.commands.iter().rposition(starts)
    })
}

//! Point 3: the shell words of each touched scalar differ exactly as declared.
//!
//! Both texts are read as shell, and every command, word, assignment, redirection and here-document of
//! the old one is looked for in the new one at the place to which the replacements moved it, with the
//! same quotes around every byte that was not replaced. Only what a replacement declares to add may be
//! added. A script in single quotes (`sh -c '…'`) is checked in the same way, as a text of its own.

use std::ops::Range;

use tagwright_diagnostics::WordEffect;
use tagwright_flow::tools::{InnerScope, NestedScript, nested_scripts};
use tagwright_syntax::Span;
use tagwright_syntax::edit::{Replacement, apply_replacements};
use tagwright_syntax::shell::{
    self, Command, Part, PartKind, Quoting, RedirectKind, Script, Status, Word,
};
use tagwright_syntax::yaml::NodeKind;

use super::Read;
use crate::Rejection;
use crate::materialise::Plan;

/// Checks all touched scalars and inserted items of one file.
pub(super) fn check_file(old: &Read<'_>, plan: &Plan) -> Result<(), Rejection> {
    for (node, todo) in &plan.nodes {
        let fail = |what| Rejection::Words {
            path: old.path.to_string(),
            place: old.tree.path(*node).to_string(),
            what,
        };
        for (_, value) in &todo.inserts {
            if shell::parse(value).status != Status::Clean {
                return Err(fail("the inserted item cannot be read as shell"));
            }
        }
        // YAML had taken the command apart; it must be the text that stood there, all of it.
        if let Some((span, value)) = &todo.replaced {
            let own = old.tree.node(*node);
            let whole = own.properties.map_or(own.span, |it| it.cover(own.span));
            if !span.contains(whole)
                || value != span.of(old.text)
                || shell::parse(value).status != Status::Clean
            {
                return Err(fail("the string is not the command that stands there"));
            }
        }
        // No shell takes the old text, so that the new one takes nothing away.
        if let (Some(new), NodeKind::Scalar(scalar)) = (&todo.unfolded, &old.tree.node(*node).kind)
            && (shell::incomplete(&scalar.value).is_none()
                || shell::incomplete(new).is_some()
                || shell::parse(new).status != Status::Clean)
        {
            return Err(fail(
                "it is not certain that only the new text is a whole command",
            ));
        }
        for item in todo.split.iter().flatten() {
            if shell::parse(item).status != Status::Clean {
                return Err(fail("an item cannot be read as shell"));
            }
        }
        if let NodeKind::Scalar(scalar) = &old.tree.node(*node).kind
            && !todo.replacements.is_empty()
        {
            check(&scalar.value, &todo.replacements, &todo.effects).map_err(fail)?;
        }
    }
    Ok(())
}

/// Checks one scalar: its old decoded value and the replacements (ascending, not overlapping) with the
/// effect that each declares.
fn check(
    old_text: &str,
    replacements: &[Replacement],
    effects: &[WordEffect],
) -> Result<(), &'static str> {
    if effects.iter().all(|it| *it == WordEffect::NotShell) {
        return Ok(());
    }
    if effects.contains(&WordEffect::NotShell) {
        return Err("the fix takes the text for shell and for something else");
    }
    let new_text = apply_replacements(old_text, replacements)
        .ok_or("the replacements do not fit the value")?;
    let old = shell::parse(old_text);
    let new = shell::parse(&new_text);
    if old.status != Status::Clean {
        // Text that is no shell may become shell, if all of it is declared to be written anew.
        let anew = matches!((replacements, effects), ([one], [WordEffect::Commands])
            if one.range.range() == (0..old_text.len()));
        return match new.status {
            Status::Clean if anew => Ok(()),
            _ => Err("the text cannot be read as shell with certainty"),
        };
    }
    if new.status != Status::Clean {
        return Err("the new text cannot be read as shell");
    }
    let mut shift = Shift::new(replacements, effects);
    for script in inner_scripts(&old) {
        shift.check_inner(old_text, &script)?;
    }
    shift.effects_fit(old_text, &old, &new)?;
    shift.variables_expand(&new, &new_text)?;

    let mut added = vec![false; shift.items.len()];
    let mut commands = Vec::new();
    for command in &new.commands {
        let span = tokens(command).map(|it| it.span).reduce(cover);
        match span.and_then(|span| shift.inside_added_command(&span)) {
            Some(index) => added[index] = true,
            None => commands.push(command),
        }
    }
    for (item, added) in shift.items.iter().zip(&added) {
        if item.effect == WordEffect::Commands && !added {
            return Err("no command was added although one was declared");
        }
    }
    let mut commands = commands.into_iter();
    for old in &old.commands {
        let span = tokens(old).map(|it| it.span).reduce(cover);
        if span
            .as_ref()
            .is_some_and(|it| shift.removed_with_commands(it))
        {
            continue;
        }
        let new = commands.next().ok_or("a command is gone")?;
        shift.command(old, new)?;
    }
    if commands.next().is_some() {
        return Err("a command appeared that was not declared");
    }
    shift.comments(&old, &new)
}

fn cover(a: Range<usize>, b: Range<usize>) -> Range<usize> {
    a.start.min(b.start)..a.end.max(b.end)
}

/// A replacement with its place in both texts.
struct Item<'a> {
    old: Range<usize>,
    new: Range<usize>,
    text: &'a str,
    effect: WordEffect,
    /// Stands in an inner script, which was checked on its own; here it only changes a word.
    inner: bool,
}

/// How the replacements move everything else.
struct Shift<'a> {
    items: Vec<Item<'a>>,
}

/// A word or what is compared like one.
struct Token<'s> {
    kind: TokenKind<'s>,
    span: Range<usize>,
    parts: &'s [Part],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TokenKind<'s> {
    Assignment {
        name: &'s str,
        append: bool,
        exported: bool,
        scalar: bool,
    },
    Word,
    LoopWord,
    Redirect(RedirectKind),
    HereDocument {
        expands: bool,
    },
}

fn word<'s>(kind: TokenKind<'s>, word: &'s Word) -> Token<'s> {
    Token {
        kind,
        span: word.span.range(),
        parts: &word.parts,
    }
}

/// Assignments, words, redirections and here-documents of a command. The words of the loops around it
/// are not among them, because they stand outside the command.
fn tokens(command: &Command) -> impl Iterator<Item = Token<'_>> {
    let assignments = command.assignments.iter().map(|it| Token {
        kind: TokenKind::Assignment {
            name: &it.name,
            append: it.append,
            exported: it.exported,
            scalar: it.value.is_some(),
        },
        span: it.span.range(),
        parts: it.value.as_ref().map_or(&[], |value| &value.parts),
    });
    let words = command.words.iter().map(|it| word(TokenKind::Word, it));
    let redirects = command.redirects.iter().flat_map(|it| {
        let kind = TokenKind::Redirect(it.kind);
        let target = it.target.as_ref().map(|target| word(kind, target));
        let body = it.here_document.as_ref().map(|body| Token {
            kind: TokenKind::HereDocument {
                expands: body.expands,
            },
            span: body.body.range(),
            parts: &body.parts,
        });
        target.into_iter().chain(body)
    });
    assignments.chain(words).chain(redirects)
}

fn loop_words(command: &Command) -> impl Iterator<Item = Token<'_>> {
    let loops = command.context.loops.iter();
    loops.flat_map(|it| it.words.iter().map(|it| word(TokenKind::LoopWord, it)))
}

impl<'a> Shift<'a> {
    fn new(replacements: &'a [Replacement], effects: &[WordEffect]) -> Self {
        let mut items: Vec<Item<'a>> = Vec::new();
        for (replacement, effect) in replacements.iter().zip(effects) {
            let old = replacement.range.range();
            let start = match items.last() {
                Some(last) => last.new.end + (old.start - last.old.end),
                None => old.start,
            };
            items.push(Item {
                new: start..start + replacement.text.len(),
                old,
                text: &replacement.text,
                effect: *effect,
                inner: false,
            });
        }
        Self { items }
    }

    /// Checks the replacements in the inner script at `script` (bytes of the old text) as changes of a
    /// text of its own.
    fn check_inner(&mut self, old_text: &str, script: &Range<usize>) -> Result<(), &'static str> {
        let mut replacements = Vec::new();
        let mut effects = Vec::new();
        let own = self.touching(script.start, script.end);
        for item in self.items[own.clone()]
            .iter()
            .filter(|it| within(&it.old, script))
        {
            // A text that leaves the quotes is a matter of the outer shell.
            if item.text.contains('\'') {
                return Ok(());
            }
            replacements.push(Replacement {
                range: Span::new(item.old.start - script.start, item.old.end - script.start),
                text: item.text.to_string(),
            });
            effects.push(item.effect);
        }
        if replacements.is_empty() {
            return Ok(());
        }
        let text = old_text.get(script.clone()).unwrap_or_default();
        check(text, &replacements, &effects)?;
        for item in self.items[own]
            .iter_mut()
            .filter(|it| within(&it.old, script))
        {
            item.effect = WordEffect::Within;
            item.inner = true;
        }
        Ok(())
    }

    /// Those of the items, which are ascending and apart, whose old ranges end at `start` or behind it, and
    /// begin at `end` or before it.
    fn touching(&self, start: usize, end: usize) -> Range<usize> {
        let first = self.items.partition_point(|it| it.old.end < start);
        let last = self.items.partition_point(|it| it.old.start <= end);
        first..last.max(first)
    }

    /// Where a byte that is not replaced has gone: behind everything that is inserted before it.
    fn byte(&self, at: usize) -> usize {
        let before = self.items.partition_point(|item| item.old.end <= at);
        moved(&self.items[..before], at)
    }

    /// Whether the byte is the inside of a replaced range.
    fn is_replaced(&self, at: usize) -> bool {
        self.items[self.touching(at, at)]
            .iter()
            .any(|it| it.old.start < at && at < it.old.end)
    }

    /// Where a token's first byte has gone. What is inserted right before it belongs to the token if
    /// it declares to change the inside of a word. `None` if the byte is the inside of a replaced range.
    fn start(&self, at: usize) -> Option<usize> {
        if self.is_replaced(at) {
            return None;
        }
        let before = self.items.partition_point(|it| it.old.start <= at);
        let own: usize = self.items[..before]
            .iter()
            .rev()
            .skip_while(|it| it.old.start >= at && !it.old.is_empty())
            .take_while(|it| it.old == (at..at) && it.effect == WordEffect::Within)
            .map(|it| it.text.len())
            .sum();
        Some(self.byte(at) - own)
    }

    /// Where a token's end has gone; the mirror image of [`Shift::start`].
    fn end(&self, at: usize) -> Option<usize> {
        if self.is_replaced(at) {
            return None;
        }
        let near = self.touching(at, at);
        let own: usize = self.items[near.clone()]
            .iter()
            .filter(|it| it.old == (at..at))
            .take_while(|it| it.effect == WordEffect::Within)
            .map(|it| it.text.len())
            .sum();
        let before = self.items[..near.end]
            .iter()
            .rposition(|it| it.old.end <= at && it.old != (at..at));
        let before = before.map_or(0, |index| index + 1);
        Some(moved(&self.items[..before], at) + own)
    }

    /// The replacement of this effect that declares to add what stands at `span` of the new text.
    fn adding(&self, span: &Range<usize>, effect: fn(WordEffect) -> bool) -> Option<usize> {
        let last = self.items.partition_point(|it| it.new.start <= span.start);
        // An empty one may begin where the one around the span does.
        let near = self.items[..last].iter().enumerate().rev().take(2);
        near.filter(|(_, it)| effect(it.effect) && within(span, &it.new))
            .map(|(index, _)| index)
            .min()
    }

    /// The replacement that declares to add the command at `span` of the new text.
    fn inside_added_command(&self, span: &Range<usize>) -> Option<usize> {
        self.adding(span, |it| it == WordEffect::Commands)
    }

    /// Whether the command at `span` of the old text stands wholly in a range that becomes other commands.
    fn removed_with_commands(&self, span: &Range<usize>) -> bool {
        self.is_within(span, |it| {
            matches!(it, WordEffect::Commands | WordEffect::RemovesCommands)
        })
    }

    /// Whether the word at `span` of the old text is declared to go.
    fn is_removed(&self, span: &Range<usize>) -> bool {
        self.is_within(span, |it| matches!(it, WordEffect::Removes(_)))
    }

    /// Whether the command is the first one behind commands that go, or stands in a substitution of it.
    fn first_behind_removed(&self, old: &Command) -> bool {
        let Some(span) = tokens(old).map(|it| it.span).reduce(cover) else {
            return false;
        };
        let at = self.items.partition_point(|it| it.old.end <= span.start);
        at.checked_sub(1).is_some_and(|before| {
            let item = &self.items[before];
            item.effect == WordEffect::RemovesCommands && item.old.end == span.start
        })
    }

    /// Whether what stands at `span` of the old text is wholly in the range of a replacement of this effect.
    fn is_within(&self, span: &Range<usize>, effect: fn(WordEffect) -> bool) -> bool {
        self.items[self.touching(span.start, span.end)]
            .iter()
            .any(|it| effect(it.effect) && within(span, &it.old))
    }

    /// Whether each replacement stands where its effect is possible, and adds what it says.
    fn effects_fit(&self, old_text: &str, old: &Script, new: &Script) -> Result<(), &'static str> {
        let of_old = Spans::new(old.commands.iter().flat_map(|it| {
            let tokens = tokens(it).chain(loop_words(it));
            tokens.map(|token| (token.span, 0))
        }));
        let of_new = Spans::new((0..).zip(&new.commands).flat_map(|(index, it)| {
            let words = it.words.iter();
            words.map(move |word| (word.span.range(), index))
        }));
        let comments = Spans::new(old.comments.iter().map(|it| (it.range(), 0)));
        for item in &self.items {
            match item.effect {
                WordEffect::Within => {
                    if !of_old.hold(&item.old) {
                        return Err("the replaced text is not the inside of a word");
                    }
                }
                WordEffect::Inserts(count) => {
                    let mut words = of_new.within(&item.new).map(|(_, command)| command);
                    let command = words.next();
                    let all = command.is_some_and(|first| words.clone().all(|it| it == first));
                    if !all || words.count() + 1 != count as usize {
                        return Err("the number of added words is not the declared one");
                    }
                }
                WordEffect::Comment => {
                    let mut inside = comments.within(&item.old).map(|(span, _)| span);
                    let (Some(comment), None) = (inside.next(), inside.next()) else {
                        return Err("the replaced text is not one comment");
                    };
                    let around = [item.old.start..comment.start, comment.end..item.old.end];
                    let blank = |range: Range<usize>| {
                        let text = old_text.get(range).unwrap_or("x");
                        let text = text.strip_suffix('\n').unwrap_or(text);
                        text.bytes().all(|byte| byte == b' ' || byte == b'\t')
                    };
                    let one_line = item.text.starts_with('#') && !item.text.contains(['\n', '\r']);
                    if !around.into_iter().all(blank) || !(item.text.is_empty() || one_line) {
                        return Err("the replaced text is more than a comment");
                    }
                }
                WordEffect::Removes(count) => words_go(old_text, old, item, count)?,
                WordEffect::RemovesCommands => commands_go(old_text, old, item)?,
                WordEffect::Commands | WordEffect::NotShell => {}
            }
        }
        Ok(())
    }

    /// Every `$` of a replacement expands: one that has landed in single quotes or in a quoted
    /// here-document would stay text.
    fn variables_expand(&self, new: &Script, new_text: &str) -> Result<(), &'static str> {
        let mut starts = Vec::new();
        for command in &new.commands {
            for token in tokens(command).chain(loop_words(command)) {
                expansions(token.parts, &mut starts);
            }
        }
        starts.sort_unstable();
        let inside = |item: &&Item<'_>| {
            !item.inner && matches!(item.effect, WordEffect::Within | WordEffect::Inserts(_))
        };
        for item in self.items.iter().filter(inside) {
            for (at, _) in item.text.match_indices('$') {
                let at = item.new.start + at;
                let bytes = new_text.as_bytes();
                let next = bytes.get(at + 1).copied().unwrap_or(b' ');
                let names = next == b'{' || next == b'_' || next.is_ascii_alphabetic();
                let escapes = bytes[..at]
                    .iter()
                    .rev()
                    .take_while(|b| **b == b'\\')
                    .count();
                let escaped_on_purpose = escapes % 2 == 1 && at > item.new.start;
                if names && !escaped_on_purpose && starts.binary_search(&at).is_err() {
                    return Err("a variable in the new text would not be expanded there");
                }
            }
        }
        Ok(())
    }

    fn command(&self, old: &Command, new: &Command) -> Result<(), &'static str> {
        let (a, b) = (&old.context, &new.context);
        // Behind `gone && ` a command depends on nothing any more.
        let freed = || a.conditional && self.first_behind_removed(old);
        let same_context = (a.conditional == b.conditional || freed())
            && a.after_failure == b.after_failure
            && a.tolerated == b.tolerated
            && a.function == b.function
            && a.subshell == b.subshell
            && a.pipe_index == b.pipe_index
            && a.pipe_length == b.pipe_length
            && a.substitution == b.substitution
            && a.loops.len() == b.loops.len()
            && a.loops.iter().zip(&b.loops).all(|(a, b)| {
                let left = a
                    .words
                    .iter()
                    .filter(|it| !self.is_removed(&it.span.range()));
                a.variable == b.variable && left.count() == b.words.len()
            });
        if !same_context {
            return Err("a command would run under other circumstances");
        }
        let inserted = |token: &Token<'_>| {
            token.kind == TokenKind::Word
                && self
                    .adding(&token.span, |it| matches!(it, WordEffect::Inserts(_)))
                    .is_some()
        };
        let mut tokens_after = tokens(new)
            .filter(|token| !inserted(token))
            .chain(loop_words(new));
        let kept = |token: &Token<'_>| !self.is_removed(&token.span);
        for token in tokens(old).chain(loop_words(old)).filter(kept) {
            let other = tokens_after.next().ok_or("a word is gone")?;
            self.token(&token, &other)?;
        }
        if tokens_after.next().is_some() {
            return Err("a word appeared that was not declared");
        }
        Ok(())
    }

    fn token(&self, old: &Token<'_>, new: &Token<'_>) -> Result<(), &'static str> {
        let moved = self.start(old.span.start).zip(self.end(old.span.end));
        if old.kind != new.kind || moved != Some((new.span.start, new.span.end)) {
            return Err("a word is not where it was");
        }
        let (before, after) = (labels(old), labels(new));
        let first = self
            .items
            .partition_point(|it| it.old.end <= old.span.start);
        let mut items = self.items[first..].iter().peekable();
        for (offset, label) in before.iter().enumerate() {
            let at = old.span.start + offset;
            while items.next_if(|item| item.old.end <= at).is_some() {}
            if items.peek().is_some_and(|item| item.old.start <= at) {
                continue;
            }
            let moved = self.byte(at).checked_sub(new.span.start);
            if moved.and_then(|moved| after.get(moved)) != Some(label) {
                return Err("a part of a word is quoted or expanded in another way");
            }
        }
        Ok(())
    }

    fn comments(&self, old: &Script, new: &Script) -> Result<(), &'static str> {
        let own = |it| {
            matches!(
                it,
                WordEffect::Commands | WordEffect::Comment | WordEffect::RemovesCommands
            )
        };
        let before = old.comments.iter().map(|it| it.range());
        let before = before.filter(|it| !self.is_within(it, own));
        let after = new.comments.iter().map(|it| it.range());
        let after = after.filter(|it| self.adding(it, own).is_none());
        let moved = before.map(|it| Some(self.byte(it.start)..self.end(it.end)?));
        if moved.eq(after.map(Some)) {
            Ok(())
        } else {
            Err("a comment in the shell text changed")
        }
    }
}

/// Whether the words that go are the declared number of whole words of one command or one loop, with nothing but
/// blanks between them.
fn words_go(text: &str, old: &Script, item: &Item<'_>, count: u32) -> Result<(), &'static str> {
    const OTHERS: &str = "the words that go are not the declared ones";
    if !item.text.is_empty() {
        return Err(OTHERS);
    }
    let words = |it: &Command, looped: bool| -> Vec<Range<usize>> {
        let own: Vec<Token<'_>> = if looped {
            loop_words(it).collect()
        } else {
            tokens(it).filter(|it| it.kind == TokenKind::Word).collect()
        };
        let mut spans: Vec<_> = own.into_iter().map(|it| it.span).collect();
        spans.retain(|span| within(span, &item.old));
        spans
    };
    let of_command = old
        .commands
        .iter()
        .flat_map(|it| [words(it, false), words(it, true)]);
    let Some(spans) = of_command.into_iter().find(|it| !it.is_empty()) else {
        return Err(OTHERS);
    };
    let mut rest = remainder(text, &item.old, &spans);
    let blank = rest.all(|it| {
        it.replace("\\\n", "")
            .chars()
            .all(|it| it == ' ' || it == '\t')
    });
    if spans.len() == count as usize && blank {
        Ok(())
    } else {
        Err(OTHERS)
    }
}

/// Whether whole commands go, and with them only what joins them to their neighbours so that these run as before: the
/// end of a command, or `&&`.
fn commands_go(text: &str, old: &Script, item: &Item<'_>) -> Result<(), &'static str> {
    const OTHERS: &str = "more than whole commands would go";
    let spans = old.commands.iter().filter_map(|it| {
        let span = tokens(it).map(|it| it.span).reduce(cover)?;
        within(&span, &item.old).then_some(span)
    });
    let mut spans: Vec<_> = spans.collect();
    spans.sort_by_key(|it| it.start);
    let (Some(first), Some(end)) = (spans.first(), spans.iter().map(|it| it.end).max()) else {
        return Err("no command goes although that was declared");
    };
    if !item.text.is_empty() {
        return Err(OTHERS);
    }
    let commands = first.start..end;
    let comments = old.comments.iter().map(|it| it.range());
    let comments: Vec<_> = comments.filter(|it| within(it, &item.old)).collect();
    let edge = |range: Range<usize>| {
        let text: String = remainder(text, &range, &comments).collect();
        let text = text
            .replace("&&", "")
            .replace("\\\n", "")
            .replace("2>&1", "");
        text.chars().all(|it| matches!(it, ' ' | '\t' | '\n' | ';'))
    };
    spans.extend(comments.iter().filter(|it| within(it, &commands)).cloned());
    let mut inside = remainder(text, &commands, &spans);
    let joined = inside.all(|it| {
        let it = it.replace("2>&1", "");
        it.chars().all(|it| " \t\n;&|\\{}".contains(it))
    });
    if joined && edge(item.old.start..commands.start) && edge(commands.end..item.old.end) {
        Ok(())
    } else {
        Err(OTHERS)
    }
}

/// The pieces of `range` of the text that none of the `spans` holds.
fn remainder<'t>(
    text: &'t str,
    range: &Range<usize>,
    spans: &[Range<usize>],
) -> impl Iterator<Item = &'t str> + use<'t> {
    let mut spans: Vec<_> = spans.to_vec();
    spans.sort_by_key(|it| it.start);
    spans.push(range.end..range.end);
    let mut pieces = Vec::new();
    let mut at = range.start;
    for span in spans {
        if span.end < range.start || span.start > range.end {
            continue;
        }
        if at < span.start {
            pieces.push(text.get(at..span.start).unwrap_or("x"));
        }
        at = at.max(span.end);
    }
    pieces.into_iter()
}

/// Where the byte `at` has gone if `before` are the items before it.
fn moved(before: &[Item<'_>], at: usize) -> usize {
    before
        .last()
        .map_or(at, |item| item.new.end + (at - item.old.end))
}

/// Stretches of a text, each with a number, of which many questions are asked.
struct Spans {
    /// By start.
    sorted: Vec<(Range<usize>, usize)>,
    /// The furthest end of each and all before it.
    ends: Vec<usize>,
}

impl Spans {
    fn new(spans: impl Iterator<Item = (Range<usize>, usize)>) -> Self {
        let mut sorted: Vec<_> = spans.collect();
        sorted.sort_by_key(|(span, _)| (span.start, span.end));
        let ends = sorted.iter().scan(0, |furthest, (span, _)| {
            *furthest = span.end.max(*furthest);
            Some(*furthest)
        });
        let ends = ends.collect();
        Self { sorted, ends }
    }

    /// Whether one of them holds `inner`.
    fn hold(&self, inner: &Range<usize>) -> bool {
        let before = self
            .sorted
            .partition_point(|(span, _)| span.start <= inner.start);
        before
            .checked_sub(1)
            .is_some_and(|last| self.ends[last] >= inner.end)
    }

    /// Those in `outer`.
    fn within<'s>(
        &'s self,
        outer: &'s Range<usize>,
    ) -> impl Iterator<Item = (&'s Range<usize>, usize)> + Clone {
        let first = self
            .sorted
            .partition_point(|(span, _)| span.start < outer.start);
        self.sorted[first..]
            .iter()
            .take_while(|(span, _)| span.start <= outer.end)
            .filter(|(span, _)| within(span, outer))
            .map(|(span, number)| (span, *number))
    }
}

/// The texts in single quotes that an inner shell of the same machine runs.
fn inner_scripts(script: &Script) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    for command in &script.commands {
        let same = |it: &NestedScript| it.surroundings == InnerScope::Same;
        for nested in nested_scripts(command).into_iter().filter(same) {
            if let Some([part]) = nested.parts(command)
                && part.quoting == Quoting::Single
            {
                ranges.push(part.span.range());
            }
        }
    }
    ranges
}

fn within(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Where expansions start, those in operands included.
fn expansions(parts: &[Part], starts: &mut Vec<usize>) {
    for part in parts {
        match &part.kind {
            PartKind::Literal(_) => {}
            PartKind::Variable(variable) => {
                starts.push(part.span.start as usize);
                if let Some(operand) = variable
                    .operator
                    .as_ref()
                    .and_then(|it| it.operand.as_ref())
                {
                    expansions(&operand.parts, starts);
                }
            }
            PartKind::Substitution | PartKind::Arithmetic | PartKind::Other => {
                starts.push(part.span.start as usize);
            }
        }
    }
}

/// What the shell makes of one byte of a word. Bytes without a label are quotes and assigned names.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Label<'s> {
    quoting: Quoting,
    kind: LabelKind<'s>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LabelKind<'s> {
    Literal,
    Variable {
        name: &'s str,
        braced: bool,
        operator: &'s str,
    },
    Substitution,
    Arithmetic,
    Other,
}

fn labels<'s>(token: &Token<'s>) -> Vec<Option<Label<'s>>> {
    let mut labels = vec![None; token.span.len()];
    label(&mut labels, token.span.start, token.parts);
    labels
}

fn label<'s>(labels: &mut [Option<Label<'s>>], start: usize, parts: &'s [Part]) {
    for part in parts {
        let kind = match &part.kind {
            PartKind::Literal(_) => LabelKind::Literal,
            PartKind::Variable(variable) => LabelKind::Variable {
                name: &variable.name,
                braced: variable.braced,
                operator: variable.operator.as_ref().map_or("", |it| &it.symbol),
            },
            PartKind::Substitution => LabelKind::Substitution,
            PartKind::Arithmetic => LabelKind::Arithmetic,
            PartKind::Other => LabelKind::Other,
        };
        let range = part.span.range();
        let inside = range.start.saturating_sub(start)..range.end.saturating_sub(start);
        if let Some(labels) = labels.get_mut(inside) {
            labels.fill(Some(Label {
                quoting: part.quoting,
                kind,
            }));
        }
        if let PartKind::Variable(variable) = &part.kind
            && let Some(operand) = variable
                .operator
                .as_ref()
                .and_then(|it| it.operand.as_ref())
        {
            label(labels, start, &operand.parts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use WordEffect::{Commands, Inserts, NotShell, Within};

    /// `⟦old→new⟧` marks each replacement in the text; the effects follow in the same order.
    fn result(marked: &str, effects: &[WordEffect]) -> Result<(), &'static str> {
        let mut text = String::new();
        let mut replacements = Vec::new();
        let mut rest = marked;
        while let Some((before, after)) = rest.split_once('⟦') {
            text.push_str(before);
            let (inside, after) = after.split_once('⟧').unwrap();
            let (old, new) = inside.split_once('→').unwrap();
            replacements.push(Replacement {
                range: Span::new(text.len(), text.len() + old.len()),
                text: new.to_string(),
            });
            text.push_str(old);
            rest = after;
        }
        text.push_str(rest);
        assert_eq!(replacements.len(), effects.len());
        check(&text, &replacements, effects)
    }

    #[track_caller]
    fn accepted(marked: &str, effects: &[WordEffect]) {
        assert_eq!(result(marked, effects), Ok(()), "{marked}");
    }

    #[track_caller]
    fn rejected(marked: &str, effects: &[WordEffect], reason: &str) {
        let result = result(marked, effects);
        assert!(
            result.is_err_and(|it| it.contains(reason)),
            "{marked}: {result:?}"
        );
    }

    #[test]
    fn the_inside_of_a_word_may_change() {
        accepted("docker push $REPO:⟦latest→${BRANCH_NAME}⟧", &[Within]);
        accepted(
            "docker push \"$REPO:⟦latest→${BRANCH_NAME}⟧\" || true",
            &[Within],
        );
        accepted("docker push app⟦→:${BRANCH_NAME}⟧", &[Within]);
        accepted("docker push app⟦→:${BRANCH_NAME}⟧ && echo ok", &[Within]);
        accepted("TAG=⟦latest→${BRANCH_NAME}⟧", &[Within]);
        accepted("export TAG=⟦latest→${BRANCH_NAME}⟧ OTHER=1", &[Within]);
        accepted("TAG=${TAG:-⟦latest→${BRANCH_NAME}⟧}", &[Within]);
        accepted(
            "x=$(docker inspect app:⟦latest→${BRANCH_NAME}⟧ | wc -l)",
            &[Within],
        );
        accepted(
            "for t in ⟦latest→${BRANCH_NAME}⟧ v1; do docker push a:$t; done",
            &[Within],
        );
        accepted("echo app:⟦latest→${BRANCH_NAME}⟧ > out.txt", &[Within]);
        accepted(
            "cat <<E > x.json\n[{\"imageUri\":\"a:⟦latest→${BRANCH_NAME}⟧\"}]\nE\n",
            &[Within],
        );
        accepted(
            "docker build -t a:⟦latest→$B⟧ . && docker tag a:⟦latest→$B⟧ r/a:⟦latest→$B⟧",
            &[Within, Within, Within],
        );
    }

    #[test]
    fn a_comment_may_go_or_change_and_take_nothing_along() {
        use WordEffect::Comment;
        accepted("make\n⟦# a\n→⟧ls\n", &[Comment]);
        accepted("make⟦ # a→⟧\nls\n", &[Comment]);
        accepted("make ⟦# a→# b⟧\n# c\nls\n", &[Comment]);
        rejected("make⟦ # a\nls→⟧\n", &[Comment], "more than a comment");
        rejected("⟦make # a→⟧\n", &[Comment], "more than a comment");
        rejected("make ⟦# a→# b\nls⟧\n", &[Comment], "more than a comment");
        rejected("make ⟦x→⟧\n", &[Comment], "not one comment");
        rejected("cat <<E\n⟦# a\n→⟧E\n", &[Comment], "not one comment");
        rejected("echo '⟦# a→⟧'\n", &[Comment], "not one comment");
    }

    #[test]
    fn several_lines_and_comments_keep_their_places() {
        accepted(
            "set -e\n# push latest\ndocker push a:⟦latest→${BRANCH_NAME}⟧ # latest\necho 'latest'\n",
            &[Within],
        );
        accepted(
            "if [ -n \"$X\" ]; then\n  docker push \\\n    a:⟦latest→${BRANCH_NAME}⟧\nfi\n",
            &[Within],
        );
    }

    #[test]
    fn a_word_may_leave_its_quotes_inside_the_replaced_range() {
        accepted(
            "echo '{\"tag\":\"⟦latest→'\"${BRANCH_NAME}\"'⟧\"}'",
            &[Within],
        );
        accepted("docker push ⟦'a:latest'→\"a:${BRANCH_NAME}\"⟧", &[Within]);
    }

    #[test]
    fn words_that_appear_without_being_declared_are_noticed() {
        rejected("docker push a:⟦latest→x y⟧", &[Within], "a word");
        rejected("docker push a:⟦latest→x; rm -r .⟧", &[Within], "a word");
        rejected(
            "docker push a:⟦latest→$(git rev-parse HEAD)⟧",
            &[Within],
            "command",
        );
        rejected("docker push a:⟦latest→x # ⟧ b", &[Within], "a word");
        rejected("docker push a:⟦latest→x >y⟧", &[Within], "word");
    }

    #[test]
    fn quotes_that_run_out_of_the_replacement_are_noticed() {
        rejected("echo a:⟦latest→'x⟧ 'b c'", &[Within], "");
        rejected("echo \"a:⟦latest→\" \"x⟧\"", &[Within], "word");
        accepted("echo \"⟦a→x\"y\"z⟧ b\" \"c\"", &[Within]);
        rejected("echo \"⟦a→x\"y⟧ b\" \"c\"", &[Within], "");
    }

    #[test]
    fn a_variable_must_expand_where_it_is_put() {
        rejected(
            "echo 'a:⟦latest→${BRANCH_NAME}⟧'",
            &[Within],
            "not be expanded",
        );
        rejected(
            "cat <<'E'\na:⟦latest→${BRANCH_NAME}⟧\nE\n",
            &[Within],
            "not be expanded",
        );
        rejected("echo a:\\⟦latest→${BRANCH_NAME}⟧", &[Within], "");
        accepted("echo 'a:⟦latest→main⟧'", &[Within]);
        accepted("echo \"cost: ⟦latest→\\$5⟧\"", &[Within]);
    }

    #[test]
    fn a_script_in_single_quotes_is_a_text_of_its_own() {
        accepted("sh -c 'docker push a:⟦latest→${B}⟧'", &[Within]);
        accepted(
            "cd x && bash -ec 'copilot deploy⟦→ --tag \"$B\"⟧'; ls",
            &[Inserts(2)],
        );
        accepted("sh -c 'docker push a:⟦latest→'\"$B\"'⟧'", &[Within]);
        rejected("sh -c 'docker push a:⟦latest→$B c⟧'", &[Within], "word");
        rejected("sh -c 'docker push a:⟦latest→$B; ls⟧'", &[Within], "");
        rejected("sh -c 'echo \\⟦latest→$B⟧'", &[Within], "not be expanded");
        // On another machine the variable does not exist.
        rejected(
            "ssh host 'docker pull a:⟦latest→$B⟧'",
            &[Within],
            "not be expanded",
        );
    }

    #[test]
    fn only_words_may_be_changed_within() {
        rejected(
            "docker push a # ⟦latest→x⟧",
            &[Within],
            "not the inside of a word",
        );
        rejected(
            "docker push a⟦ && → || ⟧docker push b",
            &[Within],
            "not the inside of a word",
        );
    }

    #[test]
    fn whole_words_may_be_inserted() {
        accepted("copilot deploy⟦→ --tag \"${BRANCH_NAME}\"⟧", &[Inserts(2)]);
        accepted(
            "copilot deploy⟦→ --tag \"${BRANCH_NAME}\"⟧ --env test || exit 1",
            &[Inserts(2)],
        );
        accepted(
            "copilot svc deploy --tag ⟦latest→$B⟧⟦→ --force⟧\n",
            &[Within, Inserts(1)],
        );
        accepted("x=$(copilot deploy⟦→ --force⟧)", &[Inserts(1)]);
        accepted(
            "copilot deploy \\\n  --env x⟦→ \\\n  --force⟧\nls\n",
            &[Inserts(1)],
        );
        accepted(
            "for e in a b; do copilot deploy⟦→ --force⟧ -e $e; done; copilot deploy⟦→ --force⟧",
            &[Inserts(1), Inserts(1)],
        );
    }

    #[test]
    fn the_number_of_inserted_words_must_be_right() {
        rejected(
            "copilot deploy⟦→ --tag x⟧",
            &[Inserts(1)],
            "number of added words",
        );
        rejected(
            "copilot deploy⟦→--force⟧",
            &[Inserts(1)],
            "number of added words",
        );
        rejected(
            "copilot deploy⟦→ --tag ⟧$x",
            &[Inserts(2)],
            "number of added words",
        );
        rejected(
            "copilot deploy⟦→ a; b⟧",
            &[Inserts(2)],
            "number of added words",
        );
        rejected(
            "copilot deploy # ⟦→--force⟧",
            &[Inserts(1)],
            "number of added words",
        );
        rejected("copilot deploy⟦→ --force >log⟧", &[Inserts(1)], "word");
    }

    #[test]
    fn whole_commands_may_be_inserted() {
        accepted("⟦→BRANCH_NAME=x\n⟧docker push a:$BRANCH_NAME", &[Commands]);
        accepted(
            "cd app; ⟦→export B=\"$(git branch)\"; ⟧docker push a # why",
            &[Commands],
        );
        accepted("docker push a⟦→\ndocker push b⟧", &[Commands]);
        accepted(
            "⟦→B=x; # why\n⟧docker push a:⟦latest→$B⟧\n",
            &[Commands, Within],
        );
        accepted(
            "⟦$(aws ecr get-login --no-include-email)→aws ecr get-login-password | docker login --password-stdin⟧ && ls",
            &[Commands],
        );
    }

    #[test]
    fn inserted_commands_may_not_change_the_old_ones() {
        rejected("⟦→set -e && ⟧docker push a", &[Commands], "circumstances");
        rejected("⟦→B=x ⟧docker push a", &[Commands], "");
        rejected("docker push ⟦→a; docker push ⟧b", &[Commands], "");
        rejected(
            "⟦→# nothing\n⟧docker push b",
            &[Commands],
            "no command was added",
        );
        rejected("docker push ⟦a; docker push b→c⟧", &[Commands], "");
        rejected("docker push a⟦→\ncat <<E\n⟧\nls\nE\n", &[Commands], "");
    }

    #[test]
    fn words_may_go_if_their_number_is_right() {
        use WordEffect::Removes;
        accepted("docker build ⟦-t a:latest →⟧-t a:$T .", &[Removes(2)]);
        accepted("docker build -t a:$T⟦ -t a:latest→⟧", &[Removes(2)]);
        accepted(
            "docker build \\\n  ⟦-t a:latest \\\n  →⟧-t a:$T .\n",
            &[Removes(2)],
        );
        accepted(
            "for t in ⟦latest →⟧$T; do docker tag a a:$t; docker push a:$t; done",
            &[Removes(1)],
        );
        rejected(
            "docker build ⟦-t a:latest →⟧.",
            &[Removes(1)],
            "words that go",
        );
        rejected(
            "docker build ⟦-t a:latest →x ⟧.",
            &[Removes(2)],
            "words that go",
        );
        rejected("docker push ⟦a; docker push →⟧b", &[Removes(2)], "");
        rejected(
            "docker build ⟦-t a:lat→⟧est .",
            &[Removes(1)],
            "words that go",
        );
        rejected("docker push a⟦ >log→⟧", &[Removes(1)], "words that go");
    }

    #[test]
    fn whole_commands_may_go_with_what_joins_them() {
        use WordEffect::RemovesCommands as Removes;
        accepted("⟦docker push a:latest && →⟧docker push a:$T", &[Removes]);
        accepted("docker push a:$T⟦ && docker push a:latest→⟧", &[Removes]);
        accepted("docker push a:$T; ⟦docker push a:latest; →⟧ls", &[Removes]);
        accepted("a\n⟦docker push a:latest # x\n→⟧b\n", &[Removes]);
        accepted("a\n⟦docker push a:latest || exit 1\n→⟧b\n", &[Removes]);
        accepted(
            "if x; then\n  ⟦docker push a:latest\n  →⟧docker push a:$T\nfi\n",
            &[Removes],
        );
        rejected("docker push a ⟦|| docker push b→⟧", &[Removes], "more than");
        rejected("⟦docker push a || →⟧docker push b", &[Removes], "more than");
        rejected("if x; ⟦then docker push a; →⟧fi", &[Removes], "");
        rejected(
            "if x; then ⟦docker push a; →⟧fi",
            &[Removes],
            "cannot be read",
        );
        rejected(
            "docker push a⟦ && →⟧docker push b",
            &[Removes],
            "no command",
        );
        rejected(
            "x || ⟦docker push a && →⟧docker push b",
            &[Removes],
            "circumstances",
        );
        rejected(
            "! ⟦docker push a && →⟧docker push b",
            &[Removes],
            "circumstances",
        );
        rejected("⟦docker push a →⟧x", &[Removes], "");
        rejected("⟦cat x | →⟧docker load", &[Removes], "more than");
    }

    #[test]
    fn text_that_is_not_surely_shell_is_left_alone() {
        rejected("echo \"a:⟦latest→x⟧", &[Within], "certainty");
        rejected("docker push a:⟦latest→\"x⟧", &[Within], "cannot be read");
        accepted("echo \"a:⟦latest→\"x⟧", &[NotShell]);
        rejected("echo ⟦a→b⟧ ⟦c→d⟧", &[Within, NotShell], "something else");
    }
}

//! shuck-parser's tree to a [`Script`].
//!
//! The tree gives the structure: which simple commands there are, in what context, and where their words
//! begin and end. The words' insides are read by `words`. The commands of a substitution are read by a
//! parse of their own, after the tree that holds them has been dropped, so that the stack never holds
//! more than one parse.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use shuck_ast as ast;
use shuck_parser::parser::Parser;
use shuck_parser::{ShellDialect, ShellProfile};
use smallvec::smallvec;

use super::repair;
use super::words::{Frame, Nested, Splitter, Style, closing};
use super::{
    Assignment, Command, Context, HereDocument, Loop, Part, PartKind, Parts, Quoting, Redirect,
    RedirectKind, Script, Status, Word,
};
use crate::{SmolStr, Span};

/// Deeper nesting of brackets is not read: what a level costs on the stack depends on the bracket and the
/// build, and the parser's own guard does not see every kind.
const MAX_BRACKETS: u32 = 48;

/// Most occurrences of `time` or `coproc` in a text.
const MAX_PREFIXES: usize = 200;

/// Longer texts are not read: no command of a build is half a megabyte, and the work per byte is not
/// constant for every text.
pub(super) const MAX_LENGTH: usize = 512 * 1024;

/// Depth of the parser's tree. Scripts nest ten levels; the parser's own limit of 100 costs over a
/// megabyte of stack in an unoptimised build.
const MAX_TREE_DEPTH: usize = 40;

/// Depth of `$( … )` in `$( … )`.
const MAX_SUBSTITUTIONS: u32 = 16;

pub(super) fn parse(text: &str) -> Script {
    let unreadable = Script {
        commands: Vec::new(),
        status: Status::Unreadable,
        comments: Vec::new(),
    };
    if is_beyond_limits(text) || text.contains('\0') {
        return unreadable;
    }
    let reading = read(text);
    if reading.clean {
        return Script {
            commands: reading.commands,
            status: Status::Clean,
            comments: reading.comments,
        };
    }
    if reading.exhausted {
        return unreadable;
    }
    let reading = repair::reread(text, reading);
    if reading.commands.is_empty() {
        return unreadable;
    }
    Script {
        commands: reading.commands,
        status: Status::Repaired,
        comments: reading.comments,
    }
}

pub(super) fn is_beyond_limits(text: &str) -> bool {
    text.len() > MAX_LENGTH || too_deep(text)
}

/// Whether the brackets of `text`, counted without regard to quotes, nest too deeply.
fn too_deep(text: &str) -> bool {
    let mut depth = 0u32;
    // Most texts have fewer of them than may be nested.
    let opening = memchr::memchr3_iter(b'(', b'{', b'[', text.as_bytes());
    let few = opening.take(MAX_BRACKETS as usize + 1).count() <= MAX_BRACKETS as usize;
    let counted = if few { "" } else { text };
    for byte in counted.bytes() {
        match byte {
            b'(' | b'{' | b'[' => {
                depth += 1;
                if depth > MAX_BRACKETS {
                    return true;
                }
            }
            b')' | b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    // `time time time …`: the parser calls itself for each, unguarded.
    if text.len() < MAX_PREFIXES * "time".len() {
        return false;
    }
    [&b"time"[..], b"coproc"].iter().any(|prefix| {
        memchr::memmem::find_iter(text.as_bytes(), prefix)
            .nth(MAX_PREFIXES)
            .is_some()
    })
}

/// What came out of one parse.
pub(super) struct Reading {
    pub(super) commands: Vec<Command>,
    pub(super) comments: Vec<Span>,
    /// Nothing was recovered from, and every word ends where the parser said.
    pub(super) clean: bool,
    /// The parser stopped at one of its limits.
    pub(super) exhausted: bool,
}

/// Parses the whole of `text`.
pub(super) fn read(text: &str) -> Reading {
    let context = Context {
        pipe_length: 1,
        ..Context::default()
    };
    read_range(text, Span::new(0, text.len()), &context, 0)
}

/// Parses `range` of `text`; spans count from the start of `text`.
fn read_range(text: &str, range: Span, context: &Context, depth: u32) -> Reading {
    let source = range.of(text);
    let masked = mask(source);
    let mut walk = Walk {
        text,
        masked: &masked,
        base: range.start as usize,
        limit: range.end as usize,
        splitter: Splitter::new(text, range.end as usize),
        commands: Vec::new(),
        comments: Vec::new(),
        pending: Vec::new(),
    };
    let (clean, exhausted) = {
        let profile = ShellProfile::native(ShellDialect::Bash);
        let fuel = masked.len().max(10_000);
        let parse =
            || Parser::with_limits_and_profile(&masked, MAX_TREE_DEPTH, fuel, profile).parse();
        // A panic of the parser makes this text unreadable, not the program.
        match catch_unwind(AssertUnwindSafe(parse)) {
            Ok(result) => {
                walk.sequence(&result.file.body, context);
                let exhausted = result.diagnostics.iter().any(|d| is_limit(&d.message));
                (result.is_ok(), exhausted)
            }
            Err(_) => (false, true),
        }
    };
    let mut reading = Reading {
        clean: clean && !walk.splitter.fault,
        exhausted,
        comments: walk.comments,
        commands: Vec::new(),
    };
    if walk.pending.is_empty() {
        reading.commands = walk.commands;
    } else {
        let mut commands = walk.commands.into_iter();
        let mut taken = 0;
        for pending in walk.pending {
            reading
                .commands
                .extend(commands.by_ref().take(pending.before - taken));
            taken = pending.before;
            reading.nested(text, &pending, depth);
        }
        reading.commands.extend(commands);
    }
    if depth == 0 {
        reading.comments.sort_unstable();
        reading.comments.dedup();
    }
    reading
}

/// The text for the parser: each byte of a character beyond ASCII becomes `%`, which like it is an ordinary
/// character of words and none of names. The parser slices by offsets that are wrong after an escape, and
/// panics where such an offset lies inside a character. Only places are taken from its tree, and they are the
/// same in both texts.
fn mask(source: &str) -> Cow<'_, str> {
    if source.is_ascii() {
        return Cow::Borrowed(source);
    }
    let byte = |byte: u8| {
        if byte.is_ascii() {
            char::from(byte)
        } else {
            '%'
        }
    };
    Cow::Owned(source.bytes().map(byte).collect())
}

/// Whether a diagnostic of the parser reports a limit; it has no code for that.
fn is_limit(message: &str) -> bool {
    message.contains("too deep") || message.contains("exhausted") || message.contains("too large")
}

/// A substitution to be read once the tree is gone.
struct Pending {
    /// Number of commands that come before its own.
    before: usize,
    nested: Nested,
    context: Context,
}

impl Reading {
    /// Appends the commands of a substitution.
    fn nested(&mut self, text: &str, pending: &Pending, depth: u32) {
        if depth >= MAX_SUBSTITUTIONS {
            self.clean = false;
            return;
        }
        let Nested {
            body,
            backtick,
            quoted,
        } = pending.nested;
        let mut inner = if backtick && body.of(text).contains('\\') {
            read_backticks(text, body, quoted, &pending.context, depth + 1)
        } else {
            read_range(text, body, &pending.context, depth + 1)
        };
        self.commands.append(&mut inner.commands);
        self.comments.append(&mut inner.comments);
        self.clean &= inner.clean;
        self.exhausted |= inner.exhausted;
    }
}

/// Reads commands between backticks that hold backslashes: the shell drops some of them before it reads
/// the commands, so they are read from a copy and led back afterwards.
fn read_backticks(text: &str, body: Span, quoted: bool, context: &Context, depth: u32) -> Reading {
    let source = body.of(text);
    let mut copy = String::with_capacity(source.len());
    // For each byte of the copy (and its end) the byte of the text.
    let mut places = Vec::with_capacity(source.len() + 1);
    let mut chars = source.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        if char == '\\'
            && let Some(&(_, next)) = chars.peek()
            && (matches!(next, '`' | '$' | '\\') || (quoted && next == '"'))
        {
            chars.next();
            places.extend(std::iter::repeat_n(body.start + at as u32, next.len_utf8()));
            copy.push(next);
            continue;
        }
        places.extend((0..char.len_utf8() as u32).map(|byte| body.start + at as u32 + byte));
        copy.push(char);
    }
    places.push(body.end);
    let mut reading = read_range(&copy, Span::new(0, copy.len()), context, depth);
    let place = |span: &mut Span| {
        let at = |offset: u32| places.get(offset as usize).copied().unwrap_or(body.end);
        *span = Span {
            start: at(span.start),
            end: at(span.end).max(at(span.start)),
        };
    };
    for command in &mut reading.commands {
        move_command(command, context.loops.len(), &place);
    }
    reading.comments.iter_mut().for_each(place);
    reading
}

/// Applies `place` to every span of `command`, but for those of its `outer` outermost loops, which stand
/// elsewhere.
pub(super) fn move_command(command: &mut Command, outer: usize, place: &dyn Fn(&mut Span)) {
    place(&mut command.span);
    for assignment in &mut command.assignments {
        place(&mut assignment.span);
        assignment
            .value
            .iter_mut()
            .for_each(|word| move_word(word, place));
    }
    command
        .words
        .iter_mut()
        .for_each(|word| move_word(word, place));
    for redirect in &mut command.redirects {
        redirect
            .target
            .iter_mut()
            .for_each(|word| move_word(word, place));
        if let Some(document) = &mut redirect.here_document {
            place(&mut document.body);
            move_parts(&mut document.parts, place);
        }
    }
    for level in command.context.loops.iter_mut().skip(outer) {
        level
            .words
            .iter_mut()
            .for_each(|word| move_word(word, place));
    }
}

fn move_word(word: &mut Word, place: &dyn Fn(&mut Span)) {
    place(&mut word.span);
    move_parts(&mut word.parts, place);
}

fn move_parts(parts: &mut [Part], place: &dyn Fn(&mut Span)) {
    for part in parts {
        place(&mut part.span);
        if let PartKind::Variable(variable) = &mut part.kind
            && let Some(operand) = variable.operator.as_mut().and_then(|o| o.operand.as_mut())
        {
            move_word(operand, place);
        }
    }
}

/// A walk over one tree.
struct Walk<'t> {
    text: &'t str,
    /// The parsed range as the parser saw it.
    masked: &'t str,
    /// Where the parsed range starts in `text`.
    base: usize,
    /// Where it ends.
    limit: usize,
    splitter: Splitter<'t>,
    commands: Vec<Command>,
    comments: Vec<Span>,
    pending: Vec<Pending>,
}

impl Walk<'_> {
    fn span(&self, span: ast::Span) -> Span {
        Span::new(
            (self.base + span.start.offset()).min(self.limit),
            (self.base + span.end.offset()).min(self.limit),
        )
    }

    fn comment(&mut self, comment: &ast::Comment) {
        let start = self.base + usize::from(comment.range.start());
        let end = self.base + usize::from(comment.range.end());
        if self.text.as_bytes().get(start) == Some(&b'#') && end <= self.limit {
            self.comments.push(Span::new(start, end));
        }
    }

    /// Queues the substitutions met since the last call; they run in `context`.
    fn queue(&mut self, context: &Context) {
        if self.splitter.nested.is_empty() {
            return;
        }
        let inner = Context {
            subshell: true,
            substitution: context.substitution + 1,
            pipe_index: 0,
            pipe_length: 1,
            ..context.clone()
        };
        let before = self.commands.len();
        for nested in self.splitter.nested.drain(..) {
            self.pending.push(Pending {
                before,
                nested,
                context: inner.clone(),
            });
        }
    }

    fn word(&mut self, span: ast::Span, style: Style) -> Word {
        let span = self.span(span);
        self.splitter
            .word(span.start as usize, span.end as usize, style)
    }

    fn sequence(&mut self, sequence: &ast::StmtSeq, context: &Context) {
        for comment in sequence
            .leading_comments
            .iter()
            .chain(&sequence.trailing_comments)
        {
            self.comment(comment);
        }
        for statement in sequence.iter() {
            self.statement(statement, context);
        }
        for pair in sequence.as_slice().windows(2) {
            // `a (b)`: the parser sees two commands where the shell sees a mistake.
            let end = self.span(pair[0].span).end as usize;
            let next = self.span(pair[1].span).start as usize;
            let between = self.text.as_bytes().get(end.saturating_sub(1)..next);
            let separated =
                between.is_none_or(|b| b.iter().any(|b| matches!(b, b';' | b'&' | b'\n')));
            if pair[0].terminator.is_none() && !separated {
                self.splitter.fault = true;
            }
        }
    }

    fn statement(&mut self, statement: &ast::Stmt, context: &Context) {
        for comment in statement
            .leading_comments
            .iter()
            .chain(&statement.inline_comment)
        {
            self.comment(comment);
        }
        let background = matches!(
            statement.terminator,
            Some(ast::StmtTerminator::Background(_))
        );
        if statement.negated || background {
            let context = Context {
                tolerated: context.tolerated || statement.negated,
                subshell: context.subshell || background,
                ..context.clone()
            };
            self.command(&statement.command, &statement.redirects, &context);
        } else {
            self.command(&statement.command, &statement.redirects, context);
        }
    }

    fn command(&mut self, command: &ast::Command, redirects: &[ast::Redirect], context: &Context) {
        match command {
            ast::Command::Simple(simple) => {
                let words = std::iter::once(&simple.name).chain(&simple.args);
                let mut built = self.start(&simple.assignments, context);
                for word in words {
                    if word.span.start.offset() < word.span.end.offset() {
                        let word = self.word(word.span, Style::Word);
                        built.words.push(word);
                    }
                }
                self.finish(built, redirects);
            }
            ast::Command::Builtin(builtin) => self.builtin(builtin, redirects, context),
            ast::Command::Decl(declaration) => self.declaration(declaration, redirects, context),
            ast::Command::Binary(binary) => self.binary(binary, context),
            ast::Command::Compound(compound) => {
                let to_file = self.compound_redirects(redirects, context);
                let piped = context.pipe_index + 1 < context.pipe_length;
                let context = Context {
                    diverted: context.diverted || to_file || piped,
                    ..context.clone()
                };
                self.compound(compound, &context);
            }
            ast::Command::Function(function) => {
                self.compound_redirects(redirects, context);
                let name = function
                    .static_names()
                    .next()
                    .map(|name| name.as_str().into());
                let context = Context {
                    function: name,
                    ..alone(context)
                };
                self.statement(&function.body, &context);
            }
            ast::Command::AnonymousFunction(function) => {
                self.compound_redirects(redirects, context);
                self.statement(&function.body, &alone(context));
            }
        }
    }

    fn start(&mut self, assignments: &[ast::Assignment], context: &Context) -> Command {
        let assignments = assignments
            .iter()
            .map(|assignment| self.assignment(assignment, false))
            .collect();
        Command {
            span: Span::default(),
            assignments,
            words: Vec::new(),
            redirects: Vec::new(),
            context: context.clone(),
        }
    }

    /// Adds the redirections and the command itself.
    fn finish(&mut self, mut command: Command, redirects: &[ast::Redirect]) {
        command.redirects = redirects
            .iter()
            .map(|redirect| self.redirect(redirect))
            .collect();
        self.queue(&command.context);
        let words = command.words.iter().map(|word| word.span);
        let spans = words.chain(command.assignments.iter().map(|assignment| assignment.span));
        if let Some(span) = spans.reduce(Span::cover) {
            command.span = span;
        } else {
            match redirects.first() {
                Some(redirect) => {
                    command.span = Span::empty(self.span(redirect.span).start as usize)
                }
                None => return,
            }
        }
        self.commands.push(command);
    }

    fn assignment(&mut self, assignment: &ast::Assignment, exported: bool) -> Assignment {
        let mut span = self.span(assignment.span);
        let value = match &assignment.value {
            ast::AssignmentValue::Scalar(word) => {
                let value = self.word(word.span, Style::Word);
                span.end = span.end.min(value.span.end.max(span.start));
                Some(value)
            }
            ast::AssignmentValue::Compound(array) => {
                self.loose(array.span);
                None
            }
        };
        Assignment {
            name: assignment.target.name.as_str().into(),
            span,
            // An element of an array is not the variable that others read by its name.
            value: value.filter(|_| assignment.target.subscript.is_none()),
            append: assignment.append,
            exported,
        }
    }

    /// Collects the substitutions of a range whose words nobody needs.
    fn loose(&mut self, span: ast::Span) {
        let span = self.span(span);
        let mut unused = Parts::new();
        let (start, end) = (span.start as usize, span.end as usize);
        self.splitter
            .split(start, end, Style::Loose, Quoting::None, 0, &mut unused);
    }

    fn declaration(
        &mut self,
        declaration: &ast::DeclClause,
        redirects: &[ast::Redirect],
        context: &Context,
    ) {
        let mut command = self.start(&declaration.assignments, context);
        let program = self.word(declaration.variant_span, Style::Word);
        command.words.push(program);
        let mut exported = declaration.variant.as_str() == "export";
        for operand in &declaration.operands {
            match operand {
                ast::DeclOperand::Flag(word) => {
                    let word = self.word(word.span, Style::Word);
                    exported |= word
                        .literal()
                        .is_some_and(|flag| flag.starts_with('-') && flag.contains('x'));
                    command.words.push(word);
                }
                ast::DeclOperand::Name(name) => {
                    let word = self.word(name.span, Style::Word);
                    command.words.push(word);
                }
                ast::DeclOperand::Assignment(assignment) => {
                    let assignment = self.assignment(assignment, exported);
                    command.assignments.push(assignment);
                }
                ast::DeclOperand::Dynamic(word) => {
                    let word = self.word(word.span, Style::Word);
                    match quoted_assignment(word, self.text, exported) {
                        Ok(assignment) => command.assignments.push(assignment),
                        Err(word) => command.words.push(word),
                    }
                }
            }
        }
        self.finish(command, redirects);
    }

    fn builtin(
        &mut self,
        builtin: &ast::BuiltinCommand,
        redirects: &[ast::Redirect],
        context: &Context,
    ) {
        let (name, argument, more, assignments, span) = match builtin {
            ast::BuiltinCommand::Break(c) => {
                ("break", &c.depth, &c.extra_args, &c.assignments, c.span)
            }
            ast::BuiltinCommand::Continue(c) => {
                ("continue", &c.depth, &c.extra_args, &c.assignments, c.span)
            }
            ast::BuiltinCommand::Return(c) => {
                ("return", &c.code, &c.extra_args, &c.assignments, c.span)
            }
            ast::BuiltinCommand::Exit(c) => {
                ("exit", &c.code, &c.extra_args, &c.assignments, c.span)
            }
        };
        let mut command = self.start(assignments, context);
        let after = command.assignments.last().map(|a| a.span.end as usize);
        let from = after.unwrap_or(self.span(span).start as usize);
        // The tree does not keep the name's place.
        let start = self.text.get(from..).and_then(|rest| {
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\\', '\n']).len();
            rest.get(blanks..)?
                .starts_with(name)
                .then_some(from + blanks)
        });
        match start {
            Some(start) => {
                let word = self.splitter.word(start, start + name.len(), Style::Word);
                command.words.push(word);
            }
            None => self.splitter.fault = true,
        }
        for word in argument.iter().chain(more) {
            let word = self.word(word.span, Style::Word);
            command.words.push(word);
        }
        self.finish(command, redirects);
    }

    fn redirect(&mut self, redirect: &ast::Redirect) -> Redirect {
        use ast::RedirectKind as Kind;
        let kind = match redirect.kind {
            Kind::Output | Kind::Clobber | Kind::Append | Kind::OutputBoth => RedirectKind::Output,
            Kind::Input | Kind::ReadWrite => RedirectKind::Input,
            Kind::HereDoc | Kind::HereDocStrip => RedirectKind::HereDocument,
            Kind::HereString => RedirectKind::HereString,
            Kind::DupOutput | Kind::DupInput => RedirectKind::Duplicate,
        };
        let (target, here_document) = match &redirect.target {
            ast::RedirectTarget::Word(word) if word.span.start == word.span.end => {
                // The `1` of `2>&1` has no place in the tree.
                let span = self.span(redirect.span);
                let digits = span
                    .of(self.text)
                    .rsplit(['&', ' ', '\t'])
                    .next()
                    .unwrap_or("");
                let (start, end) = (span.end as usize - digits.len(), span.end as usize);
                (Some(self.splitter.word(start, end, Style::Word)), None)
            }
            ast::RedirectTarget::Word(word) => (Some(self.word(word.span, Style::Word)), None),
            ast::RedirectTarget::Heredoc(document) => (None, Some(self.here_document(document))),
        };
        Redirect {
            kind,
            append: matches!(redirect.kind, Kind::Append),
            target,
            here_document,
        }
    }

    fn here_document(&mut self, document: &ast::Heredoc) -> HereDocument {
        let body = self.span(document.body.span);
        let delimiter = &document.delimiter;
        // The body must stand between a line end and its delimiter; else its place is not trusted.
        let inside = (body.end as usize).saturating_sub(self.base);
        let after = self.masked.get(inside..).unwrap_or("");
        let after = if delimiter.strip_tabs {
            after.trim_start_matches('\t')
        } else {
            after
        };
        let closed = after.strip_prefix(delimiter.cooked.as_str());
        let before = self.text.as_bytes()[..body.start as usize].last();
        if !closed.is_some_and(|rest| rest.is_empty() || rest.starts_with(['\n', '\r', ')', '`']))
            || !matches!(before, Some(b'\n'))
        {
            self.splitter.fault = true;
        }
        let mut parts = Parts::new();
        if delimiter.expands_body {
            let style = Style::HereDocument {
                strip_tabs: delimiter.strip_tabs,
            };
            let (start, end) = (body.start as usize, body.end as usize);
            self.splitter
                .split(start, end, style, Quoting::Double, 0, &mut parts);
        } else if !body.is_empty() {
            parts.push(Part {
                span: body,
                quoting: Quoting::Single,
                kind: PartKind::Literal(body.of(self.text).into()),
            });
        }
        HereDocument {
            body,
            expands: delimiter.expands_body,
            parts,
        }
    }

    /// Only the substitutions: a compound command has no place for its redirections.
    /// Reads the redirections of a compound command. Whether one of them sends its output to a file.
    fn compound_redirects(&mut self, redirects: &[ast::Redirect], context: &Context) -> bool {
        let mut to_file = false;
        for redirect in redirects {
            to_file |= self.redirect(redirect).goes_to_file();
        }
        self.queue(context);
        to_file
    }

    /// `a && b || c`, `a | b`: the tree leans to the left, as deep as the line is long.
    fn binary(&mut self, binary: &ast::BinaryCommand, context: &Context) {
        let pipe = |op: ast::BinaryOp| matches!(op, ast::BinaryOp::Pipe | ast::BinaryOp::PipeAll);
        let mut operands = vec![(Some(binary.op), &*binary.right)];
        let mut left = &*binary.left;
        loop {
            match &left.command {
                ast::Command::Binary(inner)
                    if !left.negated
                        && left.redirects.is_empty()
                        && pipe(inner.op) == pipe(binary.op) =>
                {
                    operands.push((Some(inner.op), &*inner.right));
                    left = &inner.left;
                }
                _ => break,
            }
        }
        operands.push((None, left));
        operands.reverse();
        if pipe(binary.op) {
            let length = u32::try_from(operands.len()).unwrap_or(u32::MAX);
            for (index, (_, statement)) in (0..length).zip(operands) {
                let context = Context {
                    subshell: true,
                    pipe_index: index,
                    pipe_length: length,
                    ..context.clone()
                };
                self.statement(statement, &context);
            }
            return;
        }
        let or = Some(ast::BinaryOp::Or);
        // The last `||`: what stands before it is caught.
        let last_or = operands.iter().rposition(|(op, _)| *op == or).unwrap_or(0);
        let mut asked = Asked::Nothing;
        for (index, (op, statement)) in operands.into_iter().enumerate() {
            let wanted = if op == or {
                Asked::Others
            } else {
                Asked::Branch
            };
            let context = Context {
                conditional: context.conditional || index > 0,
                one_branch: context.one_branch || index > 0 && asked == wanted,
                after_failure: context.after_failure || op == or,
                tolerated: context.tolerated || index < last_or,
                ..context.clone()
            };
            let before = self.commands.len();
            self.statement(statement, &context);
            asked = match Asked::by(&self.commands[before..]) {
                Asked::Nothing => asked,
                some => some,
            };
        }
    }

    fn compound(&mut self, compound: &ast::CompoundCommand, outer: &Context) {
        use ast::CompoundCommand as Compound;
        let context = &alone(outer);
        match compound {
            Compound::If(command) => {
                let branch = conditional(context);
                let first = self.condition(&command.condition, &tolerated(context, false));
                self.sequence(&command.then_branch, &only(&branch, first == Asked::Branch));
                for (condition, body) in &command.elif_branches {
                    let asked = self.condition(condition, &tolerated(context, true));
                    self.sequence(body, &only(&branch, asked == Asked::Branch));
                }
                if let Some(body) = &command.else_branch {
                    self.sequence(body, &only(&branch, first == Asked::Others));
                }
            }
            Compound::For(command) => {
                let words = command.words.iter().flatten();
                let words = words
                    .map(|word| self.word(word.span, Style::Word))
                    .collect();
                self.queue(context);
                let variable = command
                    .targets
                    .first()
                    .and_then(|target| target.name.as_ref());
                let body = in_loop(context, variable, words);
                self.sequence(&command.body, &body);
            }
            Compound::Foreach(command) => {
                let words = command.words.iter();
                let words = words
                    .map(|word| self.word(word.span, Style::Word))
                    .collect();
                self.queue(context);
                let body = in_loop(context, Some(&command.variable), words);
                self.sequence(&command.body, &body);
            }
            Compound::Select(command) => {
                let words = command.words.iter();
                let words = words
                    .map(|word| self.word(word.span, Style::Word))
                    .collect();
                self.queue(context);
                let body = in_loop(context, Some(&command.variable), words);
                self.sequence(&command.body, &body);
            }
            Compound::Repeat(command) => {
                self.sequence(&command.body, &in_loop(context, None, Vec::new()));
            }
            Compound::ArithmeticFor(command) => {
                self.sequence(&command.body, &in_loop(context, None, Vec::new()));
            }
            Compound::While(command) => {
                self.sequence(&command.condition, &tolerated(context, false));
                self.sequence(&command.body, &in_loop(context, None, Vec::new()));
            }
            Compound::Until(command) => {
                self.sequence(&command.condition, &tolerated(context, false));
                self.sequence(&command.body, &in_loop(context, None, Vec::new()));
            }
            Compound::Case(command) => {
                let word = self.word(command.word.span, Style::Word);
                self.queue(context);
                let branch = conditional(context);
                let asks = holds_branch(&word);
                for case in &command.cases {
                    let named = case.patterns.iter().all(|pattern| {
                        let text = self.span(pattern.span).of(self.text);
                        !matches!(text.trim_matches(['"', '\'']), "" | "*")
                    });
                    self.sequence(&case.body, &only(&branch, asks && named));
                }
            }
            Compound::Subshell(body) => {
                let context = Context {
                    subshell: true,
                    ..context.clone()
                };
                self.sequence(body, &context);
            }
            Compound::BraceGroup(body) => self.sequence(body, context),
            Compound::Arithmetic(command) => {
                let mut built = self.start(&[], outer);
                let open = self.span(command.left_paren_span);
                let start = open.start as usize;
                if let Some(close) = closing(self.text.as_bytes(), start + 1, Frame::PAREN) {
                    self.splitter
                        .arithmetic(start + 2, close.max(start + 3) - 1, 0);
                }
                built.words.push(keyword("((", open));
                self.finish(built, &[]);
            }
            Compound::Time(command) => {
                if let Some(statement) = &command.command {
                    self.statement(statement, outer);
                }
            }
            Compound::Conditional(command) => {
                let mut built = self.start(&[], outer);
                built
                    .words
                    .push(keyword("[[", self.span(command.left_bracket_span)));
                self.conditional(&command.expression, &mut built.words);
                built
                    .words
                    .push(keyword("]]", self.span(command.right_bracket_span)));
                self.finish(built, &[]);
            }
            Compound::Coproc(command) => {
                let context = Context {
                    subshell: true,
                    ..context.clone()
                };
                self.statement(&command.body, &context);
            }
            Compound::Always(command) => {
                self.sequence(&command.body, context);
                self.sequence(&command.always_body, context);
            }
        }
    }

    /// Reads the condition of an `if`, and says which branches fulfil it.
    fn condition(&mut self, condition: &ast::StmtSeq, context: &Context) -> Asked {
        let before = self.commands.len();
        self.sequence(condition, context);
        let negated = condition.iter().any(|statement| statement.negated);
        match Asked::by(&self.commands[before..]) {
            Asked::Branch if negated => Asked::Others,
            Asked::Others if negated => Asked::Branch,
            asked => asked,
        }
    }

    /// The words of `[[ … ]]`, operators included, from left to right.
    fn conditional(&mut self, expression: &ast::ConditionalExpr, words: &mut Vec<Word>) {
        use ast::ConditionalExpr as Expression;
        match expression {
            Expression::Binary(binary) => {
                self.conditional(&binary.left, words);
                words.push(keyword(binary.op.as_str(), self.span(binary.op_span)));
                self.conditional(&binary.right, words);
            }
            Expression::Unary(unary) => {
                words.push(keyword(unary.op.as_str(), self.span(unary.op_span)));
                self.conditional(&unary.expr, words);
            }
            Expression::Parenthesized(inner) => {
                words.push(keyword("(", self.span(inner.left_paren_span)));
                self.conditional(&inner.expr, words);
                words.push(keyword(")", self.span(inner.right_paren_span)));
            }
            Expression::Word(word) | Expression::Regex(word) => {
                let word = self.word(word.span, Style::Loose);
                words.push(word);
            }
            Expression::Pattern(pattern) => {
                let word = self.word(pattern.span, Style::Loose);
                words.push(word);
            }
            Expression::VarRef(reference) => {
                let word = self.word(reference.span, Style::Loose);
                words.push(word);
            }
        }
    }
}

/// A word that is a keyword or operator of the shell's grammar.
fn keyword(text: &str, span: Span) -> Word {
    Word {
        span,
        parts: smallvec![Part {
            span,
            quoting: Quoting::None,
            kind: PartKind::Literal(text.into()),
        }],
    }
}

/// The context of commands inside a compound command: pipelines start anew there.
fn alone(context: &Context) -> Context {
    Context {
        pipe_index: 0,
        pipe_length: 1,
        ..context.clone()
    }
}

fn conditional(context: &Context) -> Context {
    Context {
        conditional: true,
        ..context.clone()
    }
}

fn only(context: &Context, one_branch: bool) -> Context {
    Context {
        one_branch: context.one_branch || one_branch,
        ..context.clone()
    }
}

/// What a condition asks of the branch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Nothing.
    Nothing,
    /// To be one that it names.
    Branch,
    /// To be none of those that it names.
    Others,
}

impl Asked {
    /// Comparisons with a text only: whether a branch is known at all is another question.
    fn by(commands: &[Command]) -> Self {
        let mut asked = Asked::Nothing;
        for command in commands {
            let compares = command
                .words
                .first()
                .is_some_and(|it| ["[", "[[", "test"].iter().any(|name| it.is(name)));
            let words = &command.words;
            let empty = words.iter().any(|word| word.parts.is_empty());
            if !compares || empty || !words.iter().any(holds_branch) {
                continue;
            }
            let has =
                |operators: &[&str]| words.iter().any(|it| operators.iter().any(|o| it.is(o)));
            if has(&["=", "==", "=~"]) {
                return Asked::Branch;
            }
            if has(&["!="]) {
                asked = Asked::Others;
            }
        }
        asked
    }
}

/// Whether the word is made of a variable that, by its name, holds a branch or the reference of one.
fn holds_branch(word: &Word) -> bool {
    word.parts.iter().any(|part| {
        let PartKind::Variable(variable) = &part.kind else {
            return false;
        };
        let name = variable.name.to_ascii_uppercase();
        name.contains("BRANCH") || name.ends_with("REF") || name == "CODEBUILD_WEBHOOK_TRIGGER"
    })
}

fn tolerated(context: &Context, also_conditional: bool) -> Context {
    Context {
        tolerated: true,
        conditional: context.conditional || also_conditional,
        ..context.clone()
    }
}

fn in_loop(context: &Context, variable: Option<&ast::Name>, words: Vec<Word>) -> Context {
    let mut body = conditional(context);
    body.loops.push(Loop {
        variable: variable.map(|name| name.as_str().into()),
        words,
    });
    body
}

/// `export "NAME=value"`: an assignment all the same. Gives the word back if it is none.
fn quoted_assignment(word: Word, text: &str, exported: bool) -> Result<Assignment, Word> {
    let Some(Part {
        span,
        quoting,
        kind: PartKind::Literal(_),
    }) = word.parts.first()
    else {
        return Err(word);
    };
    let (span, quoting) = (*span, *quoting);
    let whole = word.span;
    let source = span.of(text);
    let Some((name, _)) = source.split_once('=') else {
        return Err(word);
    };
    let (name, append) = match name.strip_suffix('+') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let first = name.bytes().next();
    if !first.is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        return Err(word);
    }
    let name: SmolStr = name.into();
    let cut = name.len() + usize::from(append) + 1;
    let mut start = span.start as usize + cut;
    let mut parts = word.parts;
    if start == span.end as usize && parts.len() > 1 {
        parts.remove(0);
        start += usize::from(quoting != Quoting::None && quoting != parts[0].quoting);
    } else if let PartKind::Literal(value) = &mut parts[0].kind {
        // The name holds no escape, so the value starts after as many bytes as the source.
        *value = value.get(cut..).unwrap_or("").into();
        parts[0].span = Span::new(start, span.end as usize);
    }
    // With the closing quote of a last part that opened on its own.
    let end = match parts.as_slice() {
        [.., first, last] if first.quoting != last.quoting => whole.end as usize,
        _ => parts.last().map_or(start, |part| part.span.end as usize),
    };
    Ok(Assignment {
        name,
        span: Span::new(span.start as usize, end),
        value: Some(Word {
            span: Span::new(start, end),
            parts,
        }),
        append,
        exported,
    })
}

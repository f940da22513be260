//! What the commands of a buildspec do with the branch variable, asked before a fix relies on it.
//!
//! A variable counts as set only where it is set in every build: not for one command (`A=1 make`), not in a
//! subshell, not in a function that nobody calls, not from a Git that has checked out a commit. And it is
//! redefined only where everything that reads it afterwards wants an image tag: `git checkout $BRANCH_NAME`
//! needs the branch as it is called.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use tagwright_flow::Workspace;
use tagwright_flow::expression::plain_name;
use tagwright_flow::facts::{AssignmentFact, AssignmentPlace, FileFacts, Order};
use tagwright_flow::habits::ItemScript;
use tagwright_flow::tools::{Tool, tool};
use tagwright_syntax::shell::{self, Assignment, Command, PartKind, Word};
use tagwright_syntax::{SmolStr, SourceMap, Span};

use crate::shell_text::unquoted;
use crate::{Refusal, RefusalCode};

/// How a variable has its value before a command runs.
pub(crate) enum Value {
    /// It has none, or none that the derivation would take.
    None,
    /// Commands set it; the last one before the command.
    Set(Order),
    /// Commands set it, but not in every build, or not to the branch; the last one before the command.
    Unsure(Order),
}

/// What gives `variable` its value before `order`.
///
/// # Errors
/// A fix cannot rely on it and cannot define it either; the reason.
pub(crate) fn value(
    workspace: &Workspace,
    file: &FileFacts,
    variable: &str,
    order: Order,
) -> Result<Value, Refusal> {
    let items = Items::of(file);
    let mut set = None;
    let mut last = None;
    let mut reads_itself = false;
    let mut conditional = 0;
    for (at, command, assignment) in items.assignments(variable) {
        if at > order || !items.lasts(command) {
            continue;
        }
        let text = assignment
            .value
            .as_ref()
            .map_or("", |word| word.span.of(items.text(at)));
        let value = unquoted(text);
        last = Some(at);
        if is_constant(value) {
            if is_placeholder(value) {
                continue;
            }
            let span = items.source(at, assignment.span);
            let message = format!(
                "{}:{} sets {variable} to `{value}` in every build, so it does not name the branch",
                file.path,
                line_of(file, span)
            );
            let refusal = Refusal::new(RefusalCode::BranchUnknown, message);
            return Err(refusal.at(file.id, span, format!("{variable} is `{value}`")));
        }
        reads_itself |= crate::shell_text::names_in(value).any(|name| name == variable);
        if is_of_detached_head(value) && !attaches(file) {
            set = None;
        } else if command.context.conditional {
            conditional += 1;
            set = set.or((conditional > 1).then_some(at));
        } else {
            set = Some(at);
        }
    }
    if set.is_none() || reads_itself {
        of_environment(workspace, file, variable)?;
    }
    Ok(match (set, last) {
        (Some(_), Some(last)) => Value::Set(last),
        (None, Some(last)) => Value::Unsure(last),
        (_, None) => Value::None,
    })
}

/// Whether what `env` of the buildspec says leaves the branch open.
fn of_environment(workspace: &Workspace, file: &FileFacts, variable: &str) -> Result<(), Refusal> {
    for name in [variable, "BRANCH_NAME"] {
        if let Some(constant) = constant_in_env(workspace, file, name) {
            let line = line_of(file, constant.span);
            let message = match constant.place {
                AssignmentPlace::Store => format!(
                    "{}:{line} takes {name} from one parameter or secret for every build, so it does not name the branch",
                    file.path
                ),
                _ => format!(
                    "{}:{line} sets {name} to `{}` for every build that does not override it, so it does not name the branch",
                    file.path, constant.value
                ),
            };
            let refusal = Refusal::new(RefusalCode::BranchUnknown, message);
            return Err(refusal.at(file.id, constant.span, format!("{name} is set here")));
        }
    }
    Ok(())
}

/// The entry of `env` that gives the variable one value for all branches. One that the derivation passes
/// over (`""`, `latest`) is a placeholder, and one that a project or pipeline here overrides is a default.
pub(crate) fn constant_in_env<'a>(
    workspace: &Workspace,
    file: &'a FileFacts,
    name: &str,
) -> Option<&'a AssignmentFact> {
    let entry = file.assigned(name).find(|a| match a.place {
        AssignmentPlace::EnvVariables => !is_placeholder(unquoted(&a.value)),
        AssignmentPlace::Store => true,
        AssignmentPlace::Command | AssignmentPlace::Loop => false,
    });
    entry.filter(|_| !workspace.provides(name))
}

/// Whether the derivation passes over the value, so that it asks CodeBuild instead.
fn is_placeholder(value: &str) -> bool {
    matches!(value, "" | "HEAD" | "latest") || value.contains("#{")
}

/// Whether the value is the same in every build.
fn is_constant(value: &str) -> bool {
    !value.contains(['$', '`'])
}

/// Whether shell text asks Git for the branch that is checked out. CodeBuild checks out a commit, so that
/// there is none.
pub(crate) fn is_of_detached_head(text: &str) -> bool {
    let script = shell::parsed(text);
    let mut git = script
        .commands
        .iter()
        .filter(|command| command.program().is_some_and(|name| name == "git"));
    let asks = |command: &Command| {
        let has = |text: &str| command.words.iter().any(|word| word.is(text));
        has("rev-parse") && has("--abbrev-ref") && has("HEAD")
            || has("branch") && has("--show-current")
            || has("symbolic-ref") && has("HEAD")
    };
    // What follows a `||` is asked where Git does not know.
    git.any(asks) && !script.commands.iter().any(|it| it.context.after_failure)
}

/// Whether a command of the file puts Git on a branch, in the clone of the build or in one of its own.
pub(crate) fn attaches(file: &FileFacts) -> bool {
    let items = Items::of(file);
    items.attaches
}

/// Whether a fix may redefine `variable` from the command item `from` on, as [`Order::item`] counts: in the file, and in
/// the scripts that it runs from there on, which get what it exports.
///
/// # Errors
/// A command reads it for something else than an image's tag; it is named with its place.
pub(crate) fn may_redefine(
    workspace: &Workspace,
    file: &FileFacts,
    variable: &str,
    from: u32,
) -> Result<(), Refusal> {
    wants_a_tag(workspace, file, variable, from)?;
    for script in workspace.files() {
        let mut builds = workspace.builds_of(script.id).iter();
        let runs = builds.any(|(build, order)| *build == file.id && order.item >= from);
        // One that sets the variable itself does not see the other value.
        if runs && script.assigned(variable).next().is_none() {
            wants_a_tag(workspace, script, variable, 0)?;
        }
    }
    Ok(())
}

/// The same for one file.
fn wants_a_tag(
    workspace: &Workspace,
    file: &FileFacts,
    variable: &str,
    from: u32,
) -> Result<(), Refusal> {
    let items = Items::of(file);
    let tags = tag_spans(workspace, file);
    let mut seen = BTreeSet::new();
    match items.other_read(variable, from, &tags, &mut seen) {
        None => Ok(()),
        Some((span, reader)) => {
            let message = format!(
                "{}:{} reads {variable} for {reader}, which may need the branch's own name; give the tag a variable of its own with `variable` below `[branch]` in tagwright.toml",
                file.path,
                line_of(file, span)
            );
            let refusal = Refusal::new(RefusalCode::SharedVariable, message);
            Err(refusal.at(file.id, span, format!("{variable} is read for {reader}")))
        }
    }
}

/// Where the file names images, and the tags that it gives to Copilot.
fn tag_spans(workspace: &Workspace, file: &FileFacts) -> Vec<Span> {
    let own = workspace
        .flows()
        .iter()
        .filter(|flow| flow.own)
        .flat_map(|flow| &flow.uses)
        .filter(|id| id.file == file.id)
        .map(|id| workspace.image_use(*id).span);
    let bare = file
        .uses
        .iter()
        .filter(|image| image.repository.key().is_empty())
        .map(|image| image.span);
    let flags = file.copilot.iter().flat_map(|call| &call.flags);
    let flags = flags.filter_map(|flag| flag.value_site.map(|site| site.source));
    own.chain(bare).chain(flags).collect()
}

/// The command items of one buildspec, parsed.
struct Items {
    scripts: Arc<Vec<ItemScript>>,
    /// In the order in which they run.
    all: Vec<Item>,
    /// The commands that assign each variable, as indices of the item and of the command.
    assigned: HashMap<SmolStr, Vec<(usize, usize)>>,
    /// The first words of all commands.
    called: HashSet<String>,
    /// A command puts Git on a branch.
    attaches: bool,
}

struct Item {
    /// Its index among the scripts.
    script: usize,
    map: Option<SourceMap>,
    /// The bytes of the whole item in the file.
    span: Span,
}

impl Items {
    /// None of a buildspec inside another file, whose text is not the file's.
    fn of(file: &FileFacts) -> Arc<Self> {
        file.recent(|| Self::read(file))
    }

    fn read(file: &FileFacts) -> Self {
        let mut items = Self {
            scripts: Arc::default(),
            all: Vec::new(),
            assigned: HashMap::new(),
            called: HashSet::new(),
            attaches: false,
        };
        if !file.has_commands() {
            return items;
        }
        let tree = file.tree();
        items.scripts = file.scripts();
        for (script, item) in items.scripts.iter().enumerate().filter(|it| it.1.whole) {
            for (index, command) in item.script.commands.iter().enumerate() {
                let place = (items.all.len(), index);
                for assignment in &command.assignments {
                    let of_name = items.assigned.entry(assignment.name.clone()).or_default();
                    if of_name.last() != Some(&place) {
                        of_name.push(place);
                    }
                }
                let first = command.words.first().and_then(Word::literal);
                items.called.extend(first);
                let has = |text: &str| command.words.iter().any(|word| word.is(text));
                items.attaches |= command.program().is_some_and(|name| name == "git")
                    && (has("checkout") || has("switch") || has("clone"));
            }
            items.all.push(Item {
                script,
                map: file.source_map(&tree, item.node),
                span: tree.node(item.node).span,
            });
        }
        items
    }

    fn script(&self, item: &Item) -> &ItemScript {
        &self.scripts[item.script]
    }

    /// Items are counted from 1: `env` comes before them.
    fn item(&self, at: Order) -> Option<&Item> {
        self.all.get((at.item as usize).checked_sub(1)?)
    }

    fn text(&self, at: Order) -> &str {
        self.item(at).map_or("", |item| &self.script(item).text)
    }

    /// The bytes of the file for `span` of the item's text; those of the whole item where that is not certain.
    fn source(&self, at: Order, span: Span) -> Span {
        self.item(at)
            .map_or(Span::empty(0), |item| item.source(span))
    }

    fn assignments<'a>(
        &'a self,
        variable: &'a str,
    ) -> impl Iterator<Item = (Order, &'a Command, &'a Assignment)> {
        let places = self.assigned.get(variable).into_iter().flatten();
        places.flat_map(move |(item, index)| {
            let command = &self.script(&self.all[*item]).script.commands[*index];
            let from_one = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
            let at = Order {
                item: from_one(*item),
                command: from_one(*index),
            };
            let own = command.assignments.iter();
            own.filter(move |assignment| &*assignment.name == variable)
                .map(move |assignment| (at, command, assignment))
        })
    }

    /// Whether later commands see what the command assigns.
    fn lasts(&self, command: &Command) -> bool {
        let alone = command.words.first().is_none_or(|word| {
            let in_function = command.context.function.is_some();
            word.is("export")
                || word.is("readonly")
                || !in_function && (word.is("declare") || word.is("typeset"))
        });
        let function = command.context.function.as_ref();
        let called = function.is_none_or(|name| self.called.contains(&**name));
        alone && called && !command.context.subshell && command.context.substitution == 0
    }

    /// The first place from item `from` on that reads the variable for something else than a tag, and who
    /// reads it. What is assigned to another variable is followed there.
    fn other_read(
        &self,
        variable: &str,
        from: u32,
        tags: &[Span],
        seen: &mut BTreeSet<String>,
    ) -> Option<(Span, String)> {
        if !seen.insert(variable.to_owned()) {
            return None;
        }
        for (item, index) in self
            .all
            .iter()
            .zip(1..)
            .skip((from as usize).saturating_sub(1))
        {
            let script = self.script(item);
            for place in reads_of(script, variable) {
                let found = match item.reader(script, place, tags) {
                    Reader::Tag => None,
                    Reader::Variable(name) if name == variable => None,
                    Reader::Variable(name) => self.other_read(&name, index, tags, seen),
                    Reader::Other(who) => Some((item.source(place), who)),
                };
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }
}

/// Who reads a variable at one place.
enum Reader {
    /// An image's tag, or text for people.
    Tag,
    /// An assignment to this variable.
    Variable(String),
    /// Something else, as a message names it.
    Other(String),
}

impl Item {
    /// The bytes of the file for `span` of the text; those of the whole item where that is not certain.
    fn source(&self, span: Span) -> Span {
        let map = self.map.as_ref();
        map.and_then(|map| map.source(span)).unwrap_or(self.span)
    }

    fn reader(&self, item: &ItemScript, place: Span, tags: &[Span]) -> Reader {
        let source = self.map.as_ref().and_then(|map| map.source(place));
        if source.is_some_and(|source| tags.iter().any(|tag| tag.contains(source))) {
            return Reader::Tag;
        }
        let commands = item.script.commands.iter();
        let innermost = commands
            .clone()
            .filter(|command| command.span.contains(place))
            .min_by_key(|command| command.span.len());
        let Some(innermost) = innermost else {
            return Reader::Other("a condition or a here-document".to_owned());
        };
        let assigned = commands
            .flat_map(|command| &command.assignments)
            .filter(|assignment| assignment.span.contains(place))
            .max_by_key(|assignment| assignment.span.len());
        let program = innermost.program().unwrap_or_default();
        if let Some(assigned) = assigned {
            // The value itself, or text that a filter changes on its way there.
            let filter = [
                "", "echo", "printf", "tr", "cut", "awk", "basename", "head", "tail",
            ];
            let edits = tool(&program).is_some_and(|it| it.family == Tool::Sed);
            if edits || filter.contains(&&*program) || program == "export" {
                return Reader::Variable(assigned.name.to_string());
            }
        } else if is_for_people(innermost, &program) || is_test_of_presence(innermost, &program) {
            return Reader::Tag;
        }
        Reader::Other(if program.is_empty() {
            "something else".to_owned()
        } else {
            format!("`{program}`")
        })
    }
}

/// Where the text expands the variable, comments aside: at the parsed words, and at what was not parsed
/// (`case $X in`).
fn reads_of<'a>(item: &'a ItemScript, variable: &'a str) -> impl Iterator<Item = Span> + 'a {
    let comments = &item.script.comments;
    let all = item.text.match_indices('$').filter_map(move |(at, _)| {
        let rest = &item.text[at + 1..];
        let inner = rest.trim_start_matches(['{', '#', '!']);
        let name = plain_name(inner);
        let end = at + 1 + (rest.len() - inner.len()) + name.len();
        (name == variable).then(|| Span::new(at, end))
    });
    all.filter(move |place| !comments.iter().any(|comment| comment.contains(*place)))
}

/// Whether the command only prints to the log.
fn is_for_people(command: &Command, program: &str) -> bool {
    matches!(program, "echo" | "printf" | ":")
        && command.redirects.is_empty()
        && command.context.pipe_length <= 1
        && command.context.substitution == 0
        && !command.context.diverted
}

/// `[ -z "$X" ]`, `[ "$X" = main ]`: the same answer for the branch and for the tag made of it.
fn is_test_of_presence(command: &Command, program: &str) -> bool {
    let plain = |word: &Word| {
        word.literal().is_none_or(|text| {
            matches!(&*text, "=" | "==" | "!=" | "-z" | "-n" | "]" | "]]")
                || text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        })
    };
    let expands = |word: &Word| {
        word.parts
            .iter()
            .any(|part| !matches!(part.kind, PartKind::Literal(_)))
    };
    matches!(program, "[" | "[[" | "test")
        && command.words[1..].iter().all(plain)
        && command.words.iter().filter(|word| expands(word)).count() == 1
}

/// The 1-based line of a place in the file.
fn line_of(file: &FileFacts, span: Span) -> usize {
    let before = file.slice(Span::new(0, span.start as usize));
    before.bytes().filter(|byte| *byte == b'\n').count() + 1
}

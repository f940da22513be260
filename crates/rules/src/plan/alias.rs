//! The fix that drops an alias: `latest`, where it is pushed beside a tag of its own that is deployed and nothing in the
//! repository reads `latest`. Nothing needs a branch then: the commands that make and push the alias go.

use std::collections::{BTreeMap, BTreeSet};

use tagwright_flow::FileId;
use tagwright_flow::expression::{Expansion, Origin, Site};
use tagwright_flow::facts::{
    AssignmentFact, AssignmentPlace, FileFacts, ImageUse, Order, TagKind, TagValue,
};
use tagwright_flow::habits::ItemScript;
use tagwright_flow::tools::Role;
use tagwright_syntax::Span;
use tagwright_syntax::shell::{Command, Word};
use tagwright_syntax::yaml::{NodeId, NodeKind, Tree};

use super::existing::braced;
use super::joined::Tagged;
use super::removal::{self, Removal, is_about_the_alias};
use super::tag_edits::{LATEST, Variables, variable_of, write};
use super::{describe, left_behind};
use crate::context::{Context, Place, deploys};
use crate::settings::Strategy;
use crate::shared_variables::Sharing;
use crate::shell_text::names_in;
use crate::{Applicability, Change, ChangeKind, Fix, Refusal, RefusalCode, WordEffect};

/// Each place is looked for among the commands of its file, so that of an image with more places, or in a file with more
/// of all images, nothing is dropped.
const MOST_PLACES: usize = 100;
const MOST_OF_FILE: usize = 500;

/// Drop `latest` of the image, whose places with it are `latest`; `pushed` are all tags that it is pushed with. `None`
/// if no other tag is pushed, so that it is no alias.
pub(super) fn drop_alias<'a>(
    context: &Context<'a>,
    latest: &[Tagged<'a>],
    pushed: &[Tagged<'a>],
    uses: &[Place<'a>],
) -> Option<Result<Fix, Refusal>> {
    let own = |(_, tag): &&Tagged<'a>| matches!(tag.kind, TagKind::Variable(_));
    let read = latest.iter().any(|(place, _)| deploys(place.image.role));
    if read || context.settings.strategy != Strategy::BranchTag || latest.len() > MOST_PLACES {
        return None;
    }
    let first = pushed.iter().find(own)?;
    if !pushed
        .iter()
        .any(|(place, tag)| tag.kind.is_latest() && place.image.is_latest())
    {
        return None;
    }
    let deployed = pushed.iter().filter(own).find(|it| is_deployed(uses, it));
    Some(match deployed {
        Some((_, tag)) => without(context, latest).map(|changes| Fix {
            message: format!("drop the alias `latest`; {} stays", shown(tag)),
            applicability: Applicability::Unsafe,
            changes,
        }),
        None => {
            let message = format!(
                "nothing here deploys or records {}, so `latest` may be what is deployed",
                shown(first.1)
            );
            let refusal = Refusal::new(RefusalCode::YourDecision, message);
            let (place, what) = (first.0, "the other tag is pushed here");
            Err(refusal.at(place.file.id, place.image.span, what))
        }
    })
}

/// A tag for people.
fn shown(tag: &TagValue) -> String {
    match &tag.kind {
        TagKind::Variable(expression) if tag.written.is_empty() => {
            format!("`{}`", expression.key())
        }
        _ => format!("`{}`", tag.written.trim_matches('"')),
    }
}

/// Whether a place deploys or records the image with this tag; one that does not name the image counts in the same file.
fn is_deployed(uses: &[Place<'_>], (pushed, tag): &Tagged<'_>) -> bool {
    let TagKind::Variable(key) = &tag.kind else {
        return false;
    };
    let key = key.key();
    let same = |image: &ImageUse| {
        deploys(image.role)
            && image.tags.iter().any(
                |it| matches!(&it.kind, TagKind::Variable(expression) if expression.key() == key),
            )
    };
    let bare = pushed
        .file
        .uses
        .iter()
        .filter(|it| it.repository.key().is_empty());
    uses.iter().map(|place| place.image).chain(bare).any(same)
}

/// The changes after which no place of `latest` is left.
///
/// # Errors
/// Something reads it, or its commands cannot go.
fn without<'a>(context: &Context<'a>, latest: &[Tagged<'a>]) -> Result<Vec<Change>, Refusal> {
    for (place, _) in latest {
        if place.file.uses.len() > MOST_OF_FILE {
            return Err(unsupported(
                place,
                "too many places of the file name images",
            ));
        }
        let reads =
            deploys(place.image.role) || matches!(place.image.role, Role::Pull | Role::Cache);
        if reads || !place.file.has_commands() {
            let what = describe(place.image.role);
            let message = format!("{what} in {} reads `latest`", place.file.path);
            let refusal = Refusal::new(RefusalCode::LeftBehind, message);
            return Err(refusal.at(place.file.id, place.image.span, what));
        }
    }
    left_behind::check(context, latest)?;
    let mut cuts = Cuts::default();
    for it in latest {
        if matches!(
            it.0.image.role,
            Role::Push | Role::TagDestination | Role::Build | Role::BuildPush
        ) {
            cuts.alias(it, latest)?;
        }
    }
    // What is built only as `latest` gets the tag that was made of it.
    for it in latest {
        let (place, _) = it;
        match place.image.role {
            Role::Build if cuts.renamed.contains(&place.id) => cuts.rename(it)?,
            _ => {}
        }
    }
    for it in latest {
        if matches!(
            it.0.image.role,
            Role::TagSource | Role::Run | Role::Argument
        ) {
            cuts.take_other(it)?;
        }
    }
    cuts.messages(latest);
    cuts.variables(context, latest)?;
    cuts.changes(context)
}

fn unsupported(place: &Place<'_>, why: impl Into<String>) -> Refusal {
    let refusal = Refusal::new(RefusalCode::UnsupportedForm, why);
    refusal.at(place.file.id, place.image.span, describe(place.image.role))
}

/// What goes out of one command item.
#[derive(Default)]
struct Cut {
    /// Indices of commands.
    commands: BTreeSet<usize>,
    /// Words of commands that stay: bytes of the item's text, and how many words they are.
    words: BTreeMap<(u32, u32), u32>,
}

/// What goes, and what is written in its place.
#[derive(Default)]
struct Cuts<'a> {
    items: BTreeMap<(FileId, NodeId), Cut>,
    files: BTreeMap<FileId, &'a FileFacts>,
    /// Builds that name the image `latest` alone.
    renamed: BTreeSet<tagwright_flow::UseId>,
    /// What such a build, by its file and repository, is called instead: the place that names it so.
    names: BTreeMap<(FileId, String), Place<'a>>,
    changes: Vec<Change>,
}

/// A command of a file's item.
struct Located {
    node: NodeId,
    index: usize,
}

/// The command that the place stands in.
fn locate(place: &Place<'_>) -> Result<Located, Refusal> {
    let site = place.image.site.ok_or_else(|| {
        unsupported(
            place,
            format!(
                "cannot locate {} in its command",
                describe(place.image.role)
            ),
        )
    })?;
    if !matches!(site.expansion, Expansion::Shell) {
        return Err(unsupported(
            place,
            "the command is part of a text in quotes",
        ));
    }
    let scripts = place.file.scripts();
    let item = scripts.iter().find(|it| it.whole && it.node == site.node);
    let index = item.and_then(|item| command_at(item, site.range));
    let Some(index) = index else {
        return Err(unsupported(
            place,
            "the command cannot be told from its neighbours",
        ));
    };
    Ok(Located {
        node: site.node,
        index,
    })
}

/// The command of which a word holds the bytes.
fn command_at(item: &ItemScript, range: Span) -> Option<usize> {
    let holds = |command: &Command| command.words.iter().any(|word| word.span.contains(range));
    let mut found = item
        .script
        .commands
        .iter()
        .enumerate()
        .filter(|(_, it)| holds(it));
    let (index, command) = found.next()?;
    // In a substitution the outer command holds it, too.
    (found.next().is_none() && command.context.substitution == 0).then_some(index)
}

/// The other places of the command.
fn beside<'a>(place: &Place<'a>) -> impl Iterator<Item = &'a ImageUse> {
    let (order, own) = (place.image.order, place.image.span);
    let uses = place.file.uses.iter();
    uses.filter(move |it| it.order == order && it.span != own)
}

fn names_image(role: Role) -> bool {
    matches!(
        role,
        Role::Build | Role::BuildPush | Role::Push | Role::TagDestination
    )
}

impl<'a> Cuts<'a> {
    fn cut(&mut self, file: &'a FileFacts, node: NodeId) -> &mut Cut {
        self.files.insert(file.id, file);
        self.items.entry((file.id, node)).or_default()
    }

    fn is_gone(&self, file: &FileFacts, at: &Located) -> bool {
        let cut = self.items.get(&(file.id, at.node));
        cut.is_some_and(|cut| cut.commands.contains(&at.index))
    }

    /// Takes out what gives the image its alias: the command, or the words of one that gives it another tag, too.
    fn alias(&mut self, (place, tag): &Tagged<'a>, latest: &[Tagged<'a>]) -> Result<(), Refusal> {
        if matches!(tag.origin, Origin::EnvVariables(_) | Origin::Given(_)) {
            return Err(unsupported(
                place,
                "`latest` comes from outside of the commands",
            ));
        }
        let at = locate(place)?;
        // The word of a loop stands in its item, outside of the command.
        let outside = |site: &Site| site.node == at.node && !place.image.span.contains(site.source);
        if !place.image.loops.is_empty() && tag.site.as_ref().is_some_and(outside) {
            return self.looped(place, tag, &at);
        }
        let is_latest = |image: &ImageUse| {
            latest.iter().any(|(other, _)| {
                other.file.id == place.file.id
                    && other.image.order == image.order
                    && other.image.span == image.span
            })
        };
        // `docker push --all-tags` pushes what is left.
        let other_tag = |it: &ImageUse| {
            it.order == place.image.order && it.span == place.image.span && !it.is_latest()
        };
        if place.image.role == Role::Push && place.file.uses.iter().any(other_tag) {
            return Ok(());
        }
        let others = beside(place).filter(|it| names_image(it.role));
        let keeps = others.filter(|it| !is_latest(it)).count() > 0;
        if keeps {
            let site = place.image.site.map_or(Span::empty(0), |it| it.range);
            let scripts = place.file.scripts();
            let item = scripts.iter().find(|it| it.whole && it.node == at.node);
            let words = item.and_then(|it| option(&it.script.commands[at.index], site));
            let (span, count) = words.ok_or_else(|| {
                unsupported(
                    place,
                    "the command gives the image several tags in a form that is not edited",
                )
            })?;
            let cut = self.cut(place.file, at.node);
            cut.words.insert((span.start, span.end), count);
        } else if matches!(place.image.role, Role::Build | Role::BuildPush) {
            if place.image.role == Role::BuildPush {
                return Err(unsupported(
                    place,
                    "one command builds and pushes only `latest`",
                ));
            }
            self.renamed.insert(place.id);
        } else {
            self.cut(place.file, at.node).commands.insert(at.index);
        }
        Ok(())
    }

    /// Takes `latest` out of the words that the loop around the place runs over.
    fn looped(&mut self, place: &Place<'a>, tag: &TagValue, at: &Located) -> Result<(), Refusal> {
        let site = tag.site.filter(|it| it.node == at.node).ok_or_else(|| {
            unsupported(place, "cannot locate `latest` among the words of the loop")
        })?;
        let scripts = place.file.scripts();
        let item = scripts.iter().find(|it| it.whole && it.node == at.node);
        let command = item.map(|it| &it.script.commands[at.index]);
        let words = command
            .and_then(|it| loop_word(it, site.range))
            .ok_or_else(|| {
                let why =
                    "the loop runs over nothing but `latest`, or in a form that is not edited";
                unsupported(place, why)
            })?;
        let cut = self.cut(place.file, at.node);
        cut.words.insert((words.start, words.end), 1);
        Ok(())
    }

    /// Gives a build that names the image `latest` the tag that a later command makes of it.
    fn rename(&mut self, (place, tag): &Tagged<'a>) -> Result<(), Refusal> {
        let file = place.file;
        let repository = place.image.repository.key();
        let of_alias = |source: &&ImageUse| {
            source.role == Role::TagSource
                && source.is_latest()
                && source.repository.key() == repository
        };
        let made = file.uses.iter().find(|image| {
            let from = file.uses.iter().filter(of_alias);
            image.role == Role::TagDestination
                && image.repository.key() == repository
                && !image.is_latest()
                && !image.conditional
                && from.filter(|it| it.order == image.order).count() == 1
        });
        let Some(made) = made.filter(|it| it.order > place.image.order) else {
            return Err(unsupported(
                place,
                "the build names the image only `latest`, and no `docker tag` here gives it the other tag",
            ));
        };
        is_known(file, made, place.image.order).map_err(|why| unsupported(place, why))?;
        self.write(file, place, tag, made)?;
        let name = Place {
            image: made,
            ..*place
        };
        self.names.insert((file.id, repository.to_owned()), name);
        Ok(())
    }

    /// Whatever else names `latest` on the machine of the build takes the other tag; the command that would make that
    /// of itself goes.
    fn take_other(&mut self, (place, tag): &Tagged<'a>) -> Result<(), Refusal> {
        let at = locate(place)?;
        if self.is_gone(place.file, &at) {
            return Ok(());
        }
        let key = (place.file.id, place.image.repository.key().to_owned());
        let Some(name) = self.names.get(&key).copied() else {
            let message = format!(
                "{} in {} reads `latest`",
                describe(place.image.role),
                place.file.path
            );
            let refusal = Refusal::new(RefusalCode::LeftBehind, message);
            return Err(refusal.at(place.file.id, place.image.span, describe(place.image.role)));
        };
        let same = |it: &ImageUse| {
            it.role == Role::TagDestination
                && it.repository.key() == name.image.repository.key()
                && it.written == name.image.written
        };
        if place.image.role == Role::TagSource && beside(place).any(same) {
            self.cut(place.file, at.node).commands.insert(at.index);
            return Ok(());
        }
        is_known(place.file, name.image, place.image.order)
            .map_err(|why| unsupported(place, why))?;
        self.write(place.file, place, tag, name.image)
    }

    /// Writes the tag of `name` at the place.
    fn write(
        &mut self,
        file: &'a FileFacts,
        place: &Place<'a>,
        tag: &TagValue,
        name: &ImageUse,
    ) -> Result<(), Refusal> {
        let written = name.tags.first().map_or("", |it| it.written.as_str());
        let at_use = |site: &Site| place.image.span.contains(site.source);
        let change = match tag.site.filter(at_use) {
            Some(site) if tag.origin == Origin::Written && !written.is_empty() => {
                let text = braced(written, file, site);
                write(file, site, &text, tag.kind == TagKind::Implicit)?
            }
            _ => {
                let site = place
                    .image
                    .site
                    .ok_or_else(|| unsupported(place, "cannot locate the tag"))?;
                write(file, site, &name.written, false)?
            }
        };
        self.files.insert(file.id, file);
        self.changes.push(change);
        Ok(())
    }

    /// Takes out the assignments that served the alias alone.
    fn variables(&mut self, context: &Context<'a>, latest: &[Tagged<'a>]) -> Result<(), Refusal> {
        let mut variables = Variables::default();
        let mut seen = BTreeSet::new();
        for (place, tag) in latest {
            let Some(name) = variable_of(place, tag) else {
                continue;
            };
            if !seen.insert((place.file.id, name)) {
                continue;
            }
            let sharing = variables.sharing(context, latest, place.file, name)?;
            let all: Vec<&AssignmentFact> = place.file.assigned(name).collect();
            let [assigned] = all[..] else {
                return Err(unsupported(
                    place,
                    format!("`{name}` is set more than once"),
                ));
            };
            if !matches!(sharing, Sharing::Own) || assigned.place != AssignmentPlace::Command {
                continue;
            }
            if let Some(at) = assignment(place.file, assigned)
                && !self.is_read(place.file, name)
            {
                self.cut(place.file, at.node).commands.insert(at.index);
            }
        }
        Ok(())
    }

    /// Whether a command that stays reads the variable.
    fn is_read(&self, file: &FileFacts, name: &str) -> bool {
        let scripts = file.scripts();
        let items = scripts.iter().filter(|it| it.whole);
        items.into_iter().any(|item| {
            let cut = self.items.get(&(file.id, item.node));
            let goes = |at: usize| {
                let gone = cut.into_iter().flat_map(|cut| &cut.commands);
                let mut gone = gone.filter_map(|index| item.script.commands.get(*index));
                let words = cut.into_iter().flat_map(|cut| cut.words.keys());
                let rewritten = self.changes.iter().filter(|it| it.file == file.id && it.node == item.node);
                gone.any(|it| it.span.range().contains(&at))
                    || words.into_iter().any(|(start, end)| (*start as usize..*end as usize).contains(&at))
                    || rewritten.into_iter().any(|it| matches!(&it.kind, ChangeKind::Replace { range, .. } if range.range().contains(&at)))
            };
            let mut signs = item.text.match_indices('$');
            signs.any(|(at, _)| {
                let rest = item.text[at + 1..].trim_start_matches(['{', '#', '!']);
                tagwright_flow::expression::plain_name(rest) == name && !goes(at)
            })
        })
    }

    /// Takes out messages about the alias and nothing else.
    fn messages(&mut self, latest: &[Tagged<'a>]) {
        let mut references: BTreeSet<(FileId, &str)> = BTreeSet::new();
        for (place, tag) in latest {
            let written = &*place.image.written;
            let held = variable_of(place, tag).is_some_and(|name| {
                written == format!("${name}") || written == format!("${{{name}}}")
            });
            // Without its tag the name is also the beginning of others.
            if held || written.ends_with(":latest") && !place.image.repository.key().is_empty() {
                references.insert((place.file.id, written));
            }
        }
        for (file, reference) in references {
            let Some(facts) = self.files.get(&file).copied() else {
                continue;
            };
            for item in facts.scripts().iter().filter(|it| it.whole) {
                for (index, command) in item.script.commands.iter().enumerate() {
                    if is_message(command, &item.text, reference) {
                        self.cut(facts, item.node).commands.insert(index);
                    }
                }
            }
        }
    }

    /// The changes that take it all out.
    fn changes(mut self, context: &Context<'a>) -> Result<Vec<Change>, Refusal> {
        let mut items: Vec<Change> = Vec::new();
        for ((file, node), cut) in &mut self.items {
            let facts = context.workspace.file(*file);
            let scripts = facts.scripts();
            let Some(item) = scripts.iter().find(|it| it.whole && it.node == *node) else {
                continue;
            };
            if !cut.commands.is_empty() {
                with_handlers(item, &mut cut.commands);
                let form = || {
                    Refusal::new(
                        RefusalCode::UnsupportedForm,
                        "the commands of the alias cannot go without changing when others run",
                    )
                };
                match removal::of_commands(&item.text, &item.script, &cut.commands) {
                    Some(Removal::Whole) => {
                        let change = whole_item(facts, *node).ok_or_else(form)?;
                        items.extend(change);
                        continue;
                    }
                    Some(Removal::Parts(parts)) => {
                        let parts = parts
                            .into_iter()
                            .map(|range| (range, WordEffect::RemovesCommands));
                        self.changes
                            .extend(parts.map(|(range, words)| gone(*file, *node, range, words)));
                    }
                    None => {
                        let command = cut.commands.iter().next();
                        let span = command.and_then(|at| item.script.commands.get(*at));
                        let place = span.and_then(|it| {
                            let map = facts.source_map(&facts.tree(), *node)?;
                            map.source(it.span)
                        });
                        return Err(match place {
                            Some(place) => form().at(*file, place, "this command"),
                            None => form(),
                        });
                    }
                }
            }
            for ((start, end), count) in &cut.words {
                let range = Span::new(*start as usize, *end as usize);
                self.changes
                    .push(gone(*file, *node, range, WordEffect::Removes(*count)));
            }
        }
        not_empty(context, &items)?;
        self.changes.extend(items);
        Ok(self.changes)
    }
}

fn gone(file: FileId, node: NodeId, range: Span, words: WordEffect) -> Change {
    Change {
        file,
        node,
        kind: ChangeKind::Replace {
            range,
            text: String::new(),
            words,
        },
    }
}

/// Whether the tag of `name` has its value at `order`, and the same one as where it is.
///
/// # Errors
/// It may not; the reason.
fn is_known(file: &FileFacts, name: &ImageUse, order: Order) -> Result<(), String> {
    let text = &*name.written;
    if text.contains(['(', '`']) || !name.loops.is_empty() {
        return Err("the other tag is worked out where it is given".to_owned());
    }
    for variable in names_in(text) {
        let by_commands = |it: &&AssignmentFact| {
            matches!(it.place, AssignmentPlace::Command | AssignmentPlace::Loop)
        };
        let mut assigned = file.assigned(variable).filter(by_commands).peekable();
        if assigned.peek().is_none() {
            // CodeBuild's own are there from the start; others a sourced file may set at any time.
            if file.habits().sets_unknown && !variable.starts_with("CODEBUILD_") {
                return Err(format!("a file that is sourced may set `{variable}`"));
            }
            continue;
        }
        let last = order.max(name.order);
        let first = order.min(name.order);
        let set = assigned
            .clone()
            .any(|it| it.order <= first && !it.subshell && !it.conditional);
        let changes = assigned.any(|it| it.order > first && it.order <= last);
        if !set || changes {
            return Err(format!("`{variable}` is set only after `latest` is needed"));
        }
    }
    Ok(())
}

/// The words of an option that gives the image the reference at `site`, as bytes, and their number; with the blanks
/// behind them, or before them if they are the last.
fn option(command: &Command, site: Span) -> Option<(Span, u32)> {
    const OPTIONS: [&str; 4] = ["-t", "--tag", "--destination", "-d"];
    let at = command
        .words
        .iter()
        .position(|word| word.span.contains(site))?;
    let before = at.checked_sub(1).and_then(|it| command.words.get(it));
    let joined = command.words[at].literal_prefix();
    let first = if before.is_some_and(|word| OPTIONS.iter().any(|it| word.is(it))) {
        at - 1
    } else if joined.starts_with("--tag=")
        || joined.starts_with("--destination=")
        || joined.starts_with("-t")
    {
        at
    } else {
        return None;
    };
    let count = u32::try_from(at - first + 1).ok()?;
    let span = |word: &Word| word.span;
    let start = span(&command.words[first]).start as usize;
    match command.words.get(at + 1) {
        Some(next) => Some((Span::new(start, span(next).start as usize), count)),
        None => {
            let before = first
                .checked_sub(1)
                .map(|it| span(&command.words[it]).end as usize)?;
            Some((
                Span::new(before, span(&command.words[at]).end as usize),
                count,
            ))
        }
    }
}

/// The word of a loop around the command that `site` is all of, with the blanks beside it, if there are others.
fn loop_word(command: &Command, site: Span) -> Option<Span> {
    let mut loops = command.context.loops.iter().map(|it| &it.words);
    let (words, at) = loops.find_map(|words| {
        let at = words.iter().position(|word| word.span.contains(site));
        at.map(|at| (words, at))
    })?;
    if !words[at].is(LATEST) {
        return None;
    }
    let span = words[at].span;
    match (words.get(at + 1), at.checked_sub(1)) {
        (Some(next), _) => Some(Span::new(span.start as usize, next.span.start as usize)),
        (None, Some(before)) => {
            let before = words[before].span.end;
            Some(Span::new(before as usize, span.end as usize))
        }
        (None, None) => None,
    }
}

/// The command that does nothing but make the assignment.
fn assignment(file: &FileFacts, assigned: &AssignmentFact) -> Option<Located> {
    let site = assigned.value_site?;
    let scripts = file.scripts();
    let item = scripts.iter().find(|it| it.whole && it.node == site.node)?;
    let alone = |command: &Command| match &command.assignments[..] {
        [it] => {
            it.span.contains(site.range)
                && (command.words.is_empty()
                    || command.words.len() == 1
                        && (command.words[0].is("export") || command.words[0].is("readonly")))
        }
        _ => false,
    };
    let index = item.script.commands.iter().position(alone)?;
    Some(Located {
        node: site.node,
        index,
    })
}

/// Whether the command prints a text that names the reference and no other variable.
fn is_message(command: &Command, text: &str, reference: &str) -> bool {
    let prints = command
        .program()
        .is_some_and(|it| it == "echo" || it == "printf");
    let alone = command.redirects.is_empty()
        && command.context.pipe_length == 1
        && command.context.substitution == 0;
    let text = command.span.of(text);
    let names = |at: usize| {
        let next = text[at + reference.len()..].chars().next();
        !next.is_some_and(|it| it.is_ascii_alphanumeric() || "_-./".contains(it))
    };
    prints
        && alone
        && text.match_indices(reference).any(|(at, _)| names(at))
        && !text.replace(reference, "").contains(['$', '`'])
}

/// With the commands that run only if one that goes fails, and do nothing but end the build or speak.
fn with_handlers(item: &ItemScript, gone: &mut BTreeSet<usize>) {
    let commands = &item.script.commands;
    let mut more = Vec::new();
    for index in &*gone {
        let Some(next) = commands
            .get(index + 1)
            .filter(|it| it.context.after_failure)
        else {
            continue;
        };
        let between = Span::new(commands[*index].span.end as usize, next.span.start as usize);
        let speaks = next
            .program()
            .is_some_and(|it| matches!(&*it, "true" | ":" | "exit" | "echo" | "return"));
        if speaks && between.of(&item.text).trim() == "||" {
            more.push(index + 1);
        }
    }
    gone.extend(more);
}

/// The changes that take the item `node` out of its list, with a comment above it that is about the alias. `None` if it
/// is no item of a list.
fn whole_item(file: &FileFacts, node: NodeId) -> Option<Vec<Change>> {
    let tree = file.tree();
    let list = tree.node(node).parent?;
    let NodeKind::Sequence(sequence) = &tree.node(list).kind else {
        return None;
    };
    let index = sequence.items.iter().position(|it| *it == node)?;
    let mut changes = vec![Change {
        file: file.id,
        node: list,
        kind: ChangeKind::RemoveItem {
            index: u32::try_from(index).ok()?,
        },
    }];
    if let (Some(comment), Some(root)) = (comment_above(file, &tree, node), tree.root()) {
        changes.push(Change {
            file: file.id,
            node: root,
            kind: ChangeKind::ReplaceComment {
                comment,
                text: String::new(),
            },
        });
    }
    Some(changes)
}

/// The comment on the line above the item, if it is one line about the alias.
fn comment_above(file: &FileFacts, tree: &Tree, node: NodeId) -> Option<Span> {
    let start = tree.node(node).span.start as usize;
    let text = file.slice(Span::new(0, start));
    let line = text.rfind('\n')?;
    let indentation = text[line + 1..].len() - text[line + 1..].trim_start().len();
    let above = text[..line].trim_end_matches('\r');
    let first = above.rfind('\n').map_or(0, |it| it + 1);
    let comment = above[first..].trim_start_matches(' ');
    let from = above.len() - comment.len();
    let before = text[..first].lines().next_back().unwrap_or("");
    let known = tree
        .comments()
        .iter()
        .find(|it| it.start as usize == from)?;
    let own = from - first == indentation
        && !before.trim_start().starts_with('#')
        && is_about_the_alias(known.of(text));
    own.then_some(*known)
}

/// Whether every list keeps a command.
///
/// # Errors
/// One would be empty, which CodeBuild refuses.
fn not_empty(context: &Context<'_>, removed: &[Change]) -> Result<(), Refusal> {
    let mut counts: BTreeMap<(FileId, NodeId), usize> = BTreeMap::new();
    for change in removed {
        if matches!(change.kind, ChangeKind::RemoveItem { .. }) {
            *counts.entry((change.file, change.node)).or_default() += 1;
        }
    }
    for ((file, list), count) in counts {
        let tree = context.workspace.file(file).tree();
        let node = tree.node(list);
        if let NodeKind::Sequence(sequence) = &node.kind
            && sequence.items.len() <= count
        {
            let refusal = Refusal::new(
                RefusalCode::NoPlace,
                "a list of commands would be left empty, which CodeBuild does not accept",
            );
            return Err(refusal.at(file, node.span, "only the alias is made here"));
        }
    }
    Ok(())
}

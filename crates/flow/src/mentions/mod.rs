//! Mentions: every place of a repository that names one of its images by `latest`.
//!
//! The readers of this crate explain places: they know who acts on one, and how it is written. This module is the
//! guard behind them. It searches the text of every file, those that no reader knows included, so that a fix which
//! would leave an old name behind can be refused. What nobody reads (comments, Markdown, text for the log) is left
//! out; what cannot be told apart from a moved image counts.

mod callers;
mod find;
mod name;
mod reader;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tagwright_syntax::position::{LineIndex, Position};
use tagwright_syntax::{SmolStr, Span};

pub use callers::other_caller;
pub use find::System;
use find::{Found, Shape};
use name::Name;
pub use reader::is_prose;
use reader::{Reader, Text};

use crate::facts::{AssignmentFact, AssignmentPlace, FileFacts, ImageUse};
use crate::recent::Recent;
use crate::tools::{Role, Tool};
use crate::{FileId, FileKind, UseId, Workspace};

/// The text files around a workspace: those of the same repository that no reader knows.
pub trait Surroundings: Sync {
    /// Calls `found` with the path (relative to the workspace's folder, with `/`) and the text of each.
    fn each(&self, found: &mut dyn FnMut(&str, &str));
}

/// No files around the workspace.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Surroundings for Alone {
    fn each(&self, _: &mut dyn FnMut(&str, &str)) {}
}

/// A place that names an image, and that no reader explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The file's path, relative to the workspace's folder.
    pub path: Arc<str>,
    /// The file, if it is one of the workspace.
    pub file: Option<FileId>,
    /// Its bytes.
    pub span: Span,
    /// Line and column, 1-based.
    pub position: Position,
    /// What is there, for people: `$REPO:latest`, `image_tag=latest`.
    pub written: SmolStr,
    /// Whether it deploys again what a definition elsewhere names, rather than naming the image.
    pub redeploys: bool,
}

/// What a fix moves.
#[derive(Clone, Debug, Default)]
pub struct Moved {
    /// The places that name an image.
    pub uses: HashSet<UseId>,
    /// Tags that stand elsewhere, bytes of files: what a script is given.
    pub written: Vec<(FileId, Span)>,
}

/// All places of a repository that may name an image.
pub struct Index {
    files: Vec<File>,
    places: Vec<Place>,
    /// The places in each file of the workspace, by the image of the file that they name.
    by_file: HashMap<(FileId, Option<usize>), Vec<usize>>,
    /// The names of the places that count for images of other files, each once, with these places.
    named: Vec<(Name, Vec<usize>)>,
    /// The indices of the names by their last part.
    by_tail: HashMap<String, Vec<usize>>,
    /// The indices of the names that may be those of images that have been asked about: many images of a workspace
    /// are written alike.
    alike: Mutex<HashMap<Name, Arc<[usize]>>>,
    /// The same without one that is text.
    open: Vec<usize>,
    /// The image that a use is of.
    flow_of: HashMap<UseId, usize>,
}

struct File {
    path: Arc<str>,
    text: Arc<str>,
    id: Option<FileId>,
    /// Pushes images of its own, so that a place without a name is about those.
    pushes: bool,
    /// Its tree and lines, where somebody has asked for them lately.
    recent: Recent,
}

struct Place {
    file: usize,
    found: Found,
    /// The name, resolved; `None` where there is none.
    name: Option<Name>,
    /// The use of an image that a reader knows here.
    known: Option<UseId>,
    /// Of which image of the file, if its name is the very name of one.
    flow: Option<usize>,
    reader: OnceLock<Reader>,
}

impl Index {
    /// Searches all files of the workspace and around it, but for those of the workspace that are `skipped`.
    #[must_use]
    pub fn new(
        workspace: &Workspace,
        surroundings: &dyn Surroundings,
        skipped: &dyn Fn(FileId) -> bool,
    ) -> Self {
        let mut index = Self {
            files: Vec::new(),
            places: Vec::new(),
            by_file: HashMap::new(),
            named: Vec::new(),
            by_tail: HashMap::new(),
            alike: Mutex::default(),
            open: Vec::new(),
            flow_of: HashMap::new(),
        };
        for (at, flow) in workspace.flows().iter().enumerate() {
            index.flow_of.extend(flow.uses.iter().map(|id| (*id, at)));
        }
        let replaced = Replaced::of(workspace);
        for facts in workspace.files() {
            if !skipped(facts.id) {
                index.add_read(workspace, facts, &replaced);
            }
        }
        surroundings.each(&mut |path, text| {
            let found = find::find(text);
            if !found.is_empty() {
                let values = assignments_of_text(text);
                index.add(
                    File {
                        path: path.into(),
                        text: text.into(),
                        id: None,
                        pushes: false,
                        recent: Recent::default(),
                    },
                    found,
                    |name| Known {
                        name: name.resolve(&values),
                        ..Known::default()
                    },
                );
            }
        });
        index.sort_out(workspace);
        index
    }

    /// The image that a use is of: its 0-based index among the flows of the workspace.
    #[must_use]
    pub fn flow_of(&self, id: UseId) -> Option<usize> {
        self.flow_of.get(&id).copied()
    }

    /// A file that a reader knows.
    fn add_read(&mut self, workspace: &Workspace, facts: &FileFacts, replaced: &Replaced) {
        let found = find::find(&facts.text);
        if found.is_empty() {
            return;
        }
        let pushes = facts.uses.iter().any(|image| image.role.pushes());
        let uses = Spans::of(facts);
        let values = match facts.kind {
            // Of one that nobody runs nothing else is known.
            FileKind::Script => assignments_of_text(&facts.text),
            _ => assignments_of(facts),
        };
        let mut names: HashMap<Name, usize> = HashMap::new();
        for (at, image) in facts.uses.iter().enumerate() {
            if let Some(flow) = self.flow_of.get(&use_id(facts.id, at)) {
                let name = Name::read(image.repository.key());
                names.entry(name).or_insert(*flow);
            }
        }
        let file = File {
            path: Arc::clone(&facts.path),
            text: Arc::clone(&facts.text),
            id: Some(facts.id),
            pushes,
            recent: Recent::default(),
        };
        let first = self.places.len();
        self.add(file, found, |name| {
            let name = name.resolve(&values);
            let flow = names.get(&name).copied();
            Known { flow, name }
        });
        let unread = Cover::of([overwritten(facts), never_read(facts), searched(facts)].concat());
        let found = self.places.split_off(first);
        let lives = |place: &Place| {
            let named = match place.found.shape {
                Shape::Reference(name) => Span {
                    start: name.start,
                    ..place.found.span
                }
                .of(&facts.text),
                _ => "",
            };
            !unread.contains(place.found.span) && !replaced.has(&facts.path, named)
        };
        self.places.extend(found.into_iter().filter(lives));
        for place in &mut self.places[first..] {
            if let Some(at) = uses.at(place.found.span) {
                let id = use_id(facts.id, at);
                let image = workspace.image_use(id);
                place.known = Some(id);
                let key = image.repository.key();
                if image.tool == Tool::Kustomize && is_placeholder(&facts.text, place, key) {
                    place.found.shape = Shape::Redeploy(System::Kustomize);
                    (place.name, place.flow) = (None, None);
                } else if !key.is_empty() {
                    place.name = Some(Name::read(key));
                    place.flow = self.flow_of.get(&id).copied();
                }
            }
        }
    }

    fn add(&mut self, file: File, found: Vec<Found>, read: impl Fn(Name) -> Known) {
        for found in found {
            let written = match found.shape {
                Shape::Reference(name) => Some(name.of(&file.text)),
                _ => None,
            };
            let known = written
                .filter(|name| !name.is_empty())
                .map(|name| read(Name::read(name)));
            self.places.push(Place {
                file: self.files.len(),
                found,
                flow: known.as_ref().and_then(|known| known.flow),
                name: known.map(|known| known.name),
                known: None,
                reader: OnceLock::new(),
            });
        }
        self.files.push(file);
    }

    /// Sorts the places by where they count.
    fn sort_out(&mut self, workspace: &Workspace) {
        let mut known: HashMap<&Name, usize> = HashMap::new();
        for (at, place) in self.places.iter().enumerate() {
            let file = &self.files[place.file];
            if let Some(id) = file.id {
                self.by_file.entry((id, place.flow)).or_default().push(at);
            }
            // An image that is pushed by itself moves by itself.
            if place
                .flow
                .is_some_and(|flow| workspace.flows()[flow].pushed)
            {
                continue;
            }
            let with_tail = place.name.as_ref().and_then(|it| Some((it, it.tail()?)));
            match with_tail {
                Some((name, tail)) => {
                    let index = *known.entry(name).or_insert_with(|| {
                        let of_tail = self.by_tail.entry(tail.to_owned()).or_default();
                        of_tail.push(self.named.len());
                        self.named.push((name.clone(), Vec::new()));
                        self.named.len() - 1
                    });
                    self.named[index].1.push(at);
                }
                None if file.pushes => {}
                None => self.open.push(at),
            }
        }
    }

    /// The first place that would still name the image `name` (as [`crate::Flow::name`] writes it) by `latest`, if
    /// nothing but what is in `moved` changed. `flow` is its index in the
    /// workspace, if it is there, and `files` are the files that have it.
    #[must_use]
    pub fn left_behind(
        &self,
        workspace: &Workspace,
        name: &str,
        flow: Option<usize>,
        files: &[FileId],
        moved: &Moved,
    ) -> Option<Mention> {
        let own = Owner {
            varying: flow
                .map(|flow| varying(workspace, flow))
                .unwrap_or_default(),
            name: Name::read(name),
        };
        let systems = flow
            .map(|flow| systems(workspace, flow))
            .unwrap_or_default();
        let still_pushed = flow
            .map(|flow| fallbacks_pushed(workspace, flow, &moved.uses))
            .unwrap_or_default();
        // Each list is ascending, and what another image of these files is named by is not about this one.
        let here = |flow| {
            let lists = files.iter().map(move |file| (*file, flow));
            lists.filter_map(|key| self.by_file.get(&key))
        };
        let own_here = flow.into_iter().flat_map(|flow| here(Some(flow)));
        let alike: Vec<Arc<[usize]>> = own.names().iter().map(|it| self.alike(it)).collect();
        let named = alike.iter().flat_map(|it| it.iter());
        let named = named.map(|index| &self.named[*index].1);
        let left = |at: &&usize| {
            let place = &self.places[**at];
            let redeploys = match place.found.shape {
                Shape::Redeploy(system) => systems.contains(&system),
                _ => false,
            };
            !redeploys
                && !self.is_one_of(place, &still_pushed)
                && self.is_about(place, &own, flow, files, moved)
                && self.is_read(place, &own)
        };
        own_here
            .chain(here(None))
            .chain(named)
            .chain([&self.open])
            .filter_map(|places| places.iter().find(left))
            .min()
            .map(|at| self.mention(&self.places[*at]))
    }

    /// The names that `own` may be, without those of which no part at the end is text.
    fn alike(&self, own: &Name) -> Arc<[usize]> {
        let lock = || self.alike.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(own) {
            return Arc::clone(known);
        }
        let may_be = |index: &usize| name::may_be(own, &self.named[*index].0);
        let found: Arc<[usize]> = match own.tail() {
            Some(tail) => {
                let of_tail = self.by_tail.get(tail).into_iter().flatten().copied();
                of_tail.filter(may_be).collect()
            }
            None => (0..self.named.len()).filter(may_be).collect(),
        };
        lock().insert(own.clone(), Arc::clone(&found));
        found
    }

    fn is_one_of(&self, place: &Place, texts: &[(FileId, Span)]) -> bool {
        self.files[place.file].id.is_some_and(|id| {
            let span = place.found.span;
            texts
                .iter()
                .any(|(file, text)| *file == id && text.contains(span))
        })
    }

    /// Whether the place may name the image, and does not move with it.
    fn is_about(
        &self,
        place: &Place,
        own: &Owner,
        flow: Option<usize>,
        files: &[FileId],
        moved: &Moved,
    ) -> bool {
        if place.known.is_some_and(|id| moved.uses.contains(&id)) {
            return false;
        }
        let of = self.files[place.file].id;
        let mut written = moved.written.iter();
        if written.any(|(file, span)| of == Some(*file) && place.found.span.contains(*span)) {
            return false;
        }
        if let (Some(of), Some(flow)) = (place.flow, flow)
            && of == flow
        {
            return true;
        }
        let file = &self.files[place.file];
        let here = file.id.is_some_and(|id| files.contains(&id));
        match &place.name {
            Some(name) if place.flow.is_some() && here => own.takes(name),
            Some(name) if name.is_open() => here || !file.pushes,
            Some(name) => own.may_be(name),
            None => here || !file.pushes,
        }
    }

    /// Whether anybody reads the place, and it is not about another repository that stands beside it.
    fn is_read(&self, place: &Place, own: &Owner) -> bool {
        let reader = place.reader.get_or_init(|| {
            let file = &self.files[place.file];
            let read = file.recent.get(|| Text::new(&file.path, &file.text));
            read.reader(&place.found)
        });
        match reader {
            Reader::Nobody => false,
            Reader::Somebody { repository: None } => true,
            Reader::Somebody {
                repository: Some(name),
            } => own.may_be(&Name::read(name)),
        }
    }

    fn mention(&self, place: &Place) -> Mention {
        let file = &self.files[place.file];
        let span = place.found.span;
        let (start, redeploys) = match place.found.shape {
            Shape::Reference(name) | Shape::Value(name) => (name.start.min(span.start), false),
            Shape::Redeploy(System::Kustomize) => {
                let head = &file.text[..span.start as usize];
                let word =
                    head.trim_end_matches(|c: char| !c.is_whitespace() && !"\"'".contains(c));
                (Span::empty(word.len()).start, false)
            }
            Shape::Redeploy(_) => (span.start, true),
            Shape::Word | Shape::Untagged(_) => (span.start, false),
        };
        let (mut start, mut end) = (start, span.end);
        if let Shape::Untagged(_) = place.found.shape {
            // The whole address, `aws_ecr_repository.web.repository_url`.
            let head = file.text[..start as usize]
                .trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "_-.".contains(c));
            start = Span::empty(head.len()).start;
        }
        let named = &file.text[start as usize..end as usize];
        let open = named.matches("${").count() > named.matches('}').count();
        if open && file.text[end as usize..].starts_with('}') {
            end += 1;
        }
        let span = Span { start, end };
        let lines = file.recent.get(|| LineIndex::new(&file.text));
        Mention {
            path: Arc::clone(&file.path),
            file: file.id,
            span,
            position: lines.position(&file.text, start),
            // Quotes in it would open others in a message.
            written: span.of(&file.text).replace(['"', '\'', '\\'], "").into(),
            redeploys,
        }
    }
}

/// The image that is asked about.
struct Owner {
    name: Name,
    /// The names that it takes in turn, where a loop or the argument of a function is in its name.
    varying: Vec<Name>,
}

impl Owner {
    /// Whether `name`, which the same file gives to an image of its own, is one of those that it takes in turn.
    fn takes(&self, name: &Name) -> bool {
        self.varying.iter().any(|own| name::may_be(own, name))
    }

    /// The names that it takes in turn, or the one that it has.
    fn names(&self) -> &[Name] {
        if self.varying.is_empty() {
            std::slice::from_ref(&self.name)
        } else {
            &self.varying
        }
    }

    fn may_be(&self, name: &Name) -> bool {
        self.names().iter().any(|own| name::may_be(own, name))
    }
}

/// The names of the image, where a variable is in it that has one value after the other: that of a loop, what is read
/// from a file, an argument.
fn varying(workspace: &Workspace, flow: usize) -> Vec<Name> {
    let mut found = Vec::new();
    for id in &workspace.flows()[flow].uses {
        let facts = workspace.file(id.file);
        let name = Name::read(workspace.image_use(*id).repository.key());
        let turns = |variable: &str| {
            let looped = |it: &AssignmentFact| it.place == AssignmentPlace::Loop;
            if facts.assigned(variable).any(looped) {
                return Some(words_of_loops(facts, variable));
            }
            let argument = variable.bytes().all(|b| b.is_ascii_digit());
            argument.then(Vec::new)
        };
        for name in name.in_turn(&turns) {
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
    found
}

/// The words that loops over `variable` run over; none if not all are written out.
fn words_of_loops(facts: &FileFacts, variable: &str) -> Vec<String> {
    let scripts = facts.scripts();
    let commands = scripts.iter().flat_map(|item| &item.script.commands);
    let loops = commands.flat_map(|command| &command.context.loops);
    let words = loops
        .filter(|it| it.variable.as_deref() == Some(variable))
        .flat_map(|it| &it.words);
    let written = words.map(|word| word.literal().filter(|text| !text.contains('*')));
    written.collect::<Option<Vec<String>>>().unwrap_or_default()
}

/// How an image is pushed as `latest`.
#[derive(Default)]
struct Pushed {
    /// Whether some push has no other tag; otherwise `latest` is only what one falls back to.
    certain: bool,
    /// The files that have the image.
    files: BTreeSet<FileId>,
}

/// The images that may be pushed as `latest`, by name.
fn pushed_as_latest(workspace: &Workspace) -> BTreeMap<SmolStr, Pushed> {
    let mut pushed: BTreeMap<SmolStr, Pushed> = BTreeMap::new();
    for flow in workspace.flows() {
        let uses = flow.uses.iter().map(|id| workspace.image_use(*id));
        let mut latest = uses
            .filter(|image| image.role.pushes())
            .filter(|image| image.may_be_latest())
            .peekable();
        if latest.peek().is_some() {
            let entry = pushed.entry(flow.name.clone()).or_default();
            entry.certain |= latest.any(ImageUse::is_latest);
            entry.files.extend(flow.uses.iter().map(|id| id.file));
        }
    }
    pushed
}

/// The images that `before` pushes as `latest` and `after` no more, each with the first place that still names it
/// so. Both are the same files with other texts; `surroundings` are the files around them. The files of `after`
/// that are `skipped` are not searched.
#[must_use]
pub fn left_by_change(
    before: &Workspace,
    after: &Workspace,
    surroundings: &dyn Surroundings,
    skipped: &dyn Fn(FileId) -> bool,
) -> Vec<(SmolStr, Mention)> {
    let (old, new) = (pushed_as_latest(before), pushed_as_latest(after));
    let moved: Vec<_> = old
        .into_iter()
        .filter(|(name, old)| new.get(name).is_none_or(|new| old.certain && !new.certain))
        .map(|(name, old)| (name, old.files))
        .collect();
    if moved.is_empty() {
        return Vec::new();
    }
    let index = Index::new(after, surroundings, skipped);
    let left = moved.into_iter().filter_map(|(name, files)| {
        let files: Vec<FileId> = files.into_iter().collect();
        let mut flows = after.flows().iter();
        let flow = flows.position(|flow| flow.name == name);
        let mention = index.left_behind(after, &name, flow, &files, &Moved::default())?;
        Some((name, mention))
    });
    left.collect()
}

#[derive(Default)]
struct Known {
    name: Name,
    flow: Option<usize>,
}

fn use_id(file: FileId, index: usize) -> UseId {
    UseId {
        file,
        index: u32::try_from(index).unwrap_or(u32::MAX),
    }
}

/// Spans that are asked whether one of them holds another span.
struct Cover(Vec<Span>);

impl Cover {
    fn of(mut spans: Vec<Span>) -> Self {
        spans.sort_unstable_by_key(|span| span.start);
        let mut furthest = 0;
        for span in &mut spans {
            // Of those that start here or before, where the longest ends.
            furthest = furthest.max(span.end);
            span.end = furthest;
        }
        Self(spans)
    }

    fn contains(&self, span: Span) -> bool {
        let before = self.0.partition_point(|it| it.start <= span.start);
        let last = before.checked_sub(1).map(|at| self.0[at]);
        last.is_some_and(|last| last.end >= span.end)
    }
}

/// The bytes of a file in which a reader has seen an image.
struct Spans(Vec<Seen>);

struct Seen {
    span: Span,
    /// Which use.
    index: usize,
    /// The nearest one before it that ends behind it: what stands between the two holds nothing that it does not.
    outer: Option<usize>,
}

impl Spans {
    fn of(facts: &FileFacts) -> Self {
        let mut spans = Vec::new();
        for (index, image) in facts.uses.iter().enumerate() {
            spans.push((image.span, index));
            spans.extend(
                image
                    .tags
                    .iter()
                    .filter_map(|tag| Some((tag.site?.source, index))),
            );
        }
        // By start, the longer first, of equal ones the first use last.
        spans.sort_unstable_by_key(|(span, index)| (span.start, Reverse((span.end, *index))));
        let mut sorted: Vec<Seen> = Vec::with_capacity(spans.len());
        for (span, index) in spans {
            let mut outer = sorted.len().checked_sub(1);
            while let Some(at) = outer.filter(|at| sorted[*at].span.end < span.end) {
                outer = sorted[at].outer;
            }
            sorted.push(Seen { span, index, outer });
        }
        Self(sorted)
    }

    /// The use whose bytes hold `span`: the narrowest.
    fn at(&self, span: Span) -> Option<usize> {
        let after = self.0.partition_point(|it| it.span.start <= span.start);
        let nearest = after.checked_sub(1);
        let mut around = std::iter::successors(nearest, |at| self.0[*at].outer);
        around
            .find(|at| self.0[*at].span.contains(span))
            .map(|at| self.0[at].index)
    }
}

/// Assignments in commands to variables that nothing reads as a tag: no command of the file, and no program or sourced
/// file that could get them.
fn never_read(facts: &FileFacts) -> Vec<Span> {
    let reads: HashSet<&SmolStr> = facts.reads.iter().map(|read| &read.name).collect();
    let unread = |name: &SmolStr| {
        let mut assignments = facts.assigned(name);
        let other = || reader::is_only_read_by_others(&facts.scripts(), name);
        !assignments.any(|it| it.exported || it.place != AssignmentPlace::Command)
            && (!reads.contains(name) || facts.has_commands() && other())
    };
    let mut found: Vec<&AssignmentFact> = facts
        .assignments
        .iter()
        .filter(|it| it.place == AssignmentPlace::Command && unread(&it.name))
        .collect();
    if !found.is_empty() {
        let habits = facts.habits();
        if habits.sets_unknown || habits.exports_all || habits.expands {
            found.clear();
        }
        found.retain(|it| {
            !habits.exported.contains(&it.name) && !habits.prefixed.contains(&it.name)
        });
    }
    found.into_iter().map(|it| it.span).collect()
}

/// Entries of `env.variables` that a command replaces in any case: what they say, nobody reads.
fn overwritten(facts: &FileFacts) -> Vec<Span> {
    let replaced = |name: &SmolStr| {
        let mut commands = facts.assigned(name);
        commands.any(|it| it.place == AssignmentPlace::Command && !it.conditional && !it.subshell)
    };
    let entries = facts.assignments.iter();
    entries
        .filter(|it| it.place == AssignmentPlace::EnvVariables && replaced(&it.name))
        .map(|it| it.span)
        .collect()
}

/// What `sed` looks for in files that it edits in place. It deploys nothing; the place that it looks for does, and is
/// a place of its own.
fn searched(facts: &FileFacts) -> Vec<Span> {
    let commands = facts.edited.iter().map(|it| it.span);
    commands
        .flat_map(|span| {
            let base = span.start as usize;
            patterns(span.of(&facts.text))
                .into_iter()
                .map(move |range| Span::new(base + range.start, base + range.end))
        })
        .collect()
}

/// The patterns of the substitutions in a command of sed: what stands between the first two signs of `s|…|…|`.
fn patterns(command: &str) -> Vec<std::ops::Range<usize>> {
    let bytes = command.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at + 2 < bytes.len() {
        let begins = at == 0 || b" \t'\";{=/,0123456789$".contains(&bytes[at - 1]);
        let sign = bytes[at + 1];
        if bytes[at] != b's' || !begins || !b"|#,@~%!/:;^+".contains(&sign) {
            at += 1;
            continue;
        }
        let start = at + 2;
        let mut end = start;
        while end < bytes.len() && bytes[end] != sign {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        if end >= bytes.len() {
            break;
        }
        found.push(start..end);
        at = end;
    }
    found
}

/// The references that `sed` looks for in files of the workspace: what it finds is written anew before anybody
/// reads it.
struct Replaced(Vec<(SmolStr, String)>);

impl Replaced {
    fn of(workspace: &Workspace) -> Self {
        let mut edits = Vec::new();
        for facts in workspace.files() {
            for edited in &facts.edited {
                let command = edited.span.of(&facts.text).replace('\\', "");
                // A build may start in the folder of its buildspec.
                if let Some((folder, _)) = facts.path.rsplit_once('/') {
                    edits.push((format!("{folder}/{}", edited.path).into(), command.clone()));
                }
                edits.push((edited.path.clone(), command));
            }
        }
        Self(edits)
    }

    /// Whether the whole reference `named` in the file at `path` is replaced.
    fn has(&self, path: &str, named: &str) -> bool {
        let pattern = format!("s|{named}|");
        !named.is_empty()
            && self
                .0
                .iter()
                .any(|(file, command)| **file == *path && command.contains(&pattern))
    }
}

/// What variables of a file are set to, by its facts.
fn assignments_of(facts: &FileFacts) -> BTreeMap<String, Vec<String>> {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for assignment in &facts.assignments {
        let held = values.entry(assignment.name.to_string()).or_default();
        let value = match assignment.place {
            AssignmentPlace::Command | AssignmentPlace::EnvVariables => {
                assignment.value.to_string()
            }
            // Anything, more than once.
            AssignmentPlace::Store | AssignmentPlace::Loop => {
                held.push(String::new());
                continue;
            }
        };
        if !held.contains(&value) {
            held.push(value);
        }
    }
    values
}

/// What variables are set to in a text that no reader knows: `NAME=value`, `NAME := value`, `ARG NAME=value` at
/// the start of a line. Used only to tell images apart.
fn assignments_of_text(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        let line = line.trim_start();
        let line = ["export ", "ARG ", "ENV ", "readonly ", "local "]
            .iter()
            .find_map(|word| line.strip_prefix(word))
            .unwrap_or(line);
        let end = line
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        let rest = rest.trim_start_matches([' ', ':', '?']);
        let Some(value) = rest.strip_prefix('=').filter(|_| !name.is_empty()) else {
            continue;
        };
        let value = value.trim_start();
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split(quote).next().unwrap_or(""),
            _ => value.split([' ', '\t', ';', '#']).next().unwrap_or(""),
        };
        let held = values.entry(name.to_owned()).or_default();
        if !held.iter().any(|known| known == value) {
            held.push(value.to_owned());
        }
    }
    values
}

/// Where `latest` is what a tag falls back to that the image is still pushed under: `TAG=${COMMIT:=latest}`. Whoever
/// reads the tag gets what was pushed, so the place is no old name; but a build that knows its commit never pushes
/// `latest`, so it keeps no other place alive.
fn fallbacks_pushed(
    workspace: &Workspace,
    flow: usize,
    moved: &HashSet<UseId>,
) -> Vec<(FileId, Span)> {
    let uses = workspace.flows()[flow].uses.iter();
    let pushes = uses.filter(|id| !moved.contains(id)).filter_map(|id| {
        let image = workspace.image_use(*id);
        (image.role.pushes() && !image.is_latest()).then_some((id.file, image))
    });
    pushes
        .flat_map(|(file, image)| {
            let latest = image.tags.iter().filter(|tag| tag.kind.is_latest());
            latest.filter_map(move |tag| Some((file, tag.site?.source)))
        })
        .collect()
}

/// Whether kustomize is given a tag for an image that it knows by a name alone (`web=*:latest`): the kustomization
/// says which image that is, so it may be any.
fn is_placeholder(text: &str, place: &Place, key: &str) -> bool {
    text[..place.found.span.start as usize].ends_with("=*:") && !key.contains(['/', '$'])
}

/// The systems to which something in the workspace gives the image by name, so that they keep no older one.
fn systems(workspace: &Workspace, flow: usize) -> Vec<System> {
    let uses = workspace.flows()[flow].uses.iter();
    uses.filter_map(|id| {
        let image: &ImageUse = workspace.image_use(*id);
        let deploys = matches!(image.role, Role::Deploy | Role::Record);
        let kind = workspace.file(id.file).kind;
        match image.tool {
            _ if !deploys => None,
            Tool::Kubectl | Tool::Helm | Tool::Kustomize | Tool::Sed => Some(System::Kubernetes),
            Tool::AwsEcs | Tool::ImageDefinitions => Some(System::Ecs),
            Tool::AwsAppRunner => Some(System::AppRunner),
            Tool::CloudFormation => Some(System::CloudFormation),
            _ if kind == FileKind::TaskDefinition => Some(System::Ecs),
            _ if kind == FileKind::Dockerrun => Some(System::Beanstalk),
            _ if kind == FileKind::Compose => Some(System::Compose),
            _ => None,
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sed_looks_for_what_stands_between_its_signs() {
        for (command, expected) in [
            ("sed -i \"s|a:latest|a:$T|\" x.json", &["a:latest"][..]),
            ("sed -i 's#a/b:latest#c#g;s,d,e,' x", &["a/b:latest", "d"]),
            ("sed -i s/a\\/b:latest/c/ x", &["a\\/b:latest"]),
            ("sed -i -e's@a:latest@b@' images", &["a:latest"]),
            ("sed -i '1s|a|b|' x", &["a"]),
            ("sed -i 's|a:latest x", &[]),
            ("sed -i '/latest/d' files", &[]),
        ] {
            let found: Vec<&str> = patterns(command)
                .into_iter()
                .map(|range| &command[range])
                .collect();
            assert_eq!(found, expected, "{command}");
        }
    }
}

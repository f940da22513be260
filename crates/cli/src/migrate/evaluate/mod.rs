//! What a build will push and deploy, worked out from its commands without a shell.
//!
//! The commands of a buildspec are followed in the order in which they run, with the variables that what starts the
//! build sets. Simple assignments, expansions and the small programs that make tags are understood; all else stays as
//! it is written, and a command that may be skipped adds an alternative. The command that fixes insert is not followed
//! word by word: `Derivation::outcome` says what it does.
//!
//! Nothing is ever run. The tests run the same builds under dash and compare.

mod pattern;
mod programs;
mod shell;
mod start;
mod value;

use tagwright_flow::expression::Expansion;
use tagwright_flow::facts::{CopilotUse, FileFacts, ImageUse, TagKind};
use tagwright_flow::tools::Role;
use tagwright_rules::Settings;
use tagwright_syntax::Span;
use tagwright_syntax::buildspec::Buildspec;
use tagwright_syntax::shell::parse;
use tagwright_syntax::yaml::{self, NodeId, Tree};

use shell::{At, Shell, Visitor};
pub use start::Start;
pub use value::{Tag, Text, Values};

/// What a build does with images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// The places that name an image, in the order in which they run; one in a loop several times.
    pub steps: Vec<Step>,
    /// The build ends on its own before it is through: it knows no branch.
    pub stops: bool,
    /// The definition of the branch that fixes insert ran.
    pub derives: bool,
}

/// What one place does with one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which place.
    pub place: Place,
    /// What it does.
    pub role: Role,
    /// The repository.
    pub repository: Text,
    /// The tag.
    pub tag: Tag,
    /// It may be skipped.
    pub conditional: bool,
}

/// A place that names an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// 0-based index in the file's uses.
    Use(usize),
    /// 0-based index in the file's calls of Copilot.
    Copilot(usize),
}

/// What the build of a buildspec, `facts` of the text `text`, does with images. `None` where the commands cannot be
/// followed: in another language than sh, or inside another file.
#[must_use]
pub fn build(facts: &FileFacts, text: &str, start: &Start, settings: &Settings) -> Option<Build> {
    let spec = facts.buildspec.as_ref()?;
    if spec.inline
        || spec.template.is_some()
        || spec.shell != tagwright_flow::facts::ShellKind::Posix
    {
        return None;
    }
    let tree = yaml::parse(text);
    let view = Buildspec::read(&tree, tree.root()?)?;
    let mut shell = Shell::new(start, settings);
    for entry in &view.env.variables {
        if let (Some(name), Some(value)) = (tree.text(entry.key), tree.text(entry.value)) {
            shell.provide(name, Values::one(Text::known(value)));
        }
    }
    for entry in view
        .env
        .parameter_store
        .iter()
        .chain(&view.env.secrets_manager)
    {
        if let Some(name) = tree.text(entry.key) {
            shell.provide(name, Values::one(Text::unknown(format!("${{{name}}}"))));
        }
    }
    let mut build = Build::default();
    for (.., node) in view.commands() {
        let node = tree.resolve(node);
        let Some(command) = tree.text(node) else {
            continue;
        };
        let mut item = Item {
            facts,
            text,
            places: places(facts, text, &tree, node),
            steps: &mut build.steps,
        };
        shell.item(command, &mut item);
        build.derives |= shell.derives;
        if shell.stopped {
            build.stops = true;
            break;
        }
    }
    Some(build)
}

/// The places in the scalar `node`, each with its bytes in the scalar's decoded text.
fn places(facts: &FileFacts, text: &str, tree: &Tree, node: NodeId) -> Vec<(Span, Place)> {
    let whole = tree.node(node).span;
    let Some(map) = tree.source_map(text, node) else {
        return Vec::new();
    };
    let decoded = |span: Span| {
        if !whole.contains(span) {
            return None;
        }
        let start = map.decoded(span.start)?;
        // The byte behind the value's last one is not the value's, and an escape has no offset.
        let last = span.end.checked_sub(1).filter(|last| *last >= span.start);
        let end = last
            .and_then(|last| map.decoded(last))
            .map_or(start, |last| last + 1);
        Some(Span { start, end })
    };
    let uses = facts.uses.iter().enumerate();
    let uses = uses.filter_map(|(index, it)| Some((decoded(it.span)?, Place::Use(index))));
    let calls = facts.copilot.iter().enumerate();
    let calls = calls.filter(|(_, call)| is_deployment(call));
    let calls = calls.filter_map(|(index, it)| Some((decoded(it.span)?, Place::Copilot(index))));
    uses.chain(calls).collect()
}

/// Whether the call of Copilot builds an image and deploys it, or prepares that.
#[must_use]
pub fn is_deployment(call: &CopilotUse) -> bool {
    let last = call.subcommand.rsplit(' ').next().unwrap_or_default();
    matches!(last, "deploy" | "package") && !call.subcommand.starts_with("env")
}

/// One item of a list of commands.
struct Item<'a> {
    facts: &'a FileFacts,
    text: &'a str,
    places: Vec<(Span, Place)>,
    steps: &'a mut Vec<Step>,
}

impl Visitor for Item<'_> {
    fn offsets(&self) -> Vec<usize> {
        self.places
            .iter()
            .map(|(span, _)| span.start as usize)
            .collect()
    }

    fn visit(&mut self, index: usize, at: &At<'_>, shell: &mut Shell<'_>) {
        let (span, place) = self.places[index];
        match place {
            Place::Use(image) => {
                let image = &self.facts.uses[image];
                let inside = |offset: u32| (offset as usize).checked_sub(at.base);
                let here = inside(span.start).zip(inside(span.end));
                // What single quotes keep from this shell, an inner one expands.
                let sites = image
                    .tags
                    .iter()
                    .filter_map(|tag| tag.site)
                    .chain(image.site);
                let by_inner = sites
                    .into_iter()
                    .any(|site| site.expansion == Expansion::InnerShell);
                let value = here
                    .map(|(start, end)| Span::new(start, end))
                    .filter(|span| !by_inner && at.text.get(span.range()) == Some(&*image.written))
                    .and_then(|span| shell.range(at, span));
                let value = value.unwrap_or_else(|| written(&image.written, shell));
                self.image(place, image, &value, at.conditional, shell);
            }
            Place::Copilot(call) => {
                let call = &self.facts.copilot[call];
                self.copilot(place, call, at.conditional, shell);
            }
        }
    }
}

impl Item<'_> {
    fn image(
        &mut self,
        place: Place,
        image: &ImageUse,
        values: &Values,
        conditional: bool,
        shell: &mut Shell<'_>,
    ) {
        let is_bare = image.tags.iter().any(|tag| {
            tag.kind != TagKind::Implicit
                && tag.kind != TagKind::Hidden
                && *tag.written == *image.written
        });
        for value in values.iter() {
            let (repository, tag) = if is_bare {
                let repository = written(image.repository.key(), shell);
                let repository = repository.iter().next().cloned().unwrap_or_default();
                (repository, Tag::Is(value.clone()))
            } else if image.tags.iter().any(|tag| tag.kind == TagKind::All) {
                (value.clone(), Tag::All)
            } else {
                value.split_reference()
            };
            self.steps.push(Step {
                place,
                role: image.role,
                repository,
                tag,
                conditional: conditional || image.conditional,
            });
        }
    }

    /// A call of Copilot builds, pushes and deploys the image of the workload that it names.
    fn copilot(
        &mut self,
        place: Place,
        call: &CopilotUse,
        conditional: bool,
        shell: &mut Shell<'_>,
    ) {
        let mut value = |name: &str| {
            let site = call.flag(name)?.value_site?;
            let text = self.text.get(site.source.range())?;
            Some(written(text, shell))
        };
        let names = value("name").unwrap_or_else(|| Values::one(Text::known("")));
        let tags = value("tag").map(|tags| tags.iter().cloned().map(Tag::Is).collect());
        let tags: Vec<Tag> = tags.unwrap_or_else(|| vec![Tag::Implicit]);
        for name in names.iter() {
            for tag in &tags {
                let mut repository = Text::known("copilot/");
                repository.push(name);
                self.steps.push(Step {
                    place,
                    role: Role::Deploy,
                    repository,
                    tag: tag.clone(),
                    conditional,
                });
            }
        }
    }
}

/// What the shell makes of the piece `text` of a word.
fn written(text: &str, shell: &mut Shell<'_>) -> Values {
    let unknown = || Values::one(Text::unknown(text));
    let line = format!(": {text}");
    let script = parse(&line);
    let Some(command) = script
        .commands
        .iter()
        .find(|command| command.context.substitution == 0)
    else {
        return unknown();
    };
    match command.words.as_slice() {
        [_, word] => shell.word(word, &line),
        _ => unknown(),
    }
}

//! From a buildspec's commands to facts.
//!
//! Commands are read in the order in which they run, with an [`Environment`] that simple assignments
//! fill; every place that names an image becomes an [`ImageUse`] with its repository and tag resolved as
//! far as that environment goes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use tagwright_syntax::buildspec::{Buildspec, Commands, Phase, Version};
use tagwright_syntax::shell::{
    Command, Part, PartKind, Quoting, Script, Status, Variable, Word, powershell,
};
use tagwright_syntax::yaml::{NodeId, NodeKind, Tree};
use tagwright_syntax::{SmolStr, SourceMap, Span};

use crate::FileId;
use crate::expression::{
    Environment, Expansion, Expression, Locate, MAX_ALTERNATIVES, Origin, Raw, Reason, Repository,
    Site, SplitTag, assigned, split_reference,
};
use crate::facts::{
    AssignmentFact, AssignmentPlace, BuildspecFacts, CommandList, ComposeUse, CopilotFlag,
    CopilotUse, EditedFile, FileFacts, HandedOn, IMAGE_FILES, ImageFiles, ImageUse, Oddity,
    OddityKind, Order, Redeploy, ScriptRun, ShellKind, TagKind, TagValue, VariableRead,
};
use crate::kind::{FileKind, has};
use crate::outputs;
use crate::search::AnyOf;
use crate::settle::Files;
use crate::tools::{
    self, Effects, Form, ImageArgument, InnerScope, Reading, Role, Seen, hands_on_scripts,
};

/// Facts of a file about which nothing is known yet.
#[must_use]
pub fn empty(id: FileId, path: &Arc<str>, text: &Arc<str>, kind: FileKind) -> FileFacts {
    FileFacts {
        id,
        path: Arc::clone(path),
        text: Arc::clone(text),
        kind,
        error: None,
        uses: Vec::new(),
        assignments: Vec::new(),
        reads: Vec::new(),
        copilot: Vec::new(),
        buildspec: None,
        workload: None,
        pipeline_stages: Vec::new(),
        repositories: Vec::new(),
        provided_variables: Vec::new(),
        rendered: Vec::new(),
        delivery: None,
        redeploys: Vec::new(),
        compose: Vec::new(),
        handed_on: Vec::new(),
        edited: Vec::new(),
        scripts: Vec::new(),
        runs: Vec::new(),
        script: None,
        oddities: Vec::new(),
        lookup: crate::lookup::Lookup::default(),
        recent: crate::recent::Recent::default(),
        habits: std::sync::OnceLock::new(),
    }
}

/// A tree and the text it was read from, and how to get from there to the file.
pub(crate) struct Source<'a> {
    /// The text.
    pub(crate) text: &'a str,
    /// Its tree.
    pub(crate) tree: &'a Tree,
    /// Where the text is itself the value of a scalar of another file: that scalar, and the map from the
    /// text to the file.
    pub(crate) host: Option<(NodeId, SourceMap)>,
    /// What reads `${…}` in the text before a shell does, if something does.
    pub(crate) template: Option<&'static str>,
}

/// Where a script stands.
struct Place<'a> {
    /// The scalar of the file.
    node: NodeId,
    /// From script bytes to decoded bytes of the scalar; `None` where they are the same.
    inner: Option<SourceMap>,
    /// From decoded bytes of the scalar to the file.
    outer: Option<&'a SourceMap>,
    /// The scalar's own span, for places that cannot be mapped.
    fallback: Span,
    base: Base,
    inside_quotes: bool,
}

#[derive(Clone, Copy)]
enum Base {
    Shell,
    Inner,
    Never(Reason),
}

impl Place<'_> {
    fn decoded(&self, span: Span) -> Option<Span> {
        match &self.inner {
            None => Some(span),
            Some(map) => map.is_verbatim(span).then(|| map.source(span)).flatten(),
        }
    }

    /// The bytes of the file, exact or the best that can be said.
    fn source(&self, span: Span) -> Span {
        let decoded = match &self.inner {
            None => Some(span),
            Some(map) => map.source(span),
        };
        decoded
            .and_then(|decoded| self.outer?.source(decoded))
            .unwrap_or(self.fallback)
    }
}

impl Locate for Place<'_> {
    fn locate(&self, span: Span, quoting: Quoting) -> Option<Site> {
        let range = self.decoded(span)?;
        let outer = self.outer?;
        if !outer.is_verbatim(range) {
            return None;
        }
        let single = matches!(quoting, Quoting::Single | Quoting::Ansi);
        let expansion = match self.base {
            Base::Shell if single => Expansion::SingleQuoted,
            Base::Shell => Expansion::Shell,
            Base::Inner if single => Expansion::Never(Reason::NestedSingleQuotes),
            Base::Inner => Expansion::InnerShell,
            Base::Never(reason) => Expansion::Never(reason),
        };
        Some(Site {
            node: self.node,
            range,
            source: outer.source(range)?,
            expansion,
            inside_quotes: self.inside_quotes,
        })
    }
}

/// Whether a command can matter at all.
fn may_matter(text: &str) -> bool {
    memchr::memchr3(b'$', b'=', b'<', text.as_bytes()).is_some()
        || tools::COMMAND_TRIGGERS.is_in(text)
}

/// Whether the command only prints text, or only logs in to a registry: the most common commands that need
/// the parser, for quotes and pipes, and say nothing about images.
fn says_nothing(text: &str, branch: Option<&str>) -> bool {
    let nothing = if text.starts_with("echo ") {
        !text.contains(['>', '|', '&', ';', '`', '\n', '(', '<', '{'])
    } else {
        text.starts_with("aws ecr get-login-password")
            && !text.contains(['>', '&', ';', '`', '\n', '(', '=', '<'])
            && text
                .split_once("| ")
                .and_then(|(_, login)| login.split_once(" login "))
                .is_some_and(|(name, rest)| tools::is_container_tool(name) && !rest.contains('|'))
    };
    nothing && !branch.is_some_and(|name| has(text, "BRANCH") || has(text, name))
}

/// Reads the buildspec at `root` into `facts`, if it is one, and gives it back.
pub(crate) fn buildspec(
    facts: &mut FileFacts,
    source: &Source<'_>,
    root: NodeId,
    branch: &str,
) -> Option<Buildspec> {
    let tree = source.tree;
    let spec = Buildspec::read(tree, root)?;
    let shell = shell_kind(tree, &spec, source.text);
    let template = source
        .template
        .or_else(|| template_of(&facts.path, source.text));
    let mut reader = Reader {
        template,
        isolated: spec.version == Version::V0_1,
        ..Reader::new(facts, source, branch)
    };
    // What a buildspec inside another file runs is not followed.
    reader.runs.any &= source.host.is_none();
    reader.env(&spec);
    let mut lists = Vec::new();
    let mut next = 1;
    for phase in &spec.phases {
        next += u32::try_from(steps(tree, phase).len()).unwrap_or(u32::MAX);
        for (list, finally) in phase
            .commands
            .iter()
            .map(|list| (list, false))
            .chain(phase.finally.iter().map(|list| (list, true)))
        {
            let count = u32::try_from(list.items.len()).unwrap_or(u32::MAX);
            lists.push(command_list(tree, list, phase.name, finally, next, count));
            next += count;
        }
    }
    let interesting = tools::FILE_TRIGGERS.is_in(source.text) || has(source.text, branch);
    let mut item = 1;
    if interesting || reader.runs.any {
        let before = (!interesting).then(|| reader.facts.clone());
        for phase in &spec.phases {
            for step in steps(tree, phase) {
                reader.order = Order { item, command: 0 };
                item += 1;
                reader.step(*step, shell);
            }
            for list in phase.commands.iter().chain(&phase.finally) {
                for (_, node) in &list.items {
                    reader.order = Order { item, command: 0 };
                    item += 1;
                    reader.item(*node, shell);
                }
            }
        }
        if let Some(before) = before {
            // What it runs may handle images; by itself it does not.
            let runs = std::mem::take(&mut reader.facts.runs);
            *reader.facts = FileFacts { runs, ..before };
        } else {
            reader.facts.resolve_hidden_tags();
            reader.facts.settle(&reader.files);
        }
    }
    lists.shrink_to_fit();
    let copilot_pipeline = facts
        .assignments
        .iter()
        .find(|a| &*a.name == "pipeline" && a.value.contains("manifest"))
        .map(|a| a.order);
    facts.buildspec = Some(BuildspecFacts {
        version: spec.version,
        shell,
        lists,
        copilot_pipeline,
        template,
        inline: source.host.is_some(),
        image_files: image_files(tree, &spec, source.text),
        artifact_folders: outputs::artifact_folders(tree, &spec),
        artifacts: outputs::artifacts(tree, &spec),
    });
    Some(spec)
}

/// The steps of a phase that has them instead of commands.
fn steps<'t>(tree: &'t Tree, phase: &Phase) -> &'t [NodeId] {
    let list = phase.steps.and_then(|id| tree.sequence(id));
    list.map_or(&[], |list| &list.items)
}

fn image_files(tree: &Tree, spec: &Buildspec, text: &str) -> ImageFiles {
    static NAMES: AnyOf = AnyOf::new(&IMAGE_FILES);
    if !NAMES.is_in(text) {
        return ImageFiles::None;
    }
    let listed = spec.artifacts.as_ref().map_or(&[][..], |it| &it.files);
    let mut patterns = listed.iter().filter_map(|node| tree.text(*node)).peekable();
    if patterns.peek().is_none() {
        return ImageFiles::NoArtifacts;
    }
    let patterns: Vec<&str> = patterns.collect();
    let settled = IMAGE_FILES.iter().all(|name| {
        let finder = memchr::memmem::Finder::new(name);
        let alone = |command: &str| {
            finder.find_iter(command.as_bytes()).all(|at| {
                command[..at].chars().next_back().is_none_or(|before| {
                    before.is_whitespace() || matches!(before, '"' | '\'' | '>' | '/')
                })
            })
        };
        !has(text, name)
            || patterns.contains(name)
                && spec
                    .commands()
                    .all(|(.., node)| tree.text(node).is_none_or(alone))
    });
    if settled {
        ImageFiles::Listed
    } else {
        ImageFiles::Unsure
    }
}

fn command_list(
    tree: &Tree,
    list: &Commands,
    phase: tagwright_syntax::buildspec::PhaseName,
    finally: bool,
    first: u32,
    count: u32,
) -> CommandList {
    let node = tree.node(list.node);
    let mut others = Vec::new();
    let mut next = 0;
    for (before, (index, _)) in (0..).zip(&list.items) {
        others.extend((next..*index).map(|_| before));
        next = index + 1;
    }
    CommandList {
        phase,
        finally,
        node: list.node,
        is_list: list.is_list,
        flow: matches!(&node.kind, NodeKind::Sequence(sequence) if sequence.flow),
        style: match &node.kind {
            NodeKind::Scalar(scalar) => Some(scalar.style),
            _ => None,
        },
        items: (first, first + count),
        others,
    }
}

fn shell_kind(tree: &Tree, spec: &Buildspec, text: &str) -> ShellKind {
    match spec.env.shell.and_then(|id| tree.text(id)) {
        Some(shell) if shell.contains("powershell") || shell.contains("pwsh") => {
            ShellKind::PowerShell
        }
        Some(shell) if shell.contains("cmd") => ShellKind::Cmd,
        Some(_) => ShellKind::Posix,
        None => {
            let mut texts = spec.commands().filter_map(|(.., id)| tree.text(id));
            let powershell = powershell::may_hold(text)
                && texts.any(|text| text.contains('$') && powershell::looks_like(text));
            if powershell {
                ShellKind::PowerShell
            } else {
                ShellKind::Posix
            }
        }
    }
}

/// The template language that reads the file before CodeBuild does, if there is one.
fn template_of(path: &str, text: &str) -> Option<&'static str> {
    static MARKS: AnyOf = AnyOf::new(&["%{", "{%", "{{"]);
    let lower = path.to_ascii_lowercase();
    let marked = MARKS.is_in(text);
    if lower.ends_with(".tftpl") || marked && (has(text, "%{ ") || has(text, "%{~")) {
        return Some("a Terraform template");
    }
    if lower.ends_with(".tpl") || lower.ends_with(".tmpl") {
        return Some("a template");
    }
    if lower.ends_with(".j2") || marked && has(text, "{%") {
        return Some("a Jinja template");
    }
    if lower.ends_with(".erb") {
        return Some("an ERB template");
    }
    if !marked {
        return None;
    }
    if has(text, "{{")
        && (has(text, "{{ .") || has(text, "{{.") || has(text, "{{-"))
        && !has(text, "--format")
    {
        return Some("a Go template");
    }
    // A value that begins with `{{` is a mapping as the key of a mapping, which no reader takes.
    let filled_in = |line: &str| {
        let line = line.trim_start();
        let value = line.strip_prefix("- ").unwrap_or(line);
        let value = value.split_once(": ").map_or(value, |(_, value)| value);
        value.trim_start().starts_with("{{")
    };
    if has(text, "{{") && text.lines().any(filled_in) {
        return Some("a template");
    }
    None
}

/// Reads the script that the file is into `facts`, as it runs with what is known of the variables in `environment`,
/// in the folder `directory`.
pub(crate) fn script(
    facts: &mut FileFacts,
    source: &Source<'_>,
    environment: Environment,
    directory: Option<SmolStr>,
    branch: &str,
) {
    let Some(root) = source.tree.root() else {
        return;
    };
    let mut reader = Reader {
        environment,
        order: Order {
            item: 1,
            command: 0,
        },
        ..Reader::new(facts, source, branch)
    };
    reader.runs.directory = directory;
    reader.item(root, ShellKind::Posix);
    reader.facts.resolve_hidden_tags();
    reader.facts.settle(&reader.files);
}

struct Reader<'a, 'f> {
    facts: &'f mut FileFacts,
    source: &'a Source<'a>,
    environment: Environment,
    order: Order,
    seen_reads: BTreeSet<SmolStr>,
    /// The variables of loops that are among the assignments already, and the scripts that are known.
    seen_loops: HashSet<SmolStr>,
    seen_scripts: HashSet<SmolStr>,
    branch: &'a str,
    template: Option<&'static str>,
    /// Version 0.1: no variable outlives its command.
    isolated: bool,
    /// Whether `BRANCH`, or the program `copilot`, is named anywhere in the text.
    names_branch: bool,
    names_copilot: bool,
    depth: u32,
    /// Whether a command so far has registered a definition.
    registers: bool,
    files: Files,
    /// Whether a step of a runner is read.
    in_step: bool,
    runs: Runs,
}

/// What it takes to say which script a command runs.
struct Runs {
    /// Whether the text names any.
    any: bool,
    /// The folder in which the next command runs, relative to where the build starts; `None` if that is not certain.
    directory: Option<SmolStr>,
    /// That of the commands around a subshell, while one is read.
    outside: Option<Option<SmolStr>>,
}

impl Runs {
    fn of(text: &str) -> Self {
        static SIGNS: AnyOf = AnyOf::new(&[".sh", "./", "sh ", "ource "]);
        Self {
            any: SIGNS.is_in(text),
            directory: Some(SmolStr::default()),
            outside: None,
        }
    }

    /// Notes the folder that `command` runs in, and gives the one that it leads to.
    fn follow(&mut self, command: &Command) {
        let context = &command.context;
        if context.substitution > 0 {
            return;
        }
        match (&self.outside, context.subshell) {
            (None, true) => self.outside = Some(self.directory.clone()),
            (Some(_), false) => self.directory = self.outside.take().flatten(),
            _ => {}
        }
        let moves = ["cd", "pushd", "popd"];
        if command
            .words
            .first()
            .is_some_and(|word| moves.iter().any(|it| word.is(it)))
        {
            // In a subshell it holds until the end of that.
            let mut command = command.clone();
            command.context.subshell = false;
            self.directory = outputs::entered(&self.directory, &command, command.words.get(1));
        }
    }
}

impl<'a, 'f> Reader<'a, 'f> {
    /// A reader at the start of the text, that knows no variable.
    fn new(facts: &'f mut FileFacts, source: &'a Source<'a>, branch: &'a str) -> Self {
        Self {
            facts,
            source,
            environment: Environment::default(),
            order: Order::default(),
            seen_reads: BTreeSet::new(),
            seen_loops: HashSet::new(),
            seen_scripts: HashSet::new(),
            branch,
            template: None,
            isolated: false,
            names_branch: has(source.text, "BRANCH") || has(source.text, branch),
            names_copilot: has(source.text, "copilot"),
            depth: 0,
            registers: false,
            files: Files::default(),
            in_step: false,
            runs: Runs::of(source.text),
        }
    }
}

impl Reader<'_, '_> {
    fn env(&mut self, spec: &Buildspec) {
        let tree = self.source.tree;
        for entry in &spec.env.variables {
            let (Some(name), Some(value)) = (tree.text(entry.key), tree.text(entry.value)) else {
                continue;
            };
            let id = tree.resolve(entry.value);
            let map = self.value_map(id);
            let site = self.scalar_site(
                id,
                map.as_ref(),
                Span::new(0, value.len()),
                Expansion::Never(Reason::EnvVariables),
            );
            let origin = Origin::EnvVariables(name.into());
            // Nothing there keeps a place for what the project or whoever starts the build sets.
            if !value.is_empty() {
                self.environment.assign(
                    name,
                    vec![Expression::literal(value, site, origin)],
                    false,
                );
            }
            self.push_env(name, value, id, site, AssignmentPlace::EnvVariables);
            if value.contains('$') {
                self.unexpanded_in(id, value, map.as_ref(), Reason::EnvVariables);
            }
        }
        for entry in spec
            .env
            .parameter_store
            .iter()
            .chain(&spec.env.secrets_manager)
        {
            if let (Some(name), Some(value)) = (tree.text(entry.key), tree.text(entry.value)) {
                let id = tree.resolve(entry.value);
                self.push_env(name, value, id, None, AssignmentPlace::Store);
            }
        }
    }

    fn push_env(
        &mut self,
        name: &str,
        value: &str,
        node: NodeId,
        value_site: Option<Site>,
        place: AssignmentPlace,
    ) {
        let span = self.file_span(self.source.tree.node(node).span);
        self.facts.assignments.push(AssignmentFact {
            name: name.into(),
            order: Order::default(),
            span,
            node: self.file_node(node),
            value: value.into(),
            value_site,
            place,
            conditional: false,
            one_branch: false,
            subshell: false,
            exported: true,
        });
    }

    /// `${NAME}` in text that nothing expands.
    fn unexpanded_in(
        &mut self,
        node: NodeId,
        value: &str,
        map: Option<&SourceMap>,
        reason: Reason,
    ) {
        let mut from = 0;
        while let Some(at) = value[from..].find('$').map(|at| at + from) {
            from = at + 1;
            let rest = &value[at + 1..];
            let inner = rest.strip_prefix('{');
            let name = crate::expression::plain_name(inner.unwrap_or(rest));
            let length = match inner {
                Some(inner) => match inner.find('}') {
                    Some(close) => close + 2,
                    None => break,
                },
                None => name.len(),
            };
            // `$$NAME` is another language's escape, or the number of a process.
            if name.is_empty() || value[..at].ends_with(['$', '\\']) {
                continue;
            }
            from = at + length;
            let span = Span::new(at, at + length + 1);
            let site = self.scalar_site(node, map, span, Expansion::Never(reason));
            self.facts.oddities.push(Oddity {
                kind: OddityKind::Unexpanded(reason.as_str()),
                span: site.map_or_else(
                    || self.file_span(self.source.tree.node(node).span),
                    |site| site.source,
                ),
                site,
                order: self.order,
                name: name.into(),
            });
        }
    }

    fn value_map(&self, node: NodeId) -> Option<SourceMap> {
        self.source.tree.source_map(self.source.text, node)
    }

    fn scalar_site(
        &self,
        node: NodeId,
        map: Option<&SourceMap>,
        range: Span,
        expansion: Expansion,
    ) -> Option<Site> {
        let map = map?;
        if !map.is_verbatim(range) {
            return None;
        }
        let source = map.source(range)?;
        let (node, range, source) = match &self.source.host {
            None => (node, range, source),
            Some((host, host_map)) => {
                if !host_map.is_verbatim(source) {
                    return None;
                }
                (*host, source, host_map.source(source)?)
            }
        };
        Some(Site {
            node,
            range,
            source,
            expansion,
            inside_quotes: false,
        })
    }

    fn file_node(&self, node: NodeId) -> NodeId {
        self.source.host.as_ref().map_or(node, |(host, _)| *host)
    }

    fn file_span(&self, span: Span) -> Span {
        match &self.source.host {
            None => span,
            Some((_, map)) => map.source(span).unwrap_or(span),
        }
    }

    /// One step of a runner: its script, in a shell of its own, and what the action that builds images gets.
    fn step(&mut self, step: NodeId, shell: ShellKind) {
        let tree = self.source.tree;
        if let Some(script) = tree.get(step, "run") {
            let outside = std::mem::replace(&mut self.in_step, true);
            let saved = self.environment.clone();
            self.item(script, shell);
            self.environment = saved;
            self.in_step = outside;
        }
        let uses = tree.get(step, "uses").and_then(|id| tree.text(id));
        if !uses.is_some_and(|action| action.starts_with("docker/build-push-action@")) {
            return;
        }
        let Some(with) = tree.get(step, "with") else {
            return;
        };
        let pushes = tree.get(with, "push").and_then(|id| tree.text(id)) == Some("true");
        let tags = tree.get(with, "tags");
        // Several names in one text are left alone.
        let one = tags
            .and_then(|id| tree.text(id))
            .is_some_and(|text| !text.trim().contains([',', '\n', ' ']));
        if let (Some(node), true, None) = (tags, one, &self.source.host) {
            let reference = DataReference {
                node,
                role: if pushes { Role::BuildPush } else { Role::Build },
                tool: tools::Tool::Docker,
                expansion: Expansion::Never(Reason::Step),
                source: self.source,
            };
            let from = self.facts.uses.len();
            data_reference(self.facts, &reference);
            for image in &mut self.facts.uses[from..] {
                image.order = self.order;
            }
        }
    }

    /// One command item.
    fn item(&mut self, node: NodeId, shell: ShellKind) {
        let tree = self.source.tree;
        let node = tree.resolve(node);
        let Some(text) = tree.text(node) else { return };
        let runs =
            self.runs.any && (Runs::of(text).any || has(text, "cd ") || has(text, "export "));
        if !runs && !may_matter(text) {
            return;
        }
        if self.facts.oddities.is_empty()
            && says_nothing(text, self.names_branch.then_some(self.branch))
        {
            return;
        }
        let reading = match shell {
            ShellKind::PowerShell => {
                let script = Arc::new(powershell::parse(text));
                Arc::new(Reading::of(text, script))
            }
            ShellKind::Posix | ShellKind::Cmd => tools::reading(text),
        };
        let map = self.value_map(node);
        let span = tree.node(node).span;
        let base = match (shell, self.template) {
            (ShellKind::PowerShell, _) => Base::Never(Reason::PowerShell),
            (ShellKind::Cmd, _) => Base::Never(Reason::Cmd),
            (_, Some(_)) => Base::Never(Reason::Template),
            (ShellKind::Posix, None) if reading.script.status != Status::Clean => {
                Base::Never(Reason::Repaired)
            }
            (ShellKind::Posix, None) if self.in_step => Base::Never(Reason::Step),
            (ShellKind::Posix, None) if self.isolated => Base::Never(Reason::Isolated),
            (ShellKind::Posix, None) => Base::Shell,
        };
        if self.isolated {
            // Assignments of one item are gone in the next.
            self.environment.begin_scope();
            self.place_and_read(node, text, &reading, map, span, base);
            self.environment.end_scope();
        } else {
            self.place_and_read(node, text, &reading, map, span, base);
        }
    }

    fn place_and_read(
        &mut self,
        node: NodeId,
        text: &str,
        reading: &Reading,
        map: Option<SourceMap>,
        span: Span,
        base: Base,
    ) {
        let source = self.source;
        match &source.host {
            None => {
                let place = Place {
                    node,
                    inner: None,
                    outer: map.as_ref(),
                    fallback: span,
                    base,
                    inside_quotes: false,
                };
                self.script(text, reading, &place);
            }
            Some((host, host_map)) => {
                let place = Place {
                    node: *host,
                    inner: Some(map.unwrap_or_default()),
                    outer: Some(host_map),
                    fallback: host_map.source(span).unwrap_or(span),
                    base,
                    inside_quotes: false,
                };
                self.script(text, reading, &place);
            }
        }
    }

    /// The commands of one script, in order.
    fn script(&mut self, text: &str, reading: &Reading, place: &Place<'_>) {
        let script = &*reading.script;
        self.placeholders(text, script, place);
        // A variable in single quotes is only of interest if it is the branch.
        let quotes = memchr::memchr(b'\'', text.as_bytes()).is_some() && has(text, self.branch);
        let before = self.facts.uses.len();
        let calls = calls_of_functions(script);
        let mut inside: Option<SmolStr> = None;
        let mut outside = Vec::new();
        for (command, seen) in reading.commands() {
            self.order.command += 1;
            if inside != command.context.function {
                for (name, values) in outside.drain(..) {
                    self.environment.restore(name, values);
                }
                inside.clone_from(&command.context.function);
                let calls = inside.as_ref().and_then(|function| calls.get(function));
                if let Some(calls) = calls {
                    outside = self.arguments(calls, text, place);
                }
            }
            self.reads(command, text, place, quotes);
            self.loops(command, text, place);
            self.copilot(command, text, place, script.status);
            self.scripts(command);
            if let Some(seen) = seen {
                self.uses(command, seen, text, place);
                self.nested(command, seen, text, place);
            }
            self.run(command, seen, text, place);
            self.assignments(command, text, place);
            self.assigning_expansions(command, text, place);
        }
        for (name, values) in outside {
            self.environment.restore(name, values);
        }
        self.loop_words(script, text, place, before);
    }

    /// What a function finds as `$1`, `$2`, … when these commands of the same script call it, if `latest` is among it.
    /// Gives what the numbers stand for outside of the function.
    fn arguments(&mut self, calls: &[&Command], text: &str, place: &Place<'_>) -> Outside {
        let mut outside = Outside::new();
        for command in calls {
            for (number, word) in (1..10).zip(&command.words[1..]) {
                let name = SmolStr::from(format!("{number}"));
                let known = outside.iter().any(|(known, _)| *known == name);
                if !known && !ends_in_latest(word) {
                    continue;
                }
                if !known {
                    outside.push((name.clone(), self.environment.take(&name)));
                }
                let Some(inner) = inner_span(word, text) else {
                    continue;
                };
                let quoting = word
                    .parts
                    .first()
                    .map_or(Quoting::None, |part| part.quoting);
                self.facts.assignments.push(AssignmentFact {
                    name: name.clone(),
                    order: self.order,
                    span: place.source(word.span),
                    node: place.node,
                    value: word.span.of(text).into(),
                    value_site: place.locate(inner, quoting),
                    place: AssignmentPlace::Command,
                    conditional: false,
                    one_branch: command.context.one_branch,
                    subshell: false,
                    exported: false,
                });
                let values = self.environment.resolve(&Raw::word(word, text, place));
                self.environment
                    .assign(&name, assigned(&name, values), known);
            }
        }
        outside
    }

    /// The images among the words of loops that no command of the loop was seen to do anything with
    /// (`for image in a:latest b:latest; do ./test.sh $image; done`). `before`: the uses that the script found
    /// are those from there on.
    fn loop_words(&mut self, script: &Script, text: &str, place: &Place<'_>, before: usize) {
        let mut seen: HashSet<Span> = HashSet::new();
        for command in &script.commands {
            for word in command.context.loops.iter().flat_map(|it| &it.words) {
                let Some(span) = inner_span(word, text).filter(|_| seen.insert(word.span)) else {
                    continue;
                };
                if !tools::names_latest(word, text) {
                    continue;
                }
                let source = place.source(span);
                let known = self.facts.uses[before..].iter().any(|image| {
                    let sites = image.tags.iter().filter_map(|tag| tag.site);
                    sites.into_iter().any(|site| source.contains(site.source))
                });
                if !known {
                    let argument = ImageArgument {
                        role: Role::Argument,
                        tool: tools::Tool::Other,
                        form: Form::Reference,
                        word: None,
                        span,
                        repository: None,
                    };
                    self.image(command, text, place, &argument);
                }
            }
        }
    }

    fn assignments(&mut self, command: &Command, text: &str, place: &Place<'_>) {
        // `A=1 command` sets A for that command only, unless there is no command or it exports.
        let declares = command.words.first().is_none_or(|word| {
            ["export", "readonly", "local", "declare", "typeset", "set"]
                .iter()
                .any(|name| word.is(name))
        });
        for assignment in &command.assignments {
            let value_span = assignment.value.as_ref().map(|word| word.span);
            let value = value_span.map_or("", |span| span.of(text));
            let inner = assignment
                .value
                .as_ref()
                .and_then(|word| inner_span(word, text));
            let quoting = assignment
                .value
                .as_ref()
                .and_then(|word| word.parts.first())
                .map_or(Quoting::None, |part| part.quoting);
            self.facts.assignments.push(AssignmentFact {
                name: assignment.name.clone(),
                order: self.order,
                span: place.source(assignment.span),
                node: place.node,
                value: value.into(),
                value_site: inner.and_then(|span| place.locate(span, quoting)),
                place: AssignmentPlace::Command,
                conditional: command.context.conditional,
                one_branch: command.context.one_branch,
                subshell: command.context.subshell || command.context.substitution > 0,
                exported: assignment.exported,
            });
            if !declares || command.context.substitution > 0 {
                continue;
            }
            let Some(word) = &assignment.value else {
                self.environment.forget(&assignment.name);
                continue;
            };
            if assignment.append {
                self.environment.forget(&assignment.name);
                continue;
            }
            let raw = Raw::word(word, text, place);
            let values = assigned(&assignment.name, self.environment.resolve(&raw));
            let conditional = command.context.conditional || command.context.function.is_some();
            self.environment
                .assign(&assignment.name, values, conditional);
        }
        // Bare `export NAME` only exports.
        if command.words.first().is_some_and(|word| word.is("export")) {
            for word in &command.words[1..] {
                if let Some(name) = word.literal()
                    && !name.starts_with('-')
                {
                    self.facts.assignments.push(AssignmentFact {
                        name: name.into(),
                        order: self.order,
                        span: place.source(word.span),
                        node: place.node,
                        value: "".into(),
                        value_site: None,
                        place: AssignmentPlace::Command,
                        conditional: command.context.conditional,
                        one_branch: command.context.one_branch,
                        subshell: command.context.subshell,
                        exported: true,
                    });
                }
            }
        }
        if command.words.first().is_some_and(|word| word.is("read")) {
            for word in &command.words[1..] {
                if let Some(name) = word.literal()
                    && !name.starts_with('-')
                {
                    self.environment.forget(&name);
                    self.loop_variable(&name, command, place);
                }
            }
        }
    }

    /// The variables that an expansion in the command's words sets where they are empty: `: "${TAG:=latest}"`.
    fn assigning_expansions(&mut self, command: &Command, text: &str, place: &Place<'_>) {
        for part in command.words.iter().flat_map(|word| &word.parts) {
            let PartKind::Variable(variable) = &part.kind else {
                continue;
            };
            let sets = |symbol: &str| matches!(symbol, ":=" | "=");
            let operator = variable.operator.as_ref();
            if !operator.is_some_and(|it| sets(&it.symbol) && it.operand.is_some()) {
                continue;
            }
            self.facts.assignments.push(AssignmentFact {
                name: variable.name.clone(),
                order: self.order,
                span: place.source(part.span),
                node: place.node,
                value: part.span.of(text).into(),
                value_site: place.locate(part.span, part.quoting),
                place: AssignmentPlace::Command,
                conditional: command.context.conditional,
                one_branch: command.context.one_branch,
                subshell: command.context.subshell || command.context.substitution > 0,
                exported: false,
            });
            if command.context.substitution > 0 {
                continue;
            }
            let word = Word {
                span: part.span,
                parts: std::iter::once(part.clone()).collect(),
            };
            let values = self.environment.resolve(&Raw::word(&word, text, place));
            let values = assigned(&variable.name, values);
            let conditional = command.context.conditional || command.context.function.is_some();
            self.environment.assign(&variable.name, values, conditional);
        }
    }

    /// The variables of the loops around the command, which are set before it runs.
    fn loops(&mut self, command: &Command, text: &str, place: &Place<'_>) {
        for looped in &command.context.loops {
            if let Some(variable) = &looped.variable {
                let values = self.looped(&looped.words, text, place);
                if values.is_empty() {
                    self.environment.forget(variable);
                } else {
                    self.environment.assign(variable, values, false);
                }
                self.loop_variable(variable, command, place);
            }
        }
    }

    /// What the variable of a loop over these words holds, if `latest` is among it: `for tag in latest $SHA`.
    /// Other loops (over environments, services, regions) are told by the name of their variable, which
    /// therefore stays.
    fn looped(&self, words: &[Word], text: &str, place: &Place<'_>) -> Vec<Expression> {
        if !floats(words) {
            return Vec::new();
        }
        let mut values = Vec::new();
        for word in words {
            // What the shell splits or fills in is not one value.
            let whole =
                |part: &Part| matches!(part.kind, PartKind::Literal(_) | PartKind::Variable(_));
            if !word.parts.iter().all(whole) {
                return Vec::new();
            }
            values.extend(self.environment.resolve(&Raw::word(word, text, place)));
        }
        values
    }

    fn loop_variable(&mut self, name: &str, command: &Command, place: &Place<'_>) {
        if !self.seen_loops.insert(name.into()) {
            return;
        }
        self.facts.assignments.push(AssignmentFact {
            name: name.into(),
            order: self.order,
            span: place.source(command.span),
            node: place.node,
            value: "".into(),
            value_site: None,
            place: AssignmentPlace::Loop,
            conditional: true,
            one_branch: false,
            subshell: false,
            exported: false,
        });
    }

    fn reads(&mut self, command: &Command, text: &str, place: &Place<'_>, quotes: bool) {
        let assigned = command.assignments.iter().filter_map(|a| a.value.as_ref());
        let targets = command.redirects.iter().filter_map(|r| r.target.as_ref());
        let quotes = quotes && !hands_on_scripts(command);
        for word in command.words.iter().chain(assigned).chain(targets) {
            self.reads_in(&word.parts, text, place, quotes);
        }
        for redirect in &command.redirects {
            if let Some(document) = &redirect.here_document {
                self.reads_in(&document.parts, text, place, false);
            }
        }
    }

    /// `quotes`: a variable in single quotes is lost, rather than meant for another program.
    fn reads_in(&mut self, parts: &[Part], text: &str, place: &Place<'_>, quotes: bool) {
        for part in parts {
            let PartKind::Variable(variable) = &part.kind else {
                if quotes {
                    self.single_quoted(part, text, place);
                }
                continue;
            };
            self.read(variable, part.span, place);
            if let Some(operand) = variable.operator.as_ref().and_then(|o| o.operand.as_ref()) {
                self.reads_in(&operand.parts, text, place, quotes);
            }
        }
    }

    fn read(&mut self, variable: &Variable, span: Span, place: &Place<'_>) {
        if self.seen_reads.contains(&variable.name) {
            return;
        }
        let guarded = variable.operator.as_ref().is_some_and(|operator| {
            matches!(
                &*operator.symbol,
                ":-" | "-" | ":=" | "=" | ":?" | "?" | ":+" | "+"
            )
        });
        self.seen_reads.insert(variable.name.clone());
        self.facts.reads.push(VariableRead {
            name: variable.name.clone(),
            order: self.order,
            span: place.source(span),
            guarded,
        });
    }

    /// The branch variable inside single quotes, where the shell leaves it as it is.
    fn single_quoted(&mut self, part: &Part, text: &str, place: &Place<'_>) {
        if !matches!(part.quoting, Quoting::Single) || !matches!(place.base, Base::Shell) {
            return;
        }
        let source = part.span.of(text);
        let wanted = format!("${{{}}}", self.branch);
        if let Some(at) = source.find(&wanted) {
            let start = part.span.start as usize + at;
            let span = Span::new(start, start + wanted.len());
            self.facts.oddities.push(Oddity {
                kind: OddityKind::Unexpanded("the shell expands nothing inside single quotes"),
                span: place.source(span),
                site: place.locate(span, part.quoting),
                order: self.order,
                name: self.branch.into(),
            });
        }
    }

    /// Documentation that was pasted without filling it in. What fills a template in names the
    /// placeholder, too, and a comment may explain it.
    fn placeholders(&mut self, text: &str, script: &Script, place: &Place<'_>) {
        if memchr::memchr2(b'<', b'{', text.as_bytes()).is_none() {
            return;
        }
        for (open, close) in [("$<", ">"), ("<", ">"), ("{{", "}}")] {
            let mut from = 0;
            while let Some(at) = text[from..].find(open).map(|at| at + from) {
                let inner = at + open.len();
                from = inner;
                let rest = &text[inner..];
                let Some(length) = rest.find(close) else {
                    break;
                };
                // `< NAME >` are two redirections.
                let name = match open {
                    "{{" => rest[..length].trim(),
                    _ => &rest[..length],
                };
                if name != self.branch {
                    continue;
                }
                // `<NAME>` is also the tail of `$<NAME>`, which was found first.
                if open == "<" && text[..at].ends_with('$') {
                    continue;
                }
                let span = Span::new(at, inner + length + close.len());
                let filled_in = script
                    .commands
                    .iter()
                    .any(|command| command.span.contains(span) && hands_on_scripts(command));
                if filled_in || script.comments.iter().any(|comment| comment.contains(span)) {
                    continue;
                }
                self.facts.oddities.push(Oddity {
                    kind: OddityKind::Placeholder,
                    span: place.source(span),
                    site: place.locate(span, Quoting::None),
                    order: self.order,
                    name: name.into(),
                });
            }
        }
    }

    fn uses(&mut self, command: &Command, seen: &Seen, text: &str, place: &Place<'_>) {
        let before = self.facts.uses.len();
        for argument in &seen.arguments {
            self.image(command, text, place, argument);
        }
        self.effects(command, &seen.effects, place, before);
    }

    /// What touches images without naming them. `before`: the images that the command names are the uses from
    /// there on.
    fn effects(&mut self, command: &Command, effects: &Effects, place: &Place<'_>, before: usize) {
        if let Some(call) = &effects.compose {
            self.facts.compose.push(ComposeUse {
                call: call.clone(),
                order: self.order,
                span: place.source(command.span),
            });
        }
        self.registers |= effects.registers;
        // With a definition that this build has registered, it deploys that.
        let own = self.registers
            && command
                .words
                .iter()
                .any(|word| word.literal_prefix().starts_with("--task-definition"));
        if let Some(tool) = effects.redeploys.filter(|_| !own) {
            self.facts.redeploys.push(Redeploy {
                tool,
                order: self.order,
                span: place.source(command.span),
            });
        }
        let plain =
            |path: &str| SmolStr::from(path.trim_matches(['"', '\'']).trim_start_matches("./"));
        let handed_on = effects.applied.iter().chain(&effects.registered);
        let handed_on = handed_on.map(|path| HandedOn {
            path: plain(path),
            order: self.order,
        });
        self.facts.handed_on.extend(handed_on);
        let edited = effects.edited.iter().map(|path| EditedFile {
            path: plain(path),
            span: place.source(command.span),
        });
        self.facts.edited.extend(edited);
        if !effects.edited.is_empty() {
            let uses = before..self.facts.uses.len();
            let edits = uses.map(|index| (index, effects.edited.clone()));
            self.files.edited.extend(edits);
        }
        self.files.applied.extend(effects.applied.iter().cloned());
    }

    /// The script of the repository that the command runs, if it does, and what that finds set.
    fn run(&mut self, command: &Command, seen: Option<&Seen>, text: &str, place: &Place<'_>) {
        if !self.runs.any || self.depth > 0 {
            return;
        }
        self.runs.follow(command);
        let call = match place.base {
            Base::Shell => seen.and_then(|it| it.call),
            Base::Inner | Base::Never(_) => None,
        };
        let Some(call) = call else { return };
        let Some(word) = command.words.get(call.word) else {
            return;
        };
        // `$(cd "$(dirname "$0")" && ./x.sh)`
        let context = &command.context;
        let directory = self
            .runs
            .directory
            .clone()
            .filter(|_| context.substitution == 0);
        let path = outputs::path_of(word);
        let path = path.and_then(|path| outputs::joined(directory.as_deref(), &path));
        let Some(path) = path.filter(|path| !path.is_empty()) else {
            return;
        };
        let environment = self.handed_over(command, text, place, &call);
        let arguments = command.words[call.word + 1..].iter();
        let arguments = arguments.map(|it| place.source(it.span)).collect();
        self.facts.runs.push(ScriptRun {
            path,
            order: self.order,
            span: place.source(word.span),
            sourced: call.sourced,
            conditional: context.conditional || context.function.is_some(),
            one_branch: context.one_branch,
            after_failure: context.after_failure,
            directory,
            environment,
            arguments,
        });
    }

    /// What a script that the command runs finds set: what is exported, or all if the same shell reads it, what the
    /// command sets for it, and its arguments.
    fn handed_over(
        &self,
        command: &Command,
        text: &str,
        place: &Place<'_>,
        call: &tools::ScriptCall,
    ) -> Vec<(SmolStr, Vec<Expression>)> {
        let exported: HashSet<&SmolStr> = self
            .facts
            .assignments
            .iter()
            .filter(|it| it.exported)
            .map(|it| &it.name)
            .collect();
        let arguments = command.words.get(call.word + 1..).unwrap_or(&[]);
        let is_argument = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
        let mut found: Vec<(SmolStr, Vec<Expression>)> = self
            .environment
            .bindings()
            .filter(|(name, _)| {
                if is_argument(name) {
                    call.sourced && arguments.is_empty()
                } else {
                    call.sourced || exported.contains(name)
                }
            })
            .map(|(name, values)| (name.clone(), values.to_vec()))
            .collect();
        let mut set = |name: &str, word: &Word| {
            let values = self.environment.resolve(&Raw::word(word, text, place));
            found.retain(|(known, _)| known != name);
            found.push((name.into(), assigned(name, values)));
        };
        for assignment in &command.assignments {
            if let Some(value) = &assignment.value {
                set(&assignment.name, value);
            }
        }
        for (number, word) in (1..).zip(arguments) {
            set(&format!("{number}"), word);
        }
        // It is kept with the facts.
        for (_, values) in &mut found {
            values.shrink_to_fit();
            for value in values {
                value.atoms.shrink_to_fit();
            }
        }
        found.shrink_to_fit();
        found
    }

    fn scripts(&mut self, command: &Command) {
        let Some(first) = command.words.first().and_then(Word::value) else {
            return;
        };
        let script = if first.contains('/') && !first.starts_with('/') || first.ends_with(".sh") {
            Some(first)
        } else if matches!(&*first, "sh" | "bash" | "." | "source") {
            command.words[1..]
                .iter()
                .filter_map(Word::value)
                .find(|word| !word.starts_with('-'))
        } else if first == "make" {
            Some("Makefile".into())
        } else {
            None
        };
        if let Some(script) = script {
            let script = script.trim_start_matches("./");
            if !script.is_empty() && self.seen_scripts.insert(script.into()) {
                self.facts.scripts.push(script.into());
            }
        }
    }

    fn image(
        &mut self,
        command: &Command,
        text: &str,
        place: &Place<'_>,
        argument: &ImageArgument,
    ) {
        let parts: &[Part] = match argument.word {
            Some(index) => match command.words.get(index) {
                Some(word) => &word.parts,
                None => return,
            },
            None => match parts_around(command, argument.span) {
                Some(parts) => parts,
                None => return,
            },
        };
        let unexpanding = argument.word.is_none()
            && command
                .redirects
                .iter()
                .filter_map(|r| r.here_document.as_ref())
                .any(|document| document.body.contains(argument.span) && !document.expands);
        let quoted_place;
        let place = if unexpanding && matches!(place.base, Base::Shell) {
            quoted_place = Place {
                node: place.node,
                inner: place.inner.clone(),
                outer: place.outer,
                fallback: place.fallback,
                base: Base::Never(Reason::QuotedDocument),
                inside_quotes: false,
            };
            &quoted_place
        } else {
            place
        };
        self.quoted(parts, argument.span, text, place, unexpanding);
        let end_quoting = parts
            .iter()
            .rev()
            .find(|part| part.span.start < argument.span.end)
            .map_or(Quoting::None, |part| part.quoting);
        let raw = Raw::parts(parts, argument.span, text, place);
        let written = argument.span.of(text);
        let values = self.environment.resolve(&raw);
        let mut tags: Vec<TagValue> = Vec::with_capacity(values.len());
        let mut repository = Expression::default();
        for value in &values {
            let (tag, repo) = match argument.form {
                Form::Tag => (bare_tag(value, written), None),
                Form::Repository => (
                    TagValue {
                        kind: TagKind::All,
                        site: None,
                        origin: Origin::Written,
                        written: "".into(),
                    },
                    Some(split_reference(value).repository),
                ),
                Form::Reference => {
                    let split = split_reference(value);
                    let end = place.locate(Span::empty(argument.span.end as usize), end_quoting);
                    (
                        tag_value(&split.tag, value, written, end),
                        Some(split.repository),
                    )
                }
            };
            // A value that shows its tag says more than one that hides it.
            if let Some(repo) = repo
                && (repository.atoms.is_empty()
                    || tags.iter().all(|tag| tag.kind == TagKind::Hidden))
            {
                repository = repo;
            }
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        if tags.iter().any(|tag| tag.kind != TagKind::Hidden) {
            tags.retain(|tag| tag.kind != TagKind::Hidden);
        }
        if let Some(span) = argument.repository {
            let raw = command
                .words
                .iter()
                .find(|word| word.span.contains(span))
                .map(|word| Raw::parts(&word.parts, span, text, place));
            if let Some(raw) = raw
                && let Some(value) = self.environment.resolve(&raw).first()
            {
                repository = split_reference(value).repository;
            }
        }
        let image = ImageUse {
            role: argument.role,
            tool: argument.tool,
            order: self.order,
            span: place.source(argument.span),
            site: place.locate(argument.span, end_quoting),
            written: written.into(),
            repository: self.facts.repository(&repository),
            tags,
            conditional: command.context.conditional,
            one_branch: command.context.one_branch,
            tolerated: command.context.tolerated,
            after_failure: command.context.after_failure,
            loops: loop_names(command),
        };
        // A loop over tags does with each of them what is written once.
        if command.context.loops.iter().any(|it| floats(&it.words)) {
            self.facts
                .uses
                .extend(image.tags.iter().map(|tag| ImageUse {
                    tags: vec![tag.clone()],
                    ..image.clone()
                }));
        } else {
            self.facts.uses.push(image);
        }
    }

    /// The variables of a reference that the shell leaves as they are.
    fn quoted(
        &mut self,
        parts: &[Part],
        reference: Span,
        text: &str,
        place: &Place<'_>,
        unexpanding: bool,
    ) {
        let shell = matches!(place.base, Base::Shell);
        for part in parts {
            let single = shell && part.quoting == Quoting::Single;
            let inside = part.span.start < reference.end && reference.start < part.span.end;
            let literal = matches!(part.kind, PartKind::Literal(_));
            if !(inside && literal && (single || unexpanding)) {
                continue;
            }
            let start = part.span.start.max(reference.start);
            let end = part.span.end.min(reference.end);
            let source = Span { start, end }.of(text);
            for found in crate::expression::plain_variables(source) {
                let at = start as usize;
                let span = Span::new(at + found.start as usize, at + found.end as usize);
                let name = found.of(source).trim_matches(['$', '{', '}']);
                self.facts.oddities.push(Oddity {
                    kind: OddityKind::Quoted,
                    span: place.source(span),
                    site: place.locate(span, part.quoting),
                    order: self.order,
                    name: name.into(),
                });
            }
        }
    }

    fn nested(&mut self, command: &Command, seen: &Seen, text: &str, place: &Place<'_>) {
        if self.depth >= 3 {
            return;
        }
        for nested in &seen.nested {
            let Some(parts) = nested.parts(command) else {
                continue;
            };
            let Some(whole) = parts.iter().map(|part| part.span).reduce(Span::cover) else {
                continue;
            };
            let (inner_text, map) = script_text(parts, text);
            let single = parts
                .iter()
                .all(|part| matches!(part.quoting, Quoting::Single | Quoting::Ansi));
            let base = match place.base {
                Base::Never(reason) => Base::Never(reason),
                _ if single && nested.surroundings == InnerScope::Elsewhere => {
                    Base::Never(Reason::Elsewhere)
                }
                _ if single && nested.surroundings == InnerScope::Empty => {
                    Base::Never(Reason::OwnEnvironment)
                }
                Base::Inner => Base::Inner,
                Base::Shell if single => Base::Inner,
                Base::Shell => Base::Shell,
            };
            let reading = tools::reading(&inner_text);
            let base = if reading.script.status == Status::Clean {
                base
            } else {
                Base::Never(Reason::NestedRepaired)
            };
            let inner = match &place.inner {
                None => map,
                Some(outer) => outer.compose(&map),
            };
            let nested_place = Place {
                node: place.node,
                inner: Some(inner),
                outer: place.outer,
                fallback: place.source(whole),
                base,
                inside_quotes: !single,
            };
            self.depth += 1;
            self.script(&inner_text, &reading, &nested_place);
            self.depth -= 1;
        }
    }

    fn copilot(&mut self, command: &Command, text: &str, place: &Place<'_>, status: Status) {
        if !self.names_copilot {
            return;
        }
        let Some(call) = tools::copilot_invocation(command, text) else {
            return;
        };
        let Some(last) = command.words.get(call.subcommand_word) else {
            return;
        };
        let mut flags = Vec::new();
        for flag in &call.flags {
            let Some(word) = command.words.get(flag.word) else {
                continue;
            };
            let mut entry = CopilotFlag {
                name: flag.name.as_str().into(),
                known: flag.known,
                span: place.source(word.span),
                value: None,
                values: Vec::new(),
                value_site: None,
                unquoted: false,
                followed_by_flag: false,
            };
            if let Some(given) = &flag.value
                && let Some(value_word) = command.words.get(given.word)
            {
                let (index, span) = (given.word, given.span);
                let raw = Raw::parts(&value_word.parts, span, text, place);
                entry.values = self.environment.resolve(&raw);
                if let Some(value) = entry.values.first() {
                    entry.value = Some(bare_tag(value, span.of(text)));
                }
                let quoting = value_word
                    .parts
                    .last()
                    .map_or(Quoting::None, |part| part.quoting);
                entry.value_site = place.locate(span, quoting);
                entry.unquoted = index != flag.word
                    && !value_word.parts.is_empty()
                    && value_word.parts.iter().all(|part| {
                        part.quoting == Quoting::None && !matches!(part.kind, PartKind::Literal(_))
                    });
                entry.followed_by_flag = command
                    .words
                    .get(index + 1)
                    .is_some_and(|next| next.literal_prefix().starts_with('-'));
            }
            flags.push(entry);
        }
        let start = command
            .words
            .get(call.program)
            .map_or(command.span, |word| word.span);
        self.facts.copilot.push(CopilotUse {
            subcommand: call.subcommand.as_str().into(),
            order: self.order,
            span: place.source(start.cover(last.span)),
            after_subcommand: place.locate(Span::empty(last.span.end as usize), Quoting::None),
            loops: loop_names(command),
            over_environments: command.context.loops.iter().any(|looped| {
                looped
                    .variable
                    .as_deref()
                    .is_some_and(|name| name.to_ascii_lowercase().contains("env"))
            }),
            flags,
            clean: status == Status::Clean,
        });
    }
}

impl FileFacts {
    /// The repository that `expression` stands for, as an earlier place of the file holds it, if one does:
    /// most files name one repository many times.
    fn repository(&self, expression: &Expression) -> Repository {
        /// Further back it is not worth looking, and in a file of many names would take long.
        const NEAR: usize = 16;
        self.uses
            .iter()
            .rev()
            .take(NEAR)
            .map(|image| &image.repository)
            .find(|known| known.stands_for(expression))
            .cloned()
            .unwrap_or_else(|| Repository::from(expression))
    }

    /// A variable that stands as a repository before `:tag` somewhere holds no tag itself; so where it
    /// stands alone, the tag is `latest`.
    fn resolve_hidden_tags(&mut self) {
        let tagged: HashSet<SmolStr> = self
            .uses
            .iter()
            .filter(|u| {
                u.tags
                    .iter()
                    .any(|tag| matches!(tag.kind, TagKind::Literal(_) | TagKind::Variable(_)))
            })
            .filter_map(|u| last_component(u.repository.key()).map(Into::into))
            .collect();
        for image in &mut self.uses {
            let known =
                last_component(image.repository.key()).is_some_and(|last| tagged.contains(last));
            for tag in &mut image.tags {
                if tag.kind == TagKind::Hidden && known {
                    tag.kind = TagKind::Implicit;
                }
            }
        }
    }
}

/// What follows the last slash, with what stands before it only if there is no slash.
fn last_component(key: &str) -> Option<&str> {
    let last = key.rsplit('/').next()?;
    (!last.is_empty()).then_some(last)
}

/// Whether `latest` is among the words of a loop. A loop over more words than are followed has no values.
fn floats(words: &[Word]) -> bool {
    words.len() <= MAX_ALTERNATIVES
        && words.iter().any(|word| {
            let literal = word.literal();
            literal.is_some_and(|it| it == "latest" || it.ends_with(":latest"))
        })
}

/// The parts of the here-document, of the assigned value or of the word of a loop that `span` is in.
fn parts_around(command: &Command, span: Span) -> Option<&[Part]> {
    let document = command
        .redirects
        .iter()
        .filter_map(|redirect| redirect.here_document.as_ref())
        .find(|document| document.body.contains(span))
        .map(|document| &*document.parts);
    let mut values = command
        .assignments
        .iter()
        .filter_map(|assignment| assignment.value.as_ref());
    let mut looped = command.context.loops.iter().flat_map(|it| &it.words);
    document.or_else(|| {
        let value = values
            .find(|value| value.span.contains(span))
            .or_else(|| looped.find(|word| word.span.contains(span)))?;
        Some(&*value.parts)
    })
}

fn loop_names(command: &Command) -> Vec<SmolStr> {
    command
        .context
        .loops
        .iter()
        .filter_map(|looped| looped.variable.clone())
        .collect()
}

/// A word's bytes without the quotes around the whole of it.
fn inner_span(word: &Word, text: &str) -> Option<Span> {
    let first = word.parts.first()?;
    let last = word.parts.last()?;
    let one_quoting = word.parts.iter().all(|part| part.quoting == first.quoting);
    if first.quoting == Quoting::None || !one_quoting {
        return Some(word.span);
    }
    let inner = first.span.cover(last.span);
    // `"a""b"` has quotes in its middle.
    (!inner.of(text).contains(['"', '\'']) || first.quoting == Quoting::Double).then_some(inner)
}

/// What variables stand for outside of a function that has its own of the same name.
type Outside = Vec<(SmolStr, Option<Vec<Expression>>)>;

/// Whether the word is `latest`, or a reference with that tag.
fn ends_in_latest(word: &Word) -> bool {
    let last = word.parts.last().map(|part| &part.kind);
    let Some(PartKind::Literal(text)) = last else {
        return false;
    };
    text.ends_with(":latest") || *text == "latest" && word.parts.len() == 1
}

/// The commands of the script that call each of its functions.
fn calls_of_functions(script: &Script) -> HashMap<SmolStr, Vec<&Command>> {
    let mut calls: HashMap<SmolStr, Vec<&Command>> = HashMap::new();
    for command in &script.commands {
        if let Some(function) = &command.context.function {
            calls.entry(function.clone()).or_default();
        }
    }
    if !calls.is_empty() {
        for command in &script.commands {
            let name = command.words.first().and_then(Word::value);
            let called = name.and_then(|name| calls.get_mut(&*name));
            called.into_iter().for_each(|of_it| of_it.push(command));
        }
    }
    calls
}

/// A bare tag's value.
pub(crate) fn bare_tag(value: &Expression, written: &str) -> TagValue {
    let site = match value.atoms.as_slice() {
        [atom] => atom.site,
        _ => None,
    };
    TagValue {
        kind: match value.as_literal() {
            Some(text) => TagKind::Literal(text.into()),
            None => TagKind::Variable(value.clone()),
        },
        site,
        origin: value
            .atoms
            .last()
            .map_or(Origin::Written, |atom| atom.origin.clone()),
        written: written.into(),
    }
}

/// The tag of a reference. `end` is the place right after the reference, where a missing tag would go.
pub(crate) fn tag_value(
    tag: &SplitTag,
    reference: &Expression,
    written: &str,
    end: Option<Site>,
) -> TagValue {
    let origin = reference
        .atoms
        .last()
        .map_or(Origin::Written, |atom| atom.origin.clone());
    match tag {
        SplitTag::None | SplitTag::Hidden => {
            // Where the end of the reference came out of a variable, a tag belongs behind the variable
            // only if the variable is a bare repository; the use's own end is right in both cases.
            let implicit = matches!(tag, SplitTag::None);
            TagValue {
                kind: if implicit {
                    TagKind::Implicit
                } else {
                    TagKind::Hidden
                },
                site: end,
                origin: Origin::Written,
                written: "".into(),
            }
        }
        SplitTag::Digest => TagValue {
            kind: TagKind::Digest,
            site: None,
            origin,
            written: "".into(),
        },
        SplitTag::Tag(expression) => {
            let spelled = last_colon(written).map_or("", |at| &written[at + 1..]);
            let mut value = bare_tag(expression, spelled);
            if expression.atoms.is_empty() {
                // `repo:` with nothing behind it, from an empty variable.
                value.kind = TagKind::Hidden;
            }
            value
        }
    }
}

/// The last colon of a reference as written, outside of `${…}`, `$(…)` and backquotes: that of `${X:-latest}` is none.
fn last_colon(written: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut last = None;
    for (at, byte) in written.bytes().enumerate() {
        match byte {
            b'{' | b'(' => depth += 1,
            b'}' | b')' => depth = depth.saturating_sub(1),
            b'`' => quoted = !quoted,
            // PowerShell's `$env:NAME`.
            b':' if names_env(&written.as_bytes()[..at]) => {}
            b':' if depth == 0 && !quoted => last = Some(at),
            _ => {}
        }
    }
    last
}

fn names_env(before: &[u8]) -> bool {
    before
        .last_chunk::<4>()
        .is_some_and(|end| end.eq_ignore_ascii_case(b"$env"))
}

/// The text of a nested script and the map from it to the outer script.
fn script_text(parts: &[Part], text: &str) -> (String, SourceMap) {
    let mut inner = String::new();
    let mut map = SourceMap::default();
    for part in parts {
        let source = part.span.of(text);
        let verbatim = match &part.kind {
            PartKind::Literal(value) => &**value == source,
            _ => true,
        };
        if verbatim {
            inner.push_str(source);
            map.push(part.span, source.len(), true);
            continue;
        }
        // Escapes: the runs between them stand as they read.
        let mut at = part.span.start as usize;
        let mut rest = source;
        while let Some(escape) = rest.find('\\') {
            inner.push_str(&rest[..escape]);
            map.push(Span::new(at, at + escape), escape, true);
            let escaped = rest[escape + 1..].chars().next();
            let length = 1 + escaped.map_or(0, char::len_utf8);
            // In double quotes a backslash before an ordinary character stays.
            match escaped {
                Some('\n') | None => {}
                Some(character)
                    if part.quoting == Quoting::Double
                        && !matches!(character, '"' | '\\' | '$' | '`') =>
                {
                    inner.push('\\');
                    inner.push(character);
                    map.push(Span::new(at + escape, at + escape + length), length, true);
                }
                Some(character) => {
                    inner.push(character);
                    map.push(
                        Span::new(at + escape, at + escape + length),
                        character.len_utf8(),
                        false,
                    );
                }
            }
            at += escape + length;
            rest = &rest[escape + length..];
        }
        inner.push_str(rest);
        map.push(Span::new(at, at + rest.len()), rest.len(), true);
    }
    (inner, map)
}

/// A reference in a file that is data, not shell: a Copilot manifest, a task definition, a Compose file.
pub(crate) struct DataReference<'a> {
    /// The scalar.
    pub(crate) node: NodeId,
    /// Its role.
    pub(crate) role: Role,
    /// What reads the file.
    pub(crate) tool: tools::Tool,
    /// What a variable becomes there.
    pub(crate) expansion: Expansion,
    /// The scalar's tree and text.
    pub(crate) source: &'a Source<'a>,
}

/// Adds the image reference in a data file to the facts.
pub(crate) fn data_reference(facts: &mut FileFacts, reference: &DataReference<'_>) {
    let DataReference { node, source, .. } = *reference;
    let tree = source.tree;
    let node = tree.resolve(node);
    let Some(text) = tree.text(node) else { return };
    // No repository has capital letters: that is a placeholder, to be filled in by `sed` or by CodeDeploy
    // (`<IMAGE1_NAME>`).
    let last = text.rsplit('/').next().unwrap_or(text);
    let name = last.split(':').next().unwrap_or(last);
    let placeholder = !name.contains(['$', '{'])
        && name.contains(|c: char| c.is_ascii_uppercase() || matches!(c, '<' | '>'));
    if text.is_empty() || placeholder {
        return;
    }
    let map = tree.source_map(source.text, node);
    let site = |range: Span| {
        let map = map.as_ref()?;
        map.is_verbatim(range).then_some(())?;
        Some(Site {
            node,
            range,
            source: map.source(range)?,
            expansion: reference.expansion,
            inside_quotes: false,
        })
    };
    let mut expression = Expression::default();
    // `${NAME}` is a variable in Copilot manifests and Compose files; elsewhere it is text that nobody
    // expands, which is as unknown.
    let mut at = 0;
    let literal = |expression: &mut Expression, start: usize, end: usize| {
        if start < end {
            let piece = Expression::literal(
                &text[start..end],
                site(Span::new(start, end)),
                Origin::Written,
            );
            expression.atoms.extend(piece.atoms);
        }
    };
    while let Some(open) = text[at..].find(['$', '{']).map(|o| o + at) {
        let close = if text[open..].starts_with("${") {
            text[open..].find('}').map(|c| open + c + 1)
        } else if text[open..].starts_with("{{") {
            text[open..].find("}}").map(|c| open + c + 2)
        } else if text[open..].starts_with('$') {
            Some(open + 1 + crate::expression::plain_name(&text[open + 1..]).len())
        } else {
            None
        };
        let Some(close) = close.filter(|close| *close > open + 1) else {
            break;
        };
        literal(&mut expression, at, open);
        let name = text[open..close].trim_matches(['$', '{', '}', ' ']);
        expression.atoms.push(crate::expression::Atom {
            kind: crate::expression::AtomKind::Variable(name.into()),
            site: site(Span::new(open, close)),
            origin: Origin::Written,
        });
        at = close;
    }
    literal(&mut expression, at, text.len());
    let split = split_reference(&expression);
    let end = site(Span::empty(text.len()));
    let tag = tag_value(&split.tag, &expression, text, end);
    facts.uses.push(ImageUse {
        role: reference.role,
        tool: reference.tool,
        order: Order::default(),
        span: map
            .as_ref()
            .and_then(|map| map.source(Span::new(0, text.len())))
            .unwrap_or(tree.node(node).span),
        site: site(Span::new(0, text.len())),
        written: text.into(),
        repository: facts.repository(&split.repository),
        tags: vec![tag],
        conditional: false,
        one_branch: false,
        tolerated: false,
        after_failure: false,
        loops: Vec::new(),
    });
}

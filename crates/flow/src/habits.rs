//! What the commands of a file do beside handling images, asked of the words that the shell sees.
//!
//! Reading a file keeps only what concerns images, and passes over most commands without parsing them. What a
//! rule asks beyond that is asked of few files, so the text is parsed once more for it, and the answer kept.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;

use tagwright_syntax::buildspec::Buildspec;
use tagwright_syntax::shell::{
    self, Command, PartKind, RedirectKind, Script, Status, Word, powershell,
};
use tagwright_syntax::yaml::{self, NodeId, NodeKind, Tree};
use tagwright_syntax::{SmolStr, SourceMap, Span};

use crate::FileId;
use crate::delivery;
use crate::expression::plain_name;
use crate::facts::{FileFacts, IMAGE_FILES, Order, ShellKind};
use crate::kind::{FileKind, has};
use crate::outputs::{self, Outputs};
use crate::templates;
use crate::tools::{self, InnerScope, NestedScript, Reading};

/// The commands of one item of a buildspec, or of a script inside it that runs on the same machine.
#[derive(Clone, Debug)]
pub struct ItemScript {
    /// The item's scalar, an alias resolved; in the tree of the buildspec, which may stand inside another file.
    pub node: NodeId,
    /// Whether it is the item itself, and not a script inside it.
    pub whole: bool,
    /// The decoded text.
    pub text: String,
    /// Its commands.
    pub script: Arc<Script>,
}

/// What the commands of a file do.
#[derive(Clone, Debug, Default)]
pub struct Habits {
    /// Something runs that may set any variable: a sourced file, an `eval`, an export of computed names.
    pub sets_unknown: bool,
    /// Whatever is assigned is exported (`set -a`).
    pub exports_all: bool,
    /// The variables that are exported by name.
    pub exported: BTreeSet<SmolStr>,
    /// The variables that are set for one command only (`NAME=value command`).
    pub prefixed: BTreeSet<SmolStr>,
    /// The variables that a test asks whether they are empty or set (`-z`, `-n`, `-v`).
    pub tested: BTreeSet<SmolStr>,
    /// Something fills in variables in a text (`envsubst`, `eval`), or is installed for it.
    pub expands: bool,
    /// Something makes a tool deploy although the text that it compares is the same.
    pub restarts: bool,
    /// A command changes the folder.
    pub moves: bool,
    /// The files that are written and handed on.
    pub outputs: Outputs,
}

impl FileFacts {
    /// How often `text` stands in the file.
    #[must_use]
    pub fn occurrences(&self, text: &str) -> usize {
        memchr::memmem::find_iter(self.text.as_bytes(), text.as_bytes()).count()
    }

    /// The bytes of the file at `span`; empty where that is not on character boundaries inside the file.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        span.of(&self.text)
    }

    /// The same, `None` in the place of an empty text where the span is wrong.
    #[must_use]
    pub fn get(&self, span: Span) -> Option<&str> {
        self.text.get(span.range())
    }

    /// The character that starts at this byte of the file.
    #[must_use]
    pub fn character_at(&self, offset: u32) -> Option<char> {
        self.text.get(offset as usize..)?.chars().next()
    }

    /// A guard for what is costly: where it says no, the file's trees and commands do not hold the word
    /// either. Where it says yes, nothing is known; it may stand in a comment.
    #[must_use]
    pub fn may_hold(&self, word: &str) -> bool {
        has(&self.text, word)
    }

    /// The same for the JSON files that deployments take: where it says yes, the file names no other one than
    /// those that they take by default.
    #[must_use]
    pub fn names_no_other_json(&self) -> bool {
        let count = |name: &str| self.text.matches(name).count();
        let known: usize = IMAGE_FILES.into_iter().map(count).sum();
        count(".json") == known
    }

    /// Whether the facts are of this very text.
    #[must_use]
    pub fn is_of(&self, text: &std::sync::Arc<str>) -> bool {
        std::sync::Arc::ptr_eq(&self.text, text)
    }

    /// The number of bytes of the file.
    #[must_use]
    pub fn length(&self) -> usize {
        self.text.len()
    }

    /// Whether libyaml, by which CodeBuild and Copilot read, takes the file.
    #[must_use]
    pub fn is_accepted_by_libyaml(&self) -> bool {
        tagwright_syntax::libyaml::read(&self.text).is_ok()
    }

    /// Whether the file has commands for a shell that can be changed: it is a script, or a buildspec that does not stand
    /// inside another file.
    #[must_use]
    pub fn has_commands(&self) -> bool {
        self.kind == FileKind::Script || self.buildspec.as_ref().is_some_and(|spec| !spec.inline)
    }

    /// The file on whose machine the commands run: of a script the first buildspec that runs it, else the file itself.
    #[must_use]
    pub fn machine(&self) -> FileId {
        let builds = self.script.as_ref().map(|script| &script.builds);
        builds
            .and_then(|builds| builds.first())
            .map_or(self.id, |(file, _)| *file)
    }

    /// The tree of the file, parsed again unless somebody has asked for it lately.
    #[must_use]
    pub fn tree(&self) -> Arc<Tree> {
        self.recent.get(|| yaml::parse_as(self.kind, &self.text))
    }

    /// The `T` that `make` makes of the file, which must always be the same; made again unless somebody has asked for
    /// it lately.
    pub fn recent<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        self.recent.get(make)
    }

    /// From the decoded text of a scalar of [`FileFacts::tree`] to the file.
    #[must_use]
    pub fn source_map(&self, tree: &Tree, node: NodeId) -> Option<SourceMap> {
        tree.source_map(&self.text, node)
    }

    /// The commands of the buildspec in the file, in the order in which they run, or of the script that it is, parsed
    /// again unless somebody has asked for them lately; none of another file.
    #[must_use]
    pub fn scripts(&self) -> Arc<Vec<ItemScript>> {
        self.recent.get(|| self.parse_scripts())
    }

    fn parse_scripts(&self) -> Vec<ItemScript> {
        let mut found = Vec::new();
        if self.kind == FileKind::Script {
            add_item(NodeId(0), &self.text, ShellKind::Posix, &mut found);
        }
        let Some(spec) = &self.buildspec else {
            return found;
        };
        if !spec.inline {
            add_scripts(&self.tree(), spec.shell, &mut found);
            return found;
        }
        for inner in delivery::buildspecs_inside(self.kind, &self.text) {
            add_scripts(&yaml::parse(&inner.text), spec.shell, &mut found);
        }
        found
    }

    /// The commands of the buildspec that is the value at `place` of a description.
    #[must_use]
    pub fn scripts_at(&self, place: Span) -> Vec<ItemScript> {
        let mut found = Vec::new();
        for inner in delivery::buildspecs_inside(self.kind, &self.text) {
            if inner.span == place {
                add_scripts(&yaml::parse(&inner.text), ShellKind::Posix, &mut found);
            }
        }
        found
    }

    /// What the file's commands do, found out at the first call.
    #[must_use]
    pub fn habits(&self) -> &Habits {
        self.habits.get_or_init(|| {
            let mut habits = Habits::default();
            // The folder of the commands: the next item runs where the last one has gone.
            let mut directory = Some(SmolStr::default());
            let mut order = Order::default();
            for item in self.scripts().iter() {
                order.item += u32::from(item.whole);
                habits.read(item);
                habits.note_outputs(item, order, &mut directory);
            }
            habits
        })
    }

    /// The names of the plain expressions `${NAME}` in the file, read as a template of Terraform's, each with its
    /// bytes; `None` if it has directives (`%{ for … }`), which may give other names a meaning.
    #[must_use]
    pub fn placeholders(&self) -> Option<Vec<(SmolStr, Span)>> {
        let plain = !has(&self.text, "%{");
        plain.then(|| templates::placeholders(&self.text).collect())
    }

    /// The texts in the file that somebody reads or runs: its keys and values, of commands what is neither a
    /// comment nor only printed.
    #[must_use]
    pub fn live_texts(&self) -> Arc<Vec<String>> {
        self.recent.get(|| self.find_live_texts())
    }

    fn find_live_texts(&self) -> Vec<String> {
        let tree = self.tree();
        let scripts = self.scripts();
        let own = self.buildspec.as_ref().is_some_and(|spec| !spec.inline);
        let mut texts: Vec<String> = scripts.iter().filter(|it| it.whole).map(live).collect();
        let mut items: Vec<NodeId> = scripts.iter().map(|it| it.node).collect();
        items.sort_unstable();
        for (id, node) in tree.nodes() {
            if let NodeKind::Scalar(scalar) = &node.kind
                && !(own && items.binary_search(&id).is_ok())
            {
                texts.push(scalar.value.to_string());
            }
        }
        texts
    }
}

impl ItemScript {
    /// The text with blanks in the place of comments and of what is only printed.
    #[must_use]
    pub fn live_text(&self) -> String {
        live(self)
    }

    /// Whether the commands are known to be all that the shell sees.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.script.status == Status::Clean
    }
}

fn live(item: &ItemScript) -> String {
    let mut text = item.text.clone();
    let printed = item.script.commands.iter().filter(|it| only_prints(it));
    // A variable that is printed is read.
    let printed = printed
        .flat_map(|it| it.words.iter().flat_map(|word| &word.parts))
        .filter(|part| matches!(part.kind, PartKind::Literal(_)));
    let told = item.script.comments.iter().copied();
    for span in told.chain(printed.map(|it| it.span)) {
        if let Some(part) = text.get(span.range()) {
            let blank = " ".repeat(part.len());
            text.replace_range(span.range(), &blank);
        }
    }
    text
}

fn add_scripts(tree: &Tree, shell: ShellKind, found: &mut Vec<ItemScript>) {
    let Some(spec) = tree.root().and_then(|root| Buildspec::read(tree, root)) else {
        return;
    };
    for (.., node) in spec.commands() {
        let node = tree.resolve(node);
        if let Some(text) = tree.text(node) {
            add_item(node, text, shell, found);
        }
    }
}

fn add_item(node: NodeId, text: &str, shell: ShellKind, found: &mut Vec<ItemScript>) {
    let reading = match shell {
        ShellKind::PowerShell => Arc::new(Reading::of(text, Arc::new(powershell::parse(text)))),
        ShellKind::Posix | ShellKind::Cmd => tools::reading(text),
    };
    let inner = reading.commands().flat_map(|(command, seen)| {
        let nested = seen.map_or(&[][..], |seen| &seen.nested);
        local_scripts(command, nested)
    });
    let inner: Vec<String> = inner.collect();
    found.push(ItemScript {
        node,
        whole: true,
        text: text.to_owned(),
        script: Arc::clone(&reading.script),
    });
    for text in inner {
        let script = shell::parsed(&text);
        found.push(ItemScript {
            node,
            whole: false,
            text,
            script,
        });
    }
}

/// The scripts in the words of a command that run on the same machine.
fn local_scripts(command: &Command, nested: &[NestedScript]) -> Vec<String> {
    let literal = |parts: &[shell::Part]| {
        let texts = parts.iter().map(|part| match &part.kind {
            PartKind::Literal(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Option<String>>()
    };
    nested
        .iter()
        .filter(|it| it.surroundings != InnerScope::Elsewhere)
        .filter_map(|it| literal(it.parts(command)?))
        .collect()
}

/// Whether the command shows its words to people and does nothing else with them.
#[must_use]
pub fn only_prints(command: &Command) -> bool {
    let prints = command
        .program()
        .is_some_and(|it| matches!(&*it, "echo" | "printf" | "Write-Host" | "Write-Output"));
    let to = |it: &shell::Redirect, name: &str| it.target.as_ref().is_some_and(|it| it.is(name));
    // What goes there is for people, wherever the command stands.
    let to_errors = command.redirects.iter().any(|it| match it.kind {
        RedirectKind::Duplicate => to(it, "2"),
        RedirectKind::Output => to(it, "/dev/stderr"),
        _ => false,
    });
    let to_file = |it: &shell::Redirect| it.kind == RedirectKind::Output && !to(it, "/dev/stderr");
    let expands = |word: &Word| {
        let runs = |it: &shell::Part| it.kind == PartKind::Substitution;
        word.parts.iter().any(runs)
    };
    let context = &command.context;
    let to_log = context.pipe_length <= 1 && context.substitution == 0 && !context.diverted;
    prints
        && (to_errors || to_log)
        && !command.redirects.iter().any(to_file)
        && !command.words.iter().any(expands)
}

impl Habits {
    fn read(&mut self, item: &ItemScript) {
        if !item.is_certain() {
            self.guess(&item.text);
        }
        for command in &item.script.commands {
            self.command(command);
        }
    }

    /// What the item does to files. `order` is that of the item.
    fn note_outputs(&mut self, item: &ItemScript, order: Order, directory: &mut Option<SmolStr>) {
        // A script inside an item is known by what it names only: the folder that it runs in, and when, is not.
        let mut unknown = None;
        let directory = if item.whole { directory } else { &mut unknown };
        for (index, command) in (0..).zip(&item.script.commands) {
            let command_order = Order {
                item: order.item,
                command: if item.whole { index } else { 0 },
            };
            outputs::note(
                &mut self.outputs,
                directory,
                command,
                &item.text,
                command_order,
            );
            self.expands |= outputs::expands(command, &item.text);
        }
    }

    fn command(&mut self, command: &Command) {
        if !command.words.is_empty() {
            let own = command.assignments.iter().filter(|it| !it.exported);
            self.prefixed.extend(own.map(|it| it.name.clone()));
        }
        if only_prints(command) {
            return;
        }
        let literals: Vec<Option<String>> = command.words.iter().map(Word::literal).collect();
        let is = |word: &Option<String>, text: &str| word.as_deref() == Some(text);
        self.restarts |= literals
            .windows(2)
            .any(|it| is(&it[0], "rollout") && is(&it[1], "restart"))
            || literals.iter().any(|it| is(it, "--recreate-pods"));
        // Also as an argument: it is installed to be run, by this file or by a script.
        let fills =
            |it: &String| it.starts_with("gettext") || it.rsplit('/').next() == Some("envsubst");
        self.expands |= literals.iter().flatten().any(fills);
        let Some(program) = command.program() else {
            return;
        };
        match &*program {
            "source" | "." => self.sets_unknown |= command.words.len() > 1,
            "eval" => self.sets_unknown = true,
            "export" => self.export(command),
            "set" => {
                let all = |it: &String| {
                    it == "allexport"
                        || it.starts_with('-') && !it.starts_with("--") && it.contains('a')
                };
                self.exports_all |= literals.iter().flatten().any(all);
            }
            "cd" | "pushd" | "Set-Location" => self.moves = true,
            "[" | "[[" | "test" => {
                let asks = |it: &String| matches!(&**it, "-z" | "-n" | "-v");
                if literals.iter().flatten().any(asks) {
                    let read = command.words.iter().flat_map(Word::variables);
                    self.tested.extend(read.map(|it| it.name.clone()));
                    self.tested
                        .extend(literals.into_iter().flatten().map(SmolStr::from));
                }
            }
            _ => {}
        }
    }

    fn export(&mut self, command: &Command) {
        for word in &command.words[1..] {
            match word.literal() {
                Some(name) if name.starts_with('-') => {}
                Some(name) => {
                    self.exported.insert(name.into());
                }
                None => self.sets_unknown = true,
            }
        }
    }

    /// The same of a text that is not understood: all that it may do.
    fn guess(&mut self, text: &str) {
        let any = |signs: &[&str]| signs.iter().any(|sign| has(text, sign));
        self.sets_unknown |= any(&["source ", ". ./", ". /", ". $", "eval ", "export $("]);
        self.exports_all |= any(&["set -a", "allexport"]);
        self.expands |= any(&["envsubst", "eval ", "gettext"]);
        self.restarts |= any(&["rollout restart", "--recreate-pods"]);
        self.moves |= any(&["cd ", "pushd ", "Set-Location"]);
        if any(&["-z", "-n"]) {
            let names = text.match_indices('$').map(|(at, _)| {
                let rest = text[at + 1..].trim_start_matches('{');
                SmolStr::from(plain_name(rest))
            });
            self.tested.extend(names);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{FileId, ReadOptions, read_file};

    fn facts(commands: &str) -> FileFacts {
        let lines: String = commands
            .lines()
            .map(|it| format!("          {it}\n"))
            .collect();
        let text = format!(
            "version: 0.2\n# source a; [ -z \"$A\" ]; export A; kubectl rollout restart x\nphases:\n  build:\n    commands:\n      - docker push r/a:$A\n      - |\n{lines}"
        );
        let (path, text) = (Arc::from("buildspec.yml"), Arc::from(text));
        read_file(FileId(0), &path, &text, &ReadOptions::default())
    }

    #[test]
    fn commands_do_and_words_do_not() {
        let sets = |it: &Habits| it.sets_unknown;
        let tests = |it: &Habits| it.tested.contains("A");
        let restarts = |it: &Habits| it.restarts;
        let exports = |it: &Habits| it.exported.contains("A");
        let expands = |it: &Habits| it.expands;
        /// A command, a question, and its answer.
        type Case = (&'static str, fn(&Habits) -> bool, bool);
        let cases: &[Case] = &[
            ("source ./env.sh", sets, true),
            ("x && . \"$HOME/env\"", sets, true),
            ("bash -c '. ./env; make'", sets, true),
            ("eval $(x)", sets, true),
            ("export $(cat .env | xargs)", sets, true),
            ("echo source ./env.sh", sets, false),
            ("# source ./env.sh", sets, false),
            ("true # eval \"$x\"", sets, false),
            ("docker build --build-arg source . ./app", sets, false),
            ("if [ -z \"$A\" ]; then exit 1; fi", tests, true),
            ("if [[ -n $A ]]; then x; fi", tests, true),
            ("test -z \"${A}\" && exit 1", tests, true),
            ("[[ -v A ]] || exit 1", tests, true),
            ("grep -n A README.md", tests, false),
            ("grep -n \"$A\" README.md", tests, false),
            ("echo '[ -z \"$A\" ]'", tests, false),
            ("kubectl rollout restart deploy/x", restarts, true),
            ("oc -n x rollout restart deploy/x", restarts, true),
            ("helm upgrade x y --recreate-pods", restarts, true),
            ("echo no rollout restart needed", restarts, false),
            ("echo \"no rollout restart needed\"", restarts, false),
            ("export A", exports, true),
            ("export -p B A", exports, true),
            ("echo export A", exports, false),
            ("x=$(echo envsubst >&2; y)", expands, false),
            ("x=$(echo envsubst | sh)", expands, true),
            ("envsubst < x > y", expands, true),
            ("apk add gettext", expands, true),
            ("eval \"docker push $A\"", expands, true),
            ("sed -i 's|${A}|'\"$A\"'|' x.json", expands, true),
            ("sh -c 'echo $A'", expands, false),
            ("echo no envsubst", expands, false),
        ];
        for (commands, of, expected) in cases {
            assert_eq!(of(facts(commands).habits()), *expected, "{commands}");
        }
    }

    #[test]
    fn comments_and_what_is_printed_are_not_live() {
        let file = facts("echo A is set # A\nA=1 make\necho \"$A\" > A.txt");
        let texts = file.live_texts();
        let of_block = texts.iter().find(|it| it.contains("make")).unwrap();
        assert_eq!(of_block.matches('A').count(), 3, "{of_block}");
        assert!(
            facts("echo \"it is $A\"")
                .live_texts()
                .iter()
                .any(|it| it.contains("$A"))
        );
        assert!(!texts.iter().any(|it| it.contains("restart")));
    }
}

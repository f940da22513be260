//! Files that a build writes anew before anything reads them: a task definition whose `latest` is there for
//! `sed` to find says nothing of what is deployed.

use std::collections::BTreeSet;

use tagwright_flow::facts::FileFacts;
use tagwright_flow::habits::{ItemScript, only_prints};
use tagwright_flow::tools::{Edits, Tool, tool};
use tagwright_flow::{FileId, FileKind, Workspace};
use tagwright_syntax::shell::{RedirectKind, Word};

/// Programs of the repository's own, which may do anything with a file.
const SCRIPTS: [&str; 5] = [".sh", ".py", ".js", ".ts", ".rb"];

/// What the program of this name may change in a file that it is given.
fn edits(program: &str) -> Edits {
    tool(program).map_or(Edits::Nothing, |tool| tool.edits)
}

fn is_kustomize(program: &str) -> bool {
    tool(program).is_some_and(|tool| tool.family == Tool::Kustomize)
}

/// Whether the file is data that a command may edit.
pub(crate) fn is_data(file: &FileFacts) -> bool {
    matches!(
        file.kind,
        FileKind::TaskDefinition
            | FileKind::ImageDefinitions
            | FileKind::Dockerrun
            | FileKind::Kubernetes
            | FileKind::CloudFormation
    )
}

/// The files with images that a command of some buildspec seems to edit: one item of it runs what edits files
/// and names the file, or all with its extension, or a command's output goes there. Which words are the file's
/// path is not asked of every tool; what such a file says of its images is not certain.
pub(crate) fn files(workspace: &Workspace) -> BTreeSet<FileId> {
    let data: Vec<&FileFacts> = workspace
        .files()
        .iter()
        .filter(|file| is_data(file) && !file.uses.is_empty())
        .collect();
    let mut found = BTreeSet::new();
    for spec in workspace.files() {
        if data.is_empty() || spec.kind != FileKind::Buildspec || found.len() == data.len() {
            continue;
        }
        let mut item = Item::default();
        let scripts = spec.scripts();
        let mut scripts = scripts.iter().peekable();
        while let Some(script) = scripts.next() {
            item.read(script);
            // A script inside an item belongs to it.
            if scripts.peek().is_none_or(|next| next.whole) {
                std::mem::take(&mut item).edits(&data, &mut found);
            }
        }
    }
    found
}

/// What the commands of one item say.
#[derive(Default)]
struct Item {
    /// The words that are not only printed, taken apart at signs; of a path its last part.
    words: Vec<String>,
    /// The files that output goes to, the same.
    written: Vec<String>,
    /// Some word speaks of images.
    of_images: bool,
    /// All manifests of Kubernetes are edited.
    all_manifests: bool,
}

impl Item {
    fn read(&mut self, script: &ItemScript) {
        if !script.is_certain() {
            self.take(&script.live_text());
        }
        let source = |word: &Word| word.span.of(&script.text);
        for command in &script.script.commands {
            for redirect in &command.redirects {
                let target = redirect.target.as_ref().map_or("", source);
                let output = redirect.kind == RedirectKind::Output;
                self.written
                    .extend(words(target).filter(|_| output).map(str::to_owned));
                self.take(target);
            }
            if only_prints(command) {
                continue;
            }
            let kustomize = command
                .words
                .iter()
                .any(|word| word.value().is_some_and(|word| is_kustomize(&word)));
            let mut pairs = command.words.windows(2);
            self.all_manifests |=
                kustomize && pairs.any(|pair| pair[0].is("set") && pair[1].is("image"));
            let loops = command.context.loops.iter().flat_map(|it| &it.words);
            let values = command
                .assignments
                .iter()
                .filter_map(|it| it.value.as_ref());
            for word in command.words.iter().chain(loops).chain(values) {
                self.take(source(word));
            }
        }
    }

    fn take(&mut self, text: &str) {
        self.of_images |= text.contains("mage");
        self.words.extend(words(text).map(str::to_owned));
    }

    fn edits(self, data: &[&FileFacts], found: &mut BTreeSet<FileId>) {
        if self.all_manifests {
            let manifests = data.iter().filter(|file| file.kind == FileKind::Kubernetes);
            found.extend(manifests.map(|file| file.id));
        }
        let edited = self.words.iter().any(|word| {
            edits(word) == Edits::Anything
                || self.of_images && edits(word) == Edits::Values
                || SCRIPTS.iter().any(|end| word.ends_with(end))
        });
        for file in data {
            let name = last(&file.path);
            let is_named = |word: &String| {
                let all = word.rsplit_once('*');
                *word == name || all.is_some_and(|(_, end)| !end.is_empty() && name.ends_with(end))
            };
            if edited && self.words.iter().any(is_named) || self.written.iter().any(|it| it == name)
            {
                found.insert(file.id);
            }
        }
    }
}

/// The words of a text, of a path its last part.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "|;&$()`\"'<>{}=,:".contains(c))
        .map(last)
        .filter(|word| !word.is_empty())
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

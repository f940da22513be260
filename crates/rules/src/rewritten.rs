//! Files that a build writes anew before anything reads them: a task definition whose `latest` is there for
//! `sed` to find says nothing of what is deployed.

use std::collections::BTreeSet;

use tagwright_flow::facts::FileFacts;
use tagwright_flow::tools::{Edits, Tool, tool};
use tagwright_flow::{FileId, FileKind, Workspace};

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

/// The files with images that a command of some buildspec seems to edit: it names the file, or all with its
/// extension. A look at the words; what such a file says of its images is not certain.
pub(crate) fn files(workspace: &Workspace) -> BTreeSet<FileId> {
    let data: Vec<&FileFacts> = workspace
        .files()
        .iter()
        .filter(|file| is_data(file) && !file.uses.is_empty())
        .collect();
    let mut found = BTreeSet::new();
    for spec in workspace.files() {
        if spec.kind != FileKind::Buildspec || found.len() == data.len() {
            continue;
        }
        for item in items(&spec.text) {
            let words: Vec<&str> = words(item).collect();
            if words.iter().any(|word| is_kustomize(word)) && item.contains("set image") {
                let manifests = data.iter().filter(|file| file.kind == FileKind::Kubernetes);
                found.extend(manifests.map(|file| file.id));
            }
            let edited = words.iter().any(|word| edits(word) == Edits::Anything)
                || item.contains("mage") && words.iter().any(|word| edits(word) == Edits::Values)
                || words
                    .iter()
                    .any(|word| SCRIPTS.iter().any(|end| word.ends_with(end)));
            if !edited {
                continue;
            }
            for file in &data {
                let name = last(&file.path);
                let named = words.iter().any(|word| {
                    *word == name
                        || word
                            .rsplit_once('*')
                            .is_some_and(|(_, end)| !end.is_empty() && name.ends_with(end))
                });
                if named {
                    found.insert(file.id);
                }
            }
        }
    }
    found
}

/// The text in pieces that begin at the items of lists, so that a command of several lines is in one.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = 0;
        for line in rest.split_inclusive('\n') {
            if end > 0 && line.trim_start().starts_with("- ") {
                break;
            }
            end += line.len();
        }
        let (item, after) = rest.split_at(end);
        rest = after;
        Some(item)
    })
}

/// The words of a command, of a path its last part.
fn words(item: &str) -> impl Iterator<Item = &str> {
    item.split(|c: char| c.is_whitespace() || "|;&$()`\"'<>{}=,:".contains(c))
        .map(last)
        .filter(|word| !word.is_empty())
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

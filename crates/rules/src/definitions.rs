//! Files with images that deploy nothing: the build replaces them before anything reads them, or they are samples.

use std::collections::BTreeSet;

use tagwright_flow::facts::FileFacts;
use tagwright_flow::outputs::WrittenFile;
use tagwright_flow::{FileId, FileKind, Workspace};

/// What folders of samples are called.
const SAMPLES: [&str; 14] = [
    "sample",
    "samples",
    "example",
    "examples",
    "doc",
    "docs",
    "documentation",
    "test",
    "tests",
    "__tests__",
    "spec",
    "testdata",
    "fixture",
    "fixtures",
];

fn is_definition(file: &FileFacts) -> bool {
    matches!(
        file.kind,
        FileKind::ImageDefinitions | FileKind::TaskDefinition
    )
}

/// The image definitions and task definitions that reach no deployment: the build replaces them before anything
/// reads them, or they are samples.
#[must_use]
pub fn without_effect(workspace: &Workspace) -> BTreeSet<FileId> {
    let specs: Vec<&FileFacts> = workspace
        .files()
        .iter()
        .filter(|file| file.kind == FileKind::Buildspec)
        .collect();
    let files = workspace.files().iter();
    files
        .filter(|file| is_definition(file) && !file.uses.is_empty())
        .filter(|file| specs.iter().any(|spec| replaces(spec, file)) || is_sample(&specs, file))
        .map(|file| file.id)
        .collect()
}

/// Whether a command of the buildspec writes the file anew in every build, and none looks at it before.
fn replaces(spec: &FileFacts, file: &FileFacts) -> bool {
    let folder = folder(&spec.path);
    let name = last(&file.path);
    let wanted = |written: &&WrittenFile| {
        let path = &*written.path;
        !written.conditional
            && (path == &*file.path || file.path.strip_prefix(folder) == Some(path))
    };
    let outputs = &spec.habits().outputs;
    let Some(written) = outputs.written.iter().find(wanted) else {
        return false;
    };
    let mut named = outputs.named.iter();
    !named.any(|(known, order)| {
        known == name && (order.item < written.order.item || *order <= written.order)
    })
}

/// Whether the file is where no build and no deployment takes it from.
fn is_sample(specs: &[&FileFacts], file: &FileFacts) -> bool {
    let home = folder(&file.path);
    let name = last(&file.path);
    let built = specs.iter().any(|spec| folder(&spec.path) == home);
    let sample = home
        .split('/')
        .any(|part| SAMPLES.contains(&part.to_ascii_lowercase().as_str()));
    // A name that some text holds may be asked for there; where none does, the file is asked for nowhere.
    let asked_for = |path: &str| specs.iter().any(|spec| spec.may_hold(path));
    if built {
        return false;
    }
    if sample {
        return !asked_for(&file.path)
            && !asked_for(&format!("{}/{name}", last(home.trim_end_matches('/'))));
    }
    // CodePipeline takes image definitions from the root of an artifact.
    file.kind == FileKind::ImageDefinitions
        && !home.is_empty()
        && !specs.is_empty()
        && !specs.iter().any(|spec| hands_on(spec, home))
        && !asked_for(home.trim_end_matches('/'))
}

/// Whether the folder becomes the root of an artifact of the buildspec.
fn hands_on(spec: &FileFacts, home: &str) -> bool {
    let home = home.trim_end_matches('/');
    let root = folder(&spec.path);
    spec.buildspec.iter().any(|it| {
        it.artifact_folders.iter().any(|folder| {
            let folder = &**folder;
            folder.contains(['*', '$']) || folder == home || home.strip_prefix(root) == Some(folder)
        })
    })
}

/// The path's folder with its last slash, or nothing.
fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..=at])
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

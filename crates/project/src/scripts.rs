//! The scripts that buildspecs of a workspace run, and the task definitions that they register: they are files of the
//! workspace, although no name tells them.

use std::collections::BTreeSet;
use std::path::Path;

use tagwright_flow::FileKind;
use tagwright_syntax::SmolStr;

use crate::discovery::{self, Candidate, Reach};
use crate::wording;
use crate::workspace::{Document, Workspace};

/// The workspace in the folder `root` (absolute) with the scripts that its files run, those that these run, and what any of
/// them registers. `load`
/// reads one. What `reach` does not reach is not read; unless the workspace is `whole`, nor is what lies far below a
/// folder that nothing marks as one.
pub fn with_scripts(
    mut workspace: Workspace,
    (root, reach, whole): (&Path, Reach, bool),
    load: &dyn Fn(&Candidate) -> Option<Document>,
) -> Workspace {
    let mut tried: BTreeSet<SmolStr> = BTreeSet::new();
    let mut all = None;
    loop {
        let mut paths = workspace.flow.unread_files();
        paths.retain(|path| !tried.contains(path) && root.join(&**path).is_file());
        if paths.is_empty() {
            return workspace;
        }
        let all = all.get_or_insert_with(|| discovery::all_files(root, reach, whole));
        let candidates = all.iter().filter_map(|file| {
            let relative = wording::display(file.strip_prefix(root).ok()?);
            paths.contains(&*relative).then(|| Candidate {
                path: beside(&workspace, &relative).unwrap_or_else(|| file.clone()),
                absolute: file.clone(),
                explicit: false,
                link: false,
            })
        });
        let loaded: Vec<Document> = candidates
            .filter_map(|candidate| load(&candidate))
            .filter(|it| matches!(it.kind, FileKind::Script | FileKind::TaskDefinition))
            .collect();
        tried.extend(paths);
        if loaded.is_empty() {
            return workspace;
        }
        workspace = workspace.with_more(loaded);
    }
}

/// The path to open for the file at `relative`, given in the way in which the other files are.
fn beside(workspace: &Workspace, relative: &str) -> Option<std::path::PathBuf> {
    workspace.documents.iter().find_map(|document| {
        let path = document.path.as_ref()?;
        let depth = Path::new(&*document.relative).components().count();
        let folder = path.ancestors().nth(depth)?;
        let same = folder.join(&*document.relative);
        (same == *path).then(|| folder.join(relative))
    })
}

//! Files that other files name and that are not there: the only thing that a rule says which takes a look at the
//! disk.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tagwright_diagnostics::{Finding, Severity};
use tagwright_flow::facts::FileFacts;

use crate::workspace::Document;

/// The rule's name in the registry.
pub const RULE: &str = "missing-file";

/// What is wrong with the files that `files` name. `documents` are these files on disk.
pub(crate) fn findings(files: &[FileFacts], documents: &[Document]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut roots = Roots::default();
    for (facts, document) in files.iter().zip(documents) {
        let named = facts.delivery.as_deref().map(|it| &it.named[..]);
        let named = named.unwrap_or_default();
        if named.is_empty() {
            continue;
        }
        let Some(root) = roots.of(document) else {
            continue;
        };
        // Copilot counts from the folder that holds its own.
        let project: PathBuf = Path::new(&*facts.path)
            .components()
            .take_while(|part| part.as_os_str() != "copilot")
            .collect();
        for file in named {
            // That is a place in the build's container.
            if file.path.starts_with('/') {
                continue;
            }
            let beside = |folder: &Path| folder.join(&*file.path).exists();
            if beside(&root) || beside(&root.join(&project)) {
                continue;
            }
            found.push(Finding {
                rule: RULE,
                severity: Severity::Error,
                message: format!(
                    "CodeBuild will stop with `YAML_FILE_ERROR`: there is no file `{}` in this repository",
                    file.path
                ),
                file: facts.id,
                span: file.span,
                related: Vec::new(),
                fix: None,
                alternative: None,
                refusal: None,
            });
        }
    }
    found
}

/// The folders of workspaces, and which are roots of Git repositories without submodules: asked of the disk once each.
#[derive(Default)]
pub(crate) struct Roots(HashMap<PathBuf, bool>);

impl Roots {
    /// The root of the Git repository that the file lies in, if it is the workspace's folder and has no submodules.
    pub(crate) fn of(&mut self, document: &Document) -> Option<PathBuf> {
        let path = std::path::absolute(document.path.as_deref()?).ok()?;
        let depth = Path::new(&*document.relative).components().count();
        let root = path.ancestors().nth(depth)?;
        let whole = || path == root.join(&*document.relative);
        let is_root = match self.0.get(root) {
            Some(known) => *known,
            None => {
                let found = root.join(".git").exists() && !root.join(".gitmodules").exists();
                self.0.insert(root.to_path_buf(), found);
                found
            }
        };
        (is_root && whole()).then(|| root.to_path_buf())
    }
}

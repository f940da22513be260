//! `[per-file-ignores]`: rules that say nothing about certain files.

use std::path::{Path, PathBuf};

use ignore::gitignore::Gitignore;
use tagwright_diagnostics::Finding;

use crate::catalog::Catalog;
use crate::config::{self, Config};

/// The patterns of a configuration with the rules that they turn off.
#[derive(Debug)]
pub struct PerFile {
    /// The folder of the configuration, absolute.
    folder: PathBuf,
    /// The folder of the workspace, absolute.
    root: PathBuf,
    patterns: Vec<(Gitignore, Vec<String>)>,
}

impl PerFile {
    /// What `config`, which lies in `folder`, says about the files of the workspace at `root` (both absolute); `None`
    /// if it says nothing. Patterns that are none have been refused when the configuration was read.
    #[must_use]
    pub fn new(config: &Config, catalog: &Catalog, folder: &Path, root: &Path) -> Option<Self> {
        let patterns: Vec<_> = config
            .per_file_ignores
            .iter()
            .filter_map(|(pattern, names)| {
                let pattern = [pattern.get_ref().clone()];
                let matcher = config::patterns(folder, &pattern).ok()?;
                let rules = names.iter().flat_map(|name| {
                    let name = name.get_ref();
                    let of_category = catalog.category(name).map(|it| it.rule.to_owned());
                    of_category.chain([name.clone()])
                });
                Some((matcher, rules.collect()))
            })
            .collect();
        (!patterns.is_empty()).then(|| Self {
            folder: folder.to_owned(),
            root: root.to_owned(),
            patterns,
        })
    }

    /// Whether the finding, in the file `path` (relative to the workspace), is not wanted.
    #[must_use]
    pub fn ignores(&self, finding: &Finding, path: &str) -> bool {
        let absolute = self.root.join(path);
        absolute.starts_with(&self.folder)
            && self.patterns.iter().any(|(matcher, rules)| {
                rules.iter().any(|rule| rule == finding.rule)
                    && matcher
                        .matched_path_or_any_parents(&absolute, false)
                        .is_ignore()
            })
    }
}

//! One workspace: its files as they are on disk, with the open texts over them, and what there is to say.
//!
//! Which files belong to it is found out once; after that a changed text costs one reading of that file and one
//! joining of all. Where files come or go, or the configuration changes, the whole is read anew.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gen_lsp_types::WorkspaceEdit;
use tagwright_diagnostics::{Finding, Fix};
use tagwright_flow::FileId;
use tagwright_project::analysis::{self, Analysis};
use tagwright_project::baseline::{self, Located};
use tagwright_project::config::{self, Config, Scope};
use tagwright_project::discovery::{self, Candidate, Reach};
use tagwright_project::load::{Damage, Loaded, load};
use tagwright_project::parallel::map;
use tagwright_project::per_file::PerFile;
use tagwright_project::scripts::with_scripts;
use tagwright_project::source::{self, Source};
use tagwright_project::surroundings::Around;
use tagwright_project::{Document, Workspace};

/// The open texts, by absolute path.
pub(crate) type Overlay = BTreeMap<PathBuf, Arc<str>>;

/// Which of the answers to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    /// Its fix.
    Fix,
    /// The other one that may be made instead.
    Alternative,
}

impl Answer {
    /// The answer of this kind that the finding has.
    pub(crate) fn of(self, finding: &Finding) -> Option<&Arc<Fix>> {
        match self {
            Answer::Fix => finding.fix.as_ref(),
            Answer::Alternative => finding.alternative.as_ref(),
        }
    }
}

/// One workspace.
pub(crate) struct Root {
    folder: PathBuf,
    config: Config,
    /// The findings that do not count.
    baseline: Option<Located>,
    /// What is wrong with the configuration on disk; the last one that was right holds.
    config_error: Option<String>,
    /// The error that was told last.
    told: Option<String>,
    pub(crate) workspace: Workspace,
    /// The absolute paths of the workspace's documents, by their id.
    paths: Vec<PathBuf>,
    ids: HashMap<PathBuf, FileId>,
    /// Open files that are no text.
    damaged: HashMap<PathBuf, Damage>,
    /// Whether the files that are not open are read too.
    complete: bool,
    /// All findings, by file and place.
    pub(crate) findings: Vec<Finding>,
    /// Texts that are newer than what was read.
    waiting: BTreeMap<FileId, Arc<str>>,
    stale: bool,
    /// The edits of fixes that were asked for, by index of the finding; `None` for a fix that does not prove itself.
    pub(crate) proven: HashMap<(usize, Answer), Option<WorkspaceEdit>>,
    /// Counts the analyses, so that what was worked out for one is not taken for another's.
    pub(crate) generation: u64,
}

impl Root {
    /// The workspace in `folder` (absolute), not read yet.
    pub(crate) fn new(folder: PathBuf) -> Self {
        let config = Config::default();
        Self {
            workspace: Workspace::new(Vec::new(), Analysis::new(&config)),
            folder,
            config,
            baseline: None,
            config_error: None,
            told: None,
            paths: Vec::new(),
            ids: HashMap::new(),
            damaged: HashMap::new(),
            complete: false,
            findings: Vec::new(),
            waiting: BTreeMap::new(),
            proven: HashMap::new(),
            stale: true,
            generation: 0,
        }
    }

    /// Says that files have come, gone or changed in ways that only reading everything again shows.
    pub(crate) fn invalidate(&mut self) {
        self.stale = true;
    }

    /// Gives an open file a new text. Nothing is read before [`Root::settle`].
    pub(crate) fn change(&mut self, path: &Path, text: &Arc<str>) {
        match self.ids.get(path) {
            // A text with a NUL byte is no document: that is for loading to say.
            Some(id) if !text.contains('\0') => {
                self.waiting.insert(*id, Arc::clone(text));
            }
            _ => self.stale = true,
        }
    }

    /// Takes the text of a file that changed on disk and is not open.
    pub(crate) fn change_on_disk(&mut self, path: &Path) {
        match (self.ids.get(path), source::read(path)) {
            (Some(id), Ok(Source::Text(text))) => {
                self.waiting.insert(*id, text);
            }
            // What nobody read so far may be of interest now.
            _ => self.stale |= self.complete || self.ids.contains_key(path),
        }
    }

    /// Whether something happened since the last [`Root::settle`].
    pub(crate) fn is_unsettled(&self) -> bool {
        self.stale || !self.waiting.is_empty()
    }

    /// Brings findings up to date with all texts.
    pub(crate) fn settle(&mut self, open: &Overlay) {
        if !self.is_unsettled() {
            return;
        }
        self.generation += 1;
        self.proven.clear();
        let waiting = std::mem::take(&mut self.waiting);
        if !self.stale {
            self.workspace.update(waiting);
            // An edit can make the neighbours matter.
            self.stale = !self.complete && self.needs_context();
        }
        if std::mem::take(&mut self.stale) {
            self.reload(open);
        }
        self.findings = self.workspace.check().findings;
    }

    /// A message for the user, the first time it is asked for after something happened.
    pub(crate) fn news(&mut self) -> Option<String> {
        if self.told == self.config_error {
            return None;
        }
        self.told.clone_from(&self.config_error);
        let error = self.config_error.as_deref()?;
        Some(format!(
            "{error}\nUntil this is put right, tagwright goes on with the configuration as it was."
        ))
    }

    fn needs_context(&self) -> bool {
        self.workspace.needs_context()
    }

    fn reload(&mut self, open: &Overlay) {
        self.reload_config();
        let exclusion = self.config_folder();
        let excluded = config::exclusion(&exclusion, &self.config.exclude).ok();
        let is_excluded = |path: &Path| {
            path.starts_with(&exclusion)
                && excluded.as_ref().is_some_and(|excluded| {
                    excluded
                        .matched_path_or_any_parents(path, false)
                        .is_ignore()
                })
        };
        let mut candidates: Vec<Candidate> = open
            .keys()
            .filter(|path| !is_excluded(path))
            .map(|path| Candidate {
                path: path.clone(),
                absolute: path.clone(),
                explicit: true,
                link: false,
            })
            .collect();
        self.load(&candidates, open);
        self.complete = false;
        if !self.needs_context() {
            return;
        }
        let context = discovery::context(&self.folder, Reach::Usual);
        candidates.extend(
            context
                .workspaces
                .into_iter()
                .flat_map(|found| found.files)
                .filter(|file| !open.contains_key(&file.absolute) && !is_excluded(&file.absolute)),
        );
        // The order of `check`, so that both say the same.
        candidates.sort_by(|a, b| discovery::order(&a.absolute, &b.absolute));
        self.load(&candidates, open);
        self.complete = true;
    }

    /// The folder from which the patterns of the configuration count, absolute.
    fn config_folder(&self) -> PathBuf {
        config::find(&self.folder)
            .and_then(|file| file.parent().map(Path::to_path_buf))
            .unwrap_or_else(|| self.folder.clone())
    }

    fn load(&mut self, candidates: &[Candidate], open: &Overlay) {
        let loaded = map(candidates, |candidate| {
            let overlay = open
                .get(&candidate.absolute)
                .map(|text| source::decode(text.as_bytes().to_vec()));
            load(&self.folder, candidate, overlay.as_ref(), true)
        });
        self.paths.clear();
        self.ids.clear();
        self.damaged.clear();
        let mut documents: Vec<Document> = Vec::new();
        for (candidate, loaded) in candidates.iter().zip(loaded) {
            match loaded {
                Loaded::Document(mut document) => {
                    document.shown = Arc::clone(&document.relative);
                    let id = FileId(u32::try_from(documents.len()).unwrap_or(u32::MAX));
                    self.ids.insert(candidate.absolute.clone(), id);
                    self.paths.push(candidate.absolute.clone());
                    documents.push(document);
                }
                Loaded::Damage(damage) => {
                    self.damaged.insert(candidate.absolute.clone(), damage);
                }
                // What cannot be read is not open, and who looks at one file did not ask for it.
                Loaded::Problem(_) | Loaded::Nothing => {}
            }
        }
        let around = Around::new(self.folder.clone(), Reach::Usual, false);
        let of_config = self.config_folder();
        let catalog = analysis::catalog();
        let per_file = PerFile::new(&self.config, &catalog, &of_config, &self.folder);
        let workspace = Workspace::new(documents, Analysis::new(&self.config))
            .among(around)
            .with_per_file(per_file);
        let workspace = self.with_scripts(workspace, open);
        self.workspace = match self.baseline.clone() {
            Some(baseline) => workspace.with_baseline(baseline, baseline::today()),
            None => workspace,
        };
    }

    /// With the scripts that the files run.
    fn with_scripts(&mut self, workspace: Workspace, open: &Overlay) -> Workspace {
        let found = workspace.documents.len();
        let place = (&*self.folder, Reach::Usual, false);
        let workspace = with_scripts(workspace, place, &|candidate| {
            let text = open.get(&candidate.absolute);
            let overlay = text.map(|text| source::decode(text.as_bytes().to_vec()));
            match load(&self.folder, candidate, overlay.as_ref(), true) {
                Loaded::Document(mut document) => {
                    document.shown = Arc::clone(&document.relative);
                    Some(document)
                }
                _ => None,
            }
        });
        for (index, document) in workspace.documents.iter().enumerate().skip(found) {
            let path = self.folder.join(&*document.relative);
            let id = FileId(u32::try_from(index).unwrap_or(u32::MAX));
            self.ids.insert(path.clone(), id);
            self.paths.push(path);
        }
        workspace
    }

    fn reload_config(&mut self) {
        self.config_error = None;
        match config::find(&self.folder) {
            None => self.config = Config::default(),
            Some(path) => match Config::load(&path, &analysis::catalog()) {
                Ok(config) => self.config = config,
                Err(error) => self.config_error = Some(error.to_string()),
            },
        }
        match Located::find(&self.folder) {
            Ok(found) => self.baseline = found,
            Err(error) => self.config_error = Some(error.to_string()),
        }
    }

    /// Which fixes the configuration wants when a file is saved.
    pub(crate) fn fix_on_save(&self) -> Scope {
        self.config.fix_on_save
    }

    /// The id of the file at `path` (absolute), if it is read.
    pub(crate) fn id(&self, path: &Path) -> Option<FileId> {
        self.ids.get(path).copied()
    }

    /// The absolute path and the document of the file `id`.
    pub(crate) fn file(&self, id: FileId) -> Option<(&Path, &Document)> {
        let path = self.paths.get(id.0 as usize)?;
        Some((path, self.workspace.document(id)?))
    }

    /// What keeps the open file at `path` from being a text.
    pub(crate) fn damage(&self, path: &Path) -> Option<&Damage> {
        self.damaged.get(path)
    }

    /// The findings in the file `id`, by place.
    pub(crate) fn findings_in(&self, id: FileId) -> impl Iterator<Item = (usize, &Finding)> {
        let start = self.findings.partition_point(|it| it.file < id);
        self.findings
            .iter()
            .enumerate()
            .skip(start)
            .take_while(move |(_, finding)| finding.file == id)
    }
}

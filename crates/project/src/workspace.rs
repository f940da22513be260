//! The files of one workspace, read and joined: what there is to say about them, before and after a change.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tagwright_diagnostics::{Finding, Fix, Refusal, RefusalCode, Severity};
use tagwright_fixer::{Relint, Sources};
use tagwright_flow::facts::{AssignmentFact, FileFacts};
use tagwright_flow::kind::{FileKind, classify};
use tagwright_flow::mentions::{self, Mention};
use tagwright_flow::{self as flow, FileId};
use tagwright_rules::{Known, Verdict};
use tagwright_syntax::{SmolStr, Span};

use crate::analysis::Analysis;
use crate::baseline::Located;
use crate::identity::identities;
use crate::parallel::map;
use crate::per_file::PerFile;
use crate::shellcheck::{self, Script, Shellcheck};
use crate::surroundings::{Around, Others};
use crate::{executable, missing};

/// The rule of a file that tagwright cannot cope with.
pub const INTERNAL_ERROR: &str = "internal-error";

/// The rule under which the proof of a fix finds an old name that the fix would leave behind. It is never reported:
/// no text on disk has such a finding.
const LEFT_BEHIND: &str = "left-behind";

/// A file of a workspace.
#[derive(Clone, Debug)]
pub struct Document {
    /// The path as shown.
    pub shown: Arc<str>,
    /// The path to open; `None` for standard input.
    pub path: Option<PathBuf>,
    /// The path relative to the workspace's folder, with `/`.
    pub relative: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
    /// What it is read as.
    pub kind: FileKind,
    /// Whether it was asked for.
    pub target: bool,
    /// Why nothing is written to it; `None` if it may be.
    pub held: Option<Held>,
}

/// Why nothing is written to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It was found as a symbolic link.
    Link,
    /// It says what AWS runs.
    Aws,
}

/// What there is to say about a workspace.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// What counts.
    pub findings: Vec<Finding>,
    /// What does not.
    pub suppressed: Vec<Suppressed>,
}

/// A finding that does not count.
#[derive(Clone, Debug)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// Who says so.
    pub kind: SuppressionKind,
    /// The reason that is given there.
    pub reason: Option<String>,
}

/// Who says that a finding does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuppressionKind {
    /// A comment in the file.
    InSource,
    /// The baseline.
    Baseline,
}

/// A workspace whose files are read.
pub struct Workspace {
    /// The files; a [`FileId`] is an index here.
    pub documents: Vec<Document>,
    /// What they contribute, joined.
    pub flow: flow::Workspace,
    /// The rules with their settings.
    pub analysis: Analysis,
    /// What is wrong with the files by themselves.
    found: Vec<Finding>,
    /// What the comments of the files tell tagwright.
    directives: Vec<Known>,
    /// The findings that do not count, and the day of the run.
    baseline: Option<(Located, String)>,
    /// Rules that say nothing about certain files.
    per_file: Option<PerFile>,
    /// The other files of the repository.
    around: Option<Around>,
    /// Files that could not be read without a panic, and its message.
    unread: Vec<(FileId, String)>,
    /// The same, and those that the last check could not cope with.
    failures: Vec<(FileId, String)>,
}

impl Workspace {
    /// Reads `documents` and joins what they contribute.
    #[must_use]
    pub fn new(documents: Vec<Document>, analysis: Analysis) -> Self {
        let none = Self {
            documents: Vec::new(),
            flow: flow::Workspace::default(),
            analysis,
            found: Vec::new(),
            directives: Vec::new(),
            baseline: None,
            per_file: None,
            around: None,
            unread: Vec::new(),
            failures: Vec::new(),
        };
        none.with_more(documents)
    }

    /// Whether files beside those that it has may change what there is to say about these.
    #[must_use]
    pub fn needs_context(&self) -> bool {
        self.analysis.needs_context(&self.flow, &self.found)
    }

    /// Whether some file gives the shell variable a value: a command or `env` of a buildspec, a project, a
    /// pipeline.
    #[must_use]
    pub fn sets(&self, variable: &str) -> bool {
        self.flow.files().iter().any(|file| {
            let assigned = |a: &AssignmentFact| *a.name == *variable && !a.subshell;
            file.assignments.iter().any(assigned)
                || file
                    .provided_variables
                    .iter()
                    .any(|known| **known == *variable)
        })
    }

    /// The same workspace with more files, which follow those that it has: only they are read.
    #[must_use]
    pub fn with_more(mut self, documents: Vec<Document>) -> Self {
        let mut facts = self.flow.into_files();
        let first = facts.len();
        let indexed: Vec<(usize, &Document)> = documents.iter().enumerate().collect();
        let readings = map(&indexed, |(index, document)| {
            self.analysis.read(
                id(first + *index),
                &document.relative,
                &document.text,
                document.kind,
            )
        });
        facts.reserve_exact(readings.len());
        for reading in readings {
            let id = reading.facts.id;
            self.found.extend(reading.findings);
            self.directives.extend(reading.directives);
            self.unread
                .extend(reading.failure.map(|message| (id, message)));
            facts.push(reading.facts);
        }
        if self.documents.is_empty() {
            self.documents = documents;
        } else {
            self.documents.extend(documents);
        }
        Self {
            flow: self.analysis.join(facts),
            failures: self.unread.clone(),
            ..self
        }
    }

    /// Gives files new texts: reads these files again, and only these, and joins what all contribute. A file
    /// may have become one of another kind. Ids that are not of this workspace are left out.
    pub fn update(&mut self, texts: impl IntoIterator<Item = (FileId, Arc<str>)>) {
        let mut facts = std::mem::take(&mut self.flow).into_files();
        for (file, text) in texts {
            let index = file.0 as usize;
            let (Some(document), Some(slot)) =
                (self.documents.get_mut(index), facts.get_mut(index))
            else {
                continue;
            };
            document.kind = classify(&document.relative, &text);
            document.text = text;
            let reading =
                self.analysis
                    .read(file, &document.relative, &document.text, document.kind);
            self.found.retain(|finding| finding.file != file);
            self.unread.retain(|(failed, _)| *failed != file);
            self.directives.retain(|known| known.directive.file != file);
            self.found.extend(reading.findings);
            self.directives.extend(reading.directives);
            self.unread
                .extend(reading.failure.map(|message| (file, message)));
            *slot = reading.facts;
        }
        self.flow = self.analysis.join(facts);
    }

    /// The same with the findings of `baseline` not counting, on the day `today` (`YYYY-MM-DD`).
    #[must_use]
    pub fn with_baseline(mut self, baseline: Located, today: String) -> Self {
        self.baseline = Some((baseline, today));
        self
    }

    /// The same without the findings that the configuration does not want in certain files.
    #[must_use]
    pub fn with_per_file(mut self, per_file: Option<PerFile>) -> Self {
        self.per_file = per_file;
        self
    }

    /// The same among the other files of its repository, which are searched where a fix would move an image.
    #[must_use]
    pub fn among(mut self, around: Around) -> Self {
        self.around = Some(around);
        self
    }

    fn others(&self) -> Others<'_> {
        let known = self.documents.iter().map(|document| &*document.relative);
        let links = self
            .documents
            .iter()
            .filter(|document| document.held == Some(Held::Link));
        let links = links.filter_map(|document| document.path.as_deref());
        Others::new(self.around.as_ref(), known, links)
    }

    /// Adds what ShellCheck says of the commands in the targets to the findings of the files, where
    /// comments, the configuration and the baseline hold for it. `root` is the workspace's folder. [`Workspace::update`] forgets it.
    ///
    /// # Errors
    /// A message for people if the program fails; then nothing is added.
    pub fn add_shellcheck(&mut self, program: &Shellcheck, root: &Path) -> Result<(), String> {
        let buildspecs = self.flow.files().iter().zip(&self.documents);
        let scripts: Vec<Script> = buildspecs
            .filter(|(_, document)| document.target)
            .filter_map(|(facts, _)| Script::of(facts))
            .collect();
        let found = program.check(root, &scripts)?;
        self.found.extend(found.into_iter().filter_map(|finding| {
            let severity = self
                .analysis
                .external_level(shellcheck::RULE, finding.severity)?;
            Some(Finding {
                severity,
                ..finding
            })
        }));
        Ok(())
    }

    /// All findings of the workspace, those in files that were not asked for too.
    pub fn check(&mut self) -> Checked {
        let missing = self.missing(&self.flow);
        let found = || self.found.iter().chain(&missing).cloned().collect();
        let (verdict, failures) =
            self.analysis
                .check(&self.flow, &found, &self.directives, &self.others());
        self.failures.clone_from(&self.unread);
        self.failures.extend(failures);
        self.without_known(verdict, &self.documents)
    }

    /// What the disk and Git say of the files that `workspace`, the same files perhaps with other texts, names.
    fn missing(&self, workspace: &flow::Workspace) -> Vec<Finding> {
        let mut all = Vec::new();
        let mut add = |rule, default, look: fn(&[FileFacts], &[Document]) -> Vec<Finding>| {
            let Some(severity) = self.analysis.external_level(rule, default) else {
                return;
            };
            let found = look(workspace.files(), &self.documents).into_iter();
            all.extend(found.map(|finding| Finding {
                severity,
                ..finding
            }));
        };
        add(missing::RULE, Severity::Error, missing::findings);
        add(executable::RULE, Severity::Warning, executable::findings);
        all
    }

    /// Takes out what the configuration does not want in its file. A fix that would also change such a place is not
    /// made, as with comments.
    fn without_unwanted(&self, findings: &mut Vec<Finding>) {
        let Some(per_file) = &self.per_file else {
            return;
        };
        let unwanted = |finding: &Finding| {
            let document = self.document(finding.file);
            document.is_some_and(|document| per_file.ignores(finding, &document.relative))
        };
        let (off, on): (Vec<_>, Vec<_>) = std::mem::take(findings).into_iter().partition(unwanted);
        *findings = on;
        let off: Vec<&Finding> = off.iter().collect();
        tagwright_rules::keep_together(findings, &off);
    }

    /// Takes out what the baseline knows; `documents` have the texts that the findings are about.
    fn without_known(&self, verdict: Verdict, documents: &[Document]) -> Checked {
        let mut checked = Checked {
            findings: verdict.findings,
            suppressed: verdict
                .suppressed
                .into_iter()
                .map(|(finding, reason)| Suppressed {
                    finding,
                    kind: SuppressionKind::InSource,
                    reason: reason.map(String::from),
                })
                .collect(),
        };
        self.without_unwanted(&mut checked.findings);
        let Some((located, today)) = &self.baseline else {
            return checked;
        };
        let identities = identities(documents, &checked.findings);
        let known = located.baseline.known(&identities, &located.prefix, today);
        let mut quiet = Vec::new();
        for (finding, entry) in std::mem::take(&mut checked.findings).into_iter().zip(known) {
            match entry {
                Some(entry) => quiet.push(Suppressed {
                    finding,
                    kind: SuppressionKind::Baseline,
                    reason: entry.reason.clone(),
                }),
                None => checked.findings.push(finding),
            }
        }
        let about: Vec<&Finding> = quiet.iter().map(|it| &it.finding).collect();
        tagwright_rules::keep_together(&mut checked.findings, &about);
        checked.suppressed.extend(quiet);
        checked
    }

    /// What the proof asks last: whether images that are pushed as `latest` in the texts as they are on disk, and
    /// in `after` no more, are still named so anywhere. The texts are searched; what made the change is not asked.
    fn left_behind(&self, after: &flow::Workspace) -> Vec<Finding> {
        let ignored = OnceCell::new();
        let skipped = |file: FileId| {
            let files = ignored.get_or_init(|| tagwright_rules::without_effect(after));
            files.contains(&file)
        };
        let left = mentions::left_by_change(&self.flow, after, &self.others(), &skipped);
        let finding = |(image, mention): (SmolStr, Mention)| Finding {
            rule: LEFT_BEHIND,
            severity: Severity::Error,
            message: format!(
                "{}:{} still names `{}`, and nothing pushes `{image}:latest` any more",
                mention.path, mention.position.line, mention.written
            ),
            file: mention.file.unwrap_or(FileId(0)),
            span: mention.file.map_or(Span::empty(0), |_| mention.span),
            related: Vec::new(),
            fix: None,
            alternative: None,
            refusal: None,
        };
        left.into_iter().map(finding).collect()
    }

    /// Takes the texts of `sources` to show findings in; what the files contribute is not read again.
    pub fn show(&mut self, sources: &Sources) {
        for (file, source) in sources.iter() {
            if let Some(document) = self.documents.get_mut(file.0 as usize) {
                document.text = Arc::clone(&source.text);
            }
        }
    }

    /// The texts, for the fixer, under the paths as shown.
    #[must_use]
    pub fn sources(&self) -> Sources {
        let mut sources = Sources::default();
        for (index, document) in self.documents.iter().enumerate() {
            sources.insert(
                id(index),
                Arc::clone(&document.shown),
                Arc::clone(&document.text),
            );
        }
        sources
    }

    /// The document with this id.
    #[must_use]
    pub fn document(&self, file: FileId) -> Option<&Document> {
        self.documents.get(file.0 as usize)
    }

    /// The findings without those fixes that would change a file that was not asked for.
    #[must_use]
    pub fn withhold(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let outside = |fix: &Fix| {
            fix.changes
                .iter()
                .filter_map(|change| Some((change.file, self.document(change.file)?)))
                .find(|(_, document)| !document.target || document.held.is_some())
                .map(|(file, document)| {
                    let shown = &document.shown;
                    let message = match document.held {
                        Some(Held::Link) if document.target => format!("{shown} is a symbolic link, and tagwright writes through none; name the file itself"),
                        Some(Held::Aws) => format!("{shown} says what AWS runs, which no change of files changes: it has to be changed there first"),
                        _ => format!("the fix also changes {shown}, which is not among the given files"),
                    };
                    let refusal = Refusal::new(RefusalCode::NotSelected, message);
                    refusal.at(file, Span::empty(0), "not changed")
                })
        };
        // The findings of one image share one fix.
        let mut known = HashMap::new();
        let mut outside = |fix: &Arc<Fix>| -> Option<Refusal> {
            let known = known
                .entry(Arc::as_ptr(fix))
                .or_insert_with(|| outside(fix));
            known.clone()
        };
        findings
            .into_iter()
            .map(
                |finding| match finding.fix.as_ref().and_then(&mut outside) {
                    Some(refusal) => Finding {
                        fix: None,
                        refusal: Some(refusal),
                        ..finding
                    },
                    None => finding,
                },
            )
            .collect()
    }

    /// Files that the analysis could not cope with, and why; complete after [`Workspace::check`].
    #[must_use]
    pub fn failures(&self) -> &[(FileId, String)] {
        &self.failures
    }
}

impl Relint for Workspace {
    fn lint(&self, sources: &Sources) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut directives = Vec::new();
        let mut failed = Vec::new();
        let facts = self
            .flow
            .files()
            .iter()
            .zip(&self.documents)
            .map(|(facts, document)| match sources.get(facts.id) {
                Some(source) if !facts.is_of(&source.text) => {
                    let path = &document.relative;
                    let reading = self
                        .analysis
                        .read(facts.id, path, &source.text, document.kind);
                    found.extend(reading.findings);
                    directives.extend(reading.directives);
                    failed.extend(reading.failure.map(|message| (facts.id, message)));
                    reading.facts
                }
                _ => {
                    let own = self.found.iter().filter(|finding| finding.file == facts.id);
                    found.extend(own.cloned());
                    let own = self.directives.iter();
                    let own = own.filter(|known| known.directive.file == facts.id);
                    directives.extend(own.cloned());
                    facts.clone()
                }
            })
            .collect();
        let joined = self.analysis.join(facts);
        found.extend(self.missing(&joined));
        let (verdict, failures) =
            self.analysis
                .check(&joined, &|| found.clone(), &directives, &self.others());
        let mut findings = if self.baseline.is_some() {
            let documents: Vec<Document> = self
                .documents
                .iter()
                .zip(self.flow.files())
                .map(|(document, facts)| Document {
                    text: sources
                        .get(facts.id)
                        .map_or_else(|| Arc::clone(&document.text), |it| Arc::clone(&it.text)),
                    ..document.clone()
                })
                .collect();
            self.without_known(verdict, &documents).findings
        } else {
            let mut findings = verdict.findings;
            self.without_unwanted(&mut findings);
            findings
        };
        findings.extend(self.left_behind(&joined));
        // A text that the analysis cannot cope with is never an improvement.
        failed.extend(failures);
        findings.extend(failed.into_iter().map(|(file, message)| Finding {
            rule: INTERNAL_ERROR,
            severity: Severity::Error,
            message,
            file,
            span: Span::empty(0),
            related: Vec::new(),
            fix: None,
            alternative: None,
            refusal: None,
        }));
        self.withhold(findings)
    }
}

fn id(index: usize) -> FileId {
    FileId(u32::try_from(index).unwrap_or(u32::MAX))
}

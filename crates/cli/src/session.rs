//! One run over one or more workspaces: reading, analysing, reporting.
//!
//! A session knows which files were asked for (the targets) and reads the rest of their workspace only if
//! the rules say that it matters. Workspaces are worked on one after the other, so that the texts of one
//! are gone before the next is read.

use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Once};

use rayon::prelude::*;
use tagwright_fixer::{Materialiser, Relint, Sources};
use tagwright_flow::kind::{FileKind, classify};
use tagwright_flow::{self as flow, FileId};
use tagwright_rules::{Finding, Fix, Severity};
use tagwright_syntax::Span;

use crate::analysis::{self, Analysis};
use crate::args::{InputArgs, TargetArgs};
use crate::config::{self, Config, FailOn};
use crate::discovery::{self, Candidate, Plan, Problem, Targets};
use crate::report::{ProposedFix, Report, Reported};
use crate::source::{self, Source};
use crate::{STACK, Stop};

/// The rule of a file that no YAML reader accepts.
const INVALID_YAML: &str = "invalid-yaml";
/// The rule of a file that is not read.
const UNREADABLE: &str = "unreadable-file";
/// The rule of a file that tagwright cannot cope with.
const INTERNAL_ERROR: &str = "internal-error";

/// What a run works on.
pub struct Session {
    plan: Plan,
    configurations: Vec<Config>,
    stdin: Option<Source>,
    /// The bytes of standard input, to give back unchanged.
    pub stdin_bytes: Vec<u8>,
    no_ignore: bool,
    fail_on: Option<FailOn>,
}

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
}

/// Something wrong with a file before any rule could look at it.
struct Damage {
    shown: Arc<str>,
    before: Arc<str>,
    rule: &'static str,
    message: String,
}

/// What reading one candidate gave.
enum Outcome {
    Document(Document),
    Damage(Damage),
    Problem(Problem),
    Nothing,
}

/// A workspace whose files are read.
pub struct Workspace {
    /// The files; a [`FileId`] is an index here.
    pub documents: Vec<Document>,
    /// What they contribute, joined.
    pub flow: flow::Workspace,
    /// The rules with their settings.
    pub analysis: Analysis,
    /// The threshold.
    pub fail_on: FailOn,
    /// What is wrong with the files by themselves.
    found: Vec<Finding>,
    /// Files that the analysis could not cope with, and why.
    failures: Vec<(FileId, String)>,
}

impl Session {
    /// Finds the files that `args` ask for and reads the configurations that apply to them; standard input
    /// is read from `input` if the arguments say so.
    ///
    /// # Errors
    /// [`Stop::Usage`] for a configuration that is wrong.
    pub fn open(args: &TargetArgs, input: &mut dyn Read) -> Result<Self, Stop> {
        let mut session = match &args.stdin_filename {
            Some(name) => {
                let plan = discovery::plan_for_name(name);
                let mut session = Self::with_plan(plan, &args.input)?;
                // Not before the configuration is known to be right: who stops there has all of it left.
                session.read_stdin(input);
                session
            }
            None => Self::for_paths(&args.paths, &args.input)?,
        };
        session.fail_on = args.fail_on;
        Ok(session)
    }

    fn read_stdin(&mut self, input: &mut dyn Read) {
        if let Err(error) = input.read_to_end(&mut self.stdin_bytes) {
            self.plan.problems.push(Problem {
                path: "standard input".to_owned(),
                message: discovery::plain(&error),
            });
        }
        self.stdin = Some(source::decode(self.stdin_bytes.clone()));
    }

    /// The same for paths alone; the current folder if there are none.
    ///
    /// # Errors
    /// [`Stop::Usage`] for a configuration that is wrong.
    pub fn for_paths(paths: &[PathBuf], args: &InputArgs) -> Result<Self, Stop> {
        let here = [PathBuf::from(".")];
        let paths = if paths.is_empty() { &here[..] } else { paths };
        Self::with_plan(discovery::plan(paths, args.no_ignore), args)
    }

    fn with_plan(mut plan: Plan, args: &InputArgs) -> Result<Self, Stop> {
        let names = analysis::rule_names();
        let given = match &args.config {
            Some(path) => Some(Config::load(path, &names)?),
            None => None,
        };
        let mut configurations = Vec::new();
        for targets in &mut plan.workspaces {
            let (config, folder) = match &given {
                Some(config) => (config.clone(), targets.root.clone()),
                None => match config::find(&targets.root) {
                    Some(path) => (
                        Config::load(&path, &names)?,
                        path.parent().map_or_else(PathBuf::new, PathBuf::from),
                    ),
                    None => (Config::default(), targets.root.clone()),
                },
            };
            if !config.exclude.is_empty() {
                let exclusion = config::exclusion(&folder, &config.exclude).map_err(Stop::Usage)?;
                targets.files.retain(|file| {
                    file.explicit
                        || !file.absolute.starts_with(&folder)
                        || !exclusion
                            .matched_path_or_any_parents(&file.absolute, false)
                            .is_ignore()
                });
            }
            configurations.push(config);
        }
        Ok(Self {
            plan,
            configurations,
            stdin: None,
            stdin_bytes: Vec::new(),
            no_ignore: args.no_ignore,
            fail_on: None,
        })
    }

    /// The files that would be read, as shown, with what they would be read as; sorted.
    pub fn list(&mut self, report: &mut Report) -> Vec<(String, &'static str)> {
        let mut list = Vec::new();
        self.each(report, |workspace, _| {
            list.extend(
                workspace
                    .documents
                    .iter()
                    .filter(|document| document.target)
                    .map(|document| (document.shown.to_string(), document.kind.name())),
            );
        });
        list.sort();
        list
    }

    /// Analyses every workspace and reports the findings in the targets.
    pub fn check(&mut self, report: &mut Report) {
        self.each(report, |mut workspace, report| {
            let findings = workspace.check();
            workspace.report(findings, report);
        });
    }

    /// Reads one workspace after the other and hands each to `work`. What could not be read goes into
    /// the report.
    pub fn each(&mut self, report: &mut Report, mut work: impl FnMut(Workspace, &mut Report)) {
        for problem in std::mem::take(&mut self.plan.problems) {
            report.push_problem(problem);
        }
        let workspaces = std::mem::take(&mut self.plan.workspaces);
        for (targets, config) in workspaces.into_iter().zip(&self.configurations) {
            let fail_on = self.fail_on.or(config.fail_on).unwrap_or_default();
            let workspace = self.load(&targets, config, fail_on, report);
            work(workspace, report);
        }
    }

    fn load(
        &self,
        targets: &Targets,
        config: &Config,
        fail_on: FailOn,
        report: &mut Report,
    ) -> Workspace {
        let analysis = Analysis::new(config);
        let outcomes = map(&targets.files, |candidate| {
            self.read(targets, candidate, true)
        });
        let mut documents = Vec::new();
        for outcome in outcomes {
            match outcome {
                Outcome::Document(document) => documents.push(document),
                Outcome::Damage(damage) => {
                    report.files_read += 1;
                    if let Some(severity) = analysis.level(damage.rule) {
                        push_damage(damage, severity, fail_on, report);
                    }
                }
                Outcome::Problem(problem) => report.push_problem(problem),
                Outcome::Nothing => {}
            }
        }
        report.files_read += documents.len();
        let workspace = Workspace::new(documents, analysis, fail_on);
        if targets.complete || !workspace.analysis.needs_context(&workspace.flow) {
            return workspace;
        }
        let plan = discovery::context(&targets.root, self.no_ignore);
        let others: Vec<Candidate> = plan
            .workspaces
            .into_iter()
            .flat_map(|found| found.files)
            .filter(|file| {
                targets
                    .files
                    .binary_search_by(|target| target.absolute.cmp(&file.absolute))
                    .is_err()
            })
            .collect();
        // What cannot be read here was not asked for.
        let others = map(&others, |candidate| self.read(targets, candidate, false));
        let Workspace {
            mut documents,
            analysis,
            ..
        } = workspace;
        documents.extend(others.into_iter().filter_map(|outcome| match outcome {
            Outcome::Document(document) => Some(document),
            _ => None,
        }));
        Workspace::new(documents, analysis, fail_on)
    }

    fn read(&self, targets: &Targets, candidate: &Candidate, target: bool) -> Outcome {
        let stdin = self.stdin.as_ref().filter(|_| target);
        let shown: Arc<str> = if target {
            discovery::display(&candidate.path).into()
        } else {
            shown_from_here(&candidate.path).into()
        };
        let source = match stdin {
            Some(source) => source.clone(),
            None => match source::read(&candidate.path) {
                Ok(source) => source,
                Err(error) => {
                    return Outcome::Problem(Problem {
                        path: shown.to_string(),
                        message: discovery::plain(&error),
                    });
                }
            },
        };
        let certain = candidate.explicit || discovery::is_certain(&shown);
        match source {
            Source::Text(text) => {
                let relative = candidate
                    .absolute
                    .strip_prefix(&targets.root)
                    .unwrap_or(&candidate.absolute);
                let relative: Arc<str> = discovery::display(relative).into();
                let kind = classify(&relative, &text);
                if kind == FileKind::Other && !candidate.explicit {
                    return Outcome::Nothing;
                }
                Outcome::Document(Document {
                    shown,
                    path: stdin.is_none().then(|| candidate.path.clone()),
                    relative,
                    text,
                    kind,
                    target,
                })
            }
            Source::Damaged { before, message } if certain => Outcome::Damage(Damage {
                shown,
                before,
                rule: INVALID_YAML,
                message,
            }),
            Source::TooLarge if certain => Outcome::Damage(Damage {
                shown,
                before: "".into(),
                rule: UNREADABLE,
                message: format!(
                    "the file is larger than {} MB and was not read",
                    source::LIMIT / 1024 / 1024
                ),
            }),
            Source::Damaged { .. } | Source::TooLarge => Outcome::Nothing,
        }
    }
}

impl Workspace {
    fn new(documents: Vec<Document>, analysis: Analysis, fail_on: FailOn) -> Self {
        let indexed: Vec<(usize, &Document)> = documents.iter().enumerate().collect();
        let mut found = Vec::new();
        let mut failures = Vec::new();
        let facts = map(&indexed, |(index, document)| {
            analysis.read(
                id(*index),
                &document.relative,
                &document.text,
                document.kind,
            )
        })
        .into_iter()
        .map(|reading| {
            let id = reading.facts.id;
            found.extend(reading.findings);
            failures.extend(reading.failure.map(|message| (id, message)));
            reading.facts
        })
        .collect();
        Self {
            flow: analysis.join(facts),
            documents,
            analysis,
            fail_on,
            found,
            failures,
        }
    }

    /// All findings of the workspace, those in files that were not asked for too.
    pub fn check(&mut self) -> Vec<Finding> {
        let (findings, failures) = self.analysis.check(&self.flow, self.found.clone());
        self.failures.extend(failures);
        findings
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
                .filter_map(|change| self.document(change.file))
                .find(|document| !document.target)
                .map(|document| Arc::clone(&document.shown))
        };
        findings
            .into_iter()
            .map(|finding| match finding.fix.as_deref().and_then(outside) {
                Some(shown) => Finding {
                    fix: None,
                    no_fix: Some(format!(
                        "the fix also changes {shown}, which is not among the given files"
                    )),
                    ..finding
                },
                None => finding,
            })
            .collect()
    }

    /// Adds the findings in the targets to the report.
    pub fn report(&self, mut findings: Vec<Finding>, report: &mut Report) {
        findings.retain(|finding| {
            self.document(finding.file)
                .is_some_and(|document| document.target)
        });
        let fixes: Vec<_> = if report.without_fixes {
            findings.iter().map(|_| (None, None)).collect()
        } else {
            let sources = self.sources();
            // One reading of a file serves all of its findings, and is over when they are done.
            let groups: Vec<&[Finding]> = findings
                .chunk_by(|one, next| one.file == next.file)
                .collect();
            map(&groups, |group| {
                let mut materialiser = Materialiser::new(&sources);
                group
                    .iter()
                    .map(|finding| self.proposed(finding, &mut materialiser))
                    .collect::<Vec<_>>()
            })
            .into_iter()
            .flatten()
            .collect()
        };
        for (finding, (fix, no_fix)) in findings.into_iter().zip(fixes) {
            let Some(place) = self.place(report, finding.file, finding.span) else {
                continue;
            };
            let related = finding
                .related
                .iter()
                .filter_map(|related| {
                    let place = self.place(report, related.file, related.span)?;
                    Some((place, related.message.clone()))
                })
                .collect();
            report.push(
                Reported {
                    rule: finding.rule,
                    category: analysis::category(finding.rule),
                    severity: finding.severity,
                    message: finding.message,
                    place,
                    related,
                    fix,
                    no_fix,
                },
                self.fail_on,
            );
        }
        for (file, message) in &self.failures {
            if let Some(place) = self.place(report, *file, Span::empty(0)) {
                report.push(
                    input_finding(
                        INTERNAL_ERROR,
                        format!("tagwright failed on this file; please report it: {message}"),
                        place,
                    ),
                    self.fail_on,
                );
            }
        }
    }

    /// The finding's fix as edits, or why there is none.
    fn proposed(
        &self,
        finding: &Finding,
        materialiser: &mut Materialiser<'_>,
    ) -> (Option<ProposedFix>, Option<String>) {
        let Some(fix) = &finding.fix else {
            return (None, finding.no_fix.clone());
        };
        let files = match analysis::guarded(|| materialiser.fix(fix)) {
            Ok(Ok(files)) => files,
            Ok(Err(rejection)) => return (None, Some(rejection.to_string())),
            Err(_) => return (None, Some("an internal error of the fixer".to_owned())),
        };
        let edits = files
            .into_iter()
            .filter_map(|file| Some((Arc::clone(&self.document(file.file)?.shown), file.edits)))
            .flat_map(|(shown, edits)| {
                edits
                    .into_iter()
                    .map(move |edit| (Arc::clone(&shown), edit.span, edit.text))
            })
            .collect();
        let fix = ProposedFix {
            applicability: fix.applicability,
            message: fix.message.clone(),
            edits,
        };
        (Some(fix), None)
    }

    fn place(&self, report: &mut Report, file: FileId, span: Span) -> Option<crate::report::Place> {
        let document = self.document(file)?;
        let file = report.file(&document.shown, &document.text);
        Some(report.place(file, span))
    }
}

impl Relint for Workspace {
    fn lint(&self, sources: &Sources) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut failed = Vec::new();
        let facts = self
            .flow
            .files()
            .iter()
            .zip(&self.documents)
            .map(|(facts, document)| match sources.get(facts.id) {
                Some(source) if !Arc::ptr_eq(&source.text, &facts.text) => {
                    let path = &document.relative;
                    let reading = self
                        .analysis
                        .read(facts.id, path, &source.text, document.kind);
                    found.extend(reading.findings);
                    failed.extend(reading.failure.map(|message| (facts.id, message)));
                    reading.facts
                }
                _ => {
                    let own = self.found.iter().filter(|finding| finding.file == facts.id);
                    found.extend(own.cloned());
                    facts.clone()
                }
            })
            .collect();
        let joined = self.analysis.join(facts);
        let (mut findings, failures) = self.analysis.check(&joined, found);
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
            no_fix: None,
        }));
        self.withhold(findings)
    }
}

fn push_damage(damage: Damage, severity: Severity, fail_on: FailOn, report: &mut Report) {
    let end = damage.before.len();
    let file = report.file(&damage.shown, &damage.before);
    let place = report.place(file, Span::empty(end));
    let finding = Reported {
        severity,
        ..input_finding(damage.rule, damage.message, place)
    };
    report.push(finding, fail_on);
}

fn input_finding(rule: &'static str, message: String, place: crate::report::Place) -> Reported {
    Reported {
        rule,
        category: analysis::category(rule),
        severity: Severity::Error,
        message,
        place,
        related: Vec::new(),
        fix: None,
        no_fix: None,
    }
}

fn id(index: usize) -> FileId {
    FileId(u32::try_from(index).unwrap_or(u32::MAX))
}

/// The path of a file that was found, not given: from the current folder if it lies below.
fn shown_from_here(path: &std::path::Path) -> String {
    let below = std::env::current_dir()
        .ok()
        .and_then(|here| path.strip_prefix(here).ok());
    discovery::display(below.unwrap_or(path))
}

/// `work` on every item, on all processors if there is more than a handful; in order.
fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    /// Starting threads costs more than reading this many files.
    const FEW: usize = 8;
    static POOL: Once = Once::new();
    if items.len() <= FEW {
        return items.iter().map(work).collect();
    }
    POOL.call_once(|| {
        // If there is a pool already, that one does.
        let _ = rayon::ThreadPoolBuilder::new()
            .stack_size(STACK)
            .build_global();
    });
    items.par_iter().map(work).collect()
}

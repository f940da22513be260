//! One run over one or more workspaces: reading, analysing, reporting.
//!
//! A session knows which files were asked for (the targets) and reads the rest of their workspace only if
//! the rules say that it matters. Workspaces are worked on one after the other, so that the texts of one
//! are gone before the next is read.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tagwright_diagnostics::{Finding, Fix, Refusal, RefusalCode, RefusalPlace, Severity};
use tagwright_fixer::Materialiser;
use tagwright_flow::FileId;
use tagwright_project::analysis::{self, Analysis};
use tagwright_project::aws::{About, Told};
use tagwright_project::baseline::{self, Located};
use tagwright_project::catalog::Catalog;
use tagwright_project::config::{self, Config, FailOn};
use tagwright_project::discovery::{self, Candidate, Plan, Problem, Reach, Targets};
use tagwright_project::identity::{Identity, identities};
use tagwright_project::load::{Damage, Loaded, load};
use tagwright_project::lock::Lock;
use tagwright_project::parallel::{self, map};
use tagwright_project::per_file::PerFile;
use tagwright_project::scripts::with_scripts;
use tagwright_project::shellcheck::Shellcheck;
use tagwright_project::source::{self, Source};
use tagwright_project::surroundings::Around;
use tagwright_project::wording;
use tagwright_project::workspace::{Checked, Held, INTERNAL_ERROR};
use tagwright_project::{Document, Workspace};
use tagwright_syntax::Span;

use crate::args::{InputArgs, TargetArgs};
use crate::ending::{Stop, Streams};
use crate::picked::Picked;
use crate::report::{
    ProposedFix, RefusedAt, Report, Reported, ReportedRefusal, Suppression, escape,
};
use crate::selection::{self, Exclusion, Selection, Touched};

/// What a run works on.
pub struct Session {
    plan: Plan,
    selection: Selection,
    /// Which rules the run is about.
    picked: Arc<Picked>,
    /// For each workspace what holds in it.
    configurations: Vec<Setting>,
    /// What to say before anything else.
    notes: Vec<String>,
    stdin: Option<Source>,
    /// The bytes of standard input, to give back unchanged.
    pub stdin_bytes: Vec<u8>,
    reach: Reach,
    /// Whether files will be changed on disk.
    pub(crate) write: bool,
    /// How many files the configuration and `--exclude` leave out.
    excluded: usize,
    fail_on: Option<FailOn>,
    /// For each workspace its baseline; empty: none is to be used.
    baselines: Vec<Located>,
    /// What AWS says, if it was asked.
    aws: Option<Told>,
    /// Asked about the commands in buildspecs, if it is wanted.
    shellcheck: Option<Shellcheck>,
}

/// What holds in one workspace.
struct Setting {
    config: Config,
    /// The folder from which patterns of the configuration count, absolute.
    folder: PathBuf,
    /// Which files are left out.
    exclusion: Exclusion,
    /// What AWS says of it, if it was asked.
    about: Option<About>,
}

/// Where configurations come from.
struct Configured<'a> {
    catalog: &'a Catalog,
    /// The one of the arguments, and its folder.
    given: Option<(Config, Option<PathBuf>)>,
    /// Whether those of the repository count.
    isolated: bool,
}

impl<'a> Configured<'a> {
    fn new(args: &InputArgs, catalog: &'a Catalog) -> Result<Self, Stop> {
        let given = match &args.config {
            Some(path) => {
                let folder = std::fs::canonicalize(path)
                    .ok()
                    .and_then(|path| path.parent().map(PathBuf::from));
                Some((Config::load(path, catalog)?, folder))
            }
            None => None,
        };
        Ok(Self {
            catalog,
            given,
            isolated: args.isolated,
        })
    }

    /// The configuration of the workspace at `root`, and the folder from which its patterns count.
    fn at(&self, root: &Path) -> Result<(Config, PathBuf), Stop> {
        if let Some((config, folder)) = &self.given {
            // One configuration for many repositories lies above none of them.
            let above = folder.as_deref().filter(|folder| root.starts_with(folder));
            return Ok((config.clone(), above.unwrap_or(root).to_owned()));
        }
        let found = (!self.isolated).then(|| config::find(root)).flatten();
        Ok(match found {
            Some(path) => (
                Config::load(&path, self.catalog)?,
                path.parent().map_or_else(PathBuf::new, PathBuf::from),
            ),
            None => (Config::default(), root.to_owned()),
        })
    }
}

/// A workspace of the run.
pub struct Part {
    /// Its files, read.
    pub workspace: Workspace,
    /// The threshold that holds in it.
    pub fail_on: FailOn,
    /// Which findings count; `None` if all do.
    pub(crate) touched: Option<Touched>,
    /// Which rules the run is about.
    pub(crate) picked: Arc<Picked>,
    /// Which fixes an editor gets when it saves a file.
    pub(crate) fix_on_save: config::Scope,
}

impl Session {
    /// Finds the files that `args` ask for and reads the configurations that apply to them; standard input
    /// is read from `input` if the arguments say so. With `write`, files will be changed on disk.
    ///
    /// # Errors
    /// [`Stop::Usage`] for a configuration that is wrong, for two reports on one stream, or for files that
    /// cannot be chosen so; [`Stop::Failed`] if Git fails or a list of files cannot be read.
    pub fn open(args: &TargetArgs, write: bool, input: &mut dyn Read) -> Result<Self, Stop> {
        args.standard_output().map_err(Stop::Usage)?;
        let picked = Picked::new(args);
        let mut session = match args.stdin_name() {
            Some(name) => {
                let plan = discovery::plan_for_name(name, args.input.reach());
                let mut session = Self::with_plan(plan, &args.input, &picked)?;
                // An editor asks for whatever it saves; there is nothing to say about a file that is left alone.
                session.notes.clear();
                // Not before the configuration is known to be right: who stops there has all of it left.
                session.read_stdin(input);
                session
            }
            None => {
                let (plan, selection) = selection::plan(args, write, input)?;
                let mut session = Self::with_plan(plan, &args.input, &picked)?;
                session.selection = selection;
                session
            }
        };
        if args.quiet {
            session.notes.clear();
        }
        session.picked = Arc::new(picked);
        session.write = write && args.stdin_name().is_none();
        session.fail_on = args.threshold();
        session.baselines = args.baseline.locate(&session.plan, args.input.isolated)?;
        Ok(session)
    }

    /// Has fixes write this tag, whatever the configurations say.
    ///
    /// # Errors
    /// [`Stop::Usage`] if no tag can be made of it.
    pub fn set_template(&mut self, template: &str) -> Result<(), Stop> {
        for config in &mut self.configurations {
            config.config.set_template(template)?;
        }
        Ok(())
    }

    /// Has fixes follow this strategy, whatever the configurations say.
    pub fn set_strategy(&mut self, strategy: config::Strategy) {
        for config in &mut self.configurations {
            config.config.tag.strategy = strategy;
        }
    }

    /// Has fixes move or drop an alias, whatever the configurations say.
    pub fn set_alias(&mut self, alias: config::Alias) {
        for config in &mut self.configurations {
            config.config.tag.alias = alias;
        }
    }

    /// The folders of the workspaces, absolute, in the order of [`Session::each`].
    #[must_use]
    pub fn roots(&self) -> Vec<PathBuf> {
        let workspaces = self.plan.workspaces.iter();
        workspaces.map(|targets| targets.root.clone()).collect()
    }

    /// Has ShellCheck asked about the commands in buildspecs.
    ///
    /// # Errors
    /// [`Stop::Usage`] if it is not installed.
    pub fn ask_shellcheck(&mut self) -> Result<(), Stop> {
        self.shellcheck = Some(Shellcheck::find().map_err(Stop::Usage)?);
        Ok(())
    }

    /// Says on standard error what there is to know before the report.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn announce(&self, streams: &mut Streams<'_>) -> std::io::Result<()> {
        for note in &self.notes {
            writeln!(streams.errors, "{}", escape(note))?;
        }
        Ok(())
    }

    fn read_stdin(&mut self, input: &mut dyn Read) {
        if let Err(error) = input.read_to_end(&mut self.stdin_bytes) {
            self.plan.problems.push(Problem {
                path: "standard input".to_owned(),
                message: wording::plain(&error),
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
        Self::with_plan(
            discovery::plan(paths, args.reach()),
            args,
            &Picked::default(),
        )
    }

    fn with_plan(mut plan: Plan, args: &InputArgs, picked: &Picked) -> Result<Self, Stop> {
        if let Some(jobs) = args.jobs {
            parallel::limit(usize::from(jobs));
        }
        let catalog = analysis::catalog();
        let configured = Configured::new(args, &catalog)?;
        let aws = args.aws.as_deref().map(Told::read).transpose();
        let aws = aws.map_err(Stop::Usage)?;
        let mut configurations = Vec::new();
        let mut notes = Vec::new();
        let mut excluded = 0;
        for targets in &mut plan.workspaces {
            let (mut config, folder) = configured.at(&targets.root)?;
            for (name, level) in &args.rule {
                for rule in catalog.category(name).filter(|it| it.on) {
                    config.set(rule.rule, *level);
                }
            }
            for (name, level) in &args.rule {
                if catalog.rule(name).is_some() {
                    config.set(name, *level);
                }
            }
            picked.turn_on(&mut config);
            let exclusion = Exclusion::new(&folder, &config.exclude, &args.exclude)?;
            targets.files.retain(|file| {
                // Where the answers lie in the repository, they are read as answers.
                if aws.as_ref().is_some_and(|aws| aws.covers(&file.absolute)) {
                    return false;
                }
                let covered = exclusion.covers(file);
                excluded += usize::from(covered);
                if covered && file.explicit {
                    notes.push(format!(
                        "note: {} is excluded and not read",
                        wording::display(&file.path)
                    ));
                }
                !covered
            });
            let about = aws.as_ref().map(|aws| aws.about(&targets.root));
            notes.extend(about.iter().filter_map(|about| about.note.clone()));
            configurations.push(Setting {
                config,
                folder,
                exclusion,
                about,
            });
        }
        Ok(Self {
            plan,
            selection: Selection::default(),
            picked: Arc::default(),
            configurations,
            notes,
            stdin: None,
            stdin_bytes: Vec::new(),
            excluded,
            reach: args.reach(),
            write: false,
            fail_on: None,
            baselines: Vec::new(),
            aws,
            shellcheck: None,
        })
    }

    /// The configuration of each workspace, with the workspace's folder, in order.
    pub(crate) fn configurations(&self) -> impl Iterator<Item = (&Path, &Config)> {
        let roots = self.plan.workspaces.iter().map(|it| &*it.root);
        roots.zip(self.configurations.iter().map(|it| &it.config))
    }

    /// The files that would be read, as shown, with what they would be read as; sorted.
    ///
    /// # Errors
    /// As [`Session::each`].
    pub fn list(&mut self, report: &mut Report) -> Result<Vec<(String, &'static str)>, Stop> {
        let mut list = Vec::new();
        self.each(report, |part, _| {
            list.extend(
                part.workspace
                    .documents
                    .iter()
                    .filter(|document| document.target)
                    .map(|document| (document.shown.to_string(), document.kind.name())),
            );
        })?;
        list.sort();
        Ok(list)
    }

    /// Analyses every workspace and reports the findings in the targets.
    ///
    /// # Errors
    /// As [`Session::each`].
    pub fn check(&mut self, report: &mut Report) -> Result<(), Stop> {
        let mut left = self.plan.workspaces.len();
        self.each(report, |mut part, report| {
            let mut checked = part.workspace.check();
            // What `fix` would not do for these files is not promised.
            checked.findings = part.workspace.withhold(checked.findings);
            part.report(checked, report);
            left -= 1;
            if left == 0 {
                // The process is about to end, which frees it all at once.
                std::mem::forget(part);
            }
        })
    }

    /// Reads one workspace after the other and hands each to `work`. What could not be read goes into
    /// the report.
    ///
    /// # Errors
    /// [`Stop::Usage`] for a configuration that does not fit the workspace, which is then not handed over.
    pub fn each(
        &mut self,
        report: &mut Report,
        mut work: impl FnMut(Part, &mut Report),
    ) -> Result<(), Stop> {
        report.excluded += self.excluded;
        for problem in std::mem::take(&mut self.plan.problems) {
            report.push_problem(problem);
        }
        let workspaces = std::mem::take(&mut self.plan.workspaces);
        let today = baseline::today();
        let settings = self.configurations.iter();
        for (index, (targets, setting)) in workspaces.into_iter().zip(settings).enumerate() {
            let config = &setting.config;
            let fail_on = self.fail_on.or(config.fail_on).unwrap_or_default();
            let root = targets.root.clone();
            let _lock = match self.write.then(|| Lock::acquire(&root)).transpose() {
                Ok(lock) => lock,
                Err(error) => {
                    let path = wording::display(&root);
                    let message = wording::plain(&error);
                    report.push_problem(Problem { path, message });
                    continue;
                }
            };
            let mut workspace = self.load(targets, setting, fail_on, report);
            // Where nothing depends on other files, no fix writes a tag, and they have not been read.
            let unset = config
                .unexplained
                .iter()
                .find(|it| !workspace.sets(&it.name));
            if let Some(unset) = unset.filter(|_| workspace.needs_context()) {
                return Err(Stop::Usage(unset.error.to_string()));
            }
            if let Some(located) = self.baselines.get(index)
                && !located.baseline.entries.is_empty()
            {
                workspace = workspace.with_baseline(located.clone(), today.clone());
            }
            if let Some(shellcheck) = &self.shellcheck
                && let Err(message) = workspace.add_shellcheck(shellcheck, &root)
            {
                let path = wording::display(&root);
                report.push_problem(Problem { path, message });
            }
            let touched = self.selection.touched(&workspace);
            let part = Part {
                workspace,
                fail_on,
                touched,
                picked: Arc::clone(&self.picked),
                fix_on_save: config.fix_on_save,
            };
            work(part, report);
        }
        Ok(())
    }

    fn load(
        &self,
        mut targets: Targets,
        setting: &Setting,
        fail_on: FailOn,
        report: &mut Report,
    ) -> Workspace {
        let mut analysis = Analysis::new(&setting.config);
        if self.reach == Reach::Isolated {
            analysis = analysis.without_suppressions();
        }
        let outcomes = map(&targets.files, |candidate| {
            let overlay = self.selection.overlay(candidate);
            load(
                &targets.root,
                candidate,
                overlay.or(self.stdin.as_ref()),
                true,
            )
        });
        let mut documents = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            match outcome {
                Loaded::Document(document) => documents.push(document),
                Loaded::Damage(damage) => {
                    report.read.push(Arc::clone(&damage.shown));
                    let level = analysis.level(damage.rule);
                    if let Some(severity) = level.filter(|_| self.picked.has(damage.rule)) {
                        push_damage(damage, severity, fail_on, report);
                    }
                }
                Loaded::Problem(problem) => report.push_problem(problem),
                Loaded::Nothing => {}
            }
        }
        report
            .read
            .extend(documents.iter().map(|document| Arc::clone(&document.shown)));
        if targets.complete {
            // Of a large tree the paths alone are megabytes.
            targets.files = Vec::new();
        }
        let around = Around::new(targets.root.clone(), self.reach, targets.complete);
        let catalog = analysis::catalog();
        let per_file = PerFile::new(&setting.config, &catalog, &setting.folder, &targets.root);
        let workspace = Workspace::new(documents, analysis)
            .among(around)
            .with_per_file(per_file);
        let workspace = Self::with_answers(workspace, setting, report);
        let place = (&*targets.root, self.reach, targets.complete);
        let script = |candidate: &Candidate| self.script(candidate, &targets, setting);
        if targets.complete {
            let found = workspace.documents.len();
            let workspace = with_scripts(workspace, place, &script);
            let scripts = workspace.documents[found..].iter();
            let scripts = scripts.map(|document| Arc::clone(&document.shown));
            report.read.extend(scripts);
            return workspace;
        }
        if !workspace.needs_context() {
            return workspace;
        }
        let others = self.others(&targets, setting);
        let workspace = if others.is_empty() {
            workspace
        } else {
            workspace.with_more(others)
        };
        with_scripts(workspace, place, &script)
    }

    /// The workspace with what AWS says of it.
    fn with_answers(workspace: Workspace, setting: &Setting, report: &mut Report) -> Workspace {
        let Some(mut about) = setting.about.clone() else {
            return workspace;
        };
        let workspace = workspace.with_more(std::mem::take(&mut about.documents));
        let definitions = about.task_definitions(&workspace.flow);
        let workspace = workspace.with_more(definitions);
        let answers = workspace.documents.iter();
        let answers = answers.filter(|document| document.held == Some(Held::Aws));
        report.read.extend(answers.map(|it| Arc::clone(&it.shown)));
        workspace
    }

    /// A script that the workspace runs, read, unless it is left out.
    fn script(
        &self,
        candidate: &Candidate,
        targets: &Targets,
        setting: &Setting,
    ) -> Option<Document> {
        if setting.exclusion.covers(candidate) {
            return None;
        }
        let overlay = self.selection.overlay(candidate);
        match load(&targets.root, candidate, overlay, targets.complete) {
            Loaded::Document(document) => Some(document),
            _ => None,
        }
    }

    /// The files around the targets, which were not asked for.
    fn others(&self, targets: &Targets, setting: &Setting) -> Vec<Document> {
        let plan = discovery::context(&targets.root, self.reach);
        let mut others: Vec<Candidate> = plan
            .workspaces
            .into_iter()
            .flat_map(|found| found.files)
            .collect();
        self.selection.context(&targets.root, &mut others);
        others.retain(|file| {
            let is_target = targets
                .files
                .binary_search_by(|target| discovery::order(&target.absolute, &file.absolute))
                .is_ok();
            let answers = self
                .aws
                .as_ref()
                .is_some_and(|it| it.covers(&file.absolute));
            !is_target && !answers && !setting.exclusion.covers(file)
        });
        let others = map(&others, |candidate| {
            load(
                &targets.root,
                candidate,
                self.selection.overlay(candidate),
                false,
            )
        });
        let document = |outcome| match outcome {
            Loaded::Document(document) => Some(document),
            _ => None,
        };
        others.into_iter().filter_map(document).collect()
    }
}

/// The edits of a fix: the bytes to replace, and the new text.
type Edits = Vec<(FileId, Span, String)>;

/// What becomes of each fix, by its address.
type Proposed = HashMap<*const Fix, Result<Arc<ProposedFix>, Refusal>>;

impl Part {
    /// Whether the finding is of a rule, in a file and on a line that were asked for.
    pub(crate) fn counts(&self, finding: &Finding) -> bool {
        if !self.picked.has(finding.rule) {
            return false;
        }
        let document = self.workspace.document(finding.file);
        document.is_some_and(|document| {
            let touched = self.touched.as_ref();
            document.target && touched.is_none_or(|touched| touched.counts(finding, &document.text))
        })
    }

    /// Adds the findings in the targets to the report.
    pub fn report(&self, checked: Checked, report: &mut Report) {
        let target = |finding: &Finding| self.counts(finding);
        let Checked {
            mut findings,
            mut suppressed,
        } = checked;
        findings.retain(target);
        suppressed.retain(|it| target(&it.finding));
        let mut fingerprints = if report.with_fingerprints {
            let all = findings
                .iter()
                .chain(suppressed.iter().map(|it| &it.finding));
            fingerprints(&identities(&self.workspace.documents, all))
        } else {
            Vec::new()
        }
        .into_iter();
        let mut fixes = if report.without_fixes {
            HashMap::new()
        } else {
            self.proposed(&findings, report)
        };
        for finding in findings {
            let fingerprint = fingerprints.next();
            let proposed = finding
                .fix
                .as_ref()
                .and_then(|fix| fixes.get_mut(&Arc::as_ptr(fix)));
            let (fix, refusal) = match proposed {
                Some(Ok(fix)) => (Some(take(fix)), None),
                Some(Err(refusal)) => (None, Some(refusal.clone())),
                None => (None, finding.refusal.clone()),
            };
            let refusal = refusal.map(|refusal| self.refused(refusal, report));
            if let Some(mut reported) = self.reported(finding, report) {
                reported.fix = fix;
                reported.refusal = refusal;
                reported.fingerprint = fingerprint;
                report.push(reported, self.fail_on);
            }
        }
        for it in suppressed {
            let fingerprint = fingerprints.next();
            if let Some(mut reported) = self.reported(it.finding, report) {
                reported.fingerprint = fingerprint;
                let suppression = Suppression {
                    kind: it.kind,
                    reason: it.reason,
                };
                report.push_suppressed(reported, suppression);
            }
        }
        for (file, message) in self.workspace.failures() {
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

    /// The finding with its places as lines and columns, without its fix.
    fn reported(&self, finding: Finding, report: &mut Report) -> Option<Reported> {
        let place = self.place(report, finding.file, finding.span)?;
        let related = finding
            .related
            .into_iter()
            .filter_map(|related| {
                let place = self.place(report, related.file, related.span)?;
                Some((place, related.message))
            })
            .collect();
        Some(Reported {
            rule: finding.rule,
            category: analysis::category(finding.rule),
            severity: finding.severity,
            message: finding.message,
            place,
            related,
            fix: None,
            refusal: None,
            fingerprint: None,
            fails: false,
        })
    }

    /// The refusal with its place as a path, a line and a column.
    fn refused(&self, refusal: Refusal, report: &mut Report) -> ReportedRefusal {
        let place = refusal.place.and_then(|place| match place {
            RefusalPlace::Known(related) => {
                let place = self.place(report, related.file, related.span)?;
                let document = self.workspace.document(related.file)?;
                let (line, column) = place.start();
                Some(RefusedAt {
                    path: Arc::clone(&document.shown),
                    line,
                    column,
                    message: related.message,
                })
            }
            RefusalPlace::Elsewhere {
                path,
                line,
                column,
                message,
            } => Some(RefusedAt {
                path: path.into(),
                line,
                column,
                message,
            }),
        });
        ReportedRefusal {
            code: refusal.code,
            message: refusal.message,
            place,
        }
    }

    /// The fixes of the findings as edits, or why they cannot be made, by the address of the fix: one that
    /// many findings share is worked out once.
    fn proposed(&self, findings: &[Finding], report: &mut Report) -> Proposed {
        let mut seen = HashSet::new();
        let fixes: Vec<(FileId, Arc<Fix>)> = findings
            .iter()
            .filter_map(|finding| Some((finding.file, Arc::clone(finding.fix.as_ref()?))))
            .filter(|(_, fix)| seen.insert(Arc::as_ptr(fix)))
            .collect();
        let sources = self.workspace.sources();
        // One reading of a file serves all of its findings, and is over when they are done.
        let groups: Vec<&[(FileId, Arc<Fix>)]> =
            fixes.chunk_by(|(one, _), (next, _)| one == next).collect();
        let edits = map(&groups, |group| {
            let mut materialiser = Materialiser::new(&sources);
            group
                .iter()
                .map(|(_, fix)| edits(fix, &mut materialiser))
                .collect::<Vec<_>>()
        });
        fixes
            .iter()
            .zip(edits.into_iter().flatten())
            .map(|((_, fix), edits)| {
                let proposed = edits.map(|edits| {
                    Arc::new(ProposedFix {
                        applicability: fix.applicability,
                        message: fix.message.clone(),
                        edits: edits
                            .into_iter()
                            .filter_map(|(file, span, text)| {
                                Some((self.place(report, file, span)?, text))
                            })
                            .collect(),
                    })
                });
                (Arc::as_ptr(fix), proposed)
            })
            .collect()
    }

    fn place(&self, report: &mut Report, file: FileId, span: Span) -> Option<crate::report::Place> {
        let document = self.workspace.document(file)?;
        let path = report
            .repository
            .as_ref()
            .map_or(&document.shown, |_| &document.relative);
        let file = report.file(path, &document.text);
        Some(report.place(file, span))
    }
}

/// The fix for one finding. One of very many edits is whole only the first time: a report that repeats it with
/// each of its findings would grow with their square.
fn take(fix: &mut Arc<ProposedFix>) -> Arc<ProposedFix> {
    const MANY: usize = 100;
    let taken = Arc::clone(fix);
    if taken.edits.len() > MANY {
        *fix = Arc::new(ProposedFix {
            applicability: taken.applicability,
            message: taken.message.clone(),
            edits: Vec::new(),
        });
    }
    taken
}

/// The edits of the fix, or why there are none.
fn edits(fix: &Fix, materialiser: &mut Materialiser<'_>) -> Result<Edits, Refusal> {
    match analysis::guarded(|| materialiser.fix(fix)) {
        Ok(Ok(files)) => Ok(files
            .into_iter()
            .flat_map(|file| {
                let edits = file.edits.into_iter();
                edits.map(move |edit| (file.file, edit.span, edit.text))
            })
            .collect()),
        Ok(Err(rejection)) => Err(Refusal::from(&rejection)),
        Err(_) => Err(Refusal::new(
            RefusalCode::InternalError,
            "an internal error of the fixer",
        )),
    }
}

/// One text for each identity; equal findings are numbered, so that no two are the same.
fn fingerprints(identities: &[Identity]) -> Vec<String> {
    let mut seen: HashMap<&Identity, usize> = HashMap::new();
    identities
        .iter()
        .map(|identity| {
            let number = seen.entry(identity).or_default();
            *number += 1;
            let Identity {
                path,
                rule,
                place,
                hash,
            } = identity;
            format!("{rule}/{hash}/{number}/{path}#{place}")
        })
        .collect()
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
        refusal: None,
        fingerprint: None,
        fails: false,
    }
}

//! From texts to findings: every file is read and looked at by itself, then the rules about the whole workspace
//! have their say, and what comments silence is taken out.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;
use tagwright_flow::delivery::buildspecs_inside;
use tagwright_flow::delivery::inline::in_template;
use tagwright_flow::facts::FileFacts;
use tagwright_flow::mentions::{Alone, Surroundings};
use tagwright_flow::{FileId, FileKind, ReadOptions, Workspace, read_file_with};
use tagwright_syntax::yaml::Tree;

use crate::{
    Category, Change, ChangeKind, Check, Context, Directive, Document, Finding, Refusal,
    RefusalCode, Report, Rule, Settings, Severity, directives, inline, registry, rule, templated,
};

/// What reading one file gives.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What it contributes to its workspace.
    pub facts: FileFacts,
    /// What the rules about single files say of it.
    pub findings: Vec<Finding>,
    /// What its comments tell tagwright.
    pub directives: Vec<Known>,
}

/// A directive, with what it takes to change it once its file's tree is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The directive.
    pub directive: Directive,
    /// The change that takes the comment away.
    removed: Option<Change>,
    /// The change that gives it another text.
    rewritten: Option<Change>,
}

/// A directive some of whose names silence nothing.
#[derive(Debug)]
pub struct Unused<'a> {
    /// The directive.
    pub directive: &'a Directive,
    /// The indices of those names.
    pub names: Vec<usize>,
    /// The change that takes them away.
    pub change: Option<Change>,
}

/// Reads one file. Pure, so files can be read side by side.
#[must_use]
pub fn read(
    id: FileId,
    path: &Arc<str>,
    text: &Arc<str>,
    options: &ReadOptions,
    settings: &Settings,
) -> Reading {
    let mut findings = Vec::new();
    let mut directives = None;
    // Almost no file has any.
    let marked = memchr::memmem::find(text.as_bytes(), directives::MARK.as_bytes()).is_some();
    let facts = read_file_with(id, path, text, options, &mut |facts, tree, spec| {
        let document = Document::new(facts, text, tree, spec);
        check_document(&document, settings, &mut findings);
        if facts.kind == FileKind::CloudFormation && facts.delivery.is_some() {
            let inside = in_template(text, tree);
            inline::check(facts, text, &inside, options, settings, &mut findings);
        }
        if marked {
            let known = document
                .directives()
                .iter()
                .map(|it| Known::new(it, tree, text));
            directives = Some(known.collect());
        }
    });
    // Whatever is in a file of Terraform or of code, no visitor sees it.
    let mut projects = facts.delivery.iter().flat_map(|it| &it.projects);
    let holds = match facts.kind {
        FileKind::Terraform => projects.any(|it| it.text.is_some()),
        kind => kind == FileKind::Cdk,
    };
    if holds {
        let inside = buildspecs_inside(facts.kind, text);
        inline::check(&facts, text, &inside, options, settings, &mut findings);
    }
    let directives = directives.unwrap_or_else(|| {
        if !marked || facts.kind == FileKind::Other {
            return Vec::new();
        }
        let found = directives::of_lines(id, text).into_iter();
        found
            .map(|directive| Known {
                removed: None,
                rewritten: None,
                directive,
            })
            .collect()
    });
    Reading {
        facts,
        findings,
        directives,
    }
}

/// What the rules about single files say of one.
pub(crate) fn check_document(
    document: &Document<'_>,
    settings: &Settings,
    findings: &mut Vec<Finding>,
) {
    for rule in registry() {
        if let (Check::Document(check) | Check::Weighed(check, _), Some(level)) =
            (rule.check, settings.level(rule))
        {
            let configured = settings.is_configured(rule);
            check(
                document,
                &mut Report::new(rule, level, configured, findings),
            );
        }
    }
}

impl Known {
    fn new(directive: &Directive, tree: &Tree, text: &str) -> Self {
        Self {
            removed: directive.rewrite(tree, text, ""),
            rewritten: directive.rewrite(tree, text, "#"),
            directive: directive.clone(),
        }
    }

    /// The change that takes the names with these indices away, and the comment if none is left.
    fn without(&self, unused: &[usize]) -> Option<Change> {
        let names = self.directive.names.iter().enumerate();
        let left: Vec<&str> = names
            .filter(|(index, _)| !unused.contains(index))
            .map(|(_, (_, name))| &**name)
            .collect();
        if left.is_empty() {
            return self.removed.clone();
        }
        let mut change = self.rewritten.clone()?;
        match &mut change.kind {
            ChangeKind::Replace { text, .. } | ChangeKind::ReplaceComment { text, .. } => {
                *text = self.directive.with(&self.directive.word, &left);
            }
            _ => return None,
        }
        Some(change)
    }
}

/// What the rules say of a workspace.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What counts, sorted by file and place.
    pub findings: Vec<Finding>,
    /// What a comment silences, with the reason given there.
    pub suppressed: Vec<(Finding, Option<Box<str>>)>,
}

/// In workspaces of fewer files sharing the work out costs more than doing it.
const MANY: usize = 500;

/// `work` on every file, side by side if there are many; in order.
pub(crate) fn each_file<'w, R: Send>(
    files: &'w [FileFacts],
    work: impl Fn(&'w FileFacts) -> R + Sync + Send,
) -> Vec<R> {
    if files.len() < MANY {
        files.iter().map(work).collect()
    } else {
        files.par_iter().map(work).collect()
    }
}

/// Everything that the rules have to say about `workspace`; `found` is what [`read`] found in its files, and
/// `directives` what their comments say. The `surroundings` are searched where a fix would move an image.
#[must_use]
pub fn check(
    workspace: &Workspace,
    settings: &Settings,
    found: Vec<Finding>,
    directives: &[Known],
    surroundings: &dyn Surroundings,
) -> Verdict {
    let context = Context::new(workspace, settings, surroundings);
    let one = |rule: &&'static Rule| {
        let mut findings = Vec::new();
        if let (Check::Workspace(check), Some(level)) = (rule.check, settings.level(rule)) {
            let configured = settings.is_configured(rule);
            check(
                &context,
                &mut Report::new(rule, level, configured, &mut findings),
            );
        }
        findings
    };
    let by_rule: Vec<Vec<Finding>> = if workspace.files().len() < MANY {
        registry().iter().map(one).collect()
    } else {
        registry().par_iter().with_max_len(1).map(one).collect()
    };
    let mut findings = weighed(&context, found);
    findings.extend(by_rule.into_iter().flatten());
    sort(&mut findings);
    templated::withdraw(&context, &mut findings);
    let mut verdict = silence(findings, directives, settings);
    let suppressed: Vec<&Finding> = verdict.suppressed.iter().map(|(it, _)| it).collect();
    keep_together(&mut verdict.findings, &suppressed);
    verdict
}

/// What is left of the findings of single files once the rest of the workspace is known.
fn weighed(context: &Context<'_>, mut findings: Vec<Finding>) -> Vec<Finding> {
    for (rule, level) in active(context.settings) {
        let Check::Weighed(_, weigh) = rule.check else {
            continue;
        };
        if !findings.iter().any(|finding| finding.rule == rule.name) {
            continue;
        }
        let (own, others) = findings.into_iter().partition(|it| it.rule == rule.name);
        let mut own = weigh(context, own);
        if context.settings.is_configured(rule) {
            for finding in &mut own {
                finding.severity = level;
            }
        }
        findings = others;
        findings.extend(own);
    }
    findings
}

fn active(settings: &Settings) -> impl Iterator<Item = (&'static Rule, Severity)> + '_ {
    let active = |rule: &&'static Rule| Some((*rule, settings.level(rule)?));
    registry().iter().filter_map(active)
}

fn sort(findings: &mut Vec<Finding>) {
    findings.sort_by(|a, b| {
        (a.file, a.span, b.severity, a.rule).cmp(&(b.file, b.span, a.severity, b.rule))
    });
    findings.dedup_by(|a, b| a.file == b.file && a.span == b.span && a.rule == b.rule);
}

/// Takes out what the directives silence, and adds what is wrong with them.
fn silence(findings: Vec<Finding>, directives: &[Known], settings: &Settings) -> Verdict {
    if directives.is_empty() || !settings.suppressions {
        return Verdict {
            findings,
            suppressed: Vec::new(),
        };
    }
    let mut used: Vec<Vec<bool>> = directives
        .iter()
        .map(|known| vec![false; known.directive.names.len()])
        .collect();
    let mut of_file: HashMap<FileId, Vec<usize>> = HashMap::new();
    for (index, known) in directives.iter().enumerate() {
        of_file.entry(known.directive.file).or_default().push(index);
    }
    let mut verdict = Verdict::default();
    let mut apply = |findings: Vec<Finding>, used: &mut Vec<Vec<bool>>| {
        for finding in findings {
            let mut by = None;
            for index in of_file.get(&finding.file).into_iter().flatten() {
                let directive = &directives[*index].directive;
                if let Some(name) = directive.silences(finding.rule, finding.span.start) {
                    // All that would silence it are of use.
                    used[*index][name] = true;
                    by.get_or_insert(directive);
                }
            }
            match by {
                Some(directive) => verdict.suppressed.push((finding, directive.reason.clone())),
                None => verdict.findings.push(finding),
            }
        }
    };
    apply(findings, &mut used);
    let mut unused = Vec::new();
    for (known, used) in directives.iter().zip(&used) {
        let directive = &known.directive;
        // What is wrong with these has rules of its own.
        if directive.covers.is_err() || !directive.is_known() {
            continue;
        }
        let names: Vec<usize> = (0..used.len())
            .filter(|index| {
                // A name that means nothing has a rule of its own.
                let rule = rule(&directive.names[*index].1);
                !used[*index]
                    && rule.is_some_and(|it| {
                        // What another program says is not known in a run that does not ask it.
                        it.category != Category::Suppression && !matches!(it.check, Check::External)
                    })
            })
            .collect();
        if names.is_empty() {
            continue;
        }
        let change = known.without(&names);
        for (rule, level) in active(settings) {
            if let Check::Unused(check) = rule.check {
                let configured = settings.is_configured(rule);
                check(
                    &Unused {
                        directive,
                        names: names.clone(),
                        change: change.clone(),
                    },
                    &mut Report::new(rule, level, configured, &mut unused),
                );
            }
        }
    }
    apply(unused, &mut used);
    sort(&mut verdict.findings);
    verdict
}

/// Takes the fix from every finding that would also change what `quiet` findings are about: whoever wants a
/// place left alone does not want half of its group moved either.
pub fn keep_together(findings: &mut [Finding], quiet: &[&Finding]) {
    let mut touched: HashMap<&Change, &Finding> = HashMap::new();
    for finding in quiet {
        let fixes = finding.fix.iter().chain(&finding.alternative);
        let changes = fixes.flat_map(|fix| &fix.changes);
        // The derivation of the branch is common to all fixes of a file.
        for change in changes.filter(|it| !matches!(it.kind, ChangeKind::InsertItem { .. })) {
            touched.entry(change).or_insert(finding);
        }
    }
    if touched.is_empty() {
        return;
    }
    for finding in findings {
        let second = finding.alternative.iter().flat_map(|fix| &fix.changes);
        if second.into_iter().any(|it| touched.contains_key(it)) {
            finding.alternative = None;
        }
        let mut changes = finding.fix.iter().flat_map(|fix| &fix.changes);
        let Some(ignored) = changes.find_map(|it| touched.get(it)) else {
            continue;
        };
        let refusal = Refusal::new(
            RefusalCode::IgnoredPlace,
            format!(
                "the fix would also change a place whose `{}` is ignored",
                ignored.rule
            ),
        );
        finding.refusal = Some(refusal.at(ignored.file, ignored.span, "ignored here"));
        finding.fix = None;
    }
}

/// [`read`], joined, and [`check`]ed, one file after the other: everything there is to say about `files`,
/// whose ids must be their indices.
#[must_use]
pub fn lint<'a>(
    files: impl IntoIterator<Item = (FileId, &'a str, &'a Arc<str>)>,
    settings: &Settings,
) -> Vec<Finding> {
    let options = ReadOptions {
        branch_variable: settings.branch_variable.clone(),
    };
    let mut facts = Vec::new();
    let mut found = Vec::new();
    let mut directives = Vec::new();
    for (id, path, text) in files {
        let reading = read(id, &Arc::from(path), text, &options, settings);
        facts.push(reading.facts);
        found.extend(reading.findings);
        directives.extend(reading.directives);
    }
    let workspace = Workspace::new(facts, &settings.own);
    check(&workspace, settings, found, &directives, &Alone).findings
}

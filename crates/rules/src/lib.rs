//! Rules: one file each, that read the facts and the flow of a workspace and yield findings with fixes.
//!
//! A rule is a file in a folder named after its category, and one line in the list below. Its module
//! documentation is its page; the examples in it run as tests.

pub mod context;
mod delivery;
pub mod derivation;
pub mod directives;
mod environment;
pub mod finding;
mod inline;
mod plan;
mod script;
pub mod settings;
mod tables;
mod unique;
mod variables;

pub use context::{Context, Document, Report};
pub use directives::Directive;
pub use finding::{Applicability, Change, ChangeKind, Finding, Fix, Related, Severity, WordEffect};
pub use settings::Settings;
pub use tables::lookup as grammar;
pub use tables::schema::{
    buildspec_schema, copilot_environment_schema, copilot_pipeline_schema, copilot_workload_schema,
};

use std::collections::HashSet;
use std::sync::Arc;

use rayon::prelude::*;
use tagwright_flow::facts::{FileFacts, ImageUse, TagKind};
use tagwright_flow::kind::has;
use tagwright_flow::{FileId, FileKind, ReadOptions, Workspace, read_file_with};
use tagwright_syntax::yaml::Tree;

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name, kebab-case.
    pub name: &'static str,
    /// Its category.
    pub category: Category,
    /// The severity of its findings unless they say otherwise; `None`: off.
    pub default: Option<Severity>,
    /// Whether it has fixes.
    pub fixable: Fixable,
    /// Its page: Markdown, the first line one sentence.
    pub docs: &'static str,
    /// Looks for findings.
    pub check: Check,
}

/// How a rule looks for findings.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// In the joined facts of a workspace.
    Workspace(fn(&Context<'_>, &mut Report<'_>)),
    /// In the tree of one file, while it is read.
    Document(fn(&Document<'_>, &mut Report<'_>)),
    /// Among the directives, when all else is known: the fix that takes one away is worked out while the
    /// file is read.
    Unused(fn(&Unused<'_>, &mut Report<'_>)),
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Tags of images.
    ImageTag,
    /// Where the branch comes from and what is made of it.
    Branch,
    /// The file itself.
    Structure,
    /// What the shell makes of the commands.
    Shell,
    /// Passwords, tokens and keys.
    Secret,
    /// AWS Copilot: its command line and its manifests.
    Copilot,
    /// Pipelines and build projects beside the buildspec.
    Pipeline,
    /// Repositories of their own for branches and environments.
    Isolation,
    /// Comments that silence rules.
    Suppression,
}

impl Category {
    /// All categories, in the order in which they are listed.
    pub const ALL: [Category; 9] = [
        Category::ImageTag,
        Category::Branch,
        Category::Structure,
        Category::Shell,
        Category::Secret,
        Category::Copilot,
        Category::Pipeline,
        Category::Isolation,
        Category::Suppression,
    ];

    /// The name in reports and in the documentation.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Category::ImageTag => "image-tag",
            Category::Branch => "branch",
            Category::Structure => "structure",
            Category::Shell => "shell",
            Category::Secret => "secret",
            Category::Copilot => "copilot",
            Category::Pipeline => "pipeline",
            Category::Isolation => "isolation",
            Category::Suppression => "suppression",
        }
    }
}

/// Whether a rule has fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixable {
    /// For some findings.
    Sometimes,
    /// For none.
    Never,
}

impl Rule {
    /// The rule's page, Markdown, with the derivation written out where the examples need it.
    #[must_use]
    pub fn page(&self) -> String {
        let derivation = derivation::Derivation {
            variable: "BRANCH_NAME",
            copilot_pipeline: false,
        };
        let mut page = String::new();
        for line in self.docs.lines() {
            if line.trim() == "@DERIVATION@" {
                for command in derivation.text().lines() {
                    page.push_str("        ");
                    page.push_str(command);
                    page.push('\n');
                }
            } else {
                if line == "## Sources" {
                    self.add_ways_to_silence(&mut page);
                }
                page.push_str(line);
                page.push('\n');
            }
        }
        page
    }

    /// How, behind what the rule's own page says about when.
    fn add_ways_to_silence(&self, page: &mut String) {
        let name = self.name;
        let off = match self.default {
            Some(_) => {
                format!("Everywhere: `{name} = \"off\"` below `[rules]` in `tagwright.toml`.")
            }
            None => format!("Everywhere: take `{name}` out of `[rules]` in `tagwright.toml`."),
        };
        // Comments that silence what is said about comments would be read in circles.
        let ways = if self.category == Category::Suppression {
            off
        } else {
            format!(
                "One place: `# tagwright: ignore[{name}] reason`. {off} What was there before: the \
                 baseline. docs/suppressions.md says more."
            )
        };
        page.push_str(&ways);
        page.push_str("\n\n");
    }

    /// One sentence, without a full stop.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.docs.lines().next().unwrap_or("").trim_end_matches('.')
    }
}

/// The rule's page, taken from its own source by the build script.
macro_rules! docs {
    ($stem:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/", $stem, ".md"))
    };
}

macro_rules! rules {
    ($($category:ident { $($rule:ident)* })*) => {
        $(mod $category { $(pub(super) mod $rule;)* })*
        static REGISTRY: &[&Rule] = &[$($(&$category::$rule::RULE,)*)*];
    };
}

rules! {
    image_tag {
        latest_deployed
        latest_pushed
        implicit_latest
        latest_default
        latest_argument
        latest_third_party
        latest_cache
        missing_tag_flag
        latest_tag_flag
        stale_tag
        tag_mismatch
        shared_tag
        immutable_repository
        invalid_tag
        unquoted_tag
    }
    branch {
        undefined_branch
        unsafe_branch_tag
        truncated_branch
        branch_fallback
        branch_placeholder
        unexpanded_variable
        source_version_branch
    }
    structure {
        invalid_yaml
        command_is_mapping
        lost_comment_tail
        lost_negation
        lost_anchor
        missing_dash_space
        null_command
        duplicate_key
        unknown_key
        misplaced_key
        unknown_phase
        missing_version
        invalid_version
        quoted_version_in_batch
        wrong_type
        invalid_value
        commands_with_steps
        batch_identifier
        batch_dependency
        reserved_variable
        unknown_runtime
        retired_runtime
        not_a_buildspec
    }
    shell {
        removed_command
        bashism
        lost_state
        masked_failure
        push_after_failed_build
        variable_as_command
    }
    secret {
        plaintext_secret
        password_argument
        traced_secret
        secret_reference
    }
    copilot {
        unknown_flag
        image_form
        undefined_manifest_variable
        unexported_variable
        unsupported_interpolation
        unknown_manifest_key
        wrong_manifest_value
        workload_name
        unknown_environment
        end_of_support
    }
    pipeline {
        branch_not_passed
        variable_in_project
        missing_namespace
        exported_never_set
        artifact_not_listed
        duplicate_branch_target
        unconditional_stage
        default_image_tag
    }
    isolation {
        shared_repository
        mutable_repository
        cross_environment_access
    }
    suppression {
        unused_suppression
        unknown_suppression
        misplaced_suppression
        unexplained_suppression
    }
}

/// All rules, by category, in the order in which they are listed.
#[must_use]
pub fn registry() -> &'static [&'static Rule] {
    REGISTRY
}

/// The rule of this name.
#[must_use]
pub fn rule(name: &str) -> Option<&'static Rule> {
    REGISTRY.iter().copied().find(|rule| rule.name == name)
}

/// Whether the other files of the workspace can change what is said about this one: it names an image that
/// may be `latest`, uses the branch variable, or calls Copilot. A file of which none is true can be judged
/// alone.
#[must_use]
pub fn needs_context(file: &FileFacts, settings: &Settings) -> bool {
    !file.copilot.is_empty()
        || file.workload.is_some()
        || !file.pipeline_stages.is_empty()
        || !file.oddities.is_empty()
        || file.delivery.is_some()
        // A project may set it, a pipeline may need it.
        || file.buildspec.is_some()
            && ["exported-variables", "imagedefinitions.json", "imageDetail.json"]
                .iter()
                .any(|word| has(&file.text, word))
        || file.uses.iter().any(ImageUse::may_be_latest)
        || file
            .reads
            .iter()
            .any(|read| {
                // A pipeline beside the file decides what the latter holds.
                read.name.contains("BRANCH")
                    || *read.name == *settings.branch_variable
                    || &*read.name == "CODEBUILD_SOURCE_VERSION"
            })
        // Another file may push the tag that is deployed here.
        || file.uses.iter().any(|image| {
            context::deploys(image.role)
                && image
                    .tags
                    .iter()
                    .any(|tag| matches!(tag.kind, TagKind::Literal(_)))
        })
}

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
    path: &str,
    text: &Arc<str>,
    options: &ReadOptions,
    settings: &Settings,
) -> Reading {
    let mut findings = Vec::new();
    let mut directives = None;
    // Almost no file has any.
    let marked = memchr::memmem::find(text.as_bytes(), directives::MARK.as_bytes()).is_some();
    let facts = read_file_with(id, path, text, options, &mut |facts, tree| {
        let document = Document::new(facts, tree);
        check_document(&document, settings, &mut findings);
        inline::check(facts, tree, options, settings, &mut findings);
        if marked {
            let known = document
                .directives()
                .iter()
                .map(|it| Known::new(it, tree, text));
            directives = Some(known.collect());
        }
    });
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
fn check_document(document: &Document<'_>, settings: &Settings, findings: &mut Vec<Finding>) {
    for rule in REGISTRY {
        if let (Check::Document(check), Some(level)) = (rule.check, settings.level(rule)) {
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
/// `directives` what their comments say.
#[must_use]
pub fn check(
    workspace: &Workspace,
    settings: &Settings,
    found: Vec<Finding>,
    directives: &[Known],
) -> Verdict {
    let context = Context::new(workspace, settings);
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
        REGISTRY.iter().map(one).collect()
    } else {
        REGISTRY.par_iter().with_max_len(1).map(one).collect()
    };
    let mut findings = found;
    findings.extend(by_rule.into_iter().flatten());
    sort(&mut findings);
    let mut verdict = silence(findings, directives, settings);
    let suppressed: Vec<&Finding> = verdict.suppressed.iter().map(|(it, _)| it).collect();
    keep_together(&mut verdict.findings, &suppressed);
    verdict
}

fn active(settings: &Settings) -> impl Iterator<Item = (&'static Rule, Severity)> + '_ {
    let active = |rule: &&'static Rule| Some((*rule, settings.level(rule)?));
    REGISTRY.iter().filter_map(active)
}

fn sort(findings: &mut Vec<Finding>) {
    findings.sort_by(|a, b| {
        (a.file, a.span, b.severity, a.rule).cmp(&(b.file, b.span, a.severity, b.rule))
    });
    findings.dedup_by(|a, b| a.file == b.file && a.span == b.span && a.rule == b.rule);
}

/// Takes out what the directives silence, and adds what is wrong with them.
fn silence(findings: Vec<Finding>, directives: &[Known], settings: &Settings) -> Verdict {
    if directives.is_empty() {
        return Verdict {
            findings,
            suppressed: Vec::new(),
        };
    }
    let mut used: Vec<Vec<bool>> = directives
        .iter()
        .map(|known| vec![false; known.directive.names.len()])
        .collect();
    let mut verdict = Verdict::default();
    let mut apply = |findings: Vec<Finding>, used: &mut Vec<Vec<bool>>| {
        for finding in findings {
            let mut by = None;
            for (index, known) in directives.iter().enumerate() {
                let directive = &known.directive;
                if directive.file == finding.file
                    && let Some(name) = directive.silences(finding.rule, finding.span.start)
                {
                    // All that would silence it are of use.
                    used[index][name] = true;
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
        if directive.covers.is_err() {
            continue;
        }
        let names: Vec<usize> = (0..used.len())
            .filter(|index| {
                // A name that means nothing has a rule of its own.
                let rule = rule(&directive.names[*index].1);
                !used[*index] && rule.is_some_and(|it| it.category != Category::Suppression)
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
    let touched: HashSet<&Change> = quiet
        .iter()
        .filter_map(|finding| finding.fix.as_deref())
        .flat_map(|fix| &fix.changes)
        // The derivation of the branch is common to all fixes of a file.
        .filter(|change| !matches!(change.kind, ChangeKind::InsertItem { .. }))
        .collect();
    if touched.is_empty() {
        return;
    }
    for finding in findings {
        let fix = finding.fix.as_deref();
        let shared = fix.is_some_and(|fix| fix.changes.iter().any(|it| touched.contains(it)));
        if shared {
            finding.fix = None;
            finding.no_fix =
                Some("the fix would also change a place whose finding is ignored".to_owned());
        }
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
        let reading = read(id, path, text, &options, settings);
        facts.push(reading.facts);
        found.extend(reading.findings);
        directives.extend(reading.directives);
    }
    let workspace = Workspace::new(facts, &settings.own);
    check(&workspace, settings, found, &directives).findings
}

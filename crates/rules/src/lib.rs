//! Rules: one file each, that read the facts and the flow of a workspace and yield findings with fixes.
//!
//! A rule is a file in a folder named after its category, and one line in the list below. Its module
//! documentation is its page; the examples in it run as tests.

pub mod context;
mod delivery;
pub mod derivation;
mod environment;
pub mod finding;
mod plan;
mod script;
pub mod settings;
mod tables;
mod unique;
mod variables;

pub use context::{Context, Document, Report};
pub use finding::{Applicability, Change, ChangeKind, Finding, Fix, Related, Severity, WordEffect};
pub use settings::Settings;
pub use tables::schema::buildspec_schema;

use std::sync::Arc;

use rayon::prelude::*;
use tagwright_flow::facts::{FileFacts, ImageUse, TagKind};
use tagwright_flow::{FileId, ReadOptions, Workspace, read_file_with};

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
}

impl Category {
    /// All categories, in the order in which they are listed.
    pub const ALL: [Category; 8] = [
        Category::ImageTag,
        Category::Branch,
        Category::Structure,
        Category::Shell,
        Category::Secret,
        Category::Copilot,
        Category::Pipeline,
        Category::Isolation,
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
                page.push_str(line);
                page.push('\n');
            }
        }
        page
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
                .any(|word| file.text.contains(word))
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

/// Reads one file: what it contributes to its workspace, and what the rules about single files say of it.
/// Pure, so files can be read side by side.
#[must_use]
pub fn read(
    id: FileId,
    path: &str,
    text: &Arc<str>,
    options: &ReadOptions,
    settings: &Settings,
) -> (FileFacts, Vec<Finding>) {
    let mut findings = Vec::new();
    let facts = read_file_with(id, path, text, options, &mut |facts, tree| {
        let document = Document::new(facts, tree);
        for rule in REGISTRY {
            if let (Check::Document(check), Some(level)) = (rule.check, settings.level(rule)) {
                let configured = settings.is_configured(rule);
                check(
                    &document,
                    &mut Report::new(rule, level, configured, &mut findings),
                );
            }
        }
    });
    (facts, findings)
}

/// Everything that the rules have to say about `workspace`, sorted by file and place; `found` is what
/// [`read`] found in its files.
#[must_use]
pub fn check(workspace: &Workspace, settings: &Settings, found: Vec<Finding>) -> Vec<Finding> {
    /// In smaller workspaces sharing the work out costs more than doing it.
    const MANY: usize = 500;
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
    findings.sort_by(|a, b| {
        (a.file, a.span, b.severity, a.rule).cmp(&(b.file, b.span, a.severity, b.rule))
    });
    findings.dedup_by(|a, b| a.file == b.file && a.span == b.span && a.rule == b.rule);
    findings
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
    for (id, path, text) in files {
        let (file, findings) = read(id, path, text, &options, settings);
        facts.push(file);
        found.extend(findings);
    }
    check(&Workspace::new(facts, &settings.own), settings, found)
}

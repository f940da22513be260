//! Rules: one file each, that read the facts and the flow of a workspace and yield findings with fixes.
//!
//! A rule is a file in a folder named after its category, and one line in the list below. Its module
//! documentation is its page; the examples in it run as tests.

mod branch_variable;
mod calls;
pub mod context;
mod definitions;
mod delivery;
pub mod derivation;
pub mod directives;
mod environment;
pub mod environments;
mod handover;
mod inline;
mod outline;
mod place;
mod plan;
mod refusal;
mod rewritten;
mod script;
pub mod settings;
mod shared_variables;
mod shell_text;
mod source_known;
mod templated;
mod unique;
mod variables;
mod verdict;

pub use calls::{ScriptCall, script_calls};
pub use context::{Context, Document, Report};
pub use definitions::without_effect;
pub use directives::Directive;
pub use settings::Settings;
pub use tagwright_diagnostics::{
    Applicability, Change, ChangeKind, Finding, Fix, Refusal, RefusalCode, RefusalPlace, Related,
    Severity, WordEffect,
};
pub use verdict::{Known, Reading, Unused, Verdict, check, keep_together, lint, read};

use tagwright_flow::facts::{FileFacts, ImageFiles, ImageUse, TagKind};

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
    /// The same; what is found is weighed once the whole workspace is known, and may be dropped then. A level
    /// from the configuration holds whatever the weighing says.
    Weighed(
        fn(&Document<'_>, &mut Report<'_>),
        fn(&Context<'_>, Vec<Finding>) -> Vec<Finding>,
    ),
    /// Among the directives, when all else is known: the fix that takes one away is worked out while the
    /// file is read.
    Unused(fn(&Unused<'_>, &mut Report<'_>)),
    /// Not here: another program is asked, where that is wanted.
    External,
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
        let derivation = derivation::Derivation::new("BRANCH_NAME");
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
        let off = match (self.default, self.check) {
            (Some(_), _) | (None, Check::External) => {
                format!("Everywhere: `{name} = \"off\"` below `[rules]` in `tagwright.toml`.")
            }
            (None, _) => format!("Everywhere: take `{name}` out of `[rules]` in `tagwright.toml`."),
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
        detached_head_branch
        constant_branch
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
        artifact_identifier
        batch_dependency
        reserved_variable
        unknown_runtime
        retired_runtime
        runtime_not_in_image
        not_a_buildspec
        missing_file
    }
    shell {
        incomplete_command
        folded_backslash
        removed_command
        registry_login
        bashism
        lost_state
        array_across_items
        busybox_timeout
        package_manager
        script_not_executable
        masked_failure
        push_after_failed_build
        variable_as_command
        unread_command
        shellcheck
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
        copilot_version
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
        unexportable_variable
        artifact_not_listed
        duplicate_branch_target
        unconditional_stage
        default_image_tag
        missing_template_variable
        undefined_variable
        unprivileged_docker
        git_without_repository
        invalid_image_definitions
        artifact_elsewhere
        deployment_input_missing
        missing_output_artifact
        unknown_container
        action_variables
        project_variables
        superseded_executions
        untagged_images_expire
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

/// Whether a finding of a single file waits for the rest of the workspace.
#[must_use]
pub fn is_weighed(finding: &Finding) -> bool {
    rule(finding.rule).is_some_and(|rule| matches!(rule.check, Check::Weighed(..)))
}

/// Whether the other files of the workspace can change what is said about this one: it names an image that
/// may be `latest`, uses the branch variable, or calls Copilot. A file of which none is true can be judged
/// alone, if nothing [`is_weighed`] that was found in it.
#[must_use]
pub fn needs_context(file: &FileFacts, settings: &Settings) -> bool {
    !file.copilot.is_empty()
        || file.workload.is_some()
        || !file.pipeline_stages.is_empty()
        || !file.oddities.is_empty()
        || file.delivery.is_some()
        // A project may set it, a pipeline may need it.
        || file.buildspec.as_ref().is_some_and(|spec| {
            let all_listed = match spec.image_files {
                ImageFiles::None => true,
                ImageFiles::Listed => file.names_no_other_json(),
                ImageFiles::NoArtifacts | ImageFiles::Unsure => false,
            };
            !all_listed || file.may_hold("exported-variables")
        })
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
        // A project may set it, or be known not to.
        || variables::unset(file).next().is_some()
        // Another file may push the tag that is deployed here.
        || file.uses.iter().any(|image| {
            context::deploys(image.role)
                && image
                    .tags
                    .iter()
                    .any(|tag| matches!(tag.kind, TagKind::Literal(_)))
        })
}

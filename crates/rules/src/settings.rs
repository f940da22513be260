//! What the configuration says, as plain data.

use std::collections::BTreeMap;

use crate::derivation::{Derivation, Missing};
use crate::environments::Environments;
use crate::{Rule, Severity};

/// How the images of branches are kept apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// One repository, one tag for each branch.
    #[default]
    BranchTag,
    /// One repository for each branch or environment.
    RepositoryPerBranch,
}

/// What becomes of `latest` where it is an alias: pushed beside a tag of its own that is deployed, and read by nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alias {
    /// It becomes the branch tag.
    #[default]
    Move,
    /// It goes.
    Drop,
}

/// The settings of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The tag that replaces `latest`, as shell text: `${BRANCH_NAME}`.
    pub tag_template: String,
    /// How the images of branches are kept apart.
    pub strategy: Strategy,
    /// What becomes of an alias.
    pub alias: Alias,
    /// The name of the branch variable.
    pub branch_variable: String,
    /// The project or pipeline already provides the branch variable, ready to be a tag.
    pub branch_defined: bool,
    /// What a build does that knows no branch.
    pub branch_missing: Missing,
    /// Patterns of repositories that are this workspace's own although nothing in it writes them.
    pub own: Vec<String>,
    /// The environments with a repository of their own, if the configuration names any.
    pub environments: Option<Environments>,
    /// Levels that differ from the rules' own; `None` is off.
    pub levels: BTreeMap<String, Option<Severity>>,
    /// Whether comments silence findings.
    pub suppressions: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tag_template: "${BRANCH_NAME}".to_owned(),
            strategy: Strategy::default(),
            alias: Alias::default(),
            branch_variable: "BRANCH_NAME".to_owned(),
            branch_defined: false,
            branch_missing: Missing::default(),
            own: Vec::new(),
            environments: None,
            levels: BTreeMap::new(),
            suppressions: true,
        }
    }
}

impl Settings {
    /// The rule's level; `None` if it is off.
    #[must_use]
    pub fn level(&self, rule: &Rule) -> Option<Severity> {
        match self.levels.get(rule.name) {
            Some(level) => *level,
            None => rule.default,
        }
    }

    /// Whether the configuration sets the rule's level, so that it holds for all of its findings.
    #[must_use]
    pub fn is_configured(&self, rule: &Rule) -> bool {
        self.levels.contains_key(rule.name)
    }

    /// The command that defines the branch variable; with `copilot_pipeline`, in a buildspec that has the
    /// Copilot pipeline's manifest at hand.
    #[must_use]
    pub fn derivation(&self, copilot_pipeline: bool) -> Derivation<'_> {
        Derivation {
            variable: &self.branch_variable,
            copilot_pipeline,
            // Where a build that knows no branch would push to is nobody's guess.
            missing: match self.repositories() {
                Some(_) => Missing::Stop,
                None => self.branch_missing,
            },
            repository: self.strategy == Strategy::RepositoryPerBranch,
        }
    }

    /// The environments, where each has a repository of its own.
    #[must_use]
    pub fn repositories(&self) -> Option<&Environments> {
        let wanted = self.strategy == Strategy::RepositoryPerBranch;
        self.environments.as_ref().filter(|_| wanted)
    }

    /// The branch variable as the shell writes it: `${BRANCH_NAME}`.
    #[must_use]
    pub fn branch_reference(&self) -> String {
        format!("${{{}}}", self.branch_variable)
    }

    /// Whether the configured tag is the branch alone, so that every build of it has the same tag.
    #[must_use]
    pub fn is_branch_only(&self) -> bool {
        self.tag_template == self.branch_reference()
    }

    /// A tag that is new for every build. CodeBuild's build id is always there; what precedes its colon
    /// is the project's name, and a colon cannot be in a tag.
    #[must_use]
    pub fn unique_tag(&self) -> String {
        if self.is_branch_only() {
            format!("{}-${{CODEBUILD_BUILD_ID##*:}}", self.tag_template)
        } else {
            self.tag_template.clone()
        }
    }
}

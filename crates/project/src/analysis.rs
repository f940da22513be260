//! The seam to the rules: settings from the configuration, and panics turned into findings.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Arc;

use tagwright_diagnostics::{Finding, Related, Severity};
use tagwright_flow::facts::FileFacts;
use tagwright_flow::mentions::{Alone, Surroundings};
use tagwright_flow::{self as flow, FileId, FileKind, ReadOptions, scan};
use tagwright_rules::derivation::Missing;
use tagwright_rules::settings::{Alias, Strategy};
use tagwright_rules::{Known, Settings, Verdict};

use crate::catalog::{Catalog, Name};
use crate::config::{self, Config, Level};

thread_local! {
    /// What the last panic of this thread said, and where.
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The rules with their settings.
pub struct Analysis {
    settings: Settings,
    options: ReadOptions,
}

/// What reading one file gave.
pub struct Reading {
    /// What it contributes to its workspace; empty where reading failed.
    pub facts: FileFacts,
    /// What is wrong with it by itself.
    pub findings: Vec<Finding>,
    /// What its comments tell tagwright.
    pub directives: Vec<Known>,
    /// The message of the panic that ended the reading.
    pub failure: Option<String>,
}

impl Analysis {
    /// What the configuration says to the rules.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The rules as `config` sets them.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let settings = settings(config);
        let options = ReadOptions {
            branch_variable: settings.branch_variable.clone(),
        };
        Self { settings, options }
    }

    /// The same with comments that silence nothing.
    #[must_use]
    pub fn without_suppressions(mut self) -> Self {
        self.settings.suppressions = false;
        self
    }

    /// The severity of `rule`, whose findings are made outside the rules; `None` if it is off.
    #[must_use]
    pub fn level(&self, rule: &str) -> Option<Severity> {
        self.settings
            .levels
            .get(rule)
            .copied()
            .unwrap_or(Some(Severity::Error))
    }

    /// The severity of a finding of `rule` that another program has made and calls `own`: that of the
    /// configuration, if it sets one; `None` if the rule is off there.
    #[must_use]
    pub fn external_level(&self, rule: &str, own: Severity) -> Option<Severity> {
        self.settings.levels.get(rule).copied().unwrap_or(Some(own))
    }

    /// What the text contributes to its workspace, and what is wrong with it by itself.
    #[must_use]
    pub fn read(&self, id: FileId, path: &Arc<str>, text: &Arc<str>, kind: FileKind) -> Reading {
        match guarded(|| tagwright_rules::read(id, path, text, &self.options, &self.settings)) {
            Ok(reading) => Reading {
                facts: reading.facts,
                findings: reading.findings,
                directives: reading.directives,
                failure: None,
            },
            Err(message) => Reading {
                facts: scan::empty(id, path, text, kind),
                findings: Vec::new(),
                directives: Vec::new(),
                failure: Some(message),
            },
        }
    }

    /// Whether files beside the given ones, of which reading said what is `found`, may change what there is to
    /// say about these.
    #[must_use]
    pub fn needs_context(&self, workspace: &flow::Workspace, found: &[Finding]) -> bool {
        let mut files = workspace.files().iter();
        found.iter().any(tagwright_rules::is_weighed)
            || files.any(|file| tagwright_rules::needs_context(file, &self.settings))
    }

    /// Joins the facts of files, whose ids are their indices.
    #[must_use]
    pub fn join(&self, facts: Vec<FileFacts>) -> flow::Workspace {
        flow::Workspace::new(facts, &self.settings.own)
    }

    /// All findings, those of reading (which `found` gives) among them, and the files that the rules cannot cope with;
    /// `surroundings` are searched where a fix would move an image. Where the rules fail on the whole, each
    /// file is looked at alone, so that one file costs only its own findings.
    #[must_use]
    pub fn check(
        &self,
        workspace: &flow::Workspace,
        found: &dyn Fn() -> Vec<Finding>,
        directives: &[Known],
        surroundings: &dyn Surroundings,
    ) -> (Verdict, Vec<(FileId, String)>) {
        let checked = guarded(|| {
            tagwright_rules::check(workspace, &self.settings, found(), directives, surroundings)
        });
        if let Ok(verdict) = checked {
            return (verdict, Vec::new());
        }
        let mut verdict = Verdict {
            findings: found(),
            suppressed: Vec::new(),
        };
        let mut failures = Vec::new();
        for file in workspace.files() {
            let mut alone = file.clone();
            alone.id = FileId(0);
            match guarded(|| {
                let alone = self.join(vec![alone]);
                tagwright_rules::check(&alone, &self.settings, Vec::new(), &[], &Alone).findings
            }) {
                Ok(found) => verdict.findings.extend(found.into_iter().map(|finding| {
                    Finding {
                        file: file.id,
                        related: finding
                            .related
                            .into_iter()
                            .map(|related| Related {
                                file: file.id,
                                ..related
                            })
                            .collect(),
                        // What moves together is not known without the other files.
                        fix: None,
                        ..finding
                    }
                })),
                Err(message) => failures.push((file.id, message)),
            }
        }
        (verdict, failures)
    }
}

fn settings(config: &Config) -> Settings {
    let mut settings = Settings {
        branch_defined: config.branch.defined,
        branch_missing: match config.branch.missing {
            config::Missing::Commit => Missing::Commit,
            config::Missing::Stop => Missing::Stop,
        },
        strategy: match config.tag.strategy {
            config::Strategy::BranchTag => Strategy::BranchTag,
            config::Strategy::RepositoryPerBranch => Strategy::RepositoryPerBranch,
        },
        alias: match config.tag.alias {
            config::Alias::Move => Alias::Move,
            config::Alias::Drop => Alias::Drop,
        },
        own: config.images.own.clone(),
        // What is wrong with them has been said when the file was read.
        environments: config.environments.read().ok().flatten(),
        levels: config
            .rules
            .iter()
            .map(|(rule, level)| {
                let level = match level {
                    Level::Error => Some(Severity::Error),
                    Level::Warning => Some(Severity::Warning),
                    Level::Note => Some(Severity::Note),
                    Level::Off => None,
                };
                (rule.get_ref().clone(), level)
            })
            .collect(),
        ..Settings::default()
    };
    if let Some(variable) = &config.branch.variable {
        settings.branch_variable.clone_from(variable);
        settings.tag_template = settings.branch_reference();
    }
    if let Some(template) = config.template() {
        settings.tag_template = template;
    }
    settings
}

/// The names that configurations and arguments may use.
#[must_use]
pub fn catalog() -> Catalog {
    let rules = tagwright_rules::registry().iter();
    Catalog::new(rules.map(|rule| Name {
        rule: rule.name,
        category: rule.category.as_str(),
        on: rule.default.is_some(),
    }))
}

/// The category of a rule, also of those whose findings are made outside the rules.
#[must_use]
pub fn category(rule: &str) -> &'static str {
    tagwright_rules::rule(rule).map_or("input", |rule| rule.category.as_str())
}

/// Runs `work`; a panic becomes its message.
///
/// # Errors
/// The panic's message and place.
pub fn guarded<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    // What the work left half done is dropped with it: callers keep nothing that it could have changed.
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| panic_message(payload.as_ref()))
}

/// A panic hook that prints nothing and keeps the message for [`guarded`].
pub fn remember_panic(info: &PanicHookInfo<'_>) {
    let place = info
        .location()
        .map(|at| format!(" ({}:{})", at.file(), at.line()))
        .unwrap_or_default();
    let message = format!("{}{place}", payload_message(info.payload()));
    LAST_PANIC.with(|last| *last.borrow_mut() = Some(message));
}

/// The message of a caught panic, with its place if the hook has seen it.
pub fn panic_message(payload: &(dyn Any + Send)) -> String {
    LAST_PANIC
        .with(|last| last.borrow_mut().take())
        .unwrap_or_else(|| payload_message(payload))
}

fn payload_message(payload: &dyn Any) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        let result: Result<(), String> = guarded(|| panic!("no {}", "luck"));
        assert!(result.unwrap_err().contains("no luck"));
        assert_eq!(guarded(|| 1), Ok(1));
    }
}

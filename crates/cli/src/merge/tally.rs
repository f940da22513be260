//! What one repository's lines come to, and what all of them do.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A line of `check --format jsonl`, as far as a merged report needs it. Ordered by path and place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Line {
    Finding(Finding),
    Summary {
        /// Files looked at.
        files: u64,
    },
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) start: Location,
    pub(crate) end: Location,
    pub(crate) rule: String,
    pub(crate) category: String,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    pub(crate) fix: Option<Fix>,
}

/// 1-based.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Location {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    Note,
    Warning,
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Fix {
    applicability: String,
}

/// How many findings there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Counts {
    /// Findings of severity `error`.
    pub errors: u64,
    /// Findings of severity `warning`.
    pub warnings: u64,
    /// Findings of severity `note`.
    pub notes: u64,
    /// Findings that `fix` settles.
    pub fixable: u64,
    /// Findings that only `fix --unsafe` settles.
    pub fixable_unsafe: u64,
}

impl Counts {
    fn add(&mut self, finding: &Finding) {
        match finding.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Note => self.notes += 1,
        }
        match finding.fix.as_ref().map(|fix| &*fix.applicability) {
            Some("safe") => self.fixable += 1,
            Some("unsafe") => self.fixable_unsafe += 1,
            _ => {}
        }
    }

    fn join(&mut self, other: &Counts) {
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.notes += other.notes;
        self.fixable += other.fixable;
        self.fixable_unsafe += other.fixable_unsafe;
    }

    /// All findings.
    #[must_use]
    pub(crate) fn all(&self) -> u64 {
        self.errors + self.warnings + self.notes
    }
}

/// One repository of a merged report.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Tally {
    /// Its name.
    pub(crate) repository: String,
    /// Whether the run came to its end: its last line, the summary, is there, and every line could be read.
    pub(crate) complete: bool,
    /// Files looked at.
    pub(crate) files: u64,
    #[serde(flatten)]
    pub(crate) counts: Counts,
    /// The findings of each rule.
    pub(crate) rules: BTreeMap<String, u64>,
    /// The findings themselves, by path and place.
    #[serde(skip)]
    pub(crate) findings: Vec<Finding>,
}

impl Tally {
    pub(crate) fn of(repository: String, lines: BTreeSet<Line>, damaged: bool) -> Self {
        let mut tally = Self {
            repository,
            complete: false,
            files: 0,
            counts: Counts::default(),
            rules: BTreeMap::new(),
            findings: Vec::new(),
        };
        for line in lines {
            match line {
                Line::Summary { files } => {
                    tally.complete = !damaged;
                    tally.files = tally.files.max(files);
                }
                Line::Finding(finding) => {
                    tally.counts.add(&finding);
                    *tally.rules.entry(finding.rule.clone()).or_default() += 1;
                    tally.findings.push(finding);
                }
            }
        }
        tally
    }
}

/// A rule of a merged report.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Rule {
    /// Its name.
    pub(crate) rule: String,
    /// Its category.
    pub(crate) category: String,
    /// The repositories with a finding of it.
    pub(crate) repositories: u64,
    #[serde(flatten)]
    pub(crate) counts: Counts,
}

/// What all repositories come to.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Summary {
    /// All repositories.
    pub(crate) repositories: u64,
    /// Those without a finding.
    pub(crate) clean: u64,
    /// Those whose run did not come to its end.
    pub(crate) incomplete: u64,
    /// Files looked at.
    pub(crate) files: u64,
    #[serde(flatten)]
    pub(crate) counts: Counts,
}

/// The merged report.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "tagwright merged report")]
pub(crate) struct Merged {
    /// The version of this format.
    #[schemars(range(min = 1, max = 1))]
    pub(crate) schema_version: u32,
    /// What it comes to.
    pub(crate) summary: Summary,
    /// The rules with a finding, by name.
    pub(crate) rules: Vec<Rule>,
    /// The repositories, by name.
    pub(crate) repositories: Vec<Tally>,
}

impl Default for Merged {
    fn default() -> Self {
        Self {
            schema_version: 1,
            summary: Summary::default(),
            rules: Vec::new(),
            repositories: Vec::new(),
        }
    }
}

impl Merged {
    /// Adds a repository; its findings are counted and dropped.
    pub(crate) fn add(&mut self, mut tally: Tally) {
        let summary = &mut self.summary;
        summary.repositories += 1;
        summary.clean += u64::from(tally.complete && tally.findings.is_empty());
        summary.incomplete += u64::from(!tally.complete);
        summary.files += tally.files;
        summary.counts.join(&tally.counts);
        let mut seen = BTreeSet::new();
        for finding in std::mem::take(&mut tally.findings) {
            let at = match self
                .rules
                .binary_search_by(|rule| rule.rule.cmp(&finding.rule))
            {
                Ok(at) => at,
                Err(at) => {
                    let rule = Rule {
                        rule: finding.rule.clone(),
                        category: finding.category.clone(),
                        repositories: 0,
                        counts: Counts::default(),
                    };
                    self.rules.insert(at, rule);
                    at
                }
            };
            let rule = &mut self.rules[at];
            rule.counts.add(&finding);
            rule.repositories += u64::from(seen.insert(finding.rule));
        }
        self.repositories.push(tally);
    }
}

//! Findings that say the same of several places, for reports that people read: one block instead of many.

use std::collections::HashMap;

use tagwright_diagnostics::Severity;

use super::{Report, Reported, escape};

/// More places than this are counted and not named.
const NAMED: usize = 12;

/// What makes two findings say the same: rule, severity, message, and what is to be done about it.
type Key<'a> = (&'a str, Severity, &'a str, Option<&'a str>, Option<&'a str>);

/// Findings that differ in their places only, in the order of the report.
pub(super) struct Group<'a> {
    pub(super) findings: Vec<&'a Reported>,
}

impl<'a> Group<'a> {
    /// All findings of the report, each group at the place of its first.
    pub(super) fn all(report: &'a Report) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        let mut known: HashMap<Key<'a>, usize> = HashMap::new();
        for finding in &report.findings {
            let key = (
                finding.rule,
                finding.severity,
                finding.message.as_str(),
                finding.fix.as_ref().map(|fix| fix.message.as_str()),
                finding.refusal.as_ref().map(|it| it.message.as_str()),
            );
            match known.get(&key) {
                Some(index) => groups[*index].findings.push(finding),
                None => {
                    known.insert(key, groups.len());
                    groups.push(Self {
                        findings: vec![finding],
                    });
                }
            }
        }
        groups
    }

    /// The first finding, which stands for all.
    pub(super) fn first(&self) -> &'a Reported {
        self.findings[0]
    }

    /// The places behind the first, as `15:38, 16:55, k8s/app.yml:3:10`; a path only where it is another one than before.
    pub(super) fn others(&self, report: &Report) -> String {
        let mut path = report.path(self.first().place);
        let mut places: Vec<String> = Vec::new();
        for finding in self.findings.iter().skip(1).take(NAMED) {
            let (line, column) = finding.place.start;
            let own = report.path(finding.place);
            places.push(if own == path {
                format!("{line}:{column}")
            } else {
                format!("{}:{line}:{column}", escape(own))
            });
            path = own;
        }
        let left = self.findings.len().saturating_sub(1 + NAMED);
        if left > 0 {
            places.push(format!("and {left} more"));
        }
        places.join(", ")
    }
}

//! What formats for programs show one after the other: findings, and among them the files that could not be
//! read, as if a rule had found that.

use tagwright_diagnostics::Severity;
use tagwright_syntax::Span;

use super::{Report, Reported};

/// The rule name under which a file that could not be read appears.
pub(super) const UNREADABLE: &str = "unreadable-file";

/// A finding, or a file that could not be read.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) rule: &'a str,
    pub(super) category: &'a str,
    pub(super) severity: Severity,
    pub(super) message: &'a str,
    pub(super) path: &'a str,
    /// Line and column of the first character, 1-based, in characters.
    pub(super) start: (u32, u32),
    /// Line and column just after the last character.
    pub(super) end: (u32, u32),
    /// Bytes of the file.
    pub(super) span: Span,
    /// `None`: the file could not be read.
    pub(super) finding: Option<&'a Reported>,
    /// Whether it makes the exit code other than 0.
    pub(super) fails: bool,
}

impl<'a> Entry<'a> {
    pub(super) fn of(report: &'a Report, finding: &'a Reported) -> Self {
        Entry {
            rule: finding.rule,
            category: finding.category,
            severity: finding.severity,
            message: &finding.message,
            path: report.path(finding.place),
            start: finding.place.start,
            end: finding.place.end,
            span: finding.place.span,
            finding: Some(finding),
            fails: finding.fails,
        }
    }
}

impl Report {
    /// Everything there is to show, by path and place.
    pub(super) fn entries(&self) -> Vec<Entry<'_>> {
        let unreadable = self.problems.iter().map(|problem| Entry {
            rule: UNREADABLE,
            category: "input",
            severity: Severity::Error,
            message: &problem.message,
            path: &problem.path,
            start: (1, 1),
            end: (1, 1),
            span: Span::empty(0),
            finding: None,
            fails: true,
        });
        let findings = self.findings.iter().map(|finding| Entry::of(self, finding));
        let mut entries: Vec<Entry<'_>> = unreadable.chain(findings).collect();
        // Both parts are sorted; the sort is stable, so places keep their order within a path.
        entries.sort_by(|a, b| a.path.cmp(b.path));
        entries
    }
}

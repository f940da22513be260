//! How many findings each rule has.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use tagwright_diagnostics::{Applicability, Severity};

use super::{Report, severity_name, write_pretty};
use crate::args::Format;

/// The findings of one rule with one severity.
#[derive(Serialize)]
struct Line<'a> {
    rule: &'a str,
    severity: &'static str,
    findings: usize,
    /// Of these, how many have a safe fix.
    fixable: usize,
    /// Of these, how many have an unsafe fix.
    fixable_unsafe: usize,
}

/// Writes a table, or a list in JSON; the most frequent rule first.
pub(super) fn write(report: &Report, format: Format, out: &mut dyn io::Write) -> io::Result<()> {
    let lines = lines(report);
    if format == Format::Json {
        return write_pretty(&lines, out);
    }
    let digits = lines.iter().map(|it| it.findings.to_string().len());
    let digits = digits.max().unwrap_or(1);
    let names = lines.iter().map(|it| it.rule.len()).max().unwrap_or(0);
    for line in &lines {
        let fixable = match (line.fixable, line.fixable_unsafe) {
            (0, 0) => String::new(),
            (safe, 0) => format!("{safe} fixable"),
            (0, risky) => format!("{risky} fixable with --unsafe"),
            (safe, risky) => format!("{safe} fixable, {risky} more with --unsafe"),
        };
        let text = format!(
            "{:>digits$}  {:names$}  {:7}  {fixable}",
            line.findings, line.rule, line.severity
        );
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

fn lines(report: &Report) -> Vec<Line<'_>> {
    let mut counts: BTreeMap<(std::cmp::Reverse<Severity>, &str), Line<'_>> = BTreeMap::new();
    for entry in report.entries() {
        let key = (std::cmp::Reverse(entry.severity), entry.rule);
        let line = counts.entry(key).or_insert_with(|| Line {
            rule: entry.rule,
            severity: severity_name(entry.severity),
            findings: 0,
            fixable: 0,
            fixable_unsafe: 0,
        });
        line.findings += 1;
        let fix = entry.finding.and_then(|finding| finding.fix.as_ref());
        match fix.map(|fix| fix.applicability) {
            Some(Applicability::Safe) => line.fixable += 1,
            Some(Applicability::Unsafe) => line.fixable_unsafe += 1,
            Some(Applicability::DisplayOnly) | None => {}
        }
    }
    let mut lines: Vec<_> = counts.into_values().collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.findings));
    lines
}

//! JUnit XML, for the report groups of CodeBuild and for Jenkins.
//!
//! A file is a suite, and a finding a test: failed if it reaches the threshold of the run, passed with the
//! finding in its output if not. A file without findings is one passed test, so that the counts of a report
//! tell how much was looked at. Nothing is timed; the durations are 0 because readers want to see one.

use std::collections::HashMap;
use std::io;

use super::entry::Entry;
use super::xml::escape;
use super::{Report, human, severity_name};

/// A file with what there is to say about it.
struct Suite<'a> {
    path: &'a str,
    entries: &'a [Entry<'a>],
}

impl Suite<'_> {
    fn tests(&self) -> usize {
        self.entries.len().max(1)
    }

    fn failures(&self) -> usize {
        self.entries
            .iter()
            .filter(|entry| entry.fails && entry.finding.is_some())
            .count()
    }

    fn errors(&self) -> usize {
        self.entries
            .iter()
            .filter(|entry| entry.finding.is_none())
            .count()
    }
}

pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let entries = report.entries();
    let suites = suites(report, &entries);
    out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
    writeln!(
        out,
        "<testsuites name=\"tagwright\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"0\">",
        suites.iter().map(Suite::tests).sum::<usize>(),
        suites.iter().map(Suite::failures).sum::<usize>(),
        suites.iter().map(Suite::errors).sum::<usize>(),
    )?;
    for suite in &suites {
        writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"0\">",
            escape(suite.path),
            suite.tests(),
            suite.failures(),
            suite.errors(),
        )?;
        if suite.entries.is_empty() {
            writeln!(
                out,
                "    <testcase classname=\"{}\" name=\"no findings\" time=\"0\"/>",
                escape(suite.path)
            )?;
        }
        let mut names = HashMap::new();
        for entry in suite.entries {
            test_case(report, entry, &mut names, out)?;
        }
        out.write_all(b"  </testsuite>\n")?;
    }
    out.write_all(b"</testsuites>\n")
}

/// The files that were looked at and those that could not be, by path.
fn suites<'a>(report: &'a Report, entries: &'a [Entry<'a>]) -> Vec<Suite<'a>> {
    let mut suites: Vec<Suite<'a>> = entries
        .chunk_by(|one, next| one.path == next.path)
        .filter_map(|entries| {
            let path = entries.first()?.path;
            Some(Suite { path, entries })
        })
        .collect();
    let clean: Vec<&str> = report
        .read
        .iter()
        .map(|path| &**path)
        .filter(|path| {
            suites
                .binary_search_by(|suite| suite.path.cmp(path))
                .is_err()
        })
        .collect();
    suites.extend(clean.into_iter().map(|path| Suite { path, entries: &[] }));
    suites.sort_by(|a, b| a.path.cmp(b.path));
    suites
}

fn test_case(
    report: &Report,
    entry: &Entry<'_>,
    names: &mut HashMap<String, usize>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut name = match entry.finding {
        Some(_) => format!("{} {}:{}", entry.rule, entry.start.0, entry.start.1),
        None => entry.rule.to_owned(),
    };
    let same = names.entry(name.clone()).or_default();
    *same += 1;
    if *same > 1 {
        name = format!("{name} ({same})");
    }
    writeln!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\" time=\"0\">",
        escape(entry.path),
        escape(&name),
    )?;
    let text = escape(&text(report, entry));
    let message = escape(entry.message);
    match (entry.finding, entry.fails) {
        (None, _) => writeln!(
            out,
            "      <error type=\"{}\" message=\"{message}\">{text}</error>",
            entry.rule
        )?,
        (Some(_), true) => writeln!(
            out,
            "      <failure type=\"{}\" message=\"{message}\">{text}</failure>",
            severity_name(entry.severity)
        )?,
        (Some(_), false) => writeln!(out, "      <system-out>{text}</system-out>")?,
    }
    out.write_all(b"    </testcase>\n")
}

/// The finding as a person reads it who has only this text.
fn text(report: &Report, entry: &Entry<'_>) -> String {
    let mut lines = vec![format!(
        "{}:{}:{}: {}[{}] {}",
        entry.path,
        entry.start.0,
        entry.start.1,
        severity_name(entry.severity),
        entry.rule,
        entry.message
    )];
    if let Some(finding) = entry.finding {
        lines.extend(finding.related.iter().map(|(place, message)| {
            let (line, column) = place.start;
            format!("{}:{line}:{column}: {message}", report.path(*place))
        }));
        lines.extend(human::help(finding));
    }
    lines.join("\n")
}

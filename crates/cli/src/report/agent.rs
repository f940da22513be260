//! One paragraph for each finding, short and without drawings, with its fix as a patch: for coding agents, which pay for
//! each word and apply patches well.

use std::collections::BTreeMap;
use std::io;

use tagwright_diagnostics::Applicability;
use tagwright_fixer::diff;

use super::group::Group;
use super::{ProposedFix, Report, escape, human, severity_name};

/// A longer patch is left to `tagwright fix --diff`; in bytes.
const LONGEST: usize = 16 * 1024;

pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    // Several findings may share one fix, which is shown once.
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    for group in Group::all(report) {
        let first = group.first();
        let (line, column) = first.place.start;
        let place = format!("{}:{line}:{column}", escape(report.path(first.place)));
        writeln!(
            out,
            "{place} {} {}: {}",
            severity_name(first.severity),
            first.rule,
            escape(&first.message)
        )?;
        if group.findings.len() > 1 {
            writeln!(out, "also at {}", group.others(report))?;
        }
        match (&first.fix, &first.refusal) {
            (Some(fix), _) => write_fix(report, fix, &place, &mut shown, out)?,
            (None, Some(refusal)) => {
                let at = refusal.place.as_ref().map_or_else(String::new, |at| {
                    format!(" ({}:{})", escape(&at.path), at.line)
                });
                writeln!(out, "no fix: {}{at}", escape(&refusal.message))?;
            }
            (None, None) => {}
        }
        writeln!(out)?;
    }
    if report.quiet {
        return Ok(());
    }
    writeln!(out, "{}", human::summary(report))
}

fn write_fix(
    report: &Report,
    fix: &ProposedFix,
    place: &str,
    shown: &mut BTreeMap<String, String>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let (kind, flag) = match fix.applicability {
        Applicability::Safe => ("safe", ""),
        Applicability::Unsafe => ("unsafe", " --unsafe"),
        Applicability::DisplayOnly => return writeln!(out, "to do: {}", escape(&fix.message)),
    };
    let command = format!("tagwright fix{flag}");
    writeln!(out, "fix ({kind}, `{command}`): {}", escape(&fix.message))?;
    match patch(report, fix) {
        None => writeln!(out, "patch: see `{command} --diff`"),
        Some(patch) => match shown.get(&patch) {
            Some(first) => writeln!(out, "patch: the one of {first}"),
            None => {
                out.write_all(patch.as_bytes())?;
                shown.insert(patch, place.to_owned());
                Ok(())
            }
        },
    }
}

/// The fix as a unified diff; `None` if it is too long, or has something in it that a terminal or a build service would
/// act on: escaped, it would no longer apply.
fn patch(report: &Report, fix: &ProposedFix) -> Option<String> {
    let mut files: BTreeMap<usize, Vec<(usize, usize, &str)>> = BTreeMap::new();
    for (place, text) in &fix.edits {
        let edits = files.entry(place.file).or_default();
        edits.push((place.span.start as usize, place.span.end as usize, text));
    }
    let mut patch = String::new();
    for (file, mut edits) in files {
        let file = &report.files[file];
        edits.sort_unstable();
        let mut after = file.text.to_string();
        for (start, end, text) in edits.into_iter().rev() {
            after.get(start..end)?;
            after.replace_range(start..end, text);
        }
        patch.push_str(&diff(&file.path, &file.text, &after));
    }
    let harmless = |line: &str| {
        let line = line.trim_end_matches('\r').replace('\t', " ");
        *escape(&line) == *line
    };
    (!patch.is_empty() && patch.len() <= LONGEST && patch.lines().all(harmless)).then_some(patch)
}

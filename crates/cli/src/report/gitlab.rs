//! A Code Quality report for GitLab: the documented subset of the Code Climate format, which a merge request
//! compares with that of its target branch.

use std::collections::HashMap;
use std::io;

use serde::{Serialize, Serializer};
use tagwright_diagnostics::Severity;

use super::Report;
use super::entry::Entry;

/// One finding.
#[derive(Serialize)]
struct Issue<'a> {
    description: &'a str,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

/// 1-based, both included.
#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    // Of two findings with one fingerprint GitLab would show one.
    let mut seen: HashMap<String, u32> = HashMap::new();
    let issues = report.entries().into_iter().map(|entry| {
        let fingerprint = entry
            .finding
            .and_then(|finding| finding.fingerprint.clone())
            .unwrap_or_else(|| fingerprint(&entry));
        let before = seen.entry(fingerprint.clone()).or_default();
        *before += 1;
        let fingerprint = match *before {
            1 => fingerprint,
            number => format!("{fingerprint}-{number}"),
        };
        Issue {
            description: entry.message,
            check_name: entry.rule,
            fingerprint,
            severity: severity(entry.severity),
            location: Location {
                path: entry.path,
                lines: Lines {
                    begin: entry.start.0,
                    end: entry.end.0,
                },
            },
        }
    });
    let mut serializer = serde_json::Serializer::pretty(&mut *out);
    serializer.collect_seq(issues).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "critical",
        Severity::Warning => "major",
        Severity::Note => "info",
    }
}

/// For what has no fingerprint of its own: a file that could not be read or understood. Lines are not part of
/// it, because they move.
fn fingerprint(entry: &Entry<'_>) -> String {
    // FNV-1a, 64 bits, as given by its authors.
    let hash = [entry.rule, "\0", entry.path, "\0", entry.message]
        .iter()
        .flat_map(|text| text.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{hash:016x}")
}

//! One line for each finding, for editors, `grep` and people in a hurry.

use std::io;

use super::{Report, escape, severity_name};

pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    for finding in &report.findings {
        let (line, column) = finding.place.start;
        writeln!(
            out,
            "{}:{line}:{column}: {}[{}] {}",
            escape(report.path(finding.place)),
            severity_name(finding.severity),
            finding.rule,
            escape(&finding.message),
        )?;
    }
    Ok(())
}

//! Checkstyle XML, which Jenkins, reviewdog and many editors read.

use std::io;

use tagwright_diagnostics::Severity;

use super::Report;
use super::xml::escape;

pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    // The version is that of the format's shape, which has not changed since.
    out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<checkstyle version=\"4.3\">\n")?;
    let entries = report.entries();
    for file in entries.chunk_by(|one, next| one.path == next.path) {
        let path = file.first().map_or("", |entry| entry.path);
        writeln!(out, "  <file name=\"{}\">", escape(path))?;
        for entry in file {
            let (line, column) = entry.start;
            let severity = match entry.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "info",
            };
            writeln!(
                out,
                "    <error line=\"{line}\" column=\"{column}\" severity=\"{severity}\" message=\"{}\" source=\"tagwright.{}\"/>",
                escape(entry.message),
                escape(entry.rule),
            )?;
        }
        out.write_all(b"  </file>\n")?;
    }
    out.write_all(b"</checkstyle>\n")
}

//! Severities as reports and listings write them.

use tagwright_diagnostics::Severity;

/// A severity in reports.
#[must_use]
pub fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

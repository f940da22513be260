//! Findings as the protocol's diagnostics.

use gen_lsp_types::{
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location, Range,
};
use tagwright_diagnostics::{Finding, Severity};
use tagwright_flow::FileId;
use tagwright_project::config::ConfigError;
use tagwright_project::workspace::INTERNAL_ERROR;
use tagwright_syntax::Span;

use crate::position::Lines;
use crate::root::Root;
use crate::server::View;

/// Who says so.
pub(crate) const SOURCE: &str = "tagwright";

/// A note is worth knowing, so that it is shown; a hint would be dots under one letter.
fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Error => DiagnosticSeverity::Error,
        Severity::Warning => DiagnosticSeverity::Warning,
        Severity::Note => DiagnosticSeverity::Information,
    }
}

fn plain(range: Range, rule: &str, level: Severity, message: String) -> Diagnostic {
    Diagnostic {
        range,
        severity: Some(severity(level)),
        code: Some(rule.to_owned().into()),
        source: Some(SOURCE.to_owned()),
        message: message.into(),
        ..Diagnostic::default()
    }
}

/// What there is to say about the open file at `path`.
pub(crate) fn of_file(view: &View<'_>, root: &Root, path: &std::path::Path) -> Vec<Diagnostic> {
    if let Some(damage) = root.damage(path) {
        let Some(level) = root.workspace.analysis.level(damage.rule) else {
            return Vec::new();
        };
        // What was sent may go on behind the damage, but up to there it is the same.
        let lines = Lines::new(&damage.before, view.encoding());
        let range = lines.range(Span::empty(damage.before.len()));
        return vec![plain(range, damage.rule, level, damage.message.clone())];
    }
    let Some(id) = root.id(path) else {
        return Vec::new();
    };
    let Some(lines) = view.lines(root, id) else {
        return Vec::new();
    };
    let failures = root.workspace.failures().iter();
    let failed = failures
        .filter(|(file, _)| *file == id)
        .map(|(_, message)| {
            let message = format!("tagwright failed on this file; please report it: {message}");
            plain(Range::default(), INTERNAL_ERROR, Severity::Error, message)
        });
    root.findings_in(id)
        .map(|(_, finding)| of_finding(view, root, &lines, finding))
        .chain(failed)
        .collect()
}

/// One finding; `lines` are those of its file.
pub(crate) fn of_finding(
    view: &View<'_>,
    root: &Root,
    lines: &Lines<'_>,
    finding: &Finding,
) -> Diagnostic {
    let related: Vec<_> = finding
        .related
        .iter()
        .filter_map(|related| {
            Some(DiagnosticRelatedInformation {
                location: location(view, root, related.file, related.span)?,
                message: related.message.clone(),
            })
        })
        .collect();
    Diagnostic {
        related_information: (view.client().related && !related.is_empty()).then_some(related),
        ..plain(
            lines.range(finding.span),
            finding.rule,
            finding.severity,
            finding.message.clone(),
        )
    }
}

/// The place `span` of the file `id`.
pub(crate) fn location(view: &View<'_>, root: &Root, id: FileId, span: Span) -> Option<Location> {
    Some(Location {
        uri: view.uri(root, id)?.into(),
        range: view.lines(root, id)?.range(span),
    })
}

/// What is wrong with the configuration whose text is `text`.
pub(crate) fn of_config(lines: &Lines<'_>, text: &str, error: &ConfigError) -> Diagnostic {
    let (line, column, message) = match error {
        ConfigError::Invalid {
            line,
            column,
            message,
            ..
        } => (*line, *column, message.clone()),
        ConfigError::Unreadable { .. } => (1, 1, error.to_string()),
    };
    // Lines and columns are 1-based there, columns in characters.
    let text_of_line = text.split('\n').nth(line.saturating_sub(1) as usize);
    let line_start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1) as usize)
        .map(str::len)
        .sum();
    let text_of_line = text_of_line.unwrap_or_default();
    let inside = text_of_line
        .char_indices()
        .nth(column.saturating_sub(1) as usize)
        .map_or(text_of_line.len(), |(at, _)| at);
    let rest = text_of_line.get(inside..).unwrap_or_default();
    let word = rest
        .find(|it: char| it.is_whitespace() || matches!(it, '=' | ',' | ']'))
        .unwrap_or(rest.len());
    let start = line_start + inside;
    let range = lines.range(Span::new(start, start + word));
    plain(range, "configuration", Severity::Error, message)
}

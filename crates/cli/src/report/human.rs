//! The report for people: each finding with the lines that it is about, drawn by miette.

use std::fmt;
use std::io;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use tagwright_diagnostics::{Applicability, Severity};

use super::excerpt::{Excerpt, Label};
use super::{Report, Reported, escape, plural, severity_name};

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// With colours.
    pub color: bool,
    /// With box-drawing characters; else in ASCII.
    pub unicode: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Style {
    /// For files and pipes.
    pub const PLAIN: Style = Style {
        color: false,
        unicode: false,
        width: 100,
    };
}

pub(super) fn write(report: &Report, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let theme = match (style.unicode, style.color) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::unicode_nocolor(),
        (false, true) => GraphicalTheme::ascii(),
        (false, false) => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(style.width)
        .without_cause_chain()
        .without_primary_span_start()
        .without_syntax_highlighting()
        .with_links(false);
    for finding in &report.findings {
        let (line, column) = finding.place.start;
        let severity = severity_name(finding.severity);
        let (on, off) = match (style.color, finding.severity) {
            (false, _) => ("", ""),
            (true, Severity::Error) => ("\u{1b}[1;31m", "\u{1b}[0m"),
            (true, Severity::Warning) => ("\u{1b}[1;33m", "\u{1b}[0m"),
            (true, Severity::Note) => ("\u{1b}[1;36m", "\u{1b}[0m"),
        };
        writeln!(
            out,
            "{}:{line}:{column}: {on}{severity}[{}]{off}",
            escape(report.path(finding.place)),
            finding.rule,
        )?;
        let mut drawn = String::new();
        // Writing to a string fails only if the excerpt cannot be read, and then the text so far is all
        // there is to say.
        let _ = handler.render_report(&mut drawn, &Shown::new(report, finding));
        for line in drawn.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)?;
    }
    summary(report, out)
}

fn summary(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let counts = report.counts();
    let files = plural(report.read.len(), "file");
    let found: Vec<String> = [
        (counts.errors, "error"),
        (counts.warnings, "warning"),
        (counts.notes, "note"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, noun)| plural(count, noun))
    .collect();
    if report.read.is_empty() && found.is_empty() {
        return writeln!(
            out,
            "No findings in 0 files: nothing here is a buildspec or belongs to Copilot."
        );
    }
    let hidden = hidden(report);
    if found.is_empty() {
        return writeln!(out, "No findings in {files}.{hidden}");
    }
    write!(out, "{} in {files}.{hidden}", found.join(", "))?;
    match (counts.fixable, counts.fixable_unsafe) {
        (0, 0) => {}
        (safe, 0) => write!(out, " {safe} fixable with `tagwright fix`.")?,
        (0, risky) => write!(out, " {risky} fixable with `tagwright fix --unsafe`.")?,
        (safe, risky) => write!(
            out,
            " {safe} fixable with `tagwright fix`, {risky} more with `--unsafe`."
        )?,
    }
    writeln!(out)
}

/// What does not count, so that nobody takes silence for a clean file: ` Not counted: 2 suppressed by comments.`
fn hidden(report: &Report) -> String {
    let counts = report.counts();
    let hidden: Vec<String> = [
        (
            counts.suppressed,
            plural(counts.suppressed, "finding"),
            " suppressed by comments",
        ),
        (
            counts.baselined,
            plural(counts.baselined, "finding"),
            " in the baseline",
        ),
        (
            report.excluded,
            plural(report.excluded, "excluded file"),
            "",
        ),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(_, number, what)| format!("{number}{what}"))
    .collect();
    if hidden.is_empty() {
        String::new()
    } else {
        format!(" Not counted: {}.", hidden.join(", "))
    }
}

/// A finding as miette sees it.
#[derive(Debug)]
struct Shown {
    message: String,
    severity: Severity,
    help: Option<String>,
    excerpt: Excerpt,
}

impl Shown {
    fn new(report: &Report, finding: &Reported) -> Self {
        let mut labels = vec![Label {
            place: finding.place,
            text: None,
            primary: true,
        }];
        labels.extend(finding.related.iter().map(|(place, message)| Label {
            place: *place,
            text: Some(message.clone()),
            primary: false,
        }));
        Shown {
            message: escape(&finding.message).into_owned(),
            severity: finding.severity,
            help: help(finding),
            excerpt: Excerpt::new(report, &labels),
        }
    }
}

pub(super) fn help(finding: &Reported) -> Option<String> {
    match (&finding.fix, &finding.refusal) {
        (Some(fix), _) => {
            let message = escape(&fix.message);
            Some(match fix.applicability {
                Applicability::Safe => format!("`tagwright fix` would: {message}"),
                Applicability::Unsafe => format!(
                    "`tagwright fix --unsafe` would: {message} (not without asking: something outside this workspace may depend on the old text)"
                ),
                Applicability::DisplayOnly => message.into_owned(),
            })
        }
        (None, Some(refusal)) => {
            let place = refusal.place.as_ref().map_or_else(String::new, |place| {
                format!(" ({}:{})", escape(&place.path), place.line)
            });
            Some(format!(
                "no automatic fix: {}{place}",
                escape(&refusal.message)
            ))
        }
        (None, None) => None,
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.excerpt.labels.iter().cloned()))
    }
}

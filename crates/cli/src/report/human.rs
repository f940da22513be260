//! The report for people: each finding with the lines that it is about, drawn by miette.

use std::fmt;
use std::io;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use tagwright_diagnostics::{Applicability, Severity};

use super::excerpt::{Excerpt, Label};
use super::group::Group;
use super::{Report, Reported, count, escape, severity_name};

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// With colours.
    pub color: bool,
    /// With box-drawing characters; else in ASCII.
    pub unicode: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// The address of the pages of the rules, if the terminal opens links and this program knows it.
    pub pages: Option<&'static str>,
}

/// Of the places of a finding, so many are drawn.
const DRAWN: usize = 6;

impl Style {
    /// For files and pipes.
    pub const PLAIN: Style = Style {
        color: false,
        unicode: false,
        width: 100,
        pages: None,
    };

    /// The rule's name as a link to its page, where there is one.
    fn linked(self, rule: &str) -> String {
        match self.pages {
            Some(pages) => format!("\u{1b}]8;;{pages}{rule}.md\u{1b}\\{rule}\u{1b}]8;;\u{1b}\\"),
            None => rule.to_owned(),
        }
    }
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
        // A name that is broken cannot be copied.
        .with_break_words(false)
        .with_word_separator(textwrap::WordSeparator::AsciiSpace)
        .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
        .without_cause_chain()
        .without_primary_span_start()
        .without_syntax_highlighting()
        .with_links(false);
    for group in Group::all(report) {
        let finding = group.first();
        let (line, column) = finding.place.start;
        let (on, off) = match (style.color, finding.severity) {
            (false, _) => ("", ""),
            (true, Severity::Error) => ("\u{1b}[1;31m", "\u{1b}[0m"),
            (true, Severity::Warning) => ("\u{1b}[1;33m", "\u{1b}[0m"),
            (true, Severity::Note) => ("\u{1b}[1;36m", "\u{1b}[0m"),
        };
        write!(
            out,
            "{}:{line}:{column}: {on}{}[{}]{off}",
            escape(report.path(finding.place)),
            severity_name(finding.severity),
            style.linked(finding.rule),
        )?;
        if group.findings.len() > 1 {
            write!(out, " also at {}", group.others(report))?;
        }
        writeln!(out)?;
        let mut drawn = String::new();
        // Writing to a string fails only if the excerpt cannot be read, and then the text so far is all
        // there is to say.
        let _ = handler.render_report(&mut drawn, &Shown::new(report, &group));
        for line in drawn.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)?;
    }
    if report.quiet {
        return Ok(());
    }
    writeln!(out, "{}", summary(report))
}

/// What the run found in one line: errors, warnings, notes, what does not count, and what can be fixed.
pub(super) fn summary(report: &Report) -> String {
    let counts = report.counts();
    let files = count(report.read.len(), "file");
    let found: Vec<String> = [
        (counts.errors, "error"),
        (counts.warnings, "warning"),
        (counts.notes, "note"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, noun)| count(number, noun))
    .collect();
    let hidden = hidden(report);
    if report.read.is_empty() && found.is_empty() {
        return format!(
            "No findings in 0 files: nothing here is a buildspec or belongs to Copilot.{hidden}"
        );
    }
    if found.is_empty() {
        return format!("No findings in {files}.{hidden}");
    }
    let fixable = match (counts.fixable, counts.fixable_unsafe) {
        (0, 0) => String::new(),
        (safe, 0) => format!(" {safe} fixable with `tagwright fix`."),
        (0, risky) => format!(" {risky} fixable with `tagwright fix --unsafe`."),
        (safe, risky) => {
            format!(" {safe} fixable with `tagwright fix`, {risky} more with `--unsafe`.")
        }
    };
    format!("{} in {files}.{hidden}{fixable}", found.join(", "))
}

/// What does not count, so that nobody takes silence for a clean file: ` Not counted: 2 suppressed by comments.`
fn hidden(report: &Report) -> String {
    let counts = report.counts();
    let hidden: Vec<String> = [
        (
            counts.suppressed,
            count(counts.suppressed, "finding"),
            " suppressed by comments",
        ),
        (
            counts.baselined,
            count(counts.baselined, "finding"),
            " in the baseline",
        ),
        (report.excluded, count(report.excluded, "excluded file"), ""),
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
    fn new(report: &Report, group: &Group<'_>) -> Self {
        let finding = group.first();
        let places = group.findings.iter().take(DRAWN);
        let mut labels: Vec<Label> = places
            .map(|finding| Label {
                place: finding.place,
                text: None,
                primary: true,
            })
            .collect();
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
                    "`tagwright fix --unsafe` would: {message} (unsafe: something outside this repository may still use the old text)"
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

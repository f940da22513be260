//! What a run has to say, independent of the format it is said in.
//!
//! A [`Report`] holds findings whose places are already lines and columns, in the order in which they are
//! shown. It keeps the texts of only those files that a finding points into.

mod agent;
mod checkstyle;
mod concise;
mod entry;
mod excerpt;
mod github;
mod gitlab;
mod group;
mod human;
mod json;
mod jsonl;
mod junit;
mod markdown;
mod sarif;
mod statistics;
mod xml;

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use tagwright_diagnostics::{Applicability, RefusalCode, Severity};
use tagwright_syntax::{LineIndex, Span};

use crate::args::Format;
use tagwright_project::config::FailOn;
use tagwright_project::discovery::Problem;
pub use tagwright_project::workspace::SuppressionKind;

pub use crate::severity::severity_name;
pub use human::Style;
pub use json::schema;
pub(crate) use json::{schema_of, write_pretty};
pub use jsonl::schema as lines_schema;
pub(crate) use sarif::percent_encode;

/// The findings of a run.
#[derive(Debug, Default)]
pub struct Report {
    files: Vec<ReportFile>,
    by_path: HashMap<Arc<str>, usize>,
    findings: Vec<Reported>,
    suppressed: Vec<(Reported, Suppression)>,
    /// What could not be read or written.
    problems: Vec<Problem>,
    /// The files that were looked at, as shown; sorted once the report is.
    pub read: Vec<Arc<str>>,
    /// The fixes that were made, or with `--diff` would be, in the order in which they were.
    pub applied: Vec<AppliedFix>,
    /// How many files the configuration and `--exclude` leave out.
    pub excluded: usize,
    /// What does not count, beside [`Report::suppressed`]: how many findings comments silence and the baseline has.
    left_out: (usize, usize),
    /// The name of the repository that the run is about: results are labelled with it, and paths are relative to it.
    pub repository: Option<String>,
    /// Whether some finding fails the run.
    pub failed: bool,
    /// Formats for people show the findings without a summary.
    pub quiet: bool,
    /// No format will show what fixes there are, so that they need not be worked out.
    pub without_fixes: bool,
    /// Some format shows fingerprints, so that they have to be worked out.
    pub with_fingerprints: bool,
}

/// A file that some finding points into.
#[derive(Debug)]
struct ReportFile {
    path: Arc<str>,
    text: Arc<str>,
    index: LineIndex,
}

/// A finding of a report.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The rule's name.
    pub rule: &'static str,
    /// The rule's category.
    pub category: &'static str,
    /// How much damage.
    pub severity: Severity,
    /// What will happen.
    pub message: String,
    /// The place.
    pub place: Place,
    /// Places that explain it.
    pub related: Vec<(Place, String)>,
    /// What to do about it; findings of a group share it.
    pub fix: Option<Arc<ProposedFix>>,
    /// Why the rule's fix does not apply here.
    pub refusal: Option<ReportedRefusal>,
    /// What tells this finding from others, also after lines have moved; see [`Report::with_fingerprints`].
    pub fingerprint: Option<String>,
    /// Whether it reaches the threshold of its workspace; [`Report::push`] decides.
    pub fails: bool,
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// Who says so.
    pub kind: SuppressionKind,
    /// The reason that is given there.
    pub reason: Option<String>,
}

/// A range of one of the report's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    file: usize,
    span: Span,
    start: (u32, u32),
    end: (u32, u32),
}

impl Place {
    /// Line and column of the first character, 1-based, the column in characters.
    #[must_use]
    pub fn start(&self) -> (u32, u32) {
        self.start
    }
}

/// A fix as text edits.
#[derive(Clone, Debug)]
pub struct ProposedFix {
    /// Whether it may be applied without asking.
    pub applicability: Applicability,
    /// What it does.
    pub message: String,
    /// The edits, by file and place: what to replace, and the new text. Empty where the
    /// first finding of a large group has them.
    pub edits: Vec<(Place, String)>,
}

/// A fix that was made.
#[derive(Clone, Debug)]
pub struct AppliedFix {
    /// The rule's name.
    pub rule: &'static str,
    /// The file, as shown.
    pub path: Arc<str>,
    /// The line in the text before the run, 1-based.
    pub line: u32,
    /// The column there, 1-based, in characters.
    pub column: u32,
    /// What the fix did.
    pub message: String,
}

/// Why there is no fix although the rule has one.
#[derive(Clone, Debug)]
pub struct ReportedRefusal {
    /// What kind of reason.
    pub code: RefusalCode,
    /// The reason, for people.
    pub message: String,
    /// What stands in the way.
    pub place: Option<RefusedAt>,
}

/// A place that keeps a fix from being made. It may be in a file that the report does not have.
#[derive(Clone, Debug)]
pub struct RefusedAt {
    /// The file, as shown.
    pub path: Arc<str>,
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
    /// What is there.
    pub message: String,
}

/// How many findings there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Findings of severity error, unreadable files included.
    pub errors: usize,
    /// Findings of severity warning.
    pub warnings: usize,
    /// Findings of severity note.
    pub notes: usize,
    /// Findings with a safe fix.
    pub fixable: usize,
    /// Findings with an unsafe fix.
    pub fixable_unsafe: usize,
    /// Findings that comments silence.
    pub suppressed: usize,
    /// Findings that the baseline has.
    pub baselined: usize,
}

impl Report {
    /// The index of the file shown as `path`, which is added if the report does not have it yet.
    pub fn file(&mut self, path: &Arc<str>, text: &Arc<str>) -> usize {
        if let Some(file) = self.by_path.get(path) {
            return *file;
        }
        let file = self.files.len();
        self.files.push(ReportFile {
            path: Arc::clone(path),
            text: Arc::clone(text),
            index: LineIndex::new(text),
        });
        self.by_path.insert(Arc::clone(path), file);
        file
    }

    /// The place `span` of the file with this index.
    #[must_use]
    pub fn place(&self, file: usize, span: Span) -> Place {
        let position = |offset| {
            let file = &self.files[file];
            let position = file.index.position(&file.text, offset);
            (position.line, position.column)
        };
        Place {
            file,
            span,
            start: position(span.start),
            end: position(span.end),
        }
    }

    /// Adds a finding. `fail_on` is the threshold where it was found.
    pub fn push(&mut self, mut finding: Reported, fail_on: FailOn) {
        finding.fails = fails(finding.severity, fail_on);
        self.failed |= finding.fails;
        self.findings.push(finding);
    }

    /// Adds a finding that does not count. Only formats that know suppressions show it.
    pub fn push_suppressed(&mut self, finding: Reported, suppression: Suppression) {
        self.suppressed.push((finding, suppression));
    }

    /// Counts a finding that does not count without showing it.
    pub fn count_suppressed(&mut self, kind: SuppressionKind) {
        match kind {
            SuppressionKind::InSource => self.left_out.0 += 1,
            SuppressionKind::Baseline => self.left_out.1 += 1,
        }
    }

    /// The findings that do not count, in the order of the report once it is sorted.
    #[must_use]
    pub fn suppressed(&self) -> &[(Reported, Suppression)] {
        &self.suppressed
    }

    /// Adds something that could not be read or written.
    pub fn push_problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// What could not be read or written.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Brings the findings into the order in which they are shown: by path, then place, then severity.
    pub fn sort(&mut self) {
        let files = &self.files;
        let order = |a: &Reported, b: &Reported| {
            let key =
                |finding: &Reported| (finding.place.span, std::cmp::Reverse(finding.severity));
            files[a.place.file]
                .path
                .cmp(&files[b.place.file].path)
                .then_with(|| key(a).cmp(&key(b)))
                .then_with(|| (a.rule, &a.message).cmp(&(b.rule, &b.message)))
        };
        self.findings.sort_by(order);
        self.suppressed.sort_by(|(a, _), (b, _)| order(a, b));
        self.problems.sort();
        self.problems.dedup();
        self.read.sort();
    }

    /// Counts the findings.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            errors: self.problems.len(),
            suppressed: self.left_out.0,
            baselined: self.left_out.1,
            ..Counts::default()
        };
        for (_, suppression) in &self.suppressed {
            match suppression.kind {
                SuppressionKind::InSource => counts.suppressed += 1,
                SuppressionKind::Baseline => counts.baselined += 1,
            }
        }
        for finding in &self.findings {
            match finding.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
                Severity::Note => counts.notes += 1,
            }
            match finding.fix.as_ref().map(|fix| fix.applicability) {
                Some(Applicability::Safe) => counts.fixable += 1,
                Some(Applicability::Unsafe) => counts.fixable_unsafe += 1,
                Some(Applicability::DisplayOnly) | None => {}
            }
        }
        counts
    }

    /// Writes the report.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, format: Format, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
        match format {
            Format::Human => human::write(self, style, out),
            Format::Concise => concise::write(self, out),
            Format::Markdown => markdown::write(self, out),
            Format::Agent => agent::write(self, out),
            Format::Json => quiet_json(out, |out| json::write(self, out)),
            Format::Jsonl => quiet_json(out, |out| jsonl::write(self, out)),
            Format::Sarif => quiet_json(out, |out| sarif::write(self, out)),
            Format::Github => github::write(self, out),
            Format::Gitlab => quiet_json(out, |out| gitlab::write(self, out)),
            Format::Junit => junit::write(self, out),
            Format::Checkstyle => checkstyle::write(self, out),
        }
    }

    /// Writes how many findings each rule has: a table, or for [`Format::Json`] a list.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_statistics(&self, format: Format, out: &mut dyn io::Write) -> io::Result<()> {
        statistics::write(self, format, out)
    }

    fn path(&self, place: Place) -> &str {
        &self.files[place.file].path
    }
}

/// Whether one finding of this severity fails a run with this threshold.
#[must_use]
pub fn fails(severity: Severity, fail_on: FailOn) -> bool {
    match fail_on {
        FailOn::Error => severity >= Severity::Error,
        FailOn::Warning => severity >= Severity::Warning,
        FailOn::Note => true,
        FailOn::Never => false,
    }
}

/// `text` with every character that a terminal would act on, or that turns the reading direction, written
/// as an escape; line breaks and tabs too, and the signs by which build services know a command in a log.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    let plain = text.bytes().all(|byte| (b' '..0x7F).contains(&byte));
    if plain && !text.contains("::") && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        if acts(character) {
            shown.extend(character.escape_default());
        } else if begins_command(text, at) || completes_command(text, at) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Whether a terminal or the reading direction would act on the character instead of showing it.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Whether a line that begins at the byte `at` of `text`, as it is or once it is wrapped, would be a workflow command of
/// GitHub: `::set-output name=…::…`.
fn begins_command(text: &str, at: usize) -> bool {
    text[at..].starts_with("::")
        && text[..at]
            .chars()
            .next_back()
            .is_none_or(char::is_whitespace)
}

/// Whether the byte `at` of `text` is the second sign of what makes any line a command of GitHub, Azure Pipelines or
/// TeamCity: `##[…]`, `##vso[…]`, `##teamcity[…]`.
fn completes_command(text: &str, at: usize) -> bool {
    text[..at].ends_with('#')
        && ["#[", "#vso[", "#teamcity["]
            .iter()
            .any(|sign| text[at..].starts_with(sign))
}

/// A report in JSON without the signs of [`completes_command`], which a reader of JSON gets back.
fn quiet_json(
    out: &mut dyn io::Write,
    write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    write(&mut bytes)?;
    if !bytes.windows(2).any(|pair| pair == b"##") {
        return out.write_all(&bytes);
    }
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    for sign in ["[", "vso[", "teamcity["] {
        // In JSON the sign stands in strings only.
        text = text.replace(&format!("##{sign}"), &format!("#\\u0023{sign}"));
    }
    out.write_all(text.as_bytes())
}

/// `1 error`, `2 errors`.
pub(crate) fn count(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A finding at the first place where `needle` stands in `text`.
    fn at(report: &mut Report, path: &str, text: &str, needle: &str) -> Place {
        let file = report.file(&Arc::from(path), &Arc::from(text));
        let start = text.find(needle).unwrap();
        report.place(file, Span::new(start, start + needle.len()))
    }

    fn finding(place: Place, severity: Severity, message: &str) -> Reported {
        Reported {
            rule: "latest-pushed",
            category: "image-tag",
            severity,
            message: message.to_owned(),
            place,
            related: Vec::new(),
            fix: None,
            refusal: None,
            fingerprint: None,
            fails: false,
        }
    }

    fn refused(message: &str) -> ReportedRefusal {
        ReportedRefusal {
            code: RefusalCode::Uncertain,
            message: message.to_owned(),
            place: None,
        }
    }

    fn shown(report: &mut Report, format: Format) -> String {
        report.sort();
        let mut bytes = Vec::new();
        report.write(format, Style::PLAIN, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn people_see_lines_with_tabs_wide_characters_and_other_files() {
        let mut report = Report {
            read: vec![Arc::from("ci/buildspec.yml"), Arc::from("k8s/app.yaml")],
            ..Report::default()
        };
        let text = "version: 0.2\r\nphases:\r\n  build:\r\n    commands:\r\n      - echo 한글 &&\tdocker push $REPO:latest\r\n";
        let place = at(&mut report, "ci/buildspec.yml", text, "latest");
        let near = at(&mut report, "ci/buildspec.yml", text, "build:");
        let far = at(
            &mut report,
            "k8s/app.yaml",
            "a: 1\nimage: x:latest\n",
            "x:latest",
        );
        let mut error = finding(
            place,
            Severity::Error,
            "only `latest` is pushed for this image",
        );
        error.related = vec![
            (near, "this phase".to_owned()),
            (far, "deployed here".to_owned()),
        ];
        error.fix = Some(Arc::new(ProposedFix {
            applicability: Applicability::Safe,
            message: "push `${BRANCH_NAME}` instead".to_owned(),
            edits: Vec::new(),
        }));
        report.push(error, FailOn::Error);
        let mut note = finding(far, Severity::Note, "a note");
        note.refusal = Some(refused("the text is shared"));
        report.push(note, FailOn::Error);
        insta::assert_snapshot!(shown(&mut report, Format::Human));
        insta::assert_snapshot!(shown(&mut report, Format::Concise), @"
        ci/buildspec.yml:5:38: error[latest-pushed] only `latest` is pushed for this image
        k8s/app.yaml:2:8: note[latest-pushed] a note
        ");
    }

    #[test]
    fn a_line_of_a_megabyte_is_cut_around_the_place() {
        let mut report = Report::default();
        let text = format!(
            "a: {}x:latest{}\n",
            "é".repeat(400_000),
            "-".repeat(400_000)
        );
        let place = at(&mut report, "buildspec.yml", &text, "latest");
        report.push(finding(place, Severity::Warning, "floats"), FailOn::Error);
        let shown = shown(&mut report, Format::Human);
        assert!(shown.contains("buildspec.yml:1:400006: warning[latest-pushed]"));
        assert!(shown.len() < 1500, "{} bytes", shown.len());
        assert!(shown.contains(&format!("...{}x:latest{}", "é".repeat(58), "-".repeat(134))));
    }

    #[test]
    fn bytes_that_a_terminal_acts_on_are_escaped_everywhere() {
        let mut report = Report::default();
        let text = "a: \u{1b}[2Jx\u{202e}:latest\u{7}\n";
        let place = at(&mut report, "evil\u{1b}[0m.yml", text, "latest");
        let mut evil = finding(place, Severity::Error, "it says \u{1b}]0;x\u{7}");
        evil.refusal = Some(refused("\u{9b}31m"));
        report.push(evil, FailOn::Error);
        for format in [Format::Human, Format::Concise, Format::Json] {
            let shown = shown(&mut report, format);
            assert!(
                !shown.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{9b}'])
                    || format == Format::Json
            );
            assert!(!shown.contains(['\u{1b}', '\u{7}']));
        }
        insta::assert_snapshot!(shown(&mut report, Format::Human));
    }

    #[test]
    fn places_at_the_end_of_a_text_and_over_many_lines_are_drawn() {
        let mut report = Report::default();
        let empty = report.file(&Arc::from("empty.yml"), &Arc::from(""));
        let place = report.place(empty, Span::empty(0));
        report.push(
            finding(place, Severity::Error, "nothing here"),
            FailOn::Error,
        );
        let text: String = (1..=20).map(|line| format!("line {line}\n")).collect();
        let long = report.file(&Arc::from("long.yml"), &Arc::from(text.as_str()));
        let all = report.place(long, Span::new(0, text.len()));
        report.push(
            finding(all, Severity::Error, "the whole file"),
            FailOn::Error,
        );
        let end = report.place(long, Span::empty(text.len()));
        report.push(finding(end, Severity::Error, "the end"), FailOn::Error);
        insta::assert_snapshot!(shown(&mut report, Format::Human));
    }

    #[test]
    fn the_threshold_decides_which_severity_fails() {
        let all = [Severity::Note, Severity::Warning, Severity::Error];
        let failing = |fail_on| all.map(|severity| fails(severity, fail_on));
        assert_eq!(failing(FailOn::Error), [false, false, true]);
        assert_eq!(failing(FailOn::Warning), [false, true, true]);
        assert_eq!(failing(FailOn::Note), [true, true, true]);
        assert_eq!(failing(FailOn::Never), [false, false, false]);
    }
}

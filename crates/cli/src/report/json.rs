//! The JSON report. Its shape is a promise to other programs: `docs/schema/findings.json` is made from these
//! structs, and a change that is not an addition needs a new `schema_version`.

use std::io;

use schemars::JsonSchema;
use serde::Serialize;
use tagwright_diagnostics::{self as model, Applicability};

use super::entry::Entry;
use super::{Report, ReportedRefusal};

/// The version of the shapes below.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// The findings of one run.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "tagwright findings")]
struct Document<'a> {
    /// The version of this format.
    #[schemars(range(min = 1, max = 1))]
    schema_version: u32,
    /// The findings, by path and place.
    findings: Vec<Finding<'a>>,
    /// Findings that do not count, because a comment or the baseline says so.
    suppressed: Vec<Suppressed<'a>>,
    /// The fixes that `fix` made, or with `--diff` would make, in the order in which it did; `findings` has what is left,
    /// with `refusal` where a fix was tried in vain.
    applied: Vec<Applied<'a>>,
    /// Counts.
    summary: Summary,
}

/// A fix that was made.
#[derive(Serialize, JsonSchema)]
struct Applied<'a> {
    /// The rule's name.
    rule: &'a str,
    /// The file.
    path: &'a str,
    /// The line in the text before the run, 1-based.
    #[schemars(range(min = 1))]
    line: u32,
    /// The column there, 1-based, in characters (Unicode scalar values).
    #[schemars(range(min = 1))]
    column: u32,
    /// What the fix did, for people.
    message: &'a str,
}

/// A finding that does not count.
#[derive(Serialize, JsonSchema)]
struct Suppressed<'a> {
    #[serde(flatten)]
    finding: Finding<'a>,
    /// Why it does not count.
    suppression: Suppression<'a>,
}

/// Why a finding does not count.
#[derive(Serialize, JsonSchema)]
struct Suppression<'a> {
    /// Who says so.
    kind: SuppressionKind,
    /// The reason that is given there.
    reason: Option<&'a str>,
}

/// Who says that a finding does not count.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum SuppressionKind {
    /// A comment in the file.
    InSource,
    /// The baseline.
    Baseline,
}

/// One thing that a rule has to say about one place.
#[derive(Serialize, JsonSchema)]
pub(super) struct Finding<'a> {
    /// The rule's name.
    rule: &'a str,
    /// The rule's category.
    category: &'a str,
    /// `error`, `warning` or `note`.
    severity: Severity,
    /// What will happen, for people.
    message: &'a str,
    /// The file, with `/` between the parts.
    path: &'a str,
    /// The first character.
    start: Location,
    /// Just after the last character.
    end: Location,
    /// Other places that explain the finding.
    related: Vec<Related<'a>>,
    /// What `tagwright fix` would do about it.
    fix: Option<Fix<'a>>,
    /// Why there is no fix although the rule has one. Not every rule says so.
    refusal: Option<Refusal<'a>>,
}

/// Why there is no fix.
#[derive(Serialize, JsonSchema)]
pub(super) struct Refusal<'a> {
    /// What kind of reason, kebab-case. Codes keep their meaning; new ones may be added.
    code: &'a str,
    /// The reason, for people.
    message: &'a str,
    /// The file with the place that stands in the way, if it is one place.
    path: Option<&'a str>,
    /// The line of that place, 1-based.
    #[schemars(range(min = 1))]
    line: Option<u32>,
    /// Its column, 1-based, in characters (Unicode scalar values).
    #[schemars(range(min = 1))]
    column: Option<u32>,
}

/// How much damage a finding means.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Severity {
    /// Goes wrong.
    Error,
    /// Goes wrong under circumstances that the file does not exclude.
    Warning,
    /// Worth knowing.
    Note,
}

/// A place in a file.
#[derive(Serialize, JsonSchema)]
struct Location {
    /// 1-based.
    #[schemars(range(min = 1))]
    line: u32,
    /// 1-based, in characters (Unicode scalar values).
    #[schemars(range(min = 1))]
    column: u32,
    /// 0-based, in bytes of the file.
    offset: u32,
}

/// A place that explains a finding.
#[derive(Serialize, JsonSchema)]
struct Related<'a> {
    /// The file.
    path: &'a str,
    /// The first character.
    start: Location,
    /// Just after the last character.
    end: Location,
    /// What is there.
    message: &'a str,
}

/// Edits that are made together or not at all.
#[derive(Serialize, JsonSchema)]
struct Fix<'a> {
    /// Who may apply it: `safe` by `fix`, `unsafe` by `fix --unsafe`, `display-only` by nobody.
    applicability: ApplicabilityName,
    /// What it does, for people.
    message: &'a str,
    /// The edits, by path and place; they do not overlap. A fix of more than 100 edits has them at the first of its
    /// findings only.
    edits: Vec<Edit<'a>>,
}

/// Whether a fix may be applied without asking.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ApplicabilityName {
    /// Everything that the workspace shows moves with it.
    Safe,
    /// Right if nothing outside the workspace depends on the old text.
    Unsafe,
    /// To be shown only.
    DisplayOnly,
}

/// The replacement of a range of bytes.
#[derive(Serialize, JsonSchema)]
struct Edit<'a> {
    /// The file.
    path: &'a str,
    /// The first byte, 0-based.
    start: u32,
    /// One past the last byte; equal to `start` for an insertion.
    end: u32,
    /// What stands there afterwards.
    text: &'a str,
}

/// Counts.
#[derive(Serialize, JsonSchema)]
pub(super) struct Summary {
    /// Files looked at.
    files: usize,
    /// Findings of severity `error`.
    errors: usize,
    /// Findings of severity `warning`.
    warnings: usize,
    /// Findings of severity `note`.
    notes: usize,
    /// Findings with a safe fix.
    fixable: usize,
    /// Findings with an unsafe fix.
    fixable_unsafe: usize,
    /// Findings that do not count because a comment says so.
    suppressed: usize,
    /// Findings that do not count because the baseline has them.
    baselined: usize,
    /// Files left out by the configuration or `--exclude`.
    excluded: usize,
}

pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    write_pretty(&document(report), out)
}

/// Writes a document of JSON, which ends with a line break.
pub(crate) fn write_pretty(value: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// The JSON Schema of the report.
#[must_use]
pub fn schema() -> schemars::Schema {
    schema_of::<Document<'_>>()
}

/// The JSON Schema of a document.
pub(crate) fn schema_of<T: JsonSchema>() -> schemars::Schema {
    schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
}

fn document(report: &Report) -> Document<'_> {
    Document {
        schema_version: SCHEMA_VERSION,
        findings: report
            .entries()
            .iter()
            .map(|entry| Finding::new(report, entry))
            .collect(),
        suppressed: report
            .suppressed
            .iter()
            .map(|(finding, suppression)| Suppressed {
                finding: Finding::new(report, &Entry::of(report, finding)),
                suppression: Suppression {
                    kind: match suppression.kind {
                        super::SuppressionKind::InSource => SuppressionKind::InSource,
                        super::SuppressionKind::Baseline => SuppressionKind::Baseline,
                    },
                    reason: suppression.reason.as_deref(),
                },
            })
            .collect(),
        applied: report
            .applied
            .iter()
            .map(|fix| Applied {
                rule: fix.rule,
                path: &fix.path,
                line: fix.line,
                column: fix.column,
                message: &fix.message,
            })
            .collect(),
        summary: Summary::new(report),
    }
}

impl<'a> Finding<'a> {
    pub(super) fn new(report: &'a Report, entry: &Entry<'a>) -> Self {
        let reported = entry.finding;
        let related = reported.map_or(&[][..], |finding| &finding.related);
        let fix = reported.and_then(|finding| finding.fix.as_deref());
        let refusal = reported.and_then(|finding| finding.refusal.as_ref());
        Finding {
            rule: entry.rule,
            category: entry.category,
            severity: match entry.severity {
                model::Severity::Error => Severity::Error,
                model::Severity::Warning => Severity::Warning,
                model::Severity::Note => Severity::Note,
            },
            message: entry.message,
            path: entry.path,
            start: location(entry.start, entry.span.start),
            end: location(entry.end, entry.span.end),
            related: related
                .iter()
                .map(|(place, message)| Related {
                    path: report.path(*place),
                    start: location(place.start, place.span.start),
                    end: location(place.end, place.span.end),
                    message,
                })
                .collect(),
            fix: fix.map(|fix| Fix {
                applicability: match fix.applicability {
                    Applicability::Safe => ApplicabilityName::Safe,
                    Applicability::Unsafe => ApplicabilityName::Unsafe,
                    Applicability::DisplayOnly => ApplicabilityName::DisplayOnly,
                },
                message: &fix.message,
                edits: fix
                    .edits
                    .iter()
                    .map(|(place, text)| Edit {
                        path: report.path(*place),
                        start: place.span.start,
                        end: place.span.end,
                        text,
                    })
                    .collect(),
            }),
            refusal: refusal.map(Refusal::new),
        }
    }
}

impl<'a> Refusal<'a> {
    pub(super) fn new(refusal: &'a ReportedRefusal) -> Self {
        let place = refusal.place.as_ref();
        Refusal {
            code: refusal.code.as_str(),
            message: &refusal.message,
            path: place.map(|place| &*place.path),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
        }
    }
}

impl Summary {
    pub(super) fn new(report: &Report) -> Self {
        let counts = report.counts();
        Summary {
            files: report.read.len(),
            errors: counts.errors,
            warnings: counts.warnings,
            notes: counts.notes,
            fixable: counts.fixable,
            fixable_unsafe: counts.fixable_unsafe,
            suppressed: counts.suppressed,
            baselined: counts.baselined,
            excluded: report.excluded,
        }
    }
}

fn location((line, column): (u32, u32), offset: u32) -> Location {
    Location {
        line,
        column,
        offset,
    }
}

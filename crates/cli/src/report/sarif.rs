//! SARIF 2.1.0, for GitHub code scanning and other viewers of static analysis.
//!
//! The structs hold what tagwright has to say, in the names and the order of the specification; results are
//! written one after the other. Paths are relative to `%SRCROOT%`, the folder that the report's reader takes
//! for the root of the sources, so that nothing of the machine that wrote it gets in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use tagwright_diagnostics::Applicability;
use tagwright_rules::{Rule, registry};

use super::entry::{Entry, UNREADABLE};
use super::json::Refusal;
use super::{Place, ProposedFix, RefusedAt, Report, Suppression, SuppressionKind, severity_name};
use crate::pages::page;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const ROOT: &str = "%SRCROOT%";
/// The name of the fingerprint; the number changes whenever its making does.
const FINGERPRINT: &str = "tagwright/v1";

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    invocations: [Invocation<'a>; 1],
    original_uri_base_ids: BTreeMap<&'static str, Described>,
    column_kind: &'static str,
    results: Results<'a>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Descriptor<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    short_description: Text<'a>,
    full_description: Text<'a>,
    help: Help,
    default_configuration: Configuration,
    properties: RuleProperties<'a>,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Configuration {
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
}

#[derive(Serialize)]
struct RuleProperties<'a> {
    category: &'a str,
    tags: [&'a str; 1],
}

/// `message` and `multiformatMessageString` where only plain text is used. Messages have no arguments, so braces
/// in them stand for themselves.
#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct Described {
    description: Text<'static>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'a> {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification<'a>>,
}

/// A file that could not be read or written.
#[derive(Serialize)]
struct Notification<'a> {
    level: &'static str,
    message: Text<'a>,
    locations: [Location<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

/// Lines and columns are 1-based, the end column is one past the last character.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte_offset: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte_length: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding<'a> {
    rule_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Text<'a>,
    locations: [Location<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    partial_fingerprints: BTreeMap<&'static str, &'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Fix<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Reason<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<FindingProperties<'a>>,
}

#[derive(Serialize)]
struct FindingProperties<'a> {
    refusal: Refusal<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fix<'a> {
    description: Text<'a>,
    artifact_changes: Vec<ArtifactChange<'a>>,
    properties: FixProperties,
}

#[derive(Serialize)]
struct FixProperties {
    applicability: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactChange<'a> {
    artifact_location: ArtifactLocation,
    replacements: Vec<Replacement<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement<'a> {
    deleted_region: Region,
    inserted_content: Text<'a>,
}

/// `suppression`
#[derive(Serialize)]
struct Reason<'a> {
    kind: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<&'a str>,
}

/// The results, made while they are written.
struct Results<'a> {
    report: &'a Report,
    rules: HashMap<&'a str, usize>,
}

pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let rules = rules(report);
    let indices = rules
        .iter()
        .enumerate()
        .map(|(index, rule)| (rule.id, index))
        .collect();
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "tagwright",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules,
                },
            },
            invocations: [Invocation {
                execution_successful: report.problems.is_empty(),
                tool_execution_notifications: report
                    .problems
                    .iter()
                    .map(|problem| Notification {
                        level: "error",
                        message: Text {
                            text: &problem.message,
                        },
                        locations: [Location {
                            id: None,
                            physical_location: PhysicalLocation {
                                artifact_location: artifact(&problem.path),
                                region: None,
                            },
                            message: None,
                        }],
                    })
                    .collect(),
            }],
            original_uri_base_ids: BTreeMap::from([(
                ROOT,
                Described {
                    description: Text {
                        text: "The folder in which tagwright was started.",
                    },
                },
            )]),
            column_kind: "unicodeCodePoints",
            results: Results {
                report,
                rules: indices,
            },
        }],
    };
    serde_json::to_writer(&mut *out, &log).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// All rules, so that a reader sees what was looked for, and those outside the rules that found something.
fn rules(report: &Report) -> Vec<Descriptor<'_>> {
    let others: BTreeSet<(&str, &str)> = report
        .findings
        .iter()
        .chain(report.suppressed.iter().map(|(finding, _)| finding))
        .map(|finding| (finding.rule, finding.category))
        .filter(|(name, _)| tagwright_rules::rule(name).is_none())
        .collect();
    registry()
        .iter()
        .map(|rule| descriptor(rule))
        .chain(
            others
                .into_iter()
                .map(|(name, category)| other(name, category)),
        )
        .collect()
}

fn descriptor(rule: &'static Rule) -> Descriptor<'static> {
    let category = rule.category.as_str();
    Descriptor {
        id: rule.name,
        name: pascal_case(rule.name),
        short_description: Text {
            text: rule.summary(),
        },
        full_description: Text {
            text: what_it_does(rule),
        },
        help: help(rule.name, rule.summary(), page(rule)),
        default_configuration: Configuration {
            enabled: rule.default.is_some(),
            level: rule.default.map(severity_name),
        },
        properties: RuleProperties {
            category,
            tags: [category],
        },
    }
}

/// What is found outside the rules.
fn other<'a>(name: &'a str, category: &'a str) -> Descriptor<'a> {
    let text = if name == UNREADABLE {
        "A file was not read"
    } else {
        "A file could not be analysed"
    };
    Descriptor {
        id: name,
        name: pascal_case(name),
        short_description: Text { text },
        full_description: Text { text },
        help: Help {
            text: format!("{text}."),
            markdown: format!("{text}."),
        },
        default_configuration: Configuration {
            enabled: true,
            level: Some("error"),
        },
        properties: RuleProperties {
            category,
            tags: [category],
        },
    }
}

fn help(name: &str, summary: &str, markdown: String) -> Help {
    Help {
        text: format!("{summary}. `tagwright explain {name}` prints the rule's page."),
        markdown,
    }
}

/// The first section of a rule's page.
fn what_it_does(rule: &Rule) -> &'static str {
    rule.docs
        .split_once("## What it does")
        .map_or(rule.summary(), |(_, rest)| {
            rest.split("\n## ").next().unwrap_or(rest).trim()
        })
}

/// `latest-pushed` as `LatestPushed`, the form that the specification wants for names. It wants none that only
/// repeats the rule's id.
fn pascal_case(name: &str) -> Option<String> {
    let pascal: String = name
        .split('-')
        .flat_map(|word| {
            let mut characters = word.chars();
            let first = characters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(characters)
        })
        .collect();
    (!pascal.eq_ignore_ascii_case(name)).then_some(pascal)
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let report = self.report;
        let mut sequence = serializer.serialize_seq(None)?;
        for finding in &report.findings {
            sequence.serialize_element(&self.finding(&Entry::of(report, finding), None))?;
        }
        for (finding, suppression) in &report.suppressed {
            let entry = Entry::of(report, finding);
            sequence.serialize_element(&self.finding(&entry, Some(suppression)))?;
        }
        sequence.end()
    }
}

impl<'a> Results<'a> {
    fn finding(&self, entry: &Entry<'a>, suppression: Option<&'a Suppression>) -> Finding<'a> {
        let reported = entry.finding;
        let related = reported.map_or(&[][..], |finding| &finding.related);
        let refusal = reported.and_then(|finding| finding.refusal.as_ref());
        let refused = refusal.and_then(|refusal| refusal.place.as_ref());
        Finding {
            rule_id: entry.rule,
            rule_index: self.rules.get(entry.rule).copied(),
            level: severity_name(entry.severity),
            message: Text {
                text: entry.message,
            },
            locations: [Location {
                id: None,
                physical_location: PhysicalLocation {
                    artifact_location: artifact(entry.path),
                    region: reported.map(|finding| region(finding.place)),
                },
                message: None,
            }],
            related_locations: related
                .iter()
                .map(|(place, message)| PhysicalLocation::of(self.report, *place).says(message))
                .chain(refused.map(|place| point(place).says(&place.message)))
                .enumerate()
                .map(|(index, location)| Location {
                    id: Some(index + 1),
                    ..location
                })
                .collect(),
            partial_fingerprints: reported
                .and_then(|finding| finding.fingerprint.as_deref())
                .map(|fingerprint| (FINGERPRINT, fingerprint))
                .into_iter()
                .collect(),
            fixes: reported
                .and_then(|finding| self.fix(finding.fix.as_deref()?))
                .into_iter()
                .collect(),
            suppressions: suppression.map(reason).into_iter().collect(),
            properties: refusal.map(|refusal| FindingProperties {
                refusal: Refusal::new(refusal),
            }),
        }
    }

    fn fix(&self, fix: &'a ProposedFix) -> Option<Fix<'a>> {
        let applicability = match fix.applicability {
            Applicability::Safe => "safe",
            Applicability::Unsafe => "unsafe",
            Applicability::DisplayOnly => return None,
        };
        // The edits are in order, so those of one file stand together.
        let artifact_changes: Vec<_> = fix
            .edits
            .chunk_by(|(one, _), (next, _)| one.file == next.file)
            .filter_map(|edits| {
                let (first, _) = edits.first()?;
                Some(ArtifactChange {
                    artifact_location: artifact(self.report.path(*first)),
                    replacements: edits
                        .iter()
                        .map(|(place, text)| Replacement {
                            deleted_region: region(*place),
                            inserted_content: Text { text },
                        })
                        .collect(),
                })
            })
            .collect();
        // A fix without a change is not one.
        if artifact_changes.is_empty() {
            return None;
        }
        Some(Fix {
            description: Text { text: &fix.message },
            artifact_changes,
            properties: FixProperties { applicability },
        })
    }
}

fn reason(suppression: &Suppression) -> Reason<'_> {
    Reason {
        kind: match suppression.kind {
            SuppressionKind::InSource => "inSource",
            SuppressionKind::Baseline => "external",
        },
        status: "accepted",
        justification: suppression.reason.as_deref(),
    }
}

fn region(place: Place) -> Region {
    let (start_line, start_column) = place.start;
    let (end_line, end_column) = place.end;
    Region {
        start_line,
        start_column,
        end_line: Some(end_line),
        end_column: Some(end_column),
        byte_offset: Some(place.span.start),
        byte_length: Some(place.span.end - place.span.start),
    }
}

/// A place of which only the beginning is known.
fn point(place: &RefusedAt) -> PhysicalLocation {
    PhysicalLocation {
        artifact_location: artifact(&place.path),
        region: Some(Region {
            start_line: place.line,
            start_column: place.column,
            end_line: None,
            end_column: None,
            byte_offset: None,
            byte_length: None,
        }),
    }
}

impl PhysicalLocation {
    fn of(report: &Report, place: Place) -> Self {
        Self {
            artifact_location: artifact(report.path(place)),
            region: Some(region(place)),
        }
    }

    fn says(self, message: &str) -> Location<'_> {
        Location {
            id: None,
            physical_location: self,
            message: Some(Text { text: message }),
        }
    }
}

/// A path as a URI: relative to the root of the sources, unless it was given as an absolute one.
fn artifact(path: &str) -> ArtifactLocation {
    let windows = matches!(path.as_bytes(), [drive, b':', b'/', ..] if drive.is_ascii_alphabetic());
    if path.starts_with('/') || windows {
        let slash = if windows { "/" } else { "" };
        return ArtifactLocation {
            uri: format!("file://{slash}{}", percent_encode(path)),
            uri_base_id: None,
        };
    }
    ArtifactLocation {
        uri: percent_encode(path),
        uri_base_id: Some(ROOT),
    }
}

/// The path with every byte as `%XX` that is neither unreserved in RFC 3986 nor a slash.
fn percent_encode(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        let uri = |path| {
            let artifact = artifact(path);
            (artifact.uri, artifact.uri_base_id.is_some())
        };
        let relative = |uri: &str| (uri.to_owned(), true);
        assert_eq!(
            uri("ci/build-spec_1~.yml"),
            relative("ci/build-spec_1~.yml")
        );
        assert_eq!(uri("a b/100%#?.yml"), relative("a%20b/100%25%23%3F.yml"));
        assert_eq!(uri("a:b.yml"), relative("a%3Ab.yml"));
        assert_eq!(uri("한/é.yml"), relative("%ED%95%9C/%C3%A9.yml"));
        assert_eq!(
            uri("/srv/x y.yml"),
            ("file:///srv/x%20y.yml".to_owned(), false)
        );
        assert_eq!(uri("C:/x.yml"), ("file:///C%3A/x.yml".to_owned(), false));
    }

    #[test]
    fn every_rule_has_a_description_of_its_own() {
        for rule in registry() {
            let descriptor = descriptor(rule);
            let full = descriptor.full_description.text;
            assert!(
                full.len() > 20 && !full.contains("\n#"),
                "{}: {full}",
                rule.name
            );
        }
        assert_eq!(pascal_case("latest-pushed").unwrap(), "LatestPushed");
        assert_eq!(pascal_case("bashism"), None);
    }
}

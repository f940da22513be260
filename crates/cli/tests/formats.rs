//! The report formats: each held against its vendor's schema, or against what its vendor documents.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]

#[path = "support/texts.rs"]
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::{Value, json};
use tagwright::args::Format;
use tagwright::report::{Report, Reported, Style, Suppression, SuppressionKind};
use tagwright_diagnostics::Severity;
use tagwright_project::config::FailOn;
use tagwright_syntax::Span;
use texts::{BROKEN, CLEAN, TASK};
use uppsala::{Document, NodeId, XsdValidator};

const MACHINE_FORMATS: [&str; 8] = [
    "concise",
    "json",
    "jsonl",
    "sarif",
    "github",
    "gitlab",
    "junit",
    "checkstyle",
];
/// Errors with a fix, characters of one to four bytes before them, CRLF.
const FLOATING: &str = "version: 0.2\r
phases:\r
  build:\r
    commands:\r
      - echo 한글 é 😀 && docker build -t $REGISTRY/web:latest .\r
      - echo 한글 é 😀 && docker push $REGISTRY/web:latest\r
      - printf '[{\"name\":\"web\",\"imageUri\":\"%s\"}]' \"$REGISTRY/web:latest\" > imagedefinitions.json\r
artifacts:\r
  files: imagedefinitions.json\r
";
/// The name of a folder with all that formats have to escape.
const ODD: &str = "a b, 100%: <한글> & \"q\"";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            let path = folder.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    /// Something of everything: errors with and without a fix, a note, a file without findings.
    fn full() -> Self {
        let odd = format!("{ODD}/buildspec.yml");
        Self::new(&[
            (&odd, FLOATING),
            ("broken/buildspec.yml", BROKEN),
            ("clean/buildspec.yml", CLEAN),
            ("task.yml", TASK),
        ])
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_tagwright"))
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    }

    fn check(&self, format: &str, paths: &[&str]) -> String {
        self.run(&[&["check", "--format", format], paths].concat())
            .1
    }

    fn json(&self, format: &str, paths: &[&str]) -> Value {
        serde_json::from_str(&self.check(format, paths)).unwrap()
    }
}

fn data(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// The schema of SARIF. The pattern of `language`, which tagwright does not write, has a bracket too many, and
/// strict readers of patterns refuse the whole schema for it.
fn sarif_schema() -> Validator {
    let schema = data("sarif-schema-2.1.0.json");
    assert!(schema.contains("[a-zA-Z]{2}]?$"));
    validator(&schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}?$"))
}

fn validator(schema: &str) -> Validator {
    jsonschema::options()
        .should_validate_formats(true)
        .build(&serde_json::from_str(schema).unwrap())
        .unwrap()
}

#[track_caller]
fn assert_valid(validator: &Validator, instance: &Value) {
    let errors: Vec<String> = validator
        .iter_errors(instance)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// A report written by the library, with findings that do not count.
fn with_suppressions(format: Format) -> String {
    let mut report = Report::default();
    let file = report.file(&Arc::from("buildspec.yml"), &Arc::from(FLOATING));
    let finding = |report: &Report, start: usize| Reported {
        rule: "latest-pushed",
        category: "image-tag",
        severity: Severity::Error,
        message: "floats".to_owned(),
        place: report.place(file, Span::new(start, start + 6)),
        related: Vec::new(),
        fix: None,
        refusal: None,
        fingerprint: Some("0123456789abcdef".to_owned()),
        fails: false,
    };
    let first = FLOATING.find("latest").unwrap();
    let in_source = finding(&report, first);
    report.push_suppressed(
        in_source,
        Suppression {
            kind: SuppressionKind::InSource,
            reason: Some("until the move is over".to_owned()),
        },
    );
    let last = FLOATING.rfind("latest").unwrap();
    let known = finding(&report, last);
    report.push_suppressed(
        known,
        Suppression {
            kind: SuppressionKind::Baseline,
            reason: None,
        },
    );
    let counted = finding(&report, last);
    report.push(counted, FailOn::Error);
    report.sort();
    let mut bytes = Vec::new();
    report.write(format, Style::PLAIN, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_exit_code_is_that_of_every_other_format() {
    let folder = Folder::new(&[("task.yml", TASK)]);
    for format in MACHINE_FORMATS {
        for (fail_on, code) in [("error", 0), ("note", 1), ("never", 0)] {
            let (exit, _) = folder.run(&["check", "--format", format, "--fail-on", fail_on]);
            assert_eq!(exit, Some(code), "{format} {fail_on}");
        }
        let (exit, _) = folder.run(&["check", "--format", format, "missing.yml"]);
        assert_eq!(exit, Some(3), "{format}");
    }
}

#[test]
fn a_report_is_the_same_each_time_and_names_nothing_of_the_machine() {
    let folder = Folder::full();
    let here = folder.0.path().to_str().unwrap();
    for format in MACHINE_FORMATS {
        let report = folder.check(format, &[]);
        assert_eq!(report, folder.check(format, &[]), "{format}");
        assert!(!report.contains(here), "{format}: {report}");
        assert!(!report.contains('\u{1b}'), "{format}");
    }
    // Unless it was given.
    let given = format!("{here}/task.yml");
    for format in MACHINE_FORMATS {
        assert!(folder.check(format, &[&given]).contains(&given), "{format}");
    }
}

#[test]
fn several_reports_at_once_go_to_files_and_one_to_standard_output() {
    let folder = Folder::new(&[("task.yml", TASK)]);
    let read = |path: &str| fs::read_to_string(folder.0.path().join(path)).unwrap();
    let (code, out) = folder.run(&[
        "check",
        "--output",
        "sarif=report.sarif",
        "--output",
        "concise",
        "--output",
        "junit=junit.xml",
    ]);
    assert_eq!(code, Some(0));
    assert_eq!(out, folder.check("concise", &["task.yml"]));
    assert_eq!(read("report.sarif"), folder.check("sarif", &["task.yml"]));
    assert_eq!(read("junit.xml"), folder.check("junit", &["task.yml"]));
    // Two documents in a row are none.
    for two in [
        &["--output", "json", "--output", "sarif"][..],
        &["--output", "json", "--format", "sarif"],
        &["--output", "json=one", "--output", "sarif=one"],
    ] {
        for command in ["check", "fix"] {
            let (code, out) = folder.run(&[&[command], two].concat());
            assert_eq!((code, out.as_str()), (Some(2), ""), "{two:?}");
        }
    }
    assert!(!folder.0.path().join("one").exists());
}

#[test]
fn what_is_no_finding_any_more_is_in_json_and_sarif_only() {
    let json: Value = serde_json::from_str(&with_suppressions(Format::Json)).unwrap();
    assert_eq!(json["findings"].as_array().unwrap().len(), 1);
    let suppressed = json["suppressed"].as_array().unwrap();
    assert_eq!(
        suppressed[0]["suppression"],
        json!({"kind": "in-source", "reason": "until the move is over"})
    );
    assert_eq!(
        suppressed[1]["suppression"],
        json!({"kind": "baseline", "reason": null})
    );
    assert_eq!(suppressed[0]["rule"], "latest-pushed");
    assert_eq!(json["summary"]["errors"], 1);
    let folder = Folder::new(&[]);
    assert_valid(&validator(&folder.run(&["schema", "findings"]).1), &json);

    let sarif: Value = serde_json::from_str(&with_suppressions(Format::Sarif)).unwrap();
    assert_valid(&sarif_schema(), &sarif);
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let suppressions: Vec<&Value> = results.iter().map(|it| &it["suppressions"]).collect();
    assert_eq!(
        suppressions,
        [
            &Value::Null,
            &json!([{"kind": "inSource", "status": "accepted", "justification": "until the move is over"}]),
            &json!([{"kind": "external", "status": "accepted"}]),
        ]
    );
    assert_eq!(
        results[0]["partialFingerprints"],
        json!({"tagwright/v1": "0123456789abcdef"})
    );

    for format in [
        Format::Human,
        Format::Concise,
        Format::Jsonl,
        Format::Github,
        Format::Gitlab,
        Format::Junit,
        Format::Checkstyle,
    ] {
        let report = with_suppressions(format);
        // JUnit names the rule in the test and in its text.
        let times = if format == Format::Junit { 2 } else { 1 };
        let found = report.matches("latest-pushed").count();
        assert_eq!(found, times, "{format:?}");
    }
}

#[test]
fn json_and_its_lines_are_valid_under_their_own_schemas_and_say_the_same() {
    let folder = Folder::full();
    let findings = validator(&folder.run(&["schema", "findings"]).1);
    let lines = validator(&folder.run(&["schema", "lines"]).1);
    for paths in [&[][..], &["clean"], &["missing.yml"]] {
        let document = folder.json("json", paths);
        assert_valid(&findings, &document);
        let text = folder.check("jsonl", paths);
        let read: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let without = |value: &Value, kind: &str| {
            assert_valid(&lines, value);
            let mut value = value.as_object().unwrap().clone();
            assert_eq!(value.remove("kind"), Some(json!(kind)));
            assert_eq!(value.remove("schema_version"), Some(json!(1)));
            Value::Object(value)
        };
        let (last, rest) = read.split_last().unwrap();
        let rest: Vec<Value> = rest.iter().map(|line| without(line, "finding")).collect();
        assert_eq!(json!(rest), document["findings"]);
        assert_eq!(without(last, "summary"), document["summary"]);
    }
    assert!(!lines.is_valid(&json!({"kind": "finding", "schema_version": 1})));
}

#[test]
fn sarif_is_valid_under_the_schema_of_oasis() {
    let folder = Folder::full();
    let schema = sarif_schema();
    for paths in [&[][..], &["clean"], &["missing.yml", "task.yml"]] {
        assert_valid(&schema, &folder.json("sarif", paths));
    }
    // The validator looks at more than the outermost object, and at formats.
    let report = folder.json("sarif", &[]);
    let damaged = [
        ("/runs/0/results/0/level", json!("fatal")),
        (
            "/runs/0/results/0/locations/0/physicalLocation/region/startLine",
            json!(0),
        ),
        (
            "/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri",
            json!("a b"),
        ),
        ("/runs/0/columnKind", json!("bytes")),
    ];
    for (pointer, value) in damaged {
        let mut report = report.clone();
        *report.pointer_mut(pointer).unwrap() = value;
        assert!(!schema.is_valid(&report), "{pointer}");
    }
}

#[test]
fn sarif_names_rules_places_and_files_that_could_not_be_read() {
    let folder = Folder::full();
    let sarif = folder.json("sarif", &[]);
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let ids: BTreeSet<&str> = rules.iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), rules.len());
    assert_eq!(rules.len(), tagwright_rules::registry().len());
    let results = run["results"].as_array().unwrap();
    let mut levels = BTreeSet::new();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        levels.insert(result["level"].as_str().unwrap());
    }
    assert_eq!(levels, BTreeSet::from(["error", "note"]));

    // Lines and columns count characters; offsets count bytes.
    let result = results
        .iter()
        .find(|result| result["ruleId"] == "latest-pushed")
        .unwrap();
    let physical = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        physical["artifactLocation"],
        json!({
            "uri": "a%20b%2C%20100%25%3A%20%3C%ED%95%9C%EA%B8%80%3E%20%26%20%22q%22/buildspec.yml",
            "uriBaseId": "%SRCROOT%"
        })
    );
    let at = FLOATING.find("latest").unwrap();
    let line = FLOATING[..at].rfind('\n').unwrap() + 1;
    let column = FLOATING[line..at].chars().count() + 1;
    assert_eq!(
        physical["region"],
        json!({"startLine": 5, "startColumn": column, "endLine": 5, "endColumn": column + 6,
            "byteOffset": at, "byteLength": 6})
    );
    assert!(results.iter().any(|result| {
        result["relatedLocations"]
            .as_array()
            .is_none_or(|it| !it.is_empty())
    }));

    assert_eq!(run["invocations"], json!([{"executionSuccessful": true}]));
    let unread = folder.json("sarif", &["no such.yml"]);
    let invocation = &unread["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notification = &invocation["toolExecutionNotifications"][0];
    assert_eq!(notification["level"], "error");
    assert_eq!(
        notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "no%20such.yml"
    );
}

/// The byte offset of a line and a column, 1-based, in characters.
fn offset(text: &str, line: &Value, column: &Value) -> usize {
    let line = usize::try_from(line.as_u64().unwrap()).unwrap();
    let column = usize::try_from(column.as_u64().unwrap()).unwrap();
    let start: usize = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let characters = text[start..].chars().take(column - 1);
    start + characters.map(char::len_utf8).sum::<usize>()
}

#[test]
fn applying_the_fixes_of_sarif_gives_what_fix_writes() {
    let path = format!("{ODD}/buildspec.yml");
    let folder = Folder::new(&[(&path, FLOATING)]);
    let sarif = folder.json("sarif", &[]);
    let mut edits = BTreeMap::new();
    for result in sarif["runs"][0]["results"].as_array().unwrap() {
        let fix = &result["fixes"][0];
        assert_eq!(fix["properties"]["applicability"], "safe");
        for replacement in fix["artifactChanges"][0]["replacements"]
            .as_array()
            .unwrap()
        {
            let region = &replacement["deletedRegion"];
            let start = offset(FLOATING, &region["startLine"], &region["startColumn"]);
            let end = offset(FLOATING, &region["endLine"], &region["endColumn"]);
            assert_eq!(region["byteOffset"], start);
            assert_eq!(region["byteLength"], end - start);
            let text = replacement["insertedContent"]["text"].as_str().unwrap();
            edits.insert((start, end), text.to_owned());
        }
    }
    let mut text = FLOATING.to_owned();
    for ((start, end), new) in edits.into_iter().rev() {
        text.replace_range(start..end, &new);
    }
    assert_eq!(folder.run(&["fix"]).0, Some(0));
    let fixed = fs::read_to_string(folder.0.path().join(path)).unwrap();
    assert_eq!(text, fixed);
    assert_ne!(text, FLOATING);
}

#[test]
fn a_fix_of_very_many_edits_is_told_once() {
    let pushes = |count| {
        let text = "      - docker push $REGISTRY/web:latest\n".repeat(count);
        format!(
            "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t $REGISTRY/web:latest .\n{text}"
        )
    };
    let folder = Folder::new(&[
        ("few/buildspec.yml", &pushes(20)),
        ("many/buildspec.yml", &pushes(200)),
    ]);
    let edits = |path: &str| -> Vec<usize> {
        let json = folder.json("json", &[path]);
        let findings = json["findings"].as_array().unwrap();
        assert_eq!(json["summary"]["fixable_unsafe"], findings.len());
        let edits = |finding: &Value| finding["fix"]["edits"].as_array().unwrap().len();
        findings.iter().map(edits).collect()
    };
    let fixes = |path: &str| -> usize {
        let sarif = folder.json("sarif", &[path]);
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        results
            .iter()
            .filter(|result| result["fixes"].is_array())
            .count()
    };
    // The build, the pushes, and the definition of the variable.
    assert_eq!(edits("few"), [22; 21]);
    assert_eq!(fixes("few"), 21);
    let many = edits("many");
    assert_eq!((many[0], many.len()), (202, 201));
    assert!(many[1..].iter().all(|count| *count == 0));
    assert_eq!(fixes("many"), 1);
}

/// A workflow command as the runner of GitHub Actions reads it: kind, properties, message.
fn command(line: &str) -> (&str, BTreeMap<&str, String>, String) {
    let decode = |text: &str, codes: &[(&str, &str)]| {
        codes
            .iter()
            .fold(text.to_owned(), |text, (code, character)| {
                text.replace(code, character)
            })
    };
    const DATA: [(&str, &str); 3] = [("%0D", "\r"), ("%0A", "\n"), ("%25", "%")];
    const PROPERTY: [(&str, &str); 5] = [
        ("%0D", "\r"),
        ("%0A", "\n"),
        ("%3A", ":"),
        ("%2C", ","),
        ("%25", "%"),
    ];
    let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (kind, properties) = head.split_once(' ').unwrap();
    let properties = properties
        .split(',')
        .map(|property| {
            let (name, value) = property.split_once('=').unwrap();
            (name, decode(value, &PROPERTY))
        })
        .collect();
    (kind, properties, decode(message, &DATA))
}

#[test]
fn github_reads_one_command_for_each_finding_the_gravest_first() {
    let folder = Folder::full();
    fs::write(folder.0.path().join("a.task.yml"), TASK).unwrap();
    let text = folder.check("github", &[]);
    let commands: Vec<_> = text.lines().map(command).collect();
    let kinds: Vec<&str> = commands.iter().map(|(kind, _, _)| *kind).collect();
    let errors = kinds.iter().filter(|kind| **kind == "error").count();
    assert!(errors >= 3, "{text}");
    assert!(kinds[..errors].iter().all(|kind| *kind == "error"));
    assert!(kinds[errors..].iter().all(|kind| *kind == "notice"));
    assert!(kinds.len() > errors);

    let json = folder.json("json", &[]);
    let mut expected: Vec<&Value> = json["findings"].as_array().unwrap().iter().collect();
    expected.sort_by_key(|finding| finding["severity"] != "error");
    for (finding, (_, properties, message)) in expected.into_iter().zip(&commands) {
        assert_eq!(finding["message"], message.as_str());
        assert_eq!(finding["path"], properties["file"].as_str());
        assert_eq!(finding["start"]["line"].to_string(), properties["line"]);
        assert_eq!(finding["end"]["line"].to_string(), properties["endLine"]);
        assert_eq!(finding["start"]["column"].to_string(), properties["col"]);
        assert_eq!(
            finding["end"]["column"].to_string(),
            properties["endColumn"]
        );
        let rule = finding["rule"].as_str().unwrap();
        assert_eq!(properties["title"], format!("tagwright: {rule}"));
    }

    let text = folder.check("github", &["missing.yml"]);
    let (kind, properties, _) = command(text.trim_end());
    assert_eq!(
        (kind, properties["file"].as_str()),
        ("error", "missing.yml")
    );
    assert!(!properties.contains_key("line"));
}

#[test]
fn github_gets_no_columns_for_a_place_of_several_lines() {
    let mut report = Report::default();
    let file = report.file(&Arc::from("buildspec.yml"), &Arc::from(CLEAN));
    let place = report.place(file, Span::new(3, 30));
    report.push(
        Reported {
            rule: "x",
            category: "x",
            severity: Severity::Warning,
            message: "two\nlines, 100%".to_owned(),
            place,
            related: Vec::new(),
            fix: None,
            refusal: None,
            fingerprint: None,
            fails: false,
        },
        FailOn::Error,
    );
    let mut bytes = Vec::new();
    report
        .write(Format::Github, Style::PLAIN, &mut bytes)
        .unwrap();
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "::warning file=buildspec.yml,line=1,endLine=4,title=tagwright%3A x::two%0Alines, 100%25\n"
    );
}

#[test]
fn gitlab_gets_the_documented_fields_and_a_fingerprint_for_each() {
    // The same line three times: three findings that differ in nothing but their place.
    let same = "containerDefinitions:\n  - name: a\n    image: redis:latest\n  - name: b\n    image: redis:latest\n  - name: c\n    image: redis:latest\n";
    let folder = Folder::full();
    fs::write(folder.0.path().join("task.yml"), same).unwrap();
    let issues = folder.json("gitlab", &[".", "missing.yml"]);
    let issues = issues.as_array().unwrap();
    let json = folder.json("json", &[".", "missing.yml"]);
    let findings = json["findings"].as_array().unwrap();
    assert_eq!(issues.len(), findings.len());
    let mut fingerprints = BTreeSet::new();
    for (issue, finding) in issues.iter().zip(findings) {
        let severity = match finding["severity"].as_str().unwrap() {
            "error" => "critical",
            "warning" => "major",
            _ => "info",
        };
        let fingerprint = issue["fingerprint"].as_str().unwrap();
        assert_eq!(
            *issue,
            json!({
                "description": finding["message"],
                "check_name": finding["rule"],
                "fingerprint": fingerprint,
                "severity": severity,
                "location": {
                    "path": finding["path"],
                    "lines": {"begin": finding["start"]["line"], "end": finding["end"]["line"]},
                },
            })
        );
        assert!(fingerprint.len() >= 16 && fingerprints.insert(fingerprint));
    }
    assert_eq!(folder.json("gitlab", &["clean"]), json!([]));
}

/// A parsed document; a text that is not well-formed fails the test.
fn xml(text: &str) -> Document<'_> {
    uppsala::parse(text).unwrap()
}

fn attribute(document: &Document<'_>, element: NodeId, name: &str) -> String {
    document
        .get_attribute(element, name)
        .unwrap_or_else(|| panic!("no attribute {name}"))
        .to_owned()
}

fn children(document: &Document<'_>, parent: NodeId, name: &str) -> Vec<NodeId> {
    document
        .children(parent)
        .into_iter()
        .filter(|child| {
            document
                .element(*child)
                .is_some_and(|element| element.name.local_name == name)
        })
        .collect()
}

#[test]
fn junit_is_valid_under_the_schema_of_jenkins() {
    let folder = Folder::full();
    let schema = data("junit-4.xsd");
    let schema = XsdValidator::from_schema(&xml(&schema)).unwrap();
    let errors = |text: &str| schema.validate(&xml(text)).len();
    for paths in [&[][..], &["clean"], &["missing.yml", "task.yml"]] {
        let text = folder.check("junit", paths);
        assert_eq!(errors(&text), 0, "{text}");
    }
    // The validator looks at children and attributes.
    let text = folder.check("junit", &[]);
    for (from, to) in [
        ("<failure type=", "<failure kind="),
        ("<testcase classname=", "<test classname="),
        (" name=\"tagwright\"", " title=\"tagwright\""),
    ] {
        let damaged = text.replace(from, to).replace(
            "</testcase>",
            if to.starts_with("<test ") {
                "</test>"
            } else {
                "</testcase>"
            },
        );
        let invalid = uppsala::parse(&damaged)
            .map_or(true, |document| !schema.validate(&document).is_empty());
        assert!(invalid && damaged != text, "{to}");
    }
}

#[test]
fn junit_counts_files_as_suites_and_fails_at_the_threshold() {
    let folder = Folder::full();
    let text = folder.check("junit", &[".", "missing.yml"]);
    let document = xml(&text);
    let root = document.document_element().unwrap();
    let suites = children(&document, root, "testsuite");
    let mut shown = Vec::new();
    let mut sums = [0_usize; 3];
    for suite in suites {
        let name = attribute(&document, suite, "name");
        let cases = children(&document, suite, "testcase");
        let having = |child: &str| {
            cases
                .iter()
                .filter(|case| !children(&document, **case, child).is_empty())
                .count()
        };
        let counts = [cases.len(), having("failure"), having("error")];
        for (sum, (count, kind)) in sums
            .iter_mut()
            .zip(counts.into_iter().zip(["tests", "failures", "errors"]))
        {
            assert_eq!(attribute(&document, suite, kind), count.to_string());
            *sum += count;
        }
        let names: BTreeSet<String> = cases
            .iter()
            .map(|case| attribute(&document, *case, "name"))
            .collect();
        assert_eq!(names.len(), cases.len());
        for case in &cases {
            assert_eq!(attribute(&document, *case, "classname"), name);
        }
        shown.push((name, counts, names.into_iter().next().unwrap()));
    }
    for (sum, kind) in sums.into_iter().zip(["tests", "failures", "errors"]) {
        assert_eq!(attribute(&document, root, kind), sum.to_string());
    }
    let of = |path: &str| {
        let (_, counts, first) = shown.iter().find(|(name, _, _)| name == path).unwrap();
        (*counts, first.as_str())
    };
    assert_eq!(of("clean/buildspec.yml"), ([1, 0, 0], "no findings"));
    assert_eq!(of("task.yml"), ([1, 0, 0], "latest-third-party 3:12"));
    assert_eq!(of("missing.yml"), ([1, 0, 1], "unreadable-file"));
    assert_eq!(of("broken/buildspec.yml"), ([1, 1, 0], "invalid-yaml 5:9"));
    let (counts, _) = of(&format!("{ODD}/buildspec.yml"));
    assert!(counts[0] >= 2 && counts[1] == counts[0], "{counts:?}");

    // What does not fail the run is told all the same.
    assert!(text.contains("<system-out>task.yml:3:12: note[latest-third-party]"));
    // A lower threshold fails it.
    let (_, strict) = folder.run(&[
        "check",
        "--format",
        "junit",
        "--fail-on",
        "note",
        "task.yml",
    ]);
    assert!(strict.contains("<failure type=\"note\" message="));
    assert!(strict.contains(" tests=\"1\" failures=\"1\" errors=\"0\""));
}

#[test]
fn checkstyle_is_well_formed_and_has_its_attributes() {
    let folder = Folder::full();
    let paths = [".", "missing.yml"];
    let text = folder.check("checkstyle", &paths);
    let document = xml(&text);
    let root = document.document_element().unwrap();
    let name = document
        .element(root)
        .map(|root| root.name.local_name.to_string());
    assert_eq!(name.as_deref(), Some("checkstyle"));
    attribute(&document, root, "version");
    let mut shown = Vec::new();
    let mut files = BTreeSet::new();
    for file in children(&document, root, "file") {
        let path = attribute(&document, file, "name");
        assert!(files.insert(path.clone()), "{path} twice");
        for error in children(&document, file, "error") {
            let get = |name| attribute(&document, error, name);
            shown.push(json!([
                path,
                get("line"),
                get("column"),
                get("severity"),
                get("message"),
                get("source")
            ]));
        }
    }
    let json = folder.json("json", &paths);
    let expected: Vec<Value> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let severity = match finding["severity"].as_str().unwrap() {
                "note" => "info",
                other => other,
            };
            json!([
                finding["path"],
                finding["start"]["line"].to_string(),
                finding["start"]["column"].to_string(),
                severity,
                finding["message"],
                format!("tagwright.{}", finding["rule"].as_str().unwrap())
            ])
        })
        .collect();
    assert_eq!(shown, expected);
    assert!(
        xml(&folder.check("checkstyle", &["clean"]))
            .document_element()
            .is_some()
    );
}

#[cfg(unix)]
#[test]
fn bytes_that_xml_forbids_in_paths_and_texts_break_no_format() {
    // The parser of these tests does refuse them.
    assert!(uppsala::parse("<a b=\"\u{1b}\"/>").is_err());
    assert!(uppsala::parse("<a b=\"&#27;\"/>").is_err());
    let folder = Folder::new(&[(
        "e\u{1b}[31m\n::error::x\u{b}\u{fffe}/buildspec.yml",
        "version: 0.2\nphases:\n  build:\n    commands:\n      - docker push \"$A/w\u{85}\u{202e}<&>:latest\"\n  \"b\u{2028}]]>\": {}\n",
    )]);
    for format in ["junit", "checkstyle"] {
        xml(&folder.check(format, &[]));
    }
    for format in ["json", "sarif", "gitlab"] {
        folder.json(format, &[]);
    }
    let github = folder.check("github", &[]);
    assert!(!github.is_empty());
    for line in github.lines() {
        let (_, properties, _) = command(line);
        assert!(properties["file"].ends_with("/buildspec.yml"), "{line}");
        assert!(!line.chars().any(char::is_control), "{line}");
    }
}

#[test]
fn the_excerpts_in_the_documentation_are_what_is_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let example =
        fs::read_to_string(root.join("fixtures/only-latest/before/buildspec.yml")).unwrap();
    let folder = Folder::new(&[("buildspec.yml", &example)]);
    let page = fs::read_to_string(root.join("docs/formats.md")).unwrap();
    let mut formats = Vec::new();
    for part in page.split("<!-- excerpt: ").skip(1) {
        let (format, rest) = part.split_once(" -->\n```").unwrap();
        let (_, rest) = rest.split_once('\n').unwrap();
        let (excerpt, _) = rest.split_once("\n```").unwrap();
        let mut printed = folder.check(format, &[]);
        if format == "sarif" {
            let value: Value = serde_json::from_str(&printed).unwrap();
            printed = format!("{value:#}");
        }
        let mut left = printed.as_str();
        for piece in excerpt.split('…') {
            let at = left
                .find(piece)
                .unwrap_or_else(|| panic!("{format} does not print {piece:?} in\n{left}"));
            left = &left[at + piece.len()..];
        }
        formats.push(format);
    }
    formats.sort_unstable();
    // `json` is described by its lines.
    let mut expected = MACHINE_FORMATS.to_vec();
    expected.retain(|format| *format != "json");
    expected.sort_unstable();
    assert_eq!(formats, expected);
}

/// docs/formats.md has a line for every code of a refusal.
#[test]
fn the_documentation_lists_all_codes_of_refusals() {
    let text = include_str!("../../../docs/formats.md");
    for code in tagwright_diagnostics::RefusalCode::ALL {
        let row = format!("| `{}` |", code.as_str());
        assert!(text.contains(&row), "{row}");
    }
}

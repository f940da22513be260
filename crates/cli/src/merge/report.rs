//! The merged report: JSON, Markdown, a page, SARIF.

use std::io::{self, Write};

use serde_json::json;

use super::collect::Collected;
use super::tally::{Counts, Finding, Merged, Severity, Tally};
use crate::args::MergeFormat;
use crate::migrate::report::markup;
use crate::report::{percent_encode, schema_of, write_pretty};

/// Writes the report.
///
/// # Errors
/// Those of `out`, and of the files that are read again.
pub(crate) fn write(
    collected: &Collected,
    format: MergeFormat,
    out: &mut dyn Write,
) -> io::Result<()> {
    if format == MergeFormat::Sarif {
        return sarif(collected, out);
    }
    let mut merged = Merged::default();
    collected.each(|tally| {
        merged.add(tally);
        Ok(())
    })?;
    match format {
        MergeFormat::Md => markdown(&merged, out),
        MergeFormat::Html => page(&merged, out),
        MergeFormat::Json | MergeFormat::Sarif => write_pretty(&merged, out),
    }
}

/// The JSON Schema of the merged report.
#[must_use]
pub fn schema() -> schemars::Schema {
    schema_of::<Merged>()
}

/// One run for each repository, written one after the other.
fn sarif(collected: &Collected, out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "{{\n\"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\",\n\"version\": \"2.1.0\",\n\"runs\": ["
    )?;
    let mut separator = "\n";
    collected.each(|tally| {
        out.write_all(separator.as_bytes())?;
        separator = ",\n";
        let results: Vec<_> = tally.findings.iter().map(result).collect();
        let run = json!({
            "tool": {"driver": {
                "name": "tagwright",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": tally.rules.keys().map(|rule| json!({"id": rule})).collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": format!("tagwright/{}/", tally.repository)},
            "columnKind": "unicodeCodePoints",
            "invocations": [{"executionSuccessful": tally.complete}],
            "results": results,
        });
        serde_json::to_writer(&mut *out, &run).map_err(io::Error::from)
    })?;
    writeln!(out, "\n]\n}}")
}

fn result(finding: &Finding) -> serde_json::Value {
    json!({
        "ruleId": finding.rule,
        "level": name(finding.severity),
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": percent_encode(&finding.path)},
            "region": {
                "startLine": finding.start.line,
                "startColumn": finding.start.column,
                "endLine": finding.end.line,
                "endColumn": finding.end.column,
            },
        }}],
    })
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// What all of it comes to, in one sentence.
fn headline(merged: &Merged) -> String {
    let summary = &merged.summary;
    let counts = summary.counts;
    let mut said = format!(
        "{} repositories, {} files: {} errors, {} warnings, {} notes. `tagwright fix` settles {} of them, `fix --unsafe` {} more. {} repositories are clean.",
        summary.repositories,
        summary.files,
        counts.errors,
        counts.warnings,
        counts.notes,
        counts.fixable,
        counts.fixable_unsafe,
        summary.clean,
    );
    if summary.incomplete > 0 {
        said.push_str(&format!(
            " {} runs did not come to their end.",
            summary.incomplete
        ));
    }
    said
}

const HEAD: [&str; 6] = [
    "errors",
    "warnings",
    "notes",
    "by `fix`",
    "by `fix --unsafe`",
    "by people",
];

fn cells(counts: &Counts) -> [u64; 6] {
    let by_machine = counts.fixable + counts.fixable_unsafe;
    [
        counts.errors,
        counts.warnings,
        counts.notes,
        counts.fixable,
        counts.fixable_unsafe,
        counts.all().saturating_sub(by_machine),
    ]
}

fn row(counts: &Counts) -> String {
    let cells = cells(counts).map(|count| count.to_string());
    cells.join(" | ")
}

/// The repositories that a list shows: those with something to say.
fn telling(merged: &Merged) -> impl Iterator<Item = &Tally> {
    merged
        .repositories
        .iter()
        .filter(|it| it.counts.all() > 0 || !it.complete)
}

fn markdown(merged: &Merged, out: &mut dyn Write) -> io::Result<()> {
    let head = HEAD.join(" | ");
    let line = "---:|".repeat(HEAD.len());
    writeln!(
        out,
        "# tagwright over many repositories\n\n{}\n",
        headline(merged)
    )?;
    writeln!(
        out,
        "## By rule\n\n| rule | repositories | {head} |\n|---|---:|{line}"
    )?;
    for rule in &merged.rules {
        writeln!(
            out,
            "| `{}` | {} | {} |",
            rule.rule,
            rule.repositories,
            row(&rule.counts)
        )?;
    }
    writeln!(
        out,
        "\n## By repository\n\n| repository | {head} |\n|---|{line}"
    )?;
    for tally in telling(merged) {
        let name = tally
            .repository
            .replace('|', "\\|")
            .replace(['`', '\n', '\r'], " ");
        let mark = if tally.complete { "" } else { " (incomplete)" };
        writeln!(out, "| `{name}`{mark} | {} |", row(&tally.counts))?;
    }
    Ok(())
}

fn page(merged: &Merged, out: &mut dyn Write) -> io::Result<()> {
    markup::begin("tagwright over many repositories", out)?;
    writeln!(
        out,
        "<header><h1>tagwright over many repositories</h1>\n<p class=\"lead\">{}</p></header>\n<main id=\"plan\">",
        markup::text(&headline(merged))
    )?;
    let head: Vec<String> = HEAD
        .iter()
        .map(|title| format!("<th scope=\"col\">{}</th>", markup::text(title)))
        .collect();
    let head = head.concat();
    let row = |counts: &Counts| -> String {
        let cells = cells(counts).map(|count| format!("<td>{count}</td>"));
        cells.concat()
    };
    writeln!(
        out,
        "<h2>By rule</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"By rule\"><table><thead><tr><th scope=\"col\">Rule</th><th scope=\"col\">Repositories</th>{head}</tr></thead><tbody>"
    )?;
    for rule in &merged.rules {
        writeln!(
            out,
            "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td>{}</tr>",
            markup::escape(&rule.rule),
            rule.repositories,
            row(&rule.counts)
        )?;
    }
    writeln!(
        out,
        "</tbody></table></div>\n<h2>By repository</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"By repository\"><table><thead><tr><th scope=\"col\">Repository</th>{head}</tr></thead><tbody>"
    )?;
    for tally in telling(merged) {
        let mark = if tally.complete {
            ""
        } else {
            " <span class=\"badge\">incomplete</span>"
        };
        writeln!(
            out,
            "<tr><th scope=\"row\">{}{mark}</th>{}</tr>",
            markup::escape(&tally.repository),
            row(&tally.counts)
        )?;
    }
    writeln!(out, "</tbody></table></div>\n</main>\n</body>\n</html>")
}

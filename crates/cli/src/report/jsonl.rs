//! The JSON report line by line, for `jq`, `grep` and programs that do not want to hold all of it.

use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use super::Report;
use super::json::{Finding, SCHEMA_VERSION, Summary, schema_of};

/// One line: a finding, or, as the last one, the summary.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[schemars(title = "tagwright line")]
enum Line<'a> {
    /// A finding.
    Finding {
        /// The version of this format.
        #[schemars(range(min = 1, max = 1))]
        schema_version: u32,
        /// The repository, if the run was given a name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        repository: Option<&'a str>,
        #[serde(flatten)]
        finding: Finding<'a>,
    },
    /// Counts; the last line.
    Summary {
        /// The version of this format.
        #[schemars(range(min = 1, max = 1))]
        schema_version: u32,
        /// The repository, if the run was given a name for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        repository: Option<&'a str>,
        #[serde(flatten)]
        summary: Summary,
    },
}

pub(super) fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    for entry in report.entries() {
        let line = Line::Finding {
            schema_version: SCHEMA_VERSION,
            repository: report.repository.as_deref(),
            finding: Finding::new(report, &entry),
        };
        put(&line, out)?;
    }
    let line = Line::Summary {
        schema_version: SCHEMA_VERSION,
        repository: report.repository.as_deref(),
        summary: Summary::new(report),
    };
    put(&line, out)
}

/// The JSON Schema of a line.
#[must_use]
pub fn schema() -> schemars::Schema {
    schema_of::<Line<'_>>()
}

fn put(line: &Line<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

//! Files that are generated from the code: JSON Schemas, the pages of the rules, the README's table.

use std::path::Path;

use crate::args::SchemaOf;
use crate::config::Config;
use crate::{Exit, Stop, Streams, report};

pub(crate) fn schema(of: SchemaOf, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    streams.output.write_all(schema_text(of).as_bytes())?;
    Ok(Exit::Clean)
}

fn schema_text(of: SchemaOf) -> String {
    let schema = match of {
        SchemaOf::Findings => report::schema(),
        SchemaOf::Config => schemars::schema_for!(Config),
    };
    format!("{:#}\n", schema.as_value())
}

pub(crate) fn docs(_root: &Path, _check: bool, _streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    Ok(Exit::Clean)
}

//! The plan for programs.

use std::io;

use crate::migrate::plan::Plan;

pub(super) fn write(plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, plan).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// The JSON Schema of the plan.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Plan>()
}

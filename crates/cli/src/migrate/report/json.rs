//! The plan for programs.

use std::io;

use crate::migrate::plan::Plan;
use crate::report::{schema_of, write_pretty};

pub(super) fn write(plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
    write_pretty(plan, out)
}

/// The JSON Schema of the plan.
#[must_use]
pub fn schema() -> schemars::Schema {
    schema_of::<Plan>()
}

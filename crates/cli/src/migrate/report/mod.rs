//! The plan for people and for programs.

mod html;
mod json;
mod markdown;
mod markup;
mod picture;
mod shared;
mod terminal;

use std::io;

use super::plan::Plan;
use crate::args::PlanFormat;

pub use json::schema;
pub use terminal::write as write_terminal;

/// Writes the plan.
///
/// # Errors
/// Those of `out`.
pub fn write(plan: &Plan, format: PlanFormat, out: &mut dyn io::Write) -> io::Result<()> {
    match format {
        PlanFormat::Json => json::write(plan, out),
        PlanFormat::Md => markdown::write(plan, out),
        PlanFormat::Html => html::write(plan, out),
    }
}

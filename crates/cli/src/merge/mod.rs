//! `tagwright merge`: the JSON Lines of many runs as one report.
//!
//! The files are read twice: once to find out which lines are of which repository, and then repository by repository,
//! in the order of their names. So the report is the same whatever the order of the files, and no more than one
//! repository's lines are in memory.

mod collect;
pub mod report;
mod tally;

pub(crate) use collect::Collected;

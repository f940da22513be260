//! Chooses compatible fixes, applies them to text, proves the result, writes it safely.
//!
//! A [`Fix`](tagwright_diagnostics::Fix) says what becomes of which node; this crate derives the
//! byte edits from that, applies them in memory, and keeps the result only if it can show that exactly
//! what was declared has happened and that the finding is gone. Nothing here knows a single rule, and
//! only [`write`](mod@write) touches the disk.
//!
//! ```
//! use tagwright_fixer::{Options, Sources, diff, run};
//! use tagwright_diagnostics::Finding;
//!
//! let mut sources = Sources::default();
//! let file = sources.push("buildspec.yml", "version: 0.2\n");
//! // The rules, over whatever the texts are at the moment.
//! let lint = |_: &Sources| -> Vec<Finding> { Vec::new() };
//! let outcome = run(sources.clone(), &lint, Options::default());
//! for changed in outcome.sources.changed_from(&sources) {
//!     let (before, after) = (sources.get(changed), outcome.sources.get(changed));
//!     if let (Some(before), Some(after)) = (before, after) {
//!         print!("{}", diff(&before.path, &before.text, &after.text));
//!     }
//! }
//! # assert_eq!(outcome.sources.text(file), Some("version: 0.2\n"));
//! ```
//!
//! On disk, the same result goes through [`write()`], which replaces all files or none.

pub mod diff;
pub mod materialise;
pub mod prove;
mod rejection;
mod run;
mod select;
mod sources;
mod staged;
pub mod write;

pub use diff::{diff, unchanged_lines};
pub use materialise::{FileEdits, Materialiser, materialise};
pub use rejection::{Reader, Rejection};
pub use run::{Applied, NotApplied, Options, Outcome, run, run_from};
pub use sources::{Relint, Source, Sources};
pub use staged::end;
pub use write::{NewText, WriteError, Written, write};

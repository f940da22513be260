//! A project on disk: which files belong to it, how it is configured, and what the rules say of it as a whole.
//!
//! The command line and the language server stand on this crate. Here ends what the crates below must not
//! know, the file system; nothing here knows about arguments, reports or terminals.

pub mod analysis;
pub mod aws;
pub mod baseline;
pub mod catalog;
pub mod config;
pub mod discovery;
pub mod environments;
pub mod executable;
pub mod git;
pub mod identity;
pub mod load;
pub mod lock;
pub mod missing;
pub mod parallel;
pub mod per_file;
mod provided;
pub mod scripts;
pub mod shellcheck;
pub mod source;
pub mod surroundings;
pub mod wording;
pub mod workspace;

pub use analysis::Analysis;
pub use baseline::Baseline;
pub use config::Config;
pub use workspace::{Document, Workspace};

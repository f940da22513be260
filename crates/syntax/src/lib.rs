//! Text to trees with exact byte spans.
//!
//! Here live the YAML tree, the source map of every scalar, the shell words inside scalars, the
//! primitive edits, and on top the typed views of buildspecs and Copilot manifests. What an image
//! reference is, or whether a file is right, is decided elsewhere.
//!
//! Units: every offset in this crate is a byte offset, 0-based, into the UTF-8 text of one file (or,
//! where it says *decoded*, into the decoded value of one scalar); every range is half-open. Lines
//! and columns exist only in [`position`], for printing.

pub mod buildspec;
pub mod copilot;
pub mod edit;
mod file;
pub mod hcl;
pub mod libyaml;
pub mod memo;
pub mod position;
pub mod shell;
pub mod source_map;
pub mod span;
pub mod yaml;

pub use file::{FileId, FileKind};
pub use position::{LineIndex, Position};
pub use smol_str::SmolStr;
pub use source_map::{Segment, SourceMap};
pub use span::Span;

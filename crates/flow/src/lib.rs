//! Trees to image flow.
//!
//! Here lives what is known about images: which command or file names one, in which role, with which
//! repository and tag once simple assignments are resolved, and which of these places belong to one
//! image. Whether any of it is wrong is for the rules to say.

pub mod commands;
pub mod delivery;
pub mod expression;
pub mod facts;
pub mod kind;
pub mod lookup;
pub mod read;
pub mod scan;
pub mod search;
pub mod workspace;

pub use kind::FileKind;
pub use read::{ReadOptions, read_file, read_file_with};
pub use workspace::{Flow, UseId, Workspace};

/// A file of a workspace, by its index there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

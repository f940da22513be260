//! Trees to image flow.
//!
//! Here lives what is known about images: which command or file names one, in which role, with which
//! repository and tag once simple assignments are resolved, and which of these places belong to one
//! image. Whether any of it is wrong is for the rules to say.

mod assignments;
pub mod delivery;
mod ecr;
pub mod expression;
pub mod facts;
pub mod habits;
pub mod kind;
mod lookup;
pub mod mentions;
pub mod outputs;
pub mod read;
mod recent;
pub mod scan;
pub mod search;
mod settle;
pub mod templates;
mod told_twice;
pub mod tools;
pub mod workspace;

pub use assignments::ScalarText;
pub use read::{ReadOptions, read_file, read_file_with};
pub use tagwright_syntax::{FileId, FileKind};
pub use workspace::{Flow, UseId, Workspace};

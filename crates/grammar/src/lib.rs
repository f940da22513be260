//! What may stand in a buildspec or in a manifest of Copilot: keys, their values, the images and runtimes that
//! CodeBuild offers; and what is made from these tables: the differences of a file from its grammar, help while
//! writing, the pages of keys, JSON Schemas.
//!
//! Each table says where its facts are from and when they were read. Nothing here knows a rule.

pub mod buildspec;
pub mod copilot;
pub mod images;
mod key_page;
mod lookup;
pub mod runtimes;
mod schema;
pub mod section;
mod spelling;
pub mod walk;

pub use key_page::{KeyPage, key_pages};
pub use lookup::{Grammar, KeyHelp};
pub use schema::{
    buildspec_schema, copilot_environment_schema, copilot_pipeline_schema, copilot_workload_schema,
};
pub use section::{Key, Section, Unknown, Value};
pub use spelling::did_you_mean;

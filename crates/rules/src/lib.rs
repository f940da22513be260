//! Rules: one file each, that read trees and flow and yield findings with fixes.

pub mod derivation;
pub mod finding;

//! `tagwright migrate`: the plan of moving a repository's images from `latest` to the branch, and its reports.

pub mod evaluate;
mod gather;
mod picture;
pub mod plan;
mod predict;
pub mod refusals;
pub mod report;
mod steps;

pub(crate) use gather::{Gathered, gather};

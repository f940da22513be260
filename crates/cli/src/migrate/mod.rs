//! `tagwright migrate`: the plan of moving a repository's images from `latest` to the branch, and its reports.

pub mod evaluate;

//! `tagwright migrate`: moving a repository from `latest`, once.

pub mod infrastructure;

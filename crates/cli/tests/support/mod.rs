//! What the behaviour tests need: fixtures, the builds to run, and what to demand of them.

pub(crate) mod build;
pub(crate) mod calls;
pub(crate) mod engine;
pub(crate) mod fixture;
mod real_builds;
pub(crate) mod scenario;

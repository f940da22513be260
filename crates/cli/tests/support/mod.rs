//! What the behaviour tests need: fixtures, the builds to run, and what to demand of them.

pub(crate) mod build;
pub(crate) mod calls;
pub(crate) mod fixture;
pub(crate) mod scenario;

//! What starts a build.

use std::collections::BTreeMap;

/// What starts a build: the variables that it sets.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The variables of the build. What CodeBuild sets and is not here is not set; other variables are not known.
    pub variables: BTreeMap<String, String>,
}

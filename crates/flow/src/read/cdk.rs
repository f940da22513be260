//! What code for the AWS CDK says: the buildspecs that it holds as objects. It is context; nothing in it is edited.

use super::{ReadOptions, shared};
use crate::delivery::code_inline;
use crate::facts::FileFacts;

/// Reads the file's text into its facts.
pub(super) fn cdk(facts: &mut FileFacts, text: &str, options: &ReadOptions) {
    let inside = code_inline::buildspecs(text);
    // The code around gives its builds variables in ways that are not followed.
    facts.provided_variables = code_inline::names(text, &inside);
    for inline in inside {
        shared::buildspec(facts, inline, "an object in CDK code", options);
    }
}

//! What runs the packages of Node.js: cdk, if it is that one.

use super::table::{Failure, Program};
use super::words::View;
use super::{Found, Tool, stacks};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static NPM: Program = Program {
    read,
    own_language: true,
    failure: Failure::Of(&["ci", "test", "run", "publish"]),
    ..Program::new(&["npm"], Tool::Other)
};

/// Yarn.
pub(super) static YARN: Program = Program {
    read,
    own_language: true,
    failure: Failure::Of(&["test", "build", "publish"]),
    ..Program::new(&["yarn"], Tool::Other)
};

/// npx.
pub(super) static NPX: Program = Program {
    read,
    own_language: true,
    ..Program::new(&["npx"], Tool::Other)
};

/// pnpm.
pub(super) static PNPM: Program = Program {
    read,
    ..Program::new(&["pnpm"], Tool::Other)
};

fn read(view: &View<'_>, found: &mut Found) {
    let cdk = (view.start + 1..view.len()).find(|word| {
        view.literal(*word).is_some_and(|word| {
            word == "cdk"
                || word == "aws-cdk"
                || word.starts_with("cdk@")
                || word.starts_with("aws-cdk@")
        })
    });
    if let Some(word) = cdk {
        stacks::cdk(view, word + 1, found);
    }
}

//! Interpreters, compilers and runners of tests: they name no image, but their words may hold scripts, and
//! their failure may be that of the build.

use super::Tool;
use super::table::{Edits, Failure, Program};

/// Those with a language of their own in their words.
pub(super) static INTERPRETERS: Program = Program {
    own_language: true,
    ..Program::new(
        &[
            "alias", "grep", "node", "php", "pwsh", "python", "python3", "ruby", "trap", "xargs",
        ],
        Tool::Other,
    )
};

/// Those that edit the files they are given.
pub(super) static EDITORS: Program = Program {
    own_language: true,
    edits: Edits::Anything,
    ..Program::new(&["awk", "gawk", "perl"], Tool::Other)
};

/// Those whose builds and tests matter.
pub(super) static COMPILERS: Program = Program {
    failure: Failure::Of(&["build", "test"]),
    ..Program::new(&["go", "cargo"], Tool::Other)
};

/// .NET.
pub(super) static DOTNET: Program = Program {
    failure: Failure::Of(&["build", "test", "publish"]),
    ..Program::new(&["dotnet"], Tool::Other)
};

/// Runners of tests.
pub(super) static TESTS: Program = Program {
    failure: Failure::Always,
    ..Program::new(&["pytest"], Tool::Other)
};

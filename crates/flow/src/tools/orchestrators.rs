//! Other orchestrators.

use super::Tool;
use super::table::Program;

/// Nomad: `job restart` and `alloc restart` start the tasks again with the image that the job names (1.11).
pub(super) static NOMAD: Program = Program {
    triggers: &["nomad"],
    redeploys: |view| {
        let at = view.start + 1;
        (view.is(at, "job") || view.is(at, "alloc")) && view.is(at + 1, "restart")
    },
    ..Program::new(&["nomad"], Tool::Other)
};

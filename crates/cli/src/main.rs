//! The command line of tagwright.

use std::process::ExitCode;

fn main() -> ExitCode {
    match tagwright::run_process() {
        tagwright::Exit::Clean => ExitCode::from(0),
        tagwright::Exit::Findings => ExitCode::from(1),
        tagwright::Exit::Usage => ExitCode::from(2),
        tagwright::Exit::Unreadable => ExitCode::from(3),
    }
}

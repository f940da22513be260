//! Just enough PowerShell to see commands and their words; never to rewrite.

use super::{Script, Status};

/// Whether `text` can only be PowerShell (`$env:`, a cmdlet, …).
#[must_use]
pub fn looks_like(text: &str) -> bool {
    text.contains("$env:")
}

/// Reads `text` as PowerShell. The status is never [`Status::Clean`].
#[must_use]
pub fn parse(_text: &str) -> Script {
    Script {
        commands: Vec::new(),
        status: Status::Repaired,
        comments: Vec::new(),
    }
}

//! `tagwright lsp`: the language server.

use tagwright_lsp::Ending;

use crate::ending::{Exit, Stop, Streams};
use crate::report;

/// The language server talks over the process's own streams, in threads of its own.
pub(crate) fn lsp(streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    match tagwright_lsp::serve_stdio() {
        Ending::Orderly => Ok(Exit::Clean),
        // The protocol asks for 1 here.
        Ending::Abrupt => Ok(Exit::Findings),
        Ending::Broken(message) => {
            writeln!(streams.errors, "error: {}", report::escape(&message))?;
            Ok(Exit::Unreadable)
        }
    }
}

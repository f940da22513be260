//! The language server of tagwright: what `check` and `fix` say and do, while a file is being written.
//!
//! Here live the protocol, the open texts and the state of each workspace. What belongs to a workspace and what
//! is wrong with it is for `tagwright-project` to say, and a change is proven by `tagwright-fixer` as in `fix`.
//! The server is one loop on one thread: it takes every message that waits, reads again only the files whose
//! text changed, and then answers for the newest texts.

mod actions;
mod client;
mod completion;
mod definition;
mod diagnostics;
mod edits;
mod hover;
mod position;
mod root;
mod server;
mod stdio;
mod symbols;
mod uri;

use lsp_server::Connection;

pub use position::Encoding;

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client asked for the shutdown first, as the protocol wants it.
    Orderly,
    /// The client left without that.
    Abrupt,
    /// The client did not speak the protocol; what was wrong.
    Broken(String),
}

/// Serves the client at the other end of standard input and output until it leaves.
///
/// Must run on a thread with [`tagwright_project::parallel::STACK`] bytes of stack, because parsers recurse.
#[must_use]
pub fn serve_stdio() -> Ending {
    let (connection, threads) = stdio::connect();
    let ending = serve(connection);
    match threads.finish(&ending) {
        Some(message) => Ending::Broken(message),
        None => ending,
    }
}

/// Serves the client at the other end of `connection` until it leaves; see [`serve_stdio`].
#[must_use]
pub fn serve(connection: Connection) -> Ending {
    server::run(connection)
}

//! Messages over standard input and output.
//!
//! Unlike the library's own threads these never make one side wait for the other: what has arrived lies in a
//! queue, so that the server sees all changes that wait before it analyses the last of them.

use std::io;
use std::thread::{self, JoinHandle};

use lsp_server::{Connection, Message};

use crate::Ending;

/// The threads that read and write.
pub(crate) struct Threads {
    reader: JoinHandle<io::Result<()>>,
    writer: JoinHandle<io::Result<()>>,
}

/// Starts reading and writing.
pub(crate) fn connect() -> (Connection, Threads) {
    let (incoming, receiver) = crossbeam_channel::unbounded();
    let (sender, outgoing) = crossbeam_channel::unbounded::<Message>();
    let reader = thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Some(message) = Message::read(&mut input)? {
            let last = matches!(&message, Message::Notification(it) if it.method == "exit");
            if incoming.send(message).is_err() || last {
                break;
            }
        }
        Ok(())
    });
    let writer = thread::spawn(move || {
        let mut output = io::stdout().lock();
        outgoing
            .into_iter()
            .try_for_each(|message| message.write(&mut output))
    });
    (Connection { sender, receiver }, Threads { reader, writer })
}

impl Threads {
    /// Waits until everything is written. What was wrong with the input, if that ended the session.
    pub(crate) fn finish(self, ending: &Ending) -> Option<String> {
        let written = self.writer.join();
        if *ending == Ending::Orderly {
            return None;
        }
        let failed = |result: thread::Result<io::Result<()>>| match result {
            Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Some(error.to_string()),
            _ => None,
        };
        // A reader that still waits for input has nothing to say.
        let read = self.reader.is_finished().then(|| self.reader.join());
        read.and_then(failed).or_else(|| failed(written))
    }
}

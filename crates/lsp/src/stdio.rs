//! Messages over standard input and output.
//!
//! Unlike the library's own threads these never make one side wait for the other: what has arrived lies in a
//! queue, so that the server sees all changes that wait before it analyses the last of them.

use std::io::{self, BufRead, Read as _};
use std::thread::{self, JoinHandle};

use lsp_server::{Connection, Message, Notification};
use serde_json::{Value, json};

use crate::Ending;

/// Longer messages are passed over, in bytes. The longest text that is read has 16 MB.
const LONGEST: u64 = 256 * 1024 * 1024;
/// A header line of more bytes is none.
const LONGEST_HEADER: u64 = 4096;

/// The next message, or what is wrong with it; `None` at the end of the input. What cannot be understood is passed over,
/// and the one that follows is read.
///
/// # Errors
/// Those of the input, and `InvalidData` where it ends in something that is no message.
fn receive(input: &mut impl BufRead) -> io::Result<Option<Result<Message, &'static str>>> {
    let mut length: Option<u64> = None;
    let mut strange = false;
    loop {
        let mut line = Vec::new();
        let read = input
            .by_ref()
            .take(LONGEST_HEADER)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            if strange || length.is_some() {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the input ends in something that is no message of the protocol",
                ));
            }
            return Ok(None);
        }
        let line = line.trim_ascii();
        if line.is_empty() {
            match length {
                Some(length) => return body(input, length).map(Some),
                // A header without the one field that it needs.
                None => continue,
            }
        }
        match field(line) {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().ok();
                strange |= length.is_none();
            }
            Some(_) => {}
            None => strange = true,
        }
    }
}

/// A field of a header: name and value.
fn field(line: &[u8]) -> Option<(&str, &str)> {
    let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
    Some((name.trim(), value.trim()))
}

/// The message whose body has `length` bytes.
fn body(input: &mut impl BufRead, length: u64) -> io::Result<Result<Message, &'static str>> {
    let mut body = input.take(length);
    if length > LONGEST {
        io::copy(&mut body, &mut io::sink())?;
        return Ok(Err("a message was too long and was passed over"));
    }
    // Room is made for what comes, not for what is announced.
    let mut bytes = Vec::new();
    body.read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < length {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the input ends inside a message",
        ));
    }
    Ok(serde_json::from_slice(&bytes)
        .map_err(|_| "a message was not understood and was passed over"))
}

/// A line for the client's log. It quotes nothing: a text may hold secrets.
fn complaint(what: &str) -> Message {
    let params: Value = json!({"type": 1, "message": format!("tagwright: {what}")});
    Message::Notification(Notification {
        method: "window/logMessage".to_owned(),
        params,
    })
}

/// The threads that read and write.
pub(crate) struct Threads {
    reader: JoinHandle<io::Result<()>>,
    writer: JoinHandle<io::Result<()>>,
}

/// Starts reading and writing.
pub(crate) fn connect() -> (Connection, Threads) {
    let (incoming, receiver) = crossbeam_channel::unbounded();
    let (sender, outgoing) = crossbeam_channel::unbounded::<Message>();
    let complaints = sender.clone();
    let reader = thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Some(received) = receive(&mut input)? {
            let message = match received {
                Ok(message) => message,
                Err(what) => {
                    // Whoever sent it can at least read about it.
                    let _ = complaints.send(complaint(what));
                    continue;
                }
            };
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The methods of the messages, `?` for what was passed over, and what ended the input.
    fn received(input: &[u8]) -> (Vec<String>, Option<io::ErrorKind>) {
        let mut input = input;
        let mut methods = Vec::new();
        loop {
            match receive(&mut input) {
                Ok(Some(Ok(Message::Notification(it)))) => methods.push(it.method),
                Ok(Some(_)) => methods.push("?".to_owned()),
                Ok(None) => return (methods, None),
                Err(error) => return (methods, Some(error.kind())),
            }
        }
    }

    fn framed(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn what_is_no_message_is_passed_over_and_the_next_one_is_read() {
        let good = framed(r#"{"jsonrpc":"2.0","method":"initialized","params":{}}"#);
        for bad in [
            framed("{"),
            framed("no json"),
            framed("[]"),
            framed(r#"{"jsonrpc":"2.0","method":7}"#),
            framed("\u{fffd}"),
            "Content-Type: x\r\n\r\n".to_owned(),
            "nonsense\r\nmore\r\n".to_owned(),
            "Content-Length: many\r\n".to_owned(),
        ] {
            let (methods, error) = received(format!("{good}{bad}{good}").as_bytes());
            let known: Vec<&String> = methods.iter().filter(|it| *it != "?").collect();
            assert_eq!(known.len(), 2, "{bad}: {methods:?}");
            assert_eq!(error, None, "{bad}");
        }
    }

    #[test]
    fn a_length_that_nobody_can_have_takes_no_memory() {
        for length in ["999999999999", "18446744073709551615", "200000000"] {
            let input = format!("Content-Length: {length}\r\n\r\n{{}}");
            let (methods, _) = received(input.as_bytes());
            assert!(methods.len() <= 1, "{methods:?}");
        }
    }

    #[test]
    fn a_complaint_quotes_nothing() {
        let Message::Notification(it) = complaint("a message was not understood") else {
            panic!();
        };
        assert_eq!(it.params["type"], 1);
    }
}

//! The line on a terminal that says that long work is still going on.
//!
//! It appears on standard error after a second and is gone before anything else is written. Where standard
//! error is no terminal there is never a byte of it.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use tagwright_project::parallel;

/// How long work may take before it is worth a word.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line changes.
const INTERVAL: Duration = Duration::from_millis(200);

/// Shows the line as long as it lives.
pub(crate) struct Progress {
    /// Dropped to end the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins to wait for the moment to show something, on a terminal.
    pub(crate) fn start() -> Self {
        if !io::stderr().is_terminal() {
            return Self {
                stop: None,
                thread: None,
            };
        }
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new()
            .spawn(move || {
                let mut shown = false;
                let mut wait = PATIENCE;
                let mut errors = io::stderr();
                while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                    // A terminal that does not take the line goes without it.
                    let _ = write!(errors, "\r\x1b[K{}", line(parallel::progress()));
                    let _ = errors.flush();
                    shown = true;
                    wait = INTERVAL;
                }
                if shown {
                    let _ = write!(errors, "\r\x1b[K");
                    let _ = errors.flush();
                }
            })
            .ok();
        Self {
            stop: Some(stop),
            thread,
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn line((done, all): (usize, usize)) -> String {
    if all == 0 {
        "tagwright: looking for files".to_owned()
    } else {
        format!("tagwright: {done} of {all}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_is_known() {
        assert_eq!(line((0, 0)), "tagwright: looking for files");
        assert_eq!(line((7, 10_000)), "tagwright: 7 of 10000");
    }
}

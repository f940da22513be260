//! The seam to the rules: settings from the configuration, and panics turned into findings.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

use tagwright_flow::FileId;
use tagwright_flow::facts::FileFacts;
use tagwright_rules::finding::Finding;

use crate::config::Config;
use crate::session::Document;

thread_local! {
    /// What the last panic of this thread said, and where.
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The rules with their settings.
pub struct Analysis;

impl Analysis {
    pub(crate) fn new(_config: &Config) -> Self {
        Self
    }

    pub(crate) fn read(&self, _id: FileId, _document: &Document) -> Result<FileFacts, String> {
        Err("not yet".into())
    }

    pub(crate) fn needs_context<'a>(&self, _facts: impl Iterator<Item = &'a FileFacts>) -> bool {
        false
    }

    pub(crate) fn check(&self, _facts: Vec<FileFacts>) -> (Vec<Finding>, Vec<(FileId, String)>) {
        (Vec::new(), Vec::new())
    }
}

pub(crate) fn rule_names() -> Vec<&'static str> {
    Vec::new()
}

pub(crate) fn category(_rule: &str) -> &'static str {
    "input"
}

/// Runs `work`; a panic becomes its message.
///
/// # Errors
/// The panic's message and place.
pub fn guarded<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    // What the work left half done is dropped with it: callers keep nothing that it could have changed.
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| panic_message(payload.as_ref()))
}

/// A panic hook that prints nothing and keeps the message for [`guarded`].
pub(crate) fn remember_panic(info: &PanicHookInfo<'_>) {
    let place = info
        .location()
        .map(|at| format!(" ({}:{})", at.file(), at.line()))
        .unwrap_or_default();
    let message = format!("{}{place}", payload_message(info.payload()));
    LAST_PANIC.with(|last| *last.borrow_mut() = Some(message));
}

/// The message of a caught panic, with its place if the hook has seen it.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    LAST_PANIC
        .with(|last| last.borrow_mut().take())
        .unwrap_or_else(|| payload_message(payload))
}

fn payload_message(payload: &dyn Any) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        let result: Result<(), String> = guarded(|| panic!("no {}", "luck"));
        assert!(result.unwrap_err().contains("no luck"));
        assert_eq!(guarded(|| 1), Ok(1));
    }
}

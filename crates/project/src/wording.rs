//! Paths and errors, for people.

use std::borrow::Cow;
use std::io;
use std::path::Path;

/// A path for people: `/` between the parts, no leading `./`, and no byte that a terminal would act on.
#[must_use]
pub fn display(path: &Path) -> String {
    shown(path).into_owned()
}

/// The same, copied only where it has to be.
#[must_use]
pub fn shown(path: &Path) -> Cow<'_, str> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let text = path.to_string_lossy();
    if text.is_empty() {
        Cow::Borrowed(".")
    } else if std::path::MAIN_SEPARATOR == '/' {
        text
    } else {
        text.replace(std::path::MAIN_SEPARATOR, "/").into()
    }
}

/// An error of the operating system without its number.
pub fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

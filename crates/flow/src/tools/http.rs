//! curl and its like: what they send may name an image.

use super::options::{Arguments, Options};
use super::references::is_reference;
use super::table::Program;
use super::words::{Slice, View};
use super::{Form, Found, Role, Tool, docker, json};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    read,
    ..Program::new(&["curl", "wget"], Tool::Other)
};

/// Options with a value of curl 8.17 and wget 1.25 (2026-11), as far as they stand near a body.
const CURL: Options = Options::new(&[
    "-d",
    "--data",
    "--data-raw",
    "--data-binary",
    "--data-ascii",
    "--data-urlencode",
    "--json",
    "--post-data",
    "--body-data",
    "-F",
    "--form",
    "--form-string",
    "-X",
    "--request",
    "-H",
    "--header",
    "-o",
    "--output",
    "-u",
    "--user",
    "-A",
    "--user-agent",
    "-b",
    "--cookie",
    "-m",
    "--max-time",
    "--retry",
    "--url",
    "-w",
    "--write-out",
]);

fn read(view: &View<'_>, found: &mut Found) {
    let arguments = Arguments::read(view, view.start + 1, &CURL);
    for body in arguments.values(&[
        "-d",
        "--data",
        "--data-raw",
        "--data-binary",
        "--data-ascii",
        "--data-urlencode",
        "--json",
        "--post-data",
        "--body-data",
        "-F",
        "--form",
        "--form-string",
    ]) {
        sent(view, body, found);
    }
}

/// The references in a message: strings of JSON, and the values of `key=value`. Whoever gets it decides what
/// becomes of them.
pub(super) fn sent(view: &View<'_>, message: &Slice, found: &mut Found) {
    let strings = json::strings(&message.text);
    for range in &strings {
        let text = &message.text[range.clone()];
        if text.ends_with(":latest") && !text.starts_with("arn:") && is_reference(text) {
            found.part(
                view,
                message,
                range.clone(),
                Role::Argument,
                Tool::Other,
                Form::Reference,
            );
        }
    }
    if strings.is_empty() && !message.text.contains(char::is_whitespace) {
        docker::key_value(view, message, Role::Argument, Tool::Other, found);
    }
}

//! Pulumi.

use super::options::{Arguments, Options};
use super::references::by_key;
use super::table::Program;
use super::words::View;
use super::{Found, Role, Tool};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    read,
    ..Program::new(&["pulumi"], Tool::Other)
};

/// Options with a value of pulumi 3.210 (2026-11), as far as they stand near images.
const PULUMI: Options = Options::new(&[
    "-s", "--stack", "-C", "--cwd", "-e", "--env", "-p", "--path",
]);

fn read(view: &View<'_>, found: &mut Found) {
    if let [config, set, key, value] = Arguments::read(view, view.start + 1, &PULUMI)
        .positionals()
        .as_slice()
        && view.is(*config, "config")
        && view.is(*set, "set")
        && let (Some(key), Some(value)) = (view.literal(*key), view.whole(*value))
        && let Some(form) = by_key(&key, &value)
    {
        found.slice(Role::Record, Tool::Other, form, &value);
    }
}

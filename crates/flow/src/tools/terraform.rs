//! Terraform, OpenTofu, Terragrunt.

use super::options::{Arguments, Options};
use super::table::{Failure, Program};
use super::words::View;
use super::{Found, Role, Tool, docker};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    read,
    failure: Failure::Of(&["apply"]),
    ..Program::new(&["terraform", "tofu", "terragrunt"], Tool::Terraform)
};

/// Terraform 1.14 and OpenTofu 1.11 (2026-11).
const TERRAFORM: Options = Options {
    values: &["-var", "--var"],
    single_dash: true,
};

fn read(view: &View<'_>, found: &mut Found) {
    let at = view.start + 1;
    let deploys = (at..view.len()).any(|word| {
        ["apply", "plan", "run-all"]
            .iter()
            .any(|name| view.is(word, name))
    });
    if !deploys {
        return;
    }
    let arguments = Arguments::read(view, at, &TERRAFORM);
    for value in arguments.values(&["-var", "--var"]) {
        docker::key_value(view, value, Role::Deploy, Tool::Terraform, found);
    }
}

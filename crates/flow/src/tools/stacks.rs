//! What deploys CloudFormation: sam, cdk.

use super::aws::{parameter, values};
use super::options::{Arguments, Options};
use super::references::by_key;
use super::table::{Failure, Program};
use super::words::View;
use super::{Found, Role, Tool};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static SAM: Program = Program {
    read: sam,
    failure: Failure::Of(&["build", "deploy"]),
    ..Program::new(&["sam"], Tool::CloudFormation)
};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static CDK: Program = Program {
    read: |view, found| cdk(view, view.start + 1, found),
    failure: Failure::Of(&["deploy"]),
    ..Program::new(&["cdk"], Tool::CloudFormation)
};

/// Options with a value of sam 1.147 and cdk 2.1100 (2026-11).
const STACKS: Options = Options::new(&[
    "--parameter-overrides",
    "-c",
    "--context",
    "--parameters",
    "--stack-name",
    "--region",
    "--profile",
    "-t",
    "--template-file",
    "--template",
    "--s3-bucket",
    "--s3-prefix",
    "--capabilities",
    "--config-file",
    "--config-env",
    "--image-repository",
    "--image-repositories",
    "-a",
    "--app",
    "--require-approval",
    "-o",
    "--output",
    "--outputs-file",
    "--role-arn",
    "-r",
    "--toolkit-stack-name",
    "--tags",
]);

/// `sam deploy --parameter-overrides`: like `aws cloudformation deploy`.
fn sam(view: &View<'_>, found: &mut Found) {
    let at = view.start + 1;
    if !["deploy", "build", "sync", "package"]
        .iter()
        .any(|name| view.is(at, name))
    {
        return;
    }
    for value in values(view, at + 1, "--parameter-overrides") {
        parameter(&value.shape, value.start, value.word, found);
    }
}

/// `cdk deploy -c tag=latest --parameters Stack:ImageTag=latest`, also behind `npx`.
pub(super) fn cdk(view: &View<'_>, at: usize, found: &mut Found) {
    if !["deploy", "synth", "synthesize", "diff"]
        .iter()
        .any(|name| view.is(at, name))
    {
        return;
    }
    let arguments = Arguments::read(view, at + 1, &STACKS);
    for value in arguments.values(&["-c", "--context", "--parameters"]) {
        let Some((key, rest)) = value.text.split_once('=') else {
            continue;
        };
        let from = key.len() + 1;
        let Some(slice) = view.cut(value, from..from + rest.len()) else {
            continue;
        };
        let key = key.rsplit(':').next().unwrap_or(key);
        if let Some(form) = by_key(key, &slice) {
            found.slice(Role::Deploy, Tool::CloudFormation, form, &slice);
        }
    }
}

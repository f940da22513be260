//! The AWS CLI.

use tagwright_syntax::SmolStr;

use super::options::{Arguments, Options};
use super::references::{by_key, is_reference};
use super::table::Program;
use super::words::{Shape, View};
use super::{Form, Found, Role, Tool, http, json};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ROW: Program = Program {
    triggers: &[
        "image-uri",
        "apprunner",
        "container-definitions",
        "primary-container",
        "put-image",
        "force-new-deployment",
        "create-deployment",
        "publish-version",
        "register-task-definition",
    ],
    read,
    redeploys,
    ..Program::new(&["aws"], Tool::AwsEcr)
};

/// The row of [`TOOLS`](super::TOOLS).
pub(super) static ELASTIC_BEANSTALK: Program = Program {
    triggers: &["eb deploy"],
    redeploys: |view| view.is(view.start + 1, "deploy"),
    ..Program::new(&["eb"], Tool::Other)
};

/// Global options with a value of AWS CLI 2 (2026-11).
const GLOBAL: Options = Options::new(&[
    "--region",
    "--profile",
    "--output",
    "--query",
    "--endpoint-url",
    "--color",
    "--ca-bundle",
    "--cli-read-timeout",
    "--cli-connect-timeout",
    "--cli-binary-format",
]);

/// Which option of which operation holds an image, AWS CLI 2 (2026-11).
struct Operation {
    service: &'static str,
    operation: &'static str,
    option: &'static str,
    /// Keys in JSON or shorthand; none if the value itself is the reference.
    keys: &'static [&'static str],
    tool: Tool,
}

const DEPLOYMENTS: &[Operation] = &[
    deployment(
        "ecs",
        "register-task-definition",
        "--container-definitions",
        &["image"],
        Tool::AwsEcs,
    ),
    deployment(
        "ecs",
        "register-task-definition",
        "--cli-input-json",
        &["image"],
        Tool::AwsEcs,
    ),
    deployment(
        "ecs",
        "create-express-gateway-service",
        "--primary-container",
        &["image"],
        Tool::AwsEcs,
    ),
    deployment(
        "ecs",
        "update-express-gateway-service",
        "--primary-container",
        &["image"],
        Tool::AwsEcs,
    ),
    deployment(
        "lambda",
        "update-function-code",
        "--image-uri",
        &[],
        Tool::AwsLambda,
    ),
    deployment(
        "lambda",
        "create-function",
        "--code",
        &["ImageUri"],
        Tool::AwsLambda,
    ),
    deployment(
        "apprunner",
        "create-service",
        "--source-configuration",
        &["ImageIdentifier"],
        Tool::AwsAppRunner,
    ),
    deployment(
        "apprunner",
        "update-service",
        "--source-configuration",
        &["ImageIdentifier"],
        Tool::AwsAppRunner,
    ),
    deployment(
        "sagemaker",
        "create-model",
        "--primary-container",
        &["Image"],
        Tool::Other,
    ),
    deployment(
        "sagemaker",
        "create-model",
        "--containers",
        &["Image"],
        Tool::Other,
    ),
    deployment(
        "batch",
        "register-job-definition",
        "--container-properties",
        &["image"],
        Tool::Other,
    ),
    deployment(
        "lightsail",
        "create-container-service-deployment",
        "--containers",
        &["image"],
        Tool::Other,
    ),
];

const fn deployment(
    service: &'static str,
    operation: &'static str,
    option: &'static str,
    keys: &'static [&'static str],
    tool: Tool,
) -> Operation {
    Operation {
        service,
        operation,
        option,
        keys,
        tool,
    }
}

fn read(view: &View<'_>, found: &mut Found) {
    let Some((service, name, after)) = operation(view) else {
        return;
    };
    match (service.as_str(), name.as_str()) {
        ("ecr" | "ecr-public", "put-image") => {
            let repository = values(view, after, "--repository-name")
                .first()
                .and_then(|value| value.span());
            for value in values(view, after, "--image-tag") {
                found.tag(Role::Push, Tool::AwsEcr, value.whole().as_ref(), repository);
            }
        }
        ("ecr" | "ecr-public", _) => {
            let repository = values(view, after, "--repository-name")
                .first()
                .and_then(|value| value.span());
            for option in ["--image-ids", "--image-id"] {
                for value in values(view, after, option) {
                    for range in value.keyed(&["imageTag"]) {
                        found.tag(
                            Role::Argument,
                            Tool::AwsEcr,
                            value.cut(range).as_ref(),
                            repository,
                        );
                    }
                }
            }
        }
        ("cloudformation", "deploy") => {
            for value in values(view, after, "--parameter-overrides") {
                parameter(&value.shape, value.start, value.word, found);
            }
        }
        ("cloudformation", "create-stack" | "update-stack" | "create-change-set") => {
            for value in values(view, after, "--parameters") {
                parameter(&value.shape, value.start, value.word, found);
            }
        }
        // Machines and pipelines read it.
        ("ssm", "put-parameter") => {
            for value in values(view, after, "--value") {
                if let Some(slice) = value.whole().filter(|it| is_reference(&it.text)) {
                    found.slice(Role::Record, Tool::Other, Form::Reference, &slice);
                }
            }
        }
        (service, name) => {
            for row in DEPLOYMENTS {
                if row.service != service || row.operation != name {
                    continue;
                }
                for value in values(view, after, row.option) {
                    if value.text().starts_with("file://") {
                        continue;
                    }
                    if row.keys.is_empty() {
                        if let Some(slice) = value.whole() {
                            found.slice(Role::Deploy, row.tool, Form::Reference, &slice);
                        }
                        continue;
                    }
                    for range in value.keyed(row.keys) {
                        if let Some(slice) = value.cut(range) {
                            found.slice(Role::Deploy, row.tool, Form::Reference, &slice);
                        }
                    }
                }
            }
            if found.0.is_empty() {
                messages(view, after, found);
            }
        }
    }
}

/// What is handed to whoever listens: `sns publish --message`, `lambda invoke --payload`, `events put-events`.
fn messages(view: &View<'_>, after: usize, found: &mut Found) {
    for word in after..view.len() {
        if let Some(slice) = view.whole(word)
            && slice.text.contains(":latest")
        {
            http::sent(view, &slice, found);
        }
    }
}

/// Commands that deploy again whatever the existing definition names, AWS CLI 2 (2026-11).
const REDEPLOYMENTS: &[(&str, &str)] = &[
    ("apprunner", "start-deployment"),
    ("autoscaling", "start-instance-refresh"),
    ("batch", "submit-job"),
    ("deploy", "create-deployment"),
    ("ecs", "run-task"),
    ("lambda", "publish-version"),
];

/// The service and the operation, and the index behind them.
fn operation(view: &View<'_>) -> Option<(String, String, usize)> {
    let words = Arguments::read_some(view, view.start + 1, &GLOBAL, 2).positionals();
    let [service, operation] = words.as_slice() else {
        return None;
    };
    Some((
        view.literal(*service)?,
        view.literal(*operation)?,
        *operation + 1,
    ))
}

fn redeploys(view: &View<'_>) -> bool {
    let Some((service, name, after)) = operation(view) else {
        return false;
    };
    if (service.as_str(), name.as_str()) == ("ecs", "update-service") {
        return (after..view.len()).any(|word| view.is(word, "--force-new-deployment"));
    }
    REDEPLOYMENTS.contains(&(&service, &name))
}

/// Whether the command registers a definition, which later commands then deploy.
pub(super) fn registers(view: &View<'_>) -> bool {
    view.program == "aws"
        && operation(view).is_some_and(|(_, name, _)| {
            matches!(
                name.as_str(),
                "register-task-definition" | "register-job-definition" | "update-function-code"
            )
        })
}

/// The files with the task definitions that `aws ecs register-task-definition` is given, without `file://`; also those
/// that `cat` puts into the command.
pub(super) fn registered(view: &View<'_>) -> Vec<SmolStr> {
    let given = operation(view).filter(|(service, name, _)| {
        view.program == "aws" && service == "ecs" && name == "register-task-definition"
    });
    let Some((.., after)) = given else {
        return Vec::new();
    };
    (after..view.len())
        .filter_map(|word| match view.literal(word) {
            Some(text) => Some(SmolStr::from(text.split_once("file://")?.1)),
            None => read_in(view.command.words.get(word)?.span.of(view.script)),
        })
        .collect()
}

/// The file in `"$(cat FILE)"`.
fn read_in(word: &str) -> Option<SmolStr> {
    let inner = word
        .trim_matches('"')
        .strip_prefix("$(")?
        .strip_suffix(')')?;
    let inner = inner.trim();
    let path = inner
        .strip_prefix("cat ")
        .or(inner.strip_prefix('<'))?
        .trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    (!path.is_empty() && path.chars().all(plain)).then(|| path.into())
}

/// A value of an option: the word from `start` of its shape on.
pub(super) struct Value<'a> {
    pub(super) shape: Shape<'a>,
    pub(super) start: usize,
    pub(super) word: usize,
}

impl Value<'_> {
    fn text(&self) -> &str {
        &self.shape.text[self.start..]
    }

    fn whole(&self) -> Option<super::words::Slice> {
        self.shape.tail(self.start, Some(self.word))
    }

    fn span(&self) -> Option<tagwright_syntax::Span> {
        self.whole().map(|slice| slice.span)
    }

    /// Ranges of the text under the keys, in JSON or in shorthand.
    fn keyed(&self, keys: &[&str]) -> Vec<std::ops::Range<usize>> {
        let found = json::values(self.text(), keys);
        let found = if found.is_empty() {
            json::shorthand(self.text(), keys)
        } else {
            found
        };
        found.into_iter().map(|(_, range)| range).collect()
    }

    fn cut(&self, range: std::ops::Range<usize>) -> Option<super::words::Slice> {
        self.shape.slice(
            self.start + range.start..self.start + range.end,
            Some(self.word),
        )
    }
}

/// The values of an option: all words up to the next one that starts with two dashes.
pub(super) fn values<'a>(view: &View<'a>, from: usize, option: &str) -> Vec<Value<'a>> {
    let mut found = Vec::new();
    let mut taking = false;
    for word in from..view.len() {
        let shape = view.shape(word);
        if shape.text.starts_with("--") {
            taking = shape.text == option;
            let attached = shape
                .text
                .strip_prefix(option)
                .and_then(|rest| rest.strip_prefix('='));
            if attached.is_some() {
                let start = option.len() + 1;
                found.push(Value { shape, start, word });
                taking = true;
            }
        } else if taking {
            found.push(Value {
                shape,
                start: 0,
                word,
            });
        }
    }
    found
}

/// `Key=value`, several of them in one word, `ParameterKey=Key,ParameterValue=value`, or a JSON list of these.
pub(super) fn parameter(shape: &Shape, start: usize, word: usize, found: &mut Found) {
    let text = &shape.text[start..];
    let mut emit = |key: &str, from: usize, to: usize| {
        let Some(value) = shape.slice(start + from..start + to, Some(word)) else {
            return;
        };
        if let Some(form) = by_key(key, &value) {
            found.slice(Role::Deploy, Tool::CloudFormation, form, &value);
        }
    };
    let names = ["ParameterKey", "ParameterValue"];
    let mut pairs = json::values(text, &names);
    if pairs.is_empty() {
        pairs = json::shorthand(text, &names);
    }
    if !pairs.is_empty() {
        for pair in pairs.windows(2) {
            if let [(0, key), (1, value)] = pair {
                emit(&text[key.clone()], value.start, value.end);
            }
        }
        return;
    }
    // A JSON list of `"Key=value"` falls apart at the same places.
    let mut from = 0;
    for piece in text.split([' ', '\n', '[', ']', ',', '"']) {
        if let Some((key, value)) = piece.split_once('=') {
            let at = from + key.len() + 1;
            let key = key.rsplit(':').next().unwrap_or(key);
            emit(key, at, at + value.len());
        }
        from += piece.len() + 1;
    }
}

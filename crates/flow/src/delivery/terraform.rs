//! Deliveries in Terraform: resources that are written out. A file whose language is not understood to its
//! end, and everything that a module, a loop or a function makes, is left out.

use tagwright_syntax::Span;

use super::cloudformation::without_substitutions;
use super::hcl::{self, Attribute, Block, Body};
use super::terraform_iam;
use super::{
    Action, BuildspecOf, DeliveryFacts, Gate, Passed, Pipeline, Project, Run, Setting, Stage,
    Trigger, Value, is_path,
};

/// What the file says of deliveries.
pub(crate) fn read(text: &str) -> DeliveryFacts {
    let mut facts = DeliveryFacts::default();
    let Some(file) = hcl::file(text) else {
        return facts;
    };
    for block in file.blocks("resource") {
        match block.labels[..] {
            ["aws_codepipeline", name] => facts.pipelines.push(pipeline(text, block, name)),
            ["aws_codebuild_project", name] => {
                let project = project(text, block, name);
                facts.runs.push(run(block, name, &project));
                facts.projects.push(project);
            }
            _ => {}
        }
    }
    facts.grants = terraform_iam::grants(&file);
    facts
}

fn header(text: &str, block: &Block<'_>) -> Span {
    let length = text[block.start..].lines().next().unwrap_or("").len();
    Span::new(block.start, block.start + length)
}

fn span(attribute: Attribute<'_>) -> Span {
    Span::new(attribute.start, attribute.start + attribute.value.len())
}

/// A string without expressions, a reference to something else, or unknown.
pub(super) fn value(expression: &str) -> Value {
    let inner = expression
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let address = match inner {
        Some(text) if !text.contains(['$', '%', '\\', '"']) => return Value::Text(text.into()),
        Some(text) => text
            .strip_prefix("${")
            .and_then(|text| text.strip_suffix('}')),
        None => Some(expression),
    };
    let Some(address) = address.map(str::trim) else {
        return Value::Unknown;
    };
    let is_address = address.contains('.')
        && address
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if !is_address {
        return Value::Unknown;
    }
    // `resource.name.id` and `resource.name.name` mean the resource.
    let resource = [".id", ".name", ".arn"]
        .iter()
        .find_map(|end| address.strip_suffix(end))
        .filter(|_| address.starts_with("aws_"))
        .unwrap_or(address);
    Value::Reference(resource.into())
}

pub(super) fn text_of(body: &Body<'_>, name: &str) -> Option<Box<str>> {
    match value(body.attribute(name)?.value) {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// Whether a block is made as often as something else says.
pub(super) fn is_repeated(body: &Body<'_>) -> bool {
    body.attribute("for_each").is_some() || body.attribute("count").is_some()
}

fn pipeline(text: &str, block: &Block<'_>, name: &str) -> Pipeline {
    let body = &block.body;
    let mut whole = !is_repeated(body) && body.blocks("dynamic").next().is_none();
    let mut stages = Vec::new();
    for stage in body.blocks("stage") {
        whole &= stage.body.blocks("dynamic").next().is_none();
        let mut actions = Vec::new();
        for block in stage.body.blocks("action") {
            actions.push(action(text, block, &mut whole));
        }
        let gate = stage.body.blocks("before_entry").next();
        let name = stage.body.attribute("name");
        stages.push(Stage {
            name: text_of(&stage.body, "name").unwrap_or_default(),
            span: name.map_or_else(|| header(text, stage), span),
            gate: match gate {
                None => Gate::Open,
                Some(gate)
                    if gate
                        .body
                        .blocks("condition")
                        .all(|it| text_of(&it.body, "result").as_deref() == Some("SKIP")) =>
                {
                    Gate::Skips
                }
                Some(_) => Gate::Stops,
            },
            actions,
            references: Vec::new(),
        });
    }
    let mut variables = Vec::new();
    for variable in body.blocks("variable") {
        match text_of(&variable.body, "name") {
            Some(name) => variables.push(name),
            None => whole = false,
        }
    }
    let mut trigger_branches = Vec::new();
    for branches in body
        .blocks("trigger")
        .flat_map(|it| it.body.blocks("git_configuration"))
        .flat_map(|it| it.body.blocks("push"))
        .flat_map(|it| it.body.blocks("branches"))
    {
        let includes = branches
            .body
            .attribute("includes")
            .and_then(|it| hcl::items(it.value, it.start));
        for (item, start) in includes.unwrap_or_default() {
            if let Value::Text(pattern) = value(item) {
                trigger_branches.push(Trigger {
                    pattern,
                    span: Span::new(start, start + item.len()),
                });
            }
        }
    }
    Pipeline {
        name: text_of(body, "name").unwrap_or_else(|| name.into()),
        span: header(text, block),
        stages,
        variables,
        trigger_branches,
        whole,
    }
}

fn action(text: &str, block: &Block<'_>, whole: &mut bool) -> Action {
    let body = &block.body;
    let namespace = body.attribute("namespace").map(|it| value(it.value));
    if !matches!(namespace, None | Some(Value::Text(_))) {
        *whole = false;
    }
    let configuration = body.attribute("configuration");
    let object = configuration.and_then(|it| hcl::object(it.value, it.start));
    if configuration.is_some() && object.is_none() {
        *whole = false;
    }
    let mut settings = Vec::new();
    let mut references = Vec::new();
    let mut passed = if configuration.is_some() && object.is_none() {
        None
    } else {
        Some(Vec::new())
    };
    for attribute in object.map_or_else(Vec::new, |object| object.attributes) {
        references.extend(super::references(text, span(attribute)));
        if attribute.name == "EnvironmentVariables" {
            passed = passed_by(attribute);
        }
        settings.push(Setting {
            key: attribute.name.into(),
            value: value(attribute.value),
            span: span(attribute),
        });
    }
    let artifacts = |name: &str| -> Vec<Box<str>> {
        body.attribute(name)
            .and_then(|it| hcl::items(it.value, it.start))
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(item, _)| match value(item) {
                Value::Text(name) => Some(name),
                _ => None,
            })
            .collect()
    };
    let name = body.attribute("name");
    Action {
        name: text_of(body, "name").unwrap_or_default(),
        span: name.map_or_else(|| header(text, block), span),
        category: text_of(body, "category").unwrap_or_default(),
        provider: text_of(body, "provider").unwrap_or_default(),
        namespace: match namespace {
            Some(Value::Text(name)) => Some(name),
            _ => None,
        },
        run_order: body
            .attribute("run_order")
            .and_then(|it| it.value.parse().ok())
            .unwrap_or(1),
        settings,
        references,
        passed,
        inputs: artifacts("input_artifacts"),
        outputs: artifacts("output_artifacts"),
    }
}

/// The variables of `jsonencode([{ name = …, value = … }])`; `None` if it is written in another way.
fn passed_by(attribute: Attribute<'_>) -> Option<Vec<Passed>> {
    let inner = attribute
        .value
        .strip_prefix("jsonencode(")?
        .strip_suffix(')')?;
    hcl::items(inner, 0)?
        .into_iter()
        .map(|(item, start)| {
            let object = hcl::object(item, start)?;
            Some(Passed {
                name: text_of(&object, "name")?,
                value: text_of(&object, "value").unwrap_or_default(),
            })
        })
        .collect()
}

fn project(text: &str, block: &Block<'_>, name: &str) -> Project {
    let body = &block.body;
    let mut whole = !is_repeated(body);
    let mut variables = Vec::new();
    let mut references = Vec::new();
    for environment in body.blocks("environment") {
        whole &= environment.body.blocks("dynamic").next().is_none();
        for variable in environment.body.blocks("environment_variable") {
            match text_of(&variable.body, "name") {
                Some(name) => variables.push(name),
                None => whole = false,
            }
            if let Some(value) = variable.body.attribute("value") {
                references.extend(super::references(text, span(value)));
            }
        }
    }
    let source = body.blocks("source").next();
    let spec = source.and_then(|it| it.body.attribute("buildspec"));
    let buildspec = match spec.map(|it| (it.value, value(it.value))) {
        None if source.is_some() => BuildspecOf::Default,
        None => BuildspecOf::Unknown,
        Some((_, Value::Text(text))) if is_path(&text) => {
            BuildspecOf::File(text.trim_start_matches("./").into())
        }
        Some((expression, _)) => {
            file_of(expression).map_or(BuildspecOf::Unknown, BuildspecOf::File)
        }
    };
    Project {
        address: Value::Reference(format!("aws_codebuild_project.{name}").into()),
        name: body
            .attribute("name")
            .map_or(Value::Unknown, |it| value(it.value)),
        span: header(text, block),
        variables,
        whole,
        references,
        buildspec,
    }
}

/// The image that the project builds in.
fn run(block: &Block<'_>, name: &str, project: &Project) -> Run {
    let mut environments = block.body.blocks("environment");
    let image = environments
        .next()
        .filter(|_| environments.next().is_none() && !is_repeated(&block.body))
        .and_then(|it| it.body.attribute("image"));
    Run {
        of: format!("the project `{name}`").into(),
        image: image.map_or(Value::Unknown, |it| value(it.value)),
        span: image.map_or(project.span, span),
        buildspec: project.buildspec.clone(),
        text: None,
    }
}

/// The file of `file("${path.module}/x.yml")`, as far as it is written out.
fn file_of(expression: &str) -> Option<Box<str>> {
    let inner = expression.strip_prefix("file(\"")?.strip_suffix("\")")?;
    let plain = without_substitutions(inner);
    let path = plain.rsplit(super::UNKNOWN).next()?;
    let path = path
        .trim_start_matches("../")
        .trim_start_matches(['/', '.']);
    let path = path.trim_start_matches("../");
    is_path(path).then(|| path.into())
}

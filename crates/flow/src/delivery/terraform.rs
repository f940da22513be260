//! Deliveries in Terraform: resources that are written out. A file whose language is not understood to its
//! end, and everything that a module, a loop or a function makes, is left out.

use tagwright_syntax::hcl::{Block, Body, Expression, ExpressionKind, PartKind};

use super::cloudformation;
use super::terraform_iam;
use super::terraform_inline;
use super::{
    Action, BuildspecOf, DeliveryFacts, EnvironmentVariable, Gate, Passed, Pipeline, Project,
    Reference, Run, Setting, Slot, Stage, Trigger, UNKNOWN, Value, Variables, VariablesForm,
    is_path,
};

/// What the file says of deliveries.
pub(crate) fn read(text: &str, file: &Body) -> DeliveryFacts {
    let mut facts = DeliveryFacts::default();
    for block in file.blocks("resource") {
        let [kind, name] = &block.labels[..] else {
            continue;
        };
        match &**kind {
            "aws_codepipeline" => facts.pipelines.push(pipeline(text, block, name)),
            "aws_codebuild_project" => {
                let project = project(text, block, name);
                facts.runs.push(run(block, name, &project));
                facts.projects.push(project);
            }
            "aws_ecs_task_definition" => facts.containers.extend(containers(&block.body)),
            _ => {}
        }
    }
    facts.grants = terraform_iam::grants(text, file);
    facts
}

/// A string without expressions, a reference to something else, or unknown.
pub(crate) fn value(expression: &Expression) -> Value {
    if let Some(text) = expression.text() {
        // `$${` is a dollar sign and a brace, which whoever gets the text may expand.
        return match text.contains('$') {
            false => Value::Text(text.into()),
            true => Value::Unknown,
        };
    }
    let address = match &expression.kind {
        ExpressionKind::Address(address) => address,
        ExpressionKind::Template(parts) => match &parts[..] {
            [part] => match &part.kind {
                PartKind::Value(inner) => return value(inner),
                _ => return Value::Unknown,
            },
            _ => return Value::Unknown,
        },
        _ => return Value::Unknown,
    };
    if !address.contains('.') {
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

pub(super) fn text_of(body: &Body, name: &str) -> Option<Box<str>> {
    text(body.value(name)?)
}

fn text(expression: &Expression) -> Option<Box<str>> {
    match value(expression) {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The places in the texts of an expression that read a variable of a pipeline.
fn references(file: &str, expression: &Expression) -> Vec<Reference> {
    let mut found = Vec::new();
    expression.every(&mut |it| {
        if let ExpressionKind::Text(_) = it.kind {
            found.extend(super::references(file, it.span));
        }
        for part in it.parts().unwrap_or_default() {
            if let PartKind::Text(_) = part.kind {
                found.extend(super::references(file, part.span));
            }
        }
    });
    found
}

fn pipeline(text: &str, block: &Block, name: &str) -> Pipeline {
    let body = &block.body;
    let mut listed = !block.is_repeated() && body.blocks("dynamic").next().is_none();
    let mut stages = Vec::new();
    for stage in body.blocks("stage") {
        listed &= stage.body.blocks("dynamic").next().is_none();
        let mut actions = Vec::new();
        for block in stage.body.blocks("action") {
            actions.push(action(text, block, &mut listed));
        }
        let gate = stage.body.blocks("before_entry").next();
        let name = stage.body.value("name");
        stages.push(Stage {
            name: text_of(&stage.body, "name").unwrap_or_default(),
            span: name.map_or(stage.header, |it| it.span),
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
            None => listed = false,
        }
    }
    let mut trigger_branches = Vec::new();
    for branches in body
        .blocks("trigger")
        .flat_map(|it| it.body.blocks("git_configuration"))
        .flat_map(|it| it.body.blocks("push"))
        .flat_map(|it| it.body.blocks("branches"))
    {
        let includes = branches.body.value("includes").and_then(Expression::items);
        for item in includes.unwrap_or_default() {
            if let Some(pattern) = self::text(item) {
                let span = item.span;
                trigger_branches.push(Trigger { pattern, span });
            }
        }
    }
    Pipeline {
        name: text_of(body, "name").unwrap_or_else(|| name.into()),
        span: block.header,
        variables,
        trigger_branches,
        mode: body
            .value("execution_mode")
            .map_or(Value::Text("SUPERSEDED".into()), value),
        whole: listed && super::are_whole(&stages),
        listed,
        stages,
    }
}

fn action(text: &str, block: &Block, listed: &mut bool) -> Action {
    let body = &block.body;
    let namespace = body.value("namespace").map(value);
    if !matches!(namespace, None | Some(Value::Text(_))) {
        *listed = false;
    }
    let configuration = body.value("configuration");
    let entries = match configuration {
        None => Some(&[][..]),
        Some(it) => it.entries(),
    };
    let mut settings_whole = entries.is_some();
    let mut settings = Vec::new();
    let mut references = Vec::new();
    let mut passed = entries.map(|_| Vec::new());
    let mut variables = None;
    for entry in entries.unwrap_or_default() {
        let Some(key) = &entry.key else {
            settings_whole = false;
            passed = None;
            continue;
        };
        references.extend(self::references(text, &entry.value));
        if &**key == "EnvironmentVariables" {
            passed = passed_by(&entry.value);
            variables = self::variables(&entry.value);
        }
        settings.push(Setting {
            key: key.clone(),
            value: value(&entry.value),
            span: entry.value.span,
        });
    }
    let artifacts = |name: &str| -> Vec<Box<str>> {
        let items = body.value(name).and_then(Expression::items);
        let items = items.unwrap_or_default().iter();
        items.filter_map(self::text).collect()
    };
    Action {
        name: text_of(body, "name").unwrap_or_default(),
        span: body.value("name").map_or(block.header, |it| it.span),
        category: text_of(body, "category").unwrap_or_default(),
        provider: text_of(body, "provider").unwrap_or_default(),
        namespace: match &namespace {
            Some(Value::Text(name)) => Some(name.clone()),
            _ => None,
        },
        run_order: body
            .value("run_order")
            .and_then(|it| it.text().unwrap_or(it.span.of(text)).parse().ok())
            .unwrap_or(1),
        settings,
        settings_whole,
        references,
        passed,
        variables,
        inputs: artifacts("input_artifacts"),
        outputs: artifacts("output_artifacts"),
        namespace_slot: match body.attribute("name") {
            Some(name) if namespace.is_none() => {
                Slot::Behind(name.name_span.cover(name.value.span))
            }
            _ => Slot::Unknown,
        },
        variables_slot: configuration.map_or(Slot::Unknown, variables_slot),
        outputs_whole: body.value("output_artifacts").is_none_or(|it| {
            it.items()
                .is_some_and(|items| items.iter().all(|item| self::text(item).is_some()))
        }),
    }
}

/// Where an action's `EnvironmentVariables` are written as `jsonencode([…])`, or can be.
fn variables_slot(configuration: &Expression) -> Slot {
    let entries = configuration.entries().unwrap_or_default();
    let entry = |key: &str| entries.iter().find(|it| it.key.as_deref() == Some(key));
    let Some(variables) = configuration.get("EnvironmentVariables") else {
        return entry("ProjectName").map_or(Slot::Unknown, |it| Slot::Behind(it.span));
    };
    let list = match variables.call("jsonencode") {
        Some([list]) => list,
        _ => return Slot::Unknown,
    };
    match list.items().and_then(<[_]>::last) {
        Some(item) => Slot::ItemBehind {
            item: item.span,
            list: list.span,
        },
        None => Slot::Unknown,
    }
}

/// What `jsonencode` makes of the value, with [`UNKNOWN`] in the place of each part that is not written out.
fn encode(value: &Expression, text: &mut String) {
    let quoted = |part: &str, text: &mut String| {
        text.push('"');
        text.push_str(&terraform_inline::json_of(part));
        text.push('"');
    };
    if let Some(items) = value.items() {
        text.push('[');
        for (at, item) in items.iter().enumerate() {
            text.push_str(if at > 0 { "," } else { "" });
            encode(item, text);
        }
        text.push(']');
    } else if let Some(entries) = value.entries() {
        text.push('{');
        for (at, entry) in entries.iter().enumerate() {
            text.push_str(if at > 0 { "," } else { "" });
            match &entry.key {
                Some(key) => quoted(key, text),
                None => text.push(UNKNOWN),
            }
            text.push(':');
            let before = text.len();
            encode(&entry.value, text);
            // What is computed in the place of an object's value is a text as likely as not.
            if text.get(before..) == Some(UNKNOWN.encode_utf8(&mut [0; 4])) {
                text.truncate(before);
                quoted(UNKNOWN.encode_utf8(&mut [0; 4]), text);
            }
        }
        text.push('}');
    } else if let Some(part) = value.joined(UNKNOWN) {
        quoted(&part, text);
    } else {
        text.push(UNKNOWN);
    }
}

/// What stands in the place of an action's `EnvironmentVariables`, as far as it is written out.
fn variables(expression: &Expression) -> Option<Variables> {
    let form = if let Some(text) = expression.joined(UNKNOWN) {
        VariablesForm::Text(text.into())
    } else if let Some([value]) = expression.call("jsonencode") {
        let mut text = String::new();
        encode(value, &mut text);
        VariablesForm::Text(text.into())
    } else if expression.items().is_some() {
        VariablesForm::List
    } else if expression.entries().is_some() {
        VariablesForm::Object
    } else {
        return None;
    };
    let span = expression.span;
    Some(Variables { span, form })
}

/// The variables of `jsonencode([{ name = …, value = … }])`, or of the JSON text; `None` if they are written
/// in another way.
fn passed_by(expression: &Expression) -> Option<Vec<Passed>> {
    if let Some(json) = expression.joined(UNKNOWN) {
        return cloudformation::passed_by(&json);
    }
    let [list] = expression.call("jsonencode")? else {
        return None;
    };
    list.items()?
        .iter()
        .map(|item| {
            Some(Passed {
                name: text(item.get("name")?)?,
                value: item.get("value").and_then(text).unwrap_or_default(),
            })
        })
        .collect()
}

fn project(text: &str, block: &Block, name: &str) -> Project {
    let body = &block.body;
    let mut whole = !block.is_repeated();
    let mut variables = Vec::new();
    let mut references = Vec::new();
    for environment in body.blocks("environment") {
        whole &= environment.body.blocks("dynamic").next().is_none();
        for variable in environment.body.blocks("environment_variable") {
            let written = variable.body.value("value");
            let kind = variable.body.value("type");
            match text_of(&variable.body, "name") {
                Some(name) => variables.push(EnvironmentVariable {
                    name,
                    value: written
                        .filter(|_| super::is_plain(kind.map(|it| it.text().unwrap_or(""))))
                        .map_or(Value::Unknown, value),
                    span: written.map_or(variable.header, |it| it.span),
                }),
                None => whole = false,
            }
            if let Some(value) = written {
                references.extend(self::references(text, value));
            }
        }
    }
    let source = body.blocks("source").next();
    let spec = source.and_then(|it| it.body.value("buildspec"));
    let buildspec = match spec.map(|it| (it, value(it))) {
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
        name: body.value("name").map_or(Value::Unknown, value),
        span: block.header,
        variables,
        whole,
        privileged: privileged(text, body),
        malformed: Vec::new(),
        source: source
            .and_then(|it| it.body.value("type"))
            .map_or(Value::Unknown, value),
        text: spec
            .and_then(|it| terraform_inline::read(text, it))
            .map(|it| it.span),
        references,
        buildspec,
    }
}

/// The names of the containers of a task definition.
fn containers(body: &Body) -> Vec<Value> {
    let definitions = body.value("container_definitions");
    let list = definitions.and_then(|it| match it.call("jsonencode") {
        Some([list]) => list.items(),
        _ => None,
    });
    match list {
        Some(items) => items
            .iter()
            .map(|item| item.get("name").map_or(Value::Unknown, value))
            .collect(),
        None => vec![Value::Unknown],
    }
}

/// Whether the project's builds may run a Docker daemon, which only containers of Linux can.
fn privileged(text: &str, body: &Body) -> Option<bool> {
    let mut environments = body.blocks("environment");
    let environment = &environments.next()?.body;
    let kind = text_of(environment, "type")?;
    let linux = matches!(
        &*kind,
        "LINUX_CONTAINER" | "LINUX_GPU_CONTAINER" | "ARM_CONTAINER"
    );
    let elsewhere = ["fleet", "docker_server"];
    if text_of(environment, "image").is_some_and(|it| it.starts_with(super::DOCKER_IMAGES)) {
        return None;
    }
    if !linux
        || environments.next().is_some()
        || elsewhere
            .iter()
            .any(|it| environment.blocks(it).next().is_some())
        || environment
            .blocks("dynamic")
            .any(|it| elsewhere.iter().any(|name| it.is_labelled(&[name])))
    {
        return None;
    }
    let Some(setting) = environment.value("privileged_mode") else {
        return Some(false);
    };
    let written = match &setting.kind {
        ExpressionKind::Text(text) => text,
        ExpressionKind::Word => setting.span.of(text),
        _ => return None,
    };
    match written {
        "false" => Some(false),
        "true" => Some(true),
        _ => None,
    }
}

/// The image that the project builds in.
fn run(block: &Block, name: &str, project: &Project) -> Run {
    let mut environments = block.body.blocks("environment");
    let image = environments
        .next()
        .filter(|_| environments.next().is_none() && !block.is_repeated())
        .and_then(|it| it.body.value("image"));
    Run {
        of: format!("the project `{name}`").into(),
        image: image.map_or(Value::Unknown, value),
        span: image.map_or(project.span, |it| it.span),
        buildspec: project.buildspec.clone(),
        text: project.text,
    }
}

/// The file of `file("${path.module}/x.yml")`, as far as it is written out.
fn file_of(expression: &Expression) -> Option<Box<str>> {
    let [argument] = expression.call("file")? else {
        return None;
    };
    let plain = argument.joined(UNKNOWN)?;
    let path = plain.rsplit(UNKNOWN).next()?;
    let path = path
        .trim_start_matches("../")
        .trim_start_matches(['/', '.']);
    let path = path.trim_start_matches("../");
    is_path(path).then(|| path.into())
}

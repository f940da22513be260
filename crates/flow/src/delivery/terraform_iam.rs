//! Who may push where, in Terraform: policies of roles whose statements are written out. What a variable, a
//! loop or a function decides, and whatever a condition or a denial may take back, is left out.

use tagwright_syntax::Span;
use tagwright_syntax::yaml;

use super::cloudformation::without_substitutions;
use super::hcl::{self, Attribute, Block, Body};
use super::terraform::{is_repeated, text_of, value};
use super::{Grant, Value};

/// A repository that a policy lets its holder push to, and where it is named.
type Place = (Box<str>, Span);

/// What the roles of the file may push to.
pub(crate) fn grants(file: &Body<'_>) -> Vec<Grant> {
    let mut grants = Vec::new();
    let mut grant = |role: Option<Box<str>>, policy: Option<Attribute<'_>>| {
        let (Some(role), Some(policy)) = (role, policy) else {
            return;
        };
        let places = places(file, policy).into_iter();
        grants.extend(places.map(|(repository, span)| Grant {
            role: role.clone(),
            repository: Value::Text(repository),
            span,
        }));
    };
    for block in file.blocks("resource") {
        let body = &block.body;
        if is_repeated(body) {
            continue;
        }
        let role = || role_name(file, body.attribute("role")?);
        match block.labels[..] {
            ["aws_iam_role_policy", _] => grant(role(), body.attribute("policy")),
            ["aws_iam_role_policy_attachment", _] => {
                let policy = body
                    .attribute("policy_arn")
                    .and_then(|it| named(file, "aws_iam_policy", it));
                grant(role(), policy.and_then(|it| it.body.attribute("policy")));
            }
            ["aws_iam_role", label] => {
                for inline in body.blocks("inline_policy") {
                    let name = text_of(body, "name").unwrap_or_else(|| label.into());
                    grant(Some(name), inline.body.attribute("policy"));
                }
            }
            _ => {}
        }
    }
    grants
}

/// The resource of this kind that an expression refers to.
fn named<'b, 'a>(
    file: &'b Body<'a>,
    kind: &str,
    expression: Attribute<'_>,
) -> Option<&'b Block<'a>> {
    let Value::Reference(address) = value(expression.value) else {
        return None;
    };
    let label = address.strip_prefix(kind)?.strip_prefix('.')?;
    file.blocks("resource")
        .find(|block| block.labels[..] == [kind, label] && !is_repeated(&block.body))
}

/// The role's name, or what the file calls it.
fn role_name(file: &Body<'_>, role: Attribute<'_>) -> Option<Box<str>> {
    match value(role.value) {
        Value::Text(name) => Some(name),
        Value::Reference(address) => {
            let label = address.strip_prefix("aws_iam_role.")?;
            let own = named(file, "aws_iam_role", role).and_then(|it| text_of(&it.body, "name"));
            Some(own.unwrap_or_else(|| label.into()))
        }
        Value::Unknown => None,
    }
}

/// The repositories that a policy lets its holder push to.
fn places(file: &Body<'_>, policy: Attribute<'_>) -> Vec<Place> {
    if let Some(inner) = policy
        .value
        .strip_prefix("jsonencode(")
        .and_then(|inner| inner.strip_suffix(')'))
    {
        let start = policy.start + "jsonencode(".len();
        return of_object(file, inner, start).unwrap_or_default();
    }
    if policy.value.starts_with("<<") {
        return of_json(policy).unwrap_or_default();
    }
    let label = policy
        .value
        .strip_prefix("data.aws_iam_policy_document.")
        .and_then(|rest| rest.strip_suffix(".json"));
    let document = label.and_then(|label| {
        file.blocks("data")
            .find(|block| block.labels[..] == ["aws_iam_policy_document", label])
    });
    document
        .and_then(|block| of_document(file, &block.body))
        .unwrap_or_default()
}

/// The blocks of an `aws_iam_policy_document`.
fn of_document(file: &Body<'_>, document: &Body<'_>) -> Option<Vec<Place>> {
    let others = document.blocks("dynamic").next().is_some()
        || is_repeated(document)
        || document.attribute("override_policy_documents").is_some();
    if others {
        return None;
    }
    let mut places = Vec::new();
    for statement in document.blocks("statement") {
        let body = &statement.body;
        let effect = body.attribute("effect");
        if effect.is_some_and(|it| !is_text(it, "Allow")) {
            return None;
        }
        let conditions =
            body.blocks("condition").next().is_some() || body.blocks("dynamic").next().is_some();
        let actions = body.attribute("actions").filter(|_| !conditions);
        if let (Some(actions), Some(resources)) = (actions, body.attribute("resources")) {
            places.extend(of_statement(file, actions, resources));
        }
    }
    Some(places)
}

/// `{ Statement = [{ Effect = …, Action = …, Resource = … }] }`.
fn of_object(file: &Body<'_>, object: &str, start: usize) -> Option<Vec<Place>> {
    let document = hcl::object(object, start)?;
    let statements = document.attribute("Statement")?;
    let mut places = Vec::new();
    for (statement, start) in one_or_more(statements) {
        let body = hcl::object(statement, start)?;
        if !body
            .attribute("Effect")
            .is_some_and(|it| is_text(it, "Allow"))
        {
            return None;
        }
        let actions = body.attribute("Action");
        let actions = actions.filter(|_| body.attribute("Condition").is_none());
        if let (Some(actions), Some(resources)) = (actions, body.attribute("Resource")) {
            places.extend(of_statement(file, actions, resources));
        }
    }
    Some(places)
}

/// A policy written as JSON in a here-document.
fn of_json(policy: Attribute<'_>) -> Option<Vec<Place>> {
    let (first, rest) = policy.value.split_once('\n')?;
    let body = &rest[..rest.rfind('\n')?];
    let start = policy.start + first.len() + 1;
    // JSON is YAML, as far as it matters here.
    let tree = yaml::parse(body);
    if tree.error().is_some() {
        return None;
    }
    let mut places = Vec::new();
    for statement in super::one_or_more(&tree, tree.get(tree.root()?, "Statement")?) {
        if tree.text(tree.get(statement, "Effect")?)? != "Allow" {
            return None;
        }
        let pushes = tree.get(statement, "Action").is_some_and(|actions| {
            super::one_or_more(&tree, actions)
                .iter()
                .any(|id| tree.text(*id).is_some_and(super::pushes))
        });
        let Some(resources) = tree.get(statement, "Resource").filter(|_| pushes) else {
            continue;
        };
        if tree.get(statement, "Condition").is_some() {
            continue;
        }
        for id in super::one_or_more(&tree, resources) {
            let arn = tree.text(id).map(without_substitutions);
            let Some(name) = arn.as_deref().and_then(super::repository_of_arn) else {
                continue;
            };
            let inner = tree.node(id).span.range();
            places.push((
                name.into(),
                Span::new(start + inner.start, start + inner.end),
            ));
        }
    }
    Some(places)
}

/// The repositories of a statement that allows to push.
fn of_statement(file: &Body<'_>, actions: Attribute<'_>, resources: Attribute<'_>) -> Vec<Place> {
    let pushes = one_or_more(actions)
        .iter()
        .any(|(action, _)| matches!(value(action), Value::Text(name) if super::pushes(&name)));
    if !pushes {
        return Vec::new();
    }
    one_or_more(resources)
        .into_iter()
        .filter_map(|(resource, start)| {
            let name = repository(file, resource, start)?;
            Some((name, Span::new(start, start + resource.len())))
        })
        .collect()
}

/// The items of a list, or the one value in its place, each with its start.
fn one_or_more(attribute: Attribute<'_>) -> Vec<(&str, usize)> {
    let (text, start) = (attribute.value, attribute.start);
    hcl::items(text, start).unwrap_or_else(|| vec![(text, start)])
}

/// The name of the repository that a resource of a statement names.
fn repository(file: &Body<'_>, resource: &str, start: usize) -> Option<Box<str>> {
    let expression = Attribute {
        name: "",
        value: resource,
        start,
    };
    if let Some(declared) = named(file, "aws_ecr_repository", expression) {
        return text_of(&declared.body, "name");
    }
    let inner = resource.strip_prefix('"')?.strip_suffix('"')?;
    super::repository_of_arn(&without_substitutions(inner)).map(Into::into)
}

fn is_text(attribute: Attribute<'_>, text: &str) -> bool {
    matches!(value(attribute.value), Value::Text(own) if &*own == text)
}

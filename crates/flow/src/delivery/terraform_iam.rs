//! Who may push where, in Terraform: policies of roles whose statements are written out. What a variable, a
//! loop or a function decides, and whatever a condition or a denial may take back, is left out.

use tagwright_syntax::Span;
use tagwright_syntax::hcl::{Block, Body, Expression, ExpressionKind};
use tagwright_syntax::yaml;

use super::cloudformation::without_substitutions;
use super::terraform::{text_of, value};
use super::{Grant, UNKNOWN, Value};

/// A repository that a policy lets its holder push to, and where it is named.
type Place = (Box<str>, Span);

/// What the roles of the file may push to.
pub(crate) fn grants(text: &str, file: &Body) -> Vec<Grant> {
    let mut grants = Vec::new();
    let mut grant = |role: Option<Box<str>>, policy: Option<&Expression>| {
        let (Some(role), Some(policy)) = (role, policy) else {
            return;
        };
        let places = places(text, file, policy).into_iter();
        grants.extend(places.map(|(repository, span)| Grant {
            role: role.clone(),
            repository: Value::Text(repository),
            span,
        }));
    };
    for block in file.blocks("resource") {
        let body = &block.body;
        if block.is_repeated() {
            continue;
        }
        let role = || role_name(file, body.value("role")?);
        let [kind, label] = &block.labels[..] else {
            continue;
        };
        match &**kind {
            "aws_iam_role_policy" => grant(role(), body.value("policy")),
            "aws_iam_role_policy_attachment" => {
                let policy = body
                    .value("policy_arn")
                    .and_then(|it| named(file, "aws_iam_policy", it));
                grant(role(), policy.and_then(|it| it.body.value("policy")));
            }
            "aws_iam_role" => {
                for inline in body.blocks("inline_policy") {
                    let name = text_of(body, "name").unwrap_or_else(|| label.clone());
                    grant(Some(name), inline.body.value("policy"));
                }
            }
            _ => {}
        }
    }
    grants
}

/// The resource of this kind that an expression refers to.
fn named<'b>(file: &'b Body, kind: &str, expression: &Expression) -> Option<&'b Block> {
    let Value::Reference(address) = value(expression) else {
        return None;
    };
    let label = address.strip_prefix(kind)?.strip_prefix('.')?;
    file.blocks("resource")
        .find(|block| block.is_labelled(&[kind, label]) && !block.is_repeated())
}

/// The role's name, or what the file calls it.
fn role_name(file: &Body, role: &Expression) -> Option<Box<str>> {
    match value(role) {
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
fn places(text: &str, file: &Body, policy: &Expression) -> Vec<Place> {
    if let Some([document]) = policy.call("jsonencode") {
        return of_object(file, document).unwrap_or_default();
    }
    let address = match &policy.kind {
        ExpressionKind::Heredoc(_) => return of_json(text, policy.span).unwrap_or_default(),
        ExpressionKind::Address(address) => address,
        _ => return Vec::new(),
    };
    let label = address
        .strip_prefix("data.aws_iam_policy_document.")
        .and_then(|rest| rest.strip_suffix(".json"));
    let document = label.and_then(|label| {
        file.blocks("data")
            .find(|block| block.is_labelled(&["aws_iam_policy_document", label]))
    });
    document
        .and_then(|block| of_document(file, block))
        .unwrap_or_default()
}

/// The blocks of an `aws_iam_policy_document`.
fn of_document(file: &Body, block: &Block) -> Option<Vec<Place>> {
    let document = &block.body;
    let others = document.blocks("dynamic").next().is_some()
        || block.is_repeated()
        || document.attribute("override_policy_documents").is_some();
    if others {
        return None;
    }
    let mut places = Vec::new();
    for statement in document.blocks("statement") {
        let body = &statement.body;
        let effect = body.value("effect");
        if effect.is_some_and(|it| !is_text(it, "Allow")) {
            return None;
        }
        let conditions =
            body.blocks("condition").next().is_some() || body.blocks("dynamic").next().is_some();
        let actions = body.value("actions").filter(|_| !conditions);
        if let (Some(actions), Some(resources)) = (actions, body.value("resources")) {
            places.extend(of_statement(file, actions, resources));
        }
    }
    Some(places)
}

/// `{ Statement = [{ Effect = …, Action = …, Resource = … }] }`.
fn of_object(file: &Body, document: &Expression) -> Option<Vec<Place>> {
    let statements = document.get("Statement")?;
    let mut places = Vec::new();
    for statement in statements.one_or_more() {
        statement.entries()?;
        if !statement
            .get("Effect")
            .is_some_and(|it| is_text(it, "Allow"))
        {
            return None;
        }
        let actions = statement.get("Action");
        let actions = actions.filter(|_| statement.get("Condition").is_none());
        if let (Some(actions), Some(resources)) = (actions, statement.get("Resource")) {
            places.extend(of_statement(file, actions, resources));
        }
    }
    Some(places)
}

/// A policy written as JSON in a here-document, which stands at `span` of the file.
fn of_json(text: &str, span: Span) -> Option<Vec<Place>> {
    let policy = span.of(text);
    let (first, rest) = policy.split_once('\n')?;
    let body = &rest[..rest.rfind('\n')?];
    let start = span.start as usize + first.len() + 1;
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
fn of_statement(file: &Body, actions: &Expression, resources: &Expression) -> Vec<Place> {
    let pushes = actions
        .one_or_more()
        .iter()
        .any(|action| matches!(value(action), Value::Text(name) if super::pushes(&name)));
    if !pushes {
        return Vec::new();
    }
    resources
        .one_or_more()
        .iter()
        .filter_map(|resource| Some((repository(file, resource)?, resource.span)))
        .collect()
}

/// The name of the repository that a resource of a statement names.
fn repository(file: &Body, resource: &Expression) -> Option<Box<str>> {
    if let Some(declared) = named(file, "aws_ecr_repository", resource) {
        return text_of(&declared.body, "name");
    }
    super::repository_of_arn(&resource.joined(UNKNOWN)?).map(Into::into)
}

fn is_text(expression: &Expression, text: &str) -> bool {
    matches!(value(expression), Value::Text(own) if &*own == text)
}

//! Deliveries in CloudFormation templates, those of SAM and the CDK among them.

use tagwright_syntax::Span;
use tagwright_syntax::yaml::{self, Entry, Mapping, NodeId, NodeKind, Tree};

use super::inline;
use super::{
    Action, BuildspecOf, DeliveryFacts, EnvironmentVariable, Gate, Grant, Passed, Pipeline,
    Project, Reference, Run, Setting, Slot, Stage, Trigger, UNKNOWN, Value, Variables,
    VariablesForm, is_path, one_or_more,
};
use crate::scan::Source;

/// Reads a pipeline resource.
pub(crate) fn pipeline(
    facts: &mut DeliveryFacts,
    source: &Source<'_>,
    resource: Entry,
    properties: NodeId,
) {
    let tree = source.tree;
    let mut listed = true;
    let mut stages = Vec::new();
    match list(tree, properties, "Stages") {
        Some(nodes) => {
            for node in nodes {
                stages.extend(stage(source, *node, &mut listed));
            }
        }
        None => listed = false,
    }
    let mut variables = Vec::new();
    if tree.get(properties, "Variables").is_some() {
        listed &= list(tree, properties, "Variables").is_some();
        for node in list(tree, properties, "Variables").unwrap_or_default() {
            match tree.get(*node, "Name").map(|name| value(tree, name)) {
                Some(Value::Text(name)) => variables.push(name),
                _ => listed = false,
            }
        }
    }
    let mut trigger_branches = Vec::new();
    for trigger in list(tree, properties, "Triggers").unwrap_or_default() {
        let Some(git) = tree.get(*trigger, "GitConfiguration") else {
            continue;
        };
        for event in list(tree, git, "Push").unwrap_or_default() {
            let includes = tree
                .get(*event, "Branches")
                .and_then(|branches| list(tree, branches, "Includes"));
            for node in includes.unwrap_or_default() {
                if let Value::Text(pattern) = value(tree, *node) {
                    trigger_branches.push(Trigger {
                        pattern,
                        span: tree.node(*node).span,
                    });
                }
            }
        }
    }
    facts.pipelines.push(Pipeline {
        name: named(tree, resource.key, tree.get(properties, "Name")),
        span: tree.node(resource.key).span,
        variables,
        trigger_branches,
        mode: tree
            .get(properties, "ExecutionMode")
            .map_or(Value::Text("SUPERSEDED".into()), |id| value(tree, id)),
        whole: listed && super::are_whole(&stages),
        listed,
        stages,
    });
}

/// The name that is written out, or the key of the resource.
fn named(tree: &Tree, key: NodeId, name: Option<NodeId>) -> Box<str> {
    match name.map(|name| value(tree, name)) {
        Some(Value::Text(name)) => name,
        _ => tree.text(key).unwrap_or_default().into(),
    }
}

fn stage(source: &Source<'_>, node: NodeId, listed: &mut bool) -> Option<Stage> {
    let tree = source.tree;
    let Some(nodes) = list(tree, node, "Actions") else {
        *listed = false;
        return None;
    };
    let mut references = Vec::new();
    for key in ["BeforeEntry", "OnSuccess", "OnFailure"] {
        if let Some(conditions) = tree.get(node, key) {
            references.extend(references_below(source, conditions));
        }
    }
    let gate = match tree.get(node, "BeforeEntry") {
        None => Gate::Open,
        Some(before) => match list(tree, before, "Conditions") {
            Some(conditions)
                if conditions.iter().all(|condition| {
                    tree.get(*condition, "Result")
                        .and_then(|id| tree.text(id))
                        .is_some_and(|result| result.eq_ignore_ascii_case("skip"))
                }) =>
            {
                Gate::Skips
            }
            _ => Gate::Stops,
        },
    };
    let name = tree.get(node, "Name");
    let mut actions = Vec::new();
    for node in nodes {
        actions.extend(action(source, *node, listed));
    }
    Some(Stage {
        name: match name.map(|name| value(tree, name)) {
            Some(Value::Text(name)) => name,
            _ => "".into(),
        },
        span: start(source, name.unwrap_or(node)),
        gate,
        actions,
        references,
    })
}

/// The node's bytes, those of its first line only.
fn start(source: &Source<'_>, node: NodeId) -> Span {
    let span = source.tree.node(node).span;
    let first = span.of(source.text).lines().next().unwrap_or("").len();
    Span::new(span.start as usize, span.start as usize + first)
}

fn action(source: &Source<'_>, node: NodeId, listed: &mut bool) -> Option<Action> {
    let tree = source.tree;
    // `Fn::If` and the like in place of an action.
    let Some(kind) = tree.get(node, "ActionTypeId") else {
        *listed = false;
        return None;
    };
    let text = |parent: NodeId, key: &str| -> Box<str> {
        match tree.get(parent, key).map(|id| value(tree, id)) {
            Some(Value::Text(text)) => text,
            _ => "".into(),
        }
    };
    let namespace = match tree.get(node, "Namespace").map(|id| value(tree, id)) {
        None => None,
        Some(Value::Text(text)) => Some(text),
        Some(_) => {
            *listed = false;
            None
        }
    };
    let configuration = tree.get(node, "Configuration");
    let entries = configuration.and_then(|id| tree.mapping(id));
    let settings_whole =
        configuration.is_none() || entries.is_some_and(|map| is_written_out(tree, map));
    let mut settings = Vec::new();
    let mut passed = Some(Vec::new());
    let mut variables = None;
    for entry in entries.map_or(&[][..], |map| &map.entries) {
        let Some(key) = tree.text(entry.key) else {
            continue;
        };
        if key == "EnvironmentVariables" {
            passed = self::passed(tree, entry.value);
            variables = self::variables(tree, entry.value);
        }
        settings.push(Setting {
            key: key.into(),
            value: value(tree, entry.value),
            span: tree.node(entry.value).span,
        });
    }
    if entries.is_some_and(|map| !is_written_out(tree, map)) {
        passed = None;
    }
    let name = tree.get(node, "Name");
    let artifacts = |key: &str| -> Vec<Box<str>> {
        list(tree, node, key)
            .unwrap_or_default()
            .iter()
            .filter_map(|item| match value(tree, tree.get(*item, "Name")?) {
                Value::Text(name) | Value::Reference(name) => Some(name),
                Value::Unknown => None,
            })
            .collect()
    };
    Some(Action {
        name: text(node, "Name"),
        span: start(source, name.unwrap_or(node)),
        category: text(kind, "Category"),
        provider: text(kind, "Provider"),
        namespace,
        run_order: tree
            .get(node, "RunOrder")
            .and_then(|id| tree.text(id))
            .and_then(|text| text.parse().ok())
            .unwrap_or(1),
        settings,
        settings_whole,
        references: configuration.map_or_else(Vec::new, |id| references_below(source, id)),
        passed,
        variables,
        inputs: artifacts("InputArtifacts"),
        outputs: artifacts("OutputArtifacts"),
        namespace_slot: slot(tree, Some(node), "Namespace", "Name"),
        variables_slot: slot(tree, configuration, "EnvironmentVariables", "ProjectName"),
        outputs_whole: outputs_whole(tree, node),
    })
}

/// Whether the names of all output artifacts of an action are written there.
fn outputs_whole(tree: &Tree, action: NodeId) -> bool {
    let name = |item: &NodeId| tree.get(*item, "Name").map(|id| value(tree, id));
    tree.get(action, "OutputArtifacts").is_none()
        || list(tree, action, "OutputArtifacts").is_some_and(|items| {
            items
                .iter()
                .all(|item| matches!(name(item), Some(Value::Text(_))))
        })
}

/// What stands in the place of an action's `EnvironmentVariables`; `None` if a function decides.
fn variables(tree: &Tree, id: NodeId) -> Option<Variables> {
    let node = tree.node(id);
    let form = if let Some(text) = joined(tree, id) {
        VariablesForm::Text(text.into())
    } else {
        match &node.kind {
            _ if node.tag.is_some() => return None,
            NodeKind::Sequence(_) => VariablesForm::List,
            NodeKind::Mapping(map)
                if is_written_out(tree, map) && tree.get(id, "Ref").is_none() =>
            {
                VariablesForm::Object
            }
            _ => return None,
        }
    };
    Some(Variables {
        span: node.span,
        form,
    })
}

/// Where `key` is or can be: behind `neighbour`, or else at the end.
fn slot(tree: &Tree, mapping: Option<NodeId>, key: &str, neighbour: &str) -> Slot {
    let Some((mapping, map)) = mapping.and_then(|id| Some((id, tree.mapping(id)?))) else {
        return Slot::Unknown;
    };
    if let Some(node) = tree.get(mapping, key) {
        return match (value(tree, node), &tree.node(node).kind) {
            (Value::Text(value), NodeKind::Scalar(_)) => Slot::Text { node, value },
            _ => Slot::Unknown,
        };
    }
    let at = |entry: &Entry| tree.text(entry.key) == Some(neighbour);
    let index = map.entries.iter().position(at);
    match u32::try_from(index.map_or(map.entries.len(), |it| it + 1)) {
        Ok(index) if is_written_out(tree, map) => Slot::Entry { mapping, index },
        _ => Slot::Unknown,
    }
}

/// The names of the variables in an action's `EnvironmentVariables`, as far as they are written out.
pub(crate) fn names_passed(tree: &Tree, value: NodeId) -> Vec<Box<str>> {
    let items = tree.sequence(value).map_or(&[][..], |list| &list.items);
    let named = items.iter().filter_map(|item| {
        let name = tree.get(*item, "name").or_else(|| tree.get(*item, "Name"));
        tree.text(name?).map(Into::into)
    });
    let json = joined(tree, value).map_or_else(Vec::new, |json| names_of_json(&json));
    named.chain(json).chain(keys(tree, value)).collect()
}

/// The keys of an object in the place of a list: names that somebody means to pass. That it is refused is said
/// where it stands.
fn keys(tree: &Tree, id: NodeId) -> Vec<Box<str>> {
    let entries = tree.mapping(id).map_or(&[][..], |map| &map.entries);
    let keys = entries.iter().filter_map(|entry| tree.text(entry.key));
    keys.filter(|key| !key.starts_with("Fn::") && *key != "Ref")
        .map(Into::into)
        .collect()
}

/// The same of the text in the place of the list.
pub(crate) fn names_of_json(json: &str) -> Vec<Box<str>> {
    // JSON is YAML, as far as it matters here.
    let tree = yaml::parse(json);
    let items = tree.root().and_then(|root| tree.sequence(root));
    let items = items.map_or(&[][..], |list| &list.items);
    let name = |item: &NodeId| tree.text(tree.get(*item, "name")?).map(Into::into);
    let named = items.iter().filter_map(name);
    named
        .chain(tree.root().into_iter().flat_map(|root| keys(&tree, root)))
        .collect()
}

/// The variables in an action's `EnvironmentVariables`; `None` if they are not written out.
fn passed(tree: &Tree, value: NodeId) -> Option<Vec<Passed>> {
    passed_by(&joined(tree, value)?)
}

/// The variables in the JSON text of an action's `EnvironmentVariables`; `None` if it is no such text.
pub(super) fn passed_by(json: &str) -> Option<Vec<Passed>> {
    // JSON is YAML, as far as it matters here.
    let tree = yaml::parse(json);
    if tree.error().is_some() {
        return None;
    }
    let items = &tree.sequence(tree.root()?)?.items;
    items
        .iter()
        .map(|item| {
            Some(Passed {
                name: tree
                    .text(tree.get(*item, "name")?)
                    .filter(|name| !name.contains([UNKNOWN, '$']))?
                    .into(),
                value: tree
                    .get(*item, "value")
                    .and_then(|id| tree.text(id))
                    .unwrap_or_default()
                    .into(),
            })
        })
        .collect()
}

/// The variables of a project.
struct Set {
    variables: Vec<EnvironmentVariable>,
    /// All are written out.
    whole: bool,
    malformed: Vec<(Box<str>, Span)>,
    references: Vec<Reference>,
}

/// Reads the variables in the environment of a project.
fn project_variables(source: &Source<'_>, environment: Option<NodeId>) -> Set {
    let tree = source.tree;
    let mut whole = true;
    let mut variables = Vec::new();
    let mut malformed = Vec::new();
    let mut references = Vec::new();
    if let Some(node) = environment.and_then(|id| tree.get(id, "EnvironmentVariables")) {
        match tree.sequence(node) {
            Some(items) => {
                for item in &items.items {
                    match tree.get(*item, "Name").map(|id| value(tree, id)) {
                        Some(Value::Text(name)) => {
                            let written = tree.get(*item, "Value");
                            let kind = tree
                                .get(*item, "Type")
                                .map(|id| tree.text(id).unwrap_or(""));
                            variables.push(EnvironmentVariable {
                                name,
                                value: written
                                    .filter(|_| super::is_plain(kind))
                                    .map_or(Value::Unknown, |id| value(tree, id)),
                                span: tree.node(written.unwrap_or(*item)).span,
                            });
                        }
                        Some(_) => whole = false,
                        None => {
                            whole = false;
                            malformed.extend(entry_of_its_own(tree, *item));
                        }
                    }
                    if let Some(value) = tree.get(*item, "Value") {
                        references.extend(references_below(source, value));
                    }
                }
            }
            None => {
                whole = false;
                for name in keys(tree, node) {
                    malformed.push((name, tree.node(node).span));
                }
            }
        }
    } else if let Some(node) = environment {
        whole &= tree
            .mapping(node)
            .is_some_and(|map| is_written_out(tree, map));
    }
    Set {
        variables,
        whole,
        malformed,
        references,
    }
}

/// Reads a build project; `here` if its commands were read into the file's own facts.
pub(crate) fn project(
    facts: &mut DeliveryFacts,
    source: &Source<'_>,
    resource: Entry,
    properties: NodeId,
    here: bool,
) {
    let tree = source.tree;
    let environment = tree.get(properties, "Environment");
    let mut set = project_variables(source, environment);
    set.whole &= tree
        .mapping(properties)
        .is_some_and(|map| is_written_out(tree, map));
    let spec = tree
        .get(properties, "Source")
        .and_then(|id| tree.get(id, "BuildSpec"));
    let buildspec = match spec.map(|id| value(tree, id)) {
        None => BuildspecOf::Default,
        Some(Value::Text(text)) if text.is_empty() => BuildspecOf::Default,
        Some(_) if here => BuildspecOf::Here,
        Some(Value::Text(text)) if is_path(&text) => {
            BuildspecOf::File(text.trim_start_matches("./").into())
        }
        Some(_) => BuildspecOf::Unknown,
    };
    if let Some(spec) = spec {
        set.references.extend(
            references_below(source, spec)
                .into_iter()
                .filter(|reference| !super::is_only_told(source.text, reference)),
        );
    }
    let image = environment.and_then(|id| tree.get(id, "Image"));
    let name = tree.text(resource.key).unwrap_or_default();
    facts.runs.push(Run {
        of: format!("the project `{name}`").into(),
        image: image.map_or(Value::Unknown, |id| value(tree, id)),
        span: tree.node(image.unwrap_or(resource.key)).span,
        buildspec: match &buildspec {
            BuildspecOf::Here => BuildspecOf::Unknown,
            other => other.clone(),
        },
        text: spec.map(|id| tree.node(id).span),
    });
    facts.projects.push(Project {
        address: Value::Reference(name.into()),
        name: tree
            .get(properties, "Name")
            .map_or(Value::Unknown, |id| value(tree, id)),
        span: tree.node(resource.key).span,
        variables: set.variables,
        whole: set.whole,
        privileged: environment.and_then(|id| privileged(tree, id)),
        malformed: set.malformed,
        source: tree
            .get(properties, "Source")
            .and_then(|id| tree.get(id, "Type"))
            .map_or(Value::Unknown, |id| value(tree, id)),
        text: spec
            .filter(|id| {
                inline::Inline::read(source.text, tree, *id).is_some_and(|it| it.is_text())
            })
            .map(|id| tree.node(id).span),
        references: set.references,
        buildspec,
    });
}

/// The name and the place of `- NAME: value`, a variable that has no `Name` and `Value`.
fn entry_of_its_own(tree: &Tree, item: NodeId) -> Option<(Box<str>, Span)> {
    let [entry] = tree.mapping(item)?.entries[..] else {
        return None;
    };
    let name = tree.text(entry.key)?;
    let is_name = !name.starts_with("Fn::")
        && !matches!(name, "Ref" | "Value" | "Type" | "name" | "value" | "type")
        && name
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'_');
    (is_name && tree.node(item).tag.is_none()).then(|| (name.into(), tree.node(item).span))
}

/// Whether an environment lets builds run a Docker daemon, which only containers of Linux can.
fn privileged(tree: &Tree, environment: NodeId) -> Option<bool> {
    let map = tree.mapping(environment)?;
    let elsewhere = ["Fleet", "DockerServer"];
    let kind = tree.get(environment, "Type").map(|id| value(tree, id));
    // These images have the daemon's privileges without being asked.
    let image = tree.get(environment, "Image").map(|id| value(tree, id));
    if matches!(&image, Some(Value::Text(image)) if image.starts_with(super::DOCKER_IMAGES)) {
        return None;
    }
    let linux = match &kind {
        Some(Value::Text(kind)) => matches!(
            &**kind,
            "LINUX_CONTAINER" | "LINUX_GPU_CONTAINER" | "ARM_CONTAINER"
        ),
        _ => false,
    };
    if !linux
        || !is_written_out(tree, map)
        || elsewhere
            .iter()
            .any(|key| tree.get(environment, key).is_some())
    {
        return None;
    }
    let Some(setting) = tree.get(environment, "PrivilegedMode") else {
        return Some(false);
    };
    match value(tree, setting) {
        Value::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
        Value::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
        _ => None,
    }
}

/// Whether the text of a lifecycle policy expires untagged images by their age.
pub(crate) fn expires_untagged(tree: &Tree, id: NodeId) -> bool {
    joined(tree, id).is_some_and(|json| untagged_expire(&json))
}

/// The same for the policy's JSON.
pub(crate) fn untagged_expire(json: &str) -> bool {
    // JSON is YAML, as far as it matters here.
    let tree = yaml::parse(json);
    let rules = tree.root().and_then(|root| list(&tree, root, "rules"));
    rules.unwrap_or_default().iter().any(|rule| {
        let selection = tree.get(*rule, "selection");
        let is = |key: &str, wanted: &str| {
            let value = selection.and_then(|id| tree.text(tree.get(id, key)?));
            value == Some(wanted)
        };
        is("tagStatus", "untagged") && is("countType", "sinceImagePushed")
    })
}

/// Reads the names of the containers of a task definition.
pub(crate) fn containers(
    facts: &mut DeliveryFacts,
    tree: &Tree,
    properties: NodeId,
    keys: [&str; 2],
) {
    let [definitions, name] = keys;
    let Some(items) = list(tree, properties, definitions) else {
        // Without any of its own it is a fragment, or a function makes them.
        facts.containers.push(Value::Unknown);
        return;
    };
    for item in items {
        let name = tree.get(*item, name);
        facts
            .containers
            .push(name.map_or(Value::Unknown, |id| value(tree, id)));
    }
}

/// No key of the mapping is a function that may add others.
fn is_written_out(tree: &Tree, map: &Mapping) -> bool {
    !map.entries.iter().any(|entry| {
        tree.text(entry.key)
            .is_none_or(|key| key.starts_with("Fn::") || key == "<<")
    })
}

/// Reads what a role, or a policy of roles, may push to.
pub(crate) fn grants(
    facts: &mut DeliveryFacts,
    source: &Source<'_>,
    resource: Entry,
    properties: NodeId,
) {
    let tree = source.tree;
    let holder = list(tree, properties, "Roles")
        .and_then(|roles| match value(tree, *roles.first()?) {
            Value::Text(name) | Value::Reference(name) => Some(name),
            Value::Unknown => None,
        })
        .unwrap_or_else(|| named(tree, resource.key, tree.get(properties, "RoleName")));
    let mut documents: Vec<NodeId> = tree.get(properties, "PolicyDocument").into_iter().collect();
    for policy in list(tree, properties, "Policies").unwrap_or_default() {
        documents.extend(tree.get(*policy, "PolicyDocument"));
    }
    for document in documents {
        let Some(statements) = tree.get(document, "Statement") else {
            continue;
        };
        for statement in one_or_more(tree, statements) {
            let allows = tree
                .get(statement, "Effect")
                .and_then(|id| tree.text(id))
                .is_some_and(|effect| effect == "Allow");
            let (Some(actions), Some(resources)) = (
                tree.get(statement, "Action"),
                tree.get(statement, "Resource"),
            ) else {
                continue;
            };
            let may_push = one_or_more(tree, actions)
                .iter()
                .any(|id| tree.text(*id).is_some_and(super::pushes));
            // A condition may take back what the statement gives.
            if !allows || !may_push || tree.get(statement, "Condition").is_some() {
                continue;
            }
            for id in one_or_more(tree, resources) {
                let repository = match attribute_of(tree, id) {
                    Some(logical) => Some(Value::Reference(logical)),
                    None => joined(tree, id).and_then(|arn| {
                        super::repository_of_arn(&arn).map(|name| Value::Text(name.into()))
                    }),
                };
                if let Some(repository) = repository {
                    facts.grants.push(Grant {
                        role: holder.clone(),
                        repository,
                        span: tree.node(id).span,
                    });
                }
            }
        }
    }
}

/// The resource whose `Arn` is taken: `!GetAtt Name.Arn`, `Fn::GetAtt: [Name, Arn]`.
fn attribute_of(tree: &Tree, id: NodeId) -> Option<Box<str>> {
    let inner = match tree.node(id).tag.as_deref() {
        Some("!GetAtt") => id,
        Some(_) => return None,
        None => tree.get(id, "Fn::GetAtt")?,
    };
    if let Some(list) = tree.sequence(inner) {
        let [name, attribute] = list.items[..] else {
            return None;
        };
        let name = tree.text(name)?;
        return (tree.text(attribute)? == "Arn").then(|| name.into());
    }
    tree.text(inner)?.strip_suffix(".Arn").map(Into::into)
}

/// The items of the list at `key`, if there is one that is written out.
fn list<'t>(tree: &'t Tree, id: NodeId, key: &str) -> Option<&'t [NodeId]> {
    let list = tree.get(id, key)?;
    tree.node(list).tag.is_none().then_some(())?;
    Some(&tree.sequence(list)?.items)
}

/// A value, with the functions that mean one thing wherever they are written.
fn value(tree: &Tree, id: NodeId) -> Value {
    let substitution = |text: &str| {
        if !text.contains("${") {
            return Value::Text(text.into());
        }
        match text
            .strip_prefix("${")
            .and_then(|text| text.strip_suffix('}'))
        {
            Some(name) if !name.contains(['$', '.', '}']) => Value::Reference(name.into()),
            _ => Value::Reference(format!("{SUBSTITUTION}{text}").into()),
        }
    };
    let node = tree.node(id);
    match (node.tag.as_deref(), &node.kind) {
        (None, NodeKind::Scalar(scalar)) => Value::Text(scalar.value.as_str().into()),
        (Some("!Ref"), NodeKind::Scalar(scalar)) => Value::Reference(scalar.value.as_str().into()),
        (Some("!Sub"), NodeKind::Scalar(scalar)) => substitution(&scalar.value),
        (None, NodeKind::Mapping(map)) if map.entries.len() == 1 => {
            let entry = map.entries[0];
            match (tree.text(entry.key), tree.text(entry.value)) {
                (Some("Ref"), Some(name)) => Value::Reference(name.into()),
                (Some("Fn::Sub"), Some(text)) => substitution(text),
                _ => Value::Unknown,
            }
        }
        (
            _,
            NodeKind::Alias {
                target: Some(to), ..
            },
        ) => value(tree, *to),
        _ => Value::Unknown,
    }
}

/// Marks a reference that is a text with references in it.
const SUBSTITUTION: &str = "Sub ";

/// The text of a value, [`UNKNOWN`] standing for what is put into it. `None` if it is no text at all.
fn joined(tree: &Tree, id: NodeId) -> Option<String> {
    match value(tree, id) {
        Value::Text(text) => return Some(text.into()),
        Value::Reference(text) => {
            return Some(match text.strip_prefix(SUBSTITUTION) {
                Some(text) => without_substitutions(text),
                None => UNKNOWN.to_string(),
            });
        }
        Value::Unknown => {}
    }
    let parts = match tree.node(id).tag.as_deref() {
        Some("!Join") => id,
        Some(_) => return None,
        None => tree.get(id, "Fn::Join")?,
    };
    let [separator, items] = tree.sequence(parts)?.items[..] else {
        return None;
    };
    let separator = tree.text(separator)?;
    let texts: Vec<String> = tree
        .sequence(items)?
        .items
        .iter()
        .map(|item| match value(tree, *item) {
            Value::Text(text) => text.into(),
            Value::Reference(_) | Value::Unknown => UNKNOWN.to_string(),
        })
        .collect();
    Some(texts.join(separator))
}

/// The text with [`UNKNOWN`] for each `${…}`.
pub(super) fn without_substitutions(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        plain.push_str(before);
        plain.push(UNKNOWN);
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

/// The references in the scalars at or below `id`.
fn references_below(source: &Source<'_>, id: NodeId) -> Vec<Reference> {
    let mut nodes = source.tree.inside(id);
    nodes.push(id);
    nodes.sort_unstable();
    nodes
        .into_iter()
        .filter(|id| matches!(source.tree.node(*id).kind, NodeKind::Scalar(_)))
        .flat_map(|id| super::references(source.text, source.tree.node(id).span))
        .collect()
}

//! The builds of a batch, as a buildspec describes them: each may have a buildspec and an image of its own.

use tagwright_syntax::yaml::{NodeId, Tree};

use super::{BuildspecOf, DeliveryFacts, NamedFile, Run, Value, is_path, one_or_more};

/// A matrix of more pairs is not read pair by pair: no batch has so many builds, and a large file could make
/// millions of them.
const MOST_PAIRS: usize = 1_000;

/// The builds of `batch` that name an image, and the buildspecs that it names. Builds without an image of their own
/// run in the project's, which is told by whatever describes the project.
pub(crate) fn read(tree: &Tree, batch: NodeId) -> DeliveryFacts {
    let mut facts = DeliveryFacts::default();
    for strategy in ["build-list", "build-graph"] {
        let list = tree.get(batch, strategy).and_then(|id| tree.sequence(id));
        for item in list.map_or(&[][..], |list| &list.items) {
            let name = tree
                .get(*item, "identifier")
                .and_then(|id| tree.text(id))
                .unwrap_or_default();
            let image = tree.get(*item, "env").and_then(|id| tree.get(id, "image"));
            let spec = tree.get(*item, "buildspec");
            facts.named.extend(spec.and_then(|id| named(tree, id)));
            if let Some(image) = image {
                facts
                    .runs
                    .push(run(tree, format!("the build `{name}`"), image, spec));
            }
        }
    }
    // One build for each pair of a buildspec and an image.
    let matrix = tree.get(batch, "build-matrix");
    let dynamic = matrix.and_then(|id| tree.get(id, "dynamic"));
    let every = |id: Option<NodeId>| id.map_or_else(Vec::new, |id| one_or_more(tree, id));
    let specs = every(dynamic.and_then(|id| tree.get(id, "buildspec")));
    facts
        .named
        .extend(specs.iter().filter_map(|id| named(tree, *id)));
    let images = every(
        dynamic
            .and_then(|id| tree.get(id, "env"))
            .and_then(|id| tree.get(id, "image")),
    );
    let specs: Vec<Option<NodeId>> = match specs.len() {
        0 => vec![None],
        _ => specs.into_iter().map(Some).collect(),
    };
    let many = images.len().saturating_mul(specs.len()) > MOST_PAIRS;
    for image in images.iter().take(if many { 1 } else { images.len() }) {
        for spec in &specs {
            let mut run = run(tree, "the build matrix".to_owned(), *image, *spec);
            if many {
                run.image = Value::Unknown;
            }
            facts.runs.push(run);
        }
    }
    facts
}

/// The file of a buildspec's path; `None` if it is an address or has a variable in it.
pub(super) fn named(tree: &Tree, spec: NodeId) -> Option<NamedFile> {
    let path = tree
        .text(spec)
        .filter(|path| is_path(path) && !path.contains('$'))?;
    Some(NamedFile {
        path: path.trim_start_matches("./").into(),
        span: tree.node(spec).span,
    })
}

fn run(tree: &Tree, of: String, image: NodeId, spec: Option<NodeId>) -> Run {
    let literal = |id: NodeId| tree.text(id).filter(|text| !text.contains('$'));
    Run {
        of: of.into(),
        image: literal(image).map_or(Value::Unknown, |text| Value::Text(text.into())),
        span: tree.node(image).span,
        buildspec: match spec.map(literal) {
            None => BuildspecOf::Here,
            Some(Some(path)) => BuildspecOf::File(path.trim_start_matches("./").into()),
            Some(None) => BuildspecOf::Unknown,
        },
        text: None,
    }
}

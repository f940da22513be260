//! The build of a Copilot pipeline, as its manifest describes it.

use tagwright_syntax::copilot::PipelineManifest;
use tagwright_syntax::yaml::Tree;

use super::batch::named;
use super::{BuildspecOf, COPILOT_BUILD_IMAGE, DeliveryFacts, Run, Value};

/// The build of the pipeline whose manifest stands at `path`. Without a path of its own, the buildspec is the
/// one beside the manifest.
pub(crate) fn read(tree: &Tree, manifest: &PipelineManifest, path: &str) -> DeliveryFacts {
    let folder = path.rfind('/').map_or("", |slash| &path[..=slash]);
    let name = manifest.name.and_then(|id| tree.text(id));
    let of = format!("the Copilot pipeline `{}`", name.unwrap_or(path));
    let image = manifest.build_image;
    let run = Run {
        of: of.into(),
        image: match image {
            None => Value::Text(COPILOT_BUILD_IMAGE.into()),
            Some(id) => tree
                .text(id)
                .map_or(Value::Unknown, |text| Value::Text(text.into())),
        },
        span: tree
            .node(image.or(manifest.name).unwrap_or(manifest.root))
            .span,
        buildspec: match manifest.buildspec {
            None => BuildspecOf::File(format!("{folder}buildspec.yml").into()),
            Some(id) => match tree.text(id) {
                Some(path) => BuildspecOf::File(path.trim_start_matches("./").into()),
                None => BuildspecOf::Unknown,
            },
        },
        text: None,
    };
    let named = manifest.buildspec.and_then(|id| named(tree, id));
    DeliveryFacts {
        runs: vec![run],
        named: named.into_iter().collect(),
        ..DeliveryFacts::default()
    }
}

//! The image of a Copilot manifest is written in a form that Copilot refuses.
//!
//! ## What it does
//!
//! Finds a main `image` that is plain text instead of a mapping, and one for which both or neither of
//! `build` and `location` remain after the sections of `environments` are applied. A section's `location`
//! replaces `build`, and the other way round.
//!
//! ## Why it matters
//!
//! Copilot stops: it cannot read the text into the mapping, or says that exactly one of `build` and
//! `location` must be specified.
//!
//! ## Bad
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image: nginx:1.27
//! ```
//!
//! ## Good
//!
//! ```yaml copilot/web/manifest.yml
//! name: web
//! type: Backend Service
//! image:
//!   location: nginx:1.27
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! No good reason if Copilot reads the manifest: it refuses it. For a template, exclude the file.
//!
//! ## Sources
//!
//! - aws/copilot-cli `internal/pkg/manifest/validate.go` (v1.33), `ImageLocationOrBuild`, and
//!   `transform.go`, `imageTransformer`.

use tagwright_flow::FileKind;
use tagwright_syntax::copilot::{Images, WorkloadKind, WorkloadManifest};
use tagwright_syntax::yaml::NodeId;

use crate::context::{Document, Report};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "image-form",
    category: Category::Copilot,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("image_form"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    if document.facts.kind != FileKind::CopilotWorkload {
        return;
    }
    // Merge keys bring values along that the view does not show; templates are not manifests yet.
    let unclear = ["<<:", "{{", "{%"]
        .iter()
        .any(|sign| document.text().contains(sign));
    if unclear {
        return;
    }
    let tree = document.tree;
    let Some(manifest) = tree
        .root()
        .and_then(|root| WorkloadManifest::read(tree, root))
        .filter(|manifest| manifest.kind != WorkloadKind::StaticSite)
    else {
        return;
    };
    let mut add = |node: NodeId, message: &str| {
        report.add(report.draft(document.facts.id, tree.node(node).span, message));
    };
    let plain =
        "the main `image` is a mapping with `build` or `location`: Copilot cannot read text here";
    let both = "exactly one of `build` and `location` may be given: Copilot refuses both";
    let environments = manifest.environments.iter().map(|(_, images)| images);
    let mut replaced = false;
    for images in environments {
        let (build, location) = given(document, images);
        replaced |= build || location || images.plain.is_some();
        if let Some(node) = images.plain {
            add(node, plain);
        } else if build && location {
            add(key_of(document, images.location), both);
        }
    }
    let images = &manifest.images;
    let (build, location) = given(document, images);
    if let Some(node) = images.plain {
        add(node, plain);
    } else if replaced {
        // What an environment that is not named would get is only known to who made the environments.
    } else if build && location {
        add(key_of(document, images.location), both);
    } else if !build && !location {
        let image = tree.entry(manifest.root, "image");
        let place = image.or_else(|| tree.entry(manifest.root, "type"));
        if let Some(place) = place {
            add(
                place.key,
                "one of `image.build` and `image.location` must be given: Copilot refuses the manifest",
            );
        }
    }
}

/// Whether `build` and `location` have values.
fn given(document: &Document<'_>, images: &Images) -> (bool, bool) {
    let has = |node: Option<NodeId>| node.is_some_and(|node| !document.tree.is_null(node));
    (has(images.build), has(images.location))
}

/// The key in front of the value.
fn key_of(document: &Document<'_>, value: Option<NodeId>) -> NodeId {
    let value = value.unwrap_or(NodeId(0));
    let parent = document.tree.node(value).parent;
    parent
        .and_then(|parent| document.tree.mapping(parent))
        .and_then(|mapping| mapping.entries.iter().find(|entry| entry.value == value))
        .map_or(value, |entry| entry.key)
}

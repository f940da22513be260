//! A secondary artifact has an identifier that CodeBuild refuses.
//!
//! ## What it does
//!
//! Finds keys of `artifacts.secondary-artifacts` with other characters than letters, digits and `_`, or with more than
//! 127 characters.
//!
//! ## Why it matters
//!
//! The identifier has to equal the name of an artifact of the project or of the pipeline's action, and CodeBuild refuses
//! such a name there: "identifier must contain only alphanumeric characters and underscores". So nothing can ask for
//! this artifact.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - make
//! artifacts:
//!   secondary-artifacts:
//!     web-assets:
//!       files:
//!         - dist/**/*
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - make
//! artifacts:
//!   secondary-artifacts:
//!     web_assets:
//!       files:
//!         - dist/**/*
//! ```
//!
//! ## Fix
//!
//! None: the project or the pipeline has to change with it.
//!
//! ## When to silence it
//!
//! No good reason if CodeBuild runs the file: no project accepts the identifier.
//!
//! ## Sources
//!
//! - aws/aws-cdk issues 2230 and 18710, with the words of the service.
//! - CodeBuild API reference, "ProjectArtifacts", `artifactIdentifier`.

use crate::context::{Document, Report};
use crate::{Category, Check, Fixable, Rule, Severity, outline};

pub(crate) static RULE: Rule = Rule {
    name: "artifact-identifier",
    category: Category::Structure,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("artifact_identifier"),
    check: Check::Document(check),
};

/// "Less than 128 characters".
const LONGEST: usize = 127;

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    let secondary = outline::whole_root(document)
        .and_then(|root| tree.get(root, "artifacts"))
        .and_then(|artifacts| tree.get(artifacts, "secondary-artifacts"))
        .and_then(|node| tree.mapping(node));
    for entry in secondary.into_iter().flat_map(|map| &map.entries) {
        let Some(name) = tree.text(entry.key) else {
            continue;
        };
        let in_identifier = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let message = if name.contains('$') || name == "<<" {
            continue;
        } else if !name.bytes().all(in_identifier) {
            format!(
                "an artifact identifier has only letters, digits and `_`: CodeBuild refuses `{}`",
                outline::quoted(name)
            )
        } else if name.len() > LONGEST {
            format!("an artifact identifier has at most {LONGEST} characters")
        } else {
            continue;
        };
        report.add(report.draft(document.facts.id, tree.node(entry.key).span, message));
    }
}

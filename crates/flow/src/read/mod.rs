//! One file to its facts, whatever kind of file it is. Each kind has a reader in a file of its
//! own.

mod aws_answer;
mod buildspec;
mod cdk;
mod cloudformation;
mod compose;
mod image_files;
mod kubernetes;
mod pipeline_manifest;
mod script;
mod shared;
pub(crate) mod terraform;
mod workload;

pub use aws_answer::{Outline, PipelineOutline, ProjectOutline, outline};
pub(crate) use script::link;

use std::sync::Arc;

use tagwright_syntax::buildspec::Buildspec;
use tagwright_syntax::yaml::{self, NodeId, Tree};

use crate::FileId;
use crate::facts::FileFacts;
use crate::kind::{FileKind, classify};
use crate::scan::{self, Source};

/// What reading needs to know beforehand.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// The name of the branch variable, `BRANCH_NAME` unless configured.
    pub branch_variable: String,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            branch_variable: "BRANCH_NAME".to_owned(),
        }
    }
}

/// Reads one file. Pure, so files can be read side by side. `path` is shown as it is and decides, with
/// the text, what the file is read as.
#[must_use]
pub fn read_file(id: FileId, path: &Arc<str>, text: &Arc<str>, options: &ReadOptions) -> FileFacts {
    read_file_with(id, path, text, options, &mut |_, _, _| {})
}

/// The same; `visit` is shown the file's facts and its tree before the tree is dropped, and is given the typed
/// view of the first document if that is a buildspec. It is not called for files that are not YAML.
pub fn read_file_with(
    id: FileId,
    path: &Arc<str>,
    text: &Arc<str>,
    options: &ReadOptions,
    visit: &mut dyn FnMut(&FileFacts, &Tree, Option<Buildspec>),
) -> FileFacts {
    let kind = classify(path, text);
    let mut facts = scan::empty(id, path, text, kind);
    match kind {
        FileKind::Other => {}
        // Who runs it, and what it says therefore, is known once all files are.
        FileKind::Script => facts.script = Some(script::unread(&options.branch_variable)),
        FileKind::Terraform => {
            terraform::terraform(&mut facts, text, options);
        }
        FileKind::Cdk => cdk::cdk(&mut facts, text, options),
        _ => {
            let tree = yaml::parse(text);
            facts.error = tree.error().cloned();
            let source = Source {
                text,
                tree: &tree,
                host: None,
                template: None,
            };
            let mut spec = None;
            for root in tree.documents() {
                let read = document(&mut facts, &source, *root, kind, options);
                if Some(*root) == tree.root() {
                    spec = read;
                }
            }
            visit(&facts, &tree, spec);
            // Facts are kept for the whole run; what growing them left over is not.
            for image in &mut facts.uses {
                image.tags.shrink_to_fit();
            }
            facts.uses.shrink_to_fit();
            facts.assignments.shrink_to_fit();
            facts.reads.shrink_to_fit();
        }
    }
    facts
}

fn document(
    facts: &mut FileFacts,
    source: &Source<'_>,
    root: NodeId,
    kind: FileKind,
    options: &ReadOptions,
) -> Option<Buildspec> {
    match kind {
        FileKind::Buildspec => {
            let first = facts.buildspec.is_none();
            let spec = first
                .then(|| scan::buildspec(facts, source, root, &options.branch_variable))
                .flatten();
            buildspec::batch(facts, source, root);
            return spec;
        }
        FileKind::CopilotWorkload => workload::workload(facts, source, root),
        FileKind::CopilotPipeline => pipeline_manifest::pipeline(facts, source, root),
        FileKind::TaskDefinition => image_files::task_definition(facts, source, root),
        FileKind::ImageDefinitions => image_files::image_definitions(facts, source, root),
        FileKind::Dockerrun => image_files::dockerrun(facts, source, root),
        FileKind::Kubernetes => kubernetes::kubernetes(facts, source, root),
        FileKind::Compose => compose::compose(facts, source, root),
        FileKind::CloudFormation => cloudformation::cloudformation(facts, source, root, options),
        FileKind::AwsAnswer => aws_answer::answer(facts, source, root, options),
        FileKind::CopilotEnvironment
        | FileKind::Other
        | FileKind::Terraform
        | FileKind::Cdk
        | FileKind::Script => {}
    }
    None
}

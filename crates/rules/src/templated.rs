//! Files that Terraform expands before CodeBuild sees them: no fix, since `${…}` is Terraform's there.

use std::collections::BTreeMap;

use tagwright_flow::delivery::templates::Template;
use tagwright_flow::facts::FileFacts;
use tagwright_flow::{FileId, FileKind, Workspace};

use crate::Finding;
use crate::context::Context;

/// A call in a Terraform file that reads another file as a template.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The Terraform file.
    pub(crate) file: &'a FileFacts,
    /// What it reads.
    pub(crate) template: &'a Template,
}

/// The calls that read each file as a template: the Terraform file, and the 0-based index of the call in it.
pub(crate) type Calls = BTreeMap<FileId, Vec<(FileId, usize)>>;

impl<'a> Call<'a> {
    pub(crate) fn new(file: &'a FileFacts, index: usize) -> Option<Self> {
        let template = file.delivery.as_ref()?.templates.get(index)?;
        Some(Self { file, template })
    }

    /// Why the template has no fix.
    fn refusal(&self) -> String {
        let before = self.file.text.get(..self.template.span.start as usize);
        let line = before.map_or(1, |it| it.matches('\n').count() + 1);
        format!(
            "blocked: {}:{line} reads the file as a Terraform template, which expands `${{…}}` itself",
            self.file.path
        )
    }
}

/// The calls that read each file as a template.
pub(crate) fn calls(workspace: &Workspace) -> Calls {
    let mut calls = Calls::new();
    for reader in workspace.files() {
        let templates = reader.delivery.iter().flat_map(|it| &it.templates);
        for (index, template) in templates.enumerate() {
            let files = workspace.files().iter();
            for file in files.filter(|it| it.kind != FileKind::Terraform) {
                if template.is(&file.path, &reader.path) {
                    let readers = calls.entry(file.id).or_default();
                    readers.push((reader.id, index));
                }
            }
        }
    }
    calls
}

/// Takes the fix from every finding that would change a template.
pub(crate) fn withdraw(context: &Context<'_>, findings: &mut [Finding]) {
    if context.templates().is_empty() {
        return;
    }
    for finding in findings {
        let changes = finding.fix.iter().flat_map(|fix| &fix.changes);
        let call = changes.filter_map(|it| context.template_calls(it.file).next());
        if let Some(call) = call.min_by_key(|call| (call.file.id, call.template.span)) {
            finding.no_fix = Some(call.refusal());
            finding.fix = None;
        }
    }
}

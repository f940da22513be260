//! Files that Terraform fills in before CodeBuild sees them. Where it expands `${…}` itself there is no fix.

use std::collections::{BTreeMap, HashMap};

use tagwright_flow::facts::FileFacts;
use tagwright_flow::templates::Template;
use tagwright_flow::{FileId, FileKind, Workspace};

use crate::context::Context;
use crate::{Finding, Refusal, RefusalCode};

/// A place in a Terraform file that has another file filled in.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The Terraform file.
    pub(crate) file: &'a FileFacts,
    /// What it reads.
    pub(crate) template: &'a Template,
}

/// The places that have each file filled in: the Terraform file, and the 0-based index in its
/// [`FileFacts::rendered`].
pub(crate) type Calls = BTreeMap<FileId, Vec<(FileId, usize)>>;

impl<'a> Call<'a> {
    pub(crate) fn new(file: &'a FileFacts, index: usize) -> Option<Self> {
        let template = file.rendered.get(index)?;
        Some(Self { file, template })
    }

    /// Why the template has no fix.
    fn refusal(&self) -> Refusal {
        let message =
            "the file is a Terraform template: Terraform expands `${…}` in it, not the shell";
        Refusal::new(RefusalCode::Template, message).at(
            self.file.id,
            self.template.span,
            "the template is read here",
        )
    }
}

/// The places that have each file filled in.
pub(crate) fn calls(workspace: &Workspace) -> Calls {
    let mut calls = Calls::new();
    let readers = || {
        workspace
            .files()
            .iter()
            .filter(|it| !it.rendered.is_empty())
    };
    if readers().next().is_none() {
        return calls;
    }
    let others = || {
        let files = workspace.files().iter();
        files.filter(|file| file.kind != FileKind::Terraform)
    };
    let mut by_name: HashMap<&str, Vec<&FileFacts>> = HashMap::new();
    for file in others() {
        by_name.entry(last(&file.path)).or_default().push(file);
    }
    for reader in readers() {
        for (index, template) in reader.rendered.iter().enumerate() {
            let name = last(&template.path);
            let files = match name.contains('*') {
                true => others().collect(),
                false => by_name.get(name).cloned().unwrap_or_default(),
            };
            for file in files {
                if template.is(&file.path, &reader.path) {
                    let readers = calls.entry(file.id).or_default();
                    readers.push((reader.id, index));
                }
            }
        }
    }
    calls
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Takes the fix from every finding that would change a template.
pub(crate) fn withdraw(context: &Context<'_>, findings: &mut [Finding]) {
    if context.templates().is_empty() {
        return;
    }
    for finding in findings {
        let changes = finding.fix.iter().flat_map(|fix| &fix.changes);
        let mut calls = changes
            .flat_map(|change| context.template_calls(change.file))
            .filter(|call| call.template.expanded);
        if let Some(call) = calls.next() {
            finding.refusal = Some(call.refusal());
            finding.fix = None;
        }
    }
}

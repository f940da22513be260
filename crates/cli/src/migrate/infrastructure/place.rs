//! Where the infrastructure's files go: beside the code, and over nothing that somebody else has written.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tagwright_fixer::diff;
use tagwright_project::{Workspace, wording};
use tagwright_rules::settings::Strategy;

use super::{File, HEADER, Language, Service, steps, write};
use crate::migrate::plan::{FileChange, Step};

/// The files of a repository's infrastructure that are not there yet, or not as they should be.
pub(crate) struct Placed {
    /// What changes.
    pub(crate) changes: Vec<FileChange>,
    /// What people do with the files.
    pub(crate) steps: Vec<Step>,
    files: Vec<(PathBuf, String)>,
}

/// Makes the infrastructure for the repository at `root`, whose folder is called `name`.
///
/// # Errors
/// Why there is none, in words.
pub(crate) fn place(
    workspace: &Workspace,
    root: &Path,
    name: &str,
    language: Language,
) -> Result<Placed, String> {
    let settings = workspace.analysis.settings();
    if settings.strategy != Strategy::RepositoryPerBranch {
        return Err("--infrastructure belongs to the strategy repository-per-branch: pass --strategy repository-per-branch too".to_owned());
    }
    let service = Service::of(workspace, name);
    let files = write(&service, settings, language).map_err(|it| it.to_string())?;
    let commands = steps(&service, settings, language).map_err(|it| it.to_string())?;
    let mut placed = Placed {
        changes: Vec::new(),
        steps: todo(workspace, &commands),
        files: Vec::new(),
    };
    for file in files {
        let path = root.join(&file.path);
        let before = match fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(format!("{}: {}", file.path, wording::plain(&error))),
        };
        if before.as_ref() == Some(&file.text) {
            continue;
        }
        if before
            .as_ref()
            .is_some_and(|text| !text.starts_with(HEADER))
        {
            return Err(format!(
                "{} exists, and tagwright did not write it: move it away",
                file.path
            ));
        }
        placed.changes.push(change(&file, before.as_deref()));
        placed.files.push((path, file.text));
    }
    Ok(placed)
}

impl Placed {
    /// Writes the files.
    ///
    /// # Errors
    /// Those of the file system, with the path.
    pub(crate) fn write(&self) -> Result<(), (PathBuf, io::Error)> {
        for (path, text) in &self.files {
            let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
            folder
                .and_then(|()| fs::write(path, text))
                .map_err(|error| (path.clone(), error))?;
        }
        Ok(())
    }
}

fn change(file: &File, before: Option<&str>) -> FileChange {
    let path = &file.path;
    let text = before.map_or_else(|| new_file(file), |before| diff(path, before, &file.text));
    let count = |sign: char| {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("---") && !line.starts_with("+++"));
        lines.filter(|line| line.starts_with(sign)).count()
    };
    FileChange {
        path: path.clone(),
        added: count('+'),
        removed: count('-'),
        diff: text,
    }
}

/// A file that is not there yet, as `git apply` takes it.
fn new_file(file: &File) -> String {
    let path = &file.path;
    let lines = file.text.lines().count();
    let mut text = format!("--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{lines} @@\n");
    for line in file.text.lines() {
        let _ = writeln!(text, "+{line}");
    }
    text
}

fn todo(workspace: &Workspace, commands: &[String]) -> Vec<Step> {
    let mut steps = vec![Step {
        kind: "infrastructure",
        title: "Create the repositories, the roles and the pipeline".to_owned(),
        why: "First of all: the edited buildspecs push to repositories that have to be there, with roles that may push to them. A file that is named after an account is deployed with the credentials of that account.".to_owned(),
        language: "sh",
        text: commands.join("\n"),
    }];
    let mut deliveries = workspace.flow.files().iter().filter(|file| {
        let delivery = file.delivery.as_deref();
        let described =
            delivery.is_some_and(|it| !it.pipelines.is_empty() || !it.projects.is_empty());
        described
            && workspace
                .document(file.id)
                .is_some_and(|it| !it.text.starts_with(HEADER))
    });
    if let Some(file) = deliveries.next() {
        steps.push(Step {
            kind: "old-pipeline",
            title: "Stop the pipeline and the build project that build now".to_owned(),
            why: format!(
                "{} describes them; the new ones take their place, and a build of the old project has no permission to push to the new repositories.",
                file.path
            ),
            language: "sh",
            text: "aws codepipeline disable-stage-transition --pipeline-name NAME --stage-name STAGE --transition-type Inbound --reason moved".to_owned(),
        });
    }
    steps
}

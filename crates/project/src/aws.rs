//! What AWS itself says of pipelines, build projects, repositories and task definitions: files that the AWS CLI has
//! printed into a folder.
//!
//! A folder may hold the answers for a whole account. Of the pipelines and projects only those count whose source is the
//! repository that is looked at; of the task definitions those that run its images, unless its pipeline registers one
//! with each deployment.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tagwright_flow::kind::{FileKind, classify};
use tagwright_flow::read::{Outline, PipelineOutline, outline};
use tagwright_flow::{self as flow, FileId, ReadOptions, read_file};
use tagwright_syntax::Span;

use crate::git;
use crate::source::{self, Source};
use crate::wording;
use crate::workspace::{Document, Held};

/// The answers in a folder.
#[derive(Clone, Debug)]
pub struct Told {
    /// The folder, absolute, without symbolic links.
    folder: PathBuf,
    /// The answers in it, by their paths as given.
    files: Vec<File>,
}

#[derive(Clone, Debug)]
struct File {
    path: PathBuf,
    text: Arc<str>,
    kind: FileKind,
    outline: Outline,
}

/// What of the answers is about one repository.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The answers, with blanks in the place of what is about others: what is there keeps its place.
    pub documents: Vec<Document>,
    /// What there is to say about the choice.
    pub note: Option<String>,
    /// Task definitions, of which [`About::task_definitions`] chooses.
    definitions: Vec<Document>,
    /// Whether a pipeline of the repository registers a task definition with each deployment.
    registers: bool,
}

impl Told {
    /// Reads the JSON files that lie right in `folder`.
    ///
    /// # Errors
    /// A message for people if the folder cannot be read, or holds no answer at all.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let shown = wording::display(folder);
        let failed = |error| format!("cannot read {shown}: {}", wording::plain(&error));
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|it| it == "json") && path.is_file() {
                paths.push(path);
            }
        }
        paths.sort();
        let files: Vec<File> = paths.into_iter().filter_map(read).collect();
        if files.is_empty() {
            return Err(format!(
                "no file in {shown} is an answer of the AWS CLI; docs/aws.md says how to collect them"
            ));
        }
        let folder = std::fs::canonicalize(folder).map_err(failed)?;
        Ok(Self { folder, files })
    }

    /// Whether the file at this absolute path is one of the answers.
    #[must_use]
    pub fn covers(&self, path: &Path) -> bool {
        path.parent() == Some(&*self.folder)
            && self
                .files
                .iter()
                .any(|it| it.path.file_name() == path.file_name())
    }

    /// What of them is about the repository in the folder `root` (absolute), which is known by its remote `origin`, or
    /// else by the folder's name.
    #[must_use]
    pub fn about(&self, root: &Path) -> About {
        let mut about = About::default();
        let wanted = self.repository(root);
        if wanted.is_none() {
            let names: Vec<&str> = self.repositories().into_iter().collect();
            about.note = (!names.is_empty()).then(|| none_of(&names));
        }
        let is_own = |address: &str| {
            wanted
                .as_ref()
                .is_some_and(|wanted| is_same(address, wanted))
        };
        let ours = |it: &PipelineOutline| it.repositories.iter().any(|source| is_own(source));
        let pipelines: Vec<_> = self.pipelines().filter(|it| ours(it)).collect();
        about.registers = pipelines.iter().any(|it| it.deploys_to_ecs);
        let built: BTreeSet<&str> = pipelines
            .iter()
            .flat_map(|it| &it.projects)
            .map(|it| &**it)
            .collect();
        for file in &self.files {
            let document = |text| Document {
                shown: wording::shown(&file.path).into(),
                relative: wording::shown(file.path.strip_prefix(root).unwrap_or(&file.path)).into(),
                path: Some(file.path.clone()),
                text,
                kind: file.kind,
                target: true,
                held: Some(Held::Aws),
            };
            if file.kind == FileKind::TaskDefinition {
                about.definitions.push(document(Arc::clone(&file.text)));
                continue;
            }
            let Outline {
                pipelines,
                projects,
            } = &file.outline;
            let (own, others): (Vec<_>, Vec<_>) = projects.iter().partition(|it| {
                built.contains(&*it.name) || it.location.as_deref().is_some_and(is_own)
            });
            let described = pipelines.is_empty() && projects.is_empty();
            if described || !own.is_empty() || pipelines.iter().any(ours) {
                let spans: Vec<Span> = others.iter().map(|it| it.span).collect();
                about.documents.push(document(without(&file.text, &spans)));
            }
        }
        about
    }

    fn pipelines(&self) -> impl Iterator<Item = &PipelineOutline> {
        self.files.iter().flat_map(|file| &file.outline.pipelines)
    }

    /// The repositories that are the source of something.
    fn repositories(&self) -> BTreeSet<&str> {
        let projects = self.files.iter().flat_map(|file| &file.outline.projects);
        let sources = self.pipelines().flat_map(|it| &it.repositories);
        let all = projects
            .filter_map(|it| it.location.as_ref())
            .chain(sources);
        all.map(|it| &**it).collect()
    }

    /// How the answers call the repository in `root`.
    fn repository(&self, root: &Path) -> Option<String> {
        if let Some(remote) = git::remote(root) {
            return Some(remote);
        }
        let folder = root.file_name()?.to_str()?;
        let named = self.repositories();
        let mut same = named.iter().filter(|it| is_same(it, folder));
        match (same.next(), &named.iter().collect::<Vec<_>>()[..]) {
            (Some(same), _) => Some((*same).to_owned()),
            // All of it is about one.
            (None, [only]) => Some((**only).to_owned()),
            (None, _) => None,
        }
    }
}

impl About {
    /// The task definitions that run an image of the workspace, where no pipeline of its registers another one with each
    /// deployment.
    #[must_use]
    pub fn task_definitions(self, workspace: &flow::Workspace) -> Vec<Document> {
        if self.registers {
            return Vec::new();
        }
        let flows = workspace.flows().iter().filter(|flow| flow.own);
        let own: BTreeSet<&str> = flows.map(|flow| last(&flow.name)).collect();
        let runs_one = |document: &Document| {
            let options = ReadOptions::default();
            let facts = read_file(FileId(0), &document.relative, &document.text, &options);
            let mut uses = facts.uses.iter();
            uses.any(|image| own.contains(last(image.repository.key())))
        };
        self.definitions.into_iter().filter(runs_one).collect()
    }
}

fn read(path: PathBuf) -> Option<File> {
    let Ok(Source::Text(text)) = source::read(&path) else {
        return None;
    };
    let kind = classify(&wording::shown(&path), &text);
    match kind {
        FileKind::AwsAnswer | FileKind::TaskDefinition => Some(File {
            outline: outline(&text),
            path,
            text,
            kind,
        }),
        _ => None,
    }
}

/// The text with nothing inside of the objects at `spans`.
fn without(text: &Arc<str>, spans: &[Span]) -> Arc<str> {
    if spans.is_empty() {
        return Arc::clone(text);
    }
    let mut left = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        let (start, end) = (
            span.start as usize + 1,
            (span.end as usize).saturating_sub(1),
        );
        let (Some(before), Some(inside)) = (text.get(at..start), text.get(start..end)) else {
            continue;
        };
        left.push_str(before);
        left.extend(
            inside
                .bytes()
                .map(|byte| if byte == b'\n' { '\n' } else { ' ' }),
        );
        at = end;
    }
    left.push_str(&text[at..]);
    left.into()
}

fn none_of(names: &[&str]) -> String {
    /// More names than these help nobody.
    const SHOWN: usize = 3;
    let mut shown = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        shown.push_str(", …");
    }
    format!(
        "note: the answers of AWS are about other repositories ({shown}): nothing in them says what builds this one. A remote `origin` tells which it is"
    )
}

/// The part of a name behind its last `/`.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Whether two addresses or names mean one repository: `https://github.com/me/shop.git`, `git@github.com:me/shop`,
/// `me/shop`, `shop`.
fn is_same(one: &str, other: &str) -> bool {
    let parts = |address: &str| -> (Option<String>, String) {
        let (owner, name) = git::parts_of_address(address);
        // Repositories of CodeCommit have no owner.
        let owner = owner.filter(|_| !address.contains("codecommit"));
        (
            owner.map(str::to_ascii_lowercase),
            name.to_ascii_lowercase(),
        )
    };
    let ((owner, name), (its_owner, its_name)) = (parts(one), parts(other));
    name == its_name
        && !name.is_empty()
        && (owner.is_none() || its_owner.is_none() || owner == its_owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_repository_are_the_same() {
        let same = [
            "https://github.com/me/shop.git",
            "https://github.com/me/shop/",
            "git@github.com:me/shop.git",
            "ssh://git@github.com/Me/Shop",
            "me/shop",
            "shop",
        ];
        for one in same {
            for other in same {
                assert!(is_same(one, other), "{one} {other}");
            }
        }
        let commit = "https://git-codecommit.eu-central-1.amazonaws.com/v1/repos/shop";
        assert!(is_same(commit, "shop") && is_same(commit, "codecommit::eu-central-1://shop"));
        for other in ["you/shop", "me/shop2", "git@github.com:you/shop", ""] {
            assert!(!is_same("https://github.com/me/shop.git", other), "{other}");
        }
    }
}

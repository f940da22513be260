//! From a workspace to its plan.

use tagwright_diagnostics::{Applicability, Finding, Refusal, RefusalPlace, Severity};
use tagwright_fixer::{Applied, diff};
use tagwright_flow::FileId;
use tagwright_project::config::Scope;
use tagwright_project::workspace::Document;
use tagwright_project::{Workspace, analysis};
use tagwright_syntax::LineIndex;

use super::picture::{Picture, Pictured};
use super::plan::{FileChange, Image, Left, Place, Prediction, Refused, Repository, Settled};
use super::predict::WAYS;
use super::refusals::smallest_change;
use super::steps::{self, Surroundings};
use crate::planner::{self, Planned};
use crate::session::Part;
use crate::severity::severity_name;

/// The categories whose findings keep a migration open.
const CATEGORIES: [&str; 4] = ["image-tag", "branch", "isolation", "pipeline"];

/// A workspace's plan, before anything is written.
pub(crate) struct Gathered {
    /// The plan.
    pub(crate) repository: Repository,
    /// What the edits make of the texts.
    pub(crate) planned: Planned,
    /// The files that they change.
    pub(crate) changed: Vec<FileId>,
}

/// Plans the migration of a workspace. The workspace itself stays as it is.
pub(crate) fn gather(part: &mut Part, name: String, hooks: bool) -> Gathered {
    let today = Picture::of(&part.workspace);
    let planned = planner::plan(part, Scope::All, true);
    let changed = planned.changed();
    let workspace = &part.workspace;
    let (files, settled) = edits(workspace, &planned, &changed);
    let findings = match &planned.outcome {
        Some(Ok(outcome)) => planner::remaining(outcome.clone()),
        _ => planned.checked.findings.clone(),
    };
    let sources = match &planned.outcome {
        Some(Ok(outcome)) => &outcome.sources,
        _ => &planned.before,
    };
    let left = findings.iter().filter(|finding| is_left(finding));
    let left = left.filter_map(|finding| {
        let text = sources.text(finding.file)?;
        left_over(workspace, finding, text)
    });
    let mut left: Vec<Left> = left.collect();
    left.sort_by(|a, b| (&a.path, a.line, a.rule).cmp(&(&b.path, b.line, b.rule)));
    let after: Vec<_> = changed
        .iter()
        .filter_map(|file| Some((*file, sources.get(*file)?.text.clone())))
        .collect();
    let before: Vec<_> = changed
        .iter()
        .filter_map(|file| Some((*file, workspace.document(*file)?.text.clone())))
        .collect();
    part.workspace.update(after);
    let afterwards = Picture::of(&part.workspace);
    let settings = part.workspace.analysis.settings();
    let mut repository = Repository {
        name,
        tag: settings.tag_template.clone(),
        images: images(today, &afterwards),
        files,
        settled,
        left,
        steps: Vec::new(),
    };
    repository.steps = steps::steps(
        &repository,
        &Surroundings {
            workspace: &part.workspace,
            derives: &afterwards.derives,
            hooks,
        },
    );
    part.workspace.update(before);
    Gathered {
        repository,
        planned,
        changed,
    }
}

fn is_left(finding: &Finding) -> bool {
    let category = analysis::category(finding.rule);
    let of_images = CATEGORIES.contains(&category) && finding.severity >= Severity::Warning;
    // A file that cannot be read hides what is in it.
    of_images
        || finding.severity == Severity::Error && matches!(category, "input")
        || finding.rule == "invalid-yaml"
}

fn edits(
    workspace: &Workspace,
    planned: &Planned,
    changed: &[FileId],
) -> (Vec<FileChange>, Vec<Settled>) {
    let Some(Ok(outcome)) = &planned.outcome else {
        return (Vec::new(), Vec::new());
    };
    let mut files: Vec<FileChange> = changed
        .iter()
        .filter_map(|file| {
            let document = workspace.document(*file)?;
            let diff = diff(
                &document.relative,
                &document.text,
                outcome.sources.text(*file)?,
            );
            let count = |sign: char| {
                diff.lines()
                    .skip(2)
                    .filter(|line| line.starts_with(sign))
                    .count()
            };
            Some(FileChange {
                path: document.relative.to_string(),
                added: count('+'),
                removed: count('-'),
                diff,
            })
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let settled = outcome
        .applied
        .iter()
        .filter_map(|applied| settled(workspace, applied));
    (files, settled.collect())
}

fn settled(workspace: &Workspace, applied: &Applied) -> Option<Settled> {
    let fix = applied.finding.fix.as_ref()?;
    Some(Settled {
        rule: applied.finding.rule,
        path: workspace
            .document(applied.finding.file)?
            .relative
            .to_string(),
        line: applied.position.line,
        edit: fix.message.clone(),
        applicability: match fix.applicability {
            Applicability::Safe => "safe",
            Applicability::Unsafe | Applicability::DisplayOnly => "unsafe",
        },
    })
}

/// What is said of a finding in a file that was asked for; `text` is the file's text after the edits.
fn left_over(workspace: &Workspace, finding: &Finding, text: &str) -> Option<Left> {
    let document = workspace.document(finding.file)?;
    if !document.target {
        return None;
    }
    let path = document.relative.to_string();
    let line = LineIndex::new(text).position(text, finding.span.start).line;
    let variable = &workspace.analysis.settings().branch_variable;
    let refusal = finding.refusal.as_ref();
    Some(Left {
        rule: finding.rule,
        severity: severity_name(finding.severity),
        message: finding.message.clone(),
        refusal: refusal.map(|refusal| refused(workspace, refusal, (&path, line), variable)),
        path,
        line,
    })
}

fn refused(workspace: &Workspace, refusal: &Refusal, own: (&str, u32), variable: &str) -> Refused {
    let place = refusal.place.as_ref().and_then(|place| match place {
        RefusalPlace::Known(related) => {
            let Document { relative, text, .. } = workspace.document(related.file)?;
            let line = LineIndex::new(text).position(text, related.span.start).line;
            Some((relative.to_string(), line))
        }
        RefusalPlace::Elsewhere { path, line, .. } => Some((path.clone(), *line)),
    });
    let at = match &place {
        Some((path, line)) => format!("{path}:{line}"),
        None => format!("{}:{}", own.0, own.1),
    };
    Refused {
        code: refusal.code.as_str(),
        reason: refusal.message.clone(),
        change: smallest_change(refusal.code, &at, variable),
        path: place.as_ref().map(|(path, _)| path.clone()),
        line: place.map(|(_, line)| line),
    }
}

/// The images of both pictures, those that are only in the second one last.
fn images(today: Picture, afterwards: &Picture) -> Vec<Image> {
    let known: Vec<String> = today
        .images
        .iter()
        .map(|image| image.name.clone())
        .collect();
    let later = |name: &str| afterwards.images.iter().find(|image| image.name == name);
    let mut images: Vec<Image> = today
        .images
        .into_iter()
        .map(|image| {
            let after = later(&image.name);
            one(Some(&image), after)
        })
        .collect();
    let new = afterwards
        .images
        .iter()
        .filter(|image| !known.contains(&image.name));
    images.extend(new.map(|image| one(None, Some(image))));
    images
}

fn one(before: Option<&Pictured>, after: Option<&Pictured>) -> Image {
    let name = before
        .or(after)
        .map_or_else(String::new, |image| image.name.clone());
    let places = |image: Option<&Pictured>| image.map_or_else(Vec::new, |it| it.places.clone());
    let (today, afterwards) = (places(before), places(after));
    let effect = |image: Option<&Pictured>, index: usize| {
        let effect = image.and_then(|image| image.effects.get(index).cloned());
        effect.unwrap_or_default()
    };
    let builds = WAYS.iter().enumerate().map(|(index, way)| Prediction {
        start: way.name,
        title: way.title,
        today: effect(before, index),
        afterwards: effect(after, index),
    });
    let floats = |place: &Place| {
        let tags = place.tags.iter();
        place.action != super::plan::Action::Build
            && tags
                .into_iter()
                .any(|tag| tag == "latest" || tag == "(no --tag)")
    };
    let tags = |places: &[Place]| -> Vec<Vec<String>> {
        places.iter().map(|place| place.tags.clone()).collect()
    };
    Image {
        repository: steps::registry_name(&name),
        moves: tags(&today) != tags(&afterwards),
        floats: today.iter().any(floats),
        builds: builds.collect(),
        name,
        today,
        afterwards,
    }
}

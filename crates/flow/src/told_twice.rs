//! What a description in the repository and an answer of AWS both tell, told once.
//!
//! Two descriptions of one project look like two projects, of which nobody knows which one runs a build. A description that
//! is written out speaks for itself, since it is what can be edited; where a function or a parameter decides, the
//! answer of AWS knows better.

use crate::FileKind;
use crate::delivery::{Pipeline, Project, Run, Value};
use crate::facts::{FileFacts, RepositoryDeclaration};

/// Leaves one of two that tell the same.
pub(crate) fn settle(files: &mut [FileFacts]) {
    let answers: Vec<usize> = indices(files, |file| file.kind == FileKind::AwsAnswer);
    if answers.is_empty() {
        return;
    }
    let others = indices(files, |file| {
        file.kind != FileKind::AwsAnswer
            && (file.delivery.is_some() || !file.repositories.is_empty())
    });
    for answer in answers {
        for other in &others {
            settle_pair(files, answer, *other);
        }
    }
}

fn indices(files: &[FileFacts], wanted: impl Fn(&FileFacts) -> bool) -> Vec<usize> {
    let all = files.iter().enumerate();
    all.filter(|(_, file)| wanted(file))
        .map(|(at, _)| at)
        .collect()
}

fn settle_pair(files: &mut [FileFacts], answer: usize, other: usize) {
    let mut told = std::mem::take(&mut files[answer].delivery);
    let mut described = std::mem::take(&mut files[other].delivery);
    if let (Some(told), Some(described)) = (&mut told, &mut described) {
        let (out, kept) = part(&mut told.projects, &mut described.projects, is_one, |it| {
            it.whole
        });
        drop_runs(&mut told.runs, &out);
        drop_runs(&mut described.runs, &kept);
        part(
            &mut told.pipelines,
            &mut described.pipelines,
            is_same,
            |it| it.whole,
        );
    }
    files[answer].delivery = told;
    files[other].delivery = described;
    let mut told = std::mem::take(&mut files[answer].repositories);
    let same =
        |a: &RepositoryDeclaration, b: &RepositoryDeclaration| a.name.is_some() && a.name == b.name;
    part(&mut told, &mut files[other].repositories, same, |it| {
        it.certain
    });
    files[answer].repositories = told;
}

/// Takes of each pair the one that does not speak: what is `told` where the description `is_whole`, else the
/// description. Gives what was taken out of the two.
fn part<T>(
    told: &mut Vec<T>,
    described: &mut Vec<T>,
    same: impl Fn(&T, &T) -> bool,
    is_whole: impl Fn(&T) -> bool,
) -> (Vec<T>, Vec<T>) {
    let (mut out, mut kept) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < told.len() {
        match described.iter().position(|it| same(&told[at], it)) {
            Some(index) if is_whole(&described[index]) => out.push(told.remove(at)),
            Some(index) => {
                kept.push(described.remove(index));
                at += 1;
            }
            None => at += 1,
        }
    }
    (out, kept)
}

/// Whether both are one project. One whose name is not written out is told by its commands.
fn is_one(told: &Project, described: &Project) -> bool {
    match &described.name {
        Value::Text(_) => described.name == told.name,
        _ => described.buildspec == told.buildspec,
    }
}

/// Whether both are one pipeline. One whose name is not written out is told by its stages and actions.
fn is_same(told: &Pipeline, described: &Pipeline) -> bool {
    let steps = |it: &Pipeline| -> Vec<Box<str>> {
        let stages = it.stages.iter();
        stages
            .flat_map(|stage| {
                let actions = stage.actions.iter().map(|action| action.name.clone());
                std::iter::once(stage.name.clone()).chain(actions)
            })
            .collect()
    };
    told.name == described.name || !told.stages.is_empty() && steps(told) == steps(described)
}

/// Takes out the builds of projects that are gone.
fn drop_runs(runs: &mut Vec<Run>, projects: &[Project]) {
    runs.retain(|run| {
        !projects.iter().any(|project| {
            run.text == project.text
                && run.buildspec == project.buildspec
                && matches!(&project.address, Value::Reference(name) if run.of.contains(&format!("`{name}`")))
        })
    });
}

//! What all reports for people say in the same words.

use std::collections::BTreeSet;

use crate::migrate::plan::{Effect, Image, Place, Prediction, Repository};

/// `1 file`, `2 files`.
pub(super) fn count(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What the plan comes to, in one or two sentences.
pub(super) fn headline(plan: &Repository, applied: bool) -> String {
    let moving = plan.images.iter().filter(|image| image.moves).count();
    let floating = plan
        .images
        .iter()
        .filter(|image| image.floats && !image.moves)
        .count();
    let mut parts = Vec::new();
    if moving > 0 {
        let verb = match (applied, moving) {
            (true, _) => "moved",
            (false, 1) => "moves",
            (false, _) => "move",
        };
        parts.push(format!("{} {verb} off `latest`", count(moving, "image")));
    }
    if !plan.files.is_empty() {
        let verb = match (applied, plan.files.len()) {
            (true, _) => "changed",
            (false, 1) => "changes",
            (false, _) => "change",
        };
        parts.push(format!("{} {verb}", count(plan.files.len(), "file")));
    }
    if floating > 0 {
        parts.push(format!("{} cannot move", count(floating, "image")));
    }
    let findings = plan.left.len();
    if findings > 0 {
        let verb = if findings == 1 { "needs" } else { "need" };
        parts.push(format!("{} {verb} a decision", count(findings, "finding")));
    }
    if parts.is_empty() {
        return "No image floats; there is nothing to edit.".to_owned();
    }
    format!("{}.", parts.join(", "))
}

/// The images that a report shows in full: those that move or float.
pub(super) fn shown(plan: &Repository) -> impl Iterator<Item = &Image> {
    plan.images
        .iter()
        .filter(|image| image.moves || image.floats)
}

/// How many images need nothing.
pub(super) fn settled_images(plan: &Repository) -> usize {
    plan.images
        .iter()
        .filter(|image| !image.moves && !image.floats)
        .count()
}

/// A place now and afterwards.
pub(super) struct Step<'p> {
    pub(super) today: Option<&'p Place>,
    pub(super) afterwards: Option<&'p Place>,
}

impl Step<'_> {
    /// The place that tells where it is: the one of now, if there is one.
    pub(super) fn place(&self) -> Option<&Place> {
        self.today.or(self.afterwards)
    }
}

/// The places of an image, each with what becomes of it. Edits change no order within a file, so that the places with
/// the same action in one file belong together one by one.
pub(super) fn steps(image: &Image) -> Vec<Step<'_>> {
    let mut used = BTreeSet::new();
    let mut steps: Vec<Step<'_>> = image
        .today
        .iter()
        .map(|today| {
            let same = |(at, place): &(usize, &Place)| {
                place.path == today.path && place.action == today.action && !used.contains(at)
            };
            let found = image.afterwards.iter().enumerate().find(same);
            let afterwards = found.map(|(at, place)| {
                used.insert(at);
                place
            });
            Step {
                today: Some(today),
                afterwards,
            }
        })
        .collect();
    let new = image
        .afterwards
        .iter()
        .enumerate()
        .filter(|(at, _)| !used.contains(at));
    steps.extend(new.map(|(_, place)| Step {
        today: None,
        afterwards: Some(place),
    }));
    steps
}

/// The tags of a place in few characters.
pub(super) fn tags(place: Option<&Place>) -> String {
    match place {
        Some(place) => join(&place.tags),
        None => "-".to_owned(),
    }
}

/// Tags, or a dash.
pub(super) fn join(tags: &[String]) -> String {
    if tags.is_empty() {
        "-".to_owned()
    } else {
        tags.join(", ")
    }
}

/// What builds push and what they deploy, with what becomes of it.
pub(super) fn effects(build: &Prediction) -> [(String, String); 2] {
    let said = |effect: &Effect, tags: &[String]| {
        if effect.stops {
            "(the build fails)".to_owned()
        } else {
            join(tags)
        }
    };
    [
        (
            said(&build.today, &build.today.pushes),
            said(&build.afterwards, &build.afterwards.pushes),
        ),
        (
            said(&build.today, &build.today.deploys),
            said(&build.afterwards, &build.afterwards.deploys),
        ),
    ]
}

/// Whether the definition of the branch is among the lines that a diff adds.
pub(super) struct Lines<'d> {
    /// The lines with a sign, without the definition.
    pub(super) changed: Vec<&'d str>,
    /// How many lines define the branch.
    pub(super) definition: usize,
}

/// The changed lines of a diff, those of the inserted definition counted instead of shown.
pub(super) fn changed_lines(diff: &str) -> Lines<'_> {
    let mut lines = Lines {
        changed: Vec::new(),
        definition: 0,
    };
    let mut inside = false;
    let mut pending: Option<&str> = None;
    for line in diff.lines().skip(2) {
        if !line.starts_with(['+', '-']) {
            inside = false;
            lines.changed.extend(pending.take());
            continue;
        }
        let text = line[1..].trim();
        // The item that holds the definition begins one line before its comment.
        let starts = line.starts_with('+')
            && text.starts_with("# ")
            && text.contains(": the branch that is being built");
        if starts {
            inside = true;
            lines.definition += 1 + usize::from(pending.take().is_some());
            continue;
        }
        if inside {
            lines.definition += 1;
            inside = !text.starts_with("export ");
            continue;
        }
        lines.changed.extend(pending.take());
        if line.starts_with('+') && text.ends_with('|') {
            pending = Some(line);
        } else {
            lines.changed.push(line);
        }
    }
    lines.changed.extend(pending);
    lines
        .changed
        .retain(|line| !matches!(line[1..].trim(), "|" | "- |"));
    lines
}

//! Variables that hold what every build with a source knows: the commit, or the id or number of the build.

use tagwright_flow::expression::plain_name;
use tagwright_flow::facts::{AssignmentFact, AssignmentPlace, FileFacts, Order};

use crate::shell_text::names_in;

/// Which of these a variable is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// The commit, or what stands for it where the source has none.
    Commit,
    /// The build.
    Build,
}

/// Variables are followed through this many others.
const DEEPEST: u32 = 3;

/// What CodeBuild's own variable of this name holds in every build with a source (CodeBuild user guide, "Environment
/// variables in build environments", 2026-10).
fn of_codebuild(name: &str) -> Option<Known> {
    match name {
        "CODEBUILD_RESOLVED_SOURCE_VERSION" | "CODEBUILD_SOURCE_VERSION" => Some(Known::Commit),
        "CODEBUILD_BUILD_ID" | "CODEBUILD_BUILD_NUMBER" => Some(Known::Build),
        _ => None,
    }
}

/// What the variable is made of, if it is CodeBuild's own or a command of the file sets it; with that command's
/// assignment.
pub(crate) fn made_of<'a>(
    file: &'a FileFacts,
    name: &str,
) -> Option<(Known, Option<&'a AssignmentFact>)> {
    if let Some(known) = of_codebuild(plain_name(name)) {
        return Some((known, None));
    }
    let mut assigned = file.assigned(name);
    assigned.find_map(|it| Some((assigned_from(file, it, 0)?, Some(it))))
}

fn assigned_from(file: &FileFacts, assigned: &AssignmentFact, depth: u32) -> Option<Known> {
    if assigned.place != AssignmentPlace::Command {
        return None;
    }
    let value = &*assigned.value;
    let through = |name: &str| {
        of_codebuild(name).or_else(|| {
            let mut others = file.assigned(name).filter(|_| depth < DEEPEST);
            let own = name == &*assigned.name;
            (!own).then(|| others.find_map(|it| assigned_from(file, it, depth + 1)))?
        })
    };
    let git = || value.contains("git rev-parse").then_some(Known::Commit);
    names_in(value).find_map(through).or_else(git)
}

/// Whether the variable surely has a value at `order`: it is CodeBuild's own, or a command that always runs before has
/// set it to a part of such a value that is never empty.
pub(crate) fn is_set(file: &FileFacts, name: &str, order: Order) -> bool {
    match made_of(file, name) {
        Some((_, None)) => true,
        Some((known, Some(_))) => file.assigned(name).any(|it| {
            it.order <= order
                && !it.conditional
                && !it.subshell
                && assigned_from(file, it, 0).is_some()
                && keeps_something(&it.value, known)
        }),
        None => false,
    }
}

/// Whether what the value is piped through leaves something of it. The id of a build has parts, a commit has none.
fn keeps_something(value: &str, known: Known) -> bool {
    let programs = value.trim_matches('"').split('|').map(|step| {
        let step = step.trim().trim_start_matches(['$', '(', '`']);
        step.split_whitespace().collect::<Vec<_>>()
    });
    programs.into_iter().all(|words| {
        let by_part = || {
            words
                .iter()
                .any(|it| it.starts_with("-d") || it.starts_with("-f"))
        };
        match words.first().copied() {
            Some("cut") => known == Known::Build || !by_part(),
            Some("awk") => known == Known::Build,
            Some("echo" | "printf" | "head" | "tr" | "git") => true,
            // A value, not a program.
            Some(_) => words.len() == 1,
            None => false,
        }
    })
}

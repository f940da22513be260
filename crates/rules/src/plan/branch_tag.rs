//! The fix that replaces `latest` by the branch tag, in all places or none.

use std::collections::{BTreeMap, HashSet};

use tagwright_flow::facts::{FileFacts, Order};
use tagwright_flow::tools::{Role, Tool};
use tagwright_flow::{FileId, FileKind};

use super::definition::{define_for, reads_branch};
use super::handed_over;
use super::joined::{
    Tagged, unnamed, with_parts, with_registry_calls, with_shared_variables, without_foreign,
};
use super::left_behind;
use super::pipeline;
use super::repository::move_to_environments;
use super::tag_choice::{self, Used};
use super::tag_edits::{self, Edits, has_loose_parts};
use crate::context::{Context, deploys};
use crate::environment;
use crate::settings::Strategy;
use crate::{Applicability, Change, Fix, Refusal, RefusalCode};

/// Replace `latest` by the branch tag at all `places`.
pub(super) fn branch_tag<'a>(context: &Context<'a>, places: &[Tagged<'a>]) -> Result<Fix, Refusal> {
    let places = with_shared_variables(context, places);
    let places = with_parts(context, without_foreign(context, places));
    let places = &with_registry_calls(context, places)?[..];
    if let Some(place) = unnamed(places) {
        let taker = describe(place.image.role);
        let message = format!(
            "nothing in {} gives the image the name that {taker} takes, as far as the text tells",
            place.file.path,
        );
        return Err(Refusal::new(RefusalCode::Unnamed, message).at(
            place.file.id,
            place.image.span,
            taker,
        ));
    }
    left_behind::check(context, places)?;
    let environments = context.settings.repositories();
    if context.settings.strategy == Strategy::RepositoryPerBranch && environments.is_none() {
        let images = places
            .iter()
            .filter(|(place, _)| place.image.role != Role::Argument);
        for (place, _) in images {
            environment::own_repository(context.settings, &place.image.repository)?;
        }
    }
    let used: Vec<Used<'_>> = places
        .iter()
        .map(|(place, _)| (place.file, place.image))
        .collect();
    let tag = tag_choice::choose(context, &used)?;
    let mut edits = tag_edits::edits(context, places, &tag)?;
    if let Some(environments) = environments {
        move_to_environments(context, environments, places, &mut edits)?;
    }
    let moves = edits.moves;
    let edits_files = !edits.commands.is_empty();
    let changes = with_definitions(context, edits, &tag)?;
    let read = places.iter().any(|(place, _)| deploys(place.image.role));
    let whose = if moves {
        " in the repository of the branch's environment"
    } else {
        ""
    };
    let message = if read {
        format!("build, push and deploy `{tag}`{whose} instead of `latest`")
    } else {
        format!("push `{tag}`{whose} instead of `latest`")
    };
    // Who else applies a file that the build writes into is not known; and a repository has to be there first.
    let applicability = if !read || edits_files || moves || has_loose_parts(places) {
        Applicability::Unsafe
    } else {
        Applicability::Safe
    };
    Ok(Fix {
        message,
        applicability,
        changes,
    })
}

/// The changes of all places, and in each file those that define what they read; each change once.
fn with_definitions(
    context: &Context<'_>,
    edits: Edits,
    tag: &str,
) -> Result<Vec<Change>, Refusal> {
    let Edits {
        mut changes,
        first_use,
        assignments,
        commands,
        inner,
        moves,
    } = edits;
    if changes.is_empty() && assignments.is_empty() && commands.is_empty() {
        return Err(Refusal::new(
            RefusalCode::NothingToChange,
            "there is nothing to rewrite",
        ));
    }
    // A repository of the branch's environment takes the branch, whatever the tag is.
    let tag = if moves {
        &*context.settings.branch_reference()
    } else {
        tag
    };
    let branch = reads_branch(context, tag);
    for (file, need) in needs(context, first_use, inner, branch)? {
        let facts = context.workspace.file(file);
        let definition = define_for(context, facts, need.order, need.exported, tag)?;
        if definition.change.is_some() {
            changes.extend(pipeline::pass_branch(context, file)?);
        } else if moves {
            names_repositories(context, facts)?;
        }
        changes.extend(definition.change);
        for assignment in assignments.get(&file).into_iter().flatten() {
            changes.push(definition.place.insert(file, assignment.as_str())?);
        }
    }
    changes.extend(commands);
    // Several places may have their tag from one.
    let mut known = HashSet::new();
    changes.retain(|change| known.insert(change.clone()));
    Ok(changes)
}

/// The changes that give the branch variable its value before a command of `file` reads it: in the file itself, or, for
/// a script, in all buildspecs that run it; none if `tag` does not read it. `inner`: a nested shell reads it.
///
/// # Errors
/// Nothing would define it; the reason.
pub(crate) fn define_branch_for_command(
    context: &Context<'_>,
    file: &FileFacts,
    order: Order,
    inner: bool,
    tag: &str,
) -> Result<Vec<Change>, Refusal> {
    let mut changes = Vec::new();
    if !reads_branch(context, tag) {
        return Ok(changes);
    }
    for (file, need) in needs(context, BTreeMap::from([(file.id, order)]), inner, true)? {
        let facts = context.workspace.file(file);
        changes.extend(define_for(context, facts, need.order, need.exported, tag)?.change);
    }
    Ok(changes)
}

/// Whether the branch variable, which the file sets itself, can be part of a repository's name.
///
/// # Errors
/// It may hold what cannot.
fn names_repositories(context: &Context<'_>, file: &FileFacts) -> Result<(), Refusal> {
    let settings = context.settings;
    let right = [false, true].map(|copilot| context.derivation(copilot));
    let set = || {
        file.scripts()
            .iter()
            .any(|it| right.iter().any(|text| **text == *it.text))
    };
    if settings.branch_defined || set() {
        return Ok(());
    }
    let message = format!(
        "{} sets {} itself, and the name of a repository is in lower case: name another variable as `variable` below `[branch]`",
        file.path, settings.branch_variable
    );
    Err(Refusal::new(RefusalCode::YourDecision, message))
}

/// When a buildspec needs the branch variable first, and whether a process that it starts reads it.
struct Need {
    order: Order,
    exported: bool,
}

/// The buildspecs that have to define the branch variable, for all files in which it is read. `inner`: a nested shell
/// reads it; `branch`: the tag is made of it.
///
/// # Errors
/// Nothing would define it for one of the files; the reason.
fn needs(
    context: &Context<'_>,
    first_use: BTreeMap<FileId, Order>,
    inner: bool,
    branch: bool,
) -> Result<BTreeMap<FileId, Need>, Refusal> {
    let mut needs: BTreeMap<FileId, Need> = BTreeMap::new();
    let mut add = |file: FileId, order: Order, exported: bool| {
        let need = needs.entry(file).or_insert(Need { order, exported });
        need.order = need.order.min(order);
        need.exported |= exported;
    };
    for (file, order) in first_use {
        let facts = context.workspace.file(file);
        if !branch && facts.buildspec.is_none() {
            // Whatever else the tag reads, CodeBuild or the project exports.
        } else if facts.kind == FileKind::Script {
            handed_over::may_read_branch(context, facts)?;
            for (build, order) in context.workspace.builds_of(file) {
                add(*build, *order, true);
            }
        } else if facts.buildspec.is_some() {
            add(file, order, inner);
        } else if facts.kind == FileKind::CopilotWorkload {
            // Copilot reads the exported environment of whoever runs it.
            copilot_runs_defined(context)?;
        }
    }
    Ok(needs)
}

/// Whether the tool acts only if the text of the reference changes, so that a tag which stays the same
/// from build to build deploys nothing.
pub(crate) fn needs_new_text(tool: Tool) -> bool {
    matches!(
        tool,
        Tool::Kubectl
            | Tool::Helm
            | Tool::Kustomize
            | Tool::CloudFormation
            | Tool::Terraform
            | Tool::AwsAppRunner
    )
}

/// The role of a place, for people.
pub(super) fn describe(role: Role) -> &'static str {
    match role {
        Role::Build | Role::BuildPush => "the build",
        Role::TagSource | Role::TagDestination => "docker tag",
        Role::Push => "the push",
        Role::Record => "what is recorded for the deployment",
        Role::Deploy => "the deployment",
        Role::Pull => "a pull",
        Role::Run => "a run",
        Role::Cache => "a cache source",
        Role::Argument => "an argument",
    }
}

/// A manifest's `${BRANCH_NAME}` needs the variable exported wherever Copilot reads the manifest.
fn copilot_runs_defined(context: &Context<'_>) -> Result<(), Refusal> {
    let defined = context.settings.branch_defined
        || context
            .workspace
            .files()
            .iter()
            .any(|file| !file.copilot.is_empty() && file.buildspec.is_some());
    if defined {
        Ok(())
    } else {
        Err(Refusal::new(
            RefusalCode::BranchUnknown,
            "no buildspec here runs Copilot, so nothing would define the variable that the manifest reads",
        ))
    }
}

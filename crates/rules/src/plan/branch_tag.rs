//! The fix that replaces `latest` by the branch tag, in all places or none.

use std::collections::BTreeMap;

use tagwright_flow::FileId;
use tagwright_flow::expression::{Expansion, Origin};
use tagwright_flow::facts::{Order, TagKind, TagValue};
use tagwright_flow::tools::{Role, Tool};

use super::definition::define_branch;
use super::joined::{unnamed, with_registry_calls, with_shared_variables};
use super::left_behind;
use super::written::{word_effect, written_at};
use crate::context::{Context, Place, deploys};
use crate::environment;
use crate::settings::Strategy;
use crate::{Applicability, Change, ChangeKind, Fix, Refusal, RefusalCode};

/// Replace `latest` by the branch tag at all `places`.
pub(super) fn branch_tag(
    context: &Context<'_>,
    places: &[(Place<'_>, &TagValue)],
    beside: bool,
) -> Result<Fix, Refusal> {
    let settings = context.settings;
    let places = with_shared_variables(context, places);
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
    let mut unique = places
        .iter()
        .any(|(place, _)| deploys(place.image.role) && needs_new_text(place.image.tool));
    if settings.strategy == Strategy::RepositoryPerBranch {
        let images = places
            .iter()
            .filter(|(place, _)| place.image.role != Role::Argument);
        for (place, _) in images {
            environment::own_repository(settings, &place.image.repository)?;
        }
        // The repository says which branch it is; its tags are never pushed twice.
        unique = true;
    }
    let tag = if unique {
        settings.unique_tag()
    } else {
        settings.tag_template.clone()
    };
    let mut changes = Vec::new();
    let mut first_use: BTreeMap<FileId, Order> = BTreeMap::new();
    let mut literal: BTreeMap<FileId, Vec<&str>> = BTreeMap::new();
    let mut inner = false;
    for (place, value) in places {
        // `docker rmi own:latest` and the like would miss the image; a bare `TAG=latest` may mean anything.
        if place.image.role == Role::Argument && place.image.repository.key().is_empty() {
            continue;
        }
        let shown = || format!("{} in {}", describe(place.image.role), place.file.path);
        if let Origin::EnvVariables(name) = &value.origin {
            let names = literal.entry(place.file.id).or_default();
            if !names.contains(&&**name) {
                names.push(name);
            }
        } else {
            let site = value.site.ok_or_else(|| {
                let message = format!("the place of the tag ({}) is not certain", shown());
                Refusal::uncertain(message).at(
                    place.file.id,
                    place.image.span,
                    describe(place.image.role),
                )
            })?;
            let text = written_at(settings, site, &tag, value.kind == TagKind::Implicit).map_err(
                |refusal| {
                    let message = format!(
                        "not everywhere the variable would be expanded: {refusal} ({})",
                        shown()
                    );
                    Refusal::new(refusal.code, message).at(
                        place.file.id,
                        site.source,
                        describe(place.image.role),
                    )
                },
            )?;
            inner |= site.expansion == Expansion::InnerShell;
            changes.push(Change {
                file: place.file.id,
                node: site.node,
                kind: ChangeKind::Replace {
                    range: site.range,
                    text,
                    words: word_effect(site),
                },
            });
        }
        let order = first_use.entry(place.file.id).or_insert(place.image.order);
        *order = (*order).min(first_order(place, value));
    }
    if changes.is_empty() && literal.is_empty() {
        return Err(Refusal::new(
            RefusalCode::NothingToChange,
            "there is nothing to rewrite",
        ));
    }
    for (file, order) in first_use {
        let facts = context.workspace.file(file);
        let names = literal.get(&file).map_or(&[][..], Vec::as_slice);
        if facts.buildspec.is_none() {
            if facts.kind == tagwright_flow::FileKind::CopilotWorkload {
                // Copilot reads the exported environment of whoever runs it.
                copilot_runs_defined(context)?;
            }
            continue;
        }
        let definition = define_branch(context, facts, order, inner)?;
        changes.extend(definition.change);
        for name in names {
            let value = format!("{name}=\"{tag}\"");
            changes.push(definition.place.insert(file, value)?);
        }
    }
    changes.dedup();
    let read = places.iter().any(|(place, _)| deploys(place.image.role));
    let message = if read {
        format!("build, push and deploy `{tag}` instead of `latest`")
    } else {
        format!("push `{tag}` instead of `latest`")
    };
    let applicability = if beside || !read {
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

/// The time at which the place's text is evaluated: for an assigned value, of the assignment.
fn first_order(place: &Place<'_>, value: &TagValue) -> Order {
    let assigned = value
        .site
        .and_then(|site| place.file.assigned_at(site.source));
    assigned.unwrap_or(place.image.order)
}

fn describe(role: Role) -> &'static str {
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

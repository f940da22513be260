//! Names of environments and branches inside other names, and whether a repository belongs to one of them.

use tagwright_flow::expression::{Piece, Repository, plain_name};

use crate::delivery::words;
use crate::settings::Strategy;
use crate::variables::is_branch;
use crate::{Refusal, RefusalCode, Settings};

/// Words that name an environment or a long-lived branch, with the environment that is meant.
const ENVIRONMENTS: [(&str, &[&str]); 5] = [
    ("development", &["dev", "develop", "development"]),
    ("test", &["test", "testing", "qa", "uat"]),
    ("staging", &["stage", "staging", "stag", "stg", "preprod"]),
    (
        "production",
        &["prod", "production", "prd", "live", "main", "master"],
    ),
    ("preview", &["preview", "sandbox", "demo"]),
];

/// The environment that a name names; `None` if it names none, or several.
pub(crate) fn environment(name: &str) -> Option<&'static str> {
    let mut found = None;
    for word in words(name) {
        let meant = ENVIRONMENTS
            .iter()
            .find(|(_, words)| words.contains(&&*word))
            .map(|(environment, _)| *environment);
        match (found, meant) {
            (Some(known), Some(other)) if known != other => return None,
            (None, Some(_)) => found = meant,
            _ => {}
        }
    }
    found
}

/// Whether a name has a word in it that names an environment.
pub(crate) fn names_environment(name: &str) -> bool {
    words(name).any(|word| {
        ENVIRONMENTS
            .iter()
            .any(|(_, words)| words.contains(&&*word))
    })
}

/// Whether a variable holds an environment or a branch, by its name.
pub(crate) fn holds_environment(name: &str, settings: &Settings) -> bool {
    is_branch(name, settings)
        || names_environment(name)
        || words(name).any(|word| matches!(&*word, "env" | "environment" | "tier"))
}

/// Whether the repository's name says which branch or environment it belongs to.
pub(crate) fn is_of_one(repository: &Repository, settings: &Settings) -> bool {
    repository.pieces().any(|piece| match piece {
        Piece::Text(text) => names_environment(text),
        Piece::Variable(name) => holds_environment(plain_name(name), settings),
        // Computed from whatever.
        Piece::Computed(_) => true,
    })
}

/// The last part of a repository's name, if that is text and only a registry stands before it whose
/// variables are accounts, regions and the like.
pub(crate) fn written_name(repository: &Repository) -> Option<String> {
    let mut shown = String::new();
    for piece in repository.pieces() {
        match piece {
            Piece::Text(text) => shown.push_str(text),
            Piece::Variable(name) => {
                let registry = words(plain_name(name)).any(|word| {
                    matches!(
                        &*word,
                        "account" | "region" | "registry" | "ecr" | "aws" | "accountid" | "host"
                    )
                });
                if !registry || shown.contains('/') {
                    return None;
                }
                shown.push('$');
            }
            Piece::Computed(_) => return None,
        }
    }
    let (registry, name) = shown.split_once('/')?;
    (!registry.is_empty() && !name.is_empty() && !name.contains('$')).then(|| name.to_owned())
}

/// Whether a fix may write a tag for this repository: with a repository for each branch, a tag in one that
/// all of them share isolates nothing.
///
/// # Errors
/// The reason, if not.
pub(crate) fn own_repository(settings: &Settings, repository: &Repository) -> Result<(), Refusal> {
    if is_of_one(repository, settings) {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalCode::Strategy,
        format!(
            "with the strategy repository-per-branch the image needs a repository of its own for each branch, as in `{}-{}`; who creates it, and who else reads this one, is not in this repository",
            written_name(repository).unwrap_or_else(|| "repository".to_owned()),
            settings.branch_reference()
        ),
    ))
}

/// Whether a fix may write a tag for Copilot.
///
/// # Errors
/// The reason, if not.
pub(crate) fn copilot_tag(settings: &Settings) -> Result<(), Refusal> {
    match settings.strategy {
        Strategy::BranchTag => Ok(()),
        Strategy::RepositoryPerBranch => Err(Refusal::new(
            RefusalCode::Strategy,
            "Copilot has one repository for each workload, so a tag does not give the branch a repository of its own",
        )),
    }
}

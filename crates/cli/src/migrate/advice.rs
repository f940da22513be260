//! Which strategy fits a repository, from what is seen in it.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use tagwright_project::Workspace;
use tagwright_rules::settings::Strategy;

/// The strategy that fits, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Advice {
    /// The one that the plan follows: `branch-tag` or `repository-per-branch`.
    pub planned: &'static str,
    /// The one that fits.
    pub fits: &'static str,
    /// What speaks for it.
    pub reasons: Vec<String>,
}

/// What is seen of a repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// Environments of the configuration, and those of them with an account of their own.
    environments: usize,
    accounts: usize,
    /// Accounts whose registries are named.
    registries: usize,
    pipelines: usize,
    /// Repositories that are declared.
    repositories: usize,
    images: usize,
}

/// The advice for a workspace.
pub(crate) fn advise(workspace: &Workspace) -> Advice {
    let settings = workspace.analysis.settings();
    let files = workspace.flow.files();
    let targets = settings.environments.iter().flat_map(|it| &it.named);
    let accounts: BTreeSet<_> = targets
        .clone()
        .filter_map(|it| it.target.account.as_ref())
        .collect();
    let own = workspace.flow.flows().iter().filter(|flow| flow.own);
    let registries: BTreeSet<&str> = own
        .clone()
        .filter_map(|flow| {
            let account = flow.name.split(".dkr.ecr.").next()?;
            let digits = account.len() == 12 && account.bytes().all(|it| it.is_ascii_digit());
            digits.then_some(account)
        })
        .collect();
    let deliveries = files.iter().filter_map(|file| file.delivery.as_deref());
    let seen = Seen {
        environments: targets.count(),
        accounts: accounts.len(),
        registries: registries.len(),
        pipelines: deliveries.map(|it| it.pipelines.len()).sum(),
        repositories: files.iter().map(|file| file.repositories.len()).sum(),
        images: own.filter(|flow| flow.pushed).count(),
    };
    decide(seen, settings.strategy)
}

fn decide(seen: Seen, strategy: Strategy) -> Advice {
    let many = |count: usize, one: &str, more: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {more}"),
    };
    let mut strict = Vec::new();
    if seen.accounts > 0 {
        strict.push(format!(
            "{} in `[environments]`: a tag cannot cross the border of an account",
            many(seen.accounts, "account", "accounts")
        ));
    }
    if seen.registries > 1 {
        strict.push(format!(
            "images are in the registries of {} accounts",
            seen.registries
        ));
    }
    if seen.environments > 1 {
        strict.push(format!(
            "{} environments in `[environments]`: with a repository for each, IAM decides who may push to which",
            seen.environments
        ));
    }
    if seen.repositories > seen.images.max(1) {
        strict.push(format!(
            "{} are declared for {}, so there is more than one for an image already",
            many(seen.repositories, "repository", "repositories"),
            many(seen.images, "image", "images")
        ));
    }
    let name = |strategy: Strategy| match strategy {
        Strategy::BranchTag => "branch-tag",
        Strategy::RepositoryPerBranch => "repository-per-branch",
    };
    if !strict.is_empty() {
        return Advice {
            planned: name(strategy),
            fits: name(Strategy::RepositoryPerBranch),
            reasons: strict,
        };
    }
    let mut simple =
        vec!["no environment has an account or a repository of its own here".to_owned()];
    if seen.pipelines <= 1 {
        let pipelines = match seen.pipelines {
            0 => "no pipeline is",
            _ => "one pipeline is",
        };
        simple.push(format!(
            "{pipelines} described here: one team, one repository, a tag for each branch"
        ));
    }
    simple.push("strict compliance is not in the files: if images of production must be out of reach of other builds, take repository-per-branch".to_owned());
    Advice {
        planned: name(strategy),
        fits: name(Strategy::BranchTag),
        reasons: simple,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_decides() {
        let fits = |seen: Seen| decide(seen, Strategy::BranchTag).fits;
        let small = Seen {
            pipelines: 1,
            images: 1,
            repositories: 1,
            ..Seen::default()
        };
        assert_eq!(fits(Seen::default()), "branch-tag");
        assert_eq!(fits(small), "branch-tag");
        for seen in [
            Seen {
                environments: 3,
                ..small
            },
            Seen {
                accounts: 1,
                environments: 1,
                ..small
            },
            Seen {
                registries: 2,
                ..small
            },
            Seen {
                repositories: 3,
                ..small
            },
        ] {
            assert_eq!(fits(seen), "repository-per-branch", "{seen:?}");
        }
        assert_eq!(
            decide(small, Strategy::RepositoryPerBranch).planned,
            "repository-per-branch"
        );
    }
}

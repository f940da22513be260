//! Names of images in private registries of Amazon ECR.

use std::collections::HashSet;

use crate::expression::{Piece, Repository};

/// Stands for a variable.
const ANY: char = '$';

/// Accounts of AWS that publish images to all: for Bit, App Mesh, EKS, deep learning containers, SageMaker.
/// Source: the user guides of these services (2026-11).
const AWS_ACCOUNTS: [&str; 7] = [
    "906394416424",
    "840364872350",
    "602401143452",
    "763104351884",
    "683313688378",
    "246618743249",
    "382416733822",
];

/// What a folder of a repository is called that a pull-through cache fills, or that holds copies of others'
/// images. Source: ECR user guide, "Creating a pull through cache rule", its suggested prefixes, and variations.
const CACHES: [&str; 16] = [
    "docker-hub",
    "dockerhub",
    "docker.io",
    "ecr-public",
    "public-ecr",
    "public.ecr",
    "quay",
    "ghcr",
    "github",
    "gitlab",
    "k8s",
    "kubernetes",
    "gcr",
    "chainguard",
    "mirror",
    "cache",
];

/// The same, where it is the whole name of a folder only.
const UPSTREAMS: [&str; 8] = [
    "library", "docker", "public", "upstream", "proxy", "aws", "eks", "amazon",
];

/// `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME` or the dual-stack form of it, in parts.
struct Private {
    /// Twelve digits, or [`ANY`].
    account: String,
    name: String,
}

fn private(repository: &Repository) -> Option<Private> {
    let mut text = String::new();
    for piece in repository.pieces() {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Variable(_) | Piece::Computed(_) => text.push(ANY),
        }
    }
    let (host, name) = text.split_once('/')?;
    let (account, rest) = [".dkr.ecr.", ".dkr.ecr-fips.", ".dkr-ecr.", ".dkr-ecr-fips."]
        .iter()
        .find_map(|middle| host.split_once(middle))?;
    let region = [".amazonaws.com", ".amazonaws.com.cn", ".on.aws"]
        .iter()
        .find_map(|end| rest.strip_suffix(end))?;
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let known = digits || account.chars().eq([ANY]);
    (known && !region.is_empty() && !name.is_empty()).then(|| Private {
        account: account.to_owned(),
        name: name.to_owned(),
    })
}

/// The account of the private registry that the image is in, if it is written out.
pub(crate) fn account(repository: &Repository) -> Option<String> {
    let account = private(repository)?.account;
    (!account.contains(ANY)).then_some(account)
}

/// Whether the image is in a private registry that may be the workspace's own, under a name of its own.
/// `accounts` are those in which commands of the workspace write images: where there are some, an image of
/// another account is somebody else's.
pub(crate) fn is_own(repository: &Repository, accounts: &HashSet<String>) -> bool {
    let Some(Private { account, name }) = private(repository) else {
        return false;
    };
    let other = !account.contains(ANY)
        && (AWS_ACCOUNTS.contains(&&*account)
            || !accounts.is_empty() && !accounts.contains(&account));
    let mut parts = name.rsplit('/');
    let last = parts.next().unwrap_or_default();
    let copied = parts.any(|folder| {
        let folder = folder.to_ascii_lowercase();
        CACHES.iter().any(|cache| folder.contains(cache)) || UPSTREAMS.contains(&&*folder)
    });
    let published = ["aws-", "amazon-", "amazonlinux", "cloudwatch-agent"]
        .iter()
        .any(|start| last.starts_with(start));
    !other && !copied && !published && !last.contains(['<', '>', '{'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::{Expression, Origin};

    fn own(text: &str, accounts: &[&str]) -> bool {
        let expression = Expression::literal(text, None, Origin::Written);
        let accounts = accounts.iter().map(|it| (*it).to_owned()).collect();
        is_own(&Repository::from(&expression), &accounts)
    }

    #[test]
    fn images_of_others_in_private_registries_are_told_by_account_and_name() {
        let registry = "444455556666.dkr.ecr.eu-central-1.amazonaws.com";
        for name in ["shop", "team/shop", "backend/api"] {
            assert!(own(&format!("{registry}/{name}"), &[]), "{name}");
            assert!(
                own(&format!("{registry}/{name}"), &["444455556666"]),
                "{name}"
            );
            assert!(
                !own(&format!("{registry}/{name}"), &["777788889999"]),
                "{name}"
            );
        }
        for name in [
            "docker-hub/library/nginx",
            "ecr-public/nginx/nginx",
            "quay.io/prometheus/node-exporter",
            "ghcr/owner/tool",
            "aws-for-fluent-bit",
            "eks/coredns",
        ] {
            assert!(!own(&format!("{registry}/{name}"), &[]), "{name}");
        }
        for text in [
            "906394416424.dkr.ecr.eu-west-1.amazonaws.com/shop",
            "public.ecr.aws/team/shop",
            "ACCOUNT_ID.dkr.ecr.eu-west-1.amazonaws.com/shop",
            "shop",
        ] {
            assert!(!own(text, &[]), "{text}");
        }
        assert!(own("444455556666.dkr-ecr.eu-west-1.on.aws/shop", &[]));
    }
}

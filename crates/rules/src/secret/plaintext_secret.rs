//! A secret stands in the file.
//!
//! ## What it does
//!
//! Finds keys of AWS, GitHub, GitLab, npm, Slack and Stripe and private keys among the values of
//! `env.variables` and of assignments, and values of `env.variables` whose name ends in a word such as
//! `PASSWORD` and that look like one. Placeholders, references, paths, numbers and names are left alone.
//!
//! ## Why it matters
//!
//! Everybody who can read the repository, the build project or its history has it. It has to be replaced:
//! taking it out of the file does not take it out of the history.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   variables:
//!     DB_PASSWORD: v8Qm2xTz91
//! phases:
//!   build:
//!     commands:
//!       - ./migrate.sh
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   secrets-manager:
//!     DB_PASSWORD: web/database:password
//! phases:
//!   build:
//!     commands:
//!       - ./migrate.sh
//! ```
//!
//! ## Fix
//!
//! None: the secret has to be replaced, and stored where only the build can read it.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference": `env/variables` "can be displayed in plain
//!   text", with the advice to use Secrets Manager or the parameter store.
//! - AWS Config rule `codebuild-project-envvar-awscred-check`.

use tagwright_flow::facts::AssignmentPlace;

use crate::context::{Document, Report};
use crate::variables::unquoted;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "plaintext-secret",
    category: Category::Secret,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("plaintext_secret"),
    check: Check::Document(check),
};

/// How names of secrets end, without case, underscores and dashes.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "secretkey",
    "secretaccesskey",
];

/// What stands in values that are there to be replaced, or belong to a test. Names of secrets, too: a
/// value with such a word in it names a secret rather than being one.
const NO_SECRETS: &[&str] = &[
    "change",
    "placeholder",
    "example",
    "dummy",
    "test",
    "fake",
    "your",
    "xxx",
    "***",
    "replace",
    "todo",
    "sample",
    "none",
    "null",
    "default",
    "local",
    "mock",
    "insert",
    "redacted",
    "unused",
    "secret",
    "passw",
    "token",
    "apikey",
    "api-key",
    "api_key",
    "postgres",
    "mysql",
    "admin",
    "root",
    "1234",
    "abc",
    "foo",
    "credential",
    "param",
];

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    for assignment in &document.facts.assignments {
        let value = unquoted(&assignment.value);
        let in_env = assignment.place == AssignmentPlace::EnvVariables;
        if !in_env && assignment.place != AssignmentPlace::Command {
            continue;
        }
        let what = match kind_of_key(value) {
            Some(kind) => kind,
            None if in_env && is_secret_name(&assignment.name) && looks_random(value) => "a secret",
            None => continue,
        };
        let message = format!(
            "`{}` holds {what} in plain text: everybody who can read the file has it",
            assignment.name
        );
        report.add(report.draft(document.facts.id, assignment.span, message));
    }
}

/// What kind of key the text is, by its form alone.
fn kind_of_key(value: &str) -> Option<&'static str> {
    let rest_is = |prefix: &str, least: usize, also: &str| {
        value.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() >= least
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || also.as_bytes().contains(&b))
        })
    };
    // The keys of the AWS documentation.
    if value.contains("EXAMPLE") {
        return None;
    }
    let upper = |prefix: &str| {
        value.len() == 20
            && rest_is(prefix, 16, "")
            && value
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    if upper("AKIA") || upper("ASIA") {
        Some("an access key of AWS")
    } else if ["ghp_", "gho_", "ghs_", "ghu_", "github_pat_"]
        .iter()
        .any(|prefix| rest_is(prefix, 30, "_"))
    {
        Some("a token of GitHub")
    } else if rest_is("glpat-", 20, "-_") {
        Some("a token of GitLab")
    } else if rest_is("npm_", 36, "") && value.len() == 40 {
        Some("a token of npm")
    } else if ["xoxb-", "xoxp-"]
        .iter()
        .any(|prefix| rest_is(prefix, 20, "-"))
    {
        Some("a token of Slack")
    } else if rest_is("sk_live_", 20, "") {
        Some("a key of Stripe")
    } else if value.starts_with("-----BEGIN ") && value.contains("PRIVATE KEY-----") {
        Some("a private key")
    } else {
        None
    }
}

fn is_secret_name(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let plain = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    NAMES.iter().any(|end| plain.ends_with(end))
}

/// Whether the text can only be meant as a secret: one word of letters mixed with digits or signs that is
/// no reference, path, name or placeholder.
fn looks_random(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let refers = value.contains(['$', '<', '>', '{', '}', '%', ' ', '\n'])
        || value.contains("://")
        || value.starts_with(['/', '.', '~', '@'])
        || lower.starts_with("arn:")
        || NO_SECRETS.iter().any(|word| lower.contains(word));
    let letter = value.bytes().any(|b| b.is_ascii_alphabetic());
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let sign = value.contains(['!', '#', '^', '&', '*', '+', '=', '?']);
    // `web-2`, `prod/db/v1` and `my.key.2024` are names.
    let pieces = value.split(['-', '_', '/', '.', ':']);
    let name = pieces.clone().count() > 1
        && pieces.clone().all(|piece| {
            let word = piece.trim_matches(|c: char| c.is_ascii_digit());
            word.bytes().all(|b| b.is_ascii_alphabetic())
        });
    value.len() >= 8 && !refers && !name && letter && (digits >= 2 || sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_end_otherwise_are_no_secrets() {
        for name in ["DB_PASSWORD", "githubToken", "API_KEY", "CLIENT_SECRET_2"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "TOKEN_URL",
            "PASSWORD_RESET_PATH",
            "SECRET_NAME",
            "SECRET_ARN",
            "TOKENIZER",
            "KEY",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn references_and_names_are_no_secrets() {
        for value in [
            "v8Qm2xTz91",
            "p4ss!word9x",
            "9f86d081884c7d659a2feaa0c55ad015",
        ] {
            assert!(looks_random(value), "{value}");
        }
        for value in [
            "",
            "true",
            "12345678",
            "/prod/db/password",
            "prod-db-2024-main",
            "arn:aws:ssm:eu-west-1:1:parameter/x",
            "${DB_PASSWORD}",
            "changeme123!",
            "{{resolve:ssm:x:1}}",
            "eks-cb-dev-postgres-password-24131",
            "https://example.com/t0ken99",
        ] {
            assert!(!looks_random(value), "{value}");
        }
    }

    #[test]
    fn keys_are_known_by_their_form() {
        let token = format!("ghp_{}", "a1".repeat(18));
        assert!(kind_of_key(&token).is_some());
        assert!(kind_of_key("AKIAQ3EGRYAB7TN2XW5Z").is_some());
        assert!(kind_of_key("AKIAIOSFODNN7EXAMPLE").is_none());
        assert!(kind_of_key("AKIA").is_none());
    }
}

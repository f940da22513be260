//! A secret stands in the file.
//!
//! ## What it does
//!
//! Finds keys of AWS, GitHub, GitLab, npm, Slack and Stripe and private keys anywhere in a buildspec or a
//! Copilot manifest, and values of `env.variables` and of a manifest's `variables` whose name ends in a word
//! such as `PASSWORD` and that look like one. Placeholders, references, paths, numbers and names are left
//! alone.
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
//! ## When to silence it
//!
//! For a value that opens nothing: the password of a database that lives as long as the build, an example,
//! a public key.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference": `env/variables` "can be displayed in plain
//!   text", with the advice to use Secrets Manager or the parameter store.
//! - AWS Config rule `codebuild-project-envvar-awscred-check`.

use std::sync::LazyLock;

use regex::RegexSet;
use tagwright_flow::FileKind;
use tagwright_flow::facts::AssignmentPlace;
use tagwright_flow::search::AnyOf;
use tagwright_syntax::Span;
use tagwright_syntax::yaml::NodeId;

use crate::context::{Document, Report};
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

/// How keys begin that are known by their form.
const PREFIXES: &[&str] = &[
    "AKIA",
    "ASIA",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "npm_",
    "xoxb-",
    "xoxp-",
    "sk_live_",
    "-----BEGIN ",
];

static ANY_PREFIX: AnyOf = AnyOf::new(PREFIXES);

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let text = document.text();
    let id = document.facts.id;
    let ours = matches!(
        document.facts.kind,
        FileKind::Buildspec
            | FileKind::CopilotWorkload
            | FileKind::CopilotEnvironment
            | FileKind::CopilotPipeline
    );
    if !ours {
        return;
    }
    // Asking first is much faster than looking for all places of what is not there.
    let begins = ANY_PREFIX.is_in(text);
    for prefix in PREFIXES
        .iter()
        .filter(|prefix| begins && text.contains(**prefix))
    {
        for (at, _) in text.match_indices(prefix) {
            let token = token_at(text, at, prefix);
            let Some(kind) = kind_of_key(token) else {
                continue;
            };
            let message = format!(
                "{kind} stands in the file in plain text: everybody who can read it has it"
            );
            report.add(report.draft(id, Span::new(at, at + token.len()), message));
        }
    }
    for assignment in &document.facts.assignments {
        if assignment.place == AssignmentPlace::EnvVariables {
            named(
                document,
                report,
                &assignment.name,
                &assignment.value,
                assignment.span,
            );
        }
    }
    if document.facts.kind == FileKind::CopilotWorkload {
        manifest(document, report);
    }
}

/// The variables of a service's or job's containers, of all environments.
fn manifest(document: &Document<'_>, report: &mut Report<'_>) {
    let tree = document.tree;
    let Some(root) = tree.root() else { return };
    let entries = |node: Option<NodeId>| {
        node.and_then(|node| tree.mapping(node))
            .map_or(&[][..], |mapping| &mapping.entries)
    };
    let sections = entries(tree.get(root, "environments"))
        .iter()
        .map(|section| section.value);
    for section in std::iter::once(root).chain(sections) {
        for entry in entries(tree.get(section, "variables")) {
            if let (Some(name), Some(value)) = (tree.text(entry.key), tree.text(entry.value)) {
                let span = tree.node(tree.resolve(entry.value)).span;
                named(document, report, name, value, span);
            }
        }
    }
}

/// A variable whose name says that it is a secret, with a value that looks like one.
fn named(document: &Document<'_>, report: &mut Report<'_>, name: &str, value: &str, span: Span) {
    if is_secret_name(name) && looks_random(value) && kind_of_key(value).is_none() {
        let message = format!(
            "`{name}` holds a secret in plain text: everybody who can read the file has it"
        );
        report.add(report.draft(document.facts.id, span, message));
    }
}

/// The word of a key's characters at byte `at`, where `prefix` stands; empty in the middle of another word.
fn token_at<'t>(text: &'t str, at: usize, prefix: &str) -> &'t str {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if text[..at]
        .chars()
        .next_back()
        .is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    {
        return "";
    }
    // No key is longer, and looking no further keeps the work in proportion to the text.
    let rest = &text[at..];
    let end = rest
        .char_indices()
        .map(|(at, _)| at)
        .nth(256)
        .unwrap_or(rest.len());
    let rest = &rest[..end];
    if prefix.ends_with(' ') {
        // Only with the key itself behind it: a header alone is also written around `$KEY`.
        let end = "PRIVATE KEY-----";
        let Some(header) = rest
            .find(end)
            .map(|at| at + end.len())
            .filter(|at| *at < 48)
        else {
            return "";
        };
        let body = rest[header..].trim_start_matches([' ', '\n', '\r', '\t', '\\', 'n']);
        let base64 = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
        let long = body.bytes().take_while(|b| base64(b)).count() >= 20;
        return if long { &rest[..header] } else { "" };
    }
    &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())]
}

/// The forms of keys, each with what it is.
const FORMS: &[(&str, &str)] = &[
    (r"^A[KS]IA[A-Z0-9]{16}$", "an access key of AWS"),
    (
        r"^(gh[posu]|github_pat)_[A-Za-z0-9_]{30,}$",
        "a token of GitHub",
    ),
    (r"^glpat-[A-Za-z0-9_-]{20,}$", "a token of GitLab"),
    (r"^npm_[A-Za-z0-9]{36}$", "a token of npm"),
    (r"^xox[bp]-[A-Za-z0-9-]{20,}$", "a token of Slack"),
    (r"^sk_live_[A-Za-z0-9]{20,}$", "a key of Stripe"),
    (r"^-----BEGIN .*PRIVATE KEY-----", "a private key"),
];

/// Compiled when the first text begins like a key, which in most runs none does.
static KEYS: LazyLock<Option<RegexSet>> =
    LazyLock::new(|| RegexSet::new(FORMS.iter().map(|(form, _)| form)).ok());

/// What kind of key the text is, by its form alone.
fn kind_of_key(value: &str) -> Option<&'static str> {
    // The keys of the AWS documentation.
    if value.contains("EXAMPLE") || !PREFIXES.iter().any(|prefix| value.starts_with(prefix)) {
        return None;
    }
    let form = KEYS.as_ref()?.matches(value).iter().next()?;
    Some(FORMS[form].1)
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

//! A reference to a secret that CodeBuild cannot resolve.
//!
//! ## What it does
//!
//! Checks the form of the values of `env.secrets-manager`:
//! `secret-id:json-key:version-stage:version-id`, of which only the first is required and only one of the
//! last two may be given. The secret's id may be an ARN. Values with `$` or `{` are left alone.
//!
//! ## Why it matters
//!
//! The build stops in the phase `DOWNLOAD_SOURCE` with `Secrets Manager Error Message`.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   secrets-manager:
//!     TOKEN: web:github:token:AWSCURRENT:1
//! phases:
//!   build:
//!     commands:
//!       - ./release.sh
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   secrets-manager:
//!     TOKEN: web/github:token:AWSCURRENT
//! phases:
//!   build:
//!     commands:
//!       - ./release.sh
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! Where a program fills the reference in before CodeBuild reads the file.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Build specification reference": `env/secrets-manager`.

use crate::context::{Document, Report};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "secret-reference",
    category: Category::Secret,
    default: Some(Severity::Error),
    fixable: Fixable::Never,
    docs: docs!("secret_reference"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let Some(spec) = &document.buildspec else {
        return;
    };
    for entry in &spec.env.secrets_manager {
        let Some(text) = document.tree.text(entry.value) else {
            continue;
        };
        let Some(problem) = problem(text) else {
            continue;
        };
        let name = document.tree.text(entry.key).unwrap_or("");
        // An absent value has no bytes of its own.
        let place = if text.is_empty() {
            entry.key
        } else {
            entry.value
        };
        let span = document.tree.node(place).span;
        let message = format!("CodeBuild cannot resolve the reference for `{name}`: {problem}");
        report.add(report.draft(document.facts.id, span, message));
    }
}

/// What is wrong with the reference, to be read after a colon.
fn problem(text: &str) -> Option<&'static str> {
    if text.contains(['$', '{', '<']) {
        return None;
    }
    let mut fields: Vec<&str> = text.split(':').collect();
    if fields[0] == "arn" {
        // arn:aws:secretsmanager:region:account:secret:name
        if fields.len() < 7 {
            return Some("the ARN is not complete");
        }
        fields.drain(..6);
    }
    match fields.as_slice() {
        [id, ..] if id.trim().is_empty() => Some("it names no secret"),
        [_, _, stage, id] if !stage.is_empty() && !id.is_empty() => {
            Some("only one of version stage and version id may be given")
        }
        fields if fields.len() > 4 => {
            Some("it has more fields than `secret-id:json-key:version-stage:version-id`")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn references_have_four_fields_at_most() {
        let arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:web-AbCdEf";
        for good in [
            "web",
            "web/github:token",
            "web:::",
            "web::AWSCURRENT",
            "web:token::0a1b",
            arn,
            &format!("{arn}:token:AWSCURRENT"),
            "${Prefix}:a:b:c:d",
        ] {
            assert_eq!(problem(good), None, "{good}");
        }
        for bad in [
            "",
            ":token",
            "web:token:AWSCURRENT:0a1b",
            "web:a:b:c:d",
            "arn:aws:secretsmanager:web",
            &format!("{arn}:a:b:c:d"),
        ] {
            assert!(problem(bad).is_some(), "{bad}");
        }
    }
}

//! A password is given on the command line.
//!
//! ## What it does
//!
//! Finds `-p` and `--password` of `docker login`, and of `podman` and `nerdctl`.
//!
//! ## Why it matters
//!
//! Every process of the machine can read the arguments of every other, `set -x` prints them, and docker
//! itself warns at each build. CodeBuild masks secrets in the log only where they stand exactly as they are.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   secrets-manager:
//!     HUB_TOKEN: hub:token
//! phases:
//!   pre_build:
//!     commands:
//!       - docker login -u build -p $HUB_TOKEN
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! env:
//!   secrets-manager:
//!     HUB_TOKEN: hub:token
//! phases:
//!   pre_build:
//!     commands:
//!       - printf '%s' "$HUB_TOKEN" | docker login -u build --password-stdin
//! ```
//!
//! ## Fix
//!
//! The password goes to the standard input, if it is one variable and the command reads nothing else from
//! there.
//!
//! ## When to silence it
//!
//! For a registry or a password that lives only during the build, such as one on `localhost`.
//!
//! ## Sources
//!
//! - Docker's reference of `docker login`, "Provide a password using STDIN".

use tagwright_flow::kind::has;
use tagwright_flow::tools::registry_login;
use tagwright_syntax::Span;
use tagwright_syntax::shell::{Command, PartKind, Quoting, RedirectKind, Status, Word};

use crate::context::{Document, Report};
use crate::script::{Item, items, untouchable};
use crate::{Applicability, Category, Check, Fix, Fixable, Refusal, RefusalCode, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "password-argument",
    category: Category::Secret,
    default: Some(Severity::Warning),
    fixable: Fixable::Sometimes,
    docs: docs!("password_argument"),
    check: Check::Document(check),
};

/// Whether the text has a `-p` that may begin a word, other than that of `--password-stdin`: most logins are
/// not worth a parse, and nearly every one has `get-login-password`.
fn may_give_password(text: &str) -> bool {
    memchr::memchr_iter(b'-', text.as_bytes()).any(|at| {
        text[at + 1..].starts_with('p')
            && !text[at..].starts_with("-password-stdin")
            && (!text[..at].ends_with(|before: char| before.is_ascii_alphanumeric())
                // In a file, what stands for a line break or a tab.
                || text[..at].ends_with("\\n")
                || text[..at].ends_with("\\t"))
    })
}

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let text = document.text();
    if !has(text, " login ") || !may_give_password(text) {
        return;
    }
    for item in items(document, |text| {
        text.contains(" login ") && may_give_password(text)
    }) {
        for command in &item.script.commands {
            let Some((flag, value)) = password(command, item.text) else {
                continue;
            };
            let literal = command.words.iter().any(|word| {
                word.literal().is_some()
                    && value.map_or(word.span == flag, |value| value.span == word.span)
            });
            let program = command.program().unwrap_or_default();
            let message = format!(
                "the password is an argument of `{program} login`, which every process of the machine can read{}",
                if literal {
                    ", and it stands in the file"
                } else {
                    ""
                }
            );
            let fix = by_standard_input(document, &item, command, flag, value).map(|text| Fix {
                message: "give the password by the standard input".to_owned(),
                applicability: Applicability::Safe,
                changes: vec![item.rewrite(document, command.span, text)],
            });
            report.add(
                report
                    .draft(document.facts.id, item.span(document, flag), message)
                    .fix(fix),
            );
        }
    }
}

/// The bytes of the option with its value, and the value if it is a word of its own.
fn password<'c>(command: &'c Command, text: &str) -> Option<(Span, Option<&'c Word>)> {
    if !registry_login(command) {
        return None;
    }
    let words = command.words.get(1..)?;
    let mut found = None;
    for (index, word) in words.iter().enumerate() {
        let written = word.span.of(text);
        if word.is("-p") || word.is("--password") {
            let value = words.get(index + 1)?;
            found = Some((word.span.cover(value.span), Some(value)));
        } else if written.starts_with("--password=")
            || written.starts_with("-p") && !written.starts_with("--")
        {
            found = Some((word.span, None));
        }
    }
    found
}

fn by_standard_input(
    document: &Document<'_>,
    item: &Item<'_>,
    command: &Command,
    flag: Span,
    value: Option<&Word>,
) -> Result<String, Refusal> {
    if let Some(reason) = untouchable(document) {
        return Err(reason);
    }
    if item.script.status != Status::Clean {
        return Err(Refusal::uncertain("the command could only be read after a repair"));
    }
    let value = value.ok_or_else(|| Refusal::new(RefusalCode::UnsupportedForm, "the option and its value are one word"))?;
    let [part] = value.parts.as_slice() else {
        return Err(Refusal::new(RefusalCode::UnsupportedForm, "the password is more than one variable"));
    };
    let variable = match &part.kind {
        PartKind::Variable(variable) if variable.operator.is_none() => variable,
        PartKind::Literal(_) => return Err(Refusal::new(RefusalCode::YourDecision, "the password has to move to a secret first")),
        _ => return Err(Refusal::new(RefusalCode::UnsupportedForm, "the password is more than one variable")),
    };
    if !matches!(part.quoting, Quoting::None | Quoting::Double)
        || !variable
            .name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        return Err(Refusal::new(RefusalCode::UnsupportedForm, "the password is not a plain variable"));
    }
    let reads = command.redirects.iter().any(|redirect| {
        matches!(
            redirect.kind,
            RedirectKind::Input | RedirectKind::HereDocument | RedirectKind::HereString
        )
    });
    if command.context.pipe_length > 1 || reads || !command.assignments.is_empty() {
        return Err(Refusal::new(RefusalCode::UnsupportedForm, "the command is part of a pipeline, or reads its input from somewhere"));
    }
    let (start, end) = (command.span.start as usize, command.span.end as usize);
    let before = item.text.get(start..flag.start as usize);
    let after = item.text.get(flag.end as usize..end);
    let (Some(before), Some(after)) = (before, after) else {
        return Err(Refusal::uncertain("its place is not certain"));
    };
    Ok(format!(
        "printf '%s' \"{}\" | {before}--password-stdin{after}",
        part.span.of(item.text)
    ))
}

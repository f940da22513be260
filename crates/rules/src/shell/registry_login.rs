//! A login to a registry cannot work.
//!
//! ## What it does
//!
//! Looks at `aws ecr get-login-password … | docker login …`, and the same with podman, finch, nerdctl, buildah, skopeo,
//! crane, oras and `helm registry login`. It finds the password of private registries for `public.ecr.aws` and the other way
//! round, a password of another Region than the registry's, and a registry's address in which a variable lacks its `$`. It also
//! finds `$(… | docker login …)` as a command: the shell then runs what the login prints.
//!
//! ## Why it matters
//!
//! The registry refuses the password, or the next push ends with `no basic auth credentials`.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - aws ecr get-login-password --region us-east-1 | docker login --username AWS --password-stdin public.ecr.aws
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   pre_build:
//!     commands:
//!       - aws ecr-public get-login-password --region us-east-1 | docker login --username AWS --password-stdin public.ecr.aws
//! ```
//!
//! ## Fix
//!
//! None: which Region or registry was meant is not known.
//!
//! ## When to silence it
//!
//! Where a proxy in front of the registry takes the password.
//!
//! ## Sources
//!
//! - AWS CLI reference, `ecr get-login-password` and `ecr-public get-login-password`.
//! - Amazon ECR user guide, "Private registry authentication" and "Troubleshooting Docker commands and issues".
//! - Amazon ECR Public user guide, "Registry authentication".

use tagwright_flow::facts::AssignmentPlace;
use tagwright_flow::tools::registry_login;
use tagwright_syntax::Span;
use tagwright_syntax::shell::{Command, PartKind, Quoting, Status, Word};

use crate::context::{Document, Report};
use crate::script::{Item, items};
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "registry-login",
    category: Category::Shell,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("registry_login"),
    check: Check::Document(check),
};

/// The only Region whose passwords `public.ecr.aws` takes for sure, and the other one that has an endpoint.
const PUBLIC_REGIONS: [&str; 2] = ["us-east-1", "us-west-2"];

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let may_matter = |text: &str| text.contains(" login") && (text.contains("ecr") || text.contains("$("));
    if !may_matter(document.text()) {
        return;
    }
    for item in items(document, may_matter) {
        if item.script.status != Status::Clean {
            continue;
        }
        let commands = &item.script.commands;
        for (index, command) in commands.iter().enumerate() {
            if !registry_login(command) {
                continue;
            }
            let found = run_output(&item, command)
                .or_else(|| host(command, item.text).and_then(|(host, span)| {
                    lacks_dollar(host, span).or_else(|| {
                        let before = index.checked_sub(1).map(|index| &commands[index]);
                        let source = before.filter(|it| feeds(it, command));
                        let source = source.or_else(|| given(commands, command))?;
                        mismatch(document, &item, source, host, span)
                    })
                }));
            if let Some((span, message)) = found {
                report.add(report.draft(document.facts.id, item.span(document, span), message));
            }
        }
    }
}

/// Whether the output of `source` goes into `command` right behind it.
fn feeds(source: &Command, command: &Command) -> bool {
    source.context.pipe_length > 1
        && source.context.pipe_index + 1 == command.context.pipe_index
        && source.context.pipe_length == command.context.pipe_length
        && source.context.substitution == command.context.substitution
}

/// The command in `$(…)` among the words of `command`, as in `--password "$(aws ecr get-login-password)"`.
fn given<'c>(commands: &'c [Command], command: &Command) -> Option<&'c Command> {
    let mut inside = commands.iter().filter(|it| {
        it.context.substitution == command.context.substitution + 1
            && command.span.contains(it.span)
            && it.words.iter().any(|word| word.is("get-login-password"))
    });
    inside.next().filter(|_| inside.next().is_none())
}

/// The address of a registry of ECR among the command's words, as written.
fn host<'t>(command: &Command, text: &'t str) -> Option<(&'t str, Span)> {
    command.words.iter().skip(1).find_map(|word| {
        let written = word.span.of(text).trim_matches(['"', '\'']);
        let address = written.strip_prefix("https://").unwrap_or(written);
        let address = address.split('/').next().unwrap_or(address);
        (address == "public.ecr.aws" || address.contains(".dkr.ecr.")).then_some((address, word.span))
    })
}

/// A part of the address that is written like a variable.
fn lacks_dollar(host: &str, span: Span) -> Option<(Span, String)> {
    let name = host.split('.').find(|part| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && part.contains('_')
            && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    })?;
    let message = format!("`{name}` lacks its `$`, so the shell does not expand it, and there is no such registry");
    Some((span, message))
}

/// Why the password that `source` prints does not fit the registry.
fn mismatch(
    document: &Document<'_>,
    item: &Item<'_>, source: &Command,
    host: &str,
    span: Span,
) -> Option<(Span, String)> {
    let aws = source.program().is_some_and(|name| name == "aws");
    let verb = source.words.iter().position(|word| word.is("get-login-password"))?;
    let service = source.words.get(verb.checked_sub(1)?)?;
    let (private, public) = (service.is("ecr"), service.is("ecr-public"));
    if !aws || !(private || public) {
        return None;
    }
    if private && host == "public.ecr.aws" {
        let message = "this password is for private registries: public.ecr.aws takes that of `aws ecr-public \
                       get-login-password --region us-east-1`";
        return Some((service.span, message.to_owned()));
    }
    if public && host != "public.ecr.aws" {
        let message = "this password is for public.ecr.aws: a private registry takes that of `aws ecr get-login-password`";
        return Some((service.span, message.to_owned()));
    }
    let (region, at) = region(document, source, item.text)?;
    if public {
        return (!PUBLIC_REGIONS.contains(&&*region)).then(|| {
            let message = "`aws ecr-public` works in the Region us-east-1 only".to_owned();
            (at, message)
        });
    }
    let (_, rest) = host.split_once(".dkr.ecr.")?;
    let own = rest.split('.').next()?;
    (is_region(own) && own != region).then(|| {
        let message = format!(
            "this password is for the Region {region}, but the registry is in {own}: pushes and pulls end with \
             `no basic auth credentials`"
        );
        (span.cover(at), message)
    })
}

/// The Region that the command names, if it is written out, there or in `env.variables`.
fn region(document: &Document<'_>, command: &Command, text: &str) -> Option<(String, Span)> {
    let mut words = command.words.iter();
    let word = loop {
        let word = words.next()?;
        if word.is("--region") {
            break words.next()?;
        }
        if word.span.of(text).starts_with("--region=") {
            break word;
        }
    };
    let written = word.span.of(text);
    let value = written.strip_prefix("--region=").unwrap_or(written);
    let value = value.trim_matches(['"', '\'']);
    if is_region(value) {
        return Some((value.to_owned(), word.span));
    }
    // A project may set `AWS_…`, but whoever writes another name into the map means what stands there.
    let name = value.strip_prefix('$')?;
    let name = name.strip_prefix('{').and_then(|it| it.strip_suffix('}')).unwrap_or(name);
    let mut assigned = document.facts.assigned(name);
    let first = assigned.next().filter(|it| it.place == AssignmentPlace::EnvVariables)?;
    let only = assigned.next().is_none() && !name.starts_with("AWS_");
    (only && is_region(&first.value)).then(|| (first.value.to_string(), word.span))
}

/// Whether the text is written like a Region: `eu-west-1`, `us-gov-east-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() > 2
        && parts.last().is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit()) && !it.is_empty())
        && parts[..parts.len() - 1]
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// Whether a command runs what `login` prints, and where.
fn run_output(item: &Item<'_>, login: &Command) -> Option<(Span, String)> {
    if login.context.substitution == 0 || login.context.pipe_index + 1 != login.context.pipe_length {
        return None;
    }
    if !login.redirects.is_empty() {
        return None;
    }
    let holds = |word: &Word| {
        matches!(word.parts.as_slice(), [part] if part.kind == PartKind::Substitution
            && matches!(part.quoting, Quoting::None | Quoting::Double)
            && part.span.contains(login.span))
    };
    let outer = item.script.commands.iter().find(|command| {
        let runs = match command.words.as_slice() {
            [only] => holds(only),
            [eval, only] => eval.is("eval") && holds(only),
            _ => false,
        };
        runs && command.context.substitution + 1 == login.context.substitution && !command.context.tolerated
    })?;
    // In the middle of a script, where nobody looks at the status, it does no harm: Copilot's generated pipelines do so.
    let behind = item.text.get(outer.span.end as usize..)?.trim_start();
    if outer.context.conditional || !(behind.is_empty() || behind.starts_with("&&")) {
        return None;
    }
    let program = login.program().unwrap_or_default();
    let message = format!(
        "the shell runs the output of `{program} login`, `Login Succeeded`, as a command and does not find it. Remove the \
         `$(` and `)` around it"
    );
    Some((outer.span, message))
}

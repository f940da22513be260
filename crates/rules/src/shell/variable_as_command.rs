//! A variable's name in parentheses: the shell runs a program of that name.
//!
//! ## What it does
//!
//! Finds `$(NAME)` where `NAME` is written like an environment variable: capital letters, digits and
//! underscores, nothing else between the parentheses, and no shell function of that name in the same item.
//! It also finds `$(shell …)`, which is make's, `$(NAME:=value)`, which needs braces, and a comparison without its
//! `[`: `$STATUS -eq 0`, `if $STAGE = prod; then`.
//! It looks at the commands, at the names of artifacts and at the cache's key, all of which the shell
//! expands.
//!
//! ## Why it matters
//!
//! Parentheses run a command. There is no program called `AWS_REGION`: the shell says `not found`, puts
//! nothing in its place and usually goes on, so that an upload ends up in `s3://web-/`. The reference
//! of CodeBuild itself had such an example for a while.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - ./build.sh
//! artifacts:
//!   files:
//!     - out/app.zip
//!   name: app-$(AWS_REGION)
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - ./build.sh
//! artifacts:
//!   files:
//!     - out/app.zip
//!   name: app-${AWS_REGION}
//! ```
//!
//! ## Fix
//!
//! None.
//!
//! ## When to silence it
//!
//! Where there is a program of that name, in capital letters, on the build's image.
//!
//! ## Sources
//!
//! - awsdocs/aws-codebuild-user-guide issue 10.
//! - CodeBuild user guide, "Build specification reference for CodeBuild": the shell expands
//!   `artifacts/name` and the cache's key.
//! - POSIX.1-2024, Shell Command Language, 2.6.3 "Command Substitution".

use tagwright_flow::expression::plain_name;
use tagwright_flow::facts::ShellKind;
use tagwright_flow::search::AnyOf;
use tagwright_syntax::Span;
use tagwright_syntax::shell::{Command, PartKind, Script, Status};
use tagwright_syntax::yaml::NodeId;

use crate::context::{Document, Report};
use crate::script::items;
use crate::outline;
use crate::{Category, Check, Fixable, Rule, Severity};

pub(crate) static RULE: Rule = Rule {
    name: "variable-as-command",
    category: Category::Shell,
    default: Some(Severity::Warning),
    fixable: Fixable::Never,
    docs: docs!("variable_as_command"),
    check: Check::Document(check),
};

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let in_commands = |text: &str| may_matter(text) || may_be_other(text);
    if !in_commands(document.text()) {
        return;
    }
    for item in items(document, in_commands) {
        if item.script.status != Status::Clean {
            continue;
        }
        for command in &item.script.commands {
            if let Some((span, message)) = other_form(command, item.text) {
                report.add(report.draft(document.facts.id, item.span(document, span), message));
            }
        }
        for (span, name) in substitutions(&item.script, item.text) {
            let span = item.span(document, span);
            report.add(report.draft(document.facts.id, span, message(name)));
        }
    }
    for node in expanded_values(document) {
        let (tree, text) = (document.tree, document.text());
        let Some(value) = tree.text(node).filter(|value| may_matter(value)) else {
            continue;
        };
        for (at, _) in value.match_indices("$(") {
            let Some(name) = name_at(&value[at + 2..]) else {
                continue;
            };
            let inner = Span::new(at, at + name.len() + 3);
            let span = tree
                .source_map(text, node)
                .and_then(|map| map.source(inner))
                .unwrap_or_else(|| tree.node(node).span);
            report.add(report.draft(document.facts.id, span, message(name)));
        }
    }
}

fn message(name: &str) -> String {
    format!(
        "the shell runs a program called `{name}` here, finds none and puts nothing in its place; \
         the variable is `${{{name}}}`"
    )
}

/// Whether the text may have one of the other forms.
fn may_be_other(text: &str) -> bool {
    FUNCTIONS.iter().any(|name| text.contains(&format!("$({name} ")))
        || [":=", ":-", ":?", ":+"].iter().any(|sign| text.contains(sign)) && text.contains("$(")
        || text.contains('$') && COMPARED.is_in(text)
}

/// Functions of make, none of which is a program on the images of CodeBuild.
const FUNCTIONS: [&str; 7] = [
    "shell", "wildcard", "patsubst", "addprefix", "addsuffix", "notdir", "filter-out",
];

/// [`COMPARISONS`] as they stand between two values.
static COMPARED: AnyOf = AnyOf::new(&[
    " -eq ", " -ne ", " -lt ", " -le ", " -gt ", " -ge ", " == ", " != ", " = ",
]);

/// What stands between two values in `[ … ]`.
const COMPARISONS: [&str; 9] = ["-eq", "-ne", "-lt", "-le", "-gt", "-ge", "==", "!=", "="];

/// Another form in which a value is run as a command: its place in the item, and the message.
fn other_form(command: &Command, text: &str) -> Option<(Span, String)> {
    let first = command.words.first()?;
    if !command.assignments.is_empty() {
        return None;
    }
    let written = first.span.of(text);
    let before = text.get(..first.span.start as usize)?;
    let opens = command.context.substitution > 0 && before.ends_with("$(");
    let function = FUNCTIONS.into_iter().find(|name| first.is(name));
    if let Some(name) = function.filter(|_| opens && command.words.len() > 1) {
        let advice = if name == "shell" { ". Write `$(…)`" } else { "" };
        let message = format!(
            "`$({name} …)` is a function of make: the shell looks for a program called `{name}` and does not find it{advice}"
        );
        return Some((first.span, message));
    }
    if let (true, [only]) = (opens, command.words.as_slice()) {
        let name = plain_name(written);
        let operator = [":=", ":-", ":?", ":+"]
            .into_iter()
            .find(|sign| written[name.len()..].starts_with(sign));
        if operator.is_some() && !name.is_empty() {
            let message = format!(
                "the shell looks for a program called `{written}` and does not find it: a default takes braces, `${{{written}}}`"
            );
            return Some((only.span, message));
        }
    }
    let [value, sign, _] = command.words.as_slice() else {
        return None;
    };
    let variable = matches!(value.parts.as_slice(), [part] if matches!(&part.kind, PartKind::Variable(it)
        if it.operator.is_none() && !matches!(&*it.name, "@" | "*")));
    let sign = sign.value()?;
    (variable && COMPARISONS.contains(&&*sign)).then(|| {
        let message = format!(
            "the shell runs the value of {} as a command: a comparison needs `[ … ]` around it",
            written.trim_matches('"')
        );
        (command.span, message)
    })
}

/// Whether `$(` is followed by a capital letter anywhere. Most files have none and are not looked at.
fn may_matter(text: &str) -> bool {
    memchr::memchr_iter(b'(', text.as_bytes())
        .any(|at| text[..at].ends_with('$') && name_at(&text[at + 1..]).is_some())
}

/// The name at the start of `text`, if the parenthesis closes right behind it.
fn name_at(text: &str) -> Option<&str> {
    let in_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let length = text.bytes().take_while(|byte| in_name(*byte)).count();
    let (name, rest) = text.split_at(length);
    let first = name.starts_with(|c: char| c.is_ascii_uppercase());
    (first && name.len() > 1 && rest.starts_with(')')).then_some(name)
}

/// The substitutions that run nothing but a program with such a name: bytes of `text`, and the name.
fn substitutions<'t>(
    script: &'t Script,
    text: &'t str,
) -> impl Iterator<Item = (Span, &'t str)> + 't {
    let is_function = |name: &str| {
        script.commands.iter().any(|command| {
            let function = command.context.function.as_deref();
            function == Some(name)
        })
    };
    script.commands.iter().filter_map(move |command| {
        let [only] = command.words.as_slice() else {
            return None;
        };
        let start = only.span.start as usize;
        let before = text.get(..start)?;
        let name = name_at(text.get(start..)?)?;
        let alone = command.context.substitution > 0
            && command.assignments.is_empty()
            && command.redirects.is_empty()
            && before.ends_with("$(")
            && !is_function(name);
        alone.then(|| (Span::new(start - 2, start + name.len() + 1), name))
    })
}

/// The values outside of the commands that the shell expands as well.
fn expanded_values(document: &Document<'_>) -> Vec<NodeId> {
    let tree = document.tree;
    let posix = document
        .facts
        .buildspec
        .as_ref()
        .is_some_and(|spec| spec.shell == ShellKind::Posix);
    let Some(root) = outline::root(document).filter(|_| posix) else {
        return Vec::new();
    };
    let artifacts = tree.get(root, "artifacts");
    let secondary = artifacts
        .and_then(|node| tree.get(node, "secondary-artifacts"))
        .and_then(|node| tree.mapping(node));
    let names = secondary
        .into_iter()
        .flat_map(|map| &map.entries)
        .map(|entry| entry.value)
        .chain(artifacts)
        .filter_map(|node| tree.get(node, "name"));
    let key = tree
        .get(root, "cache")
        .and_then(|node| tree.get(node, "key"));
    names.chain(key).collect()
}

//! A command needs bash, but the file does not ask for it.
//!
//! ## What it does
//!
//! Finds what only bash understands in buildspecs whose `env.shell` is absent or `sh`: `[[`, `==` in `[`, arrays, `<<<`,
//! `<(…)`, `${v//a/b}`, `${v:0:7}`, `${v^^}`, `((…))`, `source`, `declare`, `pushd`, `let`, `&>`, `+=`,
//! `{1..3}`, `$'…'`, `$RANDOM`, `function f`, `read -a`, `printf %q`, `trap … ERR`, `shopt`, `mapfile` and
//! `set -o pipefail`. Scripts that are handed to another shell are left alone.
//!
//! How bad it is depends on the build image. Where the workspace shows which project runs the buildspec, and in
//! which of CodeBuild's own images (a project in CloudFormation or Terraform, the manifest of a Copilot pipeline,
//! `batch` in the buildspec), it is a warning if `sh` is dash there, and nothing is said if it is bash. Where it
//! does not, or several builds disagree, it is a note. A Copilot pipeline without an image of its own builds in
//! Amazon Linux.
//!
//! ## Why it matters
//!
//! CodeBuild runs commands with `sh`. In the Ubuntu images that is dash, which stops with `Bad substitution`
//! or `not found`, or quietly does something else; in the Amazon Linux images it is bash. A build that moves
//! from one image to the other breaks.
//!
//! ## Bad
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - if [ "$STAGE" == prod ]; then make release; fi
//! ```
//!
//! ```yaml project.yml
//! Resources:
//!   Web:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Environment: {Type: LINUX_CONTAINER, ComputeType: BUILD_GENERAL1_SMALL, Image: "aws/codebuild/standard:7.0"}
//!       Source: {Type: CODEPIPELINE}
//! ```
//!
//! ## Good
//!
//! ```yaml buildspec.yml
//! version: 0.2
//! phases:
//!   build:
//!     commands:
//!       - if [ "$STAGE" = prod ]; then make release; fi
//! ```
//!
//! ```yaml project.yml
//! Resources:
//!   Web:
//!     Type: AWS::CodeBuild::Project
//!     Properties:
//!       Environment: {Type: LINUX_CONTAINER, ComputeType: BUILD_GENERAL1_SMALL, Image: "aws/codebuild/standard:7.0"}
//!       Source: {Type: CODEPIPELINE}
//! ```
//!
//! ## Fix
//!
//! `=` for `==` in `[`; unsafe, `.` for `source` of a file with a folder. For everything else `env: {shell: bash}`
//! is the simplest answer, which is for people to decide.
//!
//! ## When to silence it
//!
//! Where the project's image is Amazon Linux or one of your own whose `sh` is bash. Better: `env.shell:
//! bash`, which stays true when the image changes.
//!
//! ## Sources
//!
//! - CodeBuild user guide, "Shells and commands in build environments": `sh` is the default.
//! - The Dockerfiles in aws/aws-codebuild-docker-images, read in April 2026: what each image is made of.
//! - aws/aws-codebuild-docker-images issue 388; each construct was tried with dash 0.5.

use memchr::{memchr_iter, memchr3_iter};
use tagwright_flow::expression::plain_name;
use tagwright_flow::search::AnyOf;
use tagwright_syntax::Span;
use tagwright_syntax::shell::{Command, Part, PartKind, Quoting, RedirectKind, Status, Word};

use crate::context::{Context, Document, Report};
use crate::delivery::Runs;
use crate::script::{Item, items, untouchable};
use tagwright_grammar::images::{self, Sh};
use crate::{Applicability, Category, Change, ChangeKind, Check, Finding, Fix, Fixable, Refusal, RefusalCode, Rule, Severity, WordEffect};

pub(crate) static RULE: Rule = Rule {
    name: "bashism",
    category: Category::Shell,
    default: Some(Severity::Note),
    fixable: Fixable::Sometimes,
    docs: docs!("bashism"),
    check: Check::Weighed(check, weigh),
};

/// Each of these says that an item may hold something for the rule.
static SIGNS: AnyOf = AnyOf::new(&[
    "source ", "declare ", "typeset ", "pushd ", "popd", "let ", "RANDOM", "pipefail", "function ", "read ",
    "trap ", "shopt", "mapfile", "readarray",
]);

/// Whether the text has a sign of two or three characters: so short ones are found sooner by a character of
/// theirs that is rare.
fn has_short_sign(text: &str) -> bool {
    let bytes = text.as_bytes();
    let before = |at: usize, wanted: &[u8]| at > 0 && wanted.contains(&bytes[at - 1]);
    let after = |at: usize, wanted: u8| bytes.get(at + 1) == Some(&wanted);
    // `=(`, `<(`, `>(`, `&>`, `[[`
    memchr3_iter(b'(', b'>', b'[', bytes).any(|at| match bytes[at] {
        b'(' => before(at, b"=<>"),
        b'>' => before(at, b"&"),
        _ => before(at, b"["),
    })
    // `+=`, `%q`, `$'`
        || memchr3_iter(b'+', b'%', b'\'', bytes).any(|at| match bytes[at] {
            b'+' => after(at, b'='),
            b'%' => after(at, b'q'),
            _ => before(at, b"$"),
        })
        || memchr_iter(b'<', bytes).any(|at| bytes[at..].starts_with(b"<<<"))
}

/// With one of these it has to be looked at more closely; without, and without [`SIGNS`], there is nothing.
static HINTS: AnyOf = AnyOf::new(&["==", "..", "((", "${"]);

/// Whether the text may hold something for the rule. Most commands do not, and are not parsed.
fn may_matter(text: &str) -> bool {
    has_short_sign(text) || SIGNS.is_in(text) || HINTS.is_in(text) && hints(text)
}

fn hints(text: &str) -> bool {
    text.contains("==") && (text.contains("[ ") || text.contains("test "))
        || text.contains("..") && text.contains('{')
        || text
            .match_indices("((")
            .any(|(at, _)| !text[..at].ends_with('$'))
        || text.contains("${")
            && text.match_indices("${").any(|(at, _)| {
                let rest = &text[at + 2..];
                let after = &rest[plain_name(rest).len()..];
                after.starts_with(['/', '^', ',', '[', '@', '!'])
                    || after.starts_with(':') && !after[1..].starts_with(['-', '=', '?', '+'])
            })
}

/// Something that dash does not understand.
struct Bashism {
    span: Span,
    /// As it is called in the message.
    what: &'static str,
    /// What dash does with it.
    effect: &'static str,
    /// What means the same in every shell.
    portable: Option<&'static str>,
    /// Whether it is that in every case.
    applicability: Applicability,
}

fn check(document: &Document<'_>, report: &mut Report<'_>) {
    let asks = document.buildspec.as_ref().is_none_or(|spec| {
        let shell = spec.env.shell.and_then(|id| document.tree.text(id));
        spec.env.shell.is_some() && !matches!(shell, Some("sh" | "/bin/sh"))
    });
    if asks || !may_matter(document.text()) {
        return;
    }
    for item in items(document, may_matter) {
        if item.script.status != Status::Clean {
            continue;
        }
        let commands = &item.script.commands;
        let Some(found) = function_word(commands, item.text).or_else(|| {
            commands
                .iter()
                .find_map(|command| in_command(command, item.text))
        }) else {
            continue;
        };
        let message = format!(
            "{} needs bash: with dash, the `sh` of the Ubuntu images, {}; `env.shell: bash` asks for bash",
            found.what, found.effect
        );
        let fix = portable(document, &item, &found);
        report.add(
            report
                .draft(document.facts.id, item.span(document, found.span), message)
                .fix(fix),
        );
    }
}

/// Drops what runs where `sh` is bash, and raises what runs where it is dash.
fn weigh(context: &Context<'_>, findings: Vec<Finding>) -> Vec<Finding> {
    let runs = Runs::new(context);
    let weighed = findings.into_iter().filter_map(|mut finding| {
        let (file, span) = (finding.file, finding.span);
        match runs.agree(file, span, images::sh) {
            Some(Sh::Bash) => return None,
            Some(Sh::Dash) => {
                finding.severity = Severity::Warning;
                finding.related.extend(runs.told(file, span, "runs it where `sh` is dash"));
            }
            // The pipelines that Copilot makes build in Amazon Linux unless their manifest says otherwise.
            None => {
                let path = &context.workspace.file(file).path;
                let in_copilot = path.starts_with("copilot/") || path.contains("/copilot/");
                if in_copilot && runs.at(file, span).next().is_none() {
                    return None;
                }
            }
        }
        Some(finding)
    });
    weighed.collect()
}

fn portable(
    document: &Document<'_>,
    item: &Item<'_>,
    found: &Bashism,
) -> Result<Fix, Refusal> {
    if let Some(reason) = untouchable(document) {
        return Err(reason);
    }
    let text = found
        .portable
        .ok_or_else(|| Refusal::new(RefusalCode::UnsupportedForm, "there is no short form of it for every shell"))?;
    Ok(Fix {
        message: format!("write `{text}`, which every shell understands"),
        applicability: found.applicability,
        changes: vec![Change {
            file: document.facts.id,
            node: item.node,
            kind: ChangeKind::Replace {
                range: found.span,
                text: text.to_owned(),
                words: WordEffect::Within,
            },
        }],
    })
}

/// `function name`, which defines a function in bash only.
fn function_word(commands: &[Command], text: &str) -> Option<Bashism> {
    let name = commands
        .iter()
        .find_map(|command| command.context.function.as_deref())?;
    let (at, word) = text.match_indices("function ").find(|(at, word)| {
        let before = text[..*at].trim_end_matches([' ', '\t']);
        text[at + word.len()..].trim_start().starts_with(name)
            && (before.is_empty() || before.ends_with(['\n', ';', '&', '|', '{', '(']))
    })?;
    Some(Bashism {
        span: Span::new(at, at + word.trim_end().len()),
        what: "`function`",
        effect: SYNTAX,
        portable: None,
        applicability: Applicability::Safe,
    })
}

/// The letters of `read` that dash does not know. `-p` and `-r` it does.
const READ_LETTERS: [char; 8] = ['a', 'd', 'e', 'i', 'n', 's', 't', 'u'];

const NOT_FOUND: &str = "it is a command that does not exist";
const SYNTAX: &str = "it is a syntax error";
const SUBSTITUTION: &str = "it ends the command with `Bad substitution`";

fn in_command(command: &Command, text: &str) -> Option<Bashism> {
    let found = |span: Span, what, effect| {
        Some(Bashism {
            span,
            what,
            effect,
            portable: None,
            applicability: Applicability::Safe,
        })
    };
    if let Some(first) = command.words.first() {
        let span = first.span;
        let program = first.literal().unwrap_or_default();
        match program.as_str() {
            "[[" => return found(span, "`[[`", NOT_FOUND),
            "((" => return found(span, "`((…))`", NOT_FOUND),
            "declare" | "typeset" => return found(span, "`declare`", NOT_FOUND),
            "pushd" | "popd" => return found(span, "`pushd`", NOT_FOUND),
            "let" => return found(span, "`let`", NOT_FOUND),
            "shopt" => return found(span, "`shopt`", NOT_FOUND),
            "mapfile" | "readarray" => return found(span, "`mapfile`", NOT_FOUND),
            "read" => {
                let option = command.words.iter().skip(1).find_map(|word| {
                    let letters = word.literal()?.strip_prefix('-')?.to_owned();
                    letters.contains(READ_LETTERS).then_some(word.span)
                });
                if let Some(span) = option {
                    return found(span, "this option of `read`", "it is an `Illegal option`");
                }
            }
            "printf" => {
                let format = command.words.get(1).filter(|word| {
                    word.literal()
                        .is_some_and(|format| format.contains("%q"))
                });
                if let Some(format) = format {
                    return found(format.span, "`%q` in `printf`", "it is an `invalid directive`");
                }
            }
            "trap" => {
                let signal = command.words.iter().skip(2).find(|word| {
                    ["ERR", "DEBUG", "RETURN"].iter().any(|name| word.is(name))
                });
                if let Some(signal) = signal {
                    return found(signal.span, "this signal of `trap`", "it is a `bad trap`");
                }
            }
            "source" => {
                // `.` looks a file without a folder up in `PATH`.
                let folder = command
                    .words
                    .get(1)
                    .is_some_and(|file| file.span.of(text).contains('/'));
                return Some(Bashism {
                    span,
                    what: "`source`",
                    effect: NOT_FOUND,
                    portable: folder.then_some("."),
                    // If there is no such file, `.` ends the shell whatever follows.
                    applicability: Applicability::Unsafe,
                });
            }
            "set" => {
                if let Some(option) = command.words.iter().find(|word| word.is("pipefail")) {
                    return found(
                        option.span,
                        "`pipefail`",
                        "it is an `Illegal option` before version 0.5.13",
                    );
                }
            }
            "[" | "test" => {
                if let Some(equals) = command.words.iter().find(|word| word.is("==")) {
                    return Some(Bashism {
                        span: equals.span,
                        what: "`==` in `[`",
                        effect: "the test is false with `unexpected operator`",
                        portable: Some("="),
                        applicability: Applicability::Safe,
                    });
                }
            }
            _ => {}
        }
    }
    for assignment in &command.assignments {
        if assignment.value.is_none() {
            return found(assignment.span, "an array", SYNTAX);
        }
        if assignment.append {
            return found(assignment.span, "`+=`", NOT_FOUND);
        }
    }
    for redirect in &command.redirects {
        match (redirect.kind, &redirect.target) {
            (RedirectKind::HereString, Some(target)) => {
                return found(target.span, "`<<<`", SYNTAX);
            }
            (RedirectKind::Output, Some(target)) => {
                let before = text.get(..target.span.start as usize).unwrap_or("");
                if before.trim_end().trim_end_matches('>').ends_with('&') {
                    return found(
                        target.span,
                        "`&>`",
                        "it runs the command in the background and redirects nothing",
                    );
                }
            }
            _ => {}
        }
    }
    let values = command.assignments.iter().filter_map(|a| a.value.as_ref());
    let loops = command
        .context
        .loops
        .iter()
        .flat_map(|looped| &looped.words);
    command
        .words
        .iter()
        .chain(values)
        .chain(loops)
        .find_map(|word| in_word(word, text))
}

fn in_word(word: &Word, text: &str) -> Option<Bashism> {
    for part in &word.parts {
        if let Some((what, effect)) = in_part(part, text) {
            return Some(Bashism {
                span: part.span,
                what,
                effect,
                portable: None,
                applicability: Applicability::Safe,
            });
        }
    }
    None
}

fn in_part(part: &Part, text: &str) -> Option<(&'static str, &'static str)> {
    let written = part.span.of(text);
    if part.quoting == Quoting::Ansi {
        return Some(("`$'…'`", "the `$` stays in the text"));
    }
    match &part.kind {
        PartKind::Variable(variable) => {
            if &*variable.name == "RANDOM" {
                return Some(("`$RANDOM`", "it is empty"));
            }
            let symbol = &*variable.operator.as_ref()?.symbol;
            let what = match symbol {
                "/" | "//" | "/#" | "/%" => "`${v/a/b}`",
                ":" => "`${v:0:7}`",
                "^" | "^^" | "," | ",," => "`${v^^}`",
                "[" => "an array",
                "@" => "`${v@Q}`",
                _ => return None,
            };
            Some((what, SUBSTITUTION))
        }
        PartKind::Other if written.starts_with("<(") || written.starts_with(">(") => {
            Some(("`<(…)`", SYNTAX))
        }
        PartKind::Other if written.starts_with("${!") => Some(("`${!v}`", SUBSTITUTION)),
        PartKind::Literal(literal) if part.quoting == Quoting::None && is_range(literal) => {
            Some(("`{1..3}`", "it stays one word as it is"))
        }
        _ => None,
    }
}

/// `{1..3}`, `{a..f}`.
fn is_range(text: &str) -> bool {
    text.split_once('{').is_some_and(|(_, rest)| {
        rest.split_once('}').is_some_and(|(inner, _)| {
            inner.split_once("..").is_some_and(|(from, to)| {
                let end =
                    |end: &str| !end.is_empty() && end.bytes().all(|b| b.is_ascii_alphanumeric());
                end(from) && end(to)
            })
        })
    })
}

//! The command line of AWS Copilot.
//!
//! Flags by subcommand as of v1.33.2 (2024-03), read from the CLI's sources; v1.34 added none that concern
//! images, and support ended in 2026-06. Parsed as pflag does: a flag with a value takes the next word,
//! whatever it looks like.

use tagwright_syntax::Span;
use tagwright_syntax::shell::Command;

use super::table::{Failure, Program};
use super::words::View;
use super::{Form, Found, Role, Tool};

/// The row of [`TOOLS`](super::TOOLS); the prefixes are the names of its release files.
pub(super) static ROW: Program = Program {
    prefixes: &["copilot-linux", "copilot-darwin", "copilot-windows"],
    triggers: &["copilot"],
    read,
    failure: Failure::Of(&["deploy", "svc", "job", "env", "task"]),
    ..Program::new(&["copilot"], Tool::Copilot)
};

/// One call of Copilot, as its flag parser (pflag) would read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopilotInvocation {
    /// The subcommand words joined by one space: `svc deploy`, `deploy`, `task run`.
    pub subcommand: String,
    /// 0-based index of the word that names the program.
    pub program: usize,
    /// 0-based index of the last subcommand word among the command's words.
    pub subcommand_word: usize,
    /// The flags in order, unknown ones included.
    pub flags: Vec<CopilotFlag>,
    /// 0-based indexes of the words that are neither flags nor values.
    pub positionals: Vec<usize>,
}

/// One flag of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopilotFlag {
    /// The long name, without dashes (`-n` is `name`); for an unknown flag as written, without dashes.
    pub name: String,
    /// Whether this subcommand has the flag. Copilot stops with an error at one that it has not.
    pub known: bool,
    /// Whether the flag takes a value. If it does and `value` is `None`, the value is missing.
    pub takes_value: bool,
    /// 0-based index of the flag's word.
    pub word: usize,
    /// Its value; `None` for a switch, and for a flag that lacks its value.
    pub value: Option<FlagValue>,
}

/// The value of a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagValue {
    /// 0-based index of the word that holds it; the flag's own for `--tag=x`.
    pub word: usize,
    /// Its bytes, without surrounding quotes. Empty for `--tag ""` and `--tag=`.
    pub span: Span,
    /// The value, with every expansion as one U+0001.
    pub shape: String,
}

impl CopilotInvocation {
    /// The last flag with this long name, the one that counts.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<&CopilotFlag> {
        self.flags.iter().rev().find(|flag| flag.name == name)
    }

    /// Whether the switch is on: given, and not as `--name=false`.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.flag(name).is_some_and(|flag| {
            let value = flag.value.as_ref();
            value.is_none_or(|value| value.shape != "false")
        })
    }

    /// Whether the subcommand has a flag of this long name.
    #[must_use]
    pub fn accepts(&self, name: &str) -> bool {
        table(&self.subcommand).is_some_and(|table| {
            let mut flags = table.values.iter().chain(table.switches);
            flags.any(|flag| long_name(flag) == name)
        })
    }
}

/// The flags of one subcommand, long names; a short form stands before it: `n/name`.
struct Subcommand {
    path: &'static str,
    values: &'static [&'static str],
    switches: &'static [&'static str],
}

const SUBCOMMANDS: &[Subcommand] = &[
    Subcommand {
        path: "deploy",
        values: &[
            "a/app",
            "n/name",
            "e/env",
            "tag",
            "resource-tags",
            "profile",
            "aws-access-key-id",
            "aws-secret-access-key",
            "aws-session-token",
            "region",
        ],
        switches: &[
            "force",
            "no-rollback",
            "allow-downgrade",
            "detach",
            "deploy-env",
            "init-env",
            "init-wkld",
            "all",
        ],
    },
    Subcommand {
        path: "svc deploy",
        values: &["a/app", "n/name", "e/env", "tag", "resource-tags"],
        switches: &[
            "force",
            "no-rollback",
            "diff",
            "diff-yes",
            "allow-downgrade",
            "detach",
        ],
    },
    Subcommand {
        path: "job deploy",
        values: &["a/app", "n/name", "e/env", "tag", "resource-tags"],
        switches: &["no-rollback", "diff", "allow-downgrade", "detach"],
    },
    Subcommand {
        path: "svc package",
        values: &["n/name", "e/env", "a/app", "tag", "output-dir"],
        switches: &["upload-assets", "diff", "allow-downgrade"],
    },
    Subcommand {
        path: "job package",
        values: &["n/name", "e/env", "a/app", "tag", "output-dir"],
        switches: &["upload-assets", "diff", "allow-downgrade"],
    },
    Subcommand {
        path: "init",
        values: &[
            "a/app",
            "e/env",
            "n/name",
            "t/type",
            "d/dockerfile",
            "i/image",
            "tag",
            "port",
            "schedule",
            "timeout",
            "retries",
        ],
        switches: &["deploy"],
    },
    Subcommand {
        path: "task run",
        values: &[
            "n/task-group-name",
            "dockerfile",
            "build-args",
            "build-context",
            "i/image",
            "tag",
            "app",
            "env",
            "cluster",
            "subnets",
            "security-groups",
            "count",
            "cpu",
            "memory",
            "task-role",
            "execution-role",
            "platform-os",
            "platform-arch",
            "env-vars",
            "env-file",
            "secrets",
            "command",
            "entrypoint",
            "resource-tags",
            "generate-cmd",
        ],
        switches: &["acknowledge-secrets-access", "default", "follow"],
    },
    Subcommand {
        path: "run local",
        values: &[
            "n/name",
            "e/env",
            "a/app",
            "port-override",
            "env-var-override",
            "proxy-network",
        ],
        switches: &["watch", "use-task-role", "proxy"],
    },
    Subcommand {
        path: "svc init",
        values: &[
            "a/app",
            "n/name",
            "t/svc-type",
            "d/dockerfile",
            "i/image",
            "port",
            "subscribe-topics",
            "ingress-type",
            "sources",
        ],
        switches: &["no-subscribe", "allow-downgrade"],
    },
    Subcommand {
        path: "job init",
        values: &[
            "a/app",
            "n/name",
            "t/job-type",
            "d/dockerfile",
            "s/schedule",
            "timeout",
            "retries",
            "i/image",
        ],
        switches: &["allow-downgrade"],
    },
    Subcommand {
        path: "env deploy",
        values: &["a/app", "n/name"],
        switches: &[
            "force",
            "no-rollback",
            "diff",
            "diff-yes",
            "allow-downgrade",
            "detach",
        ],
    },
    Subcommand {
        path: "env package",
        values: &["n/name", "a/app", "output-dir"],
        switches: &["upload-assets", "force", "diff", "allow-downgrade"],
    },
    Subcommand {
        path: "env init",
        values: &[
            "a/app",
            "n/name",
            "profile",
            "aws-access-key-id",
            "aws-secret-access-key",
            "aws-session-token",
            "region",
            "import-vpc-id",
            "import-public-subnets",
            "import-private-subnets",
            "import-cert-arns",
            "override-vpc-cidr",
            "override-az-names",
            "override-public-cidrs",
            "override-private-cidrs",
            "internal-alb-subnets",
        ],
        switches: &[
            "allow-downgrade",
            "prod",
            "container-insights",
            "internal-alb-allow-vpc-ingress",
            "default-config",
        ],
    },
    Subcommand {
        path: "pipeline deploy",
        values: &["a/app", "n/name"],
        switches: &["yes", "diff", "allow-downgrade"],
    },
    Subcommand {
        path: "pipeline update",
        values: &["a/app", "n/name"],
        switches: &["yes", "diff", "allow-downgrade"],
    },
    Subcommand {
        path: "pipeline init",
        values: &[
            "a/app",
            "n/name",
            "u/url",
            "b/git-branch",
            "e/environments",
            "p/pipeline-type",
            "github-url",
            "t/github-access-token",
        ],
        switches: &[],
    },
];

/// Flags of the subcommands without a table of their own, that are switches everywhere.
const COMMON_SWITCHES: &[&str] = &[
    "h/help",
    "v/version",
    "yes",
    "json",
    "local",
    "follow",
    "p/previous",
    "resources",
    "include-state-machine",
    "skip-resources",
    "overwrite",
    "delete-secret",
    "no-lsi",
    "no-sort",
    "all",
];

/// First words of a subcommand; GitHub's program of the same name has others.
const GROUPS: &[&str] = &[
    "app", "env", "svc", "job", "task", "pipeline", "run", "secret", "storage",
];

/// Subcommands of one word.
const SINGLE: &[&str] = &["deploy", "init", "docs", "version", "completion"];

/// Whether a program of this name can be Copilot: `copilot`, and the names of its release files.
fn is_program(name: &str) -> bool {
    ROW.names.contains(&name) || ROW.prefixes.iter().any(|prefix| name.starts_with(prefix))
}

fn table(path: &str) -> Option<&'static Subcommand> {
    SUBCOMMANDS
        .iter()
        .find(|subcommand| subcommand.path == path)
}

fn long_name(flag: &str) -> &str {
    flag.split_once('/').map_or(flag, |(_, long)| long)
}

/// The table's entry for `-x` or `--long`: its long name and whether it takes a value.
fn look_up(path: &str, written: &str) -> Option<(&'static str, bool)> {
    let matches = |flag: &&&'static str| match written.strip_prefix("--") {
        Some(long) => long_name(flag) == long,
        None => flag
            .split_once('/')
            .is_some_and(|(short, _)| written.strip_prefix('-') == Some(short)),
    };
    let switches = match table(path) {
        Some(table) => {
            if let Some(flag) = table.values.iter().find(matches) {
                return Some((long_name(flag), true));
            }
            table.switches
        }
        None => COMMON_SWITCHES,
    };
    let help = COMMON_SWITCHES[..2].iter();
    switches
        .iter()
        .chain(help)
        .find(matches)
        .map(|flag| (long_name(flag), false))
}

/// The long names of all flags, each once, sorted.
#[must_use]
pub fn copilot_flag_names() -> Vec<&'static str> {
    let own = SUBCOMMANDS
        .iter()
        .flat_map(|it| it.values.iter().chain(it.switches));
    let mut names: Vec<&str> = own
        .chain(COMMON_SWITCHES)
        .map(|flag| long_name(flag))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Reads `command` as a call of Copilot; `None` if it is none, or not with a known subcommand. `script` is
/// the text whose bytes the command's spans count.
#[must_use]
pub fn copilot_invocation(command: &Command, script: &str) -> Option<CopilotInvocation> {
    let view = View::new(command, script)?;
    is_program(&view.program).then(|| parse(&view)).flatten()
}

fn parse(view: &View<'_>) -> Option<CopilotInvocation> {
    let first = view.literal(view.start + 1)?;
    let (subcommand, last) = if SINGLE.contains(&first.as_str()) {
        (first, view.start + 1)
    } else if GROUPS.contains(&first.as_str()) {
        let second = view
            .literal(view.start + 2)
            .filter(|second| !second.starts_with('-'))?;
        (format!("{first} {second}"), view.start + 2)
    } else {
        return None;
    };
    let own_table = table(&subcommand).is_some();
    let mut invocation = CopilotInvocation {
        program: view.start,
        subcommand,
        subcommand_word: last,
        flags: Vec::new(),
        positionals: Vec::new(),
    };
    let mut at = last + 1;
    while at < view.len() {
        let shape = view.shape(at);
        let text = &*shape.text;
        if text == "--" {
            invocation.positionals.extend(at + 1..view.len());
            break;
        }
        if !text.starts_with('-') || text.len() < 2 {
            invocation.positionals.push(at);
            at += 1;
            continue;
        }
        let separate = |word: usize| {
            let whole = view.word(word)?.span;
            let shape = view.shape(word);
            let span = shape.span(0..shape.text.len());
            Some(FlagValue {
                word,
                span: span.unwrap_or_else(|| inside_quotes(whole)),
                shape: shape.text.into_owned(),
            })
        };
        let attached = |from: usize| {
            let end = view.word(at).map_or(0, |word| word.span.end as usize);
            let span = shape.span(from..text.len());
            FlagValue {
                word: at,
                span: span.unwrap_or_else(|| Span::empty(end)),
                shape: text[from..].to_string(),
            }
        };
        let mut used = 1;
        if text.starts_with("--") {
            let (name, value) = match text.find('=') {
                Some(equals) => (&text[..equals], Some(attached(equals + 1))),
                None => (text, None),
            };
            let entry = look_up(&invocation.subcommand, name);
            // A subcommand without a table: all but the common switches take a value.
            let takes_value = entry.map_or(!own_table, |(_, takes)| takes);
            let value = value.or_else(|| {
                takes_value.then(|| {
                    used = 2;
                    separate(at + 1)
                })?
            });
            invocation.flags.push(CopilotFlag {
                name: entry.map_or(&name[2..], |(long, _)| long).to_string(),
                word: at,
                value,
                known: entry.is_some() || !own_table,
                takes_value,
            });
        } else {
            for (offset, letter) in text.char_indices().skip(1) {
                let name = format!("-{letter}");
                let entry = look_up(&invocation.subcommand, &name);
                let takes_value = entry.map_or(!own_table, |(_, takes)| takes);
                let rest = offset + letter.len_utf8();
                let equals = text[rest..].starts_with('=');
                let mut value = None;
                if takes_value || equals {
                    let rest = rest + usize::from(equals);
                    value = if equals || rest < text.len() {
                        Some(attached(rest))
                    } else {
                        used = 2;
                        separate(at + 1)
                    };
                }
                let ends = takes_value || equals;
                invocation.flags.push(CopilotFlag {
                    name: entry.map_or_else(|| letter.to_string(), |(long, _)| long.to_string()),
                    word: at,
                    value,
                    known: entry.is_some() || !own_table,
                    takes_value,
                });
                if ends {
                    break;
                }
            }
        }
        at += used;
    }
    Some(invocation)
}

/// The place between the quotes of `""`.
fn inside_quotes(span: Span) -> Span {
    Span::empty(span.start as usize + usize::from(span.len() >= 2))
}

fn read(view: &View<'_>, found: &mut Found) {
    let Some(invocation) = parse(view) else {
        return;
    };
    for (name, form) in [("tag", Form::Tag), ("image", Form::Reference)] {
        let Some(flag) = invocation.flag(name).filter(|flag| flag.known) else {
            continue;
        };
        let Some(value) = flag.value.as_ref().filter(|value| !value.shape.is_empty()) else {
            continue;
        };
        // `--tag --upload-assets` has a flag for its value.
        if value.shape.starts_with('-') {
            continue;
        }
        found.0.push(super::ImageArgument {
            role: Role::Deploy,
            tool: Tool::Copilot,
            form,
            word: Some(value.word),
            span: value.span,
            repository: None,
        });
    }
}

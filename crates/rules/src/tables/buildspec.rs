//! The buildspec's grammar as data: sections, their keys, and what each value may be. The rules about
//! unknown, misplaced and mistyped keys and the JSON Schema are all made from this one table.
//!
//! Source: CodeBuild user guide, "Build specification reference for CodeBuild" and "Batch build buildspec
//! reference", as of 2026. Where builds are known to accept more than the reference says, the table says
//! so: `commands` and `files` may be one string, yes/no may be true/false.

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value {
    /// Anything.
    Any,
    /// One scalar. CodeBuild takes its text, so numbers and booleans are fine.
    Text,
    /// `0.1` or `0.2`.
    Version,
    /// `yes` or `no`; `true` and `false` are read as well.
    Flag,
    /// A whole number above 0.
    Count,
    /// One of these words, in any case.
    Words(&'static [&'static str]),
    /// A shell: the documented ones, and those that are seen in builds that run.
    Shell {
        /// What the reference lists.
        documented: &'static [&'static str],
        /// What works although no reference lists it.
        seen: &'static [&'static str],
    },
    /// `ABORT`, `CONTINUE`, `RETRY` and its longer forms.
    OnFailure,
    /// A list of shell commands, or one command.
    Commands,
    /// A list.
    List(&'static Value),
    /// A list, or its only item.
    ListOrOne(&'static Value),
    /// A mapping whose keys are names that the author chooses.
    Names(&'static Value),
    /// A mapping with known keys.
    Section(&'static Section),
}

/// One key of a section.
#[derive(Debug)]
pub(crate) struct Key {
    /// As it is written in the file.
    pub(crate) name: &'static str,
    /// What it may hold.
    pub(crate) value: Value,
    /// One sentence for the schema.
    pub(crate) docs: &'static str,
}

/// What CodeBuild does with a key that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// It stops with an error.
    Rejected,
    /// It takes no notice.
    Ignored,
    /// The reference does not list this section's keys completely.
    Allowed,
}

/// A mapping with known keys.
#[derive(Debug)]
pub(crate) struct Section {
    /// For people: "`env`", "the top level".
    pub(crate) name: &'static str,
    /// The known keys.
    pub(crate) keys: &'static [Key],
    /// What becomes of other keys.
    pub(crate) unknown: Unknown,
}

impl Section {
    /// Where the section's keys stand, for people.
    pub(crate) fn place(&self) -> String {
        let preposition = if self.name == BUILDSPEC.name {
            "at"
        } else {
            "in"
        };
        format!("{preposition} {}", self.name)
    }

    /// The key of this name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

const fn key(name: &'static str, value: Value, docs: &'static str) -> Key {
    Key { name, value, docs }
}

/// The file.
pub(crate) static BUILDSPEC: Section = Section {
    name: "the top level",
    keys: &[
        key(
            "version",
            Value::Version,
            "The buildspec's version; 0.2 is advised.",
        ),
        key(
            "run-as",
            Value::Text,
            "The Linux user that runs the commands.",
        ),
        key("env", Value::Section(&ENV), "Variables and the shell."),
        key(
            "proxy",
            Value::Section(&PROXY),
            "Settings for builds behind an explicit proxy server.",
        ),
        key("batch", Value::Section(&BATCH), "How a batch build runs."),
        key(
            "phases",
            Value::Section(&PHASES),
            "What each phase of the build runs.",
        ),
        key(
            "reports",
            Value::Names(&Value::Section(&REPORT)),
            "Report groups, by name or ARN.",
        ),
        key(
            "artifacts",
            Value::Section(&ARTIFACTS),
            "What the build gives back.",
        ),
        key(
            "cache",
            Value::Section(&CACHE),
            "What the next build finds again.",
        ),
    ],
    unknown: Unknown::Ignored,
};

/// `env`.
pub(crate) static ENV: Section = Section {
    name: "`env`",
    keys: &[
        key(
            "shell",
            Value::Shell {
                documented: &["bash", "/bin/sh", "powershell.exe", "cmd.exe"],
                seen: &["/bin/bash", "sh", "powershell", "pwsh", "cmd"],
            },
            "The shell of the commands.",
        ),
        key(
            "variables",
            Value::Names(&Value::Text),
            "Variables with literal values: nothing in them is expanded.",
        ),
        key(
            "parameter-store",
            Value::Names(&Value::Text),
            "Variables whose values are parameters of Systems Manager.",
        ),
        key(
            "secrets-manager",
            Value::Names(&Value::Text),
            "Variables whose values are secrets: secret-id:json-key:version-stage:version-id.",
        ),
        key(
            "exported-variables",
            Value::ListOrOne(&Value::Text),
            "Names of variables that later actions of the pipeline can read.",
        ),
        key(
            "git-credential-helper",
            Value::Flag,
            "Whether CodeBuild's Git credential helper is used.",
        ),
    ],
    unknown: Unknown::Ignored,
};

/// `proxy`.
pub(crate) static PROXY: Section = Section {
    name: "`proxy`",
    keys: &[
        key(
            "upload-artifacts",
            Value::Flag,
            "Whether artifacts are uploaded through the proxy.",
        ),
        key(
            "logs",
            Value::Flag,
            "Whether logs are sent through the proxy.",
        ),
    ],
    unknown: Unknown::Ignored,
};

/// `phases`.
pub(crate) static PHASES: Section = Section {
    name: "`phases`",
    keys: &[
        key(
            "install",
            Value::Section(&INSTALL),
            "Installs packages and runtimes.",
        ),
        key(
            "pre_build",
            Value::Section(&PHASE),
            "Runs before the build: signing in, dependencies.",
        ),
        key("build", Value::Section(&PHASE), "Runs the build."),
        key(
            "post_build",
            Value::Section(&PHASE),
            "Runs after the build, also after one that failed.",
        ),
    ],
    unknown: Unknown::Rejected,
};

const RUN_AS: Key = key("run-as", Value::Text, "The Linux user of this phase.");
const ON_FAILURE: Key = key(
    "on-failure",
    Value::OnFailure,
    "What happens when the phase fails.",
);
const COMMANDS: Key = key(
    "commands",
    Value::Commands,
    "The commands, each a string; they run in order.",
);
const FINALLY: Key = key(
    "finally",
    Value::Commands,
    "Commands that run after `commands`, also if those failed.",
);
const STEPS: Key = key(
    "steps",
    Value::List(&Value::Any),
    "GitHub Actions steps, instead of `commands`.",
);

/// A phase other than `install`.
pub(crate) static PHASE: Section = Section {
    name: "a phase",
    keys: &[RUN_AS, ON_FAILURE, COMMANDS, FINALLY, STEPS],
    unknown: Unknown::Ignored,
};

/// `phases.install`.
pub(crate) static INSTALL: Section = Section {
    name: "`phases.install`",
    keys: &[
        RUN_AS,
        ON_FAILURE,
        key(
            "runtime-versions",
            Value::Names(&Value::Text),
            "Runtimes of the managed images, with their versions.",
        ),
        COMMANDS,
        FINALLY,
        STEPS,
    ],
    unknown: Unknown::Ignored,
};

const BASE_DIRECTORY: Key = key(
    "base-directory",
    Value::Text,
    "The folder that the paths in `files` are relative to.",
);
const DISCARD_PATHS: Key = key(
    "discard-paths",
    Value::Flag,
    "Whether files are stored without their folders.",
);

/// A report group.
pub(crate) static REPORT: Section = Section {
    name: "a report group",
    keys: &[
        key(
            "files",
            Value::ListOrOne(&Value::Text),
            "The files with raw results.",
        ),
        key(
            "file-format",
            Value::Words(&[
                "CUCUMBERJSON",
                "JUNITXML",
                "NUNITXML",
                "NUNIT3XML",
                "TESTNGXML",
                "VISUALSTUDIOTRX",
                "CLOVERXML",
                "COBERTURAXML",
                "JACOCOXML",
                "SIMPLECOV",
            ]),
            "The format of the files; JUNITXML if absent.",
        ),
        BASE_DIRECTORY,
        DISCARD_PATHS,
    ],
    unknown: Unknown::Ignored,
};

const FILES: Key = key(
    "files",
    Value::ListOrOne(&Value::Text),
    "The files to upload.",
);
const ARTIFACT_NAME: Key = key(
    "name",
    Value::Text,
    "The artifact's name; the shell expands it.",
);
const ENABLE_SYMLINKS: Key = key(
    "enable-symlinks",
    Value::Flag,
    "Whether symbolic links are kept in a ZIP artifact.",
);
const EXCLUDE_PATHS: Key = key(
    "exclude-paths",
    Value::ListOrOne(&Value::Text),
    "Files that are left out.",
);
const S3_PREFIX: Key = key(
    "s3-prefix",
    Value::Text,
    "A prefix of the path in the bucket.",
);
// Version 0.1's; files that still carry it build.
const ARTIFACT_TYPE: Key = key("type", Value::Text, "Obsolete.");

/// `artifacts`.
pub(crate) static ARTIFACTS: Section = Section {
    name: "`artifacts`",
    keys: &[
        FILES,
        ARTIFACT_NAME,
        DISCARD_PATHS,
        ENABLE_SYMLINKS,
        BASE_DIRECTORY,
        EXCLUDE_PATHS,
        S3_PREFIX,
        key(
            "secondary-artifacts",
            Value::Names(&Value::Section(&SECONDARY_ARTIFACT)),
            "More artifacts, by identifier.",
        ),
        ARTIFACT_TYPE,
    ],
    unknown: Unknown::Ignored,
};

/// One of `artifacts.secondary-artifacts`.
pub(crate) static SECONDARY_ARTIFACT: Section = Section {
    name: "a secondary artifact",
    keys: &[
        FILES,
        ARTIFACT_NAME,
        DISCARD_PATHS,
        ENABLE_SYMLINKS,
        BASE_DIRECTORY,
        EXCLUDE_PATHS,
        S3_PREFIX,
        ARTIFACT_TYPE,
    ],
    unknown: Unknown::Ignored,
};

/// `cache`.
pub(crate) static CACHE: Section = Section {
    name: "`cache`",
    keys: &[
        key(
            "paths",
            Value::ListOrOne(&Value::Text),
            "The files to keep.",
        ),
        key("key", Value::Text, "The cache's key; the shell expands it."),
        key(
            "fallback-keys",
            Value::ListOrOne(&Value::Text),
            "Keys to look for, by prefix, if `key` finds nothing; at most five.",
        ),
        key(
            "action",
            Value::Words(&["restore", "save"]),
            "To only restore or only save; both if absent.",
        ),
    ],
    unknown: Unknown::Ignored,
};

/// `batch`.
pub(crate) static BATCH: Section = Section {
    name: "`batch`",
    keys: &[
        key(
            "fast-fail",
            Value::Flag,
            "Whether the batch stops at the first failure.",
        ),
        key(
            "build-list",
            Value::List(&Value::Section(&BATCH_BUILD)),
            "Builds side by side.",
        ),
        key(
            "build-graph",
            Value::List(&Value::Section(&BATCH_BUILD)),
            "Builds that depend on each other.",
        ),
        key(
            "build-matrix",
            Value::Section(&BATCH_MATRIX),
            "Builds of all combinations of settings.",
        ),
        key(
            "build-fanout",
            Value::Section(&BATCH_FANOUT),
            "One build split into parallel ones.",
        ),
    ],
    unknown: Unknown::Ignored,
};

const IGNORE_FAILURE: Key = key(
    "ignore-failure",
    Value::Flag,
    "Whether the batch goes on after a failure of this build.",
);

/// One of `batch.build-list` or `batch.build-graph`.
pub(crate) static BATCH_BUILD: Section = Section {
    name: "a build of a batch",
    keys: &[
        key(
            "identifier",
            Value::Text,
            "The build's name: letters, digits and `_`.",
        ),
        key(
            "buildspec",
            Value::Text,
            "The path of the build's own buildspec.",
        ),
        key(
            "debug-session",
            Value::Flag,
            "Whether the build can be paused by a session.",
        ),
        key(
            "depend-on",
            Value::ListOrOne(&Value::Text),
            "Identifiers of builds that must succeed before.",
        ),
        key(
            "env",
            Value::Section(&BATCH_ENV),
            "The build's environment.",
        ),
        IGNORE_FAILURE,
    ],
    unknown: Unknown::Ignored,
};

/// The `env` of a build of a batch.
pub(crate) static BATCH_ENV: Section = Section {
    name: "the `env` of a build of a batch",
    keys: &[
        key("compute-type", Value::Any, "The compute type."),
        key("fleet", Value::Any, "The reserved-capacity fleet."),
        key("image", Value::Any, "The build image."),
        key(
            "privileged-mode",
            Value::Flag,
            "Whether Docker can run in the build.",
        ),
        key("type", Value::Text, "The environment type."),
        key("variables", Value::Names(&Value::Any), "Variables."),
    ],
    unknown: Unknown::Allowed,
};

/// `batch.build-matrix`.
pub(crate) static BATCH_MATRIX: Section = Section {
    name: "`batch.build-matrix`",
    keys: &[
        key(
            "static",
            Value::Section(&BATCH_SIDE),
            "What all builds share.",
        ),
        key(
            "dynamic",
            Value::Section(&BATCH_SIDE),
            "What differs: lists of values.",
        ),
    ],
    unknown: Unknown::Ignored,
};

/// `static` or `dynamic`.
pub(crate) static BATCH_SIDE: Section = Section {
    name: "a side of `batch.build-matrix`",
    keys: &[
        key(
            "buildspec",
            Value::ListOrOne(&Value::Text),
            "Paths of buildspecs.",
        ),
        key("env", Value::Section(&BATCH_ENV), "The environment."),
        IGNORE_FAILURE,
    ],
    unknown: Unknown::Allowed,
};

/// `batch.build-fanout`.
pub(crate) static BATCH_FANOUT: Section = Section {
    name: "`batch.build-fanout`",
    keys: &[
        key(
            "parallelism",
            Value::Count,
            "The number of parallel builds.",
        ),
        IGNORE_FAILURE,
    ],
    unknown: Unknown::Allowed,
};

/// Sections that a key may have been meant for, outer ones first.
static HOMES: [&Section; 8] = [
    &BUILDSPEC, &PHASES, &INSTALL, &PHASE, &ENV, &ARTIFACTS, &CACHE, &PROXY,
];

/// Keys that say too little to tell where they were meant to be.
const COMMON: [&str; 9] = [
    "name", "type", "files", "paths", "key", "action", "shell", "run-as", "logs",
];

/// The section that `name` belongs to, where it is found in `found` and unknown there.
pub(crate) fn home(name: &str, found: &Section) -> Option<&'static Section> {
    if COMMON.contains(&name) || found.unknown == Unknown::Allowed {
        return None;
    }
    HOMES
        .into_iter()
        .filter(|section| section.name != found.name)
        .find_map(|section| {
            section.key(name)?;
            // What every phase may have is not `install`'s alone.
            Some(
                if section.name == INSTALL.name && PHASE.key(name).is_some() {
                    &PHASE
                } else {
                    section
                },
            )
        })
}

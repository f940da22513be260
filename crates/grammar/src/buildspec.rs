//! The buildspec's grammar as data: sections, their keys, and what each value may be. The rules about
//! unknown, misplaced and mistyped keys and the JSON Schema are all made from this one table.
//!
//! Source: CodeBuild user guide, "Build specification reference for CodeBuild" and "Batch build buildspec
//! reference", as of 2026. Where builds are known to accept more than the reference says, the table says
//! so: `commands` and `files` may be one string, yes/no may be true/false.

use crate::section::{Key, PLAIN, Section, Unknown, Value, key};

/// When it was read from its source.
pub const AS_OF: &str = "2026-11";

/// Where the table is from.
pub const READ_FROM: &str = "CodeBuild user guide, \"Build specification reference for CodeBuild\" and \"Batch \
                                 build buildspec reference\", as of 2026";

/// The file.
pub static BUILDSPEC: Section = Section {
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
    required: &["version"],
    ..PLAIN
};

/// `env`.
pub static ENV: Section = Section {
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
    ..PLAIN
};

/// `proxy`.
pub static PROXY: Section = Section {
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
    ..PLAIN
};

/// `phases`.
pub static PHASES: Section = Section {
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
    ..PLAIN
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
const STEP_LIST: Value = Value::List(&Value::Section(&STEP));
const STEPS: Key = key(
    "steps",
    STEP_LIST,
    "GitHub Actions steps, instead of `commands`.",
);

/// One of a phase's `steps`.
pub static STEP: Section = Section {
    name: "a step",
    keys: &[
        key("id", Value::Text, "The step's name for expressions."),
        key("if", Value::Any, "The condition under which it runs."),
        key("name", Value::Text, "The step's name in the log."),
        key("uses", Value::Text, "The action that it runs."),
        key("run", Value::Text, "The commands that it runs."),
        key("shell", Value::Text, "The shell of `run`."),
        key("with", Value::Names(&Value::Any), "The action's inputs."),
        key("env", Value::Names(&Value::Any), "The step's variables."),
        key(
            "continue-on-error",
            Value::Any,
            "Whether the build goes on if the step fails.",
        ),
        key(
            "timeout-minutes",
            Value::Any,
            "The time after which the step is stopped.",
        ),
    ],
    unknown: Unknown::Allowed,
    at_most_one: &["uses", "run"],
    ..PLAIN
};

/// A phase other than `install`.
pub static PHASE: Section = Section {
    name: "a phase",
    keys: &[RUN_AS, ON_FAILURE, COMMANDS, FINALLY, STEPS],
    unknown: Unknown::Ignored,
    at_most_one: &["commands", "steps"],
    ..PLAIN
};

/// `phases.install`.
pub static INSTALL: Section = Section {
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
    at_most_one: &["commands", "steps"],
    ..PLAIN
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
pub static REPORT: Section = Section {
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
    required: &["files"],
    ..PLAIN
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
pub static ARTIFACTS: Section = Section {
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
    ..PLAIN
};

/// One of `artifacts.secondary-artifacts`.
pub static SECONDARY_ARTIFACT: Section = Section {
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
    ..PLAIN
};

/// `cache`.
pub static CACHE: Section = Section {
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
    ..PLAIN
};

/// `batch`.
pub static BATCH: Section = Section {
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
    at_most_one: &["build-list", "build-graph", "build-matrix", "build-fanout"],
    ..PLAIN
};

const IGNORE_FAILURE: Key = key(
    "ignore-failure",
    Value::Flag,
    "Whether the batch goes on after a failure of this build.",
);

/// One of `batch.build-list` or `batch.build-graph`.
pub static BATCH_BUILD: Section = Section {
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
    required: &["identifier"],
    ..PLAIN
};

/// The `env` of a build of a batch.
pub static BATCH_ENV: Section = Section {
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
    at_most_one: &["compute-type", "fleet"],
    ..PLAIN
};

/// `batch.build-matrix`.
pub static BATCH_MATRIX: Section = Section {
    name: "`batch.build-matrix`",
    keys: &[
        key(
            "static",
            Value::Section(&BATCH_STATIC),
            "What all builds share.",
        ),
        key(
            "dynamic",
            Value::Section(&BATCH_DYNAMIC),
            "What differs: lists of values.",
        ),
    ],
    unknown: Unknown::Ignored,
    ..PLAIN
};

/// `static`. Source beyond the reference: awsdocs/aws-codebuild-user-guide issue 88, where the guide's writer confirms
/// that the image, the compute type and variables have no effect there.
pub static BATCH_STATIC: Section = Section {
    name: "`batch.build-matrix.static`",
    keys: &[
        key(
            "env",
            Value::Section(&BATCH_STATIC_ENV),
            "The environment that all builds share.",
        ),
        IGNORE_FAILURE,
    ],
    unknown: Unknown::Allowed,
    ..PLAIN
};

/// The `env` of `static`.
pub static BATCH_STATIC_ENV: Section = Section {
    name: "`batch.build-matrix.static.env`",
    keys: &[
        key(
            "privileged-mode",
            Value::Flag,
            "Whether Docker can run in the builds.",
        ),
        key("type", Value::Text, "The environment type."),
        key("fleet", Value::Any, "The reserved-capacity fleet."),
    ],
    unknown: Unknown::Ignored,
    ..PLAIN
};

/// `dynamic`.
pub static BATCH_DYNAMIC: Section = Section {
    name: "`batch.build-matrix.dynamic`",
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
    ..PLAIN
};

/// `batch.build-fanout`.
pub static BATCH_FANOUT: Section = Section {
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
    required: &["parallelism"],
    ..PLAIN
};

/// Sections that a key may have been meant for, outer ones first.
static HOMES: [&Section; 9] = [
    &BUILDSPEC, &PHASES, &INSTALL, &PHASE, &ENV, &ARTIFACTS, &CACHE, &PROXY, &BATCH,
];

/// Keys that say too little to tell where they were meant to be.
const COMMON: [&str; 9] = [
    "name", "type", "files", "paths", "key", "action", "shell", "run-as", "logs",
];

/// The section that `name` belongs to, where it is found in `found` and unknown there.
pub fn home(name: &str, found: &Section) -> Option<&'static Section> {
    // What `static` does not take belongs to `dynamic`, not to a section of the same keys.
    let in_static = std::ptr::eq(found, &raw const BATCH_STATIC_ENV);
    if COMMON.contains(&name) || found.unknown == Unknown::Allowed || in_static {
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

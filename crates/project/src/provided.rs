//! The environment variables that a build has without anybody setting them, and the names that are taken.
//!
//! Source: AWS CodeBuild user guide, "Environment variables in build environments"
//! (<https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html>), from stored copies, not
//! from the live page.

/// Those of the page that every build of a Git source or of a pipeline has. The others of the page are set by webhooks only
/// (`CODEBUILD_WEBHOOK_…`), in batches only (`CODEBUILD_BATCH_BUILD_IDENTIFIER`) or only where public builds are
/// on (`CODEBUILD_PUBLIC_BUILD_URL`), so that a tag made of them is empty elsewhere.
const ALWAYS: [&str; 16] = [
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "CODEBUILD_BUILD_ARN",
    "CODEBUILD_BUILD_ID",
    "CODEBUILD_BUILD_IMAGE",
    "CODEBUILD_BUILD_NUMBER",
    "CODEBUILD_BUILD_SUCCEEDING",
    "CODEBUILD_INITIATOR",
    "CODEBUILD_KMS_KEY_ID",
    "CODEBUILD_PROJECT_ARN",
    "CODEBUILD_RESOLVED_SOURCE_VERSION",
    "CODEBUILD_SOURCE_REPO_URL",
    "CODEBUILD_SOURCE_VERSION",
    "CODEBUILD_SRC_DIR",
    "CODEBUILD_START_TIME",
    "HOME",
];

/// Names that mean something to the shell, to the loader or to common tools of a build: POSIX.1-2024, 8.1 and
/// 2.5.3; bash reference manual, "Shell Variables"; git documentation, "Environment Variables".
const TAKEN: [&str; 45] = [
    "BASHOPTS",
    "BASHPID",
    "BASH_ENV",
    "CDPATH",
    "COLUMNS",
    "CI",
    "DOCKER_CONFIG",
    "DOCKER_HOST",
    "EDITOR",
    "ENV",
    "EUID",
    "FCEDIT",
    "FPATH",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GROUPS",
    "HISTFILE",
    "HISTSIZE",
    "HOME",
    "HOSTNAME",
    "IFS",
    "KUBECONFIG",
    "LANG",
    "LANGUAGE",
    "LINENO",
    "LINES",
    "LOGNAME",
    "MAIL",
    "NLSPATH",
    "OLDPWD",
    "OPTARG",
    "OPTIND",
    "PATH",
    "PPID",
    "PS1",
    "PS2",
    "PS4",
    "PWD",
    "RANDOM",
    "SECONDS",
    "SHELL",
    "SHELLOPTS",
    "TMPDIR",
    "UID",
    "USER",
];

/// Whether a build has this variable whatever started it.
pub(crate) fn is_set_by_codebuild(name: &str) -> bool {
    ALWAYS.contains(&name)
}

/// Whether the name is not free for a variable of the user's.
pub(crate) fn is_reserved(name: &str) -> bool {
    let prefixes = ["CODEBUILD_", "AWS_", "ECS_", "LC_", "LD_", "BASH_", "DYLD_"];
    TAKEN.contains(&name)
        || prefixes.iter().any(|prefix| name.starts_with(prefix))
        || matches!(name, "_" | "TERM" | "TZ" | "VISUAL" | "DEBUG" | "pipeline")
}

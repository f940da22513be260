//! Runs the commands of a buildspec the way CodeBuild does, with stubs in the place of the programs
//! that would reach out, and gives back how those were called.
//!
//! One shell runs all items, so that variables and the current folder carry over. A phase ends at the
//! first item that fails; after a failed build phase post_build still runs, as in CodeBuild.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tagwright_syntax::buildspec::{Buildspec, PhaseName};
use tagwright_syntax::yaml;

use super::fixture::{self, Fixture};
use super::scenario::{self, Scenario};

/// The programs that are always replaced.
const PROGRAMS: &[&str] = &[
    "aws",
    "buildah",
    "cdk",
    "copilot",
    "copilot-linux",
    "crane",
    "curl",
    "docker",
    "docker-compose",
    "eksctl",
    "git",
    "helm",
    "kubectl",
    "kustomize",
    "make",
    "npm",
    "npx",
    "pip",
    "podman",
    "ruby",
    "sam",
    "scp",
    "skopeo",
    "ssh",
    "terraform",
    "wget",
    "yarn",
];

/// Writes its arguments down, each ended by U+001F and the call by U+001E, and answers what the commands of
/// the fixtures go on with. A "download" is a copy of itself under the new name.
const STUB: &str = r##"#!/bin/sh
program=${0##*/}
case $* in
  *--password-stdin*) cat >/dev/null ;; # and so be the last of its pipeline to write
esac
{ printf '%s\037' "$program" "$@"; printf '\036'; } >>"$RECORD"
case "$program $*" in
  'aws ecr get-login-password'*) echo secret ;;
  'aws ecr get-login '*) echo docker login -u AWS -p secret https://111122223333.dkr.ecr.eu-west-1.amazonaws.com ;;
  'aws sts get-caller-identity'*) echo 111122223333 ;;
  'git describe'*) echo v1.4.0 ;;
  'git rev-parse'*) echo abc1234 ;;
  copilot*' svc ls '*) echo '{"services":[{"name":"api"}]}' ;;
  'wget '* | 'curl '*)
    while [ $# -gt 1 ]; do
      case $1 in
        -O | -o) case $2 in /*) ;; *) cp "$0" "$2" ;; esac ;;
      esac
      shift
    done
    ;;
esac
"##;

/// Runs the files `<phase>.<n>` of the folder `ITEMS`, the phases in order. An item that calls `exit`, or
/// fails under its own `set -e`, ends the shell: the trap goes on from there.
const DRIVER: &str = r#"
__run() {
  for __item in "$ITEMS/$__phase".*; do
    [ -f "$__item" ] || continue
    . "$__item"
    __status=$?
    set +e +u
    [ "$__status" = 0 ] || return "$__status"
  done
}
__failed() {
  echo "$__phase" >>"$FAILED"
  [ "$__phase" = build ] || exit 1
  CODEBUILD_BUILD_SUCCEEDING=0
  __phase=post_build
  __run || echo "$__phase" >>"$FAILED"
  trap - EXIT
  exit 1
}
trap 'set +e +u; [ -z "$__phase" ] || __failed' EXIT
for __phase in install pre_build build post_build; do
  __run
  [ $? = 0 ] || __failed
done
__phase=
"#;

/// How a build went.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The calls of replaced programs, in order, each with the program first. The folder in which the build ran is
    /// written as `SRC`.
    pub(crate) calls: Vec<Vec<String>>,
    /// The JSON files of the tree afterwards, by their path.
    pub(crate) json: BTreeMap<String, String>,
    /// The phases that failed.
    pub(crate) failed: Vec<String>,
    /// What it wrote to standard error.
    pub(crate) stderr: String,
}

/// The stubs of one fixture, in a folder for the front of `PATH`.
pub(crate) fn write_stubs(folder: &Path, fixture: &Fixture) {
    let mut stubs: BTreeMap<&str, String> = PROGRAMS
        .iter()
        .map(|name| (*name, STUB.to_owned()))
        .collect();
    for (name, text) in &fixture.settings.stubs {
        stubs.insert(name, format!("#!/bin/sh\n{text}\n"));
    }
    // What another thread starts while a program is open for writing keeps it open until it runs, and until then the
    // program cannot be run ("Text file busy"): the shell would take the next one of that name. So another process
    // writes the programs.
    let texts = tempfile::tempdir().expect("a temporary folder can be made");
    for (name, text) in stubs {
        let path = texts.path().join(name);
        std::fs::write(&path, text).expect("a temporary folder is writable");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
            .expect("a temporary folder is writable");
    }
    let copied = Command::new("cp")
        .arg("-R")
        .arg(texts.path().join("."))
        .arg(folder)
        .status();
    assert!(
        copied.is_ok_and(|status| status.success()),
        "cp writes stubs"
    );
}

/// The buildspecs of a tree, by their path relative to it.
pub(crate) fn buildspecs(tree: &Path) -> Vec<String> {
    fixture::files(tree)
        .into_keys()
        .filter(|name| {
            let file = name.rsplit('/').next().unwrap_or(name);
            file.contains("buildspec")
                && Path::new(file)
                    .extension()
                    .is_some_and(|e| e == "yml" || e == "yaml")
        })
        .collect()
}

/// The id of the build of the buildspec `name`: each has one of its own, as in CodeBuild.
pub(crate) fn build_id(id: &str, name: &str) -> String {
    let (project, uuid) = id.split_once(':').unwrap_or(("", id));
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let uuid = uuid.get(8..).unwrap_or_default();
    format!("{project}:{hash:08x}{uuid}")
}

/// Runs the buildspec `name` of the tree at `tree` in a copy of that tree.
///
/// # Errors
/// In words, where the file is no buildspec that can be run.
pub(crate) fn run(
    fixture: &Fixture,
    tree: &Path,
    name: &str,
    scenario: &Scenario,
    shell: &str,
    stubs: &Path,
) -> Result<Outcome, String> {
    let name_of_spec = name;
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    let scratch_path: PathBuf = scratch
        .path()
        .canonicalize()
        .map_err(|error| error.to_string())?;
    let source = scratch_path.join("src");
    let items = scratch_path.join("items");
    std::fs::create_dir_all(&items).map_err(|error| error.to_string())?;
    fixture::copy_tree(tree, &source);

    let text = std::fs::read_to_string(tree.join(name)).map_err(|error| error.to_string())?;
    let tree = yaml::parse(&text);
    if let Some(error) = tree.error() {
        return Err(format!("does not parse: {error:?}"));
    }
    let buildspec = tree
        .root()
        .and_then(|root| Buildspec::read(&tree, root))
        .ok_or("is no buildspec")?;
    let mut count = 0;
    for (phase, _, _, item) in buildspec.commands() {
        let text = tree.text(item).ok_or("has a command that is no text")?;
        count += 1;
        let file = items.join(format!("{}.{count:03}", phase.name.as_str()));
        std::fs::write(file, text).map_err(|error| error.to_string())?;
    }
    if count == 0 {
        return Err("has no commands".to_owned());
    }
    debug_assert_eq!(
        PhaseName::ALL.map(PhaseName::as_str),
        ["install", "pre_build", "build", "post_build"]
    );

    let (record, failed) = (scratch_path.join("calls"), scratch_path.join("failed"));
    let path = match std::env::var("PATH") {
        Ok(path) => format!("{}:{path}", stubs.display()),
        Err(_) => format!("{}:/usr/bin:/bin", stubs.display()),
    };
    let mut command = Command::new(shell);
    command
        .arg("-c")
        .arg(DRIVER)
        .current_dir(&source)
        .env_clear()
        .env("PATH", path)
        .env("HOME", &scratch_path)
        .env("CODEBUILD_SRC_DIR", &source)
        .env("ITEMS", &items)
        .env("RECORD", &record)
        .env("FAILED", &failed)
        .envs(scenario::ALWAYS.iter().copied());
    for entry in &buildspec.env.variables {
        if let (Some(name), Some(value)) = (tree.text(entry.key), tree.text(entry.value)) {
            command.env(name, value);
        }
    }
    command
        .envs(&fixture.settings.variables)
        .envs(scenario.variables.iter().copied());
    let id = scenario
        .variables
        .iter()
        .find(|(name, _)| *name == "CODEBUILD_BUILD_ID");
    if let Some((name, id)) = id {
        command.env(name, build_id(id, name_of_spec));
    }
    let output = command
        .output()
        .map_err(|error| format!("{shell}: {error}"))?;

    let place = source.to_string_lossy().into_owned();
    let calls = std::fs::read_to_string(&record).unwrap_or_default();
    let calls = calls
        .split_terminator('\u{1e}')
        .map(|call| {
            call.split_terminator('\u{1f}')
                .map(|word| word.replace(&place, "SRC"))
                .collect()
        })
        .collect();
    let json = fixture::files(&source)
        .into_iter()
        .filter(|(name, _)| {
            Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|(name, bytes)| (name, String::from_utf8_lossy(&bytes).into_owned()))
        // A template beside the build is nothing that the build hands on.
        .filter(|(_, text)| {
            !serde_json::from_str::<serde_json::Value>(text)
                .is_ok_and(|json| json.get("AWSTemplateFormatVersion").is_some())
        })
        .collect();
    Ok(Outcome {
        calls,
        json,
        failed: std::fs::read_to_string(&failed)
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

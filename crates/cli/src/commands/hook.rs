//! `tagwright hook`: hooks for plain Git, as scripts in POSIX sh.
//!
//! The hook before a commit calls tagwright. The one after a checkout needs nothing but Git and sh: it is the
//! command that fixes write into buildspecs, fed with the branch that is checked out, so that a local build
//! tags its images as CodeBuild would.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser as _;
use clap::ValueEnum as _;
use tagwright_project::analysis::{self, Analysis};
use tagwright_project::config::{self, Config};
use tagwright_project::git::Repository;
use tagwright_project::wording;
use tagwright_rules::Settings;
use tagwright_rules::derivation::{Derivation, Missing};

use crate::args::{Cli, Hook, HookCommand};
use crate::ending::{Exit, Stop, Streams};
use crate::report::escape;

/// In the second line of every hook that is ours.
const MARK: &str = "# Written by `tagwright hook install`";
/// What a foreign hook is called after `--force`.
const BACKUP: &str = "before-tagwright";
/// The file for local builds, in Git's folder.
const BRANCH_FILE: &str = "tagwright/branch.env";

pub(crate) fn hook(command: &HookCommand, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    match command {
        HookCommand::Install { force } => install(*force, streams),
        HookCommand::Uninstall => uninstall(streams),
        HookCommand::Run { hook, arguments } => match hook {
            Hook::PreCommit => {
                let check = Cli::parse_from(["tagwright", "check", "--staged"]);
                super::execute(&check, streams)
            }
            Hook::PostCheckout => {
                let repository = Repository::open()?;
                let status = Command::new("sh")
                    .arg("-c")
                    .arg(post_checkout(&settings(&repository)?))
                    .arg("post-checkout")
                    .args(arguments)
                    .current_dir(repository.top())
                    .status()
                    .map_err(|error| failed("run", Path::new("sh"), &error))?;
                Ok(if status.success() {
                    Exit::Clean
                } else {
                    Exit::Unreadable
                })
            }
        },
    }
}

fn install(force: bool, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let repository = Repository::open()?;
    let settings = settings(&repository)?;
    let folder = folder(&repository)?;
    if !force && let Some(scope) = shared_scope(&repository) {
        return Err(Stop::Usage(format!(
            "nothing was installed: core.hooksPath is set in the {scope} configuration, so hooks in {} run in all repositories; --force installs them there, `git config core.hooksPath …` gives this repository a folder of its own",
            wording::display(&folder)
        )));
    }
    let hooks = Hook::value_variants()
        .iter()
        .map(|hook| (folder.join(name(*hook)), text(*hook, &settings)))
        .collect::<Vec<_>>();
    let foreign: Vec<&PathBuf> = hooks
        .iter()
        .map(|(path, _)| path)
        .filter(|path| exists(path) && !is_ours(path))
        .collect();
    if !force && let Some(first) = foreign.first() {
        return Err(Stop::Usage(format!(
            "nothing was installed: there is another hook {}; call `tagwright hook run {}` from it, or let --force put it aside",
            wording::display(first),
            first.file_name().unwrap_or_default().to_string_lossy()
        )));
    }
    fs::create_dir_all(&folder).map_err(|error| failed("create", &folder, &error))?;
    for (path, text) in &hooks {
        if exists(path) && !is_ours(path) {
            let aside = unused(path);
            fs::rename(path, &aside).map_err(|error| failed("rename", path, &error))?;
            let aside = wording::display(&aside);
            writeln!(
                streams.output,
                "kept the hook that was there as {}",
                escape(&aside)
            )?;
        }
        write(path, text).map_err(|error| failed("write", path, &error))?;
        let shown = wording::display(path);
        writeln!(streams.output, "installed {}", escape(&shown))?;
    }
    streams.output.flush()?;
    let command = HookCommand::Run {
        hook: Hook::PostCheckout,
        arguments: Vec::new(),
    };
    hook(&command, streams)?;
    let branch = repository.git_path(BRANCH_FILE)?;
    match fs::read_to_string(&branch) {
        Ok(line) => writeln!(
            streams.output,
            "local builds get {} from: set -a; . \"$(git rev-parse --git-path {BRANCH_FILE})\"; set +a",
            escape(line.trim_end())
        )?,
        Err(_) => writeln!(
            streams.output,
            "no branch is checked out that could be a tag, so there is no {BRANCH_FILE} yet"
        )?,
    }
    Ok(Exit::Clean)
}

fn uninstall(streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let repository = Repository::open()?;
    let folder = folder(&repository)?;
    let mut found = false;
    for hook in Hook::value_variants() {
        let path = folder.join(name(*hook));
        let shown = wording::display(&path);
        if !exists(&path) {
            continue;
        }
        if !is_ours(&path) {
            writeln!(
                streams.errors,
                "note: left {} alone, which is not tagwright's",
                escape(&shown)
            )?;
            continue;
        }
        found = true;
        fs::remove_file(&path).map_err(|error| failed("remove", &path, &error))?;
        let aside = aside(&path, 0);
        if exists(&aside) {
            fs::rename(&aside, &path).map_err(|error| failed("rename", &aside, &error))?;
            writeln!(streams.output, "put back {}", escape(&shown))?;
        } else {
            writeln!(streams.output, "removed {}", escape(&shown))?;
        }
    }
    if !found {
        writeln!(streams.output, "no hook of tagwright is installed")?;
    }
    let branch = repository.git_path(BRANCH_FILE)?;
    match fs::remove_file(&branch) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("remove", &branch, &error))
        }
        _ => Ok(Exit::Clean),
    }
}

/// What the configuration that holds for the repository's folder says of the branch variable.
fn settings(repository: &Repository) -> Result<Settings, Stop> {
    let config = match config::find(repository.top()) {
        Some(path) => Config::load(&path, &analysis::rule_names())?,
        None => Config::default(),
    };
    Ok(Analysis::new(&config).settings().clone())
}

/// The folder in which Git looks for this repository's hooks.
fn folder(repository: &Repository) -> Result<PathBuf, Stop> {
    Ok(repository.git_path("hooks")?)
}

/// The scope of a `core.hooksPath` that is not for this repository alone.
fn shared_scope(repository: &Repository) -> Option<String> {
    let printed = repository
        .run(&["config", "--show-scope", "--get", "core.hooksPath"])
        .ok()?;
    let printed = String::from_utf8_lossy(&printed);
    let scope = printed.split('\t').next()?;
    matches!(scope, "global" | "system").then(|| scope.to_owned())
}

fn name(hook: Hook) -> &'static str {
    match hook {
        Hook::PreCommit => "pre-commit",
        Hook::PostCheckout => "post-checkout",
    }
}

fn text(hook: Hook, settings: &Settings) -> String {
    match hook {
        Hook::PreCommit => pre_commit(std::env::current_exe().ok().as_deref()),
        Hook::PostCheckout => post_checkout(settings),
    }
}

fn pre_commit(program: Option<&Path>) -> String {
    // The program may lie outside the PATH of whatever runs Git, a desktop program for example.
    let program = program
        .and_then(Path::to_str)
        .map_or_else(String::new, |path| path.replace('\'', r"'\''"));
    format!(
        "#!/bin/sh
{MARK}, taken away by `tagwright hook uninstall`.
# Checks the staged files, with their staged text. `git commit --no-verify` goes past it.
if command -v tagwright >/dev/null 2>&1; then
  exec tagwright check --staged
fi
if [ -x '{program}' ]; then
  exec '{program}' check --staged
fi
echo 'tagwright is not installed, so the staged files are not checked; `git commit --no-verify` commits them all the same' >&2
exit 1
"
    )
}

fn post_checkout(settings: &Settings) -> String {
    let derivation = Derivation {
        // A local build has no commit of CodeBuild's: where there is no branch there is no file.
        missing: Missing::Stop,
        ..settings.derivation(false)
    };
    let (variable, derivation) = (derivation.variable, derivation.text());
    format!(
        r#"#!/bin/sh
{MARK}, taken away by `tagwright hook uninstall`.
# Writes the branch that is checked out, as an image tag, to a file for local builds:
#   set -a; . "$(git rev-parse --git-path {BRANCH_FILE})"; set +a
# Where there is no branch there is no file. It always succeeds, since Git would say that the checkout failed.
[ "${{3:-1}}" = 1 ] || exit 0
file=$(git rev-parse --git-path {BRANCH_FILE}) || exit 0
head=$(git symbolic-ref --quiet HEAD) || head=
# A rebase works without a branch, and takes it back at its end without running this hook.
name=$(git rev-parse --git-path rebase-merge/head-name)
[ -n "$head" ] || [ ! -f "$name" ] || head=$(cat "$name")
case $head in
  refs/heads/*) ;;
  *) rm -f "$file"; exit 0 ;;
esac
(
unset BRANCH_NAME CODEBUILD_WEBHOOK_HEAD_REF CODEBUILD_WEBHOOK_TRIGGER CODEBUILD_SOURCE_VERSION
{variable}=$head
{derivation}mkdir -p "${{file%/*}}" && printf '{variable}=%s\n' "${variable}" >"$file.new" && mv -f "$file.new" "$file"
) || rm -f "$file"
exit 0
"#
    )
}

/// Whether something is there, a link that leads nowhere too.
fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether the hooks lie where `hook install` puts them in the repository at `root`.
pub(super) fn installed(root: &Path) -> bool {
    is_ours(&root.join(".git/hooks").join(name(Hook::PostCheckout)))
}

fn is_ours(path: &Path) -> bool {
    fs::read(path).is_ok_and(|text| {
        String::from_utf8_lossy(&text)
            .lines()
            .nth(1)
            .is_some_and(|line| line.starts_with(MARK))
    })
}

fn aside(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{BACKUP}"));
    if number > 0 {
        name.push(format!(".{number}"));
    }
    PathBuf::from(name)
}

/// A name to put `path` aside under that nothing has yet.
fn unused(path: &Path) -> PathBuf {
    let mut number = 0;
    while exists(&aside(path, number)) {
        number += 1;
    }
    aside(path, number)
}

/// Puts an executable file in the place of whatever is there.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".tagwright-new");
    fs::write(&new, text)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755))?;
    }
    fs::rename(&new, path)
}

fn failed(step: &str, path: &Path, error: &io::Error) -> Stop {
    Stop::Failed(format!(
        "cannot {step} {}: {}",
        wording::display(path),
        wording::plain(error)
    ))
}

//! What Git knows about a work tree: which files are staged and with which text, which lines differ from a
//! branch.
//!
//! Git is run as a program, so that its configuration, its index formats and its rules about who may read
//! what hold here as they do for the user. Only output that is made for programs is read, and paths are
//! bytes all the way.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::wording;

/// Why Git gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no such program, or it cannot be started.
    #[error("cannot run git: {}", wording::plain(.0))]
    NotRun(io::Error),
    /// The current folder is in no work tree.
    #[error("the current folder is not in the work tree of a Git repository")]
    NoWorkTree,
    /// The base names no commit.
    #[error("`{0}` is no commit that this repository has; fetch it, or name another")]
    UnknownBase(String),
    /// The current branch and the base have nothing in common, as far as the repository knows.
    #[error(
        "`{0}` and the current commit have no common ancestor here; in a shallow clone, `git fetch --unshallow` brings it"
    )]
    NoCommonAncestor(String),
    /// There is no commit yet that anything could have changed since.
    #[error("the current branch has no commit yet, so nothing can be compared with `{0}`")]
    NoCommit(String),
    /// Git failed in another way.
    #[error("`git {command}` failed: {message}")]
    Failed {
        /// The subcommand.
        command: String,
        /// What Git said.
        message: String,
    },
}

impl GitError {
    /// Whether the user asked for something that cannot be, rather than Git having failed.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            GitError::NoWorkTree
            | GitError::UnknownBase(_)
            | GitError::NoCommonAncestor(_)
            | GitError::NoCommit(_) => true,
            GitError::NotRun(_) | GitError::Failed { .. } => false,
        }
    }
}

/// Lines of a file, 1-based.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Every line: the file is new.
    All,
    /// These; none where lines were only taken away.
    Some(Vec<RangeInclusive<u32>>),
}

/// A file as the index has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indexed {
    /// The path relative to the work tree's folder.
    pub path: PathBuf,
    /// The name of its content.
    id: String,
}

/// A Git repository with a work tree.
#[derive(Clone, Debug)]
pub struct Repository {
    top: PathBuf,
}

impl Repository {
    /// The repository that the current folder is in. In a hook, Git's own variables decide, as for every
    /// Git command.
    ///
    /// # Errors
    /// [`GitError::NoWorkTree`], or why Git could not be asked.
    pub fn open() -> Result<Self, GitError> {
        let output = output(command(None, &["rev-parse", "--show-toplevel"]))?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            if message.contains("not a git repository") || message.contains("run in a work tree") {
                return Err(GitError::NoWorkTree);
            }
            return Err(failed("rev-parse", &output));
        }
        let top = path(output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout));
        if top.as_os_str().is_empty() {
            return Err(GitError::NoWorkTree);
        }
        Ok(Self {
            top: std::fs::canonicalize(&top).unwrap_or(top),
        })
    }

    /// The folder of the work tree, absolute.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// Runs `git` in the work tree's folder and gives what it printed.
    ///
    /// # Errors
    /// [`GitError::NotRun`] and [`GitError::Failed`].
    pub fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        let output = output(command(Some(&self.top), arguments))?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(failed(arguments.first().unwrap_or(&""), &output))
        }
    }

    /// Where the repository keeps `name`, relative to its `.git` as far as configuration says nothing else.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub fn git_path(&self, name: &str) -> Result<PathBuf, GitError> {
        let printed = self.run(&["rev-parse", "--git-path", name])?;
        Ok(self
            .top
            .join(path(printed.strip_suffix(b"\n").unwrap_or(&printed))))
    }

    /// The files that the next commit adds or changes.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub fn staged(&self) -> Result<Vec<Indexed>, GitError> {
        let raw = self.raw(&["--cached", "--diff-filter=AMT"])?;
        Ok(raw
            .into_iter()
            .filter(|entry| is_file(&entry.new_mode))
            .map(|entry| Indexed {
                path: entry.path,
                id: entry.new_id,
            })
            .collect())
    }

    /// The files whose text in the work tree is not what the index has, gone ones too.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub fn unstaged(&self) -> Result<Vec<Indexed>, GitError> {
        let raw = self.raw(&["--diff-filter=MTD"])?;
        Ok(raw
            .into_iter()
            .filter(|entry| is_file(&entry.old_mode))
            .map(|entry| Indexed {
                path: entry.path,
                id: entry.old_id,
            })
            .collect())
    }

    /// All files in the index, relative to the work tree's folder.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub fn tracked(&self) -> Result<HashSet<PathBuf>, GitError> {
        let list = self.run(&["ls-files", "-z"])?;
        Ok(list.split(|byte| *byte == 0).map(path).collect())
    }

    /// What the index has for these files, in their order.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub fn contents(&self, files: &[&Indexed]) -> Result<Vec<Vec<u8>>, GitError> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let list: String = files.iter().map(|file| format!("{}\n", file.id)).collect();
        let mut child = command(Some(&self.top), &["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(GitError::NotRun)?;
        let input = child.stdin.take();
        let output = std::thread::scope(|scope| {
            // Git answers while it is still being asked; neither may wait for the other.
            scope.spawn(move || input.map(|mut input| input.write_all(list.as_bytes())));
            child.wait_with_output()
        })
        .map_err(GitError::NotRun)?;
        let contents = batch(&output.stdout);
        match contents {
            Some(contents) if contents.len() == files.len() => Ok(contents),
            _ => Err(failed("cat-file", &output)),
        }
    }

    /// The files that differ between the work tree and the commit where the current branch left `base`, with
    /// the lines that do; files that Git neither tracks nor ignores too. Paths are relative to the work tree's
    /// folder.
    ///
    /// # Errors
    /// [`GitError::UnknownBase`], [`GitError::NoCommit`], [`GitError::NoCommonAncestor`], and those of
    /// [`run`](Self::run).
    pub fn changes(&self, base: &str) -> Result<BTreeMap<PathBuf, Lines>, GitError> {
        let commit = |name: &str| {
            let name = format!("{name}^{{commit}}");
            if name.starts_with('-') {
                return Ok(None);
            }
            let arguments = ["rev-parse", "--verify", "--quiet", &name];
            output(command(Some(&self.top), &arguments)).map(|output| {
                output
                    .status
                    .success()
                    .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
            })
        };
        let Some(base_commit) = commit(base)? else {
            return Err(GitError::UnknownBase(base.to_owned()));
        };
        let Some(head) = commit("HEAD")? else {
            return Err(GitError::NoCommit(base.to_owned()));
        };
        let ancestor = output(command(
            Some(&self.top),
            &["merge-base", &base_commit, &head],
        ))?;
        if ancestor.status.code() == Some(1) {
            return Err(GitError::NoCommonAncestor(base.to_owned()));
        }
        if !ancestor.status.success() {
            return Err(failed("merge-base", &ancestor));
        }
        let ancestor = String::from_utf8_lossy(&ancestor.stdout).trim().to_owned();

        let patch = self.diff(&[
            "--unified=0",
            "--inter-hunk-context=0",
            "--text",
            "--no-color",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            "--patch",
            &ancestor,
            "--",
        ])?;
        let mut changes: BTreeMap<PathBuf, Lines> = hunks(&patch)
            .into_iter()
            .map(|(path, lines)| (path, Lines::Some(lines)))
            .collect();
        let new = self.diff(&["--name-only", "-z", "--diff-filter=AT", &ancestor, "--"])?;
        let untracked = self.run(&["ls-files", "-z", "--others", "--exclude-standard"])?;
        for name in new
            .split(|byte| *byte == 0)
            .chain(untracked.split(|byte| *byte == 0))
        {
            // A repository inside this one ends in a slash.
            if !name.is_empty() && !name.ends_with(b"/") {
                changes.insert(path(name), Lines::All);
            }
        }
        Ok(changes)
    }

    fn raw(&self, arguments: &[&str]) -> Result<Vec<RawEntry>, GitError> {
        let list = self.diff(&[&["--raw", "-z", "--no-abbrev"], arguments, &["--"]].concat())?;
        let mut entries = Vec::new();
        let mut fields = list.split(|byte| *byte == 0);
        while let (Some(meta), Some(name)) = (fields.next(), fields.next()) {
            let meta = String::from_utf8_lossy(meta);
            let mut parts = meta.trim_start_matches(':').split(' ');
            let mut part = || parts.next().unwrap_or_default().to_owned();
            entries.push(RawEntry {
                old_mode: part(),
                new_mode: part(),
                old_id: part(),
                new_id: part(),
                path: path(name),
            });
        }
        Ok(entries)
    }

    /// `git diff`, without what its configuration could do to the output.
    fn diff(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        let fixed = [
            "-c",
            "core.quotePath=false",
            "diff",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--ignore-submodules=all",
            "--no-relative",
        ];
        let output = output(command(Some(&self.top), &[&fixed, arguments].concat()))?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(failed("diff", &output))
        }
    }
}

struct RawEntry {
    old_mode: String,
    new_mode: String,
    old_id: String,
    new_id: String,
    path: PathBuf,
}

/// Whether the mode is that of a file: links and submodules have no text of their own.
fn is_file(mode: &str) -> bool {
    mode.starts_with("100")
}

/// Those of `paths`, relative to the folder `top` of a work tree, that the index has as files without the executable bit;
/// none where Git cannot be asked.
pub(crate) fn plain_files(top: &Path, paths: &[&str]) -> Vec<PathBuf> {
    let mut arguments = vec!["--literal-pathspecs", "ls-files", "--stage", "-z", "--"];
    arguments.extend(paths);
    let printed =
        output(command(Some(top), &arguments)).map_or_else(|_| Vec::new(), |it| it.stdout);
    let entries = printed.split(|byte| *byte == 0);
    let plain = entries.filter_map(|entry| {
        let tab = entry.iter().position(|byte| *byte == b'\t')?;
        entry
            .starts_with(b"100644 ")
            .then(|| path(&entry[tab + 1..]))
    });
    plain.collect()
}

/// The files below `folder` (absolute) that the index of its repository has, relative to `folder`. Git's variables, which
/// a hook sets for its own repository, do not count.
///
/// # Errors
/// [`GitError::NotRun`] and [`GitError::Failed`].
pub fn tracked_below(folder: &Path) -> Result<Vec<PathBuf>, GitError> {
    let mut command = command(Some(folder), &["ls-files", "-z"]);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    let output = output(command)?;
    if !output.status.success() {
        return Err(failed("ls-files", &output));
    }
    let names = output.stdout.split(|byte| *byte == 0);
    Ok(names.filter(|name| !name.is_empty()).map(path).collect())
}

/// The address of the remote `origin` of the repository that `folder` is in, if it has one.
#[must_use]
pub fn remote(folder: &Path) -> Option<String> {
    let mut command = command(Some(folder), &["config", "--get", "remote.origin.url"]);
    for name in ["GIT_DIR", "GIT_WORK_TREE"] {
        command.env_remove(name);
    }
    let output = output(command).ok().filter(|it| it.status.success())?;
    let address = String::from_utf8(output.stdout).ok()?;
    Some(address.trim().to_owned()).filter(|it| !it.is_empty())
}

/// The name of the repository that `folder` is in, if its remote `origin` says one.
#[must_use]
pub fn name(folder: &Path) -> Option<String> {
    let address = remote(folder)?;
    let (_, name) = parts_of_address(&address);
    Some(name.to_owned()).filter(|it| !it.is_empty())
}

/// The last parts of the address, or the name, of a repository: what stands before the name, if anything does, and the name.
#[must_use]
pub fn parts_of_address(address: &str) -> (Option<&str>, &str) {
    let address = address.trim_end_matches('/');
    let address = address.strip_suffix(".git").unwrap_or(address);
    let mut parts = address.rsplit(['/', ':']);
    let name = parts.next().unwrap_or_default();
    (parts.next().filter(|it| !it.is_empty()), name)
}

/// Switches off what a repository's own configuration would have Git run. Where hooks lie and what is configured is
/// asked without the last: neither runs a hook.
const NOTHING_RUNS: [&str; 4] = [
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
];

fn command(folder: Option<&Path>, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    let asks_for_hooks = arguments.contains(&"--git-path") || arguments.first() == Some(&"config");
    command
        .args(&NOTHING_RUNS[..if asks_for_hooks { 2 } else { 4 }])
        .args(arguments)
        // Nor does Git fetch what a partial clone lacks: that runs programs too.
        .env("GIT_NO_LAZY_FETCH", "1")
        .stdin(Stdio::null())
        // Messages are recognised by their words; and a look must not stop somebody else's commit.
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_PAGER", "cat");
    command
}

fn output(mut command: Command) -> Result<Output, GitError> {
    command.output().map_err(GitError::NotRun)
}

fn failed(subcommand: &str, output: &Output) -> GitError {
    let said = String::from_utf8_lossy(&output.stderr);
    let message = said
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("fatal:") || line.starts_with("error:"))
        .or_else(|| said.lines().map(str::trim).find(|line| !line.is_empty()));
    GitError::Failed {
        command: subcommand.to_owned(),
        message: message.map_or_else(|| output.status.to_string(), str::to_owned),
    }
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::new(&*String::from_utf8_lossy(bytes)))
}

/// The contents that `git cat-file --batch` printed; `None` if one is missing.
fn batch(mut printed: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut contents = Vec::new();
    while !printed.is_empty() {
        let end = printed.iter().position(|byte| *byte == b'\n')?;
        let (header, rest) = (&printed[..end], &printed[end + 1..]);
        let header = std::str::from_utf8(header).ok()?;
        let size: usize = header.rsplit_once(' ')?.1.parse().ok()?;
        contents.push(rest.get(..size)?.to_vec());
        printed = rest.get(size + 1..)?;
    }
    Some(contents)
}

/// The lines that a patch without context adds or replaces, by the file's new path.
fn hunks(patch: &[u8]) -> BTreeMap<PathBuf, Vec<RangeInclusive<u32>>> {
    let mut files: BTreeMap<PathBuf, Vec<RangeInclusive<u32>>> = BTreeMap::new();
    let mut current: Option<PathBuf> = None;
    let mut lines = patch.split(|byte| *byte == b'\n');
    while let Some(line) = lines.next() {
        if line.starts_with(b"diff --git ") {
            current = None;
        } else if let Some(name) = line.strip_prefix(b"+++ ") {
            current = new_path(name);
            if let Some(file) = &current {
                files.entry(file.clone()).or_default();
            }
        } else if let Some((old, start, new)) = hunk_header(line) {
            // What the hunk shows is text of the file and may look like anything.
            for _ in 0..old + new {
                while lines.next().is_some_and(|text| text.starts_with(b"\\")) {}
            }
            if let Some(ranges) = current.as_ref().and_then(|file| files.get_mut(file))
                && new > 0
            {
                ranges.push(start..=start + (new - 1));
            }
        }
    }
    files
}

/// Of `@@ -a,b +c,d @@`: b, c and d.
fn hunk_header(line: &[u8]) -> Option<(u32, u32, u32)> {
    let line = std::str::from_utf8(line.get(..line.len().min(80))?)
        .unwrap_or_else(|error| std::str::from_utf8(&line[..error.valid_up_to()]).unwrap_or(""));
    let mut words = line.strip_prefix("@@ -")?.split(' ');
    let old = words.next()?;
    let new = words.next()?.strip_prefix('+')?;
    let count = |range: &str| match range.split_once(',') {
        Some((_, count)) => count.parse().ok(),
        None => Some(1),
    };
    let start = new.split(',').next()?.parse().ok()?;
    Some((count(old)?, start, count(new)?))
}

/// The path in a `+++` line, if it is one: `b/…`, ended by a tab if it has a blank, or quoted like a string in C.
fn new_path(name: &[u8]) -> Option<PathBuf> {
    let name = name.strip_suffix(b"\t").unwrap_or(name);
    let unquoted = match name.strip_prefix(b"\"") {
        Some(quoted) => unquote(quoted.strip_suffix(b"\"")?)?,
        None => name.to_vec(),
    };
    unquoted.strip_prefix(b"b/").map(path)
}

fn unquote(quoted: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(quoted.len());
    let mut rest = quoted.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            first @ b'0'..=b'3' => {
                let digit = |byte: Option<u8>| byte.map(|byte| byte.wrapping_sub(b'0') & 7);
                let second = digit(rest.next())?;
                ((first - b'0') << 6) | (second << 3) | digit(rest.next())?
            }
            other => other,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_gives_the_lines_that_are_new() {
        let patch = b"diff --git a/x.yml b/x.yml\nindex 1..2 100644\n--- a/x.yml\n+++ b/x.yml\n\
            @@ -1 +1,2 @@ phases:\n-a\n+b\n+c\n@@ -9,2 +10,0 @@\n-+++ b/no.yml\n-@@ -1 +1 @@\n\
            @@ -20,0 +20 @@\n+diff --git a/no b/no\n\\ No newline at end of file\n\
            diff --git a/gone.yml b/gone.yml\n--- a/gone.yml\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n\
            diff --git a/a b.yml b/a b.yml\n--- a/a b.yml\t\n+++ b/a b.yml\t\n@@ -3 +3 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n\
            diff --git \"a/\\n\\\".yml\" \"b/\\n\\\".yml\"\n--- \"a/\\n\\\".yml\"\n+++ \"b/\\n\\\".yml\"\n@@ -4 +4 @@\n-a\n+b\n";
        let files = hunks(patch);
        let expected: BTreeMap<PathBuf, Vec<RangeInclusive<u32>>> = [
            ("x.yml", vec![1..=2, 20..=20]),
            ("a b.yml", vec![3..=3]),
            ("\n\".yml", vec![4..=4]),
        ]
        .into_iter()
        .map(|(name, lines)| (PathBuf::from(name), lines))
        .collect();
        assert_eq!(files, expected);
    }

    #[test]
    fn contents_are_taken_by_their_size_and_a_missing_one_is_noticed() {
        assert_eq!(
            batch(b"1f blob 4\na\nb\n\n2e blob 0\n\n"),
            Some(vec![b"a\nb\n".to_vec(), Vec::new()])
        );
        assert_eq!(batch(b"1f missing\n"), None);
    }

    #[test]
    fn quoted_paths_are_bytes_again() {
        assert_eq!(
            unquote(br"\303\244\t\\ \x"),
            Some(b"\xc3\xa4\t\\ x".to_vec())
        );
        assert_eq!(unquote(br"a\"), None);
    }
}

//! What the program ShellCheck says of the commands in buildspecs, with places in the YAML files.
//!
//! The commands of one file become one script, so that ShellCheck sees what one command leaves to the next, as
//! the shell of CodeBuild does. Many scripts go to one process. The places that it gives back are
//! lines and columns of the script; a table leads from there to the command and through its [`SourceMap`]
//! to the file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use rayon::prelude::*;
use serde::Deserialize;
use tagwright_diagnostics::{Finding, Severity};
use tagwright_flow::FileId;
use tagwright_flow::facts::{FileFacts, ShellKind};
use tagwright_syntax::buildspec::{Buildspec, Version};
use tagwright_syntax::shell::{self, Status};
use tagwright_syntax::{SourceMap, Span};

use crate::wording;

/// The rule of all of its findings.
pub const RULE: &str = "shellcheck";

/// The program, as it is looked for on `PATH`.
const PROGRAM: &str = "shellcheck";

/// More scripts than this are shared out among several processes.
const BATCH: usize = 32;

/// The most that one process may print, in bytes.
const LIMIT: u64 = 64 << 20;

/// Names of a project's own settings for ShellCheck, as ShellCheck looks for them.
const SETTINGS: [&str; 2] = [".shellcheckrc", "shellcheckrc"];

/// What is wrong in a script of its own and right in a buildspec, or nothing that can be known there: the first
/// and last number of each range.
const LEFT_OUT: &[(u32, u32)] = &[
    // Files that are read with `.`: the build has them, this folder has not.
    (1090, 1091),
    // `#!` elsewhere than in the first line: an item begins in the middle of the script.
    (1128, 1128),
    // Variables that nothing here reads: programs, manifests and other builds do.
    (2034, 2034),
    // Variables that nothing here sets: CodeBuild, the project and `env` do.
    (2154, 2154),
    // Commands behind `exit`, functions that nothing calls: `post_build` runs all the same, and commands that
    // do not read cleanly are not in the script.
    (2317, 2317),
    (2329, 2329),
    // What POSIX does not know: whether `sh` is bash stands outside the file, and the rule `bashism` speaks.
    (3000, 3999),
];

/// `cd` without `|| exit`, and the same of `pushd` and `popd`.
const UNCHECKED_CD: u32 = 2164;

/// A variable or a substitution without quotes.
const UNQUOTED: [u32; 2] = [2086, 2046];

/// What CodeBuild sets in every build and what holds neither blanks nor patterns.
const HARMLESS: [&str; 8] = [
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "CODEBUILD_BUILD_ARN",
    "CODEBUILD_BUILD_ID",
    "CODEBUILD_BUILD_NUMBER",
    "CODEBUILD_BUILD_SUCCEEDING",
    "CODEBUILD_SRC_DIR",
    "CODEBUILD_START_TIME",
];

/// The output of a substitution is run.
const RUNS_OUTPUT: u32 = 2091;

/// ShellCheck, installed.
#[derive(Debug)]
pub struct Shellcheck {
    _private: (),
}

/// The commands of one buildspec as a script.
#[derive(Debug)]
pub struct Script {
    file: FileId,
    text: String,
    /// Where the lines begin, in bytes of `text`.
    lines: Vec<usize>,
    items: Vec<Item>,
}

/// One command item of a script.
#[derive(Debug)]
struct Item {
    /// Its bytes of the script, without the line break behind it.
    script: std::ops::Range<usize>,
    /// From its decoded text to the file, where that is certain.
    map: Option<SourceMap>,
    /// The bytes of the file that hold it.
    span: Span,
    /// Its commands, and whether each only writes a line to the log of the build: an `echo` whose output goes
    /// nowhere else.
    commands: Vec<(Span, bool)>,
}

/// The report of `--format=json1`: columns are characters, a tab being one.
#[derive(Deserialize)]
struct Output {
    comments: Vec<Comment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comment {
    file: String,
    line: usize,
    end_line: usize,
    column: usize,
    end_column: usize,
    level: String,
    code: u32,
    message: String,
}

impl Shellcheck {
    /// The program on `PATH`.
    ///
    /// # Errors
    /// A message for people if it is not there or cannot be started.
    pub fn find() -> Result<Self, String> {
        let started = Command::new(PROGRAM)
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match started {
            Ok(_) => Ok(Self { _private: () }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(format!(
                "--shellcheck needs the program `{PROGRAM}`, which is not on PATH: install it (most systems \
                 have a package of this name), or leave the flag away"
            )),
            Err(error) => Err(cannot_run(&error)),
        }
    }

    /// What it says of the scripts; `root` is the folder of the workspace that they are from.
    ///
    /// # Errors
    /// A message for people if it cannot be run, fails, or prints what is no report of it.
    pub(crate) fn check(&self, root: &Path, scripts: &[Script]) -> Result<Vec<Finding>, String> {
        let batches: Result<Vec<Vec<Finding>>, String> = scripts
            .par_chunks(BATCH)
            .map(|batch| Self::check_batch(root, batch))
            .collect();
        Ok(batches?.into_iter().flatten().collect())
    }

    fn check_batch(root: &Path, scripts: &[Script]) -> Result<Vec<Finding>, String> {
        let written = |error: &io::Error| {
            format!(
                "cannot write the scripts for {PROGRAM}: {}",
                wording::plain(error)
            )
        };
        let folder = tempfile::tempdir().map_err(|error| written(&error))?;
        let folder = folder.path();
        for (index, script) in scripts.iter().enumerate() {
            fs::write(folder.join(index.to_string()), &script.text)
                .map_err(|error| written(&error))?;
        }
        // It looks for its settings beside the script and above.
        for name in SETTINGS {
            if root.join(name).is_file() {
                fs::copy(root.join(name), folder.join(name)).map_err(|error| written(&error))?;
                break;
            }
        }
        // A pipe that nobody reads would stop it when it is full.
        let errors = folder.join("errors");
        let errors_file = File::create(&errors).map_err(|error| written(&error))?;
        let mut child = Command::new(PROGRAM)
            .current_dir(folder)
            .args(["--format=json1", "--"])
            .args((0..scripts.len()).map(|index| index.to_string()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors_file)
            .spawn()
            .map_err(|error| cannot_run(&error))?;
        let mut printed = Vec::new();
        let read = match child.stdout.take() {
            Some(stdout) => stdout.take(LIMIT + 1).read_to_end(&mut printed),
            None => Ok(0),
        };
        let too_much = printed.len() as u64 > LIMIT;
        if too_much {
            // It may have ended by itself in the meantime.
            let _ = child.kill();
        }
        let status = child.wait().map_err(|error| cannot_run(&error))?;
        if too_much {
            return Err(format!(
                "{PROGRAM} printed more than {} MB; nothing of it is reported",
                LIMIT >> 20
            ));
        }
        read.map_err(|error| cannot_run(&error))?;
        // 1: it has something to say.
        if !matches!(status.code(), Some(0 | 1)) {
            let said = fs::read(&errors).unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            let said = said.lines().find(|line| !line.trim().is_empty());
            return Err(format!(
                "{PROGRAM} failed ({status}){}",
                said.map(|line| format!(": {}", line.chars().take(300).collect::<String>()))
                    .unwrap_or_default()
            ));
        }
        let output: Output = serde_json::from_slice(&printed).map_err(|error| {
            // They come before the arguments here, and the first format is taken.
            let hint = match std::env::var_os("SHELLCHECK_OPTS") {
                Some(_) => "; is there a format in SHELLCHECK_OPTS?",
                None => "",
            };
            format!("{PROGRAM} printed what is no report of it: {error}{hint}")
        })?;
        Ok(findings(scripts, output.comments))
    }
}

fn cannot_run(error: &io::Error) -> String {
    format!("cannot run {PROGRAM}: {}", wording::plain(error))
}

impl Script {
    /// The commands of the buildspec with these facts; `None` if it has none for ShellCheck: commands of
    /// version 0.1 (a shell for each), for PowerShell or cmd.exe, and templates of other tools.
    pub(crate) fn of(facts: &FileFacts) -> Option<Self> {
        let spec = facts.buildspec.as_ref()?;
        if spec.version != Version::V0_2
            || spec.shell != ShellKind::Posix
            || spec.template.is_some()
            || spec.inline
        {
            return None;
        }
        let tree = facts.tree();
        let spec = Buildspec::read(&tree, tree.root()?)?;
        let bash = spec
            .env
            .shell
            .and_then(|shell| tree.text(shell))
            .is_some_and(|shell| shell.trim_end().ends_with("bash"));
        let dialect = if bash { "bash" } else { "sh" };
        // The `:` keeps a directive above the first command from holding for the whole script.
        let mut script = format!("# shellcheck shell={dialect}\n:\n");
        let mut items = Vec::new();
        for (_, _, _, node) in spec.commands() {
            let node = tree.resolve(node);
            let Some(command) = tree.text(node) else {
                continue;
            };
            let parsed = shell::parse(command);
            if command.contains('\0') || parsed.status != Status::Clean {
                continue;
            }
            let commands = parsed.commands.iter();
            let start = script.len();
            script.push_str(command);
            items.push(Item {
                script: start..script.len(),
                map: facts.source_map(&tree, node),
                span: tree.node(node).span,
                commands: commands.map(|it| (it.span, only_logs(it))).collect(),
            });
            // A backslash at the end of the command joins the next line, which is to be empty.
            script.push_str("\n\n");
        }
        let lines = std::iter::once(0)
            .chain(script.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        (!items.is_empty()).then_some(Self {
            file: facts.id,
            text: script,
            lines,
            items,
        })
    }

    /// The byte of the script at the 1-based line and column, the latter in characters.
    fn offset(&self, line: usize, column: usize) -> Option<usize> {
        let start = *self.lines.get(line.checked_sub(1)?)?;
        let end = self
            .lines
            .get(line)
            .map_or(self.text.len(), |next| next - 1);
        let line = &self.text[start..end];
        let before = column.checked_sub(1)?;
        let at = if line.is_ascii() {
            before
        } else {
            line.char_indices()
                .nth(before)
                .map_or(line.len(), |(at, _)| at)
        };
        Some(start + at.min(line.len()))
    }

    /// The finding that a comment is, if it is about a command of the file.
    fn finding(&self, comment: Comment) -> Option<Finding> {
        let start = self.offset(comment.line, comment.column)?;
        let end = self.offset(comment.end_line, comment.end_column)?;
        let index = self
            .items
            .partition_point(|item| item.script.start <= start)
            .checked_sub(1)?;
        let item = &self.items[index];
        if start > item.script.end {
            return None;
        }
        let end = end.clamp(start, item.script.end);
        let base = item.script.start;
        let mut decoded = Span::new(start - base, end - base);
        if item.is_fine(comment.code, &self.text[item.script.clone()], decoded) {
            return None;
        }
        if decoded.is_empty() {
            // It points at one character.
            let next = self.text[start..item.script.end].chars().next();
            decoded = Span::new(start - base, start - base + next.map_or(0, char::len_utf8));
        }
        let span = item
            .map
            .as_ref()
            .and_then(|map| map.source(decoded))
            .unwrap_or(item.span);
        Some(Finding {
            rule: RULE,
            severity: match &*comment.level {
                // What it calls an error is one in the shell's grammar, of which it may know a part only.
                "error" | "warning" => Severity::Warning,
                _ => Severity::Note,
            },
            message: format!("SC{:04}: {}", comment.code, comment.message),
            file: self.file,
            span,
            related: Vec::new(),
            fix: None,
            alternative: None,
            refusal: None,
        })
    }
}

impl Item {
    /// Whether what ShellCheck finds at `at`, bytes of the item's `text`, is as it should be in a buildspec.
    fn is_fine(&self, code: u32, text: &str, at: Span) -> bool {
        if code == UNCHECKED_CD {
            // CodeBuild looks at how each item ends.
            return text[at.end as usize..].trim().is_empty();
        }
        if code == RUNS_OUTPUT {
            // Meant so, and the rule `removed-command` speaks.
            return at.of(text).contains("ecr get-login ");
        }
        if UNQUOTED.contains(&code) {
            let name = at.of(text).trim_start_matches(['$', '{']);
            if HARMLESS.contains(&name.trim_end_matches('}')) {
                return true;
            }
            // The line in the log is the same but for its blanks.
            let around = self.commands.iter().filter(|(span, _)| span.contains(at));
            return around
                .min_by_key(|(span, _)| span.len())
                .is_some_and(|(_, only_logs)| *only_logs);
        }
        false
    }
}

/// Whether the command is an `echo` whose output goes to the log alone.
fn only_logs(command: &shell::Command) -> bool {
    command.words.first().is_some_and(|word| word.is("echo"))
        && command.redirects.is_empty()
        && command.context.pipe_length == 1
        && command.context.substitution == 0
        // Of a group or a function it is not known where its output goes.
        && command.context.function.is_none()
        && !command.context.subshell
}

/// The comments as findings, without those that cannot be right in a buildspec.
fn findings(scripts: &[Script], comments: Vec<Comment>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = comments
        .into_iter()
        .filter(|comment| {
            !LEFT_OUT
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&comment.code))
        })
        .filter_map(|comment| {
            // A file that it was not given is one that the project's own settings make it read.
            let index: usize = comment.file.parse().ok()?;
            scripts.get(index)?.finding(comment)
        })
        .collect();
    findings.sort_by(|a, b| (a.file, a.span, b.severity).cmp(&(b.file, b.span, a.severity)));
    // A rule has one thing to say about one place.
    findings.dedup_by(|next, kept| {
        let same = (next.file, next.span) == (kept.file, kept.span);
        if same && !kept.message.contains(&next.message) {
            kept.message = format!("{} {}", kept.message, next.message);
        }
        same
    });
    findings
}

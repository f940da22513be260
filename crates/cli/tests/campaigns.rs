//! The guide to many repositories, done on 200 repositories that are made here: scans with GNU parallel and with Spark, a
//! campaign of all-repos over bare repositories.
//!
//! A program that is not installed is skipped, except in CI.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "support/blocks.rs"]
mod blocks;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const GUIDE: &str = "many-repositories.md";
const TITLE: &str = "Tag images by branch instead of latest";
const BRANCH: &str = "tagwright-branch-tags";
/// How many repositories there are.
const MANY: usize = 200;
/// The one whose buildspec no reader of YAML accepts.
const BROKEN: usize = 8;

/// Every third repository pushes `latest`.
fn floats(number: usize) -> bool {
    number % 3 == 1
}

fn buildspec(number: usize) -> String {
    let tag = if floats(number) { "latest" } else { "v1.2.3" };
    let mut text = "version: 0.2\nphases:\n  build:\n    commands:\n".to_owned();
    for image in 0..=number % 3 {
        let name = format!("$REGISTRY/web-{image}:{tag}");
        let _ = writeln!(
            text,
            "      - docker build -t {name} .\n      - docker push {name}"
        );
    }
    if number == BROKEN {
        text.push_str("      - @broken\n");
    }
    text
}

fn name(number: usize) -> String {
    format!("repo-{number:03}")
}

/// Runs the command with the program in the path, and gives what it prints.
fn run(command: &mut Command) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_tagwright"));
    let folders = std::env::var_os("PATH").unwrap();
    let folders = std::iter::once(program.parent().unwrap().to_owned())
        .chain(std::env::split_paths(&folders));
    let output = command
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs([
            ("GIT_AUTHOR_NAME", "a"),
            ("GIT_AUTHOR_EMAIL", "a@example.com"),
        ])
        .envs([
            ("GIT_COMMITTER_NAME", "a"),
            ("GIT_COMMITTER_EMAIL", "a@example.com"),
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{command:?}\n{out}\n{err}");
    out.into_owned()
}

/// Whether the program is there, as it has to be in CI.
fn is_there(command: &mut Command) -> bool {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    let there = command.status().is_ok_and(|it| it.success());
    assert!(
        there || std::env::var_os("CI").is_none(),
        "{command:?} fails"
    );
    there
}

/// The folders of the repositories, as a scan gets them, and their names in the file `names`.
fn checked_out(folder: &Path) {
    let mut names = String::new();
    for number in 0..MANY {
        let repository = folder.join(name(number));
        fs::create_dir(&repository).unwrap();
        fs::write(repository.join("buildspec.yml"), buildspec(number)).unwrap();
        let _ = writeln!(names, "{}", name(number));
    }
    fs::write(folder.join("names"), names).unwrap();
}

fn merged(folder: &Path, files: &[PathBuf], format: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tagwright"));
    command.arg("merge").args(files).args(["--format", format]);
    run(command.current_dir(folder))
}

/// The lines of all repositories, from one process after the other.
fn one_by_one(folder: &Path) -> PathBuf {
    let script = "while read -r name; do tagwright check --format jsonl --fail-on never --repository \"$name\" \"$name\"; done < names > one";
    run(Command::new("sh").args(["-c", script]).current_dir(folder));
    folder.join("one")
}

#[test]
fn parallel_scans_give_the_report_of_one() {
    if !is_there(Command::new("parallel").arg("--version")) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    checked_out(folder);
    let commands = blocks::block(GUIDE, "sh");
    run(Command::new("sh")
        .args(["-ec", &commands])
        .current_dir(folder));
    let one = one_by_one(folder);
    assert_eq!(
        fs::read_to_string(folder.join("report.md")).unwrap(),
        merged(folder, &[one], "md")
    );
}

#[test]
fn a_cluster_gives_the_report_of_one_process() {
    if !is_there(Command::new("python3").args(["-c", "import pyspark"])) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    checked_out(folder);
    let (scan, _) = scripts();
    fs::write(folder.join("scan.py"), scan).unwrap();
    run(Command::new("python3").arg("scan.py").current_dir(folder));
    let mut parts: Vec<PathBuf> = fs::read_dir(folder.join("lines"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("part-")
        })
        .collect();
    parts.sort();
    assert!(parts.len() > 1, "{parts:?}");
    let one = one_by_one(folder);
    for format in ["json", "md", "html", "sarif"] {
        let expected = merged(folder, std::slice::from_ref(&one), format);
        assert!(merged(folder, &parts, format) == expected, "{format}");
    }
}

/// The scripts of the guide: the one for Spark, and the one for all-repos.
fn scripts() -> (String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(GUIDE);
    let page = fs::read_to_string(path).unwrap();
    let mut scripts = page.split("```python\n").skip(1);
    let mut next = || {
        let script = scripts.next().unwrap();
        script.split("```").next().unwrap().to_owned()
    };
    (next(), next())
}

/// A bare repository with one commit, made by one process of Git.
fn bare(folder: &Path, number: usize) -> PathBuf {
    let path = folder.join(format!("{}.git", name(number)));
    run(Command::new("git")
        .args(["init", "--quiet", "--bare", "--initial-branch=main"])
        .arg(&path));
    let text = buildspec(number);
    let stream = format!(
        "commit refs/heads/main\ncommitter a <a@example.com> 0 +0000\ndata 5\nStart\nM 644 inline buildspec.yml\ndata {}\n{text}\n",
        text.len()
    );
    let input = folder.join("stream");
    fs::write(&input, stream).unwrap();
    let script = format!(
        "git --git-dir '{}' fast-import --quiet < '{}'",
        path.display(),
        input.display()
    );
    run(Command::new("sh").args(["-c", &script]));
    path
}

#[test]
fn a_campaign_pushes_a_branch_for_each_repository_once() {
    if !is_there(Command::new("all-repos-clone").arg("--help")) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let remotes: Vec<PathBuf> = (0..MANY).map(|number| bare(folder, number)).collect();
    let listed: serde_json::Map<String, serde_json::Value> = remotes
        .iter()
        .enumerate()
        .map(|(number, path)| (name(number), path.to_str().unwrap().into()))
        .collect();
    let write = |name: &str, text: &str| {
        fs::write(folder.join(name), text).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    };
    write("listed.json", &serde_json::to_string(&listed).unwrap());
    let config = serde_json::json!({
        "output_dir": "clones", "source": "all_repos.source.json_file",
        "source_settings": {"filename": folder.join("listed.json")},
        "push": "push_branch", "push_settings": {},
    });
    write("all-repos.json", &config.to_string());
    write(
        "push_branch.py",
        "import collections\n\nfrom all_repos import autofix_lib\n\nSettings = collections.namedtuple('Settings', ())\n\n\ndef push(settings, branch):\n    autofix_lib.run('git', 'push', '--quiet', 'origin', branch)\n",
    );
    let (_, campaign) = scripts();
    write("campaign.py", &campaign);
    let campaign = |wanted: &str| {
        let mut command = Command::new("sh");
        command
            .args(["-ec", wanted])
            .current_dir(folder)
            .env("PYTHONPATH", folder);
        run(&mut command)
    };
    campaign("all-repos-clone --jobs 2 >/dev/null");
    campaign("python3 campaign.py --jobs 2");
    let pushed = |remote: &Path, arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("--git-dir").arg(remote).args(arguments);
        run(&mut command)
    };
    let mut heads = Vec::new();
    for (number, remote) in remotes.iter().enumerate() {
        let branches = pushed(remote, &["branch", "--format=%(refname:short)"]);
        let expected = if floats(number) {
            format!("main\n{BRANCH}\n")
        } else {
            "main\n".to_owned()
        };
        assert_eq!(branches, expected, "{number}");
        heads.push(pushed(remote, &["for-each-ref"]));
        if !floats(number) {
            continue;
        }
        let text = pushed(remote, &["show", &format!("{BRANCH}:buildspec.yml")]);
        assert!(
            text.contains("${BRANCH_NAME}") && !text.contains("web-0:latest"),
            "{text}"
        );
        let message = pushed(remote, &["log", "-1", "--format=%B", BRANCH]);
        assert!(message.starts_with(&format!("{TITLE}\n\n")), "{message}");
        assert!(message.contains("buildspec.yml"), "{message}");
    }
    let again = campaign("python3 campaign.py --jobs 2");
    assert!(!again.contains("git commit"), "{again}");
    for (remote, before) in remotes.iter().zip(heads) {
        assert_eq!(pushed(remote, &["for-each-ref"]), before);
    }
}

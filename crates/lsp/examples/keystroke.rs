//! How long the server takes for one keystroke: from the change of a 300-line file in a workspace of 50 files to
//! the findings for it. See `benches/README.md`.
//!
//! Everything runs in this process, so that what is measured is the server and a hop between two threads, not
//! pipes.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use lsp_server::{Connection, Message, Notification, Request};
use serde_json::{Value, json};
use tagwright_project::parallel::STACK;

const FILES: usize = 50;
const LINES: usize = 300;

fn main() {
    let keystrokes = std::env::args()
        .nth(1)
        .map_or(1000, |it| it.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let root = std::fs::canonicalize(folder.path()).unwrap();
    std::fs::create_dir(root.join(".git")).unwrap();
    for number in 1..FILES {
        let path = root.join(format!("service-{number:02}"));
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("buildspec.yml"), neighbour(number)).unwrap();
    }
    let text = large();
    println!(
        "{} files, the open one of {} lines and {} bytes",
        FILES,
        text.lines().count(),
        text.len()
    );
    let (connection, other) = Connection::memory();
    let server = std::thread::Builder::new()
        .name("server".to_owned())
        .stack_size(STACK)
        .spawn(move || tagwright_lsp::serve(other))
        .unwrap();
    request(&connection, 1, "initialize", json!({"capabilities": {}}));
    notify(&connection, "initialized", json!({}));
    let uri = format!("file://{}", root.join("buildspec.yml").display());
    std::fs::write(root.join("buildspec.yml"), &text).unwrap();
    let started = Instant::now();
    let document = json!({"uri": uri, "languageId": "yaml", "version": 0, "text": text});
    notify(
        &connection,
        "textDocument/didOpen",
        json!({"textDocument": document}),
    );
    let found = findings(&connection, 0);
    println!("open: {:.2?}, {found} findings", started.elapsed());

    // In the middle of the file, at the end of a tag: each letter makes another tag.
    let line = LINES / 2;
    let column = text.lines().nth(line).unwrap().chars().count();
    let mut times = Vec::new();
    let before = processor_time();
    for number in 0..keystrokes {
        let version = number + 1;
        // Forty letters, then forty times backspace.
        let typed = number % 80;
        let (start, end, new) = if typed < 40 {
            (column + typed, column + typed, "x")
        } else {
            (column + 79 - typed, column + 80 - typed, "")
        };
        let at = |character| json!({"line": line, "character": character});
        let change = json!({"range": {"start": at(start), "end": at(end)}, "text": new});
        let started = Instant::now();
        notify(
            &connection,
            "textDocument/didChange",
            json!({"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]}),
        );
        findings(&connection, version);
        times.push(started.elapsed());
    }
    let after = processor_time();
    times.sort();
    let at = |share: f64| -> Duration {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        times[(share * (times.len() - 1) as f64) as usize]
    };
    println!(
        "{keystrokes} keystrokes: median {:.2?}, 95th percentile {:.2?}, longest {:.2?}",
        at(0.5),
        at(0.95),
        at(1.0)
    );
    if let (Some(before), Some(after)) = (before, after) {
        let each = (after - before) / u32::try_from(keystrokes).unwrap();
        println!("processor time of the server: {each:.2?} for each");
    }
    request(&connection, 2, "shutdown", Value::Null);
    notify(&connection, "exit", Value::Null);
    server.join().unwrap();
}

/// What the server's thread has used of a processor, where the system tells: on a busy machine the rest is waiting.
fn processor_time() -> Option<Duration> {
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let task = task.ok()?.path();
        if std::fs::read_to_string(task.join("comm")).ok()?.trim() == "server" {
            let times = std::fs::read_to_string(task.join("schedstat")).ok()?;
            let nanoseconds = times.split(' ').next()?.parse().ok()?;
            return Some(Duration::from_nanos(nanoseconds));
        }
    }
    None
}

fn notify(connection: &Connection, method: &str, params: Value) {
    let method = method.to_owned();
    let message = Notification { method, params };
    connection.sender.send(message.into()).unwrap();
}

fn request(connection: &Connection, id: i32, method: &str, params: Value) {
    let request = Request {
        id: id.into(),
        method: method.to_owned(),
        params,
    };
    connection.sender.send(request.into()).unwrap();
    while !matches!(connection.receiver.recv().unwrap(), Message::Response(_)) {}
}

/// Waits for the findings about this version; how many there are.
fn findings(connection: &Connection, version: usize) -> usize {
    loop {
        if let Message::Notification(message) = connection.receiver.recv().unwrap()
            && message.params["version"] == json!(version)
        {
            return message.params["diagnostics"].as_array().unwrap().len();
        }
    }
}

/// One of the other files: builds, pushes and deploys an image of its own, some of them as `latest`.
fn neighbour(number: usize) -> String {
    let registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    let tag = if number.is_multiple_of(3) {
        "latest"
    } else {
        "$CODEBUILD_RESOLVED_SOURCE_VERSION"
    };
    format!(
        "\
version: 0.2
env:
  variables:
    AWS_DEFAULT_REGION: eu-west-1
phases:
  install:
    runtime-versions:
      nodejs: 22
    commands:
      - npm ci
  pre_build:
    commands:
      - echo Logging in
      - aws ecr get-login-password | docker login --username AWS --password-stdin {registry}
      - REPOSITORY={registry}/service-{number:02}
  build:
    commands:
      - npm run build && npm test
      - docker build -t $REPOSITORY:{tag} .
      - docker push $REPOSITORY:{tag}
  post_build:
    commands:
      - printf '[{{\"name\":\"service-{number:02}\",\"imageUri\":\"%s\"}}]' $REPOSITORY:{tag} > imagedefinitions.json
artifacts:
  files:
    - imagedefinitions.json
"
    )
}

/// The open file: as many images as fit into its lines.
fn large() -> String {
    let mut text = String::from(
        "version: 0.2\nphases:\n  pre_build:\n    commands:\n      - REGISTRY=123456789012.dkr.ecr.eu-west-1.amazonaws.com\n  build:\n    commands:\n",
    );
    let mut lines = text.lines().count();
    let mut number = 0;
    while lines < LINES {
        let line = match number % 4 {
            0 => format!("echo \"image {number}\" && cd services/{number} || exit 1"),
            1 => format!(
                "docker build --build-arg VERSION=$CODEBUILD_BUILD_NUMBER -t $REGISTRY/part-{}:1.{number} .",
                number / 4
            ),
            2 => format!("docker push $REGISTRY/part-{}:1.{}", number / 4, number - 1),
            _ => format!(
                "kubectl set image deployment/part-{} main=$REGISTRY/part-{}:1.{}",
                number / 4,
                number / 4,
                number - 2
            ),
        };
        let _ = writeln!(text, "      - {line}");
        number += 1;
        lines += 1;
    }
    text
}

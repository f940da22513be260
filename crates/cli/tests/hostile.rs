//! No file is too hostile to answer: time and memory grow with the size of a file, whatever is in it.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]

#[path = "support/folder.rs"]
mod folder;

use std::time::{Duration, Instant};

use folder::Folder;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use proptest::test_runner::{Config, TestRunner};

const HEAD: &str = "version: 0.2\nphases:\n  build:\n    commands:\n      - ls\n";
const BATCH: &str = "version: 0.2\nbatch:\n  build-list:\n";

/// Items of a list of commands; `@` is the number of the repetition.
const ITEMS: [&str; 19] = [
    "      -\n      - docker push $R:latest\n",
    "      - docker build -t $R/i@:latest . && docker push $R/i@:latest\n",
    "      - docker build -t $R:latest . && docker push $R:latest\n",
    "      - docker build -t j@:latest .\n      - docker push j@:latest\n",
    "      - docker build -t 1.dkr.ecr.x.amazonaws.com/i@ . && docker push 1.dkr.ecr.x.amazonaws.com/i@\n",
    "      - docker push 1.dkr.ecr.x.amazonaws.com/web:dev-@\n",
    "      - docker push $R@/web:latest\n",
    "      - docker tag a:latest a@:latest\n",
    "      - T@=${T@:-latest}; docker build -t $R/i@:$T@ .; docker push $R/i@:$T@\n",
    "      - echo \"a # b@\"\n",
    "      - echo \"a: b@\" # c\n",
    "      -make x@\n",
    "      - if a; then T=latest; else T=v; fi\n",
    "      - T=${X@:-latest}\n      - docker push app:$T\n",
    "      - T=latest\n      - docker push app:$T\n",
    "      - T@=latest\n      - docker push app:$T@\n",
    "      - A=\"$A-y\"\n      - docker push $A:latest\n",
    "      - B@=$B$B@\n      - docker push $B@:latest\n",
    "      - docker push k@:v1 # tagwright: ignore[latest-pushed] because\n",
];

/// Where commands stand: each a list item, all lines of one block, or all in one double-quoted scalar.
#[derive(Clone, Copy, Debug)]
enum Form {
    List,
    Block,
    Quoted,
}

fn repeated(line: &str, count: usize) -> String {
    (0..count)
        .map(|at| line.replace('@', &at.to_string()))
        .collect()
}

fn commands(items: &[&str], form: Form, count: usize) -> String {
    let list: String = (0..count)
        .map(|at| items[at % items.len()].replace('@', &at.to_string()))
        .collect();
    let lines = || list.lines().map(|line| line.trim_start_matches([' ', '-']));
    match form {
        Form::List => format!("{HEAD}{list}    finally:\n      - ls\n"),
        Form::Block => {
            let lines: String = lines().map(|line| format!("        {line}\n")).collect();
            format!("{HEAD}      - |\n{lines}")
        }
        Form::Quoted => {
            let plain = lines().filter(|line| !line.contains(['"', '#']));
            let text: Vec<&str> = plain.collect();
            format!("{HEAD}      - \"{}\"\n", text.join("; "))
        }
    }
}

/// The time that `check` and `fix` take together, each in a process of its own.
fn time(text: &str) -> Duration {
    let folder = Folder::new(&[("buildspec.yml", text)]);
    let start = Instant::now();
    folder.run(&["check", "--format", "concise"]);
    folder.run(&["fix", "--unsafe", "--diff"]);
    start.elapsed()
}

/// Time that grows with the square of the size is sixteen times as much for a file of four times the size, where about
/// four times is right. What is over soon is well in any case; and as the machine may do something else meanwhile, it
/// gets three tries.
fn assert_linear(text: impl Fn(usize) -> String, count: usize) -> Result<(), String> {
    const SOON: Duration = Duration::from_secs(4);
    const TIMES: u32 = 7;
    let (small_text, large_text) = (text(count), text(4 * count));
    let mut seen = Vec::new();
    for _ in 0..3 {
        let small = time(&small_text);
        let large = time(&large_text);
        if large <= SOON || large <= small * TIMES {
            return Ok(());
        }
        seen.push(format!("{small:?}, {large:?}"));
    }
    Err(format!("4 x {count} lines: {}", seen.join("; ")))
}

#[test]
fn time_grows_with_the_size_of_a_list_of_commands() {
    let forms = prop_oneof![Just(Form::List), Just(Form::Block), Just(Form::Quoted)];
    let input = (subsequence(ITEMS.to_vec(), 1..4), any::<Index>(), forms);
    let mut runner = TestRunner::new_with_rng(
        Config {
            cases: 8,
            // Every step would be a measurement of seconds.
            max_shrink_iters: 0,
            failure_persistence: None,
            ..Config::default()
        },
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let result = runner.run(&input, |(mut items, first, form)| {
        let middle = first.index(items.len());
        items.rotate_left(middle);
        assert_linear(|count| commands(&items, form, count), 300).map_err(TestCaseError::fail)
    });
    result.unwrap();
}

#[test]
fn time_grows_with_the_size_of_other_parts_of_a_file() {
    type Text = fn(usize) -> String;
    let kinds: [(&str, Text); 8] = [
        ("images in one block", |count| {
            let line = "        docker build -t r@:latest . && docker push r@:latest\n";
            format!("{HEAD}      - |\n{}", repeated(line, count))
        }),
        ("images in a list", |count| {
            let line = "      - docker build -t r@:latest .\n      - docker push r@:latest\n";
            format!("{HEAD}{}", repeated(line, count))
        }),
        ("colons", |count| {
            format!("{HEAD}      - docker push a{}\n", ":".repeat(200 * count))
        }),
        ("one line in quotes", |count| {
            let line = repeated("docker push a@:latest; ", count);
            format!("{HEAD}      - \"{line}\"\n")
        }),
        ("arguments of a build", |count| {
            let line = repeated("--build-arg A@=latest ", count);
            format!(
                "{HEAD}      - docker build {line} -t a:latest .\n      - docker push a:latest\n"
            )
        }),
        ("exported variables", |count| {
            let names = repeated("    - E@\n", 2 * count);
            let head = format!("env:\n  exported-variables:\n{names}phases");
            let commands = repeated("      - V@=x\n", count);
            let head = HEAD.replace("phases", &head);
            format!("{head}{commands}      - docker push a:latest\n")
        }),
        ("builds of one file", |count| {
            let build =
                "    - identifier: b@\n      env: {image: \"aws/codebuild/standard:7.0\"}\n";
            let builds = repeated(build, count);
            let commands = repeated("      - source ./@\n", count);
            let head = &HEAD["version: 0.2\n".len()..];
            format!("{BATCH}{builds}{head}{commands}")
        }),
        ("a matrix", |count| {
            let (specs, images) = (
                repeated("        - @.yml\n", count),
                repeated("          - i@\n", count),
            );
            let matrix = "version: 0.2\nbatch:\n  build-matrix:\n    dynamic:\n";
            format!("{matrix}      buildspec:\n{specs}      env:\n        image:\n{images}")
        }),
    ];
    for (name, text) in kinds {
        if let Err(times) = assert_linear(text, 300) {
            panic!("{name}: {times}");
        }
    }
}

/// Each variable is twice the one before: what they hold would not fit into any memory.
#[test]
fn values_that_double_are_not_followed_without_end() {
    for twice in ["$A@$A@", "\"${A@:-x}/${A@:-$A@}\"", "${A@}${B:-$A@}"] {
        let mut text = "version: 0.2\nphases:\n  build:\n    commands:\n      - A0=x\n".to_owned();
        for at in 0..64 {
            let value = twice.replace('@', &at.to_string());
            text.push_str(&format!("      - A{}={value}\n", at + 1));
        }
        text.push_str("      - docker push $A64:latest\n");
        let folder = Folder::new(&[("buildspec.yml", &*text)]);
        let output = folder.run(&["check", "--format", "concise"]);
        assert!(output.out().contains("latest"), "{twice}");
    }
}

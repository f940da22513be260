//! Rules know no tool by name: they ask the table in `tagwright_flow::tools`, or a new tool would have to be
//! added in many places.

// The helpers below are part of the test.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use tagwright_flow::tools::{TOOLS, Tool};

/// Words that are also the name of a tool, and mean something else where they stand.
const OTHER_MEANINGS: &[(&str, &str, &str)] = &[
    (
        "structure/retired_runtime.rs",
        "docker",
        "a runtime of CodeBuild's images",
    ),
    (
        "structure/runtime_not_in_image.rs",
        "docker",
        "a runtime of CodeBuild's images",
    ),
    (
        "tables/runtimes.rs",
        "docker",
        "a runtime of CodeBuild's images",
    ),
    ("environment.rs", "aws", "a word in the names of variables"),
    (
        "shell/removed_command.rs",
        "aws",
        "the rule is about that program",
    ),
    ("lib.rs", "copilot", "a category of rules"),
    ("copilot/workload_name.rs", "copilot", "a folder"),
    (
        "shell/registry_login.rs",
        "aws",
        "the rule is about that program",
    ),
];

/// Files that still name tools instead of asking the table. The list must only get shorter.
const TO_MEND: &[&str] = &[
    "pipeline/invalid_image_definitions.rs",
    "pipeline/unprivileged_docker.rs",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

/// The string literals of a line of code, comments left out.
fn literals(line: &str) -> impl Iterator<Item = &str> {
    let code = if line.trim_start().starts_with("//") {
        ""
    } else {
        line
    };
    code.split('"').skip(1).step_by(2)
}

#[test]
fn no_rule_names_a_tool() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 50);
    let names: Vec<&str> = TOOLS
        .iter()
        .filter(|tool| !matches!(tool.family, Tool::Other | Tool::ImageDefinitions))
        .flat_map(|tool| tool.names.iter().copied())
        .collect();
    assert!(names.contains(&"docker") && names.contains(&"kubectl"));
    let mut wrong = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        let file = path
            .strip_prefix(&root)
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/");
        for (number, line) in (1..).zip(code.lines()) {
            for literal in literals(line).filter(|it| names.contains(it)) {
                let known = OTHER_MEANINGS
                    .iter()
                    .any(|(of, word, _)| *of == file && *word == literal);
                if !known && !TO_MEND.contains(&file.as_str()) {
                    wrong.push(format!("{file}:{number}: {literal:?}"));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "ask the table of tools instead:\n{}",
        wrong.join("\n")
    );
}

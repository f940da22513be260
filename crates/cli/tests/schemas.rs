//! The JSON Schemas of what people write: what they accept is what the program accepts.

// The helpers below are part of the tests.
#![allow(clippy::unwrap_used)]

#[path = "support/blocks.rs"]
mod blocks;
#[path = "support/texts.rs"]
mod texts;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use jsonschema::Validator;
use serde_json::Value;

fn tagwright(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tagwright"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn schema(of: &str) -> Validator {
    let output = tagwright(Path::new("."), &["schema", of]);
    let schema = serde_json::from_slice(&output.stdout).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn a_configuration_is_right_for_its_schema_if_it_is_for_the_program() {
    let schema = schema("config");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("buildspec.yml"), texts::CLEAN).unwrap();
    let documented = blocks::block("configuration.md", "toml");
    for (text, right) in [
        (&*documented, true),
        ("", true),
        ("fail-on = \"never\"\n", true),
        ("[rules]\nlatest-cache = \"note\"\n", true),
        ("fail-on = \"errors\"\n", false),
        ("fail_on = \"error\"\n", false),
        ("colour = \"red\"\n", false),
        ("exclude = \"vendor\"\n", false),
        ("[tag]\nstrategy = \"tag\"\n", false),
        ("[branch]\ndefined = \"yes\"\n", false),
        ("[images]\nown = [1]\n", false),
        ("[rules]\nimage-tag = \"note\"\n", true),
        ("fix-on-save = \"all\"\n", true),
        ("fix-on-save = true\n", false),
        (
            "[per-file-ignores]\n\"a/**\" = [\"shell\", \"latest-cache\"]\n",
            true,
        ),
        ("[per-file-ignores]\n\"a/**\" = [\"shel\"]\n", false),
        ("extends = \"a.toml\"\n", false),
        ("[rules]\nno-such-rule = \"off\"\n", false),
        ("[rules]\nlatest-cache = \"info\"\n", false),
        ("[rules]\nlatest-cache = true\n", false),
    ] {
        fs::write(folder.path().join("tagwright.toml"), text).unwrap();
        let output = tagwright(folder.path(), &["check"]);
        let expected = if right { 0 } else { 2 };
        assert_eq!(output.status.code(), Some(expected), "{text}");
        let value: Value = toml::from_str(text).unwrap();
        assert_eq!(schema.is_valid(&value), right, "{text}");
    }
}

#[test]
fn a_baseline_is_right_for_its_schema_if_it_is_for_the_program() {
    let schema = schema("baseline");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("buildspec.yml"), texts::FLOATING).unwrap();
    let path = folder.path().join("tagwright-baseline.json");
    let write = [
        "baseline",
        "write",
        "--reason",
        "old",
        "--expires",
        "2999-12-31",
    ];
    assert_eq!(tagwright(folder.path(), &write).status.code(), Some(0));
    let written = fs::read_to_string(&path).unwrap();
    for (from, to, right) in [
        ("", "", true),
        ("\"reason\": \"old\",", "", true),
        ("\"reason\"", "\"why\"", false),
        ("\"schema_version\": 1", "\"schema_version\": \"1\"", false),
        ("\"hash\": ", "\"hash\": 1, \"place\": ", false),
        ("\"rule\": ", "\"rules\": ", false),
        ("2999-12-31", "soon", false),
        ("\"schema_version\": 1", "\"schema_version\": 2", false),
    ] {
        let text = if from.is_empty() {
            written.clone()
        } else {
            assert!(written.contains(from), "{from}");
            written.replacen(from, to, 1)
        };
        fs::write(&path, &text).unwrap();
        let output = tagwright(folder.path(), &["check"]);
        let expected = if right { 0 } else { 2 };
        assert_eq!(output.status.code(), Some(expected), "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(schema.is_valid(&value), right, "{text}");
    }
}

#[test]
fn the_entries_for_schemastore_name_schemas_and_files_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema");
    let text = fs::read_to_string(root.join("schemastore.json")).unwrap();
    let catalog: Value = serde_json::from_str(&text).unwrap();
    let entries = catalog["schemas"].as_array().unwrap();
    assert_eq!(entries.len(), 5);
    for entry in entries {
        let address = entry["url"].as_str().unwrap();
        let name = address.rsplit('/').next().unwrap();
        assert!(root.join(name).is_file(), "{name}");
        assert!(!entry["description"].as_str().unwrap().is_empty());
        assert!(!entry["fileMatch"].as_array().unwrap().is_empty(), "{name}");
    }
}

//! Code actions give what `tagwright fix` gives, in all the situations of `fixtures/`.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::json;
use support::{Client, everything};
use walkdir::WalkDir;

/// The files below `folder`, by path.
fn files(folder: &Path) -> BTreeMap<String, String> {
    WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).unwrap().to_str().unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            (path.to_owned(), text)
        })
        .collect()
}

/// A situation of `fixtures/`.
struct Situation {
    name: String,
    /// The rules that `check` reports.
    finds: BTreeSet<String>,
    before: BTreeMap<String, String>,
    after: BTreeMap<String, String>,
}

/// All situations in which `fix` is called without further arguments.
fn situations() -> Vec<Situation> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut situations = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(about) = std::fs::read_to_string(folder.join("fixture.toml")) else {
            continue;
        };
        let about: toml::Table = about.parse().unwrap();
        if about.contains_key("args") {
            continue;
        }
        let finds = about["finds"].as_array().unwrap();
        situations.push(Situation {
            name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
            finds: finds
                .iter()
                .map(|it| it.as_str().unwrap().to_owned())
                .collect(),
            before: files(&folder.join("before")),
            after: files(&folder.join("after")),
        });
    }
    assert!(situations.len() > 40, "{} situations", situations.len());
    situations
}

fn is_read(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|it| {
        [
            "yml", "yaml", "json", "tpl", "tftpl", "tf", "sh", "ts", "py",
        ]
        .contains(&it.to_str().unwrap())
    })
}

/// A client in the situation with everything open that tagwright may read.
fn opened(situation: &Situation, capabilities: serde_json::Value) -> Client {
    let files: Vec<(&str, &str)> = situation
        .before
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let mut client = Client::with(&files, capabilities);
    for (path, _) in files {
        if is_read(path) {
            client.open(path);
        }
    }
    client
}

#[test]
fn an_editor_shows_the_findings_of_check() {
    for situation in situations() {
        let mut client = opened(&situation, everything());
        let mut shown = BTreeSet::new();
        for path in situation.before.keys().filter(|path| is_read(path)) {
            shown.extend(client.rules(path));
        }
        assert_eq!(shown, situation.finds, "{}", situation.name);
    }
}

#[test]
fn the_safe_fixes_of_all_files_give_what_fix_gives() {
    let mut changed = 0;
    for (number, situation) in situations().iter().enumerate() {
        let mut capabilities = everything();
        // Both ways of naming files in an edit, and two ways of counting.
        if number % 2 == 0 {
            capabilities["workspace"]["workspaceEdit"] = json!({});
            capabilities["general"]["positionEncodings"] = json!(["utf-8"]);
        }
        let mut client = opened(situation, capabilities);
        for path in situation.before.keys().filter(|path| is_read(path)) {
            for action in client.actions_of_file(path, "source") {
                changed += 1;
                client.apply(&action);
            }
        }
        for (path, after) in &situation.after {
            assert_eq!(client.now(path), *after, "{}: {path}", situation.name);
        }
    }
    assert!(changed > 20, "{changed} changes");
}

#[test]
fn one_file_open_is_enough_for_a_group_over_many() {
    let situation = situations();
    let situation = situation
        .iter()
        .find(|it| it.name == "build-and-deploy-in-two-buildspecs")
        .unwrap();
    let files: Vec<(&str, &str)> = situation
        .before
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let mut client = Client::new(&files);
    let first = situation.before.keys().find(|path| is_read(path)).unwrap();
    client.open(first);
    for action in client.actions_of_file(first, "source.applySafeFixes.tagwright") {
        client.apply(&action);
    }
    for (path, after) in &situation.after {
        assert_eq!(client.now(path), *after, "{path}");
    }
}

#[test]
fn a_save_brings_local_repairs_only_unless_the_configuration_wants_all() {
    let text = "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t $R/web:latest .\n      - docker push $R/web:latest\n      - printf '[{\"name\":\"web\",\"imageUri\":\"%s\"}]' \"$R/web:latest\" > imagedefinitions.json\nartifacts:\n  files: imagedefinitions.json\n";
    let kinds = |client: &mut Client, asked: &str| -> Vec<String> {
        let actions = client.actions_of_file("buildspec.yml", asked);
        let kind = |it: &serde_json::Value| it["kind"].as_str().unwrap().to_owned();
        actions.iter().map(kind).collect()
    };
    let mut client = Client::new(&[("buildspec.yml", text)]);
    client.open("buildspec.yml");
    assert_eq!(kinds(&mut client, "source.fixAll"), [""; 0]);
    assert_eq!(
        kinds(&mut client, "source"),
        ["source.applySafeFixes.tagwright"]
    );
    // Two repairs, one of which needs no more than what is there.
    let dash = text.replace("- docker push", "-docker push");
    client.replace("buildspec.yml", &dash);
    for action in client.actions_of_file("buildspec.yml", "source.fixAll") {
        client.apply(&action);
    }
    assert_eq!(client.text("buildspec.yml"), text);

    let mut client = Client::new(&[
        ("buildspec.yml", text),
        ("tagwright.toml", "fix-on-save = \"all\"\n"),
    ]);
    client.open("buildspec.yml");
    for action in client.actions_of_file("buildspec.yml", "source.fixAll") {
        client.apply(&action);
    }
    let saved = client.text("buildspec.yml");
    assert!(
        saved.contains("docker push $R/web:${BRANCH_NAME}\n"),
        "{saved}"
    );
}

#[test]
fn an_alias_can_be_moved_or_dropped() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/alias-dropped");
    let (before, after) = (files(&root.join("before")), files(&root.join("after")));
    let mut client = Client::new(&[("buildspec.yml", &before["buildspec.yml"])]);
    client.open("buildspec.yml");
    let actions = client.actions_of_file("buildspec.yml", "quickfix");
    let titled = |start: &str| {
        let mut found = actions
            .iter()
            .filter(|it| it["title"].as_str().unwrap().starts_with(start));
        found.next().unwrap().clone()
    };
    titled("Fix latest-pushed: push `${BRANCH_NAME}` instead of `latest` (unsafe");
    client.apply(&titled(
        "Drop the alias `latest`; `$IMAGE_TAG` stays (unsafe",
    ));
    assert_eq!(client.text("buildspec.yml"), after["buildspec.yml"]);
}

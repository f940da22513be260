//! What the server answers about a place: hover, definition, symbols, completion, and single fixes.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{Client, everything};
use tagwright_flow::FileKind;
use tagwright_project::baseline::Baseline;
use tagwright_project::identity::identities;
use tagwright_project::{Analysis, Config, Document, Workspace};

const BUILD: &str = "\
version: 0.2
env:
  variables:
    STAGE: test
phases:
  build:
    on-failure: ABORT
    commands:
      - TAG=1.2
      - REPO=123456789012.dkr.ecr.eu-west-1.amazonaws.com/app
      - docker build -t $REPO:$TAG .
      - docker push $REPO:$TAG
";

const DEPLOY: &str = "\
version: 0.2
phases:
  build:
    commands:
      - helm upgrade app ./chart --set image=123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.2
      - docker pull 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.1
";

const PUSH: &str = "\
version: 0.2
phases:
  build:
    commands:
      - docker build -t $REPO/app:latest .
      - docker push $REPO/app:latest
";

fn workspace() -> Client {
    let files = [
        ("build/buildspec.yml", BUILD),
        ("deploy/buildspec.yml", DEPLOY),
    ];
    let mut client = Client::new(&files);
    client.open("build/buildspec.yml");
    client.open("deploy/buildspec.yml");
    client
}

fn hover(client: &mut Client, path: &str, needle: &str) -> String {
    let answer = client.at("textDocument/hover", path, needle);
    let contents = &answer["contents"];
    if contents.is_null() {
        return String::new();
    }
    assert_eq!(contents["kind"], "markdown");
    contents["value"].as_str().unwrap().to_owned()
}

/// The files and lines (0-based) of an answer.
fn places(client: &Client, answer: &Value) -> Vec<(String, u64)> {
    let places = answer.as_array().into_iter().flatten();
    places
        .map(|place| {
            let uri = place["uri"].as_str().unwrap();
            let path = uri.strip_prefix(&client.uri("")).unwrap().to_owned();
            (path, place["range"]["start"]["line"].as_u64().unwrap())
        })
        .collect()
}

#[test]
fn hover_on_a_finding_gives_the_page_of_its_rule() {
    let mut client = Client::new(&[("buildspec.yml", PUSH)]);
    client.open("buildspec.yml");
    let text = hover(
        &mut client,
        "buildspec.yml",
        "docker push $REPO/app:la|test",
    );
    assert!(text.starts_with("**error** `latest-pushed`: "), "{text}");
    assert!(text.contains("#### Why it matters"), "{text}");
    assert!(
        text.contains("Image `${REPO}/app`, pushed in this workspace"),
        "{text}"
    );
    let answer = client.at(
        "textDocument/hover",
        "buildspec.yml",
        "docker push $REPO/app:la|test",
    );
    assert_eq!(
        answer["range"]["start"],
        json!({"line": 5, "character": 30})
    );
}

#[test]
fn hover_on_a_reference_gives_the_way_of_the_image_over_all_files() {
    let mut client = workspace();
    let text = hover(&mut client, "deploy/buildspec.yml", "docker pull 12|3");
    for line in [
        "- build `$TAG` = `1.2` by docker at build/buildspec.yml:11",
        "- push `$TAG` = `1.2` by docker at build/buildspec.yml:12",
        "- deploy `1.2` by helm at deploy/buildspec.yml:5",
        "- pull `1.1` by docker at deploy/buildspec.yml:6 (here)",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn hover_on_a_key_explains_it() {
    let mut client = workspace();
    let text = hover(&mut client, "build/buildspec.yml", "on-fail|ure");
    assert_eq!(
        text,
        "`on-failure`: What happens when the phase fails.\n\nHolds ABORT, CONTINUE, or RETRY with its longer forms."
    );
    assert_eq!(hover(&mut client, "build/buildspec.yml", "STA|GE"), "");
}

#[test]
fn a_deployed_reference_leads_to_the_push_that_makes_it() {
    let mut client = workspace();
    let mut definition = |path: &str, needle: &str| {
        let answer = client.at("textDocument/definition", path, needle);
        places(&client, &answer)
    };
    let build = |line| vec![("build/buildspec.yml".to_owned(), line)];
    assert_eq!(definition("deploy/buildspec.yml", "app:1.|2"), build(11));
    // Nothing pushes this tag, but something pushes the image.
    assert_eq!(definition("deploy/buildspec.yml", "app:1.|1"), build(11));
    assert_eq!(
        definition("build/buildspec.yml", "docker push $REPO:$T|AG"),
        build(8)
    );
    assert_eq!(
        definition("build/buildspec.yml", "docker push $RE|PO"),
        build(9)
    );
    assert_eq!(definition("build/buildspec.yml", "docker pu|sh"), []);
}

#[test]
fn the_outline_has_phases_and_commands() {
    let mut client = workspace();
    let document = json!({"textDocument": {"uri": client.uri("build/buildspec.yml")}});
    let symbols = client
        .request("textDocument/documentSymbol", document)
        .unwrap();
    let names = |symbols: &Value| -> Vec<String> {
        let list = symbols.as_array().into_iter().flatten();
        list.map(|it| it["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&symbols), ["version", "env", "phases"]);
    let phases = &symbols[2]["children"];
    assert_eq!(names(phases), ["build"]);
    let build = &phases[0]["children"];
    assert_eq!(names(build), ["on-failure", "commands"]);
    let commands = &build[1]["children"];
    assert_eq!(names(commands)[3], "docker push $REPO:$TAG");
    assert_eq!(
        commands[3]["selectionRange"]["start"],
        json!({"line": 11, "character": 8})
    );
}

#[test]
fn keys_and_values_are_completed_while_the_text_is_broken() {
    let mut client = workspace();
    let labels = |client: &mut Client, needle: &str| -> Vec<String> {
        let answer = client.at("textDocument/completion", "build/buildspec.yml", needle);
        let items = answer.as_array().into_iter().flatten();
        items
            .map(|it| it["label"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        labels(&mut client, "on-failure: |"),
        ["ABORT", "CONTINUE", "RETRY"]
    );
    client.change("build/buildspec.yml", "    on-failure: ABORT\n", "    fi\n");
    assert_eq!(client.rules("build/buildspec.yml"), ["invalid-yaml"]);
    let found = labels(&mut client, "    fi|\n");
    assert!(found.contains(&"finally".to_owned()), "{found:?}");
    assert!(
        !found.contains(&"commands".to_owned()),
        "is there already: {found:?}"
    );
    let answer = client.at(
        "textDocument/completion",
        "build/buildspec.yml",
        "    fi|\n",
    );
    let items = answer.as_array().unwrap().iter();
    let finally = items.clone().find(|it| it["label"] == "finally").unwrap();
    assert_eq!(finally["textEdit"]["newText"], "finally:");
    assert_eq!(
        finally["textEdit"]["range"]["start"],
        json!({"line": 6, "character": 4})
    );
    assert_eq!(labels(&mut client, "docker pu|sh"), [""; 0]);
}

#[test]
fn the_fix_of_a_finding_is_offered_where_it_stands_and_says_if_it_is_unsafe() {
    let mut client = Client::new(&[("buildspec.yml", PUSH)]);
    client.open("buildspec.yml");
    let actions = client.actions("buildspec.yml", "docker push $REPO/app:latest|", None);
    assert_eq!(actions.len(), 2, "{actions:#?}");
    let title = actions[0]["title"].as_str().unwrap();
    assert!(title.starts_with("Fix latest-pushed: "), "{title}");
    assert!(title.contains(" (unsafe: "), "{title}");
    assert_eq!(actions[0]["kind"], "quickfix");
    assert!(actions[0].get("isPreferred").is_none());
    assert_eq!(actions[0]["diagnostics"][0]["code"], "latest-pushed");
    assert_eq!(
        client.actions("buildspec.yml", "ver|sion", None),
        [Value::Null; 0]
    );
    client.apply(&actions[0]);
    assert!(
        client
            .text("buildspec.yml")
            .contains("docker push $REPO/app:${BRANCH_NAME}\n")
    );
    assert_eq!(client.findings("buildspec.yml"), [""; 0]);
}

#[test]
fn all_safe_fixes_are_worked_out_when_they_are_chosen() {
    let text = PUSH.replace(
        "      - docker push $REPO/app:latest\n",
        "      - docker push $REPO/app:latest\n      - kubectl set image deployment/app app=$REPO/app:latest\n",
    );
    let mut client = Client::new(&[("buildspec.yml", &text)]);
    client.open("buildspec.yml");
    let actions = client.actions("buildspec.yml", "docker push $REPO/app:latest|", None);
    let kinds: Vec<&Value> = actions.iter().map(|it| &it["kind"]).collect();
    assert_eq!(
        kinds,
        ["quickfix", "quickfix", "source.applySafeFixes.tagwright"]
    );
    assert_eq!(actions[0]["isPreferred"], true);
    assert!(actions[2].get("edit").is_none());
    let resolved = client
        .request("codeAction/resolve", actions[2].clone())
        .unwrap();
    client.change("buildspec.yml", "version: 0.2", "version:  0.2");
    let (code, _) = client
        .request("codeAction/resolve", actions[2].clone())
        .unwrap_err();
    assert_eq!(code, -32801, "the text is another one");
    client.replace("buildspec.yml", &text);
    let mut edit = resolved;
    edit["edit"]["documentChanges"][0]["textDocument"]["version"] = json!(3);
    client.apply(&edit);
    assert_eq!(client.findings("buildspec.yml"), [""; 0]);
    // A client that cannot ask later gets the edit at once.
    let mut capabilities = everything();
    capabilities["textDocument"]["codeAction"] = json!({});
    let mut client = Client::with(&[("buildspec.yml", &text)], capabilities);
    client.open("buildspec.yml");
    let actions = client.actions("buildspec.yml", "docker push $REPO/app:latest|", None);
    assert!(actions.iter().all(|it| it["edit"].is_object()));
}

#[test]
fn a_comment_that_silences_a_finding_waits_for_its_reason() {
    let mut client = Client::new(&[("buildspec.yml", PUSH)]);
    client.open("buildspec.yml");
    let actions = client.actions("buildspec.yml", "docker push $REPO/app:latest|", None);
    let ignore = actions
        .iter()
        .find(|it| it["title"] == "Ignore latest-pushed here, with a reason");
    client.apply(&ignore.unwrap().clone());
    let text = client.text("buildspec.yml");
    assert!(
        text.contains("# tagwright: ignore[latest-pushed] say here why"),
        "{text}"
    );
    assert_eq!(
        client.findings("buildspec.yml"),
        ["latest-pushed 4:34-4:40"]
    );
}

#[test]
fn what_the_baseline_knows_is_not_shown() {
    let mut client = Client::new(&[("buildspec.yml", PUSH)]);
    client.open("buildspec.yml");
    assert_eq!(client.rules("buildspec.yml").len(), 2);
    client.write(
        "tagwright-baseline.json",
        &baseline_of("buildspec.yml", PUSH),
    );
    client.on_disk("tagwright-baseline.json", 1);
    assert_eq!(client.rules("buildspec.yml"), [""; 0]);
    client.write("tagwright-baseline.json", "nonsense");
    client.on_disk("tagwright-baseline.json", 2);
    assert!(client.was_told("window/showMessage", "tagwright-baseline.json"));
    assert_eq!(
        client.rules("buildspec.yml"),
        [""; 0],
        "the last good one holds"
    );
    client.remove("tagwright-baseline.json");
    client.on_disk("tagwright-baseline.json", 3);
    assert_eq!(client.rules("buildspec.yml").len(), 2);
}

/// A baseline with everything that is found in this one file.
fn baseline_of(path: &str, text: &str) -> String {
    let document = Document {
        shown: path.into(),
        path: None,
        relative: path.into(),
        text: text.into(),
        kind: FileKind::Buildspec,
        target: true,
        held: None,
    };
    let mut workspace = Workspace::new(vec![document], Analysis::new(&Config::default()));
    let findings = workspace.check().findings;
    let identities = identities(&workspace.documents, &findings);
    let baseline = Baseline::default().renewed(&identities, "", None, None);
    baseline.to_text().unwrap()
}

#[test]
fn manifests_are_completed_by_their_type() {
    let manifest = "name: api\ntype: \n";
    let mut client = Client::new(&[("copilot/api/manifest.yml", manifest)]);
    let path = "copilot/api/manifest.yml";
    client.open(path);
    let labels = |client: &mut Client, needle: &str| -> Vec<String> {
        let answer = client.at("textDocument/completion", path, needle);
        let items = answer.as_array().into_iter().flatten();
        let label = |it: &Value| it["label"].as_str().unwrap().to_owned();
        items.map(label).collect()
    };
    assert!(labels(&mut client, "type: |").contains(&"Worker Service".to_owned()));
    client.replace(path, "name: api\ntype: Worker Service\nsub\n");
    let keys = labels(&mut client, "sub|");
    assert!(keys.contains(&"subscribe".to_owned()), "{keys:?}");
    client.replace(path, "name: api\ntype: Backend Service\nsub\n");
    let keys = labels(&mut client, "sub|");
    assert!(!keys.contains(&"subscribe".to_owned()), "{keys:?}");
}

/// Each action is proved by a run of all rules: for a whole file of findings that would take minutes.
#[test]
fn a_range_of_many_findings_gets_actions_for_the_first_few() {
    let mut text = "version: 0.2\nphases:\n  build:\n    commands:\n".to_owned();
    for at in 0..400 {
        text.push_str(&format!("      - docker push $R/app{at}:latest\n"));
    }
    let mut client = Client::new(&[("buildspec.yml", &text)]);
    client.open("buildspec.yml");
    let actions = client.actions_of_file("buildspec.yml", "quickfix");
    assert!(
        (1..=2 * 32).contains(&actions.len()),
        "{} actions",
        actions.len()
    );
}

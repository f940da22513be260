//! Whole sessions with the server, over a connection in memory.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{Client, everything};
use tagwright_lsp::Ending;

/// Pushes `latest`; nothing here reads it.
const PUSH: &str = "\
version: 0.2
phases:
  build:
    commands:
      - docker build -t $REPO/app:1.2 .
      - docker tag $REPO/app:1.2 $REPO/app:latest
      - docker push $REPO/app:latest
";

const REGISTRY: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// Builds and pushes an image of this tag.
fn writer(tag: &str) -> String {
    format!(
        "\
version: 0.2
phases:
  build:
    commands:
      - docker build -t {REGISTRY}/app:{tag} .
      - docker push {REGISTRY}/app:{tag}
"
    )
}

/// Deploys it. If it is the tag that is pushed, that is a finding: nothing is rolled out the second time.
fn reader(tag: &str) -> String {
    format!(
        "\
version: 0.2
phases:
  build:
    commands:
      - kubectl set image deployment/app app={REGISTRY}/app:{tag}
"
    )
}

#[test]
fn findings_are_shown_on_open_and_follow_the_text() {
    let mut client = Client::new(&[("buildspec.yml", PUSH)]);
    client.open("buildspec.yml");
    let places = ["latest-pushed 5:43-5:49", "latest-pushed 6:30-6:36"];
    assert_eq!(client.findings("buildspec.yml"), places);
    let finding = &client.diagnostics("buildspec.yml")[0];
    assert_eq!(finding["source"], "tagwright");
    assert_eq!(finding["severity"], 1);
    client.change("buildspec.yml", "version: 0.2", "# é\nversion: 0.2");
    let places = ["latest-pushed 6:43-6:49", "latest-pushed 7:30-7:36"];
    assert_eq!(client.findings("buildspec.yml"), places);
    client.replace("buildspec.yml", &PUSH.replace("latest", "1.3"));
    assert_eq!(client.findings("buildspec.yml"), [""; 0]);
    client.close("buildspec.yml");
    assert_eq!(client.diagnostics("buildspec.yml"), [Value::Null; 0]);
    assert_eq!(client.leave(), Ending::Orderly);
}

#[test]
fn many_changes_in_one_message_are_made_one_after_the_other() {
    let mut client = Client::new(&[("buildspec.yml", "version: 0.2\n")]);
    client.open("buildspec.yml");
    let at = |line: u32, character: u32| json!({"line": line, "character": character});
    let insert = |line, character, text: &str| json!({"range": {"start": at(line, character), "end": at(line, character)}, "text": text});
    client.notify(
        "textDocument/didChange",
        json!({
            "textDocument": {"uri": client.uri("buildspec.yml"), "version": 2},
            "contentChanges": [
                insert(1, 0, "phases:\n  build:\n    commands:\n      - docker push $R/😀:latest\n"),
                // Behind the emoji, which is two units long.
                {"range": {"start": at(4, 23), "end": at(4, 25)}, "text": "app"},
            ],
        }),
    );
    client.settle();
    client.text_is(
        "buildspec.yml",
        2,
        "version: 0.2\nphases:\n  build:\n    commands:\n      - docker push $R/app:latest\n",
    );
    assert_eq!(
        client.findings("buildspec.yml"),
        ["latest-pushed 4:27-4:33"]
    );
}

#[test]
fn columns_count_what_was_agreed_on() {
    let text = PUSH.replace("- docker push", "- echo 😀é한 && docker push");
    for (name, column) in [("utf-8", 48), ("utf-16", 43), ("utf-32", 42)] {
        let mut capabilities = everything();
        capabilities["general"]["positionEncodings"] = json!([name]);
        let mut client = Client::with(&[("buildspec.yml", &text)], capabilities);
        assert_eq!(client.capabilities["positionEncoding"], name);
        client.open("buildspec.yml");
        let place = format!("latest-pushed 6:{column}-6:{}", column + 6);
        assert_eq!(client.findings("buildspec.yml")[1], place, "{name}");
        // The client's own arithmetic finds the place again when it makes the edit.
        client.change(
            "buildspec.yml",
            "한 && docker push $REPO/app:latest",
            "한 && docker push $REPO/app:1.2",
        );
        client.change(
            "buildspec.yml",
            "app:1.2 $REPO/app:latest",
            "app:1.2 $REPO/app:1.3",
        );
        assert_eq!(client.findings("buildspec.yml"), [""; 0], "{name}");
    }
}

#[test]
fn lines_end_at_every_kind_of_line_break() {
    for end in ["\n", "\r\n", "\r"] {
        let text = PUSH.replace('\n', end);
        let mut client = Client::new(&[("buildspec.yml", &text)]);
        client.open("buildspec.yml");
        assert_eq!(
            client.findings("buildspec.yml")[1],
            "latest-pushed 6:30-6:36",
            "{end:?}"
        );
        client.change(
            "buildspec.yml",
            "docker push $REPO/app:latest",
            "docker push $REPO/app:1.2",
        );
        client.change("buildspec.yml", "$REPO/app:latest", "$REPO/app:1.3");
        assert_eq!(client.findings("buildspec.yml"), [""; 0], "{end:?}");
    }
}

#[test]
fn after_a_syntax_error_nothing_old_is_shown() {
    let mut client = Client::new(&[("buildspec.yml", PUSH)]);
    client.open("buildspec.yml");
    client.settle();
    client.change("buildspec.yml", "phases:", "env: [\nphases:");
    assert_eq!(client.rules("buildspec.yml"), ["invalid-yaml"]);
    client.change("buildspec.yml", "env: [\n", "");
    assert_eq!(client.findings("buildspec.yml").len(), 2);
    client.replace("buildspec.yml", "version: 0.2\u{0}\n");
    assert_eq!(client.findings("buildspec.yml"), ["invalid-yaml 0:12-0:12"]);
    client.replace("buildspec.yml", PUSH);
    assert_eq!(client.findings("buildspec.yml").len(), 2);
}

#[test]
fn a_finding_names_the_places_that_explain_it_in_other_files() {
    let template = "\
AWSTemplateFormatVersion: \"2010-09-09\"
Resources:
  Repository:
    Type: AWS::ECR::Repository
    Properties:
      RepositoryName: app
      ImageTagMutability: IMMUTABLE
";
    let build = writer("$BRANCH_NAME").replace(
        "    commands:\n",
        "    commands:\n      - BRANCH_NAME=$(echo $CODEBUILD_WEBHOOK_HEAD_REF | sed 's,refs/heads/,,' | tr / -)\n",
    );
    let files = [
        ("infra/repository.yml", template),
        ("buildspec.yml", &*build),
    ];
    let mut client = Client::new(&files);
    client.open("buildspec.yml");
    let findings = client.diagnostics("buildspec.yml");
    let finding = findings
        .iter()
        .find(|it| it["code"] == "immutable-repository");
    let related = &finding.unwrap()["relatedInformation"][0];
    assert_eq!(
        related["location"]["uri"],
        client.uri("infra/repository.yml")
    );
    assert_eq!(related["location"]["range"]["start"]["line"], 2);
    assert_eq!(related["message"], "declared immutable here");
    // A client that cannot show them gets none.
    let mut capabilities = everything();
    capabilities["textDocument"]["publishDiagnostics"] = json!({});
    let mut client = Client::with(&files, capabilities);
    client.open("buildspec.yml");
    let findings = client.diagnostics("buildspec.yml");
    assert!(
        findings
            .iter()
            .all(|it| it.get("relatedInformation").is_none())
    );
}

#[test]
fn a_change_in_one_open_file_is_seen_in_the_other() {
    let files = [
        ("build/buildspec.yml", &*writer("1.3")),
        ("deploy/buildspec.yml", &*reader("1.2")),
    ];
    let mut client = Client::new(&files);
    client.open("deploy/buildspec.yml");
    client.open("build/buildspec.yml");
    assert_eq!(client.rules("deploy/buildspec.yml"), [""; 0]);
    client.replace("build/buildspec.yml", &writer("1.2"));
    assert_eq!(client.rules("deploy/buildspec.yml"), ["stale-tag"]);
    // What was not saved is gone with the editor's text.
    client.close("build/buildspec.yml");
    assert_eq!(client.rules("deploy/buildspec.yml"), [""; 0]);
}

#[test]
fn changes_on_disk_are_seen() {
    let mut client = Client::new(&[("deploy/buildspec.yml", &*reader("1.2"))]);
    let (method, params) = client.received_one("client/registerCapability");
    assert_eq!(method, "client/registerCapability");
    assert_eq!(
        params["registrations"][0]["method"],
        "workspace/didChangeWatchedFiles"
    );
    client.open("deploy/buildspec.yml");
    assert_eq!(client.rules("deploy/buildspec.yml"), [""; 0]);
    client.write("build/buildspec.yml", &writer("1.2"));
    client.on_disk("build/buildspec.yml", 1);
    assert_eq!(client.rules("deploy/buildspec.yml"), ["stale-tag"]);
    client.write("build/buildspec.yml", &writer("1.3"));
    client.on_disk("build/buildspec.yml", 2);
    assert_eq!(client.rules("deploy/buildspec.yml"), [""; 0]);
    client.write("build/buildspec.yml", &writer("1.2"));
    client.on_disk("build/buildspec.yml", 2);
    assert_eq!(client.rules("deploy/buildspec.yml"), ["stale-tag"]);
    client.remove("build/buildspec.yml");
    client.on_disk("build/buildspec.yml", 3);
    assert_eq!(client.rules("deploy/buildspec.yml"), [""; 0]);
    // A file that was nothing becomes one that matters, and the other way round.
    client.write("build/ci.yml", "a: b\n");
    client.on_disk("build/ci.yml", 1);
    client.write("build/ci.yml", &writer("1.2"));
    client.on_disk("build/ci.yml", 2);
    assert_eq!(client.rules("deploy/buildspec.yml"), ["stale-tag"]);
    client.write("build/ci.yml", "a: b\n");
    client.on_disk("build/ci.yml", 2);
    assert_eq!(client.rules("deploy/buildspec.yml"), [""; 0]);
    client.write(".gitignore", "build/\n");
    client.write("build/ci.yml", &writer("1.2"));
    client.on_disk(".gitignore", 1);
    assert_eq!(client.rules("deploy/buildspec.yml"), [""; 0]);
}

#[test]
fn a_client_that_watches_nothing_sees_changes_on_disk_when_it_saves() {
    let mut capabilities = everything();
    capabilities["workspace"]["didChangeWatchedFiles"] = json!({});
    let files = [("deploy/buildspec.yml", &*reader("1.2"))];
    let mut client = Client::with(&files, capabilities);
    client.open("deploy/buildspec.yml");
    assert_eq!(client.rules("deploy/buildspec.yml"), [""; 0]);
    client.write("build/buildspec.yml", &writer("1.2"));
    client.save("deploy/buildspec.yml");
    assert_eq!(client.rules("deploy/buildspec.yml"), ["stale-tag"]);
    assert!(client.received.is_empty(), "{:?}", client.received);
}

#[test]
fn the_configuration_holds_once_it_is_saved_and_a_broken_one_changes_nothing() {
    let mut client = Client::new(&[("buildspec.yml", PUSH)]);
    client.open("buildspec.yml");
    assert_eq!(client.findings("buildspec.yml").len(), 2);
    client.write("tagwright.toml", "[rules]\nlatest-pushed = \"note\"\n");
    client.on_disk("tagwright.toml", 1);
    assert_eq!(client.diagnostics("buildspec.yml")[0]["severity"], 3);
    client.open("tagwright.toml");
    client.change("tagwright.toml", "latest-pushed", "latest-pushd");
    assert_eq!(
        client.findings("tagwright.toml"),
        ["configuration 1:0-1:12"]
    );
    assert_eq!(client.diagnostics("buildspec.yml")[0]["severity"], 3);
    assert!(!client.was_told("window/showMessage", "latest-pushd"));
    client.save("tagwright.toml");
    client.on_disk("tagwright.toml", 2);
    client.settle();
    assert!(client.was_told("window/showMessage", "did you mean `latest-pushed`?"));
    assert_eq!(client.received.len(), 2, "told once: {:?}", client.received);
    assert_eq!(client.diagnostics("buildspec.yml")[0]["severity"], 3);
    client.change(
        "tagwright.toml",
        "latest-pushd = \"note\"",
        "latest-pushed = \"off\"",
    );
    assert_eq!(client.findings("tagwright.toml"), [""; 0]);
    client.save("tagwright.toml");
    assert_eq!(client.findings("buildspec.yml"), [""; 0]);
    client.write("tagwright.toml", "exclude = [\"buildspec.yml\"]\n");
    client.on_disk("tagwright.toml", 2);
    assert_eq!(client.findings("buildspec.yml"), [""; 0]);
    client.remove("tagwright.toml");
    client.on_disk("tagwright.toml", 3);
    assert_eq!(client.findings("buildspec.yml").len(), 2);
}

#[test]
fn what_is_no_file_of_a_workspace_is_left_alone() {
    let mut client = Client::new(&[
        ("notes.yml", "phases: of the moon\n"),
        ("ci.yml", "on: push\n"),
    ]);
    client.open("notes.yml");
    client.open("ci.yml");
    assert_eq!(client.findings("notes.yml"), [""; 0]);
    assert_eq!(client.findings("ci.yml"), [""; 0]);
    client.notify(
        "textDocument/didOpen",
        json!({"textDocument": {"uri": "untitled:1", "languageId": "yaml", "version": 1, "text": PUSH}}),
    );
    client.settle();
    assert!(
        client
            .received
            .iter()
            .all(|(method, _)| method == "client/registerCapability")
    );
}

#[test]
fn two_repositories_do_not_see_each_other() {
    let files = [
        ("one/buildspec.yml", &*writer("1.2")),
        ("two/buildspec.yml", &*reader("1.2")),
        ("one/.git/HEAD", ""),
        ("two/.git/HEAD", ""),
    ];
    let mut client = Client::new(&files);
    client.open("two/buildspec.yml");
    client.open("one/buildspec.yml");
    assert_eq!(client.findings("two/buildspec.yml"), [""; 0]);
}

#[test]
fn requests_that_are_none_get_an_error_and_the_session_goes_on() {
    let mut client = Client::new(&[("buildspec.yml", PUSH)]);
    client.open("buildspec.yml");
    let mut code = |method: &str, params: Value| client.request(method, params).unwrap_err().0;
    assert_eq!(code("textDocument/rename", json!({})), -32601);
    assert_eq!(code("textDocument/codeAction", json!({})), -32602);
    assert_eq!(code("textDocument/codeAction", json!(["x"])), -32602);
    assert_eq!(code("codeAction/resolve", json!({"title": "x"})), -32602);
    assert_eq!(code("initialize", json!({"capabilities": {}})), -32600);
    // Changes that mean nothing, and one that runs backwards, which is what is empty.
    for changes in [
        json!("x"),
        json!([{"text": 7}]),
        json!([{"range": {"start": -1}, "text": ""}]),
    ] {
        client.notify(
            "textDocument/didChange",
            json!({"textDocument": {"uri": client.uri("buildspec.yml"), "version": 2}, "contentChanges": changes}),
        );
    }
    client.notify(
        "textDocument/didClose",
        json!({"textDocument": {"uri": "file:///never/opened"}}),
    );
    client.notify("$/setTrace", json!({"value": "off"}));
    assert_eq!(client.findings("buildspec.yml").len(), 2);
    assert_eq!(client.leave(), Ending::Orderly);
}

#[test]
fn a_request_that_is_given_up_before_its_turn_is_not_answered_with_a_result() {
    let mut client = Client::new(&[("buildspec.yml", PUSH)]);
    // The server is busy with this one until the others lie in its queue, or it is not; both is right.
    client.open("buildspec.yml");
    let id = client.ask("textDocument/codeAction", json!({}));
    client.notify("$/cancelRequest", json!({"id": id}));
    let (code, _) = client.answer(id).unwrap_err();
    assert!([-32800, -32602].contains(&code), "{code}");
}

#[test]
fn a_session_ends_as_the_protocol_says() {
    assert_eq!(Client::new(&[]).leave(), Ending::Orderly);
    assert_eq!(Client::new(&[]).leave_by(Some("exit")), Ending::Abrupt);
    assert_eq!(Client::new(&[]).leave_by(None), Ending::Abrupt);
    let mut early = Client::unborn(&[]);
    let (code, _) = early.request("textDocument/hover", json!({})).unwrap_err();
    assert_eq!(code, -32002);
    assert_eq!(early.leave_by(Some("exit")), Ending::Abrupt);
    let mut late = Client::new(&[]);
    assert_eq!(late.request("shutdown", Value::Null), Ok(Value::Null));
    let (code, _) = late.request("textDocument/hover", json!({})).unwrap_err();
    assert_eq!(code, -32600);
    assert_eq!(late.leave_by(Some("exit")), Ending::Orderly);
}

//! A client for tests: it speaks to a server in the same process, keeps the texts that it has sent, and applies
//! edits with its own arithmetic of positions.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

use lsp_server::{Connection, Message, Notification, Request, Response};
use serde_json::{Value, json};
use tagwright_lsp::{Encoding, Ending};
use tagwright_project::parallel::STACK;

/// How long to wait for an answer before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Client {
    connection: Connection,
    server: Option<JoinHandle<Ending>>,
    folder: tempfile::TempDir,
    encoding: Encoding,
    next: i32,
    /// Version and text of what is open, by path below the folder.
    texts: BTreeMap<String, (i32, String)>,
    /// What was published last, by address.
    published: BTreeMap<String, Value>,
    /// Notifications and requests of the server other than diagnostics.
    pub received: Vec<(String, Value)>,
    pub capabilities: Value,
}

/// What a client with everything can do.
pub fn everything() -> Value {
    json!({
        "general": {"positionEncodings": ["utf-16"]},
        "workspace": {
            "didChangeWatchedFiles": {"dynamicRegistration": true},
            "workspaceEdit": {"documentChanges": true},
        },
        "textDocument": {
            "publishDiagnostics": {"relatedInformation": true, "versionSupport": true},
            "hover": {"contentFormat": ["markdown", "plaintext"]},
            "codeAction": {"dataSupport": true, "resolveSupport": {"properties": ["edit"]}},
        },
    })
}

impl Client {
    /// A client that can do everything, in a repository of its own with these files.
    pub fn new(files: &[(&str, &str)]) -> Self {
        Self::with(files, everything())
    }

    pub fn with(files: &[(&str, &str)], capabilities: Value) -> Self {
        let mut client = Self::unborn(files);
        let params = json!({"processId": null, "rootUri": null, "capabilities": capabilities});
        let answer = client.request("initialize", params).unwrap();
        client.capabilities = answer["capabilities"].clone();
        let name = client.capabilities["positionEncoding"].as_str().unwrap();
        client.encoding = Encoding::named(name).unwrap();
        client.notify("initialized", json!({}));
        client
    }

    /// A client that has not said anything yet.
    pub fn unborn(files: &[(&str, &str)]) -> Self {
        let (connection, other) = Connection::memory();
        let server = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn(move || tagwright_lsp::serve(other))
            .unwrap();
        let client = Self {
            connection,
            server: Some(server),
            folder: tempfile::tempdir().unwrap(),
            encoding: Encoding::Utf16,
            next: 0,
            texts: BTreeMap::new(),
            published: BTreeMap::new(),
            received: Vec::new(),
            capabilities: Value::Null,
        };
        std::fs::create_dir(client.folder.path().join(".git")).unwrap();
        for (path, text) in files {
            client.write(path, text);
        }
        client
    }

    pub fn folder(&self) -> PathBuf {
        std::fs::canonicalize(self.folder.path()).unwrap()
    }

    pub fn uri(&self, path: &str) -> String {
        format!("file://{}/{path}", self.folder().display())
    }

    /// Writes a file to the disk.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn remove(&self, path: &str) {
        std::fs::remove_file(self.folder.path().join(path)).unwrap();
    }

    pub fn notify(&self, method: &str, params: Value) {
        let method = method.to_owned();
        let message = Message::Notification(Notification { method, params });
        self.connection.sender.send(message).unwrap();
    }

    /// Asks without waiting for the answer.
    pub fn ask(&mut self, method: &str, params: Value) -> i32 {
        self.next += 1;
        let request = Request {
            id: self.next.into(),
            method: method.to_owned(),
            params,
        };
        self.connection.sender.send(request.into()).unwrap();
        self.next
    }

    /// The answer to the question `id`; code and message of an error.
    pub fn answer(&mut self, id: i32) -> Result<Value, (i32, String)> {
        loop {
            match self.connection.receiver.recv_timeout(PATIENCE).unwrap() {
                Message::Response(Response {
                    id: answered,
                    response_result,
                }) if answered == id.into() => {
                    return response_result.map_err(|error| (error.code, error.message));
                }
                Message::Response(other) => panic!("nobody asked for {other:?}"),
                Message::Request(request) => {
                    self.received.push((request.method, request.params));
                    let response = Response {
                        id: request.id,
                        response_result: Ok(Value::Null),
                    };
                    self.connection.sender.send(response.into()).unwrap();
                }
                Message::Notification(it) if it.method == "textDocument/publishDiagnostics" => {
                    let uri = it.params["uri"].as_str().unwrap().to_owned();
                    self.published.insert(uri, it.params);
                }
                Message::Notification(it) => self.received.push((it.method, it.params)),
            }
        }
    }

    pub fn request(&mut self, method: &str, params: Value) -> Result<Value, (i32, String)> {
        let id = self.ask(method, params);
        self.answer(id)
    }

    /// Waits until the server has worked on everything that was sent.
    pub fn settle(&mut self) {
        let nothing = json!({
            "textDocument": {"uri": "file:///nowhere"},
            "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}},
            "context": {"diagnostics": []},
        });
        assert_eq!(
            self.request("textDocument/codeAction", nothing),
            Ok(Value::Null)
        );
    }

    /// Opens a file with the text that it has on disk.
    pub fn open(&mut self, path: &str) {
        let text = std::fs::read_to_string(self.folder.path().join(path)).unwrap();
        self.open_as(path, &text);
    }

    /// Opens a file with a text that need not be on disk.
    pub fn open_as(&mut self, path: &str, text: &str) {
        self.texts.insert(path.to_owned(), (1, text.to_owned()));
        self.notify(
            "textDocument/didOpen",
            json!({"textDocument": {
                "uri": self.uri(path), "languageId": "yaml", "version": 1, "text": text,
            }}),
        );
    }

    pub fn close(&mut self, path: &str) {
        self.texts.remove(path);
        let document = json!({"textDocument": {"uri": self.uri(path)}});
        self.notify("textDocument/didClose", document);
    }

    pub fn save(&mut self, path: &str) {
        let text = self.text(path);
        self.write(path, &text);
        let document = json!({"textDocument": {"uri": self.uri(path)}});
        self.notify("textDocument/didSave", document);
    }

    pub fn on_disk(&self, path: &str, kind: u32) {
        let changes = json!({"changes": [{"uri": self.uri(path), "type": kind}]});
        self.notify("workspace/didChangeWatchedFiles", changes);
    }

    pub fn text(&self, path: &str) -> String {
        self.texts[path].1.clone()
    }

    /// Replaces the only place where `old` stands, as an incremental change.
    pub fn change(&mut self, path: &str, old: &str, new: &str) {
        let (version, text) = self.texts.get_mut(path).unwrap();
        assert_eq!(text.matches(old).count(), 1, "{old:?} in {text:?}");
        let start = text.find(old).unwrap();
        let range = json!({
            "start": position(text, start, self.encoding),
            "end": position(text, start + old.len(), self.encoding),
        });
        *version += 1;
        let version = *version;
        text.replace_range(start..start + old.len(), new);
        self.notify(
            "textDocument/didChange",
            json!({
                "textDocument": {"uri": self.uri(path), "version": version},
                "contentChanges": [{"range": range, "text": new}],
            }),
        );
    }

    /// Sends the whole text.
    pub fn replace(&mut self, path: &str, new: &str) {
        let (version, text) = self.texts.get_mut(path).unwrap();
        *version += 1;
        let version = *version;
        *text = new.to_owned();
        self.notify(
            "textDocument/didChange",
            json!({
                "textDocument": {"uri": self.uri(path), "version": version},
                "contentChanges": [{"text": new}],
            }),
        );
    }

    /// What is said about a file at the moment, after everything that was sent.
    pub fn diagnostics(&mut self, path: &str) -> Vec<Value> {
        self.settle();
        let Some(published) = self.published.get(&self.uri(path)) else {
            panic!("nothing was said about {path}");
        };
        if let Some((version, _)) = self.texts.get(path) {
            assert_eq!(
                published["version"],
                json!(version),
                "not about the newest text"
            );
        }
        published["diagnostics"].as_array().unwrap().clone()
    }

    /// Whether anything was ever said about a file.
    pub fn heard_of(&mut self, path: &str) -> bool {
        self.settle();
        self.published.contains_key(&self.uri(path))
    }

    /// `rule line:column-line:column`, 0-based, of everything that is said about a file, in order.
    pub fn findings(&mut self, path: &str) -> Vec<String> {
        let diagnostics = self.diagnostics(path);
        diagnostics.iter().map(short).collect()
    }

    /// The rules of all findings in a file, in order.
    pub fn rules(&mut self, path: &str) -> Vec<String> {
        let diagnostics = self.diagnostics(path);
        let rule = |it: &Value| it["code"].as_str().unwrap().to_owned();
        diagnostics.iter().map(rule).collect()
    }

    /// The place of the only `needle` in an open text, right before `|` if there is one in it.
    pub fn place(&self, path: &str, needle: &str) -> Value {
        let text = &self.texts[path].1;
        let (before, after) = needle.split_once('|').unwrap_or(("", needle));
        let plain = format!("{before}{after}");
        assert_eq!(text.matches(&plain).count(), 1, "{plain:?} in {text:?}");
        let at = text.find(&plain).unwrap() + before.len();
        position(text, at, self.encoding)
    }

    /// Asks about a place; see [`Client::place`].
    pub fn at(&mut self, method: &str, path: &str, needle: &str) -> Value {
        let position = self.place(path, needle);
        let params = json!({"textDocument": {"uri": self.uri(path)}, "position": position});
        self.request(method, params).unwrap()
    }

    /// The actions at a place, of one kind if there is one.
    pub fn actions(&mut self, path: &str, needle: &str, only: Option<&str>) -> Vec<Value> {
        let position = self.place(path, needle);
        let mut context = json!({"diagnostics": []});
        if let Some(only) = only {
            context["only"] = json!([only]);
        }
        let params = json!({
            "textDocument": {"uri": self.uri(path)},
            "range": {"start": position, "end": position},
            "context": context,
        });
        let actions = self.request("textDocument/codeAction", params).unwrap();
        actions.as_array().unwrap().clone()
    }

    /// Makes the edit of an action in the open texts, and tells the server, as an editor does. Files that are not
    /// open are changed on disk.
    pub fn apply(&mut self, action: &Value) {
        let mut changes: Vec<(String, Value)> = Vec::new();
        for document in action["edit"]["documentChanges"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let uri = document["textDocument"]["uri"].as_str().unwrap();
            let path = self.below(uri);
            let version = self.texts.get(&path).map(|(version, _)| *version);
            assert_eq!(document["textDocument"]["version"], json!(version));
            changes.push((path, document["edits"].clone()));
        }
        for (uri, edits) in action["edit"]["changes"].as_object().into_iter().flatten() {
            changes.push((self.below(uri), edits.clone()));
        }
        assert!(!changes.is_empty(), "no edit in {action}");
        for (path, edits) in changes {
            if let Some((_, text)) = self.texts.get(&path) {
                let text = edited(text, &edits, self.encoding);
                self.replace(&path, &text);
            } else {
                let text = std::fs::read_to_string(self.folder.path().join(&path)).unwrap();
                let mark = if text.starts_with('\u{feff}') {
                    "\u{feff}"
                } else {
                    ""
                };
                let shown = text.strip_prefix('\u{feff}').unwrap_or(&text);
                let text = edited(shown, &edits, self.encoding);
                self.write(&path, &format!("{mark}{text}"));
                self.on_disk(&path, 2);
            }
        }
    }

    fn below(&self, uri: &str) -> String {
        let folder = self.uri("");
        uri.strip_prefix(&folder).unwrap().to_owned()
    }

    /// Says that an open file has a text and version that another message than the usual ones gave it.
    pub fn text_is(&mut self, path: &str, version: i32, text: &str) {
        self.texts
            .insert(path.to_owned(), (version, text.to_owned()));
    }

    /// The first message of this kind from the server.
    pub fn received_one(&mut self, method: &str) -> (String, Value) {
        self.settle();
        let mut messages = self.received.iter();
        messages.find(|(name, _)| name == method).unwrap().clone()
    }

    /// Whether a message of this kind had these words in it.
    pub fn was_told(&mut self, method: &str, words: &str) -> bool {
        self.settle();
        self.received.iter().any(|(name, params)| {
            name == method && params["message"].as_str().unwrap().contains(words)
        })
    }

    /// The actions of one kind for a whole file.
    pub fn actions_of_file(&mut self, path: &str, only: &str) -> Vec<Value> {
        let end = position(&self.texts[path].1, usize::MAX, self.encoding);
        let params = json!({
            "textDocument": {"uri": self.uri(path)},
            "range": {"start": {"line": 0, "character": 0}, "end": end},
            "context": {"diagnostics": [], "only": [only]},
        });
        let actions = self.request("textDocument/codeAction", params).unwrap();
        actions.as_array().unwrap().clone()
    }

    /// The text of a file: as it is open, else as it is on disk.
    pub fn now(&self, path: &str) -> String {
        match self.texts.get(path) {
            Some((_, text)) => text.clone(),
            None => std::fs::read_to_string(self.folder.path().join(path)).unwrap(),
        }
    }

    /// Leaves as the protocol wants it.
    pub fn leave(mut self) -> Ending {
        assert_eq!(self.request("shutdown", Value::Null), Ok(Value::Null));
        self.notify("exit", Value::Null);
        self.server.take().unwrap().join().unwrap()
    }

    /// Leaves in another way: after this notification, or by hanging up.
    pub fn leave_by(self, notification: Option<&str>) -> Ending {
        if let Some(method) = notification {
            self.notify(method, Value::Null);
        }
        let Self {
            connection, server, ..
        } = self;
        drop(connection);
        server.unwrap().join().unwrap()
    }
}

fn short(diagnostic: &Value) -> String {
    let place = |end: &str| {
        let place = &diagnostic["range"][end];
        format!("{}:{}", place["line"], place["character"])
    };
    let rule = diagnostic["code"].as_str().unwrap();
    format!("{rule} {}-{}", place("start"), place("end"))
}

/// The position of byte `offset`; lines end at `\n`, `\r\n` and `\r`.
fn position(text: &str, offset: usize, encoding: Encoding) -> Value {
    let mut line = 0;
    let mut column = 0;
    let mut before = '\0';
    for (at, character) in text.char_indices() {
        if at >= offset {
            break;
        }
        match character {
            '\n' if before == '\r' => {}
            '\n' | '\r' => (line, column) = (line + 1, 0),
            _ => {
                column += match encoding {
                    Encoding::Utf8 => character.len_utf8(),
                    Encoding::Utf16 => character.len_utf16(),
                    Encoding::Utf32 => 1,
                };
            }
        }
        before = character;
    }
    json!({"line": line, "character": column})
}

/// The byte offset of a position, by trying all.
fn offset(text: &str, wanted: &Value, encoding: Encoding) -> usize {
    text.char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .rev()
        .find(|at| position(text, *at, encoding) == *wanted)
        .unwrap_or_else(|| panic!("no place {wanted} in {text:?}"))
}

fn edited(text: &str, edits: &Value, encoding: Encoding) -> String {
    let mut edits: Vec<(usize, usize, &str)> = edits
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| {
            let at = |end: &str| offset(text, &edit["range"][end], encoding);
            (at("start"), at("end"), edit["newText"].as_str().unwrap())
        })
        .collect();
    edits.sort();
    let mut text = text.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        text.replace_range(start..end, new);
    }
    text
}

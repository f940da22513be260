//! The loop, the open texts, and who answers what.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gen_lsp_types as lsp;
use gen_lsp_types::{Diagnostic, Position, Range, TextDocumentIdentifier};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tagwright_flow::FileId;
use tagwright_project::analysis::{self, guarded};
use tagwright_project::baseline;
use tagwright_project::config::{self, Config};
use tagwright_project::discovery;
use tagwright_project::wording;

use crate::client::Client;
use crate::position::Lines;
use crate::root::{Overlay, Root};
use crate::{Ending, actions, completion, definition, diagnostics, hover, symbols, uri};

/// A text that the client has open.
pub(crate) struct Open {
    /// The client's own spelling of the address.
    pub(crate) uri: String,
    /// The client's number of the text.
    pub(crate) version: i32,
    pub(crate) text: Arc<str>,
    /// The folder of its workspace; `None` for a configuration.
    root: Option<PathBuf>,
    /// What the client was told last, about which version.
    told: Option<(i32, Vec<Diagnostic>)>,
    /// The analysis that this came from.
    seen: u64,
}

/// What answers need to know of the client and its open texts.
pub(crate) struct View<'a> {
    client: &'a Client,
    open: &'a BTreeMap<PathBuf, Open>,
}

impl View<'_> {
    pub(crate) fn client(&self) -> &Client {
        self.client
    }

    pub(crate) fn encoding(&self) -> crate::Encoding {
        self.client.encoding
    }

    /// The lines of the file `id`.
    pub(crate) fn lines<'r>(&self, root: &'r Root, id: FileId) -> Option<Lines<'r>> {
        let (path, document) = root.file(id)?;
        let text = &*document.text;
        Some(if self.open.contains_key(path) {
            Lines::new(text, self.client.encoding)
        } else {
            Lines::of_disk(text, self.client.encoding)
        })
    }

    /// The address of the file `id`.
    pub(crate) fn uri(&self, root: &Root, id: FileId) -> Option<String> {
        let (path, _) = root.file(id)?;
        Some(match self.open.get(path) {
            Some(open) => open.uri.clone(),
            None => uri::from_path(path),
        })
    }

    /// The client's version of the file `id`, if it is open.
    pub(crate) fn version(&self, root: &Root, id: FileId) -> Option<i32> {
        Some(self.open.get(root.file(id)?.0)?.version)
    }
}

/// A failed request: code and message.
type Failure = (ErrorCode, String);

struct Server {
    connection: Connection,
    client: Client,
    initialized: bool,
    shut_down: bool,
    /// Open texts by absolute path.
    open: BTreeMap<PathBuf, Open>,
    /// From the client's addresses of open texts to their paths.
    paths: HashMap<String, PathBuf>,
    roots: BTreeMap<PathBuf, Root>,
    next_request: i32,
}

/// Serves one client.
pub(crate) fn run(connection: Connection) -> Ending {
    let mut server = Server {
        connection,
        client: Client::default(),
        initialized: false,
        shut_down: false,
        open: BTreeMap::new(),
        paths: HashMap::new(),
        roots: BTreeMap::new(),
        next_request: 0,
    };
    let mut queue = VecDeque::new();
    loop {
        if queue.is_empty() {
            match server.connection.receiver.recv() {
                Ok(message) => queue.push_back(message),
                Err(_) => return Ending::Abrupt,
            }
        }
        queue.extend(server.connection.receiver.try_iter());
        let cancelled = cancelled(&queue);
        while let Some(message) = queue.pop_front() {
            match message {
                Message::Notification(it) if it.method == "exit" => {
                    return if server.shut_down {
                        Ending::Orderly
                    } else {
                        Ending::Abrupt
                    };
                }
                Message::Notification(notification) => server.notified(notification),
                Message::Request(request) => {
                    let response = if cancelled.contains(&request.id) {
                        let message = "cancelled by the client".to_owned();
                        Response::new_err(request.id, ErrorCode::RequestCanceled as i32, message)
                    } else {
                        server.requested(request)
                    };
                    server.send(response);
                }
                // To registrations, which nothing depends on.
                Message::Response(_) => {}
            }
        }
        server.settle();
    }
}

/// The requests that the client has given up while they waited.
fn cancelled(queue: &VecDeque<Message>) -> HashSet<RequestId> {
    let id = |message: &Message| match message {
        Message::Notification(it) if it.method == "$/cancelRequest" => {
            serde_json::from_value(it.params.get("id")?.clone()).ok()
        }
        _ => None,
    };
    queue.iter().filter_map(id).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DidChange {
    text_document: lsp::VersionedTextDocumentIdentifier,
    content_changes: Vec<ContentChange>,
}

/// A change of a text. The generated type takes a range that is none for no range, which would replace all.
#[derive(Deserialize)]
struct ContentChange {
    range: Option<Range>,
    text: String,
}

/// What all requests about one document say.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfDocument {
    text_document: TextDocumentIdentifier,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AtPosition {
    text_document: TextDocumentIdentifier,
    position: Position,
}

/// Without the diagnostics, which are our own or not for us.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CodeActions {
    text_document: TextDocumentIdentifier,
    range: Range,
    #[serde(default)]
    context: CodeActionContext,
}

#[derive(Default, Deserialize)]
struct CodeActionContext {
    only: Option<Vec<String>>,
}

impl Server {
    fn send(&self, message: impl Into<Message>) {
        // A client that is gone is noticed at the next receive.
        let _ = self.connection.sender.send(message.into());
    }

    fn notify(&self, method: &str, params: impl serde::Serialize) {
        match serde_json::to_value(params) {
            Ok(params) => self.send(Notification {
                method: method.to_owned(),
                params,
            }),
            Err(error) => debug_assert!(false, "{error}"),
        }
    }

    fn show(&self, kind: lsp::MessageType, message: String) {
        self.notify(
            "window/showMessage",
            lsp::ShowMessageParams { kind, message },
        );
    }

    // ---- requests

    fn requested(&mut self, request: Request) -> Response {
        let Request { id, method, params } = request;
        let result = guarded(|| self.answer(&method, params)).unwrap_or_else(|panic| {
            self.invalidate();
            let message = format!("tagwright failed on `{method}`; please report it: {panic}");
            Err((ErrorCode::InternalError, message))
        });
        match result {
            Ok(value) => Response {
                id,
                response_result: Ok(value),
            },
            Err((code, message)) => Response::new_err(id, code as i32, message),
        }
    }

    fn answer(&mut self, method: &str, params: Value) -> Result<Value, Failure> {
        if method == "initialize" {
            return self.initialize(&params);
        }
        if !self.initialized {
            let message = "the server waits for `initialize`".to_owned();
            return Err((ErrorCode::ServerNotInitialized, message));
        }
        if self.shut_down {
            let message = "the server is shut down".to_owned();
            return Err((ErrorCode::InvalidRequest, message));
        }
        match method {
            "shutdown" => {
                self.shut_down = true;
                Ok(Value::Null)
            }
            "textDocument/codeAction" => {
                let params: CodeActions = read(params)?;
                let only = params.context.only.as_deref();
                self.about(&params.text_document, |view, root, id| {
                    let span = view.lines(root, id)?.span(params.range);
                    Some(actions::list(view, root, id, span, only))
                })
            }
            "codeAction/resolve" => {
                let mut action: lsp::CodeAction = read(params)?;
                let data: actions::Deferred = read(action.data.clone().unwrap_or_default())?;
                let document = TextDocumentIdentifier {
                    uri: data.uri.clone().into(),
                };
                let edit = self.about(&document, |view, root, id| {
                    (view.version(root, id) == Some(data.version))
                        .then(|| actions::resolve(view, root, id, &data))
                })?;
                if edit.is_null() {
                    let message = "the text has changed since the action was offered".to_owned();
                    return Err((ErrorCode::ContentModified, message));
                }
                action.edit = read(edit)?;
                write(&action)
            }
            "textDocument/hover" => self.at(params, hover::hover),
            "textDocument/definition" => self.at(params, definition::definition),
            "textDocument/completion" => self.at(params, completion::complete),
            "textDocument/documentSymbol" => {
                let params: OfDocument = read(params)?;
                self.about(&params.text_document, |view, root, id| {
                    symbols::symbols(view, root, id)
                })
            }
            _ => {
                let message = format!("tagwright does not know the request `{method}`");
                Err((ErrorCode::MethodNotFound, message))
            }
        }
    }

    /// The answer of `work` about an open document, with everything up to date; null if the document is not
    /// open or there is nothing to say.
    fn about<R: serde::Serialize>(
        &mut self,
        document: &TextDocumentIdentifier,
        work: impl FnOnce(&View<'_>, &mut Root, FileId) -> Option<R>,
    ) -> Result<Value, Failure> {
        self.settle();
        let Server {
            client,
            open,
            paths,
            roots,
            ..
        } = self;
        let answer = paths.get(&document.uri.0).and_then(|path| {
            let folder = open.get(path)?.root.as_ref()?;
            let root = roots.get_mut(folder)?;
            let id = root.id(path)?;
            work(&View { client, open }, root, id)
        });
        match answer {
            Some(answer) => write(&answer),
            None => Ok(Value::Null),
        }
    }

    /// The same for requests about one place, a byte offset.
    fn at<R: serde::Serialize>(
        &mut self,
        params: Value,
        work: impl FnOnce(&View<'_>, &Root, FileId, usize) -> Option<R>,
    ) -> Result<Value, Failure> {
        let params: AtPosition = read(params)?;
        self.about(&params.text_document, |view, root, id| {
            let offset = view.lines(root, id)?.offset(params.position);
            work(view, root, id, offset)
        })
    }

    fn initialize(&mut self, params: &Value) -> Result<Value, Failure> {
        if self.initialized {
            let message = "the server is initialized already".to_owned();
            return Err((ErrorCode::InvalidRequest, message));
        }
        self.initialized = true;
        self.client = Client::new(params);
        let capabilities = lsp::ServerCapabilities {
            position_encoding: Some(self.client.encoding.kind()),
            text_document_sync: Some(
                lsp::TextDocumentSyncOptions {
                    open_close: Some(true),
                    change: Some(lsp::TextDocumentSyncKind::Incremental),
                    save: Some(true.into()),
                    ..Default::default()
                }
                .into(),
            ),
            code_action_provider: Some(
                lsp::CodeActionOptions {
                    code_action_kinds: Some(vec![
                        lsp::CodeActionKind::QuickFix,
                        actions::FIX_ALL.to_owned().into(),
                        actions::APPLY_ALL.to_owned().into(),
                    ]),
                    resolve_provider: Some(true),
                    ..Default::default()
                }
                .into(),
            ),
            hover_provider: Some(true.into()),
            definition_provider: Some(true.into()),
            document_symbol_provider: Some(true.into()),
            completion_provider: Some(lsp::CompletionOptions {
                trigger_characters: Some(vec![" ".to_owned()]),
                ..Default::default()
            }),
            ..Default::default()
        };
        write(&lsp::InitializeResult {
            capabilities,
            server_info: Some(lsp::ServerInfo {
                name: "tagwright".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        })
    }

    // ---- notifications

    fn notified(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        if !self.initialized || self.shut_down {
            return;
        }
        let result = guarded(|| self.note(&method, params));
        let message = match result {
            Ok(Ok(())) => return,
            // Nobody waits for an answer; the client's log is the place.
            Ok(Err((_, message))) => message,
            Err(panic) => {
                self.invalidate();
                format!("tagwright failed on `{method}`; please report it: {panic}")
            }
        };
        let kind = lsp::MessageType::Error;
        self.notify("window/logMessage", lsp::LogMessageParams { kind, message });
    }

    fn note(&mut self, method: &str, params: Value) -> Result<(), Failure> {
        match method {
            "initialized" => self.watch(),
            "textDocument/didOpen" => {
                let params: lsp::DidOpenTextDocumentParams = read(params)?;
                let item = params.text_document;
                self.did_open(item.uri.0, item.version, item.text);
            }
            "textDocument/didChange" => self.did_change(read(params)?),
            "textDocument/didSave" => {
                let params: OfDocument = read(params)?;
                self.did_save(&params.text_document.uri.0);
            }
            "textDocument/didClose" => {
                let params: OfDocument = read(params)?;
                self.did_close(&params.text_document.uri.0);
            }
            "workspace/didChangeWatchedFiles" => {
                let params: lsp::DidChangeWatchedFilesParams = read(params)?;
                self.did_change_on_disk(&params.changes);
            }
            // Other notifications may be left without notice.
            _ => {}
        }
        Ok(())
    }

    /// Asks the client to tell about changes on disk.
    fn watch(&mut self) {
        if !self.client.watches {
            return;
        }
        let patterns = [
            "**/*.{yml,yaml,json,tf,tpl,tftpl,tmpl,j2}",
            "**/tagwright.toml",
            "**/.gitignore",
        ];
        let watchers: Vec<Value> = patterns
            .into_iter()
            .map(|pattern| json!({"globPattern": pattern}))
            .collect();
        self.next_request += 1;
        self.send(Request {
            id: self.next_request.into(),
            method: "client/registerCapability".to_owned(),
            params: json!({"registrations": [{
                "id": "files",
                "method": "workspace/didChangeWatchedFiles",
                "registerOptions": {"watchers": watchers},
            }]}),
        });
    }

    fn did_open(&mut self, uri: String, version: i32, text: String) {
        let Some(path) = uri::to_path(&uri) else {
            return;
        };
        let (path, root) = place(&path);
        // A second address of the same file takes the place of the first.
        if let Some(before) = self.open.remove(&path) {
            self.paths.remove(&before.uri);
        }
        self.paths.insert(uri.clone(), path.clone());
        if let Some(folder) = &root {
            self.root(folder).invalidate();
        }
        let open = Open {
            uri,
            version,
            text: text.into(),
            root,
            told: None,
            seen: 0,
        };
        self.open.insert(path, open);
    }

    fn did_change(&mut self, params: DidChange) {
        let document = &params.text_document;
        let Some(path) = self.paths.get(&document.text_document_identifier.uri.0) else {
            return;
        };
        let Some(open) = self.open.get_mut(path) else {
            return;
        };
        let mut text = open.text.to_string();
        for change in params.content_changes {
            match change.range {
                None => text = change.text,
                Some(range) => {
                    let span = Lines::new(&text, self.client.encoding).span(range);
                    text.replace_range(span.range(), &change.text);
                }
            }
        }
        open.text = text.into();
        open.version = document.version;
        if let Some(root) = open.root.as_ref().and_then(|it| self.roots.get_mut(it)) {
            root.change(path, &open.text);
        }
    }

    fn did_save(&mut self, uri: &str) {
        let Some(path) = self.paths.get(uri) else {
            return;
        };
        if is_structure(path) {
            self.reassign();
        } else if !self.client.watches
            && let Some(root) = self.open.get(path).and_then(|it| it.root.as_ref())
            && let Some(root) = self.roots.get_mut(root)
        {
            // Nobody tells what else happened on disk; whoever saves is about to look.
            root.invalidate();
        }
    }

    fn did_close(&mut self, uri: &str) {
        let Some(path) = self.paths.remove(uri) else {
            return;
        };
        let Some(open) = self.open.remove(&path) else {
            return;
        };
        if let Some(folder) = open.root {
            if self
                .open
                .values()
                .any(|it| it.root.as_ref() == Some(&folder))
            {
                self.root(&folder).invalidate();
            } else {
                self.roots.remove(&folder);
            }
        }
        self.notify(
            "textDocument/publishDiagnostics",
            lsp::PublishDiagnosticsParams {
                uri: uri.into(),
                version: None,
                diagnostics: Vec::new(),
            },
        );
    }

    fn did_change_on_disk(&mut self, changes: &[lsp::FileEvent]) {
        for change in changes {
            let Some(path) = uri::to_path(&change.uri.0) else {
                continue;
            };
            if is_structure(&path) {
                self.reassign();
                continue;
            }
            let path = discovery::absolute_file(&path);
            let nearest = self.roots.iter_mut().rev();
            let Some((_, root)) = nearest
                .filter(|(folder, _)| path.starts_with(folder))
                .max_by_key(|(folder, _)| folder.components().count())
            else {
                continue;
            };
            match change.kind {
                // What is open is looked at as it is in the editor.
                lsp::FileChangeType::Changed if self.open.contains_key(&path) => {}
                lsp::FileChangeType::Changed => root.change_on_disk(&path),
                _ => root.invalidate(),
            }
        }
    }

    // ---- state

    fn root(&mut self, folder: &Path) -> &mut Root {
        self.roots
            .entry(folder.to_owned())
            .or_insert_with(|| Root::new(folder.to_owned()))
    }

    fn invalidate(&mut self) {
        self.roots.values_mut().for_each(Root::invalidate);
    }

    /// Finds out again which workspace each open text belongs to, and reads all of them anew.
    fn reassign(&mut self) {
        for (path, open) in &mut self.open {
            open.root = place(path).1;
        }
        let folders: HashSet<PathBuf> = self
            .open
            .values()
            .filter_map(|it| it.root.clone())
            .collect();
        self.roots.retain(|folder, _| folders.contains(folder));
        for folder in folders {
            self.root(&folder);
        }
        self.invalidate();
    }

    /// Brings everything up to date and tells the client what is new.
    fn settle(&mut self) {
        let unsettled: Vec<PathBuf> = self
            .roots
            .iter()
            .filter(|(_, root)| root.is_unsettled())
            .map(|(folder, _)| folder.clone())
            .collect();
        for folder in unsettled {
            let overlay: Overlay = self
                .open
                .iter()
                .filter(|(_, open)| open.root.as_ref() == Some(&folder))
                .map(|(path, open)| (path.clone(), Arc::clone(&open.text)))
                .collect();
            let Some(root) = self.roots.get_mut(&folder) else {
                continue;
            };
            let settled = guarded(|| root.settle(&overlay));
            let news = root.news();
            if let Err(panic) = settled {
                let message = format!("tagwright failed; please report it: {panic}");
                self.show(lsp::MessageType::Error, message);
            }
            if let Some(message) = news {
                self.show(lsp::MessageType::Error, message);
            }
        }
        self.publish();
    }

    fn publish(&mut self) {
        let mut news = Vec::new();
        let view = View {
            client: &self.client,
            open: &self.open,
        };
        for (path, open) in &self.open {
            let root = open.root.as_ref().and_then(|it| self.roots.get(it));
            let generation = root.map_or(1, |root| root.generation);
            let told = open.told.as_ref();
            if open.seen == generation && told.is_some_and(|(told, _)| *told == open.version) {
                continue;
            }
            let diagnostics = match root {
                Some(root) => diagnostics::of_file(&view, root, path),
                None => of_config(&view, path, open),
            };
            let new =
                told.is_none_or(|(version, told)| *version != open.version || *told != diagnostics);
            news.push((path.clone(), generation, new.then_some(diagnostics)));
        }
        for (path, generation, diagnostics) in news {
            let Some(open) = self.open.get_mut(&path) else {
                continue;
            };
            open.seen = generation;
            let Some(diagnostics) = diagnostics else {
                continue;
            };
            open.told = Some((open.version, diagnostics.clone()));
            let params = lsp::PublishDiagnosticsParams {
                uri: open.uri.clone().into(),
                version: Some(open.version),
                diagnostics,
            };
            self.notify("textDocument/publishDiagnostics", params);
        }
    }
}

/// What is wrong with an open configuration, in the text as it is being written. It holds once it is saved.
fn of_config(view: &View<'_>, path: &Path, open: &Open) -> Vec<Diagnostic> {
    let lines = Lines::new(&open.text, view.encoding());
    let shown = wording::display(path);
    Config::parse(&open.text, &shown, &analysis::rule_names())
        .err()
        .map(|error| diagnostics::of_config(&lines, &open.text, &error))
        .into_iter()
        .collect()
}

/// Whether a file of this name decides what belongs to a workspace.
fn is_structure(path: &Path) -> bool {
    path.file_name().is_some_and(|name| {
        name == config::FILE_NAME || name == baseline::FILE_NAME || name == ".gitignore"
    })
}

/// The absolute path of a file, its folder without symbolic links, and the folder of its workspace; a
/// configuration has none.
fn place(path: &Path) -> (PathBuf, Option<PathBuf>) {
    let plan = discovery::plan_for_name(path, discovery::Reach::Usual);
    let absolute = discovery::absolute_file(path);
    if path.file_name().is_some_and(|it| it == config::FILE_NAME) {
        return (absolute, None);
    }
    let root = plan.workspaces.into_iter().next().map(|found| found.root);
    (absolute, root)
}

fn read<P: DeserializeOwned>(params: Value) -> Result<P, Failure> {
    // The reason would quote what was sent, and a text may hold secrets.
    serde_json::from_value(params).map_err(|_| {
        let message =
            "the parameters do not have the shape that the protocol gives them".to_owned();
        (ErrorCode::InvalidParams, message)
    })
}

fn write(value: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| (ErrorCode::InternalError, error.to_string()))
}

// As much of the editor as the language client touches while it starts: everything else is a thing that can be
// called, made and asked for properties without end.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL, fileURLToPath } = require("node:url");

function anything() {
  const base = class {
    dispose() {}
  };
  return new Proxy(base, {
    get: (target, name) => {
      if (name === "prototype" || name in target) return target[name];
      if (name === Symbol.toPrimitive) return () => 0;
      if (typeof name === "symbol" || name === "then") return undefined;
      target[name] = anything();
      return target[name];
    },
    apply: () => ({ dispose() {} }),
  });
}

class Uri {
  constructor(text) {
    this.text = text;
    this.scheme = text.split(":")[0];
  }
  static parse(text) {
    return new Uri(text);
  }
  static file(file) {
    return new Uri(pathToFileURL(file).href);
  }
  get fsPath() {
    return fileURLToPath(this.text);
  }
  toString() {
    return this.text;
  }
}

class Position {
  constructor(line, character) {
    Object.assign(this, { line, character });
  }
}

class Range {
  constructor(start, end) {
    Object.assign(this, { start, end });
  }
}

class Diagnostic {
  constructor(range, message, severity) {
    Object.assign(this, { range, message, severity });
  }
}

class CodeActionKind {
  constructor(value = "") {
    this.value = value;
  }
  append(part) {
    return new CodeActionKind(this.value ? `${this.value}.${part}` : part);
  }
}
for (const [name, value] of Object.entries({ Empty: "", QuickFix: "quickfix", Refactor: "refactor", Source: "source" })) {
  CodeActionKind[name] = new CodeActionKind(value);
}

class CancellationTokenSource {
  token = { isCancellationRequested: false, onCancellationRequested: () => ({ dispose() {} }) };
  cancel() {
    this.token.isCancellationRequested = true;
  }
  dispose() {}
}

class EventEmitter {
  listeners = [];
  event = (listener) => {
    this.listeners.push(listener);
    return { dispose: () => (this.listeners = this.listeners.filter((it) => it !== listener)) };
  };
  fire(value) {
    return Promise.all(this.listeners.map((listener) => listener(value)));
  }
  dispose() {}
}

/** An editor with one open document and these settings. */
function editor(file, settings) {
  const text = fs.readFileSync(file, "utf8");
  const document = {
    uri: Uri.file(file),
    fileName: file,
    languageId: "yaml",
    version: 1,
    isClosed: false,
    getText: () => text,
  };
  const shown = new Map();
  const waiting = [];
  const errors = [];
  const commands = new Map();
  const changed = new EventEmitter();
  const vscode = anything();
  const output = new Proxy({}, { get: () => () => ({ dispose() {} }) });
  const configuration = (section) => ({
    get: (name, otherwise) => settings[section ? `${section}.${name}` : name] ?? otherwise,
    inspect: () => undefined,
  });
  Object.assign(vscode, {
    Uri,
    Position,
    Range,
    CancellationTokenSource,
    CodeActionKind,
    Diagnostic,
    EventEmitter,
    version: "1.100.0",
    env: { appName: "test", language: "en", isTelemetryEnabled: false },
    DiagnosticSeverity: { Error: 0, Warning: 1, Information: 2, Hint: 3 },
  });
  const disposable = () => ({ dispose() {} });
  vscode.workspace = new Proxy(
    {
      textDocuments: [document],
      notebookDocuments: [],
      workspaceFolders: [{ uri: Uri.file(path.dirname(file)), name: "test", index: 0 }],
      isTrusted: true,
      getConfiguration: configuration,
      onDidChangeConfiguration: changed.event,
      getWorkspaceFolder: () => undefined,
      createFileSystemWatcher: () => ({
        onDidCreate: disposable,
        onDidChange: disposable,
        onDidDelete: disposable,
        dispose() {},
      }),
    },
    { get: (target, name) => target[name] ?? disposable },
  );
  vscode.window = new Proxy(
    {
      createOutputChannel: () => output,
      showErrorMessage: async (message) => void errors.push(message),
      visibleTextEditors: [],
      tabGroups: { all: [], onDidChangeTabs: disposable, onDidChangeTabGroups: disposable },
    },
    { get: (target, name) => (name in target ? target[name] : disposable) },
  );
  vscode.commands = {
    registerCommand: (name, action) => {
      commands.set(name, action);
      return disposable();
    },
    executeCommand: async () => undefined,
  };
  vscode.languages = new Proxy(
    {
      match: () => 10,
      createDiagnosticCollection: () => ({
        set: (uri, diagnostics) => {
          shown.set(uri.toString(), diagnostics);
          waiting.splice(0).forEach((resolve) => resolve());
        },
        delete: (uri) => shown.delete(uri.toString()),
        clear: () => shown.clear(),
        get: (uri) => shown.get(uri.toString()),
        dispose() {},
      }),
    },
    { get: (target, name) => target[name] ?? disposable },
  );
  /** The diagnostics of the document, as soon as there are any. */
  const diagnostics = async () => {
    while (!shown.get(document.uri.toString())?.length) {
      await new Promise((resolve) => waiting.push(resolve));
    }
    return shown.get(document.uri.toString());
  };
  return { vscode, errors, commands, settings, changed, diagnostics };
}

module.exports = { editor };

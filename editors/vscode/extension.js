// Starts `tagwright lsp` and connects the editor with it. Everything else is the server's business.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

// The kinds of files that the server reads; it looks at the content itself.
const DOCUMENTS = [
  { scheme: "file", language: "yaml" },
  { scheme: "file", language: "dockercompose" },
  { scheme: "file", language: "json" },
  { scheme: "file", language: "terraform" },
  { scheme: "file", language: "shellscript" },
  { scheme: "file", pattern: "**/*.{yml,yaml,tf,tpl,tftpl,tmpl,j2}" },
  { scheme: "file", pattern: "**/tagwright.toml" },
];

/** @type {LanguageClient | undefined} */
let client;

/** How the server is started, from the settings. */
function serverOptions() {
  const settings = vscode.workspace.getConfiguration("tagwright");
  return {
    command: settings.get("path", "tagwright"),
    args: settings.get("arguments", ["lsp"]),
  };
}

async function start() {
  const server = serverOptions();
  client = new LanguageClient("tagwright", "tagwright", server, { documentSelector: DOCUMENTS });
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const message = error instanceof Error ? error.message : String(error);
    vscode.window.showErrorMessage(
      `tagwright: cannot run \`${server.command}\`: ${message}. Install it, or set tagwright.path.`,
    );
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop();
}

async function activate(context) {
  const restart = async () => {
    await stop();
    await start();
  };
  context.subscriptions.push(
    vscode.commands.registerCommand("tagwright.restart", restart),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("tagwright.path") || event.affectsConfiguration("tagwright.arguments")) {
        return restart();
      }
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };

// The extension with the real language client and the real server, in an editor that is not there.
// $TAGWRIGHT is the program.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const Module = require("node:module");
const os = require("node:os");
const path = require("node:path");
const { test } = require("node:test");

const { editor } = require("./support/vscode.js");

const PUSH = `version: 0.2
phases:
  build:
    commands:
      - docker build -t $REPO/app:latest .
      - docker push $REPO/app:latest
`;

const load = Module._load;

/** The extension, loaded anew into an editor with one buildspec and these settings. */
function extension(settings) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tagwright-"));
  fs.mkdirSync(path.join(folder, ".git"));
  const file = path.join(folder, "buildspec.yml");
  fs.writeFileSync(file, PUSH);
  const host = editor(file, settings);
  for (const name of Object.keys(require.cache)) {
    if (!name.includes(`${path.sep}test${path.sep}`)) delete require.cache[name];
  }
  Module._load = (name, ...rest) => (name === "vscode" ? host.vscode : load(name, ...rest));
  const loaded = require("../extension.js");
  return { ...host, ...loaded, remove: () => fs.rmSync(folder, { recursive: true }) };
}

test("the server is started and its findings are shown", { timeout: 30_000 }, async () => {
  const program = process.env.TAGWRIGHT;
  assert.ok(program, "set TAGWRIGHT to the program");
  const it = extension({ "tagwright.path": program });
  await it.activate({ subscriptions: [] });
  assert.deepStrictEqual(it.errors, []);
  const rules = async () => (await it.diagnostics()).map((finding) => finding.code);
  assert.deepStrictEqual(await rules(), ["latest-pushed", "latest-pushed"]);
  await it.commands.get("tagwright.restart")();
  assert.deepStrictEqual(await rules(), ["latest-pushed", "latest-pushed"]);
  await it.deactivate();
  it.remove();
});

test("a program that is not there is named with what to do", { timeout: 30_000 }, async () => {
  const it = extension({ "tagwright.path": "/nowhere/tagwright" });
  await it.activate({ subscriptions: [] });
  const told = it.errors.join("\n");
  assert.match(told, /cannot run `\/nowhere\/tagwright`.*set tagwright\.path/);
  // Once the setting is right, nothing else has to be done.
  it.settings["tagwright.path"] = process.env.TAGWRIGHT;
  await it.changed.fire({ affectsConfiguration: (name) => name === "tagwright.path" });
  assert.strictEqual((await it.diagnostics()).length, 2);
  await it.deactivate();
  it.remove();
});

test("the settings that the code reads are the ones that the manifest declares", () => {
  const manifest = require("../package.json");
  const declared = Object.keys(manifest.contributes.configuration.properties).sort();
  assert.deepStrictEqual(declared, ["tagwright.arguments", "tagwright.path", "tagwright.trace.server"]);
});

// The packaged extension in VS Code's own workbench, used as a person would; prints what the workbench shows.
// How to start one is in docs/editors.md. $WORKBENCH is its address, $CHROMIUM the browser.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { chromium } = require("playwright-core");

const BUILDSPEC = `version: 0.2
phases:
  build:
    commands:
      - docker build -t $REGISTRY/web:latest .
      - docker push $REGISTRY/web:latest
      - printf '[{"name":"web","imageUri":"%s"}]' $REGISTRY/web:latest > imagedefinitions.json
artifacts:
  files: imagedefinitions.json
`;

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tagwright-"));
  const file = path.join(folder, "buildspec.yml");
  fs.mkdirSync(path.join(folder, ".git"));
  fs.mkdirSync(path.join(folder, ".vscode"));
  const settings = { "editor.codeActionsOnSave": { "source.applySafeFixes.tagwright": "explicit" }, "files.autoSave": "off" };
  fs.writeFileSync(path.join(folder, ".vscode/settings.json"), JSON.stringify(settings));
  fs.writeFileSync(file, BUILDSPEC);

  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  const page = await browser.newPage({ viewport: { width: 1600, height: 900 } });
  page.setDefaultTimeout(60_000);
  const { keyboard } = page;

  /** Waits until what `look` returns is `wanted`. */
  async function seen(what, look, wanted) {
    let last;
    for (let waited = 0; waited < 30_000; waited += 200) {
      last = await look();
      if (wanted(last)) {
        console.log(`${what}: ${String(last).slice(0, 300)}`);
        return;
      }
      await page.waitForTimeout(200);
    }
    await page.screenshot({ path: path.join(os.tmpdir(), "workbench.png") });
    assert.fail(`${what}: ${last}`);
  }
  // Everything goes through the palette, which waits for the editor where a key might come too early.
  async function palette(text, row) {
    await keyboard.press("F1");
    await page.locator(".quick-input-widget input").fill(text);
    await page.locator(".quick-input-list .monaco-list-row.focused").filter({ hasText: row }).waitFor();
    await keyboard.press("Enter");
    await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
  }
  const command = (name) => palette(`>${name}`, name);
  const goto = (place) => palette(`:${place}`, /line/i);
  const texts = (selector) => async () => (await page.locator(selector).allInnerTexts()).join(" | ").replace(/\s+/g, " ");
  const squiggles = () => page.locator(".monaco-editor .squiggly-error").count();

  await page.goto(`${process.env.WORKBENCH}/?folder=${encodeURIComponent(folder)}`);
  await page.locator(".explorer-folders-view").getByText("buildspec.yml").dblclick();
  await seen("squiggles", squiggles, (count) => count === 3);

  const problems = texts(".markers-panel .monaco-list-row");
  await command("Problems: Focus on Problems View");
  await seen("problems", problems, (rows) => rows.includes("latest-deployed"));
  await command("View: Focus Active Editor Group");

  await goto("6:37");
  await command("Show or Focus Hover");
  await seen("hover", texts(".monaco-hover .hover-contents"), (text) => text.includes("Why it matters"));
  await keyboard.press("Escape");

  await goto("7:66");
  await command("Go to Definition");
  await seen("definition", texts(".statusbar-item[id='status.editor.selection']"), (at) => at.startsWith("Ln 6"));

  await goto("8:1");
  await keyboard.type("  po");
  await keyboard.press("Control+Space");
  await seen("completion", texts(".suggest-widget .monaco-list-row"), (rows) => rows.includes("post_build"));
  await keyboard.press("Escape");
  await command("File: Revert File");

  await goto("2:1");
  await keyboard.type("env: [\n");
  await seen("broken", problems, (rows) => rows.includes("invalid-yaml") && !rows.includes("latest"));
  await command("File: Revert File");
  await seen("mended", squiggles, (count) => count === 3);

  await goto("6:37");
  await command("Quick Fix...");
  await seen("quick fixes", texts(".action-widget .monaco-list-row"), (rows) => rows.includes("Fix latest-pushed"));
  await page.locator(".action-widget .monaco-list-row").filter({ hasText: "Fix latest-pushed" }).first().click();
  await seen("after the quick fix", squiggles, (count) => count === 0);
  await command("File: Revert File");
  await seen("reverted", squiggles, (count) => count === 3);

  await goto("1:1");
  await keyboard.type("# web\n");
  await keyboard.press("Control+s");
  const saved = () => fs.readFileSync(file, "utf8").match(/\$REGISTRY\/web:\S+/g).join(" ");
  await seen("saved", saved, (tags) => !tags.includes("latest"));

  await browser.close();
  fs.rmSync(folder, { recursive: true });
}

main();

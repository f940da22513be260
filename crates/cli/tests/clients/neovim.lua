-- A session of Neovim's own client with `tagwright lsp`. Prints one line for each thing that it saw.
-- $TAGWRIGHT is the program; the current folder is the repository.

local patience = 60000

local function say(...)
  io.stdout:write(table.concat({ ... }, " "), "\n")
end

local function fail(what)
  say("failed:", what)
  vim.cmd("cquit")
end

local function wait(what, condition)
  if not vim.wait(patience, condition, 10) then
    fail(what)
  end
end

local config = { name = "tagwright", cmd = { vim.env.TAGWRIGHT, "lsp" }, root_dir = vim.fn.getcwd() }
vim.cmd("edit build/buildspec.yml")
vim.o.swapfile = false
local client
if vim.lsp.start then
  client = vim.lsp.start(config)
else
  client = vim.lsp.start_client(config)
  vim.lsp.buf_attach_client(0, client)
end
local encoding = function()
  return vim.lsp.get_client_by_id(client).offset_encoding
end

local function diagnostics(buffer)
  local found = {}
  for _, it in ipairs(vim.diagnostic.get(buffer)) do
    table.insert(found, string.format("%s %d:%d-%d", it.code, it.lnum, it.col, it.end_col))
  end
  table.sort(found)
  return table.concat(found, ", ")
end

local function shows(buffer, rule)
  return function()
    return diagnostics(buffer):find(rule, 1, true) ~= nil
  end
end

local function ask(method, params)
  local answers = vim.lsp.buf_request_sync(0, method, params, patience)
  if not answers then
    fail(method)
  end
  return answers[client].result
end

-- Neovim counts columns in bytes, whatever was agreed on: behind the emoji both must meet again.
local build = vim.api.nvim_get_current_buf()
wait("diagnostics", shows(build, "latest-pushed"))
say("open:", diagnostics(build))

-- A syntax error while typing, and back.
vim.api.nvim_buf_set_lines(build, 0, 0, false, { "env: [" })
wait("syntax error", shows(build, "invalid-yaml"))
say("broken:", diagnostics(build))
vim.api.nvim_buf_set_lines(build, 0, 1, false, {})
wait("mended", shows(build, "latest-pushed"))

vim.fn.search("app:latest$")
vim.cmd("normal! $")
local place = vim.lsp.util.make_position_params(0, encoding())
local hover = ask("textDocument/hover", place)
say("hover:", (hover.contents.value:gsub("\n.*", "")))

local last = vim.api.nvim_win_get_cursor(0)[1] - 1
local range = { start = place.position, ["end"] = place.position }
local actions = ask("textDocument/codeAction", {
  textDocument = place.textDocument,
  range = range,
  context = { diagnostics = {}, only = { "quickfix" } },
})
say("action:", actions[1].title)
vim.lsp.util.apply_workspace_edit(actions[1].edit, encoding())
wait("fixed", function()
  return diagnostics(build) == ""
end)
say("fixed:", vim.trim(vim.api.nvim_buf_get_lines(build, -2, -1, false)[1]))

vim.cmd("write")
vim.cmd("edit deploy/buildspec.yml")
local deploy = vim.api.nvim_get_current_buf()
if not vim.lsp.start then
  vim.lsp.buf_attach_client(deploy, client)
else
  vim.lsp.start(config)
end
vim.fn.search("app:1.2")
local definition = ask("textDocument/definition", vim.lsp.util.make_position_params(0, encoding()))
say("definition:", vim.fn.fnamemodify(vim.uri_to_fname(definition[1].uri), ":."), definition[1].range.start.line)

local symbols = ask("textDocument/documentSymbol", { textDocument = { uri = vim.uri_from_bufnr(deploy) } })
say("symbols:", symbols[1].name, symbols[2].name, symbols[2].children[1].name)

vim.lsp.stop_client(client)
wait("end", function()
  return vim.lsp.get_client_by_id(client) == nil or vim.lsp.client_is_stopped(client)
end)
say("ended")
vim.cmd("qall!")

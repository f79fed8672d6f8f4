#!/usr/bin/env node
// A stand-in for Goose: takes `goose run`'s arguments, works for a moment, completes its task through Tinytask's MCP as
// a real agent would, and says so in stream-json. For the demo and for trying a configuration without a model.
//
// STAND_IN_MS      how long it works, "min-max" in milliseconds (default 1000-2000)
// STAND_IN_RECORD  a file to which each run adds a line at its start and its end
import { appendFileSync } from "node:fs"
import { parseArgs } from "node:util"

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    recipe: { type: "string" },
    params: { type: "string", multiple: true, default: [] },
    "no-session": { type: "boolean" },
    quiet: { type: "boolean", short: "q" },
    "output-format": { type: "string", default: "text" },
    "max-turns": { type: "string" },
    version: { type: "boolean" }
  }
})
if (values.version) {
  // With the leading blank that Goose prints.
  process.stdout.write(" 1.60.2\n")
  process.exit(0)
}
const params = Object.fromEntries(values.params.map((pair) => pair.split(/=(.*)/s).slice(0, 2)))
const taskId = Number(params.task_id)
const endpoint = (process.env.TINYSCHEDULER_MCP_ENDPOINT ?? "http://localhost:3000").replace(/\/(mcp\/?)?$/, "")
if (positionals[0] !== "run" || !values.recipe || !Number.isInteger(taskId)) {
  process.stderr.write("usage: goose run --recipe FILE --params task_id=N --params agent_name=NAME\n")
  process.exit(2)
}

const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`)
const record = (what) => {
  if (!process.env.STAND_IN_RECORD) return
  const { TINYSCHEDULER_AGENT: agent, TINYSCHEDULER_EPOCH: epoch } = process.env
  const line = { what, task: taskId, agent, epoch: Number(epoch), pid: process.pid, at: Date.now() }
  appendFileSync(process.env.STAND_IN_RECORD, `${JSON.stringify(line)}\n`)
}

const callTool = async (name, args) => {
  const response = await fetch(`${endpoint}/mcp`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } }),
    signal: AbortSignal.timeout(10_000)
  })
  const body = await response.text()
  if (!response.ok) throw new Error(`Tinytask answered ${response.status}: ${body.slice(0, 200)}`)
  const data = body.split(/\r?\n/).find((line) => line.startsWith("data:"))
  const { error, result } = JSON.parse(data === undefined ? body : data.slice(5))
  if (error) throw new Error(error.message)
  if (result.isError) throw new Error(result.content[0].text)
  return JSON.parse(result.content[0].text)
}

// Only SIGINT is handled, as by Goose; SIGTERM ends it at once.
process.on("SIGINT", () => {
  say({ type: "error", error: "Headless run interrupted" })
  record("interrupted")
  process.exit(1)
})

record("start")
const task = await callTool("get_task", { id: taskId })
say({ type: "message", message: { role: "assistant", content: `working on "${task.title}"` } })
const [least, most] = (process.env.STAND_IN_MS ?? "1000-2000").split("-").map(Number)
await new Promise((resolve) => setTimeout(resolve, least + Math.random() * ((most ?? least) - least)))
record("end")
await callTool("update_task", { id: taskId, status: "complete" })
say({ type: "complete", total_tokens: 0 })

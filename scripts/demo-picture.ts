/** Draws docs/demo.svg from a real run of the demo in a pseudo terminal: one frame of its table, and its report. */
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { terminalSvg } from "./terminalSvg.ts"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const program = join(root, "packages/cli/dist/tinyscheduler.js")
const run = spawnSync("script", ["-qec", `stty cols 110; ${process.execPath} -- ${program} demo`, "/dev/null"], {
  encoding: "utf8",
  maxBuffer: 64 * 1024 * 1024
})
if (run.status !== 0) throw new Error(`the demo ended with ${run.status ?? "a signal"}`)

// Each frame begins by taking the one before off the screen.
// oxlint-disable-next-line no-control-regex -- terminal sequences are what is looked for
const pieces = run.stdout.replace(/\r/g, "").split(/\u001b\[\d+A\u001b\[J/)
const frame = pieces[Math.floor(pieces.length / 3)] ?? ""
const report = pieces.at(-1) ?? ""
const lines = ["$ npx -y pnpm@12 demo", "", ...frame.trimEnd().split("\n"), "", "…", "", ...report.trim().split("\n")]

writeFileSync(
  join(root, "docs/demo.svg"),
  terminalSvg(lines, "The demo: a table of agents and their tasks, then the report")
)

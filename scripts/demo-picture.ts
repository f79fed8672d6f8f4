/** Draws docs/demo.svg from a real run of the demo in a pseudo terminal: one frame of its table, and its report. */
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

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

const escape = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")
const lineHeight = 18
const width = 100 + 7.9 * Math.max(...lines.map(({ length }) => length))
const height = 32 + lineHeight * lines.length
const rows = lines.map((line, index) => `<tspan x="20" y="${32 + index * lineHeight}">${escape(line) || " "}</tspan>`)
writeFileSync(
  join(root, "docs/demo.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.round(width)} ${height}" width="${Math.round(width)}" height="${height}" role="img" aria-label="The demo: a table of agents and their tasks, then the report">
<rect width="100%" height="100%" rx="8" fill="#1d2021"/>
<text xml:space="preserve" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13" fill="#ebdbb2">${rows.join("\n")}</text>
</svg>
`
)

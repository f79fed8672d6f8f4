/**
 * Draws docs/forecast.svg, with the command itself from examples/forecast, and docs/graph.svg, from what docs/graph.md says
 * that the command prints, which a test has it print. With --check it only tells whether they are what is committed.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { stateColours } from "@tinyscheduler/core/graph/stateColours"
import { terminalSvg } from "./terminalSvg.ts"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const inRoot = (path: string): string => join(root, path)

const forecastSvg = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "tinyscheduler-picture-"))
  const example = inRoot("examples/forecast")
  const drawn = join(folder, "forecast.svg")
  const words = ["forecast", "--base-path", example, "--tasks", join(example, "tasks.json"), "--svg", drawn]
  try {
    const command = ["--conditions=source", inRoot("packages/cli/src/bin.ts"), ...words]
    const { status, stderr } = spawnSync(process.execPath, command, { cwd: folder, encoding: "utf8" })
    if (status !== 0) throw new Error(`the forecast ended with ${status ?? "a signal"}: ${stderr}`)
    return readFileSync(drawn, "utf8")
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The state of a task in its colour, and what should be looked at. */
const paintGraph = (line: string): string =>
  line
    .replace(/^blocking cycle .*$/, (cycle) => `<tspan fill="#ff8a80">${cycle}</tspan>`)
    .replace(
      /^([│├└─ ]*)(\d+) (\w+)/,
      (whole: string, stem: string, task: string, state: string) =>
        Object.entries(stateColours)
          .filter(([word]) => word === state)
          .map(
            ([word, colour]) =>
              `${stem}<tspan font-weight="bold">${task}</tspan> <tspan fill="${colour}">${word}</tspan>`
          )[0] ?? whole
    )

const graphSvg = (): string => {
  const command = "tinyscheduler graph"
  const page = readFileSync(inRoot("docs/graph.md"), "utf8")
  const printed = new RegExp(`^\`\`\`sh run\\n${command}\\n\`\`\`\\n\\n\`\`\`text\\n([\\s\\S]*?)\\n\`\`\`$`, "m").exec(
    page
  )?.[1]
  if (printed === undefined) throw new Error(`docs/graph.md does not show what ${command} prints`)
  const label = "What tinyscheduler graph prints: the longest chain, a cycle, and each task below what it waits for"
  return terminalSvg([`$ ${command}`, "", ...printed.split("\n")], label, paintGraph)
}

const pictures = { "docs/forecast.svg": forecastSvg, "docs/graph.svg": graphSvg }

for (const [path, draw] of Object.entries(pictures)) {
  const svg = draw()
  if (!process.argv.includes("--check")) writeFileSync(inRoot(path), svg)
  else if (readFileSync(inRoot(path), "utf8") !== svg) {
    process.stderr.write(`${path} is not what the command draws; run: npx -y pnpm@12 docs\n`)
    process.exitCode = 1
  }
}

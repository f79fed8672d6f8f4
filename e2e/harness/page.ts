/**
 * A page of the documentation, read as a person at a terminal would: its marked shell blocks run in order, and the `text`
 * or `mermaid` block after one is what it prints.
 *
 *     sh run             runs in this terminal and succeeds
 *     sh until           is run again and again until it prints what the page says
 *     sh terminal        runs on in a second terminal; what the page says comes first
 *     sh terminal-again  the same, after Ctrl-C there, which must end what ran with exit code 0
 *
 * In an output … stands for anything on its line, and a line of … alone for any lines. Runs of blanks count as one.
 */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect } from "vitest"
import { blocksOf } from "../../packages/cli/test/documents/markdown.ts"
import type { Block } from "../../packages/cli/test/documents/markdown.ts"
import { commandsOf, isOurs } from "../../packages/cli/test/documents/shell.ts"
import { launch } from "./program.ts"
import type { Running } from "./program.ts"
import { until } from "./until.ts"

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
const plain = (text: string): string => text.replace(/[ \t]+/g, " ").replace(/ $/gm, "")

/** An output of a page as a pattern. */
export const patternOf = (output: string, { whole }: { readonly whole: boolean }): RegExp => {
  const lines = plain(output.replace(/\n$/, ""))
    .split("\n")
    .map((line) => (line.trim() === "…" ? "(?:.*\\n)*?" : `${escaped(line).replaceAll("…", ".*?")}(?:\\n|$)`))
  return new RegExp(`^${lines.join("")}${whole ? "$" : ""}`)
}

export interface PageOptions {
  /** Where its first command is typed. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** A folder for what the terminal remembers between two blocks. */
  readonly notes: string
  /** What is typed in place of what the page says: its port is another one here. */
  readonly typed: (text: string) => string
}

interface Step {
  readonly block: Block
  readonly output: string | null
}

/** The languages of outputs: Mermaid's is drawn by whoever shows the page. */
const outputs: ReadonlySet<string> = new Set(["text", "mermaid"])

const stepsOf = (page: string): ReadonlyArray<Step> => {
  const blocks = blocksOf(page)
  return blocks.flatMap((block, at) => {
    if (block.language !== "sh" || block.marker === "") return []
    const next = blocks[at + 1]
    return [{ block, output: next !== undefined && outputs.has(next.language) ? next.text : null }]
  })
}

/** Supplied by the tests themselves. */
const supplied: ReadonlySet<string> = new Set(["goose", "npx"])

/** Whether this machine lacks something that a page's commands call, jq for one; then the page can't be followed. */
export const lacksProgramOf = (page: string): boolean => {
  const programs = stepsOf(page)
    .flatMap(({ block }) => commandsOf(block.text))
    .filter((command) => !isOurs(command) && !supplied.has(command.program))
    .map(({ program }) => program)
  return [...new Set(programs)].some((name) => spawnSync("sh", ["-c", `command -v -- '${name}'`]).status !== 0)
}

/** What a terminal is: a directory and variables that stay from one block to the next. */
class Terminal {
  readonly #options: PageOptions
  constructor(options: PageOptions) {
    this.#options = options
  }

  #start(text: string): Running {
    const { cwd, env, notes, typed } = this.#options
    const [variables, place] = [join(notes, "variables"), join(notes, "directory")]
    const script = [
      "exec 2>&1",
      existsSync(variables) ? `. '${variables}'` : "",
      existsSync(place) ? `cd "$(cat '${place}')"` : "",
      `trap 'code=$?; export -p > "${variables}"; pwd > "${place}"; exit $code' EXIT`,
      "set -e",
      typed(text)
    ].join("\n")
    return launch({ command: ["sh", "-c", script], cwd, env })
  }

  async run(text: string): Promise<string> {
    const { code, stdout } = await this.#start(text).ended
    expect({ text, code, said: code === 0 ? "" : stdout }).toEqual({ text, code: 0, said: "" })
    return stdout
  }

  async until(text: string, says: RegExp): Promise<void> {
    await until(`${text} says ${says}`, async () => says.test(plain((await this.#start(text).ended).stdout)))
  }

  /** Starts one command of ours in place of its shell, so that a signal reaches it as Ctrl-C would. */
  background(text: string): Running {
    const { cwd, env, notes, typed } = this.#options
    const place = join(notes, "directory")
    const directory = existsSync(place) ? readFileSync(place, "utf8").trimEnd() : cwd
    const variables = join(notes, "variables")
    const script = `exec 2>&1; . '${variables}'; cd '${directory}'; exec ${typed(text.trim())}`
    return launch({ command: ["sh", "-c", script], cwd, env })
  }
}

interface Background {
  readonly text: string
  readonly running: Running
}

/** Ctrl-C: ours are asked to end and do so well, with 0; others die of it. */
const ctrlC = async (second: Background | null): Promise<void> => {
  if (second === null) return
  second.running.kill("SIGINT")
  const { code, signal } = await second.running.ended
  const well = commandsOf(second.text).every(isOurs) ? { code: 0, signal: null } : { code: null, signal: "SIGINT" }
  expect({ text: second.text, code, signal }).toEqual({ text: second.text, ...well })
}

/** Does what a page says, from its first marked block to its last; answers how many there were. */
export const followPage = async (page: string, options: PageOptions): Promise<number> => {
  const terminal = new Terminal(options)
  let second: Background | null = null
  const steps = stepsOf(page)
  for (const { block, output } of steps) {
    const here = `${page}:${block.line}`
    const expected = output === null ? null : options.typed(output)
    if (block.marker === "run") {
      const said = plain(await terminal.run(block.text))
      if (expected !== null) expect(said, here).toMatch(patternOf(expected, { whole: true }))
    } else if (block.marker === "until") {
      await terminal.until(block.text, patternOf(expected ?? "…", { whole: true }))
    } else {
      if (block.marker === "terminal-again") await ctrlC(second)
      const running = terminal.background(block.text)
      second = { text: block.text, running }
      const says = patternOf(expected ?? "", { whole: false })
      await until(`${here}: ${block.text.trim()} says ${says}`, () => {
        if (says.test(plain(running.said().stdout))) return true
        if (running.child.exitCode === null) return false
        throw new Error(`${here}: it ended and said:\n${running.said().stdout}`)
      })
    }
  }
  await ctrlC(second)
  return steps.length
}

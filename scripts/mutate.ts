/**
 * How much of the decision its tests hold: `pnpm mutate [parts of files' names, with commas]` tries every small change of
 * packages/core/src/reconcile that Stryker's instrumenter knows, shared among the processors, and prints the score of
 * each file and each change that no test minds. A change that hangs is ended after a while and counts as found.
 */
import { spawn } from "node:child_process"
import { appendFileSync, existsSync, mkdtempSync, readFileSync, statSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { basename, join } from "node:path"
import * as Schema from "effect/Schema"

/** A line that a runner writes: a mutant was begun, or came to its fate. */
const Line = Schema.Struct({
  id: Schema.String,
  file: Schema.String,
  line: Schema.Int,
  mutator: Schema.String,
  replacement: Schema.String,
  fate: Schema.Literals(["begun", "killed", "survived", "uncovered", "hung"])
})
type Line = typeof Line.Type

const readLine = Schema.decodeUnknownSync(Schema.fromJsonString(Line))

/** The slowest mutant takes a fraction of it, on the slowest machine seen. */
const hangsAfterMs = 240_000

const linesOf = (log: string): ReadonlyArray<Line> =>
  existsSync(log)
    ? readFileSync(log, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => readLine(line))
    : []

/** Runs one share once; true when it came to its end, false when it died or hung and is to go on. */
const runShare = (log: string, share: string, files: string): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn("vitest", ["run", "--config", "scripts/mutation/vitest.config.ts", "--silent"], {
      stdio: ["ignore", "ignore", "inherit"],
      detached: true,
      env: { RUNS: "20", ...process.env, MUTATION_LOG: log, SHARE: share, FILES: files }
    })
    const began = Date.now()
    const watch = setInterval(() => {
      const lastMs = existsSync(log) ? Math.max(began, statSync(log).mtimeMs) : began
      if (Date.now() - lastMs > hangsAfterMs && child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
    }, 5000)
    child.on("error", (error) => {
      clearInterval(watch)
      throw error
    })
    child.on("exit", (code) => {
      clearInterval(watch)
      resolve(code === 0)
    })
  })

/** Goes on after each hang; a share that dies without having begun anything new has a fault of its own. */
const finishShare = async (log: string, share: string, files: string): Promise<boolean> => {
  for (;;) {
    const before = linesOf(log).length
    if (await runShare(log, share, files)) return true
    const lines = linesOf(log)
    const last = lines.at(-1)
    if (lines.length === before || last === undefined) return false
    if (last.fate === "begun") appendFileSync(log, `${JSON.stringify({ ...last, fate: "hung" })}\n`)
  }
}

const percent = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`

const report = (fates: ReadonlyArray<Line>): void => {
  const isFound = ({ fate }: Line): boolean => fate === "killed" || fate === "hung"
  for (const file of [...new Set(fates.map((line) => line.file))].sort()) {
    const own = fates.filter((line) => line.file === file)
    process.stdout.write(
      `${basename(file).padEnd(24)} ${String(own.length).padStart(5)} mutants  ${percent(own.filter(isFound).length, own.length)}\n`
    )
    for (const { fate, line, mutator, replacement } of own.filter((one) => !isFound(one))) {
      process.stdout.write(`  ${line}: ${fate}, ${mutator}: ${replacement.replaceAll(/\s+/g, " ").slice(0, 120)}\n`)
    }
  }
  const found = fates.filter(isFound)
  process.stdout.write(
    `${fates.length} mutants, ${found.length} found (${fates.filter(({ fate }) => fate === "hung").length} of them hung): ${percent(found.length, fates.length)}\n`
  )
}

const files = process.argv[2] ?? ""
const directory = mkdtempSync(join(tmpdir(), "tinyscheduler-mutants-"))
const shares = availableParallelism()
const logs = Array.from({ length: shares }, (_, index) => join(directory, `${index}.jsonl`))
process.stdout.write(`fates are written to ${directory}\n`)
const finished = await Promise.all(logs.map((log, index) => finishShare(log, `${index}/${shares}`, files)))
report(logs.flatMap(linesOf).filter(({ fate }) => fate !== "begun"))
process.exitCode = finished.every(Boolean) ? 0 : 1

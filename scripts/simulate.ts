/**
 * Random histories of a whole machine over the real passes: `pnpm simulate [--seed N] [--runs K] [--seconds S]
 * [--path P]`. A violation is shrunk, told step by step, and named by the one command that replays it; then the exit code
 * is 1.
 */
import { randomInt } from "node:crypto"
import { parseArgs } from "node:util"
import { checkHistories, summaryOf } from "../packages/core/test/passHistoryCheck.ts"
import { runHistory } from "../packages/core/test/passHistoryRun.ts"

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const usage =
  "simulate [--seed N] [--runs K] [--seconds S] [--path P]: N, K and S are whole numbers, P is as a violation printed it"

interface Options {
  readonly seed: number
  readonly runs: number
  readonly seconds: number | null
  readonly path: string | null
}

const wholeNumber = (text: string | undefined, least: number): number | null =>
  text !== undefined && /^-?\d+$/.test(text) && Number(text) >= least ? Number(text) : null

const readOptions = (): Options | null => {
  try {
    const { values } = parseArgs({
      // "pnpm simulate -- --seed 1" hands the dashes on.
      args: process.argv.slice(2).filter((argument) => argument !== "--"),
      options: {
        seed: { type: "string", default: String(randomInt(2 ** 31)) },
        runs: { type: "string", default: "1000" },
        seconds: { type: "string" },
        path: { type: "string" }
      }
    })
    const seed = wholeNumber(values.seed, -(2 ** 31))
    const runs = wholeNumber(values.runs, 1)
    const seconds = wholeNumber(values.seconds ?? "0", 0)
    const path = values.path ?? null
    const isPath = path === null || /^\d+(:\d+)*$/.test(path)
    return seed === null || runs === null || seconds === null || !isPath
      ? null
      : { seed, runs, seconds: seconds === 0 ? null : seconds, path }
  } catch {
    return null
  }
}

const options = readOptions()
if (options === null) {
  process.stderr.write(`${usage}\n`)
  process.exitCode = 2
} else {
  print(`seed ${options.seed}`)
  const checked = await checkHistories(options)
  const { violation } = checked
  if (violation !== null) {
    print(`\nA violation, found after ${violation.foundAfter} histories. The shortest that shows it:\n`)
    print(`agents do: ${violation.history.scripts.join(", ")}`)
    const run = runHistory(violation.history, print)
    print("\nviolated:")
    for (const wrong of run.wrongs) print(`  ${wrong}`)
    print(`\nas data: ${JSON.stringify(violation.history)}`)
    print(`replay:  pnpm simulate --seed ${options.seed} --path ${violation.path}\n`)
    process.exitCode = 1
  }
  print(summaryOf(checked))
}

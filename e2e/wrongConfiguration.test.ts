/**
 * The ways to get the configuration wrong, each in a process of its own: exit code 2, one sentence per fault that names
 * what is to be mended, no stack trace, no secret, and nothing made. Run a few at a time before the tests, which only judge.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { treeOf } from "./harness/Ground.ts"
import { launch, linesOf, program, placeProgram } from "./harness/program.ts"
import type { Ended } from "./harness/program.ts"
import { commandLine } from "./wrongConfigurations/commandLine.ts"
import { wrongControlFiles } from "./wrongConfigurations/controlFile.ts"
import { wrongPaths } from "./wrongConfigurations/paths.ts"
import { wrongValues } from "./wrongConfigurations/values.ts"
import { once } from "./wrongConfigurations/Wrong.ts"
import type { Wrong } from "./wrongConfigurations/Wrong.ts"

const groups: Readonly<Record<string, ReadonlyArray<Wrong>>> = {
  "what is typed": commandLine,
  values: wrongValues,
  "paths and files of variables": wrongPaths,
  "the control file": wrongControlFiles
}
const wrongs = Object.values(groups).flat()

/** More than the processors of a small machine would only wait for each other. */
const atOnce = 3

const isRoot = process.getuid?.() === 0
const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

interface Outcome {
  readonly ended: Ended
  readonly folder: string
  readonly before: ReadonlyArray<string>
  readonly after: ReadonlyArray<string>
}

let shelf = ""
let placed = ""
const outcomes = new Map<Wrong, Outcome>()

const runOne = async (wrong: Wrong, number: number): Promise<Outcome> => {
  const folder = join(shelf, String(number))
  mkdirSync(folder, { mode: 0o755 })
  for (const [name, content] of Object.entries(wrong.files ?? {})) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  wrong.prepare?.(folder)
  const before = treeOf(folder)
  const foreign = wrong.asNobody === true
  const ended = await launch({
    command: [
      ...(foreign && isRoot ? nobody : []),
      process.execPath,
      "--",
      foreign ? placed : program,
      ...(wrong.args ?? once)
    ],
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", HOME: folder, LANG: "C.UTF-8", ...wrong.env }
  }).ended
  return { ended, folder, before, after: treeOf(folder) }
}

beforeAll(async () => {
  shelf = mkdtempSync(join(tmpdir(), "tinyscheduler-wrong-"))
  chmodSync(shelf, 0o755)
  placed = placeProgram(shelf)
  const waiting = [...wrongs.entries()]
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [number, wrong] = next
      outcomes.set(wrong, await runOne(wrong, number))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
})

afterAll(() => {
  rmSync(shelf, { recursive: true, force: true })
})

const outcomeOf = (wrong: Wrong): Outcome => {
  const outcome = outcomes.get(wrong)
  if (outcome === undefined) throw new Error(`${wrong.name} was not run`)
  return outcome
}

describe.each(Object.entries(groups))("%s", (_group, table) => {
  it.each(table.map((wrong) => [wrong.name, wrong] as const))("%s", (_name, wrong) => {
    const { after, before, ended, folder } = outcomeOf(wrong)
    expect({ code: ended.code, signal: ended.signal, stdout: ended.stdout, says: linesOf(ended.stderr) }).toEqual({
      code: 2,
      signal: null,
      stdout: "",
      says: wrong.says.map((sentence) => sentence.replaceAll("{}", folder))
    })
    if (wrong.secret !== undefined) expect(ended.stderr).not.toContain(wrong.secret)
    expect(after).toEqual(before)
  })
})

it("there are more than sixty", () => {
  expect(wrongs.length).toBeGreaterThan(60)
})

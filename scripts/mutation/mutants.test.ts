/**
 * Tries every mutant of the decision against the tests of the core, in one process: a mutant is a switch in the code, so
 * nothing is loaded anew but for those in what modules compute once. A mutant is killed when a test fails that reaches it.
 * What was found goes to a file line by line, so that a run that hung can go on.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { inject, it, vi } from "vitest"
import type { CollectedTest } from "./collected.ts"
import type { MutantPlace } from "./instrumentation.ts"

declare module "vitest" {
  export interface ProvidedContext {
    mutants: Array<MutantPlace>
    testFiles: Array<string>
  }
}

interface Switches {
  activeMutant?: string | undefined
  currentTestId?: string | undefined
  hitCount?: number | undefined
  hitLimit?: number | undefined
  mutantCoverage?: {
    static: { [mutant: string]: number }
    perTest: { [test: string]: { [mutant: string]: number } }
  }
}

const switches: Switches = {}
Object.assign(globalThis, { __stryker__: switches })

type Fate = "killed" | "survived" | "uncovered" | "hung"

interface Timed extends CollectedTest {
  readonly ms: number
  readonly reaches: { readonly [mutant: string]: number }
}

const log = process.env["MUTATION_LOG"] ?? ""
const [share = 0, shares = 1] = (process.env["SHARE"] ?? "0/1").split("/").map(Number)
/** Tests that take longer are left out: a mutant that survives has to pass all that reach it, and there are thousands. */
const slowestMs = Number(process.env["SLOWEST_MS"] ?? 800)
/** A mutant that makes a loop endless is stopped after so many times what it takes otherwise. */
const hitsFactor = 100

const load = async (): Promise<ReadonlyArray<CollectedTest>> => {
  vi.resetModules()
  for (const file of inject("testFiles")) await import(/* @vite-ignore */ file)
  const { collectedTests } = await import("./collected.ts")
  return collectedTests
}

const passes = async ({ body }: CollectedTest): Promise<boolean> => {
  try {
    await body()
    return true
  } catch {
    return false
  }
}

/** Each test once without a mutant: how long it takes, and which mutants it reaches. */
const rehearse = async (tests: ReadonlyArray<CollectedTest>): Promise<ReadonlyArray<Timed>> => {
  const timed: Array<Timed> = []
  for (const [index, test] of tests.entries()) {
    switches.currentTestId = String(index + 1)
    const began = performance.now()
    if (!(await passes(test))) throw new Error(`fails without a mutant: ${test.name}`)
    const reaches = { ...switches.mutantCoverage?.perTest[switches.currentTestId] }
    timed.push({ ...test, ms: performance.now() - began, reaches })
  }
  switches.currentTestId = undefined
  return timed.filter(({ ms }) => ms <= slowestMs)
}

/** How many mutants each test has killed: neighbours are often killed by the same one. */
const kills = new Map<string, number>()
const costOf = ({ ms, name }: Timed): number => ms / (1 + (kills.get(name) ?? 0))

const isKilledBy = async (tests: ReadonlyArray<Timed>, id: string): Promise<boolean> => {
  switches.activeMutant = id
  for (const test of [...tests].sort((left, right) => costOf(left) - costOf(right))) {
    switches.hitCount = 0
    switches.hitLimit = (test.reaches[id] ?? 1) * hitsFactor
    if (await passes(test)) continue
    kills.set(test.name, (kills.get(test.name) ?? 0) + 1)
    return true
  }
  return false
}

/** What a module computed once is computed anew, with the mutant in it. */
const isKilledAnew = async (tests: ReadonlyArray<Timed>, id: string): Promise<boolean> => {
  switches.activeMutant = id
  switches.hitCount = undefined
  try {
    const names = new Map((await load()).map((test) => [test.name, test] as const))
    for (const { name } of tests) {
      const test = names.get(name)
      if (test === undefined || !(await passes(test))) return true
    }
    return false
  } catch {
    return true
  }
}

const fateOf = async (tests: ReadonlyArray<Timed>, { id }: MutantPlace): Promise<Fate> => {
  const reaching = tests.filter(({ reaches }) => id in reaches)
  if (reaching.length > 0) return (await isKilledBy(reaching, id)) ? "killed" : "survived"
  if (!(id in (switches.mutantCoverage?.static ?? {}))) return "uncovered"
  return (await isKilledAnew(tests, id)) ? "killed" : "survived"
}

it("every mutant is killed, or stands in the report", async () => {
  const known = new Set(
    existsSync(log)
      ? readFileSync(log, "utf8")
          .split("\n")
          .flatMap((line) => (line === "" ? [] : [idOf(line)]))
      : []
  )
  const tests = await rehearse(await load())
  const mine = inject("mutants").filter((_, index) => index % shares === share)
  for (const mutant of mine.filter(({ id }) => !known.has(id))) {
    const tell = (fate: Fate | "begun"): void => {
      appendFileSync(log, `${JSON.stringify({ ...mutant, fate })}\n`)
    }
    tell("begun")
    const fate = await fateOf(tests, mutant)
    switches.activeMutant = undefined
    tell(fate)
  }
})

const idOf = (line: string): string => {
  const { id }: MutantPlace = JSON.parse(line)
  return id
}

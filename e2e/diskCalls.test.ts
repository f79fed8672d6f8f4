/**
 * Each file call of a pass, and of a supervisor, fails once, as a disk fails: no file is torn, nobody healthy is ended,
 * nothing is silent, and the next passes bring everything to its end, each task once. The test command takes a sample of
 * the faults; `pnpm soak:disk` takes them all.
 */
import { dirname } from "node:path"
import { expect, it } from "vitest"
import { bringAbout, bringToEnd, passFlags, prepare, unsaid, violationsNow } from "./disk/errand.ts"
import { faultName, faultsOf, readCalls, sampleOf, traced, tracingMissing } from "./disk/fileCalls.ts"
import type { Fault, FileCall } from "./disk/fileCalls.ts"
import { inLanes, reportOf } from "./disk/lanes.ts"
import { tracedSupervision } from "./disk/supervision.ts"
import { fixture, program } from "./harness/program.ts"

const node = [process.execPath, "-r", fixture("plainNames.cjs"), "--", program]
/** "all", or a part of the names of those to run; a sample else. */
const asked = process.env["DISK_FAULTS"] ?? ""
const missing = tracingMissing()

/** One pass at the moment that has something of everything; answers its calls, and what was wrong with it or came of it. */
const brokenPass = async (fault: Fault | null): Promise<Broken> => {
  const ground = await prepare()
  await bringAbout(ground)
  const log = ground.path("calls")
  const tokenOf = (task: number) => ground.lease(task)?.token ?? ""
  const command = traced({ base: ground.base, log, fault, tokenOf }, node)
  const ended = await ground.cli([...passFlags, "--stop-wait", "0", ...ground.endpoint], { command })
  const calls = readCalls(log, ground.base)
  const wrong = [...violationsNow(ground), ...unsaid(ground, ended), ...(await bringToEnd(ground))]
  await ground.close()
  return { calls, wrong }
}

interface Broken {
  readonly calls: ReadonlyArray<FileCall>
  readonly wrong: ReadonlyArray<string>
}

const chosenOf = (faults: ReadonlyArray<Fault>, most: number): ReadonlyArray<Fault> =>
  asked === ""
    ? sampleOf(faults, most)
    : asked === "all"
      ? faults
      : faults.filter((fault) => faultName(fault).includes(asked))

/** Runs each fault; one that a run did not come by is tried once more. */
const runFaults = async (whole: Broken, most: number, run: (fault: Fault) => Promise<Broken>) => {
  const faults = faultsOf(whole.calls)
  const results = await inLanes(chosenOf(faults, most), 3, async (fault) => {
    const first = await run(fault)
    const met = ({ calls }: Broken) => calls.some(({ injected }) => injected)
    const last = met(first) ? first : await run(fault)
    if (last.wrong.length > 0) console.log(faultName(fault), last.wrong)
    return { fault: faultName(fault), met: met(last), wrong: [...first.wrong, ...(last === first ? [] : last.wrong)] }
  })
  return reportOf(faults.length, results)
}

it.skipIf(missing !== null)(
  `a pass keeps every promise when any one of its file calls fails${missing === null ? "" : ` (${missing})`}`,
  { timeout: 0 },
  async () => {
    const whole = await brokenPass(null)
    expect(whole.wrong).toEqual([])
    const report = await runFaults(whole, 18, brokenPass)
    console.log(`a pass: ${report.text}`)
    expect(report.wrong).toEqual([])
    expect(report.met).toBeGreaterThan(0)
  }
)

/** What changes names in a directory: it lasts from the directory's next fsync on. */
const renaming = new Set(["mkdir", "link", "rename", "unlink"])

it.skipIf(missing !== null)(
  `every name that a pass makes or removes is made durable${missing === null ? "" : ` (${missing})`}`,
  async () => {
    const ground = await prepare()
    const log = ground.path("calls")
    const command = traced({ base: ground.base, log, fault: null, tokenOf: () => "" }, node)
    await ground.cli([...passFlags, ...ground.endpoint], { command })
    const calls = readCalls(log, ground.base)
    const lasting = calls.map(({ name, paths }) => (name === "fsync" ? paths[0] : undefined))
    const changes = calls.flatMap(({ name, paths }, index) =>
      renaming.has(name) ? paths.map((path) => ({ change: `${name} ${path}`, directory: dirname(path), index })) : []
    )
    // Logs and prompts may be lost: an attempt of an earlier boot needs neither.
    const state = changes.filter(({ directory }) => directory !== "." && !directory.startsWith("state/logs"))
    expect(state.length).toBeGreaterThan(20)
    const lost = state.filter(({ directory, index }) => !lasting.slice(index).includes(directory))
    expect(lost.map(({ change }) => change)).toEqual([])
  }
)

it.skipIf(missing !== null)(
  `a supervisor keeps every promise when any one of its file calls fails${missing === null ? "" : ` (${missing})`}`,
  { timeout: 0 },
  async () => {
    const whole = await tracedSupervision(null)
    expect(whole.wrong).toEqual([])
    const report = await runFaults(whole, 8, tracedSupervision)
    console.log(`a supervisor: ${report.text}`)
    expect(report.wrong).toEqual([])
    expect(report.met).toBeGreaterThan(0)
  }
)

/** An agent that prints without end: what that costs on disk and in memory, and what is left to read. */
import { closeSync, existsSync, fstatSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { makeGround } from "./harness/Ground.ts"
import { fixture } from "./harness/program.ts"
import { until } from "./harness/until.ts"

const kibibyte = 1024
const mebibyte = 1024 * kibibyte
/** What a log may take before it is trimmed: see the protocol, "Output". */
const logMaxBytes = 64 * kibibyte + 2 * mebibyte
const keptBytes = 64 * kibibyte + mebibyte

const printedBytes = "the first line\n".length + 5 * 1024 * mebibyte + "\nthe last line\n".length

/** What everything below a directory takes on disk; what vanishes while it is looked at takes nothing. */
const diskBytes = (path: string): number => {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return 0
  const own = stat.blocks * 512
  return stat.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + diskBytes(join(path, name)), own) : own
}

/** The most memory that a process ever held, in KiB. */
const peakOf = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])

const edgesOf = (path: string): { readonly head: string; readonly middle: string; readonly tail: string } => {
  const descriptor = openSync(path, "r")
  const { size } = fstatSync(descriptor)
  const at = (start: number, length: number): string => {
    const buffer = Buffer.alloc(length)
    return buffer.toString("utf8", 0, readSync(descriptor, buffer, 0, length, start))
  }
  const edges = { head: at(0, 15), middle: at(64 * kibibyte, 64), tail: at(size - 15, 15) }
  closeSync(descriptor)
  return edges
}

it("an agent that prints 5 GiB leaves a bounded log with its first and last lines, and moves neither disk nor memory", async () => {
  const ground = await makeGround()
  ground.agents([
    { agentName: "flood", agentType: "dev", command: ["/bin/sh", fixture("flood.sh"), ground.base] },
    ground.scripted("quiet", "qa")
  ])
  const flooding = await ground.tinytask.add({ queue: "dev" })
  const quiet = await ground.tinytask.add({
    queue: "qa",
    description: JSON.stringify([["await", ground.path("gate")]])
  })
  expect((await ground.cli(["run", "--once", ...ground.endpoint])).stdout).toContain("2 started")
  const log = ground.path(`state/logs/tasks/${flooding}/1.log`)
  const most = { log: 0, disk: 0 }
  for (const part of [1, 2, 3, 4, 5]) {
    await until(`GiB ${part} is printed`, () => {
      most.log = Math.max(most.log, lstatSync(log, { throwIfNoEntry: false })?.size ?? 0)
      most.disk = Math.max(most.disk, diskBytes(ground.path("state")))
      return existsSync(ground.path(`printed-${part}`))
    })
  }
  const supervisors = [flooding, quiet].map((task) => ground.lease(task)?.pid ?? 0)
  const [peak = 0, quietPeak = 0] = supervisors.map(peakOf)
  ground.write("gate", "")
  await until("both have ended", () => [flooding, quiet].every((task) => ground.lease(task)?.phase === "finished"))

  expect(most.log).toBeGreaterThan(keptBytes)
  expect(most.log).toBeLessThanOrEqual(logMaxBytes)
  // The log, a trimmed copy while it is put in its place, and the rest of the state.
  expect(most.disk).toBeLessThan(4 * mebibyte)
  expect(peak / quietPeak).toBeLessThan(1.5)
  const { head, middle, tail } = edgesOf(log)
  expect(head).toBe("the first line\n")
  expect(tail).toBe("\nthe last line\n")
  expect(/\n\[… (\d+) bytes dropped …\]\n/.exec(middle)?.[1]).toBe(String(printedBytes - keptBytes))
  expect(lstatSync(log).size).toBeLessThan(keptBytes + 64)
})

/** The agent's log: bounded on disk and in memory, whatever the agent writes and whatever the disk does. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as fc from "fast-check"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { agentLog, logHeadBytes, logMaxBytes, logTailBytes } from "../src/supervisor/AgentLog.ts"
import { outputTail } from "../src/supervisor/OutputTail.ts"
import { exitOf, fixture, Scene, until } from "./harness.ts"

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.close())

const trimmed = logHeadBytes + logTailBytes
const droppedIn = (text: string) =>
  [...text.matchAll(/^\[… (\d+) bytes dropped …\]$/gm)].map((match) => Number(match[1]))

describe("the log", () => {
  const write = (lengths: ReadonlyArray<number>) => {
    const log = agentLog(scene.logPath, `${scene.logPath}.tmp`)
    const whole = Buffer.alloc(
      lengths.reduce((sum, length) => sum + length, 0),
      "0123456789\n"
    )
    let at = 0
    for (const length of lengths) {
      log.write(whole.subarray(at, at + length))
      at += length
      expect(fs.statSync(scene.logPath).size).toBeLessThanOrEqual(logMaxBytes)
    }
    log.close()
    return whole
  }

  it.each([
    { name: "nothing", lengths: [0] },
    { name: "a line", lengths: [11] },
    { name: "as much as a trimmed log holds", lengths: [trimmed] }
  ])("keeps $name byte for byte", ({ lengths }) => {
    const whole = write(lengths)
    expect(fs.readFileSync(scene.logPath).equals(whole)).toBe(true)
  })

  it.each([
    { name: "a little more than it holds", lengths: [trimmed + 100] },
    { name: "the most before it is trimmed", lengths: [logMaxBytes] },
    { name: "ten megabytes in small pieces", lengths: Array.from({ length: 1000 }, () => 10_000) },
    { name: "ten megabytes in pieces as they are read", lengths: Array.from({ length: 160 }, () => 65_536) }
  ])("keeps the beginning, the end and the count of $name", ({ lengths }) => {
    const whole = write(lengths)
    const kept = fs.readFileSync(scene.logPath)
    expect(kept.subarray(0, logHeadBytes).equals(whole.subarray(0, logHeadBytes))).toBe(true)
    expect(kept.subarray(-logTailBytes).equals(whole.subarray(-logTailBytes))).toBe(true)
    expect(droppedIn(kept.toString())).toEqual([whole.length - trimmed])
    expect(fs.statSync(scene.logPath).mode & 0o777).toBe(0o600)
    expect(fs.existsSync(`${scene.logPath}.tmp`)).toBe(false)
  })

  it("is not written through a link", () => {
    fs.mkdirSync(scene.path("logs/tasks/42"), { recursive: true })
    fs.writeFileSync(scene.path("victim"), "")
    fs.symlinkSync(scene.path("victim"), scene.logPath)
    const log = agentLog(scene.logPath, `${scene.logPath}.tmp`)
    log.write(Buffer.from("secret"))
    log.close()
    expect(fs.readFileSync(scene.path("victim"), "utf8")).toBe("")
  })
})

describe("the tail", () => {
  it("is the end of the output, whole characters, within its bytes, for any chunks", () => {
    const chunks = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.string({ unit: "grapheme" }).map((text) => new TextEncoder().encode(text))
      )
    )
    fc.assert(
      fc.property(chunks, fc.integer({ min: 4, max: 32 }), (pieces, maxBytes) => {
        const tail = outputTail(maxBytes)
        for (const piece of pieces) tail.add(piece)
        const text = tail.text()
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxBytes)
        expect(text.isWellFormed()).toBe(true)
        const whole = new TextDecoder().decode(Buffer.concat(pieces))
        if (!whole.includes("\uFFFD")) {
          expect(whole.endsWith(text)).toBe(true)
          expect(Buffer.byteLength(whole) <= maxBytes ? text === whole : Buffer.byteLength(text) > maxBytes - 4).toBe(
            true
          )
        }
      })
    )
  })
})

/** Private and shared pages of a process, in KiB. */
const residentOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])

describe("a supervisor whose agent writes without end", () => {
  const gatedFlood = (bytes: number) => [
    "sh",
    "-c",
    `echo first; sh ${fixture("gates.sh")} ${scene.path("up")} ${scene.path("go")}; head -c ${bytes} /dev/zero | tr '\\0' x; echo; echo last; sh ${fixture("gates.sh")} ${scene.path("done")} ${scene.path("end")}`
  ]

  it("keeps its memory and its log small over 300 MB", async () => {
    scene.writeLease()
    const supervisor = scene.supervise(gatedFlood(300_000_000))
    await until(() => fs.existsSync(scene.path("up")))
    const pid = supervisor.pid ?? 0
    const before = residentOf(pid)
    fs.writeFileSync(scene.path("go"), "")
    await until(() => fs.existsSync(scene.path("done")))
    const ratio = residentOf(pid) / before
    expect(fs.statSync(scene.logPath).size).toBeLessThanOrEqual(logMaxBytes)
    expect(ratio).toBeLessThan(1.5)
    fs.writeFileSync(scene.path("end"), "")
    await exitOf(supervisor)
    expect(scene.log().slice(0, 7)).toBe("first\nx")
    expect(scene.log().slice(-7)).toBe("x\nlast\n")
    expect(droppedIn(scene.log())).toEqual([300_000_000 + "first\n\nlast\n".length - trimmed])
    expect(Buffer.byteLength(scene.readLease()?.phase === "finished" ? (await scene.finished()).exit.tail : "")).toBe(
      8192
    )
  })

  it("writes a lease that can be read, whatever the bytes of the tail", async () => {
    scene.writeLease()
    scene.supervise(["sh", "-c", "head -c 20000 /dev/zero; head -c 20000 /dev/urandom; head -c 20000 /dev/zero"])
    const { exit } = await scene.finished()
    expect(exit.code).toBe(0)
    expect(fs.statSync(scene.leasePath).size).toBeLessThanOrEqual(64 * 1024)
  })
})

describe("a full disk", () => {
  const mountSmall = (directory: string, size: string): boolean => {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 })
    return spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=700`, "none", directory]).status === 0
  }
  const unmount = (directory: string) => spawnSync("umount", ["-l", directory])

  it("leaves a line with the count of the bytes that it took, once there is space again", async (context) => {
    if (!mountSmall(scene.logDir, "512k")) return context.skip("a tmpfs can't be mounted here")
    try {
      const log = agentLog(scene.logPath, `${scene.logPath}.tmp`)
      log.write(Buffer.from("before\n"))
      const filler = `${scene.logDir}/filler`
      expect(() => fs.writeFileSync(filler, Buffer.alloc(1_000_000))).toThrow(/ENOSPC/)
      for (let megabytes = 0; megabytes < 3; megabytes++) log.write(Buffer.alloc(1_000_000, "x"))
      const lost = 3_000_007 - fs.statSync(scene.logPath).size
      fs.unlinkSync(filler)
      let dots = 0
      await until(() => {
        log.write(Buffer.from("."))
        dots++
        return scene.log().endsWith(".")
      })
      log.close()
      expect(droppedIn(scene.log())).toEqual([lost + dots - 1])
    } finally {
      unmount(scene.logDir)
    }
  })

  it("under the log never stops the agent", async (context) => {
    if (!mountSmall(scene.logDir, "512k")) return context.skip("a tmpfs can't be mounted here")
    try {
      scene.writeLease()
      const supervisor = scene.supervise(["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; exit 5"])
      await exitOf(supervisor)
      expect(scene.readLease()).toMatchObject({ phase: "finished", exit: { code: 5 } })
      expect(fs.statSync(scene.logPath).size).toBeLessThanOrEqual(512 * 1024)
    } finally {
      unmount(scene.logDir)
    }
  })

  it("under the lease stops neither agent nor supervisor; the end is recorded once there is space", async (context) => {
    scene.writeLease()
    const lease = fs.readFileSync(scene.leasePath)
    if (!mountSmall(scene.runningDir, "64k")) return context.skip("a tmpfs can't be mounted here")
    try {
      fs.writeFileSync(scene.leasePath, lease, { mode: 0o600 })
      const hold = { at: "start", until: scene.path("start-now") } as const
      const supervisor = scene.supervise(["sh", "-c", "exit 6"], { hold })
      await until(() => fs.existsSync(`${hold.until}.reached`))
      const filler = `${scene.runningDir}/filler`
      expect(() => fs.writeFileSync(filler, Buffer.alloc(1_000_000))).toThrow(/ENOSPC/)
      fs.writeFileSync(hold.until, "")
      await until(() => fs.existsSync(scene.tmpDir) && fs.readdirSync(scene.tmpDir).length === 0)
      expect(scene.readLease()?.phase).toBe("starting")
      fs.unlinkSync(filler)
      expect(await exitOf(supervisor)).toEqual({ code: 0, signal: null })
      expect(scene.readLease()).toMatchObject({ phase: "finished", exit: { code: 6 } })
    } finally {
      unmount(scene.runningDir)
    }
  })
})

/** Records of passes, by the built program: what leaves one, what never stands in one, and that none is needed. */
import { expect, describe, it } from "vitest"
import { mountSmallDisk, noMount } from "./disk/smallDisk.ts"
import { makeGround } from "./harness/Ground.ts"
import type { Ground } from "./harness/Ground.ts"
import { until } from "./harness/until.ts"

const secret = "hunter2"

const once = (ground: Ground, ...more: ReadonlyArray<string>) =>
  ground.cli(["run", "--once", "--backoff-base", "3600", ...ground.endpoint, ...more], {
    env: { TINYSCHEDULER_MCP_TOKEN: `token-${secret}` }
  })

const records = (ground: Ground): ReadonlyArray<string> =>
  ground.files("records").flatMap((name) => ground.read(`state/records/${name}`).trimEnd().split("\n"))

describe("a pass", () => {
  it("leaves a record where it decided something, and no word in it of descriptions, outputs and secrets", async () => {
    const ground = await makeGround()
    ground.agents([ground.scripted("vaela", "dev", { env: { KEY: secret } })])
    expect((await once(ground)).code).toBe(0)
    expect(ground.files("records")).toEqual([])
    const description = JSON.stringify([
      ["print", `the key is ${secret}`],
      ["exit", 3]
    ])
    const task = await ground.tinytask.add({ queue: "dev", description })
    await once(ground, "--dry-run")
    expect(ground.files("records")).toEqual([])
    await once(ground)
    expect(records(ground)).toEqual([expect.stringContaining('"_tag":"Start"')])
    await until("it has ended", () => ground.lease(task)?.phase === "finished")
    expect((await once(ground)).code).toBe(0)
    const kept = records(ground)
    expect(kept.join("\n")).toContain('"_tag":"Finish"')
    expect(kept.at(-1)).toContain('"_tag":"Wait"')
    expect(kept.join("\n")).not.toContain(secret)
    expect((await once(ground)).code).toBe(0)
    expect(records(ground)).toEqual(kept)
  })

  it("leaves none where none are to be kept", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    await ground.tinytask.add({ queue: "dev" })
    expect(await once(ground, "--record-keep-mb", "0", "--json")).toMatchObject({ code: 0 })
    await until("it ran", () => ground.runs().length === 1)
    expect(ground.files("records")).toEqual([])
  })

  it("goes on where records can't be kept, and says so in one line", async ({ skip }) => {
    const ground = await makeGround()
    const disk = mountSmallDisk(ground, "state/records") ?? skip(noMount)
    ground.agents([ground.worker("vaela", "dev", { slots: 9 })])
    const ways = [
      { begin: () => disk.fill(), end: () => disk.empty(), says: "ENOSPC" },
      { begin: () => disk.readOnly(true), end: () => disk.readOnly(false), says: "EROFS" }
    ]
    for (const [done, { begin, end, says }] of ways.entries()) {
      await ground.tinytask.add({ queue: "dev" })
      begin()
      const { code, stderr } = await once(ground)
      expect({ code, told: stderr.split("\n").filter((line) => line.includes("passes are not recorded")) }).toEqual({
        code: 0,
        told: [expect.stringContaining(says)]
      })
      await until("its agent ran", () => ground.runs().length === done + 1)
      end()
    }
    expect(ground.files("records")).toEqual([])
    await once(ground)
    expect(ground.files("records").length).toBe(1)
  })
})

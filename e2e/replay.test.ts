/** `record`, `replay` and `why --pass`, by the built program, on what a few passes recorded. */
import { expect, describe, it } from "vitest"
import { Ground, digestOf, makeGround, treeOf } from "./harness/Ground.ts"
import { until } from "./harness/until.ts"

const once = (ground: Ground) => ground.cli(["run", "--once", "--backoff-base", "3600", ...ground.endpoint])

interface ListedRecord {
  readonly id: string
  readonly starts: number
  readonly finishes: number
  readonly bytes: number
}

/** One slot, two tasks: the second waits, and starts when the first has ended. Nothing but the records is asked afterwards. */
const makeHistory = async () => {
  const ground = await makeGround()
  ground.agents([ground.scripted("vaela", "dev")])
  const first = await ground.tinytask.add({
    title: "Mend hunter2",
    queue: "dev",
    description: JSON.stringify([["await", ground.path("gate")]])
  })
  const second = await ground.tinytask.add({ queue: "dev", description: JSON.stringify([["exit", 3]]) })
  await once(ground)
  await until("it runs", () => ground.lease(first)?.phase === "running")
  await once(ground)
  ground.write("gate", "")
  await until("it has ended", () => ground.lease(first)?.phase === "finished")
  await once(ground)
  await until("the other has ended", () => ground.lease(second)?.phase === "finished")
  await once(ground)
  const { stdout } = await ground.cli(["record", "list", "--json"])
  const { records }: { readonly records: ReadonlyArray<ListedRecord> } = JSON.parse(stdout)
  return { ground, first, second, records }
}

const idOf = ({ id }: ListedRecord): string => id

describe("recorded passes", () => {
  it("are listed, replayed identically, searched and made under other settings, and nothing is written", async () => {
    const { first, ground, records, second } = await makeHistory()
    const before = digestOf(treeOf(ground.base).join("\n"))
    const starts = records.filter((record) => record.starts === 1).map(idOf)
    expect(starts).toHaveLength(2)
    expect(records.reduce((sum, { finishes }) => sum + finishes, 0)).toBe(2)
    expect((await ground.cli(["record", "list"])).stdout).toContain(starts[1])

    const replayed = await ground.cli(["replay"])
    expect({ code: replayed.code, out: replayed.stdout }).toEqual({
      code: 0,
      out: `${records.length} records replayed, ${records.length} identical, 0 different\n`
    })
    expect(JSON.parse((await ground.cli(["replay", "--pass", "last", "--json"])).stdout)).toEqual({
      version: 1,
      records: 1,
      same: 1,
      different: [],
      odd: []
    })
    expect(JSON.parse((await ground.cli(["replay", "--from", "1h", "--json"])).stdout)).toMatchObject({
      records: records.length
    })
    expect(await ground.cli(["replay", "--to", "1h"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("there is no record of that time in")
    })

    const bisected = await ground.cli(["replay", "--bisect", `task ${second} starts`])
    expect(bisected.code).toBe(0)
    expect(bisected.stdout).toMatch(
      new RegExp(`^${starts[1]}  .*holds from here on\n  because of the attempts at task ${first} `, "m")
    )
    expect((await ground.cli(["replay", "--bisect", "task 4711 starts"])).stdout).toContain("in none of")

    const other = await ground.cli(["replay", "--with", "agent.vaela.slots=2", "--json"])
    expect(other.code).toBe(0)
    expect(JSON.parse(other.stdout)).toMatchObject({
      with: ["agent.vaela.slots=2"],
      agents: [{ agent: "vaela", recorded: 2, supposed: 2 }],
      sooner: { count: 1 },
      first: expect.arrayContaining([
        {
          id: starts[0],
          at: expect.any(String),
          differences: [
            {
              taskId: second,
              before: expect.objectContaining({ _tag: "Wait" }),
              after: expect.objectContaining({ _tag: "Start" })
            }
          ]
        }
      ])
    })
    expect((await ground.cli(["replay", "--with", "agent.vaela.slots=2"])).stdout).toContain("1 attempt sooner")
    expect(digestOf(treeOf(ground.base).join("\n"))).toBe(before)
  })

  it("that were changed by hand are told in a line, with exit code 1", async () => {
    const { ground, records, second } = await makeHistory()
    const [name = ""] = ground.files("records")
    const text = ground.read(`state/records/${name}`)
    const wrong = text.replace(`"verdict/${second}":{"_tag":"Wait"`, `"verdict/${second}":{"_tag":"Ignore"`)
    expect(wrong).not.toBe(text)
    const path = ground.write("wrong.jsonl", wrong)
    const { code, stdout } = await ground.cli(["replay", path])
    expect(code).toBe(1)
    expect(stdout).toContain(
      `${records[0]?.id} the verdict on task ${second}, recorded and made now: _tag "Ignore" -> "Wait"\n`
    )
    ground.write("torn.jsonl", text.slice(0, -5))
    expect(await ground.cli(["replay", ground.path("torn.jsonl")])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("its end is torn off")
    })
  })

  it("are exported, anonymously on request, and replayed on a machine that has nothing else", async () => {
    const { first, ground, records, second } = await makeHistory()
    const elsewhere = new Ground()
    const [, waited = "", finished = ""] = records.map(idOf)
    const plain = elsewhere.path("plain.jsonl")
    const secret = elsewhere.path("anonymous.jsonl")
    expect(await ground.cli(["record", "export", "--pass", finished, "-o", plain])).toMatchObject({
      code: 0,
      stderr: ""
    })
    const told = await ground.cli(["record", "export", "--from", "1h", "--anonymous", "-o", secret, "--json"])
    expect(JSON.parse(told.stdout)).toMatchObject({
      version: 1,
      file: secret,
      records: records.length,
      anonymous: true
    })
    expect((await ground.cli(["record", "export", "--pass", finished])).stdout).toBe(elsewhere.read("plain.jsonl"))
    expect(elsewhere.read("plain.jsonl")).toContain("hunter2")
    expect(elsewhere.read("anonymous.jsonl")).not.toMatch(/hunter2|vaela|"dev"|127\.0\.0\.1|\/tmp/)
    expect((await elsewhere.cli(["replay", plain])).stdout).toBe("1 record replayed, 1 identical, 0 different\n")
    expect((await elsewhere.cli(["replay", secret])).stdout).toContain(`${records.length} identical, 0 different`)
    expect((await elsewhere.cli(["replay", secret, "--with", "agent.agent-1.slots=2", "--json"])).stdout).toContain(
      '"count": 1'
    )

    const why = await elsewhere.cli(["why", String(second), "--pass", waited, "--records", secret])
    expect(why.stdout).toMatch(/^as recorded at .* without logs, outputs and descriptions\nwait task/)
    expect(why.stdout).toContain(`it would start now: finish task ${first}`)
    const all = await ground.cli(["why", "--all", "--pass", waited, "--json"])
    expect(JSON.parse(all.stdout)).toMatchObject({ record: { id: waited }, groups: [{ reason: "NoFreeSlot" }] })
  })

  it("tell what waited for approval, count it as nothing done, and are one for many passes that only wait", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    const task = await ground.tinytask.add({ queue: "dev" })
    for (const _pass of [1, 2, 3])
      await ground.cli(["run", "--once", "--require-approval", "starts", ...ground.endpoint])
    const { stdout } = await ground.cli(["record", "list", "--json"])
    expect(JSON.parse(stdout)).toMatchObject({ records: [{ starts: 0 }] })
    const why = await ground.cli(["why", String(task), "--pass", "last"])
    expect(why.stdout).toMatch(new RegExp(`start task ${task} on vaela[^]*it waited for approval\n$`))
    expect((await ground.cli(["replay"])).stdout).toBe("1 record replayed, 1 identical, 0 different\n")
  })

  it("that are not there, or not meant, are refused in one sentence", async () => {
    const ground = new Ground()
    const path = ground.path("records.jsonl")
    const refused: ReadonlyArray<readonly [code: number, args: ReadonlyArray<string>, says: RegExp]> = [
      [1, ["replay"], /^there is no record in .*state\/records: each pass that decides something leaves one/],
      [2, ["replay", path], /^there is no .*: tinyscheduler record export writes such a file/],
      [2, ["replay", "--pass", "yesterday"], /^--pass is "yesterday", expected last, or an id like/],
      [2, ["replay", "--pass", "20260120T180000000-0000"], /^no record in .* has the id 20260120T180000000-0000/],
      [2, ["replay", "--pass", "last", "--from", "2h"], /^--pass names one record/],
      [2, ["replay", "--from", "noon"], /^--from is "noon", expected a time like/],
      [2, ["replay", "--from", "1h", "--to", "2h"], /^--from is later than --to/],
      [2, ["replay", "--bisect", "task 42 sings"], /^--bisect: "task 42 sings" is no condition: say it as/],
      [
        2,
        ["replay", "--bisect", "task 42 starts", "--with", "maxConcurrent=1"],
        /^--bisect searches history as it was/
      ],
      [2, ["record", "export"], /^say which: --pass ID/],
      [1, ["record", "export", "--pass", "last", "-o", path], /^there is no record in/],
      [2, ["why", "--all", "--records", path], /^--records names where a record is/]
    ]
    for (const [code, args, says] of refused) {
      const ended = await ground.cli(args)
      expect([ended.code, ended.stdout], args.join(" ")).toEqual([code, ""])
      expect(ended.stderr).toMatch(says)
      expect(ended.stderr.trimEnd().split("\n"), args.join(" ")).toHaveLength(1)
    }
    expect(await ground.cli(["record", "list"])).toMatchObject({ code: 0, stdout: "no records\n" })
    for (const text of ["{}\n", "{\n".repeat(5000), "{}"]) {
      ground.write("records.jsonl", text)
      const { code, stderr, stdout } = await ground.cli(["replay", path])
      expect([code, stdout]).toEqual([1, ""])
      expect(stderr).toMatch(/holds no record that is meant, but what is none: .*; tinyscheduler record export writes/)
      expect(stderr.length).toBeLessThan(500)
      expect(await ground.cli(["why", "--all", "--pass", "last", "--records", path])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("there is no record in")
      })
    }
  })
})

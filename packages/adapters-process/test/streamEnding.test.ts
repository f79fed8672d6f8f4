/** What an agent's event stream said last stands in its lease, however the output was cut; secrets stand in none of it. */
import * as fs from "node:fs"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { lineScanner } from "../src/supervisor/LineScanner.ts"
import { redactorOf } from "../src/supervisor/redact.ts"
import { exitOf, Scene, until } from "./harness.ts"

describe("lines that may be events", () => {
  const scan = (text: string, size: number, maxBytes = 100): ReadonlyArray<string | null> => {
    const lines: Array<string | null> = []
    const scanner = lineScanner(maxBytes, (line) => lines.push(line))
    const bytes = Buffer.from(text)
    // One buffer for all chunks, as the reader of the pipe has.
    const chunk = Buffer.alloc(size)
    for (let at = 0; at < bytes.length; at += size) {
      const length = bytes.copy(chunk, 0, at, at + size)
      scanner.add(chunk.subarray(0, length))
    }
    scanner.end()
    return lines
  }

  it.each([1, 2, 3, 7, 64, 1000])("are found whole in chunks of %i bytes", (size) => {
    expect(scan('{"a":"é😀"}\r\nprose {"no":1}\n\n{"b":2}\n {"c":3}\n{"d":4}', size)).toEqual([
      '{"a":"é😀"}',
      '{"b":2}',
      '{"d":4}'
    ])
  })

  it.each([1, 33, 1000])("and one that is too long is only counted, in chunks of %i bytes", (size) => {
    expect(scan(`{"a":"${"x".repeat(200)}"}\n{"b":2}\n`, size)).toEqual([null, '{"b":2}'])
  })
})

describe("secrets", () => {
  const redact = redactorOf({
    OPENAI_API_KEY: "sk-12345678",
    LONGER_TOKEN: "sk-12345678-and-more",
    GOOSE_DISABLE_KEYRING: "1",
    SSH_KEY_FILE: "/home/me/.ssh/id",
    HOME: "/home/me-and-mine"
  })

  it("are replaced by the names of their variables, the longest first", () => {
    expect(redact("a sk-12345678 b sk-12345678-and-more c sk-12345678")).toBe(
      "a [OPENAI_API_KEY] b [LONGER_TOKEN] c [OPENAI_API_KEY]"
    )
  })

  it("are neither short values nor paths nor what has another name", () => {
    const text = "1 /home/me/.ssh/id /home/me-and-mine"
    expect(redact(text)).toBe(text)
  })
})

describe("a supervisor", () => {
  let scene: Scene
  beforeEach(() => {
    scene = new Scene()
    scene.writeLease()
  })
  afterEach(() => scene.close())

  /** A script with the flags by which Goose is started. */
  const goose = (script: string) => ["sh", "-c", script, "run", "--recipe", "x", "--output-format", "stream-json"]

  it("keeps what the events said last, although more noise followed than its tail holds", async () => {
    const error = JSON.stringify({ type: "error", error: "Rate limit exceeded: try later" })
    scene.supervise(goose(`echo '${error}'; head -c 100000 /dev/zero | tr '\\0' 'x'; exit 1`))
    const { exit } = await scene.finished()
    expect(exit.stream).toEqual({ says: "rate-limited", detail: "Rate limit exceeded: try later", resetsAt: null })
    expect(exit.tail).not.toContain("Rate limit")
  })

  it("keeps an event that is longer than its tail, and has no line end", async () => {
    const script = `printf '{"type":"error","error":"Authentication error: '; head -c 20000 /dev/zero | tr '\\0' 'x'; printf '"}'`
    scene.supervise(goose(script))
    expect((await scene.finished()).exit.stream?.says).toBe("auth")
  })

  it("keeps nothing of the kind for a command that prints no events, whatever its output looks like", async () => {
    scene.supervise(["sh", "-c", `echo '{"type":"error","error":"Rate limit exceeded: x"}'`])
    expect(Object.keys((await scene.finished()).exit).toSorted()).toEqual(["at", "code", "error", "signal", "tail"])
  })

  it("counts an agent of events as silent while others only chatter into its output", async () => {
    const chatter = "while :; do echo waiting; sleep 0.02; done"
    scene.supervise(goose(`echo '{"type":"message"}'; ${chatter}`))
    await until(() => {
      const lease = scene.readLease()
      return lease?.phase === "running" && (lease.silentMs ?? 0) > 500 && lease.lastOutput !== null
    })
  })

  it("keeps the agent's secrets out of the lease, and its log as it is", async () => {
    const env = { TINYSCHEDULER_LEASE: scene.token, MODEL_API_KEY: "sk-0123456789" }
    const script = `echo "key: $MODEL_API_KEY"; echo "{\\"type\\":\\"error\\",\\"error\\":\\"bad $MODEL_API_KEY\\"}"`
    scene.supervise(goose(script), { env })
    await scene.finished()
    expect(fs.readFileSync(scene.leasePath, "utf8")).not.toContain("sk-0123456789")
    expect((await scene.finished()).exit.tail).toContain("key: [MODEL_API_KEY]\n")
    expect(scene.log()).toContain("key: sk-0123456789\n")
  })

  it("takes secrets out before it cuts: no part of one is left at either end", async () => {
    const env = { TINYSCHEDULER_LEASE: scene.token, MODEL_API_KEY: "sk-0123456789" }
    const event = `{\\"type\\":\\"error\\",\\"error\\":\\"${"x".repeat(295)}$MODEL_API_KEY\\"}`
    const script = `echo "${event}"; printf %s "$MODEL_API_KEY"; head -c 8190 /dev/zero | tr '\\0' y`
    scene.supervise(goose(script), { env })
    const { exit } = await scene.finished()
    expect(exit.stream?.detail).toBe(`${"x".repeat(295)}[MODE`)
    expect(exit.tail).toBe(`Y]${"y".repeat(8190)}`)
  })

  it.each([
    { name: "an agent that ends on the signal", script: "trap 'exit 0' INT", exit: { code: 0, asked: "SIGTERM" } },
    {
      name: "an agent that ignores it, and is killed",
      script: "trap '' INT",
      exit: { signal: "SIGKILL", asked: "SIGTERM" }
    }
  ])("that was told to end from outside says so: $name", async ({ exit, script }) => {
    const supervisor = scene.supervise(
      ["sh", "-c", `${script}; touch ${scene.path("up")}; while :; do sleep 0.05; done`],
      {
        stopGraceSec: 0.3
      }
    )
    await scene.running()
    await until(() => fs.existsSync(scene.path("up")))
    process.kill(supervisor.pid ?? 0, "SIGTERM")
    expect(await exitOf(supervisor)).toEqual({ code: 0, signal: null })
    expect((await scene.finished()).exit).toMatchObject(exit)
  })

  it.each([
    { name: "its agent was killed at the same time", script: "kill -TERM $$", asked: "SIGTERM" },
    { name: "its agent ended itself because of the same signal", script: "exit 143", asked: "SIGTERM" },
    { name: "its agent had failed by then", script: "exit 3", asked: undefined }
  ])("that is told to end while it drains the output: $name", async ({ asked, script }) => {
    const hold = { at: "drain", until: scene.path("drain-now") } as const
    const supervisor = scene.supervise(["sh", "-c", script], { hold })
    await until(() => fs.existsSync(`${hold.until}.reached`))
    // The grandchild of a test's shell would keep the output open: the drain then lasts for its second.
    process.kill(supervisor.pid ?? 0, "SIGTERM")
    fs.writeFileSync(hold.until, "")
    await exitOf(supervisor)
    expect((await scene.finished()).exit.asked).toBe(asked)
  })
})

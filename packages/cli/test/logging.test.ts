/** One event, one line: what stands in it, what never does, and a file that comes and goes. */
import { spawnSync } from "node:child_process"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { makeLogFile } from "tinyscheduler/output/logFile"
import { eventOf, lineOf, withFields, type LogEvent } from "tinyscheduler/output/logLine"
import { paintFor, prefixFor, stderrStream } from "tinyscheduler/output/logStream"
import { layerLogging } from "tinyscheduler/output/logging"
import type { Settings } from "tinyscheduler/settings/settingTable"

/** The events that an effect logs. */
const eventsOf = (effect: Effect.Effect<void>, secrets: ReadonlyArray<string> = []) =>
  Effect.gen(function* () {
    const events: Array<LogEvent> = []
    const logger = Logger.make((options) => void events.push(eventOf(options, secrets)))
    yield* effect.pipe(Effect.provide(Logger.layer([logger])))
    return events
  })

const event = (overrides: Partial<LogEvent> = {}): LogEvent => ({
  date: new Date(2026, 0, 20, 4, 5, 6),
  level: "WARN",
  message: "agent vaela is slow",
  fields: {},
  cause: "",
  ...overrides
})

describe("a log line", () => {
  it("for people has day, time and level in columns, and the message alone", () => {
    const fields = { event: "wait", step: 3, task: 17 }
    assert.strictEqual(lineOf(event({ fields }), "text"), "20260120 04:05:06 WARN  agent vaela is slow")
    assert.strictEqual(lineOf(event({ cause: "Error: x" }), "text").slice(24), "agent vaela is slow Error: x")
  })

  it("for programs has time, level and message first, then its fields", () => {
    const time = event().date.toISOString()
    assert.strictEqual(
      lineOf(event({ fields: { event: "wait", task: 17 } }), "json"),
      `{"time":"${time}","level":"WARN","message":"agent vaela is slow","event":"wait","task":17}`
    )
  })

  it.effect("has the fields of a closed list, however an effect was annotated", () =>
    Effect.gen(function* () {
      const [told] = yield* eventsOf(
        Effect.logInfo("x").pipe(
          withFields({ event: "start", step: 5, task: 17, agent: "vaela", epoch: 2, outcome: "done" }),
          Effect.annotateLogs({ level: "forged", time: 1, message: "forged", other: "x", epoch: { not: "a number" } })
        )
      )
      assert.deepStrictEqual(told?.fields, {
        event: "start",
        step: 5,
        task: 17,
        agent: "vaela",
        epoch: 2,
        outcome: "done"
      })
      assert.deepInclude(JSON.parse(lineOf(told ?? event(), "json")), { level: "INFO", message: "x" })
    })
  )

  it.effect("is one line without anything that a terminal obeys, in both forms and also when JSON is decoded", () =>
    Effect.gen(function* () {
      const foreign = "a\n20260120 00:00:00 INFO  forged\u001b[2J\u009b31m\u2028\u202e"
      const [told, died] = yield* eventsOf(
        Effect.logInfo(foreign).pipe(
          withFields({ agent: foreign }),
          Effect.andThen(Effect.logError("oh", Cause.die(new Error(foreign))))
        )
      )
      // oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
      const dangerous = /[\u0000-\u001f\u007f-\u009f\u2028\u202e]/
      for (const one of [told, died]) {
        const json = lineOf(one ?? event(), "json")
        const decoded: Readonly<Record<string, unknown>> = JSON.parse(json)
        for (const text of [lineOf(one ?? event(), "text"), json, ...Object.values(decoded).map(String)]) {
          assert.notMatch(text, dangerous)
        }
      }
      assert.include(died?.cause, "forged")
    })
  )

  it.effect("never has a secret, and no end that nobody reads", () =>
    Effect.gen(function* () {
      const [told, long] = yield* eventsOf(
        Effect.logError("Bearer s3cret-token was refused: s3cret-token").pipe(
          Effect.andThen(Effect.logInfo("x".repeat(1e6)))
        ),
        ["s3cret-token"]
      )
      assert.strictEqual(told?.message, "Bearer <redacted> was refused: <redacted>")
      assert.isBelow(lineOf(long ?? event(), "text").length, 10_000)
    })
  )

  it.effect("is told by the level and in the form of this moment", () =>
    Effect.gen(function* () {
      const directory = mkdtempSync(join(tmpdir(), "logging-"))
      let settings: Pick<Settings, "logLevel" | "logFormat" | "mcpToken"> = {
        logLevel: "ERROR",
        logFormat: "text",
        mcpToken: null
      }
      yield* Effect.gen(function* () {
        yield* Effect.logInfo("before")
        settings = { logLevel: "INFO", logFormat: "json", mcpToken: null }
        yield* Effect.logInfo("after")
      }).pipe(Effect.provide(layerLogging(() => settings, { logs: directory, base: directory })))
      const [name = ""] = readdirSync(directory)
      assert.deepInclude(JSON.parse(readFileSync(join(directory, name), "utf8")), { message: "after" })
      rmSync(directory, { recursive: true })
    })
  )
})

describe("a stream", () => {
  it("has colours only where it is a terminal and nobody objects, priorities only in the journal", () => {
    const plain = { coloured: false, journal: false }
    assert.strictEqual(paintFor(plain, "ERROR")("ERROR"), "ERROR")
    assert.strictEqual(paintFor({ ...plain, coloured: true }, "ERROR")("ERROR"), "\u001b[31mERROR\u001b[39m")
    assert.strictEqual(prefixFor(plain, "WARN"), "")
    assert.strictEqual(prefixFor({ ...plain, journal: true }, "WARN"), "<4>")
    // A stream that systemd gave and that was redirected since is no journal.
    assert.isFalse(stderrStream({ JOURNAL_STREAM: "1:1" }).journal)
  })
})

describe("the day's file", () => {
  const withDirectory = (body: (directory: string) => void) => {
    const directory = mkdtempSync(join(tmpdir(), "logfile-"))
    try {
      body(directory)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }

  it("is made with its directory for its owner alone, and made anew when somebody moved it", () => {
    withDirectory((base) => {
      const directory = join(base, "state/logs")
      const file = makeLogFile({ logs: directory, base })
      const path = join(directory, "scheduler_20260120.log")
      assert.isNull(file.append("20260120", "one"))
      assert.deepStrictEqual([statSync(directory).mode & 0o777, statSync(path).mode & 0o777], [0o700, 0o600])
      unlinkSync(path)
      assert.isNull(file.append("20260120", "two"))
      assert.isNull(file.append("20260121", "three"))
      assert.strictEqual(readFileSync(path, "utf8"), "two\n")
      assert.strictEqual(readFileSync(join(directory, "scheduler_20260121.log"), "utf8"), "three\n")
    })
  })

  it("is not begun where the base path has gone, which would be made anew and look like a new one", () => {
    withDirectory((above) => {
      const base = join(above, "base")
      const file = makeLogFile({ logs: join(base, "state/logs"), base })
      assert.include(file.append("20260120", "one")?.message, `there is no directory ${base}`)
      assert.isFalse(existsSync(base))
      mkdirSync(base)
      assert.strictEqual(file.append("20260120", "two")?._tag, "Recovered")
    })
  })

  it("that can't be written is told once, with what is in its place, and once more when it can", () => {
    withDirectory((directory) => {
      const path = join(directory, "scheduler_20260120.log")
      mkdirSync(path)
      const file = makeLogFile({ logs: directory, base: directory })
      const failing = file.append("20260120", "one")
      assert.strictEqual(failing?._tag, "Failing")
      assert.include(failing?.message, `${path} can't be written: there is a directory in its place (EISDIR)`)
      assert.isNull(file.append("20260120", "two"))
      rmdirSync(path)
      const recovered = file.append("20260120", "three")
      assert.strictEqual(recovered?.message, `${path} can be written again; 2 lines are missing before the last one`)
      assert.isNull(file.append("20260120", "four"))
      assert.strictEqual(readFileSync(path, "utf8"), "three\nfour\n")
    })
  })

  it("does not wait for whoever reads a named pipe in its place", () => {
    withDirectory((directory) => {
      assert.strictEqual(spawnSync("mkfifo", [join(directory, "scheduler_20260120.log")]).status, 0)
      assert.strictEqual(makeLogFile({ logs: directory, base: directory }).append("20260120", "one")?._tag, "Failing")
    })
  })

  it("goes on with a new line after a full disk took the end of one", (context) => {
    withDirectory((directory) => {
      const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k,mode=700", "none", directory])
      if (mounted.status !== 0) return context.skip("a tmpfs can't be mounted here")
      try {
        const file = makeLogFile({ logs: directory, base: directory })
        const filler = join(directory, "filler")
        assert.isNull(file.append("20260120", "before"))
        assert.throws(() => writeFileSync(filler, Buffer.alloc(100_000)), /ENOSPC/)
        const failing = file.append("20260120", "x".repeat(8000))
        assert.include(failing?.message, "no space is left on the device")
        unlinkSync(filler)
        assert.include(file.append("20260120", "after")?.message, "1 line is missing")
        assert.match(readFileSync(join(directory, "scheduler_20260120.log"), "utf8"), /^before\nx{3000,7999}\nafter\n$/)
      } finally {
        spawnSync("umount", ["-l", directory])
      }
    })
  })
})

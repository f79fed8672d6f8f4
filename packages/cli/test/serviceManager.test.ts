/** What the service manager is told through, where that is slow or wants too much; how it goes for real is in e2e. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { makeServiceManager } from "../src/scheduling/serviceManager.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "service-manager-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** The beat under a manager that watches like this. */
const beatUnder = (watchdogUsec: string): number | null =>
  makeServiceManager({ NOTIFY_SOCKET: "nobody", WATCHDOG_USEC: watchdogUsec }, 1).beatMs

describe("makeServiceManager", () => {
  it.live("waits no longer than it may for a systemd-notify that ends at nobody's asking", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const program = join(directory, "systemd-notify")
      writeFileSync(program, '#!/bin/sh\ntrap "" TERM\nwhile :; do sleep 0.1; done\n')
      chmodSync(program, 0o755)
      const told: Array<unknown> = []
      const logger = Logger.make(({ message }) => void told.push(message))
      const environment = { PATH: `${directory}:${process.env["PATH"] ?? ""}`, NOTIFY_SOCKET: "nobody" }
      yield* makeServiceManager(environment, process.pid, 500).ready.pipe(Effect.provide(Logger.layer([logger])))
      assert.match(String(told[0]), /systemd could not be told/)
    }).pipe(Effect.scoped)
  )

  it("beats at half the time, but starts no program every millisecond", () => {
    assert.deepStrictEqual(["30000000", "200000", "1"].map(beatUnder), [15_000, 100, 50])
    assert.deepStrictEqual(["", "0", "-5", "often"].map(beatUnder), [null, null, null, null])
  })
})

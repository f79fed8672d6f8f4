/** Takes what changed in the configuration before a pass, and tells of it: once, and whenever somebody asked. */
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as Stream from "effect/Stream"
import { fileChanges } from "@tinyscheduler/adapters-fs/FileWatch"
import { configurationFiles } from "../settings/Configuration.ts"
import type { Configuration } from "../settings/Configuration.ts"
import type { LiveConfiguration } from "./liveConfiguration.ts"

export interface Reloading {
  /** Somebody wants to know what comes of the next look, whatever it is. */
  readonly ask: () => void
  /** To be done before each pass. */
  readonly look: Effect.Effect<void>
}

const tellWarnings = (before: Configuration, after: Configuration) => {
  const known = new Set([...before.notices, ...before.warnings])
  const news = [...after.notices, ...after.warnings].filter((warning) => !known.has(warning))
  return Effect.forEach(news, (warning) => Effect.logWarning(warning), { discard: true })
}

/** Wakes when one of the files changes, until the scope closes; those of a newer configuration too, be it good or not. */
export const makeReloading = Effect.fnUntraced(function* (live: LiveConfiguration, wake: Effect.Effect<unknown>) {
  let asked = false
  let refused = ""
  const watcher = yield* FiberHandle.make()
  let watched = ""
  const watch = Effect.fnUntraced(function* (further: ReadonlyArray<string>) {
    const files = [...new Set([...configurationFiles(live.current()), ...further])]
    const [before, names] = [watched, files.join("\n")]
    if (names === before) return
    watched = names
    yield* FiberHandle.run(
      watcher,
      Stream.runForEach(fileChanges(files), () => wake)
    )
    // What happens between a look and the watch; the first look comes after it.
    if (before !== "") yield* wake
  })
  yield* watch([])

  const look = Effect.gen(function* () {
    const [wasAsked, wasRefused, before] = [asked, refused, live.current()]
    asked = false
    refused = ""
    const result = yield* live.reload
    switch (result._tag) {
      case "Same": {
        if (wasRefused !== "") yield* Effect.logInfo("configuration: it can be read again; nothing in it has changed")
        else if (wasAsked) yield* Effect.logInfo("configuration: read anew; nothing in it has changed")
        // A misspelt variable changes no setting.
        yield* tellWarnings(before, live.current())
        return yield* watch([])
      }
      case "Taken": {
        yield* Effect.logInfo(`configuration taken: ${result.changes.join("; ")}`)
        yield* tellWarnings(before, live.current())
        return yield* watch([])
      }
      case "Refused": {
        yield* watch(result.files)
        refused = result.faults.join("\n")
        if (refused === wasRefused && !wasAsked) return
        for (const fault of result.faults) yield* Effect.logError(fault)
        yield* Effect.logError("configuration: the last good one is kept")
        return
      }
    }
  })
  return {
    ask: () => {
      asked = true
    },
    look
  } satisfies Reloading
})

/** The embedded Tinytask, loaded only by the commands that run it: it brings SQLite and an HTTP server with it. */
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import { reasonOf } from "@tinyscheduler/adapters-fs/errno"
import { makeDirectory } from "@tinyscheduler/adapters-fs/makeDirectory"
import type { EmbeddedOptions } from "@tinyscheduler/adapters-tinytask/embedded/EmbeddedTinytask"
import { StateUnwritable } from "@tinyscheduler/core/ports/StateError"

/** Starts it; the directory of its database is made first. */
export const startEmbedded = Effect.fnUntraced(function* (options: EmbeddedOptions) {
  const directory = dirname(options.databasePath)
  yield* Effect.try({
    try: () => makeDirectory(directory),
    catch: (error) => new StateUnwritable({ path: directory, reason: reasonOf(error) })
  })
  const embedded = yield* Effect.promise(() => import("@tinyscheduler/adapters-tinytask/embedded/EmbeddedTinytask"))
  return yield* embedded.startEmbedded(options)
})

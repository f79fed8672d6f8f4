/** The embedded Tinytask, loaded only by the commands that run it: it brings SQLite and an HTTP server with it. */
import * as Effect from "effect/Effect"
import type { EmbeddedOptions } from "@tinyscheduler/adapters-tinytask/embedded/EmbeddedTinytask"

export const startEmbedded = (options: EmbeddedOptions) =>
  Effect.promise(() => import("@tinyscheduler/adapters-tinytask/embedded/EmbeddedTinytask")).pipe(
    Effect.flatMap((embedded) => embedded.startEmbedded(options))
  )

/** Signals that a running daemon takes as requests. SIGINT and SIGTERM are the whole program's, see main.ts. */
import * as Effect from "effect/Effect"

/** Calls back at each such signal until the scope closes. */
export const onSignal = (signal: "SIGHUP" | "SIGUSR1", act: () => void) =>
  Effect.acquireRelease(
    Effect.sync(() => process.on(signal, act)),
    () => Effect.sync(() => process.off(signal, act))
  )

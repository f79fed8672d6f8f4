/** How an asking command runs: its ports, its log, and nothing written where only a look is wanted. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { layerPorts } from "../layers.ts"
import { layerLogging } from "../output/logging.ts"
import type { Configuration } from "../settings/Configuration.ts"

type Ports = Layer.Success<ReturnType<typeof layerPorts>>

/**
 * What is said comes from the answer: the log of what was carried out goes to the day's file alone, unless the command
 * line asks for a level. What went wrong is told here too.
 */
export const runAsking = <A, E>(config: Configuration, program: Effect.Effect<A, E, Ports | Scope.Scope>) => {
  const { origins, paths, settings } = config
  const onStderr = origins.logLevel.origin === "flag" ? settings.logLevel : "WARN"
  return Effect.scoped(program).pipe(
    Effect.provide([
      layerPorts(config, settings.dryRun ? "looks" : "writes"),
      layerLogging(() => settings, settings.dryRun ? null : paths, onStderr)
    ])
  )
}

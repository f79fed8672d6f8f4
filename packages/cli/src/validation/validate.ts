/** All checks, in the order in which a person would mend things. Looks only. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { capacityChecks } from "./capacityChecks.ts"
import type { Check } from "./Check.ts"
import { clockChecks } from "./clockChecks.ts"
import { controlChecks } from "./controlChecks.ts"
import { directoryChecks } from "./directoryChecks.ts"
import type { Examined } from "./examine.ts"
import { fileSystemChecks } from "./fileSystemChecks.ts"
import { isolationChecks } from "./isolationChecks.ts"
import { machineChecks } from "./machineChecks.ts"
import { programChecks } from "./programChecks.ts"
import { recipeChecks } from "./recipeChecks.ts"
import { settingsChecks } from "./settingsChecks.ts"
import { tinytaskChecks } from "./tinytaskChecks.ts"

export const validate = Effect.fn("validate")(function* (examined: Examined) {
  const { config } = examined
  return [
    ...settingsChecks(examined),
    ...machineChecks(),
    ...isolationChecks(config),
    ...clockChecks(config, yield* Clock.currentTimeMillis),
    ...directoryChecks(config),
    ...fileSystemChecks(config.paths.running),
    ...controlChecks(examined),
    ...capacityChecks(examined),
    ...(yield* recipeChecks(examined)),
    ...(yield* programChecks(config)),
    ...(yield* tinytaskChecks(config))
  ] satisfies ReadonlyArray<Check>
})

/** The errors of a daemon's passes: each is told when it appears and when it is over, not at every pass. */
import * as Effect from "effect/Effect"

export interface Troubles {
  /** The errors of one pass; none = it went well. */
  readonly tell: (errors: ReadonlyArray<string>) => Effect.Effect<void>
}

export const makeTroubles = (): Troubles => {
  let known: ReadonlySet<string> = new Set()
  let passes = 0
  return {
    tell: (errors) =>
      Effect.suspend(() => {
        const before = known
        known = new Set(errors)
        passes = errors.length === 0 ? 0 : passes + 1
        if (errors.length === 0) {
          return before.size === 0 ? Effect.void : Effect.logInfo("the passes have no errors any more")
        }
        return Effect.forEach(
          errors,
          (error) =>
            before.has(error)
              ? Effect.logDebug(`${error} (${passes} passes in a row had errors)`)
              : Effect.logError(error),
          { discard: true }
        )
      })
  }
}

/** With which code a command ends when it is asked to: 130 for one that was cut short, 0 for one that runs until asked. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

export const InterruptCode = Context.Reference<{ code: number }>("tinyscheduler/InterruptCode", {
  defaultValue: () => ({ code: 130 })
})

/** For commands that run until somebody ends them: being asked to is their proper end. */
export const endsWhenAsked: Effect.Effect<void> = Effect.map(InterruptCode, (onInterrupt) => {
  onInterrupt.code = 0
})

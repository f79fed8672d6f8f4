/**
 * How a call of a simulated port happens: first comes what is due, then the fault hook, then the act, then the hook once
 * more. So any single call can fail before it acted, lose its answer after it did, or be the last thing its scheduler does.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { World } from "./World.ts"

/**
 * The scheduler's process ends at this call, as by SIGKILL: whoever made it is interrupted, which nothing catches, and so
 * is every later call.
 */
export const crash: unique symbol = Symbol("crash")

/**
 * Asked twice of each call, by its name ("LeaseStore.create"). "before": a sentence makes it fail without having happened.
 * "after": it happened, and its caller is told that it failed. The hook may also change the world in between.
 */
export type FaultHook = (call: string, moment: "before" | "after") => string | typeof crash | null

/** Every call works. */
export const noFaults: FaultHook = () => null

export type Call = <A, E, F>(
  name: string,
  toError: (reason: string) => F,
  act: () => Effect.Effect<A, E>
) => Effect.Effect<A, E | F>

/** Calls of one scheduler over a world. */
export const makeCall = (world: World, faults: FaultHook): Call => {
  let ended = false
  const fault = <F>(name: string, moment: "before" | "after", toError: (reason: string) => F) => {
    const found = faults(name, moment)
    if (found === null) return null
    ended ||= found === crash
    return found === crash ? Effect.interrupt : Effect.fail(toError(found))
  }
  return <A, E, F>(name: string, toError: (reason: string) => F, act: () => Effect.Effect<A, E>) =>
    Effect.flatMap(Clock.currentTimeMillis, (nowMs): Effect.Effect<A, E | F> => {
      if (ended) return Effect.interrupt
      world.settle(nowMs)
      const early = fault(name, "before", toError)
      if (early !== null) return early
      // It happens, whatever becomes of its answer.
      return Effect.flatMap(
        Effect.exit(act()),
        (answer): Effect.Effect<A, E | F> => fault(name, "after", toError) ?? answer
      )
    })
}

/** What a scheduler process remembers between its passes, and may forget: every fact that matters stands in files. */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { StopRecord } from "../domain/Attempts.ts"
import type { StartFault } from "../domain/ObservedState.ts"

/** What a process remembers from pass to pass. Losing it costs waiting, nothing else. */
export interface PassMemory {
  /** Starts of this process that went wrong after their lease was written, until they are undone. */
  readonly startFaults: Ref.Ref<ReadonlyArray<StartFault>>
  /** Stop records that could not be written, by token: a full disk must not hold a ladder on its first rung. */
  readonly stops: Ref.Ref<ReadonlyMap<string, StopRecord>>
}

/** An empty memory: one for the life of a process. */
export const makePassMemory: Effect.Effect<PassMemory> = Effect.gen(function* () {
  return {
    startFaults: yield* Ref.make<ReadonlyArray<StartFault>>([]),
    stops: yield* Ref.make<ReadonlyMap<string, StopRecord>>(new Map())
  }
})

export const rememberStop = (memory: PassMemory, record: StopRecord): Effect.Effect<void> =>
  Ref.update(memory.stops, (stops) => new Map([...stops, [record.token, record] as const].slice(-faultsMax)))

export const forgetStop = (memory: PassMemory, token: string): Effect.Effect<void> =>
  Ref.update(memory.stops, (stops) => new Map([...stops].filter(([known]) => known !== token)))

/** Faults are kept for as long as a start may be undone; more than these were never seen together. */
const faultsMax = 1000

export const rememberFault = (memory: PassMemory, fault: StartFault): Effect.Effect<void> =>
  Ref.update(memory.startFaults, (faults) => [...faults, fault].slice(-faultsMax))

export const forgetFault = (memory: PassMemory, token: string): Effect.Effect<void> =>
  Ref.update(memory.startFaults, (faults) => faults.filter((fault) => fault.token !== token))

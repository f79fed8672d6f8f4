/** What a scheduler process remembers between its passes, and may forget: every fact that matters stands in files. */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { StartFault } from "../domain/ObservedState.ts"

export interface PassMemory {
  /** Starts of this process that went wrong after their lease was written, until they are undone. */
  readonly startFaults: Ref.Ref<ReadonlyArray<StartFault>>
}

export const makePassMemory: Effect.Effect<PassMemory> = Effect.map(
  Ref.make<ReadonlyArray<StartFault>>([]),
  (startFaults) => ({ startFaults })
)

/** Faults are kept for as long as a start may be undone; more than these were never seen together. */
const faultsMax = 1000

export const rememberFault = (memory: PassMemory, fault: StartFault): Effect.Effect<void> =>
  Ref.update(memory.startFaults, (faults) => [...faults, fault].slice(-faultsMax))

export const forgetFault = (memory: PassMemory, token: string): Effect.Effect<void> =>
  Ref.update(memory.startFaults, (faults) => faults.filter((fault) => fault.token !== token))

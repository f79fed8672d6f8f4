/** The layer of the process table: /proc on Linux, ps(1) on macOS. It reports and signals; judging is the core's. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  HostUnidentified,
  type ProcessDescription,
  ProcessesUnreadable,
  ProcessTable,
  type Signal
} from "@tinyscheduler/core/ports/ProcessTable"
import { type Machine, monotonicMs, startOf } from "./Machine.ts"
import { pidExists } from "./pidExists.ts"
import { thisMachine } from "./thisMachine.ts"

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const refusesSignal = (pid: number): boolean => !Number.isSafeInteger(pid) || pid <= 1 || pid === process.pid

/** The start is compared immediately before the signal: between the two nothing of ours runs. */
const signalOne = (machine: Machine, target: { readonly pid: number; readonly pidStart: number }, signal: Signal) => {
  if (refusesSignal(target.pid)) return "refused"
  const start = startOf(machine, target.pid)
  if (start === null) return machine.look([target.pid]).get(target.pid)?._tag === "Unreadable" ? "refused" : "gone"
  if (start !== target.pidStart) return "gone"
  try {
    process.kill(target.pid, signal)
    return "sent"
  } catch {
    return pidExists(target.pid) ? "refused" : "gone"
  }
}

/** A name is the process's own choice: what could move a terminal's cursor is left out. */
const describe = (machine: Machine, pid: number): ProcessDescription | null => {
  const seen = machine.describe(pid)
  if (seen === null) return null
  const own = process.geteuid?.()
  return { ...seen, name: seen.name.replaceAll(/\p{C}/gu, "?"), maySignal: own === 0 || own === seen.user }
}

/** The process table over a machine; `layer` has the one we run on. */
export const layerOf = (machine: Machine) =>
  Layer.succeed(
    ProcessTable,
    ProcessTable.of({
      ourselves: Effect.try({
        try: () => machine.identify(),
        catch: (error) => new HostUnidentified({ reason: reasonOf(error) })
      }),
      monotonicMs: Effect.sync(monotonicMs),
      look: Effect.fn("ProcessTable.look")(function* (pids: ReadonlyArray<number>) {
        return yield* Effect.try({
          try: () => machine.look(pids),
          catch: (error) => new ProcessesUnreadable({ reason: reasonOf(error) })
        })
      }),
      startedAtMs: Effect.fn("ProcessTable.startedAtMs")(function* (pid: number) {
        return yield* Effect.try(() => machine.startedAtMs(pid)).pipe(
          // A start that can't be told is the port's null.
          Effect.orElseSucceed(() => null)
        )
      }),
      scan: Effect.try({
        try: () => machine.scan(),
        catch: (error) => new ProcessesUnreadable({ reason: reasonOf(error) })
      }),
      statedTask: Effect.fn("ProcessTable.statedTask")(function* (pid: number) {
        return yield* Effect.try({
          try: () => machine.statedTask(pid),
          catch: (error) => new ProcessesUnreadable({ reason: reasonOf(error) })
        })
      }),
      describe: Effect.fn("ProcessTable.describe")(function* (pid: number) {
        return yield* Effect.try(() => describe(machine, pid)).pipe(Effect.orElseSucceed(() => null))
      }),
      signal: Effect.fn("ProcessTable.signal")(function* (
        target: { readonly pid: number; readonly pidStart: number },
        signal: Signal
      ) {
        return yield* Effect.try(() => signalOne(machine, target, signal)).pipe(
          // A table that can't be read verifies nobody, and who is not verified gets no signal.
          Effect.orElseSucceed(() => "refused" as const)
        )
      })
    })
  )

/** Processes of this machine. */
export const layer = layerOf(thisMachine)

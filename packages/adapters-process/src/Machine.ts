/**
 * What both the scheduler and the supervisor ask of a machine about its processes; one implementation per system. Plain
 * synchronous Node: the supervisor carries no Effect, and a read of /proc costs 12 us (a promise, eight times that).
 */
import type { ProcessRow, ProcessSight } from "@tinyscheduler/core/domain/ProcessIdentity"
import type { Ourselves, ProcessDescription, StatedTask } from "@tinyscheduler/core/ports/ProcessTable"

export interface Machine {
  /** Who we are; throws one sentence where boot, namespace or our own entry can't be read. */
  readonly identify: () => Ourselves
  /** What each pid shows; throws where processes can't be read at all. */
  readonly look: (pids: ReadonlyArray<number>) => ReadonlyMap<number, ProcessSight>
  readonly startedAtMs: (pid: number) => number | null
  /** All processes; those that vanish meanwhile are left out. */
  readonly scan: () => ReadonlyArray<ProcessRow>
  /** The task that a process's environment names; null when it names none, is gone or another user's. Throws where that can't be told. */
  readonly statedTask: (pid: number) => StatedTask | null
  /** What people know a process by; null when it is gone. */
  readonly describe: (pid: number) => Omit<ProcessDescription, "maySignal"> | null
}

/** The variable that whatever an attempt starts carries from fork on. */
export const tokenVariable = "TINYSCHEDULER_LEASE"

/** The variables by which an agent knows what it is about. */
export const taskVariable = "TINYSCHEDULER_TASK_ID"
export const endpointVariable = "TINYSCHEDULER_MCP_ENDPOINT"

/** Whether a state letter is that of a process or thread which runs no more. */
export const isDeadState = (state: string): boolean => state === "Z" || state === "X" || state === "x"

/** The start of a pid's process; null when there is none, it is dead, or it can't be told. */
export const startOf = (machine: Machine, pid: number): number | null => {
  const sight = machine.look([pid]).get(pid)
  if (sight?._tag !== "Seen") return null
  return isDeadState(sight.state) && !sight.otherThreadLives ? null : sight.pidStart
}

/** Milliseconds on the clock that all processes of this boot share and that no one sets. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000_000n)

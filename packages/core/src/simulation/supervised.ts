/** One simulated supervisor with its agent, and the two records that it writes. */
import type { Epoch, TaskId } from "../domain/identifiers.ts"
import type { AgentExit, Claim, Lease, StartingLease } from "../domain/Lease.ts"
import type { HostIdentity } from "../domain/ProcessIdentity.ts"
import { timestampOf } from "../domain/time.ts"
import type { AgentScript } from "./scripts.ts"
import type { SimulatedProcess } from "./SimulatedMachine.ts"

/** An attempt as its agent saw it. */
export interface SimulatedRun {
  readonly taskId: TaskId
  readonly agent: string
  readonly epoch: Epoch
  readonly startMs: number
  endMs: number | null
}

/** A supervisor in memory, with its agent. */
export interface Supervised {
  readonly process: SimulatedProcess
  readonly lease: StartingLease
  readonly script: AgentScript
  readonly place: HostIdentity
  agent: SimulatedProcess | null
  run: SimulatedRun | null
  /**
   * It does nothing and answers to SIGKILL only: its loop spins, or it was stopped, so that SIGCONT wakes it. What came
   * due meanwhile happens when it wakes.
   */
  hung: "spins" | "stopped" | null
  readonly overdue: Array<() => void>
  /** It was asked to end. */
  asked: boolean
  fenced: boolean
  /** When it last wrote its lease, and since when its agent runs, in lived time; null = never. */
  beatMs: number | null
  agentSinceMs: number | null
}

/** Who won the epoch. */
export const claimOf = ({ lease, place, process }: Supervised): Claim => ({
  kind: "claim",
  taskId: lease.taskId,
  epoch: lease.epoch,
  token: lease.token,
  agentName: lease.agentName,
  ...place,
  pid: process.pid,
  pidStart: process.pidStart,
  log: lease.log,
  version: 1
})

/** The lease as its supervisor writes it at a moment; null when there is nothing to say yet. */
export const leaseOf = (
  { agent, agentSinceMs, lease, place, process, script }: Supervised,
  exit: AgentExit | null,
  { livedMs, monoMs, nowMs }: { readonly livedMs: number; readonly monoMs: number; readonly nowMs: number }
): Lease | null => {
  const { quietAfterMs } = script
  const silentMs =
    quietAfterMs === null || agentSinceMs === null ? 0 : Math.max(0, livedMs - agentSinceMs - quietAfterMs)
  const common = {
    ...lease,
    ...place,
    pid: process.pid,
    pidStart: process.pidStart,
    lastHeartbeat: timestampOf(nowMs),
    beatMonoMs: monoMs,
    lastOutput: null,
    silentMs
  }
  const identity = agent === null ? null : { pid: agent.pid, pidStart: agent.pidStart, group: agent.group }
  if (exit !== null) return { ...common, agent: identity, phase: "finished", exit }
  return identity === null ? null : { ...common, agent: identity, phase: "running" }
}

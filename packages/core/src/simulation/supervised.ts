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

export interface Supervised {
  readonly process: SimulatedProcess
  readonly lease: StartingLease
  readonly script: AgentScript
  readonly place: HostIdentity
  agent: SimulatedProcess | null
  run: SimulatedRun | null
  /** It does nothing any more and answers to SIGKILL only. */
  hung: boolean
  /** It was asked to end. */
  asked: boolean
  fenced: boolean
  /** When it last wrote its lease, in lived time; null = never. */
  beatMs: number | null
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
  { agent, lease, place, process }: Supervised,
  exit: AgentExit | null,
  { monoMs, nowMs }: { readonly monoMs: number; readonly nowMs: number }
): Lease | null => {
  const common = {
    ...lease,
    ...place,
    pid: process.pid,
    pidStart: process.pidStart,
    lastHeartbeat: timestampOf(nowMs),
    beatMonoMs: monoMs,
    lastOutput: null,
    silentMs: 0
  }
  const identity = agent === null ? null : { pid: agent.pid, pidStart: agent.pidStart, group: agent.group }
  if (exit !== null) return { ...common, agent: identity, phase: "finished", exit }
  return identity === null ? null : { ...common, agent: identity, phase: "running" }
}

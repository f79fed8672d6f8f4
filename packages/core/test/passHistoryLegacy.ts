/** A lease of the Python version in a history. */
import { AgentName } from "../src/domain/identifiers.ts"
import type { TaskId } from "../src/domain/identifiers.ts"
import type { LegacyLease } from "../src/domain/Lease.ts"
import { legacyToken } from "../src/domain/legacyToken.ts"
import { timestampOf } from "../src/domain/time.ts"
import type { World } from "../src/simulation/api.ts"

/** The task is worked on by a process of the old version, which lives for a while; answers what its ending will be known by. */
export const standLegacyLease = (world: World, taskId: TaskId, livesMs: number): string => {
  const { files, machine, tinytask } = world
  const process = machine.spawn({ parent: 1, token: null, onSignal: () => undefined })
  machine.after(livesMs, () => {
    machine.end(process)
  })
  const lease: LegacyLease = {
    taskId,
    agentName: AgentName.make("ada"),
    pid: process.pid,
    startTime: timestampOf(machine.nowMs),
    lastHeartbeat: null,
    host: null
  }
  files.leases.set(taskId, { _tag: "Legacy", path: `state/running/task_${taskId}.json`, lease })
  tinytask.change(taskId, { status: "working", assignee: "ada" })
  return legacyToken(lease)
}

/**
 * What outlives SIGKILL: each such process keeps its attempt's slot and is told in every pass, with why it can't be ended
 * and what a person can do about it.
 */
import * as Effect from "effect/Effect"
import type { StopRecord } from "../domain/Attempts.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Plan } from "../domain/Plan.ts"
import { isDeadState } from "../domain/ProcessIdentity.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import { ProcessTable } from "../ports/ProcessTable.ts"
import type { ProcessDescription } from "../ports/ProcessTable.ts"
import { outlivesKill } from "../reconcile/ladder.ts"

/** Of one attempt no more than these are told one by one. */
const toldMax = 8

/** The supervisor is no survivor among others; it is one when nothing else is left. */
const supervisorOf = ({ lease }: TaskRecord): ReadonlyArray<number> =>
  lease._tag === "Read" && lease.lease.pid !== null && lease.evidence.supervisor === "alive" ? [lease.lease.pid] : []

/** As this the kernel shows a member of a cgroup whose pid namespace can't be seen; to kill(1) it is its caller's own group. */
const unseenPid = 0

const unseen = ({ lease }: TaskRecord): string =>
  `it has another pid namespace; look for it where the attempt's cgroup can be seen whole, as on the host: cat ${(lease._tag === "Read" ? lease.lease.cgroup : undefined) ?? ""}/cgroup.procs`

const whyAlive = (pid: number, seen: ProcessDescription, record: StopRecord, isSupervisor: boolean): string => {
  if (!isSupervisor && !record.targets.some((target) => target.pid === pid))
    return `nobody can say whether it is the attempt's, so it gets no signal; if it is, end it: kill ${pid}`
  if (!seen.maySignal)
    return `it belongs to user ${seen.user}, whom this scheduler may not signal; end it as root: kill -9 ${pid}`
  if (seen.state === "D")
    return "the kernel does not let go of it (state D), mostly for a disk or a network file system; bring that back, or restart the machine"
  if (isSupervisor)
    return `its agent has ended and it has not written how, perhaps since it can't: look whether the state directory takes writes, then what holds it: cat /proc/${pid}/status`
  return `it was not ended by SIGKILL; see what holds it: cat /proc/${pid}/status`
}

/** One sentence for each process that lives on after SIGKILL. */
export const describeSurvivors = Effect.fn("pass.describeSurvivors")(function* (observed: ObservedState, plan: Plan) {
  const sentences: Array<string> = []
  const records = new Map(observed.records.map((record) => [record.taskId, record] as const))
  for (const verdict of plan.verdicts) {
    if (verdict._tag !== "Stop") continue
    const record = records.get(verdict.taskId)
    const stop = record?.stop ?? null
    if (record === undefined || stop === null) continue
    if (!outlivesKill(stop, { monoMs: observed.monoMs, bootId: observed.here.bootId })) continue
    const alone = verdict.survivors.length === 0
    const survivors = alone ? supervisorOf(record) : verdict.survivors
    const { describe } = yield* ProcessTable
    const isLeft = `is left of epoch ${verdict.epoch} and holds its slot`
    for (const pid of survivors.slice(0, toldMax)) {
      if (pid === unseenPid) {
        sentences.push(`task ${verdict.taskId}: a process that can't be seen from here ${isLeft}: ${unseen(record)}`)
        continue
      }
      const seen = yield* describe(pid)
      // The SIGKILL of this pass was its end.
      if (seen === null || isDeadState(seen.state)) continue
      sentences.push(
        `task ${verdict.taskId}: process ${pid} (${seen.name}) ${isLeft}: ${whyAlive(pid, seen, stop, alone)}`
      )
    }
    if (survivors.length > toldMax)
      sentences.push(`task ${verdict.taskId}: ${survivors.length - toldMax} more processes are left of it`)
  }
  return sentences
})

/** What must hold of everything in a plan that frees a slot or removes a file. */
import type { DesiredState } from "../../domain/DesiredState.ts"
import type { Action } from "../../domain/Plan.ts"
import type { Liveness } from "../../domain/ProcessIdentity.ts"
import type { Evidence, TaskRecord } from "../../domain/TaskRecord.ts"
import { actionTaskId } from "../actionTaskId.ts"
import { agentMayLive, isKnownToLive, mayLive } from "./underWay.ts"
import type { Check } from "./Violation.ts"

type End = Extract<Action, { readonly _tag: "End" }>

/** What was seen of all processes whose files the end of an attempt removes. */
const evidencesOfEnd = ({ attempt }: End, record: TaskRecord): ReadonlyArray<Evidence> => [
  ...(record.lease._tag === "Read" && record.lease.lease.epoch <= attempt.epoch
    ? record.lease.lease.phase === "starting"
      ? []
      : [record.lease.evidence]
    : []),
  ...record.claims.flatMap((sight) =>
    sight._tag === "Read" && sight.epoch === attempt.epoch && sight.claim.kind === "claim" ? [sight.evidence] : []
  ),
  ...(attempt.phase === "none" && record.openStart !== null ? [record.openStart] : [])
]

const faultsOfEnd = (action: End, record: TaskRecord, desired: DesiredState): ReadonlyArray<string> => {
  const { epoch, phase, taskId } = action.attempt
  const evidences = evidencesOfEnd(action, record)
  const own = record.claims.find((sight) => sight.epoch === epoch)
  const recorded = record.attempts?.outcomes.find((ending) => ending.epoch === epoch)
  const what = `task ${taskId}: epoch ${epoch}`
  if (own === undefined && !action.tombstone) return [`${what} is ended without shutting a late supervisor out`]
  if (phase === "none" && record.openStart === null) return [`${what} is ended and was not looked for`]
  if (action.withoutProof) {
    return [
      ...(evidences.some(isKnownToLive) ? [`${what} is given up by the clock although it lives`] : []),
      ...(action.outcome === "lost" ? [] : [`${what} is given up as ${action.outcome}`]),
      ...(desired.policy.unknownLostSec > 0 || recorded !== undefined ? [] : [`${what} is given up by no clock`])
    ]
  }
  const lives = evidences.some(phase === "finished" ? agentMayLive : mayLive)
  return lives ? [`${what} is ended while something of it may live`] : []
}

/** The end of an attempt removes the claims of all before it. */
const survivorsOfEnd = ({ attempt }: End, record: TaskRecord): ReadonlyArray<string> =>
  record.claims.flatMap((sight) =>
    sight._tag === "Read" &&
    sight.epoch < attempt.epoch &&
    sight.claim.kind === "claim" &&
    isKnownToLive(sight.evidence)
      ? [
          `task ${attempt.taskId}: epoch ${attempt.epoch} is ended while epoch ${sight.epoch} lives, whose claim goes with it`
        ]
      : []
  )

/** An old lease is ended when its process is dead, or by the clock when nobody can tell. */
const isEndable = (
  { withoutProof }: Extract<Action, { readonly _tag: "EndLegacy" }>,
  liveness: Liveness,
  { policy }: DesiredState
): boolean => (withoutProof ? liveness === "unknown" && policy.unknownLostSec > 0 : liveness === "dead")

const leaseMayLive = ({ evidence, lease }: Extract<TaskRecord["lease"], { readonly _tag: "Read" }>): boolean =>
  lease.phase !== "starting" && (lease.phase === "finished" ? agentMayLive : mayLive)(evidence)

/** (d) No slot is freed while a survivor is not proven dead. */
export const deathIsProven: Check = (observed, desired, plan) => {
  const records = new Map(observed.records.map((record) => [record.taskId as number, record]))
  return plan.actions.flatMap((action): ReadonlyArray<string> => {
    const taskId = actionTaskId(action)
    const record = records.get(taskId)
    switch (action._tag) {
      case "Note":
      case "Stop":
      case "Start":
        return []
      case "EndLegacy":
        return record?.lease._tag === "Legacy" && isEndable(action, record.lease.liveness, desired)
          ? []
          : [`task ${taskId}: an old lease is ended alive`]
      case "Rebuild": {
        const own = record?.claims.find((sight) => sight.epoch === action.attempt.epoch)
        if (own?._tag !== "Read" || own.claim.kind !== "claim" || own.evidence.supervisor !== "dead")
          return [`task ${taskId}: a lease is rebuilt beside a supervisor that may live`]
        return record?.lease._tag === "Read" && leaseMayLive(record.lease)
          ? [`task ${taskId}: a lease is set aside of which something may live`]
          : []
      }
      case "Sweep": {
        const swept = record?.claims.filter((sight) => sight.epoch <= action.epoch) ?? []
        const mayStillLive = action.withoutProof && desired.policy.unknownLostSec > 0 ? isKnownToLive : mayLive
        return swept.some(
          (sight) => sight._tag === "Unreadable" || (sight.claim.kind === "claim" && mayStillLive(sight.evidence))
        )
          ? [`task ${taskId}: claims up to ${action.epoch} are swept while something of them may live`]
          : []
      }
      case "End":
        return record === undefined
          ? [`task ${taskId} is ended and has no files`]
          : [...faultsOfEnd(action, record, desired), ...survivorsOfEnd(action, record)]
    }
  })
}

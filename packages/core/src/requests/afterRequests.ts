/**
 * The observation as it will be once what commands asked for is carried out: for looks that write nothing. A stop is the
 * plan's own to show; what repairs and removes files is shown by its own dry run.
 */
import type { AgentRecords, Attempts } from "../domain/Attempts.ts"
import type { TaskId } from "../domain/identifiers.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Request } from "../domain/Request.ts"
import { carryOut } from "./carryOut.ts"
import type { RequestEffect } from "./carryOut.ts"

/** What is no change of what is remembered. */
type Elsewhere = Extract<Request, { readonly kind: "stop" | "repair" | "gc" | "apply" }>

const isElsewhere = (request: Request): request is Elsewhere =>
  request.kind === "stop" || request.kind === "repair" || request.kind === "gc" || request.kind === "apply"

export const afterRequests = (observed: ObservedState): ObservedState => {
  let agents: AgentRecords = { agents: observed.agents, paused: observed.paused }
  const attempts = new Map<TaskId, Attempts>()
  const take = (effect: RequestEffect): void => {
    if (effect._tag === "WriteAgents") ({ agents } = effect)
    if (effect._tag === "WriteAttempts") attempts.set(effect.attempts.taskId, effect.attempts)
  }
  for (const request of observed.requests) {
    if (isElsewhere(request)) continue
    const record = "taskId" in request ? observed.records.find(({ taskId }) => taskId === request.taskId) : undefined
    const carried = carryOut(request, {
      nowMs: observed.nowMs,
      attempts: (record === undefined ? undefined : attempts.get(record.taskId)) ?? record?.attempts ?? null,
      attemptsProblem: record?.attemptsProblem ?? null,
      underWay: null,
      agents
    })
    if (carried._tag === "Answered") take(carried.effect)
  }
  return {
    ...observed,
    agents: agents.agents,
    paused: agents.paused,
    records: observed.records.map((record) => ({
      ...record,
      attempts: attempts.get(record.taskId) ?? record.attempts
    }))
  }
}

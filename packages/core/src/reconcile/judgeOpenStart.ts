/** Step 2, stale, for what is less than a whole attempt: a start of which only the intent is remembered. */
import type { Action } from "../domain/Plan.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import { isProvenDead } from "../domain/TaskRecord.ts"
import type { AttemptView } from "./attemptView.ts"
import type { TaskSight } from "./attemptFacts.ts"
import { waitForReading } from "./judgement.ts"
import type { Judgement } from "./judgement.ts"

/**
 * A start that was written down, and then neither lease nor claim: held until a scan by its token finds nothing alive.
 * Then a task that shows our marks is reclaimed as lost; any other is left as it is.
 */
export const judgeOpenStart = (
  view: Extract<AttemptView, { readonly _tag: "OpenStart" }>,
  record: TaskRecord,
  sight: TaskSight
): Judgement => {
  const { agent, epoch } = view.reference
  const { evidence } = view
  if (evidence === null || !isProvenDead(evidence)) {
    return {
      verdict: {
        _tag: "Wait",
        taskId: record.taskId,
        reasons: [
          {
            _tag: "EarlierAttempt",
            epoch,
            liveness: evidence !== null && evidence.others.length > 0 ? "alive" : "unknown"
          }
        ]
      },
      actions: [],
      nextMonoMs: null
    }
  }
  if (sight._tag === "Unread" || record.attemptsProblem !== null) return waitForReading(record, sight)
  const bearsOurMarks =
    sight._tag === "Found" &&
    sight.task.createdAt === view.taskCreatedAt &&
    sight.task.status === "working" &&
    sight.task.assignee === agent
  const outcome = bearsOurMarks ? ("lost" as const) : ("start-failed" as const)
  const action: Action = {
    _tag: "End",
    attempt: view.reference,
    outcome,
    detail: bearsOurMarks ? "its lease and claim are gone" : "it was written down and never begun",
    tombstone: true,
    withoutProof: false,
    prior: view.prior,
    queue: view.queue,
    taskCreatedAt: view.taskCreatedAt,
    judgeBy: null
  }
  return {
    verdict: {
      _tag: "Reclaim",
      taskId: record.taskId,
      agent,
      epoch,
      reason: bearsOurMarks ? "dead" : "unclaimed",
      outcome
    },
    actions: [action],
    nextMonoMs: null
  }
}

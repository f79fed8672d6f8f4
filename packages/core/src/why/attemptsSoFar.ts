/** What is remembered of the attempts at a task, and where their logs are. */
import type { Attempts } from "../domain/Attempts.ts"
import { attemptLogPath } from "../protocol/layout.ts"
import type { AttemptsSoFar } from "./WhyAnswer.ts"

export const attemptsSoFar = (attempts: Attempts | null): AttemptsSoFar | null => {
  if (attempts === null) return null
  const { counts, last, outcomes, taskId } = attempts
  return {
    last:
      last === null
        ? null
        : {
            epoch: last.epoch,
            agent: last.agentName,
            startedAt: last.startedAt,
            log: attemptLogPath(taskId, last.epoch)
          },
    outcomes: [...outcomes]
      .sort((left, right) => left.epoch - right.epoch)
      .map(({ at, detail, epoch, outcome }) => ({ epoch, outcome, at, detail, log: attemptLogPath(taskId, epoch) })),
    failures: counts.failures,
    losses: counts.losses
  }
}

/**
 * `gc`: whether what is remembered of a task may be forgotten. Only where its number can't come back to life here: the
 * task is archived or gone, and nothing of it is under way. A complete task may be opened again, and its epochs go on.
 */
import type { Task } from "../domain/Task.ts"
import type { StoredAttempts } from "../ports/AttemptHistory.ts"
import type { StoredTask } from "../ports/LeaseStore.ts"
import { isSameEndpoint } from "../reconcile/taskSights.ts"
import { latestAttempt } from "./retry.ts"

export interface ForgetSight {
  readonly stored: StoredTask
  readonly remembered: StoredAttempts
  /** What Tinytask says under the number; null = there is no such task. */
  readonly task: Task | null
  /** The Tinytask that was asked. */
  readonly endpoint: string
}

/** One machine by two names: `up` knows its server as 127.0.0.1, commands by their default as localhost. */
const byNumber = (endpoint: string): string => endpoint.replace(/\/\/(?:localhost|\[::1\])(?=[:/]|$)/i, "//127.0.0.1")

/** What the files alone say: whether it is worth asking Tinytask. */
export const isForgettable = ({ endpoint, remembered, stored }: Omit<ForgetSight, "task">): boolean => {
  const { attempts } = remembered
  const isQuiet = stored.lease._tag === "Missing" && stored.claims.length === 0 && stored.stops.length === 0
  // What another server says of the number is nothing.
  return (
    isQuiet &&
    attempts !== null &&
    isSameEndpoint(byNumber(attempts.endpoint), byNumber(endpoint)) &&
    latestAttempt(attempts)?.ended !== false
  )
}

/** Also where the number belongs to another task by now: whose epochs these are nobody could tell. */
export const mayForget = (sight: ForgetSight): boolean =>
  isForgettable(sight) && (sight.task === null || sight.task.archived)

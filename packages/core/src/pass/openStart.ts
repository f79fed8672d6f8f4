/** A start that was written down, and of which neither lease nor claim is left to say what became of it. */
import { unendedStart } from "../domain/Attempts.ts"
import type { Attempts, LastStart } from "../domain/Attempts.ts"
import type { StoredTask } from "../ports/LeaseStore.ts"

/** Claims of attempts before it say nothing of it. Null when there is no such start. */
export const openStartOf = (stored: StoredTask, attempts: Attempts | null): LastStart | null => {
  const last = unendedStart(attempts)
  return last !== null && stored.lease._tag === "Missing" && stored.claims.every(({ epoch }) => epoch < last.epoch)
    ? last
    : null
}

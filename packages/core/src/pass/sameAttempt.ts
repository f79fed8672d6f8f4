/** Whether the files still say what a plan saw: epoch, token and phase. Asked right before acting. */
import type { AttemptReference } from "../domain/Plan.ts"
import type { StoredTask } from "../ports/LeaseStore.ts"

export const isSameAttempt = (reference: AttemptReference, stored: StoredTask): boolean => {
  const { lease } = stored
  const claim = stored.claims.find(({ epoch }) => epoch === reference.epoch)
  switch (reference.phase) {
    case "starting":
    case "running":
    case "finished":
      return (
        lease._tag === "Read" &&
        lease.lease.token === reference.token &&
        lease.lease.epoch === reference.epoch &&
        lease.lease.phase === reference.phase
      )
    case "claim-only":
      return (
        claim?._tag === "Read" &&
        claim.claim.token === reference.token &&
        !(lease._tag === "Read" && lease.lease.token === reference.token)
      )
    case "none":
      return lease._tag === "Missing" && stored.claims.every(({ epoch }) => epoch < reference.epoch)
  }
}

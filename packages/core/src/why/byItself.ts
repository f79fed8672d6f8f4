/** When something about a task changes without anybody's doing. */
import type { Plan, WaitReason } from "../domain/Plan.ts"
import type { Situation } from "../domain/Situation.ts"
import { millisOf } from "../domain/time.ts"
import { pauseHolds } from "../requests/pause.ts"
import type { ByItself } from "./WhyAnswer.ts"

const endOf = (reason: WaitReason): ByItself["ends"] => {
  if (reason._tag === "Backoff") return [{ what: "its backoff ends", atMs: reason.untilMs }]
  if (reason._tag === "AgentSetAside") {
    return [{ what: `${reason.agent} is no longer set aside`, atMs: reason.untilMs }]
  }
  return reason._tag === "AgentPaused" && reason.untilMs !== null
    ? [{ what: `the pause of ${reason.agent} ends`, atMs: reason.untilMs }]
    : []
}

export const byItself = (reasons: ReadonlyArray<WaitReason>, plan: Plan, { observed }: Situation): ByItself => {
  const { nowMs, paused } = observed
  const pauseEnds =
    pauseHolds(paused, nowMs) && paused.until !== null && reasons.some(({ _tag }) => _tag === "StartsOff")
      ? [{ what: "the pause of all agents ends", atMs: millisOf(paused.until) }]
      : []
  const times = [plan.nextWallMs, plan.nextMonoMs === null ? null : nowMs + (plan.nextMonoMs - plan.monoMs)]
  const known = times.filter((time) => time !== null)
  return {
    ends: [...reasons.flatMap(endOf), ...pauseEnds].sort((left, right) => left.atMs - right.atMs),
    anyAtMs: known.length === 0 ? null : Math.min(...known)
  }
}

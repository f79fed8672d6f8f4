/** What must hold of several plans: of successive rounds, and of the same world in another order. */
import type { Plan } from "../../domain/Plan.ts"
import { actionTaskId } from "../actionTaskId.ts"
import type { Violation } from "./Violation.ts"

/** Whether a round, counted from 1, does no more than note what the starts of the one before made of other tasks. */
const onlyNotesStarts = (rounds: ReadonlyArray<Plan>, round: number): boolean =>
  (rounds[round - 2]?.actions.some(({ _tag }) => _tag === "Start") ?? false) &&
  (rounds[round - 1]?.actions.every(({ _tag }) => _tag === "Note") ?? false)

/**
 * (e) The plans of successive fault-free rounds at one `now` come to rest: no action after at most 2 + (finish, reclaim
 * and rebuild actions) rounds, and no round repeats an action of an earlier one. The longest: rebuild the lease of an
 * orphan, stop it, end it, use its slot. A round that only notes is not counted after one that starts: the server sets a
 * complete parent to working with its subtask, and what was seen of the parent's attempt is over.
 */
export const settlingViolations = (rounds: ReadonlyArray<Plan>): ReadonlyArray<Violation> => {
  const ended = new Set(
    rounds.flatMap(({ actions }) =>
      actions.filter(({ _tag }) => _tag === "End" || _tag === "EndLegacy").map(actionTaskId)
    )
  ).size
  const rebuilt = rounds.flatMap(({ actions }) => actions.filter(({ _tag }) => _tag === "Rebuild")).length
  const bound = 2 + ended + rebuilt
  const seen = new Set<string>()
  const repeated = rounds.flatMap(({ actions }, round) =>
    actions.flatMap((action) => {
      const key = JSON.stringify(action)
      const again = seen.has(key)
      seen.add(key)
      return again ? [`round ${round + 1} repeats ${action._tag} of task ${actionTaskId(action)}`] : []
    })
  )
  const restless = rounds
    .map(({ actions }, index) => ({ actions, round: index + 1 }))
    .filter(({ round }) => !onlyNotesStarts(rounds, round))
    .slice(bound)
    .flatMap(({ actions, round }) =>
      actions.length === 0 ? [] : [`round ${round} still has ${actions.length} actions`]
    )
  return [...repeated, ...restless].map((message) => ({ invariant: "e", message }))
}

/** (f) Two plans of permuted inputs are equal to the byte. */
export const permutationViolations = (plan: Plan, ofPermuted: Plan): ReadonlyArray<Violation> =>
  JSON.stringify(plan) === JSON.stringify(ofPermuted)
    ? []
    : [{ invariant: "f", message: "the order of the input's arrays changed the plan" }]

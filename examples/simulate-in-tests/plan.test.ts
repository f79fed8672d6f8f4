/** Asserting on plans: values in, values out. No clock, no file, no process, no server. */
import { assert, it } from "@effect/vitest"
import {
  describeVerdict,
  forecast,
  planDifference,
  reconcile,
  suppose,
  TaskId,
  violationsOf,
  why
} from "@tinyscheduler/core"
import type { Plan, Situation, Supposition } from "@tinyscheduler/core"
import { blockedBy, situationOf, task, vaela } from "./team.ts"

const hourMs = 3_600_000

const planOf = ({ desired, observed }: Situation): Plan => reconcile(observed, desired)
const lines = (situation: Situation): ReadonlyArray<string> => planOf(situation).verdicts.map(describeVerdict)

/** Two tasks wait for the first; the others are as old as it, and more urgent. */
const release = situationOf([
  task(1),
  task(2, blockedBy(1)),
  task(3, blockedBy(2)),
  task(4, { priority: 5 }),
  task(5, { priority: 5 })
])

it("what others wait for goes first, then what is urgent", () => {
  assert.deepStrictEqual(lines(release), [
    "start task 1 on vaela (epoch 1, attempt 1)",
    "wait task 2: blocked by 1",
    "wait task 3: blocked by 2, root blocker 1",
    "start task 4 on vaela (epoch 1, attempt 1)",
    "wait task 5: no free slot: queue dev 2/2"
  ])
})

it("a third slot would start one more task, and change nothing else", () => {
  const slots: Supposition = { _tag: "AgentSlots", agent: vaela, slots: 3 }
  const changed = planDifference(planOf(release), planOf(suppose(release, [slots])))
  assert.deepStrictEqual(
    changed.map(({ after, before, taskId }) => `${taskId}: ${before?._tag} > ${after?._tag}`),
    ["5: Wait > Start"]
  )
})

it("the task that waits for its slot is told what would start it", () => {
  const answer = why(release, planOf(release), TaskId.make(5))
  const found = answer._tag === "Judged" ? answer.counterfactual : null
  assert.strictEqual(found?._tag === "Found" ? found.words : null, "finish task 4")
})

it("five tasks of an hour each take three hours: the chain is the longest, and nothing waits for ever", () => {
  const { makespanMs, never } = forecast(release, () => hourMs)
  assert.strictEqual(makespanMs, 3 * hourMs)
  assert.deepStrictEqual(never, [])
})

it("no situation that a pause, a finish or a night makes of it has a plan that breaks an invariant", () => {
  const suppositions: ReadonlyArray<Supposition> = [
    { _tag: "Pause", agent: vaela },
    { _tag: "Finish", taskId: TaskId.make(1) },
    { _tag: "Later", ms: 12 * hourMs }
  ]
  for (const supposition of suppositions) {
    const { desired, observed } = suppose(release, [supposition])
    assert.deepStrictEqual(violationsOf(observed, desired, reconcile(observed, desired)), [])
  }
})

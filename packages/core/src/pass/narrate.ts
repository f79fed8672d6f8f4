/** A plan in lines for people: the five steps of a pass, each decision one line with its reason. */
import type { Plan, Usage, Verdict } from "../domain/Plan.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import { describeVerdict } from "../reconcile/describe.ts"

/** One line, and what it is about, for whoever sorts or colours lines. */
export interface NarratedLine {
  readonly step: 1 | 2 | 3 | 4 | 5
  /** The task it is about; null for a step's summary. */
  readonly taskId: number | null
  /** The verdict that it tells; null for a step's summary. */
  readonly verdict: Verdict | null
  readonly text: string
  /** Decisions that change something, or hold something up. */
  readonly kind: "summary" | "action" | "state" | "wait"
}

const stepOf: { readonly [K in Verdict["_tag"]]: 2 | 3 | 5 } = {
  Running: 2,
  Finish: 2,
  Stop: 2,
  Reclaim: 2,
  Wait: 3,
  Ignore: 3,
  Start: 5
}

const kindOf: { readonly [K in Verdict["_tag"]]: NarratedLine["kind"] } = {
  Running: "state",
  Finish: "action",
  Stop: "action",
  Reclaim: "action",
  Wait: "wait",
  Ignore: "wait",
  Start: "action"
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

const usageText = ({ held, limit, name, started }: Usage): string =>
  `${name} ${held}${started === 0 ? "" : `+${started}`}/${limit ?? "∞"}`

const summary = (step: NarratedLine["step"], text: string): NarratedLine => ({
  step,
  taskId: null,
  verdict: null,
  text,
  kind: "summary"
})

/** Lines in the order of the steps; within a step by task. */
export const narrate = (plan: Plan, records: ReadonlyArray<TaskRecord>): ReadonlyArray<NarratedLine> => {
  const count = (tag: Verdict["_tag"]): number => plan.verdicts.filter(({ _tag }) => _tag === tag).length
  const linesOf = (step: NarratedLine["step"]): ReadonlyArray<NarratedLine> =>
    plan.verdicts
      .filter(({ _tag }) => stepOf[_tag] === step)
      .map((verdict) => ({
        step,
        taskId: verdict.taskId,
        verdict,
        text: describeVerdict(verdict),
        kind: kindOf[verdict._tag]
      }))
  const leases = records.filter(({ lease }) => lease._tag !== "Missing").length
  const open =
    plan.tinytask._tag === "Unread"
      ? `Tinytask could not be read: ${plan.tinytask.reason}`
      : `${counted(count("Start") + count("Wait") + count("Ignore"), "task")} without an attempt, ${count("Wait")} waiting`
  return [
    summary(1, `leases: ${counted(leases, "lease")}, ${count("Running")} running`),
    summary(2, `stale: ${count("Finish")} finished, ${count("Stop")} being stopped, ${count("Reclaim")} reclaimed`),
    ...linesOf(2),
    summary(3, `tasks: ${open}`),
    ...linesOf(3),
    summary(4, `capacity: ${[...plan.usage.agents, plan.usage.total].map(usageText).join(", ")}`),
    summary(
      5,
      `assign: ${counted(count("Start"), "start")}${plan.leftByBound === 0 ? "" : `, ${plan.leftByBound} left by the bound of one pass`}`
    ),
    ...linesOf(5)
  ]
}

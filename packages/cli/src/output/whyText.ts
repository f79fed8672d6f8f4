/** The answer to "why?" as a person reads it: short lines, the way out first after the verdict. */
import { join } from "node:path"
import { describeReason, describeVerdict } from "@tinyscheduler/core/reconcile/describe"
import { timestampOf } from "@tinyscheduler/core/domain/time"
import { spanWords } from "@tinyscheduler/core/why/changeWords"
import type { AttemptsSoFar, Counterfactual, WhyAnswer } from "@tinyscheduler/core/why/WhyAnswer"
import type { WaitingGroup } from "@tinyscheduler/core/why/whyAll"
import { escapeShort, escapeText } from "./escape.ts"

const outcomesShown = 5
const tasksShown = 12

type Judged = Extract<WhyAnswer, { readonly _tag: "Judged" }>

const changeText = (counterfactual: Counterfactual): ReadonlyArray<string> => {
  switch (counterfactual._tag) {
    case "NotSought":
      return []
    case "Found":
      return [`it would start now: ${counterfactual.words}`]
    case "None":
      return counterfactual.bounded
        ? [`no single change was found under which it would start now, of as many as were tried`]
        : ["no single change would start it now"]
  }
}

const aheadText = ({ ahead: { count, first } }: Judged): ReadonlyArray<string> =>
  count === 0 ? [] : [`ahead of it: ${first.join(" ")}${count > first.length ? ` … (${count})` : ""}`]

const blockersText = ({ blockers: { chain, cycle } }: Judged): ReadonlyArray<string> => [
  ...chain.map(({ taskId, verdict }) =>
    verdict === null ? `blocker ${taskId}: not among the open tasks` : `blocker ${taskId}: ${describeVerdict(verdict)}`
  ),
  ...(cycle === null ? [] : [`the blockers form a cycle: ${[...cycle, ...cycle.slice(0, 1)].join(" > ")}`])
]

const momentText = (atMs: number, nowMs: number): string =>
  `${timestampOf(atMs)}${atMs > nowMs ? `, in ${spanWords(atMs - nowMs)}` : ""}`

const byItselfText = ({ byItself: { anyAtMs, ends } }: Judged, nowMs: number): ReadonlyArray<string> =>
  ends.length > 0
    ? ends.map(({ atMs, what }) => `by itself: ${what} at ${momentText(atMs, nowMs)}`)
    : anyAtMs === null
      ? []
      : [`by itself: nothing of this task; the plan as a whole may change at ${momentText(anyAtMs, nowMs)}`]

const attemptsText = (attempts: AttemptsSoFar | null, logs: string): ReadonlyArray<string> => {
  if (attempts === null) return []
  const { last, outcomes } = attempts
  const left = outcomes.length - outcomesShown
  const ended = new Set(outcomes.map(({ epoch }) => epoch))
  return [
    ...(left > 0 ? [`${left} earlier attempt${left === 1 ? "" : "s"}`] : []),
    ...outcomes
      .slice(-outcomesShown)
      .map(
        ({ at, detail, epoch, log, outcome }) => `attempt ${epoch}: ${outcome} at ${at}, ${detail} (${join(logs, log)})`
      ),
    ...(last === null || ended.has(last.epoch)
      ? []
      : [`attempt ${last.epoch}: since ${last.startedAt} on ${last.agent} (${join(logs, last.log)})`])
  ]
}

const notOpen = (answer: Extract<WhyAnswer, { readonly _tag: "NotJudged" }>): string => {
  switch (answer.where) {
    case "complete":
    case "archived":
    case "gone":
      return `task ${answer.taskId} is ${answer.where}: there is nothing to decide about it`
    case "not listed":
      return `task ${answer.taskId} is not among the open tasks`
    case "Tinytask unread":
      return `task ${answer.taskId}: Tinytask could not be read, and no attempt at it is under way here`
  }
}

/** All about one task. */
export const whyText = (answer: WhyAnswer, nowMs: number, logs: string): string => {
  const lines =
    answer._tag === "NotJudged"
      ? [notOpen(answer), ...attemptsText(answer.attempts, logs)]
      : [
          `${describeVerdict(answer.verdict)}${answer.title === null ? "" : `  ${escapeShort(answer.title, 50)}`}`,
          ...(answer.rule === null ? [] : [`judged by the rule: ${answer.rule}`]),
          ...changeText(answer.counterfactual),
          ...blockersText(answer),
          ...aheadText(answer),
          ...byItselfText(answer, nowMs),
          ...attemptsText(answer.attempts, logs)
        ]
  return lines.map(escapeText).join("\n")
}

/** A title and then its tasks under each of their reasons: what is the same is told once. */
const groupText = ({ reason, waiting }: WaitingGroup): string => {
  const tasks = new Map<string, Array<number>>()
  for (const { reason: told, taskId } of waiting) {
    const words = describeReason(told)
    const same = tasks.get(words)
    if (same === undefined) tasks.set(words, [taskId])
    else same.push(taskId)
  }
  const lines = [...tasks].sort(([, left], [, right]) => right.length - left.length)
  const shown = lines.slice(0, tasksShown).map(([words, ids]) => {
    const more = ids.length > tasksShown ? ` … (${ids.length})` : ""
    return `  ${escapeText(words)}: ${ids.slice(0, tasksShown).join(" ")}${more}`
  })
  const rest = lines.length > tasksShown ? [`  … and ${lines.length - tasksShown} more`] : []
  return [`${reason}: ${waiting.length}`, ...shown, ...rest].join("\n")
}

/** All waiting tasks by their reasons. */
export const whyAllText = (groups: ReadonlyArray<WaitingGroup>): string =>
  groups.length === 0 ? "nothing waits" : groups.map(groupText).join("\n")

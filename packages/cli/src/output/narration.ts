/**
 * The log of a pass: the five steps, each decision one line with its reason. A pass by itself tells everything; in a
 * daemon a wait is told when it begins or changes, not a thousand times.
 */
import * as Effect from "effect/Effect"
import type { ObservedState } from "@tinyscheduler/core/domain/ObservedState"
import type { Action, Plan } from "@tinyscheduler/core/domain/Plan"
import type { ActionResult } from "@tinyscheduler/core/pass/ActionResult"
import { narrate } from "@tinyscheduler/core/pass/narrate"
import type { NarratedLine } from "@tinyscheduler/core/pass/narrate"
import type { PassReport } from "@tinyscheduler/core/pass/pass"
import { type LogFields, withFields } from "./logLine.ts"

/** More waits than this in one pass are summed up; `status` and the dry run show them all. */
const waitsMax = 100

export interface Narrator {
  readonly onPlan: (observed: ObservedState, plan: Plan) => Effect.Effect<void>
  readonly onResults: (results: ReadonlyArray<ActionResult>) => Effect.Effect<void>
}

const stepLabel = (line: NarratedLine): string => `${line.step} ${line.text}`

const stepEvents: { readonly [K in NarratedLine["step"]]: string } = {
  1: "leases",
  2: "stale",
  3: "tasks",
  4: "capacity",
  5: "assign"
}

/** A verdict's word is the event, a step's name that of its summary. */
const fieldsOf = ({ step, verdict }: NarratedLine): LogFields => {
  if (verdict === null) return { event: stepEvents[step], step }
  return {
    event: verdict._tag.toLowerCase(),
    step,
    task: verdict.taskId,
    ...("agent" in verdict ? { agent: verdict.agent, epoch: verdict.epoch } : {}),
    ...("outcome" in verdict ? { outcome: verdict.outcome } : {})
  }
}

/** Which attempt an action is about. */
const attemptOf = (action: Action): { readonly taskId: number; readonly epoch: number; readonly agent?: string } => {
  switch (action._tag) {
    case "Note":
    case "Rebuild":
    case "Stop":
    case "End":
      return action.attempt
    case "EndLegacy":
    case "Start":
    case "Sweep":
      return action
  }
}

/** What became of an action where that is not simply what the plan said. What failed is told as an error of the pass. */
const tellResult = (result: ActionResult): Effect.Effect<void> => {
  if (result._tag === "Failed") return Effect.void
  const { agent, epoch, taskId } = attemptOf(result.action)
  const subject = `${result.action._tag.toLowerCase()} of task ${taskId}`
  const fields = { task: taskId, epoch, ...(agent === undefined ? {} : { agent }) }
  if (result._tag === "Skipped") {
    return Effect.logInfo(`${subject} left: ${result.why}`).pipe(withFields({ event: "left", ...fields }))
  }
  if (result.note === null) return Effect.void
  const outcome = result.outcome === null ? {} : { outcome: result.outcome }
  return Effect.logDebug(`${subject} done: ${result.note}`).pipe(
    withFields({ event: "applied", ...fields, ...outcome })
  )
}

export const makeNarrator = (mode: "once" | "daemon"): Narrator => {
  let told = new Map<number, string>()
  return {
    onPlan: (observed, plan) =>
      Effect.gen(function* () {
        const lines = narrate(plan, observed.records)
        const acts = lines.some(({ kind }) => kind === "action")
        const now = new Map<number, string>()
        let waits = 0
        for (const line of lines) {
          if (line.taskId !== null) now.set(line.taskId, line.text)
          const isNew =
            line.taskId === null
              ? acts || mode === "once"
              : line.kind === "action" || told.get(line.taskId) !== line.text
          if (line.kind === "wait" && isNew) waits += 1
          const quiet = !isNew || (line.kind === "wait" && waits > waitsMax)
          const telling = quiet ? Effect.logDebug(stepLabel(line)) : Effect.logInfo(stepLabel(line))
          yield* telling.pipe(withFields(fieldsOf(line)))
        }
        if (waits > waitsMax) {
          const more = Effect.logInfo(`3 … and ${waits - waitsMax} more waiting`)
          yield* more.pipe(withFields({ event: "tasks", step: 3 }))
        }
        told = now
      }),
    onResults: (results) => Effect.forEach(results, tellResult, { discard: true })
  }
}

export interface PassSummary {
  readonly started: number
  readonly ended: number
  readonly stopping: number
  readonly running: number
  readonly waiting: number
  readonly errors: ReadonlyArray<string>
}

/** What a pass came to. */
export const summaryOf = (report: PassReport): PassSummary => {
  const results = report.rounds.flatMap((round) => round.results)
  const applied = (tags: ReadonlyArray<string>): number =>
    results.filter(({ _tag, action }) => _tag === "Applied" && tags.includes(action._tag)).length
  const verdicts = report.rounds.at(-1)?.plan.verdicts ?? []
  const count = (tag: string): number => verdicts.filter(({ _tag }) => _tag === tag).length
  const started = applied(["Start"])
  const startedLast = (report.rounds.at(-1)?.results ?? []).filter(
    ({ _tag, action }) => _tag === "Applied" && action._tag === "Start"
  ).length
  return {
    started,
    ended: applied(["End", "EndLegacy"]),
    stopping: count("Stop"),
    running: count("Running") + startedLast,
    waiting: count("Wait"),
    errors: report.errors
  }
}

const errorCount = (count: number): string => (count === 0 ? "" : count === 1 ? ", 1 error" : `, ${count} errors`)

export const summaryText = (summary: PassSummary): string =>
  `pass: ${summary.started} started, ${summary.ended} ended, ${summary.stopping} stopping, ${summary.running} running, ${summary.waiting} waiting${errorCount(summary.errors.length)}`

/**
 * The log of a pass: the five steps, each decision one line with its reason. A pass by itself tells everything; in a
 * daemon a wait is told when it begins or changes, not a thousand times.
 */
import * as Effect from "effect/Effect"
import type { Action } from "@tinyscheduler/core/domain/Plan"
import type { ActionResult } from "@tinyscheduler/core/pass/ActionResult"
import { narrate } from "@tinyscheduler/core/pass/narrate"
import type { NarratedLine } from "@tinyscheduler/core/pass/narrate"
import type { PassInput, PassReport } from "@tinyscheduler/core/pass/pass"
import { actionTaskId } from "@tinyscheduler/core/reconcile/actionTaskId"
import { type LogFields, withFields } from "./logLine.ts"

/** More waits than this in one pass are summed up; `status` and the dry run show them all. */
const waitsMax = 100

export interface Narrator {
  readonly onPlan: PassInput["onPlan"]
  readonly onResults: PassInput["onResults"]
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

/** What waits for a yes is no action of this pass: it is told as a wait, once. */
const narrateWithheld = (
  lines: ReadonlyArray<NarratedLine>,
  withheld: ReadonlyArray<Action>
): ReadonlyArray<NarratedLine> => {
  const waiting = new Set(withheld.map(actionTaskId))
  return lines.map((line) =>
    line.kind === "action" && line.taskId !== null && waiting.has(line.taskId)
      ? { ...line, kind: "wait", text: `${line.text}: waits for approval` }
      : line
  )
}

const awaitedKey = (withheld: ReadonlyArray<Action>): string =>
  withheld.map((action) => `${action._tag} ${actionTaskId(action)}`).join()

const tellAwaited = (withheld: ReadonlyArray<Action>, toldBefore: string): Effect.Effect<void> => {
  if (withheld.length === 0 || awaitedKey(withheld) === toldBefore) return Effect.void
  const what = withheld.length === 1 ? "1 action waits" : `${withheld.length} actions wait`
  return Effect.logInfo(
    `${what} for approval: tinyscheduler plan -o FILE shows and keeps them, tinyscheduler apply FILE approves them`
  ).pipe(withFields({ event: "approval" }))
}

export const makeNarrator = (mode: "once" | "daemon"): Narrator => {
  let told = new Map<number, string>()
  let awaited = ""
  return {
    onPlan: ({ observed, plan, withheld }) =>
      Effect.gen(function* () {
        const lines = narrateWithheld(narrate(plan, observed.records), withheld)
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
        yield* tellAwaited(withheld, awaited)
        awaited = awaitedKey(withheld)
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
  /** Actions that wait for a kept plan to be applied. */
  readonly awaitingApproval: number
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
    awaitingApproval: report.rounds.at(-1)?.withheld.length ?? 0,
    errors: report.errors
  }
}

const errorCount = (count: number): string => (count === 0 ? "" : count === 1 ? ", 1 error" : `, ${count} errors`)

export const summaryText = (summary: PassSummary): string =>
  `pass: ${summary.started} started, ${summary.ended} ended, ${summary.stopping} stopping, ${summary.running} running, ${summary.waiting} waiting${summary.awaitingApproval === 0 ? "" : `, ${summary.awaitingApproval} awaiting approval`}${errorCount(summary.errors.length)}`

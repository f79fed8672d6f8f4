/** What a demo shows while it runs: a table that is drawn anew on a terminal, plain lines elsewhere. */
import * as Effect from "effect/Effect"
import type { ObservedState } from "@tinyscheduler/core/domain/ObservedState"
import type { Plan } from "@tinyscheduler/core/domain/Plan"
import { describeVerdict } from "@tinyscheduler/core/reconcile/describe"
import type { Narrator } from "../output/narration.ts"
import { escapeShort } from "../output/escape.ts"
import { table } from "../output/table.ts"

export interface DemoScreen extends Narrator {
  /** Takes the last table off the screen, so that the report stands in its place. */
  readonly close: Effect.Effect<void>
}

type Titles = ReadonlyMap<number, string>

const seconds = (fromMs: number, toMs: number): string => `${((toMs - fromMs) / 1000).toFixed(1).padStart(5)} s`

/** One line per decision that changes something. */
export const plainScreen = (titles: Titles): DemoScreen => {
  let beganMs: number | null = null
  return {
    onPlan: ({ plan }) =>
      Effect.sync(() => {
        beganMs ??= plan.nowMs
        for (const verdict of plan.verdicts) {
          if (verdict._tag === "Running" || verdict._tag === "Wait" || verdict._tag === "Ignore") continue
          const title = escapeShort(titles.get(verdict.taskId) ?? "", 40)
          process.stdout.write(`${seconds(beganMs, plan.nowMs)}  ${describeVerdict(verdict)}  ${title}\n`)
        }
      }),
    onResults: () => Effect.void,
    close: Effect.void
  }
}

const frame = (observed: ObservedState, plan: Plan, titles: Titles, beganMs: number, total: number): string => {
  const open = observed.tinytask._tag === "Read" ? observed.tinytask.tasks : []
  const active = new Map<string, Array<string>>()
  for (const verdict of plan.verdicts) {
    if (verdict._tag === "Wait" || verdict._tag === "Ignore" || verdict._tag === "Finish" || verdict._tag === "Reclaim")
      continue
    const entry = `${verdict.taskId} ${escapeShort(titles.get(verdict.taskId) ?? "", 26)}`
    active.set(verdict.agent, [...(active.get(verdict.agent) ?? []), entry])
  }
  const waiting = plan.verdicts.filter(({ _tag }) => _tag === "Wait").length
  return [
    `${seconds(beganMs, plan.nowMs)}   ${total - open.length} of ${total} complete, ${waiting} waiting`,
    "",
    table(
      ["agent", "slots", "works on"],
      plan.usage.agents.map(({ limit, name }) => [
        name,
        `${active.get(name)?.length ?? 0}/${limit ?? ""}`,
        (active.get(name) ?? []).join(", ")
      ])
    )
  ].join("\n")
}

/** A table that is drawn over itself. */
export const terminalScreen = (titles: Titles, total: number): DemoScreen => {
  let beganMs: number | null = null
  let drawn = 0
  const erase = (): string => (drawn === 0 ? "" : `\u001b[${drawn}A\u001b[J`)
  return {
    onPlan: ({ observed, plan }) =>
      Effect.sync(() => {
        beganMs ??= plan.nowMs
        const text = frame(observed, plan, titles, beganMs, total)
          .split("\n")
          .map((line) => line.slice(0, (process.stdout.columns || 80) - 1))
        process.stdout.write(`${erase()}${text.join("\n")}\n`)
        drawn = text.length
      }),
    onResults: () => Effect.void,
    close: Effect.sync(() => {
      process.stdout.write(erase())
      drawn = 0
    })
  }
}

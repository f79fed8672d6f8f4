/** What the agents themselves recorded, against what was promised: slots, blocking, every task once. */
import { readFileSync } from "node:fs"
import * as Schema from "effect/Schema"
import type { Task } from "@tinyscheduler/core/domain/Task"
import { table } from "../output/table.ts"
import { demoAgents } from "./demoFolder.ts"

const RecordLine = Schema.fromJsonString(
  Schema.Struct({ what: Schema.String, task: Schema.Int, agent: Schema.String, at: Schema.Finite })
)

interface Run {
  readonly task: number
  readonly agent: string
  readonly startMs: number
  readonly endMs: number
}

/** The runs that began and ended, in the order of their starts. */
export const readRuns = (recordFile: string): ReadonlyArray<Run> => {
  const lines = readFileSync(recordFile, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => Schema.decodeSync(RecordLine)(line))
  return lines
    .filter(({ what }) => what === "start")
    .map(({ agent, at, task }) => {
      const end = lines.find((line) => line.what === "end" && line.task === task && line.at >= at)
      return { task, agent, startMs: at, endMs: end?.at ?? Number.POSITIVE_INFINITY }
    })
    .sort((left, right) => left.startMs - right.startMs)
}

/** The most runs of one agent at the same time. */
export const mostAtOnce = (runs: ReadonlyArray<Run>): number =>
  Math.max(
    0,
    ...runs.map(({ startMs }) => runs.filter((other) => other.startMs <= startMs && startMs < other.endMs).length)
  )

export interface DemoReport {
  readonly lines: ReadonlyArray<string>
  readonly ok: boolean
}

export const demoReport = (runs: ReadonlyArray<Run>, tasks: ReadonlyArray<Task>): DemoReport => {
  const rows = demoAgents.map(({ agentName, slots }) => {
    const own = runs.filter(({ agent }) => agent === agentName)
    return { agentName, slots, most: mostAtOnce(own), tasks: own.map(({ task }) => task) }
  })
  const ended = new Map(runs.map(({ endMs, task }) => [task, endMs]))
  const early = tasks.filter((task) => {
    const start = runs.find((run) => run.task === task.id)?.startMs
    return (
      task.blockedBy !== null && start !== undefined && start < (ended.get(task.blockedBy) ?? Number.POSITIVE_INFINITY)
    )
  })
  const twice = tasks.filter((task) => runs.filter((run) => run.task === task.id).length > 1)
  const incomplete = tasks.filter(({ status }) => status !== "complete")
  const blocked = tasks.filter(({ blockedBy }) => blockedBy !== null).length
  const over = rows.filter(({ most, slots }) => most > slots)
  return {
    ok: early.length + twice.length + incomplete.length + over.length === 0,
    lines: [
      table(
        ["agent", "most at once", "slots", "tasks, in order"],
        rows.map(({ agentName, most, slots, tasks: done }) => [agentName, String(most), String(slots), done.join(" ")])
      ),
      "",
      `${tasks.length - incomplete.length} of ${tasks.length} tasks are complete, ${runs.length} were run by an agent; a parent completes with its parts.`,
      early.length === 0
        ? `None of the ${blocked} blocked tasks started before its blocker had ended.`
        : `Started before their blockers had ended: ${early.map(({ id }) => id).join(" ")}`,
      twice.length === 0 ? "No task was started twice." : `Started twice: ${twice.map(({ id }) => id).join(" ")}`,
      over.length === 0
        ? "No agent exceeded its slots."
        : `Over their slots: ${over.map(({ agentName }) => agentName).join(" ")}`
    ]
  }
}

/** Which of the known durations an attempt is given. */
import { expect, it } from "vitest"
import { defaultDurationMs, makeDurationModel, noDurationsGiven } from "../src/forecast/DurationModel.ts"
import type { DurationAsk } from "../src/forecast/VirtualMachine.ts"
import { agentName, at, epoch, taskId, tokenOf } from "./builders.ts"

const minute = 60_000
let lines = 0
const line = (agent: string, queue: string | null, minutes: number, outcome: "done" | "failed" = "done") => {
  lines += 1
  return {
    version: 1 as const,
    taskId: taskId(lines),
    epoch: epoch(1),
    token: tokenOf(lines, 1),
    agentName: agentName(agent),
    queue,
    startedAt: at(0),
    endedAt: at(minutes * 60),
    outcome,
    detail: ""
  }
}
const ask = (agent: string, queue: string | null): DurationAsk => ({
  taskId: taskId(1),
  agent: agentName(agent),
  queue
})

const history = [
  ...[1, 2, 3].map((minutes) => line("vaela", "dev", minutes)),
  line("vaela", "docs", 40),
  line("oscar", "dev", 20),
  line("oscar", "dev", 60, "failed")
]

it.each([
  ["vaela", "dev", "agent and queue", 2],
  ["oscar", "dev", "queue", 2],
  ["vaela", "ops", "agent", 2],
  ["oscar", "ops", "all", 3]
])("%s in %s goes by %s", (agent, queue, source, minutes) => {
  const model = makeDurationModel(history)
  expect(model.sourceOf(ask(agent, queue))).toBe(source)
  expect(model.middle(ask(agent, queue))).toBe(minutes * minute)
})

it("nothing known is ten minutes", () => {
  const model = makeDurationModel([line("vaela", "dev", 60, "failed")])
  expect(model.sourceOf(ask("vaela", "dev"))).toBe("default")
  expect(model.middle(ask("vaela", "dev"))).toBe(defaultDurationMs)
  expect(model.drawn(1, 1)(ask("vaela", "dev"))).toBe(defaultDurationMs)
})

it("what was given counts before the history: the task's, the agent's, the queue's, everybody's", () => {
  const given = (minutes: number) => ({ ms: minutes * minute, spreadMs: 0 })
  const everybody = { ...noDurationsGiven, ofAll: given(9) }
  const queue = { ...everybody, byName: new Map([["dev", given(8)]]) }
  const agent = { ...everybody, byName: new Map([...queue.byName, ["vaela", given(7)] as const]) }
  const task = { ...agent, ofTask: new Map([[taskId(1), given(6)]]) }
  const middles = [everybody, queue, agent, task].map((said) =>
    makeDurationModel(history, said).middle(ask("vaela", "dev"))
  )
  expect(middles).toEqual([9, 8, 7, 6].map((minutes) => minutes * minute))
})

it("a throw stays within what was given, and reaches its ends", () => {
  const model = makeDurationModel([], { ...noDurationsGiven, ofAll: { ms: 10 * minute, spreadMs: 5 * minute } })
  const drawn = Array.from({ length: 500 }, (_, run) => model.drawn(1, run)(ask("vaela", "dev")))
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(5 * minute)
  expect(Math.min(...drawn)).toBeLessThan(5.5 * minute)
  expect(Math.max(...drawn)).toBeLessThanOrEqual(15 * minute)
  expect(Math.max(...drawn)).toBeGreaterThan(14.5 * minute)
})

it("a throw of a history is one of its lengths", () => {
  const model = makeDurationModel(history)
  const drawn = Array.from({ length: 100 }, (_, run) => model.drawn(3, run)(ask("vaela", "dev")) / minute)
  expect(new Set(drawn)).toEqual(new Set([1, 2, 3]))
})

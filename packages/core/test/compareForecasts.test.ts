/** Two forecasts beside each other, by example. */
import { describe, expect, it } from "vitest"
import { compareForecasts } from "../src/forecast/compareForecasts.ts"
import type { ForecastDifference } from "../src/forecast/compareForecasts.ts"
import { forecast } from "../src/forecast/forecast.ts"
import { suppose } from "../src/whatIf/suppose.ts"
import type { Supposition } from "../src/whatIf/Supposition.ts"
import { agentName, queueName, taskId, world } from "./builders.ts"
import type { WorldBuilder } from "./builders.ts"

const hour = 3_600_000
const ada = agentName("ada")

const difference = (made: WorldBuilder, ...suppositions: ReadonlyArray<Supposition>): ForecastDifference => {
  const situation = made.build()
  return compareForecasts(
    forecast(situation, () => hour),
    forecast(suppose(situation, suppositions), () => hour)
  )
}

describe("a comparison", () => {
  it("tells what ends sooner with one slot more", () => {
    const made = world().addAgent("ada").addTask(1).addTask(2)
    expect(difference(made, { _tag: "AgentSlots", agent: ada, slots: 2 })).toEqual({
      makespanMs: -hour,
      shifts: [{ taskId: 2, beforeMs: 2 * hour, afterMs: hour }]
    })
  })

  it("tells what ends at last, and what never does", () => {
    const made = world()
      .addAgent("ada")
      .addAgent("bob", { slots: 0, queues: [queueName("qa")] })
      .addTask(1)
    made.addTask(2, { queue: "qa" })
    const other: Supposition = { _tag: "AgentSlots", agent: agentName("bob"), slots: 1 }
    expect(difference(made, other, { _tag: "Pause", agent: ada })).toEqual({
      makespanMs: 0,
      shifts: [
        { taskId: 1, beforeMs: hour, afterMs: null },
        { taskId: 2, beforeMs: null, afterMs: hour }
      ]
    })
  })

  it("says nothing of a task that is done or added by what is supposed, only of those that it moves", () => {
    const made = world()
      .addAgent("ada")
      .addTask(1)
      .addTask(2, { blocked: true, blockedBy: taskId(1) })
    const added = { title: "t", queue: "dev", assignee: null, priority: 9, tags: [], parent: null, blockedBy: null }
    expect(difference(made, { _tag: "AddTask", task: added })).toEqual({
      makespanMs: hour,
      shifts: [{ taskId: 2, beforeMs: 2 * hour, afterMs: 3 * hour }]
    })
    expect(difference(made, { _tag: "Finish", taskId: taskId(1) }).shifts).toEqual([
      { taskId: 2, beforeMs: 2 * hour, afterMs: hour }
    ])
  })
})

describe("more slots", () => {
  it("may make all of it take longer where a limit is shared: those who come first then crowd out the others", () => {
    // Two at once: four hours side by side. With a second slot ada's urgent tasks take both, and bob has one slot after.
    const made = world()
      .addAgent("ada")
      .addAgent("bob", { queues: [queueName("qa")] })
      .limitAll(2)
    for (const id of [1, 2, 3, 4]) made.addTask(id, { priority: 1 })
    for (const id of [5, 6, 7, 8]) made.addTask(id, { queue: "qa" })
    expect(difference(made, { _tag: "AgentSlots", agent: ada, slots: 2 }).makespanMs).toBe(2 * hour)
  })

  it("may make it seem longer where they let start what never did", () => {
    const made = world().addAgent("ada", { slots: 0 }).addTask(1)
    expect(difference(made, { _tag: "AgentSlots", agent: ada, slots: 1 }).makespanMs).toBe(hour)
  })
})

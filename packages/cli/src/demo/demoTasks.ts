/** The two dozen tasks of the demo: three queues, priorities, a chain in which each waits for the one before, a parent with parts. */
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import { Tinytask } from "@tinyscheduler/adapters-tinytask/TinytaskClient"
import * as Effect from "effect/Effect"

interface DemoTask {
  readonly title: string
  readonly queue: "dev" | "qa" | "product"
  readonly priority?: number
  /** The title of the task that must be complete first. */
  readonly after?: string
  readonly partOf?: string
}

export const demoTasks: ReadonlyArray<DemoTask> = [
  { title: "Sketch the export format", queue: "product", priority: 5 },
  { title: "Write the exporter", queue: "dev", priority: 5, after: "Sketch the export format" },
  { title: "Test the exporter", queue: "qa", priority: 5, after: "Write the exporter" },
  { title: "Announce the exporter", queue: "product", priority: 5, after: "Test the exporter" },
  { title: "Rework the settings page", queue: "dev" },
  { title: "Settings: storage", queue: "dev", partOf: "Rework the settings page" },
  { title: "Settings: form", queue: "dev", partOf: "Rework the settings page" },
  { title: "Settings: tests", queue: "qa", partOf: "Rework the settings page" },
  { title: "Fix the login redirect", queue: "dev", priority: 9 },
  { title: "Upgrade the parser", queue: "dev", priority: 2 },
  { title: "Remove dead flags", queue: "dev", priority: -1 },
  { title: "Speed up start-up", queue: "dev", priority: 3 },
  { title: "Handle empty uploads", queue: "dev", priority: 4 },
  { title: "Rename the cache module", queue: "dev" },
  { title: "Log slow queries", queue: "dev", priority: 1 },
  { title: "Check the release notes", queue: "product", priority: 2 },
  { title: "Interview two users", queue: "product", priority: 1 },
  { title: "Price the team plan", queue: "product" },
  { title: "Regression run", queue: "qa", priority: 4 },
  { title: "Try the mobile layout", queue: "qa", priority: 2 },
  { title: "Measure page weight", queue: "qa" },
  { title: "Test the login redirect", queue: "qa", priority: 8, after: "Fix the login redirect" },
  { title: "Check accessibility", queue: "qa", priority: 3 },
  { title: "Fuzz the upload form", queue: "qa", priority: 1, after: "Handle empty uploads" }
]

/** Adds the tasks; answers their numbers by title. */
export const addDemoTasks = Effect.gen(function* () {
  const tinytask = yield* Tinytask
  const numbers = new Map<string, TaskId>()
  for (const { after, partOf, priority, queue, title } of demoTasks) {
    const blockedBy = after === undefined ? undefined : numbers.get(after)
    const parent = partOf === undefined ? undefined : numbers.get(partOf)
    const task = yield* tinytask.createTask({
      title,
      queue,
      createdBy: "demo",
      priority: priority ?? 0,
      ...(blockedBy === undefined ? {} : { blockedBy }),
      ...(parent === undefined ? {} : { parent })
    })
    numbers.set(title, task.id)
  }
  return numbers
})

/** `--add-task queue=dev,priority=9` of a what-if: a task that is not there yet. */
import type { DesiredState } from "@tinyscheduler/core/domain/DesiredState"
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { ObservedState } from "@tinyscheduler/core/domain/ObservedState"
import { isOpen } from "@tinyscheduler/core/domain/Task"
import type { Task } from "@tinyscheduler/core/domain/Task"
import type { SupposedTask } from "@tinyscheduler/core/whatIf/Supposition"
import * as Result from "effect/Result"
import { escapeShort } from "../output/escape.ts"
import { nameHint } from "./nameHint.ts"

/** A field of the task, or what is wrong with its value. */
type Field = Result.Result<Partial<SupposedTask>, string>

const titleMax = 200

const expected = (value: string, what: string) => Result.fail(`is "${escapeShort(value, 80)}", expected ${what}`)

const oneOf = (value: string, names: ReadonlySet<string>): Result.Result<string, string> =>
  names.has(value)
    ? Result.succeed(value)
    : Result.fail(`is "${escapeShort(value, 80)}": ${nameHint(value, [...names].sort())}`)

const openTask = (value: string, tasks: ReadonlyArray<Task>): Result.Result<TaskId, string> => {
  const id = /^[1-9][0-9]{0,15}$/.test(value) ? Number(value) : null
  const task = tasks.find((one) => one.id === id && isOpen(one))
  return task === undefined ? expected(value, "the number of an open task") : Result.succeed(task.id)
}

const queuesOf = ({ agents, queueLimits }: DesiredState, tasks: ReadonlyArray<Task>) =>
  new Set<string>([
    ...agents.flatMap(({ queues }) => queues),
    ...queueLimits.map(({ queue }) => queue),
    ...tasks.flatMap(({ queue }) => queue ?? [])
  ])

/** Every field that may be given, with what makes it of its text. */
const fieldsOf = (
  { tinytask }: ObservedState,
  desired: DesiredState
): ReadonlyMap<string, (value: string) => Field> => {
  const tasks = tinytask._tag === "Read" ? tinytask.tasks : []
  const agents = new Set<string>(desired.agents.map(({ name }) => name))
  return new Map<string, (value: string) => Field>([
    ["queue", (text) => Result.map(oneOf(text, queuesOf(desired, tasks)), (queue) => ({ queue }))],
    ["assignee", (text) => Result.map(oneOf(text, agents), (assignee) => ({ assignee }))],
    [
      "priority",
      (text) =>
        /^-?[0-9]{1,9}(?:\.[0-9]{1,6})?$/.test(text)
          ? Result.succeed({ priority: Number(text) })
          : expected(text, "a number")
    ],
    [
      "title",
      (text) =>
        text !== "" && text.length <= titleMax
          ? Result.succeed({ title: text })
          : expected(text, `1 to ${titleMax} characters`)
    ],
    ["blockedBy", (text) => Result.map(openTask(text, tasks), (blockedBy) => ({ blockedBy }))],
    ["parent", (text) => Result.map(openTask(text, tasks), (parent) => ({ parent }))]
  ])
}

const unsaid: SupposedTask = {
  title: "a supposed task",
  queue: null,
  assignee: null,
  priority: 0,
  tags: [],
  parent: null,
  blockedBy: null
}

/** The failure is a sentence for whoever typed it. A comma that no field's name follows belongs to the value before it. */
export const parseAddedTask = (
  typed: string,
  observed: ObservedState,
  desired: DesiredState
): Result.Result<SupposedTask, string> => {
  const fields = fieldsOf(observed, desired)
  const said = new Set<string>()
  const task = { ...unsaid }
  for (const item of typed.split(/,(?=[A-Za-z]+=)/)) {
    const at = item.indexOf("=")
    const name = at < 0 ? item : item.slice(0, at)
    const make = fields.get(name)
    if (make === undefined || at < 0) {
      const hint = make === undefined ? nameHint(name, [...fields.keys()]) : `expected ${name}=value`
      return Result.fail(`--add-task knows no "${escapeShort(name, 80)}": ${hint}`)
    }
    if (said.has(name)) return Result.fail(`--add-task says ${name} twice`)
    said.add(name)
    const made = make(item.slice(at + 1))
    if (Result.isFailure(made)) return Result.fail(`--add-task: ${name} ${made.failure}`)
    Object.assign(task, made.success)
  }
  return Result.succeed(task)
}

/** `tinytask serve|add|list`: a small Tinytask by itself, and tasks by hand. */
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { layerTinytask, Tinytask } from "@tinyscheduler/adapters-tinytask/TinytaskClient"
import { TaskId } from "@tinyscheduler/core/domain/identifiers"
import { placedSettings } from "../flags.ts"
import { startEmbedded } from "../embeddedServer.ts"
import { endsWhenAsked } from "../interruption.ts"
import { tinytaskOptions } from "../layers.ts"
import { escapeShort } from "../output/escape.ts"
import { layerLogging } from "../output/logging.ts"
import { print, printJson } from "../output/print.ts"
import { table } from "../output/table.ts"
import { serverFlags } from "./up.ts"

const serve = Command.make(
  "serve",
  serverFlags,
  Effect.fn("cli.tinytask.serve")(function* ({ db, host, port }) {
    yield* endsWhenAsked
    const { settings } = yield* placedSettings
    const program = Effect.gen(function* () {
      const server = yield* startEmbedded({ databasePath: resolve(settings.basePath, db), host, port })
      yield* print(`Tinytask listens at ${server.url}`)
      return yield* Effect.never
    })
    return yield* Effect.scoped(program).pipe(Effect.provide(layerLogging(() => settings, null)))
  })
).pipe(Command.withDescription("Serve tasks over MCP, kept in one file"))

const json = Flag.Boolean("json").pipe(Flag.withDescription("Print JSON"), Flag.withDefault(false))

const taskNumber = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withSchema(TaskId), Flag.withDescription(description), Flag.optional)

const add = Command.make(
  "add",
  {
    title: Argument.String("title").pipe(Argument.withDescription("What is to be done")),
    queue: Flag.String("queue").pipe(Flag.withDescription("The queue it stands in"), Flag.optional),
    assignee: Flag.String("assignee").pipe(Flag.withDescription("The agent it is for"), Flag.optional),
    description: Flag.String("description").pipe(Flag.withDescription("All about it"), Flag.optional),
    priority: Flag.Finite("priority").pipe(Flag.withDescription("Higher comes first"), Flag.withDefault(0)),
    tag: Flag.String("tag").pipe(Flag.withDescription("A tag; repeatable"), Flag.atLeast(0)),
    parent: taskNumber("parent", "The task it is a part of"),
    blockedBy: taskNumber("blocked-by", "The task that must be complete first"),
    json
  },
  Effect.fn("cli.tinytask.add")(function* (flags) {
    const { settings } = yield* placedSettings
    const created = yield* Effect.flatMap(Tinytask, (tinytask) =>
      tinytask.createTask({
        title: flags.title,
        createdBy: "tinyscheduler",
        priority: flags.priority,
        tags: flags.tag,
        ...Option.match(flags.queue, { onNone: () => ({}), onSome: (queue) => ({ queue }) }),
        ...Option.match(flags.assignee, { onNone: () => ({}), onSome: (assignee) => ({ assignee }) }),
        ...Option.match(flags.description, { onNone: () => ({}), onSome: (description) => ({ description }) }),
        ...Option.match(flags.parent, { onNone: () => ({}), onSome: (parent) => ({ parent }) }),
        ...Option.match(flags.blockedBy, { onNone: () => ({}), onSome: (blockedBy) => ({ blockedBy }) })
      })
    ).pipe(Effect.provide([layerTinytask(tinytaskOptions(settings)), layerLogging(() => settings, null)]))
    yield* flags.json ? printJson(created) : print(`task ${created.id} added`)
  })
).pipe(Command.withDescription("Add a task"))

const list = Command.make(
  "list",
  {
    queue: Flag.String("queue").pipe(Flag.withDescription("Only this queue"), Flag.optional),
    all: Flag.Boolean("all").pipe(Flag.withDescription("Complete ones too"), Flag.withDefault(false)),
    json
  },
  Effect.fn("cli.tinytask.list")(function* (flags) {
    const { settings } = yield* placedSettings
    const tasks = yield* Effect.flatMap(Tinytask, (tinytask) =>
      flags.all ? tinytask.listAll : tinytask.queue.listOpen
    ).pipe(Effect.provide([layerTinytask(tinytaskOptions(settings)), layerLogging(() => settings, null)]))
    const queue = Option.getOrNull(flags.queue)
    const shown = tasks
      .filter((task) => queue === null || task.queue === queue)
      .sort((left, right) => left.id - right.id)
    if (flags.json) return yield* printJson(shown)
    yield* print(
      table(
        ["id", "status", "queue", "assignee", "priority", "waits for", "title"],
        shown.map((task) => [
          String(task.id),
          task.status,
          escapeShort(task.queue ?? "", 24),
          escapeShort(task.assignee ?? "", 24),
          String(task.priority),
          task.blocked ? String(task.blockedBy ?? "") : "",
          escapeShort(task.title, 60)
        ])
      )
    )
  })
).pipe(Command.withDescription("List tasks"))

export const tinytaskCommand = Command.make("tinytask").pipe(
  Command.withDescription("A Tinytask of our own, and tasks by hand"),
  Command.withSubcommands([serve, add, list])
)

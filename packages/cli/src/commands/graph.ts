/** `graph [TASK]`: who blocks whom, as text, Mermaid, DOT or JSON. Looks only; the same plan as `status` makes. */
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import { blockingGraph } from "@tinyscheduler/core/graph/blockingGraph"
import type { BlockingGraph } from "@tinyscheduler/core/graph/Graph"
import { graphDot } from "@tinyscheduler/core/graph/graphDot"
import { graphMermaid } from "@tinyscheduler/core/graph/graphMermaid"
import { graphText, graphTextAround } from "@tinyscheduler/core/graph/graphText"
import { linkedPart, partAround } from "@tinyscheduler/core/graph/partOfGraph"
import { makePassMemory } from "@tinyscheduler/core/pass/memory"
import { plan } from "@tinyscheduler/core/pass/pass"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { json, task } from "../asking/askFlags.ts"
import { exitCodes, ExitWith } from "../exits.ts"
import { configuration } from "../flags.ts"
import { layerPorts } from "../layers.ts"
import { layerLogging } from "../output/logging.ts"
import { print, printJson } from "../output/print.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"

const formats = ["text", "mermaid", "dot", "json"] as const
type Format = (typeof formats)[number]

/** `--json` is what every command has; beside another format it is a contradiction. */
const formatOf = Effect.fnUntraced(function* (format: Option.Option<Format>, asJson: boolean) {
  const asked = Option.getOrElse(format, (): Format => (asJson ? "json" : "text"))
  if (!asJson || asked === "json") return asked
  const faults = [`--json and --format ${asked} contradict each other: give one of them`]
  return yield* new ConfigurationError({ faults })
})

const partOf = Effect.fnUntraced(function* (whole: BlockingGraph, taskId: TaskId | null, all: boolean) {
  if (taskId === null) return all ? whole : linkedPart(whole)
  const part = partAround(whole, taskId)
  if (part !== null) return part
  const faults = [`task ${taskId} is not open and blocks no open task; tinyscheduler tinytask list shows the open ones`]
  return yield* new ConfigurationError({ faults })
})

const show = (graph: BlockingGraph, taskId: TaskId | null, format: Format): Effect.Effect<void> => {
  switch (format) {
    case "text":
      return print(taskId === null ? graphText(graph) : graphTextAround(graph, taskId))
    case "mermaid":
      return print(graphMermaid(graph))
    case "dot":
      return print(graphDot(graph))
    case "json":
      return printJson(graph)
  }
}

export const graphCommand = Command.make(
  "graph",
  {
    task: task.pipe(Argument.optional),
    format: Flag.Literals("format", formats).pipe(
      Flag.withDescription("text (default), mermaid, dot for Graphviz, or json"),
      Flag.optional
    ),
    json,
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("Show tasks too that neither block nor are blocked"),
      Flag.withDefault(false)
    )
  },
  Effect.fn("cli.graph")(function* ({ all, format: asked, json: asJson, task: about }) {
    const format = yield* formatOf(asked, asJson)
    const taskId = Option.getOrNull(about)
    const config = yield* configuration
    const program = Effect.gen(function* () {
      const { desired } = config
      const { observed, plan: made } = yield* plan({
        desired,
        memory: yield* makePassMemory,
        startsOffReason: null
      })
      const whole = blockingGraph({ observed, desired }, made)
      if (made.tinytask._tag === "Unread") {
        if (format === "json") yield* printJson(whole)
        yield* Effect.logError(made.tinytask.reason)
        return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
      }
      yield* show(yield* partOf(whole, taskId, all), taskId, format)
    })
    yield* program.pipe(Effect.provide([layerPorts(config, "looks"), layerLogging(() => config.settings, null)]))
  })
).pipe(Command.withDescription("Draw which tasks block which, the longest chain and the cycles"))

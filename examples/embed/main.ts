/**
 * The core in a program of your own: what would start, why something does not, what another slot would change, and when
 * all of it is done. Nothing is started, and nothing is written.
 *
 *     node --conditions=source examples/embed/main.ts
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import {
  AgentName,
  describeVerdict,
  forecast,
  makePassMemory,
  plan,
  planDifference,
  policyDefaults,
  QueueName,
  reconcile,
  suppose,
  TaskId,
  why
} from "@tinyscheduler/core"
import type { DesiredState, Situation } from "@tinyscheduler/core"
import { ports } from "./ports.ts"

const vaela = AgentName.make("vaela")

const desired: DesiredState = {
  mode: "queues",
  endpoint: "my tickets",
  agents: [
    {
      name: vaela,
      queues: [QueueName.make("dev")],
      slots: 1,
      enabled: true,
      recipe: null,
      success: "exit",
      maxRuntimeSec: 600,
      stopGraceSec: 10,
      stopSignal: "SIGTERM"
    }
  ],
  queueLimits: [],
  maxConcurrent: null,
  policy: policyDefaults
}

/** Each attempt takes ten minutes, as far as anybody knows. */
const minutesOf = (situation: Situation): number => forecast(situation, () => 600_000).makespanMs / 60_000

const program = Effect.gen(function* () {
  const { observed, plan: today } = yield* plan({ desired, memory: yield* makePassMemory, startsOffReason: null })
  for (const verdict of today.verdicts) yield* Console.log(describeVerdict(verdict))

  const situation = { observed, desired }
  const answer = why(situation, today, TaskId.make(3))
  if (answer._tag === "Judged" && answer.counterfactual._tag === "Found") {
    yield* Console.log(`task 3 would start now: ${answer.counterfactual.words}`)
  }

  const roomier = suppose(situation, [{ _tag: "AgentSlots", agent: vaela, slots: 2 }])
  for (const { after } of planDifference(today, reconcile(roomier.observed, roomier.desired))) {
    if (after !== null) yield* Console.log(`with two slots: ${describeVerdict(after)}`)
  }
  yield* Console.log(`done in ${minutesOf(situation)} minutes, with two slots in ${minutesOf(roomier)}`)
})

await Effect.runPromise(program.pipe(Effect.provide(ports)))

/** The questions of `init`. Nothing is written while they are asked: whoever leaves in the middle has changed nothing. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Prompt from "effect/cli/Prompt"
import type { SettingKey } from "../settings/settingTable.ts"
import { settingTable } from "../settings/settingTable.ts"
import { nameProblem, readQueues } from "./agentFlag.ts"
import { agentPrograms, programFields } from "./agentPrograms.ts"
import { defaultAgent } from "./starterFiles.ts"
import type { WantedAgent } from "./starterFiles.ts"
import { endpointProblem, keptValues, ownEndpoint } from "./Wishes.ts"
import type { GivenFlags, Wishes } from "./Wishes.ts"

const refuse = (problem: string | null, value: string): Effect.Effect<string, string> =>
  problem === null ? Effect.succeed(value) : Effect.fail(problem)

const problemOf = <A>(reading: Result.Result<A, string>): string | null =>
  Result.isFailure(reading) ? reading.failure : null

/** A line of text; none typed is the usual answer, which stands behind the question. */
const askText = (message: string, usual: string, check: (value: string) => string | null) =>
  Effect.map(
    Prompt.String({
      message: usual === "" ? message : `${message} (${usual})`,
      validate: (value) => refuse(value.trim() === "" && usual !== "" ? null : check(value.trim()), value)
    }),
    (value) => (value.trim() === "" ? usual : value.trim())
  )

const askName = (taken: ReadonlyArray<string>) =>
  askText("Name of an agent", taken.length === 0 ? defaultAgent.name : "", (name) =>
    taken.includes(name) ? `${name} is there already` : nameProblem(name)
  )

const askProgram = (name: string) =>
  Prompt.Select({
    message: `What runs as ${name}`,
    choices: agentPrograms.map((program) => ({ title: programFields[program].title, value: program }))
  })

const askQueues = (name: string) =>
  Effect.map(
    askText(`Queues that ${name} serves, with commas between them`, defaultAgent.queues.join(","), (value) =>
      problemOf(readQueues(value))
    ),
    // It has passed the same reading.
    (value) => Result.getOrElse(readQueues(value), () => defaultAgent.queues)
  )

const askSlots = (name: string) =>
  Effect.map(
    askText(`Tasks that ${name} works on at once`, String(defaultAgent.slots), (value) =>
      value === "0" ? "with 0 it would never start" : problemOf(settingTable.defaultSlots.read(value))
    ),
    Number
  )

const askAgent = Effect.fnUntraced(function* (taken: ReadonlyArray<string>) {
  const name = yield* askName(taken)
  const program = yield* askProgram(name)
  return { name, program, queues: yield* askQueues(name), slots: yield* askSlots(name) } satisfies WantedAgent
})

const askAgents = Effect.gen(function* () {
  const agents: Array<WantedAgent> = []
  do agents.push(yield* askAgent(agents.map(({ name }) => name)))
  while (yield* Prompt.Confirm({ message: "Another agent", initial: false }))
  return agents
})

const askEndpoint = (usual: string, allowInsecure: boolean) =>
  askText(
    "Its address",
    usual,
    (value) => problemOf(settingTable.mcpEndpoint.read(value)) ?? endpointProblem(value, allowInsecure)
  )

/** Null when there is none. Nothing of it is shown, not even how long it is. */
const askToken = Effect.map(
  Prompt.Hidden({
    message: "Bearer token that a proxy before it asks for, not shown (none)",
    // What a header can carry.
    validate: (value) => refuse(/^[\u0021-\u007e]*$/.test(value) ? null : "a token has no blanks", value)
  }),
  (token) => (Redacted.value(token) === "" ? null : Redacted.value(token))
)

const askTinytask = Effect.fnUntraced(function* ({ embedded, loaded }: GivenFlags) {
  const { allowInsecure, mcpEndpoint } = loaded.settings
  const own =
    embedded ||
    (yield* Prompt.Select({
      message: "Where is Tinytask",
      choices: [
        { title: "It runs already, or will", value: false },
        { title: "Run a small one with tinyscheduler up", value: true }
      ]
    }))
  if (own) return { embedded: true, endpoint: ownEndpoint(loaded), token: null }
  return { embedded: false, endpoint: yield* askEndpoint(mcpEndpoint, allowInsecure), token: yield* askToken }
})

const askMost = askText("Most agents at once in all: a number, or unlimited", "unlimited", (value) =>
  problemOf(settingTable.maxConcurrent.read(value))
)

/** All questions, in the order of what a person has decided already. */
export const ask = Effect.fn("ask")(function* (flags: GivenFlags) {
  const agents = yield* askAgents
  const { embedded, endpoint, token } = yield* askTinytask(flags)
  const most = flags.typed.has("maxConcurrent") ? null : yield* askMost
  const answered: ReadonlyArray<readonly [SettingKey, string]> = [
    ...(token === null ? [] : [["mcpToken", token] as const]),
    ...(most === null || most === "unlimited" ? [] : [["maxConcurrent", most] as const])
  ]
  return {
    agents,
    embedded,
    values: keptValues(endpoint, new Map([...flags.typed, ...answered]))
  } satisfies Wishes
})

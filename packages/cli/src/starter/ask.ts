/** The questions of `init`. Nothing is written while they are asked: whoever leaves in the middle has changed nothing. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Prompt from "effect/cli/Prompt"
import type { SettingKey } from "../settings/settingTable.ts"
import { address, limit } from "../settings/values.ts"
import type { Reader } from "../settings/values.ts"
import { nameProblem, readQueues } from "./agentFlag.ts"
import { agentPrograms, programFields } from "./agentPrograms.ts"
import { defaultAgent } from "./starterFiles.ts"
import type { WantedAgent } from "./starterFiles.ts"
import { embeddedEndpoint, endpointProblem, keptValues } from "./Wishes.ts"
import type { GivenFlags, Wishes } from "./Wishes.ts"

const refuse = (problem: string | null, value: string): Effect.Effect<string, string> =>
  problem === null ? Effect.succeed(value) : Effect.fail(problem)

const problemOf = <A>(reading: Result.Result<A, string>): string | null =>
  Result.isFailure(reading) ? reading.failure : null

const askName = (taken: ReadonlyArray<string>) =>
  Prompt.String({
    message: "Name of an agent",
    ...(taken.length === 0 ? { default: defaultAgent.name } : {}),
    validate: (value) =>
      refuse(
        taken.includes(value.trim()) ? `${value.trim()} is there already` : nameProblem(value.trim()),
        value.trim()
      )
  })

const askProgram = (name: string) =>
  Prompt.Select({
    message: `What runs as ${name}`,
    choices: agentPrograms.map((program) => ({ title: programFields[program].title, value: program }))
  })

const askQueues = (name: string) =>
  Prompt.String({
    message: `Queues that ${name} serves, with commas between them`,
    default: defaultAgent.queues.join(","),
    validate: (value) => refuse(problemOf(readQueues(value)), value)
  })

const askAgent = Effect.fnUntraced(function* (taken: ReadonlyArray<string>) {
  const name = yield* askName(taken)
  const program = yield* askProgram(name)
  const queues = Result.getOrElse(readQueues(yield* askQueues(name)), () => defaultAgent.queues)
  const slots = yield* Prompt.Int({ message: `Tasks that ${name} works on at once`, default: 1, min: 1, max: 10_000 })
  return { name, program, queues, slots } satisfies WantedAgent
})

const askAgents = Effect.gen(function* () {
  const agents: Array<WantedAgent> = []
  do agents.push(yield* askAgent(agents.map(({ name }) => name)))
  while (yield* Prompt.Confirm({ message: "Another agent", initial: false }))
  return agents
})

const askEndpoint = (standard: string, allowInsecure: boolean) =>
  Prompt.String({
    message: "Its address",
    default: standard,
    validate: (value) => refuse(problemOf(address.read(value)) ?? endpointProblem(value, allowInsecure), value)
  })

/** Null when there is none. */
const askToken = Effect.map(
  Prompt.Password({
    message: "Bearer token that a proxy before it asks for (empty: none)",
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
  if (own) return { embedded: true, endpoint: embeddedEndpoint, token: null }
  return { embedded: false, endpoint: yield* askEndpoint(mcpEndpoint, allowInsecure), token: yield* askToken }
})

const validText = (reader: Reader<unknown>) => (value: string) => refuse(problemOf(reader.read(value)), value)

const askMost = Prompt.String({
  message: "Most agents at once in all: a number, or unlimited",
  default: "unlimited",
  validate: validText(limit)
})

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

/** One `--agent name=queue,queue:program` of `init`, read or refused in one sentence. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { quoted } from "@tinyscheduler/adapters-fs/oneLine"
import { AgentName, QueueName } from "@tinyscheduler/core/domain/identifiers"
import { agentPrograms, isAgentProgram } from "./agentPrograms.ts"
import type { WantedAgent } from "./starterFiles.ts"

const isAgentName = Schema.is(AgentName)
const isQueueName = Schema.is(QueueName)

/** Why a text is no agent's name; null when it is one. */
export const nameProblem = (name: string): string | null =>
  isAgentName(name) ? null : `${quoted(name)} is no agent's name: letters, digits, _ and -, not beginning with -`

/** The queues of a list with commas, each once; or why it is none. */
export const readQueues = (text: string): Result.Result<ReadonlyArray<string>, string> => {
  const queues = [...new Set(text.split(",").map((queue) => queue.trim()))]
  const odd = queues.find((queue) => !isQueueName(queue))
  return odd === undefined ? Result.succeed(queues) : Result.fail(`${quoted(odd)} is no queue's name`)
}

const form = "expected name=queue, name=queue,queue or name=queue:program"

/** What follows the last colon is the program; a queue with a colon in its name has to be written into the file by hand. */
export const readAgentFlag = (text: string): Result.Result<Omit<WantedAgent, "slots">, string> => {
  const at = text.indexOf("=")
  if (at < 0) return Result.fail(`--agent ${quoted(text)}: ${form}`)
  const name = text.slice(0, at)
  const rest = text.slice(at + 1)
  const colon = rest.lastIndexOf(":")
  const program = colon < 0 ? "goose" : rest.slice(colon + 1)
  const problem = nameProblem(name)
  if (problem !== null) return Result.fail(`--agent ${quoted(text)}: ${problem}`)
  if (!isAgentProgram(program)) {
    return Result.fail(
      `--agent ${quoted(text)}: ${quoted(program)} is none of the programs ${agentPrograms.join(", ")}; ` +
        "others are written into agent-control.json as a command"
    )
  }
  return Result.mapBoth(readQueues(colon < 0 ? rest : rest.slice(0, colon)), {
    onFailure: (why) => `--agent ${quoted(text)}: ${why}; ${form}`,
    onSuccess: (queues) => ({ name, queues, program })
  })
}

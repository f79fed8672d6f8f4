/** The agent that a command names: one of the control file, or one that is remembered. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { nearestName } from "@tinyscheduler/adapters-fs/didYouMean"
import type { AgentRecords } from "@tinyscheduler/core/domain/Attempts"
import type { AgentName } from "@tinyscheduler/core/domain/identifiers"
import { escapeShort } from "../output/escape.ts"
import type { Configuration } from "../settings/Configuration.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"

const namesMax = 20

/** Null when none was named: all of them. */
export const namedAgent = Effect.fnUntraced(function* (
  { desired }: Configuration,
  records: AgentRecords,
  typed: Option.Option<string>
) {
  if (Option.isNone(typed)) return null
  const known: ReadonlyArray<AgentName> = [
    ...desired.agents.map(({ name }) => name),
    ...records.agents.map(({ agentName }) => agentName)
  ]
  const found = known.find((name) => name === typed.value)
  if (found !== undefined) return found
  const meant = nearestName(typed.value, known)
  const names = [...new Set(known)].sort()
  const hint =
    meant !== null
      ? `did you mean ${meant}?`
      : names.length === 0
        ? "no agent is configured."
        : `there ${names.length === 1 ? "is" : "are"} ${names.slice(0, namesMax).join(", ")}${names.length > namesMax ? ", …" : ""}.`
  return yield* new ConfigurationError({
    faults: [`no agent is called ${escapeShort(typed.value, 80) || '""'}: ${hint}`]
  })
})

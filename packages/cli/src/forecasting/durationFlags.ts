/** `--duration`: how long tasks take, for all of them or for an agent or a queue by its name. */
import * as Result from "effect/Result"
import type { DesiredState } from "@tinyscheduler/core/domain/DesiredState"
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { GivenDurations } from "@tinyscheduler/core/forecast/DurationModel"
import { parseDuration } from "@tinyscheduler/core/domain/durationText"
import type { GivenDuration } from "@tinyscheduler/core/domain/durationText"
import { escapeShort } from "../output/escape.ts"

const quoted = (text: string): string => `"${escapeShort(text, 80)}"`

/** What the flags say, and one sentence for each that says nothing that can be used. */
export const givenDurations = (
  typed: ReadonlyArray<string>,
  ofTask: ReadonlyMap<TaskId, GivenDuration>,
  queues: ReadonlySet<string>,
  { agents }: DesiredState
): { readonly given: GivenDurations; readonly faults: ReadonlyArray<string> } => {
  const byName = new Map<string, GivenDuration>()
  const faults: Array<string> = []
  let ofAll: GivenDuration | null = null
  const known = new Set<string>([...agents.flatMap(({ name, queues: served }) => [name, ...served]), ...queues])
  for (const text of typed) {
    const at = text.lastIndexOf("=")
    const name = at < 0 ? null : text.slice(0, at)
    const parsed = parseDuration(text.slice(at + 1))
    if (Result.isFailure(parsed)) {
      faults.push(`--duration is ${quoted(text)}: ${parsed.failure}`)
    } else if (name === null) ofAll = parsed.success
    else if (known.has(name)) byName.set(name, parsed.success)
    else {
      const names = [...known].sort().slice(0, 12).join(", ")
      faults.push(`--duration is ${quoted(text)}: no agent and no queue has that name; there are: ${names}`)
    }
  }
  return { given: { ofTask, byName, ofAll }, faults }
}

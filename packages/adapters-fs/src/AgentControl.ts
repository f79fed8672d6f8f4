/**
 * The control file: which agents there are and which queues they serve. Either all of it is understood or all of its
 * faults are told; a half-understood file would silently run the wrong agents. A missing file is no fault (legacy mode).
 */
import { basename } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readAgentEntry, type AgentEntry } from "./agentEntry.ts"
import { describe } from "./entryFaults.ts"
import { fieldOf, isRecord, parseJson } from "./jsonFile.ts"
import { inspectJson, type RepeatedKey } from "./jsonText.ts"
import { oneLine, quoted } from "./oneLine.ts"
import { readSafely } from "./safeFile.ts"

/** The largest control file. */
export const controlMaxBytes = 1024 * 1024

/** The most entries in it. */
const entriesMax = 10_000

/** The control file is there and can't be used; every fault is one line that begins with the file's name. */
export class AgentControlInvalid extends Schema.TaggedError<AgentControlInvalid>()("AgentControlInvalid", {
  path: Schema.String,
  faults: Schema.Array(Schema.String)
}) {
  override get message() {
    const more = this.faults.length - 1
    return `${this.faults[0] ?? `${this.path} can't be used`}${more > 0 ? ` (and ${more} more)` : ""}`
  }
}

export interface AgentControl {
  /** One per agent, in the order of the file. */
  readonly entries: ReadonlyArray<AgentEntry>
  readonly warnings: ReadonlyArray<string>
}

interface Numbered {
  readonly number: number
  readonly entry: AgentEntry
}

/** The fields in which two entries of one agent disagree. Its queues add up, and a comment binds nobody. */
const conflictsOf = (left: AgentEntry, right: AgentEntry): ReadonlyArray<string> => {
  const settings = ({ comment: _comment, name: _name, queues: _queues, env, ...rest }: AgentEntry) => ({
    ...rest,
    env: Object.entries(env).sort(([one], [other]) => (one < other ? -1 : 1))
  })
  const [ours, theirs] = [new Map(Object.entries(settings(left))), new Map(Object.entries(settings(right)))]
  return [...ours]
    .filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(theirs.get(key)))
    .map(([key]) => key)
}

const entryLabel = (file: string, number: number, agentName: unknown): string =>
  `${file}: entry ${number}${typeof agentName === "string" ? ` (${quoted(agentName)})` : ""}: `

/** Merges the entries of each agent; a list of conflicts when they can't be merged. */
const mergeByName = (file: string, entries: ReadonlyArray<Numbered>) => {
  const merged = new Map<string, Numbered>()
  const faults: Array<string> = []
  const warnings: Array<string> = []
  for (const { entry, number } of entries) {
    const label = entryLabel(file, number, entry.name)
    const first = merged.get(entry.name)
    if (first === undefined) {
      merged.set(entry.name, { number, entry })
      continue
    }
    const conflicts = conflictsOf(first.entry, entry)
    if (conflicts.length > 0) {
      faults.push(`${label}${conflicts.join(", ")}: differs from entry ${first.number}, the same agent's`)
      continue
    }
    const added = entry.queues.filter((queue) => !first.entry.queues.includes(queue))
    if (added.length === 0) warnings.push(`${label}repeats entry ${first.number}`)
    merged.set(entry.name, {
      number: first.number,
      entry: { ...first.entry, queues: [...first.entry.queues, ...added] }
    })
  }
  return { entries: [...merged.values()].map(({ entry }) => entry), faults, warnings }
}

/** What the content of a control file says; the file's name begins each line. */
export const decodeAgentControl = (
  file: string,
  value: unknown
): AgentControl & { readonly faults: ReadonlyArray<string> } => {
  const nothing = (fault: string) => ({ entries: [], warnings: [], faults: [`${file}: ${fault}`] })
  if (!Array.isArray(value)) return nothing(`is ${describe(value)}; expected a list of entries`)
  const items: ReadonlyArray<unknown> = value
  if (items.length > entriesMax) return nothing(`has more than ${entriesMax} entries`)
  const readings = items.map((item, index) => {
    const number = index + 1
    if (!isRecord(item)) {
      const fault = `${entryLabel(file, number, null)}is ${describe(item)}; expected an object`
      return { number, entry: null, faults: [fault], warnings: [] }
    }
    const label = entryLabel(file, number, fieldOf(item, "agentName"))
    const reading = readAgentEntry(item)
    return {
      number,
      entry: reading.entry,
      faults: reading.faults.map((fault) => label + fault),
      warnings: reading.warnings.map((warning) => label + warning)
    }
  })
  const whole = readings.flatMap(({ entry, number }) => (entry === null ? [] : [{ number, entry }]))
  const merged = mergeByName(file, whole)
  return {
    entries: merged.entries,
    warnings: [...readings.flatMap((reading) => reading.warnings), ...merged.warnings],
    faults: [...readings.flatMap((reading) => reading.faults), ...merged.faults]
  }
}

/** A key that stands twice, by the entry it stands in. */
const repetition = (file: string, value: unknown, { key, line, path }: RepeatedKey): string => {
  const [index, ...fields] = path
  const entry: unknown = Array.isArray(value) && typeof index === "number" ? value[index] : null
  const label =
    typeof index === "number"
      ? entryLabel(file, index + 1, isRecord(entry) ? fieldOf(entry, "agentName") : null)
      : `${file}: `
  return `${label}${oneLine([...fields, key].join("."), 80)} stands there twice, again in line ${line}`
}

/** What the text of a control file says; every fault and warning begins with the file's name. */
export const parseAgentControl = (
  file: string,
  text: string
): AgentControl & { readonly faults: ReadonlyArray<string> } => {
  const nothing = (fault: string) => ({ entries: [], warnings: [], faults: [`${file}: ${fault}`] })
  if (text.trim() === "") return nothing("is empty; expected a list of entries, [] if there are none")
  const { fault, repeated } = inspectJson(text)
  if (fault !== null) {
    const { column, expected, found, line, problem } = fault
    return nothing(`${problem}: line ${line}, column ${column}: found ${found}, expected ${expected}`)
  }
  const parsed = parseJson(text)
  if (!parsed.ok) return nothing(parsed.problem)
  const control = decodeAgentControl(file, parsed.value)
  return { ...control, faults: [...repeated.map((key) => repetition(file, parsed.value, key)), ...control.faults] }
}

const refusals: Readonly<Record<string, string>> = {
  "is a symbolic link":
    "is a symbolic link, which is not followed; put the file itself there, or name it by TINYSCHEDULER_AGENT_CONTROL_FILE",
  "can be written by everybody": "can be written by everybody, who could run anything by it; chmod o-w it"
}

/** Reads the control file; null when there is none. Faults call it by `name`, its last part unless said. */
export const readAgentControl = Effect.fn("readAgentControl")(function* (path: string, name = basename(path)) {
  const file = yield* Effect.sync(() => readSafely(path, { maxBytes: controlMaxBytes, trust: "config" }))
  if (file._tag === "Missing") return null
  const label = oneLine(name)
  if (file._tag === "Refused") {
    return yield* new AgentControlInvalid({ path, faults: [`${label}: ${refusals[file.problem] ?? file.problem}`] })
  }
  const { entries, faults, warnings } = parseAgentControl(label, file.text)
  if (faults.length > 0) return yield* new AgentControlInvalid({ path, faults })
  const control: AgentControl = { entries, warnings }
  return control
})

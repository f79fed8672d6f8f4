/** From the parts of a record back to what its plan was made of: each part is decoded by itself, and once while it stays. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Situation } from "../domain/Situation.ts"
import { isObject } from "./isObject.ts"
import { kindOf } from "./Parts.ts"
import type { ListedPart, Parts, SolePart } from "./Parts.ts"
import * as schemas from "./partSchemas.ts"

/** What of a record can't be understood: a part that is missing, or has an unexpected form. */
export class RecordOdd extends Schema.TaggedError<RecordOdd>()("RecordOdd", {
  key: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `the part ${this.key} of a record ${this.reason}`
  }
}

/** The record of a task with the beat that was told apart from it. */
const withBeat = (record: unknown, beat: unknown): unknown => {
  if (!isObject(record) || !isObject(record["lease"]) || !isObject(beat)) return record
  const { lease } = record["lease"]
  if (!isObject(lease) || !isObject(beat["beat"])) return record
  return { ...record, lease: { ...record["lease"], lease: { ...lease, ...beat["beat"] } } }
}

interface Known<A> {
  readonly text: string
  readonly beat: string | undefined
  readonly value: A
}

interface PartReader<A> {
  /** Throws RecordOdd. */
  readonly read: (key: string, text: string, beat?: string) => A
  /** What was not read since the turn before is forgotten. */
  readonly turn: () => void
}

const parse = (key: string, text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw new RecordOdd({ key, reason: "is not JSON" })
  }
}

const partReader = <A>(decode: (value: unknown) => Result.Result<A, Schema.SchemaError>): PartReader<A> => {
  let known = new Map<string, Known<A>>()
  let next = new Map<string, Known<A>>()
  const decoded = (key: string, text: string, beat: string | undefined): A => {
    const value = parse(key, text)
    const result = decode(beat === undefined ? value : withBeat(value, parse(key, beat)))
    if (Result.isSuccess(result)) return result.success
    throw new RecordOdd({ key, reason: `has an unexpected form: ${result.failure.message}` })
  }
  return {
    read: (key, text, beat) => {
      const before = known.get(key)
      const entry =
        before?.text === text && before.beat === beat ? before : { text, beat, value: decoded(key, text, beat) }
      next.set(key, entry)
      return entry.value
    },
    turn: () => {
      known = next
      next = new Map()
    }
  }
}

const makeReaders = () => ({
  clock: partReader(Schema.decodeUnknownResult(schemas.ClockPart)),
  here: partReader(Schema.decodeUnknownResult(schemas.HerePart)),
  tinytask: partReader(Schema.decodeUnknownResult(schemas.TinytaskPart)),
  paused: partReader(Schema.decodeUnknownResult(schemas.PausedPart)),
  requests: partReader(Schema.decodeUnknownResult(schemas.RequestsPart)),
  starts: partReader(Schema.decodeUnknownResult(schemas.StartsPart)),
  server: partReader(Schema.decodeUnknownResult(schemas.ServerPart)),
  limits: partReader(Schema.decodeUnknownResult(schemas.LimitsPart)),
  policy: partReader(Schema.decodeUnknownResult(schemas.PolicyPart)),
  task: partReader(Schema.decodeUnknownResult(schemas.TaskPart)),
  lookedUp: partReader(Schema.decodeUnknownResult(schemas.LookedUpPart)),
  record: partReader(Schema.decodeUnknownResult(schemas.RecordPart)),
  agentRecord: partReader(Schema.decodeUnknownResult(schemas.AgentRecordPart)),
  recipe: partReader(Schema.decodeUnknownResult(schemas.RecipePart)),
  startFault: partReader(Schema.decodeUnknownResult(schemas.StartFaultPart)),
  agent: partReader(Schema.decodeUnknownResult(schemas.AgentPart))
})

/** The keys of each kind of which there are several. */
const keysByKind = (parts: Parts): ReadonlyMap<string, ReadonlyArray<string>> => {
  const kinds = new Map<string, Array<string>>()
  for (const key of parts.keys()) {
    const kind = kindOf(key)
    const keys = kinds.get(kind)
    if (keys === undefined) kinds.set(kind, [key])
    else keys.push(key)
  }
  return kinds
}

/** From a record's parts to what its plan was made of, or what in them can't be understood. */
export type SituationReader = (parts: Parts) => Result.Result<Situation, RecordOdd>

/** A reader for records that follow one another: what two of them share is decoded once. */
export const makeSituationReader = (): SituationReader => {
  const readers = makeReaders()
  const read = (parts: Parts): Situation => {
    const keys = keysByKind(parts)
    const sole = <A>(key: SolePart, reader: PartReader<A>): A => {
      const text = parts.get(key)
      if (text === undefined) throw new RecordOdd({ key, reason: "is missing" })
      return reader.read(key, text)
    }
    const listed = <A>(kind: ListedPart, reader: PartReader<A>): ReadonlyArray<A> =>
      (keys.get(kind) ?? []).map((key) =>
        reader.read(
          key,
          parts.get(key) ?? "",
          kind === "record" ? parts.get(`beat${key.slice(kind.length)}`) : undefined
        )
      )
    const clock = sole("clock", readers.clock)
    const tinytask = sole("tinytask", readers.tinytask)
    return {
      observed: {
        nowMs: clock.nowMs,
        monoMs: clock.monoMs,
        here: sole("here", readers.here),
        tinytask:
          tinytask._tag === "Unread"
            ? tinytask
            : { _tag: "Read", tasks: listed("task", readers.task), lookedUp: listed("lookedUp", readers.lookedUp) },
        records: listed("record", readers.record),
        agents: listed("agentRecord", readers.agentRecord),
        paused: sole("paused", readers.paused).paused,
        requests: sole("requests", readers.requests).requests,
        recipes: listed("recipe", readers.recipe),
        startFaults: listed("startFault", readers.startFault),
        startsOffReason: sole("starts", readers.starts).startsOffReason
      },
      desired: {
        ...sole("server", readers.server),
        agents: listed("agent", readers.agent),
        ...sole("limits", readers.limits),
        policy: sole("policy", readers.policy)
      }
    }
  }
  return (parts) => {
    const situation = Result.try({
      try: () => read(parts),
      catch: (error) => (error instanceof RecordOdd ? error : new RecordOdd({ key: "?", reason: String(error) }))
    })
    for (const reader of Object.values(readers)) reader.turn()
    return situation
  }
}

/**
 * Leases of before: the Python version's, in either of its forms. Both are read with tolerance, because what they say
 * may be all that stands between a living agent and a second one beside it.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import type { LegacyLease } from "@tinyscheduler/core/domain/Lease"
import { LegacyLease as LegacyLeaseSchema } from "@tinyscheduler/core/domain/Lease"
import { fieldOf, makeDecoder, type Decoded } from "./jsonFile.ts"

const decodeLegacy = makeDecoder(LegacyLeaseSchema)

const wholeNumber = (value: unknown): unknown =>
  typeof value === "string" && /^[0-9]{1,16}$/.test(value) ? Number(value) : value

const zoned = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})$/

/**
 * A time with a zone as UTC. A time without one is not guessed: read as UTC where it was local, it lies in the past or
 * future by hours, and "the process is younger than its lease" would then prove a death that never happened.
 */
const utcText = (value: unknown): string | null => {
  if (typeof value !== "string" || !zoned.test(value)) return null
  return Option.match(DateTime.make(value.replace(" ", "T")), {
    onNone: () => null,
    onSome: (moment) => DateTime.formatIso(moment)
  })
}

/** Whether a lease's JSON is of before: it names neither a phase nor a version. */
export const isLegacyForm = (record: Readonly<Record<string, unknown>>): boolean =>
  !Object.hasOwn(record, "phase") && !Object.hasOwn(record, "version")

/** Decodes either old form: `agent_name`, `start_time`, or `agent`, `started_at`, `host` and a task id in quotes. */
export const decodeLegacyLease = (record: Readonly<Record<string, unknown>>): Decoded<LegacyLease> => {
  const host = fieldOf(record, "host")
  return decodeLegacy({
    taskId: wholeNumber(fieldOf(record, "task_id")),
    agentName: fieldOf(record, "agent_name") ?? fieldOf(record, "agent"),
    pid: wholeNumber(fieldOf(record, "pid")),
    startTime: utcText(fieldOf(record, "start_time") ?? fieldOf(record, "started_at")),
    lastHeartbeat: utcText(fieldOf(record, "last_heartbeat") ?? fieldOf(record, "heartbeat")),
    host: typeof host === "string" && host !== "" ? host : null
  })
}

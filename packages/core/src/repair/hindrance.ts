/**
 * Whether what an unreadable file stands for may live. It is out of the question only when nothing alive carries a token
 * that the file may speak of; where its token is not known, when every token alive on this machine is accounted for.
 */
import type { HistoryLine } from "../domain/Attempts.ts"
import type { TaskId } from "../domain/identifiers.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import type { UnreadableFile } from "../ports/StateInventory.ts"
import { isSameEndpoint } from "../reconcile/taskSights.ts"
import type { Hindrance } from "./Finding.ts"
import { standInToken } from "./rebuildAttempts.ts"
import type { Carrier, RepairSight } from "./RepairSight.ts"

/** Every token of an attempt at a task that files or history tell of. */
export const tokensOf = (record: TaskRecord | null, lines: ReadonlyArray<HistoryLine>): ReadonlySet<string> =>
  new Set([
    ...(record?.lease._tag === "Read" ? [record.lease.lease.token] : []),
    ...(record?.claims.flatMap((sight) => (sight._tag === "Read" ? [sight.claim.token] : [])) ?? []),
    ...(record?.attempts?.last == null ? [] : [record.attempts.last.token]),
    ...(record?.attempts?.outcomes.map(({ token }) => token) ?? []),
    ...lines.map(({ token }) => token)
  ])

const sortedPids = (carriers: ReadonlyArray<Carrier>): ReadonlyArray<number> =>
  carriers.map(({ pid }) => pid).sort((left, right) => left - right)

/** The living processes that carry one of these tokens, sorted. */
export const carriersOf = (sight: RepairSight, tokens: ReadonlySet<string>): ReadonlyArray<number> =>
  sortedPids(sight.carriers.filter(({ token }) => tokens.has(token)))

/** A task at a server. */
export interface TaskThere {
  readonly taskId: TaskId
  readonly endpoint: string
}

/** The living processes that say they are about this task, sorted: another scheduler of this machine may have started it. */
export const engagedIn = (carriers: ReadonlyArray<Carrier>, { endpoint, taskId }: TaskThere): ReadonlyArray<number> =>
  sortedPids(
    carriers.filter(
      ({ statedTask: stated }) =>
        stated !== null && stated.taskId === String(taskId) && isSameEndpoint(stated.endpoint, endpoint)
    )
  )

/** The living processes that carry the token of no attempt that is known here: of whatever scheduler they are. */
export const makeUnaccounted = (sight: RepairSight): ReadonlyArray<number> => {
  const known = new Set<string>([
    ...sight.observed.records.flatMap((record) => [...tokensOf(record, [])]),
    ...sight.inventory.history.map(({ token }) => token)
  ])
  return sortedPids(sight.carriers.filter(({ token }) => !known.has(token)))
}

export interface HindranceInput {
  readonly taskId: TaskId
  readonly record: TaskRecord | null
  readonly lines: ReadonlyArray<HistoryLine>
  /** Null when it could not be looked at. */
  readonly file: UnreadableFile | null
  readonly isUntrusted: boolean
  readonly sight: RepairSight
  readonly unaccounted: ReadonlyArray<number>
}

/** Whether the attempts file says which token the file must be about: no start is later than it. */
const isTokenKnown = ({ file, record, taskId }: HindranceInput): boolean => {
  const guessed = file?.guess ?? null
  if (guessed?.token != null) return true
  const last = record?.attempts?.last ?? null
  return (
    last !== null &&
    last.token !== standInToken(taskId, last.epoch) &&
    last.epoch >= (record?.epochMax ?? 0) &&
    last.epoch >= (guessed?.epoch ?? 0)
  )
}

/** What keeps an unreadable file from being put out of the way; null = nothing of it lives. */
export const hindranceOf = (input: HindranceInput): Hindrance | null => {
  const { file, lines, record, sight, unaccounted } = input
  if (input.isUntrusted) return { _tag: "Untrusted" }
  const guess = file?.guess ?? null
  if (guess?.host != null && guess.host !== sight.observed.here.host) return { _tag: "OtherHost", host: guess.host }
  const tokens = tokensOf(record, lines)
  const carriers = carriersOf(sight, guess?.token == null ? tokens : new Set([...tokens, guess.token]))
  const named = (guess?.processes ?? []).map(({ pid }) => pid).filter((pid) => sight.namedAlive.has(pid))
  const pids = [...new Set([...carriers, ...named])].sort((left, right) => left - right)
  if (pids.length > 0) return { _tag: "Alive", pids }
  return isTokenKnown(input) || unaccounted.length === 0 ? null : { _tag: "Unaccounted", pids: unaccounted }
}

/**
 * One rung of the ladder (protocol, section 6). Targets are listed right before the signal, each by identity; ourselves,
 * our ancestors and pid 1 are never among them. A stop record that can't be written never delays a stop.
 */
import * as Effect from "effect/Effect"
import type { StopRecord } from "../domain/Attempts.ts"
import type { Action } from "../domain/Plan.ts"
import { ancestorsOf, cgroupsToKill, targetsOfAttempt } from "../domain/ProcessIdentity.ts"
import type { ProcessRow } from "../domain/ProcessIdentity.ts"
import { Cgroups } from "../ports/Cgroups.ts"
import { LeaseStore } from "../ports/LeaseStore.ts"
import type { StoredTask } from "../ports/LeaseStore.ts"
import { ProcessTable } from "../ports/ProcessTable.ts"
import type { Signal } from "../ports/ProcessTable.ts"
import { ladder } from "../reconcile/ladder.ts"
import { applied, failed, skipped } from "./ActionResult.ts"
import type { ApplyContext } from "./applyStart.ts"
import { forgetStop, rememberStop } from "./memory.ts"
import { isSameAttempt } from "./sameAttempt.ts"

export type StopAction = Extract<Action, { readonly _tag: "Stop" }>

interface ProcessName {
  readonly pid: number
  readonly pidStart: number
}

/** At most this many targets are remembered from one rung to the next; all are signalled. */
const targetsKept = 500

const attemptProcesses = (stored: StoredTask, action: StopAction) => {
  const lease =
    stored.lease._tag === "Read" && stored.lease.lease.token === action.attempt.token ? stored.lease.lease : null
  const claim = stored.claims.find((sight) => sight.epoch === action.attempt.epoch)
  const claimed = claim?._tag === "Read" && claim.claim.kind === "claim" ? claim.claim : null
  return {
    agent: lease?.agent ?? null,
    cgroup: lease?.cgroup ?? null,
    supervisor:
      lease !== null && lease.phase !== "starting"
        ? { pid: lease.pid, pidStart: lease.pidStart }
        : claimed === null
          ? null
          : { pid: claimed.pid, pidStart: claimed.pidStart }
  }
}

const signalsOf = ({ firstSignal, record }: StopAction): ReadonlyArray<Signal> =>
  ladder[record.rung].signals.map((signal) => (signal === "first" ? firstSignal : signal))

/** Kills the attempt's cgroups where nobody else lives in them: what forks faster than it can be listed ends here. */
const killCgroups = Effect.fnUntraced(function* (
  rows: ReadonlyArray<ProcessRow>,
  targets: ReadonlyArray<ProcessName>,
  attempt: { readonly token: string; readonly cgroup: string | null }
) {
  const cgroups = yield* Cgroups
  let killed = 0
  for (const directory of cgroupsToKill(rows, targets, attempt)) if (yield* cgroups.kill(directory)) killed += 1
  return killed
})

export const applyStop = Effect.fn("apply.stop")(function* (
  action: StopAction,
  context: Pick<ApplyContext, "memory" | "hasTerm">
) {
  const leases = yield* LeaseStore
  const processes = yield* ProcessTable
  const { attempt, record } = action
  const stored = yield* leases.read(attempt.taskId)
  if (!isSameAttempt(attempt, stored)) return skipped(action, "the attempt moved on meanwhile")
  const { pid: self } = yield* processes.ourselves
  const { agent, cgroup, supervisor } = attemptProcesses(stored, action)
  const rows = yield* processes.scan
  const spared = ancestorsOf(rows, self)
  const others = targetsOfAttempt(rows, { token: attempt.token, supervisor, agent, known: record.targets }, spared)
  const withSupervisor = action.includeSupervisor && supervisor !== null && !spared.has(supervisor.pid)
  const targets = targetsOf(record.rung, others, agent, withSupervisor ? supervisor : null)
  const kept = { ...record, targets: others.map(({ pid, pidStart }) => ({ pid, pidStart })).slice(0, targetsKept) }
  const written = yield* keepRecord(kept, context)
  // A beat may be missing because nobody can write: hung is only what a scheduler finds that can write itself.
  if (record.reason === "hung-supervisor" && record.rung === "interrupt" && written._tag !== "Kept") {
    yield* forgetStop(context.memory, record.token)
    const why = "nothing can be written here, so the silence of its supervisor proves nothing"
    return written._tag === "Unwritable" ? failed(action, `${written.message}; ${why}`) : skipped(action, why)
  }
  const signals = signalsOf(action)
  const killed = ladder[record.rung].killsCgroup
    ? yield* killCgroups(rows, targets, { token: attempt.token, cgroup })
    : 0
  let sent = 0
  for (const target of targets) {
    for (const signal of signals) {
      if ((yield* processes.signal(target, signal)) === "sent") sent += 1
    }
  }
  const note = `${killed > 0 ? "its cgroup was killed, " : ""}${signals[0] ?? ""} to ${targets.length} processes, ${sent} signals sent`
  return written._tag === "Unwritable" ? failed(action, written.message) : applied(action, note)
})

/** Where a record stands by now. */
type Keeping = { readonly _tag: "Kept" | "Remembered" } | { readonly _tag: "Unwritable"; readonly message: string }

/**
 * Keeps the record on disk, else in memory. A lost lock alone keeps a signal from being sent: another scheduler may be
 * on the ladder by now.
 */
const keepRecord = Effect.fnUntraced(function* (
  record: StopRecord,
  { hasTerm, memory }: Pick<ApplyContext, "memory" | "hasTerm">
) {
  if (!hasTerm) {
    yield* rememberStop(memory, record)
    const remembered: Keeping = { _tag: "Remembered" }
    return remembered
  }
  const leases = yield* LeaseStore
  return yield* leases.writeStop(record).pipe(
    Effect.andThen(forgetStop(memory, record.token)),
    Effect.as<Keeping>({ _tag: "Kept" }),
    Effect.catchTag("StateUnwritable", ({ message }) =>
      Effect.as(rememberStop(memory, record), { _tag: "Unwritable", message } satisfies Keeping)
    )
  )
})

/** Who is addressed on a rung, as the ladder says. */
const targetsOf = (
  rung: StopAction["record"]["rung"],
  others: ReadonlyArray<ProcessRow>,
  agent: ProcessName | null,
  supervisor: ProcessName | null
): ReadonlyArray<ProcessName> => {
  if (ladder[rung].addresses === "everything") return supervisor === null ? others : [...others, supervisor]
  const leader = others.filter((row) => row.pid === agent?.pid && row.pidStart === agent.pidStart)
  return leader.length > 0 ? leader : others
}

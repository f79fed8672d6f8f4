/**
 * The loop around the pass: at every interval, at the next due time of a plan, and whenever somebody wakes it. A pass
 * that fails is told and never ends the loop; only the lock that is lost does.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import type { Plan } from "../domain/Plan.ts"
import { LockLost } from "../ports/StateError.ts"
import { ProcessTable } from "../ports/ProcessTable.ts"
import { actionTaskId } from "../reconcile/actionTaskId.ts"
import { runPass } from "./pass.ts"
import type { PassInput, PassReport, Round } from "./pass.ts"

/** Wake-ups coalesce: while a pass runs, any number of them is one. */
export type WakeUps = Queue.Queue<void>
/** Offer to it, and the loop begins its next pass. */
export const makeWakeUps: Effect.Effect<WakeUps> = Queue.sliding<void>(1)

/** No two passes begin closer together than this, whatever wakes the loop. */
export const passSpacingMs = 50

/** A timer counts whole milliseconds of a clock that was read earlier, and may be early by one: a pass would find nothing due. */
const timerEarlyMs = 1

/** How long to sleep after a plan: until its next due time is over, at most the interval. */
export const sleepAfter = (
  plan: Pick<Plan, "nextMonoMs" | "nextWallMs"> | null,
  clocks: { readonly nowMs: number; readonly monoMs: number; readonly intervalMs: number }
): number => {
  const wall = plan === null || plan.nextWallMs === null ? clocks.intervalMs : plan.nextWallMs - clocks.nowMs
  const mono = plan === null || plan.nextMonoMs === null ? clocks.intervalMs : plan.nextMonoMs - clocks.monoMs
  return Math.max(passSpacingMs, Math.min(clocks.intervalMs, wall + timerEarlyMs, mono + timerEarlyMs))
}

/** The share of the interval that chance may add or take: machines that were started together don't ask together. */
export const jitterShare = 0.1

/** The interval, made longer or shorter by a draw from 0 to 1. */
export const withJitter = (intervalMs: number, draw: number): number =>
  Math.round(intervalMs * (1 + jitterShare * (2 * draw - 1)))

const firstPauseMs = 1000
const longestPauseMs = 60_000

/**
 * The pause after passes that could not see the state or Tinytask: short at first, since most outages are restarts;
 * doubled each time, up to the interval or a minute, whichever is longer.
 */
export const pauseAfterFailures = (failures: number, intervalMs: number): number =>
  Math.min(firstPauseMs * 2 ** Math.min(failures - 1, 30), Math.max(intervalMs, longestPauseMs))

/** What the loop around passes needs. */
export interface DaemonInput<E, R> {
  /** One pass, by what is to be decided by now. */
  readonly pass: Effect.Effect<PassReport, E | LockLost, R>
  /** Asked after each pass: a running daemon may be told another one. */
  readonly intervalMs: Effect.Effect<number>
  readonly wakeUps: WakeUps
  /** Told of every pass; true ends the loop. */
  readonly onPass: (report: PassReport) => Effect.Effect<boolean>
  /** Told of a pass that could not be made, in one sentence. */
  readonly onFailure: (message: string) => Effect.Effect<void>
}

const isLockLost = (error: unknown): error is LockLost => error instanceof LockLost

/** A defect is a fault of ours; it costs this pass, and the next one may do better. */
const failureText = (cause: Cause.Cause<unknown>): string => {
  const failure = Cause.squash(cause)
  const text = failure instanceof Error ? failure.message : String(failure)
  return Cause.hasDies(cause) ? `this is a fault of TinyScheduler, please report it: ${text}` : text
}

const couldSee = (report: PassReport): boolean => report.rounds.at(-1)?.plan.tinytask._tag === "Read"

/** Passes until it is told that it is over; fails only when the lock is lost. */
export const runDaemon = Effect.fn("daemon.run")(function* <E, R>(daemon: DaemonInput<E, R>) {
  const processes = yield* ProcessTable
  let failures = 0
  for (;;) {
    // A pass and its telling are one piece: a request to end takes effect between two passes.
    const exit = yield* daemon.pass.pipe(
      Effect.flatMap((report) => Effect.map(daemon.onPass(report), (over) => ({ over, report }))),
      Effect.uninterruptible,
      Effect.exit
    )
    let last: Plan | null = null
    if (Exit.isSuccess(exit)) {
      const { over, report } = exit.value
      if (over) return
      last = report.rounds.at(-1)?.plan ?? null
      failures = couldSee(report) ? 0 : failures + 1
    } else {
      const lost = Option.filter(Cause.findErrorOption(exit.cause), isLockLost)
      if (Option.isSome(lost)) return yield* lost.value
      failures += 1
      yield* daemon.onFailure(failureText(exit.cause))
    }
    yield* Effect.sleep(passSpacingMs)
    const intervalMs = yield* daemon.intervalMs
    const sleepMs = sleepAfter(last, {
      nowMs: yield* Clock.currentTimeMillis,
      monoMs: yield* processes.monotonicMs,
      intervalMs: withJitter(failures === 0 ? intervalMs : pauseAfterFailures(failures, intervalMs), yield* Random.next)
    })
    yield* Queue.take(daemon.wakeUps).pipe(Effect.timeoutOrElse({ duration: sleepMs, orElse: () => Effect.void }))
  }
})

/** Whether an agent is being stopped; of one whose stop waits for approval nothing changes meanwhile. */
const hasLadders = ({ plan, withheld }: Round): boolean => {
  const waiting = new Set(withheld.map(actionTaskId))
  return plan.verdicts.some(({ _tag, taskId }) => _tag === "Stop" && !waiting.has(taskId))
}

/**
 * One pass, and then passes over the ladders it began, until they end or `stopWaitMs` is over: a scheduler started by
 * cron would otherwise climb one rung a minute. Apply never sleeps; this does, between passes.
 */
export const runOnce = Effect.fn("once.run")(function* (input: PassInput, stopWaitMs: number) {
  const processes = yield* ProcessTable
  const beganMs = yield* processes.monotonicMs
  const first = yield* runPass(input)
  const reports = [first]
  for (;;) {
    const last = reports.at(-1)?.rounds.at(-1)
    const monoMs = yield* processes.monotonicMs
    const leftMs = beganMs + stopWaitMs - monoMs
    if (last === undefined || leftMs <= 0 || !hasLadders(last)) break
    const sleepMs = sleepAfter(last.plan, { nowMs: yield* Clock.currentTimeMillis, monoMs, intervalMs: ladderLookMs })
    yield* Effect.sleep(Math.min(leftMs, sleepMs))
    // Only ladders and endings: what is ready to start waits for the next turn of the caller.
    reports.push(
      yield* runPass({ ...input, startsOffReason: input.startsOffReason ?? "only the stops of this pass go on" })
    )
  }
  const report: PassReport = {
    rounds: reports.flatMap(({ rounds }) => rounds),
    errors: [...new Set(reports.flatMap(({ errors }) => errors))]
  }
  return report
})

/** How often to look whether what was asked to end has ended. */
const ladderLookMs = 250

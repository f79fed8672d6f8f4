/**
 * The loop around the pass: at every interval, at the next due time of a plan, and whenever somebody wakes it. A pass
 * that fails is told and never ends the loop; the lock that is lost does.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Plan } from "../domain/Plan.ts"
import type { LockLost } from "../ports/StateError.ts"
import { ProcessTable } from "../ports/ProcessTable.ts"
import { runPass } from "./pass.ts"
import type { PassInput, PassReport } from "./pass.ts"

/** Wake-ups coalesce: while a pass runs, any number of them is one. */
export type WakeUps = Queue.Queue<void>
export const makeWakeUps: Effect.Effect<WakeUps> = Queue.sliding<void>(1)

/** No two passes begin closer together than this, whatever wakes the loop. */
export const passSpacingMs = 50

/** How long to sleep after a plan: its next due time, at most the interval. */
export const sleepAfter = (
  plan: Pick<Plan, "nextMonoMs" | "nextWallMs"> | null,
  clocks: { readonly nowMs: number; readonly monoMs: number; readonly intervalMs: number }
): number => {
  const wall = plan === null || plan.nextWallMs === null ? clocks.intervalMs : plan.nextWallMs - clocks.nowMs
  const mono = plan === null || plan.nextMonoMs === null ? clocks.intervalMs : plan.nextMonoMs - clocks.monoMs
  return Math.max(passSpacingMs, Math.min(clocks.intervalMs, wall, mono))
}

export interface DaemonInput {
  /** What to decide by now: read anew for each pass. */
  readonly input: Effect.Effect<PassInput>
  readonly intervalMs: number
  readonly wakeUps: WakeUps
  /** Told of every pass; true ends the loop. */
  readonly onPass: (report: PassReport) => Effect.Effect<boolean>
  /** Told of a pass that could not be made. */
  readonly onFailure: (message: string) => Effect.Effect<void>
}

export const runDaemon = Effect.fn("daemon.run")(function* (daemon: DaemonInput) {
  const processes = yield* ProcessTable
  for (;;) {
    const attempt = yield* daemon.input.pipe(
      Effect.flatMap(runPass),
      // A pass is one piece: a request to end takes effect between two passes.
      Effect.uninterruptible,
      Effect.result
    )
    let last: Plan | null = null
    if (attempt._tag === "Success") {
      last = attempt.success.rounds.at(-1)?.plan ?? null
      if (yield* daemon.onPass(attempt.success)) return
    } else {
      if (attempt.failure._tag === "LockLost") return yield* attempt.failure satisfies LockLost
      yield* daemon.onFailure(attempt.failure.message)
    }
    yield* Effect.sleep(passSpacingMs)
    const sleepMs = sleepAfter(last, {
      nowMs: yield* Clock.currentTimeMillis,
      monoMs: yield* processes.monotonicMs,
      intervalMs: daemon.intervalMs
    })
    yield* Queue.take(daemon.wakeUps).pipe(Effect.timeoutOrElse({ duration: sleepMs, orElse: () => Effect.void }))
  }
})

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
    const plan = reports.at(-1)?.rounds.at(-1)?.plan
    const monoMs = yield* processes.monotonicMs
    const leftMs = beganMs + stopWaitMs - monoMs
    if (plan === undefined || leftMs <= 0 || !plan.verdicts.some(({ _tag }) => _tag === "Stop")) break
    const sleepMs = sleepAfter(plan, { nowMs: yield* Clock.currentTimeMillis, monoMs, intervalMs: ladderLookMs })
    yield* Effect.sleep(Math.min(leftMs, sleepMs))
    // Only ladders and endings: what is ready to start waits for the next turn of the caller.
    reports.push(
      yield* runPass({ ...input, startsOffReason: input.startsOffReason ?? "only the stops of this pass go on" })
    )
  }
  return {
    rounds: reports.flatMap(({ rounds }) => rounds),
    errors: [...new Set(reports.flatMap(({ errors }) => errors))]
  } satisfies PassReport
})

/** How often to look whether what was asked to end has ended. */
const ladderLookMs = 250

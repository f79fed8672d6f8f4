/**
 * The daemon: passes at the interval, at due times, when a lease changes its phase, when a command asks for something,
 * when the configuration changes, and when a signal asks for one. It ends when it is asked to, or when the lock belongs to another.
 */
import { setFlagsFromString } from "node:v8"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { leaseChanges } from "@tinyscheduler/adapters-fs/LeaseWatch"
import { requestArrivals } from "@tinyscheduler/adapters-fs/RequestWatch"
import { makeTinytask } from "@tinyscheduler/adapters-tinytask/TinytaskClient"
import { makeWakeUps, runDaemon } from "@tinyscheduler/core/pass/daemon"
import type { WakeUps } from "@tinyscheduler/core/pass/daemon"
import { makePassMemory } from "@tinyscheduler/core/pass/memory"
import type { PassMemory } from "@tinyscheduler/core/pass/memory"
import { runPass } from "@tinyscheduler/core/pass/pass"
import type { PassInput, PassReport } from "@tinyscheduler/core/pass/pass"
import { SchedulerLock } from "@tinyscheduler/core/ports/SchedulerLock"
import { TaskQueue } from "@tinyscheduler/core/ports/TaskQueue"
import { tinytaskOptions } from "../layers.ts"
import { keepLogs } from "../logKeeping.ts"
import { summaryOf } from "../output/narration.ts"
import type { Narrator } from "../output/narration.ts"
import type { Configuration } from "../settings/Configuration.ts"
import type { LiveConfiguration } from "./liveConfiguration.ts"
import { holdLock, startTroubles } from "./lock.ts"
import { makeReloading } from "./reloading.ts"
import type { Reloading } from "./reloading.ts"
import { makeServiceManager } from "./serviceManager.ts"
import type { ServiceManager } from "./serviceManager.ts"
import { onSignal } from "./signals.ts"
import { makeTroubles } from "./troubles.ts"
import type { Troubles } from "./troubles.ts"

export interface DaemonOptions {
  readonly live: LiveConfiguration
  /** Instead of the configured interval. */
  readonly intervalMs?: number
  readonly narrator: Narrator
  /** Told of every pass; true ends the daemon. */
  readonly onPass?: (report: PassReport) => Effect.Effect<boolean>
}

/** A daemon that could write nothing when it took the lock, or lost it, tries to take it anew after this long. */
const retakeMs = 10_000

/** Every call of a pass has a timeout; one that takes longer than this hangs, and the service manager may know it. */
const hungMs = 300_000

interface Daemon extends DaemonOptions {
  readonly memory: PassMemory
  readonly wakeUps: WakeUps
  readonly reloading: Reloading
  readonly manager: ServiceManager
  readonly troubles: Troubles
  /** Since when a pass is under way, on the monotonic clock; null between passes. */
  passSinceMs: number | null
  /** It has held the lock, perhaps an earlier one. */
  hasHeld: boolean
}

const intervalOf = ({ intervalMs, live }: DaemonOptions): number =>
  intervalMs ?? live.current().settings.loopIntervalSec * 1000

/** One connection as long as its settings hold: it remembers what its server understands. */
const makeQueues = () => {
  let known: { readonly settings: string; readonly queue: TaskQueue["Service"] } | null = null
  return Effect.fnUntraced(function* ({ settings }: Configuration) {
    const options = tinytaskOptions(settings)
    const text = JSON.stringify(options)
    if (known?.settings !== text) known = { settings: text, queue: (yield* makeTinytask(options)).queue }
    return known.queue
  })
}

const passOf = (daemon: Daemon, input: PassInput) => {
  const queueOf = makeQueues()
  const decide = Effect.gen(function* () {
    yield* daemon.reloading.look
    const configuration = daemon.live.current()
    const queue = yield* queueOf(configuration)
    // Writes ask for themselves; a pass that has nothing to write would never notice that the lock is another's.
    if (input.term !== null) yield* SchedulerLock.use(({ confirm }) => confirm)
    const { desired, settings } = configuration
    return yield* runPass({ ...input, desired, needsApproval: settings.requireApproval }).pipe(
      Effect.provideService(TaskQueue, queue)
    )
  })
  const begins = Effect.sync(() => {
    daemon.passSinceMs = performance.now()
  })
  const ends = Effect.sync(() => {
    daemon.passSinceMs = null
  })
  return Effect.ensuring(Effect.andThen(begins, decide), ends)
}

const beats = (daemon: Daemon) => {
  const { beat, beatMs } = daemon.manager
  if (beatMs === null) return Effect.void
  const isHung = () => daemon.passSinceMs !== null && performance.now() - daemon.passSinceMs > hungMs
  return Effect.suspend(() => (isHung() ? Effect.void : beat)).pipe(
    Effect.andThen(Effect.sleep(beatMs)),
    Effect.forever,
    Effect.asVoid
  )
}

/** One line for whoever watches the service from outside. */
const statusLine = (report: PassReport): string => {
  const { errors, running, stopping, waiting } = summaryOf(report)
  const troubles =
    errors.length === 0 ? "" : `; ${errors[0]}${errors.length === 1 ? "" : ` and ${errors.length - 1} more`}`
  return `${running} running, ${waiting} waiting${stopping === 0 ? "" : `, ${stopping} stopping`}${troubles}`
}

/** A lock that is taken again and again, since nothing can be written under it, is no news. */
const tellHeld = Effect.fnUntraced(function* (daemon: Daemon, { startsOffReason, term }: PassInput) {
  if (daemon.hasHeld) {
    if (startsOffReason === null) yield* Effect.logInfo(`the scheduler lock is held again, as term ${term}`)
    return
  }
  daemon.hasHeld = true
  yield* Effect.logInfo(`daemon: a pass every ${intervalOf(daemon) / 1000} s, and when a lease changes`)
  yield* daemon.manager.ready
})

/** Whether the daemon is over; false = the lock is to be taken anew, since under this one nothing may be written. */
const passesUnderOneLock = Effect.fnUntraced(function* (daemon: Daemon) {
  const input = yield* holdLock(daemon.live.current(), daemon.narrator, daemon.memory, daemon.live.current)
  yield* tellHeld(daemon, input)
  let over = false
  yield* Effect.suspend(() => keepLogs(daemon.live.current())).pipe(
    Effect.andThen(Effect.sleep("1 hour")),
    Effect.forever,
    Effect.forkScoped
  )
  const { paths } = daemon.live.current()
  yield* Stream.merge(leaseChanges(paths), requestArrivals(paths)).pipe(
    Stream.runForEach(() => Queue.offer(daemon.wakeUps, undefined)),
    Effect.forkScoped
  )
  yield* runDaemon({
    pass: passOf(daemon, input),
    intervalMs: Effect.sync(() => intervalOf(daemon)),
    wakeUps: daemon.wakeUps,
    onPass: (report) =>
      Effect.gen(function* () {
        const errors = [...startTroubles(input), ...report.errors]
        yield* daemon.troubles.tell(errors)
        yield* daemon.manager.status(statusLine({ ...report, errors }))
        over = daemon.onPass !== undefined && (yield* daemon.onPass(report))
        return over || input.startsOffReason !== null
      }),
    onFailure: (message) =>
      Effect.gen(function* () {
        yield* daemon.troubles.tell([`the pass could not be made: ${message}`])
        yield* daemon.manager.status(`the pass could not be made: ${message}`)
      })
  })
  return over
})

/**
 * A pass leaves much litter and keeps little. V8 would let the space for litter grow until a daemon that holds 17 MiB
 * takes 200; without growth it takes 85, and collects more often (`pnpm bench daemonMemory`).
 */
const keepMemorySmall = Effect.sync(() => setFlagsFromString("--semi-space-growth-factor=1"))

/** Passes until it is asked to end. Fails when another scheduler holds the lock. */
export const daemon = Effect.fn("daemon")(function* (options: DaemonOptions) {
  yield* keepMemorySmall
  const wakeUps = yield* makeWakeUps
  const wake = () => void Queue.offerUnsafe(wakeUps, undefined)
  const reloading = yield* makeReloading(options.live, Effect.sync(wake))
  const daemon: Daemon = {
    ...options,
    memory: yield* makePassMemory,
    wakeUps,
    reloading,
    manager: makeServiceManager(process.env, process.pid),
    troubles: makeTroubles(),
    passSinceMs: null,
    hasHeld: false
  }
  yield* onSignal("SIGUSR1", wake)
  yield* onSignal("SIGHUP", () => {
    reloading.ask()
    wake()
  })
  yield* Effect.addFinalizer(() => daemon.manager.stopping)
  yield* Effect.forkScoped(beats(daemon))
  const passes = Effect.scoped(passesUnderOneLock(daemon)).pipe(
    // Somebody deleted or replaced the lock file, perhaps by hand. Whoever holds it by now goes on; else we do.
    Effect.catchTag("LockLost", (lost) => Effect.as(Effect.logWarning(`${lost.message}; taking it anew`), false)),
    // Whatever else keeps it from being taken anew may pass; only at the start it is for somebody to mend.
    Effect.catchIf(
      (failure) => daemon.hasHeld && failure._tag !== "LockHeld",
      (failure) => Effect.as(daemon.troubles.tell([failure.message]), false)
    )
  )
  while (!(yield* passes)) yield* Effect.sleep(Math.min(intervalOf(daemon), retakeMs))
}, Effect.scoped)

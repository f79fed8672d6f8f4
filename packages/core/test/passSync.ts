/** A scheduler whose passes are made synchronously, on the clock of its world: hundreds of thousands of them in a test. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import type { DesiredState } from "../src/domain/DesiredState.ts"
import type { Term } from "../src/domain/identifiers.ts"
import type { ObservedState } from "../src/domain/ObservedState.ts"
import type { Plan } from "../src/domain/Plan.ts"
import type { ActionResult } from "../src/pass/ActionResult.ts"
import { makePassMemory } from "../src/pass/memory.ts"
import { runPass, runRound } from "../src/pass/pass.ts"
import type { PassInput } from "../src/pass/pass.ts"
import { SchedulerLock } from "../src/ports/SchedulerLock.ts"
import { layerSimulation } from "../src/simulation/api.ts"
import type { FaultHook, World } from "../src/simulation/api.ts"

/** The virtual clock of a world, for passes that run without a fiber that sleeps. */
const clockOf = ({ machine }: World): Clock.Clock => {
  const nanos = (ms: number): bigint => BigInt(ms) * 1_000_000n
  return {
    currentTimeMillisUnsafe: () => machine.nowMs,
    currentTimeMillis: Effect.sync(() => machine.nowMs),
    currentTimeNanosUnsafe: () => nanos(machine.nowMs),
    currentTimeNanos: Effect.sync(() => nanos(machine.nowMs)),
    monotonicTimeNanosUnsafe: () => nanos(machine.monoMs()),
    monotonicTimeNanos: Effect.sync(() => nanos(machine.monoMs())),
    sleep: () => Effect.die("nothing sleeps in a pass")
  }
}

/** Who watches the passes: told of each call, each plan before it is carried out, and what became of its actions. */
export interface PassListener {
  readonly onCall: (call: string, moment: "before" | "after") => void
  readonly onPlan: (observed: ObservedState, plan: Plan) => void
  readonly onResults: (results: ReadonlyArray<ActionResult>) => void
}

/** One scheduler process that makes its passes synchronously. */
export class SyncScheduler {
  faults: FaultHook = () => null
  readonly term: Term | null
  private readonly scope = Scope.makeUnsafe()
  private readonly memory = Effect.runSync(makePassMemory)
  private readonly context
  private readonly clock: Clock.Clock
  private readonly listener: PassListener

  constructor(world: World, listener: PassListener) {
    this.clock = clockOf(world)
    this.listener = listener
    const faults: FaultHook = (call, moment) => {
      listener.onCall(call, moment)
      return this.faults(call, moment)
    }
    this.context = Effect.runSync(Layer.buildWithScope(layerSimulation(world, faults), this.scope))
    const acquired = SchedulerLock.use(({ acquire }) => acquire).pipe(
      Effect.provide(this.context),
      Effect.provideService(Scope.Scope, this.scope)
    )
    this.term = Effect.runSync(acquired).term
  }

  private input(desired: DesiredState): PassInput {
    return {
      desired,
      memory: this.memory,
      term: this.term,
      startsOffReason: null,
      logDirectory: "state/logs",
      onPlan: ({ observed, plan: made }) => Effect.sync(() => this.listener.onPlan(observed, made)),
      onResults: (results) => Effect.sync(() => this.listener.onResults(results))
    }
  }

  pass(desired: DesiredState) {
    return this.run(runPass(this.input(desired)))
  }

  /** One round: observe, reconcile, apply. */
  round(desired: DesiredState) {
    const input = this.input(desired)
    return this.run(Effect.map(runRound(input), (round) => round.plan))
  }

  private run<A, E>(effect: Effect.Effect<A, E, Layer.Success<ReturnType<typeof layerSimulation>>>): Exit.Exit<A, E> {
    const once = effect.pipe(
      Effect.provide(this.context),
      Effect.provideService(Clock.Clock, this.clock),
      Effect.provideService(References.MinimumLogLevel, "None"),
      Effect.provideService(References.TracerEnabled, false)
    )
    // Each call would keep its stack for a trace that nobody reads here: a good part of the time.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    try {
      return Effect.runSyncExit(once)
    } finally {
      Error.stackTraceLimit = stackTraceLimit
    }
  }

  end(): void {
    Effect.runSync(Scope.close(this.scope, Exit.void))
  }
}

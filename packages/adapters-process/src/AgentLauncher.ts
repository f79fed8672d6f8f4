/**
 * The layer that starts supervisors: it renders the launch, says early and clearly what can't work, and hands a
 * detached supervisor its order. It never waits for the agent; what becomes of it stands in claim and lease.
 *
 * node:child_process, never Effect's ChildProcess: that kills what it started when its scope closes, even detached.
 */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { type AgentLaunch, renderLaunch } from "@tinyscheduler/core/domain/AgentLaunch"
import { LeaseFile } from "@tinyscheduler/core/domain/Lease"
import { AgentLauncher, LaunchFailed, type LaunchRequest } from "@tinyscheduler/core/ports/AgentLauncher"
import { promptPath } from "@tinyscheduler/core/protocol/layout"
import { agentEnvironment, supervisorEnvironment } from "./environment.ts"
import { launchProblem } from "./launchProblem.ts"
import { startDetached } from "./startDetached.ts"
import { writePrompt } from "./writePrompt.ts"
import { recipeSight } from "./recipeSight.ts"
import type { SupervisorOrder } from "./supervisor/spec.ts"

/** What may change while a scheduler runs. */
export interface LaunchSettings {
  readonly recipesDir: string
  readonly heartbeatSec: number
  /** How long an agent may take to end after SIGINT, where its supervisor has to end it. */
  readonly stopGraceSec: number
  /** How an agent is started; null when there is no such agent. */
  readonly describe: (agentName: string) => AgentLaunch | null
}

/** Every path is absolute. */
export interface AgentLauncherOptions {
  /** The argument vector that starts a supervisor: program, flags, file. Found without a working directory. */
  readonly supervisorCommand: ReadonlyArray<string>
  readonly runningDir: string
  readonly claimsDir: string
  readonly logDir: string
  /** Under it every attempt gets a TMPDIR of its own. */
  readonly tmpDir: string
  /** The scheduler's own environment. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Asked at each launch. */
  readonly current: () => LaunchSettings
}

const handOverMax = "10 seconds"

/** A supervisor needs no more than a moment to exist; a machine that can't give it one starts nothing. */
const tookTooLong = new LaunchFailed({ reason: `the supervisor did not take its order within ${handOverMax}` })

const encodeLease = Schema.encodeSync(LeaseFile)

const orderOf = (
  options: AgentLauncherOptions,
  { heartbeatSec, stopGraceSec }: LaunchSettings,
  request: LaunchRequest,
  launch: AgentLaunch
) => {
  const { lease } = request
  const promptFile = `${options.logDir}/${promptPath(lease.taskId, lease.epoch)}`
  const rendered = renderLaunch(launch, lease, request, { promptFile })
  const { runningDir, claimsDir, logDir, tmpDir } = options
  const order: SupervisorOrder = {
    lease: encodeLease(lease),
    runningDir,
    claimsDir,
    logDir,
    tmpDir,
    argv: rendered.argv,
    env: rendered.env,
    cwd: rendered.cwd,
    heartbeatSec,
    stopGraceSec,
    hold: null
  }
  return { order, promptFile, promptText: rendered.promptText }
}

const launchWith = (options: AgentLauncherOptions) =>
  Effect.fn("AgentLauncher.launch")(function* (request: LaunchRequest) {
    const { lease } = request
    const settings = options.current()
    const launch = settings.describe(lease.agentName)
    if (launch === null) return yield* new LaunchFailed({ reason: `no agent ${lease.agentName} is configured` })
    const { order, promptFile, promptText } = orderOf(options, settings, request, launch)
    const problem = launchProblem({
      order,
      environment: agentEnvironment(options.environment, order.env),
      recipe: lease.recipe === null ? null : recipeSight(settings.recipesDir, lease.recipe)
    })
    if (problem !== null) return yield* new LaunchFailed({ reason: problem })
    yield* writePrompt(promptFile, promptText)
    yield* startDetached({
      command: options.supervisorCommand,
      environment: supervisorEnvironment(options.environment, lease.token),
      input: JSON.stringify(order)
    }).pipe(Effect.timeoutOrElse({ duration: handOverMax, orElse: () => Effect.fail(tookTooLong) }))
  })

/** The launcher for one state directory. */
export const layer = (options: AgentLauncherOptions) =>
  Layer.succeed(
    AgentLauncher,
    AgentLauncher.of({
      launch: launchWith(options),
      lookAtRecipes: Effect.fn("AgentLauncher.lookAtRecipes")(function* (recipes: ReadonlyArray<string>) {
        return yield* Effect.sync(() => {
          const { recipesDir } = options.current()
          return recipes.map((recipe) => recipeSight(recipesDir, recipe))
        })
      }),
      drawToken: Effect.sync(() => randomUUID())
    })
  )

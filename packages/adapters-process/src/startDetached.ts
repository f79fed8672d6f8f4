/** Starting a program that outlives us: a session of its own, none of our descriptors, its input handed over and closed. */
import { type ChildProcess, spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import { LaunchFailed } from "@tinyscheduler/core/ports/AgentLauncher"

export interface DetachedProgram {
  readonly command: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string>>
  readonly input: string
}

const failed = (error: unknown): Effect.Effect<never, LaunchFailed> =>
  Effect.fail(
    new LaunchFailed({
      reason: `the supervisor can't be started: ${error instanceof Error ? error.message : String(error)}`
    })
  )

/**
 * Succeeds when the program runs and its whole input is on its way. Spawning, handing over and letting go are one
 * synchronous step: nothing can interrupt between them. Whoever stops waiting leaves a program that either read its
 * whole order, and then the link of its claim decides, or exits on half of one.
 */
export const startDetached = (program: DetachedProgram): Effect.Effect<void, LaunchFailed> =>
  Effect.callback<void, LaunchFailed>((resume) => {
    const [file, ...args] = program.command
    if (file === undefined) return resume(failed("its command is empty"))
    let child: ChildProcess
    try {
      child = spawn(file, args, {
        cwd: "/",
        detached: true,
        env: program.environment,
        stdio: ["pipe", "ignore", "ignore"]
      })
    } catch (error) {
      return resume(failed(error))
    }
    child.on("error", (error) => resume(failed(error)))
    const { pid, stdin } = child
    if (pid !== undefined && stdin !== null) {
      stdin.on("error", (error) => resume(failed(error)))
      stdin.once("finish", () => resume(Effect.void))
      stdin.end(program.input)
    }
    child.unref()
  })

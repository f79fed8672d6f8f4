/**
 * What a program says to `--version`. It is somebody else's program: it gets no input, none of our descriptors, little
 * time and a session of its own, and whatever is left of its group afterwards is killed.
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as Effect from "effect/Effect"

export interface VersionQuestion {
  /** Absolute. */
  readonly program: string
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  readonly waitMs: number
}

export type VersionAnswer =
  | { readonly _tag: "Version"; readonly text: string; readonly numbers: readonly [number, number, number] }
  | { readonly _tag: "Untold"; readonly why: string }

const outputMax = 64 * 1024

/** Anywhere in a line: Goose prints ` 1.53.0` with a leading blank, others put their name before it. */
export const parseVersion = (output: string): VersionAnswer => {
  const found = /(?<![\d.])(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?/.exec(output)
  if (found === null) return { _tag: "Untold", why: "said no version" }
  const [text, major, minor, patch] = found
  return { _tag: "Version", text, numbers: [Number(major), Number(minor), Number(patch ?? 0)] }
}

/** The group is the child's own, and its number can't be given away while anything lives in it. */
const endGroup = (child: ChildProcess): void => {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, "SIGKILL")
  } catch {
    // Nothing is left of it.
  }
}

/** Asks; never fails. */
export const askVersion = ({ cwd, environment, program, waitMs }: VersionQuestion): Effect.Effect<VersionAnswer> =>
  Effect.callback<VersionAnswer>((resume) => {
    let output = ""
    const untold = (why: string) => resume(Effect.succeed({ _tag: "Untold", why }))
    const child = spawn(program, ["--version"], {
      cwd,
      env: environment,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"]
    })
    const keep = (text: string) => (output = (output + text).slice(0, outputMax))
    child.stdout.setEncoding("utf8").on("data", keep)
    child.stderr.setEncoding("utf8").on("data", keep)
    child.once("error", (error) => untold(`could not be run: ${error.message}`))
    // What it left behind would hold its output open, and `close` would never come.
    child.once("exit", () => endGroup(child))
    child.once("close", (code, signal) =>
      code === 0 ? resume(Effect.succeed(parseVersion(output))) : untold(`ended with ${code ?? signal}`)
    )
    return Effect.sync(() => {
      endGroup(child)
      // Who left the group may hold these for as long as it likes; we don't wait for it.
      child.stdout.destroy()
      child.stderr.destroy()
    })
  }).pipe(
    Effect.timeoutOrElse({
      duration: waitMs,
      orElse: () => Effect.succeed<VersionAnswer>({ _tag: "Untold", why: `did not answer within ${waitMs / 1000} s` })
    })
  )

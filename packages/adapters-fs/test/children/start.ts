/** Starts one of the programs beside this file under the Node that runs the tests. */
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"

export const spawnProgram = (name: string, args: ReadonlyArray<string>): ChildProcess =>
  spawn(
    process.execPath,
    ["--conditions=source", "--no-warnings", fileURLToPath(new URL(name, import.meta.url)), ...args],
    { stdio: ["ignore", "pipe", "inherit"] }
  )

/** Killed, and reaped, when the scope closes. */
export const startProgram = (start: () => ChildProcess) =>
  Effect.acquireRelease(Effect.sync(start), (child) => Effect.promise(() => killed(child)))

/** Ends a child at once and waits until it is gone. */
export const killed = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, "exit")
  child.kill("SIGKILL")
  await gone
}

/** The first line that a child prints. */
export const firstLine = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ""
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")))
    })
    child.once("exit", () => reject(new Error(`ended before it said anything: ${text}`)))
  })

/** The prompt file: the way a task's text reaches its agent, because it must never be an argument. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { LaunchFailed } from "@tinyscheduler/core/ports/AgentLauncher"
import { ensurePrivateDirectory } from "./privateDirectory.ts"

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants

const write = (file: string, text: string): void => {
  ensurePrivateDirectory(path.dirname(file))
  const descriptor = fs.openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    fs.writeFileSync(descriptor, text)
  } finally {
    fs.closeSync(descriptor)
  }
}

/** Creates the file; never over another, never through a link. An epoch has one launch, and so one prompt. */
export const writePrompt = Effect.fn("writePrompt")(function* (file: string, text: string) {
  yield* Effect.try({
    try: () => write(file, text),
    catch: (error) =>
      new LaunchFailed({
        reason: `the prompt file can't be written: ${error instanceof Error ? error.message : String(error)}`
      })
  })
})

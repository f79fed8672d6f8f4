/** Results go to stdout, whole, before the process ends. */
import { escapeJsonText } from "@tinyscheduler/core/domain/plainText"
import * as Effect from "effect/Effect"

/** Prints text with its newline; waits for a slow reader, and is quiet when the reader has gone. */
export const print = (text: string): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    process.stdout.write(`${text}\n`, () => {
      resume(Effect.void)
    })
  })

/** JSON for programs, which people look at on a terminal all the same. */
export const printJson = (value: unknown): Effect.Effect<void> => print(escapeJsonText(JSON.stringify(value, null, 2)))

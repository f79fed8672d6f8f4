/** Results go to stdout, whole, before the process ends. */
import * as Effect from "effect/Effect"

/** Prints text with its newline; waits for a slow reader, and is quiet when the reader has gone. */
export const print = (text: string): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    process.stdout.write(`${text}\n`, () => {
      resume(Effect.void)
    })
  })

export const printJson = (value: unknown): Effect.Effect<void> => print(JSON.stringify(value, null, 2))

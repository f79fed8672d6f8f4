/** What came of asking, for people as one sentence, for programs as one object; and the exit code that follows. */
import * as Effect from "effect/Effect"
import type { RequestResult } from "@tinyscheduler/core/domain/Request"
import { exitCodes, ExitWith } from "../exits.ts"
import { escapeText } from "../output/escape.ts"
import { print, printJson } from "../output/print.ts"

/** "accepted": another process carries it out; "waiting": it has not happened within the time. */
export type AskResult = RequestResult | "accepted" | "waiting"

export interface Told {
  readonly result: AskResult
  readonly says: string
  /** What it is about, and whatever else programs may want. */
  readonly about: Readonly<Record<string, unknown>>
}

const prefixes: { readonly [K in AskResult]: string } = {
  accepted: "accepted: ",
  waiting: "not yet: ",
  done: "",
  nothing: "",
  refused: ""
}

export const tellAnswer = Effect.fnUntraced(function* (
  { about, result, says }: Told,
  options: { readonly json: boolean; readonly dryRun?: boolean }
) {
  const isDryRun = options.dryRun === true
  yield* options.json
    ? printJson({ version: 1, ...about, result, says, ...(isDryRun ? { dryRun: true } : {}) })
    : print(`${isDryRun ? "dry run, nothing was changed: " : prefixes[result]}${escapeText(says)}`)
  if (result === "refused" || result === "waiting") return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
})

/** Who carries an accepted request out, and when. */
export const acceptedBy = (holder: string | null): string =>
  `the scheduler${holder === null ? "" : ` (${holder})`} carries it out with its next pass`

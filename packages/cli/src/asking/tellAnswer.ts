/** What came of asking, for people as one sentence, for programs as one object; and the exit code that follows. */
import * as Effect from "effect/Effect"
import type { RequestResult } from "@tinyscheduler/core/domain/Request"
import { exitCodes, ExitWith } from "../exits.ts"
import { escapeText } from "../output/escape.ts"
import { print, printJson } from "../output/print.ts"
import type { Refused } from "./Refused.ts"

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

/** A refusal is no result: people find it where they find every failure. */
const tellPeople = ({ result }: Told, text: string) =>
  result === "refused" ? Effect.sync(() => process.stderr.write(`${text}\n`)) : print(text)

export const tellAnswer = Effect.fnUntraced(function* (
  told: Told,
  options: { readonly json: boolean; readonly dryRun?: boolean }
) {
  const { about, result, says } = told
  const isDryRun = options.dryRun === true
  yield* options.json
    ? printJson({ version: 1, ...about, result, says, ...(isDryRun ? { dryRun: true } : {}) })
    : tellPeople(told, `${isDryRun ? "dry run, nothing was changed: " : prefixes[result]}${escapeText(says)}`)
  if (result === "refused" || result === "waiting") return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
})

/** What stands in the way of asking at all, as the same object for programs. */
export const tellRefusal =
  (about: Told["about"], options: { readonly json: boolean }) =>
  ({ reason }: Refused) =>
    tellAnswer({ result: "refused", says: reason, about }, options)

/** Who carries an accepted request out, and when. */
export const acceptedBy = (holder: string | null): string =>
  `the scheduler${holder === null ? "" : ` (${holder})`} carries it out with its next pass`

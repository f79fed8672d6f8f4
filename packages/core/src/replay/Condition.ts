/** What a bisection asks of each plan: "task 42 starts", "task 42 waits", "task 42 waits: parked". */
import * as Result from "effect/Result"
import type { Plan, Verdict } from "../domain/Plan.ts"

const words = {
  starts: "Start",
  runs: "Running",
  finishes: "Finish",
  stops: "Stop",
  "is reclaimed": "Reclaim",
  waits: "Wait",
  "is ignored": "Ignore"
} as const satisfies Readonly<Record<string, Verdict["_tag"]>>

const isWord = (word: string): word is keyof typeof words => Object.hasOwn(words, word)

/** What is asked of a plan: whether it gives a task such a verdict. */
export interface Condition {
  readonly taskId: number
  readonly verdict: Verdict["_tag"]
  /** Only a wait for this reason, by its name in lower case; null = any. */
  readonly reason: string | null
}

const pattern = /^\s*task\s+([1-9]\d{0,15})\s+([a-z]+(?:\s+[a-z]+)?)\s*(?::\s*(.+?)\s*)?$/i

/** "no free slot" and "NoFreeSlot" name one reason. */
const nameOf = (reason: string): string => reason.replace(/[\s_-]+/g, "").toLowerCase()

export const conditionHelp = `say it as: task 42 starts (or ${Object.keys(words).slice(1).join(", ")}), or task 42 waits: parked`

/** The condition of a text; fails with a sentence that says how to write one. */
export const parseCondition = (text: string): Result.Result<Condition, string> => {
  const [, id, said, reason] = pattern.exec(text) ?? []
  const word = said?.toLowerCase().replace(/\s+/g, " ") ?? ""
  if (id === undefined || !isWord(word) || (reason !== undefined && word !== "waits")) {
    return Result.fail(`"${text}" is no condition: ${conditionHelp}`)
  }
  return Result.succeed({
    taskId: Number(id),
    verdict: words[word],
    reason: reason === undefined ? null : nameOf(reason)
  })
}

/** Whether a plan says so. */
export const holds = ({ reason, taskId, verdict }: Condition, plan: Plan): boolean =>
  plan.verdicts.some(
    (one) =>
      one.taskId === taskId &&
      one._tag === verdict &&
      (reason === null || (one._tag === "Wait" && one.reasons.some(({ _tag }) => nameOf(_tag) === reason)))
  )

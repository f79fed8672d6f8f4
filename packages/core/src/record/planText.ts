/** A recorded plan as the text that it had: its parts put together again in the order of a plan's fields. */
import * as Result from "effect/Result"
import { isOfPlan } from "./Parts.ts"
import type { Parts } from "./Parts.ts"

/** By task number, or by place. A key that was made for a second one of a name stands behind the first. */
const inOrder = (parts: Parts, kind: string): ReadonlyArray<string> =>
  [...parts]
    .filter(([key]) => key.startsWith(`${kind}/`))
    .map(([key, text]) => ({
      place: key
        .slice(kind.length + 1)
        .split("~")
        .map(Number),
      text
    }))
    .sort(
      (left, right) => (left.place[0] ?? 0) - (right.place[0] ?? 0) || (left.place[1] ?? -1) - (right.place[1] ?? -1)
    )
    .map(({ text }) => text)

const list = (texts: ReadonlyArray<string>): string => `[${texts.join(",")}]`

/** The text that `JSON.stringify` makes of the plan; or what is wrong, when the parts are those of no plan. */
export const planTextOf = (parts: Parts): Result.Result<string, string> => {
  const head = Result.try((): unknown => JSON.parse(parts.get("plan") ?? "null"))
  if (Result.isFailure(head) || typeof head.success !== "object" || head.success === null) {
    return Result.fail("the record has no plan")
  }
  const { leftByBound, monoMs, nextMonoMs, nextWallMs, nowMs, precondition, tinytask, total, version } = {
    ...emptyHead,
    ...head.success
  }
  const before = JSON.stringify({ version, nowMs, monoMs, tinytask })
  const after = JSON.stringify({ leftByBound, nextWallMs, nextMonoMs, precondition })
  const agents = list(inOrder(parts, "agentUsage"))
  const queues = list(inOrder(parts, "queueUsage"))
  const usage = `{"agents":${agents},"queues":${queues},"total":${JSON.stringify(total)}}`
  const verdicts = list(inOrder(parts, "verdict"))
  const actions = list(inOrder(parts, "action"))
  return Result.succeed(
    `${before.slice(0, -1)},"verdicts":${verdicts},"actions":${actions},"usage":${usage},${after.slice(1)}`
  )
}

const emptyHead = {
  version: null,
  nowMs: null,
  monoMs: null,
  tinytask: null,
  leftByBound: null,
  nextWallMs: null,
  nextMonoMs: null,
  precondition: null,
  total: null
}

/** The first part of a plan that two records tell differently, by key; null when none. */
export const firstDifference = (
  recorded: Parts,
  made: Parts
): { readonly key: string; readonly recorded: string | null; readonly made: string | null } | null => {
  const keys = new Set([...recorded.keys(), ...made.keys()].filter(isOfPlan))
  for (const key of keys) {
    const left = recorded.get(key) ?? null
    const right = made.get(key) ?? null
    if (left !== right) return { key, recorded: left, made: right }
  }
  return null
}

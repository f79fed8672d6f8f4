/** The flags of a what-if as suppositions, in the order in which they are listed by --help. */
import { nearestName } from "@tinyscheduler/adapters-fs/didYouMean"
import type { DesiredState } from "@tinyscheduler/core/domain/DesiredState"
import { TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { ObservedState } from "@tinyscheduler/core/domain/ObservedState"
import type { Supposition } from "@tinyscheduler/core/whatIf/Supposition"
import * as Flag from "effect/cli/Flag"
import * as Result from "effect/Result"
import { lengthMs } from "../asking/pauseEnd.ts"
import { escapeShort } from "../output/escape.ts"
import { parseSetting } from "./setting.ts"

const repeatable = (name: string, metavar: string, about: string) =>
  Flag.String(name).pipe(Flag.withDescription(about), Flag.withMetavar(metavar), Flag.atLeast(0))

/** What `plan` takes beside its own flags. */
export const whatIfFlags = {
  set: repeatable(
    "set",
    "name=value",
    "What if: agent.NAME.slots, agent.NAME.enabled, queue.NAME.limit, maxConcurrent, policy.FIELD; repeatable"
  ),
  pause: repeatable("pause", "agent", "What if this agent were paused; repeatable"),
  resume: repeatable("resume", "agent", "What if this agent were resumed; repeatable"),
  finish: repeatable("finish", "task", "What if this task were complete; repeatable"),
  retry: repeatable("retry", "task", "What if this task were released; repeatable"),
  at: repeatable("at", "+time", "What if so much time had gone by, like +2h; whatever lives goes on living")
}

export type WhatIf = { readonly [K in keyof typeof whatIfFlags]: ReadonlyArray<string> }

type Parsed = Result.Result<Supposition, string>

const aboutAgent =
  (tag: "Pause" | "Resume", desired: DesiredState) =>
  (typed: string): Parsed => {
    const names = desired.agents.map(({ name }) => name)
    const agent = names.find((name) => name === typed)
    if (agent !== undefined) return Result.succeed({ _tag: tag, agent })
    const meant = nearestName(typed, names)
    const hint = meant === null ? `there are ${names.slice(0, 20).join(", ")}` : `did you mean ${meant}?`
    return Result.fail(`no agent is called "${escapeShort(typed, 80)}": ${hint}`)
  }

const aboutTask =
  (tag: "Finish" | "Retry", { records, tinytask }: ObservedState) =>
  (typed: string): Parsed => {
    const id = /^[1-9][0-9]{0,14}$/.test(typed) ? TaskId.make(Number(typed)) : null
    if (id === null) return Result.fail(`"${escapeShort(typed, 80)}" is no number of a task`)
    const isKnown =
      records.some(({ taskId }) => taskId === id) ||
      (tinytask._tag === "Read" && tinytask.tasks.some((task) => task.id === id))
    return isKnown ? Result.succeed({ _tag: tag, taskId: id }) : Result.fail(`there is no open task ${id}`)
  }

const inTime = (typed: string): Parsed => {
  const ms = typed.startsWith("+") ? lengthMs(typed.slice(1)) : null
  return ms === null || ms > longestMs
    ? Result.fail(`--at is "${escapeShort(typed, 80)}", expected a length of time like +45m, +2h or +1d12h`)
    : Result.succeed({ _tag: "Later", ms })
}

/** Ten years: a longer one is a slip. */
const longestMs = 3650 * 86_400_000

/** All of them, or every fault in a sentence. */
export const suppositionsOf = (
  typed: WhatIf,
  observed: ObservedState,
  desired: DesiredState
): Result.Result<ReadonlyArray<Supposition>, ReadonlyArray<string>> => {
  const parsed = [
    ...typed.set.map((text) => parseSetting(text, desired)),
    ...typed.pause.map(aboutAgent("Pause", desired)),
    ...typed.resume.map(aboutAgent("Resume", desired)),
    ...typed.finish.map(aboutTask("Finish", observed)),
    ...typed.retry.map(aboutTask("Retry", observed)),
    ...typed.at.map(inTime)
  ]
  const faults = parsed.flatMap((one) => (Result.isFailure(one) ? [one.failure] : []))
  return faults.length > 0
    ? Result.fail(faults)
    : Result.succeed(parsed.flatMap((one) => (Result.isSuccess(one) ? [one.success] : [])))
}

/** The flags of a what-if as suppositions. A task that is added comes first, so that the others may be about it. */
import type { DesiredState } from "@tinyscheduler/core/domain/DesiredState"
import { TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { ObservedState } from "@tinyscheduler/core/domain/ObservedState"
import type { Situation } from "@tinyscheduler/core/domain/Situation"
import type { Supposition } from "@tinyscheduler/core/whatIf/Supposition"
import { suppose } from "@tinyscheduler/core/whatIf/suppose"
import * as Flag from "effect/cli/Flag"
import * as Result from "effect/Result"
import { lengthMs } from "../asking/pauseEnd.ts"
import { escapeShort } from "../output/escape.ts"
import { parseAddedTask } from "./addedTask.ts"
import { nameHint } from "./nameHint.ts"
import { parseSetting, setFlag } from "./setting.ts"
import type { SettingPlace } from "./setting.ts"

const repeatable = (name: string, metavar: string, about: string) =>
  Flag.String(name).pipe(Flag.withDescription(about), Flag.withMetavar(metavar), Flag.atLeast(0))

const truth = (name: string, about: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(about), Flag.withDefault(false))

/** What a command takes beside its own flags, in the order in which --help lists them. */
export const whatIfFlags = {
  set: repeatable(
    "set",
    "name=value",
    "What if: agent.NAME.slots, agent.NAME.enabled, queue.NAME.limit, maxConcurrent, policy.FIELD; repeatable"
  ),
  addTask: repeatable(
    "add-task",
    "field=value,…",
    "What if this task were added: queue, assignee, priority, title, blockedBy, parent; repeatable"
  ),
  pause: repeatable("pause", "agent", "What if this agent were paused; repeatable"),
  pauseAll: truth("pause-all", "What if all agents together were paused"),
  resume: repeatable("resume", "agent", "What if this agent were resumed; repeatable"),
  resumeAll: truth("resume-all", "What if the pause of all agents together were ended"),
  finish: repeatable("finish", "task", "What if this task were complete; repeatable"),
  retry: repeatable("retry", "task", "What if this task were released; repeatable")
}

/** Only where the present moment is looked at: what rolls time forward has time of its own. */
export const atFlag = repeatable(
  "at",
  "+time",
  "What if so much time had gone by, like +2h; whatever lives goes on living"
)

export interface WhatIf {
  readonly set: ReadonlyArray<string>
  readonly addTask: ReadonlyArray<string>
  readonly pause: ReadonlyArray<string>
  readonly pauseAll: boolean
  readonly resume: ReadonlyArray<string>
  readonly resumeAll: boolean
  readonly finish: ReadonlyArray<string>
  readonly retry: ReadonlyArray<string>
  readonly at?: ReadonlyArray<string>
}

/** Whether anything is supposed at all. */
export const isSupposing = (typed: WhatIf): boolean =>
  Object.values(typed).some((value) => value === true || (typeof value === "object" && value.length > 0))

type Parsed = Result.Result<Supposition, string>

const aboutAgent =
  (tag: "Pause" | "Resume", desired: DesiredState) =>
  (typed: string): Parsed => {
    const names = desired.agents.map(({ name }) => name)
    const agent = names.find((name) => name === typed)
    return agent === undefined
      ? Result.fail(`no agent is called "${escapeShort(typed, 80)}": ${nameHint(typed, names)}`)
      : Result.succeed({ _tag: tag, agent })
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

/** Each added task may be blocked by those before it: the situation with them is what the next one is read against. */
const addedTasks = (typed: ReadonlyArray<string>, before: Situation) => {
  const parsed: Array<Parsed> = []
  let situation = before
  for (const text of typed) {
    const made = Result.map(parseAddedTask(text, situation.observed, situation.desired), (task): Supposition => ({
      _tag: "AddTask",
      task
    }))
    parsed.push(made)
    if (Result.isSuccess(made)) situation = suppose(situation, [made.success])
  }
  return { parsed, observed: situation.observed }
}

/** All of them, or every fault in a sentence. */
export const suppositionsOf = (
  typed: WhatIf,
  situation: Situation,
  place: SettingPlace = setFlag
): Result.Result<ReadonlyArray<Supposition>, ReadonlyArray<string>> => {
  const { desired } = situation
  const added = addedTasks(typed.addTask, situation)
  const parsed: ReadonlyArray<Parsed> = [
    ...(typed.pauseAll && typed.resumeAll ? [Result.fail("--pause-all and --resume-all contradict each other")] : []),
    ...added.parsed,
    ...typed.set.map((text) => parseSetting(text, desired, place)),
    ...typed.pause.map(aboutAgent("Pause", desired)),
    ...(typed.pauseAll ? [Result.succeed({ _tag: "Pause", agent: null } as const)] : []),
    ...typed.resume.map(aboutAgent("Resume", desired)),
    ...(typed.resumeAll ? [Result.succeed({ _tag: "Resume", agent: null } as const)] : []),
    ...typed.finish.map(aboutTask("Finish", added.observed)),
    ...typed.retry.map(aboutTask("Retry", added.observed)),
    ...(typed.at ?? []).map(inTime)
  ]
  const faults = parsed.flatMap((one) => (Result.isFailure(one) ? [one.failure] : []))
  return faults.length > 0
    ? Result.fail(faults)
    : Result.succeed(parsed.flatMap((one) => (Result.isSuccess(one) ? [one.success] : [])))
}

/** `status`: agents and their slots, what runs, what waits and why. Looks only; works beside a running scheduler. */
import { existsSync } from "node:fs"
import { readHolder } from "@tinyscheduler/adapters-fs/SchedulerLock"
import type { ObservedState } from "@tinyscheduler/core/domain/ObservedState"
import type { Plan } from "@tinyscheduler/core/domain/Plan"
import type { Request } from "@tinyscheduler/core/domain/Request"
import { makePassMemory } from "@tinyscheduler/core/pass/memory"
import { plan } from "@tinyscheduler/core/pass/pass"
import { describeRequest, requestsNow } from "@tinyscheduler/core/pass/takeRequests"
import { describeReason, describeVerdict } from "@tinyscheduler/core/reconcile/describe"
import { pauseHolds } from "@tinyscheduler/core/requests/pause"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { exitCodes, ExitWith } from "../exits.ts"
import { configuration } from "../flags.ts"
import { layerPorts } from "../layers.ts"
import { agentNote, pauseText } from "../output/agentNote.ts"
import { escapeShort, escapeText } from "../output/escape.ts"
import { layerLogging } from "../output/logging.ts"
import { print, printJson } from "../output/print.ts"
import { table } from "../output/table.ts"
import { approvalHint, awaitingApproval } from "../planning/awaitingApproval.ts"
import { seeHolder } from "../scheduling/lockHolder.ts"
import type { Configuration } from "../settings/Configuration.ts"
import { agentsSource } from "./config.ts"

/** Waiting tasks by their first reason, most frequent first. */
const waitsByReason = (made: Plan): ReadonlyArray<readonly [string, ReadonlyArray<number>]> => {
  const groups = new Map<string, Array<number>>()
  for (const verdict of made.verdicts) {
    if (verdict._tag !== "Wait") continue
    const reason = escapeText(verdict.reasons.map(describeReason).join("; "))
    const group = groups.get(reason)
    if (group === undefined) groups.set(reason, [verdict.taskId])
    else group.push(verdict.taskId)
  }
  return [...groups].sort(([, left], [, right]) => right.length - left.length)
}

/** The Python version empties the lock of whoever holds it before it asks for it. */
const nobodyNamed = ({ paths }: Configuration): string =>
  existsSync(paths.lock) ? "the lock names nobody" : "none has run here yet"

/** Between two passes of cron, and after a daemon's end, the file still names who held the lock. */
const isGone = ({ paths }: Configuration): boolean => seeHolder(paths.lock) === "gone"

const schedulerText = (config: Configuration, holder: string | null): string => {
  if (holder === null) return nobodyNamed(config)
  return isGone(config) ? `none runs here, the last was ${escapeText(holder)}` : escapeText(holder)
}

const listed = (taskIds: ReadonlyArray<number>): string =>
  `${taskIds.slice(0, 12).join(" ")}${taskIds.length > 12 ? ` … (${taskIds.length})` : ""}`

/** What commands asked of a scheduler that has not come to it; all that stands below is as if it had. */
const askedText = (asked: ReadonlyArray<Request>): string =>
  `asked for, the next pass carries it out: ${asked.slice(0, 12).map(describeRequest).join(", ")}${asked.length > 12 ? `, … (${asked.length})` : ""}`

const shownRequest = (request: Request) => ({
  kind: request.kind,
  ...("taskId" in request ? { task: request.taskId } : {}),
  ...("agentName" in request ? { agent: request.agentName } : {}),
  by: request.by,
  at: request.at
})

const statusText = (
  config: Configuration,
  observed: ObservedState,
  made: Plan,
  holder: string | null,
  asked: ReadonlyArray<Request>
): string => {
  const titles = new Map(
    observed.tinytask._tag === "Read" ? observed.tinytask.tasks.map(({ id, title }) => [id as number, title]) : []
  )
  const held = new Map(made.usage.agents.map((usage) => [usage.name, usage]))
  const agents = config.desired.agents.map((agent) => [
    agent.name,
    agent.queues.map((queue) => escapeText(queue)).join(" "),
    `${held.get(agent.name)?.held ?? 0}/${agent.slots}`,
    agentNote(agent, observed, config.desired.policy)
  ])
  const attempts = made.verdicts.filter(
    ({ _tag }) => _tag === "Running" || _tag === "Stop" || _tag === "Finish" || _tag === "Reclaim"
  )
  const awaiting = awaitingApproval(config, observed, made)
  const ready = made.verdicts
    .filter(({ _tag, taskId }) => _tag === "Start" && !awaiting.includes(taskId))
    .map(({ taskId }) => taskId)
  const outside = made.verdicts.filter(({ _tag }) => _tag === "Ignore").map(({ taskId }) => taskId)
  const waits = waitsByReason(made)
  return [
    `scheduler: ${schedulerText(config, holder)}`,
    `Tinytask: ${config.settings.mcpEndpoint}${made.tinytask._tag === "Unread" ? " (could not be read)" : ""}`,
    agentsSource(config.controlFile),
    ...(config.settings.enabled ? [] : ["starts are off: TINYSCHEDULER_ENABLED is false"]),
    ...(pauseHolds(observed.paused, observed.nowMs) ? [`starts are off: ${pauseText(observed.paused)}`] : []),
    ...(asked.length === 0 ? [] : [askedText(asked)]),
    "",
    table(["agent", "queues", "slots", ""], agents),
    "",
    ...(attempts.length === 0
      ? ["nothing runs"]
      : attempts.map((verdict) =>
          `${escapeText(describeVerdict(verdict))}  ${escapeShort(titles.get(verdict.taskId) ?? "", 50)}`.trimEnd()
        )),
    ...(ready.length === 0 ? [] : ["", `ready for the next pass: ${listed(ready)}`]),
    ...(awaiting.length === 0 ? [] : ["", `awaiting approval (${approvalHint}): ${listed(awaiting)}`]),
    ...(outside.length === 0 ? [] : ["", `worked on outside: ${listed(outside)}`]),
    ...(waits.length === 0 ? [] : ["", ...waits.map(([reason, taskIds]) => `waiting, ${reason}: ${listed(taskIds)}`)])
  ].join("\n")
}

export const statusCommand = Command.make(
  "status",
  { json: Flag.Boolean("json").pipe(Flag.withDescription("Print JSON"), Flag.withDefault(false)) },
  Effect.fn("cli.status")(function* ({ json }) {
    const config = yield* configuration
    const program = Effect.gen(function* () {
      const { observed, plan: made } = yield* plan({
        desired: config.desired,
        memory: yield* makePassMemory,
        startsOffReason: null
      })
      const holder = readHolder(config.paths.lock)
      const asked = yield* requestsNow()
      yield* json
        ? printJson({
            version: 1,
            mode: config.desired.mode,
            holder: isGone(config) ? null : holder,
            tinytask: made.tinytask,
            paused: pauseHolds(observed.paused, observed.nowMs) ? observed.paused : null,
            requests: asked.map(shownRequest),
            awaitingApproval: awaitingApproval(config, observed, made),
            usage: made.usage,
            verdicts: made.verdicts
          })
        : print(statusText(config, observed, made, holder, asked))
      if (made.tinytask._tag === "Unread") {
        yield* Effect.logError(made.tinytask.reason)
        return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
      }
    })
    yield* program.pipe(Effect.provide([layerPorts(config, "looks"), layerLogging(() => config.settings, null)]))
  })
).pipe(Command.withDescription("Show agents, what runs, and what waits for what"))

/** Why an agent takes no task, whatever its slots: each reason, since one may end and another stay. */
import type { AgentRecord, Pause } from "@tinyscheduler/core/domain/Attempts"
import type { Agent, Policy } from "@tinyscheduler/core/domain/DesiredState"
import { timestampOf } from "@tinyscheduler/core/domain/time"
import { backoffUntilMs } from "@tinyscheduler/core/reconcile/backoff"
import { pauseHolds } from "@tinyscheduler/core/requests/pause"
import { escapeShort } from "./escape.ts"

export const pauseText = ({ by, until }: Pause): string =>
  `paused by ${escapeShort(by, 80)}${until === null ? "" : ` until ${until}`}`

/** Empty when it may take one. */
export const agentNote = (
  agent: Pick<Agent, "name" | "enabled">,
  { agents, nowMs }: { readonly agents: ReadonlyArray<AgentRecord>; readonly nowMs: number },
  policy: Policy
): string => {
  const record = agents.find(({ agentName }) => agentName === agent.name)
  const by = record?.pausedBy ?? null
  const pause = by === null ? null : { by, until: record?.pausedUntil ?? null }
  const setAsideUntilMs = backoffUntilMs(record?.setAsideUntil ?? null, nowMs, policy)
  return [
    ...(agent.enabled ? [] : ["disabled"]),
    ...(pauseHolds(pause, nowMs) ? [pauseText(pause)] : []),
    ...(setAsideUntilMs === null ? [] : [`set aside until ${timestampOf(setAsideUntilMs)}: its starts keep failing`])
  ].join("; ")
}

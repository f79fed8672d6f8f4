/** `pause`, `drain` and `resume`: whether anything new is started, for one agent or for all. What runs goes on. */
import type { AgentRecord, AgentRecords, Pause } from "../domain/Attempts.ts"
import { newAgentRecord } from "../domain/Attempts.ts"
import type { AgentName } from "../domain/identifiers.ts"
import type { PauseRequest, ResumeRequest } from "../domain/Request.ts"
import { millisOf } from "../domain/time.ts"
import { done, nothing, refused } from "./answers.ts"
import type { CarriedOut, RequestSight } from "./carryOut.ts"

/** Whether a pause holds at a moment. */
export const pauseHolds = (pause: Pause | null, nowMs: number): pause is Pause =>
  pause !== null && (pause.until === null || millisOf(pause.until) > nowMs)

const until = (time: string | null): string => (time === null ? "until it is resumed" : `until ${time}`)

const withRecord = (agents: AgentRecords, changed: AgentRecord): AgentRecords => ({
  ...agents,
  agents: [...agents.agents.filter(({ agentName }) => agentName !== changed.agentName), changed].sort((left, right) =>
    left.agentName < right.agentName ? -1 : 1
  )
})

const recordOf = (agents: AgentRecords, name: AgentName): AgentRecord =>
  agents.agents.find(({ agentName }) => agentName === name) ?? newAgentRecord(name)

export const carryOutPause = (request: PauseRequest, { agents, nowMs }: RequestSight): CarriedOut => {
  const by = request.reason === null ? request.by : `${request.by} (${request.reason})`
  if (request.until !== null && millisOf(request.until) <= nowMs) {
    return refused(`the pause would have ended at ${request.until}, which is past: nothing was changed`)
  }
  const pause: Pause = { by, until: request.until }
  if (request.agentName === null) {
    return done(`nothing new is started ${until(request.until)}; what runs goes on`, {
      _tag: "WriteAgents",
      agents: { ...agents, paused: pause }
    })
  }
  const record = { ...recordOf(agents, request.agentName), pausedBy: by, pausedUntil: request.until }
  return done(`agent ${request.agentName} starts nothing new ${until(request.until)}; what it runs goes on`, {
    _tag: "WriteAgents",
    agents: withRecord(agents, record)
  })
}

/** Of an agent whose starts kept failing it also ends the set-aside: whoever resumes it means it to work. */
const resumeAgent = (agentName: AgentName, { agents, nowMs }: RequestSight): CarriedOut => {
  const record = recordOf(agents, agentName)
  const stays = pauseHolds(agents.paused, nowMs) ? "; everything is still paused: resume that too" : ""
  if (record.pausedBy === null && record.setAsideUntil === null) {
    return nothing(`agent ${agentName} is not paused: there is nothing to resume${stays}`)
  }
  return done(`agent ${agentName} takes tasks again${stays}`, {
    _tag: "WriteAgents",
    agents: withRecord(agents, { ...record, pausedBy: null, pausedUntil: null, startFailures: 0, setAsideUntil: null })
  })
}

export const carryOutResume = (request: ResumeRequest, sight: RequestSight): CarriedOut => {
  const { agents, nowMs } = sight
  if (request.agentName !== null) return resumeAgent(request.agentName, sight)
  const paused = agents.agents.filter(({ pausedBy, pausedUntil }) =>
    pauseHolds(pausedBy === null ? null : { by: pausedBy, until: pausedUntil }, nowMs)
  )
  const stays =
    paused.length === 0 ? "" : `; agents paused by themselves: ${paused.map(({ agentName }) => agentName).join(", ")}`
  return agents.paused === null
    ? nothing(`nothing is paused as a whole: there is nothing to resume${stays}`)
    : done(`tasks are started again${stays}`, { _tag: "WriteAgents", agents: { ...agents, paused: null } })
}

/** Tasks that Tinytask shows as `working` with the name of an agent of ours, though no attempt of ours is under way. */
import { isSameEndpoint } from "../reconcile/taskSights.ts"
import type { Finding } from "./Finding.ts"
import { rebuiltOf } from "./findAttempts.ts"
import type { Case, Examination } from "./examine.ts"
import { carriersOf, engagedIn, tokensOf } from "./hindrance.ts"

export const findWorking = (one: Case, examination: Examination): ReadonlyArray<Finding> => {
  const { lines, record, task, taskId, verdict } = one
  if (verdict?._tag !== "Ignore" || task === null || task.assignee === null) return []
  const { desired, sight } = examination
  const agent = task.assignee
  const attempts = record?.attempts ?? (lines.length > 0 ? rebuiltOf(one, examination) : null)
  const last = attempts?.last ?? null
  const isAgent = desired.agents.some(({ name }) => name === agent)
  // A person's task, or another tool's.
  if (!isAgent && last?.agentName !== agent) return []
  const unproven = (why: "never-started" | "another-task" | "another-agent"): ReadonlyArray<Finding> => [
    { _tag: "UnprovenTask", taskId, agent, why }
  ]
  if (attempts === null || last === null) return unproven("never-started")
  const isSameTask = attempts.taskCreatedAt === task.createdAt && isSameEndpoint(attempts.endpoint, desired.endpoint)
  if (!isSameTask) return unproven("another-task")
  if (last.agentName !== agent) return unproven("another-agent")
  const { endpoint } = attempts
  const carrying = carriersOf(sight, new Set([...tokensOf(record, lines), last.token]))
  const engaged = engagedIn(sight.carriers, { taskId, endpoint })
  const pids = [...new Set([...carrying, ...engaged])].sort((left, right) => left - right)
  if (pids.length > 0) return [{ _tag: "LivingTask", taskId, agent, pids }]
  const { agentName, epoch, prior, token } = last
  const taskCreatedAt = task.createdAt
  return [{ _tag: "ForgottenTask", taskId, endpoint, agent: agentName, epoch, token, taskCreatedAt, prior }]
}

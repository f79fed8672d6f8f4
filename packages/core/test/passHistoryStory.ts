/** A history in words: each step, what a pass decided and did, and what then stands in files and Tinytask. */
import type { ActionResult } from "../src/pass/ActionResult.ts"
import { actionTaskId } from "../src/reconcile/actionTaskId.ts"
import type { World } from "../src/simulation/api.ts"
import type { Step } from "./passHistory.ts"

/** One step with its numbers. */
export const describeStep = (step: Step): string => {
  const { _tag, ...fields } = step
  if (step._tag === "Pass") {
    const mishaps = step.mishaps.map(({ call, kind, moment }) => `${kind} ${moment} call ${call}`)
    return ["Pass", ...(mishaps.length === 0 ? [] : [`(${mishaps.join(", ")})`])].join(" ")
  }
  const words = Object.entries(fields).map(([name, value]) => `${name} ${String(value)}`)
  return [_tag, ...(words.length === 0 ? [] : [`(${words.join(", ")})`])].join(" ")
}

/** The kind of fault that a step is, as it is counted; null when it is none. */
export const faultOf = (step: Step): string | null => {
  switch (step._tag) {
    case "Pass":
    case "Rest":
    case "Wait":
    case "AddTask":
      return null
    case "Tinytask":
      return step.down ? "Tinytask down" : null
    case "Disk":
      return step.full ? "disk full" : null
    case "AttemptsFile":
      return step.readable ? null : "attempts file torn"
    case "Lease":
      return `lease ${step.fault}`
    case "Hang":
      return `supervisor ${step.how}`
    case "Edit":
    case "Kill":
    case "KillAll":
    case "Wake":
    case "Reboot":
    case "Restart":
    case "Move":
    case "Rival":
    case "SleeperPass":
    case "TinytaskAnew":
    case "LegacyLease":
    case "SetWall":
    case "PauseMachine":
    case "Configure":
    case "PauseAgent":
    case "ReusePid":
      return step._tag
    case "Ask":
      return `asked: ${step.what}`
  }
}

/** What became of one action. */
export const actionLine = (result: ActionResult): string => {
  const { action } = result
  const what = `${action._tag} of task ${actionTaskId(action)}`
  switch (result._tag) {
    case "Applied":
      return `${what}: done${result.outcome === null ? "" : ` as ${result.outcome}`}${result.note === null ? "" : ` (${result.note})`}`
    case "Skipped":
      return `${what}: skipped, ${result.why}`
    case "Failed":
      return `${what}: failed, ${result.error}`
  }
}

/** What stands: one line a task, with its files and living processes. */
export const stateLines = ({ files, machine, tinytask }: World): ReadonlyArray<string> => {
  const ids = new Set([...tinytask.tasks.keys(), ...files.taskIds(), ...files.attempts.keys()])
  return [...ids]
    .sort((left, right) => left - right)
    .map((id) => {
      const task = tinytask.read(id)
      const stored = files.leases.get(id)
      const lease =
        stored?._tag === "Read"
          ? `${stored.lease.phase} epoch ${stored.lease.epoch}`
          : (stored?._tag.toLowerCase() ?? "none")
      const claims = files.claims.of(id).map(([epoch, claim]) => `${epoch} ${claim?.kind ?? "unreadable"}`)
      const attempts = files.attempts.get(id)
      const outcomes = attempts?.outcomes.map(({ epoch, outcome }) => `${epoch} ${outcome}`) ?? []
      const living = [...machine.processes.values()].flatMap(({ attempt, pid, state }) =>
        attempt?.taskId === id
          ? [`${attempt.role} ${pid} of epoch ${attempt.epoch}${state === "Z" ? " (zombie)" : ""}`]
          : []
      )
      return [
        `task ${id}: ${task === null ? "gone" : `${task.status}${task.assignee === null ? "" : ` by ${task.assignee}`}`}`,
        `lease ${lease}`,
        ...(claims.length === 0 ? [] : [`claims ${claims.join(", ")}`]),
        ...(attempts === undefined
          ? []
          : [`last start ${attempts.last?.epoch ?? "none"}, ended ${outcomes.join(", ") || "none"}`]),
        ...(living.length === 0 ? [] : [`alive: ${living.join(", ")}`])
      ].join("; ")
    })
}

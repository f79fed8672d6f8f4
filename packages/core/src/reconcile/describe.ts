/** Verdicts and reasons as one line each for people. The words of the domain, with their numbers. */
import type { ReclaimReason, RunningDetail, Verdict, WaitReason } from "../domain/Plan.ts"
import { timestampOf } from "../domain/time.ts"

const until = (untilMs: number | null): string => (untilMs === null ? "it is resumed" : timestampOf(untilMs))

/** One wait reason, with its numbers. */
export const describeReason = (reason: WaitReason): string => {
  switch (reason._tag) {
    case "NoFreeSlot":
      return `no free slot: ${reason.agents} ${reason.used}/${reason.slots}`
    case "QueueLimit":
      return `queue limit: ${reason.queue} ${reason.used}/${reason.limit}`
    case "GlobalLimit":
      return `global limit: ${reason.used}/${reason.limit}`
    case "Blocked":
      return reason.by === reason.root
        ? `blocked by ${reason.by}`
        : `blocked by ${reason.by}, root blocker ${reason.root}`
    case "BlockingCycle":
      return `blocking cycle ${[...reason.cycle, reason.cycle[0] ?? ""].join(" > ")}`
    case "Backoff":
      return `backoff until ${timestampOf(reason.untilMs)}`
    case "Parked":
      return `parked after ${reason.count} (${reason.outcome})`
    case "AgentPaused":
      return `agent ${reason.agent} paused by ${reason.by} until ${until(reason.untilMs)}`
    case "AgentSetAside":
      return `agent ${reason.agent} set aside until ${timestampOf(reason.untilMs)}: its starts keep failing`
    case "AgentDisabled":
      return `agent ${reason.agent} is disabled`
    case "NoQueue":
      return "no queue and nobody assigned"
    case "NobodyAssigned":
      return "nobody assigned, and without a control file only assigned tasks start"
    case "NoAgentServesQueue":
      return `no agent serves queue ${reason.queue}`
    case "AgentUnknown":
      return `assigned to ${reason.agent}, which is no agent of ours`
    case "AgentServesOtherQueue":
      return `agent ${reason.agent} does not serve queue ${reason.queue}`
    case "RecipeMissing":
      return `recipe missing at ${reason.path}`
    case "RecipeOutside":
      return `recipe ${reason.path} is outside the recipes directory`
    case "AmbiguousRecipe":
      return `ambiguous recipe: tags name ${reason.recipes.join(", ")}`
    case "OpenSubtasks":
      return `parent of ${reason.count} open subtask${reason.count === 1 ? "" : "s"}`
    case "LeaseUnreadable":
      return `lease unreadable at ${reason.path}: ${reason.problem}`
    case "AttemptsUnreadable":
      return `attempts unreadable: ${reason.problem}`
    case "EarlierAttempt":
      return `earlier attempt (epoch ${reason.epoch}) ${reason.liveness}${reason.liveness === "dead" ? ", its claims are being removed" : ""}`
    case "StartsOff":
      return `starts are off: ${reason.policy}${reason.reason === null ? "" : ` (${reason.reason})`}`
    case "StartBound":
      return `start bound of this pass reached: ${reason.bound}`
    case "TinytaskUnread":
      return "Tinytask could not be read"
  }
}

const runningDetails: { readonly [K in RunningDetail]: string } = {
  starting: "starting",
  running: "running",
  "liveness-unknown": "liveness unknown, its slot is held",
  "supervisor-silent": "its supervisor is silent",
  "lease-missing": "its lease is missing, its claim stands",
  "lease-unreadable": "its lease is unreadable, its claim stands",
  "lease-contradicts-claim": "its lease contradicts its claim",
  "claim-missing": "its claim is missing",
  legacy: "a lease of the old form, alive and left alone"
}

const reclaimReasons: { readonly [K in ReclaimReason]: string } = {
  dead: "nothing of it lives",
  unclaimed: "nobody claimed it in time",
  "undo-continued": "its undo goes on",
  "start-given-up": "its start was given up",
  "unknown-too-long": "its liveness stayed unknown for too long",
  "ending-continued": "its ending goes on"
}

/** One verdict: task, word, and why. Titles are not part of it: they are other people's text. */
export const describeVerdict = (verdict: Verdict): string => {
  switch (verdict._tag) {
    case "Start":
      return `start task ${verdict.taskId} on ${verdict.agent} (epoch ${verdict.epoch}, attempt ${verdict.attempt}${verdict.recipe === null ? "" : `, ${verdict.recipe}`})`
    case "Running":
      return `running task ${verdict.taskId} on ${verdict.agent} (epoch ${verdict.epoch}): ${runningDetails[verdict.detail]}`
    case "Finish":
      return `finish task ${verdict.taskId} on ${verdict.agent} (epoch ${verdict.epoch}): ${verdict.outcome}, ${verdict.detail}`
    case "Stop":
      return `stop task ${verdict.taskId} on ${verdict.agent} (epoch ${verdict.epoch}): ${verdict.reason}, ${verdict.due ? verdict.rung : `${verdict.rung} was sent`}${verdict.survivors.length === 0 ? "" : `, alive: ${verdict.survivors.slice(0, 8).join(" ")}${verdict.survivors.length > 8 ? " …" : ""}`}`
    case "Reclaim":
      return `reclaim task ${verdict.taskId} from ${verdict.agent} (epoch ${verdict.epoch}): ${verdict.outcome}, ${reclaimReasons[verdict.reason]}`
    case "Wait":
      return `wait task ${verdict.taskId}: ${verdict.reasons.map(describeReason).join("; ")}`
    case "Ignore":
      return `ignore task ${verdict.taskId}: worked on outside`
  }
}

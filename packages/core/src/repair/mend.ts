/**
 * Mends one finding, under the lock, through the ports of a pass. Each looks again at what it is about to change, and
 * ends where a further repair or a pass goes on: a crash between any two steps leaves what is found again.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { TaskId } from "../domain/identifiers.ts"
import { openStartOf } from "../pass/openStart.ts"
import { AttemptHistory } from "../ports/AttemptHistory.ts"
import { LeaseStore } from "../ports/LeaseStore.ts"
import { SchedulerLock } from "../ports/SchedulerLock.ts"
import { StateInventory } from "../ports/StateInventory.ts"
import { TaskQueue } from "../ports/TaskQueue.ts"
import { taskChangeOf } from "../reconcile/taskChange.ts"
import type { Finding } from "./Finding.ts"
import { engagedIn } from "./hindrance.ts"
import { lookForCarriers } from "./look.ts"

type Of<Tag extends Finding["_tag"]> = Extract<Finding, { readonly _tag: Tag }>

/** Null when it is mended; else why it was left, in a few words. */
type Mended = string | null

const movedOn = "it has changed since it was looked at"

/** What marks the comment of a repair; that of an attempt's ending bears its token alone. */
export const repairMark = ({ token }: Pick<Of<"ForgottenTask">, "token">): string => `[tinyscheduler repair ${token}]`

const isIdleHere = Effect.fnUntraced(function* (taskId: TaskId) {
  const stored = yield* Effect.flatMap(LeaseStore, (leases) => leases.read(taskId))
  const { attempts, problem } = yield* Effect.flatMap(AttemptHistory, (history) => history.read(taskId))
  const isOpen = openStartOf(stored, attempts) !== null
  return stored.lease._tag === "Missing" && stored.claims.length === 0 && problem === null && !isOpen
})

const setBack = Effect.fn("repair.setBack")(function* (finding: Of<"ForgottenTask">) {
  const queue = yield* TaskQueue
  const lock = yield* SchedulerLock
  const { agent, epoch, prior, taskCreatedAt, taskId, token } = finding
  if (!(yield* isIdleHere(taskId))) return movedOn
  const carriers = yield* lookForCarriers()
  if (carriers.some((carrier) => carrier.token === token) || engagedIn(carriers, finding).length > 0) return movedOn
  const details = yield* queue.get(taskId)
  const task = details?.task ?? null
  if (details === null || task === null || task.status !== "working") return movedOn
  const change = taskChangeOf("lost", task, {
    agent,
    queue: task.queue,
    prior: { ...prior, status: "idle" },
    taskCreatedAt
  })
  if (change === null) return movedOn
  yield* lock.confirm
  if (!details.comments.some((text) => text.includes(repairMark(finding)))) {
    const text = `${repairMark(finding)} set back to idle: it was left working in the name of ${agent} (epoch ${epoch}), and nothing of that attempt lives.`
    yield* queue
      .comment(taskId, text)
      .pipe(
        Effect.catchTag("TaskQueueRejected", (error) =>
          Effect.logWarning(`task ${taskId}: the comment on its repair was refused: ${error.reason}`)
        )
      )
  }
  yield* lock.confirm
  yield* queue.update(taskId, change)
  return null
})

const setLeaseAside = Effect.fn("repair.setLeaseAside")(function* ({
  problem,
  remember,
  taskId
}: Of<"UnreadableLease">) {
  const leases = yield* LeaseStore
  const history = yield* AttemptHistory
  const { lease } = yield* leases.read(taskId)
  if (lease._tag !== "Unreadable" || lease.problem !== problem) return movedOn
  if (remember !== null) yield* history.write(remember)
  yield* leases.setLeaseAside(taskId)
  return null
})

const setClaimAside = Effect.fn("repair.setClaimAside")(function* ({
  epoch,
  problem,
  remember,
  taskId
}: Of<"UnreadableClaim">) {
  const leases = yield* LeaseStore
  const history = yield* AttemptHistory
  const claim = (yield* leases.read(taskId)).claims.find((sight) => sight.epoch === epoch)
  if (claim?._tag !== "Unreadable" || claim.problem !== problem) return movedOn
  if (remember !== null) yield* history.write(remember)
  yield* leases.setClaimAside(taskId, epoch)
  return null
})

const writeAttempts = Effect.fn("repair.writeAttempts")(function* (
  finding: Of<"UnreadableAttempts"> | Of<"LostAttempts">
) {
  const history = yield* AttemptHistory
  const { rebuilt, taskId } = finding
  const { attempts, problem } = yield* history.read(taskId)
  const isSame = finding._tag === "LostAttempts" ? problem === null : problem === finding.problem
  if (attempts !== null || !isSame || rebuilt === null) return movedOn
  // Under a second name first: at no moment is there none.
  if (problem !== null) yield* Effect.flatMap(StateInventory, ({ keepAttempts }) => keepAttempts(taskId))
  yield* history.write(rebuilt)
  return null
})

/** By whom everybody is paused while nobody knows who was. */
export const pausedBy = "repair"

/** Who was paused is not known any more: all are, until a person says otherwise. A pause must not be forgotten. */
const writeAgents = Effect.fn("repair.writeAgents")(function* ({ problem }: Of<"UnreadableAgents">) {
  const history = yield* AttemptHistory
  const again = yield* Effect.result(history.readAgents)
  if (Result.isSuccess(again) || again.failure.message !== problem) return movedOn
  yield* Effect.flatMap(StateInventory, ({ keepAgents }) => keepAgents)
  yield* history.writeAgents({ agents: [], paused: { by: pausedBy, until: null } })
  return null
})

const removeStops = Effect.fn("repair.removeStops")(function* ({ epoch, taskId }: Of<"OrphanedStop">) {
  if (!(yield* isIdleHere(taskId))) return movedOn
  yield* epoch === null
    ? Effect.flatMap(StateInventory, ({ removeUnreadableStops }) => removeUnreadableStops(taskId))
    : Effect.flatMap(LeaseStore, ({ removeClaims }) => removeClaims(taskId, epoch))
  return null
})

/** Mends a finding that `careOf` gives to a repair. */
export const mend = Effect.fn("repair.mend")(function* (finding: Finding) {
  const done: Mended = null
  switch (finding._tag) {
    case "ForgottenTask":
      return yield* setBack(finding)
    case "UnreadableLease":
      return yield* setLeaseAside(finding)
    case "UnreadableClaim":
      return yield* setClaimAside(finding)
    case "UnreadableAttempts":
    case "LostAttempts":
      return yield* writeAttempts(finding)
    case "UnreadableAgents":
      return yield* writeAgents(finding)
    case "OrphanedStop":
      return yield* removeStops(finding)
    case "AsideFile":
      yield* Effect.flatMap(StateInventory, ({ removeAside }) => removeAside(finding.name))
      return done
    // Swept by whoever takes the lock.
    case "Litter":
    // What only a person can mend, or nobody has to.
    case "LivingTask":
    case "UnprovenTask":
    case "UnreadableTerm":
    case "OddLease":
    case "Survivors":
    case "UnknownLiveness":
    case "OtherEndpoint":
    case "EpochsUsedUp":
    case "UntrustedFile":
    case "UnreadableHistory":
    case "StrangeFile":
    case "TornHistory":
      return "a repair does not mend it"
  }
})

/**
 * What a pass would do to the world, done to a world of values: starts, endings and sweeps are carried out, stops come
 * to their end after their grace. It decides nothing: which attempt starts, stops or ends, and how, are the plan's.
 */
import { newAgentRecord } from "../domain/Attempts.ts"
import type { AgentRecord } from "../domain/Attempts.ts"
import type { AgentName, Epoch, TaskId, Token } from "../domain/identifiers.ts"
import { epochMax, Epoch as EpochSchema } from "../domain/identifiers.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Action, Plan, Verdict } from "../domain/Plan.ts"
import type { Situation } from "../domain/Situation.ts"
import type { Task, TaskPrior } from "../domain/Task.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import { millisOf, timestampOf } from "../domain/time.ts"
import type { StartAction } from "../reconcile/assign.ts"
import { attemptView, holdOf } from "../reconcile/attemptView.ts"
import { recordAgentEnding, recordEnding } from "../reconcile/recordEnding.ts"
import { taskChangeOf } from "../reconcile/taskChange.ts"
import { legacyToken } from "../domain/legacyToken.ts"
import { beating } from "../whatIf/later.ts"
import { makeVirtualTasks } from "../whatIf/virtualTasks.ts"
import type { VirtualTasks } from "../whatIf/virtualTasks.ts"
import { attemptsOf, deadRecord, endedRecord, livingRecord } from "./virtualRecords.ts"
import type { Moment } from "./virtualRecords.ts"

/** What an attempt is about, for whoever knows how long it takes. */
export interface DurationAsk {
  readonly taskId: TaskId
  readonly agent: AgentName
  readonly queue: string | null
}

/** How long an attempt takes, in milliseconds. */
export type DurationOf = (ask: DurationAsk) => number

/** One attempt in virtual time. Moments are milliseconds since 1970 UTC. */
export interface VirtualAttempt extends DurationAsk {
  readonly startMs: number
  readonly endMs: number
  /** It ran before the forecast began. */
  readonly found: boolean
  /** It ran for longer than expected already, and is given a rest. */
  readonly overdue: boolean
  /** done: its task is complete then. stopped: what the scheduler is stopping. */
  readonly end: "done" | "stopped"
}

/** What virtual time brought about at one moment. */
export interface Happenings {
  readonly begun: ReadonlyArray<VirtualAttempt>
  readonly ended: ReadonlyArray<VirtualAttempt>
  /** Parents that the server completed with their last subtask. */
  readonly completed: ReadonlyArray<{ readonly taskId: TaskId; readonly endMs: number }>
}

interface Ending {
  readonly taskId: TaskId
  readonly epoch: Epoch
  readonly token: Token
  readonly agent: AgentName
  readonly outcome: Outcome
  readonly detail: string
  readonly queue: string | null
  readonly prior: TaskPrior
  readonly taskCreatedAt: string | null
}

/** Of an attempt that is overdue, so much of its expected duration is still to come. */
const restShare = 0.1

export class VirtualMachine {
  private readonly situation: Situation
  private readonly durationOf: DurationOf
  private readonly tasks: VirtualTasks
  private readonly records: Map<TaskId, TaskRecord>
  private readonly agents: Map<AgentName, AgentRecord>
  /** Complete ones of which files are left here. */
  private readonly lookedUp: Map<TaskId, Task | null>
  private readonly attempts = new Map<TaskId, VirtualAttempt>()
  private readonly stopped = new Set<TaskId>()
  private nowMs: number
  private begun: Array<VirtualAttempt> = []
  private ended: Array<VirtualAttempt> = []
  private completed: Array<{ readonly taskId: TaskId; readonly endMs: number }> = []

  constructor(situation: Situation, durationOf: DurationOf) {
    const { observed } = situation
    this.situation = situation
    this.durationOf = durationOf
    this.nowMs = observed.nowMs
    this.tasks = makeVirtualTasks(observed.tinytask._tag === "Read" ? observed.tinytask.tasks : [])
    this.records = new Map(observed.records.map((record) => [record.taskId, record]))
    this.agents = new Map(observed.agents.map((record) => [record.agentName, record]))
    this.lookedUp = new Map(
      observed.tinytask._tag === "Read" ? observed.tinytask.lookedUp.map(({ task, taskId }) => [taskId, task]) : []
    )
  }

  private get moment(): Moment {
    const { monoMs, nowMs } = this.situation.observed
    return { nowMs: this.nowMs, monoMs: monoMs + this.nowMs - nowMs }
  }

  /** What a pass would see now. */
  observe(): ObservedState {
    const { observed } = this.situation
    const { moment } = this
    return {
      ...observed,
      ...moment,
      tinytask:
        observed.tinytask._tag === "Unread"
          ? observed.tinytask
          : {
              _tag: "Read",
              tasks: this.tasks.all(),
              lookedUp: [...this.lookedUp].map(([taskId, task]) => ({ taskId, task }))
            },
      records: [...this.records.values()],
      agents: [...this.agents.values()]
    }
  }

  /** Carries a plan out; true where a further look at the same moment may find more to do. */
  apply(plan: Plan): boolean {
    let again = false
    for (const verdict of plan.verdicts) this.adopt(verdict, plan)
    for (const action of plan.actions) {
      switch (action._tag) {
        case "Note":
        case "Rebuild":
        case "Stop":
          break
        case "End":
          this.end({ ...action.attempt, ...action })
          again = true
          break
        case "EndLegacy":
          this.endLegacy(action, plan)
          again = true
          break
        case "Sweep":
          this.sweep(action)
          again = true
          break
        case "Start":
          this.start(action)
          break
      }
    }
    return again || (plan.leftByBound > 0 && plan.actions.some(({ _tag }) => _tag === "Start"))
  }

  /** Goes on to the next moment at which something happens; false when none ever does. */
  advance(nextWallMs: number | null): boolean {
    let next = nextWallMs
    for (const { endMs } of this.attempts.values()) if (next === null || endMs < next) next = endMs
    if (next === null) return false
    this.goOn(Math.max(next, this.nowMs))
    const due = [...this.attempts.values()].filter(({ endMs }) => endMs <= this.nowMs)
    for (const attempt of due.sort((left, right) => left.taskId - right.taskId)) this.conclude(attempt)
    return true
  }

  /** What runs goes on beating; what is being stopped is about to fall silent. */
  private goOn(nowMs: number): void {
    const ms = nowMs - this.nowMs
    this.nowMs = nowMs
    for (const { end, taskId } of this.attempts.values()) {
      const record = end === "done" ? this.records.get(taskId) : undefined
      if (record !== undefined) this.records.set(taskId, beating(record, nowMs, ms))
    }
  }

  /** What happened since this was asked last. */
  takeHappenings(): Happenings {
    const { begun, completed, ended } = this
    this.begun = []
    this.ended = []
    this.completed = []
    return { begun, completed, ended }
  }

  private conclude(attempt: VirtualAttempt): void {
    const { taskId } = attempt
    this.attempts.delete(taskId)
    this.ended.push(attempt)
    const record = this.records.get(taskId)
    if (attempt.end === "stopped") {
      if (record !== undefined) this.records.set(taskId, deadRecord(record))
      return
    }
    this.records.delete(taskId)
    this.complete(taskId)
  }

  private complete(taskId: TaskId): void {
    for (const task of this.tasks.complete(taskId)) {
      // A list leaves it out from now on; what still has files is looked up.
      if (this.records.has(task.id)) this.lookedUp.set(task.id, task)
      if (task.id !== taskId) this.completed.push({ taskId: task.id, endMs: this.nowMs })
    }
  }

  private start(action: StartAction): void {
    const { here } = this.situation.observed
    const { endpoint } = this.situation.desired
    const { agent, queue, taskId } = action
    const attempts = this.records.get(taskId)?.attempts ?? null
    this.records.set(taskId, livingRecord({ ...action, attempts, endpoint, here }, this.moment))
    this.tasks.change(taskId, { status: "working", assignee: agent })
    this.agents.set(agent, { ...this.agentRecord(agent), lastStart: timestampOf(this.nowMs) })
    this.begin({ taskId, agent, queue, found: false, startMs: this.nowMs, overdue: false, end: "done" })
  }

  private begin(attempt: Omit<VirtualAttempt, "endMs">, endMs: number | null = null): void {
    const begun = { ...attempt, endMs: endMs ?? attempt.startMs + Math.max(0, this.durationOf(attempt)) }
    this.attempts.set(attempt.taskId, begun)
    this.begun.push(begun)
  }

  /** What was under way before the forecast began: it lives on to its end, or dies of its stop. */
  private adopt(verdict: Verdict, plan: Plan): void {
    if (verdict._tag !== "Running" && verdict._tag !== "Stop") return
    const record = this.records.get(verdict.taskId)
    if (record === undefined) return
    if (verdict._tag === "Stop") this.dieOf(verdict, record, plan)
    else if (!this.attempts.has(verdict.taskId)) this.liveOn(verdict, record)
  }

  private dieOf(verdict: Extract<Verdict, { readonly _tag: "Stop" }>, record: TaskRecord, plan: Plan): void {
    const { agent, taskId } = verdict
    if (this.stopped.has(taskId)) return
    this.stopped.add(taskId)
    const { desired } = this.situation
    const climbed = plan.actions.find((action) => action._tag === "Stop" && action.attempt.taskId === taskId)
    const stop = climbed?._tag === "Stop" ? climbed.record : record.stop
    this.records.set(taskId, { ...record, stop })
    const graceSec = desired.agents.find(({ name }) => name === agent)?.stopGraceSec ?? desired.policy.stopGraceSec
    const ask = { taskId, agent, queue: holdOf(attemptView(record))?.queue ?? null }
    const shared = { ...ask, found: true, overdue: false, end: "stopped" as const }
    this.begin({ ...shared, startMs: this.startOf(record) }, this.nowMs + graceSec * 1000)
  }

  private liveOn(verdict: Extract<Verdict, { readonly _tag: "Running" }>, record: TaskRecord): void {
    const { agent, taskId } = verdict
    const view = attemptView(record)
    const task = this.tasks.get(taskId)
    const startMs = this.startOf(record)
    const queue = holdOf(view)?.queue ?? null
    const known = "prior" in view ? view : null
    const living = {
      taskId,
      agent,
      epoch: EpochSchema.make(Math.min(Math.max(1, record.epochMax), epochMax)),
      attempt: 1,
      recipe: null,
      queue,
      prior: known?.prior ?? { status: "idle" as const, assignee: null },
      taskCreatedAt: known?.taskCreatedAt ?? task?.createdAt ?? timestampOf(startMs),
      endpoint: this.situation.desired.endpoint,
      here: this.situation.observed.here,
      attempts: record.attempts
    }
    this.records.set(taskId, livingRecord(living, this.moment))
    const durationMs = Math.max(0, this.durationOf({ taskId, agent, queue }))
    const overdue = startMs + durationMs < this.nowMs
    const endMs = overdue ? this.nowMs + Math.round(durationMs * restShare) : startMs + durationMs
    this.begin({ taskId, agent, queue, found: true, startMs, overdue, end: "done" }, endMs)
  }

  private startOf({ attempts, lease }: TaskRecord): number {
    const text =
      lease._tag === "Read" || lease._tag === "Legacy" ? lease.lease.startTime : (attempts?.last?.startedAt ?? null)
    return text === null ? this.nowMs : Math.min(millisOf(text), this.nowMs)
  }

  private agentRecord(agent: AgentName): AgentRecord {
    return this.agents.get(agent) ?? newAgentRecord(agent)
  }

  private end(ending: Ending): void {
    const { agent, epoch, outcome, taskId } = ending
    const record = this.records.get(taskId)
    if (record === undefined) return
    const { nowMs } = this
    const { endpoint, policy } = this.situation.desired
    const task = this.tasks.get(taskId)
    const exit =
      record.lease._tag === "Read" && record.lease.lease.phase === "finished" ? record.lease.lease.exit : null
    const before = attemptsOf(record, endpoint, ending.taskCreatedAt ?? task?.createdAt ?? timestampOf(nowMs))
    const resetsAt = exit?.stream?.resetsAt ?? null
    const after = recordEnding(before, { ...ending, resetsAt, nowMs }, policy)
    this.records.set(taskId, endedRecord(record, epoch, after))
    this.agents.set(agent, recordAgentEnding(this.agentRecord(agent), outcome, { nowMs, taskId }, policy))
    const change = task === undefined ? null : taskChangeOf(outcome, task, ending)
    if (change?.status === "complete") this.complete(taskId)
    else if (change !== null) this.tasks.change(taskId, change)
  }

  private endLegacy(action: Extract<Action, { readonly _tag: "EndLegacy" }>, plan: Plan): void {
    const { agent, epoch, taskId } = action
    const lease = this.records.get(taskId)?.lease
    if (lease?._tag !== "Legacy") return
    const verdict = plan.verdicts.find((entry) => entry.taskId === taskId)
    const task = this.tasks.get(taskId)
    const keeps = this.situation.desired.mode === "legacy" || task?.queue === null
    this.end({
      taskId,
      epoch,
      token: legacyToken(lease.lease),
      agent,
      outcome: verdict?._tag === "Reclaim" ? verdict.outcome : "lost",
      detail: "",
      queue: task?.queue ?? null,
      prior: { status: "idle", assignee: keeps ? (task?.assignee ?? null) : null },
      taskCreatedAt: task?.createdAt ?? null
    })
  }

  private sweep({ epoch, taskId }: Extract<Action, { readonly _tag: "Sweep" }>): void {
    const record = this.records.get(taskId)
    if (record === undefined) return
    this.records.set(taskId, { ...record, claims: record.claims.filter((sight) => sight.epoch > epoch) })
  }
}

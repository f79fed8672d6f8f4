/**
 * The decision: what is observed and what is desired give a plan. Pure, total, deterministic: the same input, in any
 * order of its arrays, gives the same plan to the byte. Every task that is not complete and every lease gets exactly one
 * verdict. The five steps are leases, stale, tasks, capacity, assign.
 */
import type { Agent, DesiredState } from "../domain/DesiredState.ts"
import { epochMax } from "../domain/identifiers.ts"
import type { Epoch, TaskId } from "../domain/identifiers.ts"
import type { ObservedState, StartFault } from "../domain/ObservedState.ts"
import type { Action, Plan, Verdict, WaitReason } from "../domain/Plan.ts"
import { isOpen } from "../domain/Task.ts"
import type { Task } from "../domain/Task.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import { millisOf } from "../domain/time.ts"
import { pauseHolds } from "../requests/pause.ts"
import { actionTaskId } from "./actionTaskId.ts"
import { makeAssigner } from "./assign.ts"
import { attemptView, holdOf } from "./attemptView.ts"
import type { AttemptFiles, AttemptView } from "./attemptView.ts"
import { blockingWeb } from "./blocking.ts"
import { ledgerOf } from "./capacity.ts"
import type { Hold } from "./capacity.ts"
import { judgeAttempt } from "./judgeAttempt.ts"
import type { TaskSight } from "./attemptFacts.ts"
import type { Judgement } from "./judgement.ts"
import { judgeLegacy } from "./judgeLegacy.ts"
import { judgeOpenStart } from "./judgeOpenStart.ts"
import { judgeRemains } from "./judgeRemains.ts"
import { preconditionOf, preconditionSubjectOf } from "./precondition.ts"
import { sortTasks } from "./taskOrder.ts"
import { attemptsOfTask, taskReasons } from "./taskReasons.ts"
import { countSubtasks, taskSights } from "./taskSights.ts"

const byId = <A extends { readonly id: number }>(left: A, right: A): number => left.id - right.id

interface Viewed {
  readonly record: TaskRecord
  readonly view: AttemptView
}

/**
 * The plan for what is observed and desired. Never throws, and changes nothing in its input.
 */
export const reconcile = (observed: ObservedState, desired: DesiredState): Plan => {
  const known = observed.tinytask._tag === "Read" ? observed.tinytask : null
  const tasks = known === null ? [] : known.tasks.filter(isOpen).sort(byId)
  const openSubtasks = countSubtasks(tasks)
  const sightOf = taskSights(observed, desired.endpoint, tasks, openSubtasks)

  // 1 leases: what the files of each task amount to
  const viewed: ReadonlyArray<Viewed> = [...observed.records]
    .sort((left, right) => left.taskId - right.taskId)
    .map((record) => ({ record, view: attemptView(record) }))

  // 2 stale: what becomes of each attempt
  const lookup: Lookup = {
    agents: new Map(desired.agents.map((agent) => [agent.name, agent])),
    faults: new Map(observed.startFaults.map((fault) => [fault.token, fault]))
  }
  const judgements = viewed.map((entry) => judge(entry, sightOf(entry.record), lookup, observed, desired))
  const held = new Set<TaskId>()
  for (const [index, { record }] of viewed.entries()) {
    if (judgements[index]?.verdict !== null) held.add(record.taskId)
  }

  // 3 tasks: what keeps a task from starting whatever slots are free
  const records = new Map(viewed.map(({ record }) => [record.taskId, record] as const))
  const web = blockingWeb(tasks)
  const verdicts: Array<Verdict> = []
  const ready: Array<Task> = []
  for (const task of tasks) {
    if (held.has(task.id)) continue
    const subtasks = openSubtasks.get(task.id) ?? 0
    const record = records.get(task.id)
    const problem = record?.attemptsProblem ?? null
    if (task.status === "working") {
      verdicts.push(
        subtasks > 0
          ? { _tag: "Wait", taskId: task.id, reasons: [{ _tag: "OpenSubtasks", count: subtasks }] }
          : problem !== null
            ? // The file may well tell of a start of ours.
              { _tag: "Wait", taskId: task.id, reasons: [{ _tag: "AttemptsUnreadable", problem }] }
            : { _tag: "Ignore", taskId: task.id, reason: "worked-on-outside" }
      )
      continue
    }
    const reasons: ReadonlyArray<WaitReason> =
      record !== undefined && (problem !== null || record.epochMax > epochMax)
        ? [{ _tag: "AttemptsUnreadable", problem: problem ?? "its epochs are used up" }]
        : taskReasons(task, {
            attempts: record?.attempts ?? null,
            openSubtasks: subtasks,
            web,
            desired,
            nowMs: observed.nowMs
          })
    if (reasons.length > 0) verdicts.push({ _tag: "Wait", taskId: task.id, reasons })
    else ready.push(task)
  }

  // 4 capacity: what is held, and what is free
  const holds = viewed.map(({ view }) => holdOf(view)).filter((hold): hold is Hold => hold !== null)
  const ledger = ledgerOf(holds, desired)

  // 5 assign
  const assigner = makeAssigner({
    desired,
    nowMs: observed.nowMs,
    startsOffReason: observed.startsOffReason,
    agentRecords: observed.agents,
    paused: observed.paused,
    recipes: observed.recipes,
    ledger,
    history: (task) => {
      const record = records.get(task.id)
      const attempts = attemptsOfTask(record?.attempts ?? null, task)
      return { epochMax: record?.epochMax ?? 0, attempt: (attempts?.counts.failures ?? 0) + 1 }
    }
  })
  const starts: Array<Action> = []
  for (const task of sortTasks(ready, web, desired.policy)) {
    const assignment = assigner.assign(task)
    if (assignment._tag === "Start") {
      starts.push(assignment.action)
      verdicts.push(startVerdict(assignment.action))
    } else verdicts.push({ _tag: "Wait", taskId: task.id, reasons: assignment.reasons })
  }

  for (const { verdict } of judgements) if (verdict !== null) verdicts.push(verdict)
  const plan = {
    version: 1 as const,
    nowMs: observed.nowMs,
    monoMs: observed.monoMs,
    tinytask: observed.tinytask._tag === "Read" ? { _tag: "Read" as const } : observed.tinytask,
    verdicts: verdicts.sort((left, right) => left.taskId - right.taskId),
    actions: [...judgements.flatMap(({ actions }) => actions).sort(byKind), ...starts],
    usage: ledger.usage(),
    leftByBound: assigner.leftByBound(),
    nextWallMs: earliest([earliestWall(verdicts), pauseEndMs(observed)]),
    nextMonoMs: earliest(judgements.map(({ nextMonoMs }) => nextMonoMs))
  }
  return { ...plan, precondition: preconditionOf(preconditionSubjectOf(observed, desired, plan)) }
}

const startVerdict = (action: Extract<Action, { readonly _tag: "Start" }>): Verdict => ({
  _tag: "Start",
  taskId: action.taskId,
  agent: action.agent,
  epoch: action.epoch,
  attempt: action.attempt,
  recipe: action.recipe
})

interface Lookup {
  readonly agents: ReadonlyMap<string, Agent>
  readonly faults: ReadonlyMap<string, StartFault>
}

type MaybeJudgement = Omit<Judgement, "verdict"> & { readonly verdict: Verdict | null }

const judge = (
  { record, view }: Viewed,
  sight: TaskSight,
  lookup: Lookup,
  observed: ObservedState,
  desired: DesiredState
): MaybeJudgement => {
  switch (view._tag) {
    case "Nothing":
      return { verdict: null, actions: [], nextMonoMs: null }
    case "Held":
      return { verdict: { _tag: "Wait", taskId: record.taskId, reasons: [view.reason] }, actions: [], nextMonoMs: null }
    case "Remains":
      return judgeRemains(view, record, observed, desired)
    case "Legacy":
      return judgeLegacy({ view, record, sight, observed, desired })
    case "OpenStart":
      return withSweep(besideSurvivor(judgeOpenStart(view, record, sight), view), record.taskId, view.sweepable)
    case "Attempt": {
      const judgement = judgeAttempt({
        view,
        record,
        sight,
        agent: lookup.agents.get(view.reference.agent),
        fault: lookup.faults.get(view.reference.token) ?? null,
        observed,
        desired
      })
      return withSweep(besideSurvivor(judgement, view), record.taskId, view.sweepable)
    }
  }
}

/**
 * Nothing ends while an attempt before it lives, which would be forgotten with it: a supervisor makes its lease anew and is
 * judged by that, or ends by itself.
 */
const besideSurvivor = (judgement: Judgement, view: Pick<AttemptFiles, "reference" | "survivor">): Judgement =>
  view.survivor === null || judgement.actions.every(({ _tag }) => _tag !== "End")
    ? judgement
    : {
        verdict: {
          _tag: "Wait",
          taskId: view.reference.taskId,
          reasons: [{ _tag: "EarlierAttempt", epoch: view.survivor, liveness: "alive" }]
        },
        actions: [],
        nextMonoMs: null
      }

const withSweep = (judgement: Judgement, taskId: TaskId, epoch: Epoch | null): Judgement =>
  epoch === null
    ? judgement
    : { ...judgement, actions: [...judgement.actions, { _tag: "Sweep", taskId, epoch, withoutProof: false }] }

/** What keeps the state true comes first, then stops, endings, sweeping; starts come last. */
const kindOrder: { readonly [K in Action["_tag"]]: number } = {
  Note: 0,
  Rebuild: 1,
  Stop: 2,
  End: 3,
  EndLegacy: 4,
  Sweep: 5,
  Start: 6
}
const byKind = (left: Action, right: Action): number =>
  kindOrder[left._tag] - kindOrder[right._tag] || actionTaskId(left) - actionTaskId(right)

const earliest = (times: ReadonlyArray<number | null>): number | null => {
  let least: number | null = null
  for (const time of times) if (time !== null && (least === null || time < least)) least = time
  return least
}

const earliestWall = (verdicts: ReadonlyArray<Verdict>): number | null =>
  earliest(verdicts.map((verdict) => (verdict._tag === "Wait" ? earliest(verdict.reasons.map(untilOf)) : null)))

/** When the pause of all agents together ends by itself. */
const pauseEndMs = ({ nowMs, paused }: ObservedState): number | null =>
  pauseHolds(paused, nowMs) && paused.until !== null ? millisOf(paused.until) : null

const untilOf = (reason: WaitReason): number | null =>
  reason._tag === "Backoff" || reason._tag === "AgentPaused" || reason._tag === "AgentSetAside" ? reason.untilMs : null

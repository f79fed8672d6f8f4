/**
 * What embedders import: `@tinyscheduler/core`. The decision and its words, what can be asked of it, the ports to supply,
 * and the pass over them. Everything else of this package is internal and may change in any release.
 *
 * `scripts/api.ts` prints this surface as `api/core.api.md`, for review, and as the page docs/api.md, for reading; it fails
 * when something here has no docstring, or uses a type that is not here.
 */

// Words: what plans are made of.
export { AgentName, Epoch, QueueName, Seconds, TaskId, Term, Timestamp, Token } from "./domain/identifiers.ts"
export {
  Agent,
  DesiredState,
  Policy,
  policyDefaults,
  StartsPolicy,
  SuccessPolicy,
  TaskOrder
} from "./domain/DesiredState.ts"
export type { ObservedState, RecipeSight, StartFault, TinytaskSight } from "./domain/ObservedState.ts"
export type { Situation } from "./domain/Situation.ts"
export { Task, TaskDetails, TaskPrior, TaskStatus } from "./domain/Task.ts"
export type { ClaimSight, Evidence, LeaseSight, TaskRecord } from "./domain/TaskRecord.ts"
export { AgentExit, Claim, FinishedLease, LegacyLease, RunningLease, StartingLease } from "./domain/Lease.ts"
export type { Lease } from "./domain/Lease.ts"
export { AgentRecord, Attempts, HistoryLine, Pause, StopReason, StopRecord, StopRung } from "./domain/Attempts.ts"
export type { AgentRecords, RecordedOutcome, Sighting } from "./domain/Attempts.ts"
export { Outcome } from "./domain/Outcome.ts"
export { HostIdentity, Liveness, ProcessIdentity } from "./domain/ProcessIdentity.ts"
export type { ProcessRow, ProcessSight } from "./domain/ProcessIdentity.ts"
export type { AttemptName, Marks } from "./domain/attemptCgroup.ts"
export {
  ApplyRequest,
  GcRequest,
  PauseRequest,
  RepairRequest,
  RequestAnswer,
  RequestId,
  RequestResult,
  ResumeRequest,
  RetryRequest,
  StopRequest
} from "./domain/Request.ts"
export type { Request } from "./domain/Request.ts"

// The decision: what is observed and desired gives a plan.
export { reconcile } from "./reconcile/reconcile.ts"
export type {
  Action,
  AttemptReference,
  IgnoreReason,
  Plan,
  ReclaimReason,
  RunningDetail,
  Usage,
  Verdict,
  WaitReason
} from "./domain/Plan.ts"
export { describeReason, describeVerdict } from "./reconcile/describe.ts"
export { violationsOf } from "./reconcile/invariants/invariants.ts"
export { permutationViolations, settlingViolations } from "./reconcile/invariants/rounds.ts"
export type { InvariantId, Violation } from "./reconcile/invariants/Violation.ts"

// Questions: what if, why, until when, what blocks what. Each calls reconcile.
export { suppose } from "./whatIf/suppose.ts"
export type { SupposedTask, Supposition } from "./whatIf/Supposition.ts"
export { planDifference } from "./whatIf/planDifference.ts"
export type { VerdictDifference } from "./whatIf/planDifference.ts"
export { why } from "./why/why.ts"
export type { WhyOptions } from "./why/why.ts"
export { whyAll } from "./why/whyAll.ts"
export type { WaitingGroup } from "./why/whyAll.ts"
export { changeKinds } from "./why/WhyAnswer.ts"
export type {
  Ahead,
  AttemptsSoFar,
  Blockers,
  ByItself,
  Change,
  ChangeKind,
  Counterfactual,
  NotOpen,
  WhyAnswer
} from "./why/WhyAnswer.ts"
export { forecast } from "./forecast/forecast.ts"
export type { AgentUse, Forecast, ForecastOptions, NeverStarts } from "./forecast/forecast.ts"
export { makeDurationModel } from "./forecast/DurationModel.ts"
export type { DurationModel, DurationSource, GivenDurations } from "./forecast/DurationModel.ts"
export type { GivenDuration } from "./domain/durationText.ts"
export { sampleRuns } from "./forecast/sampleRuns.ts"
export type { Quantiles, SampledTask, Samples } from "./forecast/sampleRuns.ts"
export type { StarvedTask } from "./forecast/starvation.ts"
export type { DurationAsk, DurationOf, VirtualAttempt } from "./forecast/VirtualMachine.ts"
export { blockingGraph } from "./graph/blockingGraph.ts"
export { linkedPart, partAround } from "./graph/partOfGraph.ts"
export { graphDot } from "./graph/graphDot.ts"
export { graphMermaid } from "./graph/graphMermaid.ts"
export { graphText } from "./graph/graphText.ts"
export type { TaskWeight } from "./graph/findCriticalPath.ts"
export type { BlockingGraph, CriticalPath, GraphCycle, GraphEdge, GraphNode, GraphState } from "./graph/Graph.ts"

// Records: a round kept as one line, decided again, and searched for the change that turned a verdict.
export { decidesSomething, recordRound } from "./record/recordRound.ts"
export type { NewRecord, Recorded } from "./record/recordRound.ts"
export { parseLine as parseRecordLine, RecordId, RecordLine } from "./record/RecordLine.ts"
export type { Parts } from "./record/Parts.ts"
export { makeSituationReader, RecordOdd } from "./record/situationOf.ts"
export type { SituationReader } from "./record/situationOf.ts"
export { makeWalk } from "./replay/walk.ts"
export type { RecordedRound } from "./replay/walk.ts"
export { replay } from "./replay/replay.ts"
export type { Replayed, Suppose } from "./replay/replay.ts"
export { makeBisection } from "./replay/bisect.ts"
export type { Bisection, Cause, Turn } from "./replay/bisect.ts"
export { holds as conditionHolds, parseCondition } from "./replay/Condition.ts"
export type { Condition } from "./replay/Condition.ts"

// Ports: what a host supplies.
export { AgentLauncher, LaunchFailed } from "./ports/AgentLauncher.ts"
export type { LaunchRequest } from "./ports/AgentLauncher.ts"
export { AttemptHistory } from "./ports/AttemptHistory.ts"
export type { StoredAttempts } from "./ports/AttemptHistory.ts"
export { Cgroups } from "./ports/Cgroups.ts"
export type { CgroupPlace, CgroupsShape } from "./ports/Cgroups.ts"
export { LeaseStore, LeaseTaken } from "./ports/LeaseStore.ts"
export type { StoredClaim, StoredLease, StoredTask } from "./ports/LeaseStore.ts"
export { HostUnidentified, ProcessesUnreadable, ProcessTable } from "./ports/ProcessTable.ts"
export type { Ourselves, ProcessDescription, Signal, StatedTask } from "./ports/ProcessTable.ts"
export { Requests } from "./ports/Requests.ts"
export type { StoredRequest } from "./ports/Requests.ts"
export { LockHeld, LockUnavailable, SchedulerLock } from "./ports/SchedulerLock.ts"
export type { HeldLock } from "./ports/SchedulerLock.ts"
export { LockLost, StateUnreadable, StateUnwritable } from "./ports/StateError.ts"
export type { StateWriteError } from "./ports/StateError.ts"
export { TaskQueue, TaskQueueRejected, TaskQueueUnreachable } from "./ports/TaskQueue.ts"
export type { TaskChange, TaskQueueError } from "./ports/TaskQueue.ts"

// The pass: observe, reconcile, check, apply, through the ports.
export { plan, runPass } from "./pass/pass.ts"
export type { Decided, LookInput, PassInput, PassReport, Round } from "./pass/pass.ts"
export type { NeedsApproval } from "./pass/approval.ts"
export type { ActionResult } from "./pass/ActionResult.ts"
export { makePassMemory } from "./pass/memory.ts"
export type { PassMemory } from "./pass/memory.ts"
export { narrate } from "./pass/narrate.ts"
export type { NarratedLine } from "./pass/narrate.ts"
export { applyApproved } from "./pass/applyApproved.ts"
export type { Approved } from "./pass/applyApproved.ts"
export { PlanSubject } from "./domain/PlanSubject.ts"
export type { SubjectAction } from "./domain/PlanSubject.ts"
export { preconditionSubjectOf } from "./reconcile/precondition.ts"
export { subjectDifference } from "./reconcile/subjectDifference.ts"
export { makeWakeUps, runDaemon, runOnce } from "./pass/daemon.ts"
export type { DaemonInput, WakeUps } from "./pass/daemon.ts"

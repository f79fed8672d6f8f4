/** The state directory in memory: what stands in it, who holds its lock, and whether it can be written. */
import type { AgentRecord, Attempts, HistoryLine, Pause, StopRecord } from "../domain/Attempts.ts"
import type { Epoch, TaskId, Token } from "../domain/identifiers.ts"
import type { Claim } from "../domain/Lease.ts"
import type { Request, RequestAnswer, RequestId } from "../domain/Request.ts"
import type { StoredLease, StoredTask } from "../ports/LeaseStore.ts"

/** Files that are named by task and epoch. */
export class FilesByEpoch<A> {
  private readonly files = new Map<TaskId, Map<Epoch, A>>()

  get size(): number {
    let size = 0
    for (const epochs of this.files.values()) size += epochs.size
    return size
  }
  tasks(): Iterable<TaskId> {
    return this.files.keys()
  }
  get(taskId: TaskId, epoch: Epoch): A | undefined {
    return this.files.get(taskId)?.get(epoch)
  }
  set(taskId: TaskId, epoch: Epoch, file: A): void {
    const epochs = this.files.get(taskId) ?? new Map<Epoch, A>()
    this.files.set(taskId, epochs.set(epoch, file))
  }
  delete(taskId: TaskId, epoch: Epoch): void {
    const epochs = this.files.get(taskId)
    if (epochs?.delete(epoch) === true && epochs.size === 0) this.files.delete(taskId)
  }
  /** By epoch, ascending. */
  of(taskId: TaskId): ReadonlyArray<readonly [Epoch, A]> {
    return [...(this.files.get(taskId) ?? [])].sort(([left], [right]) => left - right)
  }
  removeUpTo(taskId: TaskId, upTo: Epoch): void {
    for (const [epoch] of this.of(taskId)) if (epoch <= upTo) this.delete(taskId, epoch)
  }
}

/** The state directory in memory. */
export class SimulatedFiles {
  readonly leases = new Map<TaskId, StoredLease>()
  /** Null: there is a claim, and it can't be read. */
  readonly claims = new FilesByEpoch<Claim | null>()
  readonly stops = new FilesByEpoch<StopRecord>()
  readonly attempts = new Map<TaskId, Attempts>()
  /** Why an attempts file can't be read. */
  readonly attemptsProblems = new Map<TaskId, string>()
  /** The largest epoch among a task's logs. */
  readonly logs = new Map<TaskId, number>()
  readonly history: Array<HistoryLine> = []
  /** What was renamed aside. */
  readonly aside: Array<string> = []
  agents: ReadonlyArray<AgentRecord> = []
  /** The pause of all agents together. */
  paused: Pause | null = null
  /** What commands ask for, by the name of its file; null = something that is no request. */
  readonly requests = new Map<string, Request | null>()
  readonly answers = new Map<RequestId, RequestAnswer>()
  /** Why nothing can be written, by anybody; null = it can. */
  unwritable: string | null = null
  /** Which taking of the lock holds it, as its inode would tell; null = nobody does. */
  lockHolder: number | null = null
  lockTakings = 0
  term = 0
  /** Why the term can't be raised; null = it can. */
  termProblem: string | null = null

  task(taskId: TaskId): StoredTask {
    return {
      taskId,
      lease: this.leases.get(taskId) ?? { _tag: "Missing" },
      claims: this.claims
        .of(taskId)
        .map(([epoch, claim]) =>
          claim === null
            ? { _tag: "Unreadable", epoch, path: `state/claims/${taskId}.${epoch}`, problem: "it is torn" }
            : { _tag: "Read", epoch, claim }
        ),
      stops: this.stops.of(taskId).map(([, stop]) => stop)
    }
  }

  taskIds(): ReadonlyArray<TaskId> {
    const ids = new Set<TaskId>([...this.leases.keys(), ...this.claims.tasks(), ...this.stops.tasks()])
    return [...ids].sort((left, right) => left - right)
  }

  leaseToken(taskId: TaskId): Token | null {
    const stored = this.leases.get(taskId)
    return stored?._tag === "Read" ? stored.lease.token : null
  }

  /** Tears a lease, so that it can't be read; its agent's name may still be found. */
  tearLease(taskId: TaskId, agentName: string | null): void {
    this.leases.set(taskId, {
      _tag: "Unreadable",
      path: `state/running/task_${taskId}.json`,
      problem: "it is torn",
      agentName
    })
  }
}

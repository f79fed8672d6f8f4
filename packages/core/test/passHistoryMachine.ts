/** What befalls the machine in a history, beside passes and schedulers: time, tasks, processes, files, the server. */
import type { TaskId } from "../src/domain/identifiers.ts"
import type { StoredLease } from "../src/ports/LeaseStore.ts"
import { World } from "../src/simulation/api.ts"
import type { SimulatedProcess } from "../src/simulation/api.ts"
import type { Step } from "./passHistory.ts"
import { standLegacyLease } from "./passHistoryLegacy.ts"
import { People } from "./passHistoryPeople.ts"
import { HistoryRequests } from "./passHistoryRequests.ts"

/** Steps that are a scheduler's: what makes, ends or configures it. */
type SchedulerStep = "Pass" | "Rest" | "Reboot" | "Restart" | "Move" | "Rival" | "SleeperPass" | "Configure"

export type MachineStep = Exclude<Step, { readonly _tag: SchedulerStep }>

type StepOf<Tag extends Step["_tag"]> = Extract<Step, { readonly _tag: Tag }>

/** Few enough numbers that processes of attempts come by each other's. */
const pidMax = 160
/** How many contents of each lease are kept, for one to come back. */
const leasesKept = 8

export class HistoryMachine {
  readonly world = new World(1_772_366_400_000)
  readonly people = new People(this.world)
  readonly requests = new HistoryRequests(this.world)
  /** The tokens of all starts that were written down, and what old leases are known by. */
  readonly starts = new Set<string>()
  /** The same by task, also those that are forgotten. */
  private readonly startsOf = new Map<TaskId, Set<string>>()
  /** The tokens that stood in a lease at the end of some step. */
  private readonly leased = new Set<string>()
  private readonly leaseContents = new Map<TaskId, Array<StoredLease>>()

  constructor() {
    this.world.machine.pidMax = pidMax
    this.world.machine.delegated = "/delegated"
  }

  befall(step: MachineStep): void {
    const { files, machine, tinytask } = this.world
    switch (step._tag) {
      case "Wait":
        return this.later(step.seconds)
      case "AddTask":
        return this.addTask(step)
      case "Edit":
        return this.people.edit(step.task, step.edit)
      case "Kill":
        return this.kill(step.process)
      case "KillAll":
        return this.killAll()
      case "Hang":
      case "Wake":
        return this.hangOrWake(step)
      case "Tinytask":
        tinytask.down = step.down ? "connection refused" : null
        return
      case "TinytaskAnew":
        tinytask.beginAnew()
        this.addTask({ queue: "dev", as: "plain" })
        return this.addTask({ queue: "ops", as: "assigned" })
      case "Disk":
        files.unwritable = step.full ? "ENOSPC: no space left on device" : null
        files.termProblem = files.unwritable
        return
      case "Lease":
        return this.breakLease(step)
      case "AttemptsFile":
        return this.breakAttempts(step)
      case "LegacyLease": {
        const id = this.people.taskAt(step.task)
        if (id !== undefined) this.starts.add(standLegacyLease(this.world, id, step.seconds * 1000))
        return
      }
      case "SetWall":
        return this.setWall(step.seconds)
      case "PauseMachine":
        machine.pause(step.seconds * 1000)
        return this.later(step.seconds)
      case "PauseAgent":
        files.agents = files.agents.map((record) => ({ ...record, pausedBy: step.paused ? "a person" : null }))
        return
      case "Ask":
        return this.requests.ask(step.what, this.people.taskAt(step.task), step.nth)
      case "ReusePid":
        return this.reusePids()
    }
  }

  /** The starts that are written down. */
  noteStarts(): void {
    for (const [id, { last }] of this.world.files.attempts) {
      if (last === null) continue
      this.starts.add(last.token)
      this.startsOf.set(id, (this.startsOf.get(id) ?? new Set()).add(last.token))
    }
  }

  /**
   * Where people destroyed both lease and attempts file, and a repair began a new one, no file tells of the start: until
   * its lease comes back.
   */
  forgetStarts(): void {
    const { files } = this.world
    for (const id of this.people.tornAttempts) {
      const kept = files.attempts.get(id)
      if (kept === undefined) continue
      for (const token of this.startsOf.get(id) ?? []) {
        // A scheduler that died right after it had written the start down left no lease that could be destroyed.
        const isKnown =
          (this.leased.has(token) && !this.people.lostLeases.has(id)) ||
          kept.last?.token === token ||
          kept.outcomes.some((recorded) => recorded.token === token) ||
          files.history.some((line) => line.token === token) ||
          files.leaseToken(id) === token
        if (isKnown) this.starts.add(token)
        else {
          this.starts.delete(token)
          this.people.raced.add(id)
        }
      }
    }
  }

  later(seconds: number): void {
    this.world.settle(this.world.machine.nowMs + seconds * 1000)
  }

  setWall(seconds: number): void {
    this.world.machine.setWall(seconds * 1000)
    this.later(seconds)
  }

  kill(index: number): void {
    const processes = this.attemptProcesses()
    const process = processes[index % Math.max(1, processes.length)]
    if (process !== undefined) this.world.machine.kill(process)
  }

  /** Keeps what leases said, for a content of them to come back. */
  keepLeases(): void {
    for (const [id, stored] of this.world.files.leases) {
      if (stored._tag !== "Read") continue
      this.leased.add(stored.lease.token)
      const contents = this.leaseContents.get(id) ?? []
      if (contents.at(-1) !== stored) this.leaseContents.set(id, [...contents, stored].slice(-leasesKept))
    }
  }

  killAll(): void {
    for (const process of this.attemptProcesses()) this.world.machine.kill(process)
  }

  /** Processes of attempts that the scheduler of today can't see. */
  livesElsewhere(): boolean {
    return this.attemptProcesses().some((process) => !this.world.machine.isHere(process))
  }

  private attemptProcesses(): ReadonlyArray<SimulatedProcess> {
    return [...this.world.machine.processes.values()].filter(({ attempt, state }) => attempt !== null && state !== "Z")
  }

  private addTask({ as, queue }: Pick<StepOf<"AddTask">, "as" | "queue">): void {
    const { tinytask } = this.world
    const other = this.people.taskAt(queue === "dev" ? 0 : 1)
    const isOpenOther = other !== undefined && tinytask.read(other)?.status !== "complete"
    this.world.addTask({
      queue,
      ...(as === "blocked" && other !== undefined ? { blockedBy: other } : {}),
      ...(as === "subtask" && isOpenOther ? { parent: other } : {}),
      ...(as === "assigned" ? { assignee: "both" } : {})
    })
  }

  private hangOrWake(step: StepOf<"Hang"> | StepOf<"Wake">): void {
    const { supervision } = this.world
    const live = [...supervision.live].filter(({ hung }) => (hung === null) === (step._tag === "Hang"))
    const supervised = live[step.supervisor % Math.max(1, live.length)]
    if (supervised === undefined) return
    if (step._tag === "Hang") supervision.hang(supervised, step.how)
    else supervision.wake(supervised)
  }

  private breakLease({ fault, nth, task }: StepOf<"Lease">): void {
    const { files } = this.world
    const id = this.people.taskAt(task)
    if (id === undefined) return
    if (fault === "back") {
      const contents = this.leaseContents.get(id) ?? []
      const content = contents.at(-1 - (nth % Math.max(1, contents.length)))
      if (content === undefined || content === files.leases.get(id)) return
      files.leases.set(id, content)
    } else {
      if (files.leases.get(id)?._tag !== "Read") return
      if (fault === "torn") files.tearLease(id, null)
      else files.leases.delete(id)
    }
    this.people.lostLeases.add(id)
  }

  private breakAttempts({ readable, task }: StepOf<"AttemptsFile">): void {
    const { files } = this.world
    const id = this.people.taskAt(task)
    if (id === undefined || !files.attempts.has(id)) return
    if (readable) files.attemptsProblems.delete(id)
    else {
      files.attemptsProblems.set(id, "it is torn")
      this.people.tornAttempts.add(id)
    }
  }

  private reusePids(): void {
    const { files, machine } = this.world
    for (const stored of files.leases.values()) {
      if (stored._tag !== "Read" || stored.lease.phase === "starting") continue
      for (const pid of [stored.lease.pid, stored.lease.agent?.pid ?? stored.lease.pid]) {
        if (machine.isFree(pid)) machine.spawn({ pid, parent: 1, token: null, onSignal: () => undefined })
      }
    }
  }
}

/** All ports of one scheduler process over a simulated world. Each layer is one process: two of them are two schedulers. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { cgroupName } from "../domain/attemptCgroup.ts"
import type { TaskId } from "../domain/identifiers.ts"
import type { ProcessRow, ProcessSight } from "../domain/ProcessIdentity.ts"
import { AgentLauncher, LaunchFailed } from "../ports/AgentLauncher.ts"
import { AttemptHistory } from "../ports/AttemptHistory.ts"
import { type CgroupPlace, Cgroups, type CgroupsShape } from "../ports/Cgroups.ts"
import { LeaseStore } from "../ports/LeaseStore.ts"
import { HostUnidentified, ProcessesUnreadable, ProcessTable } from "../ports/ProcessTable.ts"
import { Requests } from "../ports/Requests.ts"
import { SchedulerLock } from "../ports/SchedulerLock.ts"
import { StateInventory } from "../ports/StateInventory.ts"
import { TaskQueue, TaskQueueRejected, TaskQueueUnreachable } from "../ports/TaskQueue.ts"
import { makeCall, noFaults } from "./memoryCalls.ts"
import type { Call, FaultHook } from "./memoryCalls.ts"
import { stateInventory } from "./memoryInventory.ts"
import { requestBox } from "./memoryRequests.ts"
import { attemptHistory, confirmedBy, leaseStore, schedulerLock } from "./memoryState.ts"
import type { NewProcess, SimulatedMachine, SimulatedProcess } from "./SimulatedMachine.ts"
import type { SimulatedTinytask } from "./SimulatedTinytask.ts"
import type { World } from "./World.ts"

const taskQueue = (tinytask: SimulatedTinytask, call: Call) => {
  const unreachable = (reason: string) => new TaskQueueUnreachable({ endpoint: "simulated", reason })
  const calling = <A, E = never>(name: string, act: () => Effect.Effect<A, E>) =>
    call(name, unreachable, (): Effect.Effect<A, E | TaskQueueUnreachable> =>
      tinytask.down === null ? act() : Effect.fail(unreachable(tinytask.down))
    )
  const notFound = (tool: string, id: TaskId) =>
    Effect.fail(new TaskQueueRejected({ call: tool, reason: `Task not found: ${id}` }))
  return TaskQueue.of({
    listOpen: calling("TaskQueue.listOpen", () => Effect.succeed(tinytask.open())),
    get: (id) =>
      calling("TaskQueue.get", () => {
        const task = tinytask.read(id)
        const entry = tinytask.tasks.get(id)
        return Effect.succeed(
          task === null || entry === undefined
            ? null
            : { task, description: entry.description, comments: [...entry.comments] }
        )
      }),
    update: (id, change) =>
      calling("TaskQueue.update", () => {
        tinytask.change(id, change)
        const task = tinytask.read(id)
        return task === null ? notFound("update_task", id) : Effect.succeed(task)
      }),
    comment: (id, text) =>
      calling("TaskQueue.comment", () => {
        const entry = tinytask.tasks.get(id)
        if (entry === undefined) return notFound("add_comment", id)
        entry.comments.push(text)
        return Effect.void
      })
  })
}

const sightOf = (process: SimulatedProcess | undefined): ProcessSight =>
  process === undefined
    ? { _tag: "Absent" }
    : { _tag: "Seen", pidStart: process.pidStart, state: process.state, otherThreadLives: false }

const rowOf = ({ cgroup, group, parent, pid, pidStart, session, state, token }: SimulatedProcess): ProcessRow => ({
  pid,
  parent,
  group,
  session,
  pidStart,
  state,
  cgroup,
  // A zombie has no environment any more.
  token: state === "Z" ? null : token
})

/** For calls whose port knows no error. */
const never = (reason: string): never => {
  throw new Error(`this call can't fail: ${reason}`)
}

const processTable = (machine: SimulatedMachine, self: SimulatedProcess, call: Call) => {
  const seen = (pid: number): SimulatedProcess | undefined => {
    const process = machine.processes.get(pid)
    return process !== undefined && machine.isHere(process) ? process : undefined
  }
  const unreadable = (reason: string) => new ProcessesUnreadable({ reason })
  return ProcessTable.of({
    ourselves: call(
      "ProcessTable.ourselves",
      (reason) => new HostUnidentified({ reason }),
      () => Effect.succeed({ here: machine.here, pid: self.pid, pidStart: self.pidStart })
    ),
    monotonicMs: call("ProcessTable.monotonicMs", never, () => Effect.succeed(machine.monoMs())),
    look: (pids) =>
      call("ProcessTable.look", unreadable, () =>
        Effect.succeed(new Map(pids.map((pid) => [pid, sightOf(seen(pid))] as const)))
      ),
    startedAtMs: (pid) =>
      call("ProcessTable.startedAtMs", never, () => {
        const process = seen(pid)
        return Effect.succeed(process === undefined ? null : machine.nowMs - (machine.monoMs() - process.pidStart * 10))
      }),
    scan: call("ProcessTable.scan", unreadable, () =>
      Effect.succeed([...machine.processes.values()].filter((process) => machine.isHere(process)).map(rowOf))
    ),
    statedTask: (pid) =>
      call("ProcessTable.statedTask", unreadable, () => {
        const process = seen(pid)
        return Effect.succeed(process === undefined || process.state === "Z" ? null : process.statedTask)
      }),
    describe: (pid) =>
      call("ProcessTable.describe", never, () => {
        const process = seen(pid)
        return Effect.succeed(
          process === undefined
            ? null
            : { name: process.attempt?.role ?? "process", state: process.state, user: 0, maySignal: true }
        )
      }),
    signal: (target, signal) => call("ProcessTable.signal", never, () => Effect.succeed(machine.signal(target, signal)))
  })
}

const cgroupsOf = (machine: SimulatedMachine, call: Call): CgroupsShape => ({
  placeFor: (attempt) =>
    call("Cgroups.placeFor", never, () =>
      Effect.succeed<CgroupPlace>(
        machine.delegated === null
          ? { _tag: "NoPlace", why: "no cgroup is delegated" }
          : { _tag: "Place", directory: `${machine.delegated}/${cgroupName(attempt)}` }
      )
    ),
  list: call("Cgroups.list", never, () =>
    Effect.succeed(
      [...machine.cgroups].filter((path) => machine.delegated !== null && path.startsWith(machine.delegated))
    )
  ),
  members: (directory) => call("Cgroups.members", never, () => Effect.succeed(machine.cgroupMembers(directory))),
  kill: (directory) => call("Cgroups.kill", never, () => Effect.succeed(machine.killCgroup(directory))),
  remove: (directory) =>
    call("Cgroups.remove", never, () =>
      Effect.sync(() => {
        machine.removeCgroup(directory)
      })
    )
})

const agentLauncher = (world: World, call: Call) =>
  AgentLauncher.of({
    launch: ({ lease }) =>
      call(
        "AgentLauncher.launch",
        (reason) => new LaunchFailed({ reason }),
        () => {
          world.supervision.launch(lease, world.script(lease))
          return Effect.void
        }
      ),
    lookAtRecipes: (recipes) =>
      call("AgentLauncher.lookAtRecipes", never, () =>
        Effect.sync(() => world.recipes.filter(({ recipe }) => recipes.includes(recipe)))
      ),
    drawToken: call("AgentLauncher.drawToken", never, () => Effect.sync(() => world.drawToken()))
  })

/** Where a scheduler's process stands: as a child of pid 1 with a clean environment, unless it is said otherwise. */
export type SchedulerProcess = Partial<Pick<NewProcess, "parent" | "token">>

/** The ports of one scheduler process; it ends with the layer's scope. */
export const layerSimulation = (
  world: World,
  faults: FaultHook = noFaults,
  { parent = 1, token = null }: SchedulerProcess = {}
) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const { files, machine, tinytask } = world
      const self = yield* Effect.acquireRelease(
        Effect.sync(() => machine.spawn({ parent, token, onSignal: () => undefined })),
        (process) =>
          Effect.sync(() => {
            machine.end(process)
          })
      )
      const call = makeCall(world, faults)
      const lock = schedulerLock(files)
      return Context.make(SchedulerLock, confirmedBy(lock, call)).pipe(
        Context.add(LeaseStore, leaseStore(files, lock, call)),
        Context.add(AttemptHistory, attemptHistory(files, lock, call)),
        Context.add(Requests, requestBox(files, lock, call)),
        Context.add(StateInventory, stateInventory(files, lock, call)),
        Context.add(TaskQueue, taskQueue(tinytask, call)),
        Context.add(ProcessTable, processTable(machine, self, call)),
        Context.add(Cgroups, cgroupsOf(machine, call)),
        Context.add(AgentLauncher, agentLauncher(world, call))
      )
    })
  )

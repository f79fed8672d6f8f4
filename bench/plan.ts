/**
 * How long one plan takes, and how that grows: tasks × agents, each size ten (agents) and ten (tasks) times the last.
 * Run: node --conditions=source bench/plan.ts [largest number of tasks]. It prints; it asserts nothing.
 * Beside the time on the clock stands the thread's own: on a busy machine only that one can be compared.
 */
import { AgentName, Epoch, QueueName, TaskId, Term, Token } from "@tinyscheduler/core/domain/identifiers"
import { policyDefaults } from "@tinyscheduler/core/domain/DesiredState"
import type { Agent, DesiredState } from "@tinyscheduler/core/domain/DesiredState"
import type { RunningLease } from "@tinyscheduler/core/domain/Lease"
import type { ObservedState } from "@tinyscheduler/core/domain/ObservedState"
import type { Task } from "@tinyscheduler/core/domain/Task"
import type { TaskRecord } from "@tinyscheduler/core/domain/TaskRecord"
import { reconcile } from "@tinyscheduler/core/reconcile/reconcile"

const nowMs = Date.UTC(2026, 2, 1, 12)
const monoMs = 8_000_000
const here = { host: "bench/1", bootId: "boot", pidNs: 1 }
const at = (seconds: number): string => new Date(nowMs + seconds * 1000).toISOString()

/** A number below `below` that looks random and is the same in every run. */
const scattered = (index: number, below: number): number => (Math.imul(index + 1, 2_654_435_761) >>> 8) % below

const queueCount = (agents: number): number => Math.max(4, Math.floor(agents / 10))
const queueNames = Array.from({ length: 1000 }, (_, index) => QueueName.make(`queue-${index}`))
const queueOf = (index: number, count: number): QueueName | null => queueNames[index % count] ?? null

const makeAgent = (index: number, queues: number): Agent => ({
  name: AgentName.make(`agent-${String(index).padStart(5, "0")}`),
  queues: [
    ...new Set([index, ...(index % 5 === 0 ? [index + 1, index + 2] : [])].map((at) => queueOf(at, queues)))
  ].filter((queue) => queue !== null),
  slots: 1 + (index % 3),
  enabled: index % 50 !== 0,
  recipe: null,
  success: "exit",
  maxRuntimeSec: 3600,
  stopGraceSec: 10,
  stopSignal: "SIGINT"
})

/** Of ten tasks two are blocked (in chains and fans), one is assigned, one has a parent. */
const makeTask = (index: number, agents: ReadonlyArray<Agent>, queues: number): Task => {
  const kind = index % 10
  const blocker = kind < 2 && index > 10 ? TaskId.make(kind === 0 ? index : 1 + scattered(index, index)) : null
  const assignee = kind === 2 ? (agents[scattered(index, agents.length)] ?? null) : null
  return {
    id: TaskId.make(index + 1),
    title: `task ${index + 1}`,
    status: "idle",
    queue: assignee?.queues[0] ?? queueOf(scattered(index, queues), queues),
    assignee: assignee?.name ?? null,
    priority: scattered(index, 5),
    tags: [],
    parent: kind === 3 && index > 10 ? TaskId.make(index - 5) : null,
    blockedBy: blocker,
    blocked: blocker !== null,
    createdAt: at(-3600 - scattered(index, 86_400)),
    archived: false
  }
}

/** Every other agent runs one task already. */
const makeRecord = (task: Task, agent: Agent): TaskRecord => {
  const token = Token.make(`${String(task.id).padStart(8, "0")}-0001-4000-8000-000000000000`)
  const lease: RunningLease = {
    ...here,
    taskId: task.id,
    agentName: agent.name,
    startTime: at(-60),
    maxRuntimeSec: 3600,
    token,
    epoch: Epoch.make(1),
    term: Term.make(1),
    attempt: 1,
    recipe: null,
    queue: task.queue,
    endpoint: "http://localhost:3000",
    taskCreatedAt: task.createdAt,
    prior: { status: "idle", assignee: null },
    startMonoMs: monoMs - 60_000,
    log: "",
    version: 1,
    pid: task.id,
    pidStart: 1,
    lastHeartbeat: at(-5),
    beatMonoMs: monoMs - 5000,
    lastOutput: null,
    phase: "running",
    agent: { pid: task.id + 1, pidStart: 2, group: task.id + 1 }
  }
  const evidence = { supervisor: "alive", agent: "alive", others: [], scanned: false } as const
  return {
    taskId: task.id,
    lease: { _tag: "Read", lease, evidence },
    claims: [
      {
        _tag: "Read",
        epoch: lease.epoch,
        claim: {
          ...here,
          kind: "claim",
          taskId: task.id,
          epoch: lease.epoch,
          token,
          agentName: agent.name,
          pid: task.id,
          pidStart: 1,
          log: "",
          version: 1
        },
        evidence
      }
    ],
    stop: null,
    attempts: null,
    attemptsProblem: null,
    openStart: null,
    epochMax: 1
  }
}

const makeWorld = (taskCount: number, agentCount: number): { observed: ObservedState; desired: DesiredState } => {
  const queues = Math.min(queueNames.length, queueCount(agentCount))
  const agents = Array.from({ length: agentCount }, (_, index) => makeAgent(index, queues))
  const tasks = Array.from({ length: taskCount }, (_, index) => makeTask(index, agents, queues))
  const records: Array<TaskRecord> = []
  for (const [index, agent] of agents.entries()) {
    const at = 4 + index * 10
    const task = tasks[at]
    if (index % 2 === 1 || task === undefined) continue
    const taken: Task = { ...task, status: "working", assignee: agent.name, queue: agent.queues[0] ?? null }
    tasks[at] = taken
    records.push(makeRecord(taken, agent))
  }
  return {
    observed: {
      nowMs,
      monoMs,
      here,
      tinytask: { _tag: "Read", tasks, lookedUp: [] },
      records,
      agents: agents.map(({ name }, index) => ({
        agentName: name,
        pausedBy: index % 40 === 1 ? "maria" : null,
        pausedUntil: null,
        lastStart: at(-scattered(index, 3600)),
        startFailures: 0,
        setAsideUntil: null
      })),
      paused: null,
      requests: [],
      recipes: [],
      startFaults: [],
      startsOffReason: null
    },
    desired: {
      mode: "queues",
      endpoint: "http://localhost:3000",
      agents,
      queueLimits: [],
      maxConcurrent: null,
      // The bound is a safety net of a pass; here everything that may start does.
      policy: { ...policyDefaults, startsMax: 1_000_000 }
    }
  }
}

const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

const measure = (taskCount: number, agentCount: number): number => {
  const { desired, observed } = makeWorld(taskCount, agentCount)
  const rounds = taskCount >= 1_000_000 ? 3 : taskCount >= 100_000 ? 7 : 25
  const times: Array<number> = []
  const threadTimes: Array<number> = []
  let starts = 0
  for (let round = 0; round <= rounds; round += 1) {
    const before = performance.now()
    const usedBefore = process.threadCpuUsage()
    const plan = reconcile(observed, desired)
    const used = process.threadCpuUsage(usedBefore)
    const tookMs = performance.now() - before
    starts = plan.actions.length
    // The first one warms the engine up.
    if (round === 0) continue
    times.push(tookMs)
    threadTimes.push((used.user + used.system) / 1000)
  }
  const threadMs = median(threadTimes)
  console.log(
    [
      `${String(taskCount).padStart(9)} × ${String(agentCount).padEnd(6)}`,
      `${median(times).toFixed(1).padStart(9)} ms`,
      `${threadMs.toFixed(1).padStart(9)} ms`,
      `${((threadMs * 1000) / taskCount).toFixed(2).padStart(7)} µs`,
      `${starts} actions`
    ].join("  ")
  )
  return threadMs
}

const sizes: ReadonlyArray<readonly [number, number]> = [
  [1000, 10],
  [10_000, 100],
  [100_000, 1000],
  [1_000_000, 10_000]
]
const largest = Number(process.argv[2] ?? 1_000_000)
console.log("    tasks × agents         median  of the thread     a task")
let last: number | null = null
for (const [tasks, agents] of sizes.filter(([tasks]) => tasks <= largest)) {
  const tookMs = measure(tasks, agents)
  if (last !== null) console.log(`${"".padStart(31)}${(tookMs / last).toFixed(1).padStart(9)} times the last`)
  last = tookMs
}

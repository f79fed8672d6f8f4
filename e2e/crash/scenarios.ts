/**
 * The fixed set of scenarios: what each begins with, and whose effects are visited. What a scenario begins with is made
 * once and kept; what lives in it is started anew for every history.
 */
import { until } from "../harness/until.ts"
import { isLiving } from "../harness/processes.ts"
import type { AgentPlan, Stage } from "./Stage.ts"
import { ageStarts, passWithheld, startSupervisor } from "./supervisors.ts"
import { trace } from "./tracing.ts"

export interface Scenario {
  readonly name: string
  /** Who is killed: a pass of the scheduler, or the supervisor of the one task. */
  readonly victim: "pass" | "supervisor"
  readonly agents: ReadonlyArray<AgentPlan>
  readonly flags?: ReadonlyArray<string>
  readonly prepare: (stage: Stage) => Promise<void>
  /** Before each history, what is alive when the victim begins. */
  readonly enliven?: (stage: Stage) => Promise<void>
  /** While the victim runs. */
  readonly meanwhile?: (stage: Stage, isOver: () => boolean) => Promise<void>
  readonly ends: "complete" | "parked"
}

const vaela = (...words: ReadonlyArray<string>): ReadonlyArray<AgentPlan> => [{ name: "vaela", queue: "dev", words }]
const both: ReadonlyArray<AgentPlan> = [...vaela("works"), { name: "calypso", queue: "ops", words: ["works"] }]

const addTask = async (stage: Stage, queue = "dev"): Promise<void> => {
  await stage.tasks.server.add({ queue })
}
const addBoth = async (stage: Stage): Promise<void> => {
  await addTask(stage)
  await addTask(stage, "ops")
}

/** Lets what runs come to its end, and closes the gate again. */
const finished = async (stage: Stage): Promise<void> => {
  stage.openGate()
  await stage.becomes("finished")
  await until("nothing lives", () => stage.living().length === 0)
  stage.closeGate()
}

const addAndFinish = async (stage: Stage): Promise<void> => {
  await addTask(stage)
  await stage.pass()
  await finished(stage)
}

const launched = async (stage: Stage): Promise<void> => {
  await addTask(stage)
  await passWithheld(stage)
}

/** Longer than any run may last, and than any start may take. */
const longAgo = 7200

const launchedLongAgo = async (stage: Stage): Promise<void> => {
  await launched(stage)
  ageStarts(stage, longAgo)
}

const running = async (stage: Stage): Promise<void> => {
  await startSupervisor(stage)
}

const orphaned = async (stage: Stage): Promise<void> => {
  const pid = await startSupervisor(stage)
  process.kill(pid, "SIGKILL")
  await until("the supervisor is dead", () => !isLiving(pid))
}

/** The list and the look at the task are answered; nothing after them. */
const readsOnly = 2

const tinytaskGoesDown = async (stage: Stage): Promise<void> => {
  await stage.tasks.reach(readsOnly)
}

const requeueFailed = async (stage: Stage): Promise<void> => {
  await addAndFinish(stage)
  await stage.tasks.reach(readsOnly)
  await stage.pass()
  await stage.tasks.reach()
}

const opensGateWhenRunning = async (stage: Stage, isOver: () => boolean): Promise<void> => {
  await stage.becomes("running", isOver)
  if (!isOver()) stage.openGate()
}

/** Kills a pass before its first effect of this name. */
const passKilledBefore = async (stage: Stage, name: string): Promise<void> => {
  const kept = stage.keep("before")
  const where = { logFile: `${stage.folder}/before.log`, base: stage.base }
  const { effects } = await trace(stage.passCommand, where, null).ended
  const found = effects.find((effect) => effect.name === name)
  if (found === undefined) throw new Error(`the pass has no effect ${name}`)
  // What that pass started must not live on beside what is put back.
  stage.openGate()
  await until("nothing lives", () => stage.living().length === 0)
  await stage.putBack(kept)
  const { call, count } = found
  const hold = { side: "before", call, from: Math.max(1, count - 2), to: count + 6, forMs: 500, effect: name } as const
  const { wasKilled } = await trace(stage.passCommand, where, hold).ended
  if (!wasKilled) throw new Error(`the pass was not killed at ${name}`)
}

const start = { agents: vaela("works"), ends: "complete" } as const
const failure = { agents: vaela("fails", "works"), ends: "complete" } as const
const overdue = { ends: "complete", prepare: launchedLongAgo } as const

export const scenarios: ReadonlyArray<Scenario> = [
  { name: "start", victim: "pass", ...start, prepare: addTask },
  { name: "start", victim: "supervisor", ...start, prepare: launched, meanwhile: opensGateWhenRunning },
  { name: "finish", victim: "pass", ...start, prepare: addAndFinish },
  { name: "fail and retry", victim: "pass", ...failure, prepare: addAndFinish },
  { name: "fail and retry", victim: "supervisor", ...failure, prepare: launched, meanwhile: opensGateWhenRunning },
  { name: "stop by run time", victim: "pass", agents: vaela("stubborn", "works"), ...overdue, enliven: running },
  {
    name: "stop by run time",
    victim: "supervisor",
    agents: vaela("stays", "works"),
    ...overdue,
    meanwhile: async (stage, isOver) => {
      await stage.becomes("running", isOver)
      if (!isOver()) await stage.pass()
    }
  },
  {
    name: "orphaned agent",
    victim: "pass",
    agents: vaela("stays", "works"),
    ends: "complete",
    prepare: launched,
    enliven: orphaned
  },
  {
    name: "requeue with Tinytask down",
    victim: "pass",
    ...failure,
    prepare: addAndFinish,
    enliven: tinytaskGoesDown
  },
  { name: "requeue when Tinytask is back", victim: "pass", ...failure, prepare: requeueFailed },
  { name: "two agents start", victim: "pass", agents: both, ends: "complete", prepare: addBoth },
  {
    name: "two agents finish",
    victim: "pass",
    agents: both,
    ends: "complete",
    prepare: async (stage) => {
      await addBoth(stage)
      await stage.pass()
      await finished(stage)
    }
  },
  {
    name: "parked",
    victim: "pass",
    agents: vaela("fails"),
    flags: ["--max-attempts", "1"],
    ends: "parked",
    prepare: addAndFinish
  },
  { name: "recovery of a start that nobody claimed", victim: "pass", ...start, prepare: launchedLongAgo },
  {
    name: "recovery of a half-told ending",
    victim: "pass",
    ...failure,
    prepare: async (stage) => {
      await addAndFinish(stage)
      await passKilledBefore(stage, "send add_comment #1")
    }
  },
  {
    name: "recovery of a half-deleted lease",
    victim: "pass",
    ...start,
    prepare: async (stage) => {
      await addAndFinish(stage)
      await passKilledBefore(stage, "unlink state/running/.tmp-*.task_1.json #1")
    }
  }
]

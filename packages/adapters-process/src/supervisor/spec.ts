/**
 * What a launcher hands to a supervisor over its standard input: one JSON object. The lease's own text is part of it,
 * so that the supervisor can write a lost lease whole from memory. Decoded by hand: the supervisor carries no Effect.
 */
import { attemptOfCgroup } from "@tinyscheduler/core/domain/attemptCgroup"
import type { Epoch, TaskId } from "@tinyscheduler/core/domain/identifiers"
import { isRecord, type Json } from "./json.ts"

/** For tests of every interleaving: the step before which the supervisor stands still until a file appears. */
export interface Hold {
  readonly at: HoldStep
  /** While it stands there, `<until>.reached` exists. */
  readonly until: string
}

export const holdSteps = ["claim", "claimed", "start", "started", "running", "drain", "finish", "exit"] as const
export type HoldStep = (typeof holdSteps)[number]

/** Every path is absolute. */
export interface SupervisorSpec {
  /** The lease in `starting`, as it stands in its file. */
  readonly lease: Json
  readonly taskId: TaskId
  readonly epoch: Epoch
  readonly token: string
  /** The directory of the cgroup in which the agent is to run; null = the supervisor's own. */
  readonly cgroup: string | null
  readonly runningDir: string
  readonly claimsDir: string
  readonly logDir: string
  readonly tmpDir: string
  readonly argv: ReadonlyArray<string>
  /** What comes on top of the supervisor's own environment less TINYSCHEDULER_*. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly heartbeatSec: number
  /** Between SIGINT and SIGKILL, where the supervisor itself has to end its agent. */
  readonly stopGraceSec: number
  readonly hold: Hold | null
}

/** What a launcher writes: the rest is read from the lease. */
export type SupervisorOrder = Omit<SupervisorSpec, "taskId" | "epoch" | "token" | "cgroup">

export const specMaxBytes = 4 * 1024 * 1024

const isText = (value: unknown): value is string => typeof value === "string"
const isNatural = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 1
const isTaskId = (value: unknown): value is TaskId => isNatural(value)
const isEpoch = (value: unknown): value is Epoch => isNatural(value)
const isAbsolute = (value: unknown): value is string => isText(value) && value.startsWith("/")
/** The longest time that a timer of Node can wait for. */
const timerMaxSec = 2_147_483
const isSeconds = (value: unknown): value is number => typeof value === "number" && value >= 0

const isTextArray = (value: unknown): value is ReadonlyArray<string> => Array.isArray(value) && value.every(isText)
const isTextRecord = (value: unknown): value is Readonly<Record<string, string>> =>
  isRecord(value) && Object.values(value).every(isText)

const decodeHold = (value: unknown): Hold | null => {
  if (!isRecord(value) || !isAbsolute(value["until"])) return null
  const at = holdSteps.find((step) => step === value["at"])
  return at === undefined ? null : { at, until: value["until"] }
}

/** The order in a text; null when it is none: a launcher that died left half of one. */
export const decodeSpec = (text: string): SupervisorSpec | null => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (!isRecord(value)) return null
  const { lease, runningDir, claimsDir, logDir, tmpDir, argv, env, cwd, heartbeatSec, stopGraceSec, hold } = value
  if (!isRecord(lease)) return null
  const { cgroup = null, epoch, task_id: taskId, token } = lease
  if (!isTaskId(taskId) || !isEpoch(epoch) || !isText(token)) return null
  if (!isAbsolute(runningDir) || !isAbsolute(claimsDir) || !isAbsolute(logDir) || !isAbsolute(tmpDir)) return null
  if (cgroup !== null && (!isAbsolute(cgroup) || attemptOfCgroup(cgroup)?.token !== token)) return null
  if (!isTextArray(argv) || !isTextRecord(env) || !isAbsolute(cwd)) return null
  if (!isSeconds(heartbeatSec) || heartbeatSec === 0 || !isSeconds(stopGraceSec)) return null
  return {
    lease,
    taskId,
    epoch,
    token,
    cgroup,
    runningDir,
    claimsDir,
    logDir,
    tmpDir,
    argv,
    env,
    cwd,
    heartbeatSec: Math.min(heartbeatSec, timerMaxSec),
    stopGraceSec: Math.min(stopGraceSec, timerMaxSec),
    hold: decodeHold(hold)
  }
}

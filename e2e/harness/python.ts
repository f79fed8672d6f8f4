/**
 * What the Python version leaves behind: leases in its two forms, the wrapper process that one of them names, its lock.
 * Written by hand after what the program itself wrote, so that the tests need no Python.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { chmodSync, existsSync } from "node:fs"
import { hostname } from "node:os"
import { type Ground, makeGround } from "./Ground.ts"
import { isLiving } from "./processes.ts"
import type { Ended } from "./program.ts"
import { until } from "./until.ts"

export type LeaseForm = "the six fields of its README" | "the form of its code"
export const leaseForms: readonly [LeaseForm, LeaseForm] = ["the six fields of its README", "the form of its code"]

export interface PythonLease {
  readonly task: number
  readonly agent: string
  readonly pid: number
  readonly form?: LeaseForm
  /** How long ago it began, and beat last. */
  readonly agoSec?: number
  /** Only its code's form names one. */
  readonly host?: string
}

/** As Python's isoformat has it: microseconds, and Z. */
const pythonTime = (agoSec: number): string => new Date(Date.now() - agoSec * 1000).toISOString().replace("Z", "000Z")

export const leaseText = ({ agent, agoSec = 0, form, host = hostname(), pid, task }: PythonLease): string => {
  const time = pythonTime(agoSec)
  const fields =
    form === "the six fields of its README"
      ? { task_id: task, agent_name: agent, pid, start_time: time, last_heartbeat: time, max_runtime_sec: 3600 }
      : {
          task_id: String(task),
          agent,
          pid,
          recipe: `${agent}.yaml`,
          started_at: time,
          heartbeat: time,
          host,
          state: "running",
          metadata: {}
        }
  return JSON.stringify(fields, null, 2)
}

/** Writes a lease as Python's mkstemp does: 0600. */
export const writeLease = (ground: Ground, lease: PythonLease): string => {
  const path = ground.write(`state/running/task_${lease.task}.json`, leaseText(lease))
  chmodSync(path, 0o600)
  return path
}

export interface Wrapper {
  readonly pid: number
  readonly lives: () => boolean
  /** Whether anybody sent it a signal that a process can notice. */
  readonly wasSignalled: () => boolean
  readonly kill: () => Promise<void>
}

const wrapperScript = `
trap 'echo signalled >>"$1"' INT TERM HUP CONT
sleep 600 &
agent=$!
while kill -0 $agent 2>/dev/null; do wait $agent; done
`

/** A wrapper as the Python scheduler starts one: the leader of a session of its own, with its agent as a child. */
export const startWrapper = async (ground: Ground): Promise<Wrapper> => {
  const note = ground.path(`signalled.${Math.random()}`)
  const child = spawn("/bin/sh", ["-c", wrapperScript, "wrapper", note], {
    detached: true,
    stdio: "ignore",
    env: ground.environment()
  })
  const pid = child.pid ?? 0
  await until("the wrapper has started its agent", () => agentOf(ground, pid) !== null)
  return {
    pid,
    lives: () => isLiving(pid),
    wasSignalled: () => existsSync(note),
    kill: () => kill(child)
  }
}

/** The agent that a wrapper started, found among the processes of the ground; null while there is none. */
export const agentOf = (ground: Ground, wrapper: number): number | null => {
  const agent = ground.processes().find(({ command, pid }) => pid !== wrapper && command === "sleep 600")
  return agent?.pid ?? null
}

const kill = async (child: ChildProcess): Promise<void> => {
  const ended = new Promise((resolve) => child.once("close", resolve))
  child.kill("SIGKILL")
  await ended
}

/** The pid of a process that has ended. */
export const deadPid = (): number => spawnSync("true").pid

/** An agent "vaela" for "dev" that completes what it is given, and tasks as the Python scheduler left them: working, hers. */
export const takenOver = async (tasks: number, fields: Readonly<Record<string, unknown>> = {}): Promise<Ground> => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev", { env: { WORK_MS: "5-20" }, ...fields })])
  for (let task = 1; task <= tasks; task += 1) {
    await ground.tinytask.add({ queue: "dev", assignee: "vaela" })
    await ground.tinytask.update(task, { status: "working" })
  }
  return ground
}

/** One pass that makes nobody wait after a loss. */
export const pass = (ground: Ground, ...flags: ReadonlyArray<string>): Promise<Ended> =>
  ground.cli(["run", "--once", "--backoff-base", "0", ...ground.endpoint, ...flags])

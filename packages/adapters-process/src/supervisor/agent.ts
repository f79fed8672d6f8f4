/** The agent's process: started in a session of its own, and ended by its supervisor only where the attempt is lost. */
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import { ownerOf } from "@tinyscheduler/core/domain/attemptCgroup"
import { insideCgroup } from "../cgroup2.ts"
import { agentEnvironment } from "../environment.ts"
import { type Machine, startOf } from "../Machine.ts"
import { errorCode } from "./files.ts"
import type { AgentIdentity } from "./records.ts"
import type { SupervisorSpec } from "./spec.ts"

export interface AgentExited {
  readonly code: number | null
  readonly signal: string | null
}

export interface Agent extends AgentIdentity {
  readonly exited: Promise<AgentExited>
  /** SIGINT, the grace, SIGKILL. Once; only while it is still the process that was started. */
  readonly end: (graceMs: number) => void
}

export type Started =
  | { readonly _tag: "Started"; readonly agent: Agent }
  | { readonly _tag: "NotStarted"; readonly reason: string }

export const startAgent = async (
  machine: Machine,
  spec: SupervisorSpec,
  place: { readonly writeEnd: number; readonly temporaryDirectory: string }
): Promise<Started> => {
  const [command, ...args] = spec.argv
  if (command === undefined) return { _tag: "NotStarted", reason: "the command is empty" }
  const start = (): ChildProcess =>
    spawn(command, args, {
      cwd: spec.cwd,
      detached: true,
      env: agentEnvironment({ ...process.env, TMPDIR: place.temporaryDirectory }, spec.env),
      stdio: ["ignore", place.writeEnd, place.writeEnd]
    })
  let child: ChildProcess
  try {
    child = spec.cgroup === null ? start() : insideCgroup(spec.cgroup, start)
  } catch (error) {
    return { _tag: "NotStarted", reason: reasonOf(spec, command, error) }
  }
  const exited = new Promise<AgentExited>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }))
  })
  const { pid } = child
  if (pid === undefined) {
    const error = await new Promise<unknown>((resolve) => child.once("error", resolve))
    return { _tag: "NotStarted", reason: reasonOf(spec, command, error) }
  }
  // Nothing has awaited it yet: even an agent that is gone by now still has its entry.
  const pidStart = startSeen(machine, pid)
  if (pidStart === null) {
    child.kill("SIGKILL")
    return { _tag: "NotStarted", reason: `process ${pid} was started, but can't be identified` }
  }
  return {
    _tag: "Started",
    agent: { pid, pidStart, group: pid, exited, end: endOnce(machine, { pid, pidStart, exited }) }
  }
}

/** The start of a process of ours, dead or alive. */
const startSeen = (machine: Machine, pid: number): number | null => {
  try {
    const sight = machine.look([pid]).get(pid)
    return sight?._tag === "Seen" ? sight.pidStart : null
  } catch {
    return null
  }
}

const endOnce = (machine: Machine, agent: Pick<Agent, "pid" | "pidStart" | "exited">): ((graceMs: number) => void) => {
  let begun = false
  return (graceMs) => {
    if (begun) return
    begun = true
    signalSame(machine, agent, "SIGINT")
    signalSame(machine, agent, "SIGCONT")
    const timer = setTimeout(() => signalSame(machine, agent, "SIGKILL"), graceMs)
    void agent.exited.then(() => clearTimeout(timer))
  }
}

const signalSame = (
  machine: Machine,
  target: { readonly pid: number; readonly pidStart: number },
  signal: NodeJS.Signals
): void => {
  try {
    if (startOf(machine, target.pid) === target.pidStart) process.kill(target.pid, signal)
  } catch {
    // Gone in this moment, or another user's by now: what still lives, the scheduler's scan finds.
  }
}

/** Kills whatever else belongs to an attempt that is no longer ours: nobody else will look for it. */
export const endCarriers = (machine: Machine, token: string): void => {
  try {
    for (const row of machine.scan()) {
      if (ownerOf(row) === token && row.pid > 1 && row.pid !== process.pid) signalSame(machine, row, "SIGKILL")
    }
  } catch {
    // The processes can't be listed: there is nothing more that could be done safely.
  }
}

/** libuv says ENOENT for a missing program and for a missing directory alike. */
const reasonOf = (spec: SupervisorSpec, command: string, error: unknown): string => {
  if (!fs.existsSync(spec.cwd)) return `the working directory ${spec.cwd} does not exist`
  const code = errorCode(error)
  if (code === "ENOENT") return `${command} was not found, or the interpreter that it names`
  if (code === "EACCES") return `${command} may not be executed`
  return `${command} can't be started: ${error instanceof Error ? error.message : String(error)}`
}

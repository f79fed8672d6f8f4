/**
 * The supervisor's two records: its claim, written once, and its lease. Every write of the lease is preceded by a look
 * at both; where they say that the attempt is another's by now, nothing is written any more.
 */
import type { Ourselves } from "@tinyscheduler/core/ports/ProcessTable"
import { createDurably, replaceDurably } from "@tinyscheduler/core/protocol/durableWrite"
import { claimFileName, taskFileName, temporaryPrefix } from "@tinyscheduler/core/protocol/layout"
import { monotonicMs } from "../Machine.ts"
import { errorCode, fileCalls, readRecord } from "./files.ts"
import type { SupervisorSpec } from "./spec.ts"

/** The largest lease that is read or written: core's leaseMaxBytes, which stands beside Schemas and so isn't imported. */
const recordMaxBytes = 64 * 1024

/** The fields of a lease in the order in which they stand in its file. */
const leaseFields = [
  "task_id",
  "agent_name",
  "pid",
  "start_time",
  "last_heartbeat",
  "max_runtime_sec",
  "phase",
  "host",
  "boot_id",
  "pid_ns",
  "pid_start",
  "token",
  "epoch",
  "term",
  "attempt",
  "recipe",
  "queue",
  "endpoint",
  "task_created_at",
  "prior",
  "start_mono_ms",
  "beat_mono_ms",
  "agent",
  "last_output",
  "silent_ms",
  "log",
  "heartbeat_sec",
  "idle_timeout_sec",
  "cgroup",
  "success",
  "version"
] as const

export interface AgentIdentity {
  readonly pid: number
  readonly pidStart: number
  readonly group: number
}

export interface AgentEnding {
  readonly code: number | null
  readonly signal: string | null
  readonly error: string | null
  readonly at: string
  readonly tail: string
  /** The signal by which we were asked to end while the agent ran. */
  readonly asked?: string | undefined
  readonly stream?: StreamEnding | undefined
}

/** What the agent's events said last of its run, as it stands in the file. */
export interface StreamEnding {
  readonly says: string
  readonly detail: string
  readonly resets_at: string | null
}

export interface Beat {
  readonly agent: AgentIdentity | null
  readonly lastOutput: string | null
  /** For how long the agent was watched saying nothing. */
  readonly silentMs: number
  /** Null while the agent runs. */
  readonly exit: AgentEnding | null
}

/** fenced: the attempt is another's, never write again. failed: not now; try again. */
export type WriteResult = "written" | "failed" | "fenced"

export interface Records {
  /** Whether the epoch is ours: link(2) decides. Throws when it can't be tried. */
  readonly claim: () => boolean
  /** Whether the lease is the start that we were sent for. */
  readonly leaseIsOurStart: () => boolean
  readonly write: (beat: Beat) => WriteResult
}

export const recordsOf = (spec: SupervisorSpec, self: Ourselves): Records => {
  const { taskId, epoch, token } = spec
  const place = { host: self.here.host, boot_id: self.here.bootId, pid_ns: self.here.pidNs }
  const supervisor = { pid: self.pid, pid_start: self.pidStart }
  const claimName = claimFileName(taskId, epoch)
  const leaseName = taskFileName(taskId)
  // In a container pid and start may be those of an earlier boot, whose leftover must not stand in our way.
  const series = Date.now().toString(36)
  let writes = 0

  const targetOf = (directory: string, name: string) => ({
    directory,
    name,
    temporaryName: `${temporaryPrefix(self)}${series}-${writes++}`
  })

  const claim = (): boolean => {
    const text = encode({
      kind: "claim",
      task_id: taskId,
      epoch,
      token,
      agent_name: spec.lease["agent_name"],
      ...place,
      ...supervisor,
      log: spec.lease["log"],
      version: 1
    })
    try {
      createDurably(fileCalls, targetOf(spec.claimsDir, claimName), text)
      return true
    } catch (error) {
      if (errorCode(error) === "EEXIST") return false
      throw error
    }
  }

  const readLease = () => readRecord(`${spec.runningDir}/${leaseName}`, recordMaxBytes)

  const leaseIsOurStart = (): boolean => {
    const lease = readLease()
    return (
      lease._tag === "Read" &&
      lease.value["phase"] === "starting" &&
      lease.value["epoch"] === epoch &&
      lease.value["token"] === token
    )
  }

  /** A claim that is there and can't be read (an I/O error, no descriptor left) is neither ours nor lost. */
  const claimState = (): "ours" | "lost" | "unclear" => {
    const found = readRecord(`${spec.claimsDir}/${claimName}`, recordMaxBytes)
    if (found._tag === "Missing") return "lost"
    if (found._tag === "Unreadable") return "unclear"
    const { kind, token: claimToken, pid, pid_start: pidStart } = found.value
    return kind === "claim" && claimToken === token && pid === self.pid && pidStart === self.pidStart ? "ours" : "lost"
  }

  /** Missing, torn, or without a token: the claim decides alone, and the lease is written anew. */
  const leaseState = (): "ours" | "other" | "absent" => {
    const found = readLease()
    if (found._tag !== "Read" || typeof found.value["token"] !== "string") return "absent"
    return found.value["token"] === token ? "ours" : "other"
  }

  const mayWrite = (): "yes" | "no" | "never" => {
    const ofClaim = claimState()
    const ofLease = leaseState()
    if (ofClaim === "lost" || ofLease === "other") return "never"
    return ofClaim === "unclear" && ofLease === "absent" ? "no" : "yes"
  }

  const leaseText = (beat: Beat): Uint8Array => {
    const { agent, exit } = beat
    const changes: Readonly<Record<string, unknown>> = {
      ...place,
      ...supervisor,
      last_heartbeat: now(),
      beat_mono_ms: monotonicMs(),
      phase: exit === null ? "running" : "finished",
      agent: agent === null ? null : { pid: agent.pid, pid_start: agent.pidStart, pgid: agent.group },
      last_output: beat.lastOutput,
      silent_ms: Math.round(beat.silentMs)
    }
    const fields = leaseFields.map((field) => [field, field in changes ? changes[field] : spec.lease[field]] as const)
    return encode({ ...Object.fromEntries(fields), ...(exit === null ? {} : { exit }) })
  }

  const write = (beat: Beat): WriteResult => {
    const allowed = mayWrite()
    if (allowed !== "yes") return allowed === "never" ? "fenced" : "failed"
    try {
      replaceDurably(fileCalls, targetOf(spec.runningDir, leaseName), boundedText(beat, leaseText))
      return "written"
    } catch {
      return "failed"
    }
  }

  return { claim, leaseIsOurStart, write }
}

/** Now, as it stands in files. */
export const now = (): string => new Date().toISOString()

const encode = (value: Readonly<Record<string, unknown>>): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)

/** Control characters grow sixfold in JSON: a tail of them is halved until its lease can be read again. */
const boundedText = (beat: Beat, textOf: (beat: Beat) => Uint8Array): Uint8Array => {
  const text = textOf(beat)
  if (text.length <= recordMaxBytes || beat.exit === null || beat.exit.tail === "") return text
  const { tail } = beat.exit
  return boundedText({ ...beat, exit: { ...beat.exit, tail: tail.slice(Math.ceil(tail.length / 2)) } }, textOf)
}

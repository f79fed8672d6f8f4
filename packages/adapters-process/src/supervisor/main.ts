/**
 * The supervisor: the small process that runs one agent. It claims its epoch, starts the agent, beats, keeps its log,
 * records how it ended. It decides nothing and writes only its claim, its lease and its log; no step of it relies on
 * how long the step before took.
 *
 * Signals: SIGINT and SIGHUP are ignored (it has a session of its own, no terminal's key reaches it). SIGTERM ends the
 * agent (SIGINT, the grace, SIGKILL) and then the supervisor as at any end, so that nobody leaves an agent alone by a
 * plain kill; the ending says so, for it is not the agent's own. SIGKILL leaves it alone: the next pass finds it by token, group and session.
 */
import * as fs from "node:fs"
import type { Ourselves } from "@tinyscheduler/core/ports/ProcessTable"
import { monotonicMs } from "../Machine.ts"
import { thisMachine } from "../thisMachine.ts"
import { type Agent, type AgentExited, endCarriers, startAgent } from "./agent.ts"
import { type Capture, captureOf } from "./Capture.ts"
import { holdBefore } from "./hold.ts"
import { stayInterpreted } from "./interpreted.ts"
import { type Output, openOutput } from "./output.ts"
import { type AgentEnding, now, type Records, recordsOf, type WriteResult } from "./records.ts"
import { decodeSpec, specMaxBytes, type SupervisorSpec } from "./spec.ts"
import { makePrivateDirectory, removePrivateDirectory } from "./temporaryDirectory.ts"

const drainMaxMs = 1000
const retryMs = 1000
const errorMaxLength = 1000

/** A program that ends itself because of a signal exits with this and the signal's number. */
const signalCodeBase = 128

/** Runs the attempt that standard input orders, to its end, and exits. Whatever goes wrong stands in files, or nowhere. */
export const runSupervisor = async (): Promise<never> => {
  stayInterpreted()
  const spec = decodeSpec(readOrder())
  if (spec !== null) await supervise(spec, thisMachine.identify())
  process.exit(0)
}

/** Everything up to the end of standard input; nothing when that is longer than an order can be. */
const readOrder = (): string => {
  const chunks: Array<Buffer> = []
  const buffer = Buffer.allocUnsafe(16 * 1024)
  for (let total = 0; total <= specMaxBytes;) {
    const read = fs.readSync(0, buffer)
    if (read === 0) return Buffer.concat(chunks).toString("utf8")
    chunks.push(Buffer.from(buffer.subarray(0, read)))
    total += read
  }
  return ""
}

const supervise = async (spec: SupervisorSpec, self: Ourselves): Promise<void> => {
  const termination = terminationAsked()
  const records = recordsOf(spec, self)
  holdBefore(spec, "claim")
  if (!records.claim()) return
  holdBefore(spec, "claimed")
  if (!records.leaseIsOurStart()) return
  holdBefore(spec, "start")
  const begun = await beginAttempt(spec, self)
  holdBefore(spec, "started")
  if (begun._tag === "NotStarted") {
    await removePrivateDirectory(temporaryDirectoryOf(spec))
    await recordEnd(spec, () =>
      records.write({ agent: null, lastOutput: null, silentMs: 0, exit: notStarted(begun.reason) })
    )
  } else {
    void termination.asked.then(() => begun.agent.end(spec.stopGraceSec * 1000))
    await followAttempt(spec, records, { ...begun, termination })
  }
  holdBefore(spec, "exit")
}

interface Termination {
  readonly asked: Promise<void>
  readonly signal: () => "SIGTERM" | undefined
}

/** Caught from the first moment on: a signal that nobody catches kills at once, between any two steps. */
const terminationAsked = (): Termination => {
  let signal: "SIGTERM" | undefined
  process.on("SIGINT", () => {})
  process.on("SIGHUP", () => {})
  const asked = Promise.withResolvers<void>()
  process.on("SIGTERM", () => {
    signal = "SIGTERM"
    asked.resolve()
  })
  return { asked: asked.promise, signal: () => signal }
}

/**
 * Whether we were asked to end before the agent ended. Who stops a service, or the machine, signals all of its processes at
 * once: of an agent that a signal ended, the same signal may reach us a moment later.
 */
const askedMeanwhile = (before: string | undefined, after: string | undefined, exited: AgentExited) =>
  before ?? (exited.signal !== null || (exited.code ?? 0) > signalCodeBase ? after : undefined)

const notStarted = (reason: string): AgentEnding => ({
  code: null,
  signal: null,
  error: reason.slice(0, errorMaxLength),
  at: now(),
  tail: ""
})

/** From the started agent to the last write; or, where the attempt became another's, to the agent's end. */
const followAttempt = async (spec: SupervisorSpec, records: Records, attempt: FollowedAttempt): Promise<void> => {
  const { agent, output, capture, termination } = attempt
  const fenced = Promise.withResolvers<"fenced">()
  let timer: NodeJS.Timeout | undefined
  const write = (exit: AgentEnding | null): WriteResult =>
    records.write({ agent, lastOutput: capture.lastOutput(), silentMs: capture.silentMs(monotonicMs()), exit })
  const beat = (): void => {
    const result = write(null)
    if (result === "fenced") fenced.resolve("fenced")
    else timer = setTimeout(beat, result === "written" ? spec.heartbeatSec * 1000 : retryMs)
  }
  beat()
  holdBefore(spec, "running")
  const first = await Promise.race([agent.exited, fenced.promise])
  if (first === "fenced") {
    capture.abandon()
    agent.end(spec.stopGraceSec * 1000)
    await agent.exited
    endCarriers(thisMachine, spec.token)
    return removePrivateDirectory(temporaryDirectoryOf(spec))
  }
  const at = now()
  const askedBefore = termination.signal()
  holdBefore(spec, "drain")
  await output.drain(drainMaxMs)
  const said = capture.finish()
  await removePrivateDirectory(temporaryDirectoryOf(spec))
  clearTimeout(timer)
  const asked = askedMeanwhile(askedBefore, termination.signal(), first)
  await recordEnd(spec, () => write({ ...first, error: null, at, ...said, asked }))
}

/** Keeps trying: an ending that stands nowhere would count as a loss. Leaves only when it is written, or another's. */
const recordEnd = async (spec: SupervisorSpec, write: () => WriteResult): Promise<void> => {
  holdBefore(spec, "finish")
  for (let result = write(); result !== "written"; result = write()) {
    if (result === "fenced") return endCarriers(thisMachine, spec.token)
    await new Promise((resolve) => setTimeout(resolve, retryMs))
  }
}

interface Attempt {
  readonly agent: Agent
  readonly output: Output
  readonly capture: Capture
}

interface FollowedAttempt extends Attempt {
  readonly termination: Termination
}

type Begun = { readonly _tag: "NotStarted"; readonly reason: string } | ({ readonly _tag: "Started" } & Attempt)

const temporaryDirectoryOf = (spec: SupervisorSpec): string => `${spec.tmpDir}/${spec.taskId}.${spec.epoch}`

const beginAttempt = async (spec: SupervisorSpec, self: Ourselves): Promise<Begun> => {
  const temporaryDirectory = temporaryDirectoryOf(spec)
  let output: Output
  try {
    makePrivateDirectory(temporaryDirectory)
    output = openOutput(temporaryDirectory)
  } catch (error) {
    return { _tag: "NotStarted", reason: error instanceof Error ? error.message : String(error) }
  }
  const started = await startAgent(thisMachine, spec, { writeEnd: output.writeEnd, temporaryDirectory })
  if (started._tag === "NotStarted") return started
  const capture = captureOf(spec, self)
  output.follow(capture.take)
  return { _tag: "Started", agent: started.agent, output, capture }
}

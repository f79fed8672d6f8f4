/** What becomes of an agent's output: the log, the tail for the lease, what its events say, and the time of the last of it. */
import * as path from "node:path"
import type { Ourselves } from "@tinyscheduler/core/ports/ProcessTable"
import { eventFormatOf, eventReader } from "@tinyscheduler/core/protocol/agentEvents/agentEvents"
import { attemptLogPath, temporaryPrefix } from "@tinyscheduler/core/protocol/layout"
import { monotonicMs } from "../Machine.ts"
import { agentEnvironment } from "../environment.ts"
import { agentLog } from "./AgentLog.ts"
import { lineScanner } from "./LineScanner.ts"
import { endOfText, outputTail } from "./OutputTail.ts"
import type { StreamEnding } from "./records.ts"
import { redactorOf } from "./redact.ts"
import { silenceWatch } from "./silence.ts"
import type { SupervisorSpec } from "./spec.ts"

/** Core's exitTailMaxBytes, which stands beside Schemas and so isn't imported. */
const tailMaxBytes = 8 * 1024

/** Held beyond that: a secret that the cut would halve is known only as a whole. */
const secretMaxBytes = 8 * 1024

/** As much of an event's words stands in the lease. */
const detailMax = 300

/** The longest event that is read: a last one bears the agent's whole answer. */
const eventMaxBytes = 256 * 1024

export interface Capture {
  readonly take: (chunk: Uint8Array) => void
  readonly lastOutput: () => string | null
  /** Counts the silence up to now, as a beat does; no more of it than the time between two beats may well have been. */
  readonly silentMs: (nowMs: number) => number
  /** Closes the log and gives the end of the output, without known secrets. What comes later is dropped. */
  readonly finish: () => CapturedEnd
  /** From here on output is read, so that the agent isn't stopped by it, and goes nowhere. */
  readonly abandon: () => void
}

export interface CapturedEnd {
  readonly tail: string
  /** Undefined where the output is no stream of events, or said nothing of its end. */
  readonly stream: StreamEnding | undefined
}

/**
 * Reads the agent's events, where its command prints any. `onEvent`: it is at work. What else comes with them, such as the
 * chatter of its servers, is no sign of that.
 */
const eventsOf = (spec: SupervisorSpec, redact: (text: string) => string, onEvent: () => void) => {
  const format = eventFormatOf(spec.argv)
  if (format === null) return null
  const reader = eventReader(format)
  const lines = lineScanner(eventMaxBytes, (line) => {
    if (line === null || reader.line(line)) onEvent()
  })
  const end = (): StreamEnding | undefined => {
    lines.end()
    const result = reader.result()
    if (result === null) return undefined
    const { detail, resetsAtMs, says } = result
    const shown = redact(detail).slice(0, detailMax)
    return { says, detail: shown, resets_at: resetsAtMs === null ? null : new Date(resetsAtMs).toISOString() }
  }
  return { add: lines.add, end }
}

export const captureOf = (spec: SupervisorSpec, self: Ourselves): Capture => {
  const file = path.join(spec.logDir, attemptLogPath(spec.taskId, spec.epoch))
  const log = agentLog(file, path.join(path.dirname(file), `${temporaryPrefix(self)}log`))
  const tail = outputTail(tailMaxBytes + secretMaxBytes)
  const redact = redactorOf(agentEnvironment(process.env, spec.env))
  let lastOutputMs: number | null = null
  const silence = silenceWatch(monotonicMs(), spec.heartbeatSec * 1000)
  const isAtWork = (): void => silence.broken(monotonicMs())
  const events = eventsOf(spec, redact, isAtWork)
  let open = true
  return {
    take: (chunk) => {
      if (!open) return
      lastOutputMs = Date.now()
      tail.add(chunk)
      if (events === null) isAtWork()
      else events.add(chunk)
      log.write(chunk)
    },
    lastOutput: () => (lastOutputMs === null ? null : new Date(lastOutputMs).toISOString()),
    silentMs: silence.measure,
    finish: () => {
      open = false
      log.close()
      return { tail: endOfText(redact(tail.text()), tailMaxBytes), stream: events?.end() }
    },
    abandon: () => {
      open = false
    }
  }
}

/** What becomes of an agent's output: the log, the tail for the lease, and the time of the last of it. */
import * as path from "node:path"
import type { Ourselves } from "@tinyscheduler/core/ports/ProcessTable"
import { attemptLogPath, temporaryPrefix } from "@tinyscheduler/core/protocol/layout"
import { monotonicMs } from "../Machine.ts"
import { agentLog } from "./AgentLog.ts"
import { outputTail } from "./OutputTail.ts"
import { silenceWatch } from "./silence.ts"
import type { SupervisorSpec } from "./spec.ts"

/** Core's exitTailMaxBytes, which stands beside Schemas and so isn't imported. */
const tailMaxBytes = 8 * 1024

/** A longer gap between two beats is none in which the agent was watched: the machine slept, or this process stood still. */
const beatsMissedMax = 3

export interface Capture {
  readonly take: (chunk: Uint8Array) => void
  readonly lastOutput: () => string | null
  /** Counts the silence up to now, as a beat does; no more of it than the time between two beats may well have been. */
  readonly silentMs: (nowMs: number) => number
  /** Closes the log and gives the end of the output. What comes later is dropped. */
  readonly finish: () => string
  /** From here on output is read, so that the agent isn't stopped by it, and goes nowhere. */
  readonly abandon: () => void
}

export const captureOf = (spec: SupervisorSpec, self: Ourselves): Capture => {
  const file = path.join(spec.logDir, attemptLogPath(spec.taskId, spec.epoch))
  const log = agentLog(file, path.join(path.dirname(file), `${temporaryPrefix(self)}log`))
  const tail = outputTail(tailMaxBytes)
  let lastOutputMs: number | null = null
  const silence = silenceWatch(monotonicMs(), beatsMissedMax * spec.heartbeatSec * 1000)
  let open = true
  return {
    take: (chunk) => {
      if (!open) return
      lastOutputMs = Date.now()
      silence.broken(monotonicMs())
      tail.add(chunk)
      log.write(chunk)
    },
    lastOutput: () => (lastOutputMs === null ? null : new Date(lastOutputMs).toISOString()),
    silentMs: silence.measure,
    finish: () => {
      open = false
      log.close()
      return tail.text()
    },
    abandon: () => {
      open = false
    }
  }
}

/**
 * How long an agent has said nothing while somebody watched. Time in which the watcher itself did not run (the machine
 * slept, was paused, the process was stopped) shows as a gap between two measurements and is not counted whole.
 */

export interface SilenceWatch {
  /** It has said something. */
  readonly broken: (nowMs: number) => void
  /** The silence up to now, in ms. */
  readonly measure: (nowMs: number) => number
}

/** `gapMaxMs`: as much of a gap counts as silence. */
export const silenceWatch = (startMs: number, gapMaxMs: number): SilenceWatch => {
  let measuredMs = startMs
  let silentMs = 0
  return {
    broken: (nowMs) => {
      measuredMs = nowMs
      silentMs = 0
    },
    measure: (nowMs) => {
      silentMs += Math.min(Math.max(nowMs - measuredMs, 0), gapMaxMs)
      measuredMs = nowMs
      return silentMs
    }
  }
}

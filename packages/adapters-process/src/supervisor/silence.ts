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

/** More beats than this are not late but missed. */
const lateBeatsMax = 3

/**
 * Of a gap in which beats were missed no more counts than one beat: agents may be allowed little more silence than a few
 * beats, and nobody knows how much of the gap the agent itself had. A late beat counts whole.
 */
export const silenceWatch = (startMs: number, beatMs: number): SilenceWatch => {
  let measuredMs = startMs
  let silentMs = 0
  return {
    broken: (nowMs) => {
      measuredMs = nowMs
      silentMs = 0
    },
    measure: (nowMs) => {
      const gapMs = Math.max(nowMs - measuredMs, 0)
      silentMs += gapMs > lateBeatsMax * beatMs ? beatMs : gapMs
      measuredMs = nowMs
      return silentMs
    }
  }
}

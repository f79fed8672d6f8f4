/** How long to wait after an ending that counts. From recorded facts only: the same count gives the same delay after every restart. */
import type { Policy } from "../domain/DesiredState.ts"
import { millisOf } from "../domain/time.ts"

interface BackoffOptions {
  readonly count: number
  readonly baseSec: number
  readonly maxSec: number
  readonly taskId: number
  readonly attempt: number
}

/**
 * Exponential, capped, with deterministic jitter so that tasks that failed together don't come back together.
 *
 * base 30 s, cap 3600 s: count 1 → 24 to 30 s, count 2 → 48 to 60 s, count 3 → 96 to 120 s, count 9 → 2880 to 3600 s.
 */
export const backoffMs = (options: BackoffOptions): number => {
  if (options.count <= 0 || options.baseSec <= 0) return 0
  const fullMs = Math.min(options.baseSec * 2 ** Math.min(options.count - 1, 30), options.maxSec) * 1000
  return Math.round(fullMs * (0.8 + 0.2 * unitInterval(options.taskId, options.attempt)))
}

/**
 * After a rate limit: until its stated reset, spread over the base so that not all come back in the same second; never
 * sooner than the backoff, so that a limit whose reset is always near is not run into again and again, and never later
 * than the longest backoff, beyond which a not-before counts as a mistake of a clock: a limit that resets later than that
 * is asked again meanwhile.
 */
export const limitMs = (options: BackoffOptions & { readonly resetsInMs: number | null }): number => {
  const leastMs = backoffMs(options)
  if (options.resetsInMs === null || options.resetsInMs <= 0) return leastMs
  const spreadMs = Math.round(options.baseSec * 1000 * unitInterval(options.taskId, options.attempt))
  return Math.min(Math.max(leastMs, options.resetsInMs + spreadMs), Math.max(leastMs, options.maxSec * 1000))
}

/** Whether a recorded "not before" still holds; one further off than the longest backoff counts as due (a clock was set back). */
export const backoffUntilMs = (notBefore: string | null, nowMs: number, policy: Policy): number | null => {
  if (notBefore === null) return null
  const untilMs = millisOf(notBefore)
  return untilMs > nowMs && untilMs - nowMs <= policy.backoffMaxSec * 1000 ? untilMs : null
}

/** A number in [0, 1) from two integers; spreads neighbours far apart (the mixing steps of MurmurHash3's finaliser). */
const unitInterval = (first: number, second: number): number => {
  let mixed = (Math.imul(first >>> 0, 0x9e3779b1) ^ Math.imul(second >>> 0, 0x85ebca6b)) >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
}

/** How long to wait after an ending that counts. From recorded facts only: the same count gives the same delay after every restart. */

/**
 * Exponential, capped, with deterministic jitter so that tasks that failed together don't come back together.
 *
 * base 30 s, cap 3600 s: count 1 → 24 to 30 s, count 2 → 48 to 60 s, count 3 → 96 to 120 s, count 9 → 2880 to 3600 s.
 */
export const backoffMs = (options: {
  readonly count: number
  readonly baseSec: number
  readonly maxSec: number
  readonly taskId: number
  readonly attempt: number
}): number => {
  if (options.count <= 0 || options.baseSec <= 0) return 0
  const fullMs = Math.min(options.baseSec * 2 ** Math.min(options.count - 1, 30), options.maxSec) * 1000
  return Math.round(fullMs * (0.8 + 0.2 * unitInterval(options.taskId, options.attempt)))
}

/** A number in [0, 1) from two integers; spreads neighbours far apart (the mixing steps of MurmurHash3's finaliser). */
const unitInterval = (first: number, second: number): number => {
  let mixed = (Math.imul(first >>> 0, 0x9e3779b1) ^ Math.imul(second >>> 0, 0x85ebca6b)) >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
}

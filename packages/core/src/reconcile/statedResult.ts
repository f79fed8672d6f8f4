/** What an agent under the success policy `json` states of its own work: the last line that is an object with a known `status`. */

export const statedResults = ["done", "failed", "rate-limited", "auth"] as const
export type StatedResult = (typeof statedResults)[number]

/** The result in the end of an output; null where no line states one. */
export const statedResultIn = (tail: string): StatedResult | null => {
  const stated = tail
    .split("\n")
    .map((line) => /^\s*\{.*"status"\s*:\s*"([a-z-]+)".*\}\s*$/.exec(line)?.[1])
    .flatMap((word) => statedResults.filter((result) => result === word))
  return stated.at(-1) ?? null
}

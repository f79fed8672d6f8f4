/**
 * What a writer of state did, as it said so on a disk that has no power cuts: each step before it is begun and again when
 * it is acknowledged. From this follows what must stand on the other disk.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs"

/** By the name of what is written ("lease 3"), what stands there after it; null = nothing. */
export type Contents = Readonly<Record<string, string | null>>

interface Step {
  readonly sets: Contents
  readonly done: boolean
}

export const tellStep = (file: string, step: Step): void => appendFileSync(file, `${JSON.stringify(step)}\n`)

export const readSteps = (file: string): ReadonlyArray<Step> =>
  existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line.endsWith("}"))
        .map((line): Step => JSON.parse(line))
    : []

export const acknowledged = (steps: ReadonlyArray<Step>): number => steps.filter(({ done }) => done).length

/** What is not as it must be: an acknowledged write that is lost, an acknowledged deletion that came back. */
export const lossesOf = (steps: ReadonlyArray<Step>, found: Contents): ReadonlyArray<string> => {
  const must: Record<string, string | null> = {}
  for (const { done, sets } of steps) if (done) Object.assign(must, sets)
  const last = steps.at(-1)
  const may: Contents = last === undefined || last.done ? {} : last.sets
  return [...new Set([...Object.keys(must), ...Object.keys(may), ...Object.keys(found)])].flatMap((name) => {
    const there = found[name] ?? null
    const wanted = must[name] ?? null
    if (there === wanted || (name in may && there === may[name])) return []
    if (there === null) return [`${name} is lost: ${wanted} was acknowledged`]
    return [wanted === null ? `${name} came back: ${there}` : `${name} is ${there}, and ${wanted} was acknowledged`]
  })
}

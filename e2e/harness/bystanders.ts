/** Processes that have nothing to do with any attempt: nobody may signal them, whatever they look like. */
import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import type { Ground } from "./Ground.ts"
import { startOf } from "./processes.ts"
import { fixture } from "./program.ts"
import { until } from "./until.ts"

export interface Bystander {
  readonly pid: number
  /** What happened to it: nothing, unless somebody touched it. */
  readonly harm: () => ReadonlyArray<string>
}

export interface Appearance {
  readonly name: string
  /** Leads a session of its own, as supervisors and agents do. */
  readonly session?: boolean
  readonly env?: Readonly<Record<string, string>>
}

const bystanderVariable = "E2E_BYSTANDER"

export const isBystander = (environment: Readonly<Record<string, string>>): boolean =>
  environment[bystanderVariable] !== undefined

/** The signals that it noted, and its end. */
const harmOf = (note: string, pid: number, start: string | null): ReadonlyArray<string> => [
  ...(existsSync(`${note}.signals`) ? readFileSync(`${note}.signals`, "utf8").trimEnd().split("\n") : []),
  ...(startOf(pid) === start ? [] : ["it is dead"])
]

export const startBystander = async (ground: Ground, appearance: Appearance): Promise<Bystander> => {
  const note = ground.path(`bystander.${appearance.name}`)
  const child = spawn("/bin/sh", [fixture("bystander.sh"), note], {
    detached: appearance.session === true,
    stdio: "ignore",
    env: ground.environment({ [bystanderVariable]: appearance.name, ...appearance.env })
  })
  const pid = child.pid ?? 0
  await until(`the bystander ${appearance.name} is there`, () => existsSync(`${note}.pid`))
  const start = startOf(pid)
  return { pid, harm: () => harmOf(note, pid, start) }
}
